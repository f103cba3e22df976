"""Random cases for a function under test, and its results as named parts.

A part is the smallest unit of comparison: an output (``dc_prev``), a gate's block of a
weight gradient (``dWx, forget gate``), one time step (``dx[2]``). Each trial can run
our function, ours with mistakes of the catalogue, and the function under test.

In the first case D = H, so a transposed block has the right shape; in others all sizes
differ. ``more`` has sizes at which the function is compared with the right one only: a
single unit, a long sequence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from minilstm.checks import check_seed
from minilstm.errors import InputError
from minilstm.reference.loss import softmax_cross_entropy, softmax_cross_entropy_backward
from minilstm.reference.lstm import lstm_step, lstm_step_backward
from minilstm.reference.sequence import (
    lstm_sequence,
    lstm_sequence_backward,
    sequence_backward,
    sequence_forward,
)
from minilstm.verify import contracts
from minilstm.verify.contracts import Case
from minilstm.verify.diagnose import mistakes
from minilstm.verify.diagnose.diagnosis import RAISES, Parts
from minilstm.verify.diagnose.unwritten import empty_arrays_hold
from minilstm.verify.diagnose.variant import Mistake, variant

GATE_NAMES = ("input gate", "forget gate", "candidate", "output gate")
CACHES = "cache", "caches"  # a backward pass may work in its cache
INPUTS = "inputs"  # of the forward pass, which belong to the caller even where the cache refers to them
Sizes = tuple[Any, ...]
Made = Sequence[Mistake]
Inside = Callable[[Parts, Case], Parts]  # results taken apart further
_known: dict[tuple[str, int, Inside | None], dict[Mistake, list[Parts]]] = {}  # some megabytes each


@dataclass(frozen=True)
class Trial:
    """A function of ours, the catalogue of what goes wrong in it, and cases to run it on."""

    title: str  # of the function under test
    call: str  # how it is called
    catalogue: Made
    build: Callable[[Made], Callable]  # our function with these mistakes in it
    take_apart: Callable[[Callable, Case], Parts]  # run on a case
    letters: str  # what the numbers of a case's sizes are
    sizes: Sequence[Sizes]
    more: Sequence[Sizes]
    make: Callable[..., Case]  # from a random generator, a forward pass and the sizes
    seed: int  # of the cases
    linear_in: tuple[str, ...] = ()  # the arguments in which the function is linear, all together
    forward: Any = None  # ours, which makes the caches of a backward pass
    your_forward: Any = None

    def __post_init__(self) -> None:
        check_seed("seed", self.seed)

    @cached_property
    def cases(self) -> list[Case]:
        """Arguments, with caches of our forward pass."""
        return [self.case(k, self.forward) for k in range(len(self.sizes))]

    def case(self, k: int, forward: Any, sizes: Sizes | None = None) -> Case:
        """One case; the same seed draws the same numbers for any forward pass."""
        return self.make(np.random.default_rng([self.seed, k]), forward, *(sizes or self.sizes[k]))

    def ours(self, made: Made = (), scale: float = 1) -> Iterator[Parts]:
        """The parts of one case after the other as our function gives them, with these mistakes in it."""
        function = self.build(made)
        return (self.parts_of(function, self._scaled(contracts.copy_of(case), scale)) for case in self.cases)

    def known(self, inside: Inside | None = None) -> dict[Mistake, list[Parts]]:
        """What every mistake of the catalogue gives, or what is inside of that, which is computed once for a seed."""
        if not self.catalogue:
            return {}
        key = self.title, self.seed, inside
        if key not in _known:
            if len(_known) >= 7:  # all trials with one seed are six
                _known.clear()
            _known[key] = {mistake: list(self.ours([mistake])) for mistake in self.catalogue} if inside is None else {
                mistake: [inside(parts, case) for parts, case in zip(results, self.cases)]
                for mistake, results in self.known().items()
            }
        return _known[key]

    def yours(self, function: Callable, scale: float = 1, sizes: Sequence[Sizes] | None = None) -> list[Parts]:
        """The parts of every case by the function under test; what it raises and changes are parts too.

        Each backward pass follows its own forward pass, since an object may keep one
        cache. ``np.empty`` gives zeros meanwhile, so that the same code always gives
        the same.
        """
        all_parts = []
        for k, of_case in enumerate(sizes or self.sizes):
            with empty_arrays_hold(0):
                parts = self._run(function, k, of_case, scale)
            if RAISES in parts:  # a compiler may not know the np.empty of that moment
                parts = self._run(function, k, of_case, scale)
            all_parts.append(parts)
        return all_parts

    def never_written(self, function: Callable, yours: list[Parts]) -> list[str]:
        """Parts that hold what np.empty left there: with NaN in place of zeros they are others."""
        names: dict[str, None] = {}
        for k, sizes in enumerate(self.sizes):
            with empty_arrays_hold(np.nan):
                with_nan = self._run(function, k, sizes)
            names |= dict.fromkeys(name for name in yours[k] if _nans(with_nan, name) > _nans(yours[k], name))
        return list(names)

    def _run(self, function: Callable, k: int, sizes: Sizes, scale: float = 1) -> Parts:
        return self.parts_of(function, self._scaled(self.case(k, self.your_forward, sizes), scale))

    def right(self, sizes: Sequence[Sizes] | None = None) -> list[Parts]:
        """What belongs there, at the sizes of the trial or at others."""
        function = self.build(())
        return [self.parts_of(function, self.case(k, self.forward, of_case)) for k, of_case in enumerate(sizes or self.sizes)]

    def raised(self, function: Callable, sizes: Sizes) -> str:
        """What the function raises at these sizes; "" if nothing."""
        return self.yours(function, sizes=[sizes])[0].get(RAISES, "")

    def named(self, sizes: Sizes) -> str:
        """T = 3, B = 2, ..."""
        return ", ".join(f"{letter} = {size}" for letter, size in zip(self.letters, sizes))

    def _scaled(self, case: Case, scale: float) -> Case:
        times = lambda value: tuple(scale * array for array in value) if isinstance(value, tuple) else scale * value
        return case if scale == 1 else {name: times(v) if name in self.linear_in else v for name, v in case.items()}

    def parts_of(self, function: Callable, case: Case) -> Parts:
        """Results of a function on a case, by name, with what it raises and what it changes."""
        held = contracts.arrays_in({name: v for name, v in case.items() if name not in CACHES})
        before = {name: array.tobytes() for name, array in held.items()}
        try:
            with np.errstate(all="ignore"):
                parts = {name: np.asarray(part).copy() for name, part in self.take_apart(function, case).items()}
        except InputError:
            raise
        except Exception as error:  # of any kind; it is reported
            return {RAISES: f"{type(error).__name__}: {error}".strip()}
        changed = (name for name, array in held.items() if array.tobytes() != before[name])
        without_owner = lambda name: name.removeprefix(f"{INPUTS}.")
        return parts | {f"{without_owner(name)}, changed in place": np.ones(()) for name in changed}

    def second_call(self, function: Callable) -> tuple[Parts, Parts]:
        """The parts of two calls of a backward pass after one forward pass, at the last sizes."""
        case = self.case(len(self.sizes) - 1, self.your_forward)
        fresh = lambda: {name: v if name in CACHES else contracts.copy_of(v) for name, v in case.items()}
        with empty_arrays_hold(0):
            first = self.parts_of(function, fresh())
            try:
                return first, self.parts_of(function, fresh())
            except InputError as error:  # a cache that is used up may lead to results of another form
                return first, {RAISES: str(error)}


def step_trial(seed: int = 0) -> Trial:
    """Of a forward step."""

    def take_apart(step: Callable, case: Case) -> Parts:
        h, c, _ = contracts.call_step(step, **case)
        return {"c": c, "h": h}

    return Trial(
        "forward step", "(x, h_prev, c_prev, Wx, Wh, b)", mistakes.STEP,
        lambda made: variant(lstm_step, made), take_apart,
        "BDH", STEP_SIZES, STEP_SIZES_MORE, lambda rng, _, *sizes: contracts.step_case(rng, *sizes), seed,
    )


def step_backward_trial(seed: int = 0, forward: Callable = lstm_step) -> Trial:
    """Of a backward step, which gets the caches of ``forward``."""

    def take_apart(backward: Callable, case: Case) -> Parts:
        dx, dh_prev, dc_prev, grads = contracts.call_step_backward(backward, **_arguments(case))
        return {"dc_prev": dc_prev, **_gates(grads), "dx": dx, "dh_prev": dh_prev}  # from what is computed first

    call = "(dh, dc, cache, Wx, Wh)" + (", with the cache of reference.lstm_step" if forward is lstm_step else "")
    return Trial(
        "backward step", call, mistakes.STEP_BACKWARD,
        lambda made: variant(lstm_step_backward, made), take_apart,
        "BDH", STEP_SIZES, STEP_SIZES_MORE, _step_backward_case, seed, ("dh", "dc"), lstm_step, forward,
    )


STEP_SIZES = ((2, 3, 3), (3, 2, 4))  # B, D, H
STEP_SIZES_MORE = ((1, 1, 1), (4, 5, 2), (5, 1, 3), (2, 1, 3))


def _step_backward_case(rng: np.random.Generator, step: Callable, B: int, D: int, H: int) -> Case:
    case = contracts.step_case(rng, B, D, H)
    inputs = contracts.copy_of(case)
    _, _, cache = contracts.call_step(step, **inputs)
    dh, dc = rng.standard_normal((B, H)), rng.standard_normal((B, H))
    return {"dh": dh, "dc": dc, "cache": cache, "Wx": case["Wx"], "Wh": case["Wh"], INPUTS: inputs}


def sequence_trial(seed: int = 0) -> Trial:
    """Of a forward pass through time."""

    def take_apart(forward: Callable, case: Case) -> Parts:
        h, hT, cT, _ = contracts.call_sequence(forward, **case)
        return {**_steps("h", h, len(case["x"])), "hT": hT, "cT": cT}

    def build(made: Made) -> Callable:
        wrong = {"sequence_forward": variant(sequence_forward, made), "lstm_step": variant(lstm_step, made)}
        return variant(lstm_sequence, (), **wrong)

    return Trial(
        "forward pass through time", "(x, (h0, c0), Wx, Wh, b)", [*mistakes.SEQUENCE, *mistakes.STEP],
        build, take_apart,
        "TBDH", SEQUENCE_SIZES, SEQUENCE_SIZES_MORE, lambda rng, _, *sizes: contracts.sequence_case(rng, *sizes), seed,
    )


def sequence_backward_trial(seed: int = 0, forward: Callable = lstm_sequence) -> Trial:
    """Of a backward pass through time, which gets the caches of ``forward``."""

    def take_apart(backward: Callable, case: Case) -> Parts:
        dx, dh0, dc0, grads = contracts.call_sequence_backward(backward, **_arguments(case))
        last_first = dict(reversed(_steps("dx", dx, len(case["dh"])).items()))
        return {**last_first, "dc0": dc0, "dh0": dh0, **_gates(grads)}

    def build(made: Made) -> Callable:
        loop, step = variant(sequence_backward, made), variant(lstm_step_backward, made)
        return variant(lstm_sequence_backward, (), sequence_backward=loop, lstm_step_backward=step)

    of_a_step = [mistake for mistake in mistakes.STEP_BACKWARD if mistake.name not in ALSO_OF_THE_LOOP | ONLY_IN_A_STEP]
    call = "(dh, (dhT, dcT), caches, Wx, Wh)" + (", with caches of reference.lstm_step" if forward is lstm_sequence else "")
    return Trial(
        "backward pass through time", call, [*mistakes.SEQUENCE_BACKWARD, *of_a_step], build, take_apart,
        "TBDH", SEQUENCE_SIZES, SEQUENCE_SIZES_MORE, _sequence_backward_case, seed, ("dh", "dstate"), lstm_sequence, forward,
    )


SEQUENCE_SIZES = ((1, 2, 3, 3), (4, 2, 3, 3), (3, 5, 2, 4))  # T, B, D, H
SEQUENCE_SIZES_MORE = ((2, 1, 1, 1), (2, 4, 5, 3), (12, 1, 3, 2), (3, 2, 3, 2))
ALSO_OF_THE_LOOP = {  # a step that does not return a gradient gives what a loop that drops it gives
    "cell-state gradient not carried",
    "hidden-state gradient not carried",
    "dh_prev and dc_prev the other way round",
}
ONLY_IN_A_STEP = {  # a loop makes one number of a db with too few, or raises; and its dc is no array of the caller's
    "dc changed in place",
    "db summed over everything",
    "db summed over the units",
}


def _sequence_backward_case(rng: np.random.Generator, forward: Callable, T: int, B: int, D: int, H: int) -> Case:
    case = contracts.sequence_case(rng, T, B, D, H)
    inputs = contracts.copy_of(case)
    *_, caches = contracts.call_sequence(forward, **inputs)
    dh, dstate = rng.standard_normal((T, B, H)), (rng.standard_normal((B, H)), rng.standard_normal((B, H)))
    return {"dh": dh, "dstate": dstate, "caches": caches, "Wx": case["Wx"], "Wh": case["Wh"], INPUTS: inputs}


def loss_trial(seed: int = 0) -> Trial:
    """Of a softmax cross-entropy with its gradient; in the last case exp overflows if nothing is done about it."""

    def make(rng: np.random.Generator, _, T: int, B: int, V: int, scale: float = 1) -> Case:
        logits, targets = rng.normal(0, scale, (T, B, V)), rng.integers(0, V, (T, B))
        return {"logits": logits, "targets": targets, "lengths": np.resize([T, 1, 2], B)}

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

    return Trial(
        "loss", "(logits, targets, lengths)", mistakes.LOSS, build, take_apart,
        "TBV", LOSS_SIZES, LOSS_SIZES_MORE, make, seed,
    )


LOSS_SIZES = ((4, 3, 5, 1.0), (2, 1, 3, 3.0), (3, 2, 4, 1000.0))  # T, B, V, and how large the logits are
LOSS_SIZES_MORE = ((1, 1, 2), (2, 5, 3))


def _arguments(case: Case) -> Case:
    """What a backward pass is called with."""
    return {name: value for name, value in case.items() if name != INPUTS}


def _nans(parts: Parts, name: str) -> int:
    array = parts.get(name)
    return int(np.isnan(array).sum()) if isinstance(array, np.ndarray) and array.dtype.kind in "fc" else 0


def _gates(grads: dict[str, Any]) -> Parts:
    """The gradients of the weights, each cut into its blocks: three gates and a candidate."""
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
