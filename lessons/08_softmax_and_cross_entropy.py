# %% [markdown]
# # 8. Softmax and cross-entropy
#
# After this lesson you can turn any scores into probabilities without an overflow, derive the
# gradient that every language model begins its way back with, and take the mean over the right
# tokens. You will know how a published notebook came to end with `KeyError: 0`. It takes three
# quarters of an hour, and two hours with its exercises. You need: logarithms, derivatives, and from
# lesson 1 padding and lengths.
#
# At each step a network gives V numbers, one for each id: the *logits* a. They may be anything. Two
# functions of `minilstm/reference/functions.py` make probabilities of them, and two equations of
# `minilstm/layers/losses.py` compare these with the target y, the id that really came; they are numbered
# as in these files:
#
#     (3)  log Σ eˣ     = m + log Σ eˣ⁻ᵐ,  m = max x                    log-sum-exp
#     (4)  softmax(x)   = eˣ / Σ eˣ = eˣ⁻ᵐ / Σ eˣ⁻ᵐ                     softmax
#
#     (1)  loss = -log p_y = log Σ_v exp(a_v - a_y),    p = softmax(a)        nats
#     (2)  da_v = p_v - [v = y]
#
# [v = y] is 1 for the target and 0 for every other id; log is the natural logarithm. The name
# softmax is from Bridle (1990), the perplexity from Jelinek, Mercer, Bahl and Baker (1977).

# %%
import numpy as np

from minilstm.corpora.headlines import headlines
from minilstm.course import COLOURS, pyplot, save
from minilstm.data.batches import SequenceBatches
from minilstm.data.published import LeftPadded
from minilstm.data.tokenizers import CharTokenizer
from minilstm.generation.sampling import Sampling
from minilstm.layers.losses import output_loss
from minilstm.reference import functions, softmax_cross_entropy, softmax_cross_entropy_backward

# %% [markdown]
# ## From scores to a loss
#
# Four ids, say the letters e, a, o and z. The exponential makes every score positive, and the
# division makes them sum to 1. A score that is 1 higher is e = 2.718 times as likely. What one
# expects from a loss, the logarithm does: nothing if the target was certain, more the less it was
# expected. -log p is called the *surprise*, in nats; divided by log 2 it is in bits. The
# exponential of a mean loss is the *perplexity*: between how many equally likely ids the model
# wavers.

# %%
LETTERS = "eaoz"
a = np.array([2.0, 1.0, 0.0, -1.0])
p = np.exp(a) / np.exp(a).sum()
print("     score   exp(score)       p   loss in nats if this comes")
for letter, *row in zip(LETTERS, a, np.exp(a), p, -np.log(p)):
    print("{} {:9.1f} {:12.3f} {:7.3f} {:17.3f}".format(letter, *row))
assert p.round(3).tolist() == [0.644, 0.237, 0.087, 0.032] and np.allclose(p[:-1] / p[1:], np.e)

# %% [markdown]
# Each score is 1 less than the one above, so each loss is 1 more. Only differences count: 5 added
# to all scores multiplies every exponential by the same number, which the division takes away
# again.
#
# A model that knows nothing gives each id 1/V, and its loss is log V: for the 74 ids of lesson 1
# that is 4.30. If the first loss that you print is far from log V, something is wrong before any
# training.
#
# ## Why exp overflows, and why m helps
#
# The largest float64 is near 10³⁰⁸, the exponential of 709.78; the largest float32 is that of 88.7.
# Above that comes `inf`, and inf / inf is `nan`, not a number. Scores do get large in training, and
# one nan in a loss makes all weights nan.
#
# Since only differences count, the largest score m may be taken off first. Then the largest
# exponential is e⁰ = 1, and the sum is between 1 and V, whatever the scores are. Exponentials of
# very negative numbers become 0, which changes the sum by less than its last digit.


# %%
def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)                                              # (4)


