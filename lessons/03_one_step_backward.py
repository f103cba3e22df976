# %% [markdown]
# # 3. One step backward
#
# In this lesson you learn to compute all gradients of one LSTM step with a pencil. Each
# line of backward is derived from the line of forward that it differentiates. At the
# end the weights change for the first time. Reading takes three quarters of an hour;
# with the exercises, an hour and a half. You need: lesson 2, and the derivative of a
# product.
#
# The *loss* is one number that measures how wrong a network is. Training makes it
# smaller. For that we must know, for every number h in the network: if h were a little
# larger, by how much would the loss change? The answer is dL/dh, the gradient of the
# loss with respect to h. We write `dh` for it. In the same way `dX` is the gradient
# with respect to X. If X is an array, dX is an array of the same shape.
#
# These are the equations of the step:
#
#     (1)  f = σ(x Wx_f + h_prev Wh_f + b_f)         forget gate
#     (2)  i = σ(x Wx_i + h_prev Wh_i + b_i)         input gate
#     (3)  g = tanh(x Wx_g + h_prev Wh_g + b_g)      candidate
#     (4)  c = f ⊙ c_prev + i ⊙ g                    cell state
#     (5)  o = σ(x Wx_o + h_prev Wh_o + b_o)         output gate
#     (6)  h = o ⊙ tanh(c)                           hidden state
#
# Four rules are enough to differentiate them. Together they are the chain rule:
#
#     1. sum            y = a + b       da = dy             db = dy
#     2. product        y = a b         da = dy b           db = dy a
#     3. function       y = s(a)        da = dy s'(a)
#     4. used twice     in y and z      da = the part from y + the part from z
#
# In words:
#
# 1. A sum passes dy on unchanged. If a grows by 0.01, y grows by 0.01.
# 2. A product passes dy on times the other factor. If a grows by 0.01, y grows by
#    0.01 b.
# 3. A function passes dy on times its derivative.
# 4. If a number is used twice, its gradients add.
#
# The equations have the numbers of `minilstm/reference/lstm.py`. Backpropagation
# through a whole network by these rules: Rumelhart, Hinton and Williams (1986).

# %%
import numpy as np

from minilstm import reference
from minilstm.course import COLOURS, pyplot, save
from minilstm.verify import diagnose
from minilstm.verify.worksheet.build import make_worksheet

# %% [markdown]
# ## Forward, with the numbers of lesson 2
#
# The weights of the gates now stand side by side, in blocks i, f, g, o. So `z (4H,)`
# has all eight pre-activations of the two units. The numbers are read from the
# worksheet: `sheet.array("x{}[1]", UNITS)` is x1[1] and x2[1], the two inputs of step
# 1.

# %%
sheet = make_worksheet(hidden=2, input=2, steps=2, seed=0)
UNITS = (1, 2)
COLUMNS = [f"{gate}{k}" for gate in "ifgo" for k in UNITS]  # i1, i2, f1, f2, g1, g2, o1, o2


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


x, h_prev, c_prev = sheet.array("x{}[1]", UNITS), sheet.array("h{}[0]", UNITS), sheet.array("c{}[0]", UNITS)
Wx, Wh = sheet.array("Wx[{},{}]", UNITS, COLUMNS), sheet.array("Wh[{},{}]", UNITS, COLUMNS)  # (2, 8) each
b = sheet.array("b[{}]", COLUMNS)  # (8,)

zi, zf, zg, zo = np.split(x @ Wx + h_prev @ Wh + b, 4)  # (2,) each
f, i, g, o = sigmoid(zf), sigmoid(zi), np.tanh(zg), sigmoid(zo)
c = f * c_prev + i * g
tanh_c = np.tanh(c)
h = o * tanh_c
print("f", f.round(5), " i", i.round(5))
print("g", g.round(5), " o", o.round(5))
print("c", c.round(5), " h", h.round(5))

