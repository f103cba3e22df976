"""11. Temperature, top-k, top-p, beam: grading."""

import functools
import itertools

import numpy as np

from minilstm.course import Case, Task, Wrong
from minilstm.reference.functions import log_sum_exp

FAR = np.array([[1000.0, 999.0, -np.inf, 998.0], [-1000.0, -1001.0, -1003.0, -np.inf]])
LENGTH = 5


def raises_nothing(temperature):
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        try:
            temperature(FAR, 0.5)
        except Wrong as wrong:
            why = "a token that must not be generated has p = 0, and log 0 is infinite: divide the logits"
            raise Wrong(f"{wrong}; {why}") from None


def probabilities(rng):
    cases = [(rng.permutation([0.31, 0.22, 0.17, 0.13, 0.1, 0.07]), P) for P in (0.6, 0.75, 0.9, 1.0)]
    cases += [(np.array([0.02, 0.95, 0.02, 0.01]), 0.9), (np.array([0.25, 0.5, 0.25]), 0.5)]
    return [Case(case, f"p = {case[0].tolist()} and P = {case[1]}") for case in cases]


def toy(seed, V=5):
    """A model: log p of the next token, always the same after the same ids."""
    asked = itertools.count()

    def log_p(ids):
        if not isinstance(ids, tuple):
            raise Wrong(f"log_p takes a tuple of ids, not {type(ids).__name__}")
        if 0 in ids:
            raise Wrong(f"you call log_p({ids}), but 0 is the end token: put such a text aside")
        if len(ids) >= LENGTH:
            raise Wrong(f"you call log_p with {len(ids)} ids, but a text of {LENGTH} is finished: put it aside")
        if next(asked) > 5000:
            raise Wrong("log_p was called 5000 times; does your loop never end?")
        return following(seed, tuple(map(int, ids)), V).copy()

    return log_p


@functools.cache
def following(seed, ids, V):
    a = np.random.default_rng([seed, *ids]).normal(0, 1.5, V)
    return a - log_sum_exp(a)


def searches(rng):
    widths = [(seed, width) for seed in range(6) for width in (1, 2, 3, 5)] + [(seed, 4**LENGTH) for seed in range(2)]
    return [(toy(seed), LENGTH, width) for seed, width in widths]


