"""Clipping: how a gradient that is too large is made smaller before the step.

    (1)  g_p ← min(max(g_p, -c), c)                 by value: Mikolov, Statistical language models based on neural networks
                                                    (2012), section 3.2.2, of the errors at hidden neurons; of the gradient
                                                    of parameters: Goodfellow, Bengio and Courville, Deep learning (2016),
                                                    section 10.11.1
    (2)  g ← g · min(1, c / ‖g‖)                    by norm: Pascanu, Mikolov and Bengio, On the difficulty of training
                                                    recurrent neural networks (2013), algorithm 1

(2) keeps the direction of the gradient; (1) turns it, away from the parameters whose entries were cut.
Shapes: g is a flat vector (P,).
"""

from __future__ import annotations

import math

import numpy as np

from minilstm.errors import InputError


def clip_by_value(g: np.ndarray, limit: float | None) -> None:
    """Bring every entry of ``g`` in place to between ``-limit`` and ``limit`` (1); with ``limit=None`` nothing is done.

    The direction of ``g`` changes as soon as some entries are cut and others are not. NaN stays NaN, but an infinite entry
    becomes finite: whoever wants to hear of it must look before.
    """
    if limit is None:
        return
    if not limit > 0:
        raise InputError(f"limit must be greater than 0, or None, not {limit!r}")
    bound = g.dtype.type(limit)
    np.clip(g, -bound, bound, out=g)


def clip_by_global_norm(g: np.ndarray, max_norm: float | None) -> float:
    """Scale ``g`` in place to norm ``max_norm`` if it is longer (2); returns the norm that it had.

    With ``max_norm=None`` the norm is only measured. A norm that is NaN or infinite leaves ``g`` as it is.
    """
    norm = float(np.linalg.norm(g))
    if max_norm is not None and math.isfinite(norm) and norm > max_norm:
        g *= g.dtype.type(max_norm / norm)
    return norm


def clip(g: np.ndarray, max_value: float | None = None, max_norm: float | None = None) -> float:
    """Clip ``g`` in place, first by value, then what is left by norm; returns the norm before either.

    A norm that is NaN or infinite leaves ``g`` as it is, so that nothing that went wrong is clipped out of sight.
    """
    if max_value is None:
        return clip_by_global_norm(g, max_norm)
    norm = clip_by_global_norm(g, None)
    if math.isfinite(norm):
        clip_by_value(g, max_value)
        clip_by_global_norm(g, max_norm)
    return norm
