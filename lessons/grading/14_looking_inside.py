"""14. Looking inside: grading."""

import warnings

import numpy as np

from minilstm import reference
from minilstm.course import Task, Wrong, same
from minilstm.reference.functions import sigmoid
from minilstm.verify import contracts


def best_unit(yours):
    rng = np.random.default_rng(0)
    for N, H, best in ((80, 6, 4), (60, 7, 2)):
        y, c = rng.integers(0, 2, N), rng.normal(size=(N, H))
        falling, rising, high, wild = np.roll(np.arange(H), -best)[:4]
        c[:, falling] = 3 - 2 * y + 0.5 * c[:, falling]  # follows y best, but is never near zero
        c[:, rising] += y
        c[:, high] = 6 + 0.3 * c[:, high]
        c[:, wild] = 6 * y + 10 * c[:, wild]
        around, about = c - c.mean(axis=0), y - y.mean()
        right = _cosine(around, about)
        k, r = _answer(_asked(yours, c, y))
        wrong = (
            ("subtract the mean of each unit first, and that of y", _cosine(c, y)),
            ("subtract the mean of each unit", _cosine(c, about)),
            ("subtract the mean of y", _cosine(around, y)),
            ("each unit has its own mean: axis=0", _cosine(c - c.mean(), about)),
            ("the root of equation (7) is missing", about @ around / ((around**2).sum(axis=0) * (about**2).sum())),
            ("divide by the root of equation (7)", about @ around),
        )
        for sentence, values in wrong:  # several may find the same unit: r shows which it was
            if 0 <= k < H and np.allclose(abs(r), abs(values[k])) and not np.allclose(abs(r), abs(right[k])):
                raise Wrong(f"r is wrong: {sentence}")
        same("the unit", k, _largest(right), {
            "this one has the largest r; take the largest |r|, since a falling unit knows as much": int(right.argmax()),
            "this one changes most; divide by the root of equation (7)": _largest(about @ c),
        })  # fmt: skip
        same("r", r, right[k], {"it lacks its sign, which shows how to read the unit": abs(right[k])})
    k, r = _answer(_asked(yours, np.hstack([c, np.full((N, 1), 2.0)]), y))
    if not np.isfinite(r):
        raise Wrong(f"unit {k}, r = {r}: a unit that never changes divides 0 by 0, and argmax takes NaN as the largest")
    same("the unit, if one of them never changes", k, _largest(right))
    return f"it finds the best of {H} units, although it falls, and ignores a dead unit"


def _asked(yours, c, y):
    """An answer, without NumPy's warnings of a division by zero."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return yours(c, y)
    except Wrong as wrong:
        if "broadcast" not in str(wrong):
            raise
        column = f"y[:, None] is a column, {(len(y), 1)}, which fits every unit; the means of the units are c.mean(axis=0)"
        raise Wrong(f"{str(wrong).rstrip()}: {column}") from None


def _cosine(c, y):
    return y @ c / np.sqrt((c**2).sum(axis=0) * (y**2).sum())


def _largest(values):
    return int(np.abs(values).argmax())


def _answer(got):
    contracts.unpack(got, 2, "best_unit must return two numbers: (k, r)")
    for name, value in zip(("k", "r"), got):
        if np.ndim(value) or np.asarray(value).dtype.kind not in "iuf":
            raise Wrong(f"{name} must be one number")
    k, r = got
    if not np.isfinite(k) or k != int(k):
        exchanged = np.isfinite(r) and r == int(r)
        raise Wrong("k and r are exchanged: k comes first" if exchanged else f"k must be the number of a unit, not {k:.4g}")
    return int(k), float(r)


def intervene(yours):
    rng = np.random.default_rng(0)
    for B, H, unit, value in ((4, 6, 3, -1.7), (3, 5, 1, 0.0)):
        z, before = rng.normal(size=(B, 4 * H)), rng.normal(size=(B, H))
        gates = sigmoid(z)
        gates[:, 2 * H : 3 * H] = np.tanh(z[:, 2 * H : 3 * H])
        blocks = dict(zip("ifgo", np.split(gates, 4, axis=1)))
        got = yours(gates, before, unit, value)
        contracts.unpack(got, 2, "intervene must return two arrays: (h, c)")
        c, row, added = before.copy(), before.copy(), before.copy()
        c[:, unit] = row[unit] = value
        added[:, unit] += value
        first, second = (np.shape(array) == c.shape and np.allclose(array, c) for array in got)
        if first and not second:
            raise Wrong("h and c are exchanged: h comes first")
        same("c", got[1], c, {
            "it is unchanged": before,
            "set c to the value; do not add it": added,
            "a row is a sequence of the batch; units are columns": row,
            "change one unit only": np.full((B, H), value),
        })  # fmt: skip
        h = blocks["o"] * np.tanh(c)
        same("h", got[0], h, {
            "it is computed from the old c: use equation (6) after the change": blocks["o"] * np.tanh(before),
            "the tanh of equation (6) is missing": blocks["o"] * c,
            "the gates are already activated; do not apply sigmoid to o again": sigmoid(blocks["o"]) * np.tanh(c),
        } | {f"it uses the block of {name}; the order is i, f, g, o": blocks[name] * np.tanh(c) for name in "ifg"})  # fmt: skip
    return "c is changed in one unit, and h by equation (6)"


def quote_cell(yours):
    got = yours()
    contracts.unpack(got, 3, "quote_cell must return three arrays: (Wx, Wh, b)")
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


BLANKS = 7  # of the exercise, if none is filled in
TASKS = [
    Task("best_unit", best_unit, (
        "Equation (7) is one line for all units if means and sums go along axis 0. Then look for the largest |r|.",
        "Subtract c.mean(axis=0) and y.mean(). The numerator is y @ c, the denominator the root of a product of two sums of"
        " squares. Where that root is 0, divide by 1. Take the unit with the largest np.abs(r), and return r with its sign.",
    )),
    Task("intervene", intervene, (
        "Work on a copy of c. A unit is a column. Compute h from the output gate and the new c.",
        "Copy with c.copy(), and set c[:, unit]. The output gate is the last of four blocks of H columns: it begins at"
        " column 3H. The rest is equation (6).",
    )),
    Task("quote_cell", quote_cell, (
        "Between the marks c must not change: what must f and i be? A mark must erase the old c and write the opposite. So g"
        " must read h, which is positive inside a quotation and, for example, negative outside.",
        "Row 0 of Wx: i very negative, f large. Row 1: i large, f very negative. o large in both. A large negative weight in"
        " Wh makes g the opposite of h. At the start h is 0, and the first mark must open. So give g a positive bias, smaller"
        " than the product of that weight and tanh(1): then it decides only at the start.",
    )),
]  # fmt: skip
