"""17. One to many: grading."""

import numpy as np

from minilstm.course import Task, Wrong
from minilstm.reference import lstm_step
from minilstm.reference.sequence import lstm_sequence

V = 9  # tokens of the decoder
START, END, LIMIT = 1, 0, 12


def texts(rng):
    for start, end, sizes in ((1, 2, (4, 2, 3)), (7, 0, (2, 5, 1)), (3, 3, (3, 3))):
        yield [rng.integers(4, 7, size) for size in sizes], start, end


def captions(rng):
    """dh, caches, v, Wx, Wh, W_h and W_c, for several steps and for one."""
    for T, B, D, F, H in ((5, 3, 3, 4, 2), (1, 2, 3, 3, 6)):
        v, x, dh = rng.normal(size=(B, F)), rng.normal(size=(T, B, D)), rng.normal(size=(T, B, H))
        Wx, Wh, b, W_h, W_c = (rng.normal(size=shape) for shape in ((D, 4 * H), (H, 4 * H), 4 * H, (F, H), (F, H)))
        yield dh, lstm_sequence(x, (v @ W_h, v @ W_c), Wx, Wh, b)[2], v, Wx, Wh, W_h, W_c


def decoder(seed, H=6):
    """step, h, c, start, end and limit."""
    rng, calls = np.random.default_rng(seed), []
    Wx, Wh, W = (rng.normal(0, 2, shape) for shape in ((V, 4 * H), (H, 4 * H), (H, V)))

    def step(id, h, c):
        calls.append(id)
        if len(calls) > 100:
            raise Wrong(f"step was called a hundred times, and the limit is {LIMIT}: does the loop stop at the end token, and"
                        " at the limit?")
        if np.ndim(id) or not 0 <= int(id) < V:
            raise Wrong(f"step was called with the id {id!r}; it reads one id, the token that was written last")
        h, c, _ = lstm_step(np.eye(V)[[int(id)]], np.asarray(h)[None], np.asarray(c)[None], Wx, Wh, np.zeros(4 * H))
        return (h @ W)[0], h[0], c[0]

    return step, rng.normal(size=H), rng.normal(size=H), START, END, LIMIT


TWICE = "v is read twice, so dv = dh0 W_hᵀ + dc0 W_cᵀ"
DSTATE = ", zeros, caches -> , {}, caches"


def of_layer(part, other):
    """Mistakes in the gradients of the dense layer that made h0 or c0."""
    made = f"both parts are added; {{}}_{part} has made {part}0 alone"
    mean = "it is a mean over the mini-batch; it must be a sum. The division is already in dh"
    exchanged = f"it is computed from d{other}0; it belongs to d{part}0"
    nothing = "it is 0: no gradient comes through this part"
    dW, db = f"v.T @ d{part}0", f"d{part}0.sum(axis=0)"
    return {
        f"{dW} -> v.T @ d{other}0": exchanged, f"{db} -> d{other}0.sum(axis=0)": exchanged,
        f"{dW} -> {dW} / len(v)": mean, f"{db} -> d{part}0.mean(axis=0)": mean,
        f"{dW} -> v.T @ (dh0 + dc0)": made.format("W"), f"{db} -> (dh0 + dc0).sum(axis=0)": made.format("b"),
        f"{dW} -> 0 * {dW}": nothing, f"{db} -> 0 * {db}": nothing,
    }


