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

from minilstm.course.compare import TOLERANCE, Wrong, difference, equal
from minilstm.course.mistakes import Solutions
from minilstm.errors import MinilstmError

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
    advice : from names of results to what is said if an unknown mistake shows there.
    not_finite : what is said if an unknown mistake gives inf or nan.
    diagnose : from ``minilstm.verify`` and the learner's function to a diagnosis, which
        names mistakes that are not in the table, in more random cases.
    praise : a sentence about a right answer; ``{cases}`` is the number of random cases.
    tolerance : as for ``same``.
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


class Comparison:
    """The learner's answers to all cases of a task, beside the right ones."""

    def __init__(self, task: Task, yours: Any, solutions: Solutions):
        self.task, self.yours, self.solutions = task, yours, solutions
        right = solutions.right(task.name)
        self.names = list(inspect.signature(right).parameters)
        self.cases = [
            *self._cases()
        ]  # never given to a function, which may change them
        self.right = list(self._answers(right))
        self.mine: list[Any] = []
        self.stopped: Wrong | None = None  # what the learner's function raised
        try:
            for answer in self._answers(yours):
                self.mine.append(answer)
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
                name: self._difference(name, parts.get(name), part)
                for name, part in self._parts(right, k).items()
            }
            if wrong_parts := [name for name, sentence in said.items() if sentence]:
                self._name_the_mistake(k, wrong_parts[0])
                self._say(said, wrong_parts, k)
        if self.stopped:
            raise self.stopped

    def _answers(self, function: Any) -> Iterator[Any]:
        """What a function returns, case by case; each call gets new arguments."""
        with np.errstate(all="ignore"):
            for arguments, _ in self._cases():
                answer = function(*arguments)
                if self.task.changes:
                    given = dict(zip(self.names, arguments))
                    if answer is not None:
                        names = " and ".join(self.task.changes)
                        raise Wrong(f"return nothing: only overwrite {names}")
                    answer = tuple(given[name] for name in self.task.changes)
                yield answer

    def _cases(self) -> Iterator[Case]:
        """The cases, drawn anew."""
        assert self.task.cases is not None
        for case in self.task.cases(np.random.default_rng(SEED)):
            yield case if isinstance(case, Case) else Case(case)

    def _parts(self, answer: Any, k: int) -> Mapping[str, Any]:
        """The parts of an answer that are compared, by name."""
        names = self.task.changes or self.task.returns
        if isinstance(names, tuple) and len(names) == 1:
            (names,), (answer,) = names, answer
        form = f"{self.task.name} must return {_form(names)}"
        parts = dict(_named(names, answer, form))
        if self.task.compared is None:
            return parts
        raw = dict(_named(names, self.right[k], form))
        for name, part in parts.items():
            right = raw[name]
            if np.shape(part) != np.shape(right) and isinstance(right, np.ndarray):
                raise Wrong(difference(name, part, right))
        given = dict(zip(self.names, self.cases[k].arguments))
        return self.task.compared(answer, given)

    def _difference(self, name: str, mine: Any, right: Any) -> str:
        return difference(name, mine, right, self.task.tolerance)

    def _name_the_mistake(self, k: int, part: str = "") -> None:
        """Raise ``Wrong`` if a mistake of the table explains the answers.

        One that explains all answers comes before one that explains only the part that
        is wrong first, and that before one that explains it only in case ``k``.
        """
        wrong = [*self._mistaken()]
        levels = [self._fits_all, self._fits_part, self._fits_case]
        for fits in levels[:1] if self.task.diagnose else levels:
            for sentence, answers in wrong:
                if fits(answers, part, k):
                    prefix = f"{part} is wrong: " if part else ""
                    raise Wrong(f"{prefix}{sentence}")

    def _mistaken(self) -> Iterator[tuple[str, list[Any]]]:
        """The answers of each mistake of the table, with its sentence."""
        for change, sentence in self.task.mistakes.items():
            function, answers = self.solutions.wrong(self.task.name, change), []
            try:
                for answer in self._answers(function):
                    answers.append(answer)
            except (ArithmeticError, LookupError, TypeError, ValueError, MinilstmError):
                pass  # a mistake may end the program where the arguments show it
            yield sentence, answers

    def _fits_all(self, answers: list[Any], part: str, k: int) -> bool:
        count = len(self.mine)
        return len(answers) >= count and all(
            equal(mine, wrong, self.task.tolerance)
            for mine, wrong in zip(self.mine, answers)
        )

    def _fits_part(self, answers: list[Any], part: str, k: int) -> bool:
        count = len(self.mine)
        return len(answers) >= count and all(
            self._same_part(answers, part, case) for case in range(count)
        )

    def _fits_case(self, answers: list[Any], part: str, k: int) -> bool:
        return len(answers) > k and self._same_part(answers, part, k)

    def _same_part(self, answers: list[Any], part: str, k: int) -> bool:
        try:
            mine, wrong = self._parts(self.mine[k], k), self._parts(answers[k], k)
        except Wrong:
            return False
        return part in mine and equal(mine[part], wrong[part], self.task.tolerance)

    def _say(self, said: Mapping[str, str], wrong: list[str], k: int) -> None:
        """Raise ``Wrong`` about an unknown mistake."""
        case = self.cases[k]
        first, *others = wrong
        sentence = said[first]
        if self.task.not_finite and ("inf" in sentence or "nan" in sentence):
            raise Wrong(f"{sentence}: {self.task.not_finite}")
        if self.task.diagnose is not None and "shape" not in sentence:
            self.task._diagnosis(self.yours)
        where = case.words or ", ".join(
            f"{name} = {value!r}"
            for name, value in zip(self.names, case.arguments)
            if isinstance(value, (bool, int, float, str, np.number)) or value is None
        )
        sentence += f", for {where}" if where else ""
        sentence += f"; {', '.join(others)} wrong, too" if others else ""
        advice = [self.task.advice[name] for name in wrong if name in self.task.advice]
        raise Wrong("; ".join([sentence, *dict.fromkeys(advice)]))


def _named(names: Any, value: Any, form: str) -> Iterator[tuple[str, Any]]:
    """The results of a function by their names, which are nested like them."""
    if isinstance(names, str):
        yield names, value
        return
    if isinstance(value, Mapping):  # gradients by name, dWx or Wx
        value = {
            f"d{str(name).removeprefix('d')}": part for name, part in value.items()
        }
        if set(names) != set(value):
            raise Wrong(f"{form}; it returned {', '.join(value)}")
        value = [value[name] for name in names]
    if value is None:
        raise Wrong(
            f"{form}; it returned nothing: does every branch of it end with a return?"
        )
    if not isinstance(value, (tuple, list)):
        raise Wrong(f"{form}; it returned one {type(value).__name__}")
    if len(value) != len(names):
        raise Wrong(f"{form}; it returned {len(value)} values")
    for name, part in zip(names, value):
        yield from _named(name, part, f"{form}, where {_form(name)} is a part")


def _form(names: Any) -> str:
    return names if isinstance(names, str) else f"({', '.join(map(_form, names))})"
