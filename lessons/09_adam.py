# %% [markdown]
# # 9. Adam
#
# After this lesson you can compute three steps of Adam with a pencil, and you know what
# each of its parts is for. You also know what to do when a gradient explodes or a loss
# becomes NaN. It takes half an hour, and an hour and a half with its exercises. You
# need to know what a gradient is. Lesson 4 helps, but is not needed.
#
# A gradient says which direction is downhill and how steep it is, but not how far to
# go. Here are three answers, called optimizers. θ are the parameters, g is the gradient
# of the loss with respect to θ, and α is the learning rate:
#
#     SGD       θ ← θ - α g                                 stochastic gradient descent
#
#     RMSprop   (1)  s ← ρ s + (1 - ρ) g²                   mean square
#               (2)  u ← μ u - α g / √(s + ε)               velocity; here μ = 0
#               (3)  θ ← θ + u
#
#     Adam      (1)  m ← β₁ m + (1 - β₁) g                  first moment
#               (2)  v ← β₂ v + (1 - β₂) g²                 second moment
#               (3)  m̂ = m / (1 - β₁ᵗ),  v̂ = v / (1 - β₂ᵗ)  bias correction
#               (4)  θ ← θ - α m̂ / (√v̂ + ε)
#
# They are numbered as in `minilstm/optim/`: `sgd.py`, `rmsprop.py`, `adam.py`. All
# operations are entry by entry. t is the number of the training step, counted from 1.
# RMSprop: Tieleman and Hinton, lecture 6.5 (2012). Adam: Kingma and Ba, Adam: a method
# for stochastic optimization (2015), algorithm 1.

# %%
import numpy as np

from minilstm import optim
from minilstm.course import COLOURS, pyplot, save
from minilstm.errors import NotFiniteError

# %% [markdown]
# ## A narrow valley
#
# The loss (a² + 100 b²) / 2 is a valley. It is a hundred times as steep across as
# along: its gradient is (a, 100 b). SGD multiplies a by 1 - α in each step, and b by 1
# - 100 α. The factor of b must stay above -1, so α must stay below 0.02. With α =
# 0.018, a shrinks by only 1.8 % in each step. There is one learning rate for all
# parameters, and the steepest direction limits it.

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
# There is one parameter, and a second one whose gradients are a hundred times as large.
# α = 0.1, β₁ = 0.9, β₂ = 0.999, ε = 1e-8. The gradients of the first are 2, 1 and -1.
#
# - m is a running mean of g that forgets a tenth in each step. v is one of g² that
#   forgets a thousandth. Both begin at zero. So after one step m is a tenth of g, and v
#   a thousandth of g². Equation (3) divides by exactly these fractions.
# - Step 1: m̂ = g and √v̂ = |g|. The update is α, whatever the size of g. Only its sign
#   counts.
# - Step 2: the mean of 2 and 1 is 1.474, since the newer one has a little more weight.
#   The root of the mean square is 1.581. The update is 0.932 of α. A gradient that
#   stays the same gives all of α, one that varies gives less.
# - Step 3: g has changed its sign, but θ still moves in the old direction, by 0.397 of
#   α. That is the inertia in m.
# - The updates of the second parameter are the same, to eight digits. The size of a
#   gradient does not matter to Adam. ε is for gradients that are almost zero: without
#   it, one would divide by zero.

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
# Let the gradient stay the same, and measure the updates in units of α. With both
# corrections each update is 1. One might expect that without them the first updates are
# too small, since m begins at zero. But they are too *large*. v begins at zero too, it
# fills more slowly, and it is in the denominator.
#
# The first update is 0.1 / √0.001 = 3.16 times α, the twelfth is 6.57 times α. After a
# thousand steps it is still 1.26 times α. The updates would be largest at the
# beginning, when the weights are still random.
#
# If m is corrected and v is not, the first update is 31.6 times α. RMSprop has no
# correction, and its first update is √10 = 3.16 times α, for ρ = 0.9.

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
# ## The valley again
#
# - SGD, with almost its largest possible learning rate, jumps from side to side of the
#   valley and moves slowly along it. It takes 185 steps until the loss stays below
#   0.01.
# - RMSprop divides by the steepness, so both a and b go straight to zero. It arrives
#   after 49 steps. But it does not come to rest. Where g is small, √s is small too, but
#   the quotient is not. So it jumps between b = 0.05 and b = -0.05 for ever, with a
#   loss of 0.126.
# - Adam begins like RMSprop, as fast along the valley as across it. (In the picture
#   this looks steep, because b is stretched.) By its inertia it passes the minimum.
#   Then it comes to rest: where g changes its sign in each step, m is near zero, and v
#   is not. From step 74 on its loss is below 0.01.
#
# Each optimizer has a learning rate that suits it. That of SGD is a fraction of the
# gradient, that of RMSprop or Adam is a length.
#
# With RMSprop and Adam you need not choose a learning rate for each weight. But you
# still have to lower the learning rate towards the end.

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
# Take a recurrent network with one unit, h[t] = tanh(w h[t-1] + b). It begins at h[0] =
# 0.5, and is to be at 0.5 again after 30 time steps. Backward, each time step
# multiplies the gradient by w (1 - h²), so the gradient has thirty such factors. If all
# are 1.2, the product is 237. If all are 0.8, it is 0.0012. The factors depend on w and
# b. For some w and b the state rises from 0.5, for others it falls below zero. Between
# the two, the loss has a cliff.
#
# Gradient descent with a learning rate of 0.05 begins at w = 2, b = -0.6, where the
# state falls. Up to step 118 the norm of the gradient is below 3. At step 119 it is on
# the cliff, and the norm is 795. The next update has length 40 and ends at w = 19, b =
# 36, where tanh is flat. There the gradient is zero to the last digit, and nothing more
# is learned. This is not a rare accident: of 400 starting points near this one, more
# than half end with a loss above 0.01.


