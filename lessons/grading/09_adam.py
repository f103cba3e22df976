"""9. Adam: grading."""

import numpy as np

from minilstm import optim
from minilstm.course import Task, Wrong, same
from minilstm.reference.functions import sigmoid
from minilstm.reference.sequence import lstm_sequence, lstm_sequence_backward
from minilstm.verify import contracts


def momentum_step(yours):
    rng = np.random.default_rng(0)
    theta, g, u = rng.normal(size=(3, 2, 5))
    for rate, mu in ((0.3, 0.8), (0.01, 0.95)):
        new_u = mu * u - rate * g
        new_theta, state = optim.sgd_step(theta, g, optim.SGDState(u, 0), rate, mu, False)
        got_theta, got_u = contracts.unpack(
            yours(theta, g, u, rate, mu), 2, "momentum_step must return two things: the new θ and the new u"
        )
        same("the new u", got_u, state.velocity, {
            "the gradient points uphill; the update must go downhill, - α g": mu * u + rate * g,
            "this is the velocity without the learning rate, as in some libraries; here the learning rate is in u": mu * u + g,
            "nothing is left of the old u; μ u is missing": -rate * g,
            "all of the old u is kept; it must be μ u": u - rate * g,
            "μ and 1 - μ are for means; here the new part is α g, whatever μ is": mu * u - (1 - mu) * rate * g,
            "this is θ; the order is θ, u": new_theta,
            "the learning rate belongs in (1), where u is computed": mu * u - g,
            "μ and the learning rate are exchanged": rate * u - mu * g,
        })  # fmt: skip
        same("the new θ", got_theta, new_theta, {
            "u already has its minus sign: θ + u": theta - new_u,
            "this uses the old u; (1) comes first": theta + u,
            "the learning rate is already in u, so it counts twice here": theta + rate * new_u,
            "this is a step without momentum": theta - rate * g,
            "this is Nesterov's step, equation (3); the task is (2)": theta + mu * new_u - rate * g,
        })  # fmt: skip
    return "u and θ equal those of optim.sgd_step"


def clip_by_global_norm(yours):
    rng = np.random.default_rng(1)
    grads = {"Wx": rng.normal(size=(2, 3, 4)), "b": rng.normal(size=5) / 10, "scale": np.array(-3.0)}
    flat = np.concatenate([g.ravel() for g in grads.values()])
    norms = {name: np.linalg.norm(g) for name, g in grads.items()}
    for max_norm, why in ((0.5, ""), (2.0, ""), (50.0, "the norm is below max_norm, so nothing must change: ")):
        norm = np.linalg.norm(flat)
        right = {name: g * min(1, max_norm / norm) for name, g in grads.items()}
        got, got_norm = _clipped(yours, grads, max_norm)
        same("the norm", got_norm, norm, {
            "this is the sum of the squares; its root is missing": norm**2,
            "this is the sum of the arrays' norms; add their squares, and take the root last": sum(norms.values()),
            "this is the norm after clipping; return the norm before it": min(norm, max_norm),
            "this is the largest entry": np.abs(flat).max(),
            "this is the sum of absolute values; the norm has squares": np.abs(flat).sum(),
            "this is the sum of the entries, which cancel; the norm has squares": flat.sum(),
        })  # fmt: skip
        for name, g in grads.items():
            same(f"{why}new[{name!r}]", got[name], right[name], {
                "it was clipped by its own norm, so the direction of the whole gradient is lost": g
                * min(1, max_norm / norms[name]),
                "its entries were clipped one by one, which changes the direction of the gradient":
                    np.clip(g, -max_norm, max_norm),
                "it is multiplied by max_norm / norm, which makes it longer": g * max_norm / norm,
                "the factor is upside down": g * norm / max_norm,
                "it is divided by the norm; times max_norm is missing": g / norm,
                "nothing was clipped": g,
                "the factor is max_norm / norm; a small number added to the norm, as in some libraries, changes the result":
                    g * min(1, max_norm / (norm + 1e-6)),
            })  # fmt: skip
    zeros = {"W": np.zeros((2, 2)), "b": np.zeros(3)}
    got, norm = _clipped(yours, zeros, 1.0)
    if not all(np.array_equal(got[name], zeros[name]) for name in zeros) or norm != 0:
        raise Wrong("a gradient of zeros is changed: its norm is 0, and one cannot divide by it")
    for bad in (np.inf, np.nan):
        grads["Wx"][1, 2, 3] = bad
        got, norm = _clipped(yours, grads, 1.0)
        if np.isfinite(norm):
            raise Wrong(f"a gradient with {bad} in it has no finite norm; yours is {norm:.3g}")
        if not all(np.array_equal(got[name], grads[name], equal_nan=True) for name in grads):
            raise Wrong(f"a gradient with {bad} in it, of norm {norm}, must stay unchanged: do not use max_norm / norm")
    return "one factor for all arrays, only if the norm is above max_norm; zeros, inf and NaN stay unchanged"


