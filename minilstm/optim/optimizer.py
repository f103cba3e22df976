"""What an optimizer is: constants that never change, and two functions of a state that it hands out.

An optimizer is a frozen dataclass whose fields are its constants. Its state is a NamedTuple of flat arrays, each of the
shape and dtype of the parameters, with the number of steps taken, ``t``, as its last field. From ``kind``, the constants
and the arrays by name a run can be built up again, by somebody who does not know which optimizer it is.

Any number of models and threads may have one optimizer; a state belongs to one vector of parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import Field
from functools import partial
from typing import Any, ClassVar, Protocol

import numpy as np

from minilstm.errors import NotFiniteError
from minilstm.parallel import threads


class OptimizerState(Protocol):
    """Flat arrays (P,), of which every optimizer has its own, and ``t``."""

    @property
    def t(self) -> int:
        """How many steps were taken."""


class Optimizer(Protocol):
    """Adam, RMSprop, SGD, or another of this form."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    kind: ClassVar[str]
    State: ClassVar[type[Any]]

    @property
    def learning_rate(self) -> float:
        """The rate of every step for which no other is given."""

    def init(self, theta: np.ndarray) -> OptimizerState:
        """The state before the first step."""

    def step(
        self, theta: np.ndarray, g: np.ndarray, state: Any, rate: float | None = None, scale: float = 1.0
    ) -> OptimizerState:
        """One step of ``scale`` times g; ``theta`` and the arrays of ``state`` are changed in place.

        Raises NotFiniteError when a parameter has become NaN or infinite.
        """


def pass_over(kernel: Callable[..., bool], g: np.ndarray, scalars: tuple, vectors: tuple[np.ndarray, ...]) -> None:
    """One pass of a kernel over all parameters, with threads where they are many; none of them minds the others.

    The kernel takes g, the scalars and the vectors, all (P,), and says whether all parameters are finite.
    """
    piecewise = [partial(kernel, g[piece], *scalars, *(v[piece] for v in vectors)) for piece in threads.chunks(g.size)]
    if not all(threads.run(piecewise)):
        raise NotFiniteError("a parameter has become NaN or infinite; take a lower learning rate, or clip the gradients")
