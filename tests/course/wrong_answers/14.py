"""Answers to exercise 14, and a part of the message about each that is wrong."""

from tests.helpers.exercises import IS_RIGHT, answers

ANSWERS = []
BEST_UNIT = """def best_unit(c, y):
    with np.errstate(all="ignore"):
        {centred}
        r = {r}
    k = {k}
    return {answer}
"""
SUBTRACT = "is wrong: subtract the mean of each unit"
BEST_UNIT_RIGHT = {
    "centred": "c, y = c - c.mean(axis=0), y - y.mean()",
    "r": "y @ c / np.sqrt((c**2).sum(axis=0) * (y**2).sum())",
    "k": "np.nanargmax(np.abs(r))",
    "answer": "k, r[k]",
}
ANSWERS += answers("best_unit", BEST_UNIT, BEST_UNIT_RIGHT, [
    ({"k": "np.argmax(r)"}, "k is wrong: this one has the largest r; take the largest |r|"),
    ({"centred": "pass"}, "subtract the mean of each unit first"),
    ({"centred": "c, y = c - c.mean(), y - y.mean()"}, "each unit has its own mean"),
    ({"r": "y @ c"}, "divide by the root of equation (7)"),
    ({"answer": "k, abs(r[k])"}, "r is wrong: it lacks its sign"),
    ({"k": "np.argmax(np.abs(r))"}, "argmax takes NaN as the largest"),
    ({"centred": "c, y = c - c.mean(axis=1), y - y.mean()"}, "ValueError"),
    ({"answer": "r"}, "must return (k, r); it returned one ndarray"),
    ({"answer": "k, r"}, "r has the shape (6,) where () belongs"),
    ({"k": "2"}, "k is 2 where 4 belongs"),
    ({"centred": "dc, y = c, y - y.mean()", "r": "y @ dc / np.sqrt((dc**2).sum(axis=0) * (y**2).sum())"}, SUBTRACT),
    ({"centred": "c = c - c.mean(axis=0)"}, "subtract the mean of y"),
    ({"answer": "r[k], k"}, "k and r are exchanged"),
    ({"answer": "k + 0.5, r[k]"}, "k is 4.5 where 4 belongs"),
    ({"centred": "c, y = c - c.mean(axis=0), y - y.mean(); c * y"}, "a[:, None] is a column"),
    ({"r": "y @ c / ((c**2).sum(axis=0) * (y**2).sum())"}, "the root of equation (7) is missing"),
])

# a correlation by numpy is right without a warning
ANSWERS += [("best_unit", """def best_unit(c, y):
    r = np.corrcoef(c.T, y)[-1, :-1]
    k = np.nanargmax(np.abs(r))
    return k, r[k]
""", IS_RIGHT)]
INTERVENE = """def intervene(gates, c, unit, value):
    H = c.shape[1]
    old, c = c, {copy}
    {change}
    h = {h}
    return {answer}
"""
INTERVENE_RIGHT = {"answer": "h, c", "copy": "c.copy()", "change": "c[:, unit] = value", "h": "gates[:, 3 * H :] * np.tanh(c)"}
ANSWERS += answers("intervene", INTERVENE, INTERVENE_RIGHT, [
    ({"copy": "c"}, "c is changed in place"),
    ({"change": "c[unit] = value"}, "a row is a sequence of the batch"),
    ({"change": "c[...] = value"}, "change one unit only"),
    ({"change": "pass"}, "c is wrong: it is unchanged"),
    ({"h": "gates[:, 3 * H :] * np.tanh(old)"}, "it is computed from the old c"),
    ({"h": "gates[:, 3 * H :] * c"}, "the tanh of equation (6) is missing"),
    ({"h": "gates[:, 2 * H : 3 * H] * np.tanh(c)"}, "it uses the block of g"),
    ({"h": "gates[:, :H] * np.tanh(c)"}, "it uses the block of i"),
    ({"h": "np.tanh(c) / (1 + np.exp(-gates[:, 3 * H :]))"}, "do not apply sigmoid to o again"),
    ({"h": "gates[9] * np.tanh(c)"}, "IndexError"),
    ({"change": "c[:, unit] += value"}, "set c to the value; do not add it"),
    ({"answer": "c, h"}, "h and c are exchanged"),
])

CELL = """def quote_cell():
    Wx = np.array([{other}, {mark}])
    return Wx, np.array([{h}]), np.array({b})
"""
CELL_RIGHT = {"other": "[-12, 12, 0, 12]", "mark": "[12, -12, 0, 12]", "h": "[0, 0, -24, 0]", "b": "[0, 0, 6, 0]"}
ANSWERS += answers("quote_cell", CELL, CELL_RIGHT, [
    ({"other": "[-12, 2, 0, 12]"}, "forgotten that a quotation is open; other characters must keep c"),
    ({"other": "[12, 12, 0, 12]"}, "before any mark, c is not below 0.25"),
    ({"b": "[0, 0, 0, 0]"}, "the first mark must open"),
    ({"h": "[0, 0, 0, 0]"}, "mark 2 must close; x is the same at every mark"),
    ({"mark": "[12, 12, 0, 12]", "h": "[0, 0, -9, 0]"}, "mark 2 must close"),
    ({"other": "[-30, 12, 0, 12]", "h": "[20, 0, -24, 0]"}, "mark 3 must open again, after a mark that closed"),
    ({"mark": "[12, 12, 0, 12]", "h": "[-36, 0, -24, 0]"}, "nothing new is written, but f keeps the old c"),
    ({"other": "[-12, 12, 0, -12]"}, "o was closed before, so the gates cannot read c"),
    (
        {"other": "[-12, 12, 0, -12]"},
        "from h = 4.68e-06 and c = 1 it computes c = 1, with i = 1, f = 6.14e-06, g = 1, o = 1",
    ),
    ({"other": "[-12, -12, 0, 12]"}, "1 character after mark 1 it has forgotten"),
    ({"b": "[0, 0, np.inf, 0]"}, "b must consist of finite numbers"),
    ({"b": "[[0, 0, 6, 0]]"}, "the shape of b is (1, 4) where (4,) belongs"),
])
