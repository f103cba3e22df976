"""3. One step backward.

Fill in the blanks, each a `...`, in your own copy of this file:
lessons/my/03_one_step_backward.py. Leave the one in lessons/exercises blank.

    minilstm exercise 3           make the copy, the first time, and grade it
    minilstm exercise 3 --hint    a hint, when you are stuck
    minilstm exercise 3 --reset   begin again; what you wrote is kept beside it

dX stands for dLoss/dX and has the shape of X. All arrays are (B, H), unless another
shape is given.
"""

import numpy as np


def cell_state_gradient(dh, dc_next, o, tanh_c):
    """Task 1. The gradient of the loss with respect to c: returns dc (B, H).

    c is used twice: in h = o tanh(c), equation (6), and by the next step, which reads
    it. dc_next is the part of the gradient that comes from the next step.
    """
    return ...


def pre_activation_gradient(dh, dc, c_prev, i, f, g, o, tanh_c):
    """Task 2. The gradient of the pre-activations: returns dz (B, 4H).

    dc is the complete gradient of task 1. First compute the gradients of the gates and
    the candidate, equations (6) and (4). Then go through sigmoid and tanh, equations
    (2), (1), (3) and (5). i, f, g and o are values after sigmoid and tanh. The blocks
    of dz are i, f, g, o.
    """
    do = ...
    di = ...
    df = ...
    dg = ...
    dzi = ...
    dzf = ...
    dzg = ...
    dzo = ...
    return np.concatenate([dzi, dzf, dzg, dzo], axis=1)


def lstm_step_backward(dh, dc_next, cache, Wx, Wh):
    """Task 3. The whole step backward: returns (dx, dh_prev, dc_prev, (dWx, dWh, db)).

    x and dx are (B, D), Wx (D, 4H), Wh (H, 4H), b (4H,). The gradients of the weights
    are sums over the mini-batch. `cell_state_gradient` and `pre_activation_gradient`
    may help.
    """
    x, h_prev, c_prev, i, f, g, o, tanh_c = cache
    dc = ...
    dc_prev = ...
    dz = ...
    dx = ...
    dh_prev = ...
    dWx = ...
    dWh = ...
    db = ...
    return dx, dh_prev, dc_prev, (dWx, dWh, db)


if __name__ == "__main__":
    from minilstm.course import grade

    grade(__file__)
