"""Answers to exercise 11, and a part of the message about each that is wrong."""

from tests.helpers.exercises import IS_RIGHT, answers

ANSWERS = []
TEMPERATURE = """def temperature(a, tau):
    def softmax(a):
        e = np.exp(a - a.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    return {}
"""
TOP_P = """def top_p(p, P):
    order = {order}
    kept = np.zeros(len(p))
    nucleus = order[{kept}]
    kept[nucleus] = p[nucleus]
    return {result}
"""
NUCLEUS = {"order": "np.argsort(-p)", "kept": "np.cumsum(p[order]) - p[order] < P", "result": "kept / kept.sum()"}
BEAM = """def beam_search(log_p, length, width):
    live, finished = [((), 0.0)], []
    while live:
        longer = [((*ids, k), {total}) for ids, total in live for k, more in enumerate(log_p({ids}))]
        best = {best}
        ends = [{ends} for ids, _ in best]
        finished += [text for text, end in zip(best, ends) if {aside}]
        live = [text for text, end in zip(best, ends) if not end]
    return {result}
"""
SEARCH = {
    "total": "total + more",
    "ids": "ids",
    "best": "sorted(longer, key=lambda text: -text[1])[:width]",
    "ends": "ids[-1] == 0 or len(ids) == length",
    "aside": "end",
    "result": "sorted(finished, key=lambda text: -text[1])[:width]",
}
ANSWERS += answers("temperature", TEMPERATURE, (), [
    ("softmax(a * tau)", "this multiplies by tau"),
    ("softmax(softmax(a) / tau)", "this is softmax twice"),
    ("softmax(a) / tau / (softmax(a) / tau).sum(axis=1, keepdims=True)", "tau has no effect"),
    ("a / tau", "these are still logits"),
    ("np.exp(a / tau)", "not yet divided by their sum"),
    ("softmax(a) ** (1 / tau)", "these are p^(1 / tau)"),
    ("a / tau - np.log(np.exp(a / tau).sum(axis=1, keepdims=True))", "these are log p"),
    ("np.exp(a / tau) / np.exp(a / tau).sum(axis=0)", "the columns sum to 1"),
    ("np.exp(a / tau) / np.exp(a / tau).sum()", "all rows together sum to 1"),
    ("np.exp(a / tau) / np.exp(a / tau).sum(axis=1, keepdims=True)", "e^1000 is infinite"),
    ("(lambda e: e / e.sum(axis=1, keepdims=True))(np.exp(a / tau - (a / tau).max()))", "of each row, not of all"),
    ("softmax(np.log(softmax(a)) / tau)", "log 0 is infinite"),
    ("softmax(a)[0]", "has the shape (7,) where (3, 7) belongs"),
    ("softmax(np.divide(a, tau, out=a))", "a is changed in place"),
])

ANSWERS += answers("top_p", TOP_P, NUCLEUS, [
    ({"kept": "np.cumsum(p[order]) < P"}, "one token too early"),
    ({"kept": "np.cumsum(p[order]) <= P"}, "one token too early"),
    ({"kept": "np.cumsum(p[order]) < P", "result": "kept"}, "one token too early, and is not scaled"),
    ({"kept": ": np.count_nonzero(np.cumsum(p[order]) < P) + 2"}, "one token too late"),
    ({"kept": "np.cumsum(p[order]) - p[order] <= P"}, "one token too late"),
    ({"order": "np.arange(len(p))"}, "it takes the tokens in the order of their ids"),
    ({"order": "np.argsort(p)"}, "it begins with the least likely token"),
    ({"result": "kept"}, "scaled to sum to 1"),
    ({"result": "-np.sort(-kept / kept.sum())"}, "each must be at the id of its token"),
    ({"kept": "p[order] >= P"}, "nothing is kept"),
    ({"result": "np.where(p >= P, p, 0)"}, "it keeps tokens that have P by themselves"),
    ({"result": "p"}, "belongs"),
])

