"""A language model: embedding or one-hot → stack of recurrent layers → output layer and loss.

    ids (T, B) → x (T, B, E) or one-hot → h (T, B, H) … h (T, B, H) → logits (T, B, V) → loss, the mean over real tokens

The chain rule walks the same way back. All parameters lie in one flat vector, ``model.parameters``, under the names
``embedding.W``, ``lstm0.Wx``, ``lstm0.Wh``, ``lstm0.b``, ``lstm1.Wx`` …, ``output.W``, ``output.b``.

``parallel/replica.py`` walks that way. A large mini-batch is sharded over several threads, each of which has a replica of its
own. ``parallel/ownership.py`` says what several threads of a program may do with one model at once.

In training, dropout may stand at each arrow but the first (see ``layers/dropout.py``); the output layer may be tied to the
embedding, and has then no ``output.W`` (see ``layers/dense.py``).
"""

from __future__ import annotations

import copy
import math
from functools import partial
from typing import Any

import numpy as np

from minilstm.checks import check_dtype, check_flag, check_ids, check_seed, check_size
from minilstm.errors import InputError
from minilstm.layers import GRU, LSTM, RNN, Dense, Dropout, Embedding, Recurrent, TiedDense
from minilstm.models.batch import Batch
from minilstm.parallel import threads
from minilstm.parallel.ownership import Ownership, Use
from minilstm.parallel.replica import Passes
from minilstm.parallel.shards import Share, States, collect, deal, whole
from minilstm.params import ParameterVector

CELLS: dict[str, type[Recurrent]] = {"lstm": LSTM, "gru": GRU, "rnn": RNN}


def build_layers(
    vocab_size: int, embedding: int | None, hidden: int, layers: int, cell: str, tied: bool = False
) -> dict[str, Any]:
    """The layers by name, in the order in which the data passes through them."""
    rooms: dict[str, Any] = {}
    width = vocab_size
    if embedding is not None:
        rooms["embedding"] = Embedding(vocab_size, embedding)
        width = embedding
    for k in range(layers):
        rooms[f"{cell}{k}"] = CELLS[cell](width, hidden)
        width = hidden
    rooms["output"] = TiedDense(width, vocab_size) if tied else Dense(width, vocab_size)
    return rooms


