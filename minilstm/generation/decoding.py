"""Decoding: from what an encoder has read to texts, one token after the other.

The decoder reads the start token, then its own outputs, until the end token or a limit.
Each next token is the most likely one (greedy), or a sample; or beam search looks for
the likeliest text (``beam.py``). Many sources are decoded side by side.

It works for every model with ``encode`` and ``step``: EncoderDecoder and Captioner.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from minilstm.checks import check_size
from minilstm.errors import InputError
from minilstm.generation.beam import search
from minilstm.generation.sampling import Sampling
from minilstm.models.memory import Memory, Step
from minilstm.reference.generate import draw

GREEDY = Sampling(greedy=True)


class Decoder(Protocol):
    """A model that predicts the next token from a memory."""

    def step(self, ids: np.ndarray, memory: Memory) -> Step:
        """Read one more token (B,) of each text."""


class Decoded(NamedTuple):
    """Texts, and where attention looked."""

    texts: list[np.ndarray]  # B arrays of ids, without the end token
    weights: list[np.ndarray] | None  # B arrays (n + 1, S), those of the end included


def decode(
    model: Decoder,
    memory: Memory,
    start: int,
    end: int,
    limit: int,
    sampling: Sampling = GREEDY,
    rng: np.random.Generator | None = None,
) -> Decoded:
    """Write a text for each of B sources.

    Parameters
    ----------
    model : EncoderDecoder or Captioner.
    memory : from ``model.encode``.
    start, end : ids of the start and of the end token. The start is never written.
    limit : most tokens of a text, the end token included.
    sampling : how to choose. Default: greedy.
    rng : random generator; only greedy decoding does without.

    Raises
    ------
    InputError : if a limit is wrong, or the generator is missing.
    """
    check_size("limit", limit)
    if rng is None and not sampling.greedy:
        raise InputError(
            "sampling needs a numpy.random.Generator: pass rng=np.random.default_rng(seed)"
        )
    rng = np.random.default_rng(0) if rng is None else rng
    B = len(memory.states[0][0])
    live = np.arange(B)  # the sources whose texts have not ended
    ids = np.full(B, start)
    texts: list[list[int]] = [[] for _ in range(B)]
    weights: list[list[np.ndarray]] = [[] for _ in range(B)]
    for _ in range(limit):
        step = model.step(ids, memory)
        forbidden = () if start == end else (start,)
        ids = draw(sampling.distribution(step.logits, forbidden), rng)
        for k, b in enumerate(live):
            texts[b].append(int(ids[k]))
            if step.weights is not None:
                weights[b].append(step.weights[k])
        going = np.flatnonzero(ids != end)
        if len(going) == 0:
            break
        live, ids, memory = live[going], ids[going], step.memory.take(going)
    has_weights = memory.source is not None
    return Decoded(
        [np.array([k for k in text if k != end], np.int64) for text in texts],
        [np.array(rows) for rows in weights] if has_weights else None,
    )


def beam_decode(
    model: Decoder,
    memory: Memory,
    start: int,
    end: int,
    limit: int,
    width: int,
    length_penalty: float = 0.0,
) -> list[list[tuple[np.ndarray, float]]]:
    """For each of B sources the texts that beam search finds, the highest score first.

    Parameters
    ----------
    model, memory, start, end, limit : as for ``decode``.
    width : beginnings to keep, and most texts of a source.
    length_penalty : α, at least 0; see ``beam.py``.

    Returns
    -------
    For each source at most ``width`` pairs: ids, without the end token, and log P.
    """
    check_size("limit", limit)
    check_size("width", width)
    return [
        _beam_of(model, memory.take(np.array([b])), start, end, limit, width,
                 length_penalty)
        for b in range(len(memory.states[0][0]))
    ]  # fmt: skip


def _beam_of(
    model: Decoder,
    memory: Memory,
    start: int,
    end: int,
    limit: int,
    width: int,
    length_penalty: float,
) -> list[tuple[np.ndarray, float]]:
    step = model.step(np.array([start]), memory)

    def advance(rows: np.ndarray, ids: np.ndarray) -> np.ndarray:
        nonlocal step
        step = model.step(ids, step.memory.take(rows))
        return step.logits

    forbidden = () if start == end else (start,)
    found = search(step.logits, advance, end, limit, width, length_penalty, forbidden)
    return [(ids[ids != end], log_P) for ids, log_P in found]
