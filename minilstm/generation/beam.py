"""Beam search: look for the likeliest text, not just for the likeliest next token.

A text y = y₁ … y_n after a prompt x has the probability

    (1)  log P(y | x) = Σ_t log p(y_t | x, y₁ … y_{t-1}),    p = softmax(logits)

All texts of n tokens cannot be tried: there are Vⁿ. So only the ``width`` likeliest
beginnings are kept, the beam. Each is extended by every token, and of these width · V
extensions the ``width`` likeliest are kept. A text that reaches the end token is
finished: it leaves the beam, and is compared with the other finished ones at the end.

    (2)  score = log P(y | x) / lp(y),    lp(y) = ((5 + n) / (5 + 1))^α

Each further token makes a text less likely, so (1) prefers short texts. The length
penalty α > 0 makes up for it; with 0 the score is (1). A beam of 1 is greedy. A beam as
wide as there are texts finds the best of all.

Beam search: Graves, Sequence transduction with recurrent neural networks (2012);
finished texts leave the beam: Sutskever, Vinyals and Le, Sequence to sequence learning
with neural networks (2014); (2): Wu et al., Google's neural machine translation system
(2016), equation 14. The text of a wider beam is likelier, but often not better:
Holtzman et al. (2020).

Letters: V vocabulary, B beginnings in the beam, n tokens, the end token included.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from minilstm.checks import check_size
from minilstm.data.protocol import Tokenizer
from minilstm.errors import InputError
from minilstm.generation.sampling import forbidden_ids, read_prompts
from minilstm.models.language_model import LanguageModel
from minilstm.parallel.ownership import shares_model
from minilstm.reference.functions import log_sum_exp


class Hypothesis(NamedTuple):
    """A text that beam search found."""

    text: str  # the prompt, continued
    ids: np.ndarray  # (n,) after the prompt; the last is the end token, if reached
    log_probability: float  # (1), in nats


@shares_model
def beam_search(
    model: LanguageModel,
    tokenizer: Tokenizer,
    prompt: str,
    length: int,
    width: int,
    length_penalty: float = 0.0,
) -> list[Hypothesis]:
    """The texts of the highest scores that continue a prompt. No randomness is used.

    Padding and unknown are never generated, but keep their probability, so that (1) is
    the model's.

    Parameters
    ----------
    prompt : a text of at least one token.
    length : most tokens to generate.
    width : beginnings to keep, and most texts to return.
    length_penalty : α of (2), at least 0.

    Returns
    -------
    At most ``width`` texts, the highest score first.

    Raises
    ------
    InputError : if an argument is wrong, or the tokenizer is not the model's.
    UnknownTokenError : if the prompt has a token that the tokenizer does not know.
    """
    check_size("length", length)
    check_size("width", width)
    if not (
        isinstance(length_penalty, numbers.Real) and 0 <= length_penalty < math.inf
    ):
        raise InputError(
            f"length_penalty must be a finite number of at least 0, not {length_penalty!r}"
        )
    logits, state = read_prompts(model, tokenizer, [prompt])  # (B, V), B = 1

    def advance(rows: np.ndarray, ids: np.ndarray) -> np.ndarray:
        nonlocal state
        state = tuple(tuple(part[rows] for part in layer) for layer in state)
        logits, state = model.logits(ids[None], state=state, last_only=True)
        return logits

    found = search(
        logits, advance, tokenizer.eos_id, length, width, length_penalty,
        forbidden_ids(tokenizer),
    )  # fmt: skip
    return [
        Hypothesis(tokenizer.complete(prompt, ids), ids, log_P) for ids, log_P in found
    ]


def search(
    logits: np.ndarray,
    advance: Callable[[np.ndarray, np.ndarray], np.ndarray],
    end: int,
    length: int,
    width: int,
    length_penalty: float = 0.0,
    forbidden: Sequence[int] = (),
) -> list[tuple[np.ndarray, float]]:
    """Beam search for any model that predicts the next token.

    Parameters
    ----------
    logits : (1, V), of the first token.
    advance : from the rows (B,) of the beam that go on, in which the model's state is to
        be taken, and their next ids (B,), to logits (B, V).
    end : the end token.
    length, width, length_penalty : as for ``beam_search``.
    forbidden : ids that are never generated.

    Returns
    -------
    At most ``width`` texts, ids (n,) and log P, the highest score first.
    """
    live, log_P = np.empty((1, 0), np.int64), np.zeros(1)  # (B, n), (B,)
    found: list[tuple[np.ndarray, float]] = []  # finished, with log P

    def score(entry: tuple[np.ndarray, float]) -> float:
        return _score(entry[1], len(entry[0]), length_penalty)

    while True:
        a = logits.astype(np.float64)
        extended = log_P[:, None] + (a - log_sum_exp(a))  # (B, V)         # (1)
        extended[:, list(forbidden)] = -np.inf
        best = np.argsort(-extended, axis=None, kind="stable")[:width]
        rows, ids = np.divmod(best[np.isfinite(extended.flat[best])], a.shape[1])
        log_P = extended[rows, ids]
        live = np.column_stack([live[rows], ids])
        ends = (ids == end) | (live.shape[1] == length)
        found += [(text, value.item()) for text, value in zip(live[ends], log_P[ends])]
        found = sorted(found, key=score, reverse=True)[:width]
        live, log_P, rows = live[~ends], log_P[~ends], rows[~ends]
        # log P only falls, lp only grows
        bound = _score(log_P.max(initial=-np.inf), length, length_penalty)
        if len(live) == 0 or len(found) == width and bound <= score(found[-1]):
            return found
        logits = advance(rows, live[:, -1])


def _score(log_P: float, n: int, length_penalty: float) -> float:
    """Equation (2)."""
    return log_P / ((5 + n) / 6) ** length_penalty
