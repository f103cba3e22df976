# %% [markdown]
# # 10. A headline writer
#
# After this lesson you can train a model of characters with a loop of five lines. You
# can say how good it is in nats, bits and perplexity, and find the characters at which
# it is bad. The text of this lesson is special: a grammar writes it, and all
# probabilities of the grammar are known. So we can answer what cannot be answered for
# other texts. How far is the model from the best possible one, and where?
#
# It takes an hour, of which the computer trains for half a minute, and another hour
# with its exercises. You need to know what a language model is, softmax and its loss
# (lesson 8), and clipping and Adam (lesson 9).

# %%
import numpy as np

from collections import Counter

from minilstm import Adam, CharTokenizer, LanguageModel
from minilstm.corpora.headlines import headlines
from minilstm.course import COLOURS, pyplot, quick, save
from minilstm.data.batches import CorpusBatches, SequenceBatches
from minilstm.generation.sampling import Sampling, generate, share_accepted
from minilstm.optim import CosineDecay, clip
from minilstm.training.loop import Training, evaluate, train_steps

QUICK = quick()
corpus = headlines()
print(*corpus.sample_many(4, np.random.default_rng(6)), sep="\n")

# %% [markdown]
# ## One choice: nats, bits, perplexity
#
# A grammar is a list of rules, and a rule is a list of alternatives, each with a
# probability. To write a text is to choose, again and again. One rule holds the days
# that follow `On `.
#
# If something with probability p happens, its *surprise* is -ln p *nats*. p = 1/2 is a
# surprise of 0.69 nats. Divided by ln 2, the surprise is in *bits*: the number of coins
# that would all have to show heads. What is certain has surprise 0.
#
# The mean surprise of a choice is its *entropy*, h = -Σ p ln p. This is the loss even
# of a reader who knows all probabilities. eʰ is the *perplexity*: so many equally
# likely alternatives would be just as uncertain. The seven days have different
# probabilities, and a perplexity of 5.85.

# %%
days = corpus.rules["weekday"]
p = np.array(days.probabilities)
print("\nday            p     nats     bits")
for (day,), chance in zip(days.alternatives, p):
    print(f"{day:<10}{chance:6.3f}{-np.log(chance):9.3f}{-np.log2(chance):9.3f}")
h = -(p * np.log(p)).sum()
print(f"mean            {h:9.3f}{h / np.log(2):9.3f}     perplexity {np.exp(h):.2f}")
assert round(np.exp(h), 1) == 5.9

# %% [markdown]
# ## A whole headline, and the entropy floor
#
# The entropy of a text is the entropy of its first choice plus, on average, that of all
# choices that follow from it. So it can be computed from the top of the grammar down,
# together with the mean length in characters: 13.4 nats and 47.5 characters. (This
# grammar cannot write a headline in two ways. Otherwise the surprise of the headline
# would be less than that of the choices.)
#
# A model of characters gets the first character as its input. It predicts the second,
# the third, …, and at last the end of the text. So there are as many predictions as
# characters. H is the entropy of a headline, H₁ that of its first character, and L the
# mean length. Then the mean for each prediction is
#
#     (7)  floor = (H - H₁) / L                      nats per predicted character
#
# which is 0.225. This is the *entropy floor*. No model of any kind can have a smaller
# loss on average, since so much in the text is random. The equation has its number from
# `minilstm/corpora/grammar.py`.


# %%
# The entropy in nats and the mean length of the texts that this rule writes.
def nats_and_length(rule):
    p = np.array(rule.probabilities)
    nats, length = -(p * np.log(p)).sum(), 0.0
    for chance, alternative in zip(p, rule.alternatives):
        for part in alternative:
            below = (0.0, len(part)) if isinstance(part, str) else nats_and_length(part)
            nats, length = nats + chance * below[0], length + chance * below[1]
    return nats, length


H, L = nats_and_length(corpus.start)
p = np.array(list(corpus.first_symbol_distribution.values()))
H_1 = -(p * np.log(p)).sum()
floor = (H - H_1) / L                                                            # (7)
assert np.allclose([H, L, floor], [corpus.entropy, corpus.mean_length, corpus.floor], rtol=1e-12)
assert (round(H, 1), round(L, 1), round(floor, 3)) == (13.4, 47.5, 0.225)
print(f"\na headline: {H:.2f} nats, {L:.1f} characters; its first character: {H_1:.2f} nats")
print(f"entropy floor: {floor:.4f} nats per character = {floor / np.log(2):.4f} bits, perplexity {np.exp(floor):.3f}")

