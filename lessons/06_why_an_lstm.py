# %% [markdown]
# # 6. Why an LSTM
#
# After this lesson you know why a simple recurrent network forgets, what an LSTM does about it and
# what it does not: you have derived it, measured it over 200 steps, and seen networks fail and
# succeed by it. It takes three quarters of an hour, and an hour and a half with its exercises. You
# need: lesson 2 (one step of an LSTM) and the chain rule.
#
# A network learns to remember only if the loss at step T tells the state k steps before what it
# should have been. That message is the gradient dLoss/dh[T-k]. It travels back one step at a time,
# and each step multiplies it by something. What this something is decides how far a network can
# learn to remember.
#
#     (1)  h = tanh(x Wx + h_prev Wh + b)       a simple RNN, `minilstm/reference/rnn.py`
#     (4)  c = f ⊙ c_prev + i ⊙ g               an LSTM, `minilstm/reference/lstm.py`
#     (5)  h = (1 - z) ⊙ n + z ⊙ h_prev         a GRU, `minilstm/reference/gru.py`
#
# A GRU (Cho et al. 2014) is an LSTM's younger relative. It has no cell state; one gate z, the
# update gate, says how much of the old h stays and how much of the candidate n, what is new, takes
# its place.
#
# Bengio, Simard and Frasconi (1994) showed why the message dies out in a simple RNN; Hochreiter and
# Schmidhuber (1997) built the LSTM around equation (4) for that reason; Jozefowicz, Zaremba and
# Sutskever (2015) found how much depends on the bias of its forget gate.

# %%
import numpy as np

from minilstm import reference
from minilstm.course import COLOURS, pyplot, quick, save
from minilstm.layers import Dense
from minilstm.layers.losses import output_loss
from minilstm.models.build import CELLS, parameter_shapes
from minilstm.optim import Adam, clip_by_global_norm
from minilstm.params import ParameterVector
from minilstm.reference.functions import sigmoid

QUICK = quick()

# %% [markdown]
# ## One number
#
# Let the state be one number, and leave the input out: h = tanh(w h_prev). The derivative of
# tanh(a) is 1 - tanh(a)², so one step back multiplies the gradient by w (1 - h²), and k steps back
# by k such factors. 1 - h² is at most 1. Take it for 1, the best case: what is left is w to the
# power of k, and a power is soon nothing or soon enormous. Of 0.9 a hundredth power is 3e-05, of
# 1.1 it is 14,000. Only w = 1 is neither, and no training keeps a weight at exactly 1.

# %%
print("    w   after 10 steps   after 50   after 100")
for w in (0.5, 0.9, 1.0, 1.1, 1.5):
    print(f"{w:5.1f} {w**10:16.2g} {w**50:10.2g} {w**100:11.2g}")
assert f"{0.9**100:.0e}" == "3e-05" and round(1.1**100, -3) == 14_000

# %% [markdown]
# ## A simple RNN: a product of matrices
#
# With H numbers the factor is a matrix. Equation (1), one step back:
#
#     da = dh ⊙ (1 - h²)                the sum a = x Wx + h_prev Wh + b gets this
#     dh_prev = da Whᵀ                  together: dh_prev = dh J, with J = diag(1 - h²) Whᵀ
#
# so k steps back is dh times k such matrices, the Jacobians of the steps. How far can a product of
# matrices stretch a vector? By no more than the product of how far each can. And J can stretch one
# by at most the largest 1 - h² times the largest singular value of Wh. Where that is below 1, the
# gradient shrinks at least geometrically; above 1 it may explode, but need not (Pascanu, Mikolov
# and Bengio 2013).
#
# Here Wh is orthogonal, as the package draws it: it neither lengthens nor shortens any vector, the
# matrix version of w = 1. All shrinking is then the work of 1 - h². The norm of a matrix is how far
# it stretches a vector at most, its largest singular value.

# %%
H, STEPS = 32, 100
rng = np.random.default_rng(0)
x, Wx, b = rng.normal(size=(STEPS, 1, 4)), rng.normal(0, 0.2, (4, H)), np.zeros(H)
Wh, _ = np.linalg.qr(rng.normal(size=(H, H)))
h = [np.zeros((1, H))]
for t in range(STEPS):
    h.append(np.tanh(x[t] @ Wx + h[t] @ Wh + b))                               # (1)

