"""6. Why an LSTM: grading."""

import numpy as np

from minilstm import reference
from minilstm.course import Task, Wrong, same
from minilstm.reference.functions import sigmoid


def gradients_back(yours):
    for seed, w in enumerate((0.8, -1.7)):
        h = np.random.default_rng(seed).uniform(-0.9, 0.9, 6)
        back = lambda factors: np.concatenate([[1.0], np.cumprod(factors[::-1])])
        factors = w * (1 - h[1:] ** 2)
        same("the array of gradients", yours(w, h), back(factors), {
            "the factor of step t needs h[t], the state after the step, since 1 - h[t]² is the derivative of tanh; yours"
            " uses h[t-1]": back(w * (1 - h[:-1] ** 2)),
            "backward begins with the last step: yours multiplies from the first step on": back(factors[::-1]),
            "w is missing: the derivative of tanh is only one part of the factor": back(1 - h[1:] ** 2),
            "1 - h² is missing, the derivative of the tanh in every step": back(np.full(5, w)),
            "h is squared in the derivative of tanh": back(w * (1 - h[1:])),
            "the derivative of tanh is 1 - h², not (1 - h)²": back(w * (1 - h[1:]) ** 2),
            "h is already the tanh: its derivative is 1 - h², not 1 - tanh(h)²": back(w * (1 - np.tanh(h[1:]) ** 2)),
        })  # fmt: skip
    return "right for w = 0.8 and for w = -1.7, over all 5 steps"


def forget_bias(yours):
    for steps, share in ((1, 0.7), (10, 0.5), (200, 0.5), (50, 0.01)):
        f = share ** (1 / steps)
        got = yours(steps, share)
        if isinstance(got, float) and np.isnan(got):
            raise Wrong("it is nan, the logarithm of a negative number: log(share) / steps is the logarithm of f, not f")
        same(f"forget_bias({steps}, {share})", got, np.log(f / (1 - f)), {
            "this is the gate f itself; the bias is the b with σ(b) = f": f,
            "this is log(f); invert σ, not only the exponential": np.log(f),
            "this is right for one step only: σ is inverted at the share itself": np.log(share / (1 - share)),
            "the share of one step is not share / steps: the factors multiply, so take a root":
                np.log(share / steps / (1 - share / steps)),
            "the fraction is upside down: σ of this is 1 - f": np.log((1 - f) / f),
            "the exponent is 1 / steps: f to the power of steps is the share": np.log(share**steps / (1 - share**steps)),
        }, 1e-6)  # fmt: skip
    return f"a bias of {yours(200, 0.5):.2f} keeps half over 200 steps; with a bias of 1, half is lost after two"


def gru_state_backward(yours):
    B, D, H = 3, 2, 4
    for seed in range(2):
        rng = np.random.default_rng(seed)
        shapes = (B, D), (B, H), (D, 3 * H), (H, 3 * H), (3 * H,), (3 * H,)
        x, h_prev, Wx, Wh, bx, bh = (rng.normal(size=shape) for shape in shapes)
        dh = rng.normal(size=(B, H))
        _, cache = reference.gru_step(x, h_prev, Wx, Wh, bx, bh)
        _, right, _ = reference.gru_step_backward(dh, cache, Wx, Wh)
        got = yours(dh, h_prev, cache.r, cache.z, cache.n, cache.q, Wh)
        same("dh_prev", got, right, known_mistakes(dh, h_prev, cache, Wh))
    return "dh_prev equals that of reference.gru_step_backward"


