"""From the results of a backward step to what it computed inside.

A mistake in dz makes dx, dh_prev, dWx, dWh and db wrong, all at once. But the five are
made of one dz:

    dx = dz Wxᵀ    dh_prev = dz Whᵀ    dWx = xᵀ dz    dWh = h_prevᵀ dz    db = Σ dz

so dz can be solved for: D + H + 1 equations for B unknowns, in each of its columns. If
most of the five agree with one dz, that is the dz of the function under test, right or
wrong. Each of the five is then checked against *that* dz. In the same way the blocks of
dz and dc_prev give its dc, and the output gate together with dc gives its dh.

Of a GRU the sides of x and of h_prev have gradients of their own, with three outputs
each. Which quantity is made of which stands in ``equations.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
import numpy as np

from minilstm.verify.cells import Cell
from minilstm.verify.contracts import Case
from minilstm.verify.diagnose.diagnosis import RAISES, Parts
from minilstm.verify.diagnose.equations import (
    EQUATIONS,
    Arrays,
    Equations,
    Side,
    arrays_of,
    product_of,
    sum_of,
    terms_of,
)
from minilstm.verify.diagnose.explain import same


OF_CELL_STATE = "dc_prev", "dc0"


def finite(mine, ours: np.ndarray) -> bool:
    """Whether an array has the shape of ours, and finite real numbers."""
    if not isinstance(mine, np.ndarray) or mine.shape != ours.shape:
        return False
    return mine.dtype.kind in "fiu" and bool(np.isfinite(mine).all())


def whole(parts: Parts, right: Arrays, cell: Cell) -> Arrays | None:
    """The outputs with their blocks joined; None if one is not like ours in form.

    The gradient of the cell state before is left out if a layout does not have it.
    """
    if RAISES in parts:
        return None
    outputs = {}
    for name, ours in right.items():
        if name in OF_CELL_STATE and name not in parts:
            continue
        blocks = [f"{name}, {block}" for block in cell.blocks]
        array = parts.get(name)
        if all(block in parts for block in blocks):
            array = np.concatenate([parts[block] for block in blocks], axis=-1)
        if not finite(array, ours):
            return None
        outputs[name] = np.asarray(array)
    return outputs


def split(array: np.ndarray, side: Side) -> Arrays:
    """The blocks of the last axis, by the quantities that they are."""
    return dict(zip(side.blocks, np.split(array, len(side.blocks), axis=-1)))


def join(values: Arrays, side: Side) -> np.ndarray:
    """The blocks as one array."""
    return np.concatenate([values[name] for name in side.blocks], axis=-1)


def solve(
    outputs: Arrays,
    read: Arrays,
    right: np.ndarray,
    made_of: Callable[[np.ndarray], Arrays],
) -> np.ndarray | None:
    """The gradient of the pre-activations of which most outputs are made, if any.

    Its rows are the batch, or the batches of all steps. ``read`` has what each gradient
    of weights is the product with. If all other outputs are right, so is the gradient.
    """

    def agreeing(da: np.ndarray) -> list[str]:
        return [
            name for name, array in made_of(da).items() if same(outputs[name], array)
        ]

    names = list(made_of(right))
    not_of_weights = {name for name in names if name not in read}
    if not_of_weights <= set(agreeing(right)):
        return right
    candidates = [right]
    of_weights = [name for name in names if name in read]
    for left_out in (None, *of_weights):
        used = [name for name in of_weights if name != left_out]
        equations = np.hstack([read[name] for name in used]).T
        known = np.vstack([np.atleast_2d(outputs[name]) for name in used])
        candidates.append(np.linalg.lstsq(equations, known, rcond=None)[0])
    # the first of equals, so that the right one is preferred
    best = max(candidates, key=lambda da: len(agreeing(da)))
    return best if 2 * len(agreeing(best)) > len(names) else None


def vote(paths: Sequence[np.ndarray], right: np.ndarray, quorum: int) -> np.ndarray:
    """What so many of the paths give; else the right one, and if the first is right."""
    if not paths or same(paths[0], right):
        return right
    agreeing = lambda value: sum(same(path, value) for path in paths)
    best = max([right, *paths], key=agreeing)
    return best if agreeing(best) >= quorum else right


def settled(
    equations: Equations, solved: Sequence[np.ndarray], arrays: Arrays
) -> Arrays:
    """The quantities seen. One whose block differs is right if all made of it are."""
    seen = blocks_seen(equations, solved)
    for name in seen:
        paths = unmade(name, equations, seen, arrays)
        if paths and all(same(path, arrays[name]) for path in paths):
            seen[name] = arrays[name]
    return seen


def unmade(
    name: str, equations: Equations, seen: Arrays, arrays: Arrays
) -> list[np.ndarray]:
    """What each of the quantities that are seen gives for one that they are made of.

    Where a factor is zero, as a state may be, nothing is given.
    """
    found = []
    for made, factors, others in equations.paths(name):
        if made in seen:
            rest = seen[made] - sum_of(others, arrays)
            with np.errstate(all="ignore"):
                path = rest / product_of(factors, arrays)
            if np.isfinite(path).all():
                found.append(path)
    return found


def blocks_seen(equations: Equations, solved: Sequence[np.ndarray]) -> Arrays:
    """The quantities that are blocks of the solved gradients, by name."""
    seen: Arrays = {}
    for side, da in reversed([*zip(equations.sides, solved)]):  # the first side counts
        seen |= split(da, side)
    return seen


def own_quantities(equations: Equations, yours: Arrays, right: Arrays) -> Parts:
    """Each quantity inside, as if all that it is made of were right; by its part."""
    return {
        equations.parts.get(name, name): right[name]
        + (yours[name] - sum_of(terms, yours))
        for name, terms in equations.inside.items()
    }


def other_blocks(
    equations: Equations, solved: Sequence[np.ndarray], yours: Arrays, right: Arrays
) -> Parts:
    """The blocks of each side, as if the quantities that they should be were right.

    Sides with the same blocks have nothing of their own.
    """
    if len({side.blocks for side in equations.sides}) == 1:
        return {}
    return {
        block_part(equations, side, name): right[name] + (block - yours[name])
        for side, da in zip(equations.sides, solved)
        for name, block in split(da, side).items()
    }


def block_part(equations: Equations, side: Side, name: str) -> str:
    """What a block of one side is called."""
    gate = equations.parts[name].partition(", ")[2] or "candidate"
    return f"{equations.da} of the side of {side.x}, {gate}"


class Outputs:
    """The outputs of a backward step from what is computed inside.

    In a sequence the rows are those of all steps. ``named`` has, for an output of a
    step, those of the sequence, and their rows.
    """

    def __init__(
        self,
        equations: Equations,
        arrays: Arrays,
        case: Case,
        named: dict[str, dict[str, slice]] | None = None,
    ):
        self.equations, self.arrays, self.case = equations, arrays, case
        self.named = named or {}

    def of(self, values: Arrays, of_sides: Sequence[np.ndarray]) -> Arrays:
        """All outputs: those of the state, of the weights, and of the inputs."""
        found: Arrays = {}
        for name in self.equations.outputs:
            found |= self._rows(name, values[name])
        sides = [*zip(self.equations.sides, of_sides)]
        for side, da in sides:
            found |= self._of_weights(side, da)
        for side, da in sides:
            found |= self._of_input(side, da, values)
        return found

    def solve(self, outputs: Arrays, right: Arrays) -> list[np.ndarray] | None:
        """The gradient of each side's pre-activations; None if one is not found."""
        found: dict[tuple[str, ...], np.ndarray] = {}
        for side in self.equations.sides:
            if side.blocks in found:
                continue
            sides = [s for s in self.equations.sides if s.blocks == side.blocks]

            def made_of(da: np.ndarray) -> Arrays:
                made: Arrays = {}
                for one in sides:
                    made |= self._of_weights(one, da) | self._of_input(one, da, right)
                return made

            read = {}
            for one in sides:
                x = self.arrays[one.x]
                read[f"d{one.W}"] = x
                if one.bias:
                    read[f"d{one.bias}"] = np.ones((len(x), 1))
            da = solve(outputs, read, join(right, side), made_of)
            if da is None:
                return None
            found[side.blocks] = da
        return [found[side.blocks] for side in self.equations.sides]

    def direct(
        self, name: str, outputs: Arrays, solved: Sequence[np.ndarray]
    ) -> list[np.ndarray]:
        """What the outputs of inputs give for a quantity that they have besides."""
        found = []
        for side, da in zip(self.equations.sides, solved):
            first, *factors = side.direct.split(" * ")
            if first == name and side.dx in outputs:
                rest = outputs[side.dx] - da @ self.case[side.W].T
                with np.errstate(all="ignore"):
                    found.append(rest / product_of(tuple(factors), self.arrays))
        return found

    def _of_weights(self, side: Side, da: np.ndarray) -> Arrays:
        bias = {f"d{side.bias}": da.sum(axis=0)} if side.bias else {}
        return {**bias, f"d{side.W}": self.arrays[side.x].T @ da}

    def _of_input(self, side: Side, da: np.ndarray, values: Arrays) -> Arrays:
        dx = da @ self.case[side.W].T
        if side.direct:
            dx = dx + sum_of(terms_of(side.direct), {**self.arrays, **values})
        return self._rows(side.dx, dx)

    def _rows(self, name: str, array: np.ndarray) -> Arrays:
        named = self.named.get(name, {name: slice(None)})
        return {output: array[rows] for output, rows in named.items()}


