"""The loss under test, evaluated with care: its arguments and its results are checked.

A gradient check is only as good as the loss that it evaluates. A loss that draws random
numbers, changes its arguments, or drops the imaginary part of a complex number makes a
right gradient look wrong. Each of these is found here and reported.

Most code that does not allow a complex step stores results in an array of real numbers:
h = np.zeros((T, B, H)) and h[t] = h_t. With np.zeros((T, B, H), x.dtype) the step is
exact.
"""

from __future__ import annotations

import cmath
import contextlib
import math
import numbers
import re
import warnings
from typing import Any

import numpy as np

from minilstm.errors import InputError
from minilstm.verify.gradcheck.kinks import kink
from minilstm.verify.gradcheck.numerical import (
    MATRIX,
    STEP,
    TINY,
    Loss,
    Params,
    copies_of,
    projection,
)
from minilstm.verify.gradcheck.traces import line_of, quoted

_exceptions = getattr(np, "exceptions", np)  # NumPy 1.24 has them at the top
ComplexWarning: type[Warning] = _exceptions.ComplexWarning
EPSILON = float(np.finfo(np.float64).eps)
# along which a complex step must agree with differences, for each parameter
DIRECTIONS = 3
REAL_ONLY = re.compile(  # in a line of code
    r"\b(?:float|math\.\w+)(?=\()|\.astype\(.*?\)|\bdtype ?= ?(?:np\.)?(?:float|int)\w*"
)
# in a message
LOST = re.compile(
    "^Cannot cast|discards the imaginary|real number|output array is not acceptable"
)
WITHOUT_DTYPE = (
    "the usual cause is an array made by np.zeros or np.empty without dtype=x.dtype,"
    " which loses the imaginary part."
    " With np.zeros(shape, x.dtype), x being a parameter, the check is exact"
)
SUSPECTS = (
    "arrays made by np.zeros or np.empty without dtype=x.dtype, abs, max, min,"
    " comparisons, conj, .real and float()"
)


class NotForComplex(InputError):
    """The complex step cannot be used on a loss; ``why`` says why not."""

    def __init__(self, why: str):
        super().__init__(f'{why}; check with method="central", which takes any code')
        self.why = why


