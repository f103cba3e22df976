"""16. Many to one: grading."""

import warnings

import numpy as np

from minilstm.course import Task, Wrong, same
from minilstm.reference.functions import log_sum_exp, softmax
from minilstm.reference.padding import clear_padding, real_steps
from minilstm.reference.pooling import pool_forward
from minilstm.reference.sequence import lstm_sequence
from minilstm.verify import contracts

T, B, H = 6, 4, 3
LENGTHS = np.array([6, 3, 1, 4])


def states(rng, padding=None):
    """Hidden states, below -0.1 in one unit, and what stands at the padding."""
    h = rng.uniform(-0.9, 0.9, (T, B, H))
    h[..., 0] = rng.uniform(-0.9, -0.1, (T, B))
    return h if padding is None else np.where(real_steps(T, LENGTHS)[..., None], h, padding)


def wrong_pools(h, kind):
    """The vectors of common mistakes, by their messages."""
    b, zeros = np.arange(B), clear_padding(h, LENGTHS)
    last = h[LENGTHS - 1, b]
    if kind == "last":
        return {
            "this is h[-1], the last step of the array; of a shorter sequence it is padding. Its last real step is lengths - 1":
                h[-1],
            "this is h at step lengths, the first step of the padding; steps count from 0, so the last real one is lengths - 1":
                h[np.minimum(LENGTHS, T - 1), b],
            "this is one step too early; the last real step is lengths - 1": h[LENGTHS - 2, b],
            "this is the first step": h[0],
            "the last real step of the longest sequence is used for all": h[LENGTHS.max() - 1],
        }  # fmt: skip
    if kind == "mean":
        return {
            "it is the mean over T; the sum must be divided by the length of each sequence": zeros.sum(axis=0) / T,
            "the padding is in the sum, and it is divided by T; both must be of the real steps only": h.mean(axis=0),
            "the padding is in the sum": h.sum(axis=0) / LENGTHS[:, None],
            "it is the sum; divide it by the lengths": zeros.sum(axis=0),
            "it is divided by the number of all real steps; each sequence has its own length":
                zeros.sum(axis=0) / LENGTHS.sum(),
            "one step too many of each sequence is in the sum: step t is real if t < length":
                clear_padding(h, LENGTHS + 1).sum(axis=0) / LENGTHS[:, None],
        }  # fmt: skip
    return {
        "the padding takes part in the maximum": h.max(axis=0),
        "there are zeros at the padding, and 0 is more than a negative state; put -inf there": zeros.max(axis=0),
        "it is the maximum of the sizes |h|; the maximum of h belongs there": np.abs(zeros).max(axis=0),
        "this is the last real step": last,
    }


def pool(yours):
    rng = np.random.default_rng(0)
    for padding in (None, 5.0, np.nan):
        h = states(rng, padding)
        for kind in ("last", "mean", "max"):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                got = np.asarray(yours(h, LENGTHS, kind))
            right, _ = pool_forward(h, LENGTHS, kind)
            name = f"pool(…, {kind!r})"
            if got.shape == (H,):
                raise Wrong(f"{name} is one vector for the whole mini-batch; each sequence needs its own")
            if got.shape == (B, B, H):
                raise Wrong(f"{name} has all pairs of steps and sequences: h[lengths - 1] takes whole rows. Index both axes at"
                            " once, with lengths - 1 and np.arange(B)")  # fmt: skip
            if got.shape == right.shape and np.isnan(got.astype(float)).any():
                raise Wrong(f"{name} has nan in it, because nan stands at the padding: 0 times nan is nan. Use np.where, or"
                            " take the real steps only")  # fmt: skip
            same(name, got, right, wrong_pools(h, kind))
    return "all three depend on the real steps alone, whatever stands at the padding"


