"""Answers to exercise 17, and a part of the message about each that is wrong."""

from tests.helpers.exercises import IS_RIGHT, answers

ANSWERS = []
FORCING = """def teacher_forcing(texts, start, end):
    lengths = np.array([len(text) for text in texts]) + 1
    inputs = np.zeros((lengths.max(), len(texts)), int)
    targets = np.zeros_like(inputs)
    for k, text in enumerate(texts):
        n = len(text)
        {inputs}
        {targets}
    return {results}
"""
RIGHT_FORCING = {
    "inputs": "inputs[: n + 1, k] = [start, *text]", "targets": "targets[: n + 1, k] = [*text, end]",
    "results": "inputs, targets, lengths",
}
ANSWERS += answers("teacher_forcing", FORCING, RIGHT_FORCING, [
    ({"results": "inputs, targets, lengths - 1"}, "these are the lengths of the texts"),
    ({"results": "inputs, targets, lengths + 1"}, "start and end are both counted in"),
    ({"results": "inputs, targets, 0 * lengths + lengths.max()"}, "each text has its own"),
    ({"results": "inputs.T, targets.T, lengths"}, "inputs is wrong: it is (B, T); time is the first axis"),
    ({"results": "inputs, targets"}, "must return (inputs, targets, lengths); it returned 2 values"),
    ({"results": "inputs[:-1], targets, lengths"}, "inputs has the shape (4, 3) where (5, 3) belongs"),
    ({"inputs": "inputs[:n, k] = text"}, "the start token is missing"),
    ({"inputs": "inputs[: n + 1, k] = [*text, end]"}, "these are the targets; the inputs are one step behind"),
    ({"inputs": "inputs[: n + 2, k] = [start, *text, end][: len(inputs)]"}, "it is predicted, and never read"),
    ({"inputs": "inputs[:n, k] = [start, *text[:-1]]"}, "the last token of each text is missing"),
    ({"inputs": "inputs[: n + 1, k] = [start, *text[::-1]]"}, "written in reverse"),
    ({"inputs": "inputs[: n + 1, k] = [start, *text + 1]"}, "of inputs is"),
    ({"targets": "targets[: n + 1, k] = [start, *text]"}, "these are the inputs; the target of a step"),
    ({"targets": "targets[:n, k] = text"}, "the model would never learn to stop"),
    ({"targets": "targets[:n, k], targets[-1, k] = text, end"}, "stands in the last row of all columns"),
    ({"targets": "targets[:, k] = [*text, *[end] * (len(targets) - n)]"}, "the end token fills up the columns"),
    ({"targets": "targets[: n + 2, k] = [*text, end]"}, "ValueError"),
])

