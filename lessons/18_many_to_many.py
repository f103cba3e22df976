# %% [markdown]
# # 18. Many to many
#
# After this lesson you can:
#
# - build an encoder and a decoder from LSTM layers, forward and backward
# - name the only way by which the encoder is trained, and see what is lost when a part
#   of it is dropped
# - say why reversing the source can help, and when it does harm
# - write a target by greedy decoding and by beam search, and count exact matches
#
# The lesson takes an hour, of which the computer trains for half a minute, and another
# hour with its exercises. You need backpropagation through time (lesson 5), the loss
# with padding (lesson 8) and the training loop (lesson 10).
#
# A translation, a sum or a date has two sequences. The *source* is read, and the
# *target* is written. They have different lengths, and different vocabularies if you
# like. So one network reads and another one writes:
#
#     (1)  x = We[source]                        (S, B, E)
#     (2)  encoder: LSTM layers, of x            each has a final state (h, c)
#     (3)  decoder: LSTM layers, of We[inputs]   each begins from the final state of the
#                                                encoder layer with the same number
#     (4)  loss = mean of -log softmax(logits)[target]    over the target's real tokens
#
# The equations have the numbers of `minilstm/reference/encoder_decoder.py`. The idea is
# from Cho et al. (2014) and from Sutskever, Vinyals and Le (2014).

# %%
import numpy as np

from itertools import zip_longest

from minilstm import Adam, CharTokenizer, EncoderDecoder
from minilstm.corpora import addition, dates
from minilstm.course import COLOURS, pyplot, quick, save
from minilstm.data.pairs import PairBatches, pad
from minilstm.generation.decoding import beam_decode, decode
from minilstm.optim import CosineDecay, clip
from minilstm.reference import encoder_decoder, lstm_step, lstm_step_backward, sequence_backward, sequence_forward
from minilstm.reference import softmax_cross_entropy, softmax_cross_entropy_backward
from minilstm.verify import check_gradients

QUICK = quick()

# %% [markdown]
# ## Teacher forcing
#
# The decoder is a language model: it predicts each token of the target from those
# before it. In training it reads the *true* tokens, not its own predictions. This is
# called *teacher forcing* (Williams and Zipser, 1989). A start token is put before the
# target, and an end token after it:
#
#     inputs     start  y[0]  …  y[n-1]
#     targets    y[0]   y[1]  …  end             n + 1 tokens
#
# So the inputs are the targets, later by one step. Two bugs are common here:
#
# - **Not shifted.** Each target is the input of the same step. The decoder learns to
#   copy its input, and the loss falls to 0. But when it writes, it repeats the start.
# - **Shifted twice.** The inputs begin with the start *and* the targets lack y[0]. The
#   decoder never learns to write the first token.
#
# Both train without an error. Print one pair, and read it column by column.

# %%
tok = CharTokenizer(tuple("0123456789+"))
START, END = 0, tok.eos_id  # id 0 is the padding's, and never a target
SUMS = [("98+7", "105"), ("5+3", "8")]
NAMES = {START: "start", END: "end", **{k: repr(tok.show(k)) for k in range(1, END)}}

B, T = len(SUMS), 1 + max(len(answer) for _, answer in SUMS)
inputs, targets = np.zeros((T, B), int), np.zeros((T, B), int)
for b, (_, answer) in enumerate(SUMS):
    y = tok.encode(answer)
    inputs[: len(y) + 1, b], targets[: len(y) + 1, b] = [START, *y], [*y, END]
source, source_lengths = pad([tok.encode(question) for question, _ in SUMS])
n = np.array([len(answer) + 1 for _, answer in SUMS])
print("        98+7 = 105          5+3 = 8\nstep    input   target      input   target")
for t in range(T):
    cells = [f"{NAMES[ids[t, b]] if t < n[b] else '·':<8}" for b in range(B) for ids in (inputs, targets)]
    print(f"{t:<8}{''.join(cells[:2])}    {''.join(cells[2:])}".rstrip())
batch = next(PairBatches(*[[tok.encode(pair[side]) for pair in SUMS] for side in (0, 1)], 2, end=END).epoch())
assert np.array_equal(batch.inputs, inputs) and np.array_equal(batch.targets, targets) and np.array_equal(batch.lengths, n)

# %% [markdown]
# ## Forward
#
# Two layers read the source, and two layers write the target. Layer k of the decoder
# begins from the final state of layer k of the encoder, its h and its c. Nothing else
# passes from one to the other: the whole source has to fit into these numbers.
#
# Sources have different lengths, too. Past its length the state of a sequence stands
# still (`sequence_forward` does that), so the final state is the one after the last
# real token. The loss counts the n + 1 real targets of each pair, and no padding.


