"""Answers to exercise 5, and a part of the message about each that is wrong."""

from tests.helpers.exercises import IS_RIGHT, answers

ANSWERS = []
WEIGHTS = """def weights_over_time(x, h0, h, dz):
    h_before = {before}
    dWx, dWh, db = 0, 0, 0
    for t in range(len(x)):
        dWx {add} x[t].T @ dz[t]
        dWh {add} h_before[t].T @ dz[t]
        db {add} dz[t].sum(axis=0)
    return {results}
"""
RIGHT = {"before": "np.concatenate([h0[None], h[:-1]])", "add": "+=", "results": "dWx, dWh, db"}
# weights summed in a loop are right
ANSWERS += [("weights_over_time", """def weights_over_time(x, h0, h, dz):
    h_before = np.concatenate([h0[None], h[:-1]])
    dWx, dWh, db = 0, 0, 0
    for t in range(len(x)):
        dWx += x[t].T @ dz[t]
        dWh += h_before[t].T @ dz[t]
        db += dz[t].sum(axis=0)
    return dWx, dWh, db
""", IS_RIGHT)]
ANSWERS += answers("weights_over_time", WEIGHTS, RIGHT, [
    ({"add": "="}, "dWx is wrong: it has only the last step; add the gradients of all steps, with += and not with ="),
    ({"before": "h"}, "dWh is wrong: dz[t] is multiplied by h[t]"),
    ({"before": "[h[t - 1] for t in range(len(h))]"}, "h[-1], which in Python is the last one; h0 belongs there"),
    ({"before": "np.concatenate([0 * h0[None], h[:-1]])"}, "the first step takes zeros or is missing"),
    ({"before": "np.concatenate([h0, h[:-1]])"}, "line 9: ValueError"),
    ({"results": "dWx / len(x), dWh / len(x), db / len(x)"}, "it is a mean over time"),
    ({"results": "dWx, dWh, db / len(h0)"}, "db is wrong: it is a mean over the mini-batch"),
    ({"results": "dWx, dWh"}, "must return (dWx, dWh, db); it returned 2 values"),
    ({"results": "dWx, dWh, dz.sum(axis=0)"}, "db has the shape (3, 8) where (8,) belongs"),
])

# only the first step is named
ANSWERS += [("weights_over_time", """def weights_over_time(x, h0, h, dz):
    return x[0].T @ dz[0], h0.T @ dz[0], dz[0].sum(axis=0)
""", "it has only the first step")]
PARTS = """def in_two_parts(backward, dh, dstate, caches, Wx, Wh, cut):
    zeros = np.zeros_like(dstate[0]), np.zeros_like(dstate[1])
    dx_late, dstate_late, grads_late = backward(dh[cut:], {final}, caches[cut:], Wx, Wh)
    dx_early, dstate_early, grads_early = backward(dh[:cut], {at_cut}, caches[:cut], Wx, Wh)
    return {dx}, {initial}, {grads}
"""
WHOLE = {
    "final": "dstate", "at_cut": "dstate_late", "dx": "np.concatenate([dx_early, dx_late])", "initial": "dstate_early",
    "grads": "[a + b for a, b in zip(grads_early, grads_late)]",
}
ANSWERS += answers("in_two_parts", PARTS, WHOLE, [
    ({"at_cut": "zeros"}, "With zeros this is truncated backpropagation through time"),
    ({"at_cut": "(dstate_late[0], zeros[1])"}, "dc0 of the late part is lost at the cut"),
    ({"at_cut": "(zeros[0], dstate_late[1])"}, "dh0 of the late part is lost at the cut"),
    ({"at_cut": "dstate_late[::-1]"}, "dh0 and dc0 of the late part are exchanged"),
    ({"at_cut": "dstate"}, "dstate belongs to the late part"),
    ({"final": "zeros"}, "dstate is not used"),
    ({"dx": "np.concatenate([dx_late, dx_early])"}, "the late part comes first"),
    ({"dx": "dx_early + dx_late"}, "line 20: ValueError: operands"),
    ({"dx": "dx_late"}, "dx has the shape (3, 3, 4) where (5, 3, 4) belongs"),
    ({"initial": "dstate_late"}, "dh0 is wrong: this is the gradient of the state at the cut"),
    ({"grads": "grads_late"}, "dWx is wrong: it is the late part's alone"),
    ({"grads": "grads_early"}, "dWx is wrong: it is the early part's alone"),
    ({"grads": "[(a + b) / 2 for a, b in zip(grads_early, grads_late)]"}, "it is the mean of both parts"),
    ({"grads": "grads_early + grads_late"}, "for (dWx, dWh, db) it returned 6 values"),
])

