# %% [markdown]
# # 13. Deeper, wider, other cells
#
# After this lesson you can count the parameters and the arithmetic of a model before you build it,
# you can write a GRU, and you know what a comparison of two models says and what it does not. It
# takes three quarters of an hour, and an hour and a half with its exercises. You need: the six
# equations of an LSTM (lesson 2), what it means to train (loss, step, learning rate: lesson 10),
# and for the third exercise, which is a step backward, lesson 3.
#
# The published lesson that this package reproduces, on headlines letter by letter (Microsoft, AI
# for Beginners, lesson 17), leaves as exercises what becomes of it with two or three layers, with
# wider ones, with a GRU, with a simple RNN. Here they are run, small, and explained.
# `benchmarks/experiments.py` runs 27 models for longer; its table is
# `benchmarks/results/experiments.md`.

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
# A gate looks at the input x (D numbers) and at the last hidden state (H numbers), and gives H
# numbers. That takes a matrix of D rows and H columns, one of H rows and H columns, and a bias of
# H: together H (D + H + 1).
#
#     LSTM         four of these: i, f, g, o              4H (D + H + 1)
#     GRU          three: r, z, n, with two biases each   3H (D + H + 2)
#     simple RNN   one, which is the hidden state         H (D + H + 1)
#
# D is the size of the vocabulary V for the first layer, if symbols come in one-hot; E, if there is
# an embedding of this width, which has V E parameters of its own; and H for every layer above the
# first, since it reads the hidden states below. The output layer has H V weights and V biases.
#
# Doubling the width makes H² four times as large, doubling the layers only doubles their number:
# it is the width that costs. From 64 to 128 this LSTM becomes 2.8 times as large and not four
# times, since the rows of Wx and the columns of the output that belong to the V letters only
# double.


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
# A GRU (Cho et al. 2014) has no cell state. What it remembers is what it shows. The numbering is
# that of `minilstm/reference/gru.py`:
#
#     (1)  r = σ(x Wx_r + bx_r + h_prev Wh_r + bh_r)         reset gate
#     (2)  z = σ(x Wx_z + bx_z + h_prev Wh_z + bh_z)         update gate
#     (3)  q = h_prev Wh_n + bh_n                            what the candidate may hear of the past
#     (4)  n = tanh(x Wx_n + bx_n + r ⊙ q)                   candidate
#     (5)  h = (1 - z) ⊙ n + z ⊙ h_prev                      hidden state
#
# and the simple RNN of `minilstm/reference/rnn.py` (Elman 1990) is h = tanh(x Wx + h_prev Wh + b).
#
# (5) does the work of the LSTM's (4): where z is near 1 the old number is handed on untouched. One
# gate decides about both, keeping and writing: what is kept is not written. An LSTM may do both or
# neither.

# %%
B, D, H = 1, 3, 2
rng = np.random.default_rng(0)
x, h_prev = rng.normal(size=(B, D)), rng.normal(size=(B, H))
Wx, Wh, bx, bh = (rng.normal(size=shape) for shape in ((D, 3 * H), (H, 3 * H), 3 * H, 3 * H))
of = {"r": slice(0, H), "z": slice(H, 2 * H), "n": slice(2 * H, 3 * H)}     # which columns are a gate's

heard = lambda gate: x @ Wx[:, of[gate]] + bx[of[gate]]                     # from the input, (B, H)
past = lambda gate: h_prev @ Wh[:, of[gate]] + bh[of[gate]]                 # from the past, (B, H)
r = sigmoid(heard("r") + past("r"))                                         # (1)
z = sigmoid(heard("z") + past("z"))                                         # (2)
q = past("n")                                                               # (3)
n = np.tanh(heard("n") + r * q)                                             # (4)
h = (1 - z) * n + z * h_prev                                                # (5)
print("\n                               unit 1  unit 2")
for name, value in {"h before": h_prev, "r, how much of q is heard": r, "z, what stays": z, "n, candidate": n, "h": h}.items():
    print(f"{name:<29} {value[0, 0]:7.4f} {value[0, 1]:7.4f}")
assert np.allclose(h, reference.gru_step(x, h_prev, Wx, Wh, bx, bh)[0], rtol=1e-12)

h_rnn = np.tanh(x @ Wx[:, :H] + h_prev @ Wh[:, :H] + bx[:H])                # of cells/rnn.py, (1), and that is all of it
assert np.allclose(h_rnn, reference.rnn_step(x, h_prev, Wx[:, :H], Wh[:, :H], bx[:H])[0], rtol=1e-12)