def log_sum_exp(x):
    m = x.max(axis=-1, keepdims=True)
    return m + np.log(np.exp(x - m).sum(axis=-1, keepdims=True))                          # (3)


big = a + 998
with np.errstate(over="ignore", invalid="ignore"):
    naive = np.exp(big) / np.exp(big).sum()
    too_large = np.exp(709.79), np.exp(np.float32(88.8))
print("\nscores             ", big, "\ne^x / Σ e^x         ", naive, "\nwith m taken off   ", softmax(big).round(3))
assert np.isnan(naive).all() and np.allclose(softmax(big), p)
assert np.isfinite([np.exp(709.78), np.exp(np.float32(88.7))]).all() and np.isinf(too_large).all()
for x in (a, big, np.random.default_rng(0).normal(0, 1000, (3, 5))):
    assert np.array_equal(softmax(x), functions.softmax(x)) and np.array_equal(log_sum_exp(x), functions.log_sum_exp(x))
print("functions.softmax and functions.log_sum_exp give the same, row by row")

# %% [markdown]
# The maximum is taken **row by row**, one for each token. With one maximum for the whole array a
# row that lies 800 below another has nothing but zeros, and 0 / 0 is nan again.
#
# ## log(0)
#
# Let the target's score be 1000 below the best. Its probability is about 10⁻⁴³⁴, too small for a
# float, so it becomes 0, and -log 0 is infinite. In float32 a difference of 104 is enough. Many
# programs add a small number first, -log(p + 10⁻¹²). The loss is then 27.6 and not 1000, and its
# slope is 0: where the model is wrong most of all, it learns nothing. The cure is to stay with
# logarithms. That of (4) at y is a_y - log Σ eᵃ, and its negative is (1): no division, and no
# logarithm of 0, since the sum that the logarithm is taken of is at least 1.

# %%
loss_of = lambda x, y: log_sum_exp(x - x[y])[0]                                           # (1)
ways = {"-log p": lambda x, y: -np.log(softmax(x)[y]), "-log(p + 1e-12)": lambda x, y: -np.log(softmax(x)[y] + 1e-12)}
scores, nudge = np.array([0.0, -1000.0]), np.array([0.0, 1.0])
found = {}
print("\n                        loss   its slope in a_y")
for name, f in (ways | {"log Σ exp(a - a_y)": loss_of}).items():
    with np.errstate(divide="ignore", invalid="ignore"):
        found[name] = f(scores, 1), (f(scores + nudge, 1) - f(scores - nudge, 1)) / 2
    print("{:<19} {:8.1f} {:18.1f}".format(name, *found[name]))
assert np.isinf(found["-log p"][0]) and np.round(found["-log(p + 1e-12)"], 1).tolist() == [27.6, 0]
assert found["log Σ exp(a - a_y)"] == (1000, -1) and round(1000 / np.log(10)) == 434
assert np.exp(np.float32(-104)) == 0 < np.exp(np.float32(-103)) and np.exp(-800.0) == 0

# %% [markdown]
# ## The gradient is p - y
#
# Write (1) as log Σ eᵃ - a_y and differentiate by a_v. The first term gives one over the sum, times
# the derivative of the sum, of which only the v-th part depends on a_v: eᵃᵛ / Σ eᵃ = p_v. The
# second gives 1 if v is the target, else 0. So da_v = p_v - [v = y]: what the model said minus what
# was true. Write y for the row that is 1 at the target, and it reads **p - y**.
#
# It is never larger than 1, however wrong the model is, and it sums to 0: what the target gains,
# the others lose, each by its share. Taken one after the other, the derivatives of the logarithm,
# -1 / p_y, and of the softmax give the same product, but it is infinity times 0 when p_y has become
# 0. This is why the two are one function.

