# %% [markdown]
# # 3. One step backward
#
# After this lesson you can take a step of an LSTM backward with a pencil: from what the loss feels
# of h and c to what it feels of every weight, each line derived from the line that it inverts. It
# takes three quarters of an hour, and an hour and a half with its exercises. You need: lesson 2,
# and the derivative of a product.
#
# The *loss* is one number that says how wrong a network was; training makes it smaller. So it
# asks one question of every number X in the network: if X were a little larger, how much
# would the loss change? The answer, change of the loss by change of X, is its gradient dLoss/dX, or
# what the loss feels of X. It is written dX for short, and where X is an array, dX is one of the
# same shape. These are the lines to invert:
#
#     (1)  f = σ(x Wx_f + h_prev Wh_f + b_f)         forget gate
#     (2)  i = σ(x Wx_i + h_prev Wh_i + b_i)         input gate
#     (3)  g = tanh(x Wx_g + h_prev Wh_g + b_g)      candidate
#     (4)  c = f ⊙ c_prev + i ⊙ g                    cell state
#     (5)  o = σ(x Wx_o + h_prev Wh_o + b_o)         output gate
#     (6)  h = o ⊙ tanh(c)                           hidden state
#
# Four rules are enough. They are the chain rule, taken apart:
#
#     sum            y = a + b         da = dy            db = dy
#     product        y = a b           da = dy b          db = dy a
#     function       y = s(a)          da = dy s'(a)
#     used twice     a goes into y and into z             da = what comes back from y, plus from z
#
# A sum passes dy on as it is: if b grows by 0.01, so does y. A product passes it on times the other
# factor: if b grows by 0.01, y grows by 0.01 a. A function passes it on times its slope. What is
# used twice is felt twice. The numbering is that of `minilstm/reference/lstm.py`; going backward by
# these rules through a whole network: Rumelhart, Hinton and Williams (1986).

# %%
import numpy as np

from minilstm import reference
from minilstm.course import COLOURS, pyplot, save
from minilstm.verify import diagnose
from minilstm.verify.worksheet.build import make_worksheet

# %% [markdown]
# ## The numbers of lesson 2, and the way forward once more
#
# The weights of the gates stand side by side at once, in blocks i, f, g, o, so that `z (4H,)` are
# all eight sums of the two units.

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
# ## What arrives
#
# Somebody downstream has to tell the step what the loss feels of its two results. That is dh, felt
# through h, and dc_next, felt through the c that the next step reads. Here both come from the
# worksheet, which has a second step and a loss behind this one; how they come about is lesson 5.
# With dh of unit 1 at -0.161, a hidden state that is larger by 0.01 makes the loss smaller by
# 0.0016.
#
# So that every line below can be put to the test, here is a loss that feels h and c by just these
# amounts: dh · h + dc_next · c, whose slope is dh in h and dc_next in c, whatever h and c are. And
# a way to nudge any number between the sums and h. The slope by nudging is the loss with a little
# more minus the loss with a little less, divided by how much lies between the two.

# %%
dh, dc_next = sheet.array("dh{}[1]", UNITS), sheet.array("dcprev{}[2]", UNITS)
print("\nwhat arrives: dh =", dh.round(5), " dc_next =", dc_next.round(5))
assert dh.round(3).tolist() == [-0.161, 0.255] and round(0.01 * dh[0], 4) == -0.0016


def loss(name="", more=0.0):
    """The loss, if the number of this name were larger by so much."""
    nudged = lambda its_name, value: value + more if its_name == name else value
    f, i, o = (nudged(k, sigmoid(nudged("z" + k, z))) for k, z in (("f", zf), ("i", zi), ("o", zo)))
    g = nudged("g", np.tanh(nudged("zg", zg)))
    c = nudged("c", f * nudged("c_prev", c_prev) + i * g)
    return dh @ (o * np.tanh(c)) + dc_next @ c


def by_nudging(name, size=1e-5):
    return np.array([(loss(name, unit) - loss(name, -unit)) / (2 * size) for unit in size * np.eye(2)])


