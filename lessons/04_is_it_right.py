# %% [markdown]
# # 4. Is it right?
#
# In this lesson you learn to check a gradient by the loss alone, and you learn how many
# digits of the result are correct. Reading takes three quarters of an hour; with the
# exercises, an hour and a half. You need: derivatives, Taylor's series to its third
# term, complex numbers, and the six equations of an LSTM (lesson 2). You need not have
# written a backward pass.
#
# A wrong gradient is hard to notice. All shapes are right, there is no error, and the
# loss may even fall. It falls for a small step against any vector that is within 90
# degrees of the right gradient. People have trained with a wrong backward pass for
# years.
#
# So compute the derivative from the loss itself. There are three ways. ε is the
# distance from 1 to the next larger number, 2.2e-16 in float64:
#
#     (1)  f'(x) = (f(x + h) - f(x - h)) / 2h  + O(h²) + O(ε/h)      central differences
#     (2)  f'(x) = Im f(x + ih) / h            + O(h²)               complex step
#     (3)  ∇f · v = (f(x + hv) - f(x - hv)) / 2h  + O(h²) + O(ε/h)   projection on v
#
# The equations have the numbers of `minilstm/verify/gradcheck/numerical.py`.
#
# Sources for (2): Squire and Trapp, Using complex variables to estimate derivatives of
# real functions (1998). Martins, Sturdza and Alonso, The complex-step derivative
# approximation (2003), say when it can be used.

# %%
import numpy as np

from minilstm import reference
from minilstm.course import COLOURS, pyplot, save
from minilstm.errors import InputError
from minilstm.verify import check_gradients, check_step, diagnose, numerical

# %% [markdown]
# ## A derivative by finite differences
#
# Change x by a small h, and divide the change of the function by h. This gives almost
# the derivative. We begin with a function whose derivative we know: that of tanh is
# 1 - tanh², as in equation (3) of the LSTM. At x = 1 it is 0.41997. A *one-sided*
# difference goes from x to x + h, a *central* one from x - h to x + h. How small should
# h be?

# %%
f, x, derivative = np.tanh, 1.0, 1 - np.tanh(1.0) ** 2
error_one_sided, error_central = {}, {}
print(f"derivative of tanh at 1: {derivative:.10f}\n\n    h       one-sided     its error        central     its error")
for h in (10.0**-k for k in range(1, 16)):
    one_sided = (f(x + h) - f(x)) / h
    central = (f(x + h) - f(x - h)) / (2 * h)                                       # (1)
    error_one_sided[h], error_central[h] = abs(one_sided - derivative), abs(central - derivative)
    print(f"{h:.0e}  {one_sided:14.10f}   {error_one_sided[h]:8.1e}   {central:14.10f}   {error_central[h]:8.1e}")
assert round(derivative, 5) == 0.41997

# %% [markdown]
# ## Two errors: truncation and cancellation
#
# Look at the last column. The error first falls by a factor of a hundred in each row.
# From 1e-6 on it rises by about ten. Two errors compete.
#
# **Truncation.** A function is not a straight line. By Taylor, f(x ± h) is
# f ± h f' + h²/2 f'' ± h³/6 f''' and so on. In the one-sided difference, h/2 f'' is
# left over. In the central one f'' cancels, and h²/6 f''' is left over. So with an h
# ten times smaller the error is a hundred times smaller. For tanh at 1, f'' = -0.640
# and f''' = 0.622. At h = 0.1 we expect errors of 0.032 and 0.0010; the first row has
# 0.031 and 0.0010.
#
# **Cancellation.** A float64 has 16 digits. The next lines show both values for
# h = 1e-10. Their first ten digits are equal, so only six are left after the
# subtraction. Rounding makes f uncertain by about ε f, and the derivative by about
# ε f / h. With an h ten times smaller this error is ten times *larger*. At h = 1e-15
# one digit is correct. If h is below ε/2, 1 + h is 1.

# %%
second, third = -2 * f(x) * derivative, derivative * (4 * f(x) ** 2 - 2 * derivative)  # f'' and f''' of tanh
print(f"\nleft over at h = 0.1:  one-sided {0.1 / 2 * abs(second):.4f}   central {0.1**2 / 6 * third:.4f}")
print(f"f(x + 1e-10) = {f(x + 1e-10):.16f}\nf(x - 1e-10) = {f(x - 1e-10):.16f}")
print(f"difference   = {f(x + 1e-10) - f(x - 1e-10):.16f}")
assert (round(second, 3), round(third, 3)) == (-0.640, 0.622)
assert round(error_one_sided[0.1], 3) == 0.031 and round(error_central[0.1], 4) == 0.0010
assert f"{f(x + 1e-10):.16f}"[:12] == f"{f(x - 1e-10):.16f}"[:12]

