"""The names by which lesson 12 imports ``long_range.py``."""

from minilstm.corpora.long_range import KINDS, NAMED, NEAR, TAKEN, kept_by_distance
from minilstm.corpora.long_range import agreements as promises

__all__ = ["KINDS", "NAMED", "NEAR", "TAKEN", "kept_by_distance", "promises"]
