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
    return clip(g, None, max_norm)


def clip(g: np.ndarray, max_value: float | None = None, max_norm: float | None = None) -> float:
    """Clip ``g`` in place, first by value, then what is left by norm; returns the norm before either.

    A norm that is NaN or infinite leaves ``g`` as it is, so that nothing that went wrong is clipped out of sight.
    """
    norm, factor = clip_up_to_a_factor(g, max_value, max_norm)
    if factor != 1:
        g *= g.dtype.type(factor)
    return norm


def clip_up_to_a_factor(
    g: np.ndarray, max_value: float | None = None, max_norm: float | None = None
) -> tuple[float, float]:
    """``clip``, but for the multiplication in (2), which an optimizer can do on its way: the norm before, and the factor."""
    norm = float(np.linalg.norm(g))  # inf where a square cannot be written in the dtype, which Adam would need
    if max_value is None or not math.isfinite(norm):
        return norm, norm_factor(norm, max_norm)
    clip_by_value(g, max_value)
    return norm, norm_factor(float(np.linalg.norm(g)), max_norm) if max_norm is not None else 1.0


def norm_factor(norm: float, max_norm: float | None) -> float:
    """By what a gradient of this norm is multiplied in (2); 1 with ``max_norm=None``, or where the norm is NaN or infinite."""
    return max_norm / norm if max_norm is not None and math.isfinite(norm) and norm > max_norm else 1.0
