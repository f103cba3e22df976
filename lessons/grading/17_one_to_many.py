"""17. One to many: grading."""

import numpy as np

from minilstm.course import Task, Wrong, same
from minilstm.data import pairs
from minilstm.reference import lstm_step
from minilstm.reference.sequence import lstm_sequence, lstm_sequence_backward
from minilstm.verify import contracts


def teacher_forcing(yours):
    for start, end, sizes in ((1, 2, (4, 2, 3)), (7, 0, (2, 5, 1)), (3, 3, (3, 3))):
        rng = np.random.default_rng(len(sizes) + start)
        texts = [rng.integers(4, 7, size) for size in sizes]
        got = yours([text.copy() for text in texts], start, end)
        contracts.unpack(got, 3, "teacher_forcing must return three arrays: (inputs, targets, lengths)")
        inputs, targets, lengths = pairs.teacher_forcing(texts, start, end)
        n, b = lengths - 1, np.arange(len(texts))
        same("lengths", got[2], lengths, {
            "these are the lengths of the texts; with start or end there is one step more": n,
            "start and end are both counted in; inputs have the start only, targets have the end only": n + 2,
            "all columns have the length of the longest; each text has its own": np.full_like(n, lengths.max()),
        })  # fmt: skip
        for name, array in (("inputs", got[0]), ("targets", got[1])):
            shape = np.shape(array)
            if shape == inputs.shape[::-1] and shape != inputs.shape:
                raise Wrong(f"{name} is (B, T); time is the first axis, so each text is a column")
            same(f"the shape of {name}", shape, inputs.shape)
        no_end, at_the_bottom = targets.copy(), targets.copy()
        no_end[n, b] = at_the_bottom[n, b] = 0
        at_the_bottom[-1] = end
        filled = np.where(np.arange(len(targets))[:, None] < n, targets, end)
        same("inputs", got[0], inputs, {
            "the start token is missing: the decoder reads it first, and then the text": no_end,
            "these are the targets; the inputs are one step behind, and begin with the start token": targets,
            "the end token is in them; it is predicted, and never read":
                np.where(np.arange(len(inputs))[:, None] == lengths, end, inputs),
            "the last token of each text is missing; the decoder must read it to predict the end":
                np.where(np.arange(len(inputs))[:, None] == n, 0, inputs),
            "each text is written in reverse": np.concatenate([inputs[:1], pairs.pad([text[::-1] for text in texts])[0]]),
        })  # fmt: skip
        same("targets", got[1], targets, {
            "these are the inputs; the target of a step is the token that comes next": inputs,
            "the end token stands in the last row of all columns; it belongs after the last token of each text": at_the_bottom,
            "the end token fills up the columns; it comes once, and zeros follow": filled,
        } | ({} if end == 0 else {
            "the end token is missing: the model would never learn to stop": no_end,
        }))  # fmt: skip
    return "each target is the next input, from the first token after the start to the end token"


