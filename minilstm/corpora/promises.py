"""The name by which lesson 12 imports ``long_range.py``."""

from minilstm.corpora.long_range import KINDS, NAMED, NEAR, kept_by_distance

__all__ = ["KINDS", "NAMED", "NEAR", "kept_by_distance"]