def compare(**derived):
    """A row for each gradient of a number between z and h, which must be its slope."""
    print(f"\n{'':8}{'by the rules':>20}{'by nudging':>24}")
    for name, gradient in derived.items():
        slope = by_nudging(name.removeprefix("d"))
        assert np.allclose(gradient, slope, atol=1e-9), name
        print(f"{name:<8}{gradient[0]:10.5f}{gradient[1]:10.5f}{slope[0]:14.5f}{slope[1]:10.5f}")


# %% [markdown]
# ## Backward through (6): h = o ⊙ tanh(c)
#
# Backward begins where forward ended. A product: o is passed dh times tanh(c), and tanh(c) is
# passed dh times o. Then a function: the slope of tanh is 1 - tanh², so c is passed
# dh o (1 - tanh(c)²).
#
# But that is not all of dc. c is used twice: it is shown as h, and it goes on to the next step.
# What comes back on the two ways is added up.

# %%
do = dh * tanh_c                               # (6), product
dc_through_h = dh * o * (1 - tanh_c**2)        # (6), product, then tanh
dc = dc_next + dc_through_h                    # c is used twice

print("\n                              unit 1    unit 2")
for name, way in {"through the next step's c": dc_next, "through h": dc_through_h, "together: dc": dc}.items():
    print(f"{name:<26}{way[0]:10.5f}{way[1]:10.5f}")
compare(do=do, dc=dc)
assert dc_next[0] > 0 > dc[0] and (dc_through_h / dc).round(2).tolist() == [1.15, 1.52]
assert (1 - tanh_c**2).round(2).tolist() == [0.98, 0.74]

# %% [markdown]
# With only the carried part, dc of unit 1 has the wrong sign: training would push its memory the
# wrong way. With only the part through h, dc is 1.15 times what it should be, and 1.52 times in
# unit 2. Code with this mistake has been published, and so has a dc without the slope of tanh. That
# slope is 0.98 in unit 1, whose c is near 0, so that leaving it out is hardly seen there; in unit 2
# it is 0.74.
#
# ## Backward through (4): c = f ⊙ c_prev + i ⊙ g
#
# A sum of two products. The sum passes dc on to both as it is, and each product passes it to either
# factor times the other.

# %%
df = dc * c_prev                               # (4)
di = dc * g                                    # (4)
dg = dc * i                                    # (4)
dc_prev = dc * f                               # (4): the carry
compare(df=df, di=di, dg=dg, dc_prev=dc_prev)
assert (dc_prev / dc).round(2).tolist() == [0.84, 0.28]

# %% [markdown]
# The last of the four is the reason why there are LSTMs. dc_prev is what the step before gets as
# its dc_next: of what the loss feels of c, the share f goes on, 0.84 in unit 1 and 0.28 in unit 2,
# the same share that went forward. No weight matrix and no slope of a squeezing function stands in
# between, and where f is near 1 a gradient can go back a hundred steps. Leave the line out, and
# nothing crashes, all shapes are right, and the loss even falls; only what happened many steps ago
# is never learned. Lesson 5 shows it.
#
# ## Backward through σ and tanh
#
# From s = 1/(1 + exp(-z)) follows ds/dz = exp(-z)/(1 + exp(-z))², which is s (1 - s), since 1 - s
# is exp(-z)/(1 + exp(-z)): the slope is made of the gate's own value, nothing else needs to be
# kept. In the same way the slope of tanh is 1 - tanh². And here is a trap. A function
# `sigmoid_slope(z)` that computes σ(z)(1 - σ(z)) wants the sum z. What a step keeps is the gate s,
# which is σ(z) already, and whoever hands it that squeezes twice.

# %%
dzi = di * i * (1 - i)                         # (2)
dzf = df * f * (1 - f)                         # (1)
dzg = dg * (1 - g**2)                          # (3)
dzo = do * o * (1 - o)                         # (5)
compare(dzi=dzi, dzf=dzf, dzg=dzg, dzo=dzo)

