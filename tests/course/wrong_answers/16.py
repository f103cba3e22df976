"""Answers to exercise 16, and a part of the message about each that is wrong."""

from tests.helpers.exercises import IS_RIGHT, answers

ANSWERS = []
POOL = """def pool(h, lengths, kind):
    T, B, H = h.shape
    real = ({real})[..., None]
    if kind == "last":
        return {last}
    if kind == "mean":
        return {mean}
    return {max}
"""
RIGHT_POOL = {
    "real": "np.arange(T)[:, None] < lengths", "last": "h[lengths - 1, np.arange(B)]",
    "mean": "np.where(real, h, 0).sum(axis=0) / lengths[:, None]", "max": "np.where(real, h, -np.inf).max(axis=0)",
}
ANSWERS += answers("pool", POOL, RIGHT_POOL, [
    ({"last": "h[-1]"}, "this is h[-1], the last step of the array"),
    ({"last": "h[np.minimum(lengths, T - 1), np.arange(B)]"}, "h at step lengths, the first step of the padding"),
    ({"last": "h[lengths, np.arange(B)]"}, "line 12: IndexError"),
    ({"last": "h[lengths - 2, np.arange(B)]"}, "one step too early"),
    ({"last": "h[0]"}, "this is the first step"),
    ({"last": "h[lengths - 1]"}, "all pairs of steps and sequences"),
    ({"last": "h[lengths[0] - 1, 0]"}, "one vector for the whole mini-batch"),
    ({"mean": "np.where(real, h, 0).sum(axis=0) / T"}, "it is the mean over T"),
    ({"mean": "np.where(real, h, 0).mean(axis=0)"}, "it is the mean over T"),
    ({"mean": "h.mean(axis=0)"}, "the padding is in the sum, and it is divided by T"),
    ({"mean": "h.sum(axis=0) / lengths[:, None]"}, "the padding is in the sum"),
    ({"mean": "np.where(real, h, 0).sum(axis=0)"}, "it is the sum; divide it by the lengths"),
    ({"mean": "np.where(real, h, 0).sum(axis=0) / lengths.sum()"}, "the number of all real steps"),
    ({"mean": "(real * h).sum(axis=0) / lengths[:, None]"}, "0 times nan is nan"),
    ({"mean": "np.where(real, h, 0).sum(axis=0) / lengths"}, "line 14: ValueError"),
    ({"real": "np.arange(T)[:, None] <= lengths"}, "one step too many of each sequence"),
    ({"max": "h.max(axis=0)"}, "the padding takes part in the maximum"),
    ({"max": "np.where(real, h, 0).max(axis=0)"}, "0 is more than a negative state"),
    ({"max": "(real * h).max(axis=0)"}, "0 is more than a negative state"),
    ({"max": "np.abs(np.where(real, h, 0)).max(axis=0)"}, "maximum of the sizes"),
    ({"max": "h[lengths - 1, np.arange(B)]"}, "this is the last real step"),
    ({"max": "np.where(real, h, -np.inf).max(axis=0) + 1"}, "of pool(…, 'max') is"),
])
# pooling in a loop over sequences is right
ANSWERS += [("pool", """def pool(h, lengths, kind):
    of = {"last": lambda own: own[-1], "mean": lambda own: own.mean(axis=0), "max": lambda own: own.max(axis=0)}[kind]
    return np.array([of(h[:n, b]) for b, n in enumerate(lengths)])
""", IS_RIGHT)]

LOSS = """def loss_and_gradients(h, lengths, labels, W, b):
    T, B, H = h.shape
    rows = np.arange(B)
    y = h[{at}, rows]
    a = y @ W + b
    losses = log_sum_exp(a)[:, 0] - a[rows, labels]
    loss = {loss}
    da = softmax(a)
    da[{label}] -= {one}
    da = {da}
    dh = np.zeros_like(h)
    {write}
    return loss, dh, {dW}, {db}
"""
RIGHT_LOSS = {
    "at": "lengths - 1", "loss": "losses.mean()", "label": "rows, labels", "one": "1", "da": "da / B",
    "write": "dh[lengths - 1, rows] = da @ W.T", "dW": "y.T @ da", "db": "da.sum(axis=0)",
}
ANSWERS += answers("loss_and_gradients", LOSS, RIGHT_LOSS, [
    ({"at": "-1"}, "the loss is wrong: y is h[-1]"),
    ({"at": "np.minimum(lengths, T - 1)"}, "y is h at step lengths"),
    ({"loss": "losses.sum()"}, "divide it by B, the number of sequences"),
    ({"loss": "losses.sum() / lengths.sum()"}, "there is one loss for each sequence"),
    ({"loss": "-losses.mean()"}, "the sign"),
    ({"loss": "losses.mean() / np.log(2)"}, "it is in bits"),
    ({"loss": "losses"}, "the loss has the shape (4,) where () belongs"),
    ({"da": "da"}, "dh is wrong: da is not divided by B"),
    ({"da": "da / lengths.sum()"}, "da is divided by the number of real steps"),
    ({"da": "da / B / B"}, "divided by B twice"),
    ({"da": "-da / B"}, "da is p - y, not y - p"),
    ({"one": "0"}, "subtract 1 at each sequence's label"),
    ({"label": ":, labels"}, "each row has its own label"),
    ({"write": "dh[-1] = da @ W.T"}, "it is written to the last step of the array"),
    ({"write": "dh[np.minimum(lengths, T - 1), rows] = da @ W.T"}, "it is written to step lengths"),
    ({"write": "dh[:] = da @ W.T"}, "every step gets the gradient of y"),
    ({"write": "dh[:] = (np.arange(T)[:, None] < lengths)[..., None] * (da @ W.T)"}, "every real step gets the gradient"),
    (
        {"write": "dh[:] = (np.arange(T)[:, None] < lengths)[..., None] * (da @ W.T) / lengths[:, None]"},
        "it is spread over the real steps",
    ),
    ({"write": "pass"}, "it is still zero"),
    ({"write": "dh[lengths - 1, rows] = da @ W"}, "a product @ does not fit"),
    ({"dW": "h[-1].T @ da"}, "dW is wrong: it has h[-1] instead of y"),
    ({"dW": "y.T @ da / B"}, "dW is wrong: it is a mean over the mini-batch"),
    ({"dW": "h.sum(axis=0).T @ da"}, "it has h summed over all steps"),
    ({"dW": "da.T @ y"}, "dW has the shape (5, 3) where (3, 5) belongs"),
    ({"dW": "y.T @ da * B"}, "dW is wrong: da is not divided by B"),
    ({"db": "da.mean(axis=0)"}, "db is wrong: it is a mean over the mini-batch"),
    ({"db": "-da.sum(axis=0)"}, "db is wrong: the sign"),
    ({"db": "da.sum(axis=0), 0"}, "must return (the loss, dh, dW, db); it returned 5 values"),
])