# %% [markdown]
# ## Two GRUs that look alike
#
# In the paper's final form the reset gate comes *before* the product: (r ⊙ h_prev) Wh_n. In (3)
# and (4) it comes *after*, r ⊙ (h_prev Wh_n + bh_n), as in cuDNN, in PyTorch and, by the name of
# `reset_after=True`, in Keras. Before, r says which units of the past are heard; after, which
# units of the candidate hear the past. If all entries of r are equal, and bh_n is 0, both are the
# same. After is faster, because h_prev Wh is one product for all three blocks and need not wait
# for r. It needs two biases: r switches bh_n off and not bx_n, so they do not melt into one, as
# those of r and of z would.
#
# There is a second trap. Some (Chung et al. 2014) write (5) the other way round: h = z ⊙ n + (1 -
# z) ⊙ h_prev. That is the same GRU, with the weights and biases of z negated, since 1 - σ(a) =
# σ(-a). Who takes weights from one to the other as they are gets nonsense, and no error.

# %%
before = np.tanh(heard("n") + (r * h_prev) @ Wh[:, of["n"]] + bh[of["n"]])
print(f"\ncandidate, reset after the product {n[0].round(4)}, before it {before[0].round(4)}")
alike = np.full((B, H), 0.3)  # a reset gate whose entries are equal
assert not np.allclose(n, before) and np.allclose(alike * (h_prev @ Wh[:, of["n"]]), (alike * h_prev) @ Wh[:, of["n"]])
assert np.allclose(1 - z, sigmoid(-(heard("z") + past("z"))))

# %% [markdown]
# ## What a token costs
#
# Nearly all the arithmetic is in the matrix products. On the way forward each weight of a matrix
# is multiplied once for each token, on the way back twice: for the gradient of the weight, and for
# that of what came in. One-hot input costs nothing, since a row of Wx is looked up. So a token
# costs three times
#
#     gates · H²  +  (layers - 1) · gates · 2 H²  +  H V
#
# multiplications. Sigmoids and additions grow with H and not with H²; they do not count in large
# models, and count in small ones.


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
# These are two questions, and the most common mistake in comparing models is to ask one and answer
# the other. A step of the wide LSTM, 1 x 128, costs 3.6 times as much as one of the plain, 1 x 64;
# a step of the deep one, 3 x 64, 4.1 times. So each model is measured twice, on headlines that
# none was trained on: after N steps, and after as much arithmetic as N steps of the plain one
# take. Arithmetic stands for time here, since it is the same on every machine.
#
# The seconds are those of your machine, and they do not follow the arithmetic: what is no product,
# and products that are small, make a narrow model dearer than its multiplications. Where this was
# written, 1 x 128 took about twice the seconds of 1 x 64, and 1 x 32 less than half of them. So by
# time the narrow one gets four or five times as many steps as the wide one, not twelve times.
#
# *After as many steps* the wide one is ahead of the narrow one, 1 x 32: more weights take each
# step. *After as much arithmetic* it is far behind it, for the narrow one has taken nearly twelve
# times as many steps. Both answers are right. With little time, small is better. With more, the
# curve of the small one flattens, and larger ones pass it: the benchmark's table shows it.
#
# So the beginning of a curve does not tell its end. The simple RNN is ahead of the plain LSTM
# after 30 steps and behind it after the 600 of the full run. And one run is no result: two lines
# below the others are the plain model again, from other initial values and with other headlines.
# Differences as small as between these are chance.
#
# The GRU is the best of all after as much arithmetic, in the full run; and after as many steps it
# beats the LSTM of its size, 1 x 64, with fewer parameters: 31,690 where that has 40,394. The gap
# is wider than those between the LSTMs. But it is one run of the GRU, at one rate. In the
# benchmark's table, where each has its own rate and 45 seconds, the two are close: 0.275 and 0.271.
#
# No model gets below the floor on average, the entropy of the grammar that makes the headlines up.
# All are far from it: this is the beginning of learning, and takes seconds.

# %%
QUICK = quick()
N, EVERY = (30, 20) if QUICK else (600, 40)
texts = grammar.sample_many(50, np.random.default_rng(99))
held_out = SequenceBatches([tok.encode(text) for text in texts], 50, tok.eos_id)
fresh = CorpusBatches(grammar, tok, 10**6, 8)  # eight headlines a step, made up anew


def begin(model, rate):
    return Training.begin(model, Adam(rate, beta2=0.99), np.random.default_rng(model.seed))


