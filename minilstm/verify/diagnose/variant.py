"""Our own functions with a line changed: a known mistake as a function that runs.

A mistake is two texts: code in our source, and the code that replaces it. The changed
source is compiled in the name space of the original. So a mistake reads like a line of
code, and stays true to our source: if that line changes, a test fails at once.
"""

from __future__ import annotations

import inspect
import itertools
import re
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

ALL_GATES = "(1), (2), (3), (5)"
OTHER_ORDERS = [
    order for order in map("".join, itertools.permutations("ifgo")) if order != "ifgo"
]
# ends that make a text unique in our source and say nothing
OURS_ALONE = re.compile(r"( = np\.split|, LSTM\w*)$")


@dataclass(frozen=True)
class Mistake:
    """One line that is wrong, and the explanation."""

    name: str
    function: Any  # ours, in which it is made
    right: str  # part of its source, which occurs there once
    wrong: str  # what stands there by mistake
    equation: str  # which one it violates; "" for none in particular
    why: str
    # repositories and issues on GitHub: "owner/name 9, 47; owner/name 2"
    seen: str = ""
    shown: str = ""  # ``wrong`` as in most programs, where our source differs
    belongs: str = ""  # and ``right``

    def __str__(self) -> str:
        lines = [self.name, self.sentence, self.why] + (
            [f"Public reports of this mistake: {self.reports}."] if self.seen else []
        )
        return "\n".join(lines)

    @property
    def reports(self) -> str:
        """Links to the issues and pull requests of ``seen``; "" if there are none."""
        links = []
        for source in filter(None, self.seen.split("; ")):
            repository, _, rest = source.partition(" ")
            address = f"https://github.com/{repository.rstrip(',')}"
            numbers = rest.split(", ")
            if all(number.isdigit() for number in numbers):
                links += [f"{address}/issues/{number}" for number in numbers]
            else:
                links.append(f"{address} ({rest})")
        return ", ".join(links)

    @property
    def sentence(self) -> str:
        """What the code under test does, and what belongs there."""
        belongs = OURS_ALONE.sub("", self.belongs or self.right)
        target, _, right = belongs.partition(" = ")
        readable = OURS_ALONE.sub("", self.shown or self.wrong)
        readable = readable.replace("np.arctanh(tanh_c)", "c")  # no c in the cache
        same_target, _, wrong = readable.partition(" = ")
        if right and target == same_target and not set("[];,") & set(wrong + target):
            sentence = f"Your {target} equals {wrong} where {right} belongs"
        else:
            sentence = f"It is as if `{readable}` stood where `{belongs}` belongs"
        plural = "s" if "," in self.equation else ""
        if self.equation:
            return f"{sentence}: equation{plural} {self.equation}."
        return f"{sentence}."


def made_in(function: Any, *rows: tuple[str, ...]) -> list[Mistake]:
    """Entries of the catalogue, from rows of their texts."""
    return [Mistake(name, function, *rest) for name, *rest in rows]


def named_after(title: str, mistakes: Iterable[Mistake]) -> list[Mistake]:
    """The same, named after a cell: another cell has mistakes of these names, too."""
    return [replace(made, name=f"{made.name}, {title}") for made in mistakes]


def variant(
    function: Any, mistakes: Iterable[Mistake], **replaced: Any
) -> Callable[..., Any]:
    """``function`` with those of the mistakes that are made in it.

    ``replaced`` has other values for names that it uses. Raises ValueError if two of
    the mistakes change the same part of the source.
    """
    changed = _source(function)
    for mistake in mistakes:
        if mistake.function is not function:
            continue
        if changed.count(mistake.right) != 1:
            raise ValueError(
                f"`{mistake.right}` occurs {changed.count(mistake.right)} times in"
                f" {function.__name__}"
            )
        changed = changed.replace(mistake.right, mistake.wrong)
    scope = {**function.__globals__, **replaced}
    exec(_compiled(changed, function.__name__), scope)
    return scope[function.__name__]


@cache
def _source(function: Any) -> str:
    return textwrap.dedent(inspect.getsource(function))


@lru_cache(maxsize=4096)
def _compiled(source: str, name: str):
    return compile(
        "from __future__ import annotations\n" + source,
        f"<{name} with a mistake>",
        "exec",
    )
