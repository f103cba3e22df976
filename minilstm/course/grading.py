"""Grade an answer by a table.

An exercise is a file with blanks, each an ellipsis ``...``, in the definitions of its
tasks. A ``Task`` is data. Its ``cases`` are arguments; what the solution returns for
them is right. A learner's answer that differs is compared with what the solution
returns if one line of it is wrong, for each of the ``mistakes``. If both are equal, the
message names the mistake. If not, it names the entry that is farthest from right.

    Task(
        "cell_state_gradient",
        hints=("If a number is used twice, ...", "Through h: ..."),
        cases=lambda rng: [rng.normal(size=(4, 3, 2))],  # dh, dc_next, o and tanh_c
        returns="dc",
        mistakes={"return dc_next": "it has only the part from the next step"},
        praise="dc has both parts",
    )
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from minilstm.course.checks import stopping
from minilstm.course.compare import (
    TOLERANCE,
    Wrong,
    difference,
    equal,
    has_the_form,
    is_telling,
    shape_of,
)
from minilstm.course.mistakes import Solutions

SEED = 0


class Case(NamedTuple):
    """Arguments of a task, and words for them in messages: ``"p with zeros"``."""

    arguments: Sequence[Any]
    words: str = ""


@dataclass(frozen=True)
class Task:
    """One task of an exercise.

    Parameters
    ----------
    name : the definition in the exercise file, a function or a number.
    check : called last with the learner's definition, for what a comparison cannot
        show. It raises ``Wrong``, or returns a sentence in place of ``praise``.
    hints : two; the second is nearer to the solution.
    may_change : arguments that the definition may change in place. Default: none.
    cases : from a random generator to the arguments of several calls, each a sequence
        or a ``Case``.
    returns : the names of the results, nested like them, such as
        ``("dx", ("dh0", "dc0"))``; or one name.
    changes : arguments that the function overwrites; they are its results.
    mistakes : from changes of the solution to sentences; see ``mistakes.py``.
    compared : from a result and the arguments by name to the parts that are compared, by
        name and in order. Default: each result.
    advice : from names of parts to what is said if an unknown mistake shows there; the
        first part that is wrong and has advice counts.
    not_finite : what is said if an unknown mistake gives inf or nan.
    diagnose : from ``minilstm.verify`` and the learner's function to a diagnosis, which
        names mistakes that are not in the table, in more random cases.
    praise : a sentence about a right answer; ``{cases}`` is the number of random cases.
    tolerance : as for ``same``.
    lines : the learner's function is stopped after so many executed lines. Default: not.
    """

    name: str
    check: Callable[[Any], str | None] | None = None
    hints: tuple[str, str] = ("", "")
    may_change: tuple[str, ...] = ()
    cases: Callable[[np.random.Generator], Any] | None = None
    returns: Any = "the result"
    changes: tuple[str, ...] = ()
    mistakes: Mapping[str, str] = field(default_factory=dict)
    compared: Callable[[Any, Mapping[str, Any]], Mapping[str, Any]] | None = None
    advice: Mapping[str, str] = field(default_factory=dict)
    not_finite: str = ""
    diagnose: Callable[[Any, Any], Any] | None = None
    praise: str = ""
    tolerance: float = TOLERANCE
    lines: int = 0

    def grade(self, yours: Any, solutions: Solutions | None = None) -> str:
        """Grade a definition.

        Parameters
        ----------
        yours : the learner's definition.
        solutions : needed if the task has cases.

        Returns
        -------
        praise : a sentence about the right answer.

        Raises
        ------
        Wrong
            With what is wrong, and where.
        """
        if self.cases is not None:
            assert solutions is not None
            Comparison(self, yours, solutions).evaluate()
        praise = self.praise
        if self.diagnose is not None:
            found = self._diagnosis(yours)
            praise = praise.replace("{cases}", str(found.cases))
        said = self.check(yours) if self.check is not None else None
        return said or praise

    def _diagnosis(self, yours: Any) -> Any:
        assert self.diagnose is not None
        found = self.diagnose(importlib.import_module("minilstm.verify"), yours)
        if not found:
            raise Wrong(found.text)
        return found


class Call(NamedTuple):
    """What a function has returned for a case, and its arguments after the call."""

    answer: Any
    given: Mapping[str, Any]


class Comparison:
    """The learner's answers to all cases of a task, beside the right ones."""

    def __init__(self, task: Task, yours: Any, solutions: Solutions):
        self.task, self.yours, self.solutions = task, yours, solutions
        right = solutions.right(task.name)
        self.names = list(inspect.signature(right).parameters)
        self.right = list(self._calls(right))
        self.mine: list[Call] = []
        self.stopped: Wrong | None = None  # what the learner's function raised
        try:
            for call in self._calls(
                stopping(yours, task.lines) if task.lines else yours
            ):
                self.mine.append(call)
        except Wrong as wrong:
            self.stopped = wrong

    def evaluate(self) -> None:
        """Raise ``Wrong`` if an answer is not right."""
        for k, (mine, right) in enumerate(zip(self.mine, self.right)):
            try:
                parts = self._parts(mine, k)
            except Wrong as wrong:  # the answer has another form
                self._name_the_mistake(k)
                raise wrong from None
            said = {
                name: difference(name, parts.get(name), part, self.task.tolerance)
                for name, part in self._parts(right, k).items()
            }
            if wrong_parts := [name for name, sentence in said.items() if sentence]:
                self._name_the_mistake(k, wrong_parts[0])
                self._say(said, wrong_parts, k)
        if self.stopped:
            raise self.stopped

    def _cases(self) -> Iterator[Case]:
        """The cases, drawn again, because a function may change them."""
        assert self.task.cases is not None
        for case in self.task.cases(np.random.default_rng(SEED)):
            yield case if isinstance(case, Case) else Case(case)

    def _calls(self, function: Any) -> Iterator[Call]:
        """Call a function in each case."""
        for arguments, _ in self._cases():
            with np.errstate(all="ignore"):
                answer = function(*arguments)
            yield Call(answer, dict(zip(self.names, arguments)))

    def _parts(self, call: Call, k: int) -> Mapping[str, Any]:
        """The parts of an answer that are compared, by name."""
        results = self._results(call)
        if self.task.compared is None:
            return results
        name, mine = self._other_shape(call, k)
        if name:
            raise Wrong(difference(name, mine, self._results(self.right[k])[name]))
        return self.task.compared(call.answer, call.given)

    def _other_shape(self, call: Call, k: int) -> tuple[str, Any]:
        """The name of the first result with another shape than the right one, and it."""
        try:
            results = self._results(call)
        except Wrong:
            return "", None
        for name, right in self._results(self.right[k]).items():
            is_list = isinstance(right, (list, tuple))
            if not is_list and shape_of(results[name]) != shape_of(right):
                return name, results[name]
        return "", None

    def _results(self, call: Call) -> dict[str, Any]:
        """The results of a call by name."""
        if not self.task.changes:
            form = f"{self.task.name} must return {_form(self.task.returns)}"
            return dict(_named(self.task.returns, call.answer, form))
        if call.answer is not None:
            names = " and ".join(self.task.changes)
            raise Wrong(f"return nothing: only overwrite {names}")
        return {name: call.given[name] for name in self.task.changes}

    def _name_the_mistake(self, k: int, part: str = "") -> None:
        """Raise ``Wrong`` if a mistake of the table explains the answers.

        One that explains all answers comes before one that explains only the part that
        is wrong first, and that before one that explains only case ``k``. This must be
        more than a coincidence, so small whole numbers do not count there. Last comes
        one that explains only the shape of a result.
        """
        answers = {
            change: self._mistaken(self.solutions.wrong(self.task.name, change))
            for change in self.task.mistakes
        }
        name, mine = self._other_shape(self.mine[k], k)
        prefix = f"{part or name} is wrong: " if part or name else ""
        every = range(len(self.mine))
        levels: list[tuple[str, Sequence[int]]] = [("", every)]
        if part and not self.task.diagnose:
            parts = self._parts(self.mine[k], k)
            levels.append((part, every))
            levels += [("", [k])] * is_telling(dict(parts))
            levels += [(part, [k])] * is_telling(parts.get(part))
        for only, cases in levels:
            for change, wrong in answers.items():
                if all(self._same(wrong, case, only) for case in cases):
                    raise Wrong(f"{prefix}{self.task.mistakes[change]}")
        for change, wrong in answers.items() if name else ():
            its, other = self._other_shape(wrong[k], k) if len(wrong) > k else ("", 0)
            if its == name and has_the_form(mine, other):
                raise Wrong(f"{name} is wrong: {self.task.mistakes[change]}")

    def _mistaken(self, function: Any) -> list[Call]:
        """What a function with a mistake returns, until it ends by an error."""
        calls = []
        try:
            for call in self._calls(function):
                calls.append(call)
        except Exception:  # the arguments of a case may show a mistake in this way
            pass
        return calls

    def _same(self, wrong: list[Call], k: int, only: str) -> bool:
        """Whether a mistake explains the answer to a case, or only a part of it."""
        if len(wrong) <= k:
            return False
        try:
            mine, other = self._parts(self.mine[k], k), self._parts(wrong[k], k)
        except Wrong:
            return not only and equal(self.mine[k].answer, wrong[k].answer)
        if not only:
            return equal(dict(mine), dict(other), self.task.tolerance)
        if only not in mine:  # it is a part of other cases
            return True
        return equal(mine[only], other[only], self.task.tolerance)

    def _say(self, said: Mapping[str, str], wrong: list[str], k: int) -> None:
        """Raise ``Wrong`` about an unknown mistake."""
        case = [*self._cases()][k]
        first, *others = wrong
        sentence = said[first]
        if self.task.not_finite and ("inf" in sentence or "nan" in sentence):
            raise Wrong(f"{sentence}: {self.task.not_finite}")
        if self.task.diagnose is not None:
            mine, right = self._results(self.mine[k]), self._results(self.right[k])
            if all(has_the_form(mine[name], right[name]) for name in right):
                self.task._diagnosis(self.yours)
        where = case.words or ", ".join(
            f"{name} = {value!r}"
            for name, value in zip(self.names, case.arguments)
            if isinstance(value, (bool, int, float, str, np.number)) or value is None
        )
        sentence += f", for {where}" if where else ""
        if others:
            are = "is" if len(others) == 1 else "are"
            sentence += f"; {', '.join(others)} {are} wrong, too"
        advice = [self.task.advice[name] for name in wrong if name in self.task.advice]
        raise Wrong("; ".join([sentence, *advice[:1]]))


def _named(
    names: Any, value: Any, form: str, it: str = "it"
) -> Iterator[tuple[str, Any]]:
    """The results of a function by their names, which are nested like them."""
    if isinstance(names, str):
        yield names, value
        return
    if isinstance(value, Mapping):  # gradients by name, dWx or Wx
        value = {
            f"d{str(name).removeprefix('d')}": part for name, part in value.items()
        }
        if set(names) != set(value):
            raise Wrong(f"{form}; {it} returned {', '.join(value)}")
        value = [value[name] for name in names]
    if value is None:
        raise Wrong(
            f"{form}; {it} returned nothing: does every branch of it end with a return?"
        )
    if not isinstance(value, (tuple, list)):
        raise Wrong(f"{form}; {it} returned one {type(value).__name__}")
    if len(value) != len(names):
        raise Wrong(f"{form}; {it} returned {len(value)} values")
    for name, part in zip(names, value):
        yield from _named(name, part, form, f"for {_form(name)} it")


def _form(names: Any) -> str:
    return names if isinstance(names, str) else f"({', '.join(map(_form, names))})"