print(f"\n                after {N:3} steps    as much arithmetic\nlayers           loss  seconds      loss      steps")
curves, at_N, at_cost = {}, {}, {}
for cell, layers, H in MODELS:
    key, training = (cell, layers, H), begin(LanguageModel(V, hidden=H, layers=layers, cell=cell), 0.01)
    enough, losses = round(N * COST[plain] / COST[key]), {0: evaluate(training.model, held_out)}
    for record in train_steps(training, fresh, steps=max(N, enough), clip_norm=1.0):
        if record.step in (30, N, enough) or record.step % EVERY == 0:
            losses[record.step] = evaluate(training.model, held_out)
        if record.step == N:
            seconds = training.row_seconds  # of the steps alone
    curves[key], at_N[key], at_cost[key] = losses, losses[N], losses[enough]
    print(f"{cell:<4} {layers} x {H:<5} {at_N[key]:9.3f} {seconds:8.1f} {at_cost[key]:9.3f} {enough:10,}")
again = [at_N[plain]]
for seed in (1, 2):
    model = fit(begin(LanguageModel(V, hidden=64, seed=seed), 0.01), fresh, steps=N, clip_norm=1.0).model
    again.append(evaluate(model, held_out))
    print(f"lstm 1 x 64  {again[-1]:9.3f}            other initial values, other headlines")
print(f"floor        {grammar.floor:9.3f}")
if QUICK:
    print(f"quick: after {N} steps all know little; the order of the full run is another")
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
    for axis, name in zip(axes, ("steps", "arithmetic, in steps of the LSTM 1 x 64")):
        axis.axhline(grammar.floor, color=COLOURS[-1], linestyle="--", label="floor" if axis is axes[1] else None)
        axis.set(xlabel=name, xlim=(0, N), ylim=(0, None))
    axes[0].set_ylabel("held-out loss in nats a letter")
    figure.legend(loc="outside right center")
    save(figure, "13_deeper_wider_other_cells")

# %% [markdown]
# ## Why a deep stack starts slowly
#
# After N steps three layers are behind one. Below is what the layers show before any training: the
# standard deviation of h after the last letter. The gates of an untrained LSTM are half open. i
# lets in half of g, and o shows half of tanh(c): a quarter, at each letter. But f adds up what
# earlier letters wrote, so that about half of what a layer gets arrives in the next;
# of the third there is hardly anything left. The output layer sees nearly the same whatever was
# read, and can learn no more than how often each letter is: that is the flat piece in the curve of
# the LSTM 3 x 64. Only when the lower layers have grown is there something to read for the upper
# ones. In the simple RNN no gate stands in the way. Already its first layer shows ten times as
# much as the LSTM's: that is why it begins so well.

# %%
batch = next(fresh.epoch(np.random.default_rng(0)))
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
# The first step of Adam changes every weight by about the rate, however large its gradient is. A
# unit adds up H products with such weights, and all of them have moved so that the loss falls; so
# the sum of many moves further. Below is how far one step of one rate moves the logits. A rate that
# suits a small model may throw a large one off its way. In the benchmark's table the best of four
# rates is 0.02 for the LSTM and the GRU of one layer, 64, 128 or 256 wide. It falls where they are
# wide and deep: to 0.007 for the LSTM 3 x 256, to 0.002 for the GRU 3 x 256. The simple RNN is
# touchier: it wants 0.007 for 1 x 256 and for 3 x 64, and 0.002 for 2 x 256, 3 x 128 and 3 x 256.
# Who compares sizes at one rate, as was done above, compares as well which of them the rate suits.
# A fair comparison lets each have its own.

# %%
print("\none step at rate 0.01    logits move by")
moves = {}
for H in (16, 64, 256):
    model = LanguageModel(V, hidden=H)
    before_step, _ = model.logits(batch.inputs)
    fit(begin(model, 0.01), fresh, steps=1, clip_norm=1.0)
    moves[H] = np.abs(model.logits(batch.inputs)[0] - before_step).mean()
    print(f"lstm 1 x {H:<3} {moves[H]:26.3f}")
assert moves[256] > 1.5 * moves[64] > 2 * moves[16]

# %% [markdown]
# ## Dropout between the layers
#
# The more parameters, the more can be learned by heart. Dropout leaves out numbers between the
# layers, others in every step, and makes those that remain larger, so that the mean stays: y = m ⊙
# x, where m is 1 / (1 - p) with probability 1 - p, else 0 (`minilstm/layers/dropout.py`;
# Srivastava et al. 2014). It stands between layers and not between time steps, where it would wash
# out the memory (Zaremba, Sutskever and Vinyals 2014). Nothing is left out when the model is used.
#
# Two layers of a GRU read the first 30 letters of the same ten headlines a hundred times, and are
# judged by as many letters of others. Without dropout they know the ten by heart, and do worse on
# the others than guessing all letters alike would, which has log V = 4.30: they are sure, and
# wrong. With dropout they know the ten less well and the others better: better than that guess, but
# still not well. More text helps more: the headlines further up are made up anew for every step, so
# that there is nothing to learn by heart, and dropout would only have made learning slower.

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