ANSWERS += answers("beam_search", BEAM, SEARCH, [
    ({"best": "sorted(longer, key=lambda text: -text[1])[:1]"}, "this is greedy"),
    ({"best": "sorted(longer, key=lambda text: text[1])[:width]"}, "it keeps the least likely texts, and"),
    (
        {"best": "sorted(longer, key=lambda text: text[1])[:width]",
         "result": "sorted(finished, key=lambda text: text[1])[:width]"},
        "it keeps the least likely texts: sorted",
    ),
    ({"total": "more"}, "that of the last token alone"),
    ({"total": "total * more"}, "log P is a product, and stays 0"),
    ({"total": "(total or 1) * more"}, "log P is a product; the log"),
    ({"total": "total - more"}, "the list is [((4, 1, 2, 2, 2), "),
    ({"result": "sorted(finished, key=lambda text: -text[1] / len(text[0]))[:width]"}, "/ length; rank them by log P"),
    (
        {"result": "sorted([(ids, total / len(ids)) for ids, total in finished], key=lambda text: -text[1])[:width]"},
        "log P belongs in both places",
    ),
    ({"best": "sorted(longer, key=lambda text: -text[1])[: width - len(finished)]"}, "make `width` smaller"),
    ({"result": "sorted(finished, key=lambda text: -text[1])[: width // 2]"}, "the list is [] where [((2, 3, 4, 0), "),
    ({"aside": "end and text[0][-1] != 0"}, "texts with the end token are lost"),
    ({"aside": "end and text[0][-1] == 0"}, "texts that are cut off at `length` are lost"),
    ({"result": "finished[:width]"}, "not in order"),
    ({"result": "finished"}, "return the `width` most likely"),
    (
        {"result": "[(ids, np.exp(total)) for ids, total in sorted(finished, key=lambda text: -text[1])[:width]]"},
        "they have P where log P belongs",
    ),
    ({"result": "max(finished, key=lambda text: text[1])"}, "a list of pairs"),
    ({"ends": "len(ids) == length"}, "but 0 is the end token: put such a text aside"),
    ({"ends": "ids[-1] == 0"}, "but a text of 5 is finished"),
    ({"ids": "list(ids)"}, "log_p takes a tuple of ids, not list"),
    ({"best": "[text for text in longer if text[0][-1] == 0] + [t for t in longer if t[0][-1]][:width]"}, "width"),
])

OF_EACH = """def beam_search(log_p, length, width):
    texts = [((k,), more) for k, more in enumerate(log_p(()))]
    live, finished = sorted(texts, key=lambda text: -text[1])[:width], []
    while live:
        finished += [text for text in live if text[0][-1] == 0 or len(text[0]) == length]
        live = [text for text in live if text not in finished]
        following = [(ids, total, log_p(ids)) for ids, total in live]
        live = [((*ids, int(more.argmax())), total + more.max()) for ids, total, more in following]
    return sorted(finished, key=lambda text: -text[1])[:width]
"""
UNFINISHED_APART = """def beam_search(log_p, length, width):
    live, finished = [((), 0.0)], []
    while live:
        longer = [((*ids, k), total + more) for ids, total in live for k, more in enumerate(log_p(ids))]
        finished += [text for text in longer if text[0][-1] == 0 or len(text[0]) == length]
        live = sorted([text for text in longer if text not in finished], key=lambda text: -text[1])[:width]
    return sorted(finished, key=lambda text: -text[1])[:width]
"""
SOME_OF_EACH = """def beam_search(log_p, length, width):
    live, finished = [((), 0.0)], []
    while live:
        longer = []
        for ids, total in live:
            new = [((*ids, k), total + more) for k, more in enumerate(log_p(ids))]
            longer += sorted(new, key=lambda text: -text[1])[:width]
        finished += [text for text in longer if text[0][-1] == 0 or len(text[0]) == length]
        live = [text for text in longer if text not in finished]
    return sorted(finished, key=lambda text: -text[1])[:width]
"""
HURRY = BEAM.format(**SEARCH).replace("while live:", "while live and len(finished) < width:")
ANSWERS += [
    ("beam_search", OF_EACH, "the most likely longer text of each beginning"),
    ("beam_search", UNFINISHED_APART, "`width` unfinished texts besides the finished ones"),
    ("beam_search", SOME_OF_EACH, "keep `width` of all together"),
    ("beam_search", HURRY, "the search stops when `width` texts are finished"),
]
# a beam search in other words
ANSWERS += [("beam_search", """def beam_search(log_p, length, width):
    live, finished = [((), 0.0)], []
    while live:
        longer = [((*ids, k), total + more) for ids, total in live for k, more in enumerate(log_p(ids))]
        best = sorted(longer, key=lambda text: text[1], reverse=True)[:width]
        ends = [ids[-1] == 0 or len(ids) == length for ids, _ in best]
        finished += [text for text, end in zip(best, ends) if end]
        live = [text for text, end in zip(best, ends) if not end]
    return sorted(finished, key=lambda text: -text[1])[:width]
""", IS_RIGHT)]
