"""4. Is it right?

Fill in the blanks, each a `...`, in your own copy of this file:
lessons/my/04_is_it_right.py. Leave the one in lessons/exercises blank.

    minilstm exercise 4           make the copy, the first time, and grade it
    minilstm exercise 4 --hint    a hint, when you are stuck
    minilstm exercise 4 --reset   begin again; what you wrote is kept beside it

In all three tasks f is a loss: a function from an array x to one number.
"""

import numpy as np


def central_differences(f, x, h=6e-6):
    """Task 1. The derivative of f for each entry of x, by equation (1): an array of x's shape.

    x, of any shape, belongs to the caller: it must be unchanged afterwards. It may be of
    float32 or of whole numbers. While one entry is perturbed, all others keep their values.
    """
    derivatives = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        up = ...
        down = ...
        derivatives[index] = ...
    return derivatives


def complex_step(f, x, h=1e-200):
    """Task 2. The same by equation (2): exact to rounding, with one call of f for each entry.

    Again, x may be of any shape, of float64, of float32 or of whole numbers.
    """
    derivatives = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        derivatives[index] = ...
    return derivatives


def wrong_entries(f, x, gradient):
    """Task 3. The places at which a gradient is wrong: an array (number of mistakes, x.ndim), as `np.argwhere` gives it.

    `gradient`, of x's shape, is somebody's dLoss/dx. These are mistakes, and there may be several in one gradient:

    - an ordinary entry, at least a tenth as large as the largest, that is off by one part in a million;
    - an entry behind a gate that is nearly shut, which should be 1e-9 times as large as the largest, and is 0;
    - NaN.

    These are none: an entry that is rightly 0, and one that is off by 1e-15 of the largest, which is rounding.
    Without a mistake the array has no rows. f takes complex numbers.
    """
    derivatives = ...
    return ...


if __name__ == "__main__":
    from minilstm.course import grade

    grade(__file__)
