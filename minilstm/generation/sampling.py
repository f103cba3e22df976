"""Generation: the model's distribution over the next symbol, one draw from it, and the symbol is the next input.

Logits a (V,) become probabilities in four steps, each of which may be left out:

    (1)  a / τ                               temperature τ: below 1 safer, above 1 wilder
    (2)  keep the k largest                  top-k: Fan, Lewis and Dauphin, Hierarchical neural story generation (2018)
    (3)  p = softmax(a)
    (4)  keep the likeliest symbols that     top-p, or nucleus: Holtzman, Buys, Du, Forbes and Choi, The curious case
         together reach probability P        of neural text degeneration (2020)

What is not kept gets probability 0, and the rest is scaled to sum to 1. Padding and the id for unknown symbols always get 0,
but a tokenizer may end a sequence by the same id with which it pads, and an end must be possible.
The state is carried from symbol to symbol, so the hundredth costs what the first did.

Several threads can sample from one model at once; each needs a random generator of its own.

Letters: V vocabulary, B texts that are written side by side, T steps.
"""

from __future__ import annotations

import numbers
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from minilstm.checks import check_number, check_size
from minilstm.data.protocol import Corpus, Tokenizer
from minilstm.errors import InputError
from minilstm.generation.loop import choice_of, write_in_chunks
from minilstm.models.language_model import LanguageModel, States
from minilstm.parallel.ownership import shares_model
from minilstm.reference.functions import softmax

STEPS_AT_ONCE = 256  # of a prompt: the gates of a whole book would not fit into memory


@dataclass(frozen=True)
class Sampling:
    """How to draw: temperature, top-k, top-p; or greedy, always the likeliest."""

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    greedy: bool = False

    def __post_init__(self):
        if self.temperature == 0:
            raise InputError("temperature 0 would divide by zero; for always the likeliest symbol ask for greedy")
        check_number("temperature", self.temperature, above=0)
        if self.top_k is not None:
            check_size("top_k", self.top_k)
        if self.top_p is not None and not (isinstance(self.top_p, numbers.Real) and 0 < self.top_p <= 1):
            raise InputError(f"top_p must be above 0 and at most 1, not {self.top_p!r}")

    def check_vocabulary(self, V: int) -> None:
        """Refuse to keep more symbols than there are."""
        if self.top_k is not None and self.top_k > V:
            raise InputError(f"top_k must be at most the vocabulary's size {V}, not {self.top_k}")

    def distribution(self, logits: np.ndarray, forbidden: Sequence[int] = ()) -> np.ndarray:
        """Probabilities (B, V) in float64 from logits (B, V), by equations (1) to (4)."""
        V = logits.shape[-1]
        self.check_vocabulary(V)
        a = logits.astype(np.float64)  # (B, V)
        a[:, list(forbidden)] = -np.inf
        a -= a.max(axis=1, keepdims=True)
        if self.greedy:
            return np.eye(V)[a.argmax(axis=1)]
        with np.errstate(over="ignore"):  # a tiny τ may send an unlikely logit to -inf, which is where it belongs
            a /= self.temperature                                          # (1)
        if self.top_k is None and self.top_p is None:
            return softmax(a)                                              # (3)
        order = np.argsort(-a, axis=1, kind="stable")  # (B, V), likeliest first
        if self.top_k is not None:
            np.put_along_axis(a, order[:, self.top_k :], -np.inf, axis=1)  # (2)
        p = softmax(a)                                                     # (3)
        if self.top_p is not None:
            ranked = np.take_along_axis(p, order, axis=1)
            reached = np.cumsum(ranked, axis=1) - ranked >= self.top_p  # by the likelier ones alone
            np.put_along_axis(p, order, np.where(reached, 0, ranked), axis=1)  # (4)
            p /= p.sum(axis=1, keepdims=True)
        return p


class Drawn(NamedTuple):
    """One symbol of every sequence."""

    ids: np.ndarray  # (B,); the end symbol for a sequence that has ended
    p: np.ndarray  # (B, V), the distribution that they were drawn from


