"""One small mistake in a function's source, of each kind that people make.

A mutant is the source of a module in which one expression of one function is changed.
Names are replaced only by names of arrays of the same shape, which a run of the right
code shows, so that a mutant computes something.
"""

from __future__ import annotations

import ast
import copy
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

Shapes = dict[str, tuple[int, ...]]  # of a function's arrays, by name
JOINS = "concatenate", "hstack", "vstack", "stack"
SUMS = "sum", "concatenate", "split", "stack", "mean"


@dataclass(frozen=True)
class Mutant:
    """A changed source, and what was changed."""

    source: str
    function: str
    operator: str
    line: int
    right: str  # the statement
    wrong: str
    targets: tuple[str, ...]  # the variables that the statement assigns
    values: int = 1  # number of values on its right side
    position: int = 0  # of the one that is changed
    part: str = ""  # right and wrong code of the smallest expression that is changed


def mutants(source: str, functions: list[str], shapes: dict[str, Shapes]) -> Iterator[Mutant]:
    """All mutants of some functions of a module."""
    tree = ast.parse(source)
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and function.name in functions:
            for statement in ast.walk(function):
                if isinstance(statement, (ast.Assign, ast.AugAssign, ast.Return, ast.Expr)):
                    yield from _of_statement(tree, function, statement, shapes[function.name])


def shapes_in(call: Callable, functions: list[str]) -> dict[str, Shapes]:
    """The shapes of all local arrays of some functions, while a call runs."""
    found: dict[str, Shapes] = {name: {} for name in functions}

    def trace(frame: Any, event: str, _: Any) -> Any:
        name = frame.f_code.co_name
        if name not in found:
            return None
        for variable, value in frame.f_locals.items():
            if isinstance(value, np.ndarray):
                found[name].setdefault(variable, value.shape)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return found


def _of_statement(tree: ast.Module, function: ast.FunctionDef, statement: ast.stmt, shapes: Shapes) -> Iterator[Mutant]:
    right = ast.unparse(statement)
    for operator, node, field, index, new in _changes(statement, shapes):
        all_of_it = old = getattr(node, field)
        value: Any = new
        if index is not None:
            value, old = [*all_of_it], all_of_it[index]
            value[index] = new
        setattr(node, field, value)
        try:
            source, wrong = ast.unparse(tree), ast.unparse(statement)
        finally:
            setattr(node, field, all_of_it)
        if wrong != right:
            values = getattr(statement.value, "elts", [statement.value])
            parts = [part for part in (old, new) for part in (part if isinstance(part, list) else [part])]
            part = " -> ".join(ast.unparse(one) for one in parts if isinstance(one, ast.AST))
            yield Mutant(source, function.name, operator, statement.lineno, right, wrong, _targets(statement),
                         len(values), _position(statement, node, index), part)
    if isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Add):
        yield from _whole(tree, function, statement, "= for +=", ast.Assign([statement.target], statement.value))
    if isinstance(statement, ast.AugAssign):
        yield from _whole(tree, function, statement, "statement left out", ast.Pass())


def _whole(tree, function, statement: ast.stmt, operator: str, new: ast.stmt) -> Iterator[Mutant]:
    """The statement itself replaced."""
    ast.copy_location(new, statement)
    for parent in ast.walk(function):
        body = getattr(parent, "body", None)
        if isinstance(body, list) and statement in body:
            k = body.index(statement)
            body[k] = new
            try:
                yield Mutant(ast.unparse(tree), function.name, operator, statement.lineno, ast.unparse(statement),
                             ast.unparse(new), _targets(statement))
            finally:
                body[k] = statement


Change = tuple[str, ast.AST, str, Any, Any]  # operator, node, field, index in a list, what comes there


def _changes(statement: ast.stmt, shapes: Shapes) -> Iterator[Change]:
    for node in ast.walk(statement):
        for field, old in ast.iter_fields(node):
            if isinstance(old, list):
                for index, part in enumerate(old):
                    if isinstance(part, ast.expr) and field != "targets":
                        yield from ((name, node, field, index, new) for name, new in _of_expression(part, shapes))
            elif isinstance(old, ast.expr) and field not in ("target", "func"):
                yield from ((name, node, field, None, new) for name, new in _of_expression(old, shapes))
    call = getattr(statement, "value", None)
    if isinstance(call, ast.expr):
        yield from _of_axes(call)


