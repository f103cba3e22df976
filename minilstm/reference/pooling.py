"""Pooling: from the hidden states of a sequence to one vector.

Every kind is a weighted sum over time. Only the weights w differ:

    (1)  y = Σ_t w[t] ⊙ h[t]
    (2)  w[t] = 1 if t = n - 1, else 0             "last": the last real step
    (3)  w[t] = 1 / n if t < n, else 0             "mean" over the real steps
    (4)  w[t] = 1 if h[t] is the first maximum     "max" over the real steps, for each
                of h[0] … h[n-1], else 0           of the H numbers on its own
    (5)  dh[t] = w[t] ⊙ dy                         backward, for every kind

n is the length of the sequence. If it is 0, all weights are 0, so y = 0 for every kind.
The weights (4) depend on h, but a small change of h does not change them. At a tie, the
gradient goes to the first maximum. Max over time: Collobert et al., Natural language
processing (almost) from scratch (2011).
Shapes: h (T, B, H), w (T, B, 1) or (T, B, H), y (B, H), lengths (B,).
"""

import numpy as np

from minilstm.reference.padding import clear_padding, real_steps


def last_weights(h: np.ndarray, lengths) -> np.ndarray:
    """Weights (T, B, 1) that pick the last real step."""
    return (np.arange(len(h))[:, None] == np.asarray(lengths) - 1)[..., None]  # (2)


def mean_weights(h: np.ndarray, lengths) -> np.ndarray:
    """Weights (T, B, 1) of the mean over the real steps."""
    return (real_steps(len(h), lengths) / np.maximum(lengths, 1))[..., None]   # (3)


def max_weights(h: np.ndarray, lengths) -> np.ndarray:
    """Weights (T, B, H) that pick the first maximum over the real steps; of complex
    numbers, that of the real parts.
    """
    real = real_steps(len(h), lengths)[..., None]  # (T, B, 1)
    first = np.argmax(np.where(real, h.real, -np.inf), axis=0)  # (B, H), a time step
    return real & (np.arange(len(h))[:, None, None] == first)                  # (4)


WEIGHTS = {"last": last_weights, "mean": mean_weights, "max": max_weights}


def pool_forward(
    h: np.ndarray, lengths, kind: str = "last"
) -> tuple[np.ndarray, np.ndarray]:
    """From h (T, B, H) to y (B, H), and the weights w, which are backward's cache."""
    w = WEIGHTS[kind](h, lengths).astype(h.real.dtype)
    return np.sum(w * clear_padding(h, lengths), axis=0), w                    # (1)


def pool_backward(dy: np.ndarray, w: np.ndarray) -> np.ndarray:
    """From dy (B, H) to dh (T, B, H), zeros at the padding."""
    return w * dy                                                              # (5)
