"""4. Is it right? Grading."""

import warnings

import numpy as np

from minilstm import reference
from minilstm.course import Task, Wrong, same

A = np.random.default_rng(0).normal(size=6)  # coefficients of a cubic: its central differences are known for any h


def cubic(x):
    return np.sum(A.reshape(x.shape) * x**3)


def smooth(x):
    """Negative, and every entry changes the derivatives of all others."""
    return -2 - np.tanh(np.sum(A.reshape(x.shape) * x)) * np.sum(x**2) / 9


def derivatives_of_smooth(x):
    t = np.tanh(np.sum(A.reshape(x.shape) * x))
    return -(1 - t**2) * A.reshape(x.shape) * np.sum(x**2) / 9 - t * 2 * x / 9


def asked(yours, f, x, *arguments):
    """The answer, and all points at which f was called. Warnings are ignored."""
    points = []

    def watched(point):
        points.append(np.array(point))
        return f(point)

    before = x.copy()
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            got = yours(watched, x, *arguments)
    except Wrong as wrong:
        _one_entry_at_a_time(points, before)
        if "in place" in str(wrong):
            raise Wrong("x belongs to the caller, and you changed it. x + h - 2h + h need not be x to the last bit, and"
                        " `y = x` is no copy, only another name for x. Perturb a copy") from None  # fmt: skip
        if "complex" in str(wrong):
            raise Wrong(f"{wrong}. An array of floats cannot store an imaginary part") from None
        raise
    _one_entry_at_a_time(points, before)
    derivatives = _array(got)
    if derivatives.dtype.kind not in "biufc" or derivatives.shape != x.shape:
        raise Wrong(f"return an array of derivatives of the shape {x.shape}, like x; this is {type(got).__name__},"
                    f" {np.shape(derivatives)}")  # fmt: skip
    return derivatives, points


def _array(got):
    try:
        return np.asarray(got)
    except ValueError:
        raise Wrong("return an array; this has rows of different lengths") from None


def _one_entry_at_a_time(points, x):
    for point in points:
        if point.shape != x.shape:
            raise Wrong(f"f is called with an array of the shape {point.shape}; x has {x.shape}")
        moved = np.argwhere(point != x).tolist()
        if len(moved) > 1 and x.dtype.kind == "f":
            raise Wrong(f"f is called with {len(moved)} changed entries, among them {moved[0]} and {moved[1]}:"
                        " perturb one, and restore it (or begin with a new copy) before the next one")  # fmt: skip


def central_differences(yours):
    x, h = np.random.default_rng(1).uniform(0.5, 2, (2, 3)), 0.25
    up, down = A.reshape(2, 3) * (x + h) ** 3, A.reshape(2, 3) * (x - h) ** 3
    here, right = A.reshape(2, 3) * x**3, (up - down) / (2 * h)
    got, _ = asked(yours, cubic, x, h)
    same("the derivative", got, right, {
        "the two points are 2h apart, but you divide by h": 2 * right,
        "you divide by 2 and multiply by h; 2 * h needs parentheses": (up - down) / 2 * h,
        "this is one-sided, from x to x + h": (up - here) / h,
        "this is one-sided, from x - h to x": (here - down) / h,
        "its sign is wrong: the two points are exchanged": -right,
        "f is called twice at the same point: is one array used under two names? `up = x` makes no copy": 0 * right,
        "you perturb by another number than h, which is an argument": 3 * A.reshape(2, 3) * x**2,
    }, tolerance=1e-7)  # fmt: skip
    for x, why in (
        (x.reshape(3, 1, 2), ""),
        (x[0, :, None].repeat(2, axis=1).astype(np.float32), "if x is float32, which has seven digits, 6e-6 is lost by"
         " rounding: the points must be float64"),
        (np.array([3, -2, 1, 5, 2, -4]), "if x has integers, 6e-6 is cut off: the points must be float64"),
    ):  # fmt: skip
        f = cubic if x.dtype.kind == "i" else smooth
        right = 3 * A * x**2.0 if f is cubic else derivatives_of_smooth(x.astype(float))
        got, _ = asked(yours, f, x)
        if why and not np.allclose(got, right, rtol=0, atol=1e-6):
            raise Wrong(why)
        same("the derivative", got, right, tolerance=1e-6)
    return "every derivative is right, for any shape and dtype, and x is unchanged"