# %%
LAYERS, E, H, zeros = 2, 3, 4, (np.zeros((B, 4)), np.zeros((B, 4)))
of = lambda p, layer: [p[f"{layer}.{part}"] for part in ("Wx", "Wh", "b")]


def forward(p, source, source_lengths, inputs, targets, n):
    states, caches, x = [], {}, p["source.embedding.W"][source]                      # (1), (S, B, E)
    for layer in ("encoder.lstm0", "encoder.lstm1"):
        x, state, caches[layer] = sequence_forward(lstm_step, x, zeros, *of(p, layer), lengths=source_lengths)     # (2)
        states.append(state)
    x = p["target.embedding.W"][inputs]                                              # (T, B, E)
    for k, layer in enumerate(("decoder.lstm0", "decoder.lstm1")):
        x, _, caches[layer] = sequence_forward(lstm_step, x, states[k], *of(p, layer), lengths=n)                  # (3)
    loss, loss_cache = softmax_cross_entropy(x @ p["output.W"] + p["output.b"], targets, n)                        # (4)
    return loss, (caches, x, loss_cache)


# %% [markdown]
# ## Backward
#
# Backward has the same parts in the opposite order, and each is known: the loss from
# lesson 8, a layer through time from lesson 5. Only the place where the two networks
# meet is new. `sequence_backward` of a decoder layer returns the gradient of its
# initial state, dh0 and dc0. The initial state *is* the final state of the encoder
# layer. So this is the `dstate` with which backward through that encoder layer begins.
#
# Nothing reads the outputs of the encoder's top layer, so their gradient is 0. (In
# lesson 19 attention reads them.) The final states of both layers are read. Their
# gradients are all that the encoder ever gets: h and c, of every layer.
#
# `keep` multiplies these gradients by 1 or 0, to see what a lost one does.


# %%
def backward(p, cache, keep=((1, 1), (1, 1))):
    caches, h, loss_cache = cache
    dlogits = softmax_cross_entropy_backward(loss_cache)                             # (4)
    grads = {name: np.zeros_like(W) for name, W in p.items()}
    grads["output.W"], grads["output.b"] = np.einsum("tbh,tbv->hv", h, dlogits), dlogits.sum(axis=(0, 1))
    dx, dstates = dlogits @ p["output.W"].T, [zeros] * LAYERS
    for network, side, ids in (("decoder", "target", inputs), ("encoder", "source", source)):
        for k in reversed(range(LAYERS)):
            layer = f"{network}.lstm{k}"                                             # (3), then (2)
            dx, dstates[k], dW = sequence_backward(lstm_step_backward, dx, dstates[k], caches[layer], *of(p, layer)[:2])
            grads |= {f"{layer}.{part}": value for part, value in dW._asdict().items()}
        np.add.at(grads[f"{side}.embedding.W"], ids, dx)                             # (1)
        dx = np.zeros((len(source), B, H))  # the encoder's outputs are read by nothing
        dstates = [(kh * dh, kc * dc) for (kh, kc), (dh, dc) in zip(keep, dstates)]
    return grads


model = EncoderDecoder(tok.vocab_size, tok.vocab_size, embedding=E, hidden=H, layers=LAYERS, dtype=np.float64)
model.parameters.flat[:] = np.random.default_rng(0).normal(0, 0.7, model.parameters.flat.size)
p = {name: W.copy() for name, W in model.parameters.items()}
numbers = source, source_lengths, inputs, targets, n
loss, cache = forward(p, *numbers)
right = backward(p, cache)
check = check_gradients(lambda p: forward(p, *numbers)[0], p, right, method="complex")
theirs = encoder_decoder.loss_and_gradients(p, source, source_lengths, targets[:-1], n - 1, START, END)
compiled = model.loss_and_gradients(batch)
print(f"\nloss {loss:.12f}, reference {theirs[0]:.12f}, compiled {compiled[0]:.12f}")
print(f"{len(p)} arrays by complex step, largest relative error {max(row.relative for row in check.rows):.0e}")
assert check and np.allclose([theirs[0], compiled[0]], loss, rtol=1e-12)
assert all(np.allclose(g[name], right[name], rtol=1e-9, atol=1e-14) for g in (theirs[1], compiled[1]) for name in p)

# %% [markdown]
# ## What is lost when a gradient is dropped
#
# Drop one of the four gradients, and the gradient of the encoder points elsewhere. The
# decoder's gradients stay right, and the loss falls. So neither the loss nor the
# decoder shows the mistake. A gradient check of the encoder's weights shows it at once.
#
# With these weights the cell state matters more than the hidden state. It is common to
# pass on h alone, and then c is lost in both directions. It is also common to pass on
# the state of one layer only.

