"""Where in time a backward pass goes wrong: in a step, or between steps.

A sequence of one step is a step, and has the diagnosis of a step. In a sequence of two,
the dz of both steps is solved for as in ``causes.py``. The dz of step 0 shows which dh
and dc it got from step 1.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minilstm.reference import lstm_step_backward
from minilstm.verify import contracts
from minilstm.verify.contracts import Case
from minilstm.verify.diagnose.causes import (
    Arrays,
    before_gates,
    join_gates,
    solve_dc,
    solve_dz,
    split_gates,
    through_gates,
    through_h,
    whole,
)
from minilstm.verify.diagnose.diagnosis import Parts
from minilstm.verify.diagnose.trial import GATE_NAMES, Trial

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
    """A backward pass through time as a backward step.

    dh arrives through h[0], or through the final state.
    """

    def step_backward(dh, dc, caches, Wx, Wh):
        of_h, of_state = (0 * dh, dh) if dh_is_final else (dh, 0 * dh)
        dx, dh0, dc0, grads = contracts.call_sequence_backward(
            backward, of_h[None], (of_state, dc), caches, Wx, Wh
        )
        return (dx[0] if np.shape(dx)[:1] == (1,) else dx), dh0, dc0, grads

    return step_backward


def two_steps(parts: Parts, case: Case) -> Parts:
    """The results for T = 2, each as if all that it is made of were right.

    First step 1, then dh_prev and dc_prev from it, then step 0, then the outputs. Empty
    if no dz can be found.
    """
    dh, caches, Wx, Wh = case["dh"], case["caches"], case["Wx"], case["Wh"]
    dhT, dcT = case["dstate"]
    B = dh.shape[1]
    dh1 = dh[1] + dhT
    _, dh_prev, dc_prev, _ = lstm_step_backward(dh1, dcT, caches[1], Wx, Wh)
    arrives = [(dh[0] + dh_prev, dc_prev), (dh1, dcT)]  # dh and dc of each step
    dc = [dc_t + dh_t * through_h(caches[t]) for t, (dh_t, dc_t) in enumerate(arrives)]
    blocks = [through_gates(arrives[t][0], dc[t], caches[t]) for t in (0, 1)]
    dz = np.vstack([join_gates(block) for block in blocks])  # (2 B, 4H)
    x = np.vstack([cache.x for cache in caches])  # (2 B, D)
    h_prev = np.vstack([cache.h_prev for cache in caches])  # (2 B, H)

    def made_of(dz: np.ndarray) -> Arrays:
        early, late = dz[:B], dz[B:]
        return {
            "dx[1]": late @ Wx.T,
            "dx[0]": early @ Wx.T,
            "dh0": early @ Wh.T,
            "db": dz.sum(axis=0),
            "dWx": x.T @ dz,
            "dWh": h_prev.T @ dz,
        }

    right = {**made_of(dz), "dc0": dc[0] * caches[0].f}
    outputs = whole(parts, right)
    if outputs is None:
        return {}
    found = solve_dz(outputs, x, h_prev, dz, made_of)
    if found is None:
        return {}
    your_dz = [split_gates(found[:B]), split_gates(found[B:])]
    of_dc0, your_dh0 = before_gates(your_dz[0], caches[0])
    of_dc1, your_dh1 = before_gates(your_dz[1], caches[1])
    your_dc0 = solve_dc(of_dc0, dc[0], outputs["dc0"] / caches[0].f)
    your_dc1 = solve_dc(of_dc1, dc[1])

    def own_dz(t: int, your_dh: np.ndarray, your_dc: np.ndarray) -> Parts:
        expected = through_gates(your_dh, your_dc, caches[t])
        return {
            f"dz of step {t}, {gate}": blocks[t][gate]
            + your_dz[t][gate]
            - expected[gate]
            for gate in GATE_NAMES
        }

    # each as it would be if all before it were right
    expected_dc1 = dcT + your_dh1 * through_h(caches[1])
    got_dh = your_dh0 - dh[0]  # what step 0 got from step 1
    got_dc = your_dc0 - your_dh0 * through_h(caches[0])
    expected = {**made_of(found), "dc0": your_dc0 * caches[0].f}
    return {
        "dh of step 1": your_dh1,
        "dc of step 1": dc[1] + your_dc1 - expected_dc1,
        **own_dz(1, your_dh1, your_dc1),
        ARRIVES[0]: dh_prev + (got_dh - found[B:] @ Wh.T),
        ARRIVES[1]: dc_prev + (got_dc - your_dc1 * caches[1].f),
        **own_dz(0, your_dh0, your_dc0),
        **{name: right[name] + outputs[name] - expected[name] for name in right},
    }


def of_two_steps(trial: Trial, function: Callable) -> tuple[list[Parts], list[Parts]]:
    """Yours and ours for T = 2, in such parts; empty if some dz is not found."""
    cases = [trial.case(k, trial.forward, sizes) for k, sizes in enumerate(TWO_STEPS)]
    yours, right = (
        [two_steps(parts, case) for parts, case in zip(results, cases)]
        for results in (trial.yours(function, sizes=TWO_STEPS), trial.right(TWO_STEPS))
    )
    return (yours, right) if all(yours) else ([], [])
