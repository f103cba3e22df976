"""Gradient checks of learners' code: right code passes, wrong code fails.

The style does not matter, and the report says why code fails.
"""

import numpy as np
import pytest

from minilstm import InputError
from minilstm.verify import check_gradients, check_sequence, check_step
from minilstm.verify.gradcheck import conduct
from tests.helpers import learner_styles
from tests.helpers.learner_styles import STYLES, Functions
from tests.helpers.text import one_line


def assert_right(check):
    """Asserts that the check passes, and that the gradients are not zero."""
    assert all(abs(row.derivative) > 1e-9 and abs(row.yours) > 1e-9 for row in check.rows)
    assert check.passed and not check.wrong and not check.problems, check
    assert max(map(len, str(check).splitlines())) <= 80


@pytest.mark.parametrize("style", STYLES)
def test_right_code_passes_in_every_style(style):
    mine = style()
    check = check_sequence(mine.forward, mine.backward)
    assert_right(check)
    assert check.title == ("central differences" if style is learner_styles.ZerosWithoutDtype else "complex step")


@pytest.mark.parametrize("style", STYLES)
def test_wrong_code_fails_in_every_style(style):
    mine = style()
    mine.dc_factor = 1.01
    check = check_sequence(mine.forward, mine.backward)
    assert not check and {row.name for row in check.wrong} == {"x", "h0", "c0", "Wx", "Wh", "b"} and not check.problems
    assert "c0[" in str(check) and "your gradient is" in str(check)


# ---- what prevents a complex step -------------------------------------------------


def test_an_array_without_dtype_is_named_with_its_line():
    mine = learner_styles.ZerosWithoutDtype()
    text = one_line(check_sequence(mine.forward, mine.backward))
    assert "Checked by central differences, since a complex step, which is exact, cannot be used here" in text
    assert "learner_styles.py, `outputs[t] = h`: Casting complex values to real" in text
    assert "np.zeros or np.empty without dtype=x.dtype, which loses the imaginary part." in text
    assert "With np.zeros(shape, x.dtype), x being a parameter, the check is exact" in text
    assert "right to a relative error of 1e-05" in text


def test_a_requested_complex_step_is_not_replaced_silently():
    mine = learner_styles.ZerosWithoutDtype()
    for arguments in (dict(method="complex"), dict(tolerance=1e-9), dict(method="complex", tolerance=1e-3)):
        with pytest.raises(InputError, match='np.zeros or np.empty without dtype=x.dtype.*check with method="central"'):
            check_sequence(mine.forward, mine.backward, **arguments)
    assert_right(check_sequence(mine.forward, mine.backward, tolerance=1e-4))


X = np.array([0.6, -1.2, 2.0])


def stores(p):
    h = np.empty(3)
    h[:] = p["x"] ** 2
    return np.sum(h)


def stores_one(p):
    h = np.empty(3)
    for k in range(3):
        h[k] = p["x"][k] ** 2
    return np.sum(h)


def stores_python_numbers(p):
    h = np.zeros(3)
    for k, x in enumerate(p["x"].tolist()):
        h[k] = x * x
    return np.sum(h)


def adds_to(p):
    h = np.zeros(3)
    h += p["x"] ** 2
    return np.sum(h)


def multiplies_into(p):
    h = np.zeros_like(p["x"], dtype="f8")
    np.multiply(p["x"], p["x"], out=h)
    return np.sum(h)


def dots_into(p):
    h = np.zeros((1, 1))
    np.dot(p["x"][None], p["x"][:, None], out=h)
    return np.sum(h)


@pytest.mark.parametrize("f", [stores, stores_one, stores_python_numbers, adds_to, multiplies_into, dots_into])
def test_every_way_to_store_into_an_array_without_dtype_is_named(f):
    check = check_gradients(f, {"x": X}, {"x": 2 * X})
    assert_right(check)
    assert "the usual cause is an array made by np.zeros or np.empty without dtype" in one_line(check)
    assert "test_learners.py, `" in one_line(check)
    assert [row.name for row in check_gradients(f, {"x": X}, {"x": 2.1 * X}).wrong] == ["x"]


