"""The gradient check of a whole language model, from ids to loss: every parameter and every initial state.

Dropout, where the model has some, leaves out the same numbers at every evaluation: it is then as fixed as the weights.

The loss is computed by the compiled engine itself, in float64 for differences and in complex128 for a complex step, with
padding and different lengths in the batch.
"""

from __future__ import annotations

import numpy as np

from minilstm.checks import check_seed, check_size
from minilstm.errors import InputError
from minilstm.models.batch import Batch
from minilstm.models.language_model import CELLS, LanguageModel, States
from minilstm.verify.gradcheck.check import check_gradients
from minilstm.verify.gradcheck.report import GradientCheck


def check_model(
    model: LanguageModel,
    batch: Batch,
    state: States | None = None,
    *,
    method: str = "complex",
    tolerance: float | None = None,
    seed: int = 0,
) -> GradientCheck:
    """Check the gradients of all parameters and of the initial states, which are rows ``lstm0.h0``, ``lstm0.c0``, ``gru0.h0`` …

    Parameters
    ----------
    model : of dtype float64; it is not changed.
    batch : inputs (T, B), targets (T, B), lengths (B,).
    state : the state to begin from, a tuple for each layer; random if left out.
    method, tolerance, seed : as in ``check_gradients``.
    """
    if not isinstance(model, LanguageModel) or not isinstance(batch, Batch):
        raise InputError("check_model takes a LanguageModel and a Batch")
    if model.dtype != np.float64:
        raise InputError(f"a gradient check needs a model of dtype float64, not {model.dtype}; LanguageModel(…, dtype=float)")
    rng = np.random.default_rng([check_seed("seed", seed), 1])
    model.loss(batch, state)  # whatever does not fit is named here
    B = np.shape(batch.inputs)[1]
    if state is None:
        state = tuple(tuple(rng.standard_normal(zeros.shape) for zeros in layer) for layer in model.zero_state(B))
    parts = CELLS[model.cell].state_parts
    names = [f"{model.cell}{k}.{part}0" for k in range(model.layers) for part in parts]
    initial = dict(zip(names, (array for layer in state for array in layer)))
    twins = {np.dtype(dtype): _twin(model, dtype) for dtype in (np.float64, np.complex128)}

    def arranged(params):
        """The twin of the dtype that the parameters have, with these parameters, and the states."""
        twin = twins[np.result_type(*params.values())]
        for name, view in twin.parameters.items():
            view[...] = params[name]
        arrays = [params[name].astype(twin.dtype) for name in names]
        return twin, tuple(zip(*(arrays[k :: len(parts)] for k in range(len(parts)))))

    def noise():
        return np.random.default_rng([seed, 2])

    def loss(params):
        twin, states = arranged(params)
        return twin.loss(batch, states, noise())[0]

    def gradients(params):
        twin, states = arranged(params)
        _, grads, _, dstates = twin.loss_and_gradients(batch, states, noise())
        return {**grads, **dict(zip(names, (array for layer in dstates for array in layer)))}

    params = {**model.parameters, **initial}
    return check_gradients(loss, params, gradients, method=method, tolerance=tolerance, seed=seed)


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
    """A float64 model with random weights and biases, and a batch of random ids of different lengths."""
    rng = np.random.default_rng(check_seed("seed", seed))
    check_size("steps", steps), check_size("batch_size", batch_size)
    model = LanguageModel(vocab_size, embedding, hidden, layers, cell, dropout, tied, dtype=np.float64)
    model.parameters.flat[:] = rng.normal(0, 0.6, model.parameters.flat.size)
    lengths = rng.integers(1, steps + 1, batch_size)
    lengths[0] = steps
    ids = rng.integers(0, vocab_size, (2, steps, batch_size))
    return model, Batch(ids[0], ids[1], lengths)


def _twin(model: LanguageModel, dtype) -> LanguageModel:
    return LanguageModel(**model.sizes() | {"dtype": dtype})
