# %% [markdown]
# # 13. Deeper, wider, other cells
#
# After this lesson you can:
#
# - count the parameters and the arithmetic of a model before you build it
# - write a GRU, forward and backward
# - say what a comparison of two models shows, and what it does not show
#
# The lesson takes three quarters of an hour, an hour and a half with its exercises. You
# need the six equations of an LSTM (lesson 2) and training (lesson 10). The third
# exercise needs lesson 3.
#
# [Lesson 17 of "AI for
# Beginners"](https://github.com/microsoft/AI-For-Beginners/tree/main/lessons/5-NLP/17-GenerativeNetworks)
# by Microsoft generates headlines character by character; this package [reproduces
# it](../docs/published-systems.md). It leaves as exercises what two or three layers,
# wider layers, a GRU or a simple RNN would change. Here these experiments are run in a
# small size, and explained. `benchmarks/experiments.py` runs 27 models for longer; its
# table is `benchmarks/results/experiments.md`.

# %%
import numpy as np

from minilstm import Adam, CharTokenizer, LanguageModel, reference
from minilstm.corpora.headlines import headlines
from minilstm.course import COLOURS, pyplot, quick, save
from minilstm.data.batches import CorpusBatches, SequenceBatches
from minilstm.layers import Dropout
from minilstm.reference.functions import sigmoid
from minilstm.training.loop import Training, evaluate, fit, train_steps

grammar = headlines()
tok = CharTokenizer(tuple(grammar.alphabet))
V = tok.vocab_size

# %% [markdown]
# ## How many parameters?
#
# A gate reads the input x (D numbers) and the last hidden state (H numbers), and
# returns H numbers. That takes a matrix of D rows and H columns, one of H rows and H
# columns, and a bias of H numbers: together H (D + H + 1).
#
#     LSTM         four of these: i, f, g, o              4H (D + H + 1)
#     GRU          three: r, z, n, with two biases each   3H (D + H + 2)
#     simple RNN   one, which is the hidden state         H (D + H + 1)
#
# D depends on the layer:
#
# - The first layer with one-hot input: D = V, the size of the vocabulary.
# - The first layer with an embedding of width E: D = E. The embedding itself has V E
#   parameters.
# - Every layer above: D = H, because it reads the hidden states below it.
#
# The output layer has H V weights and V biases.
#
# Doubling the width makes H² four times as large. Doubling the layers only doubles
# their number. So width costs most. From 64 to 128 this LSTM becomes 2.8 times as large
# and not four times, because two parts only double: the V rows of Wx, and the V columns
# of the output layer.


# %%
def of_layer(cell, D, H):
    gates, biases = {"rnn": (1, 1), "gru": (3, 2), "lstm": (4, 1)}[cell]
    return gates * H * (D + H + biases)


def parameters(cell, layers, H, V, E=None):
    embedding = 0 if E is None else V * E
    first, above = of_layer(cell, V if E is None else E, H), of_layer(cell, H, H)
    return embedding + first + (layers - 1) * above + H * V + V


MODELS = [("rnn", 1, 64), ("gru", 1, 64), ("lstm", 1, 64), ("lstm", 1, 32), ("lstm", 1, 128), ("lstm", 3, 64)]
print("layers       first layer   above  output    total")
for cell, layers, H in MODELS:
    total, above = parameters(cell, layers, H, V), (layers - 1) * of_layer(cell, H, H)
    print(f"{cell:<4} {layers} x {H:<3} {of_layer(cell, V, H):12,} {above:7,} {H * V + V:7,} {total:8,}")
    assert total == LanguageModel(V, hidden=H, layers=layers, cell=cell).parameters.flat.size
assert round(parameters("lstm", 1, 128, V) / parameters("lstm", 1, 64, V), 1) == 2.8
print("\n" + LanguageModel(V, hidden=64, layers=2, cell="gru").summary())
assert parameters("lstm", 1, 128, 84) == 119_892 and parameters("lstm", 1, 128, 10_000, 100) == 2_407_248