BACK = """def back_to_the_vector(dh, caches, v, Wx, Wh, W_h, W_c):
    zeros = np.zeros_like(dh[0]), np.zeros_like(dh[0])
    dx, (dh0, dc0), grads = lstm_sequence_backward({dh}, {dstate}, caches, Wx, Wh)
    dv = {dv}
    return dv, {results}
"""
RIGHT_BACK = {
    "dh": "dh", "dstate": "zeros", "dv": "dh0 @ W_h.T + dc0 @ W_c.T",
    "results": "v.T @ dh0, dh0.sum(axis=0), v.T @ dc0, dc0.sum(axis=0)",
}
ANSWERS += answers("back_to_the_vector", BACK, RIGHT_BACK, [
    ({"dv": "dh0 @ W_h.T"}, "the part of c0 is dropped"),
    ({"dv": "dc0 @ W_c.T"}, "the part of h0 is dropped"),
    ({"dv": "(dh0 @ W_h.T + dc0 @ W_c.T) / 2"}, "it is the mean of both parts"),
    ({"dv": "(dh0 @ W_h.T + dc0 @ W_c.T) / len(v)"}, "it is divided by B"),
    ({"dv": "dc0 @ W_h.T + dh0 @ W_c.T"}, "dh0 and dc0 are exchanged"),
    ({"dv": "dh[0] @ W_h.T + dc0 @ W_c.T"}, "dh[0] is taken for dh0: it is the gradient of the first *output*"),
    ({"dv": "dh[0] @ W_h.T"}, "dh[0] is taken for dh0, and the part of c0 is dropped"),
    ({"dv": "dh0 @ W_h + dc0 @ W_c"}, "a product @ does not fit"),
    ({"dv": "np.concatenate([dh0 @ W_h.T, dc0 @ W_c.T])"}, "dv has the shape (6, 4) where (3, 4) belongs"),
    ({"dv": "dh0 @ W_h.T - dc0 @ W_c.T"}, "of dv is"),
    ({"dstate": "(dh[-1], zeros[1])"}, "dh[-1] is already in dh, and would count twice"),
    ({"dstate": "(dh[-1], dh[-1])"}, "nothing has used the final state"),
    ({"dstate": "(zeros[0] + 1, zeros[1] + 1)"}, "dstate is ones"),
    ({"dh": "np.concatenate([0 * dh[:-1], dh[-1:]])"}, "backward got the last step alone"),
    ({"results": "v.T @ dc0, dh0.sum(axis=0), v.T @ dc0, dc0.sum(axis=0)"}, "dW_h is wrong: it is computed from dc0"),
    ({"results": "v.T @ dh0, dh0.sum(axis=0), v.T @ dh0, dc0.sum(axis=0)"}, "dW_c is wrong: it is computed from dh0"),
    ({"results": "v.T @ dh0 / len(v), dh0.sum(axis=0), v.T @ dc0, dc0.sum(axis=0)"}, "dW_h is wrong: it is a mean over"),
    ({"results": "v.T @ (dh0 + dc0), dh0.sum(axis=0), v.T @ dc0, dc0.sum(axis=0)"}, "both parts are added; W_h has made"),
    ({"results": "v.T @ dh0, dh0.sum(axis=0), 0 * W_c, dc0.sum(axis=0)"}, "dW_c is wrong: it is 0"),
    ({"results": "v.T @ dh0, dh0.mean(axis=0), v.T @ dc0, dc0.sum(axis=0)"}, "db_h is wrong: it is a mean over"),
    ({"results": "v.T @ dh0, dc0.sum(axis=0), v.T @ dc0, dc0.sum(axis=0)"}, "db_h is wrong: it is computed from dc0"),
    ({"results": "v.T @ dh0, (dh0 + dc0).sum(axis=0), v.T @ dc0, dc0.sum(axis=0)"}, "both parts are added; b_h has made"),
    ({"results": "v.T @ dh0, dh0.sum(axis=0), v.T @ dc0, 0 * dc0[0]"}, "db_c is wrong: it is 0"),
    ({"results": "v.T @ dh0, dh0, v.T @ dc0, dc0"}, "db_h has the shape (3, 2) where (2,) belongs"),
    ({"results": "v.T @ dh0, v.T @ dc0"}, "it returned 3 values"),
])

WRITE = """def write(step, h, c, start, end, limit):
    ids, id = {begin}, start
    while {go_on}:
        logits, {state} = step({read}, h, c)
        id = int(np.{choose}(logits))
        {before}
        if id == {end}:
            break
        ids.append(id)
    return {result}
"""
RIGHT_WRITE = {
    "begin": "[]", "go_on": "len(ids) < limit", "state": "h, c", "read": "id", "choose": "argmax", "before": "pass",
    "end": "end", "result": "ids",
}
ANSWERS += answers("write", WRITE, RIGHT_WRITE, [
    ({"read": "start"}, "the decoder reads the start token at every step"),
    ({"before": "ids += [id] * (id == end)"}, "the end token is in it"),
    ({"result": "[start, *ids]"}, "the start token is in it; it is read, and not written"),
    ({"begin": "[start]"}, "the start token is in it; it is read, and not written"),
    ({"state": "_, _"}, "the state is not passed on"),
    ({"state": "h, _"}, "the cell state is not passed on"),
    ({"state": "_, c"}, "the hidden state is not passed on"),
    ({"choose": "argmin"}, "the least likely tokens"),
    ({"go_on": "len(ids) < limit - 1"}, "one token too short"),
    ({"go_on": "len(ids) <= limit"}, "one token too long"),
    ({"end": "-1"}, "it does not stop at the end token"),
    ({"go_on": "not ids"}, "it stops after the first token"),
    ({"go_on": "True", "end": "-1"}, "step was called a hundred times"),
    ({"read": "np.array([id])"}, "it reads one id"),
    ({"result": "len(ids)"}, "the list must be a list, not int"),
    ({"result": "ids[::-1]"}, "the list is ["),
])
# a recursive decoder is right
ANSWERS += [("write", """def write(step, h, c, start, end, limit):
    logits, h, c = step(start, h, c)
    id = logits.argmax()
    return [] if limit == 0 or id == end else [id, *write(step, h, c, id, end, limit - 1)]
""", IS_RIGHT)]