# %% [markdown]
# ## The gradients that arrive
#
# Backward begins with two gradients that come from later computations:
#
# - `dh` is the gradient of the loss with respect to h.
# - `dc_next` is the part of dL/dc that comes from the next time step, which reads c.
#
# Here both come from the worksheet, which has a second step and a loss. Lesson 5 shows
# how they are computed. dh of unit 1 is -0.161: if this hidden state were larger by
# 0.01, the loss would be smaller by 0.0016.
#
# We want to check every line below. So we take a simple loss that has exactly these
# gradients: dh · h + dc_next · c. Its derivative is dh with respect to h, and dc_next
# with respect to c. The *numerical derivative* is computed from values of the loss
# alone. Perturb one number up and down by 1e-5, and divide the difference of the losses
# by 2e-5.

# %%
dh, dc_next = sheet.array("dh{}[1]", UNITS), sheet.array("dcprev{}[2]", UNITS)
print("\nwhat arrives: dh =", dh.round(5), " dc_next =", dc_next.round(5))
assert dh.round(3).tolist() == [-0.161, 0.255] and round(0.01 * dh[0], 4) == -0.0016


def loss(name="", more=0.0):
    """The loss, if the number of this name were larger by ``more``."""
    perturbed = lambda its_name, value: value + more if its_name == name else value
    f, i, o = (perturbed(k, sigmoid(perturbed("z" + k, z))) for k, z in (("f", zf), ("i", zi), ("o", zo)))
    g = perturbed("g", np.tanh(perturbed("zg", zg)))
    c = perturbed("c", f * perturbed("c_prev", c_prev) + i * g)
    return dh @ (o * np.tanh(c)) + dc_next @ c


def numerical(name, size=1e-5):
    return np.array([(loss(name, unit) - loss(name, -unit)) / (2 * size) for unit in size * np.eye(2)])


def compare(**derived):
    """Print each gradient beside its numerical derivative, which must be equal."""
    print(f"\n{'':8}{'by the rules':>20}{'numerical':>24}")
    for name, gradient in derived.items():
        derivative = numerical(name.removeprefix("d"))
        assert np.allclose(gradient, derivative, atol=1e-9), name
        print(f"{name:<8}{gradient[0]:10.5f}{gradient[1]:10.5f}{derivative[0]:14.5f}{derivative[1]:10.5f}")


# %% [markdown]
# ## Backward through (6): h = o ⊙ tanh(c)
#
# Backward begins where forward ended. By rule 2, o gets dh times tanh(c), and tanh(c)
# gets dh times o. By rule 3, c then gets dh o (1 - tanh(c)²), because the derivative of
# tanh is 1 - tanh².
#
# That is not the whole of dc. c is used twice: in h, and by the next time step. By
# rule 4 the two gradients add.

# %%
do = dh * tanh_c                               # (6), product
dc_through_h = dh * o * (1 - tanh_c**2)        # (6), product, then tanh
dc = dc_next + dc_through_h                    # c is used twice

print("\n                              unit 1    unit 2")
for name, part in {"from the next step: dc_next": dc_next, "through h": dc_through_h, "sum: dc": dc}.items():
    print(f"{name:<28}{part[0]:8.5f}{part[1]:10.5f}")
compare(do=do, dc=dc)
assert dc_next[0] > 0 > dc[0] and (dc_through_h / dc).round(2).tolist() == [1.15, 1.52]
assert (1 - tanh_c**2).round(2).tolist() == [0.98, 0.74]

# %% [markdown]
# Three mistakes are common here, and all have been published:
#
# - **Only dc_next.** dc of unit 1 then has the wrong sign. Training would change its
#   memory in the wrong direction.
# - **Only the part through h.** dc is then 1.15 times as large as it should be, and
#   1.52 times in unit 2.
# - **No derivative of tanh.** It is 0.98 in unit 1, whose c is near 0, so you hardly
#   see the mistake there. In unit 2 it is 0.74.
#
# ## Backward through (4): c = f ⊙ c_prev + i ⊙ g
#
# This is a sum of two products. The sum passes dc on unchanged. Each product passes it
# on times the other factor.

