"""Splits texts into training set and validation set.

The loss on the validation set shows whether a model generalises or memorises.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from minilstm.errors import InputError

T = TypeVar("T")


def split_sequences(
    sequences: Sequence[T], rng: np.random.Generator, fraction: float = 0.1
) -> tuple[list[T], list[T]]:
    """Choose sequences for the validation set at random; their order is kept.

    Parameters
    ----------
    sequences : strings, or examples of any kind.
    rng : makes the choice.
    fraction : size of the validation set, between 0 and 1.

    Returns
    -------
    Training set and validation set.

    Raises
    ------
    InputError : if an argument is wrong, or there are fewer than 2 sequences.
    """
    if isinstance(sequences, str):
        raise InputError(
            "sequences must be a list of strings, not one string:"
            " use split_text for a text"
        )
    count = _validation_size(len(sequences), "sequences", rng, fraction)
    chosen = set(rng.permutation(len(sequences))[:count].tolist())
    train = [
        sequence
        for position, sequence in enumerate(sequences)
        if position not in chosen
    ]
    valid = [
        sequence for position, sequence in enumerate(sequences) if position in chosen
    ]
    return train, valid


def split_text(
    text: str, rng: np.random.Generator, fraction: float = 0.1
) -> tuple[str, str]:
    """Choose one stretch of a text for the validation set, at a random place.

    Parameters
    ----------
    text : the text.
    rng : makes the choice.
    fraction : size of the validation set, between 0 and 1.

    Returns
    -------
    Training set (the two ends, joined) and validation set.

    Raises
    ------
    InputError : if an argument is wrong, or there are fewer than 2 characters.
    """
    if not isinstance(text, str):
        raise InputError(
            f"text must be a string, not {type(text).__name__}:"
            " use split_sequences for a list"
        )
    count = _validation_size(len(text), "characters", rng, fraction)
    start = int(rng.integers(len(text) - count + 1))
    return text[:start] + text[start + count :], text[start : start + count]


def _validation_size(
    total: int, what: str, rng: np.random.Generator, fraction: float
) -> int:
    """Size of the validation set, at least one and not all. Checks the arguments."""
    if not isinstance(rng, np.random.Generator):
        raise InputError(
            "rng must be a numpy Generator, as numpy.random.default_rng(0) is, not"
            f" {rng!r}"
        )
    # so NaN is refused too
    if not isinstance(fraction, (int, float, np.floating)) or not 0 < fraction < 1:
        raise InputError(
            f"fraction must be a number between 0 and 1, such as 0.1, not {fraction!r}"
        )
    if total < 2:
        raise InputError(
            f"a validation set needs at least 2 {what} to choose from, and there are"
            f" {total}: give more text"
        )
    return min(max(round(fraction * total), 1), total - 1)
