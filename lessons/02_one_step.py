# %% [markdown]
# # 2. One step of an LSTM
#
# After this lesson you can compute a step of an LSTM with a pencil, and you know what each of its
# six equations is for. It takes half an hour, and an hour with its exercises. You need: matrices in
# NumPy; lesson 1 is no condition.
#
# A recurrent network reads one input `x` at a time and carries something from step to step. An LSTM
# carries two things: a *cell state* `c`, which is its memory, and a *hidden state* `h`, which is
# what it shows of it. Three *gates*, numbers between 0 and 1, decide about the memory: what to
# forget, what to write, what to show.
#
#     (1)  f = σ(x Wx_f + h_prev Wh_f + b_f)         forget gate
#     (2)  i = σ(x Wx_i + h_prev Wh_i + b_i)         input gate
#     (3)  g = tanh(x Wx_g + h_prev Wh_g + b_g)      candidate
#     (4)  c = f ⊙ c_prev + i ⊙ g                    cell state
#     (5)  o = σ(x Wx_o + h_prev Wh_o + b_o)         output gate
#     (6)  h = o ⊙ tanh(c)                           hidden state
#
# ⊙ multiplies number by number. `Wx` and `Wh` are the weights, matrices of numbers that training
# will find, and `b` is the bias, a number added for each unit; a *unit* is one entry of c and of h.
# The numbering is that of `minilstm/reference/lstm.py`. Hochreiter and Schmidhuber (1997); the forget
# gate is from Gers, Schmidhuber and Cummins (2000).

# %%
import numpy as np

from minilstm import reference
from minilstm.course import COLOURS, pyplot, save
from minilstm.verify.worksheet.build import make_worksheet

# %% [markdown]
# ## The numbers
#
# Two hidden units, two inputs. The numbers are those that `minilstm worksheet` prints, so that you
# can lay its paper beside this screen: there `Wx[1,f2]` is what here is the weight from the first
# input to the second unit of the forget gate.

# %%
sheet = make_worksheet(hidden=2, input=2, steps=2, seed=0)
UNITS = (1, 2)


def given(name):
    return np.array([sheet.values[name.format(k)] for k in UNITS])


def matrix(name, gate):
    return np.array([[sheet.values[name.format(row, gate, k)] for k in UNITS] for row in UNITS])


x, h_prev, c_prev = given("x{}[1]"), given("h{}[0]"), given("c{}[0]")  # (2,) each
Wx = {gate: matrix("Wx[{},{}{}]", gate) for gate in "ifgo"}            # (D, H) each
Wh = {gate: matrix("Wh[{},{}{}]", gate) for gate in "ifgo"}            # (H, H) each
b = {gate: given("b[" + gate + "{}]") for gate in "ifgo"}              # (H,) each
print("x     ", x)
print("h_prev", h_prev)
print("c_prev", c_prev)

# %% [markdown]
# ## What squeezes a number into a gate
#
# σ (sigmoid) takes any number to one between 0 and 1, tanh to one between -1 and 1. A gate is a
# share: of the old memory, of the new candidate, of what is shown. A candidate has a sign: it may
# add to the memory or take away from it.


# %%
def sigmoid(z):
    return 1 / (1 + np.exp(-z))


print("\n     z   sigmoid      tanh")
for z in (-4.0, -1.0, 0.0, 1.0, 4.0):
    print(f"{z:6.1f} {sigmoid(z):9.4f} {np.tanh(z):9.4f}")
assert sigmoid(0.0) == 0.5 and round(sigmoid(4.0), 3) == 0.982

# %% [markdown]
# ## Before the gates: one weighted sum for each
#
# All four gates look at the same two things, the input and what was shown before, each through
# weights of its own. In the sum for the first unit of the forget gate there are five numbers, each
# input times its weight, and the bias. Here they are one by one: check them with a calculator.

# %%
inputs, column = np.concatenate([x, h_prev]), np.concatenate([Wx["f"][:, 0], Wh["f"][:, 0]])  # (4,) each
print("\nzf of unit 1")
for name, value, weight in zip(("x1", "x2", "h1", "h2"), inputs, column):
    print(f"   {name}  {value:5.2f} times {weight:5.2f}   {value * weight:7.4f}")
parts = [*inputs * column, b["f"][0]]
print(f"   bias                   {b['f'][0]:7.4f}\n   together               {sum(parts):7.4f}\n")

