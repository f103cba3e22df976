"""5. Through time: grading."""

from minilstm.course import Task, Wrong
from minilstm.reference.sequence import lstm_sequence, lstm_sequence_backward

T, B, D, H = 5, 3, 4, 2
RESULTS = ("dx", ("dh0", "dc0"), ("dWx", "dWh", "db"))


def time(rng):
    """dh, dstate, caches, Wx and Wh of a backward pass through time."""
    x, dh = rng.normal(size=(T, B, D)), rng.normal(size=(T, B, H))
    state, dstate = rng.normal(size=(2, 2, B, H))
    Wx, Wh, b = (rng.normal(0, 0.7, shape) for shape in ((D, 4 * H), (H, 4 * H), 4 * H))
    return dh, tuple(dstate), lstm_sequence(x, tuple(state), Wx, Wh, b)[2], Wx, Wh


def in_parts(rng):
    def backward(dh, dstate, caches, Wx, Wh):
        if len(caches) == T:
            raise Wrong("backward was called with all steps at once; call it with the steps from the cut on, and then with"
                        " those before")
        return lstm_sequence_backward(dh, dstate, caches, Wx, Wh)

    return [(backward, *time(rng), cut) for cut in (2, 3)]


BLANKS = 11  # in the exercise as it is shipped
TASKS = [
    Task(
        "weights_over_time",
        hints=(
            "Lesson 3 had one step: dWx is the transpose of x times dz. All steps use the same weights, so sum over the steps."
            " For dWh, take the hidden state that went into the step, not the one that came out of it.",
            "h_before is h, moved by one step: it begins with h0 and ends with h[-2]. np.concatenate joins along time if h0"
            " gets an axis of length 1 in front. db is dz, summed over its first two axes.",
        ),
        cases=lambda rng: [[rng.normal(size=shape) for shape in ((T, B, D), (B, H), (T, B, H), (T, B, 4 * H))]],
        returns=("dWx", "dWh", "db"),
        mistakes={
            "dWx = x[-1].T @ dz[-1]; dWh = h_before[-1].T @ dz[-1]; db = dz[-1].sum(axis=0)":
                "it has only the last step; add the gradients of all steps, with += and not with =",
            "dWx = x[0].T @ dz[0]; dWh = h0.T @ dz[0]; db = dz[0].sum(axis=0)":
                "it has only the first step; add the gradients of all steps, with += and not with =",
            "return dWx / len(x), dWh / len(x), db / len(x)":
                "it is a mean over time; it must be a sum. Any division by a count is already in dz",
            "return dWx / len(h0), dWh / len(h0), db / len(h0)":
                "it is a mean over the mini-batch; it must be a sum. Any division by a count is already in dz",
            "h_before = h": "dz[t] is multiplied by h[t]; z[t] was computed from the hidden state of the step before",
            "h_before = np.roll(h, 1, axis=0)": "the first step takes h[-1], which in Python is the last one; h0 belongs there",
            "h0[None] -> 0 * h0[None]": "the first step takes zeros or is missing; h0 belongs there",
        },
        praise=f"all three are sums over {T} steps and {B} sequences, and dWh uses the h of the step before",
    ),
    Task(
        "in_two_parts",
        hints=(
            "Backward begins at the end, so call it with the late part first. Its second result is the gradient of the state at"
            " the cut. This state is the final state of the early part.",
            "The late part gets dh[cut:], dstate and caches[cut:]. Its second result, dstate_late, is the dstate of the early"
            " part. Add the gradients of dWx, of dWh and of db one by one. The initial state belongs to the early part.",
        ),
        cases=in_parts,
        returns=RESULTS,
        mistakes={
            "dstate_late, caches -> (0 * dstate_late[0], 0 * dstate_late[1]), caches":
                "the early part gets zeros at the cut. The late part reads h and c from before the cut, so their gradients must"
                " be passed to the early part. With zeros this is truncated backpropagation through time",
            "dstate_late, caches -> (dstate_late[0], 0 * dstate_late[1]), caches":
                "dc0 of the late part is lost at the cut; the late part reads c, too",
            "dstate_late, caches -> (0 * dstate_late[0], dstate_late[1]), caches":
                "dh0 of the late part is lost at the cut; the late part reads h, too",
            "dstate_late, caches -> dstate_late[::-1], caches": "dh0 and dc0 of the late part are exchanged at the cut",
            "dstate_late, caches -> dstate, caches":
                "dstate belongs to the late part; the early part ends at the cut, and needs dstate_late",
            "dh[cut:], dstate, caches[cut:] -> dh[:cut], dstate, caches[:cut]; dh[:cut], dstate_late, caches[:cut] ->"
            " dh[cut:], dstate_late, caches[cut:]; [dx_early, dx_late] -> [dx_late, dx_early]":
                "the late part must be computed first, because the early part needs its dstate_late",
            "dstate, caches[cut:] -> (0 * dstate[0], 0 * dstate[1]), caches[cut:]":
                "dstate is not used; it is the gradient of the final state, where the late part ends",
            "[dx_early, dx_late] -> [dx_late, dx_early]": "the late part comes first; the early part must",
            "return dx, dstate_late, grads":
                "this is the gradient of the state at the cut; that of the initial state comes from the early part",
            "grads = grads_late": "it is the late part's alone; both parts use the same weights, so add the gradients",
            "grads = grads_early": "it is the early part's alone; both parts use the same weights, so add the gradients",
            "early + late -> (early + late) / 2": "it is the mean of both parts; it must be the sum",
        },
        praise="both parts together give the same as one call, wherever the cut is",
    ),
    Task(
        "lstm_sequence_backward",
        hints=(
            "dh_next and dc_next begin as dstate. Let t run from T - 1 down to 0. Each step writes dx[t], adds to the gradients"
            " of the weights, and gives two recurrent gradients to the step before.",
            "h[t] has a gradient as an output, dh[t], and one from the next step, dh_next. Their sum is the first argument of"
            " lstm_step_backward. dc_next is the second. Its second and third results become dh_next and dc_next. Use += for"
            " the weights, and never for dh, which belongs to the caller.",
        ),
        cases=lambda rng: [time(rng)],
        returns=RESULTS,
        diagnose=lambda verify, yours: verify.diagnose_sequence(yours),
        praise="all gradients equal those of the package, in {cases} random cases",
    ),
]  # fmt: skip
