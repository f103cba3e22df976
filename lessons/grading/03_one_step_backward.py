"""3. One step backward: grading."""

import numpy as np

from minilstm import reference
from minilstm.course import Task, Wrong, check_array, same
from minilstm.reference.functions import sigmoid
from minilstm.verify import contracts, diagnose

B, D, H = 3, 4, 2


def step(seed):
    """The cache of a random step, random dh and dc_next, and the arguments of forward."""
    rng = np.random.default_rng(seed)
    case = contracts.step_case(rng, B, D, H)
    _, _, cache = reference.lstm_step(**case)
    return cache, rng.normal(size=(B, H)), rng.normal(size=(B, H)), case


def cell_state_gradient(yours):
    cache, dh, dc_next, _ = step(0)
    o, tanh_c = cache.o, cache.tanh_c
    through_h = dh * o * (1 - tanh_c**2)
    same("dc", yours(dh, dc_next, o, tanh_c), dc_next + through_h, {
        "it has only the part through h; the next step reads c, too, and the two gradients add": through_h,
        "it has only the part from the next step; h is computed from c, too, and the two gradients add": dc_next,
        "the derivative of tanh is missing: forward was h = o tanh(c), not h = o c": dc_next + dh * o,
        "o is missing: tanh(c) was multiplied by it": dc_next + dh * (1 - tanh_c**2),
        "the derivative of tanh is 1 - tanh(c)**2, with a square": dc_next + dh * o * (1 - tanh_c),
        "the derivative of tanh is 1 - tanh(c)**2, with a minus": dc_next + dh * o * (1 + tanh_c**2),
        "tanh_c is tanh(c) already, and you take the tanh of it": dc_next + dh * o * (1 - np.tanh(tanh_c) ** 2),
        "c is not multiplied by tanh(c) anywhere; tanh(c) belongs to the gradient of o": dc_next + dh * tanh_c,
        "dc_next does not go through o and tanh: the next step reads c itself": (dc_next + dh) * o * (1 - tanh_c**2),
    })  # fmt: skip
    return "dc has both parts, the one through h and the one from the next step"


def partners(dh, dc, c_prev, i, f, g, o, tanh_c):
    """For each gate: its value, its gradient, and typical wrong gradients by their message."""
    c = f * c_prev + i * g
    itself = "{0} was multiplied by {1}, so its gradient is dc times {1}, not times {0} itself"
    missing = "{0} was multiplied by {1}, and a product passes its gradient on times the other factor; {1} is missing"
    return {
        "i": (i, dc * g, {itself.format("i", "g"): dc * i, missing.format("i", "g"): dc}),
        "f": (f, dc * c_prev, {
            "f was multiplied by the cell state of the step before, c_prev, not by the new c": dc * c,
            itself.format("f", "c_prev"): dc * f, missing.format("f", "c_prev"): dc}),
        "g": (g, dc * i, {itself.format("g", "i"): dc * g, missing.format("g", "i"): dc}),
        "o": (o, dh * tanh_c, {
            "o was multiplied by tanh(c), not by c": dh * c,
            "o acts on the loss through h, so its gradient begins with dh, not with dc": dc * tanh_c,
            missing.format("o", "tanh(c)"): dh}),
    }  # fmt: skip


def derivatives(name, s):
    """The derivative of an activation whose value is s, and typical wrong ones."""
    if name == "g":
        return 1 - s**2, {
            "g is the tanh already, and you take the tanh of it; its derivative is 1 - g**2": 1 - np.tanh(s) ** 2,
            "the derivative of tanh is 1 - g**2, with a square": 1 - s,
            "the derivative of tanh is 1 - g**2, with a minus": 1 + s**2,
            "g comes from a tanh, so its derivative is 1 - g**2": s * (1 - s),
            "the derivative of tanh is missing": np.ones_like(s),
        }
    return s * (1 - s), {
        f"{name} is the sigmoid already, and you take the sigmoid of it; its derivative is {name} (1 - {name})":
            sigmoid(s) * (1 - sigmoid(s)),
        f"{name} comes from a sigmoid, so its derivative is {name} (1 - {name})": 1 - s**2,
        f"the derivative of sigmoid is {name} (1 - {name}), with a minus": s * (1 + s),
        f"a factor is missing: the derivative of sigmoid is {name} (1 - {name})": 1 - s,
        f"the factor 1 - {name} is missing: the derivative of sigmoid is {name} (1 - {name})": s,
        "the derivative of sigmoid is missing": np.ones_like(s),
    }  # fmt: skip