# %%
encoders = [name for name in p if name.startswith(("encoder", "source"))]
flat = lambda grads: np.concatenate([grads[name].ravel() for name in encoders])
CASES = {"h of layer 0": ((0, 1), (1, 1)), "c of layer 0": ((1, 0), (1, 1)), "h and c of layer 0": ((0, 0), (1, 1)),
         "h of layer 1": ((1, 1), (0, 1)), "c of layer 1": ((1, 1), (1, 0)), "h of both layers": ((0, 1), (0, 1)),
         "c of both layers": ((1, 0), (1, 0)), "all four": ((0, 0), (0, 0))}  # fmt: skip
print("\ndropped           the encoder's gradient: degrees off   size left")
off = {}
for name, keep in CASES.items():
    wrong = backward(p, cache, keep)
    a, size = flat(wrong), np.linalg.norm(flat(wrong)) / np.linalg.norm(flat(right))
    off[name] = np.degrees(np.arccos(a @ flat(right) / np.linalg.norm(flat(right)) ** 2 / size)) if size else np.nan
    print(f"{name:<30}{'nothing left' if size == 0 else f'{off[name]:12.0f}'}{size:24.0%}")
    assert all(np.array_equal(wrong[name], right[name]) for name in set(p) - set(encoders))
assert off["h of both layers"] < off["c of both layers"] and off["h of layer 0"] > 1 and not size

# %% [markdown]
# ## Training, and why reversing the source helps
#
# Now the compiled model learns sums: `535+61` is `596`. No sum of the validation set is
# in the training set. The loop is that of lesson 10. A whole answer is right or wrong:
# the fraction of right ones is called the *exact match*. A single wrong character makes
# an answer wrong, so it is lower than the fraction of right characters.
#
# Sutskever, Vinyals and Le (2014) had their encoder read the source last token first,
# and translations got much better. Their explanation is by distances. When the decoder
# writes its first token, the tokens of the source are so many steps away:
#
#     source         5  3  5  +  6  1
#     as written     6  5  4  3  2  1
#     reversed       1  2  3  4  5  6
#
# On average nothing is gained. But the first digit of a sum depends most on the first
# digits of the numbers. Reversed, one of them is only one step away instead of six. The
# gradient shrinks with every step, as lesson 6 shows, so a pair of near tokens is
# learned first. The rest is then easier. For sums there is a second reason: in reverse
# the encoder reads the last digits first, as you do when you add by hand.
#
# If distances matter, reversing must do harm where the source is already near. It does:
# most dates, as `21 March 1998`, end with the year, and `1998-03-21` begins with it.
#
# The third curve of sums drops the encoder's gradient in every step, "all four" above.
# The source is reversed here, too. The loss still falls. The encoder keeps its random
# initial weights, and what it passes on still depends on the source. The decoder learns
# what it can from that, and that is far too little.


# %%
class Pairs:
    """The ids of a corpus, in mini-batches; the first ones are the validation set."""

    def __init__(self, pairs, valid):
        self.tokenizers = [CharTokenizer.fit(texts) for texts in zip(*pairs)]
        sources, self.targets = ([tok.encode(text) for text in texts] for tok, texts in zip(self.tokenizers, zip(*pairs)))
        self.end = self.tokenizers[1].eos_id
        self.source, self.lengths = pad(sources[:valid])
        self.batches = PairBatches(sources[valid:], self.targets[valid:], 64, pool=8, start=START, end=self.end)

    def right(self, texts):
        return np.array([np.array_equal(text, y) for text, y in zip(texts, self.targets)])

    def train(self, epochs, reverse, keep=1.0):
        sizes = [tok.vocab_size for tok in self.tokenizers]
        model = EncoderDecoder(*sizes, embedding=16, hidden=64, reverse_source=reverse)
        theta, optimizer, curve = model.parameters.flat, Adam(0.01), [0.0]
        schedule, state, losses = CosineDecay(0.01, epochs * len(self.batches)), optimizer.init(theta), []
        for epoch in range(epochs):
            for batch in self.batches.epoch(np.random.default_rng(epoch)):
                loss, gradients, _, _ = model.loss_and_gradients(batch)
                for name in gradients:
                    gradients[name][...] *= keep if name.startswith(("encoder", "source")) else 1.0
                clip(gradients.flat, max_norm=1.0)
                state = optimizer.step(theta, gradients.flat, state, schedule(len(losses)))
                losses.append(loss)
            memory = model.encode(self.source, self.lengths)
            curve.append(self.right(decode(model, memory, START, self.end, limit=12).texts).mean())
        return model, curve, np.mean(losses[-len(self.batches) :])


