"""9. Adam.

Fill in the blanks, each a `...`, in your own copy of this file:
lessons/my/09_adam.py. Leave the one in lessons/exercises blank.

    minilstm exercise 9           make the copy, the first time, and grade it
    minilstm exercise 9 --hint    a hint, when you are stuck
    minilstm exercise 9 --reset   begin again; what you wrote is kept beside it

The arguments belong to the caller: make new arrays, and do not change the old ones.
"""

import numpy as np


def momentum_step(theta, g, u, rate, momentum):
    """Task 1. A step of SGD with momentum: returns the new θ and the new u.

    (1)  u ← μ u - α g         the velocity; μ is `momentum`
    (2)  θ ← θ + u             numbered as in minilstm/optim/sgd.py

    α is `rate`, the learning rate. θ, g and u have the same shape.
    """
    u = ...
    theta = ...
    return theta, u


def clip_by_global_norm(grads, max_norm):
    """Task 2. Clip a dictionary of arrays by their global norm: returns (new, norm).

    Equation (2) of minilstm/optim/clipping.py. `norm` is the norm before clipping, over
    all arrays together. `new` has the names of `grads`. If the norm is
    above `max_norm`, all arrays are multiplied by the one factor that makes it
    `max_norm`. If not, they are unchanged. They are also unchanged if the norm is
    infinite or NaN, so that the problem stays visible.
    """
    norm = ...
    factor = ...
    return {name: ... for name in grads}, norm


def adam_step(theta, g, m, v, t, rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """Task 3. A step of Adam: returns the new (θ, m, v, t).

    Equations (1) to (4) of minilstm/optim/adam.py. θ, g, m and v have the same shape. t
    is the number of training steps so far: 0 before the first step, which returns 1.
    If it is right, an LSTM is trained with it. It learns to remember its first input
    for twelve time steps.
    """
    m = ...
    v = ...
    theta = ...
    return theta, m, v, t


if __name__ == "__main__":
    from minilstm.course import grade

    grade(__file__)