def dz_by_gate(gates):
    return {name: gradient * derivatives(name, s)[0] for name, (s, gradient, _) in gates.items()}


def pre_activation_gradient(yours):
    cache, dh, dc, _ = step(1)
    gates = partners(dh, dc, *cache[2:])
    right = dz_by_gate(gates)
    got = yours(dh, dc, *cache[2:])
    check_array("dz", got, (B, 4 * H))
    for (name, (s, gradient, wrong_gradients)), block in zip(gates.items(), np.split(got, 4, axis=1)):
        derivative, wrong_derivatives = derivatives(name, s)
        known = {sentence: wrong * derivative for sentence, wrong in wrong_gradients.items()}
        known |= {sentence: gradient * wrong for sentence, wrong in wrong_derivatives.items()}
        known |= {f"this is dz{k}; the order of the blocks is i, f, g, o": right[k] for k in right if k != name}
        same(f"dz{name}", block, right[name], known)
    return "all four blocks of dz are right, in the order i, f, g, o"


def lstm_step_backward(yours):
    cache, dh, dc, case = step(2)
    dx, dh_prev, dc_prev, grads = contracts.call_step_backward(yours, dh, dc, cache, case["Wx"], case["Wh"])
    for name, array, shape in (("dx", dx, (B, D)), ("dh_prev", dh_prev, (B, H)), ("dc_prev", dc_prev, (B, H))):
        check_array(name, array, shape)
    for name, array in grads.items():
        check_array(f"d{name}", array, case[name].shape)
    _, _, right_dc_prev, _ = reference.lstm_step_backward(dh, dc, cache, case["Wx"], case["Wh"])
    of_dc_next = np.hstack([*dz_by_gate(partners(dh, dc, *cache[2:])).values()])
    if np.allclose(dc_prev, right_dc_prev) and np.allclose(dx, of_dc_next @ case["Wx"].T):
        raise Wrong("dc_prev is right, but dz is computed from dc_next, not from the complete gradient of c (task 1)")
    found = diagnose(yours)
    if not found:
        raise Wrong(found.text)
    return f"all six gradients equal those of reference.lstm_step_backward, in {found.cases} random cases"


BLANKS = 17  # in the exercise as it is shipped
TASKS = [
    Task("cell_state_gradient", cell_state_gradient, (
        "If a number is used twice, its gradients add: one part of dc comes through h, the other is dc_next.",
        "Through h: dh goes through a product, whose other factor is o, and then through tanh,"
        " whose derivative at c is one minus"
        " tanh_c squared. To that, add dc_next. Do not use +=: dc_next belongs to the caller.",
    )),
    Task("pre_activation_gradient", pre_activation_gradient, (
        "Each of the eight lines has one rule. The first four are products: multiply by the other factor. The last four are"
        " functions: multiply by the derivative, which is computed from the gate's value.",
        "In (4), i was multiplied by g and f by c_prev, and the gradient of each of the four is dc"
        " times its partner; in (6), o was"
        " multiplied by tanh(c), so its gradient is dh times tanh(c). Where s = sigmoid(z) the"
        " derivative is s (1 - s), where s = tanh(z) it is 1 - s**2.",
    )),
    Task("lstm_step_backward", lstm_step_backward, (
        "dc is task 1, dz is task 2. c_prev was multiplied by f in (4). The rest differentiates z = x Wx + h_prev Wh + b. The"
        " shapes show which side of the product is transposed.",
        "dz (B, 4H) times the transpose of a weight gives the gradient of what that weight multiplied: x or h_prev. The"
        " transpose of x or h_prev times dz gives the gradient of the weight, summed over the batch. b was added to every row,"
        " so its gradient is the sum of the rows of dz.",
    )),
]  # fmt: skip
