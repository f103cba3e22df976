"""Additive attention at one time step, as loops over the source's real steps.

Equations (1), (3), (4) and (5) of ``minilstm/reference/attention.py``. The scores (2) are
a product, u v, between the two kernels of the forward direction.

Shapes: q (n, K), keys (B, S, K), u (B, S, K), e and p (n, S), a (B, S, A), context (n, A),
v (K,), lengths (B,) of the sources. Of B sequences, the first n are computed.
"""

import numpy as np

from minilstm.kernels.activations import tanh_in_place
from minilstm.kernels.compile import kernel


@kernel
def tanh_of_keys(q, keys, lengths, u):
    """(1): u = tanh(q + keys), with keys = a Wa + b; zeros at the padding."""
    n, K = q.shape
    for r in range(n):
        query = q[r]
        for s in range(lengths[r]):
            row, key = u[r, s], keys[r, s]
            for k in range(K):
                row[k] = query[k] + key[k]                                 # (1)
            tanh_in_place(row)
        for s in range(lengths[r], u.shape[1]):
            u[r, s] = 0


@kernel
def attend(e, a, lengths, p, context):
    """(3), (4): from scores to weights, zeros at the padding, and the context."""
    n, A = context.shape
    for r in range(n):
        m = e[r, 0].real
        for s in range(1, lengths[r]):
            m = max(m, e[r, s].real)
        total = 0 * e[r, 0]
        for s in range(lengths[r]):
            p[r, s] = np.exp(e[r, s] - m)
            total += p[r, s]
        for s in range(lengths[r]):
            p[r, s] /= total                                               # (3)
        for s in range(lengths[r], p.shape[1]):
            p[r, s] = 0
        mean = context[r]
        mean[:] = 0
        for s in range(lengths[r]):
            weight, row = p[r, s], a[r, s]
            for j in range(A):
                mean[j] += weight * row[j]                                 # (4)


@kernel
def attend_backward(dcontext, dp, p, u, lengths, v, da, dkeys, dq, dv):
    """From dcontext (n, A) and dp (n, S): adds to da, dkeys and dv, and writes dq (n, K).

    u is overwritten.
    """
    n, A = dcontext.shape
    K = v.size
    one = v.dtype.type(1)
    for r in range(n):
        mean = p[r, 0] * dp[r, 0]
        for s in range(1, lengths[r]):
            mean += p[r, s] * dp[r, s]
        dquery, dmean = dq[r], dcontext[r]
        dquery[:] = 0
        for s in range(lengths[r]):
            weight, drow = p[r, s], da[r, s]
            for j in range(A):
                drow[j] += weight * dmean[j]                               # (4)
            de = weight * (dp[r, s] - mean)                                # (5)
            row, dkey = u[r, s], dkeys[r, s]
            for k in range(K):
                dv[k] += de * row[k]                                       # (2)
            for k in range(K):
                row[k] = de * v[k] * (one - row[k] * row[k])               # (2), (1)
            for k in range(K):
                dkey[k] += row[k]                                          # (1)
            for k in range(K):
                dquery[k] += row[k]                                        # (1)