# %% [markdown]
# ## The best h
#
# The sum of both errors is smallest where they are about equal:
#
# - Central: h² ≈ ε/h, so h ≈ ∛ε = 6e-6, and the error is about ε^⅔ = 4e-11.
# - One-sided: h ≈ ε/h, so h ≈ √ε = 1.5e-8, and the error is about 1.5e-8.
#
# So the smallest h is not the best, and the best one is larger than most people think.
# Central differences give ten digits, one-sided ones seven or eight. (Press et al.,
# Numerical recipes, 2007, section 5.7.) The package uses ∛ε, `numerical.STEP`.

# %%
eps = np.finfo(float).eps
print("\n              best h                   its error\n            expected    found           expected    found")
for name, h, expected, errors in (("one-sided", eps ** (1 / 2), eps ** (1 / 2), error_one_sided),
                                  ("central", eps ** (1 / 3), eps ** (2 / 3), error_central)):  # fmt: skip
    best = min(errors, key=errors.get)
    print(f"{name:<9}  {h:12.1e} {best:8.0e} {expected:18.1e} {errors[best]:8.0e}")
    assert h / 100 < best < h * 100 and errors[best] < 10 * expected
by_package = numerical.central_differences(lambda p: np.tanh(p["x"]), {"x": np.array(x)})["x"]
assert np.isclose(numerical.STEP, eps ** (1 / 3)) and abs(by_package - derivative) < 1e-9
print(f"numerical.central_differences: {by_package:.10f}")

# %% [markdown]
# ## The complex step: a derivative without a subtraction
#
# Perturb x by an imaginary number: f(x + ih) is f + ih f' - h²/2 f'' - ih³/6 f''' and
# so on. The imaginary part, divided by h, is f' - h²/6 f'''. No two nearly equal
# numbers are subtracted, so h can be as small as we like. At 1e-200, h² is zero in
# float64, and so is the truncation error. What is left is the derivative, to the last
# digits.
#
# Why does this work? (3 + ih)² = 9 + 6ih - h². The imaginary part is 2 · 3 · h: the
# multiplication of complex numbers *is* the product rule. The imaginary part holds the
# derivative through all that the code computes, beside the value.
#
# So the code must compute with complex numbers as with real ones. `abs`, a comparison,
# `.real` or a cast to float lose the imaginary part. The result is then wrong without
# any error.

# %%
h = 1e-200
print(f"\n(3 + ih)² with h = 1e-200:  {(3 + 1j * h) ** 2}, its imaginary part / h: {((3 + 1j * h) ** 2).imag / h:.1f}")
by_complex_step = f(x + 1j * h).imag / h                                            # (2)
print(f"tanh at 1: {by_complex_step:.16f} by complex step\n           {derivative:.16f} by hand")
print(f"|x| at 1:  {np.abs(x + 1j * h).imag / h:.1f}, where 1.0 is right: abs has lost it")
assert np.isclose(by_complex_step, derivative, rtol=1e-14) and np.abs(x + 1j * h).imag == 0

# %% [markdown]
# ## One weight of an LSTM
#
# Now take one step of an LSTM, with B = 2 sequences, D = 3 inputs and H = 4 units, all
# numbers random. The loss is the sum of h ⊙ dh and c ⊙ dc. So its gradients with
# respect to h and c are `dh` and `dc`, as they would be for a step inside a network.
#
# We want the gradient of one weight, `Wh[1, 6]`. Array indices count from 0: row 1 is
# the second unit. Columns 4 to 7 are the forget gate, so column 6 is the forget gate of
# the third unit. By hand it takes three lines of the chain rule. The comments name the
# equations of the LSTM in lesson 2.

# %%
B, D, H, rng = 2, 3, 4, np.random.default_rng(7)
draw = lambda *shape: rng.normal(0, 0.7, shape).astype(np.float32)  # so that float32 and float64 begin with the same numbers
weights = {"Wx": draw(D, 4 * H), "Wh": draw(H, 4 * H), "b": draw(4 * H)}
inputs = {"x": draw(B, D), "h_prev": draw(B, H), "c_prev": draw(B, H)}
dh, dc = draw(B, H), draw(B, H)
sigmoid = lambda z: 1 / (1 + np.exp(-z))


