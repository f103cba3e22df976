# %% [markdown]
# # 5. Through time
#
# In this lesson you learn to compute the gradients of a whole sequence. You also learn
# which two gradients each step passes to the step before it, and what happens without
# them. The gradient then looks right and the loss falls, but the network never learns
# what needs memory. Reading takes three quarters of an hour; with the exercises, an
# hour and a half. You need: lesson 3.
#
# Forward, each step reads the h and c of the step before. All steps use the same
# weights:
#
#     h[t], c[t] = step(x[t], h[t-1], c[t-1])        equations (1) to (6)
#
# Going backward needs no new rule. Rule 4 of lesson 3 says: if a number is used twice,
# its gradients add. Here it applies in three places:
#
# - h[t] is used as an output and by step t + 1.
# - c[t] is used for h[t] and by step t + 1.
# - A weight is used in every step.
#
# This is *backpropagation through time* (BPTT): Werbos (1990). The reference
# implementation is `minilstm/reference/sequence.py`, the compiled one
# `minilstm/layers/lstm.py`.
#
# > **How we count.** On paper, in worksheets and in the text of this lesson, time steps
# > and units count from 1, and h[0] is the initial state. In Python, arrays count from
# > 0. So a Python array `h` has h[1] in `h[0]`, and the initial state has a name of its
# > own, `h0`. The exercises and all functions of the package count as Python does.

# %%
import numpy as np

from minilstm import layers
from minilstm.course import COLOURS, pyplot, quick, save
from minilstm.reference import lstm_step, lstm_step_backward
from minilstm.reference.sequence import lstm_sequence
from minilstm.verify import check_sequence, diagnose_sequence
from minilstm.verify.worksheet.build import make_worksheet

# %% [markdown]
# ## Two steps forward
#
# We take the worksheet again, now with both time steps. After each step an output layer
# predicts one of two classes. The loss is the mean of the two cross-entropies. From
# that we need only one thing: the gradient of each h as an output. The worksheet has
# the gradient da[t] of the logits. Multiplied by the transposed output weights, it is
# the gradient of h[t] as an output.

# %%
sheet = make_worksheet(hidden=2, input=2, steps=2, seed=0)
UNITS = STEPS = CLASSES = (1, 2)
COLUMNS = [f"{gate}{k}" for gate in "ifgo" for k in UNITS]
x = sheet.array("x{1}[{0}]", STEPS, UNITS)[:, None]  # (T, B, D), B = 1
h0, c0 = sheet.array("h{}[0]", UNITS)[None], sheet.array("c{}[0]", UNITS)[None]
Wx, Wh = sheet.array("Wx[{},{}]", UNITS, COLUMNS), sheet.array("Wh[{},{}]", UNITS, COLUMNS)
b, Wy = sheet.array("b[{}]", COLUMNS), sheet.array("Wy[{},{}]", UNITS, CLASSES)

h1, c1, cache1 = lstm_step(x[0], h0, c0, Wx, Wh, b)
h2, c2, cache2 = lstm_step(x[1], h1, c1, Wx, Wh, b)
dh_outputs = sheet.array("da{1}[{0}]", STEPS, CLASSES)[:, None] @ Wy.T  # (T, B, H)
for t, h in enumerate((h1, h2)):
    print(f"h[{t + 1}]", h[0].round(5), "   its gradient as an output", dh_outputs[t, 0].round(5))

# %% [markdown]
# ## Two steps backward, by hand
#
# Backward begins with the last step, step 2. No later step reads its h and c. So it
# gets the gradient of its output, and zeros for c.
#
# It returns two *recurrent gradients*, dh_prev and dc_prev, for the step before. Step 1
# calls them dh_next and dc_next. It adds dh_next to the gradient of h[1] as an output.
# dc_next is passed as it is: `lstm_step_backward` adds the part through h.

