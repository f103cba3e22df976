"""What a function under test is put through: random cases, and its results taken apart into named parts.

A part is the smallest thing that is told apart: an output (``dc_prev``), a gate's block of a weight gradient (``dWx, forget
gate``), one time step (``dx[2]``). Each trial can run ours, one with mistakes of the catalogue in it, and the learner's.

Cases are float64, with biases and states that are not zero and gates far from saturation. In the first D = H, so that a
transposed block has a fitting shape; in the others all sizes differ, so that it has not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minilstm.cells.lstm import LSTMGrads, lstm_step, lstm_step_backward
from minilstm.errors import InputError
from minilstm.losses import softmax_cross_entropy, softmax_cross_entropy_backward
from minilstm.verify import mistakes
from minilstm.verify.sequence import lstm_sequence, lstm_sequence_backward
from minilstm.verify.variant import Mistake, variant

GATE_NAMES = ("input gate", "forget gate", "candidate", "output gate")
RAISES = "raises"  # the part of a result that holds what a function raised
Parts = dict[str, Any]


@dataclass(frozen=True)
class Trial:
    """A function of ours, the catalogue of what goes wrong in it, and cases to run it on."""

    title: str  # of the function under test
    catalogue: Sequence[Mistake]
    build: Callable[[Sequence[Mistake]], Callable]  # our function with these mistakes in it
    cases: Sequence[dict[str, Any]]  # arguments by name
    take_apart: Callable[[Callable, dict[str, Any]], Parts]  # run on a case
    their_cases: Sequence[dict[str, Any]] = ()  # the same numbers with caches of the learner's own forward

    def ours(self, made: Sequence[Mistake] = ()) -> list[Parts]:
        """The parts of every case as our function gives them, with these mistakes in it."""
        return [self._result(self.build(made), case) for case in self.cases]

    def theirs(self, function: Callable) -> list[Parts]:
        """The parts of every case as the learner's function gives them; what it raises and changes are parts too."""
        return [self._result(function, case) for case in self.their_cases or self.cases]

    def _result(self, function: Callable, case: dict[str, Any]) -> Parts:
        handed = _copy(case)
        try:
            with np.errstate(all="ignore"):
                parts = self.take_apart(function, handed)
        except InputError:
            raise
        except Exception as error:  # whatever it is, the learner is told of it
            return {RAISES: f"{type(error).__name__}: {error}"}
        before, after = _arrays("", case), _arrays("", handed)
        changed = (name for name in before if not np.array_equal(before[name], after[name], equal_nan=True))
        return parts | {f"{name}, changed in place": np.ones(()) for name in changed}


def step_trial(seed: int = 0) -> Trial:
    """Of ``my_step(x, h_prev, c_prev, Wx, Wh, b) -> h, c, cache``."""
    rng = np.random.default_rng(seed)

    def take_apart(function, case):
        h, c, _ = parts_of(function(*case.values()), 3, "your step must return (h, c, cache)")
        return {"c": np.asarray(c), "h": np.asarray(h)}

    build = lambda made: variant(lstm_step, made)
    return Trial("forward step", mistakes.STEP, build, [step_case(rng, *sizes) for sizes in STEP_SIZES], take_apart)


def step_backward_trial(seed: int = 0, forward: Callable = lstm_step) -> Trial:
    """Of ``my_step_backward(dh, dc, cache, Wx, Wh) -> dx, dh_prev, dc_prev, grads``, with the cache of ``forward``."""

    def cases(step):
        rng = np.random.default_rng(seed)
        for B, D, H in STEP_SIZES:
            case = step_case(rng, B, D, H)
            cache = parts_of(step(*_copy(case).values()), 3, "your step must return (h, c, cache)")[2]
            dh, dc = rng.standard_normal((B, H)), rng.standard_normal((B, H))
            yield {"dh": dh, "dc": dc, "cache": cache, "Wx": case["Wx"], "Wh": case["Wh"]}

    build = lambda made: variant(lstm_step_backward, made)
    arguments = mistakes.STEP_BACKWARD, build, list(cases(lstm_step)), _step_backward_parts, list(cases(forward))
    return Trial("backward step", *arguments)


def _step_backward_parts(function, case) -> Parts:
    answer = function(case["dh"], case["dc"], case["cache"], case["Wx"], case["Wh"])
    dx, dh_prev, dc_prev, grads = parts_of(answer, 4, "your backward pass must return (dx, dh_prev, dc_prev, grads)")
    return {"dc_prev": np.asarray(dc_prev), **_gradient_parts(grads), "dx": np.asarray(dx), "dh_prev": np.asarray(dh_prev)}


