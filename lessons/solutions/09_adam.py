"""9. Adam: solutions."""

import numpy as np


def momentum_step(theta, g, u, rate, momentum):
    u = momentum * u - rate * g                   # (1)
    theta = theta + u                             # (2)
    return theta, u


def clip_by_global_norm(grads, max_norm):
    norm = np.sqrt(sum(np.sum(g**2) for g in grads.values()))
    too_long = max_norm < norm < np.inf           # False for NaN
    factor = max_norm / norm if too_long else 1.0
    return {name: factor * g for name, g in grads.items()}, norm


def adam_step(theta, g, m, v, t, rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    t = t + 1
    m = beta1 * m + (1 - beta1) * g               # (1)
    v = beta2 * v + (1 - beta2) * g**2            # (2)
    m_hat = m / (1 - beta1**t)                    # (3), for this step only: m and v are returned without it
    v_hat = v / (1 - beta2**t)                    # (3)
    theta = theta - rate * m_hat / (np.sqrt(v_hat) + epsilon)  # (4)
    return theta, m, v, t