# %%
nothing = np.zeros((1, 2))
dx2, dh_next, dc_next, grads2 = lstm_step_backward(dh_outputs[1], nothing, cache2, Wx, Wh)
dx1, dh0, dc0, grads1 = lstm_step_backward(dh_outputs[0] + dh_next, dc_next, cache1, Wx, Wh)

print("\n                                        unit 1    unit 2")
for name, value in {
    "from step 2: dh_next": dh_next, "             dc_next": dc_next,
    "gradient of h[1] as an output": dh_outputs[0], "sum: dh of step 1": dh_outputs[0] + dh_next,
    "of the initial state: dh0": dh0, "                      dc0": dc0,
}.items():  # fmt: skip
    print(f"{name:<36}{value[0, 0]:10.5f}{value[0, 1]:10.5f}")
assert np.allclose(dh_outputs[0] + dh_next, sheet.array("dh{}[1]", UNITS))
assert np.allclose(dh0, sheet.array("dh{}[0]", UNITS)) and np.allclose(dc0, sheet.array("dc{}[0]", UNITS))

# %% [markdown]
# ## The gradient of a weight
#
# A weight is used in both steps, so its gradient is a sum over time:
#
#     dWh = h[0]ᵀ dz[1] + h[1]ᵀ dz[2] + …
#
# One matrix product computes the whole sum. Write the h that each step *read* below
# each other, and the dz below each other, a row for each step. Then dWh is the
# transpose of the first table times the second: `h_before.T @ dz` below. It is the same
# for dWx, with x[t] instead of h[t-1]. With a mini-batch there is a row for each step
# of each sequence, and the product also sums over the mini-batch.
#
# Here is one weight of Wh, from unit 1 to the candidate of unit 1, computed in five
# ways. Two are right: the numerical derivative and the product. Three are common
# mistakes:
#
# - `=` where `+=` belongs keeps only one step, the last one that is computed. Backward,
#   that is step 1.
# - h[t] where h[t-1] belongs: h[t] was computed *from* z[t], so it did not go into it.
# - Without recurrent gradients, step 1 is computed as if there were no step 2.

# %%
dz = np.concatenate([grads1.b, grads2.b]).reshape(2, 8)  # (T B, 4H): with B = 1, db of a step is its dz
h_before = np.concatenate([h0, h1])  # (T B, H): what step 1 and step 2 read
dWh = h_before.T @ dz  # (H, 4H): summed over time
without = lstm_step_backward(dh_outputs[0], nothing, cache1, Wx, Wh)[3]
derivative = (sheet.perturbed_loss("Wh[1,g1]", 1e-5) - sheet.perturbed_loss("Wh[1,g1]", -1e-5)) / 2e-5
print("\n                                dLoss/dWh[1,g1]")
for name, value in {
    "numerical derivative": derivative, "h_before.T @ dz": dWh[0, 4], "= for +=": grads1.Wh[0, 4],
    "h[t] for h[t-1]": (np.concatenate([h1, h2]).T @ dz)[0, 4], "no recurrent gradients": (without.Wh + grads2.Wh)[0, 4],
}.items():  # fmt: skip
    print(f"{name:<30}{value:17.5f}")
assert np.allclose(dWh, grads1.Wh + grads2.Wh) and np.allclose(dWh, sheet.array("dWh[{},{}]", UNITS, COLUMNS))
assert np.isclose(derivative, dWh[0, 4], atol=1e-9) and max(derivative, grads1.Wh[0, 4], (without.Wh + grads2.Wh)[0, 4]) < 0

# %% [markdown]
# All five numbers are small, negative and plausible. Only the numerical derivative
# shows which are right.
#
# ## The loop over time
#
# Here are the two steps for any number of steps. dh[t] is the gradient of h[t] as an
# output. dstate is the gradient of the final h and c: zeros, unless something reads
# them later. To see what happens without a recurrent gradient, set `keep_h` or `keep_c`
# to 0.


