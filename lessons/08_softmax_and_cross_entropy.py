# %% [markdown]
# # 8. Softmax and cross-entropy
#
# After this lesson you can turn any scores into probabilities without an overflow. You
# can derive the gradient with which backward begins in every language model, and take a
# mean over the right tokens. You also know why a published notebook ended with
# `KeyError: 0`. It takes three quarters of an hour, and two hours with its exercises.
# You need logarithms, derivatives, and padding and lengths from lesson 1.
#
# At each time step a network outputs V numbers, a score for each id. They are called
# *logits*, a, and may have any size. Two functions of `minilstm/reference/functions.py`
# make probabilities of them. Two equations of `minilstm/layers/losses.py` compare these
# with the target y, the id that really comes next. All four are numbered as in these
# files:
#
#     (3)  log Σ eˣ     = m + log Σ eˣ⁻ᵐ,  m = max x                    log-sum-exp
#     (4)  softmax(x)   = eˣ / Σ eˣ = eˣ⁻ᵐ / Σ eˣ⁻ᵐ                     softmax
#
#     (1)  loss = -log p_y = log Σ_v exp(a_v - a_y),    p = softmax(a)        nats
#     (2)  da_v = p_v - [v = y]
#
# [v = y] is 1 for the target and 0 for every other id. log is the natural logarithm.
# The name softmax is from Bridle (1990), the perplexity from Jelinek, Mercer, Bahl and
# Baker (1977).

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
# Take four ids, say the letters e, a, o and z. The exponential makes every score
# positive. The division makes the results sum to 1, so they are probabilities. If one
# score is higher than another by 1, its id is e = 2.718 times as likely.
#
# A loss should be 0 if the target was certain, and larger the less likely the target
# was. The logarithm does that: the loss is -log p, called the *surprise*. It is counted
# in *nats*; a token of probability p = 1/2 costs 0.69 nats.
#
# Divided by log 2 = 0.69, the loss is in *bits*. So p = 1/2 costs 1 bit. The
# exponential of a mean loss is the *perplexity*, the effective number of equally likely
# ids.

# %%
LETTERS = "eaoz"
a = np.array([2.0, 1.0, 0.0, -1.0])
p = np.exp(a) / np.exp(a).sum()
print("     score   exp(score)       p   loss in nats if this comes")
for letter, *row in zip(LETTERS, a, np.exp(a), p, -np.log(p)):
    print("{} {:9.1f} {:12.3f} {:7.3f} {:17.3f}".format(letter, *row))
assert p.round(3).tolist() == [0.644, 0.237, 0.087, 0.032] and np.allclose(p[:-1] / p[1:], np.e)

# %% [markdown]
# Each score is 1 less than the one above, so each loss is 1 more. Only differences
# count. If 5 is added to all scores, every exponential is multiplied by the same
# number, and the division cancels it.
#
# A model that knows nothing gives each id the probability 1/V, and its loss is log V.
# For the 74 ids of lesson 1 that is 4.30. If the first loss that you print is far from
# log V, something is wrong before any training.
#
# ## Why exp overflows, and why m helps
#
# The largest float64 is near 10³⁰⁸, the exponential of 709.78. The largest float32 is
# the exponential of 88.7. Above that the result is `inf`, and inf / inf is `nan`, not a
# number. Scores do get large in training, and one nan in a loss makes all weights nan.
#
# Only differences count, so the largest score m may be subtracted first. Then the
# largest exponential is e⁰ = 1, and the sum is between 1 and V, whatever the scores
# are. Exponentials of very negative numbers become 0. That changes the sum by less than
# its last digit.


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
print("\nscores             ", big, "\ne^x / Σ e^x         ", naive, "\nwith m subtracted  ", softmax(big).round(3))
assert np.isnan(naive).all() and np.allclose(softmax(big), p)
assert np.isfinite([np.exp(709.78), np.exp(np.float32(88.7))]).all() and np.isinf(too_large).all()
for x in (a, big, np.random.default_rng(0).normal(0, 1000, (3, 5))):
    assert np.array_equal(softmax(x), functions.softmax(x)) and np.array_equal(log_sum_exp(x), functions.log_sum_exp(x))
print("functions.softmax and functions.log_sum_exp give the same, row by row")

# %% [markdown]
# The maximum is taken **row by row**, one for each token. Suppose that there is one
# maximum for the whole array, and a row is 800 below another. Then this row has only
# zeros, and 0 / 0 is nan again.
#
# ## log(0)
#
# Let the target's score be 1000 below the largest. Its probability is about 10⁻⁴³⁴.
# That is too small for a float, so it becomes 0, and -log 0 is infinite. In float32 a
# difference of 104 is enough.
#
# Many programs add a small number first, -log(p + 10⁻¹²). The loss is then 27.6 instead
# of 1000, and its derivative is 0. Where the model is most wrong, it learns nothing.
#
# The solution is to compute with logarithms all the way. The logarithm of (4) at y is
# a_y - log Σ eᵃ, and its negative is (1). Here is no division, and no logarithm of 0:
# the sum is at least 1.

