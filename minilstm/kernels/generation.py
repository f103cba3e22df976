"""Generation as one compiled loop: logits, a draw for each text, the next input.

    (1)  logits = h W + b                    h of the highest layer, after all so far
    (2)  id drawn from logits                see ``sampling.py``
    (3)  a text whose id is the end token has ended
    (4)  h, c of all layers after the id     one step of each layer's cell

In Python each of these is one or more calls for every token. For one text those calls
take far longer than the arithmetic. Texts that have ended are not computed any more:
the others move up, so that they are always the first rows of h and c. Rows do not
depend on each other, so a text does not depend on its neighbours.

Letters: V vocabulary, E embedding, D width of the first layer's input (E, or V for
one-hot), H hidden, L layers, C columns of a layer's matrices (4 H, 3 H or H, by the
cell), B texts, R rows that are computed together, T steps.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minilstm.kernels.compile import kernel
from minilstm.kernels.gru import gru_step
from minilstm.kernels.lstm import lstm_step
from minilstm.kernels.product import multiply
from minilstm.kernels.rnn import rnn_step
from minilstm.kernels.sampling import draw, weigh


class Weights(NamedTuple):
    """A model's parameters; equal ones of all layers are in one array.

    So the loop is compiled once for any number of layers.
    """

    table: np.ndarray  # (V, E) of the embedding; (0, 0) for one-hot input
    Wx_first: np.ndarray  # (D, C)
    Wx: np.ndarray  # (L - 1, H, C) of the layers above the first
    Wh: np.ndarray  # (L, H, C)
    b: np.ndarray  # (L, C); a GRU's bx
    W_out: np.ndarray  # (H, V)
    b_out: np.ndarray  # (V,)


class Choice(NamedTuple):
    """How to draw."""

    temperature: float
    top_k: int  # V: any
    top_p: float  # inf: any
    forbidden: np.ndarray  # (F,) ids that are never drawn
    end: int  # the id that ends a text


class Work(NamedTuple):
    """Arrays to compute in."""

    x: np.ndarray  # (R, E)
    z: np.ndarray  # (R, C)
    zh: np.ndarray  # (R, C)
    spare: np.ndarray  # (R, H)
    logits: np.ndarray  # (R, V)
    a: np.ndarray  # (V,) float64
    heap: np.ndarray  # (V,) integers
    w: np.ndarray  # (V,) float64


@kernel
def generate(weights, bh, choice, u, texts, h, c, work, ids):
    """Write ids (T, B) from uniform numbers u (T, B); stop when all texts have ended.

    texts (B,) are the columns of u and ids that the rows of h and c (L, B, H) belong
    to: all that still go on, and the arrays come out such that the same can be said of
    their first rows. Returns how many steps were taken, and how many texts still go on.
    Only an LSTM has a c, and only a GRU a bh (L, C); for other cells None stands there,
    by which the compiler knows at once which cell it is, and leaves out the others.
    """
    R, n = work.z.shape[0], texts.size
    for t in range(u.shape[0]):
        for first in range(0, n, R):
            rows = min(R, n - first)
            out = work.logits[:rows]
            multiply(h[-1, first : first + rows], weights.W_out, out)      # (1)
            for r in range(rows):
                text = texts[first + r]
                logits = work.logits[r]                                    # (1), (2):
                ids[t, text] = choose(logits, weights.b_out, choice, u[t, text], work)
        n = move_up(ids[t], choice.end, texts[:n], h, c)                   # (3)
        if n == 0:
            return t + 1, 0
        for first in range(0, n, R):
            rows = min(R, n - first)
            group = texts[first : first + rows]
            read(weights, bh, ids[t], group, first, h, c, work)            # (4)
    return u.shape[0], n


@kernel
def choose(logits, b_out, choice, u, work):
    """(1), (2): an id for one text."""
    a = work.a
    for v in range(a.size):
        a[v] = logits[v] + b_out[v]                                        # (1)
    for v in choice.forbidden:
        a[v] = -np.inf
    weigh(a, choice.temperature, choice.top_k, choice.top_p, work.heap, work.w)
    return draw(work.w, u)                                                 # (2)


@kernel
def move_up(ids, end, texts, h, c):
    """(3): rows of texts that go on replace those that ended; return their number."""
    n = 0
    for r in range(texts.size):
        if ids[texts[r]] != end:
            if n < r:
                texts[n] = texts[r]
                for layer in range(h.shape[0]):
                    copy(h[layer, r], h[layer, n])
                    if c is not None:
                        copy(c[layer, r], c[layer, n])
            n += 1
    return n


@kernel
def read(weights, bh, ids, texts, first, h, c, work):
    """(4): the states of some rows after each has read the id of its text."""
    rows, one_hot = texts.size, weights.table.size == 0
    x, z, zh, spare = work.x[:rows], work.z[:rows], work.zh[:rows], work.spare[:rows]
    source, vectors = (weights.Wx_first, z) if one_hot else (weights.table, x)
    for r in range(rows):
        copy(source[ids[texts[r]]], vectors[r])
    for layer in range(h.shape[0]):
        now, b = slice(first, first + rows), weights.b[layer]
        if layer > 0 or not one_hot:
            below = x if layer == 0 else h[layer - 1, now]
            Wx = weights.Wx_first if layer == 0 else weights.Wx[layer - 1]
            multiply(below, Wx, z)
        multiply(h[layer, now], weights.Wh[layer], zh)
        if c is not None:
            lstm_step(zh, b, c[layer, now], z, c[layer, now], spare, h[layer, now])
        elif bh is not None:
            gru_step(zh, b, bh[layer], h[layer, now], z, spare, h[layer, now])
        else:
            rnn_step(zh, b, z)
            for r in range(rows):
                copy(z[r], h[layer, first + r])


@kernel
def copy(row, to):
    """Assign a row. An assignment of a whole row takes NumPy seconds to compile."""
    for j in range(row.size):
        to[j] = row[j]
