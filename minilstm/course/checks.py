"""Checks of a right answer, for what its results do not show."""

from __future__ import annotations

import ast
import inspect
import textwrap
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
