"""Beam search: look for the likeliest text, where greedy generation takes the likeliest symbol and can regret it.

A text y = y₁ … y_n after a prompt x has the probability

    (1)  log P(y | x) = Σ_t log p(y_t | x, y₁ … y_{t-1}),    p = softmax(logits)

All texts of n symbols cannot be tried: there are Vⁿ. So only the ``width`` likeliest beginnings, the beam, are kept. Each
is extended by every symbol, and of all extensions, width · V of them, the ``width`` likeliest stay. One that has met the
end symbol is finished: it is put aside, and competes with the others at the end.

    (2)  score = log P(y | x) / lp(y),    lp(y) = ((5 + n) / (5 + 1))^α

As every further symbol makes a text less likely, (1) prefers short ones. The length penalty α > 0 makes up for it; 0 leaves
(1) as it is. A beam of 1 is greedy; a beam as wide as there are texts finds the best of all.

Decoding by beam: Graves, Sequence transduction with recurrent neural networks (2012); the finished put aside: Sutskever,
Vinyals and Le, Sequence to sequence learning with neural networks (2014); (2): Wu et al., Google's neural machine
translation system (2016), equation 14. A wider beam's text is likelier, which is not better: Holtzman et al. (2020).

Letters: V vocabulary, B beginnings in the beam, n symbols. The end symbol is one of the n.
"""

from __future__ import annotations

import math
import numbers
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
    """One text that was found."""

    text: str  # the prompt, continued
    ids: np.ndarray  # (n,) what follows the prompt; the last is the end symbol if the text came to its end
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
    """At most ``width`` texts of at most ``length`` symbols after the prompt, the highest score first.

    Nothing is drawn: the same arguments find the same texts. Padding and unknown are never written; they keep their share
    of the probability, so that (1) is what the model says.
    """
    check_size("length", length)
    check_size("width", width)
    if not (isinstance(length_penalty, numbers.Real) and 0 <= length_penalty < math.inf):
        raise InputError(f"length_penalty must be a finite number of at least 0, not {length_penalty!r}")
    logits, state = read_prompts(model, tokenizer, [prompt])  # (B, V), B = 1
    forbidden = forbidden_ids(tokenizer)
    live, log_P = np.empty((1, 0), np.int64), np.zeros(1)  # (B, n), (B,)
    found: list[tuple[np.ndarray, float]] = []  # finished, with log P

    def score(entry: tuple[np.ndarray, float]) -> float:
        return _score(entry[1], len(entry[0]), length_penalty)

    while True:
        a = logits.astype(np.float64)
        extended = log_P[:, None] + (a - log_sum_exp(a))  # (B, V)         # (1)
        extended[:, forbidden] = -np.inf
        best = np.argsort(-extended, axis=None, kind="stable")[:width]
        rows, ids = np.divmod(best[np.isfinite(extended.flat[best])], model.vocab_size)
        log_P = extended[rows, ids]
        live = np.column_stack([live[rows], ids])
        ends = (ids == tokenizer.eos_id) | (live.shape[1] == length)
        found += [(text, value.item()) for text, value in zip(live[ends], log_P[ends])]
        found = sorted(found, key=score, reverse=True)[:width]
        live, log_P, rows = live[~ends], log_P[~ends], rows[~ends]
        hope = _score(log_P.max(initial=-np.inf), length, length_penalty)  # log P only falls, and lp is largest at the end
        if len(live) == 0 or len(found) == width and hope <= score(found[-1]):
            return [Hypothesis(tokenizer.complete(prompt, text), text, value) for text, value in found]
        state = tuple(tuple(part[rows] for part in layer) for layer in state)
        logits, state = model.logits(live[None, :, -1], state=state, last_only=True)


def _score(log_P: float, n: int, length_penalty: float) -> float:
    """Equation (2)."""
    return log_P / ((5 + n) / 6) ** length_penalty
