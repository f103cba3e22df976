"""18. Many to many: grading."""

import numpy as np

from minilstm.course import Task, Wrong, check_array, same
from minilstm.data import pairs
from minilstm.reference.lstm import lstm_step, lstm_step_backward
from minilstm.reference.sequence import sequence_backward, sequence_forward
from minilstm.verify import contracts

START, END = 10, 11


def wrong_forcing(answers, start, end):
    """Inputs and targets with each mistake that is common, by its message."""
    inputs, targets, lengths = pairs.teacher_forcing(answers, start, end)
    later = np.roll(inputs, 1, axis=0)
    later[0] = start
    in_the_last_row = targets * (targets != end)
    in_the_last_row[-1] = end
    everywhere = np.where(np.arange(len(inputs))[:, None] >= lengths - 1, end, targets)
    without_end = targets * (targets != end)
    return {
        "inputs": {
            "they are not shifted: these are the targets. So the decoder would read what it must predict, and learn to copy it":
                targets,
            "they are shifted twice: each input must be the target one step before it": later,
            "the start token is missing; the first input is always the start": inputs * (inputs != start),
            "the end token is in the first row; the first input is the start": np.where(inputs == start, end, inputs),
            "they are shifted in the wrong direction: they must begin with the start":
                np.concatenate([inputs[1:], inputs[:1]]),
        },
        "targets": {
            "they are not shifted: these are the inputs. So the decoder would learn to copy what it reads": inputs,
            "they are shifted twice: the first target is y[0], since the inputs begin with the start already":
                np.concatenate([targets[1:], 0 * targets[:1]]),
            "the end token is missing; without it the decoder never learns to stop": without_end,
            "the end token is in the last row of the array; it comes right after each answer, the padding after it":
                in_the_last_row,
            "the end token is in both, after each answer and in the last row; one is enough":
                np.maximum(targets, in_the_last_row),
            "the end token fills the padding, too; there it is 0": everywhere,
            "the token after each answer is the start, and must be the end": np.where(targets == end, start, targets),
        },
        "lengths": {
            "the end is a real target, too: they are one more than those of the answers": lengths - 1,
            "they are one too many: an answer of n tokens has n + 1 targets": lengths + 1,
            "they are all T; padding is no real target": np.full_like(lengths, len(inputs)),
        },
    }  # fmt: skip


def teacher_forcing(yours):
    rng = np.random.default_rng(0)
    for sizes in ((3, 1, 4), (2, 5), (2, 2)):
        answers = [rng.integers(1, START, n) for n in sizes]
        got = yours([y.copy() for y in answers], START, END)
        contracts.unpack(got, 3, "teacher_forcing must return three arrays: (inputs, targets, lengths)")
        right = pairs.teacher_forcing(answers, START, END)
        wrong = wrong_forcing(answers, START, END)
        B, T = len(sizes), max(sizes) + 1
        for name, array, wanted in zip(("inputs", "targets", "lengths"), got, right):
            if name != "lengths" and np.shape(array) == (T - 1, B):
                raise Wrong(f"{name} has {T - 1} rows; an answer of n tokens has n + 1 inputs and targets, so T is {T}")
            same(name, array, wanted, wrong[name])
    return "inputs begin with the start, targets end with the end, and each input is the target before it"


LAYERS = ("encoder0", "encoder1", "decoder0", "decoder1")
S, T, B, E, H = 4, 3, 2, 3, 2


def pair_case(seed):
    """Caches and weights of the four layers, and dh."""
    rng = np.random.default_rng(seed)
    x = {"encoder": rng.normal(size=(S, B, E)), "decoder": rng.normal(size=(T, B, E))}
    weights, caches, finals = {}, {}, {}
    for layer in LAYERS:
        side, k = layer[:-1], layer[-1]
        D = x[side].shape[2]
        W = weights[layer] = [rng.normal(0, 0.7, shape) for shape in ((D, 4 * H), (H, 4 * H), (4 * H,))]
        state = finals["encoder" + k] if side == "decoder" else (np.zeros((B, H)), np.zeros((B, H)))
        x[side], finals[layer], caches[layer] = sequence_forward(lstm_step, x[side], state, *W)
    return weights, caches, rng.normal(size=(T, B, H))


def through(weights, caches, calls=None):
    """The function `backward` of the task; it notes its calls."""

    def backward(layer, dh, dstate):
        if layer not in LAYERS:
            raise Wrong(f"there is no layer {layer!r}; the four layers are {', '.join(LAYERS)}")
        steps = S if layer.startswith("encoder") else T
        check_array(f"dh of {layer}", dh, (steps, B, H))
        contracts.unpack(dstate, 2, f"the dstate of {layer} must be a pair (dhT, dcT)")
        for name, array in zip(("dhT", "dcT"), dstate):
            check_array(f"{name} of {layer}", array, (B, H))
        if calls is not None:
            calls.append(layer)
        return sequence_backward(lstm_step_backward, dh, tuple(dstate), caches[layer], *weights[layer][:2])[:2]

    return backward


