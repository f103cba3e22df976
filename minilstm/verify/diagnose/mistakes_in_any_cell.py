"""Known mistakes that a GRU and a simple RNN share, as rows for both.

``mistakes.py`` says how to read a row. A side of a step is an input with its weights
and its bias: ``x`` with ``Wx``, or ``h_prev`` with ``Wh``. Its products backward are
those with ``da``, the gradient of the pre-activations.
"""

from __future__ import annotations

from minilstm.verify.diagnose.mistakes_at_activations import Row

_BEGIN, _CACHE = "hs, caches = [], []", "caches[t]"
_SQUARE = "Square blocks hide the difference."

FORWARD_IN_TIME: list[Row] = [
    ("initial state not read", _BEGIN, f"{_BEGIN}; state = (0 * state[0],)", "",
     "A sequence may continue another one.", "keras-team/keras 2468, 2750",
     "h = 0 * h0", "h = h0"),
    ("hidden state not carried", "x[t], *state",
     "x[t], caches[0].h_prev if t else state[0]", "",
     "The step after begins with the h of this one, not with that of the beginning.",
     "", "step(x[t], h0, ...)", "step(x[t], h, ...)"),
    ("inputs in reversed order", "x[t], *state", "x[T - 1 - t], *state", "",
     "Time runs from the first input to the last.", "", "step(x[T - 1 - t], h, ...)",
     "step(x[t], h, ...)"),
]


def in_the_state(last_h: str, but: tuple[str, ...] = ()) -> list[Row]:
    """Of the loop backward, if h is all that a cell remembers.

    ``but`` names rows that give the numbers of another mistake.
    """
    row = lambda name, wrong, why, shown, belongs: (
        name, _CACHE, wrong, "", why, "", shown, belongs)
    rows = [
        row("h_prev overwritten by later steps",
            f"caches[t]._replace(h_prev={last_h})",
            "h is changed in place, and every cache refers to the one array, which"
            " holds the last h. Keep a copy.", "h_prev = the last h",
            "h_prev = h of the step before"),
        row("h_prev of step 0 is the last h",
            f"caches[t] if t else caches[0]._replace(h_prev={last_h})",
            "hs[t - 1] at t = 0 is the last one in Python; h0 belongs there.",
            "h_prev = hs[t - 1], at t = 0 too", "h_prev = hs[t - 1] if t else h0"),
        row("h0 forgotten",
            "caches[t] if t else caches[0]._replace(h_prev=0 * caches[0].h_prev)",
            "Step 0 reads h0.", "h_prev = 0 at t = 0", "h_prev = h0 at t = 0"),
        row("h_prev read from states with h0 in front as if they had T entries",
            f"caches[t]._replace(h_prev=(caches[t - 1].h_prev if t else {last_h}))",
            "With h0 in front, h_prev of step t is hs[t]; hs[t - 1] wraps round at"
            " t = 0.", "h_prev = hs[t - 1]", "h_prev = hs[t]"),
    ]
    return [row for row in rows if row[0] not in but]


def of_one_side(W: str, x: str, b: str, da: str, blocks: int = 1) -> list[Row]:
    """Of the products of one side backward; of its bias, if it has one."""
    dW, dx, db = f"d{W}", f"{da} @ {W}.T", f"d{b}"
    by_block = f"{da} @ {W}" if blocks == 1 else (
        f"sum(d @ w for d, w in zip(np.split({da}, {blocks}, axis=1),"
        f" np.split({W}, {blocks}, axis=1)))")
    shown = f"{da} @ {W}" + (", gate by gate" if blocks > 1 else "")
    mean = "If the loss is a mean, dh contains its factor already."
    weights = [
        (f"transposed {W}", dx, by_block, "",
         f"The gradient of {x} {W} is a product with the transpose of {W}. {_SQUARE}",
         "", shown),
        (f"{dW} averaged over the batch", f"{dW} = {x}.T @ {da}",
         f"{dW} = {x}.T @ {da} / len(x)", "", mean),
    ]
    if not b:
        return weights
    line = f"{db} = {da}.sum(axis=0)"
    why = "Without axis=0 the sum is one number. Each bias has its own sum, over the batch."
    return [
        *weights,
        (f"{db} averaged over the batch", line, f"{line} / len(x)", "", mean),
        (f"{db} summed over everything", line, f"{db} = {da}.sum()", "", why),
        (f"{db} summed over everything, one number in every entry", line,
         f"{db} = np.full({da}.shape[1], {da}.sum())", "", why),
        (f"{db} summed over the units", line, f"{db} = {da}.sum(axis=1)", "",
         "All sequences of the batch share a bias, so the sum is over axis 0."),
    ]
