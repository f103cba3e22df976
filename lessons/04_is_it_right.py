# %% [markdown]
# # 4. Is it right?
#
# After this lesson you can tell a right gradient from a wrong one by asking for nothing but the
# loss, and you know which digits of the answer to believe. It takes three quarters of an hour, and
# an hour and a half with its exercises. You need: derivatives, Taylor's series to its third term,
# what a complex number is, and the six equations of an LSTM (lesson 2); you need not have written a
# backward pass.
#
# A wrong gradient does not complain. No shape is wrong, nothing is raised, and the loss may well
# fall: a small step against any vector within 90 degrees of the right gradient makes it fall.
# People have trained with a wrong backward pass for years. So ask the loss itself. There are three
# ways, in which ε is the distance from 1 to the next number that can be written, 2.2e-16 in
# float64:
#
#     (1)  f'(x) = (f(x + h) - f(x - h)) / 2h  + O(h²) + O(ε/h)          central differences
#     (2)  f'(x) = Im f(x + ih) / h            + O(h²)                   complex step
#     (3)  ∇f · v = (f(x + hv) - f(x - hv)) / 2h  + O(h²) + O(ε/h)       projection on a direction v
#
# The numbering is that of `minilstm/verify/gradcheck/numerical.py`. (2) is from Squire and Trapp, Using complex
# variables to estimate derivatives of real functions (1998); Martins, Sturdza and Alonso, The
# complex-step derivative approximation (2003), say when it may be used.

# %%
import numpy as np

from minilstm import reference
from minilstm.course import COLOURS, pyplot, save
from minilstm.errors import InputError
from minilstm.verify import check_gradients, check_step, diagnose, numerical

# %% [markdown]
# ## A slope, by a small step
#
# The slope of a function is what it gains for a small step, divided by the step. We begin with one
# whose slope we know: tanh has 1 - tanh² (so equation (3) of the LSTM goes backward), at x = 1 that
# is 0.41997. *One-sided* goes forward by h, *central* goes h forward and h back. How small is
# small?

# %%
f, x, slope = np.tanh, 1.0, 1 - np.tanh(1.0) ** 2
error_one_sided, error_central = {}, {}
print(f"slope of tanh at 1: {slope:.10f}\n\n    h       one-sided     its error        central     its error")
for h in (10.0**-k for k in range(1, 16)):
    one_sided = (f(x + h) - f(x)) / h
    central = (f(x + h) - f(x - h)) / (2 * h)                                       # (1)
    error_one_sided[h], error_central[h] = abs(one_sided - slope), abs(central - slope)
    print(f"{h:.0e}  {one_sided:14.10f}   {error_one_sided[h]:8.1e}   {central:14.10f}   {error_central[h]:8.1e}")
assert round(slope, 5) == 0.41997

# %% [markdown]
# ## Why the error has a valley
#
# Read the last column downwards: the error falls by a hundred in each row, and from 1e-6 on rises
# by about ten. Two errors work against each other.
#
# *Truncation.* A function is not a straight line. By Taylor, f(x ± h) = f ± h f' + h²/2 f'' ± h³/6
# f''' + … In the one-sided slope h/2 f'' is left over. In the central one f'' is the same on both
# sides and drops out, and h²/6 f''' is left: a step ten times shorter makes it a hundred times
# smaller. For tanh at 1, f'' = -0.640 and f''' = 0.622, so that at h = 0.1 we expect 0.032 and
# 0.0010; the first row has 0.031 and 0.0010.
#
# *Cancellation.* A float64 has 16 digits. Below are both values for h = 1e-10: the first ten digits
# are the same, the subtraction removes them, and six are left. Rounding makes f uncertain by about
# ε f, so that the slope is uncertain by about ε f / h: a step ten times shorter makes it ten times
# *larger*. At h = 1e-15 one digit is right, and below ε/2, 1 + h is 1.

# %%
second, third = -2 * f(x) * slope, slope * (4 * f(x) ** 2 - 2 * slope)  # f'' and f''' of tanh
print(f"\nleft over at h = 0.1:  one-sided {0.1 / 2 * abs(second):.4f}   central {0.1**2 / 6 * third:.4f}")
print(f"f(x + 1e-10) = {f(x + 1e-10):.16f}\nf(x - 1e-10) = {f(x - 1e-10):.16f}")
print(f"difference   = {f(x + 1e-10) - f(x - 1e-10):.16f}")
assert (round(second, 3), round(third, 3)) == (-0.640, 0.622)
assert round(error_one_sided[0.1], 3) == 0.031 and round(error_central[0.1], 4) == 0.0010
assert f"{f(x + 1e-10):.16f}"[:12] == f"{f(x - 1e-10):.16f}"[:12]

