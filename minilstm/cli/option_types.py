"""Types for argparse: what a number or a separator on the command line must be."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable


def positive_integer(text: str) -> int:
    """A whole number from 1 to a billion."""
    return _number(
        text, int, lambda n: 1 <= n <= 10**9, "a whole number from 1 to a billion"
    )


def natural(text: str) -> int:
    """A whole number from 0, below 2 to the power of 63."""
    wanted = "a whole number from 0 to 9223372036854775807"
    return _number(text, int, lambda n: 0 <= n < 2**63, wanted)


def seed_or_name(text: str) -> int:
    """A seed: a number, or that of a student's name."""
    if text.strip().isdecimal():
        return natural(text)
    if not text.strip() or text.strip().startswith("-"):
        raise argparse.ArgumentTypeError(f"must be a number or a name, not {text!r}")
    from minilstm.seeds import seed_of_name  # which loads NumPy

    return seed_of_name(text)


def count(text: str) -> int:
    """A whole number from 1 to 100,000."""
    return _number(
        text, int, lambda n: 1 <= n <= 10**5, "a whole number from 1 to 100,000"
    )


def depth(text: str) -> int:
    """A number of layers."""
    return _number(
        text, int, lambda n: 1 <= n <= 1000, "a whole number from 1 to 1,000"
    )


def positive(text: str) -> float:
    """A finite number above 0."""
    return _number(text, float, lambda x: 0 < x < math.inf, "a number above 0")


def seconds(text: str) -> float:
    """A number of seconds, at least 1 and at most a day."""
    wanted = "a number of seconds from 1 to 86400"
    return _number(text, float, lambda x: 1 <= x <= 86_400, wanted)


def temperatures(text: str) -> tuple[float, ...]:
    """Numbers above 0, separated by commas."""
    return tuple(positive(part) for part in text.split(","))


def rate(text: str) -> float:
    """A number from 0, below 1: a dropout rate, or a momentum."""
    return _number(text, float, lambda x: 0 <= x < 1, "at least 0 and below 1")


def decay_factor(text: str) -> float:
    """A number above 0 and at most 1."""
    return _number(text, float, lambda x: 0 < x <= 1, "above 0 and at most 1")


def separator(text: str) -> str:
    """One character between the cells of a table; ``tab`` and ``\\t`` are a tab."""
    text = "\t" if text in ("tab", "\\t") else text
    if len(text) != 1 or text in '"\r\n\0':
        raise argparse.ArgumentTypeError(
            f"must be one character or `tab`, not a quote or a newline, not {text!r}"
        )
    return text


def _number(text: str, kind: type, fits: Callable, wanted: str):
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not fits(value):
        raise argparse.ArgumentTypeError(f"must be {wanted}, not {text!r}")
    return value
