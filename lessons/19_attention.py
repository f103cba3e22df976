# %% [markdown]
# # 19. Attention
#
# After this lesson you can:
#
# - compute additive attention by hand: scores, weights, context
# - derive its gradients, with the term of the softmax that is often forgotten
# - keep the padding out of a softmax
# - draw an alignment: where a model looked while it wrote each token
#
# The lesson takes an hour, of which the computer trains for half a minute, and another
# hour with its exercises. You need lesson 18, and softmax from lesson 8.
#
# In lesson 18 the whole source had to fit into one state of the decoder. *Attention*
# gives the decoder a second way to the source. The encoder's output at step s of the
# source is the *annotation* a[s]. At every step of the target, the decoder makes a
# weighted mean of all annotations, the *context*. Its last hidden state is the *query*
# q, which decides the weights:
#
#     (1)  u[s] = tanh(q Wq + a[s] Wa + b)
#     (2)  e[s] = u[s] · v                           scores
#     (3)  p = softmax(e), over the real s           attention weights, 0 at the padding
#     (4)  context = Σ_s p[s] a[s]
#     (5)  de[s] = p[s] (dp[s] - Σ_r p[r] dp[r])     backward through (3)
#
# The equations have the numbers of `minilstm/reference/attention.py`. This is
# *additive* attention: Bahdanau, Cho and Bengio, Neural machine translation by jointly
# learning to align and translate (2015), appendix A.1.2. (They have no bias b.)

# %%
import numpy as np

from minilstm import Adam, CharTokenizer, EncoderDecoder, reference
from minilstm.corpora import dates
from minilstm.course import pyplot, quick, save
from minilstm.data.pairs import PairBatches, pad
from minilstm.generation.decoding import decode
from minilstm.optim import CosineDecay
from minilstm.reference import lstm_step, lstm_step_backward
from minilstm.reference.attention_lstm import AttentionLSTMWeights
from minilstm.reference.functions import softmax
from minilstm.training.loop import Training, train_steps
from minilstm.verify import check_gradients

QUICK = quick()

# %% [markdown]
# ## Scores, weights, context
#
# We have two sources, of four and of two tokens, side by side. So two annotations of
# the second source are padding. Whatever stands there must not matter.
#
# The softmax needs care. An annotation of zeros has a score like any other, and the
# softmax of four scores gives it a weight. There are two ways to get rid of it:
#
# - Set the score to -∞ *before* the softmax. exp(-∞) is 0, so the weights of the real
#   steps sum to 1. This is (3).
# - Set the weight to 0 *after* the softmax. Then the weights sum to less than 1, and
#   the context gets smaller the more padding there is.
#
# The second is a common bug. It is hard to see, because the model trains all the same.
# But then the translation of a sentence depends on its neighbours in the mini-batch.


# %%
def attention(q, a, lengths, Wq, Wa, b, v):
    real = np.arange(len(a))[:, None] < lengths                               # (S, B)
    u = np.tanh(q @ Wq + a @ Wa + b)                                          # (1), (S, B, K)
    e = np.where(real, u @ v, -np.inf)                                        # (2), (S, B)
    p = softmax(e.T)                                                          # (3), (B, S)
    context = np.einsum("bs,sba->ba", p, a)                                   # (4), (B, A)
    return context, (q, a, u, p)


S, B, A, H, K = 4, 2, 3, 5, 4
rng = np.random.default_rng(0)
shapes = {"q": (B, H), "a": (S, B, A), "Wq": (H, K), "Wa": (A, K), "b": (K,), "v": (K,)}
p = {name: rng.normal(size=shape) for name, shape in shapes.items()}
lengths = np.array([4, 2])
p["a"][2:, 1] = 0                                                             # the padding
run = lambda p: attention(p["q"], p["a"], lengths, *[p[name] for name in ("Wq", "Wa", "b", "v")])
context, cache = run(p)
u, weights = cache[2:]
theirs, their_cache = reference.attention_forward(p["q"], p["a"], lengths, p["Wq"], p["Wa"], p["b"], p["v"])
assert np.allclose(context, theirs) and np.allclose(weights, their_cache.p)

without = softmax((u @ p["v"]).T)[1]                                          # no mask
ways = {"masked before softmax, (3)": weights[1], "not masked": without, "set to 0 after softmax": without * [1, 1, 0, 0]}
print("attention weights of a source of 2 tokens, padded to 4        sum")
for name, w in ways.items():
    print(f"{name:<30}" + "".join(f"{x:7.3f}" for x in w) + f"{w.sum():7.3f}")
assert weights[1, 2:].max() == 0 and np.allclose(weights.sum(axis=1), 1) and ways["set to 0 after softmax"].sum() < 0.9

