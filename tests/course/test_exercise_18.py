"""Wrong answers to the exercises of lesson 18, and the message that each one gets."""

import pytest

from tests.helpers.exercises import result_of, wrong

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


@pytest.mark.thorough
@pytest.mark.parametrize(
    "line, said",
    [
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
         "so T is 5"),
        ({"result": "inputs.T, targets.T, lengths"}, "inputs has the shape (3, 5) where (5, 3) belongs"),
        ({"result": "inputs, targets"}, "three arrays: (inputs, targets, lengths)"),
        ({"inputs": "y[0] = start; inputs[: n, b] = y"}, "changed in place"),
    ],
)  # fmt: skip
def test_each_wrong_shift_is_named(tmp_path, line, said):
    assert said in wrong(tmp_path, 18, "teacher_forcing", FORCING.format(**RIGHT_FORCING | line))


def test_inputs_that_are_shifted_twice_are_named(tmp_path):
    source = FORCING.format(**RIGHT_FORCING)
    twice = source.replace("    lengths", "    inputs = np.concatenate([inputs[:1], inputs[:-1]])\n    lengths")
    assert "inputs is wrong: they are shifted twice" in wrong(tmp_path, 18, "teacher_forcing", twice)
    back = source.replace("    lengths", "    inputs = np.concatenate([inputs[1:], inputs[:1]])\n    lengths")
    assert "shifted in the wrong direction" in wrong(tmp_path, 18, "teacher_forcing", back)


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
}  # fmt: skip


@pytest.mark.parametrize(
    "line, said",
    [
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
        ({"top": "dx"}, "the shape of dh of encoder1 is (3, 2, 3) where (4, 2, 2) belongs"),
        ({"top": "0"}, "dh of encoder1 must be an array, not int"),
        ({"dstate1": "one[0]"}, "the dstate of encoder1 must be a pair (dhT, dcT)"),
        ({"dstate1": "(one[0], 0)"}, "dcT of encoder1 must be an array, not int"),
        ({"result": "dx_source"}, "two arrays: (dx_target, dx_source)"),
        ({"result": "dx_source, dx_target"}, "dx_target has the shape"),
    ],
)
def test_each_gradient_that_is_lost_on_the_way_to_the_encoder_is_named(tmp_path, line, said):
    source = BRIDGE.format(**RIGHT_BRIDGE | line)
    if line.get("top") == "dx":
        source = source.replace("dx_target, zero =", "dx, zero =").replace("nothing = ", "dx_target = dx; nothing = ")
    assert said in wrong(tmp_path, 18, "pair_backward", source)


def test_a_layer_that_is_forgotten_or_does_not_exist_is_named(tmp_path):
    source = BRIDGE.format(**RIGHT_BRIDGE)
    forgotten = source.replace('dx_source, _ = backward("encoder0", dx, zero)', "dx_source = dx")
    assert "backward was not called for encoder0" in wrong(tmp_path, 18, "pair_backward", forgotten)
    assert "there is no layer 'encoder2'" in wrong(tmp_path, 18, "pair_backward", source.replace("encoder1", "encoder2"))


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
}  # fmt: skip


@pytest.mark.thorough
@pytest.mark.parametrize(
    "line, said",
    [
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
        ({"stop": "False"}, "times, but all texts had ended after"),
        ({"read": "ids[~ended]"}, "step must get one id of each text"),
        ({"read": "np.eye(6)[ids]"}, "step must get one id of each text"),
        ({"result": "texts[0]"}, "a list of"),
        ({"first": "end"}, "the texts of example"),
    ],
)
def test_each_wrong_way_to_write_is_named(tmp_path, line, said):
    assert said in wrong(tmp_path, 18, "greedy", GREEDY.format(**RIGHT_GREEDY | line))


def test_the_unchanged_templates_are_right(tmp_path):
    sources = {"teacher_forcing": FORCING.format(**RIGHT_FORCING), "pair_backward": BRIDGE.format(**RIGHT_BRIDGE)}
    sources["greedy"] = GREEDY.format(**RIGHT_GREEDY)
    for name, source in sources.items():
        assert result_of(tmp_path, 18, name, source).state == "right"
