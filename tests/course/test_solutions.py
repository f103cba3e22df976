"""The solutions, which say what is right, compute what the package computes."""

import itertools
from collections import Counter

import numpy as np
import pytest

from minilstm import CharTokenizer, LanguageModel, optim, reference
from minilstm.course import Case
from minilstm.course.compare import difference
from minilstm.course.mistakes import Solutions
from minilstm.data import pairs
from minilstm.layers import Embedding
from minilstm.reference.functions import softmax
from minilstm.reference.gru import GRUStepCache
from minilstm.reference.pooling import pool_forward
from minilstm.reference.sequence import lstm_sequence_backward
from tests.helpers.exercises import exercise


def pad(sequences, eos):
    """One number at a time."""
    lengths = np.array([len(ids) for ids in sequences])
    inputs, targets = np.zeros((2, lengths.max(), len(sequences)), int)
    for b, ids in enumerate(sequences):
        for t, id_ in enumerate(ids):
            inputs[t, b] = id_
            targets[t, b] = ids[t + 1] if t + 1 < len(ids) else eos
    return inputs, targets, lengths


def embed_backward(ids, dx, dW):
    layer = Embedding(*dW.shape)
    _, cache = layer.forward({"W": np.zeros_like(dW)}, ids)
    return layer.backward({"W": np.zeros_like(dW)}, dx, cache, {"W": dW.copy()}, add=True)["W"]


def adam_step(theta, g, m, v, t, *constants):
    theta, state = optim.adam_step(theta, g, optim.AdamState(m, v, t), *constants)
    return theta, state.m, state.v, state.t


def momentum_step(theta, g, u, rate, momentum):
    theta, state = optim.sgd_step(theta, g, optim.SGDState(u, 0), rate, momentum, False)
    return theta, state.velocity


def clip(grads, max_norm):
    flat = np.concatenate([g.ravel() for g in grads.values()])
    norm = np.linalg.norm(flat)
    if np.isfinite(norm):
        optim.clip(flat, None, max_norm)
    ends = np.cumsum([g.size for g in grads.values()])[:-1]
    parts = zip(grads.items(), np.split(flat, ends))
    return {name: part.reshape(g.shape) for (name, g), part in parts}, norm


def batch_loss(logits, targets, lengths):
    loss, cache = reference.softmax_cross_entropy(logits, targets, lengths)
    return loss, reference.softmax_cross_entropy_backward(cache)


def beam_search(log_p, length, width):
    """All texts, if the beam is as wide as they are many; else the solution's own."""
    if width < 4**length:
        return None
    texts = [((), 0.0)]
    for _ in range(length):
        longer = [[((*ids, k), total + more) for k, more in enumerate(log_p(ids))]
                  for ids, total in texts if not ids or ids[-1] != 0]
        texts = [*itertools.chain(*longer), *(text for text in texts if text[0] and text[0][-1] == 0)]
    return sorted(texts, key=lambda text: -text[1])[:width]


def next_characters(sentences, prefix):
    total = sum(p for sentence, p in sentences.items() if sentence.startswith(prefix))
    found = Counter()
    for sentence, p in sentences.items():
        if sentence[: len(prefix)] == prefix:
            found["".join(sentence[len(prefix) : len(prefix) + 1])] += p / total
    return dict(found)


def gru_step_backward(dh, cache, Wx, Wh):
    dx, dh_prev, grads = reference.gru_step_backward(dh, cache, Wx, Wh)
    return dx, dh_prev, *grads


def gru_state_backward(dh, h_prev, r, z, n, q, Wh):
    cache = GRUStepCache(np.zeros((len(dh), 1)), h_prev, r, z, n, q)
    return reference.gru_step_backward(dh, cache, np.zeros((1, Wh.shape[1])), Wh)[1]


def best_unit(c, y):
    r = np.corrcoef(c.T, y)[-1, :-1]
    k = np.nanargmax(np.abs(r))
    return k, r[k]


def attention(q, a, lengths, *parameters):
    context, cache = reference.attention_forward(q, a, lengths, *parameters)
    return context, None, cache.p


def attention_backward(dcontext, cache, Wq, Wa, v):
    q, a, u, p = cache
    dq, da, grads = reference.attention_backward(dcontext, (q, a, u, None, p), Wq, Wa, v)
    return dq, da, *grads