# %%
def backward(dh, dstate, caches, Wx, Wh, keep_h=1, keep_c=1):
    dx, dWx, dWh, db = [], 0, 0, 0
    dh_next, dc_next = dstate
    for t in reversed(range(len(caches))):
        dx_t, dh_prev, dc_prev, grads = lstm_step_backward(dh[t] + dh_next, dc_next, caches[t], Wx, Wh)
        dx.insert(0, dx_t)
        dWx, dWh, db = dWx + grads.Wx, dWh + grads.Wh, db + grads.b
        dh_next, dc_next = keep_h * dh_prev, keep_c * dc_prev  # keep 0: without this recurrent gradient
    return np.stack(dx), (dh_next, dc_next), (dWx, dWh, db)


flat = lambda grads: np.concatenate([np.ravel(gradient) for gradient in grads])  # all in one vector
rng = np.random.default_rng(5)
T, B, D, H = 40, 4, 3, 5
layer = layers.LSTM(D, H)
params = layer.init(rng, np.float64)  # Wx, Wh, b
weights = params["Wx"], params["Wh"]
x, dh, zeros = rng.normal(size=(T, B, D)), rng.normal(size=(T, B, H)), (np.zeros((B, H)), np.zeros((B, H)))
h, _, caches = lstm_sequence(x, zeros, *params.values())
whole = backward(dh, zeros, caches, *weights)

layer_h, _, cache = layer.forward(params, x)
layer_dx, _, layer_grads = layer.backward(params, dh, cache)
assert np.allclose(layer_h, h, rtol=1e-12) and np.allclose(layer_dx, whole[0], rtol=1e-9, atol=1e-12)
assert np.allclose(flat(layer_grads.values()), flat(whole[2]), rtol=1e-9, atol=1e-12)
print(f"\n{T} steps, {B} sequences: this loop and layers.LSTM agree, db[0] = {whole[2][2][0]:.9f}")

# %% [markdown]
# The layer needs fewer products. It computes dWh after the loop by the one product from
# above, with T B rows.
#
# ## An expected answer that is wrong
#
# A well-known course on the web gave its learners the "expected output" of their
# backward loop. The numbers were wrong. Below is such a loop, with code and numbers of
# our own. Look for the mistake before you read on.


# %%
def expected(dh, dstate, caches, Wx, Wh):
    dx = np.zeros((len(caches), dh.shape[1], len(Wx)))
    dWx, dWh, db = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros(Wh.shape[1])
    dh_prev, dc_prev = dstate
    for t in reversed(range(len(caches))):
        dx[t], dh0, dc0, grads = lstm_step_backward(dh[t] + dh_prev, dc_prev, caches[t], Wx, Wh)
        dWx += grads.Wx
        dWh += grads.Wh
        db += grads.b
    return dx, (dh0, dc0), (dWx, dWh, db)


check = check_sequence(lstm_sequence, expected)
print("\ncheck_sequence of the expected answer")
for row in check.wrong:
    print(f"{row.name:<3} entry {row.place:<11} gradient {row.yours:9.5f}   derivative {row.derivative:9.5f}")
found = diagnose_sequence(expected)
print(f"\n{found}")
assert len(check.wrong) == 6 and check_sequence(lstm_sequence, backward) and diagnose_sequence(backward)
assert found.mistakes[0].name == "both gradients never updated, handed back at step 0"
assert check_sequence(lstm_sequence, expected, steps=1)

# %% [markdown]
# Both recurrent gradients are missing. The loop looks complete: there are two, they go
# into each step, the gradients of the weights add up, all shapes are right. But nothing
# ever changes dh_prev and dc_prev. So every step gets the gradients of the final state,
# which are mostly zeros.
#
# In some published solutions the two right lines can still be found, as comments. With
# them the numbers were not the expected ones. An expected answer only proves that two
# programs agree. `check_sequence` compares with numerical derivatives of the forward
# pass.
#
# Two things hide this mistake. First, a test with one step passes, because no recurrent
# gradient is in it. Second, with more steps the gradient is wrong, but not wildly. It
# is too short, and it points in another direction than the right one.
#
# The table shows both. Its loss is the mean of h²/2, so dh is h divided by the count of
# its numbers. As long as the angle is below 90 degrees, a small step against the wrong
# gradient makes the loss smaller.