# %%
y = 2
da = p - (np.arange(4) == y)                                                              # (2)
slopes = np.array([(loss_of(a + step, y) - loss_of(a - step, y)) / 2e-6 for step in 1e-6 * np.eye(4)])
of_softmax, of_log = np.diag(p) - np.outer(p, p), np.where(np.arange(4) == y, -1 / p, 0)  # (V, V), (V,)
print("\n        p   target   p - y   measured slope")
for k, letter in enumerate(LETTERS):
    print(f"{letter} {p[k]:7.3f} {k == y:7d} {da[k]:9.3f} {slopes[k]:15.3f}")
assert np.allclose(da, slopes, atol=1e-8) and np.allclose(da, of_softmax @ of_log) and abs(da.sum()) < 1e-15

if plt := pyplot():
    figure, axes = plt.subplots(figsize=(6, 3.2))
    axes.bar(np.arange(4) - 0.2, p, 0.38, color=COLOURS[0], label="p, what the model says")
    axes.bar(np.arange(4) + 0.2, da, 0.38, color=COLOURS[1], label="p - y, the gradient")
    axes.set(xticks=range(4), xticklabels=["e", "a", "o\n(target)", "z"], ylim=(-1.05, 1.05))
    axes.set(ylabel="probability p, or gradient p - y", title="A step against p - y raises the target and lowers the others")
    axes.legend(loc="upper right")
    save(figure, "08_softmax_and_cross_entropy")

# %% [markdown]
# ## The mean over the real tokens
#
# A batch has logits (T, B, V), and `lengths` says how many steps of each sequence are real. The
# loss of the batch is the sum over the N real tokens divided by N. So every token's gradient is
# divided by N as well, **once**, and at the padding it is 0. The package has it twice: by the book,
# and fused with the output layer a = h W + b and compiled, where the logits of a chunk become their
# own gradient before the next chunk is made (`minilstm/kernels/softmax.py`).

# %%
rng = np.random.default_rng(1)
T, B, H, V = 5, 3, 2, 4
h, W, bias, lengths = rng.normal(size=(T, B, H)), rng.normal(size=(H, V)), rng.normal(size=V), np.array([5, 3, 2])
targets = rng.integers(0, V, (T, B))
logits = h @ W + bias                                                                     # (T, B, V)
real = np.arange(T)[:, None] < lengths                                                    # (T, B)
N = real.sum()
is_target = np.eye(V)[targets]                                                            # (T, B, V)
losses = (log_sum_exp(logits) - (logits * is_target).sum(axis=-1, keepdims=True))[..., 0]
loss = losses[real].sum() / N
dlogits = (softmax(logits) - is_target) * real[..., None] / N

print("\nstep   losses of three sequences")
for t in range(T):
    print(f"{t:4}   " + " ".join(f"{losses[t, b]:8.3f}" if real[t, b] else "       ·" for b in range(B)))
ours, cache = softmax_cross_entropy(logits, targets, lengths)
assert N == 10 and np.isclose(ours, loss) and np.allclose(softmax_cross_entropy_backward(cache), dlogits)
grads = {"W": np.empty_like(W), "b": np.empty_like(bias)}
compiled, _ = output_loss({"W": W, "b": bias}, h[real], targets[real], grads)
assert np.isclose(compiled, loss) and np.allclose(grads["W"], np.einsum("tbh,tbv->hv", h, dlogits))
print(f"{N} real tokens of {T * B}: mean {loss:.4f}, by the book {ours:.4f}, compiled {compiled:.4f}")

# %% [markdown]
# ## The smallest language model
#
# To see what a wrong mean does, something must be trained. A table will do: row x holds the logits
# of what follows id x. No memory, no layers; it sees one character. The gradient of row x is the
# sum of p - y over all tokens that follow an x, so it is enough to count the pairs: C[x, y] says
# how often y follows x. 1,024 headlines, 1,000 steps of gradient descent.
#
# With the gradient **not divided** by the number of tokens, each step is N times too large, and the
# loss explodes (100 steps show it). **Divided twice**, it is N times too small, and nothing is
# learned. Both are common. A gradient check shows them at once: all slopes are wrong by one factor,
# N or 1/N. The curve may not: Adam divides each gradient by its usual size (Kingma and Ba, 2015)
# and trains all the same, while clipping by the norm goes by a number that is N times off.