def classifier(h, lengths, labels, W, b):
    """The loss, and its gradients by the complex step."""
    rows, values = np.arange(len(labels)), [h, W, b]

    def loss(h, W, b):
        a = h[lengths - 1, rows] @ W + b
        return np.mean(np.log(np.exp(a).sum(axis=1)) - a[rows, labels])

    gradients = [np.zeros(value.shape) for value in values]
    for k, gradient in enumerate(gradients):
        for index in np.ndindex(gradient.shape):
            moved = [value.astype(complex) for value in values]
            moved[k][index] += 1e-100j
            gradient[index] = loss(*moved).imag / 1e-100
    return loss(*values), *gradients


def in_two_parts(backward, dh, dstate, caches, Wx, Wh, cut):
    return lstm_sequence_backward(dh, dstate, caches, Wx, Wh)


def weights_over_time(x, h0, h, dz):
    before = np.concatenate([h0[None], h[:-1]])
    table = lambda a: np.einsum("tbi,tbj->ij", a, dz)
    return table(x), table(before), dz.sum(axis=(0, 1))


def captioner(dh, caches, v, Wx, Wh, W_h, W_c):
    zeros = np.zeros_like(dh[0])
    _, (dh0, dc0), _ = lstm_sequence_backward(dh, (zeros, zeros), caches, Wx, Wh)
    return dh0 @ W_h.T + dc0 @ W_c.T, v.T @ dh0, dh0.sum(axis=0), v.T @ dc0, dc0.sum(axis=0)


ORACLES = {
    (1, "make_ids"): lambda texts: {char: k for k, char in enumerate(CharTokenizer.fit(texts).tokens, start=1)},
    (1, "pad"): pad,
    (2, "lstm_step"): lambda *arguments: reference.lstm_step(*arguments)[:2],
    (3, "lstm_step_backward"): reference.lstm_step_backward,
    (5, "weights_over_time"): weights_over_time,
    (5, "in_two_parts"): in_two_parts,
    (5, "lstm_sequence_backward"): lstm_sequence_backward,
    (6, "gradients_back"): lambda w, h: [np.prod(w * (1 - h[len(h) - k :] ** 2)) for k in range(len(h))],
    (6, "gru_state_backward"): gru_state_backward,
    (7, "embed"): lambda ids, W: Embedding(*W.shape).forward({"W": W}, ids)[0],
    (7, "embed_backward"): embed_backward,
    (8, "log_sum_exp"): lambda a: np.logaddexp.reduce(a, axis=-1, keepdims=True),
    (8, "batch_loss"): batch_loss,
    (9, "momentum_step"): momentum_step,
    (9, "clip_by_global_norm"): clip,
    (9, "adam_step"): adam_step,
    (10, "next_characters"): next_characters,
    (11, "temperature"): lambda a, tau: softmax(a / tau),
    (11, "beam_search"): beam_search,
    (13, "parameters"): lambda cell, layers, H, V, E: LanguageModel(V, E, H, layers, cell).parameters.flat.size,
    (13, "gru_step"): lambda *arguments: reference.gru_step(*arguments)[0],
    (13, "gru_step_backward"): gru_step_backward,
    (14, "best_unit"): best_unit,
    (16, "pool"): lambda h, lengths, kind: pool_forward(h, lengths, kind)[0],
    (16, "loss_and_gradients"): classifier,
    (17, "teacher_forcing"): pairs.teacher_forcing,
    (17, "back_to_the_vector"): captioner,
    (18, "teacher_forcing"): pairs.teacher_forcing,
    (19, "attention"): attention,
    (19, "attention_backward"): attention_backward,
}


@pytest.mark.parametrize("number, name", ORACLES)
@pytest.mark.filterwarnings("ignore:invalid value")  # of a unit that never changes
def test_a_solution_computes_what_the_package_computes(number, name):
    (task,) = (task for task in exercise(number).tasks if task.name == name)
    solution = Solutions(exercise(number).solutions).right(name)
    compared = 0
    cases = zip(task.cases(np.random.default_rng(1)), task.cases(np.random.default_rng(1)))
    for mine, theirs in cases:
        mine, theirs = (case.arguments if isinstance(case, Case) else case for case in (mine, theirs))
        right = ORACLES[number, name](*theirs)
        if right is None:
            continue
        got = solution(*mine)
        parts = zip(got, right) if isinstance(right, tuple) else [(got, right)]
        for part, wanted in parts:
            if wanted is not None:
                compared += 1
                assert not difference(name, part, wanted, 1e-9)
    assert compared