# %%
print("\nsteps    length of the wrong gradient    difference    angle")
for steps in (1, 2, 4, 8, 16, 32):
    right, wrong = (
        flat(way(h[:steps] / h[:steps].size, zeros, caches[:steps], *weights)[2]) for way in (backward, expected)
    )
    size, norm, off = np.linalg.norm(wrong), np.linalg.norm(right), np.linalg.norm(wrong - right)
    angle = np.degrees(np.arccos(min(1, wrong @ right / size / norm)))
    print(f"{steps:5d}{size / norm:18.0%} of the right one{off / norm:14.0%}{angle:8.0f}°")
    assert (size < norm or off == 0) and (steps < 32 or off > 0.4 * norm) and angle < 60

# %% [markdown]
# ## What a network learns with the wrong gradient
#
# The task is an echo. The inputs are 1 or -1 at random, and the output must be the
# input of two steps before. A network that always answers 0 has a mean squared error of
# 1. We train eight units twice: with the right gradient and with the expected one.
#
# The optimizer is *gradient descent with momentum*. Lesson 3 had gradient descent,
# w ← w - rate · dw. Momentum also repeats a part of the last update:
#
#     update ← 0.9 · update - rate · dw
#     w ← w + update
#
# The learning rate is 0.3. Without recurrent gradients, step t gets the gradient of its
# own error. Step t - 2, which should have stored something, does not.


# %%
def train(way, steps=120 if quick() else 300, T=8, B=32, rate=0.3):
    rng = np.random.default_rng(0)
    parameters = [*layers.LSTM(1, 8).init(rng, np.float64).values(), rng.normal(0, 0.3, (8, 1))]
    updates, losses, state = [0 * p for p in parameters], [], (np.zeros((B, 8)), np.zeros((B, 8)))
    for _ in range(steps):
        Wx, Wh, b, Wy = parameters
        x = rng.choice([-1.0, 1.0], (T, B, 1))
        h, _, caches = lstm_sequence(x, state, Wx, Wh, b)
        wanted = np.concatenate([h[:2] @ Wy, x[:-2]])  # any answer is right in the first two steps
        error = h @ Wy - wanted
        losses.append(np.mean(error[2:] ** 2))
        dy = 2 * error / error[2:].size
        grads = [*way(dy @ Wy.T, state, caches, Wx, Wh)[2], np.tensordot(h, dy, ((0, 1), (0, 1)))]
        for p, update, gradient in zip(parameters, updates, grads):
            update[...] = 0.9 * update - rate * gradient
            p += update
    return np.convolve(losses, np.ones(10) / 10, "valid")  # means of ten


curves = {"right gradient": train(backward), "no recurrent gradients": train(expected)}
after = (10, 50, 100, 120) if quick() else (10, 50, 100, 120, 200, 300)
print("\nmean squared error after" + "".join(f"{step:8d}" for step in after) + " steps")
for name, curve in curves.items():
    print(f"{name:<24}" + "".join(f"{curve[step - 10]:8.3f}" for step in after))
learns, stalls = curves.values()
assert learns[110] < 0.05 and stalls.min() < 0.8 * stalls[0] and stalls[110:].min() > 0.2

# %% [markdown]
# With the right gradient the error is below 0.05 after 120 training steps. Without
# recurrent gradients it falls by more than a fifth, as in many healthy runs. Then it
# goes up and down, and never gets below 0.2. If you only watch the loss fall, you think
# that the model learns, but slowly.
#
# ## How far back a gradient reaches
#
# Now there is one loss, after the last of 40 steps. We compare its gradients with
# respect to all earlier inputs, with and without each recurrent gradient. Ten steps
# back we find:
#
# - **Only dc_prev:** less than a tenth of the gradient of the last input. A forget gate
#   with a bias of 1 is about 0.73, and 0.73 to the power of 10 is 0.04.
# - **Both:** more than that.
# - **Only dh_prev:** less than a millionth. At every step this gradient is multiplied
#   by the derivative of a gate and by the matrix Wh. This is why there is a cell state.
# - **Neither:** zero. Only the last input has a gradient.

