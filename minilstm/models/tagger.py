"""A tagger: a label for each token, or for each vector of a sequence.

    ids (T, B) or vectors (T, B, F) → x → h (T, B, H) … h (T, B, H) → logits (T, B, K)

Many to many, of equal lengths. With bidirectional layers each label can depend on the
whole sequence: Graves and Schmidhuber, Framewise phoneme classification with
bidirectional LSTM (2005). The reference implementation is ``classifier.py`` in
``minilstm/reference``, with ``pool=None``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minilstm.checks import check_dtype, check_seed, check_size
from minilstm.layers import Dense
from minilstm.models.build import check_stack, recurrent_layers
from minilstm.models.inputs import Inputs
from minilstm.models.per_token import PerTokenModel
from minilstm.parallel.shards import whole_batch


class Tagger(PerTokenModel):
    """Predicts a label for each token of a sequence.

    Parameters
    ----------
    labels : int
        K, the number of labels.
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
    >>> model = Tagger(5, vocab_size=84, embedding=16, hidden=32, bidirectional=True)
    >>> model.logits(np.zeros((7, 2), int)).shape
    (7, 2, 5)
    """

    kind = "tagger"
    of_labels = "labels"
    arguments = (
        *("labels", "vocab_size", "features", "embedding"),
        *("hidden", "layers", "cell", "bidirectional"),
    )

    def __init__(
        self,
        labels: int,
        vocab_size: int | None = None,
        features: int | None = None,
        embedding: int | None = None,
        hidden: int = 128,
        layers: int = 1,
        cell: str = "lstm",
        bidirectional: bool = True,
        dropout: float = 0.0,
        seed: int = 0,
        dtype: Any = np.float32,
    ):
        self.labels = self._outputs = check_size("labels", labels)
        self._inputs = Inputs(vocab_size, features, embedding)
        self.vocab_size, self.features = vocab_size, features
        self.embedding = embedding
        check_stack(cell, hidden, layers, bidirectional)
        self.hidden, self.layers, self.cell = hidden, layers, cell
        self.bidirectional = bidirectional
        self.seed, self.dtype = check_seed("seed", seed), check_dtype("dtype", dtype)
        self._build(dropout)

    @classmethod
    def layers_of(
        cls,
        labels,
        vocab_size,
        features,
        embedding,
        hidden,
        layers,
        cell,
        bidirectional,
    ) -> dict[str, Any]:
        inputs = Inputs(vocab_size, features, embedding)
        width = inputs.width
        stack = recurrent_layers(cell, width, hidden, layers, bidirectional)
        return {**inputs.layers(), **stack, "output": Dense(hidden, labels)}

    def logits(
        self, inputs: np.ndarray, lengths: np.ndarray | None = None
    ) -> np.ndarray:
        """Logits (T, B, K) of each token's label, zeros at the padding.

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
        state = self._stack.zero_state(B, self.dtype)
        shard = whole_batch(inputs, np.zeros((T, B), int), lengths, state, {})
        with self.shared(), self._replicas.borrow(1) as (replica,):
            rows, _ = replica.logits(shard)
            return shard.packing.unpack(rows)
