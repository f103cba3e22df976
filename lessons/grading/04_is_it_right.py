"""4. Is it right? Grading."""

import numpy as np

from minilstm import reference
from minilstm.course import Case, Task, Wrong

A = np.random.default_rng(0).normal(size=6)  # coefficients of a cubic: its central differences are known for any h


def cubic(x):
    return np.sum(A.reshape(x.shape) * x**3)


def smooth(x):
    """Negative, and every entry changes the derivatives of all others."""
    return -2 - np.tanh(np.sum(A.reshape(x.shape) * x)) * np.sum(x**2) / 9


def watched(f, x, is_complex=False):
    """The same function, which refuses points that are not x with one entry perturbed."""
    x = x.copy()

    def refusing(point):
        if np.shape(point) != x.shape:
            raise Wrong(f"f is called with an array of the shape {np.shape(point)}; x has {x.shape}")
        moved = np.argwhere(point != x).tolist()
        if len(moved) > 1 and x.dtype.kind == "f":
            raise Wrong(f"f is called with {len(moved)} changed entries, among them {moved[0]} and {moved[1]}: perturb one, and"
                        " restore it (or begin with a new copy) before the next one")
        if is_complex and point.dtype.kind != "c":
            raise Wrong("f is called at a point that is not complex: perturb by 1j * h; a copy as floats loses it")
        if is_complex and point.dtype != complex:
            raise Wrong(f"if x is {x.dtype}, your points are {point.dtype}, in which 1e-200 is 0; make them complex128, as"
                        " astype(complex) does")
        if is_complex and not np.any(point.imag):
            raise Wrong("f is called at a point without an imaginary part, and a real 1e-200 is lost by rounding: perturb by"
                        " 1j * h")
        return f(point)

    return refusing


def differences(rng):
    x = rng.uniform(0.5, 2, (2, 3))
    yield watched(cubic, x), x, 0.25
    for x, words in (
        (x.reshape(3, 1, 2), "an x with three axes"),
        (x[0, :, None].repeat(2, axis=1).astype(np.float32), "x in float32, whose seven digits lose 6e-6; use float64"),
        (np.array([3, -2, 1, 5, 2, -4]), "integers, which lose 6e-6; use float64"),
    ):
        f = cubic if x.dtype.kind == "i" else smooth
        yield Case((watched(f, x), x), words)


def complex_points(rng):
    x = rng.normal(size=(3, 2))
    for x in (x, x.reshape(1, 6).astype(np.float32), np.array([1, -1, 2, 0, -2, 1])):
        yield watched(smooth, x, is_complex=True), x


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


def finds(yours):
    """Grade `wrong_entries`, whose answer is not one array: the order of its rows is free."""
    count = 0
    for f, x, gradient, right, mistakes, scale in planted():
        is_complex = []
        got = yours(lambda point: is_complex.append(np.iscomplexobj(point)) or f(point), x, gradient)
        rows, largest = places(got, x), np.abs(right).max()
        advice = "" if scale == 1 else f" (the largest derivative of this loss is {largest:.0e}: compare errors with it)"
        if not any(is_complex):
            advice = ". Central differences have ten digits at best, and f takes complex numbers"
        for place in mistakes:
            if place not in rows:
                some = f"; of {len(mistakes)} mistakes in this gradient you report {len(rows)}" if rows else ""
                why = missed(gradient[place], right[place])
                raise Wrong(f"entry {list(place)} of the gradient is {why}{some}{advice}")
        for place in (place for place in rows if place not in mistakes):
            off = abs(gradient[place] - right[place])
            why = f"the gradient is wrong by {off:.0e} only. The largest entry is {largest:.2g}, so this is rounding"
            if off == right[place] == 0:
                why = "gradient and derivative are both 0 there: 0/0 is NaN, but two zeros are equal"
            raise Wrong(f"entry {list(place)} is reported, but {why}{advice}")
        count += len(mistakes)
    return f"all {count} planted mistakes are found, and nothing else"


def missed(mine, true):
    if np.isnan(mine):
        return "NaN, and you do not report it: NaN is neither greater nor less than any number"
    if mine == 0:
        return (f"0 where {true:.1e} belongs, and you do not report it: an absolute tolerance, such as the 1e-8 of np.isclose"
                " and np.allclose, accepts it")
    if abs(mine - true) < 1e-5 * abs(true):
        return "wrong by one part in a million, and you do not report it: your tolerance is too large"
    return f"{mine:.4g} where {true:.4g} belongs, and you do not report it"


