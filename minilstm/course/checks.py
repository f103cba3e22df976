"""Checks of a right answer, for what its results do not show."""

from __future__ import annotations

import ast
import functools
import inspect
import sys
import textwrap
import tracemalloc
from collections.abc import Callable
from typing import Any

from minilstm.course.compare import Wrong


def without(sentence: str, *kinds: type[ast.AST]) -> Callable[[Any], None]:
    """A check that a function has no syntax of these kinds, such as ``ast.For``."""

    def check(yours: Any) -> None:
        source = textwrap.dedent(inspect.getsource(inspect.unwrap(yours)))
        if any(isinstance(node, kinds) for node in ast.walk(ast.parse(source))):
            raise Wrong(sentence)

    return check


def stopping(yours: Any, lines: int) -> Any:
    """The same function, which raises ``Wrong`` after so many executed lines of its file.

    So an endless loop ends that could not be stopped once it is compiled.
    """
    file = inspect.unwrap(yours).__code__.co_filename

    @functools.wraps(yours)
    def call(*arguments: Any) -> Any:
        places: list[int] = []

        def trace(frame, event, _):
            if frame.f_code.co_filename != file:
                return None
            if event == "line":
                places.append(frame.f_lineno)
                if len(places) > lines:
                    raise RuntimeError("too many lines")
            return trace

        kept = sys.gettrace()
        sys.settrace(trace)
        try:
            return yours(*arguments)
        except Wrong:
            if len(places) <= lines:
                raise
            raise Wrong(
                f"line {places[-1]}: {lines:,} lines and no end; does your loop ever end?"
            ) from None
        finally:
            sys.settrace(kept)

    return call


def peak_memory(call: Callable[[], Any]) -> int:
    """The peak of the memory that a call allocates, in bytes."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
