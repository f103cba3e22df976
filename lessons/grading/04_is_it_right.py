"""4. Is it right? How its exercises are marked."""

import warnings

import numpy as np

from minilstm import reference
from minilstm.course import Task, Wrong, same

A = np.random.default_rng(0).normal(size=6)  # of the cubic whose central differences are known for any step


def cubic(x):
    return np.sum(A.reshape(x.shape) * x**3)


def smooth(x):
    """Negative, and every entry acts on the slopes of all others."""
    return -2 - np.tanh(np.sum(A.reshape(x.shape) * x)) * np.sum(x**2) / 9


def slopes_of_smooth(x):
    t = np.tanh(np.sum(A.reshape(x.shape) * x))
    return -(1 - t**2) * A.reshape(x.shape) * np.sum(x**2) / 9 - t * 2 * x / 9


def asked(yours, f, x, *arguments):
    """The answer, and all points at which f was asked; warnings are no answer."""
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
            raise Wrong("x belongs to the caller, and is not what it was: x + h - 2h + h need not be x to the last bit, and"
                        " `y = x` is no copy, only another name for x; nudge a copy") from None  # fmt: skip
        if "complex" in str(wrong):
            raise Wrong(f"{wrong}. An array of floats has no room for an imaginary part") from None
        raise
    _one_entry_at_a_time(points, before)
    slopes = _array(got)
    if slopes.dtype.kind not in "biufc" or slopes.shape != x.shape:
        raise Wrong(f"an array of slopes, {x.shape} as x, belongs here; this is {type(got).__name__}, {np.shape(slopes)}")
    return slopes, points


def _array(got):
    try:
        return np.asarray(got)
    except ValueError:
        raise Wrong("this is made of rows of different lengths; an array belongs here") from None


def _one_entry_at_a_time(points, x):
    for point in points:
        if point.shape != x.shape:
            raise Wrong(f"f is asked at a point of the shape {point.shape}; x, and each point beside it, has {x.shape}")
        moved = np.argwhere(point != x).tolist()
        if len(moved) > 1 and x.dtype.kind == "f":
            raise Wrong(f"f is asked where {len(moved)} entries are not what they were, {moved[0]} and {moved[1]} among them:"
                        " nudge one, and put it back (or begin with a fresh copy) before the next")  # fmt: skip


def central_differences(yours):
    x, h = np.random.default_rng(1).uniform(0.5, 2, (2, 3)), 0.25
    up, down = A.reshape(2, 3) * (x + h) ** 3, A.reshape(2, 3) * (x - h) ** 3
    here, right = A.reshape(2, 3) * x**3, (up - down) / (2 * h)
    got, _ = asked(yours, cubic, x, h)
    same("the slope", got, right, {
        "the two points are 2h apart, and you divide by h": 2 * right,
        "you divide by 2 and multiply by h; 2 * h needs parentheses": (up - down) / 2 * h,
        "this is one-sided, from x to x + h": (up - here) / h,
        "this is one-sided, from x - h to x": (here - down) / h,
        "the two points are the wrong way round, its sign is": -right,
        "f is asked twice at the same point. Is one array under two names? `up = x` makes no copy": 0 * right,
        "you step by something else than h, which is given": 3 * A.reshape(2, 3) * x**2,
    }, tolerance=1e-7)  # fmt: skip
    for x, why in (
        (x.reshape(3, 1, 2), ""),
        (x[0, :, None].repeat(2, axis=1).astype(np.float32), "with x of float32, which has seven digits, 6e-6 is rounded away:"
         " the points must be of float64"),
        (np.array([3, -2, 1, 5, 2, -4]), "with x of whole numbers, 6e-6 is cut off: the points must be of float64"),
    ):  # fmt: skip
        f = cubic if x.dtype.kind == "i" else smooth
        right = 3 * A * x**2.0 if f is cubic else slopes_of_smooth(x.astype(float))
        got, _ = asked(yours, f, x)
        if why and not np.allclose(got, right, rtol=0, atol=1e-6):
            raise Wrong(why)
        same("the slope", got, right, tolerance=1e-6)
    return "every slope is right, of any shape and dtype, and x is what it was"


