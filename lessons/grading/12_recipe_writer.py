"""12. A recipe writer: grading."""

import operator
from collections import Counter

import numpy as np

from minilstm.corpora.long_range import TAKEN
from minilstm.corpora.long_range import agreements as all_agreements
from minilstm.corpora.recipes import recipes
from minilstm.course import Task, Wrong, same
from minilstm.data.punctuation import split_words


def bits_per_character(yours):
    rng = np.random.default_rng(0)
    for words in (["heat", "the", "oil"], ["stir", "in", "half", "of", "the", "walnuts", "and", "serve", "at", "once"]):
        nats = rng.exponential(size=len(words))  # (N,)
        letters, spaces = len("".join(words)), len(words) - 1
        bits, characters = nats.sum() / np.log(2), letters + spaces
        got = yours(nats, list(words))
        if np.shape(got) == nats.shape:
            raise Wrong(f"you return {len(words)} numbers, one for each word; the text has one number: sum the nats")
        same(f"bits per character of {' '.join(words)!r}", got, bits / characters, {
            "the spaces between the words are characters, too": bits / letters,
            f"between {len(words)} words there are {spaces} spaces, none after the last": bits / (characters + 1),
            "a bit is ln 2 = 0.69 nats, so there are more bits than nats: divide": nats.sum() * np.log(2) / characters,
            "to get bits, divide the nats by ln 2; this is log2 of the nats": np.log2(nats.sum()) / characters,
            "to get bits, divide the nats by ln 2; this is the sum of log2 of each": np.log2(nats).sum() / characters,
            "a bit is ln 2 = 0.69 nats, not 2": nats.sum() / 2 / characters,
            "these are nats per character": nats.sum() / characters,
            "these are bits per word; divide by the number of characters": bits / len(words),
            "sum the nats of all words; this is their mean": bits / len(words) / characters,
            "this is bits per word times characters per word": bits / len(words) * characters / len(words),
            "these are characters per bit: take the reciprocal": characters / bits,
        })  # fmt: skip
    return "a model of words can now be compared with one of characters"


def unknown_fraction(yours):
    rng = np.random.default_rng(1)
    kinds = [f"word{k}" for k in rng.permutation(8)]
    learned = [word for k, word in enumerate(kinds) for _ in range(3 + 2 * k)]  # no two are equally frequent
    words = [word for k, word in enumerate(rng.permutation(kinds).tolist()) for _ in range(2**k)]  # no two fractions are equal
    words += ["never", "seen", "seen"]
    rng.shuffle(learned)
    for V in (5, 7, 10):
        fraction = lambda known, row=words: float(np.mean([word not in known for word in row]))
        top = lambda count, texts=learned: {word for word, _ in Counter(texts).most_common(count)}
        rare = {word for word, _ in Counter(learned).most_common()[::-1][: V - 2]}
        got = yours(list(learned), list(words), V)
        same(f"the fraction with {V} ids", got, fraction(top(V - 2)), {
            "two of the ids are for padding and [UNK], so two words fewer have one": fraction(top(V)),
            "there are two such ids, padding and [UNK]": fraction(top(V - 1)),
            "only two ids are taken, padding and [UNK]; all others are for words": fraction(top(V - 3)),
            "no word is known; most_common gives pairs (word, count), and you need the words alone": 1.0,
            "this is in per cent; a fraction lies between 0 and 1": 100 * fraction(top(V - 2)),
            "this is the fraction that is known": 1 - fraction(top(V - 2)),
            "a word that occurs twice counts twice": fraction(top(V - 2), list(set(words))),
            "the vocabulary is made from `learned`, not from `words`": fraction(top(V - 2, words)),
            "the rarest words got the ids; the most frequent must get them": fraction(rare),
            "ids go to the most frequent words, not to the first ones": fraction(set(list(dict.fromkeys(learned))[: V - 2])),
            "this is how many are unknown; divide by the number of words": fraction(top(V - 2)) * len(words),
            "divide by the number of `words`, not of `learned`": fraction(top(V - 2)) * len(words) / len(learned),
        })  # fmt: skip
    return "with 10 ids all 8 learned words are known, and only new words are unknown"


KIND = {"pot", "pan", "tray", "saucepan"}


def walk(words, kind, first_is_due=False, title=False, replace=False, remind="agrees", equal=operator.eq,
         distance=lambda at, last, bar: at - last):
    """The right answer, or with other arguments a wrong one."""
    first, last, found, bar = None, None, [], words.index("|")
    for at in range(0 if title else bar + 1, len(words)):
        if words[at] not in kind:
            continue
        if first is None:
            first = words[at]
            if first_is_due:
                found.append((0, True))
            last = at
            continue
        agrees = equal(words[at], first)
        found.append((distance(at, last, bar), agrees))
        if remind == "always" or remind == "agrees" and agrees:
            last = at
        if replace:
            first = words[at]
    return found


