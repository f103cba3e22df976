"""9. Adam.

Fill in the blanks, each a `...`, in your own copy of this file:
lessons/my/09_adam.py. Leave the one in lessons/exercises blank.

    minilstm exercise 9           make the copy, the first time, and grade it
    minilstm exercise 9 --hint    a hint, when you are stuck
    minilstm exercise 9 --reset   begin again; what you wrote is kept beside it

What you are given belongs to the caller: make new arrays, and leave the old ones as they are.
"""

import numpy as np


def momentum_step(theta, g, u, rate, momentum):
    """Task 1. A step of SGD with momentum: returns the new θ and the new u, each of the shape of θ.

    (1)  u ← μ u - α g         the velocity: most of what it was, and a push downhill; μ is `momentum`, α is `rate`
    (2)  θ ← θ + u             numbered as in minilstm/optim/sgd.py
    """
    u = ...
    theta = ...
    return theta, u


def clip_by_global_norm(grads, max_norm):
    """Task 2. Equation (2) of minilstm/optim/clipping.py for a dictionary of arrays of any shapes: returns (new, norm).

    `norm` is the norm that the gradient had, all arrays together. `new` has the names of `grads`; its arrays are those of
    `grads` times the one factor that brings the norm down to `max_norm`, or as they were if the norm is not above it. If the
    norm is infinite or NaN they stay as they were too, so that whoever looks at them sees what happened.
    """
    norm = ...
    factor = ...
    return {name: ... for name in grads}, norm


def adam_step(theta, g, m, v, t, rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """Task 3. A step of Adam, equations (1) to (4) of minilstm/optim/adam.py: returns the new (θ, m, v, t).

    θ, g, m and v are of one shape. t is how many steps were taken so far: 0 before the first, which returns 1.
    When it is right, an LSTM is trained with it, to remember for twelve steps what it read first.
    """
    m = ...
    v = ...
    theta = ...
    return theta, m, v, t


if __name__ == "__main__":
    from minilstm.course import grade

    grade(__file__)
