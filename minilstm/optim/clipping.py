"""Clipping: making a gradient smaller that is too large, before the step.

    (1)  g_p ← min(max(g_p, -c), c)                 by value
    (2)  g ← g · min(1, c / ‖g‖)                    by norm

(1): Mikolov, Statistical language models based on neural networks (2012), section
3.2.2, for the errors of hidden neurons; Goodfellow, Bengio and Courville, Deep learning
(2016), section 10.11.1, for the gradient of the parameters. (2): Pascanu, Mikolov and
Bengio, On the difficulty of training recurrent neural networks (2013), algorithm 1.

(2) keeps the direction of the gradient. (1) changes it. Shapes: g is a flat vector
(P,).
"""

from __future__ import annotations

import math

import numpy as np

from minilstm.errors import InputError


def clip_by_value(g: np.ndarray, limit: float | None) -> None:
    """Clip every entry of ``g`` in place to [``-limit``, ``limit``] (1).

    With ``limit=None`` nothing is done.

    This changes the direction of ``g`` if some entries are clipped and others are not.
    NaN stays NaN, but an infinite entry becomes finite: check for it before. Raises
    InputError unless the limit is greater than 0.
    """
    if limit is None:
        return
    if not limit > 0:
        raise InputError(f"limit must be greater than 0, or None, not {limit!r}")
    bound = g.dtype.type(limit)
    np.clip(g, -bound, bound, out=g)


def clip_by_global_norm(g: np.ndarray, max_norm: float | None) -> float:
    """Scale ``g`` in place to norm ``max_norm`` if it is longer (2); returns its norm.

    With ``max_norm=None`` the norm is only measured. A norm that is NaN or infinite
    leaves ``g`` unchanged.
    """
    return clip(g, None, max_norm)


def clip(
    g: np.ndarray, max_value: float | None = None, max_norm: float | None = None
) -> float:
    """Clip ``g`` in place, first by value, then by norm; returns the norm before both.

    A norm that is NaN or infinite leaves ``g`` unchanged, so that clipping hides no
    error.
    """
    norm, factor = clip_up_to_a_factor(g, max_value, max_norm)
    if factor != 1:
        g *= g.dtype.type(factor)
    return norm


def clip_up_to_a_factor(
    g: np.ndarray, max_value: float | None = None, max_norm: float | None = None
) -> tuple[float, float]:
    """``clip`` without the multiplication in (2), which the optimizer's step includes.

    Returns the norm before, and the factor.
    """
    # inf if a square overflows the dtype: Adam would need that square
    norm = float(np.linalg.norm(g))
    if max_value is None or not math.isfinite(norm):
        return norm, norm_factor(norm, max_norm)
    clip_by_value(g, max_value)
    if max_norm is None:
        return norm, 1.0
    return norm, norm_factor(float(np.linalg.norm(g)), max_norm)


def norm_factor(norm: float, max_norm: float | None) -> float:
    """The factor in (2) for a gradient of this norm.

    It is 1 with ``max_norm=None``, or if the norm is NaN or infinite.
    """
    if max_norm is not None and math.isfinite(norm) and norm > max_norm:
        return max_norm / norm
    return 1.0