# %% [markdown]
# ## Backward
#
# The context (4) is a sum of products, so dp[s] is dcontext · a[s], and a[s] gets p[s]
# dcontext. The scores (2) and the tanh (1) are like a small layer that is applied at
# every step of the source. Two numbers are used more than once, and their gradients
# add (rule 4 of lesson 3):
#
# - q is read at every step s. So its gradient is a sum over s.
# - a[s] is used twice: in (1), where it gets a score, and in (4), where it is averaged.
#
# That leaves the softmax (3). The derivative of p[r] with respect to e[s] is
#
#     p[r] ([r = s] - p[s])
#
# Multiply by dp[r], and sum over r. The first part gives p[s] dp[s], the second one
# -p[s] Σ_r p[r] dp[r]. Together they are (5).
#
# The sum is what makes weights compete. If one weight grows, the others must shrink. So
# a score should grow only if its dp is better than the weighted mean of all dp. If you
# forget the sum, each score is changed as if it were alone. (5) also says that the de
# of a source sum to 0: the same number added to all scores changes nothing.


# %%
def attention_backward(dcontext, cache, Wq, Wa, v, mean=1):
    q, a, u, p = cache
    dp = np.einsum("ba,sba->bs", dcontext, a)                                 # (4), (B, S)
    da = np.einsum("bs,ba->sba", p, dcontext)                                 # (4)
    de = p * (dp - mean * np.sum(p * dp, axis=1, keepdims=True))              # (3) by (5)
    du = de.T[..., None] * v                                                  # (2), (S, B, K)
    dz = du * (1 - u**2)                                                      # (1)
    dz_q = dz.sum(axis=0)                                                     # (1), (B, K)
    da = da + dz @ Wa.T                                                       # (1): a is used twice
    grads = {"Wq": q.T @ dz_q, "Wa": np.einsum("sba,sbk->ak", a, dz), "b": dz_q.sum(axis=0)}      # (1)
    return {"q": dz_q @ Wq.T, "a": da, **grads, "v": np.einsum("bs,sbk->k", de, u)}, de


target = rng.normal(size=(B, A))                                              # loss = Σ target ⊙ context
back = lambda mean: attention_backward(target, cache, p["Wq"], p["Wa"], p["v"], mean)
right, de = back(mean=1)
check = check_gradients(lambda p: np.sum(target * run(p)[0]), p, right, method="complex")
print(f"\n{len(p)} arrays by complex step: largest relative error {max(row.relative for row in check.rows):.0e}")
dq, da, grads = reference.attention_backward(target, their_cache, p["Wq"], p["Wa"], p["v"])
assert check and all(np.allclose(right[k], g) for k, g in {"q": dq, "a": da, **grads._asdict()}.items())

wrong, wrong_de = back(mean=0)
print("\ngradients of the scores e      s = 0  s = 1  s = 2  s = 3     sum")
for name, rows in {"right": de, "without the sum in (5)": wrong_de}.items():
    for b in range(B):
        print(f"{name:<23}source {b}" + "".join(f"{x:7.3f}" for x in rows[b]) + f"{rows[b].sum():8.3f}")
assert np.allclose(de.sum(axis=1), 0) and np.abs(wrong_de.sum(axis=1)).min() > 0.1

# %% [markdown]
# ## At every step of the target
#
# An LSTM with attention asks at every step: its last hidden state is the query, and the
# context is read beside the input x. (The weights Wx and Wc are one below the other.)
#
#     (1)  context = attention(h_prev, a)
#     (2)  z = x Wx + context Wc + h_prev Wh + b     then as any LSTM
#
# These numbers are from `minilstm/reference/attention_lstm.py`. Backward, three
# gradients are sums, and each is lost by a common bug:
#
# - h_prev is read twice: as the query, and by the LSTM. dh_prev is the sum of both.
# - The annotations are read at *every* step of the target. Their gradient is added up
#   over all steps, as that of a weight is. With `=` for `+=` only one step is left.
# - The weights of attention are used at every step, too.


# %%
T, D = 3, 2
W = [rng.normal(0, 0.7, shape) for shape in ((D, 4 * H), (H, 4 * H), (4 * H,), (A, 4 * H), (H, K), (A, K), (K,), (K,))]
W = dict(zip(AttentionLSTMWeights._fields, W))
NAMES = {"Wq": "Wq", "Wa": "Wa", "b": "ba", "v": "v"}                         # of attention, and here
x, h0, c0 = rng.normal(size=(T, B, D)), rng.normal(size=(B, H)), rng.normal(size=(B, H))


