"""Generation: sample the next token, feed it back as the next input, and so on.

Logits a (V,) become probabilities in four steps; each but (3) is optional:

    (1)  a / τ                        temperature τ: below 1 safer, above 1 more varied
    (2)  keep the k largest a         top-k: Fan, Lewis and Dauphin, Hierarchical neural
                                      story generation (2018)
    (3)  p = softmax(a)
    (4)  keep the likeliest tokens    top-p, or nucleus: Holtzman, Buys, Du, Forbes and
         that together reach P        Choi, The curious case of neural text degeneration
                                      (2020)

What is not kept gets probability 0, and the rest is scaled to sum to 1. The code of
these equations is in ``minilstm.reference.generate``, and so is the loop in NumPy;
``loop.py`` runs it compiled. Padding and the id of unknown tokens always get 0, but a
tokenizer may end a sequence by its padding id, and an end must be possible. The state
is passed from token to token, so the hundredth token costs what the first did.

Several threads can sample from one model at once; each needs a random generator of its
own.

Letters: V vocabulary, B texts that are written side by side, T time steps.
"""

from __future__ import annotations

import numbers
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from minilstm.checks import check_number, check_size
from minilstm.data.protocol import Corpus, Tokenizer
from minilstm.errors import InputError
from minilstm.generation.loop import choice_of, write_in_chunks
from minilstm.models.language_model import LanguageModel, States
from minilstm.parallel.ownership import shares_model
from minilstm.reference.generate import distribution

PROMPT_CHUNK = (
    256  # time steps of a prompt at a time, which bounds the memory of a long one
)


