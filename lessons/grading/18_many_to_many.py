"""18. Many to many: grading."""

import numpy as np

from minilstm.course import Task, Wrong, check_array
from minilstm.reference.lstm import lstm_step, lstm_step_backward
from minilstm.reference.sequence import sequence_backward, sequence_forward

START, END = 10, 11
LAYERS = ("encoder0", "encoder1", "decoder0", "decoder1")
S, T, B, H = 4, 3, 2, 2  # steps of the source, of the target
V = 6


class Layers:
    """The function `backward` of four layers, which notes the layers that it was called for."""

    def __init__(self, rng):
        self.weights, self.caches, finals, self.called = {}, {}, {}, []
        x = {"encoder": rng.normal(size=(S, B, H)), "decoder": rng.normal(size=(T, B, H))}
        for layer in LAYERS:
            side, k = layer[:-1], layer[-1]
            W = self.weights[layer] = [rng.normal(0, 0.7, shape) for shape in ((H, 4 * H), (H, 4 * H), (4 * H,))]
            state = finals["encoder" + k] if side == "decoder" else (np.zeros((B, H)), np.zeros((B, H)))
            x[side], finals[layer], self.caches[layer] = sequence_forward(lstm_step, x[side], state, *W)

    def __call__(self, layer, dh, dstate):
        if layer not in LAYERS:
            raise Wrong(f"there is no layer {layer!r}; the four layers are {', '.join(LAYERS)}")
        check_array(f"dh of {layer}", dh, (S if layer.startswith("encoder") else T, B, H))
        if not isinstance(dstate, (tuple, list)) or len(dstate) != 2:
            raise Wrong(f"the dstate of {layer} must be a pair (dhT, dcT)")
        for name, array in zip(("dhT", "dcT"), dstate):
            check_array(f"{name} of {layer}", array, (B, H))
        self.called.append(layer)
        return sequence_backward(lstm_step_backward, dh, tuple(dstate), self.caches[layer], *self.weights[layer][:2])[:2]


def inputs_of_both(got, given):
    if missing := [layer for layer in LAYERS if layer not in given["backward"].called]:
        raise Wrong(f"backward was not called for {' and '.join(missing)}")
    return dict(zip(("dx_target", "dx_source"), got))


class Decoder:
    """The function `step` of a decoder with random weights, which counts its calls."""

    def __init__(self, rng, B):
        self.B, self.calls = B, 0
        self.mixes, self.reads, self.out = rng.normal(0, 1.5, (H, H)), rng.normal(0, 2, (V, H)), rng.normal(size=(H, V))

    def __call__(self, ids, state):
        ids = np.asarray(ids)
        if ids.shape != (self.B,) or ids.dtype.kind not in "iu":
            raise Wrong(f"step must get one id of each text, {self.B} integers; it got shape {ids.shape} of {ids.dtype}")
        self.calls += 1
        state = np.tanh(state @ self.mixes + self.reads[ids])
        return state @ self.out, state