def steps(W, a):
    h, c, hs, caches, Wxc = h0, c0, [], [], np.vstack([W["Wx"], W["Wc"]])
    for t in range(T):
        context, attended = attention(h, a, lengths, *[W[name] for name in NAMES.values()])       # (1)
        h, c, cache = lstm_step(np.hstack([x[t], context]), h, c, Wxc, W["Wh"], W["b"])           # (2)
        hs.append(h), caches.append((attended, cache))
    return np.array(hs), caches


def steps_backward(dh, caches, W):
    total = {name: np.zeros_like(value) for name, value in W.items()} | {"a": np.zeros((S, B, A))}
    dh_next, dc_next, da = np.zeros((B, H)), np.zeros((B, H)), []
    for t in reversed(range(T)):
        attended, cache = caches[t]
        Wxc = np.vstack([W["Wx"], W["Wc"]])
        dread, dh_prev, dc_next, (dWxc, dWh, db) = lstm_step_backward(dh[t] + dh_next, dc_next, cache, Wxc, W["Wh"])  # (2)
        grads, _ = attention_backward(dread[:, D:], attended, W["Wq"], W["Wa"], W["v"])           # (1)
        dh_next = dh_prev + grads["q"]                                        # h_prev is read twice
        da.append(grads["a"])
        for name, value in {"Wx": dWxc[:D], "Wc": dWxc[D:], "Wh": dWh, "b": db, "a": grads["a"]}.items():
            total[name] += value                                              # (2)
        for name, here in NAMES.items():
            total[here] += grads[name]                                        # (1)
    return total, da


hs, caches = steps(W, p["a"])
dh = rng.normal(size=hs.shape)                                                # loss = Σ dh ⊙ h
total, by_step = steps_backward(dh, caches, W)
loss = lambda given: np.sum(dh * steps({name: given[name] for name in W}, given["a"])[0])
check = check_gradients(loss, W | {"a": p["a"]}, total, method="complex")
h, _, cache = reference.attention_lstm_forward(x, p["a"], (h0, c0), AttentionLSTMWeights(**W), lengths)
_, _, theirs = reference.attention_lstm_backward(dh, (0 * h0, 0 * c0), cache, AttentionLSTMWeights(**W))
assert check and np.allclose(h, hs) and all(np.allclose(total[name], g) for name, g in theirs._asdict().items())
print(f"\n{T} steps: {len(total)} arrays by complex step, largest relative error {max(r.relative for r in check.rows):.0e}")
shares = [np.linalg.norm(part - total["a"]) / np.linalg.norm(total["a"]) for part in by_step]
print("da of one step alone, = in place of +=, is off by", " or ".join(f"{s:.0%}" for s in shares))
assert min(shares) > 0.3 and np.allclose(sum(by_step), total["a"])

# %% [markdown]
# ## Dates, with and without attention
#
# Dates in five languages become ISO 8601, as `le samedi 17 juin 1950` becomes
# `1950-06-17`. Three models with 64 hidden units train on the same 10,000 dates:
#
# - no attention, as in lesson 18
# - attention, and an encoder that reads from left to right
# - attention, and a *bidirectional* encoder, as Bahdanau, Cho and Bengio have it. Half
#   of each annotation is from a second LSTM, which reads from right to left. So an
#   annotation knows what stands on both sides of its character.
#
# The table has the exact match on 1,000 dates of a validation set. (Seven of these are
# in the training set, too.) It also has it for dates with the name of a month, and
# for those in numbers alone, such as `5/23/1917`. Without attention numbers are
# hardest: the same digit may be of a day, a month or a year, and the state must
# remember which one stood where. With attention the decoder looks it up.
#
# Attention also learns sooner: compare the exact match after two epochs. With more
# dates or more epochs, the model without attention nearly catches up here, because
# dates are short. Bahdanau, Cho and Bengio (2015) compare sentences by their length:
# without attention, translations of long ones are much worse.

# %%
VALID, COUNT, EPOCHS = (100, 1000, 1) if QUICK else (1000, 10_000, 6)
pairs = dates.sample(VALID + COUNT, np.random.default_rng(0))
READ, WRITE = tokenizers = [CharTokenizer.fit(texts) for texts in zip(*pairs)]
sources, targets = ([tok.encode(text) for text in texts] for tok, texts in zip(tokenizers, zip(*pairs)))
START, END, names = 0, WRITE.eos_id, np.array([any(map(str.isalpha, text)) for text, _ in pairs[:VALID]])
batches = PairBatches(sources[VALID:], targets[VALID:], 64, pool=8, start=START, end=END)


def write(model, sources):  # greedily; texts, and attention weights (T, S) of each
    return decode(model, model.encode(*pad(sources)), START, END, limit=12)


def is_right(model):
    return np.array([np.array_equal(*both) for both in zip(write(model, sources[:VALID]).texts, targets)])