def step(x, h_prev, c_prev, Wx, Wh, b):
    i, f, g, o = np.split(x @ Wx + h_prev @ Wh + b, 4, axis=1)   # (B, H) each
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)  # (2), (1), (3), (5)
    c = f * c_prev + i * g                                       # (4)
    return f, o, c, o * np.tanh(c)                               # (6)


def loss(p):
    _, _, c, h = step(*p.values())
    return np.sum(h * dh) + np.sum(c * dc)


exactly = {name: array.astype(float) for name, array in (inputs | weights).items()}
f, o, c, h = step(*exactly.values())
dc_all = dc + dh * o * (1 - np.tanh(c) ** 2)             # (6): c acts through h, too
dzf = dc_all * exactly["c_prev"] * f * (1 - f)           # (4), then (1)
by_hand = exactly["h_prev"][:, 1] @ dzf[:, 2]            # a product, summed over the mini-batch

_, _, cache = reference.lstm_step(*exactly.values())
*_, grads = reference.lstm_step_backward(dh, dc, cache, exactly["Wx"], exactly["Wh"])
print(f"\ngradient of Wh[1, 6]: {by_hand:.15f} by hand\n{grads.Wh[1, 6]:39.15f} by lstm_step_backward")
assert np.isclose(by_hand, grads.Wh[1, 6], rtol=1e-13)

# %% [markdown]
# ## The error at every h
#
# Now compute this gradient by all three methods, for h from 1 down to 1e-18, in float64
# and in float32. The ε of float32 is 1.2e-7. The picture shows the error of each
# result:
#
# - On the right there is truncation. The error is proportional to h (one-sided) or to
#   h² (central and complex).
# - Further left the differences have cancellation. The error is about ε/h, and it jumps
#   from point to point, because rounding errors look random.
# - At the far left, x + h equals x. The result is 0, so the relative error is 1.
# - The complex step has no cancellation: its error falls and stays small.
#
# **In float32** all this begins earlier, because ε is 500 million times as large.
# Central differences have four or five correct digits at best, near h = ∛ε = 5e-3. With
# h = 1e-6, which is good in float64, not even two are correct. The complex step has all
# seven digits of float32. So check gradients in float64, also those of code that trains
# in float32.


# %%
def perturbed(by, dtype):
    p = {name: array.astype(dtype) for name, array in exactly.items()}
    p["Wh"][1, 6] += by
    return loss(p)


METHODS = {
    "one-sided": lambda h, real, complex_: (perturbed(h, real) - perturbed(0, real)) / h,
    "central": lambda h, real, complex_: (perturbed(h, real) - perturbed(-h, real)) / (2 * h),
    "complex": lambda h, real, complex_: perturbed(1j * h, complex_).imag / h,
}
steps, errors = 10.0 ** -np.arange(0, 18.1, 0.5), {}
for real, complex_ in ((np.float64, np.complex128), (np.float32, np.complex64)):
    for method, ask in METHODS.items():
        found = np.array([float(ask(real(h), real, complex_)) for h in steps])
        errors[method, real] = np.abs(found - by_hand) / abs(by_hand)
print("\nrelative error for Wh[1, 6], in float64 and in float32\n\n    h    " + "   ".join(f"{name:^18}" for name in METHODS))
for h, *row in list(zip(steps, *(errors[name, real] for name in METHODS for real in (np.float64, np.float32))))[::2]:
    print(f"{h:.0e}  " + "".join(f"{error:9.0e}" + " " * (k % 2 * 3) for k, error in enumerate(row)).rstrip())

at = lambda method, real, power: errors[method, real][-2 * power]
assert errors["central", np.float64].min() < 1e-9 < errors["one-sided", np.float64].min() < 1e-6
assert errors["complex", np.float64][16:].max() < 1e-14 and 1e-9 < errors["complex", np.float32][8:].max() < 1e-5
assert at("central", np.float32, -6) > 0.01 and at("central", np.float64, -6) < 1e-8
assert at("central", np.float32, -12) == at("central", np.float64, -18) == 1
assert 3e-6 < np.median(errors["central", np.float32][3:7]) < 1e-3 and 5e8 < np.finfo(np.float32).eps / eps < 6e8

