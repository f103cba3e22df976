"""11. Temperature, top-k, top-p, beam.

Fill in the blanks, each a `...`, in your own copy of this file:
lessons/my/11_temperature_and_beam.py. Leave the one in lessons/exercises blank.

    minilstm exercise 11           make the copy, the first time, and grade it
    minilstm exercise 11 --hint    a hint, when you are stuck
    minilstm exercise 11 --reset   begin again; what you wrote is kept beside it
"""

import numpy as np


def temperature(a, tau):
    """Task 1. From logits a (B, V) to probabilities (B, V): equations (1) and (3).

    tau is the temperature τ. Every row sums to 1. A logit may be 1000, or -inf for a
    token that must not be generated. Neither may cause a warning.
    """
    a = ...
    return ...


def top_p(p, P):
    """Task 2. From probabilities p (V,) to those of the nucleus (V,): equation (4).

    The most likely tokens that together reach P keep their probabilities, scaled to sum
    to 1. All others get 0. Every token keeps its index, and p is not changed.
    `np.argsort` sorts from the smallest to the largest.
    """
    order = ...
    kept = np.zeros(len(p))
    ...
    return kept


def beam_search(log_p, length, width):
    """Task 3. Beam search: the most likely texts, at most `width` pairs (ids, log P).

    The most likely text is the first. log_p(ids), with a tuple of ids, returns the log
    probabilities (V,) of the next token; log_p(()) returns those of the first token.

    A text is finished when its last id is 0, the end token, or when it has `length` ids.
    In each round extend every unfinished text by every token, and keep the `width` most
    likely of all these. Put the finished ones aside. Continue with the others, until
    none is left.
    """
    live, finished = [((), 0.0)], []  # pairs of ids, a tuple, and log P
    while live:
        longer = ...
        ...
    return ...


if __name__ == "__main__":
    from minilstm.course import grade

    grade(__file__)