# one call for all steps is no answer
ANSWERS += [("in_two_parts", """def in_two_parts(backward, dh, dstate, caches, Wx, Wh, cut):
    return backward(dh, dstate, caches, Wx, Wh)
""", "all steps at once")]
# the early part computed first is named
ANSWERS += [("in_two_parts", """def in_two_parts(backward, dh, dstate, caches, Wx, Wh, cut):
    dx_early, dstate_early, grads_early = backward(dh[:cut], dstate, caches[:cut], Wx, Wh)
    dx_late, dstate_late, grads_late = backward(dh[cut:], dstate_early, caches[cut:], Wx, Wh)
    return np.concatenate([dx_early, dx_late]), dstate_late, [a + b for a, b in zip(grads_early, grads_late)]
""", "the late part must be computed first")]
LOOP = """def lstm_sequence_backward(dh, dstate, caches, Wx, Wh):
    T, B, H = dh.shape
    dx, dWx, dWh, db = np.zeros((T, B, len(Wx))), np.zeros_like(Wx), np.zeros_like(Wh), np.zeros(4 * H)
    dh_next, dc_next = {start}
    for t in {times}:
        dx[{at}], dh_prev, dc_prev, grads = lstm_step_backward({dh}, {dc}, caches[{cache}], Wx, Wh)
        dh_next, dc_next = {passed_on}
        dWx += grads[0]
        dWh {add} grads[1]
        db += grads[2]
    return dx, {state}, (dWx, dWh, db)
"""
LINES = {
    "start": "dstate", "times": "reversed(range(T))", "at": "t", "dh": "dh[t] + dh_next", "dc": "dc_next", "cache": "t",
    "passed_on": "dh_prev, dc_prev", "add": "+=", "state": "(dh_next, dc_next)",
}
COURSE = {"start": "np.zeros((2, B, H))", "passed_on": "dh_next, dc_next", "state": "(dh_prev, dc_prev)"}
ANSWERS += answers("lstm_sequence_backward", LOOP, LINES, [
    ({"passed_on": "dh_prev, dc_next"}, "cell-state gradient never updated"),
    ({"passed_on": "dh_prev, np.zeros_like(dc_prev)"}, "cell-state gradient dropped between steps"),
    ({"dc": "0 * dc_next"}, "only the part of dc through h"),
    ({"passed_on": "dh_next, dc_prev"}, "hidden-state gradient never updated"),
    ({"passed_on": "np.zeros_like(dh_prev), dc_prev"}, "hidden-state gradient dropped between steps"),
    ({"dh": "dh[t]"}, "hidden-state gradient carried and not added"),
    ({"dh": "dh_next"}, "gradients of the outputs left out"),
    (COURSE, "both gradients dropped between steps, handed back at step 0"),
    ({"passed_on": "dc_prev, dh_prev"}, "dh_next and dc_next exchanged"),
    ({"add": "="}, "gradient of Wh keeps one step only"),
    ({"cache": "t - 1"}, "cache of the step before"),
    ({"start": "np.zeros((2, B, H))"}, "gradients of the final state not read"),
    ({"start": "dstate[0], np.zeros((B, H))"}, "gradient of the final cell state not read"),
    ({"at": "T - 1 - t"}, "dx in reversed order"),
    ({"times": "reversed(range(1, T))"}, "first step left out"),
    ({"times": "range(T)"}, "loop in the order of the forward pass"),
    ({"times": "range(T - 1, -1)"}, "backward through no step"),
    ({"start": "dstate[::-1]"}, "gradients of the final states exchanged"),
    ({"dh": "dh[t] - dh_next"}, "hidden-state gradient subtracted"),
    ({"dh": "dh[t] + dh_next / 2"}, "none of the known ones"),
    ({"state": "(dc_next, dh_next)"}, "gradients of the initial states exchanged"),
    ({"state": "dh_next, dc_next"}, "must return (dx, (dh0, dc0), (dWx, dWh, db)); it returned 4 values"),
    ({"dh": "dh[t] @ dh_next"}, "line 29: a product @ does not fit: the left array has 2 columns, the right one 3 rows"),
])

# dh must not be changed in place
ANSWERS += [("lstm_sequence_backward", """def lstm_sequence_backward(dh, dstate, caches, Wx, Wh):
    T, B, H = dh.shape
    dx, dWx, dWh, db = np.zeros((T, B, len(Wx))), np.zeros_like(Wx), np.zeros_like(Wh), np.zeros(4 * H)
    dh_next, dc_next = dstate
    dh[-1] += 0 * dh[-1] + 1
    for t in reversed(range(T)):
        dx[t], dh_prev, dc_prev, grads = lstm_step_backward(dh[t] + dh_next, dc_next, caches[t], Wx, Wh)
        dh_next, dc_next = dh_prev, dc_prev
        dWx += grads[0]
        dWh += grads[1]
        db += grads[2]
    return dx, (dh_next, dc_next), (dWx, dWh, db)
""", "dh is changed in place")]
# dz multiplied by h of the same step is named
ANSWERS += [("lstm_sequence_backward", """def lstm_sequence_backward(dh, dstate, caches, Wx, Wh):
    T, B, H = dh.shape
    dx, dWx, dWh, db = np.zeros((T, B, len(Wx))), np.zeros_like(Wx), np.zeros_like(Wh), np.zeros(4 * H)
    dh_next, dc_next = dstate
    for t in reversed(range(T)):
        cache = caches[t]._replace(h_prev=caches[t].o * caches[t].tanh_c)
        dx[t], dh_prev, dc_prev, grads = lstm_step_backward(dh[t] + dh_next, dc_next, cache, Wx, Wh)
        dh_next, dc_next = dh_prev, dc_prev
        dWx += grads[0]
        dWh += grads[1]
        db += grads[2]
    return dx, (dh_next, dc_next), (dWx, dWh, db)
""", "Wh paired with h[t]")]
# a return within the loop is named
ANSWERS += [("lstm_sequence_backward", """def lstm_sequence_backward(dh, dstate, caches, Wx, Wh):
    T, B, H = dh.shape
    dx, dWx, dWh, db = np.zeros((T, B, len(Wx))), np.zeros_like(Wx), np.zeros_like(Wh), np.zeros(4 * H)
    dh_next, dc_next = dstate
    for t in reversed(range(T)):
        dx[t], dh_prev, dc_prev, grads = lstm_step_backward(dh[t] + dh_next, dc_next, caches[t], Wx, Wh)
        dh_next, dc_next = dh_prev, dc_prev
        dWx += grads[0]
        dWh += grads[1]
        db += grads[2]
        return dx, (dh_next, dc_next), (dWx, dWh, db)
""", "backward through the last step only")]
