# %% [markdown]
# # 17. One to many
#
# After this lesson you can make a network write about a vector. You know how the vector
# gets into the LSTM, and how the gradient gets out again, in two ways of which one is
# easily lost. You train a model that describes pictures, count how many of its
# sentences are true, and ask which pixels a word depends on. The lesson takes three
# quarters of an hour, two hours with its exercises. You need lessons 5, 8 and 16.
#
# Lesson 16 had a sequence in and one vector out. This is the reverse: one vector v in,
# a sequence out. The vector may be a picture, a table row, or what another network
# computed. The text is written by a language model, as in lesson 10. Only its first
# state is new. It is not zero, but made from v by a dense layer for each part:
#
#     (1)  h0 = v W_h + b_h,   c0 = v W_c + b_c         v (B, F), h0 and c0 (B, H)
#     (2)  loss = a language model's that begins with these states
#
# The equations are those of `minilstm/reference/captioner.py`. Such a model is called a
# *captioner*: Vinyals et al., Show and tell (2015); a state made from the picture is
# from Xu et al., Show, attend and tell (2015).
#
# > **How we count.** As in exercises and functions, tokens and time steps count from 0
# > here.

# %%
import numpy as np

import textwrap

from minilstm import LSTM, Adam, Captioner, WordTokenizer, reference
from minilstm.corpora import pictures
from minilstm.course import COLOURS, pyplot, quick, save
from minilstm.data.pairs import VectorBatches, teacher_forcing
from minilstm.generation.decoding import decode
from minilstm.generation.sampling import Sampling
from minilstm.optim.schedules import CosineDecay
from minilstm.reference import captioner
from minilstm.reference.functions import sigmoid, softmax
from minilstm.reference.sequence import lstm_sequence, lstm_sequence_backward
from minilstm.training.loop import Training, evaluate, train_steps
from minilstm.verify import check_gradients

QUICK = quick()
STEPS, COUNT = (60, 100) if QUICK else (8000, 1000)
pixels, sentences = pictures.sample(2000 if QUICK else 40_000, np.random.default_rng(0))
for row in pixels[0].reshape(8, 8):
    print("   ", " ".join({0.0: ".", 0.5: "-", 1.0: "#"}[pixel] for pixel in row))
wording = pictures.wording(pictures.read(pixels[0]))
for sentence in dict.fromkeys(wording.sample_many(4, np.random.default_rng(2))):
    print(textwrap.fill(sentence, 78, subsequent_indent="    "))
print(f"a sentence about this picture: {wording.entropy:.2f} nats")

# %% [markdown]
# A picture has 8x8 pixels, so v has 64 numbers. It shows one object or two. Many
# sentences are true of it. So even the best possible model cannot know which of them
# stands beside the picture, and its loss is not 0. The corpus is made by a grammar, so
# the lowest possible loss is known: the *entropy floor* of lesson 10, now given the
# picture.
#
# ## What the decoder reads
#
# In training, the decoder reads the start token and then the true words. This is
# *teacher forcing*. It predicts each next word, and the end token after the last. So n
# words make n + 1 inputs and n + 1 targets. The start is never predicted, and the end
# is never read:

# %%
tokenizer = WordTokenizer.fit(sentences)
START, END, V = tokenizer.unknown_id, tokenizer.eos_id, tokenizer.vocab_size
[example] = [tokenizer.encode("a dim cross above a frame")]
inputs, targets, lengths = teacher_forcing([example], START, END)
word = lambda id: {START: "<start>", END: "<end>"}.get(id) or tokenizer.decode([id])
print("\ninput  ", *(f"{word(id):>7}" for id in inputs[:, 0]), "\ntarget ", *(f"{word(id):>7}" for id in targets[:, 0]))
assert lengths == len(example) + 1 and inputs[1:, 0].tolist() == example.tolist() == targets[:-1, 0].tolist()