squeezed_twice = lambda s: sigmoid(s) * (1 - sigmoid(s))
print("\n gate s   its slope s (1 - s)   squeezed twice   times too large")
for s in (0.5, 0.836, 0.99, 0.999):
    print(f"{s:7.3f}{s * (1 - s):22.5f}{squeezed_twice(s):17.5f}{squeezed_twice(s) / (s * (1 - s)):18.1f}")
assert round(squeezed_twice(0.5) / 0.25, 2) == 0.94 and round(squeezed_twice(0.99) / 0.0099) == 20

# %% [markdown]
# A gate at 0.5 is undecided and easy to move, and there the mistake costs six hundredths: nobody
# sees it in a young network, most of whose gates are near 0.5. A gate at 0.99 has made up its mind,
# and the loss hardly feels its sum. Squeezed twice, the loss seems to feel it twenty times as much,
# and the gate is pushed about as if it were undecided.
#
# ## Backward through the sums
#
# z = x Wx + h_prev Wh + b, eight sums at once. b stands alone in its sum, so db = dz. The weight
# from input 1 to a sum is multiplied by x1, so it is passed that dz times x1: dWx is a table of all
# such products, inputs down, sums across. Each block feels the dz of its own gate, and dWh is
# paired with h_prev, which made z, not with the new h.
#
# x1 itself goes into all eight sums and is used eight times: dx1 has eight parts, dz times a weight
# each. Added up, for all inputs at once, that is a product with the transpose of Wx.

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
print(f"   together     {dx[0]:9.5f}")
assert np.isclose((dz * Wx[0]).sum(), dx[0])

# %% [markdown]
# ## Is it right?
#
# Three witnesses. The worksheet, which computes with Python numbers, one at a time. The package,
# whose `reference.lstm_step_backward` has these lines for a batch. And a loss that knows nothing of our
# derivations: the worksheet's own, with both its steps and a softmax behind them. It answers for
# c_prev and x, which it reads nowhere but here. A weight it reads in both steps, so that for a
# weight we ask the loss above.

# %%
for name, gradient in {"dc": dc, "dzf": dzf, "dcprev": dc_prev, "dx": dx, "dhprev": dh_prev}.items():
    assert np.allclose(gradient, sheet.array(name + "{}[1]", UNITS)), name

_, _, cache = reference.lstm_step(x[None], h_prev[None], c_prev[None], Wx, Wh, b)
package = reference.lstm_step_backward(dh[None], dc_next[None], cache, Wx, Wh)
for ours, theirs in zip((dx, dh_prev, dc_prev, dWx, dWh, db), (package[0][0], package[1][0], package[2][0], *package[3])):
    assert np.allclose(ours, theirs, rtol=1e-12, atol=0)
print("\nthe worksheet, these lines, and reference.lstm_step_backward agree")

for name, gradient in {"c1[0]": dc_prev[0], "c2[0]": dc_prev[1], "x1[1]": dx[0], "x2[1]": dx[1]}.items():
    slope = (sheet.perturbed_loss(name, 1e-5) - sheet.perturbed_loss(name, -1e-5)) / 2e-5
    assert np.isclose(gradient, slope, atol=1e-9)
    print(f"nudge {name} of the worksheet: {slope:9.5f}      by the rules: {gradient:9.5f}")


def loss_with(Wx):
    h, c, _ = reference.lstm_step(x[None], h_prev[None], c_prev[None], Wx, Wh, b)
    return dh @ h[0] + dc_next @ c[0]


nudge = np.zeros_like(Wx)
nudge[0, 2] = 1e-5  # from input 1 to the forget gate of unit 1
slope = (loss_with(Wx + nudge) - loss_with(Wx - nudge)) / 2e-5
print(f"nudge the weight Wx[1,f1]:     {slope:9.5f}      by the rules: {dWx[0, 2]:9.5f}")
assert np.isclose(slope, dWx[0, 2], atol=1e-9) and round(dWx[0, 2], 5) == -0.00511
assert round(sheet.values["dWx[1,f1]"], 5) == -0.0053