BOTH = """def both_directions(forward, backward, x, lengths):
    T, B, D = x.shape
    t, b = np.arange(T)[:, None], np.arange(B)
    turn = {turn}
    h_forward = {forward}
    h_reverse = {reverse}
    h = np.concatenate({order}, axis={axis})
    final = np.concatenate([{final}], axis=1)
    return h, final
"""
RIGHT_BOTH = {
    "turn": "np.where(t < lengths, lengths - 1 - t, t)", "forward": "forward(x)", "reverse": "backward(x[turn, b])[turn, b]",
    "order": "[h_forward, h_reverse]", "axis": "2", "final": "h_forward[lengths - 1, b], h_reverse[0]",
}
ANSWERS += answers("both_directions", BOTH, RIGHT_BOTH, [
    ({"reverse": "backward(x[::-1])[::-1]"}, "the reverse direction begins in the padding: x[::-1]"),
    ({"turn": "T - 1 - t + 0 * b"}, "the reverse direction begins in the padding: x[::-1]"),
    ({"reverse": "backward(x[::-1])"}, "begins in the padding, and its result is not reversed back"),
    ({"reverse": "backward(x[turn, b])"}, "the result of the reverse direction is not reversed back"),
    ({"reverse": "backward(x[turn, b])[::-1]"}, "its result is reversed in the whole array"),
    ({"reverse": "backward(x)"}, "reads x from step 0 on"),
    ({"reverse": "backward(x)[..., ::-1]"}, "reversed in its units, not in time"),
    ({"order": "[h_reverse, h_forward]"}, "h at the real steps is wrong: the two directions are exchanged"),
    ({"forward": "backward(x)", "reverse": "forward(x[turn, b])[turn, b]"}, "the two layers are exchanged"),
    ({"reverse": "forward(x[turn, b])[turn, b]"}, "both directions use the layer `forward`"),
    ({"reverse": "forward(x)"}, "backward is never called"),
    ({"reverse": "(backward(x), forward(x[turn, b])[turn, b])[1]"}, "both directions use the layer `forward`"),
    ({"turn": "np.where(t <= lengths, lengths - t, t).clip(max=T - 1)"}, "one step too many is reversed"),
    ({"axis": "1"}, "h has the shape (6, 8, 3) where (6, 4, 6) belongs"),
    ({"final": "h_forward[lengths - 1, b], h_reverse[lengths - 1, b]"}, "where it has read one token only"),
    ({"final": "h_forward[-1], h_reverse[-1]"}, "both directions are taken at the last step of the array"),
    ({"final": "h_forward[-1], h_reverse[0]"}, "the forward direction is taken at the last step of the array"),
    ({"final": "h_forward[0], h_reverse[0]"}, "the forward direction is taken at step 0"),
    ({"final": "h_forward[lengths - 1, b], backward(x[turn, b])[-1]"}, "the end of what `backward` returned"),
    ({"final": "h_reverse[0], h_forward[lengths - 1, b]"}, "final is wrong: the two directions are exchanged"),
    ({"final": "h_forward[lengths - 1, b]"}, "final has the shape (4, 3) where (4, 6) belongs"),
])
# a bidirectional layer in a loop over sequences is right
ANSWERS += [("both_directions", """def both_directions(forward, backward, x, lengths):
    h, final = None, []
    for b, n in enumerate(lengths):
        own = x[:n, b : b + 1]
        first, second = forward(own)[:, 0], backward(own[::-1])[::-1, 0]
        h = np.full((len(x), len(lengths), 2 * first.shape[1]), np.nan) if h is None else h
        h[:n, b] = np.concatenate([first, second], axis=1)
        final.append(np.concatenate([first[-1], second[0]]))
    return h, np.array(final)
""", IS_RIGHT)]
