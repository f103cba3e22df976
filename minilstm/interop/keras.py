"""Keras's layout: matrices lie as ours do; the blocks of a GRU stand in another order.

    (1)  kernel (D, G·H) = Wx       recurrent_kernel (H, G·H) = Wh       bias (G·H,) = b
    (2)  GRU: bias (2, 3H), rows bx and bh; blocks z, r, h, where ours are r, z, n
    (3)  embeddings (V, E) = W      dense layer: kernel (H, V) = W,      bias (V,) = b

LSTM: i, f, c, o, which are our i, f, g, o. GRU: with ``reset_after=True``, as is the
default; a GRU with ``reset_after=False``, whose bias is (3H,), computes something else
and is refused. Source: ``keras/src/layers/rnn/lstm.py``, ``gru.py`` and
``simple_rnn.py`` of Keras 3.

Names are a layer's name, a slash, and the weight's own name, as one line makes them of
a Keras model:

    weights = {f"{layer.name}/{w.name}": w.numpy() for layer in keras_model.layers for w
    in layer.weights}

or its ``w.path``, by saying what stands before the last slash:
``rnn=["sequential/lstm/lstm_cell"]``.
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
from minilstm.models.language_model import LanguageModel

KERAS_NAMES = {"lstm": "lstm", "gru": "gru", "rnn": "simple_rnn"}


def to_keras(
    model: LanguageModel,
    rnn: str | Sequence[str] | None = None,
    embedding: str = "embedding",
    output: str = "dense",
) -> Arrays:
    """All parameters of a model, as the layers of a Keras model hold them.

    Parameters
    ----------
    rnn : names of the recurrent layers, one each; if left out those that Keras gives:
        ``lstm``, ``lstm_1``, …, or ``gru`` …, or ``simple_rnn`` ….
    embedding, output : names of the embedding, if there is one, and the output layer.

    A tied matrix comes out under both of its names. Into Keras they go by
    ``w.assign(weights[f"{layer.name}/{w.name}"])`` for each ``w`` in ``layer.weights``.

    >>> model = LanguageModel(9, embedding=5, hidden=4, cell="gru")
    >>> for name, array in to_keras(model).items():
    ...     print(name, array.shape)
    embedding/embeddings (9, 5)
    gru/kernel (5, 12)
    gru/recurrent_kernel (4, 12)
    gru/bias (2, 12)
    dense/kernel (4, 9)
    dense/bias (9,)
    """
    return export_model(KERAS, model, _places(model, rnn, embedding, output))


def load_keras(
    model: LanguageModel,
    weights: Mapping[str, np.ndarray],
    rnn: str | Sequence[str] | None = None,
    embedding: str = "embedding",
    output: str = "dense",
) -> None:
    """Copy the weights of a Keras model into a model of the same cell and sizes.

    All of them are copied, or none.

    Parameters
    ----------
    weights : by name (see above), in the dtype of the model. Of a tied model, the
        output layer's kernel may be missing.
    rnn, embedding, output : as for ``to_keras``.

    Raises InputError where a name is missing or too many, a shape is another layout's
    or model's, or numbers are not finite.

    >>> model = LanguageModel(9, hidden=4, layers=2, seed=1)
    >>> copy = LanguageModel(9, hidden=4, layers=2, seed=2)
    >>> names = ["below", "above"]
    >>> load_keras(copy, to_keras(model, rnn=names), rnn=names)
    >>> bool((model.parameters.flat == copy.parameters.flat).all())
    True
    """
    load_model(KERAS, model, weights, _places(model, rnn, embedding, output))


def layer_to_keras(layer: Recurrent, params: Mapping[str, np.ndarray]) -> Arrays:
    """One recurrent layer, as arrays by name, in the order of Keras.

    Into Keras: ``keras_layer.set_weights(list(arrays.values()))``.

    >>> from minilstm import LSTM
    >>> layer = LSTM(3, 2)
    >>> list(layer_to_keras(layer, layer.init(np.random.default_rng(0))))
    ['kernel', 'recurrent_kernel', 'bias']
    """
    return export(
        KERAS, {"layer": _recurrent(layer)}, {"layer": params}, {"layer": Place()}
    )


def layer_from_keras(layer: Recurrent, weights: Mapping[str, np.ndarray]) -> Arrays:
    """The way back: the parameters of a layer, in the dtype of the weights.

    ``weights`` is ``dict(zip(["kernel", "recurrent_kernel", "bias"],
    keras_layer.get_weights()))``. Raises as ``load_keras`` does.
    """
    return take(KERAS, {"layer": _recurrent(layer)}, weights, {"layer": Place()})[
        "layer"
    ]


def _expected(layer: Any) -> dict[str, Expected]:
    if isinstance(layer, Embedding):
        return {"embeddings": Expected(layer.shapes["W"], "(V, E)")}
    if not isinstance(layer, Recurrent):
        V, H = layer.output_size, layer.input_size
        return {
            "kernel": Expected((H, V), "(H, V)", known={(V, H): TRANSPOSED}),
            "bias": Expected((V,), "(V,)"),
        }
    D, H, GH = layer.input_size, layer.hidden_size, layer.gates * layer.hidden_size
    letters = f"{layer.gates}H" if layer.gates > 1 else "H"
    owner = f"{'an' if layer.gates != 3 else 'a'} {type(layer).__name__}"
    if len(layer.biases) == 2:
        bias = Expected((2, GH), f"(2, {letters})", owner, {(GH,): RESET_BEFORE})
    else:
        bias = Expected((GH,), f"({letters},)", owner)
    return {
        "kernel": Expected((D, GH), f"(D, {letters})", owner, {(GH, D): TRANSPOSED}),
        "recurrent_kernel": Expected((H, GH), f"(H, {letters})", owner, recurrent=True),
        "bias": bias,
    }


def _outward(layer: Any, params: Mapping[str, np.ndarray]) -> Arrays:
    if isinstance(layer, Embedding):
        return {"embeddings": params["W"]}  # (3)
    if not isinstance(layer, Recurrent):
        return {"kernel": params["W"], "bias": params["b"]}  # (3)
    if len(layer.biases) == 1:
        # (1)
        return {
            "kernel": params["Wx"],
            "recurrent_kernel": params["Wh"],
            "bias": params["b"],
        }
    arrays = {
        "kernel": params["Wx"],
        "recurrent_kernel": params["Wh"],
        "bias": np.stack([params["bx"], params["bh"]]),
    }
    return {short: swap_first_blocks(array) for short, array in arrays.items()}  # (2)


def _inward(layer: Any, weights: Arrays) -> Arrays:
    if isinstance(layer, Embedding):
        return {"W": weights["embeddings"]}  # (3)
    if not isinstance(layer, Recurrent):
        return {"W": weights["kernel"], "b": weights["bias"]}  # (3)
    if len(layer.biases) == 1:
        # (1)
        return {
            "Wx": weights["kernel"],
            "Wh": weights["recurrent_kernel"],
            "b": weights["bias"],
        }
    # (2)
    Wx, Wh, (bx, bh) = (
        swap_first_blocks(weights[short])
        for short in ("kernel", "recurrent_kernel", "bias")
    )
    return {"Wx": Wx, "Wh": Wh, "bx": bx, "bh": bh}


def swap_first_blocks(array: np.ndarray) -> np.ndarray:
    """z, r, h to r, z, h and back: of three blocks, the first two change places."""
    first, second, third = np.split(array, 3, axis=-1)
    return np.concatenate([second, first, third], axis=-1)


TRANSPOSED = "which is that of PyTorch; load_torch or stack_from_torch read it"
RESET_BEFORE = (
    "that of a GRU with reset_after=False, which computes something else;"
    " only reset_after=True can be read"
)
KERAS = Layout("Keras", _expected, _outward, _inward, "kernel")


def _places(
    model: LanguageModel, rnn: str | Sequence[str] | None, embedding: str, output: str
) -> dict[str, Place]:
    name = KERAS_NAMES[model.cell]
    if rnn is None:
        rnn = [name, *(f"{name}_{k}" for k in range(1, model.layers))]
    elif isinstance(rnn, str):
        rnn = [rnn]
    if len(rnn) != model.layers:
        raise InputError(
            f"rnn must have one name for each of {model.layers} layers, not {len(rnn)}:"
            f" {list(rnn)}"
        )
    places = {"embedding": embedding, "output": output} | {
        f"{model.cell}{k}": prefix for k, prefix in enumerate(rnn)
    }
    return {layer: Place(f"{prefix}/") for layer, prefix in places.items()}


def _recurrent(layer: Recurrent) -> Recurrent:
    if not isinstance(layer, Recurrent):
        raise InputError(f"layer must be an LSTM, GRU or RNN layer, not {layer!r}")
    return layer
