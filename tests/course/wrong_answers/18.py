"""Answers to exercise 18, and a part of the message about each that is wrong."""

from tests.helpers.exercises import answers

ANSWERS = []
FORCING = """def teacher_forcing(answers, start, end):
    B = len(answers)
    T = {T}
    inputs, targets = np.zeros((T, B), int), np.zeros((T, B), int)
    for b, y in enumerate(answers):
        n = len(y)
        {inputs}
        {targets}
    lengths = {lengths}
    return {result}
"""
RIGHT_FORCING = {
    "T": "1 + max(len(y) for y in answers)",
    "inputs": "inputs[: n + 1, b] = [start, *y]",
    "targets": "targets[: n + 1, b] = [*y, end]",
    "lengths": "np.array([len(y) + 1 for y in answers])",
    "result": "inputs, targets, lengths",
}
ANSWERS += answers("teacher_forcing", FORCING, RIGHT_FORCING, [
    ({"inputs": "inputs[: n + 1, b] = [*y, end]"}, "inputs is wrong: they are not shifted"),
    ({"targets": "targets[: n + 1, b] = [start, *y]"}, "targets is wrong: they are not shifted"),
    ({"targets": "targets[:n, b] = [*y[1:], end]"}, "targets is wrong: they are shifted twice"),
    ({"inputs": "inputs[1 : n + 1, b] = y"}, "the start token is missing"),
    ({"inputs": "inputs[: n + 1, b] = [end, *y]"}, "the end token is in the first row"),
    ({"targets": "targets[:n, b] = y"}, "the end token is missing"),
    ({"targets": "targets[:n, b] = y; targets[-1, b] = end"}, "the end token is in the last row of the array"),
    ({"targets": "targets[:n, b] = y; targets[n:, b] = end"}, "the end token fills the padding, too"),
    ({"targets": "targets[: n + 1, b] = [*y, start]"}, "is the start, and must be the end"),
    ({"lengths": "np.array([len(y) for y in answers])"}, "the end is a real target, too"),
    ({"lengths": "np.array([len(y) + 2 for y in answers])"}, "they are one too many"),
    ({"lengths": "np.full(B, T)"}, "padding is no real target"),
    ({"T": "max(len(y) for y in answers)", "inputs": "inputs[:n, b] = [start, *y[:-1]]", "targets": "targets[:n, b] = y"},
     "so T is one more than the longest"),
    ({"T": "max(len(y) for y in answers)", "inputs": "inputs[:n, b] = y", "targets": "targets[:n, b] = y"},
     "inputs is wrong: it has a row too few"),
    ({"result": "inputs.T, targets.T, lengths"}, "inputs has the shape (3, 5) where (5, 3) belongs (is it transposed?), for"),
    ({"result": "inputs, targets"}, "must return (inputs, targets, lengths); it returned 2 values"),
    ({"inputs": "y[0] = start; inputs[: n, b] = y"}, "changed in place"),
])
MORE = FORCING.format(**RIGHT_FORCING).replace("    lengths", "    inputs = {}\n    lengths")
ANSWERS += answers("teacher_forcing", MORE, (), [
    ("np.concatenate([inputs[:1], inputs[:-1]])", "inputs is wrong: they are shifted twice"),
    ("np.concatenate([inputs[1:], inputs[:1]])", "shifted in the wrong direction"),
])

