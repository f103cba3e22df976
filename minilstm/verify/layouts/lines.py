"""The line of a learner's function that computes something, if there is just one."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable


def line_that_makes(function: Callable, name: str) -> str:
    """line 23: `dprev_c = dnext_c * f`; "" if no line or more than one assigns it.

    The number counts from the top of the file.
    """
    try:
        lines, first = inspect.getsourcelines(function)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, SyntaxError):  # no source, or a part of an expression
        return ""
    assigned = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt) and name in _targets(node)
    ]
    if len(assigned) != 1 or name not in _returned(tree):
        return ""
    node = assigned[0]
    number = first + node.lineno - 1
    source = [line.strip() for line in lines[node.lineno - 1 : node.end_lineno]]
    return f"line {number}: `{' '.join(source)}`"


def _returned(tree: ast.AST) -> set[str]:
    """Names that are returned, or put into a dictionary that may be."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Return, ast.Dict)):
            inside = ast.walk(node)
            found |= {inner.id for inner in inside if isinstance(inner, ast.Name)}
    return found


def _targets(node: ast.stmt) -> set[str]:
    """The names that a statement gives a value."""
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, (ast.AugAssign, ast.AnnAssign, ast.For)):
        targets = [node.target]
    else:
        return set()
    named = [inner for target in targets for inner in ast.walk(target)]
    return {
        inner.id
        for inner in named
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)
    }
