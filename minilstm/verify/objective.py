"""The loss under test, asked with care: what is handed in is looked at, and so is every answer.

A gradient check is only as good as the loss that it asks. A loss that draws random numbers, changes what it is given, or
drops the imaginary part of a complex number makes a right gradient look wrong; each is found here and said.
"""

from __future__ import annotations

import cmath
import contextlib
import numbers
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from minilstm.errors import InputError
from minilstm.verify.slopes import TINY, Loss, Params, projection

ComplexWarning: type[Warning] = getattr(np, "exceptions", np).ComplexWarning  # NumPy 1.24 has it at the top
IN_PLACE_OF_COMPLEX = 'check with method="central", which takes any code'


def check_parameters(params: Params) -> dict[str, np.ndarray]:
    """Copies of the arrays: at least one, each of float64, finite and with entries."""
    if not isinstance(params, Mapping):
        raise InputError(f"params must be a dictionary of arrays, not {type(params).__name__}")
    if not params:
        raise InputError("params is empty, so there is nothing to check; hand in the arrays that the loss depends on")
    copies = {}
    for name, array in params.items():
        if not isinstance(array, np.ndarray):
            raise InputError(f"{name} must be a NumPy array, not {type(array).__name__}")
        if array.dtype.kind in "iub":
            raise InputError(f"{name} holds {array.dtype}, which no small step can change; convert it with .astype(float)")
        if array.dtype != np.float64:
            raise InputError(
                f"{name} holds {array.dtype}; a gradient check needs float64. In float32 a loss has seven digits, and the"
                " difference of two that are nearly equal has none left; convert it with .astype(np.float64)"
            )
        if array.size == 0:
            raise InputError(f"{name} is empty, of shape {array.shape}; leave it out")
        if not np.isfinite(array).all():
            raise InputError(f"{name} holds NaN or infinity, where no slope is defined")
        copies[str(name)] = array.copy()
    return copies


class Objective:
    """A loss function that is handed copies, and whose every answer is one finite number.

    ``function`` may return the loss, or a pair (loss, gradients) of which the second part is then left unread.
    """

    def __init__(self, function: Loss):
        if not callable(function):
            raise InputError(f"the loss must be a function of the parameters, not {type(function).__name__}")
        self.function = function
        self.evaluations = 0

    def __call__(self, params: Params) -> Any:
        """The loss as a Python number: float, or complex where the parameters are."""
        self.evaluations += 1
        answer = self.function(dict(params))
        loss = answer[0] if isinstance(answer, tuple) and answer else answer
        if isinstance(loss, np.ndarray) and loss.ndim == 0:
            loss = loss[()]
        if isinstance(loss, np.ndarray):
            raise InputError(f"the loss is an array of shape {loss.shape}; it must be one number, so take a sum or a mean")
        if isinstance(loss, bool) or not isinstance(loss, numbers.Complex):
            raise InputError(f"the loss must be one number, not {type(loss).__name__}")
        if not cmath.isfinite(complex(loss)):
            raise InputError(f"the loss is {loss}, where no slope is defined; look for log(0), 0/0 and overflow")
        is_complex = any(array.dtype.kind == "c" for array in params.values())
        if is_complex:
            return complex(loss)
        if not isinstance(loss, numbers.Real):
            raise InputError(f"the loss is the complex number {loss} for real parameters; it must be real")
        return float(loss)

    def check_repeatable(self, params: Params) -> float:
        """Two evaluations that must agree to the last bit and change nothing; returns the loss."""
        handed = {name: array.copy() for name, array in params.items()}
        first = self(handed)
        for name, array in params.items():
            if not np.array_equal(handed[name], array):
                raise InputError(f"the loss changes {name}, which it is given; let it work on a copy ({name}.copy())")
        second = self(handed)
        if first != second:
            raise InputError(
                f"the loss is not the same twice: {first!r}, then {second!r}. Does it draw random numbers (dropout?), or keep"
                " something from call to call? Make a generator with a fixed seed inside it"
            )
        return first

    def check_complex_safe(self, params: Params, rng: np.random.Generator) -> None:
        """The loss takes complex numbers, and the imaginary part that comes out is a slope."""
        as_complex = {name: array.astype(np.complex128) for name, array in params.items()}
        loss = self(params)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", ComplexWarning)
                same = self(as_complex)
        except (TypeError, ValueError, NotImplementedError, ComplexWarning) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(
                f"the loss does not take complex numbers ({type(error).__name__}: {error});{self._suspects(params)}"
                f" {IN_PLACE_OF_COMPLEX}"
            ) from error
        if abs(same - loss) > 1e-9 * max(abs(loss), 1):
            raise InputError(
                f"the loss is {loss!r} for real numbers and {same!r} for the same numbers as complex ones;"
                f"{self._suspects(params)} {IN_PLACE_OF_COMPLEX}"
            )
        for name, array in params.items():
            v = rng.standard_normal(array.shape)
            v /= np.linalg.norm(v)
            differences = projection(self, params, {name: v})
            imaginary = self({**as_complex, name: array + 1j * TINY * v}).imag / TINY
            if disagree(imaginary, differences, loss):
                raise InputError(
                    f"the loss loses the imaginary part of {name} on its way: its slope along a random direction is"
                    f" {differences:.6g} by central differences and {imaginary:.6g} by a complex step;"
                    f"{self._suspects(params)} {IN_PLACE_OF_COMPLEX}"
                )

    def _suspects(self, params: Params) -> str:
        """What the loss uses that is not for complex numbers, as far as that can be watched."""
        names = ", ".join(sorted(watch(self.function, params)))
        return f" it uses numpy's {names};" if names else " look for abs, max, min, comparisons, conj, .real and float();"


def disagree(exact: float, differences: float, loss: float) -> bool:
    """Whether a slope and its central differences are further apart than their errors can explain."""
    return abs(exact - differences) > 1e-3 * max(abs(exact), abs(differences)) + 1e-7 * max(abs(loss), 1e-3)


UNSAFE = {
    "absolute", "fabs", "sign", "conjugate", "maximum", "minimum", "fmax", "fmin", "greater", "greater_equal", "less",
    "less_equal", "heaviside", "floor", "ceil", "rint", "real", "conj", "real_if_close", "norm", "vdot", "where", "clip",
}  # fmt: skip


def watch(function: Loss, params: Params) -> set[str]:
    """Which of NumPy's functions that are not for complex numbers a loss uses: it is run on arrays that write them down."""
    seen: set[str] = set()

    class Watched(np.ndarray):
        def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
            seen.add(ufunc.__name__)
            plain = lambda a: a.view(np.ndarray) if isinstance(a, Watched) else a
            if "out" in kwargs:
                kwargs["out"] = tuple(map(plain, kwargs["out"]))
            result = getattr(ufunc, method)(*map(plain, inputs), **kwargs)
            return result.view(Watched) if isinstance(result, np.ndarray) else result

        def __array_function__(self, function, types, args, kwargs):
            seen.add(function.__name__)
            return super().__array_function__(function, types, args, kwargs)

        def __getattribute__(self, name):
            if name in ("real", "conj"):
                seen.add(name)
            return super().__getattribute__(name)

    with contextlib.suppress(Exception):  # code that takes plain arrays only cannot be watched to its end
        function({name: array.copy().view(Watched) for name, array in params.items()})
    return seen & UNSAFE
