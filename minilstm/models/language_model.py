"""A language model: embedding or one-hot → recurrent layers → output layer and loss.

    ids (T, B) → x (T, B, E) or one-hot → h (T, B, H) … h (T, B, H) → logits (T, B, V)
    → loss, the mean over the real tokens

Backward takes the same way in reverse. All parameters lie in one flat vector,
``model.parameters``, under the names ``embedding.W``, ``lstm0.Wx``, ``lstm0.Wh``,
``lstm0.b``, ``lstm1.Wx`` …, ``output.W``, ``output.b``.

``parallel/replica.py`` runs the layers. A large mini-batch is sharded over several
threads, each with its own replica (data parallelism). ``parallel/ownership.py`` says what
several threads of a program may do with one model at once.

In training, dropout may act on the input of each layer that does not read ids (see
``layers/dropout.py``). The output layer may be tied to the embedding, and then has no
``output.W`` (see ``layers/dense.py``). ``minilstm/reference/language_model.py`` is the
reference implementation.
"""

from __future__ import annotations

import copy
import math
from functools import partial
from typing import Any

import numpy as np

from minilstm.checks import check_dtype, check_flag, check_ids, check_seed, check_size
from minilstm.errors import InputError
from minilstm.layers import Dropout, Recurrent
from minilstm.models.batch import Batch
from minilstm.models.stack import CELLS, build_layers, parameter_shapes
from minilstm.parallel import threads
from minilstm.parallel.ownership import Ownership, Use
from minilstm.parallel.replica import Replicas
from minilstm.parallel.shards import Shard, States
from minilstm.parallel.shards import gather_states, shard_batch, whole_batch
from minilstm.params import ParameterVector