SOFTMAX = "(lambda e: e / e.sum(axis=1, keepdims=True))(np.exp(a - a.max(axis=1, keepdims=True)))"
RANKED = "sorted(finished, key=lambda text: -text[1])[:width]"
OF_EACH = "[t for t in longer if t[0][:-1] == ids]"
ENDED = "(t[0][-1] == 0 or len(t[0]) == length)"
BEST = "sorted({}, key=lambda text: {})"
BLANKS = 7  # of the exercise, if none is filled in
TASKS = [
    Task(
        "temperature",
        hints=(
            "Divide the logits by tau. The rest is a softmax over each row. What is e^1000?",
            "First a / tau. Then subtract the largest of each row, `max(axis=1, keepdims=True)`. That changes no probability,"
            " since numerator and denominator get the same factor. Then compute exp, and divide by the sum of each row.",
        ),
        cases=lambda rng: [*((rng.normal(0, 2, (3, 7)), tau) for tau in (0.5, 2.0, 1.0)), Case((FAR, 0.5), FAR.tolist())],
        returns="the result",
        mistakes={
            "a = a * tau": "this multiplies by tau; tau below 1 must make likely tokens more likely, so divide",
            f"a = {SOFTMAX} / tau": "this is softmax twice: divide the logits by tau, not the probabilities",
            "a = +a": "tau has no effect: p / tau, scaled to sum to 1 again, is p; divide before the softmax",
            "return a": "these are still logits, the softmax is missing",
            "return np.exp(a)": "these are e^(a / tau), not yet divided by their sum",
            f"a = +a; return {SOFTMAX} ** (1 / tau)":
                "these are p^(1 / tau), and their rows do not sum to 1; divide each row by its sum",
            "return np.log(e / e.sum(axis=1, keepdims=True))": "these are log p; return p",
            "return np.exp(a) / np.exp(a).sum(axis=0)": "the columns sum to 1; the rows must, axis 1",
            "return np.exp(a) / np.exp(a).sum()": "all rows together sum to 1; each of them must",
            "e = np.exp(a)": "e^1000 is infinite: subtract the largest logit of the row before you compute exp",
            "e = np.exp(a - a.max())":
                "in a row of small logits all e^a are 0, and 0 / 0 is NaN: subtract the largest of each row, not of all",
        },
        check=raises_nothing,
        praise="every row sums to 1, at tau = 0.5, 1 and 2, and with logits of 1000 and -inf",
    ),
    Task(
        "top_p",
        hints=(
            "Go down from the most likely token. Keep a token if those before it do not reach P yet.",
            "order = np.argsort(-p) lists the ids, the most likely first. np.cumsum(p[order]) is what is reached with each"
            " token; subtract p[order] to get what was reached before it. Where this is below P, keep the token: kept[...] at"
            " the ids order[...]. At the end divide by the sum.",
        ),
        cases=probabilities,
        returns="the nucleus",
        mistakes={
            "before = np.cumsum(p[order])": "it stops one token too early: the token that reaches P belongs to the nucleus",
            "nucleus = order[: np.count_nonzero(before < P) + 1]":
                "it stops one token too late: the token that reaches P is the last",
            "order = np.arange(len(p))":
                "it takes the tokens in the order of their ids; the most likely must come first",
            "order = np.argsort(p)":
                "it begins with the least likely token; argsort sorts from the smallest to the largest",
            "kept[nucleus] = p[nucleus]": "the kept probabilities must be scaled to sum to 1",
            "before = np.cumsum(p[order]); kept[nucleus] = p[nucleus]":
                "it stops one token too early, and is not scaled to sum to 1",
            "return -np.sort(-kept)": "the numbers are right, but sorted; each must be at the id of its token",
            "return np.where(p >= P, p, 0)":
                "it keeps tokens that have P by themselves; the tokens of the nucleus must reach P together",
            "nucleus = np.flatnonzero(p >= P)":
                "it keeps tokens that have P by themselves; the tokens of the nucleus must reach P together",
            "nucleus = np.flatnonzero(p >= P); return kept / kept.sum()":
                "nothing is kept where no token alone has P; the tokens of the nucleus must reach P together",
        },
        praise="the nucleus, for P from 0.5 to 1, for a nearly certain token, and for a P that is reached exactly",
    ),
    Task(
        "beam_search",
        hints=(
            "One round: make a list of all longer texts with their log P, sort it, and keep the first `width`. Put each of"
            " these into `finished` or into `live`.",
            "longer is a list of ((*ids, k), total + more), for all (ids, total) in live and all (k, more) in"
            " enumerate(log_p(ids)). sorted(..., key=lambda text: -text[1]) puts the most likely first. A text is finished if"
            " its last id is 0, or if it has `length` ids. When no text is live, sort the finished ones in the same way, and"
            " cut the list.",
        ),
        cases=searches,
        returns="the list",
        mistakes={
            f"best = {BEST.format('longer', '-text[1]')}[:1]": "this is greedy: it keeps a single beginning, whatever width is",
            f"best = {BEST.format('longer', '-text[1]')}[:width] if live == [((), 0.0)] else"
            f" [max({OF_EACH}, key=lambda text: text[1]) for ids, _ in live]":
                "it keeps the most likely longer text of each beginning; keep the most likely of all longer texts",
            f"best = [text for ids, _ in live for text in {BEST.format(OF_EACH, '-text[1]')}[:width]]":
                "it keeps `width` texts for each beginning; keep `width` of all together",
            f"best = {BEST.format('longer', 'text[1]')}[:width]":
                "it keeps the least likely texts, and returns them in the right order",
            f"best = {BEST.format('longer', 'text[1]')}[:width]; return {BEST.format('finished', 'text[1]')}[:width]":
                "it keeps the least likely texts: sorted goes from the smallest to the largest",
            "total + more -> more": "log P is that of the last token alone; add log p over all tokens",
            "total + more -> total * more": "log P is a product, and stays 0; the log of a product is a sum, so add log p",
            "total + more -> (total or 1) * more": "log P is a product; the log of a product is a sum, so add log p",
            f"return {BEST.format('finished', '-text[1] / len(text[0])')}[:width]":
                "the texts are ranked by log P / length; rank them by log P",
            f"return {BEST.format('[(ids, total / len(ids)) for ids, total in finished]', '-text[1]')}[:width]":
                "the texts are ranked by log P / length, and it is returned; log P belongs in both places",
            f"best = {BEST.format('longer', '-text[1]')}[: width - len(finished)]":
                "finished texts make `width` smaller in later rounds; each round keeps `width` texts",
            "while live: -> while live and len(finished) < width:":
                "the search stops when `width` texts are finished; continue until no text is live",
            "if end] -> if end and text[0][-1] != 0]": "texts with the end token are lost; put them aside and return them",
            "if end] -> if end and text[0][-1] == 0]": "texts that are cut off at `length` are lost; they are finished, too",
            f"best = [t for t in longer if {ENDED}] +"
            f" {BEST.format(f'[t for t in longer if not {ENDED}]', '-text[1]')}[:width]":
                "it keeps `width` unfinished texts besides the finished ones; keep `width` of all, finished or not",
            "return finished[:width]": "the texts are right, but not in order: the most likely must be the first",
            "return finished": "it has more than `width` texts; return the `width` most likely",
            f"return [(ids, np.exp(total)) for ids, total in {RANKED}]":
                "the texts are right, but they have P where log P belongs",
        },
        advice={"the list": "it must be a list of pairs (ids, log P), also for width 1"},
        praise="the texts and log P of 26 searches, from width 1, which is greedy, to all possible texts",
    ),
]  # fmt: skip
