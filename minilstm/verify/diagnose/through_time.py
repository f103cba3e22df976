"""Where in time a backward pass goes wrong: in a step, or between steps.

A sequence of one step is a step, and has the diagnosis of a step. In a longer one, the
dz of all steps is solved for as in ``causes.py``. The dz of a step shows which dh and
dc it got from the step after it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from minilstm.verify.cells import Cell
from minilstm.verify.contracts import Case
from minilstm.verify.diagnose.causes import (
    Outputs,
    join,
    other_blocks,
    own_outputs,
    own_quantities,
    settled,
    unmade,
    vote,
    whole,
)
from minilstm.verify.diagnose.diagnosis import Parts
from minilstm.verify.diagnose.equations import (
    EQUATIONS,
    Arrays,
    Equations,
    arrays_of,
    sum_of,
)
from minilstm.verify.diagnose.explain import same, without_rounding
from minilstm.verify.diagnose.trial import Trial
from minilstm.verify.diagnose.trials import step_backward_trial

# T, B, D, H: T B rows of dz are solved for with D + H + 1 equations
TWO_STEPS = ((2, 2, 3, 4), (2, 1, 4, 3))
HANDED_ON = "{}_prev, handed on by step {}"


def one_step(trial: Trial) -> Trial:
    """The trial of a step for a sequence of one step."""
    step = as_step(trial.your_forward, trial.cell)
    found = step_backward_trial(trial.seed, step, trial.cell)
    return found if trial.catalogue else replace(found, catalogue=())


def as_step(forward: Callable, cell: Cell) -> Callable:
    """A forward pass through time as a forward step."""

    def step(x, *state_and_weights):
        count = len(cell.state)
        state, weights = state_and_weights[:count], state_and_weights[count:]
        case = {"x": x[None], "state": state, **dict(zip(cell.weights, weights))}
        _, final, caches = cell.call_sequence(forward, case)
        return *final, caches

    return step


def as_step_backward(
    backward: Callable, cell: Cell, *, dh_is_final: bool = False
) -> Callable:
    """A backward pass through time as a backward step.

    dh arrives through h[0], or through the final state.
    """

    def step_backward(dh, *rest):
        *dc, caches, Wx, Wh = rest
        of_h, of_state = (0 * dh, dh) if dh_is_final else (dh, 0 * dh)
        dx, dstate, grads = cell.call_sequence_backward(
            backward, of_h[None], (of_state, *dc), caches, Wx, Wh
        )
        return (dx[0] if np.shape(dx)[:1] == (1,) else dx), *dstate, grads

    return step_backward


@dataclass(frozen=True)
class Steps:
    """A case of a sequence, and all that its backward pass computes, step by step."""

    case: Case
    cell: Cell
    arrays: list[Arrays]  # of each step: the cache, dh and dc_next, and the quantities
    handed_on: list[Arrays]  # by each step to the one before

    @classmethod
    def of(cls, case: Case, cell: Cell) -> Steps:
        """By our backward step."""
        T, names = len(case["dh"]), [f"d{part}" for part in cell.state]
        steps = cls(case, cell, [{}] * T, [{}] * T)
        carried = dict(zip(names, case["dstate"]))
        for t in reversed(range(T)):
            steps.arrays[t] = steps._expected(t, carried)
            now = (case["dh"][t] + carried["dh"], *[*carried.values()][1:])
            _, *dstate, _ = cell.step_backward(
                *now, case["caches"][t], case["Wx"], case["Wh"]
            )
            carried = dict(zip(names, dstate))
            steps.handed_on[t] = carried
        return steps

    def taken_apart(self, parts: Parts) -> tuple[Parts, list[Arrays]]:
        """The results of a function, each as if all that it is made of were right.

        The last step first, then dh_prev and dc_prev from it, then the step before, and
        so on; then the outputs. And all arrays of each step, as the function had them.
        Both are empty if no dz can be found.
        """
        equations, case, cell = EQUATIONS[self.cell], self.case, self.cell
        (T, B), right = case["dh"].shape[:2], self.arrays
        rows = [slice(t * B, (t + 1) * B) for t in range(T)]
        named = {
            "dx": {f"dx[{t}]": rows[t] for t in reversed(range(T))},
            "dh_prev": {"dh0": rows[0]},
            "dc_prev": {"dc0": rows[0]},
        }
        model = Outputs(equations, _stacked(right), case, named)
        of_sides = [join(model.arrays, side) for side in equations.sides]
        right_outputs = model.of(model.arrays, of_sides)
        outputs = whole(parts, right_outputs, cell)
        solved = None if outputs is None else model.solve(outputs, model.arrays)
        if outputs is None or solved is None:
            return {}, []
        own: Parts = {}
        yours: list[Arrays] = [{}] * T
        gradients = dict(zip([f"d{part}" for part in cell.state], case["dstate"]))
        for t in reversed(range(T)):
            # each as it would be if all before it were right
            expected = self._expected(t, gradients)
            of_sides = [of_side[rows[t]] for of_side in solved]
            seen = settled(equations, of_sides, expected)
            if t == 0 and "dc0" in outputs:
                seen["dc_prev"] = outputs["dc0"]
            hidden = _hidden(equations, seen, expected)
            yours[t] = {**expected, **hidden, **seen}
            own |= self._arrived(t, yours[t], expected)
            of_step = own_quantities(equations, yours[t], right[t])
            of_step |= other_blocks(equations, of_sides, yours[t], right[t])
            own |= _named(t, t == T - 1, of_step, equations)
            yours[t] |= equations.outputs_of(yours[t])
            passed = Outputs(equations, yours[t], case).of(yours[t], of_sides)
            gradients = {f"d{part}": passed[f"d{part}_prev"] for part in cell.state}
        made = model.of(_stacked(yours), solved)
        own |= own_outputs(outputs, right_outputs, made, parts, cell)
        return without_rounding(own), yours

    def _expected(self, t: int, gradients: Arrays) -> Arrays:
        """All arrays and quantities of a step that gets these gradients from the next."""
        now = {**gradients, "dh": self.case["dh"][t] + gradients["dh"]}
        arrays = arrays_of({**now, "cache": self.case["caches"][t]})
        return {**arrays, **EQUATIONS[self.cell].values(arrays)}

    def _arrived(self, t: int, yours: Arrays, expected: Arrays) -> Parts:
        """What step t got from step t + 1. Its dc_next is set to that, too."""
        terms = EQUATIONS[self.cell].inside.get("dc")
        last = t == len(self.arrays) - 1
        if last:
            return {
                f"dh of step {t}": self.arrays[t]["dh"] + yours["dh"] - expected["dh"]
            }
        arrived = {"dh": yours["dh"] - expected["dh"]}
        if terms:  # less its part through h
            dc_next = yours["dc"] - sum_of(terms[1:], yours)
            arrived["dc"] = dc_next - expected["dc_next"]
            yours["dc_next"] = dc_next
        return {
            HANDED_ON.format(name, t + 1): self.handed_on[t + 1][name] + difference
            for name, difference in arrived.items()
        }


def _hidden(equations: Equations, seen: Arrays, expected: Arrays) -> Arrays:
    """The dh and dc of a step that no output shows: the expected ones, if they may be."""
    found: Arrays = {}
    for name in equations.hidden:
        if name == "dh" and "dc" in found and same(found["dc"], expected["dc"]):
            found[name] = expected[name]  # dc is made of it
        else:
            paths = unmade(name, equations, seen, expected)
            found[name] = vote(paths, expected[name], min(3, len(paths)))
    return {**equations.outputs_of({**expected, **found}), **found}


def _stacked(steps: list[Arrays]) -> Arrays:
    """The rows of step 0 above those of step 1, and so on."""
    return {name: np.vstack([step[name] for step in steps]) for name in steps[0]}


def _named(t: int, last: bool, own: Parts, equations: Equations) -> Parts:
    """Named after the step, those that no output is: ``dz of step 1, input gate``."""
    named: Parts = {}
    for part, array in own.items():
        output, comma, gate = part.partition(",")
        if part not in equations.outputs:
            named[f"{output} of step {t}{comma}{gate}"] = array
    return named


@dataclass(frozen=True)
class Compared:
    """Sequences of some length, yours and ours taken apart."""

    steps: list[Steps]  # of each case
    yours: list[Parts]
    right: list[Parts]
    arrays: list[list[Arrays]]  # yours, of each case and step


def of_steps(trial: Trial, function: Callable, T: int) -> Compared | None:
    """Sequences of T steps; None if some dz is not found."""
    sizes = TWO_STEPS if T == 2 else ((T, 2, 2 * T, 4), (T, 1, T + 2, 3))
    cases = [trial.case(k, trial.forward, of_case) for k, of_case in enumerate(sizes)]
    steps = [Steps.of(case, trial.cell) for case in cases]
    apart = lambda results: zip(
        *(of_case.taken_apart(parts) for parts, of_case in zip(results, steps))
    )
    yours, arrays = apart(trial.yours(function, sizes=sizes))
    right, _ = apart(trial.right(sizes))
    return Compared(steps, [*yours], [*right], [*arrays]) if all(yours) else None
