"""6. Why an LSTM: grading."""

from minilstm import reference
from minilstm.course import Task
from minilstm.course.derivatives import of_sigmoid, of_tanh


def gru(rng, B=3, D=2, H=4):
    for _ in range(2):
        shapes = (B, D), (B, H), (D, 3 * H), (H, 3 * H), 3 * H, 3 * H
        x, h_prev, Wx, Wh, bx, bh = (rng.normal(size=shape) for shape in shapes)
        _, cache = reference.gru_step(x, h_prev, Wx, Wh, bx, bh)
        yield rng.normal(size=(B, H)), h_prev, cache.r, cache.z, cache.n, cache.q, Wh


BLANKS = 5  # in the exercise before it is filled in
TASKS = [
    Task(
        "gradients_back",
        hints=(
            "One step back multiplies by w and by the derivative of tanh. Which h does that derivative need, the one before the"
            " step or the one after? And which step comes first in backward?",
            "There are k steps and k + 1 states: h[1:] are the states after the steps, and the derivative of tanh is 1 minus"
            " their square. np.cumprod multiplies from left to right, so reverse the factors, [::-1].",
        ),
        cases=lambda rng: [(w, rng.uniform(-0.9, 0.9, 6)) for w in (0.8, -1.7)],
        returns="the array of gradients",
        mistakes={
            "h[1:] -> h[:-1]": "the factor of step t needs h[t], the state after the step, since 1 - h[t]² is the derivative of"
                " tanh; yours uses h[t-1]",
            "factors[::-1] -> factors": "backward begins with the last step: yours multiplies from the first step on",
            "factors = 1 - h[1:] ** 2": "w is missing: the derivative of tanh is only one part of the factor",
            "factors = np.full(len(h) - 1, w)": "1 - h² is missing, the derivative of the tanh in every step",
            "factors = w * (1 - h[1:])": "h is squared in the derivative of tanh",
            "factors = w * (1 - h[1:]) ** 2": "the derivative of tanh is 1 - h², not (1 - h)²",
            "h[1:] -> np.tanh(h[1:])": "h is already the tanh: its derivative is 1 - h², not 1 - tanh(h)²",
        },
        praise="right for w = 0.8 and for w = -1.7, over all 5 steps",
    ),
    Task(
        "forget_bias",
        hints=(
            "First the gate: which number to the power of `steps` is the share? Then invert σ.",
            "The root is a power of 1 / steps. If f = 1 / (1 + exp(-b)), then exp(b) is f divided by 1 - f; take the"
            " logarithm.",
        ),
        cases=lambda rng: [(1, 0.7), (10, 0.5), (200, 0.5), (50, 0.01)],
        returns="the bias",
        tolerance=1e-6,
        mistakes={
            "return f": "this is the gate f itself; the bias is the b with σ(b) = f",
            "return np.log(f)": "this is log(f); invert σ, not only the exponential",
            "f = share": "this is right for one step only: σ is inverted at the share itself",
            "f = share / steps": "the share of one step is not share / steps: the factors multiply, so take a root",
            "return np.log((1 - f) / f)": "the fraction is upside down: σ of this is 1 - f",
            "f = share**steps": "the exponent is 1 / steps: f to the power of steps is the share",
            "f = np.log(share) / steps": "it is nan, the logarithm of a negative number: log(share) / steps is the logarithm of"
                " f, not f",
        },
        praise="a bias of 5.66 keeps half over 200 steps; with a bias of 1, half is lost after two",
    ),
    Task(
        "gru_state_backward",
        hints=(
            "Begin with (5): it gives dn, dz, and the direct path to h_prev. Then multiply each of dn, dz, dr by the derivative"
            " of its tanh or σ. In (4), q is multiplied by r: so dq has the factor r, and dr has the factor q.",
            "With dan = dn times (1 - n²), the three blocks of dah are, in the order r, z, n: dan times q times the derivative"
            " of r; dz times the derivative of z; dan times r. The transpose of Wh takes all three to h_prev at once; add the"
            " direct path, z times dh.",
        ),
        cases=gru,
        returns="dh_prev",
        mistakes={
            "dh * z + -> ": "the direct path is missing: in (5) h_prev is multiplied by z",
            "return dh * z": "there is only the direct path; the three paths through Wh are missing",
            "[dar, daz, dq] -> [dar, 0 * daz, dq]": "the path through the update gate z is missing: (2) reads h_prev",
            "[dar, daz, dq] -> [0 * dar, daz, dq]": "the path through the reset gate r is missing: (1) reads h_prev",
            "[dar, daz, dq] -> [dar, daz, 0 * dq]": "the path through the candidate is missing: (3) reads h_prev",
            "dan = dh * z * (1 - n**2); return dh * (1 - z) + dah @ Wh.T":
                "z and 1 - z are exchanged: in (5) z multiplies h_prev, and 1 - z multiplies n",
            "return dh * (1 - z) + dah @ Wh.T":
                "the direct path has the factor z, since in (5) z multiplies h_prev; yours has 1 - z",
            "dan = dh * z * (1 - n**2)": "dn is dh times 1 - z, the factor of n in (5); yours has z",
            "dan = dh * (1 - n**2)": "dn is dh times 1 - z, the factor of n in (5); yours is all of dh",
            "dz = dh * h_prev": "z is used twice in (5): once with h_prev, and with a minus sign with n",
            "dz = dh * (n - h_prev)": "the sign of dz: in (5) z adds h_prev and subtracts n",
            "dan = dh * (1 - z) * (1 - q**2)":
                "the derivative of the tanh in (4) is 1 - n², where n is its result; yours is 1 - q²",
            "dar = dan * q; daz = dz": "the derivatives of σ are missing: that of z is z (1 - z)",
            "dar = dan * q * sigmoid(r) * (1 - sigmoid(r)); daz = dz * sigmoid(z) * (1 - sigmoid(z))":
                "the gates are already the σ: the derivative of z is z (1 - z)",
            "dq = dan": "in (4) q is multiplied by r, so dq has the factor r, too",
            "dar = dan * h_prev * r * (1 - r)": "in (4) r multiplies q, so dr has the factor q; yours has h_prev",
            "dar = dan * r * (1 - r)": "in (4) r multiplies q, so dr has the factor q, which is missing",
            "dar = dan * n * r * (1 - r)": "in (4) r multiplies q, so dr has the factor q; yours has n",
            "[dar, daz, dq] -> [daz, dar, dq]": "the blocks of Wh have the order r, z, n; yours are z, r, n",
            **of_tanh("dan", "dh * (1 - z)", "n"), **of_sigmoid("daz", "dz", "z"), **of_sigmoid("dar", "dan * q", "r"),
        },
        praise="dh_prev equals that of reference.gru_step_backward",
    ),
]  # fmt: skip
