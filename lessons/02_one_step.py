# %% [markdown]
# # 2. One step of an LSTM
#
# In this lesson you learn to compute one step of an LSTM with pencil and calculator.
# You also learn what each of its six equations is for. Reading takes half an hour; with
# the exercises, an hour. You need: matrices in NumPy. You do not need lesson 1.
#
# A recurrent network reads one input `x` at each time step, and passes its state on to
# the next step. The state of an LSTM has two parts. The *cell state* `c` is its memory.
# The *hidden state* `h` is the part of it that the LSTM outputs.
#
# There are three *gates* and a *candidate*. A gate is a number between 0 and 1. It
# decides what to forget, what to write, or what to output. The candidate is what can be
# written.
#
#     (1)  f = σ(x Wx_f + h_prev Wh_f + b_f)         forget gate
#     (2)  i = σ(x Wx_i + h_prev Wh_i + b_i)         input gate
#     (3)  g = tanh(x Wx_g + h_prev Wh_g + b_g)      candidate
#     (4)  c = f ⊙ c_prev + i ⊙ g                    cell state
#     (5)  o = σ(x Wx_o + h_prev Wh_o + b_o)         output gate
#     (6)  h = o ⊙ tanh(c)                           hidden state
#
# - `h_prev` and `c_prev` are h and c of the step before.
# - ⊙ multiplies entry by entry.
# - `Wx` and `Wh` are the weights, matrices of numbers that training will find.
# - `b` is the bias, a number that is added for each unit.
# - A *unit* is one entry of c and of h. There are H of them.
#
# The equations have the numbers of `minilstm/reference/lstm.py`. They stand in the
# order in which one reads them: f, i, g, o. In memory the blocks of the weights have
# the order i, f, g, o, because PyTorch has that order.
#
# Sources: Hochreiter and Schmidhuber (1997); for the forget gate, Gers, Schmidhuber and
# Cummins (2000).

# %%
import numpy as np

from minilstm import reference
from minilstm.course import COLOURS, pyplot, save
from minilstm.verify.worksheet.build import make_worksheet

# %% [markdown]
# ## The numbers
#
# There are D = 2 inputs and H = 2 units. In a weight matrix, row d belongs to input d
# and column k to unit k. So `Wx_f[0, 1]` is the weight from the first input to the
# forget gate of the second unit.
#
# `minilstm worksheet` prints the same numbers, with every computation written out. You
# can put it beside this lesson. It has about 800 lines (14 pages), of which this lesson
# needs the first 165. It contains all results, and it ends with the gradients: no
# weight changes in it.
#
# > **How we count.** On paper, in worksheets and in printed tables, we count from 1:
# > `f2[1]` is unit 2 of the forget gate at time step 1, and `[0]` means "before the
# > first step". `Wx[1,f2]` is the weight of the example above. In Python, arrays count
# > from 0: unit 2 is `f[1]`.

# %%
x = np.array([0.85, -0.51])                        # (D,)
h_prev = np.array([0.18, 0.65])                    # (H,)
c_prev = np.array([0.50, 0.97])                    # (H,)

Wx_i = np.array([[0.63, 0.56], [0.09, 0.03]])      # (D, H): input gate
Wx_f = np.array([[0.28, -0.67], [-0.08, -0.48]])   # forget gate
Wx_g = np.array([[0.40, -0.55], [-0.40, -0.01]])   # candidate
Wx_o = np.array([[0.76, -0.84], [0.01, 0.53]])     # output gate

Wh_i = np.array([[0.26, -0.76], [-0.87, 0.58]])    # (H, H)
Wh_f = np.array([[0.46, 0.80], [0.84, -0.38]])
Wh_g = np.array([[0.38, 0.95], [-0.42, 0.72]])
Wh_o = np.array([[0.84, -0.70], [0.08, -0.53]])

b_i = np.array([0.67, -0.26])                      # (H,)
b_f = np.array([0.72, -0.50])
b_g = np.array([-0.76, 0.33])
b_o = np.array([-0.27, 0.71])

print("x     ", x)
print("h_prev", h_prev)
print("c_prev", c_prev)

# %% [markdown]
# ## Sigmoid and tanh
#
# σ is the sigmoid function. It maps every number to one between 0 and 1; tanh maps to
# between -1 and 1. A gate is a fraction: of the old memory, of the candidate, of what
# is output. The candidate has a sign: it can add to the memory or subtract from it.
#
# A line with `assert` checks what the text says, and stops the program if it is not
# true. You may skip these lines when you read.


# %%
def sigmoid(z):
    return 1 / (1 + np.exp(-z))


print("\n     z   sigmoid      tanh")
for z in (-4.0, -1.0, 0.0, 1.0, 4.0):
    print(f"{z:6.1f} {sigmoid(z):9.4f} {np.tanh(z):9.4f}")
assert sigmoid(0.0) == 0.5 and round(sigmoid(4.0), 3) == 0.982

# %% [markdown]
# ## First, four weighted sums
#
# The three gates and the candidate read the same two vectors, x and h_prev, each with
# weights of its own. Each begins with a weighted sum, the *pre-activation* z. For the
# forget gate of unit 1, this sum has four products and the bias. Check them with a
# calculator.

# %%
print("\nzf of unit 1")
for name, value, weight in (
    ("x1", x[0], Wx_f[0, 0]),
    ("x2", x[1], Wx_f[1, 0]),
    ("h1", h_prev[0], Wh_f[0, 0]),
    ("h2", h_prev[1], Wh_f[1, 0]),
):
    print(f"   {name}  {value:5.2f} times {weight:5.2f}   {value * weight:7.4f}")