# %% [markdown]
# ## One step of a GRU
#
# A GRU (Cho et al. 2014) has no cell state: its hidden state is also its memory. The
# numbering is that of `minilstm/reference/gru.py`:
#
#     (1)  r = σ(x Wx_r + bx_r + h_prev Wh_r + bh_r)         reset gate
#     (2)  z = σ(x Wx_z + bx_z + h_prev Wh_z + bh_z)         update gate
#     (3)  q = h_prev Wh_n + bh_n                            past that n may read
#     (4)  n = tanh(x Wx_n + bx_n + r ⊙ q)                   candidate
#     (5)  h = (1 - z) ⊙ n + z ⊙ h_prev                      hidden state
#
# The simple RNN of `minilstm/reference/rnn.py` (Elman 1990) is h = tanh(x Wx + h_prev
# Wh + b).
#
# (5) does the work of the LSTM's (4): where z is near 1, the old number passes on
# unchanged. One gate decides about both keeping and writing, so what is kept is not
# written. An LSTM may do both, or neither.

# %%
B, D, H = 1, 3, 2
rng = np.random.default_rng(0)
x, h_prev = rng.normal(size=(B, D)), rng.normal(size=(B, H))
Wx, Wh, bx, bh = (rng.normal(size=shape) for shape in ((D, 3 * H), (H, 3 * H), 3 * H, 3 * H))
of = {"r": slice(0, H), "z": slice(H, 2 * H), "n": slice(2 * H, 3 * H)}     # the columns of a gate

input_sum = lambda gate: x @ Wx[:, of[gate]] + bx[of[gate]]                 # (B, H)
past_sum = lambda gate: h_prev @ Wh[:, of[gate]] + bh[of[gate]]             # (B, H)
r = sigmoid(input_sum("r") + past_sum("r"))                                 # (1)
z = sigmoid(input_sum("z") + past_sum("z"))                                 # (2)
q = past_sum("n")                                                           # (3)
n = np.tanh(input_sum("n") + r * q)                                         # (4)
h = (1 - z) * n + z * h_prev                                                # (5)
rows = {"h_prev": h_prev, "r, how much of q is read": r, "z, how much stays": z, "n, candidate": n, "h": h}
print("\n                               unit 1  unit 2")
for name, value in rows.items():
    print(f"{name:<29} {value[0, 0]:7.4f} {value[0, 1]:7.4f}")
assert np.allclose(h, reference.gru_step(x, h_prev, Wx, Wh, bx, bh)[0], rtol=1e-12)

h_rnn = np.tanh(x @ Wx[:, :H] + h_prev @ Wh[:, :H] + bx[:H])                # the simple RNN
assert np.allclose(h_rnn, reference.rnn_step(x, h_prev, Wx[:, :H], Wh[:, :H], bx[:H])[0], rtol=1e-12)

# %% [markdown]
# ## Two GRUs that look alike
#
# In the final version of the paper, the reset gate comes *before* the product: (r ⊙
# h_prev) Wh_n. In (3) and (4) it comes *after* the product: r ⊙ (h_prev Wh_n + bh_n).
# cuDNN, PyTorch and Keras do so too; in Keras the option is named `reset_after=True`.
#
# - Before: r says which units of the past are read.
# - After: r says which units of the candidate read the past.
#
# If all entries of r are equal and bh_n is 0, both are the same. After is faster,
# because h_prev Wh is one product for all three blocks, and need not wait for r. It
# needs two biases. r scales bh_n and not bx_n, so these cannot be added into one bias,
# as those of r and of z could be.
#
# There is a second trap. Some write (5) with z and 1 - z exchanged: h = z ⊙ n + (1 - z)
# ⊙ h_prev (Chung et al. 2014). That is the same GRU if the weights and biases of z are
# negated, since 1 - σ(a) = σ(-a). If you copy weights from one to the other unchanged,
# you get nonsense, and no error.

# %%
before = np.tanh(input_sum("n") + (r * h_prev) @ Wh[:, of["n"]] + bh[of["n"]])
print(f"\ncandidate, reset after the product {n[0].round(4)}, before it {before[0].round(4)}")
equal = np.full((B, H), 0.3)  # a reset gate whose entries are equal
assert not np.allclose(n, before) and np.allclose(equal * (h_prev @ Wh[:, of["n"]]), (equal * h_prev) @ Wh[:, of["n"]])
assert np.allclose(1 - z, sigmoid(-(input_sum("z") + past_sum("z"))))

