"""How varied texts are, and how likely: what temperature trades against each other.

A low temperature writes what is likely, and writes it over and over; a high one writes ever new things that the model
itself thinks little of. Both can be measured:

    (1)  distinct-n = different n-grams / n-grams                 between 0 and 1; 1: nothing is said twice
    (2)  log-likelihood = (1 / N) Σ log p(y)                      nats a symbol; 0: nothing else was possible
    (3)  perplexity = exp(-log-likelihood)                        choosing among so many equally likely symbols

An n-gram is n neighbouring symbols of one text: it does not reach into the next text, nor into the prompt, and the end of a
text is no part of it. (1) is Li, Galley, Brockett, Gao and Dolan, A diversity-promoting objective function for neural
conversation models (2016), who divide by all symbols instead of all n-grams. It falls as texts grow, since few n-grams are
left to be said for the first time: compare only as many texts of about the same length.

In (2) p is the model's softmax at temperature 1, after the prompt and all symbols before, whatever way the texts were
written in; the N symbols are all that the model wrote, the ends of the texts included.
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

LONGEST = 4  # n-grams are counted up to this n


class Measures(NamedTuple):
    """What a set of texts is like."""

    distinct: tuple[float, ...]  # (1) for n = 1, 2, 3, 4; NaN where no text has n symbols
    log_likelihood: float  # (2)
    perplexity: float  # (3)
    symbols: int  # N


def distinct(sequences: Iterable[Sequence[Hashable]], n: int) -> float:
    """Equation (1) for lists of ids, or for strings; NaN if no sequence has n symbols.

    >>> distinct(["abab"], 2)
    0.6666666666666666
    """
    check_size("n", n)
    grams = [tuple(s[k : k + n]) for s in sequences for k in range(len(s) - n + 1)]
    return len(set(grams)) / len(grams) if grams else float("nan")


@shares_model
def log_probabilities(
    model: LanguageModel, tokenizer: Tokenizer, prompts: Sequence[str], written: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """log p in nats of every id that was written after each prompt, one array (n,) for each text of n ids."""
    if len(prompts) != len(written):
        raise InputError(f"there must be one text for each of {len(prompts)} prompts, not {len(written)}")
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
    model: LanguageModel, tokenizer: Tokenizer, prompts: Sequence[str], written: Sequence[np.ndarray]
) -> Measures:
    """All measures of what was written after the prompts, as ``generate_ids`` returns it."""
    log_p = np.concatenate(log_probabilities(model, tokenizer, prompts, written))  # (N,)
    texts = [[int(k) for k in ids if k != tokenizer.eos_id] for ids in written]
    mean = float(log_p.mean()) if log_p.size else float("nan")
    with np.errstate(over="ignore"):  # a perplexity may be too large for a number
        perplexity = float(np.exp(-mean))
    return Measures(tuple(distinct(texts, n) for n in range(1, LONGEST + 1)), mean, perplexity, log_p.size)
