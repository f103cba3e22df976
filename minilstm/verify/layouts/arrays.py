"""From our arrays to those of a layout, and back: the same numbers in other places.

Going back needs no code of its own. The numbers 0, 1, 2 … are taken through the same
arrangement as the weights, and tell where each entry came from.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from minilstm.errors import InputError
from minilstm.verify.layouts.layout import AXES, INPUTS, STEP, CellLayout

Arrays = dict[str, np.ndarray]


def to_theirs(layout: CellLayout, kind: str, array: np.ndarray) -> np.ndarray:
    """x, h or a gradient of them, (B, n) or (T, B, n), in the layout's axes."""
    return np.ascontiguousarray(array.transpose(_axes(layout, kind, array.ndim)))


def from_theirs(layout: CellLayout, kind: str, array: np.ndarray) -> np.ndarray:
    """The same, back in our axes."""
    return array.transpose(np.argsort(_axes(layout, kind, array.ndim)))


def _axes(layout: CellLayout, kind: str, ndim: int) -> tuple[int, ...]:
    if ndim == 3:
        return AXES[layout.axes][0]
    return (1, 0) if layout.axes == "columns" else (0, 1)


def split_weights(layout: CellLayout, weights: Mapping[str, np.ndarray]) -> Arrays:
    """Our weights Wx, Wh and biases as the arrays of the layout, by their names."""
    ours = layout.titles
    blocks = {
        name: dict(zip(ours, np.split(array, len(ours), axis=-1)))
        for name, array in weights.items()
    }
    theirs = {}
    for name, parts, gates in (
        (array.name, array.parts, array.gates) for array in layout.weights
    ):
        rows = [
            np.concatenate([blocks[part][gate] for gate in gates], axis=-1)
            for part in parts
        ]
        array = np.concatenate(rows, axis=0)
        if array.ndim == 2 and layout.transposed:
            array = array.T
        elif array.ndim == 1 and layout.column_biases:
            array = array[:, None]
        theirs[name] = np.ascontiguousarray(array)
    return theirs


def weight_shapes(layout: CellLayout, D: int, H: int) -> dict[str, tuple[int, ...]]:
    """Shapes of our weights: Wx (D, GH), Wh (H, GH), biases (GH,)."""
    width = len(layout.titles) * H
    return {
        "Wx": (D, width),
        "Wh": (H, width),
        **{name: (width,) for name in layout.biases},
    }


def places(layout: CellLayout, D: int, H: int) -> dict[str, np.ndarray]:
    """For each array of the layout, where its entries stand in ours.

    The numbers count all our weights, one array behind the other.
    """
    numbered, first = {}, 0
    for name, shape in weight_shapes(layout, D, H).items():
        size = int(np.prod(shape))
        numbered[name] = np.arange(first, first + size).reshape(shape)
        first += size
    return split_weights(layout, numbered)


def join_weights(
    layout: CellLayout, theirs: Mapping[str, np.ndarray], D: int, H: int
) -> Arrays:
    """Arrays of the layout's weights, or of their gradients, as ours.

    Raises InputError if one does not have the shape of its weights.
    """
    shapes = weight_shapes(layout, D, H)
    sizes = [int(np.prod(shape)) for shape in shapes.values()]
    arrays = {name: np.asarray(array) for name, array in theirs.items()}
    flat = np.empty(sum(sizes), np.result_type(*arrays.values()))
    for name, where in places(layout, D, H).items():
        check_shape(layout.gradient_of(name), arrays[name], where.shape, name)
        flat[where] = arrays[name]
    parts = np.split(flat, np.cumsum(sizes)[:-1])
    return {
        name: part.reshape(shape) for (name, shape), part in zip(shapes.items(), parts)
    }


def check_shape(name: str, array: np.ndarray, shape: tuple[int, ...], of: str) -> None:
    """InputError if a gradient has not the shape of what it is the gradient of."""
    if array.shape != shape:
        summed = " (np.sum without axis adds up everything)" if not array.shape else ""
        raise InputError(
            f"your {name} has the shape {array.shape}, but {of} has {shape}{summed}"
        )


def draw(
    layout: CellLayout, rng: np.random.Generator, kind: str, sizes: Mapping[str, int]
) -> tuple[Arrays, Arrays]:
    """Random inputs and states, and random weights, in our shapes.

    Nothing is zero, and no gate is saturated. One seed gives the same numbers in every
    layout of a cell.
    """
    T, B, D, H = (sizes[letter] for letter in "TBDH")
    x, *states = INPUTS[kind][: 1 + len(layout.ours.state)]
    inputs = {x: rng.standard_normal((B, D) if kind == STEP else (T, B, D))}
    inputs |= {name: rng.standard_normal((B, H)) for name in states}
    shapes = weight_shapes(layout, D, H)
    return inputs, {name: rng.normal(0, 0.7, shape) for name, shape in shapes.items()}