# %% [markdown]
# The end token has the id of padding, 0. The start token has the id of unknown words,
# which these sentences do not contain.
#
# ## Backward by hand
#
# Backward through time, lesson 5, returns the gradient of the initial state, dh0 and
# dc0. So far they were not needed. Now they go on, each through its own dense layer. v is
# read twice, so its gradients add (rule 4 of lesson 3):
#
#     dW_h = vᵀ dh0,   db_h = Σ dh0,   dW_c = vᵀ dc0,   db_c = Σ dc0
#     dv = dh0 W_hᵀ + dc0 W_cᵀ
#
# The sums are over the mini-batch. The loss is already a mean over all its real tokens.


# %%
def loss_and_gradients(params, v, texts, lengths):
    W_h, b_h, W_c, b_c, Wx, Wh, b, W, b_out = params.values()
    inputs, targets, n = teacher_forcing([y[:m] for y, m in zip(texts.T, lengths)], START, END)
    h0, c0 = v @ W_h + b_h, v @ W_c + b_c                                              # (1)
    h, _, caches = lstm_sequence(np.eye(V)[inputs], (h0, c0), Wx, Wh, b)               # (2)
    loss, cache = reference.softmax_cross_entropy(h @ W + b_out, targets, n)
    da = reference.softmax_cross_entropy_backward(cache)                               # (T, B, V)
    _, (dh0, dc0), own = lstm_sequence_backward(da @ W.T, (0 * h0, 0 * c0), caches, Wx, Wh)
    dv = dh0 @ W_h.T + dc0 @ W_c.T                                                     # (1), v is read twice
    bridge = v.T @ dh0, dh0.sum(axis=0), v.T @ dc0, dc0.sum(axis=0)
    top = np.tensordot(h, da, ((0, 1), (0, 1))), da.sum(axis=(0, 1))
    return loss, dict(zip(params, (*bridge, *own, *top))), dv


rng = np.random.default_rng(1)
B, F, H = 3, 5, 4
shapes = {"bridge0.W_h": (F, H), "bridge0.b_h": H, "bridge0.W_c": (F, H), "bridge0.b_c": H, "lstm0.Wx": (V, 4 * H),
          "lstm0.Wh": (H, 4 * H), "lstm0.b": 4 * H, "output.W": (H, V), "output.b": V}  # fmt: skip
params = {name: rng.normal(0, 0.5, shape) for name, shape in shapes.items()}
v, texts, n = rng.normal(size=(B, F)), rng.integers(2, V, (6, B)), np.array([6, 4, 2])
loss, grads, dv = loss_and_gradients(params, v, texts, n)
of_v = lambda p: loss_and_gradients({name: p[name] for name in params}, p["v"], texts, n)[0]
check = check_gradients(of_v, params | {"v": v}, grads | {"v": dv}, method="complex")
print(f"\nall gradients, dv too, agree with the complex step: largest error {max(row.relative for row in check.rows):.0e}")
theirs, their_grads, their_dv = captioner.loss_and_gradients(params, v, texts, n, START, END)
assert check.passed and np.isclose(loss, theirs) and np.allclose(dv, their_dv) and dv.all()
assert all(np.allclose(grads[name], their_grads[name]) and grads[name].any() for name in params)

# %% [markdown]
# ## What is lost without c0
#
# A frequent mistake is to write dv = dh0 W_hᵀ and to stop there. The program runs, all
# shapes are right, and the loss falls. Here v is data, so nothing even uses dv. But in
# a real system v is the output of another network, and dv is all that it learns from.
#
# Let the loss be that of one word only. How large is each part of dv, depending on how
# late the word is? The LSTM has just been initialized, with a forget gate of about
# 0.73.