MISTAKES = {
    "the title does not count; begin after the bar": {"title": True},
    "at the first word of the kind nothing is due yet": {"first_is_due": True},
    "compare a later word with the first one, not with the one before it": {"replace": True, "remind": "always"},
    "a word that does not agree does not replace the first word": {"replace": True},
    "the distance counts from the last place of the first word; where it comes again, `last` must change": {"remind": "never"},
    "the distance counts from the last place of the first word; at another word `last` must stay": {"remind": "always"},
    "`words[at] in first` looks for a part of a word, and \"pan\" is in \"saucepan\"; compare whole words": {
        "equal": lambda word, first: word in first},
    "`first in words[at]` looks for a part of a word, and \"pan\" is in \"saucepan\"; compare whole words": {
        "equal": lambda word, first: first in word},
    "the distances are one too small: neighbours are 1 apart": {"distance": lambda at, last, bar: at - last - 1},
    "the distances are one too large: neighbours are 1 apart": {"distance": lambda at, last, bar: at - last + 1},
    "the distances are counted from the bar; count from the last place of the first word": {
        "distance": lambda at, last, bar: at - bar},
    "the distances are counted from the first word after the bar; count from the last place of the first word": {
        "distance": lambda at, last, bar: at - bar - 1},
    "the distances are counted from the beginning of the text; count from the last place of the first word": {
        "distance": lambda at, last, bar: at},
}


def agreements(yours):
    rng = np.random.default_rng(2)
    compare("take the pot. Stir the pot.", yours)
    compare("Set the pan on the stove. Take the tray and the pan. Wash the tray, then the pan.", yours)
    compare("Heat the saucepan. Scrape the pan and wash the saucepan.", yours)
    compare("Heat the pan. Put it into the saucepan, then wash the pan.", yours)
    for _ in range(20):
        compare(" ".join(rng.choice(["pot", "pan", "tray", "saucepan", "stir", "it", "well", ".", "then"], size=30)), yours)
    count = 0
    for text in recipes().sample_many(50, rng):
        for name, kind in TAKEN.items():
            words = split_words(text)
            right = [(one.distance, one.kept) for one in all_agreements(words, ended=False) if one.kind == name]
            got = plain(yours(words, set(kind)))
            if got != right:
                raise Wrong(f"for the {name} in a recipe of the corpus agreements returns {got} where {right} belongs")
            count += len(right)
    return f"in 50 recipes of the corpus agreement is due at {count} places, and all agree"


def compare(directions, yours):
    words = ["pot", "roast", "|", *split_words(directions)]
    right, got = walk(words, KIND), plain(yours(list(words), set(KIND)))
    if got == right:
        return
    where = f"for {' '.join(words)!r}:\n"
    for sentence, mistake in MISTAKES.items():
        if got == walk(words, KIND, **mistake):
            raise Wrong(f"{where}agreements returns {got} where {right} belongs: {sentence}")
    if [agrees for _, agrees in got] == [agrees for _, agrees in right]:
        raise Wrong(f"{where}what agrees is right, but the distances are not: {got} where {right} belongs")
    raise Wrong(f"{where}agreements returns {got} where {right} belongs")


def plain(found):
    form = "agreements must return a list of pairs (distance, agrees)"
    if not isinstance(found, list):
        raise Wrong(f"{form}; yours is of type {type(found).__name__}")
    try:
        pairs = [(first, second) for first, second in found]
        if pairs and all(isinstance(first, (bool, np.bool_)) for first, _ in pairs):
            raise Wrong(f"a pair is (distance, agrees), in this order; your first one is {pairs[0]}")
        return [(int(distance), bool(agrees)) for distance, agrees in pairs]
    except (TypeError, ValueError):
        raise Wrong(form) from None


BLANKS = 5  # of the exercise, if none is filled in
TASKS = [
    Task("bits_per_character", bits_per_character, (
        "Change the unit twice: from nats to bits for the whole text, and from the text to one of its characters.",
        "The sum of the nats, divided by ln 2, is in bits. How long is the text? \" \".join(words) is the text.",
    )),
    Task("unknown_fraction", unknown_fraction, (
        "Count the learned words and give ids to the most frequent. How many of `words` are not among them?",
        "Counter(learned).most_common(n) gives the n most frequent with their counts. Padding and [UNK] take two of the V"
        " ids. The mean of True and False is a fraction.",
    )),
    Task("agreements", agreements, (
        "There are two cases: this is the first word of the kind, or a later one. Only one of them adds to found. And when"
        " does last change?",
        "If first is None, this word becomes first. Otherwise append (at - last, ...), where the second part compares the"
        " word with first. In both cases last becomes at if the word equals first.",
    )),
]  # fmt: skip
