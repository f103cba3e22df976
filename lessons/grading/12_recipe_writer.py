"""12. A recipe writer: grading."""

import operator
from collections import Counter

import numpy as np

from minilstm.corpora.promises import TAKEN, promises
from minilstm.corpora.recipes import recipes
from minilstm.course import Task, Wrong, same
from minilstm.data.punctuation import split_words


def bits_a_character(yours):
    rng = np.random.default_rng(0)
    for words in (["heat", "the", "oil"], ["stir", "in", "half", "of", "the", "walnuts", "and", "serve", "at", "once"]):
        nats = rng.exponential(size=len(words))  # (N,)
        letters, spaces = len("".join(words)), len(words) - 1
        bits, characters = nats.sum() / np.log(2), letters + spaces
        got = yours(nats, list(words))
        if np.shape(got) == nats.shape:
            raise Wrong(f"you return {len(words)} numbers, one for each word; it is one number for the text: sum the nats")
        same(f"bits a character of {' '.join(words)!r}", got, bits / characters, {
            "the spaces between the words are characters, too": bits / letters,
            f"between {len(words)} words there are {spaces} spaces, none behind the last": bits / (characters + 1),
            "a bit is ln 2 = 0.69 nats, so there are more bits than nats: divide": nats.sum() * np.log(2) / characters,
            "nats become bits by dividing by ln 2; this is log2 of the nats": np.log2(nats.sum()) / characters,
            "nats become bits by dividing by ln 2; this is the sum of log2 of each": np.log2(nats).sum() / characters,
            "a bit is ln 2 = 0.69 nats, not 2": nats.sum() / 2 / characters,
            "these are nats a character": nats.sum() / characters,
            "these are bits a word; divide by the characters": bits / len(words),
            "the nats of all words count, not their mean": bits / len(words) / characters,
            "this is bits a word times characters a word": bits / len(words) * characters / len(words),
            "these are characters a bit: turn it over": characters / bits,
        })  # fmt: skip
    return "a model of words can now be held against one of characters"


def unknown_share(yours):
    rng = np.random.default_rng(1)
    kinds = [f"word{k}" for k in rng.permutation(8)]
    learned = [word for k, word in enumerate(kinds) for _ in range(3 + 2 * k)]  # no two are equally frequent
    words = [word for k, word in enumerate(rng.permutation(kinds).tolist()) for _ in range(2**k)]  # no two shares are equal
    words += ["never", "seen", "seen"]
    rng.shuffle(learned)
    for V in (5, 7, 10):
        share = lambda known, row=words: float(np.mean([word not in known for word in row]))
        top = lambda count, texts=learned: {word for word, _ in Counter(texts).most_common(count)}
        rare = {word for word, _ in Counter(learned).most_common()[::-1][: V - 2]}
        got = yours(list(learned), list(words), V)
        same(f"the share with {V} ids", got, share(top(V - 2)), {
            "two of the ids are for padding and [UNK], so there are two words less": share(top(V)),
            "there are two such ids, padding and [UNK]": share(top(V - 1)),
            "only two ids are taken, padding and [UNK]; all others are for words": share(top(V - 3)),
            "all words are unknown to it; most_common gives pairs (word, count), and you want the words of them": 1.0,
            "this is in per cent; a share lies between 0 and 1": 100 * share(top(V - 2)),
            "this is the share that is known": 1 - share(top(V - 2)),
            "a word that occurs twice counts twice": share(top(V - 2), list(set(words))),
            "the vocabulary is made from the learned words, not from the judged ones": share(top(V - 2, words)),
            "the rarest words got the ids; it must be the most frequent": share(rare),
            "ids go to the most frequent words, not to the first ones": share(set(list(dict.fromkeys(learned))[: V - 2])),
            "this is how many are unknown; divide by the number of words": share(top(V - 2)) * len(words),
            "divide by the number of words that are judged": share(top(V - 2)) * len(words) / len(learned),
        })  # fmt: skip
    return "with 10 ids all 8 words are known, and the unknown are those that were never seen"


KIND = {"pot", "pan", "tray", "saucepan"}


def walk(words, kind, first_is_due=False, title=False, mend=False, remind="kept", keeps=operator.eq,
         distance=lambda at, last, bar: at - last):
    """What is right, or with other arguments what a learner may do otherwise."""
    promised, last, found, bar = None, None, [], words.index("|")
    for at in range(0 if title else bar + 1, len(words)):
        if words[at] not in kind:
            continue
        if promised is None:
            promised = words[at]
            if first_is_due:
                found.append((0, True))
            last = at
            continue
        kept = keeps(words[at], promised)
        found.append((distance(at, last, bar), kept))
        if remind == "always" or remind == "kept" and kept:
            last = at
        if mend:
            promised = words[at]
    return found


