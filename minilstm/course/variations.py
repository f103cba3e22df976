"""Exercises with a seed, so that the copies of two students differ.

A copy with a seed says so in a line of its own:

    # seed: 46304125

What varies is a convention, so that every copy is as hard as every other one:

| exercise | what varies | copies |
|---|---|---|
| 1 | the first id that a token gets | 3 |
| 2 | the order of the gates and the candidate in z, b and the weights | 24 |
| 9 | the sign of the velocity of SGD with momentum | 2 |

All other exercises are the same for all. A variation is a change of text, made alike in
the exercise, its solutions and its grading. So the grading, its messages and the hints
speak of the student's own copy.
"""

from __future__ import annotations

import itertools
import random
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

from minilstm.course.folder import numbered

PARTS = ("exercises", "solutions", "grading")
SEED = re.compile(r"^# seed: (\d{1,19})$", re.MULTILINE)
GATES = "ifgo"
# "i, f, g, o" with anything alike around each letter: zi, "i", np.tanh(zi), sigmoid(-zi)
IN_ORDER = re.compile(
    r"(?<![\w.])"
    + ", ".join(rf'([\w.]+\(-?z{gate}\)|z?{gate}|"{gate}")' for gate in GATES)
    + r"(?!\w)"
)
ORDERS = ["".join(order) for order in itertools.permutations(GATES)]
FREE = {  # what the ids before the first one are for
    1: "0 is padding",
    2: "0 is padding, and 1 an unknown character",
    3: "0 is padding, and 1 and 2 are the beginning and the end of a text",
}


@dataclass(frozen=True)
class Variation:
    """One way in which an exercise can differ from the one of the course.

    Parameters
    ----------
    words : what is different, in a few words; empty for the exercise of the course.
    order : of the gates and the candidate.
    replaced : texts and what stands in their place, one after the other, in the
        exercise, its solutions and its grading.
    """

    words: str = ""
    order: str = GATES
    replaced: tuple[tuple[str, str], ...] = ()

    def change(self, text: str) -> str:
        """The text of the exercise, its solutions or its grading, changed."""
        if self.order != GATES:
            places = [1 + GATES.index(gate) for gate in self.order]
            text = IN_ORDER.sub(
                lambda found: ", ".join(found[place] for place in places), text
            )
        for old, new in self.replaced:
            text = text.replace(old, new)
        return text


def variations(number: int) -> list[Variation]:
    """All variations of an exercise, the usual one first; one if it does not vary."""
    if number == 1:
        return [_first_id(first) for first in FREE]
    if number == 2:
        return [_order(order) for order in ORDERS]
    if number == 9:
        return [
            Variation(),
            Variation("u has the sign of the gradient", replaced=UPHILL),
        ]
    return [Variation()]


def variation_of(number: int, seed: int) -> Variation:
    """The variation of an exercise that belongs to a seed."""
    # random.Random, because its numbers are the same in every version of Python
    possible = variations(number)
    return possible[int(random.Random(f"{number} {seed}").random() * len(possible))]


def with_seed(text: str, number: int, seed: int) -> str:
    """The blank exercise as a copy with this seed."""
    variation, end = variation_of(number, seed), text.index('"""', 3) + 4
    note = f"# seed: {seed}\n"
    if variation.words:
        note += f"# Unlike in the lesson, {variation.words}.\n"
    return f"{variation.change(text[:end])}\n{note}{variation.change(text[end:])}"


def seed_in(path: Path) -> int | None:
    """The seed of a learner's file; None if it has none, or is no text."""
    try:
        found = SEED.search(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError):
        return None
    return int(found[1]) if found else None


def lessons_for(number: int, seed: int | None, lessons: Path, folder: Path) -> Path:
    """The folder of the course that an answer is graded with.

    Parameters
    ----------
    number : of the exercise.
    seed : of the answer, if any.
    lessons : the folder of the course.
    folder : an empty folder of ours, for the exercise with this seed.

    Returns
    -------
    lessons : the folder of the course, or ``folder`` with this one exercise in it.
    """
    if seed is None:
        return lessons
    change = variation_of(number, seed).change
    for part in PARTS:
        source = numbered(lessons / part)[number]
        text = source.read_text(encoding="utf-8")
        text = with_seed(text, number, seed) if part == PARTS[0] else change(text)
        (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / part / source.name).write_text(text, encoding="utf-8")
    return folder