# %% [markdown]
# ## The best possible reader
#
# The entropy floor is a mean. What is the surprise of a given character, for a reader
# who knows the grammar? Read the text from left to right, and keep all its possible
# continuations, each with its probability.
#
# - A continuation is a list of parts, and a part is a text or a rule.
# - If a continuation begins with a rule, replace it by all alternatives of that rule.
# - When a character is read, drop all continuations that begin with another one. The
#   fraction of the probability that is left is exactly the probability of that
#   character.
# - If no continuation is left, this is not a headline.
#
# By the chain rule of probability, the surprises of a headline sum to -ln of the
# probability of the whole. The grammar computes that in another way, and the two agree.
# Four of five characters turn out to be certain.


# %%
# The same continuations, expanded until each begins with text or is at its end.
def open_up(continuations):
    opened, to_do = Counter(), list(continuations.items())
    while to_do:
        parts, chance = to_do.pop()
        if parts and not isinstance(parts[0], str):
            rule, *rest = parts
            to_do += [((*alternative, *rest), chance * q) for alternative, q in zip(rule.alternatives, rule.probabilities)]
        else:
            opened[parts] += chance
    return opened


# The surprise of each character, given all before it, and of the end. The list ends
# early if the text is not a headline.
def exact_nats(text):
    continuations, nats = {(corpus.start,): 1.0}, []
    for character in [*text, ""]:
        opened, continuations = open_up(continuations), Counter()
        for parts, chance in opened.items():
            first, *rest = parts or ("",)
            if first[:1] == character:
                continuations[(first[1:], *rest) if first[1:] else tuple(rest)] += chance
        if not continuations:
            break
        nats.append(np.log(sum(opened.values()) / sum(continuations.values())))
    return np.array(nats)


validation = corpus.sample_many(60 if QUICK else 400, np.random.default_rng(2))
exact = [exact_nats(text) for text in validation]
assert all(np.isclose(nats.sum(), -corpus.log_probability(text)) for nats, text in zip(exact, validation))

# From here on without the first character, which is the model's first input.
exact = [nats[1:] for nats in exact]
best, certain = np.concatenate(exact).mean(), np.mean(np.concatenate(exact) < 1e-9)
print(f"\n{len(validation)} headlines: {best:.4f} nats per character; {certain:.0%} of all characters are certain")
assert abs(best - floor) < 0.02 and abs(certain - 0.8) < 0.03

# %% [markdown]
# ## The model and its loss
#
# The model has one-hot characters, one LSTM layer with 128 units, and an output layer
# with a logit a for each of 74 ids. A mini-batch has 16 headlines side by side, the
# longest first, with padding after the shorter ones. Padding does not count in the
# loss: neither in the sum nor in the number of characters that the sum is divided by.
#
# For the character y the surprise of the model is -ln p = ln Σ exp(a) - a_y, by
# softmax. The loss is the mean over all real characters. A model that has learned
# nothing has a loss of about ln 74 = 4.3.


# %%
# The surprise (T, B) of every target, and which targets are real.
def model_nats(model, batch):
    logits, _ = model.logits(batch.inputs, batch.lengths)                        # (T, B, V)
    a = logits - logits.max(axis=2, keepdims=True)
    log_p = a - np.log(np.exp(a).sum(axis=2, keepdims=True))
    nats = -np.take_along_axis(log_p, batch.targets[:, :, None], axis=2)[:, :, 0]
    return nats, np.arange(len(nats))[:, None] < batch.lengths


tokenizer = CharTokenizer.fit(["".join(corpus.alphabet)])
STEPS, RATE, B = 30 if QUICK else 1500, 0.015, 16
batches = CorpusBatches(corpus, tokenizer, size=STEPS * B, batch_size=B)         # new headlines are sampled on demand
validation_batches = SequenceBatches([tokenizer.encode(text) for text in validation], 20, tokenizer.eos_id)

model = LanguageModel(tokenizer.vocab_size, hidden=128, seed=0)
batch = next(validation_batches.epoch())
nats, real = model_nats(model, batch)
loss = nats[real].mean()
print(f"\nV = {tokenizer.vocab_size}; a batch of {batch.inputs.shape} has {real.sum()} real characters")
print(f"loss before training {loss:.3f}, ln V = {np.log(tokenizer.vocab_size):.3f}")
assert np.isclose(loss, model.loss(batch)[0], rtol=1e-4) and tokenizer.vocab_size == 74 and abs(loss - np.log(74)) < 0.1