# %%
at_the_end = np.zeros_like(dh)
at_the_end[-1] = dh[-1]
sizes = {}
print("\nsize of dLoss/dx, so many steps before the loss")
print("                   0         1         2         5        10        20")
for name, keep in {"both": (1, 1), "only dc_prev": (0, 1), "only dh_prev": (1, 0), "neither": (0, 0)}.items():
    sizes[name] = np.linalg.norm(backward(at_the_end, zeros, caches, *weights, *keep)[0], axis=(1, 2))[::-1]
    print(f"{name:<14}" + "".join(f"{sizes[name][k]:10.0e}" for k in (0, 1, 2, 5, 10, 20)))
    sizes[name] /= sizes[name][0]
assert sizes["only dh_prev"][10] < 1e-6 and 1e-3 < sizes["only dc_prev"][10] < min(0.1, sizes["both"][10])
assert round(0.73**10, 2) == 0.04 and not sizes["neither"][1:].any()

# %%
if plt := pyplot():
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.8), width_ratios=(1.2, 1))
    for (name, curve), colour, style in zip(sizes.items(), COLOURS, ("-", "--", "-.", "o")):
        left.semilogy(np.where(curve > 0, curve, np.nan), style, color=colour, label=name)
    left.set(xlabel="time steps before the loss", ylabel="dLoss/dx, relative to the last", ylim=(1e-8, 10))
    left.set_title("How far back a gradient reaches")
    left.legend(loc="upper right")
    for (name, curve), colour in zip(curves.items(), (COLOURS[0], COLOURS[3])):
        right.plot(np.arange(10, len(curve) + 10), curve, color=colour, label=name)
    right.set(xlabel="training step", ylabel="mean squared error", ylim=(0, 1.3), title="An echo of two steps before")
    right.legend(loc="upper right")
    save(figure, "05_through_time")

# %% [markdown]
# ## A long text is cut into windows
#
# A text of a million characters is too long for one backward pass. It is cut into
# windows, and the final state of a window is the initial state of the next. So nothing
# is lost in the forward pass. The backward pass can be done in two ways:
#
# - **Exactly.** Compute the last window first, and pass its (dh0, dc0) as dstate to the
#   window before. The gradients are those of the whole text.
# - **Truncated.** Begin every window with zeros. This is *truncated* backpropagation
#   through time (Williams and Peng, 1990). It is the usual way for long texts, because
#   the weights change after each window and its caches are deleted.
#
# Some libraries call it "stateful" when the state is passed on. The word misleads many
# people: numbers are passed forward, but no gradient is passed back.

# %%
_, at_cut, late = backward(dh[20:], zeros, caches[20:], *weights)
print("\n40 steps, backward in two windows    difference from the whole")
for name, state in {"exact: (dh0, dc0) passed on": at_cut, "truncated: zeros": zeros}.items():
    _, _, early = backward(dh[:20], state, caches[:20], *weights)
    off = np.linalg.norm(flat(early) + flat(late) - flat(whole[2])) / np.linalg.norm(flat(whole[2]))
    print(f"{name:<36}{'none' if off < 1e-9 else f'{off:.1%}'}")
    assert (off < 1e-9) == (state is at_cut)

# %% [markdown]
# Note the `flat(early) + flat(late)`. In Python, adding two tuples with + joins them:
# it makes a tuple of six arrays. So `flat` first makes one vector of each tuple. You
# can also add the arrays of the two tuples one by one.
#
# ## Exercises
#
# `minilstm exercise 5` makes your copy, `lessons/my/05_through_time.py`.
# Fill in its blanks, and run the same command again: it grades what you wrote.
#
# 1. The gradients of the weights from all dz at once.
# 2. A sequence that was cut in two, backward as if it were whole.
# 3. Backpropagation through time, the whole loop.