def back_to_the_vector(yours):
    for seed, (T, B, F, H) in enumerate(((5, 3, 4, 2), (1, 2, 3, 6))):
        rng = np.random.default_rng(seed)
        D = 3
        v, x, dh = rng.normal(size=(B, F)), rng.normal(size=(T, B, D)), rng.normal(size=(T, B, H))
        Wx, Wh, b = rng.normal(size=(D, 4 * H)), rng.normal(size=(H, 4 * H)), rng.normal(size=4 * H)
        W_h, W_c = rng.normal(size=(F, H)), rng.normal(size=(F, H))
        *_, caches = lstm_sequence(x, (v @ W_h, v @ W_c), Wx, Wh, b)
        zeros = np.zeros((2, B, H))
        backward = lambda dstate, dh=dh: lstm_sequence_backward(dh, dstate, caches, Wx, Wh)[1]
        dh0, dc0 = backward(zeros)
        got = yours(dh, caches, v, Wx, Wh, W_h, W_c)
        contracts.unpack(got, 5, "back_to_the_vector must return five arrays: (dv, dW_h, db_h, dW_c, db_c)")
        back = lambda first, second: first @ W_h.T + second @ W_c.T
        known = {
            "the part of c0 is dropped: v is read twice, so dv = dh0 W_hᵀ + dc0 W_cᵀ": back(dh0, 0 * dc0),
            "the part of h0 is dropped: v is read twice, so dv = dh0 W_hᵀ + dc0 W_cᵀ": back(0 * dh0, dc0),
            "it is the mean of both parts; v is read twice, so its gradients add": back(dh0, dc0) / 2,
            "dh0 and dc0 are exchanged": back(dc0, dh0),
            "dh[0] is taken for dh0: it is the gradient of the first *output*; that of the initial state comes from backward":
                back(dh[0], dc0),
            "dh[0] is taken for dh0, and the part of c0 is dropped": back(dh[0], 0 * dc0),
            "it is divided by B; the division is already in dh": back(dh0, dc0) / B,
            "dstate is (dh[-1], zeros): dh[-1] is already in dh, and would count twice": back(*backward((dh[-1], zeros[0]))),
            "dstate is (dh[-1], dh[-1]); nothing has used the final state": back(*backward((dh[-1], dh[-1]))),
            "dstate is ones; nothing has used the final state, so its gradient is 0": back(*backward(zeros + 1)),
        }  # fmt: skip
        if T > 1:
            known["backward got the last step alone; every h[t] was used by the output layer"] = back(
                *backward(zeros, np.concatenate([0 * dh[:-1], dh[-1:]])))  # fmt: skip
        same("dv", got[0], back(dh0, dc0), known)
        of = {"h": (dh0, got[1:3], dc0, "dc0"), "c": (dc0, got[3:5], dh0, "dh0")}
        for part, (d, (dW, db), other, name) in of.items():
            same(f"dW_{part}", dW, v.T @ d, {
                f"it is computed from {name}; it belongs to d{part}0": v.T @ other,
                "it is a mean over the mini-batch; it must be a sum. The division is already in dh": v.T @ d / B,
                f"both parts are added; W_{part} has made {part}0 alone": v.T @ (d + other),
                "it is 0: no gradient comes through this part": 0 * (v.T @ d),
            })  # fmt: skip
            same(f"db_{part}", db, d.sum(axis=0), {
                f"it is computed from {name}; it belongs to d{part}0": other.sum(axis=0),
                "it is a mean over the mini-batch; it must be a sum. The division is already in dh": d.mean(axis=0),
                f"both parts are added; b_{part} has made {part}0 alone": (d + other).sum(axis=0),
                "it is 0: no gradient comes through this part": 0 * d.sum(axis=0),
            })  # fmt: skip
    return "dv comes back through h0 and through c0, and each dense layer has its own gradients"


def decoder(seed, V=9, H=6):
    """A decoder with random weights: step, and an initial state."""
    rng = np.random.default_rng(seed)
    Wx, Wh, W = rng.normal(0, 2, (V, 4 * H)), rng.normal(0, 2, (H, 4 * H)), rng.normal(0, 2, (H, V))

    def step(id, h, c):
        h, c, _ = lstm_step(np.eye(V)[[id]], h[None], c[None], Wx, Wh, np.zeros(4 * H))
        return (h @ W)[0], h[0], c[0]

    return step, rng.normal(size=H), rng.normal(size=H)


def written(step, h, c, start, end, limit, choose=np.argmax, reads=lambda id, start: id, keep=(1, 1), keep_end=False):
    """The right list, or with other arguments that of a mistake."""
    first, ids, id = (h, c), [], start
    while len(ids) < limit:
        logits, h, c = step(id, h, c)
        h, c = (new if kept else old for new, old, kept in zip((h, c), first, keep))
        chosen = int(choose(logits))
        if chosen == end:
            return ids + [end] * keep_end
        ids.append(chosen)
        id = reads(chosen, start)
    return ids


