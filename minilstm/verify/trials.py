"""What a function under test is put through: random cases, and its results taken apart into named parts.

A part is the smallest thing that is told apart: an output (``dc_prev``), a gate's block of a weight gradient (``dWx, forget
gate``), one time step (``dx[2]``). Each trial can run ours, ours with mistakes of the catalogue in it, and the learner's.

In the first case D = H, so that a transposed block has a fitting shape; in the others all sizes differ, and it has not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minilstm.cells.lstm import lstm_step, lstm_step_backward
from minilstm.checks import check_seed
from minilstm.errors import InputError
from minilstm.losses import softmax_cross_entropy, softmax_cross_entropy_backward
from minilstm.verify import contracts, mistakes
from minilstm.verify.contracts import Case
from minilstm.verify.diagnosis import RAISES
from minilstm.verify.sequence import lstm_sequence, lstm_sequence_backward
from minilstm.verify.variant import Mistake, variant

STEP_SIZES = ((2, 3, 3), (3, 2, 4))  # B, D, H
SEQUENCE_SIZES = ((1, 2, 3, 3), (4, 2, 3, 3), (3, 3, 2, 4))  # T, B, D, H
LOSS_SIZES = ((4, 3, 5, 1.0), (2, 1, 3, 3.0), (3, 2, 4, 1000.0))  # T, B, V, and how large the logits are
GATE_NAMES = ("input gate", "forget gate", "candidate", "output gate")
Parts = dict[str, Any]
Made = Sequence[Mistake]
_known: dict[tuple[str, int], dict[Mistake, list[Parts]]] = {}  # by the title and the seed of a trial, some megabytes each


@dataclass(frozen=True)
class Trial:
    """A function of ours, the catalogue of what goes wrong in it, and cases to run it on."""

    title: str  # of the function under test
    call: str  # how it is called
    catalogue: Made
    build: Callable[[Made], Callable]  # our function with these mistakes in it
    take_apart: Callable[[Callable, Case], Parts]  # run on a case
    cases: Sequence[Case]
    your_cases: Sequence[Case]  # the same numbers, with caches of the forward that belongs to the function under test
    seed: int  # of the cases

    def ours(self, made: Made = ()) -> Iterator[Parts]:
        """The parts of one case after the other as our function gives them, with these mistakes in it."""
        function = self.build(made)
        return (self._parts(function, case) for case in self.cases)

    def known(self) -> dict[Mistake, list[Parts]]:
        """What every mistake of the catalogue gives, which is computed once for a seed."""
        key = self.title, self.seed
        if key not in _known:
            if len(_known) == 8:  # all trials with one seed are five
                _known.clear()
            _known[key] = {mistake: list(self.ours([mistake])) for mistake in self.catalogue}
        return _known[key]

    def yours(self, function: Callable) -> list[Parts]:
        """The parts of every case as the function under test gives them; what it raises and changes are parts too."""
        return [self._parts(function, case) for case in self.your_cases]

    def _parts(self, function: Callable, case: Case) -> Parts:
        handed = contracts.copy_of(case)
        try:
            with np.errstate(all="ignore"):
                parts = {name: np.asarray(part) for name, part in self.take_apart(function, handed).items()}
        except InputError:
            raise
        except Exception as error:  # whatever it is, the learner is told of it
            return {RAISES: f"{type(error).__name__}: {error}"}
        before, after = contracts.arrays_in(case), contracts.arrays_in(handed)
        kept = lambda name: name in after and np.array_equal(before[name], after[name], equal_nan=True)
        changed = (name for name in before if not kept(name))
        return parts | {f"{name}, changed in place": np.ones(()) for name in changed}


def step_trial(seed: int = 0) -> Trial:
    """Of a forward step."""
    rng = np.random.default_rng(check_seed("seed", seed))
    cases = [contracts.step_case(rng, *sizes) for sizes in STEP_SIZES]

    def take_apart(step: Callable, case: Case) -> Parts:
        h, c, _ = contracts.call_step(step, **case)
        return {"c": c, "h": h}

    build = lambda made: variant(lstm_step, made)
    return Trial("forward step", "(x, h_prev, c_prev, Wx, Wh, b)", mistakes.STEP, build, take_apart, cases, cases, seed)


def step_backward_trial(seed: int = 0, forward: Callable = lstm_step) -> Trial:
    """Of a backward step, which gets the caches of ``forward``."""
    cases = lambda step: _with_caches_of(step, _step_backward_case, STEP_SIZES, seed)

    def take_apart(backward: Callable, case: Case) -> Parts:
        dx, dh_prev, dc_prev, grads = contracts.call_step_backward(backward, **case)
        return {"dc_prev": dc_prev, **_gates(grads), "dx": dx, "dh_prev": dh_prev}  # from what is computed first

    build = lambda made: variant(lstm_step_backward, made)
    call = "(dh, dc, cache, Wx, Wh)" + (", with the cache of cells.lstm_step" if forward is lstm_step else "")
    return Trial("backward step", call, mistakes.STEP_BACKWARD, build, take_apart, cases(lstm_step), cases(forward), seed)


def _with_caches_of(forward: Callable, make: Callable[..., Case], all_sizes, seed: int) -> list[Case]:
    """Cases of a backward pass; the same seed draws the same numbers whosever forward makes the caches."""
    check_seed("seed", seed)
    return [make(np.random.default_rng([seed, k]), forward, *sizes) for k, sizes in enumerate(all_sizes)]


def _step_backward_case(rng: np.random.Generator, step: Callable, B: int, D: int, H: int) -> Case:
    case = contracts.step_case(rng, B, D, H)
    _, _, cache = contracts.call_step(step, **contracts.copy_of(case))
    dh, dc = rng.standard_normal((B, H)), rng.standard_normal((B, H))
    return {"dh": dh, "dc": dc, "cache": cache, "Wx": case["Wx"], "Wh": case["Wh"]}


def sequence_trial(seed: int = 0) -> Trial:
    """Of a forward pass through time."""
    rng = np.random.default_rng(check_seed("seed", seed))
    cases = [contracts.sequence_case(rng, *sizes) for sizes in SEQUENCE_SIZES]

    def take_apart(forward: Callable, case: Case) -> Parts:
        h, hT, cT, _ = contracts.call_sequence(forward, **case)
        return {**_steps("h", h, len(case["x"])), "hT": hT, "cT": cT}

    build = lambda made: variant(lstm_sequence, made, lstm_step=variant(lstm_step, made))
    catalogue = [*mistakes.SEQUENCE, *mistakes.STEP]
    return Trial("forward pass through time", "(x, (h0, c0), Wx, Wh, b)", catalogue, build, take_apart, cases, cases, seed)


def sequence_backward_trial(seed: int = 0, forward: Callable = lstm_sequence) -> Trial:
    """Of a backward pass through time, which gets the caches of ``forward``."""
    cases = lambda forward: _with_caches_of(forward, _sequence_backward_case, SEQUENCE_SIZES, seed)

    def take_apart(backward: Callable, case: Case) -> Parts:
        dx, dh0, dc0, grads = contracts.call_sequence_backward(backward, **case)
        last_first = dict(reversed(_steps("dx", dx, len(case["dh"])).items()))
        return {**last_first, "dc0": dc0, "dh0": dh0, **_gates(grads)}

    def build(made: Made) -> Callable:
        return variant(lstm_sequence_backward, made, lstm_step_backward=variant(lstm_step_backward, made))

    catalogue = [*mistakes.SEQUENCE_BACKWARD, *(m for m in mistakes.STEP_BACKWARD if m.name not in ALSO_OF_THE_LOOP)]
    call = "(dh, (dhT, dcT), caches, Wx, Wh)" + (", with caches of cells.lstm_step" if forward is lstm_sequence else "")
    return Trial("backward pass through time", call, catalogue, build, take_apart, cases(lstm_sequence), cases(forward), seed)


ALSO_OF_THE_LOOP = {  # what a step does not hand back is what a loop does not carry: nobody can tell them apart
    "cell-state gradient not carried",
    "hidden-state gradient not carried",
    "dh_prev and dc_prev the other way round",
}


def _sequence_backward_case(rng: np.random.Generator, forward: Callable, T: int, B: int, D: int, H: int) -> Case:
    case = contracts.sequence_case(rng, T, B, D, H)
    *_, caches = contracts.call_sequence(forward, **contracts.copy_of(case))
    dh, dstate = rng.standard_normal((T, B, H)), (rng.standard_normal((B, H)), rng.standard_normal((B, H)))
    return {"dh": dh, "dstate": dstate, "caches": caches, "Wx": case["Wx"], "Wh": case["Wh"]}


def loss_trial(seed: int = 0) -> Trial:
    """Of a softmax cross-entropy with its gradient; in the last case exp overflows if nothing is done about it."""
    rng = np.random.default_rng(check_seed("seed", seed))
    cases = []
    for T, B, V, scale in LOSS_SIZES:
        logits, targets, lengths = rng.normal(0, scale, (T, B, V)), rng.integers(0, V, (T, B)), np.array([T, 1, 2][:B])
        cases.append({"logits": logits, "targets": targets, "lengths": lengths})

    def take_apart(loss_function: Callable, case: Case) -> Parts:
        loss, dlogits = contracts.call_loss(loss_function, **case)
        if np.shape(dlogits) != case["logits"].shape:
            return {"loss": loss, "dlogits": dlogits}
        real = np.arange(len(case["logits"]))[:, None] < case["lengths"]  # (T, B)
        dlogits = np.asarray(dlogits)
        return {"loss": loss, "dlogits at the real tokens": dlogits[real], "dlogits at the padding": dlogits[~real]}

    def build(made: Made) -> Callable:
        forward, backward = variant(softmax_cross_entropy, made), variant(softmax_cross_entropy_backward, made)

        def loss_and_gradient(logits, targets, lengths):
            loss, cache = forward(logits, targets, lengths)
            return loss, backward(cache)

        return loss_and_gradient

    return Trial("loss", "(logits, targets, lengths)", mistakes.LOSS, build, take_apart, cases, cases, seed)


def _gates(grads: dict[str, Any]) -> Parts:
    """The gradients of the weights, each cut into its four gates."""
    parts: Parts = {}
    for name in ("b", "Wx", "Wh"):
        array = np.asarray(grads[name])
        if array.ndim == 0 or array.shape[-1] % 4:
            parts["d" + name] = array
        else:
            blocks = np.split(array, 4, axis=-1)
            parts |= {f"d{name}, {gate}": block for gate, block in zip(GATE_NAMES, blocks)}
    return parts


def _steps(name: str, array, T: int) -> Parts:
    """One part for each time step, if there is one."""
    array = np.asarray(array)
    return {f"{name}[{t}]": array[t] for t in range(T)} if array.shape[:1] == (T,) else {name: array}
