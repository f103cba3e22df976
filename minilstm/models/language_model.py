"""A language model: embedding or one-hot → recurrent layers → output layer and loss.

    ids (T, B) → x (T, B, E) or one-hot → h (T, B, H) … h (T, B, H) → logits (T, B, V)
    → loss, the mean over the real tokens

Backward takes the same way in reverse. All parameters lie in one flat vector,
``model.parameters``, under the names ``embedding.W``, ``lstm0.Wx``, ``lstm0.Wh``,
``lstm0.b``, ``lstm1.Wx`` …, ``output.W``, ``output.b``.

``per_token.py`` runs the layers. A large mini-batch is sharded over several threads, each
with its own replica (data parallelism). ``loss`` and ``loss_and_gradients`` are those of
every model (``model.py``).

In training, dropout may act on the input of each layer that does not read ids (see
``layers/dropout.py``). The output layer may be tied to the embedding, and then has no
``output.W`` (see ``layers/dense.py``). ``minilstm/reference/language_model.py`` is the
reference implementation.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minilstm.checks import check_dtype, check_flag, check_ids, check_seed, check_size
from minilstm.errors import InputError
from minilstm.layers.stack import States
from minilstm.models.build import build_layers, check_stack
from minilstm.models.inputs import Inputs
from minilstm.models.per_token import PerTokenModel
from minilstm.parallel.shards import whole_batch


class LanguageModel(PerTokenModel):
    """Predicts the next token from all tokens before it.

    Parameters
    ----------
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
    tied : bool
        Whether the output layer uses the embedding as its matrix; E must then be H.
    seed : int
        Of the initial values. The same seed gives the same bits.
    dtype : data type
        float32 to train, float64 to check gradients, or complex.

    Raises
    ------
    InputError
        If an argument is not of this kind.

    Notes
    -----
    Several threads may compute with one model at once: ``logits``, ``loss``, ``evaluate``
    and sampling. Only one may train it or take its gradients. While a thread trains it,
    no other can compute with it. A call that does not fit raises InUseError.

    ``copy.deepcopy(model)``, ``copy.copy(model)`` or a pickle is an independent model,
    which continues with the same bits.

    Examples
    --------
    >>> LanguageModel(84, hidden=128).parameters.flat.size
    119892
    >>> LanguageModel(10_000, embedding=100, hidden=128).parameters.flat.size
    2407248

    The loss of one mini-batch, and its gradients:

    >>> from minilstm import Batch
    >>> model = LanguageModel(5, hidden=8)
    >>> ids = np.array([[0, 1, 2, 3], [4, 3, 2, 1]]).T  # (T + 1, B) = (4, 2)
    >>> batch = Batch(inputs=ids[:-1], targets=ids[1:])
    >>> loss, gradients, state, dstate = model.loss_and_gradients(batch)
    >>> 1 < loss < 3  # ln 5 = 1.6 is guessing
    True
    >>> gradients["lstm0.Wh"].shape  # (H, 4H)
    (8, 32)
    """

    kind = "language model"
    takes_state = True
    arguments = ("vocab_size", "embedding", "hidden", "layers", "cell", "tied")

    def __init__(
        self,
        vocab_size: int,
        embedding: int | None = None,
        hidden: int = 128,
        layers: int = 1,
        cell: str = "lstm",
        dropout: float = 0.0,
        tied: bool = False,
        seed: int = 0,
        dtype: Any = np.float32,
    ):
        self.vocab_size = V = check_size("vocab_size", vocab_size)
        self.embedding = (
            embedding if embedding is None else check_size("embedding", embedding)
        )
        check_stack(cell, hidden, layers, False)
        self.hidden = H = hidden
        self.layers = layers
        if tied and embedding != H:
            raise InputError(
                f"a tied output layer needs an embedding as wide as the hidden layer, {H}; there is"
                f" {'none' if embedding is None else f'one of width {embedding}'}"
            )
        self.cell, self.tied = cell, check_flag("tied", tied)
        self.seed, self.dtype = check_seed("seed", seed), check_dtype("dtype", dtype)

        self._inputs, self._outputs = Inputs(V, None, embedding), V
        self._build(dropout)
        if self.tied:
            self._multiplications += 3 * H * V

    @classmethod
    def layers_of(cls, *sizes: Any, **by_name: Any) -> dict[str, Any]:
        return build_layers(*sizes, **by_name)

    def zero_state(self, batch_size: int) -> States:
        """The default initial state: a tuple of zero arrays (B, H) for each layer.

        (h, c) for an LSTM layer, (h,) for other cells.
        """
        return self._stack.zero_state(batch_size, self.dtype)

    def logits(
        self,
        inputs: np.ndarray,
        lengths: np.ndarray | None = None,
        state: States | None = None,
        last_only: bool = False,
    ) -> tuple[np.ndarray, States]:
        """Logits of every next token, and the state after the inputs.

        Parameters
        ----------
        inputs : (T, B) integers
            Ids.
        lengths : (B,) integers, optional
            Number of real ids of each sequence. Default: all T.
        state : tuple of states, optional
            Initial state of each recurrent layer, (B, H) arrays. Default: zeros.
        last_only : bool
            Compute only the logits after the last real id of each sequence. For an empty
            sequence they are those of its initial state.

        Returns
        -------
        logits : (T, B, V)
            Zeros at the padding. With ``last_only``: (B, V).
        state : tuple of states
            State of each layer after the last real id of each sequence.

        Raises
        ------
        InputError
            If an id is outside the vocabulary, or a shape or dtype does not fit.
        InUseError
            If another thread trains this model.
        """
        inputs = check_ids("inputs", inputs, self.vocab_size)
        if inputs.ndim != 2:
            raise InputError(f"inputs must have the shape (T, B), not {inputs.shape}")
        state = self._check_state(state, inputs.shape[1])
        shard = whole_batch(inputs, inputs, lengths, state, {})
        with self.shared(), self._replicas.borrow(1) as (replica,):
            if last_only:
                return replica.last_logits(shard)
            rows, state = replica.logits(shard)
            return shard.packing.unpack(rows), state

    def _summary_of_input(self) -> list[tuple[str, str, str, str]]:
        return [("input", "one-hot", "-", "0")] if self.embedding is None else []

    def _kind_of(self, name: str) -> str:
        output = "tied" if self.tied else "dense"
        return {"embedding": "embedding", "output": output}.get(name, self.cell)

    def _check_state(self, state: States | None, B: int) -> States:
        if state is None:
            return self.zero_state(B)
        if len(state) != self.layers:
            raise InputError(
                f"state must hold one tuple for each of {self.layers} layers, not {len(state)}"
            )
        layers = zip(self._stack.layers.values(), state)
        return tuple(
            layer.check_state(f"state[{k}]", given, B, self.dtype)
            for k, (layer, given) in enumerate(layers)
        )