if plt := pyplot():
    figure, both = plt.subplots(1, 2, figsize=(8.8, 4.6), sharey=True)
    for axes, real, digits in zip(both, (np.float64, np.float32), ("9 digits", "under 2 digits")):
        for method, colour in zip(METHODS, COLOURS):
            axes.loglog(steps, np.maximum(errors[method, real], eps / 2), "o-", color=colour, markersize=3, label=method)
        axes.axvline(1e-6, color=COLOURS[6], linestyle=":")
        axes.set(title=f"{real.__name__}: central, {digits} at h = 1e-6", xlabel="h", ylim=(1e-17, 30), xlim=(3e-19, 3))
    notes = (0, 1e-13, 0.06, "cancellation, ε/h"), (0, 1e-6, 0.3, " truncation, h"), (0, 8e-6, 1e-14, "truncation, h²")
    notes += (1, 3e-18, 1e-5, "central: 4 or 5 digits at best"), (1, 3e-18, 2e-9, "complex: 7 digits")
    for k, *place, text in notes:
        both[k].text(*place, text, color=COLOURS[6])
    both[0].set_ylabel("relative error (at least ε/2)"), both[1].legend(loc="lower left")
    save(figure, "04_is_it_right")

# %% [markdown]
# ## Relative error, and 0/0
#
# A gradient and a numerical derivative never agree to the last bit. So we divide their
# difference by their size. Each usual way to do so has a trap. The table shows one
# gradient, entry by entry; its largest entry is 0.25.
#
# - **Entry 2 is twice too large,** and `np.isclose` accepts it. Its absolute tolerance,
#   `atol`, is 1e-8 at any size. Gradients are that small behind a saturated gate, one
#   that is almost 0 or 1.
# - **Entry 3 is 0, and this is right.** Its relative error is 0/0, which is NaN. `nan >
#   1e-10` is False, so a check that looks for large errors accepts it. Here this is
#   good. But it also accepts entry 5, where the gradient itself is NaN. So ask which
#   errors are small enough, and report all others: `not error <= 1e-10`.
# - **Entry 4 is a sum of large numbers that cancel.** What is left is rounding, and its
#   relative error is 1.
#
# So the package divides by the larger of the two numbers *or a denominator floor*. The
# floor is a hundredth of the largest derivative in the same array. It reports all
# entries whose error is not small enough.

# %%
print("\n  gradient derivative   np.isclose   relative   with floor   verdict")
floor, verdicts = 0.25 / 100, []
for mine, true in ((0.25, 0.25 * (1 + 1e-13)), (2e-9, 1e-9), (0.0, 0.0), (1.4e-17, 0.0), (np.nan, 0.25)):
    larger = max(abs(mine), abs(true))
    relative = abs(mine - true) / larger if larger else np.nan
    with_floor = abs(mine - true) / max(larger, floor)
    verdicts.append("right" if with_floor <= 1e-10 else "WRONG")
    print(f"{mine:10.3g} {true:10.3g}   {str(np.isclose(mine, true)):<10} {relative:10.0e} {with_floor:12.0e}   {verdicts[-1]}")
assert verdicts == ["right", "WRONG", "right", "right", "WRONG"] and np.isclose(2e-9, 1e-9)

# %% [markdown]
# ## When the gradient is right and the check says no
#
# The backward pass below returns the right numbers. But it changes an array that it was
# given. In Python `dc += ...` does not create a new `dc`: it writes into the caller's
# array. Our loss uses `dc` afterwards, so it is now another loss. The gradient is then
# compared with the derivative of this other loss. It is easy to lose hours in looking
# for a mistake in the mathematics. (In many courses the array is called `dout`.)


# %%
def in_place(dh, dc, cache, Wx, Wh):
    result = reference.lstm_step_backward(dh, dc, cache, Wx, Wh)
    dc += dh * cache.o * (1 - cache.tanh_c**2)           # changes the caller's array; right is `dc = dc + ...`
    return result


kept = dc.copy()
first, second = (in_place(dh, dc, cache, exactly["Wx"], exactly["Wh"])[3].Wh[1, 6] for _ in range(2))
changed = perturbed(1e-200j, complex).imag / 1e-200
print(f"\ngradient     first call {first:.6f}   second call {second:.6f}")
print(f"derivative  before both {by_hand:.6f}    after both {changed:.6f}")
assert np.isclose(first, by_hand) and not np.isclose(second, first, rtol=0.05) and not np.isclose(changed, first, rtol=0.05)
dc = kept
try:
    check_step(reference.lstm_step, in_place)
except InputError as error:
    print("check_step says:", *str(error).split("; "), sep="\n  ")