def loss_and_gradients(yours):
    rng = np.random.default_rng(1)
    C, b_ = 5, np.arange(B)
    h, W, b = rng.normal(size=(T, B, H)), rng.normal(size=(H, C)), rng.normal(size=C)
    labels = np.array([3, 0, 4, 1])
    got = yours(h, LENGTHS, labels, W, b)
    contracts.unpack(got, 4, "loss_and_gradients must return four things: (loss, dh, dW, db)")

    def right(at=LENGTHS - 1, scale=1 / B):
        y = h[at, b_]
        a = y @ W + b
        losses = log_sum_exp(a)[:, 0] - a[b_, labels]
        da = (softmax(a) - np.eye(C)[labels]) * scale
        return losses, da, y

    losses, da, y = right()
    wrong, da_last, y_last = right(at=-1)
    same("the shape of the loss", np.shape(got[0]), ())
    same("the loss", got[0], losses.mean(), {
        "y is h[-1], the last step of the array; of a shorter sequence it is padding": wrong.mean(),
        "y is h at step lengths, the first step of the padding": right(at=np.minimum(LENGTHS, T - 1))[0].mean(),
        "it is a sum; divide it by B, the number of sequences": losses.sum(),
        "it is divided by the number of real steps; there is one loss for each sequence, so divide by B":
            losses.sum() / LENGTHS.sum(),
        "the sign: a cross-entropy is minus the logarithm of a probability": -losses.mean(),
        "it is in bits": losses.mean() / np.log(2),
    })  # fmt: skip

    def placed(at, da=da, fill=None):
        dh = np.zeros_like(h) if fill is None else np.zeros_like(h) + fill
        dh[at, b_] = da @ W.T
        return dh

    everywhere = np.zeros_like(h) + da @ W.T
    real = real_steps(T, LENGTHS)[..., None]
    all_labels = softmax(y @ W + b)
    all_labels[:, labels] -= 1
    gradients = {
        "da is not divided by B; the loss is a mean over the sequences": da * B,
        "da is divided by the number of real steps; the loss is a mean over B sequences": da * B / LENGTHS.sum(),
        "da is divided by B twice": da / B,
        "the sign: da is p - y, not y - p": -da,
        "da is p; subtract 1 at each sequence's label": softmax(y @ W + b) / B,
        "da[:, labels] subtracts 1 in all rows; each row has its own label: da[np.arange(B), labels]": all_labels / B,
    }
    same("dh", got[1], placed(LENGTHS - 1), {
        "it is written to the last step of the array; y was taken from the last real step, and its gradient belongs there":
            placed(-1),
        "it is written to step lengths, the first step of the padding": placed(np.minimum(LENGTHS, T - 1)),
        "every step gets the gradient of y; only the last real step acts on the loss": everywhere,
        "every real step gets the gradient of y; only the last real one acts on the loss": everywhere * real,
        "it is spread over the real steps, as for a mean; y is the last real step alone": everywhere * real / LENGTHS[:, None],
        "it is still zero: write da Wᵀ at the last real steps": np.zeros_like(h),
    } | {message: placed(LENGTHS - 1, wrong) for message, wrong in gradients.items()})  # fmt: skip
    same("dW", got[2], y.T @ da, {
        "it has h[-1] instead of y": y_last.T @ da,
        "it is a mean over the mini-batch; it must be a sum, da has the division": y.T @ da / B,
        "it has h summed over all steps; only y went into the logits": h.sum(axis=0).T @ da,
    } | {message: y.T @ wrong for message, wrong in gradients.items()})  # fmt: skip
    same("db", got[3], da.sum(axis=0), {
        "it is a mean over the mini-batch; it must be a sum, da has the division": da.mean(axis=0),
    } | {message: wrong.sum(axis=0) for message, wrong in gradients.items()})  # fmt: skip
    return "the loss is a mean over the sequences, and only the last real steps have a gradient"