def both(back, dh, change=lambda one, zero: (one, zero), top=None, final=None):
    """(dx_target, dx_source); other arguments are mistakes."""
    zeros = np.zeros((B, H)), np.zeros((B, H))
    dx, one = back("decoder1", dh, zeros if final is None else final)
    dx_target, zero = back("decoder0", dx, zeros)
    one, zero = change(one, zero)
    dx, _ = back("encoder1", np.zeros((S, B, H)) if top is None else top, one)
    return dx_target, back("encoder0", dx, zero)[0]


def wrong_bridges():
    """Functions of (dstate1, dstate0), by the message of their mistake."""
    no_h = lambda state: (0 * state[0], state[1])
    no_c = lambda state: (state[0], 0 * state[1])
    none = lambda state: (0 * state[0], 0 * state[1])
    read = "The decoder begins from h and c of both layers, so all four gradients pass to the encoder"
    lost = lambda what: f"{what} lost on the way to the encoder. {read}"
    return {
        "the encoder gets zeros for its final states, so it is never trained. Pass on dstate1 and dstate0":
            lambda one, zero: (none(one), none(zero)),
        lost("dc0 is"): lambda one, zero: (no_c(one), no_c(zero)),
        lost("dh0 is"): lambda one, zero: (no_h(one), no_h(zero)),
        lost("dc0 of decoder1 is"): lambda one, zero: (no_c(one), zero),
        lost("dc0 of decoder0 is"): lambda one, zero: (one, no_c(zero)),
        lost("dh0 of decoder1 is"): lambda one, zero: (no_h(one), zero),
        lost("dh0 of decoder0 is"): lambda one, zero: (one, no_h(zero)),
        lost("the dstate of layer 0 is"): lambda one, zero: (one, none(zero)),
        lost("the dstate of layer 1 is"): lambda one, zero: (none(one), zero),
        "the layers are exchanged: the dstate of decoder1 belongs to encoder1, and that of decoder0 to encoder0":
            lambda one, zero: (zero, one),
        "dh0 and dc0 are exchanged on the way to the encoder": lambda one, zero: (one[::-1], zero[::-1]),
        "both layers of the encoder get the dstate of decoder0; each gets that of the decoder layer with its number":
            lambda one, zero: (zero, zero),
        "both layers of the encoder get the dstate of decoder1; each gets that of the decoder layer with its number":
            lambda one, zero: (one, one),
    }  # fmt: skip


def pair_backward(yours):
    for seed in (0, 1):
        weights, caches, dh = pair_case(seed)
        back, calls = through(weights, caches), []
        got = yours(through(weights, caches, calls), dh.copy(), S)
        contracts.unpack(got, 2, "pair_backward must return two arrays: (dx_target, dx_source)")
        if missing := [layer for layer in LAYERS if layer not in calls]:
            raise Wrong(f"backward was not called for {' and '.join(missing)}")
        dx_target, dx_source = both(back, dh)
        ones = lambda steps: np.ones((steps, B, H))
        again, _ = back("decoder0", dh, (np.zeros((B, H)), np.zeros((B, H))))
        same("dx_target", got[0], dx_target, {
            "decoder0 gets the dh of decoder1; what decoder1 reads are the outputs of decoder0, so its dx is their gradient":
                again,
            "the decoder begins with ones as the gradient of its final state, which nothing reads: zeros":
                both(back, dh, final=(ones(1)[0], ones(1)[0]))[0],
            "this is the dx of decoder1; go on through decoder0": back("decoder1", dh, (0 * dh[0], 0 * dh[0]))[0],
        })  # fmt: skip
        at_every_step = lambda: both(back, dh, top=np.repeat(last_dh(back, dh)[None], S, axis=0))[1]
        at_the_end = lambda: both(back, dh, top=np.concatenate([np.zeros((S - 1, B, H)), last_dh(back, dh)[None]]))[1]
        same("dx_source", got[1], dx_source, {
            message: both(back, dh, change)[1] for message, change in wrong_bridges().items()
        } | {
            "the outputs of encoder1 get a gradient at every step; only its final state is read, and dstate has that":
                at_every_step(),
            "dh0 counts twice: as the gradient of the last output of encoder1, and in its dstate": at_the_end(),
            "the outputs of encoder1 get ones; nothing reads them, so their gradient is 0": both(back, dh, top=ones(S))[1],
        })  # fmt: skip
    return "h and c of both layers pass their gradients on to the encoder"


def last_dh(back, dh):
    """dh0 of decoder1."""
    return back("decoder1", dh, (0 * dh[0], 0 * dh[0]))[1][0]


V = 6


