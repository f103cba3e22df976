"""6. Why an LSTM.

Fill in the blanks, each a `...`, in your own copy of this file:
lessons/my/06_why_an_lstm.py. Leave the one in lessons/exercises blank.

    minilstm exercise 6           make the copy, the first time, and grade it
    minilstm exercise 6 --hint    a hint, when you are stuck
    minilstm exercise 6 --reset   begin again; what you wrote is kept beside it
"""

import numpy as np


def gradients_back(w, h):
    """Task 1. All gradients of a simple RNN of one number: (k + 1,), of which entry j is dh[k] / dh[k-j].

    h (k + 1,) are its states: h[t] = tanh(w h[t-1] + x[t]) for t from 1 to k. Entry 0 is 1, for h[k] is itself.
    """
    factors = ...  # (k,): by what each of the steps 1 to k multiplies the gradient, equation (1)
    return np.concatenate([[1.0], np.cumprod(...)])


def forget_bias(steps, share):
    """Task 2. The bias b of a forget gate f = σ(b) that leaves this share of dc, 0 < share < 1, after so many steps.

    Along the cell state alone, as in equation (4): f to the power of `steps` is `share`.
    """
    return ...


def gru_state_backward(dh, h_prev, r, z, n, q, Wh):
    """Task 3. One step of a GRU backward, to its state: from dh (B, H) to dh_prev (B, H).

        (1)  r = σ(… + h_prev Wh_r + …)
        (2)  z = σ(… + h_prev Wh_z + …)
        (3)  q = h_prev Wh_n + bh_n
        (4)  n = tanh(… + r ⊙ q)
        (5)  h = (1 - z) ⊙ n + z ⊙ h_prev

    The equations are those of minilstm/reference/gru.py; the dots stand for what h_prev has no part in. h_prev, r, z, n and q
    (B, H) are what the step computed; Wh (H, 3H) is in blocks r, z, n. h_prev stands in four of the equations: dh comes back
    to it on four ways, which add up.
    """
    dah = ...  # (B, 3H): dLoss/d(h_prev Wh), in blocks r, z, n
    return ...


if __name__ == "__main__":
    from minilstm.course import grade

    grade(__file__)
