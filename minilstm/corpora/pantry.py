"""The words of the corpus `recipes`: what its dishes are made of, and how.

These are the lists that `minilstm.corpora.recipes` chooses from and the turns of phrase
that it uses.
"""

from __future__ import annotations

from minilstm.corpora.grammar import Template


def _either(words: str) -> list[Template]:
    """Equally likely alternatives, which commas separate."""
    return list(words.split(", "))


WORDS: dict[str, list[Template]] = {
    # what a title names
    "roots": _either("pumpkin, carrots, parsnips, beetroot, cauliflower, potatoes, vegetables"),
    "joints": _either("chicken, duck, lamb, pork, veal"),
    "fish": _either("cod, salmon, trout, haddock"),
    "game": _either("beef, rabbit, venison, mutton"),
    "pulses": _either("lentils, chickpeas, beans, peas"),
    "greens": _either("broccoli, asparagus, sprouts, leeks"),
    "summer": _either("peppers, aubergines, courgettes, mushrooms"),
    "fruit": _either("pears, peaches, nectarines, apples"),
    "garden": _either("thyme, rosemary, sage, oregano"),
    "tender": _either("dill, parsley, tarragon, chervil"),
    "woody": _either("rosemary, thyme, sage, marjoram"),
    "spices": _either("cumin, turmeric, paprika, sumac"),
    "fresh": _either("ginger, chives, coriander, cress"),
    "sunny": _either("basil, mint, oregano, parsley"),
    "sweet": _either("cinnamon, cardamom, saffron, vanilla"),
    "nuts": _either("walnuts, almonds, hazelnuts, pistachios"),
    "dried": _either("apricots, figs, prunes, chestnuts"),
    "briny": _either("olives, capers, anchovies, gherkins"),
    "grains": _either("barley, farro, bulgur, orzo"),
    "leaves": _either("spinach, kale, chard, sorrel"),
    "bowls": _either("rice, noodles, quinoa, millet"),
    "cheeses": _either("feta, ricotta, gorgonzola, roquefort"),
    "berries": _either("raspberries, blueberries, blackberries, strawberries"),

    # what the directions choose, and come back to
    "trays": _either("tray, tin"),
    "dishes": _either("dish, casserole"),
    "pots": _either("pot, casserole"),
    "woks": _either("wok, pot"),
    "pans": _either("saucepan, pan"),
    "lids": _either("lid, plate"),
    "flat_things": _either("cloth, plate"),
    "wraps": _either("foil, parchment"),
    "savory": _either("sauce, salad, relish"),
    "drizzles": _either("dressing, marinade"),
    "creamy": _either("custard, mousse"),

    # how each ingredient is made ready
    "prepare_pumpkin": ["Halve the pumpkin, remove the seeds and cut it into wedges.",
                        "Peel the pumpkin, remove the seeds and cut it into cubes."],
    "prepare_carrots": ["Peel the carrots and cut them into thick strips.", "Wash the carrots and cut them in half."],
    "prepare_parsnips": ["Peel the parsnips and cut them into thick strips."],
    "prepare_beetroot": ["Peel the beetroot (with gloves, for it colours the hands) and cut it into wedges."],
    "prepare_cauliflower": ["Pull the leaves from the cauliflower and break it into small florets."],
    "prepare_potatoes": ["Wash the potatoes well, leave the skin on and cut them into wedges.",
                         "Peel the potatoes and cut them into cubes (not too small)."],
    "prepare_vegetables": ["Wash the vegetables and cut everything into pieces of the same size."],
    "prepare_chicken": ["Pat the chicken dry inside and out and tie it with string."],
    "prepare_duck": ["Pat the duck dry and pierce its skin all over with a fork (the fat must run out)."],
    "prepare_lamb": ["Trim the lamb and pierce it all over with a knife."],
    "prepare_pork": ["Cut into the skin of the pork with a sharp knife."],
    "prepare_veal": ["Trim the veal, pat it dry and tie it with string."],
    "prepare_cod": ["Rinse the cod, pat it dry and cut it into {few} pieces."],
    "prepare_salmon": ["Remove any small bones from the salmon and cut it into {few} pieces."],
    "prepare_trout": ["Rinse the trout inside and out and pat it dry."],
    "prepare_haddock": ["Remove the skin from the haddock and cut it into {few} pieces."],
    "prepare_beef": ["Pat the beef dry and cut it into large cubes.", "Trim the beef and cut it into thick slices."],
    "prepare_rabbit": ["Cut the rabbit into {few} pieces (the butcher can do it) and pat them dry."],
    "prepare_venison": ["Trim the venison, pat it dry and cut it into large cubes."],
    "prepare_mutton": ["Cut the fat from the mutton and divide it into {few} pieces."],
    "prepare_lentils": ["Rinse the lentils in a sieve and let them drain."],
    "prepare_chickpeas": ["Leave the chickpeas in cold water overnight (they double in size), then drain them."],
    "prepare_beans": ["Leave the beans in plenty of cold water overnight, then drain and rinse them."],
    "prepare_peas": ["Rinse the peas (dry ones, of course) until the water is clear."],
    "prepare_broccoli": ["Cut the broccoli into florets, peel the stem and slice it."],
    "prepare_asparagus": ["Peel the asparagus and cut off the hard ends."],
    "prepare_sprouts": ["Wash the sprouts, pull off any brown leaves and cut the large ones in half."],
    "prepare_leeks": ["Slice the leeks and rinse them well, so that no sand is left."],
    "prepare_peppers": ["Halve the peppers, remove the seeds and cut them into thick strips."],
    "prepare_aubergines": ["Slice the aubergines, salt them and pat them dry when they are wet."],
    "prepare_courgettes": ["Cut the courgettes into thick slices."],
    "prepare_mushrooms": ["Brush the mushrooms clean (they should not get wet) and halve the large ones."],
    "prepare_pears": ["Peel the pears, but leave the stems on."],
    "prepare_peaches": ["Dip the peaches into hot water for a moment and peel off the skin."],
    "prepare_nectarines": ["Halve the nectarines and remove the stones."],
    "prepare_apples": ["Peel the apples, remove the cores and cut them in half."],

    # degrees and minutes, by method
    "hot": _either("200, 210, 220"),
    "warm": _either("180, 185, 190"),
    "mild": _either("160, 165, 170"),
    "low": _either("130, 140, 150"),
    "roasted_time": _either("40, 45, 50"),
    "roast_time": _either("70, 80, 90"),
    "bake_time": _either("18, 20, 25"),
    "braise_time": _either("120, 130, 140, 150"),
    "simmer_time": _either("40, 45, 50"),
    "steam_time": _either("8, 9, 10"),
    "grill_time": _either("4, 5, 6"),
    "poach_time": _either("15, 18, 20"),
    "short": _either("3, 5, 10"),
    "longer": _either("15, 20, 25"),

    # amounts
    "few": _either("4, 5, 6"),
    "many": _either("8, 9"),
    "spoons": [(2, "2 tablespoons"), "3 tablespoons", "a spoonful"],
    "cups": [(2, "a cup"), "half a cup", "2 cups"],
    "litres": _either("a litre, 2 litres"),
    "some": _either("some, a little, plenty of"),
    "little": _either("some, a little, a pinch of"),
    "sugar": _either("a cup of sugar, half a cup of honey, 2 cups of brown sugar"),
    "pinch": _either("a pinch of pepper, some black pepper, a pinch of nutmeg"),
    "accent": _either("a spoonful of honey, a spoonful of mustard, the juice of a lemon, a splash of cider"),
    "zest": _either("the zest of a lemon, the zest of an orange"),
    "garlic": _either("a crushed clove of garlic, 2 crushed cloves of garlic, a sliced chilli"),
    "vegetable": _either("an onion, a red onion, a stick of celery, a bulb of fennel"),
    "lettuce": _either("a head of lettuce, some rocket"),
    "liquid": _either("stock, white wine, cider, water"),
    "broth": _either("stock, water"),

    # notes in brackets, quotations and other asides
    "fish_note": ["", " (it should not cover the fish)"],
    "parcel_note": ["", " (not too tight)"],
    "batches": ["", " (a few pieces at a time)", " (do not hurry)"],
    "soft_note": ["", " but not brown"],
    "marinade_note": ["", " (a whole night is better)"],
    "fire_note": ["", " and let it cool down"],
    "peel_note": ["", " (only the yellow part)"],
    "taste_note": ["", " (it should be thick)"],
    "relish_note": ["", " (it gets better with time)"],
    "bowl_note": ["", " (everything must fit into it)"],
    "lemon_note": ["", " (not too much)"],
    "quote_rest": _either("letting the juices settle, a short nap for the meat"),
    "quote_wake": _either("waking the spice, opening the flavour"),
    "call": _either("dinner is ready, come and get it, sit down before it gets cold"),

    # ways of doing things
    "browned": ["the edges are brown", "a knife goes in easily", "<main:it is|they are> soft and golden"],
    "heavy": _either("a heavy knife, the bottom of a cup"),
    "often": _either("now and then, from time to time, once or twice"),
    "juices": _either("the juices run clear, the outside is crisp and brown"),
    "buttery": _either("butter, a little butter and honey"),
    "carve": _either("Carve, Slice"),
    "strew": _either("strew with, finish with"),
    "chore": _either("warm the plates and set the table, open the wine, slice some bread"),
    "flaky": _either("it flakes at the touch of a fork, it is just firm"),
    "fall_apart": _either("the meat falls apart, a spoon can cut the meat, the meat is very tender"),
    "patience": [(2, ""), "There is nothing to do for a long time. "],
    "plates": _either("deep plates, warm plates"),
    "while": _either("for a moment, over low heat"),
    "crushed": _either("<main:it is|they are> soft, a spoon can crush <main:it|them>"),
    "bright": _either("tender but still bright, a knife goes in easily, just tender"),
    "stirring": _either("stirring now and then, with a little salt"),
    "seasoned": ["", ", season with salt"],
    "spoon": _either("spoon over, pour over"),
    "brushing": _either("brushing <main:it|them> with the oil from the bowl, brushing <main:it|them> with a little oil"),
    "charred": _either("soft and brown, a little black at the edges"),
    "pierced": _either("soft but still whole, a knife goes in easily"),
    "overnight": ["", " for an hour", " (overnight if there is time)"],
    "syrup": [(2, ""), "Boil some of the liquid down to a syrup. "],
    "sugar_them": _either("toss them in a little sugar, halve the large ones"),
    "glasses": _either("small bowls, deep plates"),
    "how": _either("warm, hot, at once"),
}

PLURAL = set("""
    carrots parsnips potatoes vegetables lentils chickpeas beans peas sprouts leeks peppers aubergines courgettes mushrooms
    pears peaches nectarines apples chives noodles
""".split())