class LanguageModel:
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
    """

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
        self.hidden = H = check_size("hidden", hidden)
        self.layers = check_size("layers", layers)
        if not isinstance(cell, str) or cell not in CELLS:
            raise InputError(f"cell must be one of {', '.join(CELLS)}, not {cell!r}")
        self._dropout = Dropout(dropout)
        if tied and embedding != H:
            raise InputError(
                f"a tied output layer needs an embedding as wide as the hidden layer, {H}; there is"
                f" {'none' if embedding is None else f'one of width {embedding}'}"
            )
        self.cell, self.dropout = cell, self._dropout.rate
        self.tied = check_flag("tied", tied)
        self.seed, self.dtype = check_seed("seed", seed), check_dtype("dtype", dtype)

        self._layers = build_layers(V, embedding, H, layers, cell, self.tied)
        self._stack = {
            name: layer
            for name, layer in self._layers.items()
            if isinstance(layer, Recurrent)
        }
        self.parameters = ParameterVector(parameter_shapes(self._layers), self.dtype)
        self._reset_use()
        # for each token, forward and backward; ids are looked up, not multiplied
        self._multiplications = 3 * H * V + sum(
            3 * math.prod(shape)
            for name, shape in self.parameters.shapes.items()
            if name.endswith("Wh")
        )
        rng = np.random.default_rng(seed)
        for name, layer in self._layers.items():
            for key, value in layer.init(rng, dtype=self.dtype).items():
                self.parameters[f"{name}.{key}"][...] = value

    def _reset_use(self) -> None:
        """Begin with no replicas and no thread that uses this model."""
        self._replicas = Replicas(self._layers, self.parameters, self.tied)
        self._ownership = Ownership()

    def __getstate__(self) -> dict[str, Any]:
        """What a copy or a pickle holds: all but the users of this model and their buffers."""
        of_use = ("_replicas", "_ownership")
        with self.shared():
            return {
                name: value for name, value in vars(self).items() if name not in of_use
            }

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._reset_use()

    def __copy__(self) -> LanguageModel:
        return copy.deepcopy(self)

    def shared(self) -> Use:
        """A context in which all threads can compute with this model, and none train it.

        Every method that computes enters it. Enter it yourself around several calls that
        need the same parameters.
        """
        return self._ownership.use("compute")

    def owned(self) -> Use:
        """A context in which only this thread can use this model.

        Enter it in a training loop of your own, or to write parameters. ``train_steps``,
        ``fit``, ``load_torch`` and ``load_keras`` enter it themselves. Raises InUseError
        while another thread uses the model.
        """
        return self._ownership.use("train")

    def sizes(self) -> dict[str, Any]:
        """The arguments that build this model: ``LanguageModel(**model.sizes())``."""
        names = "vocab_size embedding hidden layers cell dropout tied seed".split()
        return {name: getattr(self, name) for name in names} | {
            "dtype": self.dtype.name
        }

    def zero_state(self, batch_size: int) -> States:
        """The default initial state: a tuple of zero arrays (B, H) for each layer.

        (h, c) for an LSTM layer, (h,) for other cells.
        """
        layers = self._stack.values()
        return tuple(layer.zero_state(batch_size, self.dtype) for layer in layers)

    def loss(
        self,
        batch: Batch,
        state: States | None = None,
        dropout_rng: np.random.Generator | None = None,
    ) -> tuple[float, States]:
        """Mean loss of a mini-batch, without gradients.

        Parameters
        ----------
        batch : Batch
            Inputs and targets (T, B), and the lengths (B,) of the sequences.
        state : tuple of states, optional
            Initial state of each recurrent layer, (B, H) arrays. Default: zeros.
        dropout_rng : numpy.random.Generator, optional
            Draws the dropout masks. Default: no dropout.

        Returns
        -------
        loss : float
            Mean cross-entropy over the real tokens, in nats.
        state : tuple of states
            State of each layer after the last real step of each sequence.

        Raises
        ------
        InputError
            If an id is outside the vocabulary, or a shape or dtype does not fit.
        InUseError
            If another thread trains this model.
        """
        shards = self._shard(self._check_batch(batch, state, dropout_rng))
        with self.shared(), self._replicas.borrow(len(shards)) as replicas:
            jobs = [partial(r.loss, shard) for r, shard in zip(replicas, shards)]
            losses, states = zip(*threads.run(jobs))
            return sum(losses), gather_states(shards, states)

    def loss_and_gradients(
        self,
        batch: Batch,
        state: States | None = None,
        dropout_rng: np.random.Generator | None = None,
    ) -> tuple[float, ParameterVector, States, States]:
        """Mean loss of a mini-batch and its gradients (backpropagation through time).

        Parameters
        ----------
        batch : Batch
            Inputs and targets (T, B), and the lengths (B,) of the sequences.
        state : tuple of states, optional
            Initial state of each recurrent layer, (B, H) arrays. Default: zeros.
        dropout_rng : numpy.random.Generator, optional
            Draws the dropout masks. Default: no dropout.

        Returns
        -------
        loss : float
            Mean cross-entropy over the real tokens, in nats.
        gradients : ParameterVector
            dL/dparameters, with the names and shapes of ``parameters``. The next call
            overwrites it; copy it to keep it.
        state : tuple of states
            State of each layer after the last real step of each sequence.
        dstate : tuple of states
            dL/d(initial state).

        Raises
        ------
        InputError
            If an id is outside the vocabulary, or a shape or dtype does not fit.
        InUseError
            If another thread trains this model or takes its gradients.
        """
        shards = self._shard(self._check_batch(batch, state, dropout_rng))
        with (
            self._ownership.use("take"),
            self._replicas.borrow(len(shards)) as replicas,
        ):
            work = zip(replicas, shards)
            jobs = [partial(r.loss_and_gradients, shard) for r, shard in work]
            losses, states, dstates = zip(*threads.run(jobs))
            gradients, *others = (replica.gradients for replica in replicas)
            for other in others:  # gradients += other
                chunks = threads.chunks(other.flat.size)
                pairs = [(gradients.flat[chunk], other.flat[chunk]) for chunk in chunks]
                threads.run([partial(np.add, g, more, g) for g, more in pairs])
            state = gather_states(shards, states)
            dstate = gather_states(shards, dstates)
            return sum(losses), gradients, state, dstate

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

    def summary(self) -> str:
        """A table of the layers: name, kind, shapes and number of the parameters."""
        lines = [f"{'layer':<12}{'kind':<12}{'parameters':<42}{'count':>12}"]
        if self.embedding is None:
            lines.append(f"{'input':<12}{'one-hot':<12}{'-':<42}{0:>12,}")
        for name in self._layers:
            arrays = self.parameters.layer(name)
            kind = {
                "embedding": "embedding",
                "output": "tied" if self.tied else "dense",
            }.get(name, self.cell)
            shapes = "  ".join(
                f"{key} {'x'.join(map(str, array.shape))}"
                for key, array in arrays.items()
            )
            lines.append(
                f"{name:<12}{kind:<12}{shapes:<42}{sum(a.size for a in arrays.values()):>12,}"
            )
        lines.append(f"{'total':<66}{self.parameters.flat.size:>12,}")
        if self.dropout:
            lines.append(
                f"dropout of {self.dropout:g} before each layer but the first, in training"
            )
        return "\n".join(lines)

    def _check_batch(
        self,
        batch: Batch,
        state: States | None,
        dropout_rng: np.random.Generator | None,
    ) -> Shard:
        """The mini-batch as a single shard, checked, with its dropout masks."""
        inputs = check_ids("inputs", batch.inputs, self.vocab_size)
        targets = check_ids("targets", batch.targets, self.vocab_size)
        if inputs.ndim != 2 or targets.shape != inputs.shape:
            raise InputError(
                "inputs and targets must have one shape (T, B), not"
                f" {inputs.shape} and {targets.shape}"
            )
        state = self._check_state(state, inputs.shape[1])
        shard = whole_batch(inputs, targets, batch.lengths, state, {})
        if dropout_rng is None or self.dropout == 0:
            return shard
        return shard._replace(masks=self._masks(shard.packing.N, dropout_rng))

    def _masks(self, N: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Dropout masks for every layer whose input is not ids."""
        names = [*self._stack, "output"][self.embedding is None :]
        widths = {name: self._layers[name].input_size for name in names}
        return {
            name: self._dropout.mask((N, width), self.dtype, rng)
            for name, width in widths.items()
        }

    def _shard(self, batch: Shard) -> list[Shard]:
        """The mini-batch in as many shards as there are threads worth waking."""
        work = batch.tokens * self._multiplications
        return shard_batch(batch, threads.choose(batch.packing.B, work))

    def _check_state(self, state: States | None, B: int) -> States:
        if state is None:
            return self.zero_state(B)
        if len(state) != self.layers:
            raise InputError(
                f"state must hold one tuple for each of {self.layers} layers, not {len(state)}"
            )
        layers = zip(self._stack.values(), state)
        return tuple(
            layer.check_state(f"state[{k}]", given, B, self.dtype)
            for k, (layer, given) in enumerate(layers)
        )
