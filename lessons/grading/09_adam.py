"""9. Adam: grading."""

import numpy as np

from minilstm.course import Case, Task, Wrong
from minilstm.reference.functions import sigmoid
from minilstm.reference.sequence import lstm_sequence, lstm_sequence_backward


def gradients(rng):
    grads = {"Wx": rng.normal(size=(2, 3, 4)), "b": rng.normal(size=5) / 10, "scale": np.array(-3.0)}
    yield Case((grads, 0.5), "max_norm = 0.5")
    yield Case((grads, 2.0), "max_norm = 2")
    yield Case((grads, 50.0), "a norm below max_norm, where nothing must change")
    yield Case(({"W": np.zeros((2, 2)), "b": np.zeros(3)}, 1.0), "a gradient of zeros, which must stay unchanged")
    for bad in (np.inf, np.nan):
        with_bad = grads["Wx"].copy()
        with_bad[1, 2, 3] = bad
        yield Case((grads | {"Wx": with_bad}, 1.0), f"a gradient with {bad} in it, which must stay unchanged")


def averages(rng):
    theta, g, m = rng.normal(size=(3, 2, 4))
    v = rng.uniform(0.5, 2, (2, 4))
    yield theta, g, m, v, 1, 0.5, 0.3, 0.4, 0.1  # ε is so large that its place matters
    yield theta, g, 0 * m, 0 * v, 0, 0.001, 0.9, 0.999, 1e-8
    yield theta, g, m, v, 20, 0.001, 0.9, 0.999, 0.1


