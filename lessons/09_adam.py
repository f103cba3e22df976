# %% [markdown]
# # 9. Adam
#
# After this lesson you can compute three steps of Adam with a pencil, you know what each of its
# parts is for, and what to do when a gradient explodes or a loss becomes NaN. It takes half an
# hour, and an hour and a half with its exercises. You need: what a gradient is. Lesson 4 is of use,
# but no condition.
#
# A gradient says which way is downhill, and how steep it is; not how far to go. These are three
# answers, θ being the parameters, g the gradient of the loss at θ, and α the rate:
#
#     SGD       θ ← θ - α g                                       stochastic gradient descent
#
#     RMSprop   (1)  s ← ρ s + (1 - ρ) g²                         mean square
#               (2)  u ← μ u - α g / √(s + ε)                     velocity; here μ = 0
#               (3)  θ ← θ + u
#
#     Adam      (1)  m ← β₁ m + (1 - β₁) g                        first moment
#               (2)  v ← β₂ v + (1 - β₂) g²                       second moment
#               (3)  m̂ = m / (1 - β₁ᵗ),  v̂ = v / (1 - β₂ᵗ)        bias correction
#               (4)  θ ← θ - α m̂ / (√v̂ + ε)
#
# numbered as in `minilstm/optim/`: `sgd.py`, `rmsprop.py`, `adam.py`. Everything is entry by entry.
# RMSprop: Tieleman and Hinton, lecture 6.5 (2012). Adam: Kingma and Ba, Adam: a method for
# stochastic optimization (2015), algorithm 1.

# %%
import numpy as np

from minilstm import optim
from minilstm.course import COLOURS, pyplot, save
from minilstm.errors import NotFiniteError

# %% [markdown]
# ## A narrow valley
#
# The loss (a² + 100 b²) / 2 is a valley a hundred times as steep across as along: its gradient is
# (a, 100 b). Plain descent multiplies a by 1 - α in each step, and b by 1 - 100 α. For b that must
# stay above -1, so α must stay below 0.02; and with 0.018 a shrinks by 1.8 % a step. One rate
# serves all, and the steepest direction dictates it.

# %%
curvature, start = np.array([1.0, 100.0]), np.array([-4.0, 1.0])
valley = lambda theta: np.sum(curvature * theta**2) / 2

theta = start.copy()
print("steps of SGD, rate 0.018\n\nstep        a        b      loss")
for step in range(5):
    print(f"{step:4d} {theta[0]:8.3f} {theta[1]:8.3f} {valley(theta):9.4f}")
    theta = theta - 0.018 * curvature * theta
assert np.allclose(theta, start * (1 - 0.018 * curvature) ** 5)

# %% [markdown]
# ## Three steps of Adam, with all numbers
#
# One parameter, and a second one whose gradients are a hundred times as large. α = 0.1, β₁ = 0.9,
# β₂ = 0.999, ε = 1e-8. The gradients of the first are 2, 1 and -1.
#
# - m is a running mean of g that forgets a tenth in each step, v one of g² that forgets a
#   thousandth. Both begin at zero, so that after one step m is a tenth of g, and v a thousandth of
#   g². (3) divides by just that.
# - In the first step m̂ = g and √v̂ = |g|: the step is α, whatever g is. Only its sign counts.
# - In the second the mean of 2 and 1, the younger weighing a little more, is 1.474, and the root of
#   the mean square 1.581: 0.932 of α. A gradient that stays the same gives the whole of α, one that
#   wavers gives less.
# - In the third g has turned round, and the step goes on forward, 0.397 of α: that is the inertia
#   in m.
# - The second parameter takes the same steps to eight digits. Adam does not see the size of a
#   gradient. ε is there for gradients that are as good as zero, which otherwise would be divided by
#   zero.

