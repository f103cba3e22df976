"""What tasks share whose output is text: decoding, printing, and measures.

    (1)  exact match = texts that are the true text / texts
    (2)  edit distance = fewest insertions, deletions and substitutions of tokens

Texts are compared as tokens. (2): Levenshtein (1966), Binary codes capable of
correcting deletions, insertions and reversals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from minilstm.cli.defaults import SAMPLE
from minilstm.cli.tasks.applying import tokens_of
from minilstm.cli.tasks.examples import counted
from minilstm.cli.terminal import harmless, terminal_width, wrap
from minilstm.data.protocol import Tokenizer
from minilstm.errors import InputError
from minilstm.generation.decoding import GREEDY, beam_decode, decode
from minilstm.generation.sampling import Sampling
from minilstm.models.memory import Memory
from minilstm.training.checkpoint import Checkpoint

AT_ONCE = 250  # texts that are decoded together
MISTAKES_SHOWN = 5
RANDOM = ("temperature", "top_k", "top_p", "count", "seed")  # options of sampling
SAMPLING = {name: None for name in (*RANDOM, "greedy", "beam", "length")}


class Written(NamedTuple):
    """Texts that a model wrote."""

    texts: list[str]
    cut: list[bool]  # whether the limit came before the end token

    def shown(self, k: int) -> str:
        """A text for people, with an ellipsis where it was cut."""
        return self.texts[k] + "…" * self.cut[k]


class Score(NamedTuple):
    """How well texts agree with the true ones."""

    right: list[bool]
    distances: list[int]  # (2), of each text
    tokens: int  # of the true texts

    @property
    def exact(self) -> float:
        """Equation (1)."""
        return float(np.mean(self.right))

    def sentence(self, unit: str) -> str:
        """The measures, for the screen."""
        share = sum(self.distances) / max(1, self.tokens)
        return (
            f"exact match: {self.exact:.2%} ({sum(self.right):,} right); mean edit"
            f" distance: {np.mean(self.distances):.3f} {unit}s, {share:.2%} of the"
            f" true {unit}s"
        )


def score(written: Sequence[str], true: Sequence[str], tokenizer: Tokenizer) -> Score:
    """Compare texts with the true ones, token by token."""
    right, distances, tokens = [], [], 0
    for one, other in zip(written, true):
        a, b = tokens_of(one, tokenizer), tokens_of(other, tokenizer)
        right.append(a == b)
        distances.append(edit_distance(a, b))
        tokens += len(b)
    return Score(right, distances, tokens)


def edit_distance(a: Sequence, b: Sequence) -> int:
    """Equation (2), by dynamic programming.

    >>> edit_distance("kitten", "sitting")
    3
    """
    row = list(range(len(b) + 1))  # distances of the tokens of a so far to b[:k]
    for i, x in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for k, y in enumerate(b, 1):
            diagonal, row[k] = row[k], min(
                row[k] + 1, row[k - 1] + 1, diagonal + (x != y)
            )  # fmt: skip
    return row[-1]


def greedy_texts(
    checkpoint: Checkpoint, encode: Callable[[Any], Memory], inputs: Sequence
) -> Written:
    """The greedy text of each input.

    Parameters
    ----------
    encode : from some of the inputs to the decoder's memory.
    """
    tokenizer = tokenizer_of(checkpoint)
    start, end = tokenizer.padding_id, tokenizer.eos_id
    limit = checkpoint.settings["length"]
    model = checkpoint.training.model
    texts: list[np.ndarray] = []
    for first in range(0, len(inputs), AT_ONCE):
        memory = encode(inputs[first : first + AT_ONCE])
        texts += decode(model, memory, start, end, limit).texts
    cut = [len(ids) == limit for ids in texts]
    return Written([tokenizer.decode(ids) for ids in texts], cut)


def of_pairs(checked: int, count: int, noun: str) -> str:
    """On how many of all a measure was taken: "30 pairs", "the first 1,000 of …"."""
    if checked == count:
        return counted(count, noun)
    return f"the first {checked:,} of {counted(count, noun)}"


def tokenizer_of(checkpoint: Checkpoint) -> Tokenizer:
    """The tokenizer of the texts that the model writes."""
    return checkpoint.target_tokenizer or checkpoint.tokenizer


def print_texts(
    checkpoint: Checkpoint,
    memory: Memory,
    chosen: dict[str, Any],
    number: int,
    indent: bool,
    source: list[int] | None = None,
    picture: str | None = None,
) -> None:
    """Print the text of one input, or several: greedy, sampled, or by beam search.

    Parameters
    ----------
    memory : of this input.
    chosen : options of ``minilstm sample``; without any, greedy.
    number : of the input, for the seed.
    indent : whether an input is printed above.
    source, picture : ids of the source, and a file to draw attention into.
    """
    tokenizer, model = tokenizer_of(checkpoint), checkpoint.training.model
    start, end = tokenizer.padding_id, tokenizer.eos_id
    limit = chosen["length"] or checkpoint.settings["length"]
    width, left = terminal_width(), "  " * indent
    if chosen["beam"] is not None:
        _refuse_beside("beam", ("greedy", *RANDOM, "picture"), chosen)
        (found,) = beam_decode(model, memory, start, end, limit, chosen["beam"])
        print(f"{left}   log P  text")
        for ids, log_P in found:
            text = _visible(tokenizer.decode(ids), len(ids) == limit)
            _print(f"{left}{log_P:>8.2f}  ", text, width)
        return
    if chosen["greedy"]:
        _refuse_beside("greedy", RANDOM, chosen)
    sampling = GREEDY
    if any(chosen[name] is not None for name in RANDOM):
        tau = 1.0 if chosen["temperature"] is None else chosen["temperature"]
        sampling = Sampling(tau, chosen["top_k"], chosen["top_p"])
    seed = SAMPLE["seed"] if chosen["seed"] is None else chosen["seed"]
    rng = np.random.default_rng([seed, number])
    for k in range(1 if sampling.greedy else chosen["count"] or 1):
        found_ids = decode(model, memory, start, end, limit, sampling, rng)
        ids = found_ids.texts[0]
        text = _visible(tokenizer.decode(ids), len(ids) == limit)
        _print(left, text, width)
        if picture is not None and found_ids.weights is not None and k == 0:
            from minilstm.cli.tasks.pictures import attention_picture

            written = [*found_ids.texts[0].tolist(), end][: len(found_ids.weights[0])]
            attention_picture(
                found_ids.weights[0],
                [checkpoint.tokenizer.show(int(j)) for j in source or ()],
                [tokenizer.show(j) for j in written],
                picture,
            )
            print(f"{left}attention is drawn in {picture}")


def _visible(text: str, is_cut: bool) -> str:
    """A text for a terminal: quotes show spaces alone, an ellipsis where it was cut."""
    return (harmless(text) if text.strip() else repr(text)) + "…" * is_cut


def _print(left: str, text: str, width: int) -> None:
    for k, line in enumerate(wrap(text, max(20, width - len(left)))):
        print((" " * len(left) if k else left) + line, flush=True)


def _refuse_beside(name: str, others: Sequence[str], chosen: dict[str, Any]) -> None:
    for other in others:
        if chosen[other] is not None:
            raise InputError(
                f"--{other.replace('_', '-')} has no effect with --{name}; leave one of"
                " them out"
            )