# %% [markdown]
# ## The loop
#
# Here is the whole training loop. In each training step:
#
# 1. A mini-batch gives a loss and its gradient with respect to all parameters. The
#    parameters are one flat vector, and so is the gradient.
# 2. A gradient with a norm above 1 is clipped to 1, so that one unusual mini-batch
#    cannot change the weights too much.
# 3. Adam updates the parameters. It returns its running means in `state`, which the
#    next step needs. If you start with a new state in each step, the means are those of
#    a single gradient.
#
# Adam has a β₂ of 0.99 here, which forgets old gradients faster than 0.999. The
# learning rate falls along half a cosine: large updates at first, small ones at the
# end. No headline comes twice. `train_steps` of the package does the same, step by
# step. The validation set is the headlines that the exact reader read; the model does
# not train on them.

# %%
optimizer, schedule = Adam(RATE, beta2=0.99), CosineDecay(RATE, STEPS)
theta = model.parameters.flat                                                    # (P,)
state, losses = optimizer.init(theta), []
print("\n  step   last batches   validation")
for step, batch in enumerate(batches.epoch(np.random.default_rng(0)), start=1):
    loss, gradients, _, _ = model.loss_and_gradients(batch)
    clip(gradients.flat, max_norm=1.0)                                           # in place
    state = optimizer.step(theta, gradients.flat, state, schedule(step - 1))     # theta in place
    losses.append(loss)
    if step in (1, 10, 30, 100, 200, 400, 800, 1500):
        print(f"{step:6}{np.mean(losses[-20:]):15.3f}{evaluate(model, validation_batches):13.3f}")

run = Training.begin(LanguageModel(tokenizer.vocab_size, hidden=128, seed=0), optimizer, np.random.default_rng(0))
theirs = [record.loss for record in train_steps(run, batches, steps=20, clip_norm=1.0, schedule=schedule)]
print(f"20 losses of train_steps differ from these by at most {np.abs(np.subtract(theirs, losses[:20])).max():.1g}")
assert np.allclose(theirs, losses[:20], rtol=1e-3)

# %% [markdown]
# ## How far from perfect
#
# The model and the exact reader read the same validation set, so it does not matter
# whether its headlines are easy. The *excess* is the model's loss minus the exact
# reader's. Its mean over all headlines of the grammar is the divergence of the model
# from the grammar (Kullback and Leibler, 1951). It is never negative.

# %%
loss = evaluate(model, validation_batches)
print("\n                  nats     bits   perplexity")
for name, value in {"blind guessing": np.log(74), "the LSTM": loss, "exact reader": best}.items():
    print(f"{name:<15}{value:7.3f}{value / np.log(2):9.3f}{np.exp(value):13.2f}")
excess = (loss - best) * np.mean([len(nats) for nats in exact])
print(f"excess: {loss - best:.3f} nats per character, {excess:.1f} per headline")
if QUICK:
    print(f"quick run: after only {STEPS} steps this model knows little")
assert best < loss and (QUICK or loss < 0.45)

# %% [markdown]
# ## Where the missing nats are
#
# Take one headline first. It has choices, and it has agreements. What rises rises to a
# high, and what tumbles tumbles to a low. It says `amid … fears`, but `on … worries`.
#
# Grey is the surprise of the exact reader, orange that of the model. Inside words
# both are near 0, unless two words begin with the same letters, as `amid` and `after`
# do. So the model has learned to spell. At the beginning of a word both are high. Look
# for orange without grey. There an earlier word determined what follows, and the model
# did not know it.


# %%
def pays(text):
    return model_nats(model, validation_batches.pad([tokenizer.encode(text)]))[0][:, 0]


shown = "Oil prices tumble to record low amid inflation fears"
exact_shown, model_shown = exact_nats(shown)[1:], pays(shown)
print(f"\n{shown}\nexact reader {exact_shown.sum():.1f} nats, model {model_shown.sum():.1f}; most above the exact reader for")
for k in np.argsort(exact_shown - model_shown)[:3]:
    print(f"  {shown[: k + 1]}|{shown[k + 1 :]:<{52 - k}} exact {exact_shown[k]:.2f}, model {model_shown[k]:.2f}")