product, bound = np.eye(H), 1.0
print("\nsteps back   norm of the product   product of the norms")
for k in range(1, STEPS + 1):
    after = h[STEPS - k + 1][0]                                                # h of the step that is gone back
    J = np.diag(1 - after**2) @ Wh.T                                           # (H, H)
    product, bound = product @ J, bound * np.linalg.norm(J, 2)
    if k in (1, 2, 5, 10, 20, 50, 100):
        print(f"{k:10} {np.linalg.norm(product, 2):21.2g} {bound:22.2g}")
assert np.linalg.norm(product, 2) < 1e-6 < 0.5 < bound < 1

# %% [markdown]
# After 100 steps the bound is still above 0.5 and the product below a millionth. For what one step
# nearly spares, a unit whose h is near 0, Wh turns into a mixture of all units, and the next step
# does not spare that.
#
# The package, going back step by step and without any product of matrices, gets the same numbers.

# %%
dh = u = rng.normal(size=(1, H))                                               # dLoss/dh at the last step
for t in reversed(range(STEPS)):
    dx, dh, grads = reference.rnn_step_backward(dh, reference.RNNStepCache(x[t], h[t], h[t + 1]), Wx, Wh)
assert np.allclose(dh, u @ product, rtol=1e-6, atol=0)
print(f"\nnorm of dh[0]: {np.linalg.norm(dh):.5g} step by step, {np.linalg.norm(u @ product):.5g} by the product")

# %% [markdown]
# ## An LSTM: a product of forget gates
#
# Now equation (4). Straight along the cell state, c_prev is multiplied by f and by nothing else: no
# matrix, no tanh. k steps back, the factor of a unit is the product of its k forget gates. Three
# things follow; the second is often overlooked.
#
# - The units do not mix: one may keep its memory while its neighbour drops its own.
# - **It is a product still, and still geometric.** A gate of σ(0) = 0.5 halves the gradient at each
#   step, and forgets faster than the simple RNN above.
# - But the factor is computed, not fixed. Training can open and close it, and a bias can put it as
#   near to 1 as we like. In 1997 there was no forget gate: f was 1, always.
#
# Half of the gradient is left after log(0.5) / log(f) steps: one step with a bias of 0, 14 with a
# bias of 3, 103 with 5. After 100 steps, a bias of 1 has left 2e-14 of it.

# %%
print("\nforget bias   f = σ(bias)   half is left after   after 100 steps")
biases = np.array([0.0, 1.0, 3.0, 5.0])
halves = np.log(0.5) / np.log(sigmoid(biases))
for bias, f, half in zip(biases, sigmoid(biases), halves):
    print(f"{bias:11.0f} {f:13.4f} {half:14.1f} steps {f**100:17.2g}")
assert halves.round()[[0, 2, 3]].tolist() == [1, 14, 103] and f"{sigmoid(biases)[1] ** 100:.0e}" == "2e-14"

Wx, Wh, b = rng.normal(size=(4, 4 * H)), np.zeros((H, 4 * H)), rng.normal(2, 1, 4 * H)
state, forgets, caches = (np.zeros((1, H)), np.zeros((1, H))), np.ones((1, H)), []
for t in range(STEPS):
    *state, cache = reference.lstm_step(x[t], *state, Wx, Wh, b)
    forgets, caches = forgets * cache.f, [*caches, cache]
dh, dc = np.zeros((1, H)), np.ones((1, H))
for cache in caches[::-1]:
    dx, dh, dc, grads = reference.lstm_step_backward(dh, dc, cache, Wx, Wh)
assert np.allclose(dc, forgets, rtol=1e-6, atol=0)
print(f"\nunit 1 of an LSTM without Wh\n   product of 100 forget gates {forgets[0, 0]:.5g}, its dc[0] {dc[0, 0]:.5g}")

# %% [markdown]
# ## The whole gradient, measured
#
# With Wh there are more ways from c to the next c, through h and the gates. So now nothing is left
# out. Networks as the package initialises them, but for what their names say, read 300 random
# symbols, 16 sequences at once. At the last step a random dLoss/dh is put in, and on the way back
# the norm of the gradient of the state is written down, divided by the first. The state of an LSTM
# is h and c together. Equation (5) of a GRU, h = (1 - z) ⊙ n + z ⊙ h_prev, has a straight path too,
# with z for f (all five stand in the third exercise, and are explained in lesson 13): it is
# measured once as it is and once with a bias of 5 for z.

