"""Calls the compiled generation loop of ``kernels/generation.py``.

It generates the same ids from the same random numbers as
``minilstm.reference.generate``. The uniform numbers of many time steps are drawn at
once, in the order of the steps. If all texts end early, the generator is set back and
draws only the numbers that were used. So it ends in the same state as if each step had
drawn its own.

A chunk of time steps takes about a tenth of a second. Between chunks, text can be shown
and the loop be stopped. The size of the chunks does not change the result.

Letters: V vocabulary, H hidden, L layers, C columns of a layer's matrices, B texts, T
time steps.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from minilstm import kernels
from minilstm.errors import InputError
from minilstm.kernels.generation import Choice, Weights, Work
from minilstm.models.language_model import LanguageModel, States
from minilstm.models.build import CELLS
from minilstm.parallel.ownership import shares_model

MOST_STEPS = 256  # time steps in a chunk
LEAST_STEPS = 16  # in a chunk of many texts, since each chunk costs some time
CHUNK_PRODUCTS = 2**28  # multiplications in a chunk: about a tenth of a second
ROWS_TOGETHER = 16  # texts at a time, so that their gates stay in the processor's cache


def weights_of(model: LanguageModel) -> Weights:
    """A copy of the parameters for the loop, in about the time of two tokens."""
    parameters = model.parameters
    layers = [parameters.layer(f"{model.cell}{k}") for k in range(model.layers)]
    Wx_above = np.empty(
        (model.layers - 1, *layers[0]["Wh"].shape), model.dtype
    )  # (L - 1, H, C)
    for k, layer in enumerate(layers[1:]):
        Wx_above[k] = layer["Wx"]
    return Weights(
        table=np.empty((0, 0), model.dtype)
        if model.embedding is None
        else parameters["embedding.W"],
        Wx_first=layers[0]["Wx"],
        Wx=Wx_above,
        Wh=np.stack([layer["Wh"] for layer in layers]),
        b=np.stack([layer[CELLS[model.cell].biases[0]] for layer in layers]),
        W_out=np.ascontiguousarray(parameters["embedding.W"].T)
        if model.tied
        else parameters["output.W"],
        b_out=parameters["output.b"],
    )


def bh_of(model: LanguageModel) -> np.ndarray | None:
    """The second biases of a GRU, (L, C); None for other cells."""
    return (
        np.stack([model.parameters[f"gru{k}.bh"] for k in range(model.layers)])
        if model.cell == "gru"
        else None
    )


def work_for(model: LanguageModel, rows: int) -> Work:
    """Buffers for the computation of ``rows`` texts."""
    V, H, C = model.vocab_size, model.hidden, CELLS[model.cell].gates * model.hidden
    room = lambda width: np.empty((rows, width), model.dtype)
    x, z, zh, spare, logits = (
        room(model.embedding or 0),
        room(C),
        room(C),
        room(H),
        room(V),
    )
    return Work(
        x,
        z,
        zh,
        spare,
        logits,
        a=np.empty(V),
        heap=np.empty(V, np.int64),
        w=np.empty(V),
    )


@shares_model
def write(
    model: LanguageModel,
    state: States,
    length: int,
    choice: Choice,
    rng: np.random.Generator,
) -> np.ndarray:
    """Ids that continue from a state.

    Parameters
    ----------
    state : state of each recurrent layer, (B, H) arrays; it is not changed.
    length : most time steps.
    choice : how to sample; see ``choice_of``.
    rng : draws B uniform numbers at each time step.

    Returns
    -------
    (T, B) with T at most ``length``; fewer if all texts have ended. After its
    end token, a text has only end tokens.

    Raises
    ------
    InputError : if the model is complex.
    InUseError : if another thread trains the model.
    """
    return np.concatenate(list(write_in_chunks(model, state, length, choice, rng)))


def write_in_chunks(
    model: LanguageModel,
    state: States,
    length: int,
    choice: Choice,
    rng: np.random.Generator,
) -> Iterator[np.ndarray]:
    """The same as ``write``, some time steps at a time; the model must not change."""
    if model.dtype.kind == "c":
        raise InputError(
            f"a model in {model.dtype} is for checking gradients and cannot generate; use float32 or float64"
        )
    B = len(state[0][0])
    weights, bh, work = (
        weights_of(model),
        bh_of(model),
        work_for(model, min(B, ROWS_TOGETHER)),
    )
    h = np.stack([layer[0] for layer in state])  # (L, B, H)
    c = (
        np.stack([layer[1] for layer in state]) if model.cell == "lstm" else None
    )  # (L, B, H)
    texts, chunk = np.arange(B), steps_of_chunk(model, B)
    for start in range(0, length, chunk):
        before, steps = rng.bit_generator.state, min(chunk, length - start)
        u = rng.random((steps, B))
        ids = np.full(u.shape, choice.end)  # (T, B)
        with model.shared():
            taken, going = kernels.generation.generate(
                weights, bh, choice, u, texts, h, c, work, ids
            )
        texts = texts[:going]
        if going == 0:
            rng.bit_generator.state = before
            rng.random((taken, B))
        yield ids[:taken]
        if going == 0:
            return


def steps_of_chunk(model: LanguageModel, B: int) -> int:
    """Time steps in a chunk. Each multiplies by every parameter once for each text."""
    return min(
        MOST_STEPS, max(LEAST_STEPS, CHUNK_PRODUCTS // (B * model.parameters.flat.size))
    )


def choice_of(
    V: int,
    temperature: float,
    top_k: int | None,
    top_p: float | None,
    greedy: bool,
    forbidden: Sequence[int],
    end: int,
) -> Choice:
    """How to sample, as numbers for the loop: never None, and greedy is top-k 1."""
    if greedy:
        temperature, top_k, top_p = 1.0, 1, None
    return Choice(
        float(temperature),
        V if top_k is None else int(top_k),
        math.inf if top_p is None else float(top_p),
        np.array(forbidden, np.int64),
        int(end),
    )
