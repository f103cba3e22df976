"""16. Many to one: grading."""

import numpy as np

from minilstm.course import Task, Wrong
from minilstm.reference.sequence import lstm_sequence

T, B, D, H, C = 6, 4, 2, 3, 5
LENGTHS = np.array([6, 3, 1, 4])
REAL = (np.arange(T)[:, None] < LENGTHS)[..., None]


def states(rng):
    """h, lengths and kind, with each kind of padding; h is below -0.1 in one unit."""
    for padding in (None, 5.0, np.nan):
        h = rng.uniform(-0.9, 0.9, (T, B, H))
        h[..., 0] = rng.uniform(-0.9, -0.1, (T, B))
        for kind in ("last", "mean", "max"):
            yield h if padding is None else np.where(REAL, h, padding), LENGTHS, kind


def labelled(rng):
    return [(rng.normal(size=(T, B, H)), LENGTHS, np.array([3, 0, 4, 1]), rng.normal(size=(H, C)), rng.normal(size=C))]


class Layer:
    """An LSTM, which notes whether it was called."""

    def __init__(self, rng):
        self.weights = [rng.normal(size=shape) for shape in ((D, 4 * H), (H, 4 * H), (4 * H,))]
        self.called = False

    def __call__(self, x):
        self.called = True
        return lstm_sequence(np.asarray(x, float), (np.zeros((x.shape[1], H)),) * 2, *self.weights)[0]


def of_both(got, given):
    for name in ("forward", "backward"):
        if not given[name].called:
            raise Wrong(f"{name} is never called; each direction is a layer of its own")
    return {"h at the real steps": np.where(REAL, got[0], 0), "final": got[1]}


