# %% [markdown]
# # 5. Through time
#
# After this lesson you can take a whole sequence backward, you know the two things that each step
# hands to the one before it, and you have seen what comes of losing them: a gradient that looks
# right, makes the loss fall, and never learns what needs memory. It takes three quarters of an
# hour, and an hour and a half with its exercises. You need: lesson 3.
#
# Forward, each step reads the h and c of the step before, and all steps share one set of weights:
#
#     h[t], c[t] = step(x[t], h[t-1], c[t-1])        equations (1) to (6)
#
# Backward adds nothing new to lesson 3, only its fourth rule, "used twice is felt twice", in three
# places: h[t] is used as an output and by step t + 1, c[t] is used for h[t] and by step t + 1, and
# a weight is used in every step. This is backpropagation through time: Werbos (1990). By the book
# it stands in `minilstm/reference/sequence.py`, as it is computed in `minilstm/layers/lstm.py`.

# %%
import numpy as np

from minilstm import layers
from minilstm.course import COLOURS, pyplot, quick, save
from minilstm.reference import lstm_step, lstm_step_backward
from minilstm.verify import check_sequence, diagnose_sequence
from minilstm.reference.sequence import lstm_sequence
from minilstm.verify.worksheet.build import make_worksheet

# %% [markdown]
# ## Two steps forward
#
# The worksheet again, with both its steps. Behind each stands an output layer that guesses one of
# two classes, and the loss is the mean of two cross-entropies. All that we need of that here is
# what the loss feels of each h as an output: the worksheet's da[t] for the two classes, taken back
# through the output weights.

# %%
sheet = make_worksheet(hidden=2, input=2, steps=2, seed=0)
UNITS = STEPS = CLASSES = (1, 2)
COLUMNS = [f"{gate}{k}" for gate in "ifgo" for k in UNITS]
x = sheet.array("x{1}[{0}]", STEPS, UNITS)[:, None]  # (T, B, D), a batch of one
h0, c0 = sheet.array("h{}[0]", UNITS)[None], sheet.array("c{}[0]", UNITS)[None]
Wx, Wh = sheet.array("Wx[{},{}]", UNITS, COLUMNS), sheet.array("Wh[{},{}]", UNITS, COLUMNS)
b, Wy = sheet.array("b[{}]", COLUMNS), sheet.array("Wy[{},{}]", UNITS, CLASSES)

h1, c1, cache1 = lstm_step(x[0], h0, c0, Wx, Wh, b)
h2, c2, cache2 = lstm_step(x[1], h1, c1, Wx, Wh, b)
dh_outputs = sheet.array("da{1}[{0}]", STEPS, CLASSES)[:, None] @ Wy.T  # (T, B, H)
for t, h in enumerate((h1, h2)):
    print(f"h[{t + 1}]", h[0].round(5), "   felt as an output", dh_outputs[t, 0].round(5))

# %% [markdown]
# ## Two steps backward, by hand
#
# Backward begins at the end. Step 2 is the last: no step reads its h and c after it, so what
# arrives is dh of its output, and zeros for c. What it sends back, dh_prev and dc_prev, are the two
# *carries*. Step 1 gets them as dh_next and dc_next. dh_next is added to what the loss feels of
# h[1] as an output; dc_next goes in as it is, for in the step it meets the part through h.

# %%
nothing = np.zeros((1, 2))
dx2, dh_next, dc_next, grads2 = lstm_step_backward(dh_outputs[1], nothing, cache2, Wx, Wh)
dx1, dh0, dc0, grads1 = lstm_step_backward(dh_outputs[0] + dh_next, dc_next, cache1, Wx, Wh)

print("\n                                        unit 1    unit 2")
for name, value in {
    "step 2 sends back dh_next": dh_next, "             and dc_next": dc_next,
    "step 1 feels of h[1] as an output": dh_outputs[0], "          together with dh_next": dh_outputs[0] + dh_next,
    "at the beginning, dh0": dh0, "              and dc0": dc0,
}.items():  # fmt: skip
    print(f"{name:<36}{value[0, 0]:10.5f}{value[0, 1]:10.5f}")
assert np.allclose(dh_outputs[0] + dh_next, sheet.array("dh{}[1]", UNITS))
assert np.allclose(dh0, sheet.array("dh{}[0]", UNITS)) and np.allclose(dc0, sheet.array("dc{}[0]", UNITS))

# %% [markdown]
# ## What a weight feels
#
# A weight is used in both steps, so its gradient is the sum of two. Here is one weight of Wh, from
# unit 1 to the candidate of unit 1, computed rightly and with three mistakes that are often made.
# `=` for `+=` keeps one step only, the one that was computed last, which is step 1. h[t] for h[t-1]
# pairs dz[t] with the hidden state that came of z[t], not with the one that went into it. Without
# carries, step 1 is taken back as if there were no step 2. (With a batch of one, db of a step is
# its dz.)