def complex_step(yours):
    x = np.random.default_rng(2).normal(size=(3, 2))
    for x, why in (
        (x, ""),
        (x.reshape(1, 6).astype(np.float32), "if x is float32, your points are complex64, in which 1e-200 is 0; make them"
         " complex128, as astype(complex) does"),
        (np.array([1, -1, 2, 0, -2, 1]), "if x has integers, the derivatives are wrong; make the points complex128"),
    ):  # fmt: skip
        right = derivatives_of_smooth(x.astype(float))
        got, points = asked(yours, smooth, x)
        if why and not np.allclose(got, right, rtol=0, atol=1e-9):
            raise Wrong(why)
        if not any(point.dtype.kind == "c" for point in points):
            raise Wrong("f is never called at a complex point: perturb by 1j * h; a copy as floats loses it")
        if not np.any(got):
            raise Wrong("every derivative is 0: a real 1e-200 is lost by rounding, and so is 1j * h, except in complex128")
        if np.allclose(got, right * 1e-200, atol=0):
            raise Wrong("the imaginary part is the derivative times h; divide it by h")
        value = np.full(x.shape, smooth(x) / 1e-200)
        same("the derivative", got, right, {
            "this is the real part, the loss, divided by h. The derivative is in the imaginary part": value,
            "this is the absolute value of a complex number, which is almost its real part; take .imag": np.abs(value),
            "you divide by 2h; there is only one point here, so divide by h": right / 2,
            "its sign is wrong; do you perturb by -1j * h?": -right,
        }, tolerance=1e-12)  # fmt: skip
    return "every derivative is right to at least twelve digits, with h = 1e-200"


def planted():
    """Losses of an LSTM step as functions of Wh or b, with right and wrong gradients."""
    B, D, H = 3, 4, 5
    rng = np.random.default_rng(3)
    p = {"x": (B, D), "h_prev": (B, H), "c_prev": (B, H), "Wx": (D, 4 * H), "Wh": (H, 4 * H), "b": (4 * H,)}
    p = {name: rng.normal(0, 0.7, shape) for name, shape in p.items()}
    p["h_prev"][:, 0] = 0  # so row 0 of dWh is 0
    closed = H + 3  # the forget gate of unit 3, counted from 0
    p["Wx"][:, closed], p["Wh"][:, closed], p["b"][closed] = 0, 0, -20
    dh, dc = rng.normal(size=(2, B, H))
    *_, cache = reference.lstm_step(**p)
    *_, grads = reference.lstm_step_backward(dh, dc, cache, p["Wx"], p["Wh"])
    for name, scale in (("Wh", 1.0), ("b", 1.0), ("Wh", 1e-6), ("b", 1e6)):
        right, x = scale * getattr(grads, name), p[name]

        def f(x, name=name, scale=scale):
            h, c, _ = reference.lstm_step(**p | {name: x})
            return scale * (np.sum(h * dh) + np.sum(c * dc))

        sizes = np.abs(right)
        noisy = right + 1e-15 * sizes.max() * rng.uniform(-1, 1, right.shape) * (np.arange(4 * H) % 2)
        large = np.argwhere(sizes > sizes.max() / 10)
        million, nan, turned = (tuple(int(k) for k in large[n]) for n in (1, 3, -1))
        behind = (int(sizes[:, closed].argmax()), closed) if right.ndim == 2 else (closed,)
        for mistakes in ([], [million], [behind], [nan], [million, behind, turned], [nan, turned]):
            gradient = noisy.copy()
            for place in mistakes:
                gradient[place] *= {million: 1 + 1e-6, behind: 0, nan: np.nan, turned: -1}[place]
            yield f, x, gradient, right, mistakes, scale


