"""A model of characters, put together from a learner's own functions.

    (1)  x = embed(ids)                            exercise 7
    (2)  h[t], c[t] = lstm_step(x[t], h[t-1], c[t-1])      exercise 2, with its gates
    (3)  a = h Wy + by                             ours: logits, a dense layer
    (4)  loss, da = batch_loss(a)                  exercise 8

Backward goes the same way in reverse. (3) is ours again. ``lstm_sequence_backward`` is
exercise 5 and calls ``lstm_step_backward`` of exercise 3; ``embed_backward`` is exercise
7. Then ``clip_by_global_norm`` and ``adam_step`` of exercise 9 update the parameters.
Only what no exercise asks for is ours: random weights, the loop over time, the output
layer, and the draw of the next character.

Letters: T time steps, B headlines, V characters, D and H the widths of x and h.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields

import numpy as np

from minilstm.data.batches import Batch
from minilstm.reference.generate import distribution, draw
from minilstm.reference.lstm import LSTMStepCache

Params = dict[str, np.ndarray]
Moments = dict[str, tuple[np.ndarray, np.ndarray, int]]  # m, v and t of Adam


@dataclass(frozen=True)
class OwnFunctions:
    """The learner's functions that the model calls; signatures as in the exercises."""

    gates: Callable
    lstm_step: Callable
    lstm_sequence_backward: Callable
    embed: Callable
    embed_backward: Callable
    batch_loss: Callable
    clip_by_global_norm: Callable
    adam_step: Callable

    def wrapped(self, wrap: Callable[[Callable], Callable]) -> OwnFunctions:
        """The same functions, each as ``wrap`` returns it."""
        return OwnFunctions(*(wrap(getattr(self, f.name)) for f in fields(self)))


def initial_parameters(
    V: int, D: int, H: int, forget_bias: float, rng: np.random.Generator
) -> Params:
    """Random weights, with the names of ``reference/language_model.py``."""
    normal = lambda rows, columns: rng.normal(0, rows**-0.5, (rows, columns))
    return {
        "embedding.W": rng.normal(0, 1, (V, D)),
        "lstm0.Wx": normal(D, 4 * H),
        "lstm0.Wh": normal(H, 4 * H),
        "lstm0.b": np.repeat([0.0, forget_bias, 0.0, 0.0], H),  # (4H,): i, f, g, o
        "output.W": normal(H, V),
        "output.b": np.zeros(V),
    }


def initial_moments(params: Params) -> Moments:
    """Adam's m, v and t before the first training step."""
    return {name: (np.zeros_like(W), np.zeros_like(W), 0) for name, W in params.items()}


def forward(
    own: OwnFunctions, params: Params, inputs: np.ndarray
) -> tuple[np.ndarray, np.ndarray, list[LSTMStepCache]]:
    """From ids (T, B) to logits (T, B, V), h (T, B, H), and the cache of each step."""
    We, Wx, Wh, b, Wy, by = params.values()
    h = c = np.zeros((inputs.shape[1], len(Wh)))  # (B, H)
    hs, caches = [], []
    for x in own.embed(inputs, We):  # (1): (B, D), one time step
        h_prev, c_prev = h, c
        h, c = own.lstm_step(x, h_prev, c_prev, Wx, Wh, b)  # (2)
        i, f, g, o = own.gates(x @ Wx + h_prev @ Wh + b)  # (2), for the cache
        caches.append(LSTMStepCache(x, h_prev, c_prev, i, f, g, o, np.tanh(c)))
        hs.append(h)
    return np.stack(hs) @ Wy + by, np.stack(hs), caches  # (3)


def loss_and_gradients(
    own: OwnFunctions, params: Params, batch: Batch
) -> tuple[float, Params]:
    """Mean loss of a mini-batch in nats, and the gradient of every parameter."""
    We, Wx, Wh, b, Wy, by = params.values()
    logits, h, caches = forward(own, params, batch.inputs)
    loss, da = own.batch_loss(logits, batch.targets, batch.lengths)  # (4)
    dWy = np.einsum("tbh,tbv->hv", h, da)  # (3)
    dby = da.sum(axis=(0, 1))  # (3)
    dh = da @ Wy.T  # (3): (T, B, H)
    end = np.zeros(dh.shape[1:])  # (B, H): nothing comes after the last step
    dx, _, dW = own.lstm_sequence_backward(dh, (end, end), caches, Wx, Wh)  # (2)
    dWe = own.embed_backward(batch.inputs, dx, np.zeros_like(We))  # (1)
    return float(loss), dict(zip(params, (dWe, *dW, dWy, dby)))


def train_step(
    own: OwnFunctions,
    params: Params,
    moments: Moments,
    batch: Batch,
    rate: float,
    beta2: float = 0.999,
) -> tuple[float, Params, Moments]:
    """One step: the loss before it, the new parameters, and Adam's new m, v and t."""
    loss, grads = loss_and_gradients(own, params, batch)
    grads, _ = own.clip_by_global_norm(grads, 1.0)
    steps = {
        name: own.adam_step(params[name], g, *moments[name], rate, 0.9, beta2)
        for name, g in grads.items()
    }
    new = {name: theta for name, (theta, *_) in steps.items()}
    return loss, new, {name: (m, v, t) for name, (_, m, v, t) in steps.items()}


def mean_loss(own: OwnFunctions, params: Params, batches: Iterable[Batch]) -> float:
    """The loss over all real characters of some mini-batches."""
    total, count = 0.0, 0
    for batch in batches:
        logits, *_ = forward(own, params, batch.inputs)
        loss, _ = own.batch_loss(logits, batch.targets, batch.lengths)
        N = int(np.sum(np.asarray(batch.lengths)))
        total, count = total + loss * N, count + N
    return total / count


def write(
    own: OwnFunctions,
    params: Params,
    first: np.ndarray,
    length: int,
    temperature: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Ids (length, B) that go on from the ids ``first`` (B,)."""
    We, Wx, Wh, b, Wy, by = params.values()
    h = c = np.zeros((len(first), len(Wh)))  # (B, H)
    ids, written = first, []
    for _ in range(length):
        h, c = own.lstm_step(own.embed(ids, We), h, c, Wx, Wh, b)
        ids = draw(distribution(h @ Wy + by, temperature), rng)
        written.append(ids)
    return np.stack(written)