# %%
steps, H = 21, 32
Wx, Wh, b = LSTM(V, H).init(rng, np.float64).values()
W_h, W_c, W = (rng.normal(size=shape) / np.sqrt(shape[0]) for shape in ((F, H), (F, H), (H, V)))
ids, zeros = rng.integers(2, V, (steps, 50)), np.zeros((2, 50, H))
v = rng.normal(size=(50, F))
h, _, caches = lstm_sequence(np.eye(V)[ids], (v @ W_h, v @ W_c), Wx, Wh, b)
print("\nword    size of dh0 W_hᵀ   size of dc0 W_cᵀ   lost without c0")
lost = {}
for t in (0, 1, 2, 5, 10, 20):
    dh = np.zeros_like(h)
    dh[t] = (softmax(h[t] @ W) - np.eye(V)[ids[t]]) @ W.T
    _, (dh0, dc0), _ = lstm_sequence_backward(dh, zeros, caches, Wx, Wh)
    by_h, by_c = np.linalg.norm(dh0 @ W_h.T), np.linalg.norm(dc0 @ W_c.T)
    lost[t] = by_c / np.linalg.norm(dh0 @ W_h.T + dc0 @ W_c.T)
    print(f"{t:4}{by_h:20.5f}{by_c:19.5f}{lost[t]:18.1%}")
assert min(lost.values()) > 0.9

# %% [markdown]
# More than nine tenths of dv come back through c0, for early words and for late ones.
# The way through h0 is narrow: h0 acts only through the gates of the first step, by Wh.
# c0 is added to directly, from step to step, as in lesson 5.
#
# Only a check of dv itself finds the mistake. In a model, the gradients of W_c and b_c
# show it too: without dc0 they would be 0, and W_c would never change.
#
# ## A captioner
#
# The engine's `Captioner` computes the same. It trains on pictures and sentences for
# about half a minute, with 128 units. The validation set is drawn
# separately. One in seven of its pictures does not occur in the training set, the others do,
# with other sentences.
#
# The loss is a mean over words and end tokens. It is compared with the entropy floor.
# But the loss does not say whether a sentence is *true*. That is a second measure, and
# the corpus has a program for it: `is_true` reads the picture and the sentence.

# %%
floor = pictures.floor()
pairs = lambda v, texts, B: VectorBatches(v.astype(np.float32), [tokenizer.encode(text) for text in texts], B, 8, START, END)
model = Captioner(64, V, hidden=128)
run, schedule = Training.begin(model, Adam(0.02, beta2=0.99), np.random.default_rng(0)), CosineDecay(0.02, STEPS)
seen, truth = pictures.sample(COUNT, np.random.default_rng(1))
seen, validation, batches = seen.astype(np.float32), pairs(seen, truth, 100), pairs(pixels, sentences, 32)


# Sentences about pictures v (B, 64), in one list.
def describe(v, sampling=Sampling(greedy=True)):
    ids = decode(model, model.encode(v), START, END, 40, sampling, np.random.default_rng(5)).texts
    return [tokenizer.decode(row) for row in ids]


share_true = lambda texts, v=seen: np.mean([pictures.is_true(text, row) for text, row in zip(texts, v)])
print(f"\n  step   validation   entropy floor {floor:.3f}")
for record in train_steps(run, batches, steps=STEPS, clip_norm=1.0, schedule=schedule):
    if record.step in (1, 60, 500, 1000, 2000, 4000, 8000):
        print(f"{record.step:6}{evaluate(model, validation):13.3f}")
greedy, known = describe(seen), {row.tobytes() for row in pixels.astype(np.float32)}
ways = {"greedy": greedy, "temperature 0.5": describe(seen, Sampling(0.5)), "temperature 1": describe(seen, Sampling(1.0)),
        "greedy, of another picture": greedy[1:] + greedy[:1], "the corpus": truth}  # fmt: skip
