"""Additive attention: a weighted mean of vectors, with weights that a query decides.

A query q, a decoder's hidden state, looks at the annotations a[s], an encoder's output
at each step s of the source. Every step gets a score, and the scores become weights:

    (1)  u[s] = tanh(q Wq + a[s] Wa + b)
    (2)  e[s] = u[s] · v                           scores
    (3)  p = softmax(e), over the real s           attention weights, 0 at the padding
    (4)  context = Σ_s p[s] a[s]

Backward, the softmax (3) mixes the scores: if p[s] grows, the others must shrink.

    (5)  de[s] = p[s] (dp[s] - Σ_r p[r] dp[r])

Bahdanau, Cho and Bengio, Neural machine translation by jointly learning to align and
translate (2015, arXiv:1409.0473), appendix A.1.2, where there is no bias b.

Shapes: q (B, H), a (S, B, A), lengths (B,) of the source, each at least 1; Wq (H, K),
Wa (A, K), b and v (K,); u (S, B, K), e and p (B, S), context (B, A).
Backward, dX is dLoss/dX, shaped like X; a line names the equation it differentiates.
"""

from typing import NamedTuple

import numpy as np

from minilstm.reference.functions import softmax
from minilstm.reference.padding import clear_padding, real_steps


class AttentionCache(NamedTuple):
    """What backward needs, and the scores."""

    q: np.ndarray  # (B, H)
    a: np.ndarray  # (S, B, A), zeros at the padding
    u: np.ndarray  # (S, B, K)
    e: np.ndarray  # (B, S), -∞ at the padding
    p: np.ndarray  # (B, S)


class AttentionGrads(NamedTuple):
    """Gradients of the parameters."""

    Wq: np.ndarray  # (H, K)
    Wa: np.ndarray  # (A, K)
    b: np.ndarray  # (K,)
    v: np.ndarray  # (K,)


def attention_forward(
    q, a, lengths, Wq, Wa, b, v
) -> tuple[np.ndarray, AttentionCache]:
    """From a query (B, H) and annotations (S, B, A) to the context (B, A), a cache."""
    a = clear_padding(a, lengths)
    u = np.tanh(q @ Wq + a @ Wa + b)               # (1), (S, B, K)
    e = np.where(real_steps(len(a), lengths), u @ v, -np.inf).T  # (2), (B, S)
    p = softmax(e)                                 # (3), (B, S)
    context = np.einsum("bs,sba->ba", p, a)        # (4), (B, A)
    return context, AttentionCache(q, a, u, e, p)


def attention_backward(
    dcontext, cache: AttentionCache, Wq, Wa, v
) -> tuple[np.ndarray, np.ndarray, AttentionGrads]:
    """From dcontext (B, A) back to (dq, da) and the gradients of the parameters."""
    q, a, u, _, p = cache
    dp = np.einsum("ba,sba->bs", dcontext, a)      # (4), (B, S)
    da = np.einsum("bs,ba->sba", p, dcontext)      # (4), (S, B, A)
    de = p * (dp - np.sum(p * dp, axis=1, keepdims=True))  # (3) by (5), (B, S)
    du = de.T[..., None] * v                       # (2), (S, B, K)
    dv = np.einsum("bs,sbk->k", de, u)             # (2)
    dz = du * (1 - u**2)                           # (1), of the tanh's argument
    dz_q = dz.sum(axis=0)                          # (1), (B, K): q is read at every s
    dq = dz_q @ Wq.T                               # (1)
    da = da + dz @ Wa.T                            # (1): a is read twice, (1) and (4)
    dWq = q.T @ dz_q                               # (1)
    dWa = np.einsum("sba,sbk->ak", a, dz)          # (1)
    db = dz_q.sum(axis=0)                          # (1)
    return dq, da, AttentionGrads(dWq, dWa, db, dv)