# %%
texts = headlines().sample_many(1024, np.random.default_rng(0))
tokenizer = CharTokenizer.fit(texts)
ids, V = [tokenizer.encode(text) for text in texts], tokenizer.vocab_size
C = np.zeros((V, V))
for batch in SequenceBatches(ids, 8, tokenizer.eos_id).epoch():
    real = np.arange(len(batch.inputs))[:, None] < batch.lengths
    np.add.at(C, (batch.inputs[real], batch.targets[real]), 1)


def mean_loss(table, C):
    return float((C * (log_sum_exp(table) - table)).sum() / C.sum())


def train(C, scale=1.0, steps=1000, rate=30.0):
    table = np.zeros((V, V))
    for _ in range(steps):
        table -= rate * scale * (C.sum(axis=1, keepdims=True) * softmax(table) - C) / C.sum()
    return table


N, clean = C.sum(), train(C)
once, never, twice = (mean_loss(table, C) for table in (clean, train(C, N, 100), train(C, 1 / N)))
print(f"\n{int(N):,} tokens, {V} ids; before training the loss is {mean_loss(np.zeros((V, V)), C):.2f}")
print(f"after it: divided once {once:.2f}     not divided {never:.0f}     divided twice {twice:.2f}")
print(f"perplexity: from {V} equally likely ids down to {np.exp(once):.1f}")
assert round(np.log(V), 2) == round(twice, 2) == 4.30 and never > 100

# %% [markdown]
# ## Padding in the mean: the loss looks better than the model is
#
# Now the same headlines as a published notebook had its own (`minilstm/data/published.py`): padded
# on the left, the padding learned and counted like text. The loss is 1.88 where the table above has
# 2.42. Has it learned more? Look where the losses are. A quarter of the positions ask what follows
# a padding; mostly another one does, and that is soon known. (Where it ends nobody can know, so the
# first letters cost much, but they are few.) The letters have the same loss as before: their rows
# are trained on the very same pairs. So losses with different shares of padding cannot be compared,
# not even those of one model: pad the same headlines further, and the loss falls. The picture shows
# it in a single batch: each line is a headline, padding on its left, where next to nothing is paid.

# %%
first, *others = LeftPadded(ids, 8, tokenizer.eos_id).epoch()
everything = np.zeros((V, V))
for batch in (first, *others):
    np.add.at(everything, (batch.inputs, batch.targets), 1)
published = train(everything)
x, y = np.indices((V, V))
kinds = {"all positions": x >= 0, "padding after padding": (x == 0) & (y == 0),
         "first letter after padding": (x == 0) & (y > 0), "letters and ends": x > 0}  # fmt: skip
print("\nwhat is predicted              positions   share   mean loss")
for name, kind in kinds.items():
    pairs = everything * kind
    print(f"{name:<28} {int(pairs.sum()):11,} {pairs.sum() / everything.sum():7.1%} {mean_loss(published, pairs):11.2f}")
rounded = [round(mean_loss(table, pairs), 2) for table, pairs in ((published, everything), (published, C), (clean, C))]
assert rounded == [1.88, 2.42, 2.42]
assert np.array_equal(everything[1:], C[1:]) and 0.24 < everything[0].sum() / everything.sum() < 0.28

if plt := pyplot():
    figure, axes = plt.subplots(figsize=(7.6, 2.6))
    each = (log_sum_exp(published) - published)[first.inputs, first.targets]              # (T, B)
    figure.colorbar(axes.imshow(each.T, aspect="auto", vmin=0, vmax=6), label="loss (nats)")
    means = f"mean of all {each.mean():.2f}, of letters and ends {each[first.inputs != 0].mean():.2f}"
    axes.set(xlabel="step", ylabel="headline in the batch", yticks=range(8), title=f"A batch padded on the left: {means}")
    axes.grid(False)
    save(figure, "08_softmax_and_cross_entropy_padding")