def machine(seed, B, calls):
    """The function `step` of the task, from random tables, and an initial state (B, H)."""
    rng = np.random.default_rng(seed)
    mixes, reads, out = rng.normal(0, 1.5, (H, H)), rng.normal(0, 2, (V, H)), rng.normal(size=(H, V))

    def step(ids, state):
        ids = np.asarray(ids)
        if ids.shape != (B,) or ids.dtype.kind not in "iu":
            raise Wrong(f"step must get one id of each text, {B} integers; it got shape {ids.shape} of {ids.dtype}")
        calls.append(len(calls))
        state = np.tanh(state @ mixes + reads[ids])
        return state @ out, state

    return step, rng.normal(size=(B, H))


def texts_of(step, state, start, end, limit, mistake=""):
    """Texts, some of them with a mistake."""
    B = len(state)
    ids, texts, ended = np.full(B, start), [[] for _ in range(B)], np.zeros(B, bool)
    for t in range(limit):
        logits, after = step(ids, state)
        state = state if mistake == "state" else after
        chosen = logits.argmin(axis=1) if mistake == "least" else logits.argmax(axis=1)
        ids = np.full(B, start) if mistake == "start" else chosen
        just_ended = ~ended & (chosen == end)
        ended = ended | (chosen == end)
        for b in range(B):
            goes_on = mistake == "no end" or not ended[b] or mistake == "after" and chosen[b] != end
            if goes_on or mistake == "with end" and just_ended[b]:
                texts[b].append(int(chosen[b]))
        if mistake != "no end" and (ended.any() if mistake == "first" else ended.all()):
            break
    return [[start, *text] for text in texts] if mistake == "with start" else texts


MISTAKES = {
    "the decoder reads the start token in every step; it must read what was just written": "start",
    "the state is not updated: the next step must get the state that step returned": "state",
    "the end token is written, too; it does not belong to the text": "with end",
    "the start token is written, too; it does not belong to the text": "with start",
    "texts go on after their end: when a text has ended, add nothing more to it": "after",
    "no text ends before the limit: look for the end token": "no end",
    "all texts stop when the first one ends; the others must go on": "first",
    "this is the least likely token: use argmax": "least",
}


def greedy(yours):
    start, end, limit = 0, 5, 9
    stopped = False
    for seed in range(12):
        B = 1 + seed % 4
        calls, others = [], []
        step, state = machine(seed, B, calls)
        got = yours(step, state.copy(), start, end, limit)
        if isinstance(got, np.ndarray):
            got = list(got)
        if not isinstance(got, list) or len(got) != B:
            raise Wrong(f"greedy must return a list of {B} texts, one for each row of the state")
        got = [[int(k) for k in text] for text in got]
        silent, _ = machine(seed, B, others)
        right = texts_of(silent, state, start, end, limit)
        needed = len(others)
        known = {sentence: texts_of(silent, state, start, end, limit, mistake) for sentence, mistake in MISTAKES.items()}
        known["the limit is the number of calls of step; yours makes one too few"] = \
            texts_of(silent, state, start, end, limit - 1)
        known["the limit is the number of calls of step; yours makes one too many"] = \
            texts_of(silent, state, start, end, limit + 1)
        same(f"the texts of example {seed}", got, right, {k: wrong for k, wrong in known.items() if wrong != right})
        if len(calls) > needed:
            raise Wrong(f"step was called {len(calls)} times, but all texts had ended after {needed}: stop there")
        stopped |= needed < limit
    assert stopped  # or the rule was never tested
    return "right for texts that end at different steps, and for texts that do not end"


BLANKS = 15  # in the exercise before it is filled in
TASKS = [
    Task("teacher_forcing", teacher_forcing, (
        "For 105 the inputs are start, 1, 0, 5 and the targets 1, 0, 5, end. How many rows do they have?",
        "[start, *y] has len(y) + 1 entries, and so has [*y, end]. Write each into the first len(y) + 1 rows of column b:"
        " inputs[: len(y) + 1, b]. The end counts as a real target.",
    )),
    Task("pair_backward", pair_backward, (
        "Ask for each layer: what reads its outputs, and what reads its final state? If nothing reads them, their gradient is"
        " zeros.",
        "The outputs of decoder0 are read by decoder1, and those of encoder0 by encoder1: dx. The outputs of encoder1 are read"
        " by nothing: zeros of the shape (S, B, H). The final state of encoder1 is the initial state of decoder1, and that of"
        " encoder0 the initial state of decoder0.",
    )),
    Task("greedy", greedy, (
        "In each step: call step, take the argmax of each row, note which texts have ended, and add the id to those that have"
        " not. The id is also what the next step reads.",
        "Begin with B times the start. ended |= ids == end notes the ends, and texts stay ended. After that, add ids[b] to"
        " texts[b] only where ended[b] is False, and stop the loop if all have ended.",
    )),
]  # fmt: skip
