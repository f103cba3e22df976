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
        same("the row of gradients", yours(w, h), back(factors), {
            "the factor of step t takes h[t], the state after the step, since 1 - h² is the slope of tanh there; yours takes"
            " h[t-1]": back(w * (1 - h[:-1] ** 2)),
            "the way back begins with the last step: yours multiplies from the first step on": back(factors[::-1]),
            "w is missing: the slope of tanh is only half of the factor": back(1 - h[1:] ** 2),
            "1 - h² is missing: the state goes through tanh at every step": back(np.full(5, w)),
            "h is squared in the slope of tanh": back(w * (1 - h[1:])),
            "the slope of tanh is 1 - h², not (1 - h)²": back(w * (1 - h[1:]) ** 2),
            "h has been through tanh already: its slope is 1 - h², not 1 - tanh(h)²": back(w * (1 - np.tanh(h[1:]) ** 2)),
        })  # fmt: skip
    return "with w = 0.8 and with w = -1.7, all of 5 steps back"


def forget_bias(yours):
    for steps, share in ((1, 0.7), (10, 0.5), (200, 0.5), (50, 0.01)):
        f = share ** (1 / steps)
        got = yours(steps, share)
        if isinstance(got, float) and np.isnan(got):
            raise Wrong("it is nan, a logarithm of something negative: log(share) / steps is the logarithm of f, and not yet f")
        same(f"forget_bias({steps}, {share})", got, np.log(f / (1 - f)), {
            "this is the gate f itself; the bias is the number of which σ makes it": f,
            "this is log(f); undo σ, not only the exponential": np.log(f),
            "this is half of the way: σ undone for the share, but for one step only": np.log(share / (1 - share)),
            "the share of one step is not share / steps: steps multiply, so take a root":
                np.log(share / steps / (1 - share / steps)),
            "the other way round: σ of this is 1 - f": np.log((1 - f) / f),
            "the power is 1 / steps: f to the power of steps is the share": np.log(share**steps / (1 - share**steps)),
        }, 1e-6)  # fmt: skip
    return f"to keep half over 200 steps takes a bias of {yours(200, 0.5):.2f}; with 1, half is gone after two"


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

    def back(straight=z, new=1 - z, z_sees=h_prev - n, tanh=1 - n**2, sigma_z=z * (1 - z), sigma_r=r * (1 - r), hears=r,
             r_sees=q, keep=(1, 1, 1), order=(0, 1, 2)):  # fmt: skip
        dan = dh * new * tanh
        blocks = dan * r_sees * sigma_r, dh * z_sees * sigma_z, dan * hears
        blocks = [blocks[k] * keep[k] for k in order]
        return dh * straight + np.concatenate(blocks, axis=1) @ Wh.T

    slope_twice = lambda gate: sigmoid(gate) * (1 - sigmoid(gate))
    return {
        "the straight way is missing: (5) hands h_prev on, times z": back(straight=0),
        "only the straight way is there; the three through Wh are missing": back(keep=(0, 0, 0)),
        "the way through the update gate z is missing: (2) reads h_prev": back(keep=(1, 0, 1)),
        "the way through the reset gate r is missing: (1) reads h_prev": back(keep=(0, 1, 1)),
        "the way through the candidate is missing: (3) reads h_prev": back(keep=(1, 1, 0)),
        "z and 1 - z are exchanged: in (5) z belongs to h_prev, 1 - z to n": back(straight=1 - z, new=z),
        "the straight way takes z, since in (5) z multiplies h_prev; yours takes 1 - z": back(straight=1 - z),
        "n gets dh times 1 - z, its factor in (5); yours takes z": back(new=z),
        "n gets dh times its factor in (5), 1 - z; yours gets all of dh": back(new=1),
        "z stands twice in (5): it takes n away as it brings h_prev in": back(z_sees=h_prev),
        "the sign of dz: in (5) z brings h_prev in and takes n away": back(z_sees=n - h_prev),
        "the slope of the tanh in (4), 1 - n², is missing": back(tanh=1),
        "n has been through tanh already: its slope is 1 - n², not 1 - tanh(n)²": back(tanh=1 - np.tanh(n) ** 2),
        "the slopes of σ are missing: of z it is z (1 - z)": back(sigma_z=1, sigma_r=1),
        "the slope of the σ in (2), z (1 - z), is missing": back(sigma_z=1),
        "the slope of the σ in (1), r (1 - r), is missing": back(sigma_r=1),
        "the gates have been through σ already: the slope of z is z (1 - z)": back(
            sigma_z=slope_twice(z), sigma_r=slope_twice(r)),
        "q is heard times r in (4), and so is its gradient": back(hears=1),
        "in (4) r multiplies q, so dr takes q; yours takes h_prev": back(r_sees=h_prev),
        "in (4) r multiplies q, so dr takes q, which is missing": back(r_sees=1),
        "in (4) r multiplies q, so dr takes q; yours takes n": back(r_sees=n),
        "the slope of the tanh in (4) is 1 - n²: of what comes out of it; yours takes 1 - q²": back(tanh=1 - q**2),
        "the blocks of Wh stand in the order r, z, n; yours are z, r, n": back(order=(1, 0, 2)),
    }  # fmt: skip


BLANKS = 5  # in the exercise, as long as nobody has filled it in
TASKS = [
    Task("gradients_back", gradients_back, (
        "One step back multiplies by w and by the slope of tanh. Which h does that slope need, the one before the step or the"
        " one after? And which step is the first on the way back?",
        "There are k steps and k + 1 states: h[1:] are the states after the steps, and the slope of tanh is 1 minus their"
        " square. np.cumprod multiplies from left to right, so the factors have to be turned round, [::-1].",
    )),
    Task("forget_bias", forget_bias, (
        "First the gate: which number, multiplied by itself so many times, is the share? Then undo σ.",
        "The root is a power of 1 / steps. If f = 1 / (1 + exp(-b)), then exp(b) is f divided by 1 - f; take the logarithm.",
    )),
    Task("gru_state_backward", gru_state_backward, (
        "Begin with (5): it gives dn, dz, and the straight way to h_prev. Then each of n, z, r through its tanh or σ to what is"
        " inside of it. The part of n is heard by q times r, and by r times q.",
        "With dan = dn times (1 - n²), the three blocks of dah are, in the order r, z, n: dan times q and the slope of r; dz"
        " times the slope of z; dan times r. All three come back to h_prev together, through the transpose of Wh; add the"
        " straight way, z times dh.",
    )),
]  # fmt: skip