def _first_id(first: int) -> Variation:
    if first == 1:
        return Variation()
    free = " and ".join(map(str, range(first)))
    task = (
        "texts is a list of strings. The most frequent character has the id {}, the next"
        " one {}, and so on; {}. Of equally frequent characters, the one that appears"
        " first comes first. `Counter.most_common()` sorts in this way."
    )
    replaced = (
        (
            _filled(task.format(1, 2, FREE[1])),
            _filled(task.format(first, first + 1, FREE[first])),
        ),
        ("start=1", f"start={first}"),
        (
            f'"start={first} -> start=2": "the ids begin with 2, as word ids do, where 1'
            ' is the unknown word"',
            f'"start={first} -> start=1": "the ids begin with 1, which is not free"',
        ),
        ("the ids begin with 1 and", f"the ids begin with {first} and"),
        ("and 0 is free for padding", f"and {free} are free"),
    )
    return Variation(f"the ids begin with {first}", replaced=replaced)


def _filled(text: str) -> str:
    """A paragraph of a docstring, in 88 columns."""
    return textwrap.fill(text, 88, initial_indent=" " * 4, subsequent_indent=" " * 4)


def _order(order: str) -> Variation:
    """Exercise 2 with the gates in another order.

    Its step is not diagnosed, because the words of a diagnosis are about our order.
    """
    if order == GATES:
        return Variation()
    names = ", ".join(order)
    bias = dict(zip(GATES, ("-12.0", "12.0", "0.0", "12.0")))
    split = "zip((sigmoid, sigmoid, np.tanh, sigmoid), np.split(z, 4, axis=1))"
    usual = f"the order is {names} here, not i, f, g, o"
    mistakes = {
        f"{names} = gates(z) -> i, f, g, o = gates(z)": usual,
        f"{names} = gates(z) -> i, f, g, o = [f(part) for f, part in {split}]": usual,
        "o * np.tanh(c) -> o * c": "the tanh in (6) is missing",
        "h_prev @ Wh + b -> h_prev @ Wh": "the bias is missing",
    }
    if order == "gfio":  # i times g is g times i
        del mistakes[f"{names} = gates(z) -> i, f, g, o = gates(z)"]
    replaced = (
        (
            "np.array([-12.0, 12.0, 0.0, 12.0])",
            f"np.array([{', '.join(bias[gate] for gate in order)}])",
        ),
        (
            'same("the shape of the bias", b.shape, (4,))\n',
            'same("the shape of the bias", b.shape, (4,))\n'
            f"    b = b[{[order.index(gate) for gate in GATES]}]\n",
        ),
        (
            "diagnose=lambda verify, yours: verify.diagnose_step(lambda *arguments:"
            " (*yours(*arguments), None))",
            f"mistakes={mistakes}",
        ),
        (
            "h and c equal those of reference.lstm_step",
            f"h and c are right, with {names}",
        ),
    )

    return Variation(f"the order is {names}", order, replaced)


# Exercise 9: the course adds u to θ, this variation subtracts it.
UPHILL = (
    (
        "(1)  u ← μ u - α g         the velocity",
        "(1)  u ← μ u + α g         the velocity",
    ),
    (
        "(2)  θ ← θ + u             numbered as in minilstm/optim/sgd.py",
        "(2)  θ ← θ - u             u has the sign of the gradient",
    ),
    ("u = momentum * u - rate * g  ", "u = momentum * u + rate * g  "),
    ("theta = theta + u  ", "theta = theta - u  "),
    (
        '"u = momentum * u + rate * g": "the gradient points uphill; the update must go'
        ' downhill, - α g"',
        '"u = momentum * u - rate * g": "here u has the sign of the gradient, + α g"',
    ),
    ('"u = -rate * g"', '"u = rate * g"'),
    ('"u = u - rate * g"', '"u = u + rate * g"'),
    (
        "momentum * u - (1 - momentum) * rate * g",
        "momentum * u + (1 - momentum) * rate * g",
    ),
    (
        "u = momentum * u - g; theta = theta + rate * u",
        "u = momentum * u + g; theta = theta - 2 * rate * u",
    ),
    ('"u = rate * u - momentum * g"', '"u = rate * u + momentum * g"'),
    (
        '"theta = theta - u": "u already has its minus sign: θ + u"',
        '"theta = theta + u": "this goes uphill: θ - u"',
    ),
    ("theta - u + (u + rate * g) / momentum", "theta + u - (u - rate * g) / momentum"),
    ('"theta = theta + rate * u"', '"theta = theta - rate * u"'),
    (
        "theta = theta + momentum * u - rate * g",
        "theta = theta - momentum * u - rate * g",
    ),
    (
        "u has its minus sign and its learning rate from (1), so (2) only adds.",
        "u has its learning rate from (1), so (2) only subtracts.",
    ),
    (
        "minus rate times g; the new θ is θ plus the new u",
        "plus rate times g; the new θ is θ minus the new u",
    ),
    ("equal those of optim.sgd_step", "are right"),
)
