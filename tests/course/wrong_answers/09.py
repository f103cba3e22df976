"""Answers to exercise 9, and a part of the message about each that is wrong."""

from tests.helpers.exercises import IS_RIGHT, answers

ANSWERS = []
MOMENTUM = """def momentum_step(theta, g, u, rate, momentum):
    old = u
    u = {u}
    theta = {theta}
    return {out}
"""
PUSH = {"u": "momentum * u - rate * g", "theta": "theta + u", "out": "theta, u"}
ANSWERS += answers("momentum_step", MOMENTUM, PUSH, [
    ({"u": "momentum * u + rate * g"}, "the new u is wrong: the gradient points uphill"),
    ({"u": "momentum * u + g", "theta": "theta - rate * u"}, "the velocity without the learning rate"),
    ({"u": "-rate * g"}, "nothing is left of the old u"),
    ({"u": "u - rate * g"}, "all of the old u is kept"),
    ({"u": "momentum * u - (1 - momentum) * rate * g"}, "μ and 1 - μ are for means"),
    ({"out": "u, theta"}, "this is θ; the order is θ, u"),
    ({"u": "momentum * u - g", "theta": "theta + rate * u"}, "the learning rate belongs in (1)"),
    ({"u": "rate * u - momentum * g"}, "μ and the learning rate are exchanged"),
    ({"out": "theta"}, "must return (the new θ, the new u); it returned one ndarray"),
    ({"theta": "theta - u"}, "u already has its minus sign"),
    ({"theta": "theta + old"}, "this uses the old u; (1) comes first"),
    ({"theta": "theta + rate * u"}, "the learning rate is already in u"),
    ({"theta": "theta - rate * g"}, "a step without momentum"),
    ({"theta": "theta + momentum * u - rate * g"}, "Nesterov"),
    ({"u": "np.multiply(u, momentum, out=u) - rate * g"}, "u is changed in place"),
])

CLIP = """def clip_by_global_norm(grads, max_norm):
    norm = {norm}
    factor = {factor}
    return {{name: {new} for name, g in grads.items()}}, {out}
"""
CUT = {
    "norm": "np.sqrt(sum(np.sum(g**2) for g in grads.values()))",
    "factor": "max_norm / norm if max_norm < norm < np.inf else 1.0",
    "new": "factor * g",
    "out": "norm",
}
ANSWERS += answers("clip_by_global_norm", CLIP, CUT, [
    ({"norm": "sum(np.sum(g**2) for g in grads.values())"}, "its root is missing"),
    ({"norm": "sum(np.sqrt(np.sum(g**2)) for g in grads.values())"}, "the sum of the arrays' norms"),
    ({"norm": "max(np.abs(g).max() for g in grads.values())"}, "the largest entry"),
    ({"factor": "min(1.0, max_norm / (norm + 1e-6)) if norm < np.inf else 1.0"}, "a small number added to the norm"),
    ({"norm": "sum(np.abs(g).sum() for g in grads.values())"}, "the sum of absolute values"),
    ({"norm": "sum(g.sum() for g in grads.values())"}, "which cancel"),
    ({"out": "min(norm, max_norm)"}, "the norm after clipping"),
    ({"new": "g * min(1, max_norm / np.sqrt(np.sum(g**2)))"}, "clipped by its own norm"),
    ({"new": "np.clip(g, -max_norm, max_norm)"}, "clipped one by one"),
    ({"factor": "max_norm / norm"}, "it is multiplied by max_norm / norm, which makes a short gradient longer"),
    ({"factor": "norm / max_norm if norm > max_norm else 1"}, "upside down"),
    ({"factor": "1 / norm if norm > max_norm else 1"}, "times max_norm is missing"),
    ({"factor": "1.0"}, "nothing was clipped"),
    ({"new": "np.multiply(g, factor, out=g)"}, "grads.Wx is changed in place"),
    ({"factor": "min(1, max_norm / norm)"}, "a gradient with inf in it"),
    ({"factor": "max_norm / max(norm, max_norm) if norm else 0 * max_norm / norm"}, "a gradient of zeros is changed"),
    ({"norm": "np.sqrt(sum(np.nansum(g**2) for g in grads.values()))"},
     "the norm is 5.14796 where nan belongs, for a gradient with nan in it"),
    ({"norm": "None", "factor": "1.0"}, "the norm is missing"),
    ({"out": "norm, factor"}, "must return (the new dictionary, the norm); it returned 3 values"),
])

