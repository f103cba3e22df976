"""Do two engines compute the same loss and gradients? Checked before anything is timed.

Both start from the same weights and the same mini-batch.

    (1)  |l - l'| / |l|                       loss: at most 1e-5
    (2)  max |g - g'| / max |g|               each array: at most 1e-3

(2) allows for rounding in float32, summed over thousands of tokens. A gradient of zeros
would agree with any other of zeros and prove nothing, so it is refused on both sides.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

LOSS, GRADIENT = 1e-5, 1e-3  # of (1) and (2)


class Disagreement(Exception):
    """Two engines differ; the message says in what, and by how much."""


def check_alive(loss: float, gradients: Mapping[str, np.ndarray]) -> None:
    """Raises Disagreement if a number is not finite, or an array is zero."""
    if not np.isfinite(loss):
        raise Disagreement(f"the loss is {loss}")
    for name, values in gradients.items():
        if not np.isfinite(values).all():
            raise Disagreement(f"the gradient of {name} is not finite")
        if not np.any(values):
            raise Disagreement(f"the gradient of {name} is zero everywhere")


def check_same(loss: float, gradients: Mapping[str, np.ndarray], other_loss: float, other: Mapping[str, np.ndarray]) -> dict:
    """The values of (1) and, over all arrays, of (2).

    Raises Disagreement if they are too large, or if the arrays have other names or
    shapes.
    """
    check_alive(loss, gradients)
    check_alive(other_loss, other)
    if set(gradients) != set(other):
        raise Disagreement(f"gradients of {', '.join(sorted(set(gradients) ^ set(other)))} are on one side only")
    found = {"loss": abs(loss - other_loss) / abs(loss)}                                   # (1)
    if found["loss"] > LOSS:
        raise Disagreement(f"the losses are {loss:.7g} and {other_loss:.7g}")
    for name, values in gradients.items():
        if values.shape != other[name].shape:
            raise Disagreement(f"the gradient of {name} has the shape {other[name].shape}, not {values.shape}")
        found[name] = float(np.abs(values - other[name]).max() / np.abs(values).max())     # (2)
        if found[name] > GRADIENT:
            raise Disagreement(f"the gradients of {name} differ by {found[name]:.2g} of the largest entry")
    return {"loss": found.pop("loss"), "gradient": max(found.values())}
