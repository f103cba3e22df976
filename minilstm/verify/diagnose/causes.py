"""From the results of a backward step to what it computed inside: where a mistake was made.

A mistake in dz makes dx, dh_prev, dWx, dWh and db wrong, all at once. But the five are
made of one dz:

    dx = dz Wxᵀ    dh_prev = dz Whᵀ    dWx = xᵀ dz    dWh = h_prevᵀ dz    db = Σ dz over the batch

so dz can be solved for: D + H + 1 equations for B unknowns, in each of its columns. If
three or more of the five agree with one dz, that is the dz of the function under test,
right or wrong, and each of the five is checked against *that* dz. In the same way the
four gates and dc_prev give its dc, and the output gate together with dc gives its dh.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from minilstm.reference import LSTMStepCache
from minilstm.verify.contracts import Case
from minilstm.verify.diagnose.diagnosis import RAISES, Parts
from minilstm.verify.diagnose.explain import same
from minilstm.verify.diagnose.trials import GATE_NAMES

# what dz can be solved from
OF_X_AND_H = (("dWx", "dWh", "db"), ("dWx", "dWh"), ("dWh", "db"), ("dWx", "db"))


def finite(mine, ours: np.ndarray) -> bool:
    """Whether an array has the shape of ours, and real numbers in it."""
    real = (
        isinstance(mine, np.ndarray)
        and mine.shape == ours.shape
        and mine.dtype.kind in "fiu"
    )
    return real and bool(np.isfinite(mine).all())


def whole(parts: Parts, right: dict[str, np.ndarray]) -> dict[str, np.ndarray] | None:
    """The outputs, their gates joined again; None if one is missing, has another shape, or is not finite."""
    outputs = {}
    for name, ours in right.items():
        blocks = [
            parts[f"{name}, {gate}"]
            for gate in GATE_NAMES
            if f"{name}, {gate}" in parts
        ]
        array = (
            np.concatenate(blocks, axis=-1)
            if len(blocks) == len(GATE_NAMES)
            else parts.get(name)
        )
        if not finite(array, ours):
            return None
        outputs[name] = np.asarray(array)
    return outputs


def solve_dz(
    outputs, x, h_prev, dz_right, made_of: Callable[[np.ndarray], dict[str, np.ndarray]]
) -> np.ndarray | None:
    """The dz (N, 4H) of which most outputs are made; None if fewer than three are. Rows: the batch, or all steps' batches.

    If all of them are right that are no gradients of weights (dx, dh_prev), then dz is.
    """
    read = {"dWx": x, "dWh": h_prev, "db": np.ones((len(x), 1))}
    candidates = [dz_right]
    for names in OF_X_AND_H:
        equations = np.hstack([read[name] for name in names]).T
        known = np.vstack([np.atleast_2d(outputs[name]) for name in names])
        candidates.append(np.linalg.lstsq(equations, known, rcond=None)[0])
    agreeing = lambda dz: sum(
        same(outputs[name], array) for name, array in made_of(dz).items()
    )
    if all(
        same(outputs[name], array)
        for name, array in made_of(dz_right).items()
        if name not in read
    ):
        return dz_right
    # the first of equals, so that the right one is preferred
    best = max(candidates, key=agreeing)
    return best if agreeing(best) >= 3 else None


def solve_dc(
    gates: Sequence[np.ndarray],
    dc_right: np.ndarray,
    of_dc_prev: np.ndarray | None = None,
) -> np.ndarray:
    """The dc that three or more of the gates and dc_prev report; the right one if there is none, or if dc_prev is right."""
    if of_dc_prev is not None and same(of_dc_prev, dc_right):
        return dc_right
    paths = [*gates] if of_dc_prev is None else [of_dc_prev, *gates]
    agreeing = lambda dc: sum(same(path, dc) for path in paths)
    best = max([dc_right, *paths], key=agreeing)
    return best if agreeing(best) >= 3 else dc_right


def through_gates(dh, dc, cache: LSTMStepCache) -> dict[str, np.ndarray]:
    """What (2), (1), (3) and (5) make of dh, and of the whole dc, for each gate's block of dz."""
    _, _, c_prev, i, f, g, o, tanh_c = cache
    blocks = (
        dc * g * i * (1 - i),
        dc * c_prev * f * (1 - f),
        dc * i * (1 - g**2),
        dh * tanh_c * o * (1 - o),
    )
    return dict(zip(GATE_NAMES, blocks))


def own_parts(parts: Parts, case: Case) -> Parts:
    """The results of a backward step, each as it would be if all that it is made of were right.

    dh, dc, dc_prev, the four gates of dz and the outputs in the order of computing.
    What differs from the right ones is where a mistake was made; what merely follows
    from one does not differ. Where no dz can be found the results stay as they are.
    """
    x, h_prev, c_prev, i, f, g, o, tanh_c = cache = case["cache"]
    dh, dc_next, Wx, Wh = case["dh"], case["dc"], case["Wx"], case["Wh"]
    dc = dc_next + dh * o * (1 - tanh_c**2)
    dz = through_gates(dh, dc, cache)
    joined = lambda blocks: np.concatenate(
        [blocks[gate] for gate in GATE_NAMES], axis=1
    )

    def made_of(dz: np.ndarray) -> dict[str, np.ndarray]:
        return {
            "dx": dz @ Wx.T,
            "dh_prev": dz @ Wh.T,
            "db": dz.sum(axis=0),
            "dWx": x.T @ dz,
            "dWh": h_prev.T @ dz,
        }

    right = {"dc_prev": dc * f, **made_of(joined(dz))}
    outputs = None if RAISES in parts else whole(parts, right)
    found = (
        None if outputs is None else solve_dz(outputs, x, h_prev, joined(dz), made_of)
    )
    if found is None or outputs is None:
        return parts
    your_dz = dict(zip(GATE_NAMES, np.split(found, 4, axis=1)))
    # by which dh and dc are multiplied
    one = through_gates(np.ones_like(dh), np.ones_like(dc), cache)
    gates = [your_dz[gate] / one[gate] for gate in GATE_NAMES[:3]]
    your_dc, your_dh = solve_dc(gates, dc, outputs["dc_prev"] / f), dh
    of_output_gate = your_dz["output gate"] / one["output gate"]
    if not same(of_output_gate, dh) and same(
        dc_next + of_output_gate * o * (1 - tanh_c**2), your_dc
    ):
        your_dh = of_output_gate  # both results of dh agree
    expected_dc = dc_next + your_dh * o * (1 - tanh_c**2)
    expected = {"dc_prev": your_dc * f, **made_of(found)}
    expected_dz = through_gates(your_dh, your_dc, cache)
    dc_prev = right["dc_prev"] + outputs["dc_prev"] - expected["dc_prev"]
    own = {"dh": your_dh, "dc": dc + (your_dc - expected_dc), "dc_prev": dc_prev}
    own |= {
        f"dz, {gate}": dz[gate] + your_dz[gate] - expected_dz[gate]
        for gate in GATE_NAMES
    }
    for name in ("db", "dWx", "dWh", "dx", "dh_prev"):
        array = right[name] + outputs[name] - expected[name]
        if name in ("db", "dWx", "dWh"):
            own |= {
                f"{name}, {gate}": block
                for gate, block in zip(GATE_NAMES, np.split(array, 4, axis=-1))
            }
        else:
            own[name] = array
    return own | {name: value for name, value in parts.items() if name not in own}