# %% [markdown]
# ## Where the valley is deepest
#
# The two are of one size where h² ≈ ε/h, which is at h ≈ ∛ε = 6e-6, and there the error is about
# ε^⅔ = 4e-11. For one-sided differences h ≈ ε/h, at √ε = 1.5e-8, and the error there is 1.5e-8. So
# not "as small as possible": the best step is larger than most people take, and central differences
# give ten digits, where one-sided ones give seven or eight. (Press et al., Numerical recipes, 2007,
# section 5.7.) `numerical.STEP` is ∛ε.

# %%
eps = np.finfo(float).eps
print("\n           best step                  its error\n            expected    found           expected    found")
for name, h, expected, errors in (("one-sided", eps ** (1 / 2), eps ** (1 / 2), error_one_sided),
                                  ("central", eps ** (1 / 3), eps ** (2 / 3), error_central)):  # fmt: skip
    best = min(errors, key=errors.get)
    print(f"{name:<9}  {h:12.1e} {best:8.0e} {expected:18.1e} {errors[best]:8.0e}")
    assert h / 100 < best < h * 100 and errors[best] < 10 * expected
by_package = numerical.central_differences(lambda p: np.tanh(p["x"]), {"x": np.array(x)})["x"]
assert np.isclose(numerical.STEP, eps ** (1 / 3)) and abs(by_package - slope) < 1e-9
print(f"numerical.central_differences: {by_package:.10f}")

# %% [markdown]
# ## A step that subtracts nothing
#
# Take the step aside, into the imaginary numbers: f(x + ih) = f + ih f' - h²/2 f'' - ih³/6 f''' + …
# The imaginary part, divided by h, is f' - h²/6 f'''. Nothing was subtracted that was nearly equal,
# so h can be as small as we like: at 1e-200 its square is zero in float64, and with it the
# truncation. What is left is the slope to the last digits.
#
# How can that be? (3 + ih)² = 9 + 6ih - h². The imaginary part is 2 · 3 · h: the multiplication of
# complex numbers *is* the product rule, and the imaginary part carries the slope along through all
# that the code computes, beside the value and never mixed with it.
#
# Therefore it holds only as long as the code computes with complex numbers as with real ones.
# `abs`, a comparison, `.real` or a cast to float lose the imaginary part, and the slope that comes
# out is wrong without a word.

# %%
h = 1e-200
print(f"\n(3 + ih)² with h = 1e-200:  {(3 + 1j * h) ** 2}, its imaginary part / h: {((3 + 1j * h) ** 2).imag / h:.1f}")
by_complex_step = f(x + 1j * h).imag / h                                            # (2)
print(f"tanh at 1: {by_complex_step:.16f} by complex step\n           {slope:.16f} by hand")
print(f"|x| at 1:  {np.abs(x + 1j * h).imag / h:.1f}, where 1.0 is right: abs has lost it")
assert np.isclose(by_complex_step, slope, rtol=1e-14) and np.abs(x + 1j * h).imag == 0

# %% [markdown]
# ## One weight of an LSTM
#
# Now a step of an LSTM with B = 2 sequences, D = 3 inputs, H = 4 units, all numbers at random; and
# a loss that feels each entry of h and c as much as `dh` and `dc` say: the sum of h ⊙ dh and c ⊙
# dc, which is how a step in the midst of a network looks from outside.
#
# We want to know what it feels of one weight, `Wh[1, 6]`, from unit 1 to the forget gate of unit 2
# (columns 4 to 7 are the forget gate). By hand, the chain rule; in brackets behind these lines, the
# LSTM's own equations, as in lesson 2.

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
dc_all = dc + dh * o * (1 - np.tanh(c) ** 2)             # (6): c acts through h too, for unit 2 as for all
dzf = dc_all * exactly["c_prev"] * f * (1 - f)           # (4), then (1)
by_hand = exactly["h_prev"][:, 1] @ dzf[:, 2]            # a product, added up over the batch