# %%
dz1, dz2 = grads1.b, grads2.b  # (4H,)
without = lstm_step_backward(dh_outputs[0], nothing, cache1, Wx, Wh)[3]
slope = (sheet.perturbed_loss("Wh[1,g1]", 1e-5) - sheet.perturbed_loss("Wh[1,g1]", -1e-5)) / 2e-5
right = np.outer(h0, dz1) + np.outer(h1, dz2)
print("\n                                dLoss/dWh[1,g1]")
for name, value in {
    "nudging the worksheet's loss": slope, "h[0] dz[1] + h[1] dz[2]": right[0, 4], "= in place of +=": grads1.Wh[0, 4],
    "h[1] dz[1] + h[2] dz[2]": h1[0, 0] * dz1[4] + h2[0, 0] * dz2[4], "both carries dropped": (without.Wh + grads2.Wh)[0, 4],
}.items():  # fmt: skip
    print(f"{name:<30}{value:17.5f}")
assert np.allclose(right, grads1.Wh + grads2.Wh) and np.allclose(right, sheet.array("dWh[{},{}]", UNITS, COLUMNS))
assert np.isclose(slope, right[0, 4], atol=1e-9) and max(slope, grads1.Wh[0, 4], (without.Wh + grads2.Wh)[0, 4]) < 0

# %% [markdown]
# All five numbers are small, negative and plausible. Only a slope tells which is right.
#
# ## The loop
#
# The two steps, written for any number of them. dh[t] is what the loss feels of h[t] as an output,
# dstate what it feels of the final h and c, if they go on somewhere; zeros if they do not.


# %%
def backward(dh, dstate, caches, Wx, Wh, keep_h=1, keep_c=1):
    dx, dWx, dWh, db = [], 0, 0, 0
    dh_next, dc_next = dstate
    for t in reversed(range(len(caches))):
        dx_t, dh_prev, dc_prev, grads = lstm_step_backward(dh[t] + dh_next, dc_next, caches[t], Wx, Wh)
        dx.insert(0, dx_t)
        dWx, dWh, db = dWx + grads.Wx, dWh + grads.Wh, db + grads.b
        dh_next, dc_next = keep_h * dh_prev, keep_c * dc_prev  # keep: 0 drops a carry, to see what comes of it
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
# The layer computes the same numbers with fewer products. Its dWh is a single one, after the loop:
# the table of all h[t-1], which begins with the initial state, times the table of all dz[t]. That
# product is the sum over time, and over the batch too.
#
# ## An expected answer
#
# A well-known course on the web told its learners which gradients their backward loop should give,
# and printed wrong ones as the expected answer. This is such a loop, with code and numbers of our
# own. Look for the mistake before you read on.


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
    print(f"{row.name:<3} entry {row.place:<11} gradient {row.yours:9.5f}      slope {row.derivative:9.5f}")
found = diagnose_sequence(expected)
print(f"\n{found}")
assert len(check.wrong) == 6 and check_sequence(lstm_sequence, backward) and diagnose_sequence(backward)
assert found.mistakes[0].name == "both gradients never updated, handed back at step 0"
assert check_sequence(lstm_sequence, expected, steps=1)

# %% [markdown]
# Both carries are missing. There are two, they are handed in, the weights' gradients add up, all
# shapes are right. But nothing ever writes to dh_prev and dc_prev: every step is told what belongs
# to the last one, which mostly is zeros. In answers that learners published one can find the right
# two lines, commented out, since with them the numbers were not the expected ones. To meet an
# expected answer proves no more than that two programs agree. `check_sequence` asks the forward
# pass itself, by nudging it.
#
# Two things hide this mistake. A test with a single step passes, since no carry is in it. And with
# more steps the gradient is wrong, but not wild: it is too short, and turned away from the right
# one by an angle. The loss of this table is the mean of h²/2, so that dh is h, divided by the count
# of its numbers. As long as the angle is below 90 degrees, a small step against the wrong gradient
# still makes the loss smaller.

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
# ## What it learns, and what not
#
# An echo: the inputs are 1 or -1 at random, and the output shall be the input of two steps ago. To
# answer 0 always makes a mean squared error of 1. Eight units, gradient descent with momentum, once
# with the right gradient and once with the expected one. Without carries, step t is told that its
# answer is wrong, but step t - 2, which ought to have kept something for it, never hears of that.


# %%
def train(way, steps=120 if quick() else 300, T=8, B=32):
    rng = np.random.default_rng(0)
    parameters = [*layers.LSTM(1, 8).init(rng, np.float64).values(), rng.normal(0, 0.3, (8, 1))]
    speeds, losses, state = [0 * p for p in parameters], [], (np.zeros((B, 8)), np.zeros((B, 8)))
    for _ in range(steps):
        Wx, Wh, b, Wy = parameters
        x = rng.choice([-1.0, 1.0], (T, B, 1))
        h, _, caches = lstm_sequence(x, state, Wx, Wh, b)
        wanted = np.concatenate([h[:2] @ Wy, x[:-2]])  # whatever the first two outputs are, they are right
        error = h @ Wy - wanted
        losses.append(np.mean(error[2:] ** 2))
        dy = 2 * error / error[2:].size
        grads = [*way(dy @ Wy.T, state, caches, Wx, Wh)[2], np.tensordot(h, dy, ((0, 1), (0, 1)))]
        for p, speed, gradient in zip(parameters, speeds, grads):
            speed[...] = 0.9 * speed - 0.3 * gradient
            p += speed
    return np.convolve(losses, np.ones(10) / 10, "valid")  # means of ten