@pytest.mark.parametrize(
    "f, gradient, words",
    [
        (lambda p: float(np.sum(p["x"] ** 2)), 2 * X, "float is for real numbers only"),
        (lambda p: np.sum(p["x"].astype(float) ** 2), 2 * X, "astype(float) is for real numbers only"),
        (lambda p: np.sum(np.array(list(p["x"]), dtype=float) ** 2), 2 * X, "dtype=float is for real numbers only"),
        (lambda p: sum(__import__("math").exp(x) for x in p["x"]), np.exp(X), "numbers"),
        (lambda p: np.sum(np.logaddexp(0, p["x"])), 1 / (1 + np.exp(-X)), "ufunc 'logaddexp' not supported"),
        (lambda p: sum(max(0, x) for x in p["x"].tolist()), X > 0, "'>' not supported between instances of 'complex'"),
        (lambda p: np.sum(np.abs(p["x"])), np.sign(X), "it uses numpy's absolute"),
        (lambda p: np.linalg.norm(p["x"]), X / np.linalg.norm(X), "it uses numpy's norm"),
        (lambda p: np.sum(p["x"].real ** 2), 2 * X, "it uses numpy's real"),
        (lambda p: np.sum(p["x"] ** 2).real, 2 * X, "it uses numpy's real"),
        (lambda p: np.sum(p["x"] * p["x"].conj()), 2 * X, "it uses numpy's conj"),
    ],
)
def test_other_code_that_loses_the_imaginary_part_is_checked_too_and_the_reason_is_named(f, gradient, words):
    assert np.abs(gradient).max() > 0
    gradient = np.asarray(gradient, float)
    check = check_gradients(f, {"x": X}, {"x": gradient})
    assert check.passed and check.title == "central differences" and words in one_line(check), check
    assert check_gradients(f, {"x": X}, {"x": 1.001 * gradient}).wrong


RELUS = [
    lambda z: np.maximum(0, z),
    lambda z: z * (z > 0),
    lambda z: np.where(z > 0, z, 0),
    lambda z: np.clip(z, 0, 1e9),
    lambda z: np.array([max(0, one) for one in z]),
]


@pytest.mark.parametrize("relu", RELUS)
def test_every_way_to_write_relu_works_with_complex_steps_away_from_its_kink(relu):
    f = lambda p: np.sum(relu(p["x"]) * [1.0, 2.0, 3.0])
    right = np.array([1.0, 0.0, 3.0])
    check = check_gradients(f, {"x": X}, {"x": right})
    assert check.passed and check.title == "complex step" and not check.notes
    assert check_gradients(f, {"x": X}, {"x": right[::-1]}).wrong


def test_sorting_and_maximum_work_with_complex_steps():
    f = lambda p: np.sum(np.sort(p["x"]) * [1.0, 2.0, 3.0]) + p["x"][np.argmax(p["x"])] ** 2
    right = np.array([2.0, 1.0, 3.0 + 4.0])
    assert check_gradients(f, {"x": X}, {"x": right}, method="complex")
    assert check_gradients(f, {"x": X}, {"x": right[::-1]}, method="complex").wrong


def test_code_without_a_source_text_is_reported_by_line_number():
    scope = {"np": np}
    exec("def f(p):\n    h = np.zeros(3)\n    h[:] = p['x']**2\n    return h.sum()", scope)
    check = check_gradients(scope["f"], {"x": X}, {"x": 2 * X})
    assert check.passed and "(ComplexWarning in line 3 of <string>: Casting" in one_line(check)


