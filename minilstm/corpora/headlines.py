"""The built-in corpus `headlines`: news that never happened, written by a grammar.

The published lesson that this package reproduces trains on real headlines. This corpus
needs no download, and has as many headlines as one asks for. Its entropy is known
exactly (`minilstm.corpora.grammar`), so a trained model can be compared with the best
possible one. Its people, companies, teams and events are invented.

What there is to learn, from near to far: the spelling of some five hundred words; which
of them may follow which; that one thing rises and several rise, that joy goes with
rising and worry with falling; that quotations and brackets are closed; and that a
headline that began with sports does not end with a central bank.

The rules are read from the top: a headline is some news and perhaps an agency, or it
begins with one of the openings that a model can be prompted with. None begins like
`UNFAMILIAR_PROMPT`, though its characters occur.
"""

from functools import cache

from minilstm.corpora.grammar import Grammar, Template

PROMPTS = ("Today ", "On Sunday ", "Moscow, ", "President ")
UNFAMILIAR_PROMPT = "Little red riding hood "


def _either(words: str) -> list[Template]:
    """Equally likely alternatives, which commas separate."""
    return list(words.split(", "))


SHAPES: dict[str, list[Template]] = {
    "headline": [(65, "{news}{agency}"), (6, "Today {today}{agency}"), (14, "On {weekday} {event}{agency}"),
                 (15, "{capital}, {dateline}{agency}")],
    "news": [(31, "{politics}"), (27, "{business}"), (22, "{sports}"), (20, "{discovery}")],
    "agency": [(50, ""), (17, " (NPA)"), (11, " (Newswire)"), (8, " (Globe)"), (6, " - Courier"),
               (5, " - Evening Post"), (3, " (Space Desk)")],

    # openings
    "today": [(2, "in {field}"), (3, "{official} {acts}"), (3, "{nation} {votes}"), (2, "{city} {hosts}"),
              "is the {ordinal} day of {gathering} in {city}"],
    "field": ["politics: {politics}", "business: {business}", "sports: {sports}", "science: {discovery}"],
    "weekday": [(5, "Sunday"), (2, "Monday"), "Tuesday", "Wednesday", "Thursday", (2, "Friday"),
                (2, "Saturday")],
    "event": [(4, "{official} {acts}"), (3, "{nation} {votes}"), (3, "{city} {hosts}"),
              (3, "{team} {play}")],
    "votes": ["votes on {issue}", "chooses a new parliament", "goes to the polls",
              "marks {ordinal} year of {pact}"],
    "hosts": [(3, "hosts {gathering}"), (2, "opens its new {building}"),
              "closes its {building} for repairs"],
    "capital": [(3, "Moscow"), "London", "Paris", "Tokyo", "Cairo", "Ottawa", "Lisbon", "Vienna"],
    "dateline": [(6, "{partner} {agree}{aside}"), (4, "{month} {day}: {news}"),
                 (2, "host of {gathering}, {prepares}")],
    "agree": ["sign {pact}", "agree on {pact}", "resume talks on {pact}", "near deal on {pact}",
              "at odds over {pact}"],
    "prepares": ["opens new {building}", "expects {count} visitors", "seeks {count} volunteers"],
    "day": ["{digit}", "1{digit}", "2{digit}"],

    # politics
    "politics": [(8, "{official} {acts}"), (4, "{crowd} {demand}"), (4, "{nation} {decides}{aside}"),
                 (2, "{official}: '{saying}'"), "Will {nation} vote on {issue}?"],
    "official": [(6, "President {surname}"), (2, "President"), (12, "{title} {surname}")],
    "acts": [(4, 'says "{saying}"'), (3, "visits {city} for {talks}"), (2, "vows to {pledge}{aside}"),
             (2, "refuses to {pledge}"), (2, "signs {pact}{aside}"), (2, "faces {pressure} over {issue}"),
             (2, "names {person} as {post}"), "wins {ordinal} term", "opens {gathering} in {city}"],
    "demand": [(3, "protest against {issue} in {city}"), (2, "back {issue}{aside}"),
               "march in {city} over {issue}", "reject offer on {issue}", "ask {nation} to {pledge}"],
    "decides": ["to {pledge}", "approves {issue}", "rejects {issue}", "joins {pact}"],
    "aside": [(8, ""), (2, " after {talks}"), " despite protests", " ahead of elections",
              " at {gathering}"],

    # business: what rises does so for joy, what falls for sorrow
    "business": [(4, "{company} {earns}"), (4, "{goods} prices {many_move}"), (2, "{stocks} {many_move}"),
                 (3, "{stuff} {one_moves}"), "{person} to lead {company}"],
    "earns": [(3, "posts {profit} of {money}"), (3, "buys {rival} for {money}"),
              (2, "to cut {count} jobs in {city}"), (2, "unveils {quality} {product}"),
              (2, "sues {rival} over {product}"), "recalls {count} {products}", "shares {many_move}"],
    "many_move": ["{rise} {up}", "{fall} {down}"],
    "one_moves": ["{rises} {up}", "{falls} {down}"],
    "up": [(3, "{percent} {cheer}"), "to {high} {cheer}", "{cheer}"],
    "down": [(3, "{percent} {gloom}"), "to {low} {gloom}", "{gloom}"],
    "cheer": [(2, "on hopes for {hope}"), "after strong {report} data", "as {season} begins"],
    "gloom": [(2, "on {worry} worries"), "after weak {report} data", "amid {worry} fears"],
    "high": ["record high", "new high", "six-month high"],
    "low": ["record low", "new low", "two-year low"],
    "percent": [(3, "{digit} percent"), (2, "{digit}.{digit} percent"), "{digit}%"],
    "money": ["${digit} billion", "${digit}.{digit} billion", "${tens} million"],
    "count": [(2, "{tens}"), "{digit}00", "{digit},000"],
    "tens": ["{digit}0", "{digit}5"],
    "digit": [(5, "1"), (4, "2"), (3, "3"), (2, "4"), (2, "5"), "6", "7", "8", "9"],

    # sports
    "sports": [(5, "{team} {beat} {opponent}, {score}"), (2, "{team} {beat} {opponent} to win {cup}"),
               (4, "{person} {triumphs}"), (3, "{team} {deal}"), (2, "{team} {play}"),
               "{team} coach {surname} quits after {score} defeat"],
    "triumphs": ["wins {race}", "wins {ordinal} {medal} in {discipline}", "sets {discipline} record",
                 "out of {race}", "reaches {round} of {race}"],
    "deal": ["sign {position} {person}", "trade {position} to {opponent}",
             "lose {position} {surname} to injury"],
    "play": ["face {opponent} in {cup}", "seek {ordinal} straight win", "reach {round} of {cup}"],

    # science, weather, culture
    "discovery": [(4, "{scholars} {find} {on_land} {near} {city}"),
                  (3, "{scholars} {find} {at_sea} off {nation}"), (4, "{storm} {storm_name} {strikes}"),
                  (3, "Study: {food} may {heal}"), (3, '"The {epithet} {figure}" {tops}')],
    "strikes": ["nears coast of {nation}", "cuts power to {count} homes", "closes schools in {city}",
                "heads for {city}", "brings {weather} to {nation}"],

    "person": ["{first_name} {surname}"],
}