objects, new = np.array([len(pictures.read(row)) for row in seen]), np.array([row.tobytes() not in known for row in seen])
groups = {"true": objects > 0, "one object": objects == 1, "two": objects == 2, "new": new}
print(f"\n{'sentences':<26}" + "".join(f"{name:>11}" for name in groups) + " different")
shares = {}
for name, texts in ways.items():
    shares[name] = [share_true([texts[k] for k in np.flatnonzero(group)], seen[group]) for group in groups.values()]
    print(f"{name:<26}" + "".join(f"{share:11.1%}" for share in shares[name]) + f"{len(set(texts)):10}")
loss = evaluate(model, validation)
assert loss > floor and shares["the corpus"] == [1] * 4 and shares["greedy, of another picture"][0] < 0.03
assert QUICK or loss < floor + 0.06 and abs(new.mean() - 1 / 7) < 0.03 and shares["greedy"][1] > 0.97
assert QUICK or shares["greedy"][0] > 0.9 > shares["temperature 1"][0] and min(shares["greedy"]) > 0.85

# %% [markdown]
# In the full run 95 % of the greedy sentences are true. The column `new` has only the
# pictures that the training set lacks, and there it is 93 %. About one object the model
# makes no mistake. With two, it has to find out which quarters they are in, and not
# exchange their properties.
#
# Greedy sentences are true more often than samples, but less different: a rare way to
# say something is never the most likely one. The loss is 0.04 nats per token above the
# floor. In a sentence of a dozen tokens that is half a nat.
#
# ## It reads its own outputs
#
# There is no true text when the model writes. So each word that it wrote is its next
# input. That is the dotted arrow of lesson 16. A wrong word is read like a right one,
# and the model has to go on from there.
#
# Here is greedy decoding in full. `decode` of the package does the same for many
# pictures at once.


# %%
def write(v, limit=40):
    W_h, b_h, W_c, b_c, Wx, Wh, b, W, b_out = model.parameters.values()
    h, c, id, words = v @ W_h + b_h, v @ W_c + b_c, START, []
    while id != END and len(words) < limit:
        zi, zf, zg, zo = np.split(Wx[id] + h @ Wh + b, 4)             # with one-hot input, a row of Wx
        c = sigmoid(zf) * c + sigmoid(zi) * np.tanh(zg)
        h = sigmoid(zo) * np.tanh(c)
        id = int((h @ W + b_out).argmax())                            # the next input
        words.append(id)
    return tokenizer.decode(words)


print(f"\nby hand: {write(seen[0])}")
assert sum(write(row) == text for row, text in zip(seen[:100], greedy)) > 97  # float32 may break a tie in another way

# %% [markdown]
# ## Which pixels does a sentence depend on?
#
# A small frame differs from a small square by one pixel, the one in its middle. We
# raise this pixel from 0 to 1. After "a small bright", how likely are the next words
# `frame` and `square`?
#
# The engine also gives dL/dv: `vector_gradients`. L is the surprise of the whole
# sentence "a small bright frame at the bottom left", in nats. If this gradient is
# right, its sum along the way of the pixel is the difference of the losses.

# %%
frame, square = (pictures.render((pictures.Thing("bottom left", "small", "bright", name),)) for name in ("frame", "square"))
[middle], values = np.flatnonzero(frame != square), np.linspace(0, 1, 201)
raised = np.repeat(frame[None], len(values), axis=0).astype(np.float32)
raised[:, middle] = values
memory = model.encode(raised)
for id in (START, *tokenizer.encode("a small bright")):
    step = model.step(np.full(len(values), id), memory)
    memory = step.memory
chances = softmax(step.logits)[:, tokenizer.encode("frame square")]                         # (201, 2)
each = [next(pairs(row[None], ["a small bright frame at the bottom left"], 1).epoch()) for row in raised]
nats = np.array([model.loss(batch)[0] * batch.tokens for batch in each])
of_pixels = np.array([model.vector_gradients(batch)[0] * batch.tokens for batch in each])   # (201, 64), dL/dv
summed = np.sum((of_pixels[1:] + of_pixels[:-1])[:, middle]) / 2 * values[1]
print("\npixel     P(frame)   P(square)   L in nats   dL/dpixel")
for k in (0, 40, 80, 100, 120, 200):
    print(f"{values[k]:5.1f}{chances[k, 0]:13.3f}{chances[k, 1]:12.3f}{nats[k]:12.2f}{of_pixels[k, middle]:12.2f}")
