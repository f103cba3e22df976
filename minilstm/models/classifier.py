"""A classifier: one class for a whole sequence. Many to one.

    ids (T, B) or vectors (T, B, F) → x → h (T, B, H) … h (T, B, H)
    → y (B, H), one vector for each sequence → logits (B, C) → loss, the mean over B

y is the last layer's final hidden state, or its pooled hidden states
(``layers/pooling.py``). ``minilstm/reference/classifier.py`` is the reference
implementation.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from minilstm.checks import (
    check_dtype,
    check_ids,
    check_lengths,
    check_seed,
    check_size,
)
from minilstm.errors import InputError
from minilstm.layers import Dense, Packing
from minilstm.layers.losses import output_loss
from minilstm.layers.pooling import Pooling, PoolingCache
from minilstm.layers.stack import Masks, Stack, StackCache, States, dropout
from minilstm.models.batch import LabelledBatch
from minilstm.models.build import check_stack, recurrent_layers
from minilstm.models.inputs import Inputs
from minilstm.models.model import Model
from minilstm.parallel import threads
from minilstm.parallel.replica import Replica
from minilstm.parallel.shards import split_sequences
from minilstm.reference.functions import softmax


class ClassifierShard(NamedTuple):
    """Some sequences of a mini-batch, or all of them, as packed rows."""

    inputs: np.ndarray  # (N,) ids or (N, F)
    labels: np.ndarray  # (B,)
    packing: Packing
    masks: Masks  # that of the output layer (B, H), others (N, width)
    total: int  # sequences in the whole mini-batch


class ClassifierCache(NamedTuple):
    """What backward needs."""

    embedding: Any
    stack: StackCache
    pooling: PoolingCache


class ClassifierReplica(Replica):
    """Embedding, recurrent layers, pooling, and an output layer."""

    @cached_property
    def stack(self) -> Stack:
        return Stack(self.layers)

    def forward(self, shard: ClassifierShard) -> tuple[np.ndarray, ClassifierCache]:
        """One vector y (B, H) for each sequence, and a cache."""
        params, x, embedded = self._params, shard.inputs, None
        if "embedding" in self.layers:
            x, embedded = self.layers["embedding"].forward(params["embedding"], x)
        state = self.stack.zero_state(shard.packing.B, self.parameters.flat.dtype)
        h, final, cache = self.stack.forward(
            params, x, state, shard.packing, shard.masks
        )
        y, pooled = self.layers["pooling"].forward(h, final[-1], shard.packing)
        y = dropout(shard.masks, "output", y)
        return y, ClassifierCache(embedded, cache, pooled)

    def logits(self, shard: ClassifierShard) -> np.ndarray:
        """Logits (B, C)."""
        y, _ = self.forward(shard)
        return self.layers["output"].forward(self._params["output"], y)[0]

    def loss(self, shard: ClassifierShard) -> tuple[float, States]:
        y, _ = self.forward(shard)
        params, work = self._params["output"], self._workspaces["output"]
        return output_loss(params, y, shard.labels, None, work, shard.total)[0], ()

    def loss_and_gradients(
        self, shard: ClassifierShard
    ) -> tuple[float, States, States]:
        params, grads = self._params, self._grads
        y, cache = self.forward(shard)
        work = self._workspaces["output"]
        loss, dy = output_loss(
            params["output"], y, shard.labels, grads["output"], work, shard.total
        )
        dy = dropout(shard.masks, "output", dy)
        dh, dfinal = self.layers["pooling"].backward(dy, cache.pooling)
        zeros = self.stack.zero_state(shard.packing.B, dy.dtype)
        dstate = (*zeros[:-1], dfinal)
        dx, _ = self.stack.backward(params, dh, dstate, cache.stack, grads)
        if "embedding" in self.layers:
            self.layers["embedding"].backward(
                params["embedding"], dx, cache.embedding, grads["embedding"]
            )
        return loss, (), ()


class Classifier(Model):
    """Predicts the class of a sequence.

    Parameters
    ----------
    classes : int
        C, the number of classes.
    vocab_size : int, optional
        V, the number of ids, if the input is ids.
    features : int, optional
        F, the width of the vectors, if the input is vectors. Give one of the two.
    embedding : int, optional
        E, the width of the embedding of ids. Default: one-hot input.
    hidden : int
        H, the width of each layer's output; bidirectional: of both directions together.
    layers : int
        Number of recurrent layers.
    cell : str
        "lstm", "gru" or "rnn".
    bidirectional : bool
        Whether each layer also reads in reverse.
    pooling : str
        "final", "last", "mean" or "max" (``minilstm.layers.pooling``).
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
    >>> model = Classifier(4, vocab_size=84, hidden=32)
    >>> model.probabilities(np.zeros((7, 2), int)).shape
    (2, 4)
    """

    kind = "classifier"
    arguments = (
        *("classes", "vocab_size", "features", "embedding"),
        *("hidden", "layers", "cell", "bidirectional", "pooling"),
    )
    replica = ClassifierReplica
    batch = LabelledBatch
    of_labels = "classes"

    def __init__(
        self,
        classes: int,
        vocab_size: int | None = None,
        features: int | None = None,
        embedding: int | None = None,
        hidden: int = 128,
        layers: int = 1,
        cell: str = "lstm",
        bidirectional: bool = False,
        pooling: str = "final",
        dropout: float = 0.0,
        seed: int = 0,
        dtype: Any = np.float32,
    ):
        self.classes = check_size("classes", classes)
        self._inputs = Inputs(vocab_size, features, embedding)
        self.vocab_size, self.features = vocab_size, features
        self.embedding = embedding
        check_stack(cell, hidden, layers, bidirectional)
        self.hidden, self.layers, self.cell = hidden, layers, cell
        self.bidirectional, self.pooling = bidirectional, pooling
        self.seed, self.dtype = check_seed("seed", seed), check_dtype("dtype", dtype)
        self._build(dropout)
        self._stack = Stack(self._layers)

    @classmethod
    def layers_of(
        cls,
        classes,
        vocab_size,
        features,
        embedding,
        hidden,
        layers,
        cell,
        bidirectional,
        pooling,
    ) -> dict[str, Any]:
        inputs = Inputs(vocab_size, features, embedding)
        width = inputs.width
        stack = recurrent_layers(cell, width, hidden, layers, bidirectional)
        top = {"pooling": Pooling(pooling), "output": Dense(hidden, classes)}
        return {**inputs.layers(), **stack, **top}

    def logits(
        self, inputs: np.ndarray, lengths: np.ndarray | None = None
    ) -> np.ndarray:
        """Logits (B, C) of the classes.

        Parameters
        ----------
        inputs : (T, B) integers, or (T, B, F) array
            Ids or vectors.
        lengths : (B,) integers, optional
            Number of real steps of each sequence. Default: all T.

        Raises
        ------
        InputError
            If an id is outside the vocabulary, or a shape or dtype does not fit.
        InUseError
            If another thread trains this model.
        """
        inputs = self._inputs.check(inputs, self.dtype)
        T, B = inputs.shape[:2]
        packing = Packing(T, B, lengths)
        shard = ClassifierShard(packing.pack(inputs), np.zeros(B, int), packing, {}, B)
        with self.shared(), self._replicas.borrow(1) as (replica,):
            return replica.logits(shard)

    def probabilities(
        self, inputs: np.ndarray, lengths: np.ndarray | None = None
    ) -> np.ndarray:
        """Probabilities (B, C) of the classes; arguments and errors as for ``logits``."""
        return softmax(self.logits(inputs, lengths))

    def _shards(
        self,
        batch: LabelledBatch,
        state: States | None,
        dropout_rng: np.random.Generator | None,
    ) -> list[ClassifierShard]:
        inputs = self._inputs.check(batch.inputs, self.dtype)
        T, B = inputs.shape[:2]
        labels = check_ids("labels", batch.labels, self.classes)
        if labels.shape != (B,):
            raise InputError(
                f"labels must have the shape (B,) = ({B},), one for each sequence,"
                f" not {labels.shape}"
            )
        lengths = check_lengths(batch.lengths, T, B)
        masks: dict[str, np.ndarray] = {}
        if dropout_rng is not None and self.dropout:
            names = self._inputs.dropped(self._stack)
            masks = self._masks({name: (T, B) for name in names}, dropout_rng)
            masks |= self._masks({"output": (B,)}, dropout_rng)
        count = threads.choose(B, lengths.sum() * self._multiplications)
        shards = []
        for sequences in split_sequences(lengths, count):
            packing = Packing(T, len(sequences), lengths[sequences])
            own = {
                name: mask[sequences]
                if name == "output"
                else packing.pack(mask[:, sequences])
                for name, mask in masks.items()
            }
            rows = packing.pack(inputs[:, sequences])
            shards.append(ClassifierShard(rows, labels[sequences], packing, own, B))
        return shards