# ---- caches --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "style, words",
    [
        (learner_styles.Popped, "consumes its cache, so it cannot be called twice after one forward pass (IndexError in line"),
        (learner_styles.Popped, "`yield caches.pop()`: pop from empty list)."
         " Each call of this check had a forward pass of its own."),
        (learner_styles.Iterated, "changes its cache: called twice after one forward pass, it gives other gradients."),
        (learner_styles.Reversed, "changes its cache"),
        (learner_styles.WorkedIn, "changes its cache"),
    ],
)
def test_a_cache_that_is_used_up_gets_a_note_and_is_no_mistake(style, words):
    mine = style()
    check = check_sequence(mine.forward, mine.backward)
    assert_right(check)
    assert len(check.notes) == 1 and words in one_line(check)


@pytest.mark.parametrize(
    "backward, words",
    [
        (lambda d, cache, p: {"x": np.array([d["dy"][k] * derivative for k, derivative in cache])}, "changes its cache"),
        (lambda d, cache, p: {"x": np.stack([d["dy"][k] * derivative for k, derivative in cache])}, "consumes its cache"),
        (lambda d, cache, p: {"x": [d["dy"][k] * derivative for k, derivative in cache] or None}, "changes its cache"),
    ],
)
def test_any_effect_of_an_exhausted_iterator_is_one_sentence(backward, words):
    forward = lambda p: ({"y": p["x"] ** 2}, iter(enumerate(2 * p["x"])))
    dy = {"dy": np.array([0.5, -2.0, 3.0])}
    assert np.abs(conduct.ask(forward, backward, {"x": X}, dy)["x"]).min() > 0
    assert words in conduct.check_repeatable(forward, backward, {"x": X}, dy)


def test_a_cache_that_can_be_reused_gets_no_note():
    for mine in (Functions(), learner_styles.OnSelf()):
        assert check_sequence(mine.forward, mine.backward).notes == ()


def test_a_step_whose_cache_is_on_self_or_used_up_passes():
    class Cell:
        def forward(self, *arguments):
            h, c, self.cache = learner_styles.step(*arguments)
            return h, c, None

        def backward(self, dh, dc, cache, Wx, Wh):
            return learner_styles.step_backward(dh, dc, self.cache, Wx, Wh)

    def boxed(*arguments):
        h, c, cache = learner_styles.step(*arguments)
        return h, c, [cache]

    cell = Cell()
    assert_right(check_step(cell.forward, cell.backward))
    check = check_step(boxed, lambda dh, dc, box, Wx, Wh: learner_styles.step_backward(dh, dc, box.pop(), Wx, Wh))
    assert_right(check)
    assert "consumes its cache" in one_line(check)


def test_gradients_that_accumulate_from_call_to_call_are_refused():
    class Adding(Functions):
        sums = 0.0

        def finish(self, grads):
            self.sums = self.sums + grads[0]
            return self.sums, *grads[1:]

    mine = Adding()
    with pytest.raises(InputError, match="does not give the same twice for the same arguments; .* not set to zero"):
        check_sequence(mine.forward, mine.backward)


@pytest.mark.parametrize("name", ["dh", "dhT", "dcT", "Wx", "Wh", "x"])
def test_a_backward_pass_that_changes_arrays_of_its_caller_is_refused(name):
    def careless(dh, dstate, caches, Wx, Wh):
        answer = mine.backward(dh, dstate, caches, Wx, Wh)
        all_of_them = {"dh": dh, "dhT": dstate[0], "dcT": dstate[1], "Wx": Wx, "Wh": Wh, "x": caches[0]["x"]}
        all_of_them[name] *= 2
        return answer

    mine = Functions()
    with pytest.raises(InputError, match=f"your backward pass changes {name}, which belongs to the caller; let it work on"):
        check_sequence(mine.forward, careless)


# ---- clipping ------------------------------------------------------------------------


class ClippedInside(Functions):
    limit = 5.0

    def clipped(self, gradient):
        return np.clip(gradient, -self.limit, self.limit)


class ClippedAtTheEnd(ClippedInside):
    clipped = Functions.clipped

    def finish(self, grads):
        return tuple(np.clip(grad, -self.limit, self.limit) for grad in grads)


