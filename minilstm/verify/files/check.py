"""Checks the functions that were found, and says in a few lines what is wrong."""

from __future__ import annotations

import inspect
import textwrap
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minilstm.errors import InputError
from minilstm.verify.diagnose.compare import (
    diagnose,
    diagnose_loss,
    diagnose_sequence,
    diagnose_step,
)
from minilstm.verify.diagnose.diagnosis import Diagnosis
from minilstm.verify.files.execute import execute, said, surroundings
from minilstm.verify.files.find import (
    Found,
    Function,
    find,
    functions_in,
    nothing_found,
)
from minilstm.verify.files.known import LOSS, WHOLE, layout_of
from minilstm.verify.layouts.layout import STEP, Layout
from minilstm.verify.layouts.presets import LAYOUTS
from minilstm.verify.files.limits import TimeIsUp, at_most
from minilstm.verify.files.source import read_source
from minilstm.verify.gradcheck.pairs import check_sequence, check_step
from minilstm.verify.gradcheck.report import GradientCheck
from minilstm.verify.gradcheck.traces import line_of

LOG_OF_SOFTMAX = "log of a softmax that has become 0"
ABOUT_LOG_OF_SOFTMAX = (
    "At logits as large as 1000 a softmax becomes 0, and its log infinite. To avoid"
    " that, subtract the log of the sum of exp instead of taking the log of the softmax."
)
FOR_RUNNING = 1 / 3  # of the time, for running the file; the rest is for the checks


@dataclass(frozen=True)
class Result:
    """What was found out about one function, or a forward and its backward."""

    function: str  # with its place
    right: bool
    text: str  # behind a colon, or in lines of its own

    def __str__(self) -> str:
        first, *rest = self.text.splitlines()
        return "\n".join([*_wrapped(f"{self.function}: {first}"), *rest])


@dataclass(frozen=True)
class Event:
    """Something to report: a "note", a "problem", or a "result"; "at" is where it is."""

    kind: str
    text: str
    right: bool = True


def check_source(
    path: Path,
    emit: Callable[[Event], None],
    *,
    layout: Any = None,
    cell: str | None = None,
    only: Sequence[str] = (),
    seconds: float = 30,
) -> None:
    """Run a file in this process, and check its functions.

    Parameters
    ----------
    path : Path
        A .py file or a notebook. Its code is run.
    emit : callable
        Gets what happens, as soon as it does. It cannot print: standard output is the
        code's, and leads nowhere.
    layout : str or Layout, optional
        How its functions take their arguments. Default: by their names.
    cell : str, optional
        "lstm", "gru" or "rnn". Default: by the names.
    only : sequence of str
        Names of functions. Default: all that are known.
    seconds : float
        A third of it is for running the file, the rest is shared by the checks.

    Raises
    ------
    InputError
        If there is no such file, or nothing in it can be checked.
    MinilstmError
        If it is not Python.
    """
    source = read_source(path)
    deadline = time.monotonic() + seconds
    for note in source.notes:
        emit(Event("note", note))
    with surroundings(source.path) as modules:
        running = lambda place: emit(Event("at", place))
        names, problems = execute(source, seconds * FOR_RUNNING, running)
        if modules.used:
            emit(Event("note", modules.note))
        for problem in problems:
            emit(Event("problem", problem, False))
        functions = functions_in(names, source.path)
        found = find(functions, layout and layout_of(layout, cell), cell, only)
        if not found:
            raise NothingFound(path, functions)
        for number, one in enumerate(found):
            emit(Event("at", str(one.last)))
            left = max(deadline - time.monotonic(), 1.0) / (len(found) - number)
            for result in check_found(one, left):
                emit(Event("result", str(result), result.right))


class NothingFound(InputError):
    """A file has no function that is known."""

    def __init__(self, path: Path, functions: dict[str, Function]):
        super().__init__(f"{path} has no function that is known")
        self.listing = nothing_found(path, functions)


def check_found(found: Found, seconds: float) -> list[Result]:
    """Check what was found, within a time limit; what it raises is a result, too."""
    try:
        with at_most(seconds):
            return results_of(found)
    except KeyboardInterrupt:
        raise
    except InputError as error:
        return [Result(str(found.last), False, str(error))]
    except BaseException as error:
        line = line_of(error)
        if not line and not _is_of_call(error, found):
            raise  # a bug of ours
        what = said(error, round(seconds, 1))
        return [Result(str(found.last), False, f"it cannot be checked{line}: {what}")]