BLANKS = 11  # in the exercise before it is filled in
TASKS = [
    Task(
        "teacher_forcing",
        hints=(
            "Write down both columns for a text of two tokens: three inputs, three targets. Where is the end token of a text"
            " that is shorter than the longest?",
            "lengths are the lengths of the texts plus 1. In column k, inputs has start in row 0 and the text below it. targets"
            " has the text from row 0 on, and end in the row after its last token, row n.",
        ),
        cases=texts,
        returns=("inputs", "targets", "lengths"),
        compared=lambda got, given: dict(zip(("lengths", "inputs", "targets"), (got[2], *got[:2]))),
        mistakes={
            "return inputs, targets, lengths - 1":
                "these are the lengths of the texts; with start or end there is one step more",
            "return inputs, targets, lengths + 1":
                "start and end are both counted in; inputs have the start only, targets have the end only",
            "return inputs, targets, np.full_like(lengths, lengths.max())":
                "all columns have the length of the longest; each text has its own",
            "return inputs.T, targets.T, lengths": "it is (B, T); time is the first axis, so each text is a column",
            "inputs[0, k] = start -> pass; inputs[1 : n + 1, k] = text -> inputs[:n, k] = text":
                "the start token is missing: the decoder reads it first, and then the text",
            "return targets, targets, lengths":
                "these are the targets; the inputs are one step behind, and begin with the start token",
            "inputs[1 : n + 1, k] = text -> inputs[1:, k] = [*text, *[end], *(len(inputs) - n - 2) * [0]][: len(inputs) - 1]":
                "the end token is in them; it is predicted, and never read",
            "inputs[1 : n + 1, k] = text -> inputs[1:n, k] = text[:-1]":
                "the last token of each text is missing; the decoder must read it to predict the end",
            "inputs[1 : n + 1, k] = text -> inputs[1 : n + 1, k] = text[::-1]": "each text is written in reverse",
            "return inputs, inputs, lengths": "these are the inputs; the target of a step is the token that comes next",
            "targets[n, k] = end -> targets[-1, k] = end": "the end token stands in the last row of all columns; it belongs"
                " after the last token of each text",
            "targets[n, k] = end -> targets[n:, k] = end":
                "the end token fills up the columns; it comes once, and zeros follow",
            "targets[n, k] = end -> pass": "the end token is missing: the model would never learn to stop",
        },
        praise="each target is the next input, from the first token after the start to the end token",
    ),
    Task(
        "back_to_the_vector",
        hints=(
            "Nothing has used the final state, so its gradient is a pair of zeros. Backward through time gives dh0 and dc0. In"
            " how many places was v used?",
            "dv has two parts: one through W_h from dh0, one through W_c from dc0. They add. The weights have the gradients of"
            " a dense layer each: v transposed times the gradient of what it made, and for the bias the sum over the"
            " mini-batch.",
        ),
        cases=captions,
        returns=("dv", "dW_h", "db_h", "dW_c", "db_c"),
        mistakes={
            "dv = dh0 @ W_h.T": f"the part of c0 is dropped: {TWICE}",
            "dv = dc0 @ W_c.T": f"the part of h0 is dropped: {TWICE}",
            "dv = (dh0 @ W_h.T + dc0 @ W_c.T) / 2": "it is the mean of both parts; v is read twice, so its gradients add",
            "dv = dc0 @ W_h.T + dh0 @ W_c.T": "dh0 and dc0 are exchanged",
            "dv = dh[0] @ W_h.T + dc0 @ W_c.T": "dh[0] is taken for dh0: it is the gradient of the first *output*; that of the"
                " initial state comes from backward",
            "dv = dh[0] @ W_h.T": "dh[0] is taken for dh0, and the part of c0 is dropped",
            "dv = (dh0 @ W_h.T + dc0 @ W_c.T) / len(v)": "it is divided by B; the division is already in dh",
            DSTATE.format("(dh[-1], zeros[1])"): "dstate is (dh[-1], zeros): dh[-1] is already in dh, and would count twice",
            DSTATE.format("(dh[-1], dh[-1])"): "dstate is (dh[-1], dh[-1]); nothing has used the final state",
            DSTATE.format("(zeros[0] + 1, zeros[1] + 1)"):
                "dstate is ones; nothing has used the final state, so its gradient is 0",
            "_backward(dh, zeros -> _backward(np.concatenate([0 * dh[:-1], dh[-1:]]), zeros":
                "backward got the last step alone; every h[t] was used by the output layer",
            **of_layer("h", "c"), **of_layer("c", "h"),
        },
        praise="dv comes back through h0 and through c0, and each dense layer has its own gradients",
    ),
    Task(
        "write",
        hints=(
            "Three things change from step to step: the id that is read, h and c. The loop ends in two ways.",
            "While the list is shorter than the limit: call step with id, h and c, and take the new h and c. The next id is the"
            " argmax of the logits. If it is the end token, stop; otherwise append it, and read it in the next step.",
        ),
        cases=lambda rng: [decoder(3), decoder(41)],  # the first one reaches the limit, the other one ends
        returns="the list",
        mistakes={
            "step(id, h, c) -> step(start, h, c)":
                "the decoder reads the start token at every step; after the first it reads its own outputs",
            "break -> return [*ids, end]": "the end token is in it",
            "return [start, *ids]": "the start token is in it; it is read, and not written",
            "[], start -> [start], start": "the start token is in it; it is read, and not written",
            "logits, h, c = -> logits, _, _ =": "the state is not passed on: each step begins with the first h and c",
            "logits, h, c = -> logits, h, _ =": "the cell state is not passed on: each step begins with the first c",
            "logits, h, c = -> logits, _, c =": "the hidden state is not passed on: each step begins with the first h",
            "argmax -> argmin": "it has the least likely tokens",
            "< limit -> < limit - 1": "it is one token too short; the limit is the length of the list",
            "< limit -> <= limit": "it is one token too long; the limit is the length of the list",
            "if id == end: -> if False:": "it does not stop at the end token",
            "len(ids) < limit -> not ids": "it stops after the first token",
        },
        praise="it reads what it wrote, and stops at the end token or at the limit",
    ),
]  # fmt: skip