# %%
rate, beta1, beta2, epsilon = 0.1, 0.9, 0.999, 1e-8
gradients = np.array([[2.0, 200.0], [1.0, 100.0], [-1.0, -100.0]])
theta, m, v = np.zeros(2), np.zeros(2), np.zeros(2)
adam = optim.Adam(rate)
book, book_state, ours, state = np.zeros(2), adam.init(np.zeros(2)), np.zeros(2), adam.init(np.zeros(2))
print("\nt     g       m         v 1 - β₁ᵗ  1 - β₂ᵗ        m̂         v̂  step/α         θ")
for t, g in enumerate(gradients, start=1):
    m = beta1 * m + (1 - beta1) * g                          # (1)
    v = beta2 * v + (1 - beta2) * g**2                       # (2)
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)    # (3)
    move = m_hat / (np.sqrt(v_hat) + epsilon)
    theta = theta - rate * move                              # (4)
    for k in range(2):
        print(f"{t} {g[k]:5.0f} {m[k]:7.3f} {v[k]:9.5f} {1 - beta1**t:7.3f} {1 - beta2**t:8.5f} {m_hat[k]:8.3f}"
              f" {v_hat[k]:9.1f} {move[k]:7.3f} {theta[k]:9.5f}")  # fmt: skip
    book, book_state = optim.adam_step(book, g, book_state, rate, beta1, beta2, epsilon)
    state = adam.step(ours, g, state)                        # compiled, in place
    assert np.allclose(book, theta, rtol=1e-14) and np.allclose(ours, theta, rtol=1e-12)
    expected = ((2, 2, 1), (1.474, 1.581, 0.932), (0.561, 1.414, 0.397))[t - 1]
    assert np.allclose((m_hat[0], v_hat[0] ** 0.5, move[0]), expected, atol=5e-4) and np.isclose(*move, rtol=1e-8, atol=0)
print("optim.adam_step and optim.Adam give", book.round(5), "and", ours.round(5))

# %% [markdown]
# ## What bias correction is for
#
# Let the gradient stay the same and count the steps in units of α. With both corrections each step
# is 1. One might think that without them the steps are too small at first, since m begins at zero.
# They are too *large*: v begins at zero too, is slower to fill, and it is what divides. The first
# step is 0.1 / √0.001 = 3.16 times α, the twelfth 6.57 times, and after a thousand steps one is
# still
# 1.26 times α. Just when the weights are most random they would be thrown about
# most.
#
# With m corrected and v not, the first step is 31.6 times α. RMSprop has no correction, and its
# first step is √10 = 3.16 times α, for ρ = 0.9.

# %%
t = np.arange(1, 1001)
filled_m, root_v = 1 - beta1**t, np.sqrt(1 - beta2**t)  # how much of g is in m, and of |g| in √v
sizes = {"both corrected": t / t, "none corrected": filled_m / root_v, "only m corrected": 1 / root_v}
columns = t, filled_m, root_v, *sizes.values()
print("\nstep / α for a gradient that stays the same\n\n   t  share in m  share in √v  " + "  ".join(sizes))
for k in (1, 2, 3, 5, 8, 12, 20, 100, 1000):
    print("{:4d}{:12.3f}{:13.3f}{:16.2f}{:16.2f}{:18.2f}".format(*(column[k - 1] for column in columns)))
none = sizes["none corrected"]
assert round(none[0], 2) == 3.16 and none.argmax() == 11 and round(none[11], 2) == 6.57 and 1.2 < none[-1] < 1.3
assert round(sizes["only m corrected"][0], 1) == 31.6 and round(1 / np.sqrt(1 - 0.9), 2) == 3.16

# %% [markdown]
# ## The valley once more
#
# SGD with nearly the largest rate that it may have falls to and fro across the valley, and creeps
# along it: 185 steps until the loss stays below 0.01. RMSprop divides the steepness out, and both a
# and b go straight for zero: it is there after 49 steps. But it cannot stand still. Where g is
# small, √s is too, the quotient is not, and it jumps to and fro at b = ±0.05 for ever, with a loss
# of 0.126. Adam starts out as RMSprop does, as fast along the valley as across it (steep in the
# picture, where b is stretched), overshoots, being heavy, and comes to rest: where g changes its
# sign in each step, m is near zero, and v is not. From step 74 on its loss is below 0.01. Each has
# a rate that suits it: a rate of SGD is a share of the gradient, one of RMSprop or Adam is a
# length.
#
# RMSprop and Adam save you from tuning a rate for each weight. They do not save you from lowering
# the rate towards the end.

