"""Wrong answers to the exercises of lesson 11 and what is said to them."""

import pytest

from tests.helpers.exercises import result_of, wrong

TEMPERATURE = """def temperature(a, T):
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


@pytest.mark.parametrize(
    "result, said",
    [
        ("softmax(a * T)", "the temperature multiplied"),
        ("softmax(softmax(a) / T)", "softmax taken twice"),
        ("softmax(a) / T / (softmax(a) / T).sum(axis=1, keepdims=True)", "T has no effect"),
        ("a / T", "these are logits still"),
        ("np.exp(a / T)", "not yet divided by their sum"),
        ("softmax(a) ** (1 / T)", "these are p^(1 / T)"),
        ("a / T - np.log(np.exp(a / T).sum(axis=1, keepdims=True))", "these are log p"),
        ("np.exp(a / T) / np.exp(a / T).sum(axis=0)", "the columns sum to 1"),
        ("np.exp(a / T) / np.exp(a / T).sum()", "all rows together sum to 1"),
        ("np.exp(a / T) / np.exp(a / T).sum(axis=1, keepdims=True)", "e^1000 is infinite"),
        ("(lambda e: e / e.sum(axis=1, keepdims=True))(np.exp(a / T - (a / T).max()))", "the largest of each row, not of all"),
        ("softmax(np.log(softmax(a)) / T)", "there is no log 0"),
        ("softmax(a)[0]", "has the shape (7,) where (3, 7) belongs"),
        ("softmax(np.divide(a, T, out=a))", "a is changed in place"),
    ],
)
def test_wrong_temperatures_are_told_apart(tmp_path, result, said):
    assert said in wrong(tmp_path, 11, "temperature", TEMPERATURE.format(result))


@pytest.mark.parametrize(
    "line, said",
    [
        ({"kept": "np.cumsum(p[order]) < P"}, "one symbol too early"),
        ({"kept": "np.cumsum(p[order]) <= P"}, "one symbol too early"),
        ({"kept": "np.cumsum(p[order]) < P", "result": "kept"}, "one symbol too early, and is not scaled"),
        ({"kept": ": np.count_nonzero(np.cumsum(p[order]) < P) + 2"}, "one symbol too far"),
        ({"kept": "np.cumsum(p[order]) - p[order] <= P"}, "one symbol too far"),
        ({"order": "np.arange(len(p))"}, "it takes the symbols as they come"),
        ({"order": "np.argsort(p)"}, "it begins with the unlikeliest"),
        ({"result": "kept"}, "scaled to sum to 1"),
        ({"result": "-np.sort(-kept / kept.sum())"}, "each must stand at its symbol's place"),
        ({"kept": "p[order] >= P"}, "nothing is kept"),
        ({"result": "np.where(p >= P, p, 0)"}, "it keeps what has itself at least P"),
        ({"result": "p"}, "belongs"),
    ],
)
def test_wrong_nuclei_are_told_apart(tmp_path, line, said):
    assert said in wrong(tmp_path, 11, "top_p", TOP_P.format(**NUCLEUS | line))


@pytest.mark.parametrize(
    "line, said",
    [
        ({"best": "sorted(longer, key=lambda text: -text[1])[:1]"}, "this is greedy"),
        ({"best": "sorted(longer, key=lambda text: text[1])[:width]"}, "it keeps the unlikeliest, though"),
        (
            {"best": "sorted(longer, key=lambda text: text[1])[:width]",
             "result": "sorted(finished, key=lambda text: text[1])[:width]"},
            "it keeps the unlikeliest: sorted",
        ),
        ({"total": "more"}, "that of the last symbol alone"),
        ({"total": "total * more"}, "log P is multiplied, and stays 0"),
        ({"total": "(total or 1) * more"}, "log P is multiplied; the log"),
        ({"total": "total - more"}, "with width 1 text 1 is"),
        ({"result": "sorted(finished, key=lambda text: -text[1] / len(text[0]))[:width]"}, "it is log P itself that ranks"),
        (
            {"result": "sorted([(ids, total / len(ids)) for ids, total in finished], key=lambda text: -text[1])[:width]"},
            "log P itself that belongs in both places",
        ),
        ({"best": "sorted(longer, key=lambda text: -text[1])[: width - len(finished)]"}, "makes `width` smaller"),
        ({"result": "sorted(finished, key=lambda text: -text[1])[: width // 2]"}, "too few texts come back: 0, and 1 belong"),
        ({"aside": "end and text[0][-1] != 0"}, "texts that have met the end are lost"),
        ({"aside": "end and text[0][-1] == 0"}, "texts that are cut at `length` are lost"),
        ({"result": "finished[:width]"}, "not in order"),
        ({"result": "finished"}, "hand back the `width` likeliest"),
        ({"result": "[(ids, np.exp(total)) for ids, total in sorted(finished, key=lambda text: -text[1])[:width]]"}, "P where"),
        ({"result": "max(finished, key=lambda text: text[1])"}, "a list of pairs"),
        ({"ends": "len(ids) == length"}, "but 0 is the end: put such a text aside"),
        ({"ends": "ids[-1] == 0"}, "but a text of 5 is finished"),
        ({"ids": "list(ids)"}, "log_p takes a tuple of ids, not list"),
        ({"best": "[text for text in longer if text[0][-1] == 0] + [t for t in longer if t[0][-1]][:width]"}, "width"),
    ],
)
def test_wrong_beams_are_told_apart(tmp_path, line, said):
    assert said in wrong(tmp_path, 11, "beam_search", BEAM.format(**SEARCH | line))


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
NO_PLACE = """def beam_search(log_p, length, width):
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
NAMED = [
    (OF_EACH, "its own likeliest successor"),
    (NO_PLACE, "take no place"),
    (SOME_OF_EACH, "`width` are kept of all together"),
    (HURRY, "you stop as soon as `width` texts are finished"),
]


@pytest.mark.parametrize("source, said", NAMED)
def test_other_searches_are_named(tmp_path, source, said):
    assert said in wrong(tmp_path, 11, "beam_search", source)


def test_a_beam_that_is_written_otherwise_is_right(tmp_path):
    source = BEAM.format(**SEARCH | {"best": "sorted(longer, key=lambda text: text[1], reverse=True)[:width]"})
    assert result_of(tmp_path, 11, "beam_search", source).state == "right"
