"""3. One step backward: grading."""

import numpy as np

from minilstm import reference
from minilstm.course import Task
from minilstm.course.derivatives import of_sigmoid, of_tanh

B, D, H = 3, 4, 2


def step(rng):
    """dh, dc_next and the cache of a random step, with its weights."""
    x, h, c, dh, dc = (rng.normal(size=(B, width)) for width in (D, H, H, H, H))
    Wx, Wh, b = (rng.normal(0, 0.7, shape) for shape in ((D, 4 * H), (H, 4 * H), 4 * H))
    return dh, dc, reference.lstm_step(x, h, c, Wx, Wh, b)[2], Wx, Wh


def in_step(rng):
    dh, dc, cache, _, _ = step(rng)
    return [(dh, dc, *cache[2:])]


OTHER = "a product passes its gradient on times the other factor"
ITSELF = "{0} was multiplied by {1}, so its gradient is dc times {1}, not times {0} itself"
BLANKS = 17  # in the exercise as it is shipped
TASKS = [
    Task(
        "cell_state_gradient",
        hints=(
            "If a number is used twice, its gradients add: one part of dc comes through h, the other is dc_next.",
            "Through h: dh goes through a product, whose other factor is o, and then through tanh, whose derivative at c is one"
            " minus tanh_c squared. To that, add dc_next. Do not use +=: dc_next belongs to the caller.",
        ),
        cases=lambda rng: [rng.normal(size=(4, B, H))],
        returns="dc",
        mistakes={
            "dc_next + -> ": "it has only the part through h; the next step reads c, too, and the two gradients add",
            "return dc_next": "it has only the part from the next step; h is computed from c, too, and the two gradients add",
            " * (1 - tanh_c**2) -> ": "the derivative of tanh is missing: forward was h = o tanh(c), not h = o c",
            "o * -> ": "o is missing: tanh(c) was multiplied by it",
            "tanh_c**2 -> tanh_c": "the derivative of tanh is 1 - tanh(c)**2, with a square",
            "1 - tanh_c -> 1 + tanh_c": "the derivative of tanh is 1 - tanh(c)**2, with a minus",
            "tanh_c** -> np.tanh(tanh_c)**": "tanh_c is tanh(c) already, and you take the tanh of it",
            "return dc_next + dh * tanh_c": "c is not multiplied by tanh(c) anywhere; tanh(c) belongs to the gradient of o",
            "dc_next + dh -> (dc_next + dh)": "dc_next does not go through o and tanh: the next step reads c itself",
        },
        praise="dc has both parts, the one through h and the one from the next step",
    ),
    Task(
        "pre_activation_gradient",
        hints=(
            "Each of the eight lines has one rule. The first four are products: multiply by the other factor. The last four are"
            " functions: multiply by the derivative, which is computed from the gate's value.",
            "In (4), i was multiplied by g and f by c_prev, and the gradient of each of the four is dc times its partner; in"
            " (6), o was multiplied by tanh(c), so its gradient is dh times tanh(c). Where s = sigmoid(z) the derivative is"
            " s (1 - s), where s = tanh(z) it is 1 - s**2.",
        ),
        cases=in_step,
        returns="dz",
        compared=lambda dz, given: {f"dz{k}": block for k, block in zip("ifgo", np.split(dz, 4, axis=1))},
        mistakes={
            "di = dc * i": ITSELF.format("i", "g"),
            "df = dc * f": ITSELF.format("f", "c_prev"),
            "dg = dc * g": ITSELF.format("g", "i"),
            "df = dc * (f * c_prev + i * g)": "f was multiplied by the cell state of the step before, c_prev, not by the new c",
            "do = dh * np.arctanh(tanh_c)": "o was multiplied by tanh(c), not by c",
            "do = dc * tanh_c": "o acts on the loss through h, so its gradient begins with dh, not with dc",
            "di = dc": f"i was multiplied by g, and {OTHER}; g is missing",
            "df = dc": f"f was multiplied by c_prev, and {OTHER}; c_prev is missing",
            "dg = dc": f"g was multiplied by i, and {OTHER}; i is missing",
            "do = dh": f"o was multiplied by tanh(c), and {OTHER}; tanh(c) is missing",
            **of_sigmoid("dzi", "di", "i"), **of_sigmoid("dzf", "df", "f"),
            **of_tanh("dzg", "dg", "g"), **of_sigmoid("dzo", "do", "o"),
        } | {
            f"[dzi, dzf, dzg, dzo] -> [{', '.join(f'dz{k}' for k in order)}]":
                f"the order of the blocks is i, f, g, o, and yours is {', '.join(order)}"
            for order in ("figo", "ifog", "igfo", "iofg", "fgoi")
        },
        praise="all four blocks of dz are right, in the order i, f, g, o",
    ),
    Task(
        "lstm_step_backward",
        hints=(
            "dc is task 1, dz is task 2. c_prev was multiplied by f in (4). The rest differentiates z = x Wx + h_prev Wh + b."
            " The shapes show which side of the product is transposed.",
            "dz (B, 4H) times the transpose of a weight gives the gradient of what that weight multiplied: x or h_prev. The"
            " transpose of x or h_prev times dz gives the gradient of the weight, summed over the batch. b was added to every"
            " row, so its gradient is the sum of the rows of dz.",
        ),
        cases=lambda rng: [step(rng)],
        returns=("dx", "dh_prev", "dc_prev", ("dWx", "dWh", "db")),
        mistakes={
            "(dh, dc, c_prev, -> (dh, dc_next, c_prev,":
                "dc_prev is right, but dz is computed from dc_next, not from the complete gradient of c (task 1)",
        },
        diagnose=lambda verify, yours: verify.diagnose(yours),
        praise="all six gradients equal those of reference.lstm_step_backward, in {cases} random cases",
    ),
]  # fmt: skip