def places(got, x):
    """The rows of an answer; Wrong if it has another form."""
    form = f"return an array of integers with {x.ndim} columns, a row for each mistake; this is"
    if isinstance(got, tuple) and len(got) == x.ndim and all(isinstance(part, np.ndarray) for part in got):
        raise Wrong(f"{form} what np.where returns, rows and columns separately; use np.argwhere")
    try:
        got = np.asarray(got)
    except ValueError:
        raise Wrong(f"{form} a list of rows of different lengths") from None
    if got.dtype == bool:
        raise Wrong(f"{form} an array of True and False; np.argwhere makes indices of it")
    if got.size and (got.dtype.kind not in "iu" or got.ndim != 2 or got.shape[1] != x.ndim):
        raise Wrong(f"{form} {got.dtype}, {got.shape}")
    return [tuple(row) for row in got.tolist()]


COPIES = "up, down = x.astype(float), x.astype(float)"
BLANKS = 6  # in the exercise as it is shipped
TASKS = [
    Task(
        "central_differences",
        hints=(
            "Make two copies of x, as floats. In one the entry is h larger, in the other h smaller. How far apart are they?",
            "x.astype(float) always makes a copy. After up[index] += h and down[index] -= h, divide the difference of the two"
            " losses by 2h, in parentheses. Make new copies for each entry.",
        ),
        cases=differences,
        returns="the derivative",
        tolerance=1e-6,
        mistakes={
            "derivatives[index] = (f(up) - f(down)) / h": "the two points are 2h apart, but you divide by h",
            "(2 * h) -> 2 * h": "you divide by 2 and multiply by h; 2 * h needs parentheses",
            "derivatives[index] = (f(up) - f(x)) / h": "this is one-sided, from x to x + h",
            "derivatives[index] = (f(x) - f(down)) / h": "this is one-sided, from x - h to x",
            "derivatives[index] = (f(down) - f(up)) / (2 * h)": "its sign is wrong: the two points are exchanged",
            COPIES + " -> up = down = x.astype(float)":
                "f is called twice at the same point: is one array used under two names? `up = x` makes no copy",
            "+= h -> += 1e-5; -= h -> -= 1e-5; (2 * h) -> 2e-5": "you perturb by another number than h, which is an argument",
            COPIES + " -> up, down = x.copy(), x.copy()":
                "if x is float32, which has seven digits, 6e-6 is lost by rounding: the points must be float64",
            COPIES + " -> up, down = (x.astype(float) if x.dtype.kind == 'f' else x.copy() for _ in 'ab')":
                "if x has integers, 6e-6 is cut off: the points must be float64",
        },
        praise="every derivative is right, for any shape and dtype, and x is unchanged",
    ),
    Task(
        "complex_step",
        hints=(
            "Make one copy of x that can store imaginary parts, and perturb one entry by an imaginary h. Nothing is"
            " subtracted.",
            "x.astype(complex) is complex128 for any x. Add 1j * h to one entry, call f, take the imaginary part of the result"
            " and divide it by h.",
        ),
        cases=complex_points,
        returns="the derivative",
        tolerance=1e-13,
        mistakes={
            "derivatives[index] = f(perturbed).real / h":
                "this is the real part, the loss, divided by h. The derivative is in the imaginary part",
            "derivatives[index] = abs(f(perturbed)) / h":
                "this is the absolute value of a complex number, which is almost its real part; take .imag",
            "derivatives[index] = f(perturbed).imag": "the imaginary part is the derivative times h; divide it by h",
            "derivatives[index] = f(perturbed).imag / (2 * h)":
                "you divide by 2h; there is only one point here, so divide by h",
            "perturbed[index] -= 1j * h": "its sign is wrong; do you perturb by -1j * h?",
        },
        praise="every derivative is right to at least twelve digits, with h = 1e-200",
    ),
    Task(
        "wrong_entries",
        hints=(
            "A mistake is at least about 1e-9 of the largest derivative; rounding is 1e-15 of it. Choose a tolerance in"
            " between. Your derivatives must be more exact than that. And what is the result of comparing NaN?",
            "First find the right entries: their error is at most 1e-12 times the largest derivative. For NaN this is False,"
            " for two zeros it is True, and there is no division. np.argwhere of all others, ~right, gives the indices.",
        ),
        check=finds,
    ),
]  # fmt: skip
