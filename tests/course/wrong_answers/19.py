"""Answers to exercise 19, and a part of the message about each that is wrong."""

from tests.helpers.exercises import IS_RIGHT, answers

ANSWERS = []
ATTENTION = """def attention(q, a, lengths, Wq, Wa, b, v):
    S, B, _ = a.shape
    real = {real}
    u = {u}
    scores = {scores}
    e = {e}
    p = {p}
    context = {context}
    return {result}
"""
RIGHT = {
    "real": "np.arange(S)[:, None] < lengths",
    "u": "np.tanh(q @ Wq + a @ Wa + b)",
    "scores": "u @ v",
    "e": "np.where(real, scores, -np.inf).T",
    "p": "softmax(e)",
    "context": "np.einsum('bs,sba->ba', p, a)",
    "result": "context, u, p",
}
OWN = "(np.exp({0}) / np.exp({0}).sum(axis=1, keepdims=True))"
ANSWERS += answers("attention", ATTENTION, RIGHT, [
    ({"e": "scores.T"}, "the padding has weight"),
    ({"e": "scores.T", "p": "softmax(e) * real.T"}, "are set to 0 after the softmax, so they sum to less than 1"),
    ({"e": "np.where(real, scores, 0).T"}, "exp(0) is 1"),
    ({"e": "scores", "p": "np.where(real.T, softmax(e.T), 0)"}, "are set to 0 after the softmax"),
    ({"e": "scores", "p": "np.where(real, softmax(e), 0).T"}, "over the sequences of the mini-batch"),
    ({"p": "softmax(e.ravel()).reshape(e.shape)"}, "one softmax for the whole mini-batch"),
    ({"e": "np.where(real, scores, 0).T", "p": "e"}, "the softmax is missing"),
    ({"real": "np.arange(S)[:, None] <= lengths"}, "one step too many of each source"),
    ({"scores": "u.sum(axis=2)"}, "the scores lack v"),
    ({"p": "real.T / lengths[:, None]"}, "all weights of a sequence are equal"),
    ({"u": "q @ Wq + a @ Wa + b"}, "the tanh of (1) is missing"),
    ({"u": "np.tanh(q @ Wq + a @ Wa)"}, "the bias b is missing"),
    ({"p": "softmax(e).T", "context": "np.einsum('sb,sba->ba', p, a)"}, "transpose the scores"),
    ({"e": "np.where(real, scores, -np.inf)", "context": "np.einsum('sb,sba->ba', p, a)"}, "it is (S, B), and must be (B, S)"),
    ({"p": OWN.format("e")}, "of p is nan where 1 belongs: a large exponential overflowed"),
    ({"context": "np.einsum('bs,sba->ba', p, a) / lengths[:, None]"}, "it is divided by the length"),
    ({"context": "a.sum(axis=0)"}, "this is the plain sum"),
    ({"context": "(a * real[..., None]).sum(axis=0) / lengths[:, None]"}, "this is the plain mean"),
    ({"result": "context, p"}, "must return (context, u, p); it returned 2 values"),
    ({"result": "context, p, u"}, "u has the shape (3, 5) where (5, 3, 6) belongs"),
    ({"real": "np.arange(S) < lengths"}, "ValueError"),
])

# a mask may come after the softmax if the weights are divided by their sum
ANSWERS += [("attention", ATTENTION.format(**RIGHT | {
    "e": "scores.T - np.where(real, scores, -np.inf).max(axis=0)[:, None]",
    "p": "np.where(real.T, np.exp(np.minimum(e, 0)), 0); p = p / p.sum(axis=1, keepdims=True)",
}), IS_RIGHT)]
# the mask may be applied to the annotations, too
ANSWERS += [("attention", ATTENTION.format(**RIGHT).replace(
    "    u =", "    a = np.where(real[..., None], a, 0)\n    u ="), IS_RIGHT)]

