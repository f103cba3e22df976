"""19. Attention: grading."""

from types import SimpleNamespace

import numpy as np

from minilstm import reference
from minilstm.course import Task, Wrong, check_array, same
from minilstm.reference.attention_lstm import AttentionLSTMWeights, attention_lstm_step, attention_lstm_step_backward
from minilstm.reference.functions import softmax
from minilstm.verify import contracts

NAMES = ("q", "a", "lengths", "Wq", "Wa", "b", "v")


def case(seed, S=5, B=3, A=4, H=2, K=6):
    """Random arguments of attention, by name; there is garbage at the padding."""
    rng = np.random.default_rng(seed)
    shapes = {"q": (B, H), "a": (S, B, A), "Wq": (H, K), "Wa": (A, K), "b": (K,), "v": (K,)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()} | {"lengths": np.array([S, 2, 1][:B])}


def forward(q, a, lengths, Wq, Wa, b, v, change=""):
    """(context, u, p); a change is a mistake."""
    real = (np.arange(len(a))[:, None] <= lengths if change == "one more" else np.arange(len(a))[:, None] < lengths).T
    z = q @ Wq + a @ Wa + (0 if change == "no bias" else b)
    u = z if change == "no tanh" else np.tanh(z)
    scores = ((1 if change == "no v" else v) * u).sum(axis=2).T  # (B, S)
    e = np.where(real, scores, 0 if change == "score 0" else -np.inf)
    p = softmax(e)
    if change in ("no mask", "mask after"):
        p = softmax(scores) * (real if change == "mask after" else 1)
    if change == "over the batch":
        p = np.where(real, softmax(scores.T).T, 0)
    if change == "over all":
        p = softmax(e.ravel()).reshape(e.shape)
    if change == "no softmax":
        p = np.where(real, scores, 0)
    if change == "uniform":
        p = real / real.sum(axis=1, keepdims=True)
    context = np.einsum("bs,sba->ba", p, a)
    return context / lengths[:, None] if change == "mean" else context, u, p


OF_P = {
    "the padding has weight: without a mask, softmax gives every score a weight. Set the scores there to -np.inf first":
        "no mask",
    "the weights are set to 0 after the softmax, so they sum to less than 1. Set the scores to -np.inf before it":
        "mask after",
    "the scores of the padding are set to 0, and exp(0) is 1; -np.inf gives the weight 0": "score 0",
    "softmax goes over the sequences of the mini-batch; it belongs over the steps of each source": "over the batch",
    "there is one softmax for the whole mini-batch; each sequence has its own": "over all",
    "these are the scores; the softmax is missing": "no softmax",
    "one step too many of each source is real: steps count from 0, so step s is real if s < length": "one more",
    "the scores lack v: (2) is a product with v": "no v",
    "all weights of a sequence are equal; use the scores": "uniform",
}  # fmt: skip


def attention(yours):
    for seed, scale in ((0, 1), (1, 1), (2, 400)):
        given = case(seed)
        given["v"] *= scale  # large scores, too
        got = yours(*[given[name] for name in NAMES])
        contracts.unpack(got, 3, "attention must return three arrays: (context, u, p)")
        context, u, p = forward(**given)
        real = np.arange(len(u))[:, None] < given["lengths"]
        B, S = p.shape
        check_array("u", got[1], u.shape)
        # where the mask is put must not matter: u at the padding is free
        same("u", np.where(real[..., None], got[1], 0), np.where(real[..., None], u, 0), {
            "the tanh of (1) is missing": np.where(real[..., None], forward(**given, change="no tanh")[1], 0),
            "the bias b is missing": np.where(real[..., None], forward(**given, change="no bias")[1], 0),
        })  # fmt: skip
        if np.shape(got[2]) == (S, B):
            raise Wrong(f"p has the shape {(S, B)}, and must be {(B, S)}: transpose the scores, so that the last axis is the"
                        " source's, over which softmax works")  # fmt: skip
        if np.shape(got[2]) == p.shape and np.isnan(got[2]).any():
            raise Wrong("p has NaN in it: a large exponential overflowed, or all scores of a sequence are -inf. The given"
                        " softmax subtracts the largest score")  # fmt: skip
        changed = {sentence: forward(**given, change=change) for sentence, change in OF_P.items()}
        same("p", got[2], p, {sentence: wrong[2] for sentence, wrong in changed.items()})
        same("context", got[0], context, {
            "it is divided by the length; the weights make it a mean already": forward(**given, change="mean")[0],
            "this is the plain sum of the annotations; weight each by its p": given["a"].sum(axis=0),
            "this is the plain mean of the annotations; weight each by its p": forward(**given, change="uniform")[0],
        })  # fmt: skip
    return "the weights of each source sum to 1, and the padding has none"


