"""Measures of generated texts: how varied they are, and how likely.

A low temperature repeats what is likely. A high temperature is varied, but the model
itself finds its texts unlikely. Both can be measured:

    (1)  distinct-n = different n-grams / n-grams        0 to 1; 1: nothing is repeated
    (2)  log-likelihood = (1 / N) Σ log p(y)             nats a token; 0: certain
    (3)  perplexity = exp(-log-likelihood)               effective number of tokens

An n-gram is n neighbouring tokens of one text, without its prompt and its end token.
(1) is by Li, Galley, Brockett, Gao and Dolan, A diversity-promoting objective function
for neural conversation models (2016), who divide by all tokens instead of all n-grams.
It falls as texts grow, so compare only equal numbers of texts of about the same length.

In (2), p is the model's softmax at temperature 1 after the prompt and all tokens
before, however the texts were sampled. N counts all generated tokens, ends included.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from minilstm.checks import check_ids, check_size
from minilstm.data.protocol import Tokenizer
from minilstm.errors import InputError
from minilstm.generation.sampling import read_prompts
from minilstm.models.language_model import LanguageModel
from minilstm.parallel.ownership import shares_model
from minilstm.reference.functions import log_sum_exp

LONGEST = 4  # largest n of the n-grams


class Measures(NamedTuple):
    """Measures of a set of texts."""

    distinct: tuple[
        float, ...
    ]  # (1) for n = 1, 2, 3, 4; NaN where no text has n tokens
    log_likelihood: float  # (2)
    perplexity: float  # (3)
    tokens: int  # N


def distinct(sequences: Iterable[Sequence[Hashable]], n: int) -> float:
    """Distinct-n, equation (1), of lists of ids or of strings.

    NaN if no sequence has n tokens. Raises InputError if n is not at least 1.

    >>> distinct(["abab"], 2)
    0.6666666666666666
    """
    check_size("n", n)
    grams = [tuple(s[k : k + n]) for s in sequences for k in range(len(s) - n + 1)]
    return len(set(grams)) / len(grams) if grams else float("nan")


@shares_model
def log_probabilities(
    model: LanguageModel,
    tokenizer: Tokenizer,
    prompts: Sequence[str],
    written: Sequence[np.ndarray],
) -> list[np.ndarray]:
    """Log-probability of each generated token.

    Parameters
    ----------
    prompts : B texts.
    written : B arrays of ids that continue them, as ``generate_ids`` returns them.

    Returns
    -------
    B arrays of log p in nats, of the shapes of ``written``.

    Raises
    ------
    InputError : if the numbers of prompts and texts differ, or an id is not the
        model's.
    """
    if len(prompts) != len(written):
        raise InputError(
            f"there must be one text for each of {len(prompts)} prompts, not {len(written)}"
        )
    logits, state = read_prompts(model, tokenizer, prompts)  # (B, V)
    lengths = [len(ids) for ids in written]
    targets = np.zeros((max(lengths), len(written)), np.int64)  # (T, B)
    for b, ids in enumerate(written):
        targets[: lengths[b], b] = check_ids("written", ids, model.vocab_size)
    log_p = np.zeros(targets.shape)
    for t, ids in enumerate(targets):
        a = logits.astype(np.float64)
        log_p[t] = (a - log_sum_exp(a))[np.arange(len(ids)), ids]
        if t + 1 < len(targets):
            logits, state = model.logits(ids[None], state=state, last_only=True)
    return [log_p[:n, b] for b, n in enumerate(lengths)]


def measure(
    model: LanguageModel,
    tokenizer: Tokenizer,
    prompts: Sequence[str],
    written: Sequence[np.ndarray],
) -> Measures:
    """All measures of generated texts; arguments as for ``log_probabilities``."""
    log_p = np.concatenate(
        log_probabilities(model, tokenizer, prompts, written)
    )  # (N,)
    texts = [[int(k) for k in ids if k != tokenizer.eos_id] for ids in written]
    mean = float(log_p.mean()) if log_p.size else float("nan")
    with np.errstate(over="ignore"):  # a perplexity may overflow
        perplexity = float(np.exp(-mean))
    return Measures(
        tuple(distinct(texts, n) for n in range(1, LONGEST + 1)),
        mean,
        perplexity,
        log_p.size,
    )
