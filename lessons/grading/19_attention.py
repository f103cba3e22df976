"""19. Attention: grading."""

import numpy as np

from minilstm import reference
from minilstm.course import Task, check_array
from minilstm.course.mistakes import Solutions
from minilstm.reference.attention_lstm import AttentionLSTMWeights, attention_lstm_step, attention_lstm_step_backward

S, B, A, H, K, T = 5, 3, 4, 2, 6, 4  # T steps of the target
LENGTHS = np.array([S, 2, 1])
REAL = (np.arange(S)[:, None] < LENGTHS)[..., None]


def arguments(rng):
    """q, a, lengths, Wq, Wa, b and v; there is garbage at the padding of a."""
    q, a, Wq, Wa, b, v = (rng.normal(size=shape) for shape in ((B, H), (S, B, A), (H, K), (A, K), K, K))
    return q, a, LENGTHS, Wq, Wa, b, v


def large_scores(rng):
    *others, v = arguments(rng)
    return *others, 400 * v


def to_differentiate(rng):
    """dcontext, the cache, Wq, Wa and v."""
    q, a, lengths, Wq, Wa, b, v = arguments(rng)
    a = np.where(REAL, a, 0)
    _, u, p = Solutions.beside(__file__).right("attention")(q, a, lengths, Wq, Wa, b, v)
    return rng.normal(size=(B, A)), (q, a, u, p), Wq, Wa, v


def target(rng):
    """step_backward, dh, caches and S, of an LSTM with attention."""
    shapes = (2, 4 * H), (H, 4 * H), 4 * H, (A, 4 * H), (H, K), (A, K), K, K
    W = AttentionLSTMWeights(*(rng.normal(0, 0.7, shape) for shape in shapes))
    x, a, (h, c) = rng.normal(size=(T, B, 2)), np.where(REAL, rng.normal(size=(S, B, A)), 0), rng.normal(size=(2, B, H))
    caches, Wxc = [], np.vstack([W.Wx, W.Wc])
    for t in range(T):
        h, c, cache = attention_lstm_step(x[t], h, c, a, LENGTHS, W)
        caches.append(cache)

    def step_backward(dh, dc, cache):
        check_array("the dh of a step", dh, (B, H))
        check_array("the dc of a step", dc, (B, H))
        _, dh_prev, dc_prev, grads = attention_lstm_step_backward(dh, dc, cache, Wxc, W)
        dread = reference.lstm_step_backward(dh, dc, cache.lstm, Wxc, W.Wh)[0]
        dq = reference.attention_backward(dread[:, 2:], cache.attention, W.Wq, W.Wa, W.v)[0]
        return dh_prev - dq, dc_prev, dq, grads.a

    return step_backward, rng.normal(size=(T, B, H)), caches, S