# %%
optimizers = {"SGD": optim.SGD(0.018), "RMSprop": optim.RMSprop(0.1), "Adam": optim.Adam(0.2)}
paths, losses = {}, {}
for name, optimizer in optimizers.items():
    theta = start.copy()
    state, path = optimizer.init(theta), [start]
    for _ in range(300):
        state = optimizer.step(theta, curvature * theta, state)
        path.append(theta.copy())
    paths[name], losses[name] = np.array(path), np.array([valley(point) for point in path])

theta, s = start.copy(), np.zeros(2)
for _ in range(300):
    g = curvature * theta
    s = 0.9 * s + 0.1 * g**2                                 # (1) of RMSprop
    theta = theta - 0.1 * g / np.sqrt(s + 1e-7)              # (2) and (3)
assert np.allclose(theta, paths["RMSprop"][-1], atol=1e-9) and round(abs(theta[1]), 2) == 0.05

shown = [0, 20, 40, 60, 80, 150, 300]
print("\nloss after steps     " + "".join(f"{step:8d}" for step in shown))
for name, loss in losses.items():
    print(f"{name:<8} rate {optimizers[name].learning_rate:<6} " + "".join(f"{loss[step]:8.4f}" for step in shown))
assert [int(np.flatnonzero(losses[name] >= 0.01)[-1]) + 1 for name in ("SGD", "Adam")] == [185, 74]
assert np.flatnonzero(losses["RMSprop"] < 0.01)[0] == 49 and round(losses["RMSprop"][-1], 3) == 0.126

if plt := pyplot():
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), width_ratios=(3, 2))
    a, b = np.meshgrid(np.linspace(-4.4, 1.6, 120), np.linspace(-1.1, 1.2, 120))
    left.contour(a, b, (a**2 + 100 * b**2) / 2, levels=np.geomspace(0.05, 60, 9), colors="#bbbbbb", linewidths=0.7)
    for (name, path), colour in zip(paths.items(), COLOURS):
        left.plot(*path[:76].T, "o-", color=colour, markersize=2.5, linewidth=1.1, label=name)
    left.set(xlabel="a, along the valley", ylabel="b, across it", title="75 steps down a narrow valley")
    left.legend(loc="upper right")
    for (name, size), colour in zip(sizes.items(), (COLOURS[2], COLOURS[4], COLOURS[3])):
        right.semilogy(t[:20], size[:20], "o-", color=colour, markersize=3, label=name)
    right.set(xlabel="t", ylabel="step / α", xticks=(1, 5, 10, 15, 20), title="Adam's first steps, g constant")
    right.legend()
    save(figure, "09_adam")

# %% [markdown]
# ## A gradient that explodes
#
# A recurrent network with one unit, h[t] = tanh(w h[t-1] + b), begins at h[0] = 0.5 and shall be at
# 0.5 again after 30 steps. Going back through a step multiplies the gradient by w (1 - h²), so that
# thirty factors stand before it. If all are 1.2, the product is 237; if all are 0.8, it is 0.0012.
# And they change with w and b: for some the state climbs from 0.5, for others it falls below zero,
# and between the two runs a cliff in the loss.
#
# Descent with a rate of 0.05 begins at w = 2, b = -0.6, where the state falls. Up to step 118 the
# gradient is shorter than 3. Then, at step 119, it stands on the face of the cliff, where the
# gradient is 795 long. The next step, 40 long, ends at w = 19, b = 36, where tanh is flat: the
# gradient is zero to the last digit, and nothing is ever learned again. That is no rare bad luck:
# from 400 starts near this one, more than half end with a loss above 0.01.


