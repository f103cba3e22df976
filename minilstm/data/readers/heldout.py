"""Holding some text out of training, to see later whether a model learned or memorised."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minilstm.errors import InputError


def split_sequences(sequences: Sequence[str], rng: np.random.Generator,
                    held_out: float = 0.1) -> tuple[list[str], list[str]]:
    """(train, valid): a random `held_out` share of the sequences is kept from training; order is kept.

    Raises InputError if there are fewer than 2 sequences, or `held_out` is not between 0 and 1.
    """
    if isinstance(sequences, str):
        raise InputError("sequences must be a list of strings, not one string: use split_text for a text")
    count = _held_out_count(len(sequences), "sequences", rng, held_out)
    chosen = set(rng.permutation(len(sequences))[:count].tolist())
    train = [sequence for position, sequence in enumerate(sequences) if position not in chosen]
    valid = [sequence for position, sequence in enumerate(sequences) if position in chosen]
    return train, valid


def split_text(text: str, rng: np.random.Generator, held_out: float = 0.1) -> tuple[str, str]:
    """(train, valid): one stretch of the text, at a random place, is kept from training; the rest is joined.

    Raises InputError if there are fewer than 2 characters, or `held_out` is not between 0 and 1.
    """
    if not isinstance(text, str):
        raise InputError(f"text must be a string, not {type(text).__name__}: use split_sequences for a list")
    count = _held_out_count(len(text), "characters", rng, held_out)
    start = int(rng.integers(len(text) - count + 1))
    return text[:start] + text[start + count:], text[start:start + count]


def _held_out_count(total: int, what: str, rng: np.random.Generator, held_out: float) -> int:
    """How many of `total` to hold out, at least one and not all; the arguments are checked first."""
    if not isinstance(rng, np.random.Generator):
        raise InputError(f"rng must be a numpy Generator, as numpy.random.default_rng(0) is, not {rng!r}")
    if not isinstance(held_out, (int, float, np.floating)) or not 0 < held_out < 1:  # so NaN is refused too
        raise InputError(f"held_out must be a number between 0 and 1, such as 0.1, not {held_out!r}")
    if total < 2:
        raise InputError(f"holding some out takes at least 2 {what}, and there are {total}: give more text")
    return min(max(round(held_out * total), 1), total - 1)