class Objective:
    """A loss function that gets copies, and whose every result is one finite number.

    ``function`` may return the loss, or a pair (loss, gradients) of which the second
    part is then left unread.
    """

    def __init__(self, function: Loss):
        if not callable(function):
            raise InputError(
                "the loss must be a function of the parameters, not"
                f" {type(function).__name__}"
            )
        self.function = function
        self.evaluations = 0
        self.noise = 0.0  # what rounding does to the loss, as far as it is known

    def __call__(self, params: Params) -> Any:
        """The loss as a Python number: float, or complex where the parameters are."""
        self.evaluations += 1
        is_complex = any(array.dtype.kind == "c" for array in params.values())
        answer = (
            self._complex_answer(params) if is_complex else self.function(dict(params))
        )
        loss: Any = answer[0] if isinstance(answer, tuple) and answer else answer
        if isinstance(loss, np.ndarray) and loss.ndim == 0:
            loss = loss[()]
        if isinstance(loss, np.matrix):
            raise InputError(f"the loss is a np.matrix of shape {loss.shape}: {MATRIX}")
        if isinstance(loss, np.ndarray):
            raise InputError(
                f"the loss is an array of shape {loss.shape};"
                " it must be one number, so take a sum or a mean"
            )
        if isinstance(loss, bool) or not isinstance(loss, numbers.Complex):
            raise InputError(f"the loss must be one number, not {type(loss).__name__}")
        if isinstance(loss, (np.float16, np.float32, np.complex64)):
            raise InputError(
                f"the loss is a {type(loss).__name__}, of seven digits at most;"
                " compute it in float64"
            )
        if not is_complex and not isinstance(loss, numbers.Real):
            raise InputError(
                f"the loss is the complex number {loss} for real parameters;"
                " it must be real"
            )
        try:
            value: Any = complex(loss) if is_complex else float(loss)  # type: ignore[arg-type]
        except OverflowError:
            value = math.inf
        if not cmath.isfinite(value):
            raise InputError(
                f"the loss is {value}, where no derivative is defined;"
                " look for log(0), 0/0 and overflow"
            )
        return value

    def _complex_answer(self, params: Params) -> Any:
        """The result for complex numbers, of which none may lose its imaginary part."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", ComplexWarning)
                return self.function(dict(params))
        except MemoryError:  # says nothing about complex numbers
            raise
        except Exception as error:  # it took the same numbers as real ones
            raise NotForComplex(
                f"the loss does not take complex numbers ({quoted(error)}):"
                f" {self._reason(error, params)}"
            ) from error

    def _reason(self, error: Exception, params: Params) -> str:
        """What probably loses the imaginary part."""
        if not LOST.search(str(error)):
            return self._suspects(params)
        real_only = REAL_ONLY.search(line_of(error))
        if real_only:
            return f"{real_only[0].lstrip('.')} is for real numbers only"
        return WITHOUT_DTYPE

    def check_repeatable(self, params: Params) -> float:
        """Two evaluations that must agree to the last bit and change nothing.

        Returns the loss.
        """
        first = self._asked_with_care(params)
        self.check_unchanged(params, first)
        return first

    def check_unchanged(self, params: Params, first: float) -> None:
        """The loss must be what it was."""
        again = self._asked_with_care(params)
        if again != first:
            raise InputError(
                f"the loss is not the same twice: {first!r}, then {again!r}."
                " Does it draw random numbers (dropout?), or keep"
                " something from call to call? Make a generator with a fixed seed"
                " inside it"
            )

    def _asked_with_care(self, params: Params) -> float:
        handed = copies_of(params)
        loss = self(handed)
        check_kept("the loss", params, handed)
        return loss

    def check_complex_safe(self, params: Params, rng: np.random.Generator) -> None:
        """The loss takes complex numbers, and its imaginary part is a derivative."""
        as_complex = {
            name: array.astype(np.complex128) for name, array in params.items()
        }
        loss = self._asked_with_care(params)
        self.noise = max(
            20 * EPSILON * abs(loss), 4 * self._trembling(params, loss, rng)
        )
        same = self(copies_of(as_complex))
        if abs(same - loss) > max(1e-9 * abs(loss), self.noise):
            self.check_unchanged(params, loss)
            raise NotForComplex(
                f"the loss is {loss!r} for real numbers and {same!r} for the same"
                " numbers as complex ones: "
                f"{self._suspects(params)}"
            )
        for name, array in params.items():
            for _ in range(DIRECTIONS):
                v = random_direction(rng, array)
                imaginary = (
                    self({**as_complex, name: array + 1j * TINY * v}).imag / TINY
                )
                differences = self.contradicts(imaginary, params, {name: v})
                if differences is not None:
                    self.check_unchanged(params, loss)
                    self.check_smooth(
                        params, {name: v}, f"along a random direction of {name}"
                    )
                    raise NotForComplex(
                        f"the loss loses the imaginary part of {name} somewhere:"
                        " its derivative along a random direction is"
                        f" {differences:.9g} by central differences and {imaginary:.9g}"
                        " by a complex step; "
                        f"{self._suspects(params)}"
                    )

    def check_smooth(self, params: Params, direction: Params, where: str) -> None:
        """The loss has no kink along a direction."""
        sides = kink(self, params, direction)
        if sides is not None:
            raise NotForComplex(
                f"the loss has a kink here (its one-sided derivatives {where} are"
                f" {sides[0]:.9g} and {sides[1]:.9g}),"
                " of which a complex step sees one side at most"
            )

    def _trembling(
        self, params: Params, loss: float, rng: np.random.Generator
    ) -> float:
        """What rounding does to the loss: its second difference over tiny steps.

        They are so short that nothing else is left of it.
        """
        largest = 0.0
        for _ in range(8):
            v = {
                name: 1e-8 * random_direction(rng, array)
                for name, array in params.items()
            }
            moved = [
                {
                    name: np.asarray(array + sign * v[name])
                    for name, array in params.items()
                }
                for sign in (1, -1)
            ]
            # not finite even so near
            with contextlib.suppress(InputError), np.errstate(all="ignore"):
                largest = max(largest, abs(self(moved[0]) - 2 * loss + self(moved[1])))
        return largest

    def contradicts(
        self, derivative: float, params: Params, direction: Params
    ) -> float | None:
        """The derivative by central differences, if it contradicts for sure.

        Otherwise None. Central differences must contradict ``derivative`` twice, with
        other steps, since the effect of rounding on one of them is chance.
        """
        found = None
        for longest in (32, 27):
            found = self._contradicts_once(
                derivative, params, direction, longest * STEP
            )
            if found is None:
                break
        return found

    def _contradicts_once(
        self, derivative: float, params: Params, direction: Params, longest: float
    ) -> float | None:
        """With three steps, each half as long as the one before.

        Where the differences converge, the error of the last is less than they changed
        (Richardson), and what rounding of the loss does to it; where they do not, the
        loss bends on too small a scale, and they contradict nothing.
        """
        try:
            with np.errstate(all="ignore"):
                long, middle, short = (
                    projection(self, params, direction, longest / part)
                    for part in (1, 2, 4)
                )
        except InputError:  # the loss is not finite as far from here as differences go
            return None
        largest = max(
            float(np.max(np.abs(v) / np.maximum(np.abs(params[name]), 1)))
            for name, v in direction.items()
        )
        rounding = self.noise * largest / (longest / 4) + 1e-9 * abs(derivative)
        if abs(middle - short) > abs(long - middle) / 2 + rounding:
            return None
        error = max(abs(middle - short), abs(long - middle))
        return short if abs(derivative - short) > 10 * error + rounding else None

    def _suspects(self, params: Params) -> str:
        """What the loss uses that is not for complex numbers, as far as one can see."""
        real = {name: array.real for name, array in params.items()}
        names = ", ".join(sorted(watch(self.function, real)))
        return f"it uses numpy's {names}" if names else f"look for {SUSPECTS}"


def check_kept(who: str, params: Params, handed: Params) -> None:
    """InputError if the arrays that a function was given have changed."""
    for name, array in params.items():
        if name not in handed or not np.array_equal(handed[name], array):
            raise InputError(
                f"{who} changes {name}, which it is given; let it work on a copy"
                f" ({name}.copy())"
            )


def random_direction(rng: np.random.Generator, array: np.ndarray) -> np.ndarray:
    """A random direction of length 1; large entries of the array move further.

    If entries are above 1, they move in proportion to their size.
    """
    v = np.asarray(rng.standard_normal(array.shape)) * np.maximum(np.abs(array), 1)
    return v / np.linalg.norm(v / np.maximum(np.abs(array), 1))


UNSAFE = {
    "absolute", "fabs", "sign", "conjugate", "maximum", "minimum", "fmax", "fmin",
    "greater", "greater_equal", "less", "less_equal", "heaviside", "floor", "ceil",
    "rint", "real", "conj", "real_if_close", "norm", "vdot", "where", "clip",
}  # fmt: skip


def watch(function: Loss, params: Params) -> set[str]:
    """Functions of NumPy that a loss uses and that are not for complex numbers.

    The loss is run on arrays that write them down.
    """
    seen: set[str] = set()

    class Watched(np.ndarray):
        def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
            seen.add(ufunc.__name__)
            plain = lambda a: a.view(np.ndarray) if isinstance(a, Watched) else a
            if "out" in kwargs:
                kwargs["out"] = tuple(map(plain, kwargs["out"]))
            result = getattr(ufunc, method)(*map(plain, inputs), **kwargs)
            if isinstance(result, (np.ndarray, np.generic)):
                return np.asarray(result).view(Watched)
            return result

        def __array_function__(self, function, types, args, kwargs):
            seen.add(function.__name__)
            return super().__array_function__(function, types, args, kwargs)

        def __getattribute__(self, name):
            if name in ("real", "conj"):
                seen.add(name)
            return super().__getattribute__(name)

    # code that takes plain arrays only cannot be watched to its end
    with contextlib.suppress(Exception):
        function({name: array.copy().view(Watched) for name, array in params.items()})
    return seen & UNSAFE