BRIDGE = """def pair_backward(backward, dh, S):
    T, B, H = dh.shape
    zeros = np.zeros((B, H)), np.zeros((B, H))
    dx, one = backward("decoder1", {first}, {final})
    dx_target, zero = backward("decoder0", {second}, zeros)
    nothing = np.zeros((S, B, H))
    dx, _ = backward("encoder1", {top}, {dstate1})
    dx_source, _ = backward("encoder0", dx, {dstate0})
    return {result}
"""
RIGHT_BRIDGE = {
    "first": "dh", "final": "zeros", "second": "dx", "top": "nothing", "dstate1": "one", "dstate0": "zero",
    "result": "dx_target, dx_source",
}
ANSWERS += answers("pair_backward", BRIDGE, RIGHT_BRIDGE, [
    ({"dstate1": "zeros", "dstate0": "zeros"}, "so it is never trained"),
    ({"dstate1": "(one[0], zeros[1])", "dstate0": "(zero[0], zeros[1])"}, "dc0 is lost on the way to the encoder"),
    ({"dstate1": "(zeros[0], one[1])", "dstate0": "(zeros[0], zero[1])"}, "dh0 is lost on the way to the encoder"),
    ({"dstate1": "(one[0], zeros[1])"}, "dc0 of decoder1 is lost"),
    ({"dstate0": "(zero[0], zeros[1])"}, "dc0 of decoder0 is lost"),
    ({"dstate1": "(zeros[0], one[1])"}, "dh0 of decoder1 is lost"),
    ({"dstate0": "(zeros[0], zero[1])"}, "dh0 of decoder0 is lost"),
    ({"dstate0": "zeros"}, "the dstate of layer 0 is lost"),
    ({"dstate1": "zeros"}, "the dstate of layer 1 is lost"),
    ({"dstate1": "zero", "dstate0": "one"}, "the layers are exchanged"),
    ({"dstate1": "one[::-1]", "dstate0": "zero[::-1]"}, "dh0 and dc0 are exchanged"),
    ({"dstate1": "zero"}, "both layers of the encoder get the dstate of decoder0"),
    ({"dstate0": "one"}, "both layers of the encoder get the dstate of decoder1"),
    ({"top": "nothing + one[0]"}, "a gradient at every step"),
    ({"top": "np.concatenate([nothing[1:], one[0][None]])"}, "dh0 counts twice"),
    ({"top": "nothing + 1"}, "get ones; nothing reads them"),
    ({"second": "dh"}, "decoder0 gets the dh of decoder1"),
    ({"final": "(zeros[0] + 1, zeros[1] + 1)"}, "begins with ones as the gradient of its final state"),
    ({"top": "dx"}, "the shape of dh of encoder1 is (3, 2, 2) where (4, 2, 2) belongs"),
    ({"top": "0"}, "dh of encoder1 must be an array, not int"),
    ({"dstate1": "one[0]"}, "the dstate of encoder1 must be a pair (dhT, dcT)"),
    ({"dstate1": "(one[0], 0)"}, "dcT of encoder1 must be an array, not int"),
    ({"result": "dx_source"}, "must return (dx_target, dx_source); it returned one ndarray"),
    ({"result": "dx_source, dx_target"}, "dx_target has the shape"),
])
# a layer that is forgotten or does not exist is named
PAIR = BRIDGE.format(**RIGHT_BRIDGE)
ANSWERS += [
    ("pair_backward", PAIR.replace('dx_source, _ = backward("encoder0", dx, zero)', "dx_source = dx"),
     "backward was not called for encoder0"),
    ("pair_backward", PAIR.replace("encoder1", "encoder2"), "there is no layer 'encoder2'"),
]

GREEDY = """def greedy(step, state, start, end, limit):
    B = len(state)
    ids, texts, ended = np.full(B, {first}), [[{begin}] for _ in range(B)], np.zeros(B, bool)
    for _ in range({limit}):
        logits, {state} = step({read}, state)
        ids = logits.{choose}(axis=1)
        before = ended
        ended = {ended}
        for b in np.flatnonzero({add}):
            texts[b].append(int(ids[b]))
        if {stop}:
            break
    return {result}
"""
RIGHT_GREEDY = {
    "first": "start", "begin": "", "limit": "limit", "state": "state", "read": "ids", "choose": "argmax",
    "ended": "ended | (ids == end)", "add": "~ended", "stop": "ended.all()", "result": "texts",
}
ANSWERS += answers("greedy", GREEDY, RIGHT_GREEDY, [
    ({"read": "np.full(B, start)"}, "reads the start token in every step"),
    ({"state": "_"}, "the state is not updated"),
    ({"add": "~before"}, "the end token is written, too"),
    ({"begin": "start"}, "the start token is written, too"),
    ({"add": "ids != end"}, "texts go on after their end"),
    ({"add": "ids >= 0", "stop": "False"}, "no text ends before the limit"),
    ({"stop": "ended.any()"}, "all texts stop when the first one ends"),
    ({"choose": "argmin"}, "use argmax"),
    ({"limit": "limit - 1"}, "one too few"),
    ({"limit": "limit + 1"}, "one too many"),
    ({"stop": "False"}, "step is called after all texts have ended"),
    ({"read": "ids[~ended]"}, "step must get one id of each text"),
    ({"read": "np.eye(6)[ids]"}, "step must get one id of each text"),
    ({"result": "texts[0]"}, "a list of"),
    ({"first": "end"}, "the list of texts is [[0"),
])
