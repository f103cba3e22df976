"""What a backward pass must keep to, besides giving the right numbers.

    repeatable    once more, with the same arguments, they give the same gradients
    linear        backward(s · dy) = s · backward(dy), and
                  backward(dy + du) = backward(dy) + backward(du)
    leave alone              dy, the parameters and the inputs belong to the caller

A gradient that is clipped inside is not linear, but passes any check whose dy is too
small to be clipped. The cache belongs to one backward pass, which may use it up
(``caches.pop()``) or work in it; a second call for the same forward pass then fails or
gives other numbers. That is reported and counts as no mistake.

Each backward pass follows a forward pass of its own, so that classes may keep the cache
on ``self``. Here ``forward`` is a function from parameters to (outputs, cache), and
``backward`` one from the gradients of the outputs, the cache and the parameters to the
gradients of the parameters. All but the cache are dictionaries of arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from minilstm.errors import InputError
from minilstm.verify import contracts
from minilstm.verify.gradcheck.numerical import Params, copies_of
from minilstm.verify.gradcheck.traces import quoted

SCALES = -1, 1e-3, 1e3  # of the gradients that arrive
OWN = "Each call of this check had a forward pass of its own."
CONSUMES_CACHE = (
    "Your backward pass consumes its cache, so it cannot be called twice after one"
    " forward"
    f" pass ({{}}). {OWN}"
)
CHANGES_CACHE = (
    "Your backward pass changes its cache: called twice after one forward pass, it"
    " gives"
    f" other gradients. {OWN}"
)
KEEPS_SUMS = (
    "backward pass does not give the same twice for the same arguments; does it keep"
    " something from call to call, such as sums of gradients that are not set to zero?"
)
Forward = Callable[[Params], tuple[Params, Any]]
Backward = Callable[[Params, Any, Params], dict[str, Any]]


def ask(
    forward: Forward, backward: Backward, params: Params, dy: Params
) -> dict[str, Any]:
    """The gradients of a backward pass, with a forward pass of its own.

    Raises InputError if it changes what belongs to the caller.
    """
    mine, handed = copies_of(params), copies_of(dy)
    _, cache = forward(mine)
    gradients = contracts.copy_of(backward(handed, cache, mine))
    now = {**mine, **handed}
    for name, array in {**params, **dy}.items():
        if not np.array_equal(array, now[name]):
            raise InputError(
                f"your backward pass changes {name}, which belongs to the caller;"
                " let it work on a copy"
            )
    return gradients


def check_repeatable(
    forward: Forward, backward: Backward, params: Params, dy: Params
) -> str:
    """Returns what there is to say about the cache: one sentence, or an empty one.

    Raises InputError if backward gives something else for the same arguments.
    """
    first = ask(forward, backward, params, dy)
    _, cache = forward(copies_of(params))
    again = contracts.copy_of(backward(copies_of(dy), cache, copies_of(params)))
    if not _equal(first, again):
        raise InputError(f"your {KEEPS_SUMS}")
    try:
        kept = _equal(first, backward(copies_of(dy), cache, copies_of(params)))
    except Exception as error:  # a cache that is used up may lead to any error
        return CONSUMES_CACHE.format(quoted(error))
    return "" if kept else CHANGES_CACHE


def check_linear(
    forward: Forward,
    backward: Backward,
    params: Params,
    dy: Params,
    rng: np.random.Generator,
    names: Mapping[str, str] | None = None,
) -> str:
    """What is wrong if the gradients are not linear in ``dy``; empty if they are.

    ``names`` : of the gradients, by parameter. Default: with a d in front.
    """
    called = names or {name: f"d{name}" for name in params}

    def at(d: Params) -> dict[str, np.ndarray]:
        return {
            name: np.asarray(g) for name, g in ask(forward, backward, params, d).items()
        }

    du = {name: rng.standard_normal(array.shape) for name, array in dy.items()}
    once, other = at(dy), at(du)
    given = f"({', '.join(dy)})"
    for s in SCALES:
        name = _differs(
            at({k: s * array for k, array in dy.items()}),
            {k: s * g for k, g in once.items()},
        )
        if name:
            return _sentence(
                given,
                f"{called[name]} at {s:g} · {given} is not {s:g} times {called[name]}"
                f" at {given}",
            )
    name = _differs(
        at({k: array + du[k] for k, array in dy.items()}),
        {k: g + other[k] for k, g in once.items()},
    )
    if name:
        return _sentence(
            given,
            f"{called[name]} at the sum of two {given} is not the sum of"
            f" {called[name]} at each",
        )
    return ""


def _sentence(given: str, how: str) -> str:
    return (
        f"Your backward pass is not linear in {given}: {how}."
        " Clipping inside the backward pass does"
        " this: clip the gradients once, after the whole backward pass and before the"
        " optimizer."
    )


def _equal(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Up to rounding, which may differ from place to place in memory."""
    return all(
        np.shape(one[name]) == np.shape(other[name])
        and np.allclose(one[name], other[name], rtol=1e-7, atol=1e-12, equal_nan=True)
        for name in one
    )


def _differs(got: dict[str, np.ndarray], want: dict[str, np.ndarray]) -> str:
    """The first gradient that differs by more than rounding does, even that of float32.

    NaN differs from nothing here: the comparison with derivatives reports it.
    """
    largest = max(float(np.abs(array).max()) for array in want.values())
    for name, array in want.items():
        rounding = 1e-6 * np.abs(array).max() + 1e-12 * largest
        if (np.abs(got[name] - array) > rounding).any():
            return name
    return ""