alike = np.corrcoef(of_pixels[100].reshape(2, 4, 2, 4).swapaxes(1, 2).reshape(4, 16)).min()
print(f"pixel 0.5: dL/dv of any two quarters has a correlation of at least {alike:.3f}")
print(f"L rises by {nats[-1] - nats[0]:.2f}; the sum of dL/dpixel along the way is {summed:.2f}")
assert abs(summed - (nats[-1] - nats[0])) < 0.02 * abs(summed) + 1e-4
assert QUICK or (chances[0] > 0.9).tolist() == [True, False] and (chances[-1] > 0.9).tolist() == [False, True]
assert QUICK or np.abs(of_pixels[0]).max() < 3 < 20 < of_pixels[:, middle].max() and of_pixels[0, middle] < 1 and alike > 0.9

if plt := pyplot():
    figure, axes = plt.subplots(2, 4, figsize=(11, 6))
    for axis, row, text in zip(axes.flat, [*seen[:4], frame], [*greedy[:4], "raise the marked pixel"]):
        axis.imshow(row.reshape(8, 8), cmap="gray", vmin=0, vmax=1)
        axis.set_title(textwrap.fill(text, 28), fontsize=9)
    for axis, k in zip(axes[1, 1:3], (0, 100)):
        axis.imshow(of_pixels[k].reshape(8, 8), cmap="PuOr", vmin=-45, vmax=45)
        axis.set_title(f"dL/dv where this pixel is {values[k]:g}\n(purple: against a frame)", fontsize=9)
    for axis in axes.flat[:7]:
        axis.set(xticks=[3.5], yticks=[3.5], xticklabels=[], yticklabels=[])
    for axis in axes[1, :3]:
        axis.plot(middle % 8, middle // 8, "s", markersize=15, fillstyle="none", color=COLOURS[1])
    axes[1, 3].plot(values, chances)
    for k, name in enumerate(("frame", "square")):
        axes[1, 3].text(k, 0.9, name, color=COLOURS[k], ha="right" if k else "left")
    axes[1, 3].set(xlabel="brightness of the pixel", ylabel="probability", ylim=(0, 1.02), title="after “a small bright”")
    save(figure, "17_one_to_many")

# %% [markdown]
# The word changes where it must, near one half. And the gradient is right: its sum is
# the difference of the losses. But look at what it says.
#
# - **At pixel 0** the model is certain, so the gradient is almost 0. It does not show
#   that this pixel decides between two words. In the full run it even has the wrong
#   sign: a little brightness makes `frame` likelier.
# - **At pixel 0.5** the model wavers between two words, and the gradient shows how it
#   decides. A bright middle of a quarter speaks against a frame, bright edges around
#   it speak for one. All four quarters look alike, also those that are empty. So the
#   model has learned one pattern, and sums it over all quarters.
#
# A gradient with respect to the input is an exact answer to a small question: what does
# an infinitesimal change do, here? To learn what a pixel does, change it. To learn
# which pixel made the difference between two pictures, sum the gradient along the way
# between them, as above: *integrated gradients* (Sundararajan, Taly and Yan 2017).
#
# ## Exercises
#
# `minilstm exercise 17` makes your copy, `lessons/my/17_one_to_many.py`. Fill in its
# blanks, and run the same command again: it grades what you wrote.
#
# 1. Teacher forcing: inputs and targets of a mini-batch of texts.
# 2. From the decoder back to the vector, through h0 and c0.
# 3. A decoder that reads its own outputs.