MISTAKES = {
    "the title does not count; begin behind the bar": {"title": True},
    "the first word of the kind makes the promise; it is not due yet": {"first_is_due": True},
    "a later word is held against the first one, not against the one before it": {"mend": True, "remind": "always"},
    "a broken promise does not change what was promised": {"mend": True},
    "the distance counts from where the promised word stood last; a kept promise is a reminder": {"remind": "never"},
    "the distance counts from where the promised word stood last; another word reminds nobody of it": {"remind": "always"},
    "`words[at] in promised` looks for a part of a word, and \"pan\" is in \"saucepan\"; compare whole words": {
        "keeps": lambda word, promised: word in promised},
    "`promised in words[at]` looks for a part of a word, and \"pan\" is in \"saucepan\"; compare whole words": {
        "keeps": lambda word, promised: promised in word},
    "the distances are one too small: neighbours are 1 apart": {"distance": lambda at, last, bar: at - last - 1},
    "the distances are one too large: neighbours are 1 apart": {"distance": lambda at, last, bar: at - last + 1},
    "the distances are counted from the bar; count from where the promised word stood last": {
        "distance": lambda at, last, bar: at - bar},
    "the distances are counted from the first word after the bar; count from where the promised word stood last": {
        "distance": lambda at, last, bar: at - bar - 1},
    "the distances are counted from the beginning of the text; count from where the promised word stood last": {
        "distance": lambda at, last, bar: at},
}


def taken(yours):
    rng = np.random.default_rng(2)
    judge("take the pot. Stir the pot.", yours)
    judge("Set the pan on the stove. Take the tray and the pan. Wash the tray, then the pan.", yours)
    judge("Heat the saucepan. Scrape the pan and wash the saucepan.", yours)
    judge("Heat the pan. Put it into the saucepan, then wash the pan.", yours)
    for _ in range(20):
        judge(" ".join(rng.choice(["pot", "pan", "tray", "saucepan", "stir", "it", "well", ".", "then"], size=30)), yours)
    count = 0
    for text in recipes().sample_many(50, rng):
        for name, kind in TAKEN.items():
            words = split_words(text)
            right = [(promise.distance, promise.kept) for promise in promises(words, ended=False) if promise.kind == name]
            got = plain(yours(words, set(kind)))
            if got != right:
                raise Wrong(f"of the {name} in a recipe of the corpus yours says {got}, and the package {right}")
            count += len(right)
    return f"in 50 recipes of the corpus {count} such promises are due, and all are kept"


def judge(directions, yours):
    words = ["pot", "roast", "|", *split_words(directions)]
    right, got = walk(words, KIND), plain(yours(list(words), set(KIND)))
    if got == right:
        return
    where = f"for {' '.join(words)!r}:\n"
    for sentence, mistake in MISTAKES.items():
        if got == walk(words, KIND, **mistake):
            raise Wrong(f"{where}taken returns {got} where {right} belongs: {sentence}")
    if [kept for _, kept in got] == [kept for _, kept in right]:
        raise Wrong(f"{where}the promises are right, but not their distances: {got} where {right} belongs")
    raise Wrong(f"{where}taken returns {got} where {right} belongs")


def plain(found):
    form = "taken must return a list of pairs (distance, kept)"
    if not isinstance(found, list):
        raise Wrong(f"{form}; yours is of type {type(found).__name__}")
    try:
        pairs = [(first, second) for first, second in found]
        if pairs and all(isinstance(first, (bool, np.bool_)) for first, _ in pairs):
            raise Wrong(f"the pair is (distance, kept), in this order; your first one is {pairs[0]}")
        return [(int(distance), bool(kept)) for distance, kept in pairs]
    except (TypeError, ValueError):
        raise Wrong(form) from None


BLANKS = 5  # in the exercise, as long as nobody has filled it in
TASKS = [
    Task("bits_a_character", bits_a_character, (
        "Two changes of units: from nats to bits for the whole text, and from the whole text to one of its characters.",
        "The nats of all words together, divided by ln 2, are bits. How long is the text? \" \".join(words) writes it.",
    )),
    Task("unknown_share", unknown_share, (
        "Count the learned words, let the most frequent have ids, and see how many of the others meet none of them.",
        "Counter(learned).most_common(n) gives the n most frequent with their counts. Padding and [UNK] take two of the V"
        " ids. The mean of True and False is a share.",
    )),
    Task("taken", taken, (
        "There are two cases: nothing was promised yet, or something was. Only one of them brings something for found. And"
        " when does last change?",
        "If promised is None, the word becomes the promise. Else (at - last, ...) is due, where the second part compares the"
        " word with what was promised. In both cases last becomes at if the word is the promised one.",
    )),
]  # fmt: skip
