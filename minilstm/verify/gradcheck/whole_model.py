"""The gradient check of a whole model: all parameters, and a language model's states.

``shapes.py`` has the models of other shapes: classifiers, taggers, encoder-decoders and
captioners. The dropout mask is the same at every evaluation.

The compiled engine itself computes the loss, in float64 for differences and in
complex128 for a complex step, with padding and different lengths in the batch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minilstm.checks import check_seed, check_size
from minilstm.errors import InputError
from minilstm.models.batch import Batch
from minilstm.models.language_model import LanguageModel, States
from minilstm.models.build import CELLS
from minilstm.models.model import Model
from minilstm.verify.gradcheck.check import check_gradients
from minilstm.verify.gradcheck.report import GradientCheck
from minilstm.verify.gradcheck.shapes import BATCHES, check_shape


def check_model(
    model: Model,
    batch: Any,
    state: States | None = None,
    *,
    method: str = "complex",
    tolerance: float | None = None,
    seed: int = 0,
) -> GradientCheck:
    """Check the gradients of all parameters, and of a language model's initial states.

    The initial states are rows of the table: ``lstm0.h0``, ``lstm0.c0``, ``gru0.h0`` …
    So are a captioner's ``vectors``.

    Parameters
    ----------
    model : LanguageModel, Classifier, Tagger, EncoderDecoder or Captioner
        Of dtype float64. It is not changed.
    batch : mini-batch
        Of the model's kind; for a language model, ``Batch``.
    state : tuple of states, optional
        Initial state of each layer of a language model, (B, H) arrays. Default: random.
        Other models take none.
    method, tolerance, seed
        As in ``check_gradients``.

    Returns
    -------
    GradientCheck
        True if every gradient is right. It prints as a table.

    Raises
    ------
    InputError
        If the model is not of float64; and as ``check_gradients``.
    """
    of_language = isinstance(model, LanguageModel) and isinstance(batch, Batch)
    if not of_language and type(model) not in BATCHES:
        raise InputError("check_model takes a LanguageModel and a Batch")
    if model.dtype != np.float64:
        raise InputError(
            f"a gradient check needs a model of dtype float64, not {model.dtype};"
            f" {type(model).__name__}(…, dtype=float)"
        )
    if not isinstance(model, LanguageModel):
        if state is not None:
            raise InputError("only a language model takes an initial state")
        return check_shape(model, batch, method=method, tolerance=tolerance, seed=seed)
    rng = np.random.default_rng([check_seed("seed", seed), 1])
    model.loss(batch, state)  # reports what does not fit
    B = np.shape(batch.inputs)[1]
    if state is None:
        state = tuple(
            tuple(rng.standard_normal(zeros.shape) for zeros in layer)
            for layer in model.zero_state(B)
        )
    parts = CELLS[model.cell].state_parts
    names = [f"{model.cell}{k}.{part}0" for k in range(model.layers) for part in parts]
    initial = dict(zip(names, (array for layer in state for array in layer)))
    models = {
        np.dtype(dtype): _copy_of(model, dtype) for dtype in (np.float64, np.complex128)
    }

    def arranged(params):
        """A model in the dtype of the parameters, with their values, and the states."""
        ours = models[np.result_type(*params.values())]
        for name, view in ours.parameters.items():
            view[...] = params[name]
        arrays = [params[name].astype(ours.dtype) for name in names]
        return ours, tuple(zip(*(arrays[k :: len(parts)] for k in range(len(parts)))))

    def dropout_rng():
        return np.random.default_rng([seed, 2])

    def loss(params):
        ours, states = arranged(params)
        return ours.loss(batch, states, dropout_rng())[0]

    def gradients(params):
        ours, states = arranged(params)
        _, grads, _, dstates = ours.loss_and_gradients(batch, states, dropout_rng())
        return {
            **grads,
            **dict(zip(names, (array for layer in dstates for array in layer))),
        }

    params = {**model.parameters, **initial}
    return check_gradients(
        loss, params, gradients, method=method, tolerance=tolerance, seed=seed
    )


def random_case(
    vocab_size: int,
    embedding: int | None,
    hidden: int,
    layers: int,
    steps: int,
    batch_size: int,
    cell: str = "lstm",
    seed: int = 0,
    dropout: float = 0.0,
    tied: bool = False,
) -> tuple[LanguageModel, Batch]:
    """A float64 model with random weights, and a batch of random ids and lengths."""
    rng = np.random.default_rng(check_seed("seed", seed))
    check_size("steps", steps), check_size("batch_size", batch_size)
    model = LanguageModel(
        vocab_size, embedding, hidden, layers, cell, dropout, tied, dtype=np.float64
    )
    model.parameters.flat[:] = rng.normal(0, 0.6, model.parameters.flat.size)
    lengths = rng.integers(1, steps + 1, batch_size)
    lengths[0] = steps
    ids = rng.integers(0, vocab_size, (2, steps, batch_size))
    return model, Batch(ids[0], ids[1], lengths)


def _copy_of(model: LanguageModel, dtype) -> LanguageModel:
    return LanguageModel(**model.sizes() | {"dtype": dtype})