total = x[0] * Wx_f[0, 0] + x[1] * Wx_f[1, 0] + h_prev[0] * Wh_f[0, 0] + h_prev[1] * Wh_f[1, 0] + b_f[0]
print(f"   bias                   {b_f[0]:7.4f}\n   sum                    {total:7.4f}\n")

# %% [markdown]
# A matrix product computes such sums for both units at once:

# %%
zf = x @ Wx_f + h_prev @ Wh_f + b_f               # (H,) each
zi = x @ Wx_i + h_prev @ Wh_i + b_i
zg = x @ Wx_g + h_prev @ Wh_g + b_g
zo = x @ Wx_o + h_prev @ Wh_o + b_o

for name, z in {"zf": zf, "zi": zi, "zg": zg, "zo": zo}.items():
    print(f"{name} = {z.round(5)}")
assert np.isclose(zf[0], total)

# %% [markdown]
# ## The six equations

# %%
f = sigmoid(zf)                   # (1)
i = sigmoid(zi)                   # (2)
g = np.tanh(zg)                   # (3)
c = f * c_prev + i * g            # (4)
o = sigmoid(zo)                   # (5)
h = o * np.tanh(c)                # (6)

print("\n                          unit 1    unit 2")
for name, value in {
    "f, how much is kept": f,
    "i, how much is written": i,
    "g, what is written": g,
    "o, how much is output": o,
    "c_prev": c_prev,
    "c = f c_prev + i g": c,
    "h = o tanh(c)": h,
}.items():
    print(f"{name:<24} {value[0]:8.5f}  {value[1]:8.5f}")
assert f.round(3).tolist() == [0.836, 0.283]

# %% [markdown]
# The forget gate of unit 1 is 0.836: five sixths of its memory are kept. Unit 2 has
# 0.283 and forgets most of its memory.
#
# This is why the memory can be long. Where f is near 1, equation (4) passes c on almost
# unchanged. There is no matrix and no tanh on the way.
#
# ## The package computes the same
#
# Three programs must agree: the lines above, the worksheet, and `reference.lstm_step`.
# The worksheet computes with single Python numbers. `reference.lstm_step` puts the
# weights of all gates side by side, `Wx (D, 4H)` in blocks i, f, g, o. So one matrix
# product computes all sums. It takes a mini-batch, `x (B, D)`; here B = 1.

# %%
sheet, UNITS = make_worksheet(hidden=2, input=2, steps=2, seed=0), (1, 2)
assert np.allclose(f, sheet.array("f{}[1]", UNITS))
assert np.allclose(c, sheet.array("c{}[1]", UNITS)) and np.allclose(h, sheet.array("h{}[1]", UNITS))

Wx = np.concatenate([Wx_i, Wx_f, Wx_g, Wx_o], axis=1)   # (D, 4H)
Wh = np.concatenate([Wh_i, Wh_f, Wh_g, Wh_o], axis=1)   # (H, 4H)
b = np.concatenate([b_i, b_f, b_g, b_o])                # (4H,)
batch_h, batch_c, cache = reference.lstm_step(x[None], h_prev[None], c_prev[None], Wx, Wh, b)
assert np.allclose(batch_h[0], h, rtol=1e-15) and np.allclose(batch_c[0], c, rtol=1e-15)
print("\nthe worksheet, these lines and reference.lstm_step agree: h =", batch_h[0].round(5))

# %% [markdown]
# ## How long a gate keeps a memory
#
# Now run the cell for 30 steps without writing anything (i = 0). Equation (4) is then
# c = f c_prev, so after n steps f to the power of n is left:
#
# - With f = 0.5, which is sigmoid(0), the memory is gone after a few steps.
# - With f = 0.99, three quarters of it are left after 30 steps.
#
# For f = 0.99 the pre-activation must be 4.6. In general it must be log(f / (1 - f)),
# because the sigmoid of this number is f.
#
# This is why training begins with a forget gate bias of 1, not 0. A bias of 1 keeps
# nearly three quarters of the memory at each step. So there is something left that the
# network can learn to use (lesson 6 measures it).

# %%
steps = np.arange(31)
print("\n   f       z     c after 10 steps   after 30")
for gate in (0.5, 0.731, 0.9, 0.99):
    print(f"{gate:5.3f} {np.log(gate / (1 - gate)):6.2f} {gate**10:14.3f} {gate**30:14.3f}")
assert round(0.99**30, 2) == 0.74 and round(np.log(0.99 / 0.01), 1) == 4.6

if plt := pyplot():
    figure, axes = plt.subplots()
    for gate, colour in zip((0.5, 0.731, 0.9, 0.99), COLOURS):
        axes.plot(steps, gate**steps, "o-", color=colour, markersize=3, label=f"f = {gate}")
    axes.set(xlabel="time steps", ylabel="fraction of the memory that is left", ylim=(0, 1.05))
    axes.set_title("What is left of c when nothing is written")
    axes.legend()
    save(figure, "02_one_step")

# %% [markdown]
# ## Exercises
#
# `minilstm exercise 2` makes your copy, `lessons/my/02_one_step.py`.
# Fill in its blanks, and run the same command again: it grades what you wrote.
#
# 1. From the pre-activations to the gates and the candidate.
# 2. A whole step for a mini-batch.
# 3. Choose biases with which a cell remembers one number for a hundred steps.
