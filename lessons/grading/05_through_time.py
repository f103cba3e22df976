"""5. Through time: grading."""

import numpy as np

from minilstm.course import Task, Wrong, check_array, same
from minilstm.reference.sequence import lstm_sequence, lstm_sequence_backward
from minilstm.verify import contracts, diagnose_sequence

T, B, D, H = 5, 3, 4, 2


def weights_over_time(yours):
    rng = np.random.default_rng(0)
    x, h0, h, dz = (rng.normal(size=shape) for shape in ((T, B, D), (B, H), (T, B, H), (T, B, 4 * H)))
    got = yours(x, h0, h, dz)
    contracts.unpack(got, 3, "weights_over_time must return three arrays: (dWx, dWh, db)")
    before = np.concatenate([h0[None], h[:-1]])
    table = lambda a, b: np.einsum("tbi,tbj->ij", a, b)
    from_zeros = np.concatenate([np.zeros((1, B, H)), h[:-1]])
    few = lambda a: {
        "it has one step only, the last; each step adds its own, as += does and = does not": a[-1].T @ dz[-1],
        "it has one step only, the first; each step adds its own, as += does and = does not": a[0].T @ dz[0],
        "it is a mean over time; whether there is a mean is for the loss to say, and stands in dz already": table(a, dz) / T,
        "it is a mean over the batch; whether there is a mean is for the loss to say, and stands in dz": table(a, dz) / B,
    }
    same("dWx", got[0], table(x, dz), few(x))
    same("dWh", got[1], table(before, dz), few(before) | {
        "dz[t] is paired with h[t]; what went into z[t] was the hidden state of the step before": table(h, dz),
        "at the first step it takes h[-1], which in Python is the last; h0 belongs there": table(np.roll(h, 1, axis=0), dz),
        "at the first step it takes zeros, or leaves the step out; h0 belongs there": table(from_zeros, dz),
    })  # fmt: skip
    same("db", got[2], dz.sum(axis=(0, 1)), {name: wrong[0] for name, wrong in few(np.ones((T, B, 1))).items()})
    return f"all three are sums over {T} steps and {B} sequences, and dWh is paired with the step before"


def case(seed):
    """What a backward pass through time gets: random arguments by name."""
    rng = np.random.default_rng(seed)
    drawn = contracts.sequence_case(rng, T, B, D, H)
    *_, caches = lstm_sequence(**drawn)
    dh, dstate = rng.normal(size=(T, B, H)), (rng.normal(size=(B, H)), rng.normal(size=(B, H)))
    return {"dh": dh, "dstate": dstate, "caches": caches, "Wx": drawn["Wx"], "Wh": drawn["Wh"]}


def wrong_dx(dh, dstate, caches, Wx, Wh, cut):
    """dx as it comes of what may go wrong at the cut, by what there is to say of it."""
    early, late, zeros = slice(None, cut), slice(cut, None), (0 * dstate[0], 0 * dstate[1])
    back = lambda state, steps: lstm_sequence_backward(dh[steps], state, caches[steps], Wx, Wh)[:2]
    dx_late, (dh0, dc0) = back(dstate, late)
    dx_first, state_first = back(dstate, early)
    dx_unread, state_unread = back(zeros, late)
    joined = lambda state: np.concatenate([back(state, early)[0], dx_late])
    return {
        "before the cut nothing of the later loss arrives. h and c went over the cut, so what is felt of them must come back"
        " over it; zeros there are truncated backpropagation through time": joined(zeros),
        "dc0 of the late part is lost at the cut; c went over it too": joined((dh0, zeros[1])),
        "dh0 of the late part is lost at the cut; h went over it too": joined((zeros[0], dc0)),
        "dh0 and dc0 of the late part are exchanged at the cut": joined((dc0, dh0)),
        "dstate belongs to the late part; the early part ends at the cut, and feels what the late part sends back":
            joined(dstate),
        "the late part must be taken back first, for the early part needs what it sends back":
            np.concatenate([dx_first, back(state_first, late)[0]]),
        "dstate is not read; the late part ends in the final state, which the loss feels":
            np.concatenate([back(state_unread, early)[0], dx_unread]),
        "the late part stands first; time runs from the early part to the late":
            np.concatenate([dx_late, back((dh0, dc0), early)[0]]),
    }  # fmt: skip


