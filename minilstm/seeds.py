"""The random streams of a run: independent generators, all made from its one seed.

NumPy seeds a generator with a list of integers, here [seed, stream, counters ...].
Lists that differ in more than zeros at the end give independent streams. So a run may
sample more or less without changing its mini-batches, and any step can be repeated
without those before it.
"""

from __future__ import annotations

import hashlib
import unicodedata

import numpy as np

ORDER = 0  # order of the mini-batches; texts that a built-in corpus trains on
VALIDATION = 1  # choice of the validation set; texts of a built-in one
EVALUATION = 2  # texts sampled at the end of a run, to be checked by the grammar
SAMPLES = 3  # texts sampled during a run; counter: the epoch
DROPOUT = 4  # dropout masks; counter: the training step


def generator(seed: int, stream: int, *counters: int) -> np.random.Generator:
    """The generator of a stream, at its beginning.

    Parameters
    ----------
    seed : seed of the run, at least 0.
    stream : one of the constants of this module.
    counters : what the stream is divided by, such as the number of a training step.
    """
    return np.random.default_rng([seed, stream, *counters])


def seed_of_name(name: str) -> int:
    """A seed of at most eight digits for a person: the same on every machine.

    Upper and lower case, and how many spaces stand between the words, do not matter.
    Two of 100 names have the same seed once in 20,000 classes.

    >>> seed_of_name("Ada Lovelace") == seed_of_name("ada  LOVELACE")
    True
    """
    plain = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    return int(hashlib.sha256(plain.encode()).hexdigest(), 16) % 10**8
