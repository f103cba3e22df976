"""Answers to exercise 4, and a part of the message about each that is wrong."""

from tests.helpers.exercises import IS_RIGHT, answers

ANSWERS = []
CENTRAL = """def central_differences(f, x, h=6e-6):
    derivatives = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        {copies}
        up[index] += h
        down[index] -= h
        derivatives[index] = {derivative}
    return derivatives
"""
IN_PLACE = """def central_differences(f, x, h=6e-6):
    derivatives = np.zeros(x.shape)
    {before}
    for index in np.ndindex(x.shape):
        y[index] += h
        above = f(y)
        y[index] -= 2 * h
        derivatives[index] = (above - f(y)) / (2 * h)
        {after}
    return derivatives
"""
COPIES = "up, down = x.astype(float), x.astype(float)"
DERIVATIVE = "(f(up) - f(down)) / (2 * h)"
ANSWERS += answers("central_differences", CENTRAL, ("copies", "derivative"), [
    (COPIES, "(f(up) - f(down)) / h", "2h apart, but you divide by h"),
    (COPIES, "(f(up) - f(down)) / 2 * h", "needs parentheses"),
    (COPIES, "(f(up) - f(x)) / h", "one-sided, from x to x + h"),
    (COPIES, "(f(x) - f(down)) / h", "one-sided, from x - h to x"),
    (COPIES, "(f(down) - f(up)) / (2 * h)", "the two points are exchanged"),
    (COPIES + "; h = 1e-5", DERIVATIVE, "another number than h"),
    ("up = down = x.astype(float)", DERIVATIVE, "f is called twice at the same point"),
    ("up = down = x", DERIVATIVE, "`y = x` is no copy"),
    ("up, down = x.copy(), x.copy()", DERIVATIVE, "if x is float32, which has seven digits"),
    ("up, down = (x.astype(float) if x.dtype.kind == 'f' else x.copy() for _ in 'ab')", DERIVATIVE, "6e-6 is cut off"),
    ("up, down = x.ravel().astype(float), x.astype(float)", DERIVATIVE, "IndexError"),
])

IN_PLACE_RIGHT = {"before": "y = x.astype(float)", "after": "y[index] = x[index]"}
ANSWERS += answers("central_differences", IN_PLACE, IN_PLACE_RIGHT, [
    ({"before": "y = x", "after": "pass"}, "2 changed entries, among them [0, 0] and [0, 1]"),
    ({"after": "pass"}, "2 changed entries, among them [0, 0] and [0, 1]"),
    ({"before": "y = x", "after": "y[index] += h * (1 + 1e-12)"}, "changed entries, among them"),
    ({"before": "h = 6e-6; y = x", "after": "y[index] += h"}, "changed entries, among them"),  # 6e-6 changes the last bit
])
CENTRAL_RETURN = "def central_differences(f, x, h=6e-6):\n    return {}\n"
ANSWERS += answers("central_differences", CENTRAL_RETURN, (), [
    ("f(x.ravel()[:1])", "f is called with an array of the shape (1,)"),
    ("None", "the derivative is missing"),
    ("0.0", "the derivative has the shape () where (2, 3) belongs"),
    ("[['a'] * 3] * 2", "the derivative must consist of numbers"),
    ("[[1], []]", "rows of different lengths"),
    ("np.add(x, h, out=x)", "x is changed in place, but it belongs to the caller; work on a copy"),
])
COMPLEX_RETURN = "def complex_step(f, x, h=1e-200):\n    return {}\n"
ANSWERS += answers("complex_step", COMPLEX_RETURN, (), [
    ("None", "the derivative is missing"),
    ("0.0", "the derivative has the shape () where (3, 2) belongs"),
    ("[['a'] * 3] * 2", "the derivative must consist of numbers"),
    ("[[1], []]", "rows of different lengths"),
])
COMPLEX = """def complex_step(f, x, h=1e-200):
    derivatives = np.zeros(x.shape{dtype})
    for index in np.ndindex(x.shape):
        perturbed = {copy}
        perturbed[index] += {step}
        derivatives[index] = {derivative}
    return derivatives
"""
RIGHT = {"copy": "x.astype(complex)", "step": "1j * h", "derivative": "f(perturbed).imag / h", "dtype": ""}
ANSWERS += answers("complex_step", COMPLEX, RIGHT, [
    ({"derivative": "f(perturbed).real / h"}, "this is the real part"),
    ({"derivative": "f(perturbed) / h", "dtype": ", complex"}, "this is the real part"),
    ({"derivative": "abs(f(perturbed)) / h"}, "the absolute value of a complex number"),
    ({"derivative": "f(perturbed).imag"}, "the derivative times h; divide it by h"),
    ({"derivative": "f(perturbed).imag / (2 * h)"}, "you divide by 2h"),
    ({"step": "-1j * h"}, "its sign is wrong; do you perturb by -1j * h?"),
    ({"step": "h"}, "a real 1e-200 is lost by rounding"),
    ({"copy": "x.astype(float)"}, "a copy as floats loses it"),
    ({"copy": "x.astype(float)", "step": "0; perturbed[index] = complex(x[index], h)"}, "cannot store an imaginary part"),
    ({"copy": "x.astype(float)", "step": "h"}, "f is called at a point that is not complex"),
    ({"copy": "x + 0j"}, "complex64, in which 1e-200 is 0"),
    ({"copy": "x + 1j * h"}, "6 changed entries"),
    ({"step": "1j * 6e-6", "derivative": "f(perturbed).imag / 6e-6"}, "right to six digits only"),
])

