"""Evaluate an expression of NumPy arrays that a learner typed, without running code.

The expression is parsed, and its tree is computed node by node. Only what gradients need
is known: the names that are given, arithmetic, indices, and some functions of NumPy. So
no answer can loop, import or write, and a message can say which part does not fit, with
its shapes in letters:

    `x * dy` does not fit: x is (B, D) and dy is (B, H), and * works entry by entry
"""

from __future__ import annotations

import ast
import difflib
import functools
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from minilstm.course.grading import Wrong

LONGEST = 300  # characters of an answer
LARGEST = 10_000  # entries of an array

FUNCTIONS: dict[str, Callable] = {
    name: getattr(np, name)
    for name in (
        "abs add concatenate cos cosh cumprod cumsum diag divide dot"
        " einsum exp expand_dims flip full_like hstack inner log logaddexp matmul"
        " maximum mean minimum multiply negative ones_like outer power prod reciprocal"
        " reshape sign sin sinh split sqrt square squeeze stack subtract sum swapaxes"
        " tanh tensordot transpose vstack where zeros_like"
    ).split()
}


def limited(function: Callable, entries: Callable[..., int]) -> Callable:
    """A function that makes arrays, but none with very many entries."""

    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        if entries(*arguments) > LARGEST:
            raise ValueError(f"its result would have more than {LARGEST:,} entries")
        return function(*arguments, **named)

    return call


def product(*sizes: Any) -> int:
    """The number of entries of an array of this shape, however large."""
    return math.prod(int(n) for n in np.concatenate([np.ravel(s) for s in sizes]))


FUNCTIONS |= {
    "ones": limited(np.ones, product),
    "zeros": limited(np.zeros, product),
    "eye": limited(np.eye, lambda n: product(n, n)),
    "tile": limited(np.tile, lambda a, times: product(np.size(a), times)),
    "repeat": limited(np.repeat, lambda a, times, *_: product(np.size(a), times)),
    "broadcast_to": limited(np.broadcast_to, lambda a, shape: product(shape)),
}
METHODS = {"copy", "cumsum", "cumprod", "dot", "max", "mean", "min", "prod", "ravel",
           "reshape", "squeeze", "sum", "swapaxes", "transpose"}  # fmt: skip
ATTRIBUTES = {"T", "ndim", "shape", "size"}
OPERATORS: dict[type, tuple[str, Callable]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv),
    ast.MatMult: ("@", operator.matmul),
    ast.USub: ("-", operator.neg),
    ast.UAdd: ("+", operator.pos),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Eq: ("==", operator.eq),
}
REFUSED = {
    ast.Lambda: "a lambda",
    ast.IfExp: "an if",
    ast.ListComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
    ast.SetComp: "a comprehension",
    ast.DictComp: "a comprehension",
}


def power(base: Any, exponent: Any) -> Any:
    """base**exponent; of two whole numbers as floats, which cannot grow for hours."""
    return (float(base) if isinstance(base, int) else base) ** exponent


OPERATORS[ast.Pow] = ("**", power)


def evaluate(text: str, names: Mapping[str, Any], letters: Mapping[int, str]) -> Any:
    """The value of an expression.

    Parameters
    ----------
    text : the expression. Comments and line breaks within brackets are allowed.
    names : arrays, numbers and functions by name; ``np`` and ``len`` are known too.
    letters : from a length of an axis to its letter, for messages.

    Returns
    -------
    value : most often an array.

    Raises
    ------
    Wrong
        If it is not an expression, has an unknown name, or cannot be computed.
    """
    return _Evaluation(parsed(text), text.strip(), names, letters).value()


def parsed(text: str) -> ast.expr:
    """The tree of an expression.

    Raises
    ------
    Wrong
        If it is not an expression, or too long.
    """
    if len(text) > LONGEST:
        raise Wrong(f"one line is enough; this has {len(text)} characters")
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        said = getattr(error, "msg", None) or str(error) or "it is nested too deeply"
        raise Wrong(
            f"this is not an expression of Python ({said}); a product is written a * b,"
            " a power a**2"
        ) from None


def in_letters(shape: tuple[int, ...], letters: Mapping[int, str]) -> str:
    """A shape as text.

    >>> in_letters((3, 1, 4), {3: "B", 4: "D"})
    '(B, 1, D)'
    """
    sizes = [letters.get(n, str(n)) for n in shape]
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"