def decoders(start, end, limit):
    """Two decoders: one that ends, and one that reaches the limit. Each mistake gives another list."""
    for ends in (True, False):
        for seed in range(1000):
            step, h, c = decoder(seed)
            lists = [written(step, h, c, start, end, limit, keep=keep) for keep in ((1, 1), (0, 0), (1, 0), (0, 1))]
            lists += [written(step, h, c, start, end, limit, reads=lambda id, start: start),
                      written(step, h, c, start, end, limit, choose=np.argmin)]  # fmt: skip
            lists += [] if ends else [written(step, h, c, start, end, limit + 1)]
            if len(set(map(tuple, lists))) == len(lists) and (4 < len(lists[0]) < limit) is ends and lists[0][3:]:
                yield step, h, c, lists[0]
                break


def write(yours):
    start, end = 1, 0
    for step, h, c, right in decoders(start, end, 12):
        count = 0

        def counted(id, h, c, step=step):
            nonlocal count
            count += 1
            if count > 100:
                raise Wrong("step was called a hundred times, and the limit is 12: does the loop stop at the end token, and at"
                            " the limit?")  # fmt: skip
            if np.ndim(id) or not 0 <= int(id) < 9:
                raise Wrong(f"step was called with the id {id!r}; it reads one id, the token that was written last")
            return step(int(id), np.asarray(h), np.asarray(c))

        try:
            got = yours(counted, h, c, start, end, 12)
        except Wrong:
            if count > 100:
                raise Wrong("step was called a hundred times, and the limit is 12: does the loop stop at the end token, and at"
                            " the limit?") from None  # fmt: skip
            raise
        if not isinstance(got, (list, tuple, np.ndarray)):
            raise Wrong(f"write must return a list of ids, not {type(got).__name__}")
        got = [int(id) for id in got]
        other = lambda limit=12, **changed: written(step, h, c, start, end, limit, **changed)
        known = {
            "the decoder reads the start token at every step; after the first it reads its own outputs":
                other(reads=lambda id, start: start),
            "the end token is in it": other(keep_end=True),
            "the start token is in it; it is read, and not written": [start, *right],
            "the state is not passed on: each step begins with the first h and c": other(keep=(0, 0)),
            "the cell state is not passed on: each step begins with the first c": other(keep=(1, 0)),
            "the hidden state is not passed on: each step begins with the first h": other(keep=(0, 1)),
            "it has the least likely tokens": other(choose=np.argmin),
            "it is one token too short; the limit is the length of the list": right[:-1],
            "it is one token too long; the limit is the length of the list": other(13),
            "it does not stop at the end token": written(step, h, c, start, -1, 12),
            "it stops after the first token": right[:1],
        }  # fmt: skip
        same("the list", got, right, {message: wrong for message, wrong in known.items() if wrong != right})
    return "it reads what it wrote, and stops at the end token or at the limit"


BLANKS = 11  # in the exercise before it is filled in
TASKS = [
    Task("teacher_forcing", teacher_forcing, (
        "Write down both columns for a text of two tokens: three inputs, three targets. Where is the end token of a text that"
        " is shorter than the longest?",
        "lengths are the lengths of the texts plus 1. In column k, inputs has start in row 0 and the text below it. targets"
        " has the text from row 0 on, and end in the row after its last token, row n.",
    )),
    Task("back_to_the_vector", back_to_the_vector, (
        "Nothing has used the final state, so its gradient is a pair of zeros. Backward through time gives dh0 and dc0. In how"
        " many places was v used?",
        "dv has two parts: one through W_h from dh0, one through W_c from dc0. They add. The weights have the gradients of a"
        " dense layer each: v transposed times the gradient of what it made, and for the bias the sum over the mini-batch.",
    )),
    Task("write", write, (
        "Three things change from step to step: the id that is read, h and c. The loop ends in two ways.",
        "While the list is shorter than the limit: call step with id, h and c, and take the new h and c. The next id is the"
        " argmax of the logits. If it is the end token, stop; otherwise append it, and read it in the next step.",
    )),
]  # fmt: skip