def _is_of_call(error: BaseException, found: Found) -> bool:
    """Whether it is no bug of ours although no line of the file is to blame."""
    if isinstance(error, TypeError):  # f() takes 2 arguments but 3 were given
        both = (one for one in (found.forward, found.backward) if one is not None)
        return any(f"{one.name}()" in str(error) for one in both)
    return isinstance(error, (TimeIsUp, SystemExit, MemoryError))


def results_of(found: Found) -> list[Result]:
    """Check a function, or a forward and its backward, in the layout of ``known``.

    Raises InputError if they do not return what they should in form.
    """
    known, forward, backward = found.known, found.forward, found.backward
    kind = known.kind
    options: dict[str, Any] = {"layout": known.layout, "cell": known.cell}
    if forward is None:
        assert backward is not None
        text = f"it is checked together with its forward, {known.names[0]}"
        return [Result(str(backward), False, text)]
    if backward is None:
        if kind == WHOLE:
            _define_sizes(forward.call, known.layout.of(known.cell).sizes)
            return [_of_check(forward, check_sequence(forward.call, **options))]
        if kind == LOSS:
            diagnosis = diagnose_loss(forward.call, layout=known.layout)
            return [_of_loss(forward, diagnosis, known.layout)]
        if kind == STEP:
            return [_of_diagnosis(forward, diagnose_step(forward.call, **options))]
        text = f"it is checked together with its backward, {known.names[-1]}"
        return [Result(str(forward), False, text)]
    check_pair: Callable = check_step if kind == STEP else check_sequence
    name_it: Callable = diagnose if kind == STEP else diagnose_sequence
    refused = None
    try:
        checked = _of_check(
            backward, check_pair(forward.call, backward.call, **options)
        )
    except InputError as error:  # such as an argument changed in place
        refused, checked = error, Result(str(backward), False, str(error))
    try:
        diagnosis = name_it(backward.call, forward.call, **options)
    except InputError:  # a wrong form, or a cell that has no catalogue of mistakes
        if refused:
            raise refused from None
        return [checked]
    if diagnosis.right:
        return [checked]
    if diagnosis.title.startswith("forward"):  # backward was not compared
        return [_of_diagnosis(forward, diagnosis), checked]
    return [_of_diagnosis(backward, diagnosis)]


def _define_sizes(function: Callable, names: Iterable[str]) -> None:
    """Global names of sizes, which a file without its text could not define."""
    for name in names:
        inspect.unwrap(function).__globals__.setdefault(name, 0)


def _of_check(function: Function, check: GradientCheck) -> Result:
    """Right with its largest relative error, or the wrong gradients."""
    if check.passed:
        largest = max(row.relative for row in check.rows)
        text = (
            f"right, {len(check.rows)} gradients, largest relative error {largest:.0e}"
        )
        return Result(str(function), True, _lines(text, check.notes))
    wrong = [str(row) for row in check.rows if row.verdict != "ok"]
    return Result(str(function), False, _lines("wrong", [*check.problems, *wrong]))


def _of_diagnosis(function: Function, diagnosis: Diagnosis) -> Result:
    """Right, or the mistakes."""
    if diagnosis.right:
        text = f"right, equal to ours in {diagnosis.cases} random cases"
        return Result(str(function), True, _lines(text, diagnosis.notes))
    return Result(str(function), False, f"wrong\n{diagnosis}")


def _of_loss(function: Function, diagnosis: Diagnosis, layout: Layout) -> Result:
    """As any diagnosis; but the log of a softmax is no mistake if a course has it so.

    The loss that CS231n hands out with its assignment is one: it is infinite only at
    logits that no model of the assignment reaches.
    """
    names = [finding.mistake and finding.mistake.name for finding in diagnosis.findings]
    if names != [LOG_OF_SOFTMAX] or layout is LAYOUTS["minilstm"]:
        return _of_diagnosis(function, diagnosis)
    text = "right, equal to ours but for logits as large as 1000"
    return Result(str(function), True, _lines(text, [ABOUT_LOG_OF_SOFTMAX]))


def _lines(first: str, sentences: Sequence[str]) -> str:
    return "\n".join([first, *(line for one in sentences for line in _wrapped(one))])


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        text,
        80,
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