class ClippedByNorm(ClippedAtTheEnd):
    def finish(self, grads):
        norm = np.sqrt(sum(np.sum(grad**2) for grad in grads))
        return tuple(grad * min(1, self.limit / norm) for grad in grads)


@pytest.mark.parametrize("limit", [1.0, 5.0, 100.0])
@pytest.mark.parametrize(
    "style, method",
    [(style, "auto") for style in (ClippedInside, ClippedAtTheEnd, ClippedByNorm)]
    + [(ClippedInside, "central"), (ClippedInside, "projections")],
)
def test_clipping_inside_the_backward_pass_is_found_at_any_limit(style, method, limit):
    mine = style()
    mine.limit = limit
    check = check_sequence(mine.forward, mine.backward, method=method)
    assert not check.passed and not check, check
    assert "Your backward pass is not linear in (dh, dhT, dcT): d" in one_line(check)
    assert "clip the gradients once, after the whole backward pass and before the optimizer" in one_line(check)


@pytest.mark.parametrize("style", [ClippedInside, ClippedAtTheEnd, ClippedByNorm])
def test_without_a_limit_the_same_code_is_right(style):
    mine = style()
    mine.limit = np.inf
    assert_right(check_sequence(mine.forward, mine.backward))


def test_clipping_that_shows_in_no_gradient_is_reported_alone():
    mine = ClippedInside()
    check = check_sequence(mine.forward, mine.backward)
    assert not check.wrong and not check.passed
    assert "dx at 1000 · (dh, dhT, dcT) is not 1000 times dx at (dh, dhT, dcT)" in one_line(check)
    assert "diagnose" not in one_line(check)  # which could not find any other cause


def test_a_step_that_clips_is_found():
    def clips(dh, dc, cache, Wx, Wh):
        dx, dh_prev, dc_prev, grads = learner_styles.step_backward(dh, dc, cache, Wx, Wh)
        return dx, np.clip(dh_prev, -5, 5), dc_prev, grads

    assert_right(check_step(learner_styles.step, learner_styles.step_backward))
    check = check_step(learner_styles.step, clips)
    assert not check.wrong and not check.passed
    assert "not linear in (dh, dc): dh_prev at 1000 · (dh, dc) is not 1000 times dh_prev" in one_line(check)


@pytest.mark.parametrize(
    "backward, words",
    [
        (lambda d, cache, p: {"x": cache * d["dy"]}, ""),
        (lambda d, cache, p: {"x": cache * d["dy"] + 1}, "dx at -1 · (dy) is not -1 times dx at (dy)"),
        (lambda d, cache, p: {"x": cache * d["dy"] ** 3}, "dx at 0.001 · (dy) is not 0.001 times"),
        (lambda d, cache, p: {"x": np.clip(d["dy"], -50, 50)}, "dx at 1000 · (dy) is not 1000 times"),
        (lambda d, cache, p: {"x": np.abs(d["dy"])}, "dx at -1 · (dy)"),
        (lambda d, cache, p: {"x": d["dy"] * abs(d["dy"][0] / d["dy"][1])}, "dx at the sum of two (dy) is not the sum of"),
        (lambda d, cache, p: {"x": np.full(3, np.nan)}, ""),
        (lambda d, cache, p: {"x": (cache * d["dy"]).astype(np.float32)}, ""),
    ],
)
def test_linearity_is_tested_with_multiples_and_sums(backward, words):
    rng = np.random.default_rng(0)
    forward = lambda p: ({"y": p["x"] ** 2}, 2 * p["x"])
    said = conduct.check_linear(forward, backward, {"x": X}, {"dy": np.array([0.5, -2.0, 3.0])}, rng)
    assert words in said and bool(words) == bool(said), said


def test_the_sizes_of_a_default_check_all_differ():
    mine, sizes = Functions(), []

    def seen(x, state, *weights):
        sizes.append({*x.shape, state[0].shape[1]})
        return mine.forward(x, state, *weights)

    assert_right(check_sequence(seen, mine.backward))
    assert all(len(different) == 4 for different in sizes)