models, curves, in_numbers = {}, {}, {}
OPTIONS = {"no attention": {}, "attention": {"attention": 64}}
OPTIONS["attention, bidirectional"] = {"attention": 64, "bidirectional": True}
print("\n                          parameters   exact match   with names   in numbers")
for name, options in OPTIONS.items():
    models[name] = model = EncoderDecoder(READ.vocab_size, WRITE.vocab_size, embedding=16, hidden=64, **options)
    training, curves[name] = Training.begin(model, Adam(0.01), np.random.default_rng(0)), [0.0]
    schedule = CosineDecay(0.01, EPOCHS * len(batches))
    for record in train_steps(training, batches, epochs=EPOCHS, clip_norm=1.0, schedule=schedule):
        if record.epoch_ends:
            right = is_right(model)
            curves[name].append(right.mean())
    in_numbers[name] = right[~names].mean()
    shares = right.mean(), right[names].mean(), in_numbers[name]
    print("{:<25}{:11,}{:14.1%}{:13.1%}{:14.1%}".format(name, model.parameters.flat.size, *shares))
print(f"after epoch {min(2, EPOCHS)}: " + ", ".join(f"{name} {curve[min(2, EPOCHS)]:.0%}" for name, curve in curves.items()))
none, one, both = curves.values()
assert QUICK or min(one[-1], both[-1]) > max(0.9, none[-1] + 0.05) and min(one[2], both[2]) > none[2] + 0.4
assert QUICK or in_numbers["no attention"] < min(in_numbers["attention"], in_numbers["attention, bidirectional"]) - 0.1

# %% [markdown]
# ## Where it looked
#
# The attention weights of a text are a table (T, S): a row for each token written, a
# column for each character read. Drawn as a picture, it is called the *alignment*. The
# picture is of the model with a bidirectional encoder.
#
# It writes the year first, and looks at the year, which stands last. For the month it
# looks at the letters that decide: at the n of `juin`, which `juillet` has not. It
# hardly looks at the weekday, which adds nothing to the rest of a date.
#
# The rows of `-` look at the month and at the day already. A `-` needs no reading, so
# the decoder can use the step to read ahead. To write the first digit of a day, it has
# to know whether the day has two digits.
#
# Be careful with such pictures. The other model with attention is as good, but in this
# run it looks elsewhere while it writes the year. It need not look: the decoder begins
# with the encoder's final state, and the year was read last. With other initial values
# the same model did look at the year. Attention weights show what was read by
# attention, and not all that the model knows.

# %%
SHOWN = {"English": ("24 September 1968", "1968-09-24"), "French": ("samedi 17 juin 1950", "1950-06-17"),
         "German": ("31. Oktober 2046", "2046-10-31")}  # fmt: skip
written = write(models["attention, bidirectional"], [READ.encode(text) for text, _ in SHOWN.values()])
assert all(text in dates.forms(iso) for text, iso in SHOWN.values())
on_year = {}
for name in list(OPTIONS)[1:]:
    weights, places = write(models[name], sources[:VALID]).weights, [text.find(iso[:4]) for text, iso in pairs[:VALID]]
    on_year[name] = np.mean([w[:4, k : k + 4].sum(axis=1) for w, k in zip(weights, places) if k >= 0])
    print(f"{name:<25}{on_year[name]:5.0%} of the weight is on the year while it is written")
print(f"weight on the weekday `samedi`, most of any step: {written.weights[1][:-1, :6].sum(axis=1).max():.2f}")
assert QUICK or on_year["attention, bidirectional"] > 0.75

if plt := pyplot():
    figure, axes = plt.subplots(1, 3, figsize=(10.5, 3.4), width_ratios=[len(text) for text, _ in SHOWN.values()])
    for axis, (language, (text, _)), ids, weights in zip(axes, SHOWN.items(), written.texts, written.weights):
        image = axis.imshow(weights[:, : len(text)], vmin=0, vmax=1, aspect="auto")
        axis.set_xticks(range(len(text)), text.replace(" ", "␣"), fontsize=10)
        axis.set_yticks(range(len(weights)), [*WRITE.decode(ids), "end"][: len(weights)], fontsize=10)
        axis.set(title=language, xlabel="characters read"), axis.grid(visible=False)
    axes[0].set_ylabel("characters written")
    figure.colorbar(image, ax=axes, label="attention weight p", pad=0.01)
    save(figure, "19_attention")

# %% [markdown]
# ## Exercises
#
# `minilstm exercise 19` makes your copy, `lessons/my/19_attention.py`. Fill in its
# blanks, and run the same command again: it grades what you wrote.
#
# 1. Attention weights and context, without the padding.
# 2. The same backward.
# 3. The gradient of the annotations and of the queries over all steps of a target.
