"""The built-in corpus `addition`: two numbers as text, and their sum.

    question    535+61
    answer      596

A model reads the question character by character and then writes the answer, from the
left. The first digit of the answer can depend on the last of the question: 4999+5000 is
9999, and 4999+5001 is 10000. The answer is a function of the question, so the best
possible accuracy is 100 %, and the entropy floor of the answer is 0 nats.

A number of a question with up to k digits is drawn as

    (1)  n uniform in {1, ..., k},   number uniform in {0, ..., 10^n - 1}

and questions are unique, whatever the order of the two numbers: 12+7 and 7+12 are one
question. There are 10^k (10^k + 1) / 2. So if the questions are divided into a training
set and a validation set, no sum of the one is in the other.

The published example (Keras, addition_rnn.py, by S. Merity and others, 2015) has the
same distribution and the same rule of uniqueness. It differs as follows; `as_published`
makes its format from ours.

    here                                    there
    ----------------------------------      ------------------------------------------
    texts have lengths; an end token        spaces on the right fill up a question to
    ends an answer                          2k + 1 characters, an answer to k + 1
    a reversed question is as long as       spaces are reversed, too: a short question
    the question                            begins with them
    accuracy: of whole answers              accuracy: of characters, spaces included

The last is higher for the same model.

Reversing the source: Sutskever, Vinyals and Le (2014), Sequence to sequence learning
with neural networks, section 3.3. Addition as text: Zaremba and Sutskever (2014),
Learning to execute.
"""

from __future__ import annotations

import numpy as np

from minilstm.errors import InputError

MOST_DIGITS = 18  # numbers have 64 bits


def sample(
    count: int, digits: int, rng: np.random.Generator, reverse: bool = False
) -> list[tuple[str, str]]:
    """Draw unique questions, and their answers.

    Parameters
    ----------
    count : int
        Number of questions. To draw nearly all that there are takes long.
    digits : int
        Most digits of a number, k, from 1 to 18.
    rng : numpy.random.Generator
        Draws them; the same state draws the same questions.
    reverse : bool, optional
        Write each question from right to left. Default: from left to right.

    Returns
    -------
    list of (str, str)
        Question and answer.

    Raises
    ------
    InputError
        If `digits` is out of range, or there are fewer than `count` questions.

    Examples
    --------
    >>> sample(3, 3, np.random.default_rng(0))
    [('75+1', '76'), ('6+9', '15'), ('17+8', '25')]
    >>> sample(3, 3, np.random.default_rng(0), reverse=True)
    [('1+57', '76'), ('9+6', '15'), ('8+71', '25')]
    """
    if not 1 <= digits <= MOST_DIGITS:
        raise InputError(f"digits: expected 1 to {MOST_DIGITS}, got {digits}")
    available = 10**digits * (10**digits + 1) // 2
    if not 0 <= count <= available:
        raise InputError(f"count: expected 0 to {available} questions, got {count}")
    found: dict[tuple[int, int], tuple[int, int]] = {}  # (smaller, larger) -> as drawn
    while len(found) < count:
        lengths = rng.integers(1, digits + 1, size=(count, 2))
        pairs = rng.integers(0, 10**lengths)  # (count, 2): (1)
        for a, b in pairs.tolist():
            found.setdefault((min(a, b), max(a, b)), (a, b))
    numbers = list(found.values())[:count]  # the last ones are longer, on average
    shuffled = [numbers[i] for i in rng.permutation(count)]
    direction = -1 if reverse else 1
    return [(f"{a}+{b}"[::direction], str(a + b)) for a, b in shuffled]


def as_published(
    question: str, answer: str, digits: int, reverse: bool = True
) -> tuple[str, str]:
    """A question and its answer in the format of the published example.

    Parameters
    ----------
    question, answer : str
        From left to right.
    digits : int
        Most digits of a number, k.
    reverse : bool, optional
        Reverse the padded question. Default: as in the example, yes.

    Returns
    -------
    question : str
        2k + 1 characters.
    answer : str
        k + 1 characters.

    Examples
    --------
    >>> as_published("12+345", "357", digits=3)
    (' 543+21', '357 ')
    """
    question = question.ljust(2 * digits + 1)
    return question[::-1] if reverse else question, answer.ljust(digits + 1)
