"""A trial: a function of ours, its known mistakes, and random cases to run it on.

A part is the smallest unit of comparison: an output (``dc_prev``), a gate's block of a
weight gradient (``dWx, forget gate``), one time step (``dx[2]``). A trial can run our
function, ours with known mistakes, and the function under test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from minilstm.checks import check_seed
from minilstm.errors import InputError
from minilstm.verify import contracts
from minilstm.verify.cells import LSTM, Cell
from minilstm.verify.contracts import Case
from minilstm.verify.diagnose.diagnosis import RAISES, Parts
from minilstm.verify.diagnose.unwritten import empty_arrays_hold
from minilstm.verify.diagnose.variant import Mistake

CACHES = "cache", "caches"  # a backward pass may work in its cache
# of the forward pass; they belong to the caller even if the cache refers to them
INPUTS = "inputs"
Sizes = tuple[Any, ...]
Made = Sequence[Mistake]
Inside = Callable[[Parts, Case, Cell], Parts]  # results taken apart further
# results of all known mistakes, some megabytes for each trial
_known: dict[
    tuple[str, int, tuple[str, ...], Inside | None], dict[Mistake, list[Parts]]
] = {}
MOST_KNOWN = 7  # that are kept; all trials with one seed are six


@dataclass(frozen=True)
class Trial:
    """A function of ours, the known mistakes in it, and cases to run it on."""

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
    linear_in: tuple[str, ...] = ()  # arguments in which, together, it is linear
    forward: Any = None  # ours, which makes the caches of a backward pass
    your_forward: Any = None
    lacks: tuple[str, ...] = ()  # parts that a layout does not have
    cell: Cell = LSTM

    def __post_init__(self) -> None:
        check_seed("seed", self.seed)

    @cached_property
    def cases(self) -> list[Case]:
        """Arguments, with caches of our forward pass."""
        return [self.case(k, self.forward) for k in range(len(self.sizes))]

    def case(self, k: int, forward: Any, sizes: Sizes | None = None) -> Case:
        """One case; the same seed draws the same numbers for any forward pass."""
        rng = np.random.default_rng([self.seed, k])
        return self.make(rng, forward, *(sizes or self.sizes[k]))

    def ours(self, made: Made = (), scale: float = 1) -> Iterator[Parts]:
        """The parts of case after case by our function with these mistakes."""
        function = self.build(made)
        for case in self.cases:
            copy = self._scaled(contracts.copy_of(case), scale)
            yield self.parts_of(function, copy)

    def known(self, inside: Inside | None = None) -> dict[Mistake, list[Parts]]:
        """What every known mistake gives, or what is inside of that.

        It is computed once for a seed.
        """
        if not self.catalogue:
            return {}
        key = self.title, self.seed, self.lacks, inside
        if key not in _known:
            if len(_known) >= MOST_KNOWN:
                _known.clear()
            if inside is None:
                results = {made: list(self.ours([made])) for made in self.catalogue}
            else:
                results = {
                    made: [
                        inside(parts, case, self.cell)
                        for parts, case in zip(all_parts, self.cases)
                    ]
                    for made, all_parts in self.known().items()
                }
            _known[key] = results
        return _known[key]

    def yours(
        self, function: Callable, scale: float = 1, sizes: Sequence[Sizes] | None = None
    ) -> list[Parts]:
        """The parts of every case by the function under test.

        What it raises is a part too, and so is what it changes.

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
        """Parts that hold what np.empty left: they change if it leaves NaN."""
        names: dict[str, None] = {}
        for k, sizes in enumerate(self.sizes):
            with empty_arrays_hold(np.nan):
                with_nan = self._run(function, k, sizes)
            for name in yours[k]:
                if _nans(with_nan, name) > _nans(yours[k], name):
                    names[name] = None
        return list(names)

    def _run(self, function: Callable, k: int, sizes: Sizes, scale: float = 1) -> Parts:
        return self.parts_of(
            function, self._scaled(self.case(k, self.your_forward, sizes), scale)
        )

    def right(self, sizes: Sequence[Sizes] | None = None) -> list[Parts]:
        """What belongs there, at the sizes of the trial or at others."""
        function = self.build(())
        return [
            self.parts_of(function, self.case(k, self.forward, of_case))
            for k, of_case in enumerate(sizes or self.sizes)
        ]

    def raised(self, function: Callable, sizes: Sizes) -> str:
        """What the function raises at these sizes; "" if nothing."""
        return self.yours(function, sizes=[sizes])[0].get(RAISES, "")

    def named(self, sizes: Sizes) -> str:
        """T = 3, B = 2, ..."""
        return ", ".join(
            f"{letter} = {size}" for letter, size in zip(self.letters, sizes)
        )

    def _scaled(self, case: Case, scale: float) -> Case:
        if scale == 1:
            return case
        scaled = dict(case)
        for name in self.linear_in:
            value = case[name]
            if isinstance(value, tuple):
                scaled[name] = tuple(scale * array for array in value)
            else:
                scaled[name] = scale * value
        return scaled

    def parts_of(self, function: Callable, case: Case) -> Parts:
        """Results of a function on a case, by name; what it raises; what it changes."""
        of_caller = {name: v for name, v in case.items() if name not in CACHES}
        held = contracts.arrays_in(of_caller)
        before = {name: array.tobytes() for name, array in held.items()}
        try:
            with np.errstate(all="ignore"):
                results = self.take_apart(function, case)
                parts = {
                    name: np.asarray(part).copy() for name, part in results.items()
                }
        except InputError:
            raise
        except Exception as error:  # of any kind; it is reported
            return {RAISES: f"{type(error).__name__}: {error}".strip()}
        for name, array in held.items():
            if array.tobytes() != before[name]:
                argument = name.removeprefix(f"{INPUTS}.")
                parts[f"{argument}, changed in place"] = np.ones(())
        return parts

    def second_call(self, function: Callable) -> tuple[Parts, Parts]:
        """The parts of two backward passes after one forward pass."""
        case = self.case(len(self.sizes) - 1, self.your_forward)
        fresh = lambda: {
            name: v if name in CACHES else contracts.copy_of(v)
            for name, v in case.items()
        }
        with empty_arrays_hold(0):
            first = self.parts_of(function, fresh())
            try:
                return first, self.parts_of(function, fresh())
            # the form of results of a cache that is used up
            except InputError as error:
                return first, {RAISES: str(error)}


def _nans(parts: Parts, name: str) -> int:
    array = parts.get(name)
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fc":
        return 0
    return int(np.isnan(array).sum())