# %%
V, DISTANCES = 8, 200
KINDS = {
    "simple RNN": ("rnn", {}),
    "simple RNN, 1.5 Wh": ("rnn", {}),
    "GRU": ("gru", {}),
    "GRU, update bias 5": ("gru", {"bx": (0, 5, 0)}),                          # blocks r, z, n
    "LSTM, forget bias 0": ("lstm", {"b": (0, 0, 0, 0)}),                      # blocks i, f, g, o
    "LSTM, forget bias 1": ("lstm", {"b": (0, 1, 0, 0)}),
    "LSTM, forget bias 3": ("lstm", {"b": (0, 3, 0, 0)}),
    "LSTM, forget bias 5": ("lstm", {"b": (0, 5, 0, 0)}),
    "LSTM, forget 5, input -3": ("lstm", {"b": (-3, 5, 0, 0)}),
}


def begin(kind, dtype, seed=0):
    # a recurrent layer, and one vector with its parameters and those of an output layer for 4 symbols
    cell, biases = KINDS[kind]
    rooms, rng = {"layer": CELLS[cell](V, H), "output": Dense(H, 4)}, np.random.default_rng(seed)
    theta = ParameterVector(parameter_shapes(rooms), dtype)
    for name, room in rooms.items():
        for key, value in room.init(rng, dtype).items():
            theta[f"{name}.{key}"][...] = value
    theta["layer.Wh"][...] *= 1.5 if "1.5" in kind else 1
    for name, blocks in biases.items():
        theta[f"layer.{name}"][...] = np.repeat(blocks, H)
    return rooms["layer"], theta


def gradient_sizes(kind, ids):
    # norms of the state's gradient 0, 1, … DISTANCES steps before the last, that at the last being 1
    layer, theta = begin(kind, np.float64)
    params = theta.layer("layer")
    step, step_backward = (getattr(reference, KINDS[kind][0] + name) for name in ("_step", "_step_backward"))
    state, caches = layer.zero_state(ids.shape[1], np.float64), []
    for x in np.eye(V)[ids]:
        *state, cache = step(x, *state, *params.values())
        caches.append(cache)
    dstate = [np.zeros_like(part) for part in state]                           # (dh,), of an LSTM (dh, dc)
    dstate[0] = np.random.default_rng(1).normal(size=state[0].shape)
    dh, sizes = np.stack([0 * dstate[0]] * (DISTANCES - 1) + [dstate[0]]), [np.linalg.norm(dstate)]
    for cache in caches[: -DISTANCES - 1 : -1]:
        dx, *dstate, grads = step_backward(*dstate, cache, params["Wx"], params["Wh"])
        sizes.append(np.linalg.norm(dstate))

    # the package's layers, which go back through all steps at once, must come to the same
    _, state, _ = layer.forward(params, ids[:-DISTANCES])
    _, dstate, _ = layer.backward(params, dh, layer.forward(params, ids[-DISTANCES:], state)[2])
    assert np.isclose(np.linalg.norm(dstate), sizes[-1], rtol=1e-6, atol=0)
    return np.array(sizes) / sizes[0]


ids = np.random.default_rng(0).integers(4, V, (100 + DISTANCES, 16))           # (T, B); in the first 100 steps it settles
SIZES = {kind: gradient_sizes(kind, ids) for kind in KINDS}
print("\nsize of the gradient   1 step back        10        50       100       200")
for kind, sizes in SIZES.items():
    print(f"{kind:<25}" + "".join(f"{size:10.0e}" for size in sizes[[1, 10, 50, 100, 200]]))

if plt := pyplot():
    figure, panels = plt.subplots(1, 3, figsize=(8.5, 4), sharey=True)
    for axes, cell in zip(panels, ("simple RNN", "GRU", "LSTM")):
        for kind, colour in zip((kind for kind in reversed(KINDS) if kind.startswith(cell)), COLOURS):
            axes.semilogy(SIZES[kind], color=colour, label=kind.removeprefix(cell).strip(", ") or "as initialised")
        axes.set(title=cell, xlabel="steps back", xlim=(0, DISTANCES), ylim=(1e-18, 1e15), yticks=10.0 ** np.arange(-18, 4, 3))
        axes.legend(loc="upper left")
    panels[0].set_ylabel("size of the gradient"), figure.suptitle("Going back, the gradient lasts where a gate stays open")
    save(figure, "06_why_an_lstm")

