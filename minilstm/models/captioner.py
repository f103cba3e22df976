"""A captioner: a text about a vector, such as a picture. One to many.

    vector v (B, F) → (h0, c0) of each layer, by a bridge (``layers/bridge.py``)
    inputs (T, B) → x → recurrent layers, which begin from these states → logits → loss

The text is written by a language model that reads the start token and then the true text
(teacher forcing). dL/dv comes back by h0 and c0. ``minilstm/reference/captioner.py`` is
the reference implementation; it has the sources.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minilstm.checks import check_array, check_dtype, check_ids, check_seed, check_size
from minilstm.errors import InputError
from minilstm.layers.bridge import Bridge
from minilstm.layers.stack import States
from minilstm.models.batch import Batch, VectorBatch
from minilstm.models.build import CELLS, build_layers, check_stack
from minilstm.models.inputs import Inputs
from minilstm.models.memory import Memory, Step
from minilstm.models.per_token import PerTokenModel, PerTokenReplica
from minilstm.parallel.shards import Shard, whole_batch


class CaptionShard(NamedTuple):
    """Some texts of a mini-batch, or all of them, and their vectors."""

    vectors: np.ndarray  # (B, F)
    texts: Shard
    sequences: np.ndarray | slice  # indices of these texts in the mini-batch


class CaptionReplica(PerTokenReplica):
    """A bridge for each recurrent layer, and a language model. Shards: CaptionShard."""

    dvectors: np.ndarray  # (B, F), dL/dv of the last ``loss_and_gradients``

    @property
    def bridges(self) -> dict[str, Bridge]:
        """By name, from the bottom up."""
        layers = self.layers.items()
        return {name: layer for name, layer in layers if isinstance(layer, Bridge)}

    def states(self, vectors: np.ndarray) -> States:
        """The initial state of each layer, (B, H) arrays."""
        bridges = self.bridges.items()
        return tuple(b.forward(self._params[name], vectors) for name, b in bridges)

    def loss(self, shard: Any) -> tuple[float, States]:
        state = self.states(shard.vectors)
        return super().loss(shard.texts._replace(state=state))[0], ()

    def loss_and_gradients(self, shard: Any) -> tuple[float, States, States]:
        state = self.states(shard.vectors)
        loss, _, dstates = super().loss_and_gradients(shard.texts._replace(state=state))
        self.dvectors = np.zeros_like(shard.vectors)
        for (name, bridge), dstate in zip(self.bridges.items(), dstates):
            self.dvectors += bridge.backward(
                self._params[name], dstate, shard.vectors, self._grads[name]
            )  # each layer reads v
        return loss, (), ()


class Captioner(PerTokenModel):
    """Writes a text about a vector.

    Parameters
    ----------
    features : int
        F, the width of the vectors.
    vocab_size : int
        V, the number of ids.
    embedding : int, optional
        E, the width of the embedding. Default: one-hot input.
    hidden : int
        H, the width of each recurrent layer.
    layers : int
        Number of recurrent layers.
    cell : str
        "lstm", "gru" or "rnn".
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
    >>> Captioner(64, 30, embedding=16, hidden=32).parameters.flat.size
    11902
    """

    kind = "captioner"
    arguments = ("features", "vocab_size", "embedding", "hidden", "layers", "cell")
    replica = CaptionReplica
    batch = VectorBatch

    def __init__(
        self,
        features: int,
        vocab_size: int,
        embedding: int | None = None,
        hidden: int = 128,
        layers: int = 1,
        cell: str = "lstm",
        dropout: float = 0.0,
        seed: int = 0,
        dtype: Any = np.float32,
    ):
        self.features = check_size("features", features)
        self._inputs, self._outputs = Inputs(vocab_size, None, embedding), vocab_size
        self.vocab_size, self.embedding = vocab_size, embedding
        check_stack(cell, hidden, layers, False)
        self.hidden, self.layers, self.cell = hidden, layers, cell
        self.seed, self.dtype = check_seed("seed", seed), check_dtype("dtype", dtype)
        self._build(dropout)

    @classmethod
    def layers_of(
        cls, features, vocab_size, embedding, hidden, layers, cell
    ) -> dict[str, Any]:
        bridge = Bridge(features, hidden, CELLS[cell].state_parts)
        bridges = {f"bridge{k}": bridge for k in range(layers)}
        others = build_layers(vocab_size, embedding, hidden, layers, cell)
        return {**bridges, **others}

    def vector_gradients(
        self, batch: VectorBatch, dropout_rng: np.random.Generator | None = None
    ) -> np.ndarray:
        """dL/dv (B, F) of the mean loss of a mini-batch: which features matter, and how.

        Arguments and errors as for ``loss_and_gradients``.
        """
        self._check_kind(batch)
        shards = [CaptionShard(*self._check(batch, dropout_rng), slice(None))]
        with self._ownership.use("take"), self._replicas.borrow(1) as (replica,):
            replica.loss_and_gradients(shards[0])
            return replica.dvectors

    def encode(self, vectors: np.ndarray) -> Memory:
        """What the text begins with, from vectors (B, F) in the model's dtype.

        Raises InputError if the shape or dtype does not fit, and InUseError if another
        thread trains this model.
        """
        shape = (None, self.features)
        vectors = check_array("vectors", vectors, shape, self.dtype, "(B, F)")
        with self.shared(), self._replicas.borrow(1) as (replica,):
            return Memory(replica.states(vectors))

    def step(self, ids: np.ndarray, memory: Memory) -> Step:
        """Read one more token (B,) of each text: logits (B, V) of the next, and memory.

        Raises InputError if an id is outside the vocabulary, and InUseError if another
        thread trains this model.
        """
        ids = check_ids("ids", ids, self._outputs)[None]  # (1, B)
        shard = whole_batch(ids, ids, None, memory.states, {})
        with self.shared(), self._replicas.borrow(1) as (replica,):
            logits, states = replica.last_logits(shard)
            return Step(logits, Memory(states))

    def _check(
        self, batch: VectorBatch, dropout_rng: np.random.Generator | None = None
    ) -> tuple[np.ndarray, Shard]:
        """The vectors, checked, and the texts as a single shard."""
        shape = (None, self.features)
        v = check_array("vectors", batch.vectors, shape, self.dtype, "(B, F)")
        texts = Batch(batch.inputs, batch.targets, batch.lengths)
        whole = self._check_batch(texts, None, dropout_rng)
        if len(v) != whole.packing.B:
            raise InputError(f"there are {len(v)} vectors for {whole.packing.B} texts")
        return v, whole

    def _shards(
        self,
        batch: Any,
        state: States | None,
        dropout_rng: np.random.Generator | None,
    ) -> Sequence[Any]:
        v, whole = self._check(batch, dropout_rng)
        return [
            CaptionShard(v[texts.sequences], texts, texts.sequences)
            for texts in self._split(whole)
        ]