WORDS: dict[str, list[Template]] = {
    # places and times
    "partner": _either("Berlin, Madrid, Rome, Oslo, Delhi"),
    "city": _either("Athens, Boston, Brussels, Calgary, Chicago, Dublin, Edinburgh, Geneva, Hamburg, Helsinki, "
                    "Istanbul, Johannesburg, Kingston"),
    "nation": _either("Australia, Brazil, Canada, Chile, Denmark, Ecuador, Egypt, Finland, Ghana, Greece, "
                      "Iceland, Ireland"),
    "near": _either("near, under, outside, north of"),
    "month": _either("Jan., Feb., March, April, May, June"),
    "season": _either("winter, summer, harvest, holiday season, trading"),

    # people
    "title": _either("Prime Minister, Foreign Minister, Finance Minister, Trade Minister, Chancellor"),
    "first_name": _either("Alice, Bruno, Clara, David, Elena, Felix, Grace, Hugo, Ingrid, Jonas, Katya"),
    "surname": _either("Aldane, Ashgrove, Bellweather, Corvane, Dunmore, Eskola, Fairholm, Galdino, Halvorsen, "
                       "Ivanek, Jorvik, Kestrel"),
    "crowd": _either("Voters, Farmers, Teachers, Students, Lawmakers, Nurses, Pilots"),
    "scholars": _either("Scientists, Researchers, Divers, Engineers, Biologists"),

    # politics
    "saying": _either("we will not give up, the worst is over, there is still time, every vote counts, this is "
                      "only the beginning, nobody is above the law, we need new ideas, the door is open, peace "
                      "is possible"),
    "talks": _either("peace talks, trade talks, a summit, a state visit, border talks"),
    "gathering": _either("trade fair, climate summit, film festival, peace conference, world expo"),
    "pledge": _either("cut taxes, raise wages, build more homes, protect forests, reform schools, lower fuel "
                      "prices, fight hunger, open the border"),
    "issue": _either("tax reform, new budget, pension plan, water plan, school funding, fishing quotas, land "
                     "reform"),
    "pact": _either("trade pact, gas deal, peace accord, climate treaty, border treaty"),
    "pressure": _either("criticism, questions, growing pressure, fresh doubts, inquiry"),
    "post": _either("adviser, envoy, deputy, judge, spokesman"),
    "ordinal": _either("first, second, third, fourth, fifth"),
    "building": _either("airport, bridge, library, opera house, stadium"),

    # business
    "company": _either("Altamont Air, Bell & Moore, Cobalt Systems, Dynaport, Everfield Foods, Fenwick Motors, "
                       "Granite Bank"),
    "rival": _either("Quartzline, Redwood Paper, Silverbrook, Tundra Energy, Umbra Software"),
    "profit": _either("profit, record profit, quarterly loss, surprise loss, higher profit"),
    "goods": _either("Oil, Grain, House, Coffee, Food"),
    "stuff": _either("Gold, Silver, The dollar, The euro, The yen"),
    "stocks": _either("Stocks, Asian shares, Tech stocks, European markets, Bank shares"),
    "rise": _either("rise, jump, climb, surge, edge up"),
    "rises": _either("rises, jumps, climbs, surges, edges up"),
    "fall": _either("fall, slip, tumble, drop, ease"),
    "falls": _either("falls, slips, tumbles, drops, eases"),
    "worry": _either("supply, inflation, debt, interest rate, export"),
    "hope": _either("rate cut, strong sales, trade deal, quick recovery, tax relief"),
    "report": _either("jobs, retail, housing, factory, budget"),
    "quality": _either("cheaper, electric, faster, foldable, tiny"),
    "product": _either("phone, car, camera, search engine, laptop"),
    "products": _either("phones, cars, cameras, laptops, toys"),

    # sports
    "team": _either("Lanterns, Comets, Pioneers, Lynxes, Ferrymen, Foxes"),
    "opponent": _either("Bulldogs, Dragons, Otters, Falconers, Stallions, Athletic"),
    "beat": _either("beat, edge, rout, top, stun, hold off"),
    "score": _either("1-0, 2-0, 2-1, 3-1, 3-2, 4-2, 5-3"),
    "cup": _either("Harbor Cup, Continental Cup, Winter Games, Island League, Summer Shield"),
    "race": _either("Open, Grand Prix, City Marathon, Masters, Island Classic"),
    "round": _either("final, semifinal, quarterfinal, second round, last eight"),
    "medal": _either("gold, silver, bronze, title"),
    "discipline": _either("sprint, long jump, rowing, fencing, judo"),
    "position": _either("goalkeeper, striker, pitcher, captain, quarterback"),

    # science, weather, culture
    "find": _either("find, discover, study, map, describe"),
    "on_land": _either("new frog species, ancient temple, lost city, rare orchid, hidden lake, Roman coins"),
    "at_sea": _either("giant squid, sunken ship, blue whales, glowing fish, coral reef"),
    "storm": _either("Storm, Hurricane, Typhoon, Cyclone"),
    "storm_name": _either("Agnes, Boris, Delia, Edgar, Fiona"),
    "weather": _either("heavy rain, floods, high winds, hail, high waves"),
    "food": _either("tea, coffee, olive oil, garlic, dark chocolate, walnuts"),
    "heal": _either("help heart, cut stroke risk, ease pain, sharpen memory, lower blood pressure"),
    "epithet": _either("Last, Silent, Golden, Invisible, Lonely"),
    "figure": _either("Sailor, Queen, Garden, Orchestra, Violin"),
    "tops": _either("tops box office, wins film prize, delights critics, breaks sales record, to get sequel"),
}


@cache
def headlines() -> Grammar:
    """Return the grammar of the corpus.

    Examples
    --------
    >>> import numpy as np
    >>> headlines().sample(np.random.default_rng(0))
    'President Ivanek wins fourth term (Newswire)'
    """
    return Grammar({**SHAPES, **WORDS}, "headline")