_, _, cache = reference.lstm_step(*exactly.values())
*_, grads = reference.lstm_step_backward(dh, dc, cache, exactly["Wx"], exactly["Wh"])
print(f"\nslope of the loss for Wh[1, 6]: {by_hand:.15f} by hand\n{grads.Wh[1, 6]:49.15f} by lstm_step_backward")
assert np.isclose(by_hand, grads.Wh[1, 6], rtol=1e-13)

# %% [markdown]
# ## Error against step size
#
# Ask the loss, with all three methods and steps from 1 down to 1e-18, first in float64, then in
# float32, whose ε is 1.2e-7, and compare with what we found by hand. The picture is the lesson:
#
# - Right of its valley a curve is straight, of slope 1 (one-sided) or 2 (central, complex).
# - Left of it the differences rise again, all along the same line ε/h, and jump from point to
#   point, since rounding is chance. At the left end the step is no longer seen at all: the slope
#   comes out as 0, and the relative error is 1.
# - The complex step falls and stays down.
# - In float32 all this happens higher up and further right, since its ε is 500 million times as
#   large. Central differences have four or five digits at best, near ∛ε = 5e-3, and with the 1e-6
#   that serves well in float64 not two. The complex step has the seven that float32 has. This is
#   why gradients are checked in float64, those of code that later trains in float32 too.


# %%
def nudged(by, dtype):
    p = {name: array.astype(dtype) for name, array in exactly.items()}
    p["Wh"][1, 6] += by
    return loss(p)


METHODS = {
    "one-sided": lambda h, real, complex_: (nudged(h, real) - nudged(0, real)) / h,
    "central": lambda h, real, complex_: (nudged(h, real) - nudged(-h, real)) / (2 * h),
    "complex": lambda h, real, complex_: nudged(1j * h, complex_).imag / h,
}
steps = 10.0 ** -np.arange(0, 18.1, 0.5)
errors = {}
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
    figure, panels = plt.subplots(1, 2, figsize=(8, 4.2), sharey=True)
    for axes, real in zip(panels, (np.float64, np.float32)):
        for method, colour in zip(METHODS, COLOURS):
            axes.loglog(steps, np.maximum(errors[method, real], eps / 2), "o-", color=colour, markersize=3, label=method)
        axes.set(title=f"in {real.__name__}", xlabel="step h", ylim=(1e-17, 30), xlim=(3e-19, 3))
    for *place, text in ((4e-14, 6e-2, "cancellation, ε/h"), (1e-10, 3e-4, "truncation, h"), (2e-6, 1e-14, "truncation, h²")):
        panels[0].text(*place, text, color=COLOURS[6])
    panels[0].set_ylabel("relative error (at least ε/2)"), panels[1].legend(loc="lower center")
    figure.suptitle("Differences rise again where h is small; the complex step stays down")
    save(figure, "04_is_it_right")

# %% [markdown]
# ## Relative error, and its 0/0
#
# Two slopes are never equal to the last bit, so we divide their difference by their size. Each of
# the usual ways to do so has its trap; this table has a gradient, whose largest entry is 0.25,
# entry by entry.
#
# - The second entry is twice what it should be, and `np.isclose` says yes: it lets 1e-8 pass
#   whatever the size (`atol`). Behind a saturated gate, one that is as good as 0 or 1, gradients
#   are that small.
# - The third is 0, rightly. Its relative error is 0/0, NaN. And `nan > 1e-10` is False, so that a
#   check that looks for what is too large lets it pass. Good here, and very bad where the gradient
#   itself is NaN (the fifth). Ask for what is small enough, and report the rest: `not error <=
#   1e-10`.
# - The fourth is a sum of large numbers that cancel; what is left is rounding, and the relative
#   error says that all of it is wrong.
#
# So the package divides by the larger of the two *or a floor*, a hundredth of the largest slope of
# the same array, and reports what is not small enough.

# %%
print("\n  gradient      slope   np.isclose   relative   with floor   verdict")
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
# The backward pass below returns the right numbers, and then leaves what it added in the array that
# it was given. `dc += ...` does that in Python: it does not make a new `dc`, it writes into the
# caller's. Whoever uses `dc` afterwards, as our loss does, uses another one. The gradient is
# compared with the slope of another loss, and hours are lost in looking for the mistake in the
# mathematics. (`dout` is the name of that array in many a course; it is the same story.)


# %%
def hasty(dh, dc, cache, Wx, Wh):
    result = reference.lstm_step_backward(dh, dc, cache, Wx, Wh)
    dc += dh * cache.o * (1 - cache.tanh_c**2)           # changes the caller's array, where `dc = dc + ...` belongs
    return result


