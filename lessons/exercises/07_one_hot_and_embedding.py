"""7. One-hot and embedding.

Fill in the blanks, each a `...`, in your own copy of this file:
lessons/my/07_one_hot_and_embedding.py. Leave the one in lessons/exercises blank.

    minilstm exercise 7           make the copy, the first time, and grade it
    minilstm exercise 7 --hint    a hint, when you are stuck
    minilstm exercise 7 --reset   begin again; what you wrote is kept beside it
"""

import numpy as np


def embed(ids, W):
    """Task 1. The vectors of ids, equation (1): from ids (…), of any shape, to (…, E).

    W (V, E) is the table. Use no one-hot array and no loop.
    """
    return ...


def embed_backward(ids, dx, dW):
    """Task 2. The gradient of the table after this mini-batch, equation (2): (V, E).

    ids (T, B) has ids that repeat. dx (T, B, E) is the gradient of their vectors.
    dW (V, E) is the sum so far; add to it. It belongs to the caller, so work on a copy.
    """
    total = dW.copy()
    ...
    return total


def nearest(ids, W, k):
    """Task 3. The k nearest neighbours of several words: (n, k) ids, the nearest first.

    ids (n,) are all different; W (V, E). Near means a large cosine of the two rows. No
    word is its own neighbour. Use no loop.
    """
    unit = ...  # (V, E): the rows of W, each scaled to length 1
    alike = ...  # (n, V): cosines of these words with all words, -np.inf with themselves
    return ...


if __name__ == "__main__":
    from minilstm.course import grade

    grade(__file__)