# %%
def unroll(w, b):
    h = [0.5 + 0 * w]
    for _ in range(30):
        h.append(np.tanh(w * h[-1] + b))
    return h


def cliff(theta):
    (w, b), g = theta, np.zeros_like(theta)                  # theta is (2, N): N networks at once
    h = unroll(w, b)
    dh = h[30] - 0.5                                         # of the loss (h[30] - 0.5)² / 2
    for t in range(30, 0, -1):
        da = dh * (1 - h[t] ** 2)
        g += da * np.array([h[t - 1], np.ones_like(w)])      # w and b act in every step: their gradients add up
        dh = da * w
    return (h[30] - 0.5) ** 2 / 2, g


def descend(theta, c):
    history = []
    for _ in range(300):
        loss, g = cliff(theta)
        norm = np.sqrt(np.sum(g**2, axis=0))                 # (N,)
        history.append((*theta, loss, norm))
        theta = theta - 0.05 * g * np.minimum(1, c / np.maximum(norm, 1e-300))
    return np.array(history)                                 # (300, 4, N)


by_complex_step = ((unroll(1.9 + 1e-200j, -0.5)[30] - 0.5) ** 2 / 2).imag / 1e-200  # is the gradient right? See lesson 4
assert np.isclose(cliff(np.array([1.9, -0.5]))[1][0], by_complex_step, rtol=1e-10)
starts = np.array([[2.0], [-0.6]]) + np.array([[0.1], [0.05]]) * np.random.default_rng(0).uniform(-1, 1, (2, 400))
starts[:, 0] = 2.0, -0.6
without = descend(starts, c=np.inf)
*there, _, norms = without[:, :, 0].T
assert norms[:119].max() < 3 and round(norms[119]) == 795 and round(0.05 * norms[119]) == 40 and not norms[120:].any()
assert np.round(there)[:, 120].tolist() == [19, 36] and np.mean(without[-1, 2] > 0.01) > 0.5
assert round(1.2**30) == 237 and round(0.8**30, 4) == 0.0012

# %% [markdown]
# ## Clipping by norm
#
# Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks (2013), say
# what to do. On the face of a cliff the direction of a gradient can be believed, its length cannot.
# So where it is longer than c, make it c long:
#
#     (2)  g ← g · min(1, c / ‖g‖)                 in `minilstm/optim/clipping.py`
#
# ‖g‖ is the norm of the gradients of all weights together, the root of the sum of all squares: the
# *global* norm. With one factor for all of them the direction stays. Whoever cuts each entry by
# itself, equation (1) of that file, or each array by a norm of its own, turns it: (30, 0.4) becomes
# (1, 0.4), 21 degrees away.
#
# With c = 3 the same descent takes a step of 0.15 where the other took one of 40, and arrives, if
# with a slight tremble, for the cliff is near; and so it does from all 400 starts. With Adam, whose
# step does not know how long a gradient is, clipping is of use too: a gradient of 795 would stay in
# v for a thousand steps, and make all of them small.

# %%
clipped = descend(starts, c=3.0)
print("\n             without clipping                 clipped at norm 3")
print("step        w       b    loss  norm of g        w       b    loss  norm of g")
for k in (0, 50, 100, 118, 119, 120, 200, 299):
    print(f"{k:4d}" + "".join("{:9.3f} {:7.3f} {:7.4f} {:10.3f}".format(*run[k, :, 0]) for run in (without, clipped)))
print(f"of 400 starts, lost without clipping: {np.sum(without[-1, 2] > 0.01)}, with it: {np.sum(clipped[-1, 2] > 0.01)}")
assert np.isclose(np.linalg.norm(clipped[120, :2, 0] - clipped[119, :2, 0]), 0.15) and clipped[-1, 2].max() < 0.01