curves = {"with both carries": train(backward), "without carries": train(expected)}
after = (10, 50, 100, 120) if quick() else (10, 50, 100, 120, 200, 300)
print("\nmean squared error after" + "".join(f"{step:8d}" for step in after) + " steps")
for name, curve in curves.items():
    print(f"{name:<24}" + "".join(f"{curve[step - 10]:8.3f}" for step in after))
learns, stalls = curves.values()
assert learns[110] < 0.05 and stalls.min() < 0.8 * stalls[0] and stalls[110:].min() > 0.2

# %% [markdown]
# With both carries the error falls below 0.05 within 120 steps. Without them it falls by more than
# a fifth, as many a healthy run begins, and then it wanders and never gets below 0.2. Who looks at
# a falling loss alone sees a model that learns, if slowly.
#
# ## How far back a loss is felt
#
# One loss at the end of 40 steps, and what it feels of the inputs before it, with each carry
# dropped in turn. Ten steps back, with dc alone, it is less than a tenth of what is felt of the
# last input: a forget gate with a bias of 1 is about 0.73, and 0.73 to the power of 10 is 0.04.
# With both carries it is more. With dh alone it is less than a millionth, since at every step that
# carry goes through the slope of a gate and the matrix Wh: this is what the cell state is for. With
# neither, the loss feels the last input and nothing else.

# %%
at_the_end = np.zeros_like(dh)
at_the_end[-1] = dh[-1]
felt = {}
print("\nsize of dLoss/dx, so many steps before the loss")
print("                   0         1         2         5        10        20")
for name, keep in {"both carries": (1, 1), "dc alone": (0, 1), "dh alone": (1, 0), "none": (0, 0)}.items():
    felt[name] = np.linalg.norm(backward(at_the_end, zeros, caches, *weights, *keep)[0], axis=(1, 2))[::-1]
    print(f"{name:<14}" + "".join(f"{felt[name][k]:10.0e}" for k in (0, 1, 2, 5, 10, 20)))
    felt[name] /= felt[name][0]
assert felt["dh alone"][10] < 1e-6 and 1e-3 < felt["dc alone"][10] < min(0.1, felt["both carries"][10])
assert round(0.73**10, 2) == 0.04 and not felt["none"][1:].any()

# %%
if plt := pyplot():
    figure, (left, right) = plt.subplots(1, 2, width_ratios=(1.2, 1))
    for (name, sizes), colour, style in zip(felt.items(), COLOURS, ("-", "--", "-.", "o")):
        left.semilogy(np.where(sizes > 0, sizes, np.nan), style, color=colour, label=name)
    left.set(xlabel="steps before the loss", ylabel="dLoss/dx, as a share of the last", ylim=(1e-8, 10))
    left.set_title("What a loss feels of the past")
    left.legend(loc="upper right")
    for (name, curve), colour in zip(curves.items(), (COLOURS[0], COLOURS[3])):
        right.plot(np.arange(10, len(curve) + 10), curve, color=colour, label=name)
    right.set(xlabel="step of training", ylabel="mean squared error", ylim=(0, 1.3), title="An echo of two steps ago")
    right.legend(loc="upper right")
    save(figure, "05_through_time")

# %% [markdown]
# ## Where a long text is cut
#
# A text of a million characters is not taken back in one piece. It is cut, and the final state of a
# part is the first state of the next: forward, nothing is lost. Backward, it depends. Take the last
# part back first and hand its (dh0, dc0) to the part before, as dstate, and the gradients are those
# of the whole. Begin every part with zeros, and they are not: that is *truncated* backpropagation
# through time (Williams and Peng, 1990). It is what one does with long texts, because the weights
# are changed after each part and its caches thrown away. Many have been misled by the word
# "stateful", which some libraries have for a state that is handed on: it carries numbers forward,
# and no gradient back.

# %%
_, carried, second = backward(dh[20:], zeros, caches[20:], *weights)
print("\n40 steps, taken back in two parts    difference from the whole")
for name, state in {"(dh0, dc0) handed over": carried, "truncated: zeros": zeros}.items():
    _, _, first = backward(dh[:20], state, caches[:20], *weights)
    off = np.linalg.norm(flat(first) + flat(second) - flat(whole[2])) / np.linalg.norm(flat(whole[2]))
    print(f"{name:<36}{'none' if off < 1e-9 else f'{off:.1%}'}")
    assert (off < 1e-9) == (state is carried)

# %% [markdown]
# ## Exercises
#
# `minilstm exercise 5` makes your copy, `lessons/my/05_through_time.py`.
# Fill in its blanks, and run the same command again: it grades what you wrote.
#
# 1. The weights' gradients from all dz at once, each paired with what made it.
# 2. A sequence that was cut in two, taken back as if it were whole.
# 3. Backpropagation through time, whole.
