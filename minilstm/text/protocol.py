"""What a model may ask of a tokenizer, whatever an id stands for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np
import numpy.typing as npt


class Tokenizer(Protocol):
    """What a model needs to read and to write text."""

    @property
    def symbols(self) -> tuple[str, ...]: ...

    @property
    def unit(self) -> str: ...

    @property
    def vocab_size(self) -> int: ...

    @property
    def padding_id(self) -> int: ...

    @property
    def unknown_id(self) -> int | None: ...

    @property
    def eos_id(self) -> int: ...

    def encode(self, text: str) -> npt.NDArray[np.int32]: ...

    def decode(self, ids: Iterable[int]) -> str: ...

    def complete(self, prompt: str, ids: Iterable[int]) -> str: ...

    def show(self, id_: int) -> str: ...
