"""What the tests of models share: random parameters of layers, padding full of garbage, and one sequence out of many."""

import numpy as np
from hypothesis import strategies as st

from tests.helpers import naive
from tests.helpers.recurrent import CELLS
from tests.helpers.strategies import random_params

BOTH = {"one direction": [False, False], "both directions": [True, True], "the top one in both": [False, True]}


def random_layers(rng, cell, D, width, both, prefix=""):
    """Layers of a width, which a layer in both directions shares out between them; biases are random, too."""
    params = {}
    for k, two in enumerate(both):
        for suffix in ("", "_reverse")[: 1 + two]:
            weights = random_params(rng, CELLS[cell], D, width // (1 + two))
            params |= {f"{prefix}{cell}{k}{suffix}.{name}": W for name, W in weights.items()}
        D = width
    return params


def random_dense(rng, D, K, name="output"):
    return {f"{name}.W": rng.standard_normal((D, K)), f"{name}.b": rng.standard_normal(K)}


def naive_layers(params, prefix=""):
    """As ``naive_models.stack`` takes them: (weights, those in reverse or None) of each layer; and its loop over a sequence."""
    names = [name.removesuffix(".Wh") for name in params if name.endswith(".Wh") and name.startswith(prefix)]
    weights = {name: [W.tolist() for key, W in params.items() if key.startswith(f"{name}.")] for name in names}
    layers = [(weights[name], weights.get(f"{name}_reverse")) for name in names if not name.endswith("_reverse")]
    return layers, getattr(naive, f"{names[0].removeprefix(prefix).split('0')[0]}_sequence")


@st.composite
def lengths_B(draw, T, B, shortest=1):
    return np.array(draw(st.lists(st.integers(shortest, T), min_size=B, max_size=B)))


def spoilt(x, lengths, garbage):
    """A copy of x (T, B, …) with garbage at the padding."""
    x = x.copy()
    x[np.arange(len(x))[:, None] >= lengths] = garbage
    return x


def unchanged(cache):
    """All arrays inside of a cache, and copies of them."""
    if isinstance(cache, np.ndarray):
        return [(cache, cache.copy())]
    return [pair for part in cache for pair in unchanged(part)] if isinstance(cache, (tuple, list)) else []


def assert_same(left, right):
    """Equal to the last bit, whatever they are made of."""
    if isinstance(left, dict):
        assert list(left) == list(right)
        left, right = list(left.values()), list(right.values())
    if isinstance(left, (tuple, list)):
        for a, b in zip(left, right, strict=True):
            assert_same(a, b)
    else:
        np.testing.assert_array_equal(left, right)
        assert np.isfinite(left).all()
