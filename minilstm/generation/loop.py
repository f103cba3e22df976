"""Generation by the compiled loop of ``kernels/generation.py``: what it is handed, and its random numbers.

The loop takes uniform numbers; they are drawn for many steps at once, in the order in which the steps would draw them. When
all texts end before those numbers are used up, the generator is put back and draws only as many as the steps that were
taken, so that it stands where it would stand if every step had drawn for itself.

The steps are taken in chunks of about a tenth of a second, so that what was written can be shown, and the loop be stopped,
between two of them. The size of the chunks changes no number.

Letters: V vocabulary, H hidden, L layers, C columns of a layer's matrices, B texts, T steps.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from minilstm import kernels
from minilstm.errors import InputError
from minilstm.kernels.generation import Choice, Weights, Work
from minilstm.models.language_model import CELLS, LanguageModel, States
from minilstm.parallel.ownership import shares_model

STEPS_AT_ONCE = 256  # at most, in a chunk
LEAST_STEPS = 16  # in a chunk of many texts, for handing chunks on takes time, too
WORK_AT_ONCE = 2**28  # multiplications in a chunk, which take about a tenth of a second
ROWS_TOGETHER = 16  # so many rows of all gates stay in the processor's nearest memory


def weights_of(model: LanguageModel) -> Weights:
    """The parameters as the loop takes them. They are copied, which takes about as long as one or two symbols do."""
    parameters = model.parameters
    layers = [parameters.layer(f"{model.cell}{k}") for k in range(model.layers)]
    Wx_above = np.empty((model.layers - 1, *layers[0]["Wh"].shape), model.dtype)  # (L - 1, H, C)
    for k, layer in enumerate(layers[1:]):
        Wx_above[k] = layer["Wx"]
    return Weights(
        table=np.empty((0, 0), model.dtype) if model.embedding is None else parameters["embedding.W"],
        Wx_first=layers[0]["Wx"],
        Wx=Wx_above,
        Wh=np.stack([layer["Wh"] for layer in layers]),
        b=np.stack([layer[CELLS[model.cell].biases[0]] for layer in layers]),
        W_out=np.ascontiguousarray(parameters["embedding.W"].T) if model.tied else parameters["output.W"],
        b_out=parameters["output.b"],
    )


def bh_of(model: LanguageModel) -> np.ndarray | None:
    """(L, C), which only a GRU has."""
    return np.stack([model.parameters[f"gru{k}.bh"] for k in range(model.layers)]) if model.cell == "gru" else None


def work_for(model: LanguageModel, rows: int) -> Work:
    """Arrays to compute so many rows in."""
    V, H, C = model.vocab_size, model.hidden, CELLS[model.cell].gates * model.hidden
    room = lambda width: np.empty((rows, width), model.dtype)
    x, z, zh, spare, logits = room(model.embedding or 0), room(C), room(C), room(H), room(V)
    return Work(x, z, zh, spare, logits, a=np.empty(V), heap=np.empty(V, np.int64), w=np.empty(V))


@shares_model
def write(model: LanguageModel, state: States, length: int, choice: Choice, rng: np.random.Generator) -> np.ndarray:
    """Ids (T, B) from a state, at most ``length`` steps; fewer when all texts have ended. After its end a text is all ends."""
    return np.concatenate(list(write_in_chunks(model, state, length, choice, rng)))


def write_in_chunks(
    model: LanguageModel, state: States, length: int, choice: Choice, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """What ``write`` returns, in chunks of some steps, each when it is asked for. The model must stay as it is meanwhile."""
    if model.dtype.kind == "c":
        raise InputError(f"a model in {model.dtype} is for checking gradients and cannot write; take one in float32 or float64")
    B = len(state[0][0])
    weights, bh, work = weights_of(model), bh_of(model), work_for(model, min(B, ROWS_TOGETHER))
    h = np.stack([layer[0] for layer in state])  # (L, B, H)
    c = np.stack([layer[1] for layer in state]) if model.cell == "lstm" else None  # (L, B, H)
    texts, chunk = np.arange(B), steps_at_once(model, B)
    for start in range(0, length, chunk):
        before, steps = rng.bit_generator.state, min(chunk, length - start)
        u = rng.random((steps, B))
        ids = np.full(u.shape, choice.end)  # (T, B)
        with model.shared():
            taken, going = kernels.generation.generate(weights, bh, choice, u, texts, h, c, work, ids)
        texts = texts[:going]
        if going == 0:
            rng.bit_generator.state = before
            rng.random((taken, B))
        yield ids[:taken]
        if going == 0:
            return


def steps_at_once(model: LanguageModel, B: int) -> int:
    """In a chunk: a step multiplies by every parameter once for each text."""
    return min(STEPS_AT_ONCE, max(LEAST_STEPS, WORK_AT_ONCE // (B * model.parameters.flat.size)))


def choice_of(
    V: int, temperature: float, top_k: int | None, top_p: float | None, greedy: bool, forbidden: Sequence[int], end: int
) -> Choice:
    """How to draw, as numbers that the loop can do without asking what is left out. The likeliest is the first of the top 1."""
    if greedy:
        temperature, top_k, top_p = 1.0, 1, None
    return Choice(
        float(temperature),
        V if top_k is None else int(top_k),
        math.inf if top_p is None else float(top_p),
        np.array(forbidden, np.int64),
        int(end),
    )