# %%
loss_of = lambda x, y: log_sum_exp(x - x[y])[0]                                           # (1)
ways = {"-log p": lambda x, y: -np.log(softmax(x)[y]), "-log(p + 1e-12)": lambda x, y: -np.log(softmax(x)[y] + 1e-12)}
scores, shift = np.array([0.0, -1000.0]), np.array([0.0, 1.0])
found = {}
print("\n                        loss   dLoss/da_y")
for name, f in (ways | {"log Σ exp(a - a_y)": loss_of}).items():
    with np.errstate(divide="ignore", invalid="ignore"):
        found[name] = f(scores, 1), (f(scores + shift, 1) - f(scores - shift, 1)) / 2
    print("{:<19} {:8.1f} {:12.1f}".format(name, *found[name]))
assert np.isinf(found["-log p"][0]) and np.round(found["-log(p + 1e-12)"], 1).tolist() == [27.6, 0]
assert found["log Σ exp(a - a_y)"] == (1000, -1) and round(1000 / np.log(10)) == 434
assert np.exp(np.float32(-104)) == 0 < np.exp(np.float32(-103)) and np.exp(-800.0) == 0

# %% [markdown]
# ## The gradient is p - y
#
# Write (1) as log Σ eᵃ - a_y, and differentiate with respect to a_v. The derivative of
# the first term is 1 over the sum, times the derivative of the sum. Only the v-th term
# of the sum depends on a_v, so this is eᵃᵛ / Σ eᵃ = p_v. The second term gives 1 if v
# is the target, else 0.
#
# So da_v = p_v - [v = y]: what the model predicted minus what is true. Write y for the
# one-hot row of the target, and it is **p - y**.
#
# No entry is ever larger than 1, however wrong the model is, and the entries sum to 0.
# A step against this gradient raises the target's score and lowers each other one in
# proportion to its p.
#
# You can also multiply two derivatives, -1 / p_y of the logarithm and that of the
# softmax. The product is the same. But if p_y has become 0, it is infinity times 0.
# That is why the two are one function.

# %%
y = 2
da = p - (np.arange(4) == y)                                                              # (2)
numerical = np.array([(loss_of(a + step, y) - loss_of(a - step, y)) / 2e-6 for step in 1e-6 * np.eye(4)])
of_softmax, of_log = np.diag(p) - np.outer(p, p), np.where(np.arange(4) == y, -1 / p, 0)  # (V, V), (V,)
print("\n        p   target   p - y   numerical")
for k, letter in enumerate(LETTERS):
    print(f"{letter} {p[k]:7.3f} {k == y:7d} {da[k]:9.3f} {numerical[k]:11.3f}")
assert np.allclose(da, numerical, atol=1e-8) and np.allclose(da, of_softmax @ of_log) and abs(da.sum()) < 1e-15

if plt := pyplot():
    figure, axes = plt.subplots(figsize=(6, 3.2))
    axes.bar(np.arange(4) - 0.2, p, 0.38, color=COLOURS[0], label="p, what the model predicts")
    axes.bar(np.arange(4) + 0.2, da, 0.38, color=COLOURS[1], label="p - y, the gradient")
    axes.set(xticks=range(4), xticklabels=["e", "a", "o\n(target)", "z"], ylim=(-1.05, 1.05))
    axes.set(ylabel="probability p, or gradient p - y", title="A step against p - y raises the target and lowers the others")
    axes.legend(loc="upper right")
    save(figure, "08_softmax_and_cross_entropy")

# %% [markdown]
# ## The mean over the real tokens
#
# A mini-batch has logits (T, B, V), and `lengths` says how many time steps of each
# sequence are real. The loss of the mini-batch is the sum over the N real tokens,
# divided by N. So the gradient of every token is divided by N as well, **once**, and at
# the padding it is 0.
#
# The package has this twice. The reference implementation follows the equations. The
# compiled one is fused with the output layer a = h W + b: it turns the logits of a
# chunk into their gradient before it computes the next chunk
# (`minilstm/kernels/softmax.py`).

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

print("\ntime step   losses of three sequences")
for t in range(T):
    print(f"{t:9}   " + " ".join(f"{losses[t, b]:8.3f}" if real[t, b] else "       ·" for b in range(B)))
ours, cache = softmax_cross_entropy(logits, targets, lengths)
assert N == 10 and np.isclose(ours, loss) and np.allclose(softmax_cross_entropy_backward(cache), dlogits)
grads = {"W": np.empty_like(W), "b": np.empty_like(bias)}
compiled, _ = output_loss({"W": W, "b": bias}, h[real], targets[real], grads)
assert np.isclose(compiled, loss) and np.allclose(grads["W"], np.einsum("tbh,tbv->hv", h, dlogits))
print(f"{N} real tokens of {T * B}: mean {loss:.4f}, reference {ours:.4f}, compiled {compiled:.4f}")