# %%
df = dc * c_prev                               # (4)
di = dc * g                                    # (4)
dg = dc * i                                    # (4)
dc_prev = dc * f                               # (4): the recurrent gradient of c
compare(df=df, di=di, dg=dg, dc_prev=dc_prev)
assert (dc_prev / dc).round(2).tolist() == [0.84, 0.28]

# %% [markdown]
# The last line is the reason for LSTMs. dc_prev is a *recurrent gradient*: the step
# before gets it as its dc_next. It is dc times f, 0.84 in unit 1 and 0.28 in unit 2. In
# the forward pass c_prev was multiplied by the same f. There is no weight matrix and no
# derivative of a sigmoid on the way. Where f is near 1, a gradient can go back a
# hundred steps.
#
# Without this line nothing crashes. All shapes are right, and the loss even falls. But
# the network never learns what happened many steps ago. Lesson 5 shows this.
#
# ## Backward through σ and tanh
#
# For s = 1/(1 + exp(-z)) the derivative ds/dz is exp(-z)/(1 + exp(-z))². This equals s
# (1 - s), because 1 - s is exp(-z)/(1 + exp(-z)). So the derivative can be computed
# from the gate's value, and z need not be stored. In the same way the derivative of
# tanh is 1 - tanh².
#
# Here is a trap. A function `sigmoid_derivative(z)` that computes σ(z)(1 - σ(z)) needs
# the pre-activation z. A step stores the gate s, which already is σ(z). If you call the
# function with s, the sigmoid is applied twice.

# %%
dzi = di * i * (1 - i)                         # (2)
dzf = df * f * (1 - f)                         # (1)
dzg = dg * (1 - g**2)                          # (3)
dzo = do * o * (1 - o)                         # (5)
compare(dzi=dzi, dzf=dzf, dzg=dzg, dzo=dzo)

applied_twice = lambda s: sigmoid(s) * (1 - sigmoid(s))
print("\n gate s   derivative s (1 - s)   sigmoid applied twice   times too large")
for s in (0.5, 0.836, 0.99, 0.999):
    print(f"{s:7.3f}{s * (1 - s):23.5f}{applied_twice(s):24.5f}{applied_twice(s) / (s * (1 - s)):18.1f}")
assert round(applied_twice(0.5) / 0.25, 2) == 0.94 and round(applied_twice(0.99) / 0.0099) == 20

# %% [markdown]
# At a gate of 0.5 the mistake makes the gradient only 6 % too small. In a new network
# most gates are near 0.5, so the mistake is hard to see. A gate of 0.99 is nearly open:
# its derivative is small, and its pre-activation should hardly change. With the mistake
# the gradient is 20 times too large.
#
# ## Backward through the pre-activations
#
# z = x Wx + h_prev Wh + b, eight sums at once.
#
# - **b** stands alone in its sum. By rule 1, db = dz.
# - **Wx.** The weight from input 1 to a sum is multiplied by x1. By rule 2 its gradient
#   is that dz times x1. So dWx is a table of products: a row for each input, a column
#   for each sum.
# - **Wh** is the same with h_prev, which went into z. The new h did not.
# - **x.** x1 is used in all eight sums. By rule 4, dx1 has eight parts, each a dz times
#   a weight. For all inputs at once this is a product with the transpose of Wx.

# %%
dz = np.concatenate([dzi, dzf, dzg, dzo])      # (8,)
db = dz
dWx = np.outer(x, dz)                          # (2, 8)
dWh = np.outer(h_prev, dz)                     # (2, 8)
dx = dz @ Wx.T                                 # (2,)
dh_prev = dz @ Wh.T                            # (2,)

