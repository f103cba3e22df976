"""12. A recipe writer: grading."""

import numpy as np

from minilstm.corpora.long_range import TAKEN
from minilstm.corpora.long_range import agreements as all_agreements
from minilstm.corpora.recipes import recipes
from minilstm.course import Case, Task, Wrong
from minilstm.data.punctuation import split_words

KIND = {"pot", "pan", "tray", "saucepan"}


def texts(rng):
    for words in (["heat", "the", "oil"], ["stir", "in", "half", "of", "the", "walnuts", "and", "serve", "at", "once"]):
        yield Case((rng.exponential(size=len(words)), words), repr(" ".join(words)))


def corpora(rng):
    kinds = [f"word{k}" for k in rng.permutation(8)]
    learned = [word for k, word in enumerate(kinds) for _ in range(3 + 2 * k)]  # no two are equally frequent
    words = [word for k, word in enumerate(rng.permutation(kinds).tolist()) for _ in range(2**k)]  # no two fractions are equal
    words += ["never", "seen", "seen"]
    return [(rng.permutation(learned).tolist(), rng.permutation(words).tolist(), V) for V in (5, 7, 10)]


def directions(rng):
    words = ["pot", "pan", "tray", "saucepan", "stir", "it", "well", ".", "then"]
    for text in (
        "take the pot. Stir the pot.",
        "Set the pan on the stove. Take the tray and the pan. Wash the tray, then the pan.",
        "Heat the saucepan. Scrape the pan and wash the saucepan.",
        "Heat the pan. Put it into the saucepan, then wash the pan.",
        *(" ".join(rng.choice(words, size=30)) for _ in range(20)),
    ):
        text = ["pot", "roast", "|", *split_words(text)]
        yield Case((text, set(KIND)), repr(" ".join(text)))


def in_recipes(yours):
    count = 0
    for text in recipes().sample_many(50, np.random.default_rng(2)):
        words = split_words(text)
        for name, kind in TAKEN.items():
            right = [(one.distance, one.kept) for one in all_agreements(words, ended=False) if one.kind == name]
            if (got := yours(words, set(kind))) != right:
                raise Wrong(f"for the {name} in a recipe of the corpus agreements returns {got} where {right} belongs")
            count += len(right)
    return f"in 50 recipes of the corpus agreement is due at {count} places, and all agree"


