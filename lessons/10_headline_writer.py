# %% [markdown]
# # 10. A headline writer
#
# After this lesson you can train a model of characters with a loop of five lines, say in nats, bits
# and perplexity how good it is, and find the characters at which it is not. The text is special: a
# grammar writes it whose chances are all known. So there is an answer to what nobody can say of
# other texts: how far is the model from the best that any could be, and where? It takes an hour, of
# which the computer trains for half a minute, and another hour with its exercises. You need: what a
# language model is, softmax and its loss, clipping, Adam.

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
# A grammar is a list of rules, and a rule is a list of alternatives, each with a probability. To
# write is to choose, again and again. One rule holds the days that `On … ` goes on with. When
# something happens that had the probability p, you are surprised by -ln p *nats*; divided by ln 2
# that is in *bits*: as if so many coins had all shown heads. What is certain surprises by 0.
#
# The mean surprise of a choice is its *entropy*, h = -Σ p ln p: what it costs even those who know
# all probabilities. eʰ is the *perplexity*: so many equally likely alternatives would be just as
# uncertain. The seven days, some likelier than others, count for 5.85.

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
# ## A whole headline, and the floor
#
# The entropy of a text is that of its first choice and then, on average, of all that this choice
# leads to. So it can be summed up from the top of the grammar down, and the length in characters
# with it: 13.4 nats for 47.5 characters. (No headline of this grammar can be written in two ways;
# else it would surprise less than the choices that wrote it.)
#
# A model of characters gets the first one as a gift. It predicts the second, the third, …, and at
# last that the text ends: as many predictions as there are characters. With H for the entropy of a
# headline, H₁ for that of its first character, and L for the length, a prediction is left with
#
#     (7)  floor = (H - H₁) / L                      nats a predicted character
#
# which is 0.225. No model can have a smaller loss on average, whatever it is made of, for there is
# that much chance in the text itself. The number is that of `minilstm/corpora/grammar.py`.


# %%
# How many nats all choices of a text cost that this rule writes, and how many characters it has, on average.
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
print(f"floor: {floor:.4f} nats a character = {floor / np.log(2):.4f} bits, perplexity {np.exp(floor):.3f}")

# %% [markdown]
# ## The best reader there can be
#
# The floor is a mean. How much must one be surprised by one certain character? Read from left to
# right, and keep all ways in which the text can go on, each with its probability. A way is a row of
# parts, texts and rules. Where it begins with a rule, it forks into all alternatives of that rule;
# when a character is read, all ways end that begin with another. The share of probability that goes
# on is the probability of that character, exactly. Where no way is left, this is no headline.
#
# By the chain rule the surprises of a headline sum to -ln of its whole probability. The grammar
# computes that in another way, and the two agree. Four of five characters turn out to be certain.


# %%
# The same ways, up to where each begins with text or is at its end.
def open_up(ways):
    opened, to_do = Counter(), list(ways.items())
    while to_do:
        parts, chance = to_do.pop()
        if parts and not isinstance(parts[0], str):
            rule, *rest = parts
            to_do += [((*alternative, *rest), chance * q) for alternative, q in zip(rule.alternatives, rule.probabilities)]
        else:
            opened[parts] += chance
    return opened


# The surprise of each character, given all before it, and of the end; fewer if it is no headline.
def exact_nats(text):
    ways, nats = {(corpus.start,): 1.0}, []
    for character in [*text, ""]:
        opened, ways = open_up(ways), Counter()
        for parts, chance in opened.items():
            first, *rest = parts or ("",)
            if first[:1] == character:
                ways[(first[1:], *rest) if first[1:] else tuple(rest)] += chance
        if not ways:
            break
        nats.append(np.log(sum(opened.values()) / sum(ways.values())))
    return np.array(nats)


held_out = corpus.sample_many(60 if QUICK else 400, np.random.default_rng(2))
exact = [exact_nats(text) for text in held_out]
assert all(np.isclose(nats.sum(), -corpus.log_probability(text)) for nats, text in zip(exact, held_out))

# From here on without the first character, which a model is given.
exact = [nats[1:] for nats in exact]
best, certain = np.concatenate(exact).mean(), np.mean(np.concatenate(exact) < 1e-9)
print(f"\n{len(held_out)} headlines: {best:.4f} nats a character; {certain:.0%} of all characters are certain")
assert abs(best - floor) < 0.02 and abs(certain - 0.8) < 0.03