def complex_step(yours):
    x = np.random.default_rng(2).normal(size=(3, 2))
    for x, why in (
        (x, ""),
        (x.reshape(1, 6).astype(np.float32), "with x of float32 the points are complex64, in which 1e-200 is 0; make them"
         " complex128, as astype(complex) does"),
        (np.array([1, -1, 2, 0, -2, 1]), "with x of whole numbers the slopes are wrong; make the points complex128"),
    ):  # fmt: skip
        right = slopes_of_smooth(x.astype(float))
        got, points = asked(yours, smooth, x)
        if why and not np.allclose(got, right, rtol=0, atol=1e-9):
            raise Wrong(why)
        if not any(point.dtype.kind == "c" for point in points):
            raise Wrong("f is never asked at a complex point: the step is 1j * h, and a copy as floats drops it")
        if not np.any(got):
            raise Wrong("every slope is 0: a real step of 1e-200 is rounded away, and so is 1j * h in anything but complex128")
        if np.allclose(got, right * 1e-200, atol=0):
            raise Wrong("the imaginary part is the slope times h; you have not divided by h")
        value = np.full(x.shape, smooth(x) / 1e-200)
        same("the slope", got, right, {
            "this is the real part, divided by h: the loss itself. The slope is in the imaginary part": value,
            "this is the length of a complex number, which its real part makes up nearly alone; take .imag": np.abs(value),
            "you divide by 2h; there are no two points here, only one step of h": right / 2,
            "its sign is; is the step -1j * h?": -right,
        }, tolerance=1e-12)  # fmt: skip
    return "every slope is right to twelve digits and more, with a step of 1e-200"


def planted():
    """For Wh and for b of an LSTM's step: the loss, where it is asked, its right gradient, and mistaken ones."""
    B, D, H = 3, 4, 5
    rng = np.random.default_rng(3)
    p = {"x": (B, D), "h_prev": (B, H), "c_prev": (B, H), "Wx": (D, 4 * H), "Wh": (H, 4 * H), "b": (4 * H,)}
    p = {name: rng.normal(0, 0.7, shape) for name, shape in p.items()}
    p["h_prev"][:, 0] = 0  # so that row 0 of dWh is 0
    shut = H + 3  # the forget gate of unit 3
    p["Wx"][:, shut], p["Wh"][:, shut], p["b"][shut] = 0, 0, -20
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
        behind = (int(sizes[:, shut].argmax()), shut) if right.ndim == 2 else (shut,)
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
        small = f" (the largest slope of this loss is {np.abs(right).max():.0e}: what is large depends on the loss)"
        size = "" if scale == 1 else small
        advice = size if any(complex_points) else ". Slopes by differences have ten digits at best, and f takes complex numbers"
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
        raise Wrong("np.where and np.nonzero give rows and columns apart; np.argwhere gives places")
    got = _array(got)
    if got.dtype == bool:
        raise Wrong("this says True or False; np.argwhere makes places of it")
    if got.size == 0:
        return []
    if got.dtype.kind not in "iu" or got.ndim != 2 or got.shape[1] != x.ndim:
        raise Wrong(f"an array of whole numbers, a row of {x.ndim} for each mistake, belongs here; this is {got.dtype},"
                    f" {got.shape}")  # fmt: skip
    return [tuple(row) for row in got.tolist()]


def _missed(place, mine, true):
    if np.isnan(mine):
        return f"entry {place} of the gradient is NaN, and is not found: NaN is neither greater than anything nor less"
    if mine == 0:
        return (f"entry {place} of the gradient is 0 where {true:.1e} belongs, and is not found: an absolute tolerance, as"
                " np.isclose and np.allclose have one of 1e-8, does not see it")  # fmt: skip
    if abs(mine - true) < 1e-5 * abs(true):
        return f"entry {place} of the gradient is off by one part in a million, and is not found: your tolerance is too wide"
    return f"entry {place} of the gradient is {mine:.4g} where {true:.4g} belongs, and is not found"


def _false_alarm(place, mine, true, largest):
    if mine == true == 0:
        return f"entry {place} is reported, and gradient and slope are both 0 there: 0/0 is NaN, but two zeros agree"
    return (f"entry {place} is reported, where the gradient is off by {abs(mine - true):.0e}: beside the largest entry,"
            f" {largest:.2g}, that is rounding")  # fmt: skip


BLANKS = 6  # in the exercise, as long as nobody has filled it in
TASKS = [
    Task("central_differences", central_differences, (
        "Two copies of x, as floats; in one the entry is h larger, in the other h smaller. How far apart are the two?",
        "x.astype(float) is a copy, even if x is of floats. After up[index] += h and down[index] -= h, divide the difference"
        " of the two losses by 2h, in parentheses. up and down are made anew for each entry.",
    )),
    Task("complex_step", complex_step, (
        "One copy of x, with room for imaginary parts, in which one entry is nudged by an imaginary h. Nothing is subtracted.",
        "x.astype(complex) is complex128 for any x. Add 1j * h to one entry, ask f, take the imaginary part of what comes"
        " back and divide it by h.",
    )),
    Task("wrong_entries", wrong_entries, (
        "What has to be found is off by about 1e-9 of the largest slope or more; what must pass, by 1e-15 of it. A tolerance"
        " in between tells them apart, if your slopes are exact. And how does NaN compare?",
        "Say which entries are right: those whose error is at most 1e-12 times the largest slope. For NaN that is False, for"
        " two zeros True, and nothing is divided. np.argwhere of all others, ~right, are the places.",
    )),
]  # fmt: skip