def known_mistakes(dh, h_prev, cache, Wh):
    r, z, n, q = cache.r, cache.z, cache.n, cache.q

    def back(direct=z, new=1 - z, for_z=h_prev - n, tanh=1 - n**2, sigma_z=z * (1 - z), sigma_r=r * (1 - r), for_q=r,
             for_r=q, keep=(1, 1, 1), order=(0, 1, 2)):  # fmt: skip
        dan = dh * new * tanh
        blocks = dan * for_r * sigma_r, dh * for_z * sigma_z, dan * for_q
        blocks = [blocks[k] * keep[k] for k in order]
        return dh * direct + np.concatenate(blocks, axis=1) @ Wh.T

    sigma_twice = lambda gate: sigmoid(gate) * (1 - sigmoid(gate))
    return {
        "the direct path is missing: in (5) h_prev is multiplied by z": back(direct=0),
        "there is only the direct path; the three paths through Wh are missing": back(keep=(0, 0, 0)),
        "the path through the update gate z is missing: (2) reads h_prev": back(keep=(1, 0, 1)),
        "the path through the reset gate r is missing: (1) reads h_prev": back(keep=(0, 1, 1)),
        "the path through the candidate is missing: (3) reads h_prev": back(keep=(1, 1, 0)),
        "z and 1 - z are exchanged: in (5) z multiplies h_prev, and 1 - z multiplies n": back(direct=1 - z, new=z),
        "the direct path has the factor z, since in (5) z multiplies h_prev; yours has 1 - z": back(direct=1 - z),
        "dn is dh times 1 - z, the factor of n in (5); yours has z": back(new=z),
        "dn is dh times 1 - z, the factor of n in (5); yours is all of dh": back(new=1),
        "z is used twice in (5): once with h_prev, and with a minus sign with n": back(for_z=h_prev),
        "the sign of dz: in (5) z adds h_prev and subtracts n": back(for_z=n - h_prev),
        "the derivative of the tanh in (4), 1 - n², is missing": back(tanh=1),
        "n is already the tanh: its derivative is 1 - n², not 1 - tanh(n)²": back(tanh=1 - np.tanh(n) ** 2),
        "the derivatives of σ are missing: that of z is z (1 - z)": back(sigma_z=1, sigma_r=1),
        "the derivative of the σ in (2), z (1 - z), is missing": back(sigma_z=1),
        "the derivative of the σ in (1), r (1 - r), is missing": back(sigma_r=1),
        "the gates are already the σ: the derivative of z is z (1 - z)": back(
            sigma_z=sigma_twice(z), sigma_r=sigma_twice(r)),
        "in (4) q is multiplied by r, so dq has the factor r, too": back(for_q=1),
        "in (4) r multiplies q, so dr has the factor q; yours has h_prev": back(for_r=h_prev),
        "in (4) r multiplies q, so dr has the factor q, which is missing": back(for_r=1),
        "in (4) r multiplies q, so dr has the factor q; yours has n": back(for_r=n),
        "the derivative of the tanh in (4) is 1 - n², where n is its result; yours is 1 - q²": back(tanh=1 - q**2),
        "the blocks of Wh have the order r, z, n; yours are z, r, n": back(order=(1, 0, 2)),
    }  # fmt: skip


BLANKS = 5  # in the exercise before it is filled in
TASKS = [
    Task("gradients_back", gradients_back, (
        "One step back multiplies by w and by the derivative of tanh. Which h does that derivative need, the one before the"
        " step or the one after? And which step comes first in backward?",
        "There are k steps and k + 1 states: h[1:] are the states after the steps, and the derivative of tanh is 1 minus their"
        " square. np.cumprod multiplies from left to right, so reverse the factors, [::-1].",
    )),
    Task("forget_bias", forget_bias, (
        "First the gate: which number to the power of `steps` is the share? Then invert σ.",
        "The root is a power of 1 / steps. If f = 1 / (1 + exp(-b)), then exp(b) is f divided by 1 - f; take the logarithm.",
    )),
    Task("gru_state_backward", gru_state_backward, (
        "Begin with (5): it gives dn, dz, and the direct path to h_prev. Then multiply each of dn, dz, dr by the derivative of"
        " its tanh or σ. In (4), q is multiplied by r: so dq has the factor r, and dr has the factor q.",
        "With dan = dn times (1 - n²), the three blocks of dah are, in the order r, z, n: dan times q times the derivative of"
        " r; dz times the derivative of z; dan times r. The transpose of Wh takes all three to h_prev at once; add the direct"
        " path, z times dh.",
    )),
]  # fmt: skip