@dataclass(frozen=True)
class Sampling:
    """How to sample: temperature, top-k, top-p; or greedy, always the likeliest token.

    Parameters
    ----------
    temperature : greater than 0; logits are divided by it.
    top_k : how many of the likeliest tokens are kept. Default: all.
    top_p : probability that the likeliest tokens must reach to be kept, at most 1.
        Default: all are kept.
    greedy : take the likeliest token; the other values then have no effect.

    Raises
    ------
    InputError : if a value is outside of its range.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    greedy: bool = False

    def __post_init__(self):
        if self.temperature == 0:
            raise InputError(
                "temperature 0 would divide by zero; to always take the likeliest token, use greedy"
            )
        check_number("temperature", self.temperature, above=0)
        if self.top_k is not None:
            check_size("top_k", self.top_k)
        if self.top_p is not None and not (
            isinstance(self.top_p, numbers.Real) and 0 < self.top_p <= 1
        ):
            raise InputError(f"top_p must be above 0 and at most 1, not {self.top_p!r}")

    def check_vocabulary(self, V: int) -> None:
        """Raise InputError if top_k is larger than a vocabulary of V tokens."""
        if self.top_k is not None and self.top_k > V:
            raise InputError(
                f"top_k must be at most the vocabulary's size {V}, not {self.top_k}"
            )

    def distribution(
        self, logits: np.ndarray, forbidden: Sequence[int] = ()
    ) -> np.ndarray:
        """Probabilities of the next token, equations (1) to (4).

        Parameters
        ----------
        logits : (B, V).
        forbidden : ids that get probability 0.

        Returns
        -------
        (B, V) in float64; each row sums to 1.

        Raises
        ------
        InputError : if top_k is larger than V.
        """
        self.check_vocabulary(logits.shape[-1])
        if self.greedy:
            return distribution(logits, top_k=1, forbidden=forbidden)
        with np.errstate(
            over="ignore"
        ):  # a tiny τ sends unlikely logits to -inf, as it should
            return distribution(
                logits, self.temperature, self.top_k, self.top_p, forbidden
            )


def forbidden_ids(tokenizer: Tokenizer) -> list[int]:
    """Ids that are never sampled: unknown, and padding unless it is also the end."""
    return [
        k
        for k in (tokenizer.padding_id, tokenizer.unknown_id)
        if k is not None and k != tokenizer.eos_id
    ]


@shares_model
def read_prompts(
    model: LanguageModel, tokenizer: Tokenizer, prompts: Sequence[str]
) -> tuple[np.ndarray, States]:
    """Logits of the token after each prompt, and the state there.

    Equal prompts are read once.

    Parameters
    ----------
    prompts : B texts of at least one token.

    Returns
    -------
    logits : (B, V).
    state : state of each recurrent layer, (B, H) arrays.

    Raises
    ------
    InputError : if there is no prompt or one is empty, or the tokenizer is not the
        model's.
    UnknownTokenError : if a prompt has a token that the tokenizer does not know.
    """
    if isinstance(prompts, str):
        raise InputError(
            f"prompts must be a list of strings, not one string: write [{prompts[:20]!r}]"
        )
    if tokenizer.vocab_size != model.vocab_size:
        raise InputError(
            f"the tokenizer has {tokenizer.vocab_size} ids, but the model {model.vocab_size}; use those of one checkpoint"
        )
    position = {prompt: k for k, prompt in enumerate(dict.fromkeys(prompts))}
    encoded = [tokenizer.encode(prompt) for prompt in position]
    if not encoded or not all(map(len, encoded)):
        raise InputError(
            "a prompt must have at least one token, which the model can continue"
        )
    lengths = np.array([len(ids) for ids in encoded])
    inputs = np.zeros((lengths.max(), len(encoded)), np.int32)  # (T, different prompts)
    for b, ids in enumerate(encoded):
        inputs[: len(ids), b] = ids
    state = None
    for start in range(0, len(inputs), PROMPT_CHUNK):
        part = inputs[start : start + PROMPT_CHUNK]
        logits, state = model.logits(
            part, np.clip(lengths - start, 0, len(part)), state, last_only=True
        )
    assert state is not None
    of_each = [position[prompt] for prompt in prompts]  # (B,)
    return logits[of_each], tuple(
        tuple(array[of_each] for array in layer) for layer in state
    )


@shares_model
def generate_ids(
    model: LanguageModel,
    tokenizer: Tokenizer,
    prompts: Sequence[str],
    length: int = 300,
    sampling: Sampling = Sampling(),
    rng: np.random.Generator | None = None,
) -> list[np.ndarray]:
    """Ids that continue each prompt.

    Parameters
    ----------
    prompts : B texts of at least one token.
    length : most tokens to generate.
    sampling : how to sample.
    rng : random generator; only greedy generation does without.

    Returns
    -------
    A list of B arrays of at most ``length`` ids, without the prompts. If a text came to
    its end, its last id is the end token.

    Raises
    ------
    InputError : if an argument is wrong, or the tokenizer is not the model's.
    UnknownTokenError : if a prompt has a token that the tokenizer does not know.
    """
    return cut_at_end(
        np.concatenate(
            [*generate_in_chunks(model, tokenizer, prompts, length, sampling, rng)]
        ),
        tokenizer,
    )


def generate_in_chunks(
    model: LanguageModel,
    tokenizer: Tokenizer,
    prompts: Sequence[str],
    length: int = 300,
    sampling: Sampling = Sampling(),
    rng: np.random.Generator | None = None,
) -> Iterator[np.ndarray]:
    """Ids that continue each prompt, some time steps at a time; see ``generate_ids``.

    Arguments are checked, and prompts are read, before this function returns. The model
    must not change until the last chunk.

    Yields
    ------
    (T, B) ids; after its end token, a text has only end tokens.
    """
    if rng is None and not sampling.greedy:
        raise InputError(
            "sampling needs a numpy.random.Generator: pass rng=np.random.default_rng(seed)"
        )
    rng = np.random.default_rng(0) if rng is None else rng
    check_size("length", length)
    _, state = read_prompts(model, tokenizer, prompts)
    sampling.check_vocabulary(model.vocab_size)
    choice = choice_of(
        model.vocab_size,
        **vars(sampling),
        forbidden=forbidden_ids(tokenizer),
        end=tokenizer.eos_id,
    )
    return write_in_chunks(model, state, length, choice, rng)


def cut_at_end(ids: np.ndarray, tokenizer: Tokenizer) -> list[np.ndarray]:
    """Split ids (T, B) into B texts, each up to its first end token, if it has one."""
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
    """Texts that continue the prompts.

    Parameters
    ----------
    prompts : B texts of at least one token.
    length : most tokens to generate.
    sampling : how to sample.
    rng : random generator; only greedy generation does without.

    Returns
    -------
    B texts, each with its prompt.

    Raises
    ------
    InputError : if an argument is wrong, or the tokenizer is not the model's.
    UnknownTokenError : if a prompt has a token that the tokenizer does not know.
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
    """Fraction of generated texts that a grammar accepts.

    Parameters
    ----------
    corpus : the grammar. The first tokens of its own texts are the prompts.
    count : number of texts.
    temperature : of the sampling.

    Returns
    -------
    A number between 0 and 1.
    """
    openings = [
        tokenizer.decode(tokenizer.encode(text)[:1])
        for text in corpus.sample_many(count, rng)
    ]
    texts = generate(model, tokenizer, openings, 300, Sampling(temperature), rng)
    return sum(map(corpus.accepts, texts)) / count