g = np.array([30.0, 0.4])
by_norm, by_value = g.copy(), g.copy()
norm = optim.clip_by_global_norm(by_norm, 1.0)               # in place; returns the norm that there was
optim.clip_by_value(by_value, 1.0)
turned = [abs(np.degrees(np.arctan2(v[1], v[0]) - np.arctan2(g[1], g[0]))) for v in (by_norm, by_value)]
print(f"\n(30, 0.4)  by norm: {by_norm.round(4)}, turned by {turned[0]:.0f}°;  by value: {by_value}, by {turned[1]:.0f}°")
assert np.allclose(by_norm, g * min(1, 1 / np.sqrt(np.sum(g**2)))) and np.round(turned).tolist() == [0, 21]  # (2)

if plt := pyplot():
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), width_ratios=(3, 2))
    w, b = np.meshgrid(np.linspace(1.1, 2.05, 190), np.linspace(-0.65, 0.1, 150))
    figure.colorbar(left.pcolormesh(w, b, (unroll(w, b)[30] - 0.5) ** 2 / 2, rasterized=True), label="loss")
    for run, colour, line, name in ((without, "white", "-", "without clipping"), (clipped, COLOURS[1], "--", "clipped at 3")):
        left.plot(*run[:, :2, 0].T, line, color=colour, linewidth=2, label=name)
        right.semilogy(np.maximum(run[:, 3, 0], 1e-3), line, color=COLOURS[line == "--"], label=name)
    left.set(xlim=(1.1, 2.05), ylim=(-0.65, 0.1), xlabel="w", ylabel="b", title="A cliff, and two ways down")
    left.legend(loc="lower left")
    right.set(xlabel="step", ylabel="norm before clipping, at least 0.001", title="How long the gradient is", ylim=(5e-4, 2e5))
    right.legend()
    save(figure, "09_adam_cliff")

# %% [markdown]
# ## From a rate that is too high to NaN
#
# In the valley the rate must stay below 0.02. With a rate of 1, b is multiplied by -99 in each
# step. In float32, whose largest number is 3.4e38, the loss is infinite from step 10 on, since it
# squares b. b itself is infinite at step 20. Then comes infinity minus infinity, which is not a
# number: NaN. It spreads to whatever it is added to or multiplied with, and stays; in Adam's m and
# v too.
#
# The package stops at step 20 and says so. What to do when you meet it, in this order: lower the
# rate; clip; and if the loss is one of your own, look for the logarithm of 0 and the exponential of
# a large number in it (`log_sum_exp` in `minilstm/reference/functions.py` has neither). Clipping leaves a
# gradient alone whose norm is infinite or NaN: nothing can be saved in it, and cutting it down
# would hide that.

# %%
theta, steep, history = start.astype(np.float32), curvature.astype(np.float32), []
print("\nstep          b        loss")
with np.errstate(over="ignore", invalid="ignore"):
    for step in range(23):
        history.append((theta[1], np.sum(steep * theta**2) / 2))
        if step in (0, 1, 2, 9, 10, 19, 20, 21):
            print(f"{step:4d} {theta[1]:10.3g}  {history[-1][1]:10.3g}")
        theta = theta - steep * theta                        # SGD with a rate of 1
    assert np.isinf(history).argmax(axis=0).tolist() == [20, 10] and np.isnan(history).argmax(axis=0).tolist() == [21, 21]
    theta, state = start.astype(np.float32), optim.SGD().init(start.astype(np.float32))
    try:
        for step in range(1, 30):
            state = optim.SGD(1.0).step(theta, steep * theta, state)
    except NotFiniteError as error:
        print(f"optim.SGD at step {step}:", *str(error).split("; "), sep="\n  ")
assert step == 20

# %% [markdown]
# ## Exercises
#
# `minilstm exercise 9` makes your copy, `lessons/my/09_adam.py`.
# Fill in its blanks, and run the same command again: it grades what you wrote.
#
# 1. SGD with momentum.
# 2. Clipping by the global norm of a dictionary of arrays.
# 3. Adam, whole; with it an LSTM then learns to remember.