def own_outputs(
    outputs: Arrays, right: Arrays, made: Arrays, parts: Parts, cell: Cell
) -> Parts:
    """The outputs as if all that they are made of were right; weights in blocks."""
    own: Parts = {}
    for name, mine in outputs.items():
        value = right[name] + (mine - made[name])
        if f"{name}, {cell.blocks[0]}" in parts:
            blocks = np.split(value, len(cell.blocks), axis=-1)
            own |= {f"{name}, {block}": v for block, v in zip(cell.blocks, blocks)}
        else:
            own[name] = value
    return own


def own_parts(parts: Parts, case: Case, cell: Cell) -> Parts:
    """The results of a backward step, each as if all that it is made of were right.

    dh, dc, dc_prev, the blocks of dz and the outputs, in the order of computing.
    What differs from the right ones is where a mistake was made. What merely follows
    from one does not differ. Where no dz is found the results stay as they are.
    """
    equations = EQUATIONS[cell]
    arrays = arrays_of(case)
    right = equations.values(arrays)
    model = Outputs(equations, {**arrays, **right}, case)
    right_outputs = model.of(right, [join(right, side) for side in equations.sides])
    outputs = whole(parts, right_outputs, cell)
    solved = None if outputs is None else model.solve(outputs, right)
    if outputs is None or solved is None:
        return parts
    seen = {name: outputs[name] for name in equations.outputs if name in outputs}
    seen |= settled(equations, solved, model.arrays)
    hidden: Arrays = {}
    for name in equations.hidden:
        paths = [
            *model.direct(name, outputs, solved),
            *unmade(name, equations, {**seen, **hidden}, model.arrays),
        ]
        hidden[name] = vote(paths, model.arrays[name], max(2, len(paths) - 1))
    yours = {**arrays, **hidden}
    yours |= equations.outputs_of(yours) | seen
    own: Parts = {
        "dh": yours["dh"],
        **own_quantities(equations, yours, right),
        **other_blocks(equations, solved, yours, right),
    }
    made = model.of({**yours, **equations.outputs_of(yours)}, solved)
    own_made = own_outputs(outputs, right_outputs, made, parts, cell)
    # dc_prev is a quantity and an output, and what is changed in place is neither
    return {**own, **own_made, **parts, **own_made, **own}
