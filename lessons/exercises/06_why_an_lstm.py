"""6. Why an LSTM.

Fill in the blanks, each a `...`, in your own copy of this file:
lessons/my/06_why_an_lstm.py. Leave the one in lessons/exercises blank.

    minilstm exercise 6           make the copy, the first time, and grade it
    minilstm exercise 6 --hint    a hint, when you are stuck
    minilstm exercise 6 --reset   begin again; what you wrote is kept beside it
"""

import numpy as np


def gradients_back(w, h):
    """Task 1. The gradients of a simple RNN of one number, over all distances.

    h (k + 1,) has its states: h[0] is the initial state, and for t from 1 to k
    h[t] = tanh(w h[t-1] + x[t]). Returns (k + 1,): entry j is dh[k] / dh[k-j]. Entry 0
    is 1, the derivative of h[k] with respect to itself.
    """
    factors = ...  # (k,): the factor of the gradient in each of the steps 1 to k, equation (1)
    return np.concatenate([[1.0], np.cumprod(...)])


def forget_bias(steps, share):
    """Task 2. The bias b of a forget gate f = σ(b) that leaves a given fraction of dc.

    `share`, between 0 and 1, is the fraction of dc that is left after `steps` steps
    along the cell state alone, equation (4): f to the power of `steps` is `share`.
    """
    return ...


def gru_state_backward(dh, h_prev, r, z, n, q, Wh):
    """Task 3. One step of a GRU backward, to its state: dh (B, H) to dh_prev (B, H).

        (1)  r = σ(… + h_prev Wh_r + …)
        (2)  z = σ(… + h_prev Wh_z + …)
        (3)  q = h_prev Wh_n + bh_n
        (4)  n = tanh(… + r ⊙ q)
        (5)  h = (1 - z) ⊙ n + z ⊙ h_prev

    The equations are those of minilstm/reference/gru.py; the dots stand for terms
    without h_prev. h_prev, r, z, n and q (B, H) are the numbers of the forward step;
    Wh (H, 3H) has the blocks r, z, n. h_prev is used in four of the equations. So there
    are four paths from dh to dh_prev, and their gradients add.
    """
    dah = ...  # (B, 3H): dLoss/d(h_prev Wh), in blocks r, z, n
    return ...


if __name__ == "__main__":
    from minilstm.course import grade

    grade(__file__)