print("\ndx of input 1 has a part from each sum:")
for column, part in zip(COLUMNS, dz * Wx[0]):
    print(f"   through z{column}  {part:9.5f}")
print(f"   sum          {dx[0]:9.5f}")
assert np.isclose((dz * Wx[0]).sum(), dx[0])

# %% [markdown]
# ## Is it right?
#
# We compare with three other programs:
#
# - the worksheet, which computes with single Python numbers,
# - `reference.lstm_step_backward`, which has these lines for a mini-batch,
# - numerical derivatives of the worksheet's own loss, with both steps and a softmax.
#   They know nothing of our derivations.
#
# The worksheet's loss uses c_prev and x only in step 1, so their numerical derivatives
# must equal ours. It uses each weight in both steps. So for a weight we take the simple
# loss from above, which has only step 1.

# %%
for name, gradient in {"dc": dc, "dzf": dzf, "dcprev": dc_prev, "dx": dx, "dhprev": dh_prev}.items():
    assert np.allclose(gradient, sheet.array(name + "{}[1]", UNITS)), name

_, _, cache = reference.lstm_step(x[None], h_prev[None], c_prev[None], Wx, Wh, b)
package = reference.lstm_step_backward(dh[None], dc_next[None], cache, Wx, Wh)
for ours, theirs in zip((dx, dh_prev, dc_prev, dWx, dWh, db), (package[0][0], package[1][0], package[2][0], *package[3])):
    assert np.allclose(ours, theirs, rtol=1e-12, atol=0)
print("\nthe worksheet, these lines and reference.lstm_step_backward agree\n")

print("               numerical   by the rules")
for name, gradient in {"c1[0]": dc_prev[0], "c2[0]": dc_prev[1], "x1[1]": dx[0], "x2[1]": dx[1]}.items():
    derivative = (sheet.perturbed_loss(name, 1e-5) - sheet.perturbed_loss(name, -1e-5)) / 2e-5
    assert np.isclose(gradient, derivative, atol=1e-9)
    print(f"{name:<12}{derivative:12.5f}{gradient:15.5f}")


def loss_of(Wx, Wh, b):
    h, c, _ = reference.lstm_step(x[None], h_prev[None], c_prev[None], Wx, Wh, b)
    return dh @ h[0] + dc_next @ c[0]


e = np.zeros_like(Wx)
e[0, 2] = 1e-5  # from input 1 to the forget gate of unit 1
derivative = (loss_of(Wx + e, Wh, b) - loss_of(Wx - e, Wh, b)) / 2e-5
print(f"{'Wx[1,f1]':<12}{derivative:12.5f}{dWx[0, 2]:15.5f}")
assert np.isclose(derivative, dWx[0, 2], atol=1e-9) and round(dWx[0, 2], 5) == -0.00511
assert round(sheet.values["dWx[1,f1]"], 5) == -0.0053

# %% [markdown]
# For this weight the worksheet says -0.00530, because it also adds the part from its
# second step. Lesson 5 shows this sum over time.
#
# Rule 4 also makes a sum over the mini-batch. All sequences use the same weights, so
# the gradient of a mini-batch is the sum of the sequences' gradients. In `x.T @ dz`,
# (D, B) times (B, 4H), the product itself adds over B. There is no mean here. If the
# loss is a mean, the division by its count is already contained in dh.

# %%
rng = np.random.default_rng(3)
B = 3
batch = [rng.normal(size=(B, 2)) for _ in range(5)]  # x, h_prev, c_prev, dh, dc_next


def weight_gradients(x, h_prev, c_prev, dh, dc_next):
    _, _, cache = reference.lstm_step(x, h_prev, c_prev, Wx, Wh, b)
    return reference.lstm_step_backward(dh, dc_next, cache, Wx, Wh)[3]


together = weight_gradients(*batch)
alone = [weight_gradients(*(array[k : k + 1] for array in batch)) for k in range(B)]
for name in ("Wx", "Wh", "b"):
    assert np.allclose(getattr(together, name), sum(getattr(grads, name) for grads in alone))