# %% [markdown]
# Where the gradient dies or explodes, the lines are straight on a logarithmic axis: what happens is
# geometric, for every cell. (That those of the LSTM fall at first is the way from h to c, through
# an output gate of one half and a tanh.) Where it lasts they bend, and with a forget bias of 5 the
# line even rises again: with such gates little is lost straight along the cell state, and the other
# ways back, through h, Wh and the gates, are of a size with it. So with a bias of 3 a tenth is left
# after
# 100 steps, where the product of forget gates alone has less than a hundredth.
#
# - The simple RNN loses a constant share at every step; after 100 steps less than 1e-5 is left.
#   With Wh half as large again it explodes, more than tenfold in 100 steps.
# - **The LSTM with a forget bias of 0 is the worst of all, and with a bias of 1 it is a hundred
#   times worse than the simple RNN.** The GRU, whose z starts at σ(0), is worse still. No network
#   remembers just because it is an LSTM.
# - With a bias of 3 a tenth is left after 100 steps, a hundred thousand times what the simple RNN
#   has. This is the knob that a simple RNN lacks. The GRU has it too: with 5 for z it keeps
#   more than a tenth over 200 steps.
#
# A gradient that vanishes over distance is not a gradient of zero. What a weight gets is a sum over
# all distances. With a bias of 1, more than 90 % of the norms added up are from the last 20 steps:
# the network learns well what is near and hears nothing of what is far. A higher learning rate, or
# Adam, enlarges the whole sum and not the far part of it; and clipping, the remedy for gradients
# that explode, does nothing for those that vanish.

# %%
left = {kind: sizes[100] for kind, sizes in SIZES.items()}
assert min(left, key=left.get) == "LSTM, forget bias 0" and left["simple RNN, 1.5 Wh"] > 10
assert left["GRU"] < left["LSTM, forget bias 1"] < left["simple RNN"] / 100 < min(1e-7, left["LSTM, forget bias 3"] / 1e7)
assert 0.05 < left["LSTM, forget bias 3"] < 0.2 and sigmoid(3) ** 100 < 0.01 and SIZES["GRU, update bias 5"][200] > 0.1
assert SIZES["LSTM, forget bias 1"][:21].sum() > 0.9 * SIZES["LSTM, forget bias 1"].sum()

# %% [markdown]
# ## Does it matter? A task
#
# Four symbols, one of which comes first; then k steps of four others, at random; then the first one
# has to be named. Chance is 25 %. The networks are those above, with an output layer that looks at
# the last h; they train with Adam on 32 sequences an update, 300 updates (with `--quick` there are
# only the first 40, over 10 steps). The table has a column for each pair of steps to remember and
# updates: the share that is named, and in brackets what is left of the gradient after so many
# steps. That was measured above, before training: can it tell how training ends?

# %%
TASK = ("simple RNN", "GRU", "GRU, update bias 5", "LSTM, forget bias 1", "LSTM, forget bias 5", "LSTM, forget 5, input -3")


def sequences(rng, distance, count):
    first = rng.integers(0, 4, count)
    return np.concatenate([first[None], rng.integers(4, V, (distance, count))]), first  # ids (k + 1, B), targets (B,)


def train(kind, distance, updates, seed=0):
    # the share of 500 new sequences whose first symbol is named, after training
    layer, theta = begin(kind, np.float32, seed)
    gradients, rng, adam = theta.zeros_like(), np.random.default_rng(seed), Adam(0.003)
    params, output = theta.layer("layer"), theta.layer("output")
    adam_state = adam.init(theta.flat)
    for _ in range(updates):
        ids, first = sequences(rng, distance, 32)
        h, _, cache = layer.forward(params, ids)                               # (k + 1, B, H)
        dh = np.zeros_like(h)
        _, dh[-1] = output_loss(output, h[-1], first, gradients.layer("output"))
        layer.backward(params, dh, cache, grads=gradients.layer("layer"))
        clip_by_global_norm(gradients.flat, 1.0)
        adam_state = adam.step(theta.flat, gradients.flat, adam_state)
    ids, first = sequences(rng, distance, 500)
    h, _, _ = layer.forward(params, ids)
    return np.mean((h[-1] @ output["W"] + output["b"]).argmax(axis=1) == first)