# a list is not a dictionary
ANSWERS += [("clip_by_global_norm", """def clip_by_global_norm(grads, max_norm):
    return list(grads.values()), 1.0
""", "the new dictionary must be a dictionary, not list")]
ADAM = """def adam_step(theta, g, m, v, t, rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    t = {t}
    old_m, old_v = m, v
    m = {m}
    v = {v}
    m_hat = {m_hat}
    v_hat = {v_hat}
    theta = {theta}
    return {out}
"""
KINGMA = {
    "t": "t + 1",
    "m": "beta1 * m + (1 - beta1) * g",
    "v": "beta2 * v + (1 - beta2) * g**2",
    "m_hat": "m / (1 - beta1**t)",
    "v_hat": "v / (1 - beta2**t)",
    "theta": "theta - rate * m_hat / (np.sqrt(v_hat) + epsilon)",
    "out": "theta, m, v, t",
}
ANSWERS += answers("adam_step", ADAM, KINGMA, [
    ({"m_hat": "m", "v_hat": "v"}, "there is no bias correction"),
    ({"m_hat": "m"}, "only v is corrected"),
    ({"v": "beta2 * v + (1 - beta2) * g * 2"}, "g is doubled, not squared"),
    ({"theta": "theta - rate * m_hat / np.sqrt(v_hat)"}, "ε is missing"),
    ({"v_hat": "v"}, "only m is corrected"),
    ({"t": "t", "out": "theta, m, v, t + 1"}, "that of the previous step"),
    ({"t": "t"}, "it must be one more than before"),
    ({"out": "theta, v, m, t"}, "this is v; the order is θ, m, v, t"),
    ({"theta": "theta - rate * v_hat / (np.sqrt(m_hat) + epsilon)"}, "the root of m was taken, which may be negative"),
    ({"theta": "theta - rate * m_hat / np.sqrt(v_hat + epsilon)"}, "ε is inside the root"),
    ({"theta": "theta - rate * m_hat / (v_hat + epsilon)"}, "you divide by v̂; divide by its root"),
    ({"theta": "theta + rate * m_hat / (np.sqrt(v_hat) + epsilon)"}, "uphill"),
    ({"theta": "theta - rate * g / (np.sqrt(v_hat) + epsilon)"}, "there is g where m̂ belongs"),
    (
        {"theta": "theta - rate * np.sqrt(1 - beta2**t) / (1 - beta1**t) * m / (np.sqrt(v) + epsilon)"},
        "as in equation (5)",
    ),
    ({"m_hat": "old_m / (1 - beta1**t)", "v_hat": "old_v / (1 - beta2**t)"}, "from m and v before this step"),
    ({"m_hat": "m / (1 - beta1 * t)", "v_hat": "v / (1 - beta2 * t)"}, "1 - β to the power of t"),
    ({"m_hat": "m * (1 - beta1**t)", "v_hat": "v * (1 - beta2**t)"}, "you multiply by 1 - βᵗ"),
    ({"v": "beta2 * v + (1 - beta2) * m**2"}, "this is a mean of m²"),
    ({"v": "(beta2 * v + (1 - beta2) * g) ** 2"}, "the square of the mean"),
    ({"v": "beta2 * v + (1 - beta2) * g"}, "g is not squared"),
    ({"v": "beta1 * v + (1 - beta1) * g**2"}, "this has β₁"),
    ({"m": "beta2 * m + (1 - beta2) * g"}, "this has β₂"),
    ({"m": "(1 - beta1) * m + beta1 * g"}, "β₁ and 1 - β₁ are exchanged"),
    ({"m": "beta1 * m + g"}, "multiplied by 1 - β₁"),
    ({"out": "theta, m_hat, v_hat, t"}, "this is m̂"),
    ({"out": "theta, m, v_hat, t"}, "this is v̂"),
    ({"m": "np.multiply(m, beta1, out=m) + (1 - beta1) * g"}, "m is changed in place"),
    ({"theta": "theta - 0.001 * m_hat / (np.sqrt(v_hat) + epsilon)"}, "belongs"),
    ({"out": "None, m, v, t"}, "the new θ is missing"),
    ({"out": "theta, m, v"}, "must return (the new θ, the new m, the new v, the new t); it returned 3"),
])

# a correction of the previous step is found in the first step too
ANSWERS += [("adam_step", """def adam_step(theta, g, m, v, t, rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    t = t + 1
    old_m, old_v = m, v
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1 ** (t - 1)) if t == 1 else m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    theta = theta - rate * m_hat / (np.sqrt(v_hat) + epsilon)
    return theta, m, v, t
""", "of the new θ is inf where 0.12673 belongs, for t = 0")]
# an ignored learning rate is noticed in training
ANSWERS += [("adam_step", """def adam_step(theta, g, m, v, t, rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    t = t + 1
    old_m, old_v = m, v
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    theta = theta - (rate if rate != 0.05 else 1e-9) * m_hat / (np.sqrt(v_hat) + epsilon)
    return theta, m, v, t
""", "does not learn")]
# adam in the order of equation 5 is right
ANSWERS += [("adam_step", """def adam_step(theta, g, m, v, t, rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    t = t + 1
    old_m, old_v = m, v
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    theta = theta - rate * np.sqrt(1 - beta2**t) / (1 - beta1**t) * m / (np.sqrt(v) + epsilon * np.sqrt(1 - beta2**t))
    return theta, m, v, t
""", IS_RIGHT)]