if plt := pyplot():
    figure, axes = plt.subplots(figsize=(9.5, 3.4))
    axes.bar(range(len(shown)), exact_shown, width=0.95, color="#bbbbbb", label="exact reader")
    axes.bar(range(len(shown)), model_shown, width=0.4, color=COLOURS[1], label="model")
    axes.set_xticks(range(len(shown)), [*shown[1:].replace(" ", "␣"), "\nend"], fontsize=9)
    axes.set(ylabel="surprise in nats", xlabel=f"the characters that follow {shown[0]!r}", xlim=(-1, len(shown)))
    axes.set_title("Orange without grey: there the model could have known what comes")
    axes.grid(axis="x", visible=False), axes.legend()
    save(figure, "10_headline_writer")

# %% [markdown]
# Now take all headlines of the validation set, and sort their characters by position.
# The last line of the table has another kind of group: the characters for which the
# grammar leaves no choice. At these, the excess is not a wrong probability, but
# something not known or forgotten.
#
# After full training the excess of a first letter is more than twice the mean. Later
# letters have an excess of only about 0.03 nats each. But they are two thirds of all
# characters, so a third of the excess comes from them. The model almost knows the
# words. What is left to learn is mostly which word may follow which.
#
# (At a single character the model's surprise may by luck be less than the exact
# reader's.)


# %%
# The kind of place of the kth character of a text; digits count as letters.
def place(text, k):
    if not text[k : k + 1].isalnum():
        return "space, mark or end"
    return "later letter" if text[k - 1].isalnum() else "first letter of a word"


places = np.array([place(text, k) for text in validation for k in range(1, len(text) + 1)])
ours, theirs = np.concatenate([pays(text) for text in validation]), np.concatenate(exact)
gap = ours - theirs
rows = {name: places == name for name in ("first letter of a word", "later letter", "space, mark or end")}
print("\n                            share of      nats a character     share of")
print("                          characters   exact   model  excess   the excess")
for name, here in {**rows, "all": gap < np.inf, "where no choice is left": theirs < 1e-9}.items():
    means = "".join(f"{nats[here].mean():8.3f}" for nats in (theirs, ours, gap))
    print(f"{name:<23}{here.mean():13.1%}{means}{gap[here].sum() / gap.sum():13.1%}")
first, later = rows["first letter of a word"], rows["later letter"]
assert np.isclose(ours.mean(), loss, rtol=1e-3)
assert QUICK or gap[first].mean() > 2 * gap.mean() and gap[later].mean() < 0.04
assert 0.6 < later.mean() < 0.73 and (QUICK or 0.2 < gap[later].sum() / gap.sum() < 0.45)

# %% [markdown]
# ## Let it write
#
# The grammar checks what the model writes. A bar marks the place where a text is no
# longer a headline. Up to the bar it could still become one; the first character after
# the bar is impossible. A bar at the very end says that the text ended too early.
#
# At temperature 1 the model writes by its own probabilities q; p is the probability by
# the grammar. The excess D of a headline is the mean of ln(p / q) over the grammar's
# headlines. The fraction of the model's texts that are headlines is the sum of q over
# all headlines. That is the mean of q / p over the grammar's headlines. A mean of
# exponentials is at least the exponential of the mean (Jensen, 1906), so this fraction
# is at least exp(-D).
#
# At a lower temperature more texts are right. Then the model hardly writes what it
# finds unlikely, and most wrong continuations are unlikely. But it hardly writes rare
# headlines either.

# %%
rng = np.random.default_rng(4)
written = generate(model, tokenizer, [text[0] for text in corpus.sample_many(10, rng)], 70, Sampling(0.7), rng)
print("\nTen headlines at temperature 0.7:")
for text in written:
    read = len(exact_nats(text))
    assert (read > len(text)) == corpus.accepts(text)
    print((f"  right  {text}" if read > len(text) else f"  wrong  {text[:read]}|{text[read:]}")[:80])
wild, middle, tame = (share_accepted(model, tokenizer, corpus, rng, 20 if QUICK else 300, tau) for tau in (1.0, 0.7, 0.4))
print(f"\nright at temperature 1.0: {wild:.0%}, which must be about exp(-D) = {np.exp(-excess):.0%} or more")
print(f"right at temperature 0.7: {middle:.0%}, at 0.4: {tame:.0%}")
assert wild > np.exp(-excess) - 0.05 and (QUICK or tame > wild > 0)

# %% [markdown]
# ## Exercises
#
# `minilstm exercise 10` makes your copy, `lessons/my/10_headline_writer.py`. Fill in
# its blanks, and run the same command again: it grades what you wrote.
#
# 1. Nats, bits and perplexity of a distribution.
# 2. The exact reader of a language so small that all its sentences are in a list.
# 3. An epoch of training, put together from its parts.