def sequence_trial(seed: int = 0) -> Trial:
    """Of ``my_forward(x, state, Wx, Wh, b) -> h, (hT, cT), caches``."""
    rng = np.random.default_rng(seed)

    def take_apart(function, case):
        h, final, _ = parts_of(function(*case.values()), 3, "your forward pass must return (h, (hT, cT), caches)")
        hT, cT = parts_of(final, 2, "the final state must be a pair (hT, cT)")
        return {**_steps("h", h, len(case["x"])), "hT": np.asarray(hT), "cT": np.asarray(cT)}

    build = lambda made: variant(lstm_sequence, made, lstm_step=variant(lstm_step, made))
    cases = [sequence_case(rng, *sizes) for sizes in SEQUENCE_SIZES]
    return Trial("forward pass through time", mistakes.STEP, build, cases, take_apart)


def sequence_backward_trial(seed: int = 0, forward: Callable = lstm_sequence) -> Trial:
    """Of ``my_backward(dh, dstate, caches, Wx, Wh) -> dx, (dh0, dc0), grads``, with the caches of ``forward``."""

    def cases(sequence):
        rng = np.random.default_rng(seed)
        for T, B, D, H in SEQUENCE_SIZES:
            case = sequence_case(rng, T, B, D, H)
            caches = parts_of(sequence(*_copy(case).values()), 3, "your forward pass must return (h, (hT, cT), caches)")[2]
            dh, dstate = rng.standard_normal((T, B, H)), (rng.standard_normal((B, H)), rng.standard_normal((B, H)))
            yield {"dh": dh, "dstate": dstate, "caches": caches, "Wx": case["Wx"], "Wh": case["Wh"]}

    def build(made: Sequence[Mistake]):
        return variant(lstm_sequence_backward, made, lstm_step_backward=variant(lstm_step_backward, made))

    catalogue = [*mistakes.SEQUENCE_BACKWARD, *(m for m in mistakes.STEP_BACKWARD if m.name not in ALSO_OF_THE_LOOP)]
    arguments = catalogue, build, list(cases(lstm_sequence)), _sequence_backward_parts, list(cases(forward))
    return Trial("backward pass through time", *arguments)


def _sequence_backward_parts(function, case) -> Parts:
    answer = function(case["dh"], case["dstate"], case["caches"], case["Wx"], case["Wh"])
    dx, dstate, grads = parts_of(answer, 3, "your backward pass must return (dx, (dh0, dc0), grads)")
    dh0, dc0 = parts_of(dstate, 2, "the second that your backward pass returns must be a pair (dh0, dc0)")
    back_through_time = dict(reversed(_steps("dx", dx, len(case["dh"])).items()))
    return {**back_through_time, "dc0": np.asarray(dc0), "dh0": np.asarray(dh0), **_gradient_parts(grads)}


def loss_trial(seed: int = 0) -> Trial:
    """Of ``my_loss(logits, targets, lengths) -> loss, dlogits``."""
    rng = np.random.default_rng(seed)
    cases = []
    for T, B, V, scale in ((4, 3, 5, 1.0), (2, 1, 3, 3.0), (3, 2, 4, 1000.0)):
        lengths = np.array([T, 1, 2][:B])
        cases.append({"logits": rng.normal(0, scale, (T, B, V)), "targets": rng.integers(0, V, (T, B)), "lengths": lengths})
    names = ("loss", "dlogits at the real tokens", "dlogits at the padding")

    def take_apart(function, case):
        real = np.arange(len(case["logits"]))[:, None] < case["lengths"]
        loss, dlogits = parts_of(function(*case.values()), 2, "your loss must return (loss, dlogits)")
        dlogits = np.asarray(dlogits)
        if dlogits.shape != case["logits"].shape:
            return {"loss": np.asarray(loss), "dlogits": dlogits}
        return dict(zip(names, (np.asarray(loss), dlogits[real], dlogits[~real])))

    def build(made: Sequence[Mistake]):
        forward, backward = variant(softmax_cross_entropy, made), variant(softmax_cross_entropy_backward, made)

        def loss_and_gradient(logits, targets, lengths):
            loss, cache = forward(logits, targets, lengths)
            return loss, backward(cache)

        return loss_and_gradient

    return Trial("loss", mistakes.LOSS, build, cases, take_apart)