def _clipped(yours, grads, max_norm):
    new, norm = contracts.unpack(
        yours(dict(grads), max_norm), 2, "clip_by_global_norm must return two things: the new dictionary and the norm"
    )
    if not isinstance(new, dict) or set(new) != set(grads):
        raise Wrong(f"the new gradient must be a dictionary with the names {', '.join(grads)}")
    if not isinstance(norm, (float, int, np.number, np.ndarray)) or np.size(norm) != 1:
        raise Wrong(f"the norm must be one number, not {type(norm).__name__}")
    return new, norm


def adam_step(yours):
    rng = np.random.default_rng(2)
    theta, g, m = rng.normal(size=(3, 2, 4))
    v = rng.uniform(0.5, 2, (2, 4))
    usual = {"rate": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    for t, constants in (
        (1, {"rate": 0.5, "beta1": 0.3, "beta2": 0.4, "epsilon": 0.1}),  # ε is so large that its place matters
        (0, usual),
        (20, usual | {"epsilon": 0.1}),
    ):
        if t == 0:
            m, v = np.zeros((2, 2, 4))
        _one_step(yours, theta, g, m, v, t, **constants)
        m, v = rng.normal(size=(2, 4)), rng.uniform(0.5, 2, (2, 4))
    before, after = _remember(yours)
    return (f"θ, m, v and t equal those of optim.adam_step. With it an LSTM learned to remember its first input for twelve"
            f" time steps: in 60 training steps its loss fell from {before:.3f} to {after:.3f}")  # fmt: skip


def _one_step(yours, theta, g, m, v, t, rate, beta1, beta2, epsilon):
    right_theta, state = optim.adam_step(theta, g, optim.AdamState(m, v, t), rate, beta1, beta2, epsilon)
    got = yours(theta, g, m, v, t, rate, beta1, beta2, epsilon)
    contracts.unpack(got, 4, "adam_step must return four things: the new θ, m, v and t, in this order")
    got_theta, got_m, got_v, got_t = got
    M, V, steps = state.m, state.v, t + 1
    one, two = 1 - beta1**steps, 1 - beta2**steps
    same("the new m", got_m, M, {
        "this is v; the order is θ, m, v, t": V,
        "its factor is β₁; this has β₂, the factor of v": beta2 * m + (1 - beta2) * g,
        "β₁ and 1 - β₁ are exchanged": (1 - beta1) * m + beta1 * g,
        "g must be multiplied by 1 - β₁": beta1 * m + g,
        "this is m̂; the correction is for one step only, so return m without it": M / one,
        "m is the mean of g, and v that of g²; your m has g²": beta1 * m + (1 - beta1) * g**2,
    })  # fmt: skip
    same("the new v", got_v, V, {
        "its factor is β₂; this has β₁, the factor of m": beta1 * v + (1 - beta1) * g**2,
        "β₂ and 1 - β₂ are exchanged": (1 - beta2) * v + beta2 * g**2,
        "g² must be multiplied by 1 - β₂": beta2 * v + g**2,
        "g is not squared": beta2 * v + (1 - beta2) * g,
        "g is doubled, not squared": beta2 * v + (1 - beta2) * 2 * g,
        "this is the square of the mean; v is the mean of the squares": (beta2 * v + (1 - beta2) * g) ** 2,
        "this is a mean of m²; v is the mean of g²": beta2 * v + (1 - beta2) * M**2,
        "this is v̂; the correction is for one step only, so return v without it": V / two,
    })  # fmt: skip
    same("the new t", got_t, steps, {"it must be one more than before": t})
    if np.any(M < 0) and isinstance(got_theta, np.ndarray) and np.isnan(got_theta.sum()):
        raise Wrong("the new θ has NaN in it: did you take the root of m, which may be negative? Take the root of v̂")
    step = lambda m_hat, v_hat: theta - rate * m_hat / (np.sqrt(v_hat) + epsilon)
    late = [1 - beta ** np.float64(t) for beta in (beta1, beta2)]
    same("the new θ", got_theta, right_theta, {
        "there is no bias correction, equation (3)": step(M, V),
        "the bias correction is that of the previous step: t includes this step, so it is 1 in the first. With 0 you divide"
        " by 1 - β⁰ = 0": step(M / late[0], V / late[1]),
        "only m is corrected": step(M / one, V),
        "only v is corrected": step(M, V / two),
        "the correction is 1 - β to the power of t, not 1 - β times t": step(M / (1 - beta1 * steps), V / (1 - beta2 * steps)),
        "you multiply by 1 - βᵗ; divide by it": step(M * one, V * two),
        "ε is inside the root; add it outside: √v̂ + ε": theta - rate * (M / one) / np.sqrt(V / two + epsilon),
        "you divide by v̂; divide by its root": theta - rate * (M / one) / (V / two + epsilon),
        "you divide by v; divide by the root of v̂": theta - rate * (M / one) / (V + epsilon),
        "ε is outside the corrections, as in equation (5); the task is (4)": theta
        - rate * np.sqrt(two) / one * M / (np.sqrt(V) + epsilon),
        "m̂ and v̂ are computed from m and v before this step": step(m / one, v / two),
        "ε is missing": theta - rate * (M / one) / np.sqrt(V / two),
        "this goes uphill": 2 * theta - right_theta,
        "there is g where m̂ belongs": step(g, V / two),
    })  # fmt: skip


def _remember(adam):
    """The losses of an LSTM before and after 60 training steps.

    It learns to name, at the last time step, the sign that it read first.
    """
    T, B, D, H = 12, 16, 2, 6
    rng = np.random.default_rng(3)
    x = rng.normal(0, 0.3, (T, B, D))
    x[0, :, 0] = np.repeat([-1, 1], B // 2)
    shapes = {"Wx": (D, 4 * H), "Wh": (H, 4 * H), "b": (4 * H,), "w": (H,)}
    ends = np.cumsum([np.prod(shape) for shape in shapes.values()])
    theta = rng.normal(0, 0.3, ends[-1])
    zeros, m, v, t, losses = np.zeros((B, H)), np.zeros_like(theta), np.zeros_like(theta), 0, []
    for _ in range(61):
        Wx, Wh, b, w = (part.reshape(shape) for part, shape in zip(np.split(theta, ends[:-1]), shapes.values()))
        h, _, caches = lstm_sequence(x, (zeros, zeros), Wx, Wh, b)
        sign = x[0, :, 0]
        losses.append(np.mean(np.logaddexp(0, -sign * (h[-1] @ w))))
        da = -sign * sigmoid(-sign * (h[-1] @ w)) / B  # (B,)
        dh = np.zeros_like(h)
        dh[-1] = np.outer(da, w)
        *_, grads = lstm_sequence_backward(dh, (zeros, zeros), caches, Wx, Wh)
        g = np.concatenate([part.ravel() for part in (*grads, da @ h[-1])])
        theta, m, v, t = adam(theta, g, m, v, t, rate=0.05)
    if not losses[-1] < 0.2:
        raise Wrong(f"an LSTM trained with it does not learn: its loss was {losses[0]:.3g}, and is now {losses[-1]:.3g}")
    return losses[0], losses[-1]


BLANKS = 8  # in the exercise before it is filled in
TASKS = [
    Task("momentum_step", momentum_step, (
        "Two lines, (1) and then (2). u has its minus sign and its learning rate from (1), so (2) only adds.",
        "The new u is momentum times the old u, minus rate times g; the new θ is θ plus the new u. With u *= the caller's array"
        " would change: write u = ...",
    )),
    Task("clip_by_global_norm", clip_by_global_norm, (
        "One norm for all arrays: add the squares of every entry of every array, and take one root at the end. One factor.",
        "norm: np.sqrt of sum(np.sum(g**2) for ...). The factor is max_norm / norm if max_norm < norm < np.inf, and 1.0"
        " otherwise; a comparison with NaN is False.",
    )),
    Task("adam_step", adam_step, (
        "First t becomes one more. Return m and v without correction; the corrected ones are only for this step.",
        "m: β₁ times the old m, plus 1 - β₁ times g. v: β₂ times the old v, plus 1 - β₂ times g**2. Divide m by 1 - beta1**t"
        " and v by 1 - beta2**t, and then (4), with ε added after the root.",
    )),
]  # fmt: skip