# %% [markdown]
# ## How a notebook ended with KeyError: 0
#
# The notebook is lesson 17 of Microsoft's "AI for Beginners", a model of real headlines.
#
# 1. A masking layer was to skip the padding. It skips steps whose vector is all zeros. But each id
#    had become a one-hot vector, and that of id 0 has a 1 in its first place: nothing was skipped.
# 2. So 0 was read and predicted like any character, and the network learned when it is due.
# 3. After a letter it never was, and its probability there went down and down. But a softmax never
#    says never: e to any power is above 0.
# 4. Text was drawn at several *temperatures* τ, from softmax(a / τ): every p becomes p^(1/τ),
#    scaled to sum 1. Above 1 this makes all ids more alike; at 1.8, 0.0001 becomes 0.006 before it
#    is scaled.
# 5. The dictionary from ids to characters begins at 1. The first 0 that is drawn ends the program.
#
# How likely is that here? Follow the probabilities: five texts, each begun with a space, as all
# five prompts of the notebook end, and each of at most 300 characters. And would it have helped to
# leave the padding out of the mean? The last column is the first table, to which no padding was
# ever shown.


# %%
def chance(table, tau, start):
    """That a text from this character on draws a 0 before it ends, within 300 characters."""
    q = softmax(table / tau)                                                              # (V, V)
    now, hit = np.eye(V)[start], 0.0                                                      # (V,)
    for _ in range(300):
        now = now @ q
        hit += now[0]
        now[[0, tokenizer.eos_id]] = 0
    return hit


space = tokenizer.encode(" ")[0]
print("\n  τ   a 0 is drawn in five texts   if padding was not in the loss")
for tau in (0.3, 0.8, 1.0, 1.3, 1.8):
    risk = [1 - (1 - chance(table, tau, space)) ** 5 for table in (published, clean)]
    print("{:3} {:19.1%} {:28.1%}".format(tau, *risk))
assert [round(100 * value) for value in risk] == [60, 54] and round(0.0001 ** (1 / 1.8), 3) == 0.006

rng, symbol_of = np.random.default_rng(4), dict(enumerate(tokenizer.tokens, start=1))
last, text = space, "Today "
try:
    while len(text) < 10_000:
        last = int(rng.choice(V, p=softmax(published[last] / 1.8)))
        last, text = (space, text + "¶ Today ") if last == tokenizer.eos_id else (last, text + symbol_of[last])
except KeyError as error:
    print(f"\nat τ = 1.8 (¶ is <eos>): {text[-50:]}\nKeyError: {error}, after {len(text)} characters")
assert last == 0

# %% [markdown]
# ## What helps
#
# Padding out of the mean is right, since the loss is then about text. But it hardly lowers the
# risk: 54 % in place of 60 %. Nothing ever teaches a 0 to be likely, and still it is an output like
# any other. What ends the matter is to forbid it where text is drawn: its score becomes minus
# infinity, and e to that power is exactly 0. `minilstm/generation/sampling.py` does so with padding and unknown.

# %%
allowed = Sampling(temperature=1.8).distribution(published, forbidden=[0])                # (V, V)
assert np.allclose(allowed, softmax(np.where(np.arange(V) == 0, -np.inf, published) / 1.8)) and not allowed[:, 0].any()
print(f"\na 0 after a space: probability {softmax(published[space] / 1.8)[0]:.5f}; forbidden, {allowed[space, 0]}")

# %% [markdown]
# ## Exercises
#
# `minilstm exercise 8` makes your copy, `lessons/my/08_softmax_and_cross_entropy.py`.
# Fill in its blanks, and run the same command again: it grades what you wrote.
#
# 1. log-sum-exp for scores of any size.
# 2. Loss and gradient of each token, in logarithms.
# 3. Loss and gradient of a padded batch; a mistake in it is called by its name.
