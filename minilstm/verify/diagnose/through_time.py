"""Where in time a backward pass goes wrong: in a step, or between steps.

A sequence of one step is a step, and has the diagnosis of a step. In a sequence of two,
both steps' dz are solved for as in ``causes.py``; the dz of step 0 shows which dh and
dc it got from step 1.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minilstm.reference import lstm_step_backward
from minilstm.verify import contracts
from minilstm.verify.contracts import Case
from minilstm.verify.diagnose.causes import solve_dc, solve_dz, through_gates, whole
from minilstm.verify.diagnose.diagnosis import RAISES, Parts
from minilstm.verify.diagnose.trials import GATE_NAMES

# T, B, D, H: 2 B rows of dz are solved for with D + H + 1 equations
TWO_STEPS = ((2, 2, 3, 4), (2, 1, 4, 3))
ARRIVES = "dh_prev, handed on by step 1", "dc_prev, handed on by step 1"


def as_step(forward: Callable) -> Callable:
    """A forward pass through time as a forward step."""

    def step(x, h_prev, c_prev, Wx, Wh, b):
        _, h, c, caches = contracts.call_sequence(
            forward, x[None], (h_prev, c_prev), Wx, Wh, b
        )
        return h, c, caches

    return step


def as_step_backward(backward: Callable, *, dh_is_final: bool = False) -> Callable:
    """A backward pass through time as a backward step; dh arrives through h[0], or through the final state."""

    def step_backward(dh, dc, caches, Wx, Wh):
        through_h, through_state = (0 * dh, dh) if dh_is_final else (dh, 0 * dh)
        dx, dh0, dc0, grads = contracts.call_sequence_backward(
            backward, through_h[None], (through_state, dc), caches, Wx, Wh
        )
        return (dx[0] if np.shape(dx)[:1] == (1,) else dx), dh0, dc0, grads

    return step_backward


def two_steps(parts: Parts, case: Case) -> Parts:
    """The results for T = 2, each as it would be if all that it is made of were right; empty if no dz can be found.

    First step 1, then dh_prev and dc_prev from it, then step 0, then the outputs.
    """
    dh, (dhT, dcT), caches, Wx, Wh = (
        case[name] for name in ("dh", "dstate", "caches", "Wx", "Wh")
    )
    B = dh.shape[1]
    _, dh_prev, dc_prev, _ = lstm_step_backward(dh[1] + dhT, dcT, caches[1], Wx, Wh)
    arrives = {0: (dh[0] + dh_prev, dc_prev), 1: (dh[1] + dhT, dcT)}
    complete = {
        t: dc + dh_t * caches[t].o * (1 - caches[t].tanh_c ** 2)
        for t, (dh_t, dc) in arrives.items()
    }
    blocks = {t: through_gates(arrives[t][0], complete[t], caches[t]) for t in (0, 1)}
    dz = np.vstack([np.hstack([*blocks[t].values()]) for t in (0, 1)])  # (2 B, 4H)
    x, h_prev = (
        np.vstack([getattr(cache, name) for cache in caches])
        for name in ("x", "h_prev")
    )

    def made_of(dz: np.ndarray) -> dict[str, np.ndarray]:
        early, late = dz[:B], dz[B:]
        outputs = {"dx[1]": late @ Wx.T, "dx[0]": early @ Wx.T, "dh0": early @ Wh.T}
        return outputs | {"db": dz.sum(axis=0), "dWx": x.T @ dz, "dWh": h_prev.T @ dz}

    right = {**made_of(dz), "dc0": complete[0] * caches[0].f}
    outputs = None if RAISES in parts else whole(parts, right)
    found = None if outputs is None else solve_dz(outputs, x, h_prev, dz, made_of)
    if found is None or outputs is None:
        return {}
    own: Parts = {}
    for t, rows in ((1, found[B:]), (0, found[:B])):
        cache, yours = caches[t], dict(zip(GATE_NAMES, np.split(rows, 4, axis=1)))
        one = through_gates(np.ones_like(dhT), np.ones_like(dcT), cache)
        gates = [yours[gate] / one[gate] for gate in GATE_NAMES[:3]]
        your_dc = solve_dc(gates, complete[t], None if t else outputs["dc0"] / cache.f)
        your_dh = yours["output gate"] / one["output gate"]
        through_h = cache.o * (1 - cache.tanh_c**2)
        if t:
            own["dh of step 1"] = your_dh
            dc_of_step_1 = your_dc
            own["dc of step 1"] = complete[1] + your_dc - (dcT + your_dh * through_h)
        else:
            own[ARRIVES[0]] = dh_prev + (your_dh - dh[0] - found[B:] @ Wh.T)
            own[ARRIVES[1]] = dc_prev + (
                your_dc - your_dh * through_h - dc_of_step_1 * caches[1].f
            )
        expected = through_gates(your_dh, your_dc, cache)
        own |= {
            f"dz of step {t}, {gate}": blocks[t][gate] + yours[gate] - expected[gate]
            for gate in GATE_NAMES
        }
    expected = {**made_of(found), "dc0": your_dc * caches[0].f}
    return own | {
        name: array + outputs[name] - expected[name] for name, array in right.items()
    }


def of_two_steps(trial, function: Callable) -> tuple[list[Parts], list[Parts]]:
    """Yours and ours, for T = 2, in such parts; empty if not all can be had."""
    ours = trial.right(TWO_STEPS)
    cases = [trial.case(k, trial.forward, sizes) for k, sizes in enumerate(TWO_STEPS)]
    taken_apart = lambda results: [
        two_steps(parts, case) for parts, case in zip(results, cases)
    ]
    yours = taken_apart(trial.yours(function, sizes=TWO_STEPS))
    return (yours, taken_apart(ours)) if all(yours) else ([], [])