LINES = {
    "dp": lambda v: np.einsum("ba,sba->bs", v.dcontext, v.a),
    "de": lambda v: v.p * (v.dp - (v.p * v.dp).sum(axis=1, keepdims=True)),
    "du": lambda v: v.de.T[..., None] * v.v,
    "dz": lambda v: v.du * (1 - v.u**2),
    "dq": lambda v: v.dz.sum(axis=0) @ v.Wq.T,
    "da": lambda v: mean_part(v) + v.dz @ v.Wa.T,
    "dWq": lambda v: v.q.T @ v.dz.sum(axis=0),
    "dWa": lambda v: np.einsum("sba,sbk->ak", v.a, v.dz),
    "db": lambda v: v.dz.sum(axis=(0, 1)),
    "dv": lambda v: np.einsum("bs,sbk->k", v.de, v.u),
}
RETURNED = ("dq", "da", "dWq", "dWa", "db", "dv")
mean_part = lambda v: v.p.T[..., None] * v.dcontext
MISTAKES = {
    "de lacks the sum in (5), -Σ_r p[r] dp[r]: if one weight grows, the others must shrink": {"de": lambda v: v.p * v.dp},
    "the sum in (5) has the wrong sign: it is subtracted": {
        "de": lambda v: v.p * (v.dp + (v.p * v.dp).sum(axis=1, keepdims=True))},
    "the sum in (5) is over the steps of each source, not over the mini-batch: axis 1": {
        "de": lambda v: v.p * (v.dp - (v.p * v.dp).sum(axis=0, keepdims=True))},
    "the sum in (5) is over the steps of each source, not over all sources: axis=1, keepdims=True": {
        "de": lambda v: v.p * (v.dp - (v.p * v.dp).sum())},
    "the sum in (5) is weighted: Σ_r p[r] dp[r], not Σ_r dp[r]": {
        "de": lambda v: v.p * (v.dp - v.dp.sum(axis=1, keepdims=True))},
    "the sum in (5) lacks the factor p[s]: it is inside the bracket": {
        "de": lambda v: v.p * v.dp - (v.p * v.dp).sum(axis=1, keepdims=True)},
    "de is dp: go through the softmax by (5)": {"de": lambda v: v.dp},
    "p (1 - p) is the derivative of p[s] by its own score only; each score changes all weights. Use (5)": {
        "de": lambda v: v.p * (1 - v.p) * v.dp},
    "dz lacks the derivative of tanh, 1 - u²": {"dz": lambda v: v.du},
    "u is already a tanh: its derivative is 1 - u², not 1 - tanh²(u)": {"dz": lambda v: v.du * (1 - np.tanh(v.u) ** 2)},
    "u is a tanh, not a sigmoid: its derivative is 1 - u², not u (1 - u)": {"dz": lambda v: v.du * v.u * (1 - v.u)},
    "da lacks its part through the score, dz Waᵀ: a is read in (1), too": {"da": mean_part},
    "da lacks its part through the mean, p[s] dcontext: a is read in (4), too": {"da": lambda v: v.dz @ v.Wa.T},
    "in da the part through the mean lacks the weights: it is p[s] dcontext": {
        "da": lambda v: v.dcontext + v.dz @ v.Wa.T},
    "dq has only the last step: q is read at every step of the source, so sum over s": {"dq": lambda v: v.dz[-1] @ v.Wq.T},
    "dq has only the first step: q is read at every step of the source, so sum over s": {"dq": lambda v: v.dz[0] @ v.Wq.T},
    "dq is a mean over the steps of the source; it must be a sum": {"dq": lambda v: v.dz.mean(axis=0) @ v.Wq.T},
    "dWq has only the last step: q Wq is read at every step of the source, so sum over s": {
        "dWq": lambda v: v.q.T @ v.dz[-1]},
    "dq and dWq have only the last step: q is read at every step of the source, so sum over s": {
        "dq": lambda v: v.dz[-1] @ v.Wq.T, "dWq": lambda v: v.q.T @ v.dz[-1]},
    "dWa has only the last step of the source; sum over s": {"dWa": lambda v: v.a[-1].T @ v.dz[-1]},
    "du is de times v, not times u": {"du": lambda v: v.de.T[..., None] * v.u},
    "dp is dcontext · a[s], and no weight p belongs there: p comes in by (5)": {
        "dp": lambda v: v.p * np.einsum("ba,sba->bs", v.dcontext, v.a)},
}  # fmt: skip