class _Evaluation:
    """One walk over a tree; a mistake becomes a sentence about its part of the text."""

    def __init__(self, tree, text, names, letters):
        self.tree, self.text, self.names, self.letters = tree, text, names, letters

    def value(self) -> Any:
        try:
            with np.errstate(all="ignore"):  # a division by zero shows in the result
                return self._of(self.tree)
        except RecursionError:
            raise Wrong("this is nested too deeply; one short line is enough") from None

    def _of(self, node: ast.AST | None) -> Any:
        match node:
            case None:
                return None
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return self._named(name)
            case ast.UnaryOp(op=op, operand=operand) if type(op) in OPERATORS:
                return self._apply(node, OPERATORS[type(op)][1], self._of(operand))
            case ast.BinOp(left=left, op=op, right=right):
                return self._binary(node, left, op, right)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return self._binary(node, left, op, right)
            case ast.Tuple(elts=parts):
                return tuple(self._of(part) for part in parts)
            case ast.List(elts=parts):
                return [self._of(part) for part in parts]
            case ast.Subscript(value=array, slice=index):
                whole, place = self._of(array), self._of(index)
                return self._apply(node, lambda a: a[place], whole)
            case ast.Slice(lower=lower, upper=upper, step=step):
                return slice(self._of(lower), self._of(upper), self._of(step))
            case ast.Attribute():
                return self._attribute(node)
            case ast.Call(func=function, args=arguments, keywords=named):
                called = self._function(function)
                values = [self._of(argument) for argument in arguments]
                keywords = {str(word.arg): self._of(word.value) for word in named}
                return self._apply(node, called, *values, **keywords)
        what = REFUSED.get(type(node), f"`{self._source(node)}`")
        raise Wrong(f"{what} is not needed here: one expression of arrays is enough")

    def _named(self, name: str) -> Any:
        if name in self.names:
            return self.names[name]
        if name == "len":
            return len
        if name in FUNCTIONS:
            raise Wrong(f"{name} is a function of NumPy: write np.{name}")
        known = [*self.names, "np"]
        near = [k for k in known if k.lower() == name.lower()]
        near = near or difflib.get_close_matches(name, known, 1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise Wrong(f"there is no {name} here. {hint}You have {', '.join(known)}")

    def _binary(self, node: ast.AST, left: ast.AST, op: ast.AST, right: ast.AST) -> Any:
        if isinstance(op, ast.BitXor):
            raise Wrong(
                "a power is written ** in Python; ^ is for the bits of integers"
            )
        if type(op) not in OPERATORS:
            raise Wrong(
                f"`{self._source(node)}` is not needed here: + - * / ** @ are enough"
            )
        return self._apply(
            node, OPERATORS[type(op)][1], self._of(left), self._of(right)
        )

    def _attribute(self, node: ast.Attribute) -> Any:
        if isinstance(node.value, ast.Name) and node.value.id == "np":
            if node.attr in ("newaxis", "pi", "e"):
                return getattr(np, node.attr)
            self._function(node)  # or else it is not known
            raise Wrong(f"np.{node.attr} must be called: np.{node.attr}(...)")
        array = self._of(node.value)
        if node.attr in ATTRIBUTES:
            return self._apply(node, lambda a: getattr(np.asarray(a), node.attr), array)
        if node.attr in METHODS:
            raise Wrong(f"{node.attr} must be called: {self._source(node)}()")
        raise Wrong(f"`{self._source(node)}`: an answer needs no {node.attr}")

    def _function(self, node: ast.expr) -> Callable:
        """What is called: a function of NumPy, a given one, or a method of an array."""
        if isinstance(node, ast.Attribute):
            if isinstance(node.value, ast.Name) and node.value.id == "np":
                if node.attr in FUNCTIONS:
                    return FUNCTIONS[node.attr]
                near = difflib.get_close_matches(node.attr, FUNCTIONS, 1)
                hint = f"; did you mean np.{near[0]}?" if near else ""
                raise Wrong(f"an answer needs no np.{node.attr}{hint}")
            if node.attr in METHODS:
                return getattr(np.asarray(self._of(node.value)), node.attr)
        elif isinstance(node, ast.Name):
            called = self._named(node.id)
            if callable(called):
                return called
            raise Wrong(f"{node.id} is an array, not a function; a product needs a *")
        raise Wrong(f"`{self._source(node)}` cannot be called here")

    def _apply(self, node: ast.AST, function: Callable, *values, **named) -> Any:
        try:
            return function(*values, **named)
        except Exception as error:
            raise Wrong(self._misfit(node, values, error)) from None

    def _misfit(self, node: ast.AST, values: tuple, error: Exception) -> str:
        """What does not fit in a part of the text."""
        source = self._source(node)
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        if not isinstance(node, ast.BinOp) or not all(map(_is_numeric, values)):
            return f"`{source}` cannot be computed: {said}"
        sign = OPERATORS[type(node.op)][0]
        left, right = (in_letters(np.shape(v), self.letters) for v in values)
        parts = f"{self._short(node.left)} is {left} and {self._short(node.right)} is {right}"
        why = f"but {sign} works entry by entry, on equal shapes"
        if sign == "@" and min(map(np.ndim, values)) == 0:
            why = "but @ is for matrices and vectors; a product with a number is *"
        elif sign == "@" and max(map(np.ndim, values)) == 1:
            why = "but @ of two vectors needs equal lengths"
        elif sign == "@":
            why = "but @ needs as many columns on the left as rows on the right"
        elif isinstance(error, OverflowError):
            return f"`{source}` is too large a number"
        return f"`{source}` does not fit: {parts}, {why}"

    def _source(self, node: ast.AST | None) -> str:
        text = ast.get_source_segment(self.text, node) if node is not None else None
        return " ".join((text or "this").split())

    def _short(self, node: ast.AST) -> str:
        return node.id if isinstance(node, ast.Name) else f"`{self._source(node)}`"


def _is_numeric(value: Any) -> bool:
    return isinstance(value, (int, float, complex, np.ndarray, np.number))
