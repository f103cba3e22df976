"""A language model: embedding or one-hot → stack of recurrent layers → output layer and loss.

    ids (T, B) → x (T, B, E) or one-hot → h (T, B, H) … h (T, B, H) → logits (T, B, V) → loss, the mean over real tokens

The chain rule walks the same way back. All parameters lie in one flat vector, ``model.parameters``, under the names
``embedding.W``, ``lstm0.Wx``, ``lstm0.Wh``, ``lstm0.b``, ``lstm1.Wx`` …, ``output.W``, ``output.b``.

In training, dropout may stand at each arrow but the first (see ``layers/dropout.py``); the output layer may be tied to the
embedding, and has then no ``output.W`` (see ``layers/dense.py``).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minilstm.checks import check_dtype, check_flag, check_ids, check_seed, check_size
from minilstm.errors import InputError
from minilstm.layers import GRU, LSTM, RNN, Dense, Dropout, Embedding, Packing, Recurrent, State, TiedDense, Workspace
from minilstm.losses import output_loss
from minilstm.params import ParameterVector
from minilstm.text.batches import Batch

CELLS: dict[str, type[Recurrent]] = {"lstm": LSTM, "gru": GRU, "rnn": RNN}
States = tuple[State, ...]  # one for each recurrent layer


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
        self._workspaces = {name: Workspace() for name in self._layers}
        self.parameters = ParameterVector(parameter_shapes(self._layers), self.dtype)
        self._gradients = self.parameters.zeros_like()
        rng = np.random.default_rng(seed)
        for name, layer in self._layers.items():
            for key, value in layer.init(rng, dtype=self.dtype).items():
                self.parameters[f"{name}.{key}"][...] = value

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
        h, targets, state, _ = self._forward(batch, state, noise)
        loss, _ = output_loss(self._output(self.parameters), h, targets, None, self._workspaces["output"])
        return loss, state

    def loss_and_gradients(
        self, batch: Batch, state: States | None = None, noise: np.random.Generator | None = None
    ) -> tuple[float, ParameterVector, States, States]:
        """Loss, gradients, the state after the batch, and the gradient of the state before it.

        The gradients are built like ``parameters``; the next call overwrites them. ``noise`` as for ``loss``.
        """
        p, g = self.parameters, self._gradients
        h, targets, state, caches = self._forward(batch, state, noise)
        loss, dh = output_loss(self._output(p), h, targets, self._output(g), self._workspaces["output"])
        dh = self._drop_backward("output", dh, caches)
        dstates: list[State] = []
        for name, layer in reversed(self._stack.items()):
            no_dstate = layer.zero_state(len(state[0][0]), self.dtype)
            dh, dstate, _ = layer.backward_packed(p.layer(name), dh, no_dstate, caches[name], g.layer(name))
            dh = self._drop_backward(name, dh, caches)
            dstates.insert(0, dstate)
        if self.embedding is not None:
            table, cache = p.layer("embedding"), caches["embedding"]
            self._layers["embedding"].backward(table, dh, cache, g.layer("embedding"), add=self.tied)
        return loss, g, state, tuple(dstates)

    def logits(self, inputs, lengths=None, state: States | None = None) -> tuple[np.ndarray, States]:
        """What the model thinks of every next id: inputs (T, B) to logits (T, B, V), and the state after them."""
        inputs = check_ids("inputs", inputs, self.vocab_size)
        if inputs.ndim != 2:
            raise InputError(f"inputs must have the shape (T, B), not {inputs.shape}")
        T, B = inputs.shape
        packing = Packing(T, B, lengths)
        h, state, _ = self._forward_packed(packing.pack(inputs), packing, state)
        rows, _ = self._layers["output"].forward(self._output(self.parameters), h)
        return packing.unpack(rows), state

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

    def _output(self, vector: ParameterVector) -> dict[str, np.ndarray]:
        """W (H, V) and b (V,) of the output layer, or their gradients; a tied W is a view of the embedding's table."""
        tied = {"W": vector["embedding.W"].T} if self.tied else {}
        return {**tied, **vector.layer("output")}

    def _forward(self, batch: Batch, state: States | None, noise: np.random.Generator | None):
        """Hidden states (N, H) of the last layer at the real tokens, their targets (N,), the final state, all caches."""
        inputs = check_ids("inputs", batch.inputs, self.vocab_size)
        targets = check_ids("targets", batch.targets, self.vocab_size)
        if inputs.ndim != 2 or targets.shape != inputs.shape:
            raise InputError(f"inputs and targets must have one shape (T, B), not {inputs.shape} and {targets.shape}")
        T, B = inputs.shape
        packing = Packing(T, B, batch.lengths)
        h, state, caches = self._forward_packed(packing.pack(inputs), packing, state, noise)
        return h, packing.pack(targets), state, caches

    def _forward_packed(self, ids: np.ndarray, packing: Packing, state: States | None, noise=None):
        state = self._check_state(state, packing.B)
        caches: dict[str, Any] = {}
        x: np.ndarray = ids
        if self.embedding is not None:
            x, caches["embedding"] = self._layers["embedding"].forward(self.parameters.layer("embedding"), ids)
        finals = []
        for (name, layer), initial in zip(self._stack.items(), state):
            params, work = self.parameters.layer(name), self._workspaces[name]
            x = self._drop(name, x, noise, caches)
            x, final, caches[name] = layer.forward_packed(params, x, initial, packing, work)
            finals.append(final)
        return self._drop("output", x, noise, caches), tuple(finals), caches

    def _drop(self, name: str, x: np.ndarray, noise: np.random.Generator | None, caches: dict[str, Any]) -> np.ndarray:
        """What layer ``name`` gets to see of x. Ids are left as they are."""
        if noise is None or self.dropout == 0 or x.ndim == 1:
            return x
        x, caches[f"dropout before {name}"] = self._dropout.forward(x, noise)
        return x

    def _drop_backward(self, name: str, dx: np.ndarray, caches: dict[str, Any]) -> np.ndarray:
        mask = caches.get(f"dropout before {name}")
        return dx if mask is None else self._dropout.backward(dx, mask)

    def _check_state(self, state: States | None, B: int) -> States:
        if state is None:
            return self.zero_state(B)
        if len(state) != self.layers:
            raise InputError(f"state must hold one tuple for each of {self.layers} layers, not {len(state)}")
        layers = zip(self._stack.values(), state)
        return tuple(layer.check_state(f"state[{k}]", given, B, self.dtype) for k, (layer, given) in enumerate(layers))