VALID, models, curves = 100 if QUICK else 1000, {}, {}
sums = Pairs(addition.sample(VALID + (2000 if QUICK else 30_000), 3, np.random.default_rng(0)), VALID)
days = Pairs(dates.sample(VALID + (1000 if QUICK else 10_000), np.random.default_rng(0)), VALID)
RUNS = {"sums, as written": (sums, False), "sums, reversed": (sums, True), "dates, as written": (days, False),
        "dates, reversed": (days, True), "sums, encoder not trained": (sums, True, 0.0)}  # fmt: skip
print("\n                           exact match   training loss, last epoch")
for name, (pairs, *how) in RUNS.items():
    models[name], curves[name], loss = pairs.train(1 if QUICK else 10 if pairs is sums else 6, *how)
    print(f"{name:<25}{curves[name][-1]:13.1%}{loss:28.3f}")
written, turned, days_written, days_turned, untrained = (curve[-1] for curve in curves.values())
assert QUICK or turned > 0.85 and turned - 0.2 > written > 0.05 > untrained and days_written > days_turned + 0.2

if plt := pyplot():
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.8), sharey=True)
    for axis, title in zip(axes, ("Sums: 535+61 is 596", "Dates: 21 March 1998 is 1998-03-21")):
        for name, curve in curves.items():
            if name.startswith(title.split(":")[0].lower()):
                colour, end = COLOURS[2 if "not trained" in name else "reversed" in name], (len(curve) - 1, curve[-1])
                axis.plot(curve, color=colour)
                axis.annotate(name.split(", ", 1)[1], end, (-4, 8), textcoords="offset points", ha="right", color=colour)
        axis.set(title=title, xlabel="epoch", ylim=(0, 1.08))
    axes[0].set_ylabel("exact match, validation set")
    save(figure, "18_many_to_many")

# %% [markdown]
# ## Greedy decoding and beam search
#
# To write, the decoder reads the start token, and then what it wrote itself, until it
# writes the end token. *Greedy* decoding takes the most likely token each time. It
# decides about the first digit before it knows what follows. *Beam search* keeps
# several beginnings (lesson 11), and may return to the second best first digit.
#
# The model that reads sums as written is unsure, so there the two differ. A beam finds
# answers that are likelier for the model. They are not more often right: a better
# search does not repair a model. Where the model is good, both write the same.
#
# Note how far the fraction of right characters is above the exact match. If you compare
# two published results, find out first which of the two they count.

# %%
model, count, (ask, show) = models["sums, as written"], 50 if QUICK else 300, sums.tokenizers
memory = model.encode(sums.source[:, :count], sums.lengths[:count])
greedy = decode(model, memory, START, sums.end, limit=12).texts
found = {width: [texts[0] for texts in beam_decode(model, memory, START, sums.end, 12, width)] for width in (1, 5)}
assert all(np.array_equal(text, one) for text, (one, _) in zip(greedy, found[1]))  # a beam of 1 is greedy
print(f"\n{count} sums, as written      exact match   right characters   mean log P")
scores, exact = {}, {}
for width, texts in found.items():
    ids, log_P = zip(*texts)
    characters = [k == y for text, target in zip(ids, sums.targets) for k, y in zip_longest(text, target)]
    exact[width] = sums.right(ids)
    scores[width] = exact[width].mean(), np.mean(characters), np.mean(log_P)
    print("{:<24}{:13.1%}{:19.1%}{:13.3f}".format("greedy" if width == 1 else f"beam of {width}", *scores[width]))
print("\nwhere only the beam is right    greedy   log P      beam   log P")
for b in np.flatnonzero(exact[5] & ~exact[1])[:4]:
    texts = "".join(f"{show.decode(text):>10}{log_P:8.2f}" for text, log_P in (found[1][b], found[5][b]))
    print(f"{ask.decode(sums.source[: sums.lengths[b], b]):<28}{texts}")
print(f"only the beam is right: {(exact[5] & ~exact[1]).sum()}, only greedy is right: {(exact[1] & ~exact[5]).sum()}")
assert scores[5][2] > scores[1][2] and (QUICK or scores[1][1] > scores[1][0] + 0.2 and abs(scores[5][0] - scores[1][0]) < 0.05)

# %% [markdown]
# ## Exercises
#
# `minilstm exercise 18` makes your copy, `lessons/my/18_many_to_many.py`. Fill in its
# blanks, and run the same command again: it grades what you wrote.
#
# 1. Inputs and targets for teacher forcing.
# 2. Backward from the loss to the encoder, by the decoder's first state.
# 3. Greedy decoding, until every target has ended.
