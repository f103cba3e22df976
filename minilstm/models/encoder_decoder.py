"""An encoder and a decoder: one sequence in, another one out. Many to many.

    source (S, B) → x → encoder layers → a (S, B, A), and the final state of each layer
    inputs (T, B) → x → decoder layers, which begin from these states, the first of them
    with attention to a, if wanted → logits (T, B, V) → loss over the target's real tokens

The decoder reads the start token and then the true target (teacher forcing). Backward,
the encoder's gradients arrive by the decoder's initial states, h and c of every layer,
and by attention. ``minilstm/reference/encoder_decoder.py`` is the reference
implementation; it has the sources. ``minilstm/generation/decoding.py`` writes targets.

Letters: S and T steps of source and target, B pairs, N and M their real tokens, E
embedding width, H hidden width, V target vocabulary.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minilstm.checks import check_dtype, check_flag, check_ids, check_lengths
from minilstm.checks import check_seed, check_size
from minilstm.errors import InputError
from minilstm.layers import Dense, Embedding, Packing
from minilstm.layers.attention_lstm import Attention
from minilstm.layers.stack import States
from minilstm.models.batch import PairBatch
from minilstm.models.build import check_stack, recurrent_layers
from minilstm.models.memory import Memory, Step
from minilstm.models.model import Model
from minilstm.models.pairs import DECODER, ENCODER, PairReplica, PairShard
from minilstm.parallel import threads
from minilstm.parallel.shards import split_sequences


class EncoderDecoder(Model):
    """Predicts a target sequence from a source sequence.

    Parameters
    ----------
    source_size, target_size : int
        Number of ids of the source's and of the target's vocabulary.
    embedding : int
        E, the width of both embeddings.
    hidden : int
        H, the width of each layer's output; of a bidirectional encoder: of both
        directions together.
    layers : int
        Number of encoder layers, and of decoder layers.
    cell : str
        "lstm", "gru" or "rnn"; with attention, "lstm".
    attention : int, optional
        K, the width of additive attention. Default: no attention.
    bidirectional : bool
        Whether the encoder's layers also read in reverse.
    reverse_source : bool
        Whether the encoder reads the source last token first.
    dropout : float
        Probability with which a number between layers is set to zero in training.
    seed : int
        Of the initial values. The same seed gives the same bits.
    dtype : data type
        float32 to train, float64 to check gradients, or complex.

    Raises
    ------
    InputError
        If an argument is not of this kind.

    Examples
    --------
    >>> EncoderDecoder(40, 15, embedding=32, hidden=64, attention=64).parameters.flat.size
    77103
    """

    kind = "encoder-decoder"
    arguments = (
        *("source_size", "target_size", "embedding", "hidden", "layers", "cell"),
        *("attention", "bidirectional", "reverse_source"),
    )
    replica = PairReplica
    batch = PairBatch
    of_tokenizer, of_target_tokenizer = "source_size", "target_size"

    def __init__(
        self,
        source_size: int,
        target_size: int,
        embedding: int = 64,
        hidden: int = 128,
        layers: int = 1,
        cell: str = "lstm",
        attention: int | None = None,
        bidirectional: bool = False,
        reverse_source: bool = False,
        dropout: float = 0.0,
        seed: int = 0,
        dtype: Any = np.float32,
    ):
        self.source_size = check_size("source_size", source_size)
        self.target_size = check_size("target_size", target_size)
        self.embedding = check_size("embedding", embedding)
        check_stack(cell, hidden, layers, bidirectional)
        self.hidden, self.layers, self.cell = hidden, layers, cell
        if attention is not None and cell != "lstm":
            raise InputError(f"attention needs the cell lstm, not {cell}")
        self.attention, self.bidirectional = attention, bidirectional
        self.reverse_source = check_flag("reverse_source", reverse_source)
        self.seed, self.dtype = check_seed("seed", seed), check_dtype("dtype", dtype)
        self._build(dropout)

    @classmethod
    def layers_of(
        cls,
        source_size,
        target_size,
        embedding,
        hidden,
        layers,
        cell,
        attention,
        bidirectional,
        reverse_source,
    ) -> dict[str, Any]:
        encoder = recurrent_layers(cell, embedding, hidden, layers, bidirectional)
        decoder: dict[str, Any] = {**recurrent_layers(cell, embedding, hidden, layers)}
        if attention is not None:
            first, *others = decoder.items()
            looks = ("attention", Attention(hidden, hidden, attention))
            decoder = dict([first, looks, *others])
        return {
            "source.embedding": Embedding(source_size, embedding),
            **{ENCODER + name: layer for name, layer in encoder.items()},
            "target.embedding": Embedding(target_size, embedding),
            **{DECODER + name: layer for name, layer in decoder.items()},
            "output": Dense(hidden, target_size),
        }

    def encode(self, source: np.ndarray, lengths: np.ndarray | None = None) -> Memory:
        """Read sources: what the decoder begins with.

        Parameters
        ----------
        source : (S, B) integers
            Ids.
        lengths : (B,) integers, optional
            Number of real ids of each source. Default: all S.

        Raises
        ------
        InputError
            If an id is outside the vocabulary, or a shape does not fit.
        InUseError
            If another thread trains this model.
        """
        source = check_ids("source", source, self.source_size)
        if source.ndim != 2:
            raise InputError(f"source must have the shape (S, B), not {source.shape}")
        S, B = source.shape
        packing = Packing(S, B, self._check_source_lengths(lengths, S, B))
        with self.shared(), self._replicas.borrow(1) as (replica,):
            encoded = replica.encode(self._read(source, packing), packing, {})
            if self.attention is None:
                return Memory(encoded.states)
            a = replica.source_of(encoded.h, packing, np.arange(B))
            return Memory(encoded.states, a)

    def step(self, ids: np.ndarray, memory: Memory) -> Step:
        """Read one more token of each target.

        Parameters
        ----------
        ids : (B,) integers
            The start token, or the token before.
        memory : Memory
            From ``encode``, or from the step before.

        Returns
        -------
        Step
            Logits (B, V) of the next token, memory, and attention weights (B, S).

        Raises
        ------
        InputError
            If an id is outside the vocabulary.
        InUseError
            If another thread trains this model.
        """
        ids = check_ids("ids", ids, self.target_size)
        packing = Packing(1, len(ids))
        with self.shared(), self._replicas.borrow(1) as (replica,):
            decoded = replica.decode(ids, packing, *memory, {})
            logits = replica.logits(decoded)
            weights = None
            if decoded.attention is not None and memory.source is not None:
                weights = decoded.attention.p.copy()  # the buffer is used again
                if self.reverse_source:
                    weights = reverse_weights(weights, memory.source.lengths)
            return Step(logits, Memory(decoded.states, memory.source), weights)

    def _shards(
        self,
        batch: PairBatch,
        state: States | None,
        dropout_rng: np.random.Generator | None,
    ) -> list[PairShard]:
        source = check_ids("source", batch.source, self.source_size)
        inputs = check_ids("inputs", batch.inputs, self.target_size)
        targets = check_ids("targets", batch.targets, self.target_size)
        if source.ndim != 2 or inputs.ndim != 2:
            raise InputError(
                "source and inputs must have the shapes (S, B) and (T, B), not"
                f" {source.shape} and {inputs.shape}"
            )
        (S, B), T = source.shape, len(inputs)
        if inputs.shape != targets.shape or inputs.shape[1] != B:
            raise InputError(
                f"source, inputs and targets must be of as many pairs and inputs and"
                f" targets as long, not {source.shape}, {inputs.shape}, {targets.shape}"
            )
        source_lengths = self._check_source_lengths(batch.source_lengths, S, B)
        lengths = check_lengths(batch.lengths, T, B)
        masks = self._all_masks(S, T, B, dropout_rng)
        work = (source_lengths.sum() + lengths.sum()) * self._multiplications
        shards = []
        for pairs in split_sequences(lengths, threads.choose(B, work)):
            source_packing = Packing(S, len(pairs), source_lengths[pairs])
            packing = Packing(T, len(pairs), lengths[pairs])
            own = {
                name: (source_packing if name.startswith(ENCODER) else packing).pack(
                    mask[:, pairs]
                )
                for name, mask in masks.items()
            }
            shards.append(
                PairShard(
                    self._read(source[:, pairs], source_packing),
                    source_packing,
                    packing.pack(inputs[:, pairs]),
                    packing.pack(targets[:, pairs]),
                    packing,
                    own,
                    int(lengths.sum()),
                )
            )
        return shards

    def _read(self, source: np.ndarray, packing: Packing) -> np.ndarray:
        """Ids (N,) of sources (S, B), in the order in which the encoder reads them."""
        rows = packing.pack(source)
        return rows[packing.reversal] if self.reverse_source else rows

    def _check_source_lengths(self, lengths, S: int, B: int) -> np.ndarray:
        lengths = check_lengths(lengths, S, B)
        if self.attention is not None and B and lengths.min() < 1:
            raise InputError(
                "attention needs at least one token in every source; source"
                f" {int(lengths.argmin())} has none"
            )
        return lengths

    def _all_masks(
        self, S: int, T: int, B: int, rng: np.random.Generator | None
    ) -> dict[str, np.ndarray]:
        """Dropout masks (S, B, width) of the encoder and (T, B, width) of the decoder."""
        if rng is None or not self.dropout:
            return {}
        encoder = [k for k in self._layers if k.startswith(ENCODER)]
        decoder = [k for k in self._layers if k.startswith(DECODER)]
        shapes = {k: (S, B) for k in encoder if not k.endswith("_reverse")}
        shapes |= {k: (T, B) for k in decoder if not k.endswith("attention")}
        return self._masks({**shapes, "output": (T, B)}, rng)


def reverse_weights(weights: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Weights (B, S) of a source that was read in reverse, in the source's own order."""
    s = np.arange(weights.shape[1])
    order = np.where(s < lengths[:, None], lengths[:, None] - 1 - s, s)  # (B, S)
    return np.take_along_axis(weights, order, axis=1)
