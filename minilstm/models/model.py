"""What all models share: one flat vector of parameters, its replicas, and its users.

A model says what its layers are and how a mini-batch is sharded. This file runs the
shards, each by a replica in a thread of its own (data parallelism), and adds up their
losses and gradients. ``parallel/ownership.py`` says what several threads of a program may
do with one model at once.
"""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np

from minilstm.errors import InputError
from minilstm.layers.dropout import Dropout
from minilstm.layers.stack import States
from minilstm.models.batch import Batch
from minilstm.models.build import parameter_shapes
from minilstm.parallel import threads
from minilstm.parallel.ownership import Ownership, Use
from minilstm.parallel.replica import Replica, Replicas
from minilstm.parallel.shards import gather_states
from minilstm.params import ParameterVector


MULTIPLIED = (".Wh", "output.W", ".Wc", ".Wq")  # at every token


class Model(ABC):
    """A network with parameters that can be trained.

    A subclass sets ``arguments`` and ``replica``, checks its sizes, and calls ``_build``.
    """

    kind: ClassVar[str]  # in checkpoints
    arguments: ClassVar[tuple[str, ...]]  # of ``__init__``, besides seed and dtype
    replica: ClassVar[type[Replica]]  # computes one shard
    batch: ClassVar[Any] = Batch  # what it learns from
    # names of the sizes that must be those of its tokenizers and labels (checkpoints)
    of_tokenizer: ClassVar[str | None] = "vocab_size"
    of_target_tokenizer: ClassVar[str | None] = None
    of_labels: ClassVar[str | None] = None
    tied = False
    takes_state = False

    cell: str
    layers: int
    seed: int
    dtype: np.dtype
    dropout: float
    parameters: ParameterVector

    @classmethod
    @abstractmethod
    def layers_of(cls, *sizes: Any, **by_name: Any) -> dict[str, Any]:
        """The layers by name, in the order in which the data passes through them.

        ``by_name`` has the values of ``arguments``. Layers are descriptions: nothing is
        allocated.
        """

    def _build(self, dropout: float) -> None:
        """Allocate the parameters of the layers and draw their initial values."""
        layers = self.layers_of(
            **{name: getattr(self, name) for name in self.arguments}
        )
        self._dropout = Dropout(dropout)
        self.dropout = self._dropout.rate
        self._layers = layers
        self.parameters = ParameterVector(parameter_shapes(layers), self.dtype)
        self._reset_use()
        rng = np.random.default_rng(self.seed)
        for name, layer in layers.items():
            for key, value in layer.init(rng, dtype=self.dtype).items():
                self.parameters[f"{name}.{key}"][...] = value

        # for each token, forward and backward; ids are looked up, not multiplied
        shapes = self.parameters.shapes.items()
        self._multiplications = 3 * sum(
            math.prod(shape) for name, shape in shapes if name.endswith(MULTIPLIED)
        )

    def _masks(
        self, shapes: Mapping[str, tuple[int, ...]], rng: np.random.Generator
    ) -> dict[str, np.ndarray]:
        """Dropout masks (…, width) of the inputs of these layers."""
        return {
            name: self._dropout.mask(
                (*shape, self._layers[name].input_size), self.dtype, rng
            )
            for name, shape in shapes.items()
        }

    def _reset_use(self) -> None:
        """Begin with no replicas and no thread that uses this model."""
        make = partial(self.replica, self._layers, self.parameters, self.tied)
        self._replicas = Replicas(make)
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

    def __copy__(self):
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
        """The arguments that build this model: ``type(model)(**model.sizes())``."""
        names = (*self.arguments, "dropout", "seed")
        return {name: getattr(self, name) for name in names} | {
            "dtype": self.dtype.name
        }

    def loss(
        self,
        batch: Any,
        state: States | None = None,
        dropout_rng: np.random.Generator | None = None,
    ) -> tuple[float, States]:
        """Mean loss of a mini-batch, without gradients.

        Parameters
        ----------
        batch : mini-batch
            Of this model's kind; for a language model, ``minilstm.Batch``.
        state : tuple of states, optional
            Initial state of each recurrent layer of a language model, (B, H) arrays.
            Default: zeros. Other models take none.
        dropout_rng : numpy.random.Generator, optional
            Draws the dropout masks. Default: no dropout.

        Returns
        -------
        loss : float
            Mean cross-entropy over all that is predicted, in nats.
        state : tuple of states
            State of each layer after the last real step of each sequence; empty for
            models that begin from no state of their own.

        Raises
        ------
        InputError
            If the mini-batch is of another kind, an id is out of range, or a shape or
            dtype does not fit.
        InUseError
            If another thread trains this model.
        """
        self._check_kind(batch, state)
        shards = self._shards(batch, state, dropout_rng)
        with self.shared(), self._replicas.borrow(len(shards)) as replicas:
            jobs = [partial(r.loss, shard) for r, shard in zip(replicas, shards)]
            losses, states = zip(*threads.run(jobs))
            return sum(losses), gather_states(shards, states)

    def loss_and_gradients(
        self,
        batch: Any,
        state: States | None = None,
        dropout_rng: np.random.Generator | None = None,
    ) -> tuple[float, ParameterVector, States, States]:
        """Mean loss of a mini-batch and its gradients (backpropagation through time).

        Parameters
        ----------
        batch : mini-batch
            Of this model's kind; for a language model, ``minilstm.Batch``.
        state : tuple of states, optional
            Initial state of each recurrent layer of a language model, (B, H) arrays.
            Default: zeros. Other models take none.
        dropout_rng : numpy.random.Generator, optional
            Draws the dropout masks. Default: no dropout.

        Returns
        -------
        loss : float
            Mean cross-entropy over all that is predicted, in nats.
        gradients : ParameterVector
            dL/dparameters, with the names and shapes of ``parameters``. The next call
            overwrites it; copy it to keep it.
        state : tuple of states
            State of each layer after the last real step of each sequence; empty for
            models that begin from no state of their own.
        dstate : tuple of states
            dL/d(initial state); empty likewise.

        Raises
        ------
        InputError
            If the mini-batch is of another kind, an id is out of range, or a shape or
            dtype does not fit.
        InUseError
            If another thread trains this model or takes its gradients.
        """
        self._check_kind(batch, state)
        shards = self._shards(batch, state, dropout_rng)
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
            state, dstate = (
                gather_states(shards, states),
                gather_states(shards, dstates),
            )
            return sum(losses), gradients, state, dstate

    def _check_kind(self, batch: Any, state: States | None = None) -> None:
        """Raise InputError unless this kind of model takes this mini-batch and state."""
        if state and not self.takes_state:
            raise InputError("only a language model takes an initial state")
        if not isinstance(batch, self.batch):
            name = self.batch.__name__
            fields = ", ".join(self.batch._fields)
            raise InputError(
                f"batch must be a {name}, not {type(batch).__name__}; build one with"
                f" minilstm.models.{name}({fields})"
            )

    @abstractmethod
    def _shards(
        self,
        batch: Any,
        state: States | None,
        dropout_rng: np.random.Generator | None,
    ) -> Sequence[Any]:
        """The mini-batch, checked, in as many shards as there are threads worth waking."""

    def summary(self) -> str:
        """A table of the layers: name, kind, shapes and number of the parameters."""
        rows = [("layer", "kind", "parameters", "count"), *self._summary_of_input()]
        for name in self._layers:
            arrays = self.parameters.layer(name)
            shapes = " ".join(
                f"{key} {'x'.join(map(str, array.shape))}"
                for key, array in arrays.items()
            )
            count = f"{sum(array.size for array in arrays.values()):,}"
            rows.append((name, self._kind_of(name), shapes or "-", count))
        rows.append(("total", "", "", f"{self.parameters.flat.size:,}"))
        n, k, s, c = (max(map(len, column)) for column in zip(*rows))
        lines = [
            f"{name:<{n}}  {kind:<{k}}  {shapes:<{s}}  {count:>{c}}"
            for name, kind, shapes, count in rows
        ]
        if self.dropout:
            lines.append(
                f"dropout of {self.dropout:g} before each layer but the first, in training"
            )
        return "\n".join(lines)

    def _summary_of_input(self) -> list[tuple[str, str, str, str]]:
        """Rows of the table for an input without parameters."""
        return []

    def _kind_of(self, name: str) -> str:
        """What kind of layer this is, for the table."""
        return type(self._layers[name]).__name__.lower()