BACKWARD = """def attention_backward(dcontext, cache, Wq, Wa, v):
    q, a, u, p = cache
    dp = {dp}
    de = {de}
    du = {du}
    dz = {dz}
    dq = {dq}
    da = {da}
    dWq = {dWq}
    dWa = {dWa}
    return {result}
"""
RIGHT_BACKWARD = {
    "dp": "np.einsum('ba,sba->bs', dcontext, a)", "de": "p * (dp - (p * dp).sum(axis=1, keepdims=True))",
    "du": "de.T[..., None] * v", "dz": "du * (1 - u**2)", "dq": "dz.sum(axis=0) @ Wq.T",
    "da": "p.T[..., None] * dcontext + dz @ Wa.T", "dWq": "q.T @ dz.sum(axis=0)",
    "dWa": "np.einsum('sba,sbk->ak', a, dz)",
    "result": "dq, da, dWq, dWa, dz.sum(axis=(0, 1)), np.einsum('bs,sbk->k', de, u)",
}
ANSWERS += answers("attention_backward", BACKWARD, RIGHT_BACKWARD, [
    ({"de": "p * dp"}, "de lacks the sum in (5)"),
    ({"de": "p * (dp + (p * dp).sum(axis=1, keepdims=True))"}, "has the wrong sign"),
    ({"de": "p * (dp - (p * dp).sum(axis=0))"}, "not over the mini-batch"),
    ({"de": "p * (dp - (p * dp).sum())"}, "not over all sources"),
    ({"de": "p * (dp - dp.sum(axis=1, keepdims=True))"}, "is weighted"),
    ({"de": "p * dp - (p * dp).sum(axis=1, keepdims=True)"}, "lacks the factor p[s]"),
    ({"de": "dp"}, "go through the softmax by (5)"),
    ({"de": "p * (1 - p) * dp"}, "by its own score only"),
    ({"dz": "du"}, "dz lacks the derivative of tanh"),
    ({"dz": "du * (1 - np.tanh(u) ** 2)"}, "u is already a tanh"),
    ({"dz": "du * u * (1 - u)"}, "u is a tanh, not a sigmoid"),
    ({"da": "p.T[..., None] * dcontext"}, "it lacks its part through the score"),
    ({"da": "dz @ Wa.T"}, "it lacks its part through the mean"),
    ({"da": "dcontext + dz @ Wa.T"}, "lacks the weights"),
    ({"dq": "dz[-1] @ Wq.T"}, "dq is wrong: it has only the last step"),
    ({"dq": "dz[0] @ Wq.T"}, "dq is wrong: it has only the first step"),
    ({"dq": "dz.mean(axis=0) @ Wq.T"}, "dq is wrong: it is a mean over the steps"),
    ({"dWq": "q.T @ dz[-1]"}, "dWq is wrong: it has only the last step"),
    ({"dq": "dz[-1] @ Wq.T", "dWq": "q.T @ dz[-1]"}, "dq and dWq have only the last step"),
    ({"dWa": "a[-1].T @ dz[-1]"}, "dWa is wrong: it has only the last step"),
    ({"du": "de.T[..., None] * u"}, "du is de times v, not times u"),
    ({"dp": "p * np.einsum('ba,sba->bs', dcontext, a)"}, "no weight p belongs there"),
    ({"dp": "2 * np.einsum('ba,sba->bs', dcontext, a)"}, "look at dp and de first"),
    ({"du": "2 * de.T[..., None] * v"}, "wrong, too; dv is right: look at du and dz"),
    ({"dWa": "2 * np.einsum('sba,sbk->ak', a, dz)"}, "of dWa is"),
    ({"dq": "dz @ Wq.T"}, "dq has the shape (5, 3, 2) where (3, 2) belongs"),
    ({"result": "dq, da"}, "must return (dq, da, dWq, dWa, db, dv); it returned 2 values"),
    ({"dz": "np.multiply(du, 1 - u**2, out=u)"}, "changed in place"),
])

TIME = """def over_time(step_backward, dh, caches, S):
    T, B, H = dh.shape
    dh_next, dc_next, da = np.zeros((B, H)), np.zeros((B, H)), 0
    for t in {steps}:
        dh_prev, dc_prev, dq, da_t = step_backward({dh}, {dc}, caches[t])
        dh_next = {dh_next}
        dc_next = {dc_next}
        da = {da}
    return {result}
"""
RIGHT_TIME = {
    "steps": "reversed(range(T))", "dh": "dh[t] + dh_next", "dc": "dc_next", "dh_next": "dh_prev + dq", "dc_next": "dc_prev",
    "da": "da + da_t", "result": "(dh_next, dc_next), da",
}
ANSWERS += answers("over_time", TIME, RIGHT_TIME, [
    ({"da": "da_t"}, "da is wrong: it is assigned in each step"),
    ({"da": "da_t if t == T - 1 else da"}, "da is wrong: it has only the last step of the target"),
    ({"da": "da + da_t / T"}, "da is wrong: it is a mean over the steps"),
    ({"dh_next": "dh_prev"}, "dq is lost"),
    ({"dh_next": "dq"}, "dh_prev is lost"),
    ({"dh_next": "dh_prev", "dc_next": "dc_prev + dq"}, "dq is added to dc_prev; "),
    ({"dc_next": "dc_prev + dq"}, "dq is added to dc_prev, too; "),
    ({"dh": "dh_next"}, "dh[t] is lost"),
    ({"dh": "dh[t]"}, "dh_next is lost"),
    ({"dc": "0 * dc_next"}, "dc_next is lost"),
    ({"steps": "range(T)"}, "the steps go forward"),
    ({"dh": "dh"}, "the shape of the dh of a step is (4, 3, 2) where (3, 2) belongs"),
    ({"dh": "0"}, "the dh of a step must be an array"),
    ({"result": "dh_next, dc_next, da"}, "it returned 3 values"),
    ({"result": "dh_next, da"}, "for (dh0, dc0) it returned one ndarray"),
    ({"result": "(dh_next, dc_next), da[0]"}, "da has the shape (3, 4) where (5, 3, 4) belongs"),
    ({"steps": "reversed(range(1, T))"}, "of dh0 is"),
])
