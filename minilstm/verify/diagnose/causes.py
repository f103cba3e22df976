"""From the results of a backward step to what it computed inside.

A mistake in dz makes dx, dh_prev, dWx, dWh and db wrong, all at once. But the five are
made of one dz:

    dx = dz Wxᵀ    dh_prev = dz Whᵀ    dWx = xᵀ dz    dWh = h_prevᵀ dz    db = Σ dz

so dz can be solved for: D + H + 1 equations for B unknowns, in each of its columns. If
three or more of the five agree with one dz, that is the dz of the function under test,
right or wrong. Each of the five is then checked against *that* dz. In the same way the
blocks of dz and dc_prev give its dc, and the output gate together with dc gives its dh.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from minilstm.reference import LSTMStepCache
from minilstm.verify.contracts import Case
from minilstm.verify.diagnose.diagnosis import RAISES, Parts
from minilstm.verify.diagnose.explain import same
from minilstm.verify.diagnose.trial import GATE_NAMES

# what dz can be solved from
OF_X_AND_H = (("dWx", "dWh", "db"), ("dWx", "dWh"), ("dWh", "db"), ("dWx", "db"))
OF_WEIGHTS = ("db", "dWx", "dWh")
Arrays = dict[str, np.ndarray]
Gates = dict[str, np.ndarray]  # a block (B, H) for each gate


def finite(mine, ours: np.ndarray) -> bool:
    """Whether an array has the shape of ours, and finite real numbers."""
    if not isinstance(mine, np.ndarray) or mine.shape != ours.shape:
        return False
    return mine.dtype.kind in "fiu" and bool(np.isfinite(mine).all())


def split_gates(array: np.ndarray) -> Gates:
    """The four blocks of the last axis, by gate."""
    return dict(zip(GATE_NAMES, np.split(array, 4, axis=-1)))


def join_gates(gates: Gates) -> np.ndarray:
    """The four blocks as one array."""
    return np.concatenate([gates[name] for name in GATE_NAMES], axis=-1)


def whole(parts: Parts, right: Arrays) -> Arrays | None:
    """The outputs with their gates joined; None if one is not like ours in form."""
    if RAISES in parts:
        return None
    outputs = {}
    for name, ours in right.items():
        gates = {
            gate: parts[f"{name}, {gate}"]
            for gate in GATE_NAMES
            if f"{name}, {gate}" in parts
        }
        array = join_gates(gates) if len(gates) == 4 else parts.get(name)
        if not finite(array, ours):
            return None
        outputs[name] = np.asarray(array)
    return outputs


def solve_dz(
    outputs: Arrays, x, h_prev, dz_right, made_of: Callable[[np.ndarray], Arrays]
) -> np.ndarray | None:
    """The dz (N, 4H) of which most outputs are made; None if fewer than three are.

    Its rows are the batch, or the batches of all steps. If all outputs are right that
    are no gradients of weights (dx, dh_prev), then dz is right.
    """
    read = {"dWx": x, "dWh": h_prev, "db": np.ones((len(x), 1))}

    def agreeing(dz: np.ndarray) -> list[str]:
        return [
            name for name, array in made_of(dz).items() if same(outputs[name], array)
        ]

    not_of_weights = [name for name in made_of(dz_right) if name not in read]
    if set(not_of_weights) <= set(agreeing(dz_right)):
        return dz_right
    candidates = [dz_right]
    for names in OF_X_AND_H:
        equations = np.hstack([read[name] for name in names]).T
        known = np.vstack([np.atleast_2d(outputs[name]) for name in names])
        candidates.append(np.linalg.lstsq(equations, known, rcond=None)[0])
    # the first of equals, so that the right one is preferred
    best = max(candidates, key=lambda dz: len(agreeing(dz)))
    return best if len(agreeing(best)) >= 3 else None


def solve_dc(
    gates: Sequence[np.ndarray],
    dc_right: np.ndarray,
    of_dc_prev: np.ndarray | None = None,
) -> np.ndarray:
    """The dc that three or more of the gates and dc_prev give, else the right one.

    It is the right one, too, if dc_prev is right.
    """
    if of_dc_prev is not None and same(of_dc_prev, dc_right):
        return dc_right
    paths = [*gates] if of_dc_prev is None else [of_dc_prev, *gates]
    agreeing = lambda dc: sum(same(path, dc) for path in paths)
    best = max([dc_right, *paths], key=agreeing)
    return best if agreeing(best) >= 3 else dc_right


def through_h(cache: LSTMStepCache) -> np.ndarray:
    """By (6): what dh is multiplied by to be added to dc."""
    return cache.o * (1 - cache.tanh_c**2)


def through_gates(dh, dc, cache: LSTMStepCache) -> Gates:
    """What (2), (1), (3) and (5) make of dh and of the complete dc: dz by gates."""
    _, _, c_prev, i, f, g, o, tanh_c = cache
    blocks = (
        dc * g * i * (1 - i),
        dc * c_prev * f * (1 - f),
        dc * i * (1 - g**2),
        dh * tanh_c * o * (1 - o),
    )
    return dict(zip(GATE_NAMES, blocks))


def before_gates(
    dz: Gates, cache: LSTMStepCache
) -> tuple[list[np.ndarray], np.ndarray]:
    """The dc that each of i, f and g gives, and the dh that o gives."""
    ones = np.ones_like(cache.c_prev)
    factors = through_gates(ones, ones, cache)
    *of_dc, of_dh = (dz[gate] / factors[gate] for gate in GATE_NAMES)
    return of_dc, of_dh


def own_parts(parts: Parts, case: Case) -> Parts:
    """The results of a backward step, each as if all that it is made of were right.

    dh, dc, dc_prev, the blocks of dz and the outputs, in the order of computing.
    What differs from the right ones is where a mistake was made. What merely follows
    from one does not differ. Where no dz is found the results stay as they are.
    """
    cache: LSTMStepCache = case["cache"]
    dh, dc_next, Wx, Wh = case["dh"], case["dc"], case["Wx"], case["Wh"]
    dc = dc_next + dh * through_h(cache)
    dz = through_gates(dh, dc, cache)

    def made_of(dz: np.ndarray) -> Arrays:
        return {
            "dx": dz @ Wx.T,
            "dh_prev": dz @ Wh.T,
            "db": dz.sum(axis=0),
            "dWx": cache.x.T @ dz,
            "dWh": cache.h_prev.T @ dz,
        }

    right = {"dc_prev": dc * cache.f, **made_of(join_gates(dz))}
    outputs = whole(parts, right)
    if outputs is None:
        return parts
    found = solve_dz(outputs, cache.x, cache.h_prev, join_gates(dz), made_of)
    if found is None:
        return parts
    your_dz = split_gates(found)
    of_dc, of_dh = before_gates(your_dz, cache)
    your_dc = solve_dc(of_dc, dc, outputs["dc_prev"] / cache.f)
    your_dh = dh
    if not same(of_dh, dh) and same(dc_next + of_dh * through_h(cache), your_dc):
        your_dh = of_dh  # both results of dh agree

    # what your function would have, if all but its own mistake were right
    expected_dc = dc_next + your_dh * through_h(cache)
    expected_dz = through_gates(your_dh, your_dc, cache)
    expected = {"dc_prev": your_dc * cache.f, **made_of(found)}
    own_output = lambda name: right[name] + outputs[name] - expected[name]
    own: Parts = {
        "dh": your_dh,
        "dc": dc + (your_dc - expected_dc),
        "dc_prev": own_output("dc_prev"),
    }
    for gate in GATE_NAMES:
        own[f"dz, {gate}"] = dz[gate] + your_dz[gate] - expected_dz[gate]
    for name in OF_WEIGHTS:
        blocks = split_gates(own_output(name))
        own |= {f"{name}, {gate}": block for gate, block in blocks.items()}
    own |= {name: own_output(name) for name in ("dx", "dh_prev")}
    return own | {name: value for name, value in parts.items() if name not in own}