# %% [markdown]
# ## The model and its loss
#
# One-hot characters, one LSTM layer of 128, and an output layer with a logit a for each of 74 ids.
# A batch holds 16 headlines side by side, the longest first, with padding after the shorter ones.
# What stands at the padding counts nowhere: not in the sum, nor in the number of characters that
# the sum is divided by.
#
# A model is surprised by the character y as softmax says: -ln p = ln Σ exp(a) - a_y. The loss is
# the mean over all real characters. A model that has learned nothing guesses blindly: ln 74 = 4.3.


# %%
# The surprise (T, B) of every target, and which of them are real.
def model_nats(model, batch):
    logits, _ = model.logits(batch.inputs, batch.lengths)                        # (T, B, V)
    a = logits - logits.max(axis=2, keepdims=True)
    log_p = a - np.log(np.exp(a).sum(axis=2, keepdims=True))
    nats = -np.take_along_axis(log_p, batch.targets[:, :, None], axis=2)[:, :, 0]
    return nats, np.arange(len(nats))[:, None] < batch.lengths


tokenizer = CharTokenizer.fit(["".join(corpus.alphabet)])
STEPS, RATE, B = 30 if QUICK else 1500, 0.015, 16
batches = CorpusBatches(corpus, tokenizer, size=STEPS * B, batch_size=B)         # made up when they are asked for
judge = SequenceBatches([tokenizer.encode(text) for text in held_out], 20, tokenizer.eos_id)

model = LanguageModel(tokenizer.vocab_size, hidden=128, seed=0)
batch = next(judge.epoch())
nats, real = model_nats(model, batch)
loss = nats[real].mean()
print(f"\nV = {tokenizer.vocab_size}; a batch of {batch.inputs.shape} has {real.sum()} real characters")
print(f"loss before training {loss:.3f}, ln V = {np.log(tokenizer.vocab_size):.3f}")
assert np.isclose(loss, model.loss(batch)[0], rtol=1e-4) and tokenizer.vocab_size == 74 and abs(loss - np.log(74)) < 0.1

# %% [markdown]
# ## The loop
#
# Here it is, whole. A batch gives a loss and its gradient by all parameters, which lie in one flat
# vector. The gradient is shortened to norm 1 if it is longer, so that one odd batch cannot throw
# the weights far off. Adam, with a β₂ of 0.99, which forgets old gradients sooner than 0.999, takes
# a step and remembers its running means in `state`; whoever throws them away at each step has means
# of a single gradient. The rate falls along half a cosine: large steps at first, small ones to
# settle down. No headline comes twice. `train_steps` of the package does the same, step by step.

# %%
optimizer, schedule = Adam(RATE, beta2=0.99), CosineDecay(RATE, STEPS)
theta = model.parameters.flat                                                    # (P,)
state, losses = optimizer.init(theta), []
print("\n  step   last batches   held out")
for step, batch in enumerate(batches.epoch(np.random.default_rng(0)), start=1):
    loss, gradients, _, _ = model.loss_and_gradients(batch)
    clip(gradients.flat, max_norm=1.0)                                           # in place
    state = optimizer.step(theta, gradients.flat, state, schedule(step - 1))     # theta in place
    losses.append(loss)
    if step in (1, 10, 30, 100, 200, 400, 800, 1500):
        print(f"{step:6}{np.mean(losses[-20:]):15.3f}{evaluate(model, judge):11.3f}")

run = Training.begin(LanguageModel(tokenizer.vocab_size, hidden=128, seed=0), optimizer, np.random.default_rng(0))
theirs = [record.loss for record in train_steps(run, batches, steps=20, clip_norm=1.0, schedule=schedule)]
print(f"20 losses of train_steps differ from these by at most {np.abs(np.subtract(theirs, losses[:20])).max():.1g}")
assert np.allclose(theirs, losses[:20], rtol=1e-3)

# %% [markdown]
# ## How far from perfect
#
# Model and exact reader on the same held-out headlines, so that it does not matter whether those
# are easy ones. What the model pays more is its *excess*. Over all that the grammar can write its
# mean is the divergence of the model from the grammar (Kullback and Leibler, 1951), never negative.