def wrong_entries(yours):
    found = 0
    for f, x, gradient, right, mistakes, scale in planted():
        complex_points = []

        def watched(point, f=f, complex_points=complex_points):
            complex_points.append(np.iscomplexobj(point))
            return f(point)

        got = yours(watched, x, gradient)
        rows = _places(got, x)
        small = f" (the largest derivative of this loss is {np.abs(right).max():.0e}: compare errors with it)"
        size = "" if scale == 1 else small
        advice = size if any(complex_points) else ". Central differences have ten digits at best, and f takes complex numbers"
        for place in mistakes:
            if place not in rows:
                some = f"; of {len(mistakes)} mistakes in this gradient you report {len(rows)}" if rows else ""
                raise Wrong(_missed(list(place), gradient[place], right[place]) + some + advice)
        for place in rows:
            if place not in mistakes:
                raise Wrong(_false_alarm(list(place), gradient[place], right[place], np.abs(right).max()) + advice)
        found += len(mistakes)
    return f"all {found} planted mistakes are found, and nothing else"


def _places(got, x):
    if isinstance(got, tuple) and len(got) == x.ndim and all(isinstance(part, np.ndarray) for part in got):
        raise Wrong("np.where and np.nonzero return rows and columns separately; use np.argwhere")
    got = _array(got)
    if got.dtype == bool:
        raise Wrong("this is an array of True and False; np.argwhere makes indices of it")
    if got.size == 0:
        return []
    if got.dtype.kind not in "iu" or got.ndim != 2 or got.shape[1] != x.ndim:
        raise Wrong(f"return an array of integers with {x.ndim} columns, a row for each mistake; this is {got.dtype},"
                    f" {got.shape}")  # fmt: skip
    return [tuple(row) for row in got.tolist()]


def _missed(place, mine, true):
    if np.isnan(mine):
        return (f"entry {place} of the gradient is NaN, and you do not report it: NaN is neither greater nor less than any"
                " number")  # fmt: skip
    if mine == 0:
        return (f"entry {place} of the gradient is 0 where {true:.1e} belongs, and you do not report it: an absolute"
                " tolerance, such as the 1e-8 of np.isclose and np.allclose, accepts it")  # fmt: skip
    if abs(mine - true) < 1e-5 * abs(true):
        return (f"entry {place} of the gradient is wrong by one part in a million, and you do not report it: your tolerance"
                " is too large")  # fmt: skip
    return f"entry {place} of the gradient is {mine:.4g} where {true:.4g} belongs, and you do not report it"


def _false_alarm(place, mine, true, largest):
    if mine == true == 0:
        return f"entry {place} is reported, but gradient and derivative are both 0 there: 0/0 is NaN, but two zeros are equal"
    return (f"entry {place} is reported, but the gradient is wrong by {abs(mine - true):.0e} only. The largest entry is"
            f" {largest:.2g}, so this is rounding")  # fmt: skip


BLANKS = 6  # in the exercise as it is shipped
TASKS = [
    Task("central_differences", central_differences, (
        "Make two copies of x, as floats. In one the entry is h larger, in the other h smaller. How far apart are they?",
        "x.astype(float) always makes a copy. After up[index] += h and down[index] -= h, divide the difference"
        " of the two losses by 2h, in parentheses. Make new copies for each entry.",
    )),
    Task("complex_step", complex_step, (
        "Make one copy of x that can store imaginary parts, and perturb one entry by an imaginary h. Nothing is subtracted.",
        "x.astype(complex) is complex128 for any x. Add 1j * h to one entry, call f, take the imaginary part of the"
        " result and divide it by h.",
    )),
    Task("wrong_entries", wrong_entries, (
        "A mistake is at least about 1e-9 of the largest derivative; rounding is 1e-15 of it. Choose a tolerance in between."
        " Your derivatives must be more exact than that. And what is the result of comparing NaN?",
        "First find the right entries: their error is at most 1e-12 times the largest derivative. For NaN this is False, for"
        " two zeros it is True, and there is no division. np.argwhere of all others, ~right, gives the indices.",
    )),
]  # fmt: skip