def remembers(adam):
    """60 training steps of an LSTM, which learns to name at the end the sign that it read first."""
    T, B, D, H = 12, 16, 2, 6
    rng = np.random.default_rng(3)
    x = rng.normal(0, 0.3, (T, B, D))
    sign = x[0, :, 0] = np.repeat([-1, 1], B // 2)
    shapes = (D, 4 * H), (H, 4 * H), (4 * H,), (H,)
    ends = np.cumsum([np.prod(shape) for shape in shapes])
    theta = rng.normal(0, 0.3, ends[-1])
    zeros, m, v, t, losses = np.zeros((B, H)), np.zeros_like(theta), np.zeros_like(theta), 0, []
    for _ in range(61):
        Wx, Wh, b, w = (part.reshape(shape) for part, shape in zip(np.split(theta, ends[:-1]), shapes))
        h, _, caches = lstm_sequence(x, (zeros, zeros), Wx, Wh, b)
        losses.append(np.mean(np.logaddexp(0, -sign * (h[-1] @ w))))
        da = -sign * sigmoid(-sign * (h[-1] @ w)) / B  # (B,)
        dh = np.zeros_like(h)
        dh[-1] = np.outer(da, w)
        *_, grads = lstm_sequence_backward(dh, (zeros, zeros), caches, Wx, Wh)
        theta, m, v, t = adam(theta, np.concatenate([part.ravel() for part in (*grads, da @ h[-1])]), m, v, t, rate=0.05)
    if not losses[-1] < 0.2:
        raise Wrong(f"an LSTM trained with it does not learn: its loss was {losses[0]:.3g}, and is now {losses[-1]:.3g}")
    return ("θ, m, v and t equal those of optim.adam_step. With it an LSTM learned to remember its first input for twelve time"
            f" steps: in 60 training steps its loss fell from {losses[0]:.3f} to {losses[-1]:.3f}")


SQUARES = "np.sqrt(sum(np.sum(g**2) for g in grads.values()))"
BLANKS = 8  # in the exercise before it is filled in
TASKS = [
    Task(
        "momentum_step",
        hints=(
            "Two lines, (1) and then (2). u has its minus sign and its learning rate from (1), so (2) only adds.",
            "The new u is momentum times the old u, minus rate times g; the new θ is θ plus the new u. With u *= the caller's"
            " array would change: write u = ...",
        ),
        cases=lambda rng: [(*rng.normal(size=(3, 2, 5)), rate, mu) for rate, mu in ((0.3, 0.8), (0.01, 0.95))],
        returns=("the new θ", "the new u"),
        compared=lambda got, given: {"the new u": got[1], "the new θ": got[0]},
        mistakes={
            "u = momentum * u + rate * g": "the gradient points uphill; the update must go downhill, - α g",
            "u = momentum * u + g; theta = theta - rate * u":
                "this is the velocity without the learning rate, as in some libraries; here the learning rate is in u",
            "u = -rate * g": "nothing is left of the old u; μ u is missing",
            "u = u - rate * g": "all of the old u is kept; it must be μ u",
            "u = momentum * u - (1 - momentum) * rate * g":
                "μ and 1 - μ are for means; here the new part is α g, whatever μ is",
            "return u, theta": "this is θ; the order is θ, u",
            "u = momentum * u - g; theta = theta + rate * u": "the learning rate belongs in (1), where u is computed",
            "u = rate * u - momentum * g": "μ and the learning rate are exchanged",
            "theta = theta - u": "u already has its minus sign: θ + u",
            "return theta - u + (u + rate * g) / momentum, u": "this uses the old u; (1) comes first",
            "theta = theta + rate * u": "the learning rate is already in u, so it counts twice here",
            "theta = theta - rate * g": "this is a step without momentum",
            "theta = theta + momentum * u - rate * g": "this is Nesterov's step, equation (3); the task is (2)",
        },
        praise="u and θ equal those of optim.sgd_step",
    ),
    Task(
        "clip_by_global_norm",
        hints=(
            "One norm for all arrays: add the squares of every entry of every array, and take one root at the end. One factor.",
            "norm: np.sqrt of sum(np.sum(g**2) for ...). The factor is max_norm / norm if max_norm < norm < np.inf, and 1.0"
            " otherwise; a comparison with NaN is False.",
        ),
        cases=gradients,
        returns=("the new dictionary", "the norm"),
        compared=lambda got, given: {"the norm": got[1], "the new dictionary": got[0]},
        mistakes={
            f"{SQUARES} -> {SQUARES[8:-1]}": "this is the sum of the squares; its root is missing",
            f"{SQUARES} -> sum(np.sqrt(np.sum(g**2)) for g in grads.values())":
                "this is the sum of the arrays' norms; add their squares, and take the root last",
            f"{SQUARES} -> max(np.abs(g).max() for g in grads.values())": "this is the largest entry",
            f"{SQUARES} -> sum(np.abs(g).sum() for g in grads.values())":
                "this is the sum of absolute values; the norm has squares",
            f"{SQUARES} -> sum(g.sum() for g in grads.values())":
                "this is the sum of the entries, which cancel; the norm has squares",
            "grads.items()}, norm -> grads.items()}, min(norm, max_norm)":
                "this is the norm after clipping; return the norm before it",
            "factor * g -> g * min(1, max_norm / np.sqrt(np.sum(g**2)))":
                "it was clipped by its own norm, so the direction of the whole gradient is lost",
            "factor * g -> np.clip(g, -max_norm, max_norm)":
                "its entries were clipped one by one, which changes the direction of the gradient",
            "else 1.0 -> else 1.0 if norm else np.nan":
                "a gradient of zeros is changed: its norm is 0, and one cannot divide by it",
            "factor = max_norm / norm": "it is multiplied by max_norm / norm, which makes a short gradient longer",
            "max_norm / norm if -> norm / max_norm if": "the factor is upside down",
            "max_norm / norm if -> 1 / norm if": "it is divided by the norm; times max_norm is missing",
            "factor = 1.0": "nothing was clipped",
            "factor = min(1, max_norm / (norm + 1e-6))":
                "the factor is max_norm / norm; a small number added to the norm, as in some libraries, changes the result",
            "factor = min(1, max_norm / norm)": "a gradient with inf in it, of norm inf, must stay unchanged: do not use"
                " max_norm / norm",
        },
        praise="one factor for all arrays, only if the norm is above max_norm; zeros, inf and NaN stay unchanged",
    ),
    Task(
        "adam_step",
        hints=(
            "First t becomes one more. Return m and v without correction; the corrected ones are only for this step.",
            "m: β₁ times the old m, plus 1 - β₁ times g. v: β₂ times the old v, plus 1 - β₂ times g**2. Divide m by"
            " 1 - beta1**t and v by 1 - beta2**t, and then (4), with ε added after the root.",
        ),
        cases=averages,
        returns=("the new θ", "the new m", "the new v", "the new t"),
        compared=lambda got, given: dict(zip(("the new m", "the new v", "the new t", "the new θ"), (*got[1:], got[0]))),
        mistakes={
            "return theta, v, m, t": "this is v; the order is θ, m, v, t",
            "m = beta2 * m + (1 - beta2) * g": "its factor is β₁; this has β₂, the factor of v",
            "m = (1 - beta1) * m + beta1 * g": "β₁ and 1 - β₁ are exchanged",
            "m = beta1 * m + g": "g must be multiplied by 1 - β₁",
            "return theta, m_hat, v, t": "this is m̂; the correction is for one step only, so return m without it",
            "m = beta1 * m + (1 - beta1) * g**2": "m is the mean of g, and v that of g²; your m has g²",
            "v = beta1 * v + (1 - beta1) * g**2": "its factor is β₂; this has β₁, the factor of m",
            "v = (1 - beta2) * v + beta2 * g**2": "β₂ and 1 - β₂ are exchanged",
            "v = beta2 * v + g**2": "g² must be multiplied by 1 - β₂",
            "v = beta2 * v + (1 - beta2) * g": "g is not squared",
            "v = beta2 * v + (1 - beta2) * 2 * g": "g is doubled, not squared",
            "v = (beta2 * v + (1 - beta2) * g) ** 2": "this is the square of the mean; v is the mean of the squares",
            "v = beta2 * v + (1 - beta2) * m**2": "this is a mean of m²; v is the mean of g²",
            "return theta, m, v_hat, t": "this is v̂; the correction is for one step only, so return v without it",
            "t = t": "it must be one more than before",
            "m_hat = m; v_hat = v": "there is no bias correction, equation (3)",
            "m_hat = m / (1 - beta1 ** (t - 1)); v_hat = v / (1 - beta2 ** (t - 1))":
                "the bias correction is that of the previous step: t includes this step, so it is 1 in the first. With 0 you"
                " divide by 1 - β⁰ = 0",
            "v_hat = v": "only m is corrected",
            "m_hat = m": "only v is corrected",
            "m_hat = m / (1 - beta1 * t); v_hat = v / (1 - beta2 * t)":
                "the correction is 1 - β to the power of t, not 1 - β times t",
            "m_hat = m * (1 - beta1**t); v_hat = v * (1 - beta2**t)": "you multiply by 1 - βᵗ; divide by it",
            "theta = theta - rate * m_hat / np.sqrt(v_hat + epsilon)": "ε is inside the root; add it outside: √v̂ + ε",
            "theta = theta - rate * m_hat / (v_hat + epsilon)": "you divide by v̂; divide by its root",
            "theta = theta - rate * m_hat / (v + epsilon)": "you divide by v; divide by the root of v̂",
            "theta = theta - rate * np.sqrt(1 - beta2**t) / (1 - beta1**t) * m / (np.sqrt(v) + epsilon)":
                "ε is outside the corrections, as in equation (5); the task is (4)",
            "m_hat = (m - (1 - beta1) * g) / beta1 / (1 - beta1**t); v_hat = (v - (1 - beta2) * g**2) / beta2 / (1 - beta2**t)":
                "m̂ and v̂ are computed from m and v before this step",
            "theta = theta - rate * m_hat / np.sqrt(v_hat)": "ε is missing",
            "theta = theta + rate * m_hat / (np.sqrt(v_hat) + epsilon)": "this goes uphill",
            "theta = theta - rate * g / (np.sqrt(v_hat) + epsilon)": "there is g where m̂ belongs",
            "theta = theta - rate * v_hat / (np.sqrt(m_hat) + epsilon)": "it has NaN in it, because the root of m was taken,"
                " which may be negative. Take the root of v̂",
        },
        check=remembers,
    ),
]  # fmt: skip
