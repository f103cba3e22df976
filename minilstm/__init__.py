"""An LSTM in NumPy that you can read, and a compiled engine that trains it fast.

Names are loaded when they are first used, so that ``minilstm --help`` need not wait for
NumPy and Numba.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__version__ = "0.2.0"

_HOMES = {
    "Adam": "minilstm.optim",
    "Batch": "minilstm.models.batch",
    "CharTokenizer": "minilstm.data.tokenizers",
    "Captioner": "minilstm.models",
    "CheckpointError": "minilstm.errors",
    "Classifier": "minilstm.models",
    "Dense": "minilstm.layers",
    "Embedding": "minilstm.layers",
    "EncoderDecoder": "minilstm.models",
    "GRU": "minilstm.layers",
    "InUseError": "minilstm.errors",
    "InputError": "minilstm.errors",
    "LSTM": "minilstm.layers",
    "LanguageModel": "minilstm.models.language_model",
    "MinilstmError": "minilstm.errors",
    "NotFiniteError": "minilstm.errors",
    "RMSprop": "minilstm.optim",
    "RNN": "minilstm.layers",
    "SGD": "minilstm.optim",
    "Tagger": "minilstm.models",
    "UnknownTokenError": "minilstm.errors",
    "WordTokenizer": "minilstm.data.words",
}

__all__ = sorted(_HOMES)

if TYPE_CHECKING:
    from minilstm.data.tokenizers import CharTokenizer
    from minilstm.data.words import WordTokenizer
    from minilstm.errors import (
        CheckpointError,
        InputError,
        InUseError,
        MinilstmError,
        NotFiniteError,
        UnknownTokenError,
    )
    from minilstm.layers import GRU, LSTM, RNN, Dense, Embedding
    from minilstm.models import Captioner, Classifier, EncoderDecoder, Tagger
    from minilstm.models.batch import Batch
    from minilstm.models.language_model import LanguageModel
    from minilstm.optim import SGD, Adam, RMSprop


def __getattr__(name: str):
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    try:
        return importlib.import_module(f"minilstm.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"minilstm.{name}":
            raise
        raise AttributeError(f"module 'minilstm' has no attribute {name!r}") from None


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