RUNS = [(10, 40)] if QUICK else [(10, 40), (10, 300), (50, 300), (200, 300)]   # steps, updates
RIGHT = {kind: {run: train(kind, *run) for run in RUNS} for kind in TASK}
print(f"\n{'steps, updates':<24}" + "".join(f"{f'{distance}, {updates}':>14}" for distance, updates in RUNS))
for kind, shares in RIGHT.items():
    print(f"{kind:<24}" + "".join(f"{share:6.0%} ({SIZES[kind][run[0]]:.0e})" for run, share in shares.items()))

# %% [markdown]
# After 300 updates, the size of the gradient before training tells who can learn. After 40 it does
# not tell who learns first: the two that have most of it left still guess.
#
# - 10 steps: after 40 updates the simple RNN and the LSTM with a forget bias of 5 name the symbol,
#   the GRU still guesses, whatever its bias. After 300 all name it.
# - 50 steps: the GRU and the LSTM with a bias of 1, with less than 1e-4 of the gradient left, guess
#   to the end. The three that have more than a hundredth left name the symbol. The simple RNN
#   stands between them: some seeds find it, others, like the one that is printed, do not.
# - 200 steps: the simple RNN, the GRU and the LSTM with a bias of 1 guess. The GRU with 5 for z and
#   the LSTM with 5 for f and -3 for i name the symbol.
#
# One row does not fit even after 300 updates: with a forget bias of 5 alone the gradient arrives
# over 200 steps, and yet the seed decides whether it is learned. That the message arrives is
# necessary, not enough. The input gate of this LSTM is half open, so it writes every symbol of the
# noise on top of the first, and its forget gate keeps them all: after 200 steps the standard
# deviation of c is above 5. tanh(c) is then near 1 or -1 whatever is added. With -3 for the input
# gate it is below 1, as printed below. To keep and to write are two decisions. In a GRU one gate
# makes both: z near 1 keeps, and writes little. Tallec and Ollivier (2018) draw such pairs of
# biases from the distance to be bridged.
#
# Why then is 1 the usual bias? The derivative of σ is f (1 - f): a gate that is nearly shut or
# nearly open also learns slowly, and what was not written cannot be kept. After 40 updates the last
# row is still behind the row above it. Text needs tens of steps before it needs hundreds, and from
# 1 a gate can go either way.

# %%
print("\nstandard deviation of c after 200 steps of noise, before training")
for kind in TASK[-2:]:
    layer, theta = begin(kind, np.float64)
    _, (hT, cT), _ = layer.forward(theta.layer("layer"), ids[:DISTANCES])
    print(f"{kind:<25}{cT.std():8.2f}")
    assert cT.std() < 1 if "input" in kind else cT.std() > 5

early = {kind: shares[10, 40] for kind, shares in RIGHT.items()}
assert early["simple RNN"] > 0.9 > 0.45 > max(early[TASK[1]], early[TASK[2]]) and early[TASK[-2]] > max(0.9, early[TASK[-1]])
if not QUICK:
    late = {kind: np.array(list(shares.values())[1:]) for kind, shares in RIGHT.items()}  # over 10, 50, 200 steps
    assert min(shares[0] for shares in late.values()) > 0.9 and late["simple RNN"][2] < 0.4
    assert all(late[kind][1:].max() < 0.4 and SIZES[kind][50] < 1e-4 for kind in ("GRU", "LSTM, forget bias 1"))
    assert all(late[kind][1] > 0.9 and SIZES[kind][50] > 0.01 for kind in TASK if "5" in kind)
    assert late["GRU, update bias 5"][2] > 0.9 and late["LSTM, forget 5, input -3"][2] > 0.9

# %% [markdown]
# ## Exercises
#
# `minilstm exercise 6` makes your copy, `lessons/my/06_why_an_lstm.py`.
# Fill in its blanks, and run the same command again: it grades what you wrote.
#
# 1. The gradient of a simple RNN of one number, over every distance at once.
# 2. The forget bias that leaves a given share of the gradient after k steps.
# 3. From dh to dh_prev through a GRU, on all of its four ways.
