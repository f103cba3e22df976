"""Known mistakes, each as a changed line of a solution.

A change is one line, as a learner would have written it. It replaces the line of the
solution that assigns the same name, or the only return. Or it is a part of a line,
an arrow, and what stands there by mistake, if anything. Several changes are
separated by semicolons:

    dz = dh * h_prev
    return dc_next
    o * np.tanh(c) -> o * c
    dc_next + ->
    dr = dn * q; dq = dn * r

So a mistake reads like code, and stays true to the solution: if the line is not there,
or is there twice, a ``ValueError`` says so.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from minilstm.course.answers import Answers
from minilstm.reference.functions import sigmoid


class Solutions:
    """The right answers to an exercise, and what they are with a mistake."""

    def __init__(self, answers: Answers):
        self.answers = answers
        self.names = vars(answers.load())

    @classmethod
    def beside(cls, grading: str) -> Solutions:
        """The solutions of the exercise that a grading file is for."""
        path = Path(grading)
        return cls(Answers(path.parents[1] / "solutions" / path.name))

    def right(self, name: str) -> Any:
        """A definition of the solutions."""
        return self.names[name]

    def wrong(self, name: str, change: str) -> Callable[..., Any]:
        """A function of the solutions with a change."""
        source = changed(self.answers.source(name), change)
        names = {"sigmoid": sigmoid} | self.names
        exec(compile(source, f"<{name} with a mistake>", "exec"), names)
        return names[name]


def changed(source: str, change: str) -> str:
    """The source of a function with a change.

    >>> changed("def f(x):\\n    y = x + 1\\n    return 2 * y", "y = x - 1")
    'def f(x):\\n    y = x - 1\\n    return 2 * y'
    >>> changed("def f(x):\\n    return 2 * x", "2 * -> ")
    'def f(x):\\n    return x'

    Raises
    ------
    ValueError
        If what is to be changed is not there exactly once.
    """
    for part in change.split("; "):
        old, arrow, new = part.partition(" -> ")
        begin, end = _part(source, old) if arrow else _statement(source, part)
        data = source.encode()
        if arrow and not new and data[end : end + 1] == b" ":
            end += 1
        text = (new if arrow else part).encode()
        source = (data[:begin] + text + data[end:]).decode()
    return source


def _part(source: str, text: str) -> tuple[int, int]:
    """Where a text begins and ends, in bytes."""
    if source.count(text) != 1:
        raise ValueError(f"`{text}` occurs {source.count(text)} times in\n{source}")
    begin = len(source[: source.index(text)].encode())
    return begin, begin + len(text.encode())


def _statement(source: str, line: str) -> tuple[int, int]:
    """Where the statement that a line replaces begins and ends, in bytes."""
    new = ast.parse(re.sub(r"^return\b", "_return_ =", line)).body[0]
    wanted = _target(new)
    found = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.stmt) and _target(node) == wanted
    ]
    if len(found) > 1:  # x = 0 and x += 1 assign the same name
        found = [node for node in found if type(node) is type(new)]
    if wanted is None or len(found) != 1:
        raise ValueError(f"`{line}` replaces {len(found)} statements of\n{source}")
    lines = source.encode().splitlines(keepends=True)
    starts = [0, *itertools.accumulate(map(len, lines))]
    (node,) = found
    assert node.end_lineno is not None and node.end_col_offset is not None
    return (
        starts[node.lineno - 1] + node.col_offset,
        starts[node.end_lineno - 1] + node.end_col_offset,
    )


def _target(node: ast.stmt) -> str | None:
    """What a statement assigns; None if it assigns nothing."""
    if isinstance(node, ast.Return):
        return "_return_"
    if isinstance(node, ast.Assign):
        return ast.unparse(node.targets[0])
    if isinstance(node, ast.AugAssign):
        return ast.unparse(node.target)
    return None