# %% [markdown]
# ## What a token costs
#
# Nearly all the arithmetic is in the matrix products. Forward, each weight of a matrix
# is multiplied once for each token. Backward it is twice: for the gradient of the
# weight, and for the gradient of the input. One-hot input costs nothing, because a row
# of Wx is looked up. So a token costs three times
#
#     gates · H²  +  (layers - 1) · gates · 2 H²  +  H V
#
# multiplications. Sigmoids and additions grow with H and not with H². They matter in
# small models, and not in large ones.


# %%
def multiplications(cell, layers, H):
    gates = {"rnn": 1, "gru": 3, "lstm": 4}[cell]
    return 3 * (gates * H**2 + (layers - 1) * gates * 2 * H**2 + H * V)


COST = {model: multiplications(*model) for model in MODELS}
narrow, plain, wide, deep = ("lstm", 1, 32), ("lstm", 1, 64), ("lstm", 1, 128), ("lstm", 3, 64)
assert [round(COST[model] / COST[plain], 1) for model in (wide, deep)] == [3.6, 4.1]

# %% [markdown]
# ## Better after as many steps, or after as much arithmetic?
#
# These are two questions. The most common mistake in a comparison is to ask one and
# answer the other. A training step of the wide LSTM, 1 x 128, costs 3.6 times as much
# as one of the plain LSTM, 1 x 64. A step of the deep one, 3 x 64, costs 4.1 times as
# much.
#
# So each model is measured twice on the validation set: after N training steps, and
# after as much arithmetic as N steps of the plain LSTM. Arithmetic stands for time
# here, since it is the same on every machine.
#
# The seconds are those of your machine, and they do not follow the arithmetic. Small
# products, and all that is no product, make a narrow model slower than its
# multiplications say. In our measurements 1 x 128 took about twice the seconds of 1 x
# 64, and 1 x 32 less than half of them. So in the same time the narrow one gets four or
# five times as many steps as the wide one, not twelve times.
#
# - *After as many steps* the wide LSTM is better than the narrow one, 1 x 32: each step
#   changes more weights.
# - *After as much arithmetic* it is far worse, because the narrow one has done nearly
#   twelve times as many steps.
#
# Both answers are right. With little time, small is better. With more time the curve of
# the small one flattens, and larger ones pass it, as the benchmark's table shows.
#
# So the beginning of a curve does not show its end. The simple RNN is better than the
# plain LSTM after 30 steps, and worse after the 600 of the full run.
#
# One run is no result, either. Two lines below the others are the plain LSTM again,
# with other initial values and other headlines. Differences as small as those between
# these lines are chance.
#
# In the full run the GRU is the best of all after as much arithmetic. After as many
# steps it beats the LSTM of its size, 1 x 64, with fewer parameters: 31,690 and not
# 40,394. The gap is wider than those between the LSTMs. But it is one run of the GRU,
# at one learning rate. In the benchmark's table, where each has its own rate and 45
# seconds, the two are close: 0.275 and 0.271.
#
# On average no model gets below the entropy floor, the entropy of the grammar that
# makes the headlines. All are far from it, because this is only the beginning of
# learning.

# %%
QUICK = quick()
N, EVERY = (30, 20) if QUICK else (600, 40)
texts = grammar.sample_many(50, np.random.default_rng(99))
validation = SequenceBatches([tok.encode(text) for text in texts], 50, tok.eos_id)
new_batches = CorpusBatches(grammar, tok, 10**6, 8)  # eight new headlines in every step


def begin(model, rate):
    return Training.begin(model, Adam(rate, beta2=0.99), np.random.default_rng(model.seed))