# %% [markdown]
# ## The smallest language model
#
# To see the effect of a wrong mean, we need something to train. A table is enough: row
# x holds the logits of the id that follows id x. There is no memory and there are no
# layers; this model sees one character. The gradient of row x is the sum of p - y over
# all tokens that follow an x. So it is enough to count the pairs: C[x, y] says how
# often y follows x. The table trains on 1,024 headlines, by 1,000 steps of gradient
# descent.
#
# If the gradient is **not divided** by the number of tokens, each update is N times too
# large, and the loss explodes. (100 steps show it.) If it is **divided twice**, each
# update is N times too small, and nothing is learned. Both bugs are common. A gradient
# check finds them at once: all derivatives are wrong by one factor, N or 1/N.
#
# The training curve may not show them. Adam divides each gradient by its usual size
# (Kingma and Ba, 2015), so it trains all the same. But clipping by norm compares a
# number that is wrong by a factor of N.

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
# Now the same headlines in the form that a published notebook used
# (`minilstm/data/published.py`). They are padded on the left, and the padding is
# learned and counted like text. The loss is 1.88, while the table above has 2.42. Has
# it learned more?
#
# Look at the losses by position. At a quarter of the positions the input is padding.
# Mostly another padding follows, and the model soon learns that. (Where the padding
# ends cannot be known. So the first letters have a high loss, but they are few.) The
# letters have the same loss as before, because their rows are trained on the very same
# pairs.
#
# So two losses cannot be compared if their fractions of padding differ, not even two of
# one model. Pad the same headlines further, and the loss falls. The picture shows a
# single mini-batch. Each row is a headline, with padding on its left, where the loss is
# almost 0.

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
    axes.set(xlabel="time step", ylabel="headline", yticks=range(8), title=f"A mini-batch padded on the left: {means}")
    axes.grid(False)
    save(figure, "08_softmax_and_cross_entropy_padding")

# %% [markdown]
# ## How a notebook ended with KeyError: 0
#
# The notebook is lesson 17 of Microsoft's [AI for
# Beginners](https://github.com/microsoft/AI-For-Beginners), a model of real headlines.
#
# 1. A masking layer was to skip the padding. It skips time steps whose vector is all
#    zeros. But the ids had become one-hot vectors, and that of id 0 has a 1 in its
#    first place. So nothing was skipped.
# 2. So 0 was read and predicted like any character, and the network learned where it
#    comes.
# 3. It never comes after a letter, so its probability there became smaller and smaller.
#    But a softmax never gives exactly 0, since e to any power is above 0.
# 4. Text was sampled at several *temperatures* τ, from softmax(a / τ). Every p becomes
#    p^(1/τ), scaled so that the sum is 1. Above 1 this makes the ids more alike. At
#    1.8, 0.0001 becomes 0.006 before it is scaled.
# 5. The dictionary from ids to characters begins at 1. The first 0 that is sampled ends
#    the program.
#
# How likely is that here? Compute it from the probabilities. There are five texts of at
# most 300 characters. Each begins with a space, as all five prompts of the notebook end
# with one. Would it have helped to leave the padding out of the mean? The last column
# is for the first table, which never saw padding.


# %%
def chance(table, tau, start):
    """Probability that a text from this character on has a 0 in 300 characters."""
    q = softmax(table / tau)                                                              # (V, V)
    now, hit = np.eye(V)[start], 0.0                                                      # (V,)
    for _ in range(300):
        now = now @ q
        hit += now[0]
        now[[0, tokenizer.eos_id]] = 0
    return hit


space = tokenizer.encode(" ")[0]
print("\n  τ   a 0 is sampled in five texts   if padding was not in the loss")
for tau in (0.3, 0.8, 1.0, 1.3, 1.8):
    risk = [1 - (1 - chance(table, tau, space)) ** 5 for table in (published, clean)]
    print("{:3} {:21.1%} {:28.1%}".format(tau, *risk))
assert [round(100 * value) for value in risk] == [60, 54] and round(0.0001 ** (1 / 1.8), 3) == 0.006

rng, token_of = np.random.default_rng(4), dict(enumerate(tokenizer.tokens, start=1))
last, text = space, "Today "
try:
    while len(text) < 10_000:
        last = int(rng.choice(V, p=softmax(published[last] / 1.8)))
        last, text = (space, text + "¶ Today ") if last == tokenizer.eos_id else (last, text + token_of[last])
except KeyError as error:
    print(f"\nat τ = 1.8 (¶ is <eos>): {text[-50:]}\nKeyError: {error}, after {len(text)} characters")
assert last == 0

# %% [markdown]
# ## What helps
#
# It is right to leave the padding out of the mean, since the loss is then about text.
# But it hardly lowers the risk: 54 % instead of 60 %. Nothing teaches the model that a
# 0 is likely, but it is an output like any other.
#
# The solution is to forbid it where text is sampled. Its score becomes minus infinity,
# and e to that power is exactly 0. `minilstm/generation/sampling.py` does so with
# padding and with the id of unknown tokens.

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
# 2. Loss and gradient of each token, computed with logarithms.
# 3. Loss and gradient of a padded mini-batch. If you make a known mistake, it is named.
