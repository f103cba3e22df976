"""Generation: the distribution of the next token, a draw from it, and the loop.

    (1)  a / τ                        temperature τ: below 1 safer, above 1 wilder
    (2)  keep the k largest a         top-k: Fan, Lewis and Dauphin (2018)
    (3)  p = softmax(a)
    (4)  keep the likeliest tokens    top-p, or nucleus: Holtzman, Buys, Du, Forbes and
         that together reach P        Choi (2020)

What is not kept gets probability 0, and the rest is scaled to sum to 1. Generation with
k = 1 is greedy. The token drawn is the next input; the state is passed on, so the
hundredth token costs what the first did.

Beam search looks for the likeliest text instead, and keeps the ``width`` likeliest
beginnings y of n tokens at a time:

    (5)  log P(y | prompt) = Σ_t log p(y_t | prompt, y_1 … y_{t-1})
    (6)  score = log P / ((5 + n) / 6)^α           length penalty α: Wu et al. (2016)

Graves, Sequence transduction with recurrent neural networks (2012); Sutskever, Vinyals
and Le (2014). Letters: V vocabulary, B texts side by side, T tokens of a prompt.
Prompts and texts are ids; a model is its parameters, as in ``language_model.py``.
"""

import numpy as np

from minilstm.reference.functions import log_sum_exp, softmax
from minilstm.reference.language_model import forward


def distribution(
    logits: np.ndarray, temperature=1.0, top_k=None, top_p=None, forbidden=()
) -> np.ndarray:
    """Probabilities (B, V) of the next token, from its logits (B, V).

    Forbidden ids get 0. Default: temperature 1, and every other token is kept.
    """
    a = logits.astype(np.float64)  # (B, V)
    a[:, list(forbidden)] = -np.inf
    a = (a - a.max(axis=1, keepdims=True)) / temperature                       # (1)
    order = np.argsort(-a, axis=1, kind="stable")  # (B, V), likeliest first
    if top_k is not None:
        np.put_along_axis(a, order[:, top_k:], -np.inf, axis=1)                # (2)
    p = softmax(a)                                                             # (3)
    if top_p is not None:
        ranked = np.take_along_axis(p, order, axis=1)
        reached = np.cumsum(ranked, axis=1) - ranked >= top_p  # by likelier ones alone
        np.put_along_axis(p, order, np.where(reached, 0, ranked), axis=1)      # (4)
        p = p / p.sum(axis=1, keepdims=True)
    return p


def draw(p: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An id for each row of p (B, V): where its running sum exceeds a random number."""
    cumulative = np.cumsum(p, axis=1)
    return (cumulative > rng.random((len(p), 1)) * cumulative[:, -1:]).argmax(axis=1)


def generate_ids(
    params, prompts, length, rng, lengths=None, end=-1, **sampling
) -> np.ndarray:
    """Ids (at most ``length``, B) that go on from prompts (T, B) with lengths (B,).

    After the id ``end`` a text is all ``end``, and when all have ended, the loop ends;
    default: none ends. ``sampling`` as for ``distribution``.
    """
    logits, state, _ = forward(params, prompts, lengths)
    ended = np.zeros(prompts.shape[1], bool)
    written: list[np.ndarray] = []
    while len(written) < length and not ended.all():
        p = distribution(logits[-1], **sampling)  # those of a short prompt stand still
        ids = draw(p, rng)
        ids[ended] = end
        written.append(ids)
        ended = ended | (ids == end)
        logits, state, _ = forward(params, ids[None], state=state)
    return np.stack(written)


def beam_search(
    params, prompt, length, width, end=-1, forbidden=(), length_penalty=0.0
) -> list[tuple[list[int], float]]:
    """At most ``width`` texts of at most ``length`` ids with log P, best score first.

    ``prompt`` is (T,). Forbidden ids are never written, but keep their share of p.
    """
    score = lambda text: text[1] / ((5 + len(text[0])) / 6) ** length_penalty  # (6)
    logits, state, _ = forward(params, np.reshape(prompt, (-1, 1)))
    beam: list[tuple] = [([], 0.0, logits[-1, 0], state)]
    finished: list[tuple[list[int], float]] = []
    while beam:
        longer = []  # every text of the beam, extended by every token
        for ids, log_P, a, state in beam:
            log_p = a - log_sum_exp(a)  # (V,)
            for v in range(len(a)):
                if v not in forbidden:
                    longer.append(([*ids, v], log_P + log_p[v].item(), state))  # (5)
        beam = []
        for ids, log_P, state in sorted(longer, key=lambda text: -text[1])[:width]:
            if ids[-1] == end or len(ids) == length:
                finished.append((ids, log_P))
            else:
                logits, state, _ = forward(params, np.array([ids[-1:]]), state=state)
                beam.append((ids, log_P, logits[-1, 0], state))
    return sorted(finished, key=score, reverse=True)[:width]
