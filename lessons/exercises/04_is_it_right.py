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
    """Task 1. The derivative of f for each entry of x by equation (1): an array like x.

    x may have any shape, and the dtype float64, float32 or integer. It belongs to the
    caller: do not change it. While one entry is perturbed, all others keep their
    values.
    """
    derivatives = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        up = ...
        down = ...
        derivatives[index] = ...
    return derivatives


def complex_step(f, x, h=1e-200):
    """Task 2. The same by equation (2), exact to rounding. Call f once for each entry.

    Again, x may have any shape, and the dtype float64, float32 or integer.
    """
    derivatives = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        derivatives[index] = ...
    return derivatives


def wrong_entries(f, x, gradient):
    """Task 3. The indices of wrong entries: an array (number of mistakes, x.ndim).

    `np.argwhere` returns such an array; without a mistake it has no rows. `gradient`
    has the shape of x and should be dLoss/dx. These are mistakes, and a gradient can
    have several of them:

    - an entry, at least a tenth of the largest, that is wrong by one part in a million;
    - an entry that is 0 where 1e-9 of the largest entry belongs: it is behind a gate
      that is almost closed;
    - NaN.

    These are no mistakes: an entry that is 0 and should be 0, and one that is wrong by
    1e-15 of the largest entry, which is rounding. f takes complex numbers.
    """
    derivatives = ...
    return ...


if __name__ == "__main__":
    from minilstm.course import grade

    grade(__file__)