LAST, MEAN, MAX = "h[lengths - 1, np.arange(B)]", "np.where(real, h, 0)", "np.where(real, h, -np.inf)"
PADDED = "0 times nan is nan, because nan stands at the padding. Use np.where, or take the real steps only"
ONE_VECTOR = "it is one vector for the whole mini-batch; each sequence needs its own"
DH = "dh[lengths - 1, rows] = da @ W.T"
FINAL = "[h_forward[lengths - 1, b], h_reverse[0]]"
BLANKS = 14  # in the exercise before it is filled in
TASKS = [
    Task(
        "pool",
        hints=(
            "Step t of sequence b is real if t < lengths[b]. Compare a column of steps with a row of lengths, and add an axis"
            " for the units.",
            "Last: index h with lengths - 1 and np.arange(B), both at once. Mean: zeros where it is not real, summed over time,"
            " divided by lengths[:, None]. Max: what stands at the padding must be less than every state; -np.inf is.",
        ),
        cases=states,
        compared=lambda y, given: {f"pool(…, {given['kind']!r})": y},
        mistakes={
            f"{LAST} -> h[-1]": "this is h[-1], the last step of the array; of a shorter sequence it is padding. Its last real"
                " step is lengths - 1",
            f"{LAST} -> h[np.minimum(lengths, T - 1), np.arange(B)]": "this is h at step lengths, the first step of the"
                " padding; steps count from 0, so the last real one is lengths - 1",
            f"{LAST} -> h[lengths - 2, np.arange(B)]": "this is one step too early; the last real step is lengths - 1",
            f"{LAST} -> h[0]": "this is the first step",
            f"{LAST} -> h[lengths - 1]": "it has all pairs of steps and sequences: h[lengths - 1] takes whole rows. Index both"
                " axes at once, with lengths - 1 and np.arange(B)",
            f"{LAST} -> h[lengths[0] - 1, 0]": ONE_VECTOR,
            " / lengths[:, None] -> / T": "it is the mean over T; the sum must be divided by the length of each sequence",
            f"{MEAN}.sum(axis=0) / lengths[:, None] -> h.mean(axis=0)":
                "the padding is in the sum, and it is divided by T; both must be of the real steps only",
            f"{MEAN} -> h": "the padding is in the sum",
            " / lengths[:, None] -> ": "it is the sum; divide it by the lengths",
            " / lengths[:, None] -> / lengths.sum()":
                "it is divided by the number of all real steps; each sequence has its own length",
            f"{MEAN} -> (real * h)": PADDED,
            f"{MEAN}.sum(axis=0) / lengths[:, None] -> {MEAN}.sum(axis=(0, 1)) / lengths.sum()": ONE_VECTOR,
            "< lengths -> <= lengths": "one step too many of each sequence takes part: step t is real if t < length",
            f"{MAX} -> h": "the padding takes part in the maximum",
            f"{MAX} -> np.where(real, h, 0)":
                "there are zeros at the padding, and 0 is more than a negative state; put -inf there",
            f"{MAX} -> (real * h)": "there are zeros at the padding, and 0 is more than a negative state; put -inf there",
            f"{MAX} -> np.abs(np.where(real, h, 0))": "it is the maximum of the sizes |h|; the maximum of h belongs there",
            f"{MAX}.max(axis=0) -> {LAST}": "this is the last real step",
            f"{MAX}.max(axis=0) -> {MAX}.max(axis=(0, 1))": ONE_VECTOR,
        },
        not_finite=PADDED,
        praise="all three depend on the real steps alone, whatever stands at the padding",
    ),
    Task(
        "loss_and_gradients",
        hints=(
            "y is one row of h for each sequence, as in task 1. Then the loss and its gradient are those of lesson 8, with B"
            " sequences instead of N tokens. Where did y come from? Its gradient goes back to the same places.",
            "The loss is the mean of log_sum_exp(a)[:, 0] minus the logit of each row's label. da is softmax(a), minus 1 at the"
            " labels, divided by B. Then dh is zero but at (lengths - 1, np.arange(B)), where da Wᵀ belongs. dW and db are sums"
            " over the sequences.",
        ),
        cases=labelled,
        returns=("the loss", "dh", "dW", "db"),
        mistakes={
            "y = h[-1]": "y is h[-1], the last step of the array; of a shorter sequence it is padding",
            "y = h[np.minimum(lengths, T - 1), rows]": "y is h at step lengths, the first step of the padding",
            "np.mean -> np.sum": "it is a sum; divide it by B, the number of sequences",
            "np.mean -> 1 / lengths.sum() * np.sum":
                "it is divided by the number of real steps; there is one loss for each sequence, so divide by B",
            "np.mean -> -np.mean": "the sign: a cross-entropy is minus the logarithm of a probability",
            "np.mean -> 1 / np.log(2) * np.mean": "it is in bits",
            f"{DH} -> dh[-1] = da @ W.T": "it is written to the last step of the array; y was taken from the last real step,"
                " and its gradient belongs there",
            f"{DH} -> dh[np.minimum(lengths, T - 1), rows] = da @ W.T":
                "it is written to step lengths, the first step of the padding",
            f"{DH} -> dh[:] = da @ W.T": "every step gets the gradient of y; only the last real step acts on the loss",
            f"{DH} -> dh[:] = (np.arange(T)[:, None] < lengths)[..., None] * (da @ W.T)":
                "every real step gets the gradient of y; only the last real one acts on the loss",
            f"{DH} -> dh[:] = (np.arange(T)[:, None] < lengths)[..., None] * (da @ W.T) / lengths[:, None]":
                "it is spread over the real steps, as for a mean; y is the last real step alone",
            f"{DH} -> pass": "it is still zero: write da Wᵀ at the last real steps",
            "da /= B -> pass": "da is not divided by B; the loss is a mean over the sequences",
            "da /= B -> da /= lengths.sum()": "da is divided by the number of real steps; the loss is a mean over B sequences",
            "da /= B -> da /= B**2": "da is divided by B twice",
            "da /= B -> da /= -B": "the sign: da is p - y, not y - p",
            "da[rows, labels] -= 1 -> pass": "da is p; subtract 1 at each sequence's label",
            "da[rows, labels] -= 1 -> da[:, labels] -= 1":
                "da[:, labels] subtracts 1 in all rows; each row has its own label: da[np.arange(B), labels]",
            "y.T @ da -> h[-1].T @ da": "it has h[-1] instead of y",
            "y.T @ da -> y.T @ da / B": "it is a mean over the mini-batch; it must be a sum, da has the division",
            "y.T @ da -> h.sum(axis=0).T @ da": "it has h summed over all steps; only y went into the logits",
            "da.sum(axis=0) -> da.mean(axis=0)": "it is a mean over the mini-batch; it must be a sum, da has the division",
        },
        praise="the loss is a mean over the sequences, and only the last real steps have a gradient",
    ),
    Task(
        "both_directions",
        hints=(
            "Which step of sequence b comes at step t, if the sequence is reversed within its own length n? Step n - 1 - t,"
            " while t < n. The padding may stay where it is.",
            "Make an array (T, B) of these steps by np.where. Index x with it and with np.arange(B), let backward read that,"
            " and index the result in the same way. The forward direction has read all at lengths - 1, the reverse direction at"
            " step 0.",
        ),
        cases=lambda rng: [(Layer(rng), Layer(rng), rng.normal(size=(T, B, D)), LENGTHS)],
        returns=("h", "final"),
        compared=of_both,
        mistakes={
            "h_reverse = backward(x[::-1])[::-1]": "the reverse direction begins in the padding: x[::-1] reverses the whole"
                " array. Reverse each sequence within its own length",
            "h_reverse = backward(x[::-1])":
                "the reverse direction begins in the padding, and its result is not reversed back",
            "h_reverse = backward(x[turn, b])":
                "the result of the reverse direction is not reversed back: at step t it must have read x[t] last",
            "h_reverse = backward(x[turn, b])[::-1]": "the reverse direction reads each sequence in its own length, but its"
                " result is reversed in the whole array",
            "h_reverse = backward(x)": "the reverse direction reads x from step 0 on; reverse it before",
            "h_reverse = backward(x)[..., ::-1]": "the reverse direction is reversed in its units, not in time",
            "[h_forward, h_reverse] -> [h_reverse, h_forward]": "the two directions are exchanged: the forward one comes first",
            "h_forward = backward(x); h_reverse = forward(x[turn, b])[turn, b]":
                "the two layers are exchanged: `backward` is that of the reverse direction",
            "h_reverse = (backward(x), forward(x[turn, b])[turn, b])[1]": "both directions use the layer `forward`",
            "turn = np.where(t <= lengths, lengths - t, t).clip(max=T - 1)":
                "one step too many is reversed: the last real step is lengths - 1",
            "h_reverse[0] -> h_reverse[lengths - 1, b]": "the reverse direction is taken at the last real step, where it has"
                " read one token only. It has read all at step 0",
            "final = h[-1]":
                "both directions are taken at the last step of the array; of a shorter sequence it is padding",
            "h_forward[lengths - 1, b] -> h_forward[-1]":
                "the forward direction is taken at the last step of the array; of a shorter sequence it is padding",
            "h_forward[lengths - 1, b] -> h_forward[0]":
                "the forward direction is taken at step 0; it has read all at the last real step",
            "h_reverse[0] -> backward(x[turn, b])[-1]": "the reverse direction is taken from the end of what `backward`"
                " returned, which is padding for a shorter sequence",
            f"{FINAL} -> [h_reverse[0], h_forward[lengths - 1, b]]":
                "the two directions are exchanged: the forward one comes first",
        },
        praise="each direction begins at its own end of each sequence, and final has read all of it",
    ),
]  # fmt: skip
