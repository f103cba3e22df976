"""For test files of students and teachers: a gradient check is one line.

    from minilstm.testing import assert_gradients

    def test_my_lstm():
        assert_gradients(lstm_step_forward, lstm_step_backward, layout="cs231n")

With pytest, ``assert_gradients`` is a fixture, too: nothing needs to be imported.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from minilstm.cli.check_file import events_of, failure_in
from minilstm.errors import InputError
from minilstm.verify.files.check import results_of
from minilstm.verify.files.find import Found, Function, required
from minilstm.verify.files.known import LOSS, Known, known_in, layout_of
from minilstm.verify.gradcheck.check import check_gradients
from minilstm.verify.gradcheck.numerical import Params
from minilstm.verify.layouts.layout import SEQUENCE, STEP, Layout

KINDS = (STEP, SEQUENCE, LOSS)


def assert_gradients(
    forward: Callable,
    backward: Callable | None = None,
    *,
    layout: Any = "minilstm",
    cell: str = "lstm",
    kind: str | None = None,
    params: Params | None = None,
) -> None:
    """Raise AssertionError if gradients are wrong, with the mistake.

    The backward pass is compared with numerical derivatives of its forward pass. Then
    both are compared with those of minilstm, which names the mistake.

    Parameters
    ----------
    forward : callable
        A forward step, a forward pass through time, or a loss that returns its
        gradient, too.
    backward : callable, optional
        Its backward. A loss has none.
    layout : str, dict or Layout
        What the arguments hold: "minilstm", "cs231n", "deeplearning.ai", "d2l",
        "pytorch", or a description of another layout.
    cell : str
        "lstm", "gru" or "rnn".
    kind : str, optional
        "step", "sequence" or "loss". Default: by the names and the arguments.
    params : dict of arrays, optional
        For any loss: ``forward`` is then a function from such a dictionary to the loss,
        and ``backward`` one to its gradients, as in ``check_gradients``.

    Raises
    ------
    AssertionError
        If a gradient is wrong, the function is not that of such a cell, or it does not
        return what the layout says.
    InputError
        If there is no such layout, cell or kind.

    >>> from minilstm import reference
    >>> assert_gradients(reference.lstm_step, reference.lstm_step_backward)
    """
    __tracebackhide__ = True
    if params is not None:
        check = check_gradients(forward, params, backward)
        if not check.passed:
            raise AssertionError(f"the gradients are wrong\n{check}")
        return
    known_layout = layout_of(layout, cell)
    mine = _function(forward), None if backward is None else _function(backward)
    if kind is None:
        kind = _kind_of(*mine, known_layout, cell)
    elif kind not in KINDS:
        raise InputError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
    found = Found(Known(known_layout, cell, kind, ()), *mine)
    try:
        results = results_of(found)
    except InputError as error:  # results of another form, arguments that were changed
        raise AssertionError(f"{found.last}: {error}") from None
    if not all(result.right for result in results):
        raise AssertionError("\n".join(map(str, results)))


def assert_file(
    path: str | Path,
    *,
    layout: Any = None,
    cell: str | None = None,
    seconds: float = 30,
) -> None:
    """Raise AssertionError if a function in a file is wrong, as ``minilstm check FILE``.

    The file is run in a process of its own.

    Parameters
    ----------
    path : str or Path
        A .py file or a notebook.
    layout, cell : optional
        As in ``assert_gradients``. Default: by names and arguments.
    seconds : float
        The time limit.

    Raises
    ------
    AssertionError
        If a gradient is wrong, or the file cannot be run.
    InputError
        If there is no such file, or it has no function that is known.
    """
    __tracebackhide__ = True
    events, outcome = events_of(Path(path), layout=layout, cell=cell, seconds=seconds)
    failure = failure_in(Path(path), events, outcome)
    if isinstance(failure, InputError):
        raise failure
    lines = [event["text"] for event in events if event["kind"] == "result"]
    wrong = [
        event for event in events if event["kind"] == "result" and not event["right"]
    ]
    if failure is not None or wrong:
        raise AssertionError("\n".join([*lines, *([str(failure)] if failure else [])]))


def _function(call: Callable) -> Function:
    """A callable with its name, its arguments and its place."""
    if not callable(call):
        raise InputError(f"a function is needed, not {type(call).__name__}")
    code = getattr(inspect.unwrap(call), "__code__", None)
    name = getattr(call, "__name__", type(call).__name__)
    place = (
        f"line {code.co_firstlineno} of {Path(code.co_filename).name}"
        if code
        else "no line"
    )
    return Function(name, call, required(call), place)


def _kind_of(
    forward: Function, backward: Function | None, layout: Layout, cell: str
) -> str:
    """By the names; else by the number of arguments, if that decides."""
    here = [one for one in known_in([layout]) if one.cell == cell]
    for one in here:
        if forward.name in one.names:
            return one.kind
    if backward is None:
        return LOSS if re.search("loss|entropy", forward.name, re.I) else STEP
    counts = {one.kind: len(one.signatures[0][1]) for one in here}
    fitting = [
        kind for kind in (STEP, SEQUENCE) if counts.get(kind) == len(forward.arguments)
    ]
    if len(fitting) == 1:
        return fitting[0]
    return STEP if re.search("step|cell", forward.name, re.I) else SEQUENCE