kept = dc.copy()
first, second = (hasty(dh, dc, cache, exactly["Wx"], exactly["Wh"])[3].Wh[1, 6] for _ in range(2))
changed = nudged(1e-200j, complex).imag / 1e-200
print(f"\ngradient   first call {first:.6f}   second call {second:.6f}")
print(f"slope     before both {by_hand:.6f}    after both {changed:.6f}")
assert np.isclose(first, by_hand) and not np.isclose(second, first, rtol=0.05) and not np.isclose(changed, first, rtol=0.05)
dc = kept
try:
    check_step(reference.lstm_step, hasty)
except InputError as error:
    print("check_step says:", *str(error).split("; "), sep="\n  ")

# %% [markdown]
# ## All weights at once
#
# Central differences take two evaluations for each weight, and a small model of characters has a
# hundred thousand weights. Equation (3) takes two for all of them: draw a random number v_k for
# each weight, and nudge all weights at once along v. If g is the gradient, the slope in that
# direction is g · v, one number. A g whose entry k is off by e gives e v_k more. To be hidden, v_k
# would have to be as good as zero, and the odds that |v_k| < 1e-6 are 8 in ten million. So a wrong
# entry shows, in whichever place it is, as long as e v_k stands out from the 1e-10 or so by which
# differences are off.
#
# One entry of `Wh` is now 1 % off, among 128 weights.

# %%
names = list(weights)
right = {name: getattr(grads, name) for name in names}
wrong = right | {"Wh": right["Wh"].copy()}
wrong["Wh"][1, 6] *= 1.01
along = lambda gradient, v: sum(np.sum(gradient[name] * v[name]) for name in names)
assert round(2e-6 / np.sqrt(2 * np.pi), 8) == 8e-7  # how likely a random number is between -1e-6 and 1e-6: width times density
print("\nslope along v   right gradient · v   wrong gradient · v   off by")
rng = np.random.default_rng(0)
for _ in range(5):
    v = {name: rng.standard_normal(right[name].shape) for name in names}
    there, back = ({**exactly, **{name: exactly[name] + sign * 6e-6 * v[name] for name in names}} for sign in (1, -1))
    found = (loss(there) - loss(back)) / (2 * 6e-6)                                 # (3)
    print(f"{found:13.8f} {along(right, v):20.8f} {along(wrong, v):20.8f} {along(wrong, v) - found:8.0e}")
    assert abs(found - along(right, v)) < 1e-8 < 1e-6 < abs(found - along(wrong, v))
    assert np.isclose(numerical.projection(loss, exactly, v), found, rtol=1e-6)

# %% [markdown]
# ## What the package makes of all this
#
# `check_gradients` takes a loss and gradients, both by name, and has all three methods. It refuses
# float32 and a loss that changes what it is given or draws random numbers. Where a loss loses the
# imaginary part it takes central differences, and says so. It does not say "right" where all slopes
# and gradients are zero, which proves nothing.
#
# Now `Wh[1, 6]` is off by one in a million. Differences are not asked for more than five digits and
# let it pass; the complex step names the entry.

# %%
wrong["Wh"][1, 6] = right["Wh"][1, 6] * (1 + 1e-6)
of_weights = lambda p: loss({**exactly, **p})
ours = {name: exactly[name] for name in names}
passed = {way: bool(check_gradients(of_weights, ours, wrong, method=way)) for way in ("central", "projections", "complex")}
print("\none in a million passes:", ", ".join(f"{way} {what}" for way, what in passed.items()), "\n")
print(check_gradients(of_weights, ours, wrong))
assert passed == {"central": True, "projections": True, "complex": False} and check_gradients(of_weights, ours, right)

# %% [markdown]
# `check_step` does it with a pair of functions, for all six gradients of a step. The backward pass
# below drops what the loss feels of c through the next step, which many an LSTM has done: the one
# thing that makes it remember. For the weights above its gradient points 42 degrees away from the
# right one, and a small step against it makes the loss smaller all the same. Nobody would notice.
# `check_step` finds it wrong in every array; `diagnose` compares it with backward passes that have
# known mistakes in them, and calls it by its name.


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
# 1. Central differences for every entry of an array, which is the caller's.
# 2. The complex step.
# 3. A check that finds every planted mistake, of one in a million and behind a saturated gate, and
#    is not fooled by rounding, by 0/0 or by NaN.