def gradients(given, changed={}):
    """All six gradients by the lines above, some of them changed."""
    v = SimpleNamespace(**given)
    for name, line in (LINES | changed).items():
        setattr(v, name, line(v))
    return [getattr(v, name) for name in RETURNED]


def attention_backward(yours):
    for seed in (0, 1):
        given = case(seed)
        given["a"] = np.where((np.arange(5)[:, None] < given["lengths"])[..., None], given["a"], 0)
        _, given["u"], given["p"] = forward(**given)
        given["dcontext"] = np.random.default_rng(seed + 9).normal(size=given["a"].shape[1:])
        right = gradients(given)
        cache = tuple(given[name].copy() for name in ("q", "a", "u", "p"))
        got = yours(given["dcontext"], cache, given["Wq"], given["Wa"], given["v"])
        contracts.unpack(got, 6, "attention_backward must return six arrays: (dq, da, dWq, dWa, db, dv)")
        for name, array, wanted in zip(RETURNED, got, right):
            same(f"the shape of {name}", np.shape(array), wanted.shape)
        for sentence, changed in MISTAKES.items():
            if all(np.allclose(mine, wrong, rtol=1e-9) for mine, wrong in zip(got, gradients(given, changed))):
                raise Wrong(sentence)
        if not np.allclose(got[5], right[5], rtol=1e-9):
            raise Wrong("dv is wrong: look at dp and de first, because all other gradients use them")
        if not np.allclose(got[4], right[4], rtol=1e-9):
            raise Wrong("dv is right, and db is wrong: look at du and dz")
        for name, array, wanted in zip(RETURNED, got, right):
            same(name, array, wanted)
    return "all six gradients equal those of reference.attention_backward"


T, S, B, A, H = 4, 5, 3, 2, 3


def time_case(seed):
    """A function step_backward, dh, caches, weights and the cache of the reference."""
    rng = np.random.default_rng(seed)
    shapes = ((2, 4 * H), (H, 4 * H), (4 * H,), (A, 4 * H), (H, 4), (A, 4), (4,), (4,))
    W = AttentionLSTMWeights(*(rng.normal(0, 0.7, shape) for shape in shapes))
    x, a, state = rng.normal(size=(T, B, 2)), rng.normal(size=(S, B, A)), (rng.normal(size=(B, H)), rng.normal(size=(B, H)))
    lengths = np.array([S, 2, 3])
    a = np.where((np.arange(S)[:, None] < lengths)[..., None], a, 0)
    caches, Wxc = [], np.vstack([W.Wx, W.Wc])
    h, c = state
    for t in range(T):
        h, c, cache = attention_lstm_step(x[t], h, c, a, lengths, W)
        caches.append(cache)

    def step_backward(dh, dc, cache):
        check_array("the dh of a step", dh, (B, H))
        check_array("the dc of a step", dc, (B, H))
        _, dh_prev, dc_prev, grads = attention_lstm_step_backward(dh, dc, cache, Wxc, W)
        dread = reference.lstm_step_backward(dh, dc, cache.lstm, Wxc, W.Wh)[0]
        dq = reference.attention_backward(dread[:, 2:], cache.attention, W.Wq, W.Wa, W.v)[0]
        return dh_prev - dq, dc_prev, dq, grads.a

    return step_backward, rng.normal(size=(T, B, H)), caches


