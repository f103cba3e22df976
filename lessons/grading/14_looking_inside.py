"""14. Looking inside: grading."""

import numpy as np

from minilstm import reference
from minilstm.course import Case, Task, Wrong, same


def records(rng):
    """Cell states (N, H) and what they may follow, (N,)."""
    for N, H, best in ((80, 6, 4), (60, 7, 2)):
        y, c = rng.integers(0, 2, N), rng.normal(size=(N, H))
        falling, rising, high, wild = np.roll(np.arange(H), -best)[:4]
        c[:, falling] = 3 - 2 * y + 0.5 * c[:, falling]  # follows y best, but is never near zero
        c[:, rising] += y
        c[:, high] = 6 + 0.3 * c[:, high]
        c[:, wild] = 6 * y + 10 * c[:, wild]
        yield c, y
    yield Case((np.hstack([c, np.full((N, 1), 2.0)]), y), "a unit that never changes")


def interventions(rng):
    for B, H, unit, value in ((4, 6, 3, -1.7), (3, 5, 1, 0.5)):
        gates = rng.uniform(0, 1, (B, 4 * H))
        gates[:, 2 * H : 3 * H] = rng.uniform(-1, 1, (B, H))
        yield gates, rng.normal(size=(B, H)), unit, value


def quote_cell(yours):
    got = yours()
    if not isinstance(got, tuple) or len(got) != 3:
        raise Wrong("quote_cell must return (Wx, Wh, b)")
    for name, array, shape in zip(("Wx", "Wh", "b"), got, ((2, 4), (1, 4), (4,))):
        same(f"the shape of {name}", np.shape(array), shape)
        if np.asarray(array).dtype.kind not in "iuf" or not np.isfinite(array).all():
            raise Wrong(f"{name} must consist of finite numbers")
    Wx, Wh, b = (np.asarray(array, float) for array in got)
    h, c, marks, since = np.zeros((1, 1)), np.zeros((1, 1)), 0, 0
    for length in (5, 3, 1, 40, 0, 2, 300, 250, 7, 0, 0, 60, 4):  # characters between marks
        for k in range(length + 1):
            shown, before, mark = h.item(), c.item(), k == length
            h, c, cache = reference.lstm_step(np.eye(2)[[int(mark)]], h, c, Wx, Wh, b)
            marks, since = marks + mark, 0 if mark else since + 1
            if not (c.item() > 0.5 if marks % 2 else c.item() < 0.25):
                gates = {name: getattr(cache, name).item() for name in "ifgo"}
                numbers = ", ".join(f"{name} = {value:.3g}" for name, value in gates.items())
                moved = f"from h = {shown:.3g} and c = {before:.3g} it computes c = {c.item():.3g}, with {numbers}"
                raise Wrong(f"{_why(marks, since, shown, before, gates)}; {moved}")
    return f"{marks} marks, up to 300 characters apart: after each of them c was right"


def _why(marks, since, shown, before, gates):
    if not marks:
        return "before any mark, c is not below 0.25; other characters must write nothing"
    if since:
        state = "forgotten that a quotation is open" if marks % 2 else "forgotten that none is open"
        after = f"{since} character{'s' if since > 1 else ''} after mark {marks}"
        return f"{after} it has {state}; other characters must keep c as it is"
    if marks == 1:
        return "the first mark must open: from h = 0 it must write a g above 0.5"
    if marks % 2:
        return f"mark {marks} must open again, after a mark that closed"
    if abs(shown) < 0.1 * np.tanh(before):
        return f"mark {marks} must close, but h is nearly 0, because o was closed before, so the gates cannot read c"
    if gates["f"] > 0.5 and gates["i"] * abs(gates["g"]) < 0.1:
        return f"mark {marks} must close: nothing new is written, but f keeps the old c"
    return f"mark {marks} must close; x is the same at every mark, so the candidate must use h"


COPY = "c = c.copy() -> old, c = c, c.copy()"
BLOCKS = {"i": ": c.shape[1]", "f": "c.shape[1] : 2 * c.shape[1]", "g": "2 * c.shape[1] : 3 * c.shape[1]"}
BLANKS = 7  # of the exercise, if none is filled in
TASKS = [
    Task(
        "best_unit",
        hints=(
            "Equation (7) is one line for all units if means and sums go along axis 0. Then look for the largest |r|.",
            "Subtract c.mean(axis=0) and y.mean(). The numerator is y @ c, the denominator the root of a product of two sums"
            " of squares. Where that root is 0, divide by 1. Take the unit with the largest np.abs(r), and return r with"
            " its sign.",
        ),
        cases=records,
        returns=("k", "r"),
        mistakes={
            "c, y = c, y": "subtract the mean of each unit first, and that of y",
            "c, y = c, y - y.mean()": "subtract the mean of each unit",
            "c, y = c - c.mean(axis=0), y": "subtract the mean of y",
            "c, y = c - c.mean(), y - y.mean()": "each unit has its own mean: axis=0",
            "r = y @ c / np.where(spread > 0, spread, 1) ** 2": "the root of equation (7) is missing",
            "r = y @ c": "this unit changes most; divide by the root of equation (7)",
            "k = np.argmax(r)":
                "this one has the largest r; take the largest |r|, since a falling unit knows as much",
            "return k, abs(r[k])": "it lacks its sign, which shows how to read the unit",
            "np.where(spread > 0, spread, 1) -> spread":
                "a unit that never changes divides 0 by 0, and argmax takes NaN as the largest",
            "return r[k], k": "k and r are exchanged: k comes first",
        },
        praise="it finds the best of 7 units, although it falls, and ignores a dead unit",
    ),
    Task(
        "intervene",
        hints=(
            "Work on a copy of c. A unit is a column. Compute h from the output gate and the new c.",
            "Copy with c.copy(), and set c[:, unit]. The output gate is the last of four blocks of H columns: it begins at"
            " column 3H. The rest is equation (6).",
        ),
        cases=interventions,
        returns=("h", "c"),
        compared=lambda got, given: {"c": got[1], "h": got[0]},
        mistakes={
            "return c, o * np.tanh(c)": "h and c are exchanged: h comes first",
            "c[:, unit] = value -> pass": "it is unchanged",
            "c[:, unit] += value": "set c to the value; do not add it",
            "c[:, unit] -> c[unit]": "a row is a sequence of the batch; units are columns",
            "c[:, unit] -> c[...]": "change one unit only",
            f"{COPY}; return o * np.tanh(old), c": "it is computed from the old c: use equation (6) after the change",
            "return o * c, c": "the tanh of equation (6) is missing",
            "return sigmoid(o) * np.tanh(c), c":
                "the gates are already activated; do not apply sigmoid to o again",
        } | {
            f"o = gates[:, {block}]": f"it uses the block of {name}; the order is i, f, g, o" for name, block in BLOCKS.items()
        },
        praise="c is changed in one unit, and h by equation (6)",
    ),
    Task(
        "quote_cell",
        hints=(
            "Between the marks c must not change: what must f and i be? A mark must erase the old c and write the opposite. So"
            " g must read h, which is positive inside a quotation and, for example, negative outside.",
            "Row 0 of Wx: i very negative, f large. Row 1: i large, f very negative. o large in both. A large negative weight"
            " in Wh makes g the opposite of h. At the start h is 0, and the first mark must open. So give g a positive bias,"
            " smaller than the product of that weight and tanh(1): then it decides only at the start.",
        ),
        check=quote_cell,
    ),
]  # fmt: skip
