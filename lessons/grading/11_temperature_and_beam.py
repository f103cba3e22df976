"""11. Temperature, top-k, top-p, beam: grading."""

import functools
import itertools

import numpy as np

from minilstm.course import Task, Wrong, same
from minilstm.reference.functions import log_sum_exp, softmax


def temperature(yours):
    a = np.random.default_rng(0).normal(0, 2, (3, 7))
    for tau in (0.5, 2.0, 1.0):
        e = np.exp(a / tau)
        known = {
            "this multiplies by tau; tau below 1 must make likely tokens more likely, so divide": softmax(a * tau),
            "this is softmax twice: divide the logits by tau, not the probabilities": softmax(softmax(a) / tau),
            "tau has no effect: p / tau, scaled to sum to 1 again, is p; divide before the softmax": softmax(a),
            "these are still logits, the softmax is missing": a / tau,
            "these are e^(a / tau), not yet divided by their sum": e,
            "these are p^(1 / tau), and their rows do not sum to 1; divide each row by its sum": softmax(a) ** (1 / tau),
            "these are log p; return p": np.log(softmax(a / tau)),
            "the columns sum to 1; the rows must, axis 1": e / e.sum(axis=0),
            "all rows together sum to 1; each of them must": e / e.sum(),
        }
        same(f"the result at tau = {tau:g}", yours(a, tau), softmax(a / tau), known if tau != 1 else None)
    far = np.array([[1000.0, 999.0, -np.inf, 998.0], [-1000.0, -1001.0, -1003.0, -np.inf]])
    got = np.asarray(yours(far, 0.5))
    if np.isnan(got).any():
        row = int(np.isnan(got).any(axis=1).argmax()) if got.shape == far.shape else 0
        why = "e^1000 is infinite: subtract the largest logit of the row before you compute exp"
        if row == 1:
            why = "in a row of small logits all e^a are 0, and 0 / 0 is NaN: subtract the largest of each row, not of all"
        raise Wrong(f"logits {far[row].tolist()} give NaN: {why}")
    same("the result for logits of 1000 and -inf", got, softmax(far / 0.5))
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        try:
            yours(far, 0.5)
        except Wrong as wrong:
            why = "a token that must not be generated has p = 0, and log 0 is infinite: divide the logits"
            raise Wrong(f"{wrong}; {why}") from None
    return "every row sums to 1, at tau = 0.5, 1 and 2, and with logits of 1000 and -inf"


def nucleus(p, P, order=None, one_less=0, scaled=True):
    """The right nucleus, or with other arguments a wrong one."""
    order = np.argsort(-p, kind="stable") if order is None else order
    count = np.count_nonzero(np.cumsum(p[order]) - p[order] < P) - one_less
    kept = np.zeros(len(p))
    kept[order[: max(count, 0)]] = p[order[: max(count, 0)]]
    return kept / kept.sum() if scaled and kept.any() else kept


def top_p(yours):
    rng = np.random.default_rng(0)
    cases = [(rng.permutation([0.31, 0.22, 0.17, 0.13, 0.1, 0.07]), P) for P in (0.6, 0.75, 0.9, 1.0)]
    cases += [(np.array([0.02, 0.95, 0.02, 0.01]), 0.9), (np.array([0.25, 0.5, 0.25]), 0.5)]
    for p, P in cases:
        right, in_order, rising = nucleus(p, P), np.arange(len(p)), np.argsort(p, kind="stable")
        large = np.where(p >= P, p, 0)
        large /= max(large.sum(), 1e-300)
        known = {
            "it stops one token too early: the token that reaches P belongs to the nucleus": nucleus(p, P, one_less=1),
            "it stops one token too late: the token that reaches P is the last": nucleus(p, P, one_less=-1),
            "it takes the tokens in the order of their ids; the most likely must come first": nucleus(p, P, in_order),
            "it begins with the least likely token; argsort sorts from the smallest to the largest": nucleus(p, P, rising),
            "the kept probabilities must be scaled to sum to 1": nucleus(p, P, scaled=False),
            "it stops one token too early, and is not scaled to sum to 1": nucleus(p, P, one_less=1, scaled=False),
            "the numbers are right, but sorted; each must be at the id of its token": -np.sort(-right),
            "it keeps tokens that have P by themselves; the tokens of the nucleus must reach P together": large,
        }
        got = yours(p, P)
        if np.isnan(np.asarray(got, float)).any():
            raise Wrong(f"for p = {p.tolist()} and P = {P} nothing is kept; if the most likely token alone reaches P, keep it")
        same(f"the nucleus of {p.tolist()} for P = {P}", got, right, known)
    return "the nucleus, for P from 0.5 to 1, for a nearly certain token, and for a P that is reached exactly"