# %% [markdown]
# ## All weights at once
#
# Central differences evaluate the loss twice for each weight. A small character model
# has a hundred thousand weights. Equation (3) needs two evaluations for all of them.
# Draw a random number v_k for each weight, and perturb all weights at once along v. If
# g is the gradient, the derivative in this direction is g · v, one number.
#
# If entry k of g is wrong by e, then g · v is wrong by e v_k. This stays hidden only if
# v_k is almost zero. The probability of |v_k| < 1e-6 is 8 in ten million. So a wrong
# entry is found wherever it is, if e v_k is clearly larger than the error of the
# differences, about 1e-10.
#
# In the example one entry of `Wh` is wrong by 1 %, among 128 weights.

# %%
names, rng = list(weights), np.random.default_rng(0)
right = {name: getattr(grads, name) for name in names}
wrong = right | {"Wh": right["Wh"].copy()}
wrong["Wh"][1, 6] *= 1.01
along = lambda gradient, v: sum(np.sum(gradient[name] * v[name]) for name in names)
assert round(2e-6 / np.sqrt(2 * np.pi), 8) == 8e-7  # the probability of -1e-6 < v_k < 1e-6: width times density
print("\nderivative along v   right gradient · v   wrong gradient · v   off by")
for _ in range(5):
    v = {name: rng.standard_normal(right[name].shape) for name in names}
    there, back = ({**exactly, **{name: exactly[name] + sign * 6e-6 * v[name] for name in names}} for sign in (1, -1))
    found = (loss(there) - loss(back)) / (2 * 6e-6)                                 # (3)
    print(f"{found:18.8f} {along(right, v):20.8f} {along(wrong, v):20.8f} {along(wrong, v) - found:8.0e}")
    assert abs(found - along(right, v)) < 1e-8 < 1e-6 < abs(found - along(wrong, v))
    assert np.isclose(numerical.projection(loss, exactly, v), found, rtol=1e-6)

# %% [markdown]
# ## The package's gradient checks
#
# `check_gradients` takes a loss and its gradients by name, and has all three methods.
#
# - It refuses float32, a loss that changes its arguments, and a loss that draws random
#   numbers.
# - If a loss loses the imaginary part, it uses central differences, and says so.
# - If all derivatives and gradients are zero, nothing is proved, and the check does not
#   pass.
#
# Now `Wh[1, 6]` is wrong by one part in a million. Differences are required to agree to
# five digits only, so they accept it. The complex step finds the entry.

# %%
wrong["Wh"][1, 6] = right["Wh"][1, 6] * (1 + 1e-6)
of_weights = lambda p: loss({**exactly, **p})
ours = {name: exactly[name] for name in names}
passed = {way: bool(check_gradients(of_weights, ours, wrong, method=way)) for way in ("central", "projections", "complex")}
print("\none in a million passes:", ", ".join(f"{way} {what}" for way, what in passed.items()), "\n")
print(check_gradients(of_weights, ours, wrong))
assert passed == {"central": True, "projections": True, "complex": False} and check_gradients(of_weights, ours, right)

# %% [markdown]
# `check_step` checks a pair of functions, forward and backward: all six gradients of a
# step. The backward pass below drops the gradient of c that comes from the next step.
# Many published LSTMs have done this, and without this gradient they cannot learn to
# remember.
#
# For the weights above, the wrong gradient points 42 degrees away from the right one. A
# small step against it still makes the loss smaller, so the loss does not show the
# mistake. `check_step` finds every array wrong. `diagnose` compares it with backward
# passes that have known mistakes, and names this one.


# %%
def forgetful(dh, dc, cache, Wx, Wh):
    return reference.lstm_step_backward(dh, 0 * dc, cache, Wx, Wh)


mine = dict(zip(names, forgetful(dh, dc, cache, exactly["Wx"], exactly["Wh"])[3]))
degrees = np.degrees(np.arccos(along(mine, right) / np.sqrt(along(mine, mine) * along(right, right))))
after = of_weights({name: exactly[name] - 0.1 * mine[name] for name in names})
print(f"\n{degrees:.0f} degrees off; the loss was {loss(exactly):.3f}, and after a step is {after:.3f}\n")
print(str(check_step(reference.lstm_step, forgetful)).split("\nrelative error:")[0])
print("\n" + str(diagnose(forgetful)))
assert round(degrees) == 42 and after < loss(exactly) and check_step(reference.lstm_step, reference.lstm_step_backward)

# %% [markdown]
# ## Exercises
#
# `minilstm exercise 4` makes your copy, `lessons/my/04_is_it_right.py`.
# Fill in its blanks, and run the same command again: it grades what you wrote.
#
# 1. Central differences for every entry of an array, without changing the array.
# 2. The complex step.
# 3. A check that finds every planted mistake: one part in a million, an entry behind a
#    saturated gate, and NaN. It must accept rounding and 0/0.
