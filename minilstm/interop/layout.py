"""What the layouts of all frameworks share: prefixes, whole models, tied layers.

A framework brings three functions, each for one layer and the short names of its arrays
(``kernel``, ``weight_ih``): what is expected, the way out, the way in. A place says
what stands around a short name in the dictionary: ``rnn.weight_ih_l0``.

A model whose output layer is tied to its embedding has one matrix where the dictionary
has two names: out go two equal arrays; in may come either two equal ones, or the
embedding's alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from minilstm.checks import check_params
from minilstm.errors import InputError
from minilstm.interop.fit import Expected, check_fit
from minilstm.models import Model

Arrays = dict[str, np.ndarray]


class Layout(NamedTuple):
    """A framework's way with the arrays of one layer, by their short names."""

    framework: str
    expected: Callable[[Any], dict[str, Expected]]
    outward: Callable[[Any, Mapping[str, np.ndarray]], Arrays]
    inward: Callable[[Any, Arrays], Arrays]
    output_matrix: str  # the short name of a dense layer's W


class Place(NamedTuple):
    """What stands before and after a layer's short names."""

    before: str = ""
    after: str = ""

    def name(self, short: str) -> str:
        return f"{self.before}{short}{self.after}"


def export(
    layout: Layout,
    layers: dict[str, Any],
    params: Mapping[str, Any],
    places: dict[str, Place],
) -> Arrays:
    """The parameters of all layers under the framework's names, copied."""
    expected_by_name(layout, layers, places)
    weights: Arrays = {}
    for name, layer in layers.items():
        check_params(params[name], layer.shapes)
        arrays = layout.outward(layer, params[name])
        weights |= {
            places[name].name(short): array.copy() for short, array in arrays.items()
        }
    return weights


def take(
    layout: Layout,
    layers: dict[str, Any],
    weights,
    places: dict[str, Place],
    dtype=None,
) -> dict[str, Arrays]:
    """Parameters of all layers under our names, copied once all has been checked."""
    check_fit(
        weights, expected_by_name(layout, layers, places), layout.framework, dtype
    )
    params = {}
    for name, layer in layers.items():
        arrays = {
            short: weights[places[name].name(short)] for short in layout.expected(layer)
        }
        params[name] = {
            key: np.array(array, order="C")
            for key, array in layout.inward(layer, arrays).items()
        }
    return params


def expected_by_name(
    layout: Layout, layers: dict[str, Any], places: dict[str, Place]
) -> dict[str, Expected]:
    """What all layers need, by the names in the dictionary, which must all differ."""
    expected: dict[str, Expected] = {}
    for name, layer in layers.items():
        for short, want in layout.expected(layer).items():
            full = places[name].name(short)
            if full in expected:
                raise InputError(
                    f"two arrays would have the name {full}; rnn, embedding and output"
                    " must keep them apart"
                )
            expected[full] = want
    return expected


def export_model(layout: Layout, model: Model, places: dict[str, Place]) -> Arrays:
    """``export`` for a whole model; a tied matrix comes out twice."""
    layers = untied_layers(model)
    params = {name: model.parameters.layer(name) for name in layers}
    if model.tied:
        params["output"]["W"] = params["embedding"]["W"].T
    with model.shared():
        return export(layout, layers, params, places)


def load_model(layout: Layout, model: Model, weights, places: dict[str, Place]) -> None:
    """``take`` for a whole model, into its parameters: all of them, or none."""
    layers = untied_layers(model)
    if model.tied and isinstance(weights, Mapping):
        weights = _with_output_matrix(layout, layers, weights, places)
    params = take(layout, layers, weights, places, model.dtype)
    if model.tied:
        table, W = params["embedding"]["W"], params["output"].pop("W")
        if not np.array_equal(table.T, W):
            name = places["output"].name(layout.output_matrix)
            raise InputError(
                f"{name} differs from the embedding, to which the model ties it;"
                " take a model with tied=False"
            )
    with model.owned():
        for layer, arrays in params.items():
            for key, array in arrays.items():
                model.parameters[f"{layer}.{key}"][...] = array


def untied_layers(model: Model) -> dict[str, Any]:
    """The layers that have parameters, by name.

    The output layer has a matrix of its own.
    """
    sizes = {name: getattr(model, name) for name in model.arguments}
    if model.tied:
        sizes["tied"] = False
    layers = model.layers_of(**sizes).items()
    return {name: layer for name, layer in layers if layer.shapes}


def _with_output_matrix(
    layout: Layout, layers: dict[str, Any], weights, places: dict[str, Place]
):
    """The weights; if a tied layer's matrix is absent, the embedding replaces it."""
    name = places["output"].name(layout.output_matrix)
    (short,) = layout.expected(layers["embedding"])
    table = weights.get(places["embedding"].name(short))
    if name in weights or not isinstance(table, np.ndarray):
        return weights
    matrix = layout.outward(layers["output"], {"W": table.T, "b": table})[
        layout.output_matrix
    ]
    return {**weights, name: matrix}
