"""7. One-hot and embedding.

Fill in the blanks, each a `...`, in your own copy of this file:
lessons/my/07_one_hot_and_embedding.py. Leave the one in lessons/exercises blank.

    minilstm exercise 7           make the copy, the first time, and grade it
    minilstm exercise 7 --hint    a hint, when you are stuck
    minilstm exercise 7 --reset   begin again; what you wrote is kept beside it
"""

import numpy as np


def embed(ids, W):
    """Task 1. The vectors of ids: (…) integers, of any shape, to (…, E), out of a table W (V, E). Equation (1).

    No one-hot array, and no loop.
    """
    return ...


def embed_backward(ids, dx, dW):
    """Task 2. The gradient of the table after this batch: (V, E). Equation (2).

    ids (T, B), in which ids repeat; dx (T, B, E) is the gradient of their vectors; dW (V, E) is what has been added up
    already. It belongs to the caller: work on a copy.
    """
    total = dW.copy()
    ...
    return total


def nearest(ids, W, k):
    """Task 3. The k nearest neighbours of each of some words: (n, k) ids, the nearest first.

    ids (n,), all different; W (V, E). Near means a large cosine of the two rows. No word is its own neighbour. No loop.
    """
    unit = ...  # (V, E): the rows of W, each of length 1
    alike = ...  # (n, V): cosines of these words with all words, -np.inf with themselves
    return ...


if __name__ == "__main__":
    from minilstm.course import grade

    grade(__file__)