def both_directions(yours):
    rng = np.random.default_rng(2)
    D = 2
    x = rng.normal(size=(T, B, D))
    calls = {"forward": [], "backward": []}
    layers = {}
    for name in calls:
        W = [rng.normal(size=shape) for shape in ((D, 4 * H), (H, 4 * H), (4 * H,))]

        def layer(x, W=W, name=name):
            x = np.asarray(x, float)
            calls[name].append(x.copy())
            return lstm_sequence(x, (np.zeros((x.shape[1], H)),) * 2, *W)[0]

        layers[name] = layer
    got = yours(layers["forward"], layers["backward"], x, LENGTHS)
    contracts.unpack(got, 2, "both_directions must return two arrays: (h, final)")
    for name, called in calls.items():
        if not called:
            raise Wrong(f"{name} is never called; each direction is a layer of its own")
    t, b = np.arange(T)[:, None], np.arange(B)
    turn = np.where(t < LENGTHS, LENGTHS - 1 - t, t)
    forward, backward = layers["forward"], layers["backward"]
    from_padding = backward(x[::-1])
    h_f, h_r = forward(x), backward(x[turn, b])[turn, b]
    real = real_steps(T, LENGTHS)[..., None]
    join = lambda first, second: np.concatenate([first, second], axis=-1)
    right = join(h_f, h_r)
    h = np.asarray(got[0])
    same("the shape of h", h.shape, (T, B, 2 * H))
    same("h at the real steps", np.where(real, h, 0), np.where(real, right, 0), {
        message: np.where(real, wrong, 0) for message, wrong in {
            "the reverse direction begins in the padding: x[::-1] reverses the whole array. Reverse each sequence within its"
            " own length": join(h_f, from_padding[::-1]),
            "the reverse direction begins in the padding, and its result is not reversed back": join(h_f, from_padding),
            "the result of the reverse direction is not reversed back: at step t it must have read x[t] last":
                join(h_f, backward(x[turn, b])),
            "the reverse direction reads each sequence in its own length, but its result is reversed in the whole array":
                join(h_f, backward(x[turn, b])[::-1]),
            "the reverse direction reads x from step 0 on; reverse it before": join(h_f, backward(x)),
            "the reverse direction is reversed in its units, not in time": join(h_f, backward(x)[..., ::-1]),
            "the two directions are exchanged: the forward one comes first": join(h_r, h_f),
            "the two layers are exchanged: `backward` is that of the reverse direction":
                join(backward(x), forward(x[turn, b])[turn, b]),
            "both directions use the layer `forward`": join(h_f, forward(x[turn, b])[turn, b]),
            "one step too many is reversed: the last real step is lengths - 1":
                join(h_f, backward(x[np.where(t <= LENGTHS, LENGTHS - t, t).clip(max=T - 1), b])[
                    np.where(t <= LENGTHS, LENGTHS - t, t).clip(max=T - 1), b]),
        }.items()
    })  # fmt: skip
    last = LENGTHS - 1
    same("final", got[1], join(h_f[last, b], h_r[0]), {
        "the reverse direction is taken at the last real step, where it has read one token only. It has read all at step 0":
            join(h_f[last, b], h_r[last, b]),
        "both directions are taken at the last step of the array; of a shorter sequence it is padding": right[-1],
        "the forward direction is taken at the last step of the array; of a shorter sequence it is padding":
            join(h_f[-1], h_r[0]),
        "the forward direction is taken at step 0; it has read all at the last real step": right[0],
        "the reverse direction is taken from the end of what `backward` returned, which is padding for a shorter sequence":
            join(h_f[last, b], backward(x[turn, b])[-1]),
        "the two directions are exchanged: the forward one comes first": join(h_r[0], h_f[last, b]),
    })  # fmt: skip
    return "each direction begins at its own end of each sequence, and final has read all of it"


BLANKS = 14  # in the exercise before it is filled in
TASKS = [
    Task("pool", pool, (
        "Step t of sequence b is real if t < lengths[b]. Compare a column of steps with a row of lengths, and add an axis for"
        " the units.",
        "Last: index h with lengths - 1 and np.arange(B), both at once. Mean: zeros where it is not real, summed over time,"
        " divided by lengths[:, None]. Max: what stands at the padding must be less than every state; -np.inf is.",
    )),
    Task("loss_and_gradients", loss_and_gradients, (
        "y is one row of h for each sequence, as in task 1. Then the loss and its gradient are those of lesson 8, with B"
        " sequences instead of N tokens. Where did y come from? Its gradient goes back to the same places.",
        "The loss is the mean of log_sum_exp(a)[:, 0] minus the logit of each row's label. da is softmax(a), minus 1 at the"
        " labels, divided by B. Then dh is zero but at (lengths - 1, np.arange(B)), where da Wᵀ belongs. dW and db are sums"
        " over the sequences.",
    )),
    Task("both_directions", both_directions, (
        "Which step of sequence b comes at step t, if the sequence is reversed within its own length n? Step n - 1 - t, while"
        " t < n. The padding may stay where it is.",
        "Make an array (T, B) of these steps by np.where. Index x with it and with np.arange(B), let backward read that, and"
        " index the result in the same way. The forward direction has read all at lengths - 1, the reverse direction at"
        " step 0.",
    )),
]  # fmt: skip