OVER_BATCH = "softmax goes over the sequences of the mini-batch; it belongs over the steps of each source"
SUM = "(p * dp).sum(axis=1, keepdims=True)"
READ = "h_prev is read twice, by the LSTM and as the query, so dh_next is dh_prev + dq"
EVERY = "q is read at every step of the source, so sum over s"
BLANKS = 16  # in the exercise before it is filled in
TASKS = [
    Task(
        "attention",
        hints=(
            "Compute the scores for all steps, then set those of the padding to -np.inf, then softmax. Over which axis does"
            " softmax work, and what must this axis be?",
            "np.arange(S)[:, None] < lengths is True at the real steps, (S, B). u @ v has the shape (S, B), too;"
            " np.where(real, ..., -np.inf) puts -∞ at the padding. Transpose it to (B, S) for softmax. The context is a sum"
            " over s: np.einsum with \"bs,sba->ba\".",
        ),
        cases=lambda rng: [arguments(rng), arguments(rng), large_scores(rng)],
        returns=("context", "u", "p"),
        compared=lambda got, given: {  # u at the padding is free
            "u": np.where(REAL, got[1], 0), "p": got[2], "context": got[0]},
        mistakes={
            "u = q @ Wq + a @ Wa + b": "the tanh of (1) is missing",
            "u = np.tanh(q @ Wq + a @ Wa)": "the bias b is missing",
            "return context, u, p.T": "it is (S, B), and must be (B, S): transpose the scores, so that the last axis is the"
                " source's, over which softmax works",
            "e = (u @ v).T": "the padding has weight: without a mask, softmax gives every score a weight. Set the scores there"
                " to -np.inf first",
            "e = (u @ v).T; p = softmax(e) * real.T": "the weights are set to 0 after the softmax, so they sum to less than 1."
                " Set the scores to -np.inf before it",
            "-np.inf -> 0": "the scores of the padding are set to 0, and exp(0) is 1; -np.inf gives the weight 0",
            "e = u @ v; p = np.where(real, softmax(e), 0).T": OVER_BATCH,
            "-np.inf).T -> -np.inf); p = softmax(e).T": OVER_BATCH,
            "p = softmax(e.ravel()).reshape(e.shape)":
                "there is one softmax for the whole mini-batch; each sequence has its own",
            "-np.inf -> 0; p = e": "these are the scores; the softmax is missing",
            "< lengths -> <= lengths":
                "one step too many of each source is real: steps count from 0, so step s is real if s < length",
            "u @ v -> u.sum(axis=2)": "the scores lack v: (2) is a product with v",
            "p = real.T / lengths[:, None]": "all weights of a sequence are equal; use the scores",
            "return context / lengths[:, None], u, p": "it is divided by the length; the weights make it a mean already",
            "context = a.sum(axis=0)": "this is the plain sum of the annotations; weight each by its p",
            'context = np.einsum("bs,sba->ba", real.T / lengths[:, None], a)':
                "this is the plain mean of the annotations; weight each by its p",
        },
        not_finite="a large exponential overflowed, or all scores of a sequence are -inf. The given softmax subtracts the"
            " largest score",
        praise="the weights of each source sum to 1, and the padding has none",
    ),
    Task(
        "attention_backward",
        hints=(
            "Which variable is used more than once? q at every step of the source, and a[s] in (1) and in (4). What does that"
            " mean for dq and da?",
            "dp[s] is dcontext · a[s]. (5) is p times a bracket: dp minus its mean with weights p, along axis 1. du is de times"
            " v, with de transposed to (S, B) and one more axis. The tanh has 1 - u². dz.sum(axis=0) is what q Wq gets. da has"
            " two parts: p times dcontext, and dz Waᵀ.",
        ),
        cases=lambda rng: [to_differentiate(rng), to_differentiate(rng)],
        returns=("dq", "da", "dWq", "dWa", "db", "dv"),
        compared=lambda got, given: dict(zip(("dv", "db", "dq", "da", "dWq", "dWa"), (got[5], got[4], *got[:4]))),
        mistakes={
            "de = p * dp": "de lacks the sum in (5), -Σ_r p[r] dp[r]: if one weight grows, the others must shrink",
            f"dp - {SUM} -> dp + {SUM}": "the sum in (5) has the wrong sign: it is subtracted",
            "axis=1, keepdims -> axis=0, keepdims":
                "the sum in (5) is over the steps of each source, not over the mini-batch: axis 1",
            "(axis=1, keepdims=True) -> ()":
                "the sum in (5) is over the steps of each source, not over all sources: axis=1, keepdims=True",
            "(p * dp).sum -> dp.sum": "the sum in (5) is weighted: Σ_r p[r] dp[r], not Σ_r dp[r]",
            f"de = p * dp - {SUM}": "the sum in (5) lacks the factor p[s]: it is inside the bracket",
            "de = dp": "de is dp: go through the softmax by (5)",
            "de = p * (1 - p) * dp": "p (1 - p) is the derivative of p[s] by its own score only; each score changes all"
                " weights. Use (5)",
            "dz = du": "dz lacks the derivative of tanh, 1 - u²",
            "dz = du * (1 - np.tanh(u) ** 2)": "u is already a tanh: its derivative is 1 - u², not 1 - tanh²(u)",
            "dz = du * u * (1 - u)": "u is a tanh, not a sigmoid: its derivative is 1 - u², not u (1 - u)",
            " + dz @ Wa.T -> ": "it lacks its part through the score, dz Waᵀ: a is read in (1), too",
            "da = dz @ Wa.T": "it lacks its part through the mean, p[s] dcontext: a is read in (4), too",
            "da = dcontext + dz @ Wa.T": "the part through the mean lacks the weights: it is p[s] dcontext",
            "dq = dz[-1] @ Wq.T; dWq = q.T @ dz[-1]": f"dq and dWq have only the last step: {EVERY}",
            "dq = dz[-1] @ Wq.T": f"it has only the last step: {EVERY}",
            "dq = dz[0] @ Wq.T": f"it has only the first step: {EVERY}",
            "dq = dz.mean(axis=0) @ Wq.T": "it is a mean over the steps of the source; it must be a sum",
            "dWq = q.T @ dz[-1]": "it has only the last step: q Wq is read at every step of the source, so sum over s",
            "dWa = a[-1].T @ dz[-1]": "it has only the last step of the source; sum over s",
            ":, None] * v -> :, None] * u": "du is de times v, not times u",
            'dp = p * np.einsum("ba,sba->bs", dcontext, a)':
                "dp is dcontext · a[s], and no weight p belongs there: p comes in by (5)",
        },
        advice={"dv": "look at dp and de first, because all other gradients use them", "db": "dv is right: look at du and dz"},
        praise="all six gradients equal those of reference.attention_backward",
    ),
    Task(
        "over_time",
        hints=(
            "Backward through time as in lesson 5, with two additions: dq belongs to the same h_prev as dh_prev, and each step"
            " adds to da.",
            "Begin with three arrays of zeros; da may be np.zeros or the number 0. Go from T - 1 down to 0. Call step_backward"
            " with dh[t] + dh_next, dc_next and caches[t]. The new dh_next is a sum of two of its results. da grows in each"
            " step.",
        ),
        cases=lambda rng: [target(rng), target(rng)],
        returns=(("dh0", "dc0"), "da"),
        mistakes={
            "da = da_t": "it is assigned in each step, so only the first step of the target is left; every step reads the"
                " annotations: add up",
            "da = da_t if t == T - 1 else da":
                "it has only the last step of the target; every step reads the annotations: add up",
            "da = da + da_t / T": "it is a mean over the steps; it must be a sum",
            "dh_next = dh_prev": f"dq is lost: {READ}",
            "dh_next = dq": f"dh_prev is lost: {READ}",
            "dh_next = dh_prev + dq -> dh_next, dc_next = dh_prev, dc_next + dq":
                "dq is added to dc_prev; the query is h_prev, so it belongs to dh_prev",
            "dh_next = dh_prev + dq -> dh_next, dc_next = dh_prev + dq, dc_next + dq":
                "dq is added to dc_prev, too; the query is h_prev, so it belongs to dh_prev alone",
            "dh[t] + dh_next -> dh_next": "dh[t] is lost: h[t] is an output, and the next step reads it, too",
            "dh[t] + dh_next -> dh[t]": "dh_next is lost: h[t] is an output, and the next step reads it, too",
            "dh_next, dc_next, caches[t] -> dh_next, 0 * dc_next, caches[t]": "dc_next is lost: the next step reads c[t]",
            "reversed(range(T)) -> range(T)": "the steps go forward; backward begins with the last one",
        },
        praise=f"da is a sum over {T} steps of the target, and h_prev gets both of its gradients",
    ),
]  # fmt: skip
