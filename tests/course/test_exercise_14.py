"""Wrong answers to the exercises of lesson 14, and the message that each one gets."""

import pytest

from tests.helpers.exercises import result_of, wrong

BEST_UNIT = """def best_unit(c, y):
    with np.errstate(all="ignore"):
        {centred}
        r = {r}
    k = {k}
    return {answer}
"""
SUBTRACT = "r is wrong: subtract the mean of each unit"
BEST_UNIT_RIGHT = {
    "centred": "c, y = c - c.mean(axis=0), y - y.mean()",
    "r": "y @ c / np.sqrt((c**2).sum(axis=0) * (y**2).sum())",
    "k": "np.argmax(np.abs(r))",
    "answer": "k, r[k]",
}


@pytest.mark.thorough
@pytest.mark.parametrize(
    "line, said",
    [
        ({"k": "np.argmax(r)"}, "the unit is wrong: this one has the largest r; take the largest |r|"),
        ({"centred": "pass"}, "subtract the mean of each unit first"),
        ({"centred": "c, y = c - c.mean(), y - y.mean()"}, "each unit has its own mean"),
        ({"r": "y @ c"}, "divide by the root of equation (7)"),
        ({"answer": "k, abs(r[k])"}, "r is wrong: it lacks its sign"),
        ({}, "argmax takes NaN as the largest"),
        ({"centred": "c, y = c - c.mean(axis=1), y - y.mean()"}, "ValueError"),
        ({"answer": "r"}, "two numbers: (k, r)"),
        ({"answer": "k, r"}, "r must be one number"),
        ({"k": "2"}, "the unit is 2 where 4 belongs"),
        ({"centred": "dc, y = c, y - y.mean()", "r": "y @ dc / np.sqrt((dc**2).sum(axis=0) * (y**2).sum())"}, SUBTRACT),
        ({"centred": "c = c - c.mean(axis=0)"}, "subtract the mean of y"),
        ({"answer": "r[k], k"}, "k and r are exchanged"),
        ({"answer": "k + 0.5, r[k]"}, "k must be the number of a unit, not 4.5"),
        ({"centred": "c, y = c - c.mean(axis=0), y - y.mean(); c * y"}, "y[:, None] is a column, (80, 1)"),
        ({"r": "y @ c / ((c**2).sum(axis=0) * (y**2).sum())"}, "the root of equation (7) is missing"),
    ],
)
def test_each_wrong_search_for_a_unit_is_named(tmp_path, line, said):
    assert said in wrong(tmp_path, 14, "best_unit", BEST_UNIT.format(**BEST_UNIT_RIGHT | line))


def test_a_correlation_by_numpy_is_right_without_a_warning(tmp_path):
    source = """def best_unit(c, y):
    r = np.corrcoef(c.T, y)[-1, :-1]
    k = np.nanargmax(np.abs(r))
    return k, r[k]
"""
    assert result_of(tmp_path, 14, "best_unit", source).state == "right"


INTERVENE = """def intervene(gates, c, unit, value):
    H = c.shape[1]
    old, c = c, {copy}
    {change}
    h = {h}
    return {answer}
"""
INTERVENE_RIGHT = {"answer": "h, c", "copy": "c.copy()", "change": "c[:, unit] = value", "h": "gates[:, 3 * H :] * np.tanh(c)"}


@pytest.mark.thorough
@pytest.mark.parametrize(
    "line, said",
    [
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
    ],
)
def test_each_wrong_intervention_is_named(tmp_path, line, said):
    assert said in wrong(tmp_path, 14, "intervene", INTERVENE.format(**INTERVENE_RIGHT | line))


CELL = """def quote_cell():
    Wx = np.array([{other}, {mark}])
    return Wx, np.array([{h}]), np.array({b})
"""
CELL_RIGHT = {"other": "[-12, 12, 0, 12]", "mark": "[12, -12, 0, 12]", "h": "[0, 0, -24, 0]", "b": "[0, 0, 6, 0]"}


@pytest.mark.parametrize(
    "line, said",
    [
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
    ],
)
def test_the_mark_is_named_where_a_cell_goes_wrong(tmp_path, line, said):
    assert said in wrong(tmp_path, 14, "quote_cell", CELL.format(**CELL_RIGHT | line))