one_by_one = ", ".join(f"{grads.b[2]:.5f}" for grads in alone)
print(f"\ndb of zf1, three sequences\none by one: {one_by_one}; as a batch: {together.b[2]:.5f}")

# %% [markdown]
# ## How a mistake is found
#
# Suppose that we forget dc_next, and ask `diagnose`. It compares a backward step with
# that of the package on random numbers. If they differ, it tries more than a hundred
# known mistakes, and names the one that gives the same wrong numbers. It also grades
# the third exercise below.


# %%
def through_h_only(dh, dc_next, cache, Wx, Wh):
    return reference.lstm_step_backward(dh, 0 * dc_next, cache, Wx, Wh)


found = diagnose(through_h_only)
print(f"\n{found}")
assert [mistake.name for mistake in found.mistakes] == ["only the part of dc through h"]

# %% [markdown]
# The picture shows the two parts of dc, and what the mistake of the second sigmoid does
# at every value of a gate.

# %%
gates = np.linspace(0.002, 0.998, 250)
parts = dc_next, dc_through_h, dc, dc_prev
if plt := pyplot():
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.8), width_ratios=(1.3, 1))
    for k, unit in enumerate(UNITS):
        left.bar(np.arange(4) + 0.36 * k - 0.18, [part[k] for part in parts], 0.34, color=COLOURS[k], label=f"unit {unit}")
    left.axhline(0, color="black", linewidth=0.8)
    left.set_xticks(range(4), ["dc_next", "through\nh", "sum:\ndc", "passed on:\ndc_prev"])
    left.set(ylabel="gradient", title="The gradient of the cell state")
    left.grid(axis="x", visible=False)
    left.legend()
    right.plot(gates, gates * (1 - gates), color=COLOURS[2], label="s (1 - s)")
    right.plot(gates, applied_twice(gates), "--", color=COLOURS[3], label="sigmoid applied twice")
    right.set(xlabel="gate s", ylabel="ds/dz", ylim=(0, 0.3), title="The derivative of a gate")
    right.legend(loc="lower center")
    save(figure, "03_one_step_backward")
else:
    print("\nthe gradient of c     unit 1    unit 2")
    for name, part in zip(("dc_next", "through h", "sum: dc", "passed on: dc_prev"), parts):
        print(f"{name:<18}{part[0]:10.5f}{part[1]:10.5f}")

# %% [markdown]
# ## The update: gradient descent
#
# A gradient says how the loss changes if a weight becomes larger. So change each weight
# a little in the other direction: w ← w - rate · dw. This is *gradient descent*, and
# `rate` is the *learning rate*. It is chosen by hand. If it is too large, the loss can
# rise.
#
# One such update is a *training step*. Training repeats forward, backward and update
# many times, each time with other texts. Lesson 9 has better updates with the same
# gradients.

# %%
before = loss_of(Wx, Wh, b)
rate = 0.1
Wx = Wx - rate * dWx
Wh = Wh - rate * dWh
b = b - rate * db

after = loss_of(Wx, Wh, b)
expected = rate * sum(np.sum(gradient**2) for gradient in (dWx, dWh, db))
print(f"\nloss before the update {before:.6f}, after {after:.6f}")
print(f"it fell by {before - after:.6f}; rate times the sum of all squared gradients is {expected:.6f}")
assert after < before and np.isclose(before - after, expected, rtol=0.01)

# %% [markdown]
# ## Exercises
#
# `minilstm exercise 3` makes your copy, `lessons/my/03_one_step_backward.py`.
# Fill in its blanks, and run the same command again: it grades what you wrote.
#
# 1. The gradient of c: equation (6).
# 2. From there to the pre-activations: equations (4), (6), (1), (2), (3) and (5).
# 3. The whole step backward, for a mini-batch.