def in_two_parts(yours):
    for cut in (2, 3):
        given, lengths = case(seed=cut), []

        def backward(dh, dstate, caches, Wx, Wh, lengths=lengths):
            lengths.append(len(caches))
            return lstm_sequence_backward(dh, dstate, caches, Wx, Wh)

        joined = lambda *arguments: yours(backward, *arguments, cut)
        dx, dh0, dc0, grads = contracts.call_sequence_backward(joined, *given.values())
        if T in lengths:
            raise Wrong("backward was given all steps at once; give it those from the cut on, and then those before")
        right_dx, right_state, right_grads = lstm_sequence_backward(**given)
        same("dx", dx, right_dx, wrong_dx(**given, cut=cut))
        late = {"dh": given["dh"][cut:], "caches": given["caches"][cut:]}
        _, state_at_cut, grads_late = lstm_sequence_backward(**given | late)
        for name, array, right, at_cut in zip(("dh0", "dc0"), (dh0, dc0), right_state, state_at_cut):
            same(name, array, right, {"that is felt of the state at the cut; the initial one is the early part's": at_cut})
        for (name, array), right, of_late in zip(grads.items(), right_grads, grads_late):
            same(f"d{name}", array, right, {
                "it is the late part's; both parts have the same weights, whose gradients add up": of_late,
                "it is the early part's; both parts have the same weights, whose gradients add up": right - of_late,
                "it is the mean of both parts; the gradients of weights add up": right / 2,
            })  # fmt: skip
    return "both parts together give what the whole gives, wherever it is cut"


def through_time(yours):
    given = case(seed=4)
    dx, dh0, dc0, grads = contracts.call_sequence_backward(yours, *given.values())
    for name, array, shape in (("dx", dx, (T, B, D)), ("dh0", dh0, (B, H)), ("dc0", dc0, (B, H))):
        check_array(name, array, shape)
    for (name, array), shape in zip(grads.items(), ((D, 4 * H), (H, 4 * H), (4 * H,))):
        check_array(f"d{name}", array, shape)
    found = diagnose_sequence(yours)
    if not found:
        raise Wrong(found.text)
    return f"all gradients equal those of the package, in {found.cases} random cases"


BLANKS = 11  # in the exercise, as long as nobody has filled it in
TASKS = [
    Task("weights_over_time", weights_over_time, (
        "Lesson 3 had one step: dWx is the transpose of x times dz. The weights are the same in all steps, so add the steps up."
        " For dWh, ask what went into the step, not what came out of it.",
        "h_before is h, moved by one step: it begins with h0 and ends with the last but one. np.concatenate joins along time"
        " if h0 gets an axis of length 1 in front. db is dz, summed over its first two axes.",
    )),
    Task("in_two_parts", in_two_parts, (
        "Backward begins at the end: take the late part back first. What it sends back is what the loss feels of the state at"
        " the cut, and that is the final state of the early part.",
        "The late part gets dh[cut:], dstate and caches[cut:]. Its second result, dstate_late, takes the place of dstate when"
        " you take the early part back. Gradients of weights add up, each with its own; the initial state is the early part's.",
    )),
    Task("lstm_sequence_backward", through_time, (
        "Begin with dstate as the two carries, let t run from T - 1 down to 0, and let each step write dx[t], add to the"
        " gradients of the weights, and leave two carries for the step before.",
        "The loss feels h[t] as an output, dh[t], and through the next step, dh_next: their sum is the first argument of"
        " lstm_step_backward. dc_next is the second. Its second and third results become dh_next and dc_next. Use += for the"
        " weights, and never for dh, which belongs to the caller.",
    )),
]  # fmt: skip
