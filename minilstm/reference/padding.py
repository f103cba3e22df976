"""Padding: sequences of different lengths, side by side in one array.

    (1)  step t of sequence b is real if t < lengths[b], else it is padding

What stands at the padding must not matter, whatever it is. A weight of 0 is not enough,
since 0 times NaN is NaN, so the models put zeros there first. Backward, the gradient at
the padding is 0: the same function applies.
Shapes: x (T, B) or (T, B, F), ids or vectors; lengths (B,) integers.
"""

import numpy as np


def real_steps(T: int, lengths) -> np.ndarray:
    """Booleans (T, B): True at the real steps."""
    return np.arange(T)[:, None] < lengths                                     # (1)


def clear_padding(x: np.ndarray, lengths=None) -> np.ndarray:
    """x with zeros at the padding. Default of ``lengths``: there is no padding."""
    if lengths is None:
        return x
    real = real_steps(len(x), lengths)  # (T, B)
    return np.where(real if x.ndim == 2 else real[..., None], x, 0)