# %% [markdown]
# The worksheet says -0.00530 for this weight: its second step uses the weight as well, and what is
# used twice is felt twice. That sum runs over time (lesson 5). The same rule makes a sum over a
# batch: the sequences share one set of weights, so that the gradient of the batch is that of the
# sequences, added up. In `x.T @ dz`, (D, B) times (B, 4H), the product itself adds over B. There is
# no mean here: if the loss is a mean, it has divided already, and the division stands in dh.

# %%
rng = np.random.default_rng(3)
B = 3
batch = [rng.normal(size=(B, 2)) for _ in range(5)]  # x, h_prev, c_prev, dh, dc_next


def weights_feel(x, h_prev, c_prev, dh, dc_next):
    _, _, cache = reference.lstm_step(x, h_prev, c_prev, Wx, Wh, b)
    return reference.lstm_step_backward(dh, dc_next, cache, Wx, Wh)[3]


together = weights_feel(*batch)
alone = [weights_feel(*(array[k : k + 1] for array in batch)) for k in range(B)]
for name in ("Wx", "Wh", "b"):
    assert np.allclose(getattr(together, name), sum(getattr(grads, name) for grads in alone))
one_by_one = ", ".join(f"{grads.b[2]:.5f}" for grads in alone)
print(f"\ndb of zf1, three sequences\none by one: {one_by_one}; as a batch: {together.b[2]:.5f}")

# %% [markdown]
# ## How a mistake is found
#
# Let us forget that c is used twice, and ask `diagnose`. It compares a backward step with that of
# the package on random numbers, and, if it differs, with what the package would give with one of a
# hundred and more known mistakes in it. It marks the third exercise below.


# %%
def through_h_only(dh, dc, cache, Wx, Wh):
    return reference.lstm_step_backward(dh, 0 * dc, cache, Wx, Wh)


found = diagnose(through_h_only)
print(f"\n{found}")
assert [mistake.name for mistake in found.mistakes] == ["only the part of dc through h"]

# %%
gates = np.linspace(0.002, 0.998, 250)
ways = dc_next, dc_through_h, dc, dc_prev
if plt := pyplot():
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.8), width_ratios=(1.3, 1))
    for k, unit in enumerate(UNITS):
        left.bar(np.arange(4) + 0.36 * k - 0.18, [way[k] for way in ways], 0.34, color=COLOURS[k], label=f"unit {unit}")
    left.axhline(0, color="black", linewidth=0.8)
    left.set_xticks(range(4), ["through\nnext c", "through\nh", "together:\ndc", "goes on:\ndc_prev"])
    left.set(ylabel="change of loss by change of c", title="What the loss feels of the cell state")
    left.grid(axis="x", visible=False)
    left.legend()
    right.plot(gates, gates * (1 - gates), color=COLOURS[2], label="s (1 - s)")
    right.plot(gates, squeezed_twice(gates), "--", color=COLOURS[3], label="squeezed twice")
    right.set(xlabel="gate s", ylabel="slope of the gate by its sum", ylim=(0, 0.3), title="How easily a gate is moved")
    right.legend(loc="lower center")
    save(figure, "03_one_step_backward")
else:
    print("\nwhat the loss feels of c     unit 1    unit 2")
    for name, way in zip(("through next c", "through h", "together: dc", "goes on: dc_prev"), ways):
        print(f"{name:<25}{way[0]:10.5f}{way[1]:10.5f}")

# %% [markdown]
# ## Exercises
#
# `minilstm exercise 3` makes your copy, `lessons/my/03_one_step_backward.py`.
# Fill in its blanks, and run the same command again: it grades what you wrote.
#
# 1. What the loss feels of c: equation (6).
# 2. From there to the sums before the gates: equations (4), (6), (1), (2), (3) and (5).
# 3. The whole step backward, for a batch.
