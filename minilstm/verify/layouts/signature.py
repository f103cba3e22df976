"""How a function is called, as one line of text in the words of its author.

    lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b) -> next_h, next_c, cache
    lstm_step(X, state(H, C), params[]) -> state(H, C), cache
    lstm_cell_forward(xt, a_prev, parameters{}) -> a_next, yt_pred?, cache

``state(H, C)`` is a tuple, ``params[]`` a list of all weights that have no place of
their own, ``parameters{}`` a dictionary of them. A result with ``?`` is not read. What
begins with "cache" is passed from forward to backward as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from minilstm.errors import InputError
from minilstm.verify import contracts

TOKEN = re.compile(r"\s*(\w+(?:\[\]|\{\}|\?)?|->|[(),])")
EXAMPLE = "my_step(x, h_prev, c_prev, Wx, Wh, b) -> h, c, cache"
WORDS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", 6: "sixth"}


@dataclass(frozen=True)
class Item:
    """An argument or a result, or a tuple of them."""

    name: str
    mark: str = ""  # "[]" list, "{}" dictionary, "?" not read
    inside: tuple[Item, ...] | None = None  # of a tuple

    @property
    def is_cache(self) -> bool:
        """Whether forward hands it to backward."""
        return self.name.startswith("cache")

    def __str__(self) -> str:
        return self.name if self.inside is None else in_brackets(self.inside)


@dataclass(frozen=True)
class Signature:
    """The name of a function, its arguments and its results."""

    function: str
    arguments: tuple[Item, ...]
    results: tuple[Item, ...]

    def __str__(self) -> str:
        return f"{self.function}({', '.join(self.argument_names)})"

    @property
    def argument_names(self) -> list[str]:
        """As in the first line of the function."""
        return [item.name or str(item) for item in self.arguments]


def in_brackets(items: Sequence[Item]) -> str:
    """(h, (hT, cT), caches)."""
    inside = ", ".join(map(str, items))
    return f"({inside},)" if len(items) == 1 else f"({inside})"


def flat(items: Sequence[Item]) -> Iterator[Item]:
    """All items, those inside of tuples in place of the tuples."""
    for item in items:
        yield from (item,) if item.inside is None else flat(item.inside)


@lru_cache(maxsize=256)
def parse(text: str) -> Signature:
    """The signature that a text describes; InputError if it is none."""
    tokens, end = [], 0
    while match := TOKEN.match(text, end):
        tokens.append(match[1])
        end = match.end()
    try:
        if text[end:].strip() or "->" not in tokens[2:]:
            raise ValueError
        arrow = tokens.index("->")
        function, opening, *arguments, closing = tokens[:arrow]
        if (opening, closing) != ("(", ")") or not function.isidentifier():
            raise ValueError
        return Signature(function, _items(arguments), _items(tokens[arrow + 1 :]))
    except ValueError:
        raise InputError(
            f"{text!r} does not describe a function; write it like this: {EXAMPLE!r}"
        ) from None


def _items(tokens: list[str]) -> tuple[Item, ...]:
    """The items of a list of tokens; ValueError if it has another form."""
    items, rest = [], list(tokens)
    while rest:
        name = rest.pop(0) if rest[0] not in ("(", ")", ",", "->") else ""
        inside = None
        if rest and rest[0] == "(":
            end = _closing(rest)
            inside, rest = _items(rest[1:end]), rest[end + 1 :]
        if not name and inside is None:
            raise ValueError("no name")
        word, mark = re.fullmatch(r"(\w*)(\W*)", name).groups()  # type: ignore[union-attr]
        items.append(Item(word, mark, inside))
        if rest and rest.pop(0) != ",":
            raise ValueError("no comma")
    return tuple(items)


def _closing(tokens: Sequence[str]) -> int:
    """Where the bracket closes with which the tokens begin."""
    depth = 0
    for k, token in enumerate(tokens):
        depth += {"(": 1, ")": -1}.get(token, 0)
        if depth == 0:
            return k
    raise ValueError("an open bracket")


def call(
    function: Callable,
    signature: Signature,
    values: Mapping[str, Any],
    collected: Mapping[str, str],
    what: str,
    held: Sequence[str] = (),
) -> dict[str, Any]:
    """Call a function as its signature says; the results by name.

    Parameters
    ----------
    function : callable
        Of the learner.
    signature : Signature
        How it is called.
    values : dict
        Arguments by name; the cache is named "cache".
    collected : dict
        What a list or a dictionary among the results holds, in order: from each name to
        another one that a dictionary may have in its place.
    what : str
        The function's part, for messages: "step", "backward pass".
    held : sequence of str
        What a list or a dictionary among the arguments holds, in order.

    Raises
    ------
    InputError
        If its results are not those of the signature in form.
    """
    contracts.check_function(function)

    def given(item: Item) -> Any:
        if item.inside is not None:
            return tuple(map(given, item.inside))
        if item.mark == "[]":
            return [values[name] for name in held]
        if item.mark == "{}":
            return {name: values[name] for name in held}
        return values["cache" if item.is_cache else item.name]

    answer = function(*map(given, signature.arguments))
    found: dict[str, Any] = {}
    sentence = f"your {what} must return"
    if len(signature.results) == 1 and signature.results[0].inside is None:
        if answer is None:
            contracts.unpack(answer, 1, f"{sentence} {signature.results[0]}")
        answer = (answer,)  # one result is no tuple
    _read(answer, signature.results, sentence, found, collected, what)
    return found


def _read(
    answer, items, sentence: str, found: dict, collected: Mapping[str, str], what: str
) -> None:
    """Sort the values of a tuple of results by name."""
    parts = contracts.unpack(answer, len(items), f"{sentence} {in_brackets(items)}")
    for number, (item, part) in enumerate(zip(items, parts), start=1):
        if item.inside is not None:
            pair = "a pair " if len(item.inside) == 2 else ""
            of = f"the {WORDS.get(number, number)} result of your {what} must be {pair}"
            _read(part, item.inside, of.rstrip(), found, collected, what)
        elif item.mark in ("[]", "{}"):
            found |= _collection(part, item, collected, what)
        elif item.is_cache:
            found["cache"] = part
        elif item.mark != "?":
            found[item.name] = array_of(item.name, part)


def _collection(
    part, item: Item, names: Mapping[str, str], what: str
) -> dict[str, Any]:
    """Arrays of a list in order, or of a dictionary by name, with or without its d."""
    if isinstance(part, Mapping):
        known = {
            name: part[key]
            for name, other in names.items()
            for key in (other, name)
            if key in part
        }
        missing = [name for name in names if name not in known]
        if missing:
            raise InputError(
                f"the {item.name} of your {what} must have {', '.join(names)};"
                f" missing: {', '.join(missing)}"
            )
        return {name: array_of(name, known[name]) for name in names}
    sentence = f"the {item.name} of your {what} must be"
    if item.mark == "{}":
        raise InputError(f"{sentence} a dictionary, not {type(part).__name__}")
    count = f"{len(names)} arrays: {', '.join(names)}"
    values = contracts.unpack(part, len(names), f"{sentence} {count}")
    return {name: array_of(name, value) for name, value in zip(names, values)}


def array_of(name: str, value) -> Any:
    """A result as an array: a list over time is stacked."""
    if isinstance(value, dict):  # over time, by number
        value = [value[t] for t in sorted(value) if t >= 0]
    try:
        return np.asarray(value) if isinstance(value, (list, tuple)) else value
    except ValueError as error:
        raise InputError(f"your {name} is not an array of numbers: {error}") from error