LENGTH = 5


def toy(seed, V=5):
    """A model: log p of the next token, always the same after the same ids."""
    asked = itertools.count()

    def log_p(ids):
        if not isinstance(ids, tuple):
            raise TypeError(f"log_p takes a tuple of ids, not {type(ids).__name__}")
        if 0 in ids:
            raise ValueError(f"you call log_p({ids}), but 0 is the end token: put such a text aside")
        if len(ids) >= LENGTH:
            raise ValueError(f"you call log_p with {len(ids)} ids, but a text of {LENGTH} is finished: put it aside")
        if next(asked) > 5000:
            raise RuntimeError("log_p was called 5000 times; does your loop never end?")
        return following(seed, tuple(map(int, ids)), V).copy()

    return log_p


@functools.cache
def following(seed, ids, V):
    a = np.random.default_rng([seed, *ids]).normal(0, 1.5, V)
    return a - log_sum_exp(a)


def most_likely_first(texts):
    return sorted(texts, key=lambda text: -text[1])


def kept_by_all(longer, width):
    return most_likely_first(itertools.chain(*longer))[:width]


def search(
    log_p, width, keep=kept_by_all, total=sum, aside=lambda text: True, last=most_likely_first, shrinks=False, hurry=False
):
    """The right search, or with other arguments a wrong one.

    keep gets a list of the longer texts for each beginning.
    """
    live, finished = [((), 0.0)], []
    while live and not (hurry and len(finished) >= width):
        longer = [[((*ids, k), total((value, more))) for k, more in enumerate(log_p(ids))] for ids, value in live]
        best = keep(longer, width - len(finished) if shrinks else width)
        ends = [ids[-1] == 0 or len(ids) == LENGTH for ids, _ in best]
        finished += [text for text, end in zip(best, ends) if end and aside(text)]
        live = [text for text, end in zip(best, ends) if not end]
    return last(finished)[:width]


def width_of_unfinished(longer, width):
    texts = most_likely_first(itertools.chain(*longer))
    ended = lambda text: text[0][-1] == 0 or len(text[0]) == LENGTH
    return [text for text in texts if ended(text)] + [text for text in texts if not ended(text)][:width]


def one_of_each(longer, width):
    first_round = len(longer[0][0][0]) == 1
    return kept_by_all(longer, width) if first_round else [most_likely_first(texts)[0] for texts in longer]


def some_of_each(longer, width):
    return [text for texts in longer for text in most_likely_first(texts)[:width]]


def per_token(texts):
    return sorted(texts, key=lambda text: -text[1] / len(text[0]))


WRONG = {
    "this is greedy: it keeps a single beginning, whatever width is": {"keep": lambda longer, width: kept_by_all(longer, 1)},
    "it keeps the most likely longer text of each beginning; keep the most likely of all longer texts": {
        "keep": one_of_each},
    "it keeps `width` texts for each beginning; keep `width` of all together": {"keep": some_of_each},
    "it keeps the least likely texts: sorted goes from the smallest to the largest": {
        "keep": lambda longer, width: kept_by_all(longer, None)[-width:], "last": lambda texts: most_likely_first(texts)[::-1]},
    "it keeps the least likely texts, and returns them in the right order": {
        "keep": lambda longer, width: kept_by_all(longer, None)[-width:]},
    "log P is that of the last token alone; add log p over all tokens": {"total": lambda parts: parts[1]},
    "log P is a product, and stays 0; the log of a product is a sum, so add log p": {
        "total": lambda parts: parts[0] * parts[1]},
    "log P is a product; the log of a product is a sum, so add log p": {
        "total": lambda parts: (parts[0] or 1) * parts[1]},
    "the texts are ranked by log P / length; rank them by log P": {"last": per_token},
    "the texts are ranked by log P / length, and it is returned; log P belongs in both places": {
        "last": lambda texts: [(ids, value / len(ids)) for ids, value in per_token(texts)]},
    "finished texts make `width` smaller in later rounds; each round keeps `width` texts": {"shrinks": True},
    "the search stops when `width` texts are finished; continue until no text is live": {"hurry": True},
    "texts with the end token are lost; put them aside and return them": {"aside": lambda text: text[0][-1] != 0},
    "texts that are cut off at `length` are lost; they are finished, too": {"aside": lambda text: text[0][-1] == 0},
    "it keeps `width` unfinished texts besides the finished ones; keep `width` of all, finished or not": {
        "keep": width_of_unfinished},
    "the texts are right, but not in order: the most likely must be the first": {"last": lambda texts: texts},
}  # fmt: skip