def through_time(step_backward, dh, caches, change=""):
    """((dh0, dc0), da); a change is a mistake."""
    dh_next, dc_next, da = np.zeros((B, H)), np.zeros((B, H)), np.zeros((S, B, A))
    for t in range(T) if change == "forward" else reversed(range(T)):
        total = {"no output": dh_next, "no next": dh[t]}.get(change, dh[t] + dh_next)
        dh_prev, dc_prev, dq, da_t = step_backward(total, 0 * dc_next if change == "no c" else dc_next, caches[t])
        dh_next = {"no query": dh_prev, "query to c": dh_prev, "query alone": dq}.get(change, dh_prev + dq)
        dc_next = dc_prev + dq if change in ("query to c", "query to both") else dc_prev
        keep = change == "assigned" or change == "last" and t == T - 1
        da = da_t if keep else da if change == "last" else da + da_t
    return (dh_next, dc_next), da / T if change == "mean" else da


OVER_TIME = {
    "da is assigned in each step, so only the first step of the target is left; every step reads the annotations: add up":
        "assigned",
    "da has only the last step of the target; every step reads the annotations: add up": "last",
    "da is a mean over the steps; it must be a sum": "mean",
    "dq is lost: h_prev is read twice, by the LSTM and as the query, so dh_next is dh_prev + dq": "no query",
    "dh_prev is lost: h_prev is read twice, by the LSTM and as the query, so dh_next is dh_prev + dq": "query alone",
    "dq is added to dc_prev; the query is h_prev, so it belongs to dh_prev": "query to c",
    "dq is added to dc_prev, too; the query is h_prev, so it belongs to dh_prev alone": "query to both",
    "dh[t] is lost: h[t] is an output, and the next step reads it, too": "no output",
    "dh_next is lost: h[t] is an output, and the next step reads it, too": "no next",
    "dc_next is lost: the next step reads c[t]": "no c",
    "the steps go forward; backward begins with the last one": "forward",
}  # fmt: skip


def over_time(yours):
    for seed in (0, 1):
        step_backward, dh, caches = time_case(seed)
        got = yours(step_backward, dh, caches, S)
        contracts.unpack(got, 2, "over_time must return two things: (dstate, da), where dstate is (dh0, dc0)")
        contracts.unpack(got[0], 2, "dstate must be a pair (dh0, dc0)")
        right = through_time(step_backward, dh, caches)
        mine = (*got[0], got[1])
        for name, array, wanted in zip(("dh0", "dc0", "da"), mine, (*right[0], right[1])):
            same(f"the shape of {name}", np.shape(array), wanted.shape)
        for sentence, change in OVER_TIME.items():
            (dh0, dc0), da = through_time(step_backward, dh, caches, change)
            if all(np.allclose(one, other, rtol=1e-9) for one, other in zip(mine, (dh0, dc0, da))):
                raise Wrong(sentence)
        for name, array, wanted in zip(("dh0", "dc0", "da"), mine, (*right[0], right[1])):
            same(name, array, wanted)
    return f"da is a sum over {T} steps of the target, and h_prev gets both of its gradients"


BLANKS = 16  # in the exercise before it is filled in
TASKS = [
    Task("attention", attention, (
        "Compute the scores for all steps, then set those of the padding to -np.inf, then softmax. Over which axis does"
        " softmax work, and what must this axis be?",
        "np.arange(S)[:, None] < lengths is True at the real steps, (S, B). u @ v has the shape (S, B), too;"
        " np.where(real, ..., -np.inf) puts -∞ at the padding. Transpose it to (B, S) for softmax. The context is a sum over"
        " s: np.einsum with \"bs,sba->ba\".",
    )),
    Task("attention_backward", attention_backward, (
        "Which variable is used more than once? q at every step of the source, and a[s] in (1) and in (4). What does that"
        " mean for dq and da?",
        "dp[s] is dcontext · a[s]. (5) is p times a bracket: dp minus its mean with weights p, along axis 1. du is de times v,"
        " with de transposed to (S, B) and one more axis. The tanh has 1 - u². dz.sum(axis=0) is what q Wq gets. da has two"
        " parts: p times dcontext, and dz Waᵀ.",
    )),
    Task("over_time", over_time, (
        "Backward through time as in lesson 5, with two additions: dq belongs to the same h_prev as dh_prev, and each step"
        " adds to da.",
        "Begin with three arrays of zeros; da may be np.zeros or the number 0. Go from T - 1 down to 0. Call step_backward"
        " with dh[t] + dh_next, dc_next and caches[t]. The new dh_next is a sum of two of its results. da grows in each step.",
    )),
]  # fmt: skip