print(f"\n                after {N:3} steps    as much arithmetic\nlayers           loss  seconds      loss      steps")
curves, at_N, at_cost = {}, {}, {}
for cell, layers, H in MODELS:
    key, training = (cell, layers, H), begin(LanguageModel(V, hidden=H, layers=layers, cell=cell), 0.01)
    enough, losses = round(N * COST[plain] / COST[key]), {0: evaluate(training.model, validation)}
    for record in train_steps(training, new_batches, steps=max(N, enough), clip_norm=1.0):
        if record.step in (30, N, enough) or record.step % EVERY == 0:
            losses[record.step] = evaluate(training.model, validation)
        if record.step == N:
            seconds = training.row_seconds  # of the training steps alone
    curves[key], at_N[key], at_cost[key] = losses, losses[N], losses[enough]
    print(f"{cell:<4} {layers} x {H:<5} {at_N[key]:9.3f} {seconds:8.1f} {at_cost[key]:9.3f} {enough:10,}")
again = [at_N[plain]]
for seed in (1, 2):
    model = fit(begin(LanguageModel(V, hidden=64, seed=seed), 0.01), new_batches, steps=N, clip_norm=1.0).model
    again.append(evaluate(model, validation))
    print(f"lstm 1 x 64  {again[-1]:9.3f}            other initial values, other headlines")
print(f"entropy floor{grammar.floor:9.3f}")
if QUICK:
    print(f"quick: after {N} steps all models know little; a full run has another order")
assert at_N[wide] < at_N[narrow] and at_cost[narrow] < at_cost[wide] and 11.5 < COST[wide] / COST[narrow] < 12
assert curves["rnn", 1, 64][30] < curves[plain][30] and at_N[plain] < at_N[deep]
assert QUICK or at_N[plain] < at_N["rnn", 1, 64] and min(at_cost, key=at_cost.get) == ("gru", 1, 64)
assert min(again) - at_N["gru", 1, 64] > max(again) - min(again)
assert [parameters(cell, 1, 64, V) for cell in ("gru", "lstm")] == [31_690, 40_394]

if plt := pyplot():
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.8), sharey=True, gridspec_kw={"wspace": 0.1})
    for (key, losses), colour in zip(curves.items(), COLOURS):
        steps = np.array(list(losses))
        axes[0].plot(steps, losses.values(), color=colour)
        axes[1].plot(steps * COST[key] / COST[plain], losses.values(), color=colour, label="{} {} x {}".format(*key))
    for axis, name in zip(axes, ("training steps", "arithmetic, in steps of the LSTM 1 x 64")):
        axis.axhline(grammar.floor, color=COLOURS[-1], linestyle="--", label="entropy floor" if axis is axes[1] else None)
        axis.set(xlabel=name, xlim=(0, N), ylim=(0, None))
    axes[0].set_ylabel("validation loss in nats per character")
    figure.legend(loc="outside right center")
    save(figure, "13_deeper_wider_other_cells")

# %% [markdown]
# ## Why a deep stack starts slowly
#
# After N steps three layers are worse than one. The table below shows the standard
# deviation of h after the last character, before any training.
#
# The gates of an untrained LSTM are half open. i lets in half of g, and o shows half of
# tanh(c): a quarter, at each character. But f adds up what earlier characters wrote. So
# about half of what a layer reads arrives at the next one, and hardly anything leaves
# the third.
#
# The output layer then sees nearly the same numbers, whatever was read. It can learn no
# more than how frequent each character is: that is the flat part in the curve of the
# LSTM 3 x 64. Only when the lower layers have grown can the upper ones learn.
#
# In the simple RNN no gate makes h smaller. Its first layer already shows ten times as
# much as the LSTM's, and that is why it begins so well.

# %%
batch = next(new_batches.epoch(np.random.default_rng(0)))
print("\nbefore training, standard deviation of h     layer 1  layer 2  layer 3")
spreads = {}
for cell in ("rnn", "gru", "lstm"):
    _, state = LanguageModel(V, hidden=64, layers=3, cell=cell).loss(batch)
    spread = spreads[cell] = [layer[0].std() for layer in state]
    print(f"{cell:<42} {spread[0]:9.3f} {spread[1]:8.3f} {spread[2]:8.3f}")
    assert spread[0] < spread[2] if cell == "rnn" else spread[2] < 0.5 * spread[0]
assert 8 < spreads["rnn"][0] / spreads["lstm"][0] < 12
assert 0.4 < spread[1] / spread[0] < 0.67 and 0.4 < spread[2] / spread[1] < 0.67

