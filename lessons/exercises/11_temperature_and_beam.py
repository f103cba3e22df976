"""11. Temperature, top-k, top-p, beam.

Fill in the blanks, each a `...`, in your own copy of this file:
lessons/my/11_temperature_and_beam.py. Leave the one in lessons/exercises blank.

    minilstm exercise 11           make the copy, the first time, and grade it
    minilstm exercise 11 --hint    a hint, when you are stuck
    minilstm exercise 11 --reset   begin again; what you wrote is kept beside it
"""

import numpy as np


def temperature(a, T):
    """Task 1. From logits a (B, V) to the probabilities (B, V) at temperature T: equations (1) and (3).

    Every row sums to 1. A logit may be 1000, or -inf for a symbol that must not be written, and no warning may come of it.
    """
    a = ...
    return ...


def top_p(p, P):
    """Task 2. From probabilities p (V,) to those of the nucleus (V,): equation (4).

    The likeliest symbols that together reach P keep their shares, scaled to sum to 1; all others get 0. Every symbol stays
    at its place, and p is not changed. `np.argsort` gives the order from the smallest to the largest.
    """
    order = ...
    kept = np.zeros(len(p))
    ...
    return kept


def beam_search(log_p, length, width):
    """Task 3. The likeliest texts that a beam finds, the best first: a list of at most `width` pairs (ids, log P).

    log_p(ids), with a tuple of ids, gives the log probabilities (V,) of what comes after them; log_p(()) those of the first
    symbol. A text is finished when its last id is 0, which stands for its end, or when it has `length` ids. In each
    round all texts that are not finished are made longer by every symbol, and of all these the `width` likeliest are kept; the
    finished ones among them are put aside, and the others go on. Go on until none is left.
    """
    live, finished = [((), 0.0)], []  # pairs of ids, a tuple, and log P
    while live:
        longer = ...
        ...
    return ...


if __name__ == "__main__":
    from minilstm.course import mark

    mark(__file__)