def beam_search(yours):
    cases = [(seed, width) for seed in range(6) for width in (1, 2, 3, 5)] + [(seed, 4**LENGTH) for seed in range(2)]
    answers = [pairs(yours(toy(seed), LENGTH, width), width) for seed, width in cases]
    right = [search(toy(seed), width) for seed, width in cases]
    if not agree(answers, right):
        for sentence, difference in WRONG.items():
            if agree(answers, [search(toy(seed), width, **difference) for seed, width in cases]):
                raise Wrong(sentence)
        if agree(answers, [[(ids, np.exp(value)) for ids, value in texts] for texts in right]):
            raise Wrong("the texts are right, but they have P where log P belongs")
    for (seed, width), got, wanted in zip(cases, answers, right):
        for place, (mine, ours) in enumerate(itertools.zip_longest(got, wanted), start=1):
            if mine is None:
                raise Wrong(f"with width {width} it returns too few texts: {len(got)} where {len(wanted)} belong")
            if ours is None or mine[0] != ours[0]:
                instead = "nothing" if ours is None else f"{ours[0]} with log P = {ours[1]:.4f}"
                raise Wrong(f"with width {width} text {place} is {mine[0]}, where {instead} belongs")
            same(f"log P of {mine[0]}", mine[1], ours[1])
    return f"the texts and log P of {len(cases)} searches, from width 1, which is greedy, to all possible texts"


def pairs(texts, width):
    """The answer as a list of (ids, log P); Wrong if it has another form."""
    if not isinstance(texts, list) or not all(isinstance(text, tuple) and len(text) == 2 for text in texts):
        raise Wrong("beam_search must return a list of pairs (ids, log P), also for width 1")
    if not all(isinstance(ids, tuple) and np.ndim(value) == 0 for ids, value in texts):
        raise Wrong("each pair must be a tuple of ids and a number")
    if len(texts) > width:
        raise Wrong(f"with width {width} it returns {len(texts)} texts; return the `width` most likely")
    return [(tuple(map(int, ids)), float(value)) for ids, value in texts]


def agree(answers, others):
    return all(
        [ids for ids, _ in mine] == [ids for ids, _ in theirs]
        and np.allclose([value for _, value in mine], [value for _, value in theirs])
        for mine, theirs in zip(answers, others)
    )


BLANKS = 7  # of the exercise, if none is filled in
TASKS = [
    Task("temperature", temperature, (
        "Divide the logits by tau. The rest is a softmax over each row. What is e^1000?",
        "First a / tau. Then subtract the largest of each row, `max(axis=1, keepdims=True)`. That changes no probability,"
        " since numerator and denominator get the same factor. Then compute exp, and divide by the sum of each row.",
    )),
    Task("top_p", top_p, (
        "Go down from the most likely token. Keep a token if those before it do not reach P yet.",
        "order = np.argsort(-p) lists the ids, the most likely first. np.cumsum(p[order]) is what is reached with each token;"
        " subtract p[order] to get what was reached before it. Where this is below P, keep the token: kept[...] at the ids"
        " order[...]. At the end divide by the sum.",
    )),
    Task("beam_search", beam_search, (
        "One round: make a list of all longer texts with their log P, sort it, and keep the first `width`. Put each of"
        " these into `finished` or into `live`.",
        "longer is a list of ((*ids, k), total + more), for all (ids, total) in live and all (k, more) in"
        " enumerate(log_p(ids)). sorted(..., key=lambda text: -text[1]) puts the most likely first. A text is finished if"
        " its last id is 0, or if it has `length` ids. When no text is live, sort the finished ones in the same way, and cut"
        " the list.",
    )),
]  # fmt: skip
