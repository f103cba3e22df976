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
        "it has only the last step; add the gradients of all steps, with += and not with =": a[-1].T @ dz[-1],
        "it has only the first step; add the gradients of all steps, with += and not with =": a[0].T @ dz[0],
        "it is a mean over time; it must be a sum. Any division by a count is already in dz": table(a, dz) / T,
        "it is a mean over the mini-batch; it must be a sum. Any division by a count is already in dz": table(a, dz) / B,
    }
    same("dWx", got[0], table(x, dz), few(x))
    same("dWh", got[1], table(before, dz), few(before) | {
        "dz[t] is multiplied by h[t]; z[t] was computed from the hidden state of the step before": table(h, dz),
        "the first step takes h[-1], which in Python is the last one; h0 belongs there": table(np.roll(h, 1, axis=0), dz),
        "the first step takes zeros or is missing; h0 belongs there": table(from_zeros, dz),
    })  # fmt: skip
    same("db", got[2], dz.sum(axis=(0, 1)), {name: wrong[0] for name, wrong in few(np.ones((T, B, 1))).items()})
    return f"all three are sums over {T} steps and {B} sequences, and dWh uses the h of the step before"


def case(seed):
    """Random arguments of a backward pass through time, by name."""
    rng = np.random.default_rng(seed)
    drawn = contracts.sequence_case(rng, T, B, D, H)
    *_, caches = lstm_sequence(**drawn)
    dh, dstate = rng.normal(size=(T, B, H)), (rng.normal(size=(B, H)), rng.normal(size=(B, H)))
    return {"dh": dh, "dstate": dstate, "caches": caches, "Wx": drawn["Wx"], "Wh": drawn["Wh"]}


def wrong_dx(dh, dstate, caches, Wx, Wh, cut):
    """dx with each mistake that is common at the cut, by its message."""
    early, late, zeros = slice(None, cut), slice(cut, None), (0 * dstate[0], 0 * dstate[1])
    back = lambda state, steps: lstm_sequence_backward(dh[steps], state, caches[steps], Wx, Wh)[:2]
    dx_late, (dh0, dc0) = back(dstate, late)
    dx_first, state_first = back(dstate, early)
    dx_unread, state_unread = back(zeros, late)
    joined = lambda state: np.concatenate([back(state, early)[0], dx_late])
    return {
        "the early part gets zeros at the cut. The late part reads h and c from before the cut, so their gradients must be"
        " passed to the early part. With zeros this is truncated backpropagation through time": joined(zeros),
        "dc0 of the late part is lost at the cut; the late part reads c, too": joined((dh0, zeros[1])),
        "dh0 of the late part is lost at the cut; the late part reads h, too": joined((zeros[0], dc0)),
        "dh0 and dc0 of the late part are exchanged at the cut": joined((dc0, dh0)),
        "dstate belongs to the late part; the early part ends at the cut, and needs dstate_late":
            joined(dstate),
        "the late part must be computed first, because the early part needs its dstate_late":
            np.concatenate([dx_first, back(state_first, late)[0]]),
        "dstate is not used; it is the gradient of the final state, where the late part ends":
            np.concatenate([back(state_unread, early)[0], dx_unread]),
        "the late part comes first; the early part must":
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
            raise Wrong("backward was called with all steps at once; call it with the steps from the cut on, and then with"
                        " those before")  # fmt: skip
        right_dx, right_state, right_grads = lstm_sequence_backward(**given)
        same("dx", dx, right_dx, wrong_dx(**given, cut=cut))
        late = {"dh": given["dh"][cut:], "caches": given["caches"][cut:]}
        _, state_at_cut, grads_late = lstm_sequence_backward(**given | late)
        for name, array, right, at_cut in zip(("dh0", "dc0"), (dh0, dc0), right_state, state_at_cut):
            same(name, array, right, {
                "this is the gradient of the state at the cut; that of the initial state comes from the early part": at_cut,
            })  # fmt: skip
        for (name, array), right, of_late in zip(grads.items(), right_grads, grads_late):
            same(f"d{name}", array, right, {
                "it is the late part's alone; both parts use the same weights, so add the gradients": of_late,
                "it is the early part's alone; both parts use the same weights, so add the gradients": right - of_late,
                "it is the mean of both parts; it must be the sum": right / 2,
            })  # fmt: skip
    return "both parts together give the same as one call, wherever the cut is"


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


BLANKS = 11  # in the exercise as it is shipped
TASKS = [
    Task("weights_over_time", weights_over_time, (
        "Lesson 3 had one step: dWx is the transpose of x times dz. All steps use the same weights, so sum over the steps."
        " For dWh, take the hidden state that went into the step, not the one that came out of it.",
        "h_before is h, moved by one step: it begins with h0 and ends with h[-2]. np.concatenate joins along time if h0 gets"
        " an axis of length 1 in front. db is dz, summed over its first two axes.",
    )),
    Task("in_two_parts", in_two_parts, (
        "Backward begins at the end, so call it with the late part first. Its second result is the gradient of the state at the"
        " cut. This state is the final state of the early part.",
        "The late part gets dh[cut:], dstate and caches[cut:]. Its second result, dstate_late, is the dstate of the early"
        " part. Add the gradients of dWx, of dWh and of db one by one. The initial state belongs to the early part.",
    )),
    Task("lstm_sequence_backward", through_time, (
        "dh_next and dc_next begin as dstate. Let t run from T - 1 down to 0. Each step writes dx[t], adds to the gradients of"
        " the weights, and gives two recurrent gradients to the step before.",
        "h[t] has a gradient as an output, dh[t], and one from the next step, dh_next. Their sum is the first argument of"
        " lstm_step_backward. dc_next is the second. Its second and third results become dh_next and dc_next. Use += for the"
        " weights, and never for dh, which belongs to the caller.",
    )),
]  # fmt: skip
