"""PyTorch's layout: transposed matrices, and two biases for each recurrent layer.

For layer k of L, with the gates in rows: G = 4 of an LSTM (i, f, g, o), 3 of a GRU (r,
z, n), 1 of an RNN:

    (1)  weight_ih_l{k} (G·H, D) = Wxᵀ         weight_hh_l{k} (G·H, H) = Whᵀ
    (2)  bias_ih_l{k}, bias_hh_l{k} (G·H,)     bx, bh of a GRU
    (3)  bias_ih_l{k} + bias_hh_l{k} = b       of an LSTM or RNN; exported: b and zeros
    (4)  embedding.weight (V, E) = W
         linear.weight (V, H) = Wᵀ,  linear.bias (V,) = b

Source: the documentation of ``torch.nn.LSTM``, ``GRU`` and ``RNN`` (PyTorch 2.13).
The reverse direction of a bidirectional layer has the suffix ``_l{k}_reverse``. Additive
attention and ``proj_size`` do not exist on both sides and are refused. Do not load an
RNN that was trained with ``nonlinearity="relu"``: its arrays do not show it. The arrays
are the same with ``batch_first=True``.

The state of an LSTM is (h, c) in both. PyTorch stacks the layers:
``h0 = np.stack([h for h, c in state])``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minilstm.errors import InputError
from minilstm.interop.fit import Expected
from minilstm.interop.layout import (
    Arrays,
    Layout,
    Place,
    export,
    export_model,
    load_model,
    take,
)
from minilstm.layers import Embedding, Recurrent
from minilstm.layers.stack import REVERSE
from minilstm.models import Captioner, EncoderDecoder, Model


def to_torch(
    model: Model,
    rnn: str | None = None,
    embedding: str = "embedding",
    output: str = "linear",
) -> Arrays:
    """All parameters of a model, with the names and shapes of a PyTorch ``state_dict``.

    Parameters
    ----------
    rnn : name of the recurrent module, which holds all layers; the model's cell if left
        out: ``lstm``, ``gru`` or ``rnn``.
    embedding, output : names of the embedding, where there is one, and of the output
        layer.

    An EncoderDecoder has the modules ``source_embedding``, ``encoder``,
    ``target_embedding``, ``decoder`` and ``linear``. InputError for a model with
    attention and for a Captioner, which PyTorch's layers do not make.

    A tied matrix comes out under both of its names. Into PyTorch it goes by
    ``module.load_state_dict({name: torch.from_numpy(a) for name, a in
    to_torch(model).items()})``.

    >>> from minilstm import LanguageModel
    >>> model = LanguageModel(9, embedding=5, hidden=4)
    >>> for name, array in to_torch(model, output="head").items():
    ...     print(name, array.shape)
    embedding.weight (9, 5)
    lstm.weight_ih_l0 (16, 5)
    lstm.weight_hh_l0 (16, 4)
    lstm.bias_ih_l0 (16,)
    lstm.bias_hh_l0 (16,)
    head.weight (9, 4)
    head.bias (9,)
    """
    return export_model(TORCH, model, _places(model, rnn, embedding, output))


def load_torch(
    model: Model,
    weights: Mapping[str, np.ndarray],
    rnn: str | None = None,
    embedding: str = "embedding",
    output: str = "linear",
) -> None:
    """Copy a ``state_dict`` of NumPy arrays into a model of the same cell and sizes.

    All of it is copied, or nothing.

    Parameters
    ----------
    weights : by name, as ``{name: t.detach().cpu().numpy() for name, t in
        module.state_dict().items()}`` makes them; in the dtype of the model. Of a tied
        model, the output layer's weight may be left out.
    rnn, embedding, output : as for ``to_torch``.

    Raises InputError where a name is missing or too many, a shape is another layout's
    or model's, or numbers are not finite.

    >>> from minilstm import LanguageModel
    >>> model = LanguageModel(9, hidden=4, layers=2, seed=1)
    >>> copy = LanguageModel(9, hidden=4, layers=2, seed=2)
    >>> load_torch(copy, to_torch(model))
    >>> bool((model.parameters.flat == copy.parameters.flat).all())
    True
    """
    load_model(TORCH, model, weights, _places(model, rnn, embedding, output))


def stack_to_torch(
    layers: Sequence[Recurrent], params: Sequence[Mapping[str, np.ndarray]]
) -> Arrays:
    """A stack of recurrent layers as the ``state_dict`` of one LSTM, GRU or RNN.

    >>> from minilstm import LSTM
    >>> layers = [LSTM(3, 2), LSTM(2, 2)]
    >>> params = [layer.init(np.random.default_rng(0)) for layer in layers]
    >>> list(stack_to_torch(layers, params))[3:6]
    ['bias_hh_l0', 'weight_ih_l1', 'weight_hh_l1']
    """
    stack = _stack(layers)
    if not isinstance(params, (list, tuple)) or len(params) != len(stack):
        raise InputError(
            f"params must be a list of {len(stack)} dictionaries of arrays, one for"
            " each layer"
        )
    return export(TORCH, stack, dict(zip(stack, params)), _stack_places(stack))


def stack_from_torch(
    layers: Sequence[Recurrent], weights: Mapping[str, np.ndarray]
) -> list[Arrays]:
    """The way back: the layers' parameters, in the dtype of the weights.

    Raises as ``load_torch`` does.
    """
    stack = _stack(layers)
    return list(take(TORCH, stack, weights, _stack_places(stack)).values())


def _expected(layer: Any) -> dict[str, Expected]:
    if isinstance(layer, Embedding):
        return {"weight": Expected(layer.shapes["W"], "(V, E)")}
    if not isinstance(layer, Recurrent):
        V, H = layer.output_size, layer.input_size
        return {
            "weight": Expected((V, H), "(V, H)", known={(H, V): TRANSPOSED}),
            "bias": Expected((V,), "(V,)"),
        }
    D, H, GH = layer.input_size, layer.hidden_size, layer.gates * layer.hidden_size
    letters = f"{layer.gates}H" if layer.gates > 1 else "H"
    owner = f"{'an' if layer.gates != 3 else 'a'} {type(layer).__name__}"
    bias = Expected((GH,), f"({letters},)", owner)
    return {
        "weight_ih": Expected((GH, D), f"({letters}, D)", owner, {(D, GH): TRANSPOSED}),
        "weight_hh": Expected((GH, H), f"({letters}, H)", owner, recurrent=True),
        "bias_ih": bias,
        "bias_hh": bias,
    }


def _outward(layer: Any, params: Mapping[str, np.ndarray]) -> Arrays:
    if isinstance(layer, Embedding):
        return {"weight": params["W"]}  # (4)
    if not isinstance(layer, Recurrent):
        return {"weight": params["W"].T, "bias": params["b"]}  # (4)
    if len(layer.biases) == 2:
        bias_ih, bias_hh = params["bx"], params["bh"]  # (2)
    else:
        bias_ih, bias_hh = params["b"], np.zeros_like(params["b"])  # (3)
    # (1)
    return {
        "weight_ih": params["Wx"].T,
        "weight_hh": params["Wh"].T,
        "bias_ih": bias_ih,
        "bias_hh": bias_hh,
    }


def _inward(layer: Any, weights: Arrays) -> Arrays:
    if isinstance(layer, Embedding):
        return {"W": weights["weight"]}  # (4)
    if not isinstance(layer, Recurrent):
        return {"W": weights["weight"].T, "b": weights["bias"]}  # (4)
    matrices = {"Wx": weights["weight_ih"].T, "Wh": weights["weight_hh"].T}  # (1)
    bias_ih, bias_hh = weights["bias_ih"], weights["bias_hh"]
    if len(layer.biases) == 2:
        return {**matrices, "bx": bias_ih, "bh": bias_hh}  # (2)
    # (3); -0.0 + 0.0 would be 0.0
    return {**matrices, "b": np.where(bias_hh == 0, bias_ih, bias_ih + bias_hh)}


TRANSPOSED = "which is that of Keras; load_keras or layer_from_keras read it"
TORCH = Layout("PyTorch", _expected, _outward, _inward, "weight")


def _places(
    model: Model, rnn: str | None, embedding: str, output: str
) -> dict[str, Place]:
    """Where PyTorch keeps each layer of a model."""
    if isinstance(model, Captioner) or getattr(model, "attention", None) is not None:
        raise InputError(
            "PyTorch has no additive attention, and no bridge from a vector to a state;"
            " of an EncoderDecoder without attention, a Classifier, a Tagger or a"
            " LanguageModel it has all layers"
        )
    dot = lambda prefix: f"{prefix}." if prefix else ""
    places = {"output": Place(dot(output))}
    if isinstance(model, EncoderDecoder):
        for side, part in (("source", "encoder"), ("target", "decoder")):
            places[f"{side}.embedding"] = Place(dot(f"{side}_{embedding}"))
            places |= _of_stack(model, f"{part}.", dot(part))
    else:
        places["embedding"] = Place(dot(embedding))
        places |= _of_stack(model, "", dot(model.cell if rnn is None else rnn))
    return places


def _of_stack(model: Model, ours: str, theirs: str) -> dict[str, Place]:
    """The places of recurrent layers ``{ours}lstm0``, ``{ours}lstm0_reverse`` …"""
    return {
        f"{ours}{model.cell}{k}{suffix}": Place(theirs, f"_l{k}{suffix}")
        for k in range(model.layers)
        for suffix in ("", REVERSE)
    }


def _stack(layers: Sequence[Recurrent]) -> dict[str, Recurrent]:
    """The layers by number, if PyTorch could have them: of one kind, one on another."""
    fits = (
        isinstance(layers, (list, tuple))
        and len(layers) > 0
        and all(isinstance(layer, Recurrent) for layer in layers)
    )
    if fits:
        first = layers[0]
        fits = all(
            layer == type(first)(first.hidden_size, first.hidden_size)
            for layer in layers[1:]
        )
    if not fits:
        raise InputError(
            "layers must be a list of LSTM, GRU or RNN layers of one kind and one"
            " hidden size, each of which takes what the"
            f" one before shows, as [LSTM(3, 8), LSTM(8, 8)]; not {layers!r}"
        )
    return {str(k): layer for k, layer in enumerate(layers)}


def _stack_places(stack: dict[str, Recurrent]) -> dict[str, Place]:
    return {k: Place("", f"_l{k}") for k in stack}