# %%
loss = evaluate(model, judge)
print("\n                  nats     bits   perplexity")
for name, value in {"blind guessing": np.log(74), "the LSTM": loss, "exact reader": best}.items():
    print(f"{name:<15}{value:7.3f}{value / np.log(2):9.3f}{np.exp(value):13.2f}")
excess = (loss - best) * np.mean([len(nats) for nats in exact])
print(f"excess: {loss - best:.3f} nats a character, {excess:.1f} a headline")
if QUICK:
    print(f"quick: after {STEPS} steps this model knows little; what follows is a beginner's")
assert best < loss and (QUICK or loss < 0.45)

# %% [markdown]
# ## Where the missing nats are
#
# One headline first. It has choices, and it has agreements: what rises rises to a high, what
# tumbles tumbles to a low; it says `amid … fears`, but `on … worries`. Grey is what the exact
# reader pays, orange the model. Inside words neither pays much, unless two words begin alike, as
# `amid` and `after` do: the model has learned to spell. At the beginning of a word both pay. Look
# for orange where there is no grey: there everything was settled, by something that stood further
# back, and the model did not know it.


# %%
def pays(text):
    return model_nats(model, judge.pad([tokenizer.encode(text)]))[0][:, 0]


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
# Now all held-out headlines, their characters sorted by where they stand. The last line sorts them
# in another way, and takes those for which the grammar leaves no choice. An excess there is no
# misjudged chance: it is something not known, or forgotten. In full training the excess of a first
# letter is more than twice the mean. Later letters cost some 0.03 nats too many each, but they are
# two thirds of all characters, and so a third of the excess is theirs. Words are nearly known; what
# is left to learn is, for the most part, which word may follow which.
#
# (At a single character the model may be lucky and pay less than the exact reader.)


# %%
# Where the kth character of a text stands; digits count as letters.
def place(text, k):
    if not text[k : k + 1].isalnum():
        return "space, mark or end"
    return "later letter" if text[k - 1].isalnum() else "first letter of a word"


places = np.array([place(text, k) for text in held_out for k in range(1, len(text) + 1)])
ours, theirs = np.concatenate([pays(text) for text in held_out]), np.concatenate(exact)
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
# The grammar judges. A bar shows where a text leaves it: up to there it could still have become a
# headline, the first character behind the bar is impossible. A bar at the very end says that the
# text stopped too early.
#
# At temperature 1 the model writes by its own probabilities q. The excess D of a headline is the
# mean of ln(p / q), with p for the grammar's probability, over the grammar's headlines. The share
# of right ones among the model's is the sum of q over all headlines, which is the mean of q / p. A
# mean of exponentials is at least the exponential of the mean (Jensen, 1906), so the share is at
# least exp(-D).
#
# A lower temperature writes more right ones, for it leaves out what the model thinks unlikely, and
# most of what is wrong is unlikely. It leaves out rare headlines, too.

# %%
rng = np.random.default_rng(4)
written = generate(model, tokenizer, [text[0] for text in corpus.sample_many(10, rng)], 70, Sampling(0.7), rng)
print("\nTen headlines at temperature 0.7:")
for text in written:
    read = len(exact_nats(text))
    assert (read > len(text)) == corpus.accepts(text)
    print((f"  right  {text}" if read > len(text) else f"  wrong  {text[:read]}|{text[read:]}")[:80])
wild, middle, tame = (share_accepted(model, tokenizer, corpus, rng, 20 if QUICK else 300, T) for T in (1.0, 0.7, 0.4))
print(f"\nright at temperature 1.0: {wild:.0%}, which must be about exp(-D) = {np.exp(-excess):.0%} or more")
print(f"right at temperature 0.7: {middle:.0%}, at 0.4: {tame:.0%}")
assert wild > np.exp(-excess) - 0.05 and (QUICK or tame > wild > 0)

# %% [markdown]
# ## Exercises
#
# `minilstm exercise 10` makes your copy, `lessons/my/10_headline_writer.py`.
# Fill in its blanks, and run the same command again: it grades what you wrote.
#
# 1. Nats, bits and perplexity of a distribution.
# 2. The exact reader of a language so small that all its sentences are in a list.
# 3. An epoch of training, put together from its parts.