# %% [markdown]
# ## The learning rate depends on the size
#
# The first step of Adam changes every weight by about the learning rate, however large
# its gradient is. A unit adds H products with such weights, and all of them changed in
# the direction that lowers the loss. So a sum of many products moves further. The table
# below shows how far one step at one learning rate moves the logits.
#
# A rate that suits a small model may be too large for a large one. In the benchmark's
# table these are the best of four rates:
#
# - LSTM and GRU with one layer, 64, 128 or 256 wide: 0.02.
# - Wide and deep ones need less: 0.007 for the LSTM 3 x 256, 0.002 for the GRU 3 x 256.
# - The simple RNN is more sensitive: 0.007 for 1 x 256 and for 3 x 64, and 0.002 for 2
#   x 256, 3 x 128 and 3 x 256.
#
# If sizes are compared at one rate, as above, the comparison also measures which size
# that rate suits. A fair comparison gives each model its own rate.

# %%
print("\none training step, learning rate 0.01   logits move by")
moves = {}
for H in (16, 64, 256):
    model = LanguageModel(V, hidden=H)
    before_step, _ = model.logits(batch.inputs)
    fit(begin(model, 0.01), new_batches, steps=1, clip_norm=1.0)
    moves[H] = np.abs(model.logits(batch.inputs)[0] - before_step).mean()
    print(f"lstm 1 x {H:<3} {moves[H]:41.3f}")
assert moves[256] > 1.5 * moves[64] > 2 * moves[16]

# %% [markdown]
# ## Dropout between the layers
#
# The more parameters, the more a model can memorize: it overfits. Dropout sets random
# numbers between the layers to zero, others in every training step. It makes the
# remaining ones larger, so that the mean stays the same:
#
#     y = m ⊙ x,   m = 1 / (1 - p) with probability 1 - p, else 0
#
# The equation is in `minilstm/reference/dropout.py` (Srivastava et al. 2014). Dropout
# stands between layers and not between time steps, where it would erase the memory
# (Zaremba, Sutskever and Vinyals 2014). When the model is used, nothing is dropped.
#
# Below, a GRU of two layers trains a hundred times on the first 30 characters of the
# same ten headlines. It is evaluated on other headlines, cut off in the same way.
#
# - Without dropout it knows the ten by heart. On the others it is worse than a uniform
#   guess among all characters, which has log V = 4.30: it is certain, and wrong.
# - With dropout it knows the ten less well and the others better. That is better than a
#   uniform guess, but still not good.
#
# More text helps more. Further up, every step had new headlines, so there was nothing
# to memorize, and dropout would only have slowed the learning.

# %%
y = Dropout(0.25).mask((10_000,), float, rng)
print(f"\ndropout 0.25 of ones: {np.mean(y == 0):.3f} are 0, the others {y.max():.3f}, the mean {y.mean():.3f}")
assert abs(np.mean(y == 0) - 0.25) < 0.02 and abs(y.mean() - 1) < 0.03
ten = [tok.encode(text) for text in grammar.sample_many(10, np.random.default_rng(5))]
ten = SequenceBatches(ten, 10, tok.eos_id, max_steps=30)
begun = SequenceBatches([tok.encode(text) for text in texts], 50, tok.eos_id, max_steps=30)
others = {}
for rate in (0.0, 0.5):
    model = LanguageModel(V, hidden=32, layers=2, cell="gru", dropout=rate)
    fit(begin(model, 0.02), ten, steps=100, clip_norm=1.0)
    others[rate] = evaluate(model, begun)
    print(f"dropout {rate:<4g} loss on the ten {evaluate(model, ten):6.3f}, on others {others[rate]:6.3f}")
assert others[0.5] < others[0.0] - 0.1 and others[0.0] > np.log(V) > others[0.5] and round(np.log(V), 2) == 4.30

# %% [markdown]
# ## Exercises
#
# `minilstm exercise 13` makes your copy, `lessons/my/13_deeper_wider_other_cells.py`.
# Fill in its blanks, and run the same command again: it grades what you wrote.
#
# 1. Count the parameters of any stack.
# 2. A step of a GRU.
# 3. The same step backward.
