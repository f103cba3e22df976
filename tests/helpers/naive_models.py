"""Models of several parts in plain Python numbers: layers in both directions, attention, an encoder and a decoder, pooling.

It imports ``naive.py`` and nothing of minilstm. One sequence at a time, without padding: nothing here knows of lengths.
Arguments are nested lists, or anything indexable; results are lists.
"""

import math

from tests.helpers import naive


def bidirectional(xs, state, reverse_state, weights, reverse_weights, sequence=naive.lstm_sequence):
    """One sequence xs (T, D): h (T, 2H), and the final state, each part of it of 2H numbers."""
    hs, *final = sequence(list(xs), *state, *weights)
    turned, *reverse_final = sequence(list(xs)[::-1], *reverse_state, *reverse_weights)
    return [[*h, *r] for h, r in zip(hs, turned[::-1])], [[*f, *r] for f, r in zip(final, reverse_final)]


def stack(xs, layers, sequence=naive.lstm_sequence):
    """Layers from zero states: the top layer's h, each final state. A layer is (weights, those in reverse or None)."""
    parts = 2 if sequence is naive.lstm_sequence else 1
    finals = []
    for weights, reverse_weights in layers:
        zeros = [[0.0] * len(weights[1])] * parts
        if reverse_weights is None:
            xs, *final = sequence(xs, *zeros, *weights)
        else:
            xs, final = bidirectional(xs, zeros, zeros, weights, reverse_weights, sequence)
        finals.append(final)
    return xs, finals


def pool(hs, kind):
    """One vector from h (T, H)."""
    columns = list(zip(*hs))
    if kind == "last":
        return list(hs[-1])
    return [sum(column) / len(column) if kind == "mean" else max(column) for column in columns]


def attention(q, annotations, Wq, Wa, b, v):
    """One query q (H) at annotations (S, A): the context (A), the scores (S), the weights (S)."""
    scores = []
    for a in annotations:
        score = 0.0
        for k in range(len(v)):
            z = b[k]
            for j in range(len(q)):
                z += q[j] * Wq[j][k]
            for j in range(len(a)):
                z += a[j] * Wa[j][k]
            score += v[k] * math.tanh(z)
        scores.append(score)
    powers = [math.exp(score) for score in scores]
    p = [power / sum(powers) for power in powers]
    context = [sum(p[s] * annotations[s][j] for s in range(len(p))) for j in range(len(annotations[0]))]
    return context, scores, p


def attention_lstm(xs, annotations, h, c, Wx, Wh, b, Wc, *looks):
    """One sequence xs (T, D): h (T, H), the final h and c, and the weights of attention (T, S). ``looks``: Wq, Wa, b, v."""
    hs, weights = [], []
    for x in xs:
        context, _, p = attention(h, annotations, *looks)
        h, c, _ = naive.lstm_step([*x, *context], h, c, [*Wx, *Wc], Wh, b)
        hs.append(h)
        weights.append(p)
    return hs, h, c, weights


def decoder_nats(y, states, start, end, table, layers, W, b, annotations=None, looks=None, sequence=naive.lstm_sequence):
    """The nats of all tokens of a text y and of its end: given the true tokens before, and the initial state of each layer.

    ``layers``: the weights of each; ``looks``: Wc, Wq, Wa, b, v of attention in layer 0, or none.
    """
    xs = [table[k] for k in [start, *y]]
    for k, (weights, state) in enumerate(zip(layers, states)):
        if looks is not None and k == 0:
            xs, *_ = attention_lstm(xs, annotations, *state, *weights, *looks)
        else:
            xs, *_ = sequence(xs, *state, *weights)
    return [naive.cross_entropy(naive.dense(x, W, b), target)[0] for x, target in zip(xs, [*y, end])]


def encoder_decoder_nats(source, y, start, end, source_table, encoder, sequence, *decoder, looks=None, reverse_source=False):
    """The nats of a target's tokens and end, after a source; ``decoder``: table, layers, W, b."""
    read = list(source)[::-1] if reverse_source else source
    annotations, states = stack([source_table[k] for k in read], encoder, sequence)
    return decoder_nats(y, states, start, end, *decoder, annotations, looks, sequence)