def _of_expression(old: ast.expr, shapes: Shapes) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(old, ast.Name) and old.id in shapes and isinstance(old.ctx, ast.Load):
        for other, shape in shapes.items():
            if shape == shapes[old.id] and other != old.id:
                yield "another name", ast.Name(other, ast.Load())
    if isinstance(old, ast.BinOp):
        yield from _of_operation(old)
    if isinstance(old, ast.Attribute) and old.attr == "T":
        yield "no transposition", old.value
    if isinstance(old, ast.Constant) and type(old.value) is int:
        for number in {old.value + 1, old.value - 1} - {-1}:
            yield "another constant", ast.Constant(number)
    if isinstance(old, ast.Subscript):
        yield from _of_index(old)
    if isinstance(old, (ast.Tuple, ast.List)) and len(old.elts) > 1 and isinstance(old.ctx, ast.Load):
        for k in range(len(old.elts) - 1):
            parts = [*old.elts]
            parts[k], parts[k + 1] = parts[k + 1], parts[k]
            yield "neighbours exchanged", type(old)(parts, ast.Load())
    if isinstance(old, ast.Call) and isinstance(old.func, ast.Attribute) and old.func.attr == "tanh":
        yield "no tanh", old.args[0]


def _of_operation(old: ast.BinOp) -> Iterator[tuple[str, ast.expr]]:
    left, right = old.left, old.right
    if isinstance(old.op, ast.Mult):
        yield "factor left out", left
        yield "factor left out", right
    elif isinstance(old.op, (ast.Add, ast.Sub)):
        yield "term left out", left
        other = ast.Sub() if isinstance(old.op, ast.Add) else ast.Add()
        yield "sign", ast.BinOp(left, other, right)
        yield "term left out", right if isinstance(old.op, ast.Add) else ast.UnaryOp(ast.USub(), right)
    elif isinstance(old.op, ast.Pow):
        yield "double for square", ast.BinOp(right, ast.Mult(), left)
        yield "square left out", left
    elif isinstance(old.op, ast.MatMult):
        yield "sign", ast.UnaryOp(ast.USub(), old)


def _of_index(old: ast.Subscript) -> Iterator[tuple[str, ast.expr]]:
    """Another time step: t - 1 and t + 1, which does not run past the end."""
    for node in ast.walk(old.slice):
        if isinstance(node, ast.Name) and node.id == "t":
            for text in ("t - 1", "max(t - 1, 0)", "-1", "0"):
                new = copy.deepcopy(old)
                for inner in ast.walk(new):
                    for field, value in ast.iter_fields(inner):
                        place = ast.parse(text, mode="eval").body
                        if isinstance(value, ast.Name) and value.id == "t" and field in ("slice", "left"):
                            setattr(inner, field, place)
                        if isinstance(value, list):
                            setattr(inner, field, [place if isinstance(v, ast.Name) and v.id == "t" else v for v in value])
                yield "another time step", new


def _of_axes(value: ast.expr) -> Iterator[Change]:
    """Another axis, or none."""
    for node in ast.walk(value):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)) or node.func.attr not in SUMS:
            continue
        for k, keyword in enumerate(node.keywords):
            if keyword.arg == "axis" and node.func.attr in ("sum", "mean"):
                yield "no axis", node, "keywords", None, [word for word in node.keywords if word is not keyword]
        if node.func.attr == "sum":
            yield "mean for sum", node.func, "attr", None, "mean"


def _targets(statement: ast.stmt) -> tuple[str, ...]:
    if isinstance(statement, ast.AugAssign):
        return (_name(statement.target),)
    if isinstance(statement, ast.Assign):
        target = statement.targets[0]
        parts = target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]
        return tuple(map(_name, parts))
    return ("return",)


def _name(target: ast.AST) -> str:
    while isinstance(target, (ast.Subscript, ast.Starred)):
        target = target.value
    return ast.unparse(target)


def _position(statement: ast.stmt, node: ast.AST, index: Any) -> int:
    """Which value of a tuple the change is in; 0 if there is one value."""
    value = getattr(statement, "value", None)
    if not isinstance(value, ast.Tuple):
        return 0
    if node is value and index is not None:
        return index
    for k, part in enumerate(value.elts):
        if any(inner is node for inner in ast.walk(part)):
            return k
    return 0