ALSO_OF_THE_LOOP = {  # what a step does not hand back is what a loop does not carry: nobody can tell them apart
    "cell-state gradient not carried",
    "hidden-state gradient not carried",
    "dh_prev and dc_prev the other way round",
}
STEP_SIZES = ((2, 3, 3), (3, 2, 4))  # B, D, H
SEQUENCE_SIZES = ((4, 2, 3, 3), (3, 3, 2, 4))  # T, B, D, H


def step_case(rng, B: int, D: int, H: int) -> dict[str, Any]:
    """Random arguments of a step."""
    state = {"h_prev": rng.standard_normal((B, H)), "c_prev": rng.standard_normal((B, H))}
    return {"x": rng.standard_normal((B, D)), **state, **_weights(rng, D, H)}


def sequence_case(rng, T: int, B: int, D: int, H: int) -> dict[str, Any]:
    """Random arguments of a whole sequence."""
    state = rng.standard_normal((B, H)), rng.standard_normal((B, H))
    return {"x": rng.standard_normal((T, B, D)), "state": state, **_weights(rng, D, H)}


def _weights(rng, D: int, H: int) -> dict[str, np.ndarray]:
    normal = lambda *shape: rng.normal(0, 0.7, shape)
    return {"Wx": normal(D, 4 * H), "Wh": normal(H, 4 * H), "b": normal(4 * H)}


def gradient_arrays(grads) -> dict[str, np.ndarray]:
    """The gradients by name, from any form that holds three arrays in the order Wx, Wh, b, or by these names."""
    if isinstance(grads, dict):
        by_name = {name.removeprefix("d"): array for name, array in grads.items()}
        if not set(LSTMGrads._fields) <= set(by_name):
            raise InputError(f"the gradients must be those of Wx, Wh and b, not of {', '.join(map(str, grads))}")
        grads = [by_name[name] for name in LSTMGrads._fields]
    arrays = parts_of(grads, 3, "the gradients must be three arrays, of Wx, Wh and b")
    return dict(zip(LSTMGrads._fields, map(np.asarray, arrays)))


def _gradient_parts(grads) -> Parts:
    """The gradients of the weights, each cut into its four gates."""
    arrays, parts = gradient_arrays(grads), {}
    for name in ("b", "Wx", "Wh"):
        array, name = arrays[name], "d" + name
        if array.ndim == 0 or array.shape[-1] % 4:
            parts[name] = array
            continue
        for gate, block in zip(GATE_NAMES, np.split(array, 4, axis=-1)):
            parts[f"{name}, {gate}"] = block
    return parts


def _steps(name: str, array, T: int) -> Parts:
    """One part for each time step, if there is one."""
    array = np.asarray(array)
    return {f"{name}[{t}]": array[t] for t in range(T)} if len(array) == T else {name: array}


def parts_of(answer, length: int, sentence: str):
    """The answer of somebody's function, which must be a tuple of this length."""
    if not isinstance(answer, (tuple, list)) or len(answer) != length:
        kind = type(answer).__name__
        count = f" of {len(answer)}" if isinstance(answer, (tuple, list)) else ""
        raise InputError(f"{sentence}, not a {kind}{count}")
    return answer


def _arrays(name: str, value) -> dict[str, np.ndarray]:
    """All arrays of numbers inside of a value, however nested, with a name for each."""
    if isinstance(value, np.ndarray):
        return {name: value} if value.dtype.kind in "biufc" else {}
    if isinstance(value, dict):
        keys, values = list(value), list(value.values())
    elif isinstance(value, (tuple, list)):
        keys, values = list(getattr(value, "_fields", range(len(value)))), list(value)
    else:
        return {}
    found: dict[str, np.ndarray] = {}
    for key, part in zip(keys, values):
        found |= _arrays((f"{name}.{key}" if name else key) if isinstance(key, str) else f"{name}[{key}]", part)
    return found


def _copy(value):
    """A deep copy of arrays in dictionaries, lists and (named) tuples; anything else as it is."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, dict):
        return {key: _copy(v) for key, v in value.items()}
    if isinstance(value, tuple):
        return type(value)(*map(_copy, value)) if hasattr(value, "_fields") else tuple(map(_copy, value))
    return [_copy(v) for v in value] if isinstance(value, list) else value
