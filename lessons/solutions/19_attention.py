"""19. Attention: solutions."""

import numpy as np

from minilstm.reference.functions import softmax


def attention(q, a, lengths, Wq, Wa, b, v):
    real = np.arange(len(a))[:, None] < lengths
    u = np.tanh(q @ Wq + a @ Wa + b)
    e = np.where(real, u @ v, -np.inf).T
    p = softmax(e)
    context = np.einsum("bs,sba->ba", p, a)
    return context, u, p


def attention_backward(dcontext, cache, Wq, Wa, v):
    q, a, u, p = cache
    dp = np.einsum("ba,sba->bs", dcontext, a)
    de = p * (dp - (p * dp).sum(axis=1, keepdims=True))
    du = de.T[:, :, None] * v
    dz = du * (1 - u**2)
    dq = dz.sum(axis=0) @ Wq.T  # q is read at every s
    da = p.T[:, :, None] * dcontext + dz @ Wa.T  # a is used twice
    dWq = q.T @ dz.sum(axis=0)
    dWa = np.einsum("sba,sbk->ak", a, dz)
    db = dz.sum(axis=(0, 1))
    dv = np.einsum("bs,sbk->k", de, u)
    return dq, da, dWq, dWa, db, dv


def over_time(step_backward, dh, caches, S):
    T, B, H = dh.shape
    dh_next, dc_next, da = np.zeros((B, H)), np.zeros((B, H)), 0
    for t in reversed(range(T)):
        dh_prev, dc_next, dq, da_t = step_backward(dh[t] + dh_next, dc_next, caches[t])
        dh_next = dh_prev + dq
        da = da + da_t
    return (dh_next, dc_next), da