def parameter_shapes(layers: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """Names and shapes of all parameters, in the order in which the flat vector holds them."""
    return {f"{name}.{key}": shape for name, layer in layers.items() for key, shape in layer.shapes.items()}


class LanguageModel:
    """Predicts the next id from all that came before.

    Parameters
    ----------
    vocab_size : V, number of ids.
    embedding : width E of trained vectors for the ids; None for one-hot input.
    hidden : H, width of each recurrent layer.
    layers : number of recurrent layers.
    cell : "lstm", "gru" or "rnn".
    dropout : probability with which numbers between layers are left out in training.
    tied : whether the output layer takes the embedding's table for its matrix; E must then be H.
    seed : for the initial values; the same seed gives the same bits.
    dtype : float32 to train, float64 to check gradients.

    Several threads may compute with one model at once: ``logits``, ``loss``, sampling, ``evaluate``. Only one may train it or
    take its gradients, and while it is trained no other thread can compute: InUseError. ``copy.deepcopy(model)`` or a pickle
    is a model of its own, which goes on with the same bits; so is ``copy.copy(model)``.

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
        self.embedding = embedding if embedding is None else check_size("embedding", embedding)
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
        self.cell, self.dropout, self.tied = cell, self._dropout.rate, check_flag("tied", tied)
        self.seed, self.dtype = check_seed("seed", seed), check_dtype("dtype", dtype)

        self._layers = build_layers(V, embedding, H, layers, cell, self.tied)
        self._stack = {name: layer for name, layer in self._layers.items() if isinstance(layer, Recurrent)}
        self.parameters = ParameterVector(parameter_shapes(self._layers), self.dtype)
        self._begin_use()
        self._multiplications = 3 * H * V + sum(  # of a token, forward and back; ids are looked up and not multiplied
            3 * math.prod(shape) for name, shape in self.parameters.shapes.items() if name.endswith("Wh")
        )
        rng = np.random.default_rng(seed)
        for name, layer in self._layers.items():
            for key, value in layer.init(rng, dtype=self.dtype).items():
                self.parameters[f"{name}.{key}"][...] = value

    def _begin_use(self) -> None:
        """What nobody has used yet: neither the first pass nor a thread."""
        self._passes, self._ownership = Passes(self._layers, self.parameters, self.tied), Ownership()

    def __getstate__(self) -> dict[str, Any]:
        """What a copy or a pickle takes along: all but who uses this model, and with which work arrays."""
        with self.shared():
            return {name: value for name, value in vars(self).items() if name not in ("_passes", "_ownership")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._begin_use()

    def __copy__(self) -> LanguageModel:
        return copy.deepcopy(self)

    def shared(self) -> Use:
        """A context in which no other thread can train this model, and any can compute with it.

        Every method that computes enters one. What takes several calls, and wants the same parameters in all, does too.
        """
        return self._ownership.use("compute")

    def owned(self) -> Use:
        """A context in which this thread alone can use this model: for a training loop of your own, or to write parameters.

        ``train_steps``, ``fit``, ``load_torch`` and ``load_keras`` enter one. Raises InUseError where another thread is at it.
        """
        return self._ownership.use("train")

    def sizes(self) -> dict[str, Any]:
        """What it takes to build this model again, as plain values: ``LanguageModel(**model.sizes())``."""
        names = ("vocab_size", "embedding", "hidden", "layers", "cell", "dropout", "tied", "seed")
        return {name: getattr(self, name) for name in names} | {"dtype": self.dtype.name}

    def zero_state(self, batch_size: int) -> States:
        """The state before the first symbol: zeros (B, H), for h and c of every LSTM layer, for h of other cells."""
        return tuple(layer.zero_state(batch_size, self.dtype) for layer in self._stack.values())

    def loss(
        self, batch: Batch, state: States | None = None, noise: np.random.Generator | None = None
    ) -> tuple[float, States]:
        """Mean loss in nats over the real tokens, and the state after the batch. No gradients are computed.

        ``noise`` draws what dropout leaves out; without it nothing is left out.
        """
        parts = self._deal(self._share(batch, state, noise))
        with self.shared(), self._passes.borrow(len(parts)) as passes:
            losses, states = zip(*threads.run([partial(way.loss, part) for way, part in zip(passes, parts)]))
            return sum(losses), collect(parts, states)

    def loss_and_gradients(
        self, batch: Batch, state: States | None = None, noise: np.random.Generator | None = None
    ) -> tuple[float, ParameterVector, States, States]:
        """Loss, gradients, the state after the batch, and the gradient of the state before it.

        The gradients are built like ``parameters``; the next call overwrites them. ``noise`` as for ``loss``. Two threads
        cannot be here at once: InUseError.
        """
        parts = self._deal(self._share(batch, state, noise))
        with self._ownership.use("take"), self._passes.borrow(len(parts)) as passes:
            results = threads.run([partial(way.loss_and_gradients, part) for way, part in zip(passes, parts)])
            losses, states, dstates = zip(*results)
            gradients, *others = (way.gradients for way in passes)
            for other in others:
                pieces = [(gradients.flat[piece], other.flat[piece]) for piece in threads.pieces(other.flat.size)]
                threads.run([partial(np.add, g, more, g) for g, more in pieces])  # g += more
            return sum(losses), gradients, collect(parts, states), collect(parts, dstates)

    def logits(
        self, inputs, lengths=None, state: States | None = None, last_only: bool = False
    ) -> tuple[np.ndarray, States]:
        """What the model thinks of every next id, and its state after the inputs.

        Parameters
        ----------
        inputs : (T, B) ids.
        lengths : (B,) how many of a sequence's T ids are real; default: all.
        state : a tuple for each recurrent layer, of arrays (B, H); default: zeros.
        last_only : compute the logits after the last real id of each sequence and no others; where a sequence has none, those
            of its initial state.

        Returns
        -------
        logits : (T, B, V), zeros at the padding; with ``last_only`` (B, V).
        state : as the argument, after the last real id of each sequence.
        """
        inputs = check_ids("inputs", inputs, self.vocab_size)
        if inputs.ndim != 2:
            raise InputError(f"inputs must have the shape (T, B), not {inputs.shape}")
        share = whole(inputs, inputs, lengths, self._check_state(state, inputs.shape[1]), {})
        with self.shared(), self._passes.borrow(1) as (way,):
            if last_only:
                return way.last_logits(share)
            rows, state = way.logits(share)
            return share.packing.unpack(rows), state

    def summary(self) -> str:
        """A table of the layers: name, kind, parameters with their shapes, and how many numbers they hold."""
        lines = [f"{'layer':<12}{'kind':<12}{'parameters':<42}{'count':>12}"]
        if self.embedding is None:
            lines.append(f"{'input':<12}{'one-hot':<12}{'-':<42}{0:>12,}")
        for name in self._layers:
            arrays = self.parameters.layer(name)
            kind = {"embedding": "embedding", "output": "tied" if self.tied else "dense"}.get(name, self.cell)
            shapes = "  ".join(f"{key} {'x'.join(map(str, array.shape))}" for key, array in arrays.items())
            lines.append(f"{name:<12}{kind:<12}{shapes:<42}{sum(a.size for a in arrays.values()):>12,}")
        lines.append(f"{'total':<66}{self.parameters.flat.size:>12,}")
        if self.dropout:
            lines.append(f"dropout of {self.dropout:g} before each layer but the first, in training")
        return "\n".join(lines)

    def _share(self, batch: Batch, state: States | None, noise: np.random.Generator | None) -> Share:
        """The whole batch, looked through, with what dropout leaves out of it."""
        inputs = check_ids("inputs", batch.inputs, self.vocab_size)
        targets = check_ids("targets", batch.targets, self.vocab_size)
        if inputs.ndim != 2 or targets.shape != inputs.shape:
            raise InputError(f"inputs and targets must have one shape (T, B), not {inputs.shape} and {targets.shape}")
        share = whole(inputs, targets, batch.lengths, self._check_state(state, inputs.shape[1]), {})
        return share if noise is None or self.dropout == 0 else share._replace(masks=self._masks(share.packing.N, noise))

    def _masks(self, N: int, noise: np.random.Generator) -> dict[str, np.ndarray]:
        """One for every layer whose input is not ids."""
        names = [*self._stack, "output"][self.embedding is None :]
        return {name: self._dropout.mask((N, self._layers[name].input_size), self.dtype, noise) for name in names}

    def _deal(self, batch: Share) -> list[Share]:
        """The batch in shares, as many as there are threads that it is worth while to wake."""
        return deal(batch, threads.choose(batch.packing.B, batch.tokens * self._multiplications))

    def _check_state(self, state: States | None, B: int) -> States:
        if state is None:
            return self.zero_state(B)
        if len(state) != self.layers:
            raise InputError(f"state must hold one tuple for each of {self.layers} layers, not {len(state)}")
        layers = zip(self._stack.values(), state)
        return tuple(layer.check_state(f"state[{k}]", given, B, self.dtype) for k, (layer, given) in enumerate(layers))
