"""One function of loss and gradients, whose weights are global names: min-char-rnn.

The check puts its own weights there while the function runs, and puts back what was
there before. Sizes that the function reads, such as vocab_size, are put there as well.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from minilstm.errors import InputError
from minilstm.verify.layouts.arrays import draw, split_weights, to_theirs
from minilstm.verify.layouts.layout import STEP, CellLayout
from minilstm.verify.layouts.recognize import call_or_recognize

SCALE = 0.4  # of the weights, so that no gradient is as large as is usually clipped
ABSENT = object()


def random_whole(
    layout: CellLayout, function: Callable, rng: np.random.Generator, sizes: dict
) -> tuple[Callable, dict[str, np.ndarray]]:
    """A function from weights to (loss, gradients), and random weights.

    Parameters
    ----------
    layout : CellLayout
        With a signature ``whole``.
    function : callable
        Of the learner; its global names are those of its module.
    rng : numpy.random.Generator
        Of the weights, ids and the initial state.
    sizes : dict
        T, D (the vocabulary) and H.
    """
    namespace = getattr(function, "__globals__", None)
    if namespace is None:
        raise InputError(
            "hand in the function itself, as it stands in its module: its weights are"
            " global names there"
        )
    D, H = sizes["D"], sizes["H"]
    _, ours = draw(layout, rng, STEP, {**sizes, "B": 1})
    params = split_weights(layout, ours)
    for name, shape in {"Why": (D, H), "by": (D, 1)}.items():
        params[name] = rng.standard_normal(shape)
    params = {name: SCALE * array for name, array in params.items()}
    ids = rng.integers(0, D, sizes["T"] + 1).tolist()
    hprev = to_theirs(layout, STEP, rng.standard_normal((1, H)))
    numbers = {name: sizes[letter] for name, letter in layout.sizes.items()}
    numbers = {name: n for name, n in numbers.items() if name in namespace}
    signature = layout.signature("whole")

    def run(p):
        given = {"inputs": ids[:-1], "targets": ids[1:], "hprev": hprev.copy()}
        with _global_names(namespace, {**numbers, **p}):
            found = call_or_recognize(function, signature, given, {}, "function")
        return found["loss"], {name: found[f"d{name}"] for name in p}

    return run, params


@contextlib.contextmanager
def _global_names(namespace: dict[str, Any], values: Mapping) -> Iterator[None]:
    """Other values for global names, for a while."""
    before = {name: namespace.get(name, ABSENT) for name in values}
    namespace.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is ABSENT:
                del namespace[name]
            else:
                namespace[name] = value