z = {gate: x @ Wx[gate] + h_prev @ Wh[gate] + b[gate] for gate in "ifgo"}  # (2,) each: the same sums, all units at once
assert np.isclose(z["f"][0], sum(parts))
for gate in "figo":
    print(f"z{gate} = {z[gate].round(5)}")

# %% [markdown]
# ## The six equations
#
# The forget gate of unit 1 is 0.836: five sixths of its memory stay. Unit 2 has 0.283 and drops
# most of what it had. That is all that "long" in long short-term memory is made of: where f is near
# 1, equation (4) hands the number on nearly untouched, and no matrix and no squeezing stand in
# between.

# %%
f = sigmoid(z["f"])               # (1)
i = sigmoid(z["i"])               # (2)
g = np.tanh(z["g"])               # (3)
c = f * c_prev + i * g            # (4)
o = sigmoid(z["o"])               # (5)
h = o * np.tanh(c)                # (6)

print("\n                          unit 1    unit 2")
for name, value in {"f, what stays": f, "i, how much is written": i, "g, what is written": g, "o, what is shown": o}.items():
    print(f"{name:<24} {value[0]:8.5f}  {value[1]:8.5f}")
print(f"{'c before':<24} {c_prev[0]:8.5f}  {c_prev[1]:8.5f}")
print(f"{'c = f c_prev + i g':<24} {c[0]:8.5f}  {c[1]:8.5f}")
print(f"{'h = o tanh(c)':<24} {h[0]:8.5f}  {h[1]:8.5f}")
assert f.round(3).tolist() == [0.836, 0.283]

# %% [markdown]
# ## Is it what the worksheet says, and what the package computes?
#
# The worksheet computes with Python numbers, one at a time. `reference.lstm_step` puts the weights of
# the four gates side by side, `Wx (D, 4H)` in blocks i, f, g, o, so that one product makes all
# sums; it takes a batch, `x (B, D)`, here of one.

# %%
assert np.allclose(f, given("f{}[1]")) and np.allclose(c, given("c{}[1]")) and np.allclose(h, given("h{}[1]"))

side_by_side = lambda parts: np.concatenate([parts[gate] for gate in "ifgo"], axis=-1)
ours_h, ours_c, cache = reference.lstm_step(
    x[None], h_prev[None], c_prev[None], side_by_side(Wx), side_by_side(Wh), side_by_side(b)
)
assert np.allclose(ours_h[0], h, rtol=1e-15) and np.allclose(ours_c[0], c, rtol=1e-15)
print("\nthe worksheet, these lines, and reference.lstm_step agree: h =", ours_h[0].round(5))

# %% [markdown]
# ## What a gate does to a memory
#
# Let the cell run on its own for 30 steps, with nothing more to read and nothing written (i = 0):
# equation (4) is then c = f c_prev. With f = 0.5, which is sigmoid(0), the memory is gone after a
# handful of steps. With 0.99 three quarters of it are there after 30, and for that the sum before
# the gate must be 4.6: log(f / (1 - f)) is the number of which sigmoid makes f. This is why
# training begins with a bias of 1 for the forget gate, not 0: nearly three quarters of a memory
# then stay at each step, and there is something left for learning to keep (lesson 6 measures it).

# %%
steps = np.arange(31)
print("\n   f     sum     c after 10 steps   after 30")
for share in (0.5, 0.731, 0.9, 0.99):
    print(f"{share:5.3f} {np.log(share / (1 - share)):6.2f} {share**10:14.3f} {share**30:14.3f}")
assert round(0.99**30, 2) == 0.74 and round(np.log(0.99 / 0.01), 1) == 4.6

if plt := pyplot():
    figure, axes = plt.subplots()
    for share, colour in zip((0.5, 0.731, 0.9, 0.99), COLOURS):
        axes.plot(steps, share**steps, "o-", color=colour, markersize=3, label=f"f = {share}")
    axes.set(xlabel="steps", ylabel="share of the memory that is left", ylim=(0, 1.05))
    axes.set_title("What is left of c when nothing is written")
    axes.legend()
    save(figure, "02_one_step")

# %% [markdown]
# ## Exercises
#
# `minilstm exercise 2` makes your copy, `lessons/my/02_one_step.py`.
# Fill in its blanks, and run the same command again: it grades what you wrote.
#
# 1. From the sums to the gates, with the four blocks side by side.
# 2. A whole step for a batch.
# 3. Biases by hand, with which a cell remembers one number for a hundred steps.