def draw(p: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One id for each row of probabilities (B, V): the first whose cumulative probability exceeds a uniform number."""
    cumulative = np.cumsum(p, axis=1)
    return (cumulative > rng.random((len(p), 1)) * cumulative[:, -1:]).argmax(axis=1)


def forbidden_ids(tokenizer: Tokenizer) -> list[int]:
    """The ids that are never written: padding, unless a sequence ends by the same id, and unknown, if there is one."""
    return [k for k in (tokenizer.padding_id, tokenizer.unknown_id) if k is not None and k != tokenizer.eos_id]


@shares_model
def read_prompts(model: LanguageModel, tokenizer: Tokenizer, prompts: Sequence[str]) -> tuple[np.ndarray, States]:
    """What the model thinks of the symbol after each prompt, logits (B, V), and its state there. Equal ones are read once."""
    if isinstance(prompts, str):
        raise InputError(f"prompts must be a list of strings, not one string: write [{prompts[:20]!r}]")
    if tokenizer.vocab_size != model.vocab_size:
        raise InputError(
            f"the tokenizer has {tokenizer.vocab_size} ids, but the model {model.vocab_size}; take those that belong together"
        )
    position = {prompt: k for k, prompt in enumerate(dict.fromkeys(prompts))}
    encoded = [tokenizer.encode(prompt) for prompt in position]
    if not encoded or not all(map(len, encoded)):
        raise InputError("a prompt must have at least one symbol, for the model needs something to go on from")
    lengths = np.array([len(ids) for ids in encoded])
    inputs = np.zeros((lengths.max(), len(encoded)), np.int32)  # (T, different prompts)
    for b, ids in enumerate(encoded):
        inputs[: len(ids), b] = ids
    state = None
    for start in range(0, len(inputs), STEPS_AT_ONCE):
        part = inputs[start : start + STEPS_AT_ONCE]
        logits, state = model.logits(part, np.clip(lengths - start, 0, len(part)), state, last_only=True)
    assert state is not None
    of_each = [position[prompt] for prompt in prompts]  # (B,)
    return logits[of_each], tuple(tuple(array[of_each] for array in layer) for layer in state)


def generate_steps(
    model: LanguageModel,
    tokenizer: Tokenizer,
    prompts: Sequence[str],
    length: int,
    sampling: Sampling,
    rng: np.random.Generator,
) -> Iterator[Drawn]:
    """Continue several prompts side by side; yields at most ``length`` times, and ends when all have met the end symbol."""
    check_size("length", length)
    last, state = read_prompts(model, tokenizer, prompts)
    forbidden = forbidden_ids(tokenizer)
    ended = np.zeros(len(prompts), bool)
    for step in range(1, length + 1):
        p = sampling.distribution(last, forbidden)
        ids = np.where(ended, tokenizer.eos_id, draw(p, rng))
        yield Drawn(ids, p)
        ended |= ids == tokenizer.eos_id
        if ended.all() or step == length:
            return
        last, state = model.logits(ids[None], state=state, last_only=True)


@shares_model
def generate_ids(
    model: LanguageModel,
    tokenizer: Tokenizer,
    prompts: Sequence[str],
    length: int = 300,
    sampling: Sampling = Sampling(),
    rng: np.random.Generator | None = None,
) -> list[np.ndarray]:
    """What is written after each prompt: at most ``length`` ids, the last of them the end symbol if that was drawn.

    ``rng`` is needed to draw; only greedy generation does without.
    """
    return cut_at_end(np.concatenate([*generate_in_chunks(model, tokenizer, prompts, length, sampling, rng)]), tokenizer)


def generate_in_chunks(
    model: LanguageModel,
    tokenizer: Tokenizer,
    prompts: Sequence[str],
    length: int = 300,
    sampling: Sampling = Sampling(),
    rng: np.random.Generator | None = None,
) -> Iterator[np.ndarray]:
    """Ids (T, B) of some further steps each time; the same as of ``generate_ids``, and after its end a text is all ends.

    Arguments are checked, and prompts read, at once; the model must stay as it is until the last chunk.
    """
    if rng is None and not sampling.greedy:
        raise InputError("drawing needs a numpy.random.Generator: pass rng=np.random.default_rng(seed)")
    rng = np.random.default_rng(0) if rng is None else rng
    check_size("length", length)
    _, state = read_prompts(model, tokenizer, prompts)
    sampling.check_vocabulary(model.vocab_size)
    choice = choice_of(model.vocab_size, **vars(sampling), forbidden=forbidden_ids(tokenizer), end=tokenizer.eos_id)
    return write_in_chunks(model, state, length, choice, rng)


def cut_at_end(ids: np.ndarray, tokenizer: Tokenizer) -> list[np.ndarray]:
    """Each text of ids (T, B) up to its end symbol, or whole if it has none."""
    is_last = ids == tokenizer.eos_id
    is_last[-1] = True
    return [row[: end + 1] for row, end in zip(ids.T, is_last.argmax(axis=0))]


def generate(
    model: LanguageModel,
    tokenizer: Tokenizer,
    prompts: Sequence[str],
    length: int = 300,
    sampling: Sampling = Sampling(),
    rng: np.random.Generator | None = None,
) -> list[str]:
    """Texts that begin with the prompts and go on for at most ``length`` symbols, or to the end of the sequence.

    ``rng`` is needed to draw; only greedy generation does without.
    """
    written = generate_ids(model, tokenizer, prompts, length, sampling, rng)
    return [tokenizer.complete(prompt, ids) for prompt, ids in zip(prompts, written)]


def share_accepted(
    model: LanguageModel,
    tokenizer: Tokenizer,
    corpus: Corpus,
    rng: np.random.Generator,
    count: int = 1000,
    temperature: float = 0.7,
) -> float:
    """The share of generated texts that the grammar accepts, whole; their first symbols are distributed as its own."""
    openings = [tokenizer.decode(tokenizer.encode(text)[:1]) for text in corpus.sample_many(count, rng)]
    texts = generate(model, tokenizer, openings, 300, Sampling(temperature), rng)
    return sum(map(corpus.accepts, texts)) / count
