"""19. Attention.

Fill in the blanks, each a `...`, in your own copy of this file:
lessons/my/19_attention.py. Leave the one in lessons/exercises blank.

    minilstm exercise 19           make the copy, the first time, and grade it
    minilstm exercise 19 --hint    a hint, when you are stuck
    minilstm exercise 19 --reset   begin again; what you wrote is kept beside it

Shapes: q (B, H), a (S, B, A), lengths (B,) of the source, each at least 1; Wq (H, K),
Wa (A, K), b and v (K,); u (S, B, K), p (B, S), context (B, A). dX stands for dLoss/dX
and has the shape of X.
"""

import numpy as np

from minilstm.reference.functions import softmax


def attention(q, a, lengths, Wq, Wa, b, v):
    """Task 1. Additive attention, by equations (1) to (4): returns (context, u, p).

    `softmax` works over the last axis. At the padding the weights are 0. Whatever
    numbers stand there in a, the context must not depend on them.
    """
    real = ...  # (S, B), True at the real steps
    u = ...                                                     # (1)
    e = ...                                                     # (2)
    p = ...                                                     # (3)
    context = ...                                               # (4)
    return context, u, p


def attention_backward(dcontext, cache, Wq, Wa, v):
    """Task 2. The same backward: (dq, da, dWq, dWa, db, dv), by (5) among others.

    dcontext (B, A) is dLoss/dcontext. The cache is (q, a, u, p); a is 0 at the padding.
    dz is the gradient of the argument of the tanh in (1).
    """
    q, a, u, p = cache
    dp = ...                                                    # (4), (B, S)
    de = ...                                                    # (3), by (5), (B, S)
    du = ...                                                    # (2), (S, B, K)
    dz = ...                                                    # (1), (S, B, K)
    dq = ...                                                    # (1)
    da = ...                                                    # (1) and (4)
    dWq = ...                                                   # (1)
    dWa = ...                                                   # (1)
    db = dz.sum(axis=(0, 1))                                    # (1)
    dv = np.einsum("bs,sbk->k", de, u)                          # (2)
    return dq, da, dWq, dWa, db, dv


def over_time(step_backward, dh, caches, S):
    """Task 3. Backward through all steps of the target: returns (dstate, da).

    step_backward : step_backward(dh, dc, cache) goes backward through one step of an
        LSTM with attention. dh is the whole gradient of the h of this step, dc that of
        its c from the step after it. It returns (dh_prev, dc_prev, dq, da): dh_prev and
        dc_prev through the LSTM alone, dq of the query and da (S, B, A) of the
        annotations through attention alone. The query is h_prev.
    dh : (T, B, H), the gradients of the outputs. Nothing else reads the final state.
    caches : T caches, one a step.
    dstate : (dh0, dc0), the gradient of the initial state.
    da : (S, B, A), the gradient of the annotations, which every step reads.
    """
    T, B, H = dh.shape
    dh_next, dc_next, da = ...
    for t in ...:
        ...
    return (dh_next, dc_next), da


if __name__ == "__main__":
    from minilstm.course import grade

    grade(__file__)