FIND = """def wrong_entries(f, x, gradient):
    derivatives = complex_step(f, x)
    larger = np.maximum(np.abs(gradient), np.abs(derivatives))
    error = np.abs(gradient - derivatives)
    return {answer}
"""
ANSWERS += answers("wrong_entries", FIND, ("answer",), [
    ("np.argwhere(~np.isclose(gradient, derivatives))", "wrong by one part in a million, and you do not report it"),
    ("np.argwhere(~np.isclose(gradient, derivatives, rtol=1e-9))", "of np.isclose and np.allclose, accepts it"),
    ("np.argwhere(error > 1e-12 * np.abs(derivatives).max())", "is NaN, and you do not report it"),
    ("np.argwhere(~(error / larger <= 1e-9))", "0/0 is NaN, but two zeros are equal"),
    ("np.argwhere(~(error / np.maximum(larger, 1e-300) <= 1e-9))", "so this is rounding"),
    ("np.argwhere(error > 0)", "so this is rounding"),
    ("np.argwhere(~(error <= 1e-11))", "compare errors with it"),
    ("np.argwhere(~(error <= 1e-13))", "compare errors with it"),
    ("~(error <= 1e-12 * np.abs(derivatives).max())", "np.argwhere makes indices of it"),
    ("np.where(~(error <= 1e-12 * np.abs(derivatives).max()))", "what np.where returns, rows and columns separately"),
    ("np.argwhere(~(error <= 1e-12 * np.abs(derivatives).max()))[:1]", "of 3 mistakes in this gradient you report 1"),
    ("np.unravel_index(error.argmax(), x.shape)", "with 2 columns, a row for each mistake"),
    ("None", "with 2 columns, a row for each mistake"),
    ("[(0, 1), (2,)]", "rows of different lengths"),
    ("[]", "wrong by one part in a million, and you do not report it"),
])

# test_differences_are_not_enough
ANSWERS += [("wrong_entries", """def wrong_entries(f, x, gradient):
    derivatives = central_differences(f, x)
    larger = np.maximum(np.abs(gradient), np.abs(derivatives))
    error = np.abs(gradient - derivatives)
    return np.argwhere(~(error <= 1e-12))
""", "Central differences have ten digits at best")]
# test_a_relative_error_with_a_denominator_floor_is_right
ANSWERS += [("wrong_entries", """def wrong_entries(f, x, gradient):
    derivatives = complex_step(f, x)
    larger = np.maximum(np.abs(gradient), np.abs(derivatives))
    error = np.abs(gradient - derivatives)
    return [tuple(row) for row in np.argwhere(~(error / np.maximum(larger, 1e-2 * np.abs(derivatives).max()) <= 1e-10))]
""", IS_RIGHT)]