# %%
def unroll(w, b):
    h = [0.5 + 0 * w]
    for _ in range(30):
        h.append(np.tanh(w * h[-1] + b))
    return h


def cliff(theta):
    (w, b), g = theta, np.zeros_like(theta)                  # theta is (2, N): N networks at once
    h = unroll(w, b)
    dh = h[30] - 0.5                                         # gradient of the loss (h[30] - 0.5)² / 2
    for t in range(30, 0, -1):
        da = dh * (1 - h[t] ** 2)
        g += da * np.array([h[t - 1], np.ones_like(w)])      # w and b are used in every time step: gradients add
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


by_complex_step = ((unroll(1.9 + 1e-200j, -0.5)[30] - 0.5) ** 2 / 2).imag / 1e-200  # checks the gradient, as in lesson 4
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
# Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks
# (2013), have a solution. On a cliff the direction of the gradient is useful, but its
# length is not. So if its norm is larger than c, make it c:
#
#     (2)  g ← g · min(1, c / ‖g‖)                 in `minilstm/optim/clipping.py`
#
# ‖g‖ is the *global* norm: the root of the sum of all squares, over the gradients of
# all weights together. One factor for all of them keeps the direction. The direction
# changes if each entry is clipped by itself, equation (1) of that file, or each array
# by its own norm. For example, (30, 0.4) becomes (1, 0.4), 21 degrees away.
#
# With c = 3 the same descent makes an update of length 0.15 instead of 40, and arrives.
# It still shakes a little, because the cliff is near. From all 400 starting points it
# arrives.
#
# Clipping also helps Adam, although the length of a gradient does not matter to its
# updates. A gradient of 795 would stay in v for a thousand steps, and make all updates
# small.

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
norm = optim.clip_by_global_norm(by_norm, 1.0)               # in place; returns the norm before clipping
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
# ## From a high learning rate to NaN
#
# In the valley the learning rate must stay below 0.02. With a learning rate of 1, b is
# multiplied by -99 in each step. The largest float32 is 3.4e38. The loss squares b, so
# it is infinite from step 10 on. b itself is infinite at step 20. Then comes infinity
# minus infinity, which is not a number: NaN. A sum or a product with NaN is NaN, so it
# spreads and stays, also in Adam's m and v.
#
# The package stops at step 20 with an error. If you meet it, do this, in this order:
#
# 1. Lower the learning rate.
# 2. Clip the gradients.
# 3. If the loss is your own code, look for the logarithm of 0 and for the exponential
#    of a large number. (`log_sum_exp` in `minilstm/reference/functions.py` has
#    neither.)
#
# Clipping does not change a gradient whose norm is infinite or NaN. It cannot repair
# such a gradient, and a smaller one would hide the problem.

# %%
theta, steep, history = start.astype(np.float32), curvature.astype(np.float32), []
print("\nstep          b        loss")
with np.errstate(over="ignore", invalid="ignore"):
    for step in range(23):
        history.append((theta[1], np.sum(steep * theta**2) / 2))
        if step in (0, 1, 2, 9, 10, 19, 20, 21):
            print(f"{step:4d} {theta[1]:10.3g}  {history[-1][1]:10.3g}")
        theta = theta - steep * theta                        # SGD with a learning rate of 1
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
# `minilstm exercise 9` makes your copy, `lessons/my/09_adam.py`. Fill in its blanks,
# and run the same command again: it grades what you wrote.
#
# 1. SGD with momentum.
# 2. Clipping by the global norm, for a dictionary of arrays.
# 3. All of Adam. Then an LSTM uses it to learn to remember.