LOST = (
    "lost on the way to the encoder. The decoder begins from h and c of both layers, so all four gradients pass to the encoder"
)
BOTH_GET = "both layers of the encoder get the dstate of {}; each gets that of the decoder layer with its number"
BRIDGES = {  # the dstate of encoder1, that of encoder0, and the message
    ("zeros", "zeros"):
        "the encoder gets zeros for its final states, so it is never trained. Pass on dstate1 and dstate0",
    ("(dstate1[0], zeros[1])", "(dstate0[0], zeros[1])"): f"dc0 is {LOST}",
    ("(zeros[0], dstate1[1])", "(zeros[0], dstate0[1])"): f"dh0 is {LOST}",
    ("(dstate1[0], zeros[1])", "dstate0"): f"dc0 of decoder1 is {LOST}",
    ("dstate1", "(dstate0[0], zeros[1])"): f"dc0 of decoder0 is {LOST}",
    ("(zeros[0], dstate1[1])", "dstate0"): f"dh0 of decoder1 is {LOST}",
    ("dstate1", "(zeros[0], dstate0[1])"): f"dh0 of decoder0 is {LOST}",
    ("dstate1", "zeros"): f"the dstate of layer 0 is {LOST}",
    ("zeros", "dstate0"): f"the dstate of layer 1 is {LOST}",
    ("dstate0", "dstate1"):
        "the layers are exchanged: the dstate of decoder1 belongs to encoder1, and that of decoder0 to encoder0",
    ("dstate1[::-1]", "dstate0[::-1]"): "dh0 and dc0 are exchanged on the way to the encoder",
    ("dstate0", "dstate0"): BOTH_GET.format("decoder0"),
    ("dstate1", "dstate1"): BOTH_GET.format("decoder1"),
}
INPUTS, TARGETS = "[: len(y) + 1, b] = [start, *y]", "targets[: len(y) + 1, b] = [*y, end]"
BLANKS = 15  # in the exercise before it is filled in
TASKS = [
    Task(
        "teacher_forcing",
        hints=(
            "For 105 the inputs are start, 1, 0, 5 and the targets 1, 0, 5, end. How many rows do they have?",
            "[start, *y] has len(y) + 1 entries, and so has [*y, end]. Write each into the first len(y) + 1 rows of column b:"
            " inputs[: len(y) + 1, b]. The end counts as a real target.",
        ),
        cases=lambda rng: [
            ([rng.integers(1, START, n) for n in sizes], START, END) for sizes in ((3, 1, 4), (2, 5), (2, 2))],
        returns=("inputs", "targets", "lengths"),
        mistakes={
            f"T = max(len(y) for y in answers); {INPUTS} -> [: len(y), b] = [start, *y[:-1]];"
            f" {TARGETS} -> targets[: len(y), b] = y":
                "it has a row too few: an answer of n tokens has n + 1 inputs and targets, so T is one more than the longest",
            f"{INPUTS} -> [: len(y) + 1, b] = [*y, end]": "they are not shifted: these are the targets. So the decoder would"
                " read what it must predict, and learn to copy it",
            "return np.concatenate([inputs[:1], inputs[:-1]]), targets, lengths":
                "they are shifted twice: each input must be the target one step before it",
            f"{INPUTS} -> [1 : len(y) + 1, b] = y": "the start token is missing; the first input is always the start",
            "[start, *y] -> [end, *y]": "the end token is in the first row; the first input is the start",
            "return np.concatenate([inputs[1:], inputs[:1]]), targets, lengths":
                "they are shifted in the wrong direction: they must begin with the start",
            "[*y, end] -> [start, *y]":
                "they are not shifted: these are the inputs. So the decoder would learn to copy what it reads",
            f"{TARGETS} -> targets[: len(y), b] = [*y[1:], end]":
                "they are shifted twice: the first target is y[0], since the inputs begin with the start already",
            f"{TARGETS} -> targets[: len(y), b] = y":
                "the end token is missing; without it the decoder never learns to stop",
            f"{TARGETS} -> targets[: len(y), b], targets[-1, b] = y, end":
                "the end token is in the last row of the array; it comes right after each answer, the padding after it",
            f"{TARGETS} -> targets[-1, b], targets[: len(y) + 1, b] = end, [*y, end]":
                "the end token is in both, after each answer and in the last row; one is enough",
            f"{TARGETS} -> targets[: len(y), b], targets[len(y) :, b] = y, end":
                "the end token fills the padding, too; there it is 0",
            "[*y, end] -> [*y, start]": "the token after each answer is the start, and must be the end",
            "len(y) + 1 for -> len(y) for": "the end is a real target, too: they are one more than those of the answers",
            "len(y) + 1 for -> len(y) + 2 for": "they are one too many: an answer of n tokens has n + 1 targets",
            "lengths = np.full(B, T)": "they are all T; padding is no real target",
        },
        praise="inputs begin with the start, targets end with the end, and each input is the target before it",
    ),
    Task(
        "pair_backward",
        hints=(
            "Ask for each layer: what reads its outputs, and what reads its final state? If nothing reads them, their gradient"
            " is zeros.",
            "The outputs of decoder0 are read by decoder1, and those of encoder0 by encoder1: dx. The outputs of encoder1 are"
            " read by nothing: zeros of the shape (S, B, H). The final state of encoder1 is the initial state of decoder1, and"
            " that of encoder0 the initial state of decoder0.",
        ),
        cases=lambda rng: [(Layers(rng), rng.normal(size=(T, B, H)), S) for _ in range(2)],
        returns=("dx_target", "dx_source"),
        compared=inputs_of_both,
        mistakes={
            '"decoder0", dx, zeros -> "decoder0", dh, zeros': "decoder0 gets the dh of decoder1; what decoder1 reads are the"
                " outputs of decoder0, so its dx is their gradient",
            "dh, zeros -> dh, (zeros[0] + 1, zeros[1] + 1)":
                "the decoder begins with ones as the gradient of its final state, which nothing reads: zeros",
            "dx_target, dstate0 = -> dx_target, (_, dstate0) = dx,": "this is the dx of decoder1; go on through decoder0",
        } | {f"H)), dstate1 -> H)), {one}; dx, dstate0) -> dx, {zero})": said for (one, zero), said in BRIDGES.items()} | {
            "np.zeros((S, B, H)) -> np.zeros((S, B, H)) + dstate1[0]": "the outputs of encoder1 get a gradient at every step;"
                " only its final state is read, and dstate has that",
            "np.zeros((S, B, H)) -> np.concatenate([np.zeros((S - 1, B, H)), dstate1[:1]])":
                "dh0 counts twice: as the gradient of the last output of encoder1, and in its dstate",
            "np.zeros((S, B, H)) -> np.ones((S, B, H))":
                "the outputs of encoder1 get ones; nothing reads them, so their gradient is 0",
        },
        praise="h and c of both layers pass their gradients on to the encoder",
    ),
    Task(
        "greedy",
        hints=(
            "In each step: call step, take the argmax of each row, note which texts have ended, and add the id to those that"
            " have not. The id is also what the next step reads.",
            "Begin with B times the start. ended |= ids == end notes the ends, and texts stay ended. After that, add ids[b] to"
            " texts[b] only where ended[b] is False, and stop the loop if all have ended.",
        ),
        cases=lambda rng: [(Decoder(rng, B), rng.normal(size=(B, H)), 0, 5, 9) for B in 3 * (1, 2, 3, 4)],
        returns="the list of texts",
        compared=lambda texts, given: {"the list of texts": texts, "the number of calls of step": given["step"].calls},
        mistakes={
            "step(ids, state) -> step(np.full(B, start), state)":
                "the decoder reads the start token in every step; it must read what was just written",
            "logits, state = -> logits, _ =":
                "the state is not updated: the next step must get the state that step returned",
            "ended |= ids == end -> before, ended = ended, ended | (ids == end); ~ended -> ~before":
                "the end token is written, too; it does not belong to the text",
            "[[] for -> [[start] for": "the start token is written, too; it does not belong to the text",
            "~ended -> ids != end": "texts go on after their end: when a text has ended, add nothing more to it",
            "ended |= ids == end -> pass": "no text ends before the limit: look for the end token",
            "ended.all() -> ended.any()": "all texts stop when the first one ends; the others must go on",
            "argmax -> argmin": "this is the least likely token: use argmax",
            "range(limit) -> range(limit - 1)": "the limit is the number of calls of step; yours makes one too few",
            "range(limit) -> range(limit + 1)": "the limit is the number of calls of step; yours makes one too many",
            "return texts[0]": "this is one text; it must be a list of them, one for each row of the state",
            "if ended.all(): -> if False:": "step is called after all texts have ended; stop there",
        },
        praise="right for texts that end at different steps, and for texts that do not end",
    ),
]  # fmt: skip