FOUND = "found.append((at - last, words[at] == first))"
EQUAL = "words[at] == first: -> {0}:; words[at] == first)) -> {0}))"
PART = "`{}` looks for a part of a word, and \"pan\" is in \"saucepan\"; compare whole words"
BLANKS = 5  # of the exercise, if none is filled in
TASKS = [
    Task(
        "bits_per_character",
        hints=(
            "Change the unit twice: from nats to bits for the whole text, and from the text to one of its characters.",
            "The sum of the nats, divided by ln 2, is in bits. How long is the text? \" \".join(words) is the text.",
        ),
        cases=texts,
        returns="the result",
        mistakes={
            "bits = nats / np.log(2)": "it has a number for each word; the text has one number: sum the nats",
            'characters = len("".join(words))': "the spaces between the words are characters, too",
            "characters = sum(len(word) + 1 for word in words)":
                "there is a space between two words, and none after the last: between 3 words there are 2 spaces",
            "bits = np.sum(nats) * np.log(2)": "a bit is ln 2 = 0.69 nats, so there are more bits than nats: divide",
            "bits = np.log2(np.sum(nats))": "to get bits, divide the nats by ln 2; this is log2 of the nats",
            "bits = np.sum(np.log2(nats))": "to get bits, divide the nats by ln 2; this is the sum of log2 of each",
            "bits = np.sum(nats) / 2": "a bit is ln 2 = 0.69 nats, not 2",
            "bits = np.sum(nats)": "these are nats per character",
            "characters = len(words)": "these are bits per word; divide by the number of characters",
            "bits = np.mean(nats) / np.log(2)": "sum the nats of all words; this is their mean",
            "return bits / len(words) * characters / len(words)": "this is bits per word times characters per word",
            "return characters / bits": "these are characters per bit: take the reciprocal",
        },
        praise="a model of words can now be compared with one of characters",
    ),
    Task(
        "unknown_fraction",
        hints=(
            "Count the learned words and give ids to the most frequent. How many of `words` are not among them?",
            "Counter(learned).most_common(n) gives the n most frequent with their counts. Padding and [UNK] take two of the V"
            " ids. The mean of True and False is a fraction.",
        ),
        cases=corpora,
        returns="the fraction",
        mistakes={
            "V - 2 -> V": "two of the ids are for padding and [UNK], so two words fewer have one",
            "V - 2 -> V - 1": "there are two such ids, padding and [UNK]",
            "V - 2 -> V - 3": "only two ids are taken, padding and [UNK]; all others are for words",
            "known = Counter(learned).most_common(V - 2)":
                "no word is known; most_common gives pairs (word, count), and you need the words alone",
            "np.mean( -> 100 * np.mean(": "this is in per cent; a fraction lies between 0 and 1",
            "word not in known -> word in known": "this is the fraction that is known",
            "for word in words -> for word in set(words)": "a word that occurs twice counts twice",
            "Counter(learned) -> Counter(words)": "the vocabulary is made from `learned`, not from `words`",
            "most_common(V - 2) -> most_common()[: 1 - V : -1]":
                "the rarest words got the ids; the most frequent must get them",
            "known = set(list(dict.fromkeys(learned))[: V - 2])": "ids go to the most frequent words, not to the first ones",
            "np.mean( -> sum(": "this is how many are unknown; divide by the number of words",
            "return sum(word not in known for word in words) / len(learned)":
                "divide by the number of `words`, not of `learned`",
        },
        praise="with 10 ids all 8 learned words are known, and only new words are unknown",
    ),
    Task(
        "agreements",
        hints=(
            "There are two cases: this is the first word of the kind, or a later one. Only one of them adds to found. And when"
            " does last change?",
            "If first is None, this word becomes first. Otherwise append (at - last, ...), where the second part compares the"
            " word with first. In both cases last becomes at if the word equals first.",
        ),
        cases=directions,
        returns="the result",
        mistakes={
            'words.index("|") + 1, -> 0,': "the title does not count; begin after the bar",
            "first = words[at] -> first, _ = words[at], found.append((0, True))":
                "at the first word of the kind nothing is due yet",
            f"{FOUND} -> first = {FOUND} or words[at]": "compare a later word with the first one, not with the one before it",
            f"{FOUND} -> first = {FOUND} or words[at]; if words[at] == first: -> if last is None:":
                "a word that does not agree does not replace the first word; and where the first comes again, `last` must"
                " change",
            f"{FOUND} -> first = {FOUND} or words[at]; if words[at] == first: -> if not found or found[-1][1]:":
                "a word that does not agree does not replace the first word",
            "if words[at] == first: -> if last is None:":
                "the distance counts from the last place of the first word; where it comes again, `last` must change",
            "if words[at] == first: -> if True:":
                "the distance counts from the last place of the first word; at another word `last` must stay",
            EQUAL.format("words[at] in first"): PART.format("words[at] in first"),
            EQUAL.format("first in words[at]"): PART.format("first in words[at]"),
            "at - last -> at - last - 1": "the distances are one too small: neighbours are 1 apart",
            "at - last -> at - last + 1": "the distances are one too large: neighbours are 1 apart",
            'at - last -> at - words.index("|")':
                "the distances are counted from the bar; count from the last place of the first word",
            'at - last -> at - words.index("|") - 1':
                "the distances are counted from the first word after the bar; count from the last place of the first word",
            "at - last -> at":
                "the distances are counted from the beginning of the text; count from the last place of the first word",
            "return [(agrees, distance) for distance, agrees in found]": "a pair is (distance, agrees), in this order",
        },
        advice={"the result": "it must be a list of pairs (distance, agrees)"},
        check=in_recipes,
    ),
]  # fmt: skip
