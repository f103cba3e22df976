# %% [markdown]
# # 11. Temperature, top-k, top-p, beam
#
# After this lesson you can generate text from a trained model in five ways, each in a
# few lines of NumPy. You can say why the most likely text is not a good text, and why
# greedy text repeats itself.
#
# The lesson takes three quarters of an hour, an hour and a half with its exercises. You
# need lesson 8: a language model gives each possible next token a score, its logit `a`,
# and softmax turns logits into probabilities.
#
# The equations are those of `minilstm/reference/generate.py`; the package computes them
# in `minilstm/generation/`.
#
#     (1)  a / τ                                    temperature τ
#     (2)  keep the k largest a                     top-k
#     (3)  p = softmax(a): p_i = e^a_i / Σ e^a      probabilities
#     (4)  keep the most likely tokens that         top-p, or nucleus
#          together reach probability P
#     (5)  log P(text) = Σ log p(token)             beam search looks for the largest
#
# Sources:
#
# - top-k: Fan, Lewis and Dauphin (2018)
# - top-p, and why likely text is bad text: Holtzman, Buys, Du, Forbes and Choi, The
#   curious case of neural text degeneration (2020)
# - beam search: Graves (2012)

# %%
import numpy as np

from minilstm import Adam, CharTokenizer, LanguageModel
from minilstm.course import COLOURS, bars, pyplot, quick, save
from minilstm.data.batches import SequenceBatches
from minilstm.generation.beam import beam_search
from minilstm.generation.metrics import distinct, measure
from minilstm.generation.sampling import Sampling, generate_ids
from minilstm.optim import CosineDecay
from minilstm.training.loop import Training, evaluate, fit

STEPS, TEXTS = (300, 50) if quick() else (1000, 200)

# %% [markdown]
# ## A text whose probabilities are known
#
# A Markov chain generates tales such as "the cat that saw the little dog": the next
# word depends on the last word alone. So equation (5) gives the exact probability of
# every tale. For example, "the cat" has 0.22 · 0.25 = 0.055.
#
# We can therefore compute what likely and unlikely tales look like. In the table below
# an empty word stands before the first word and after the last. Logarithms are natural,
# so their unit is the nat.

# %%
ANIMALS = ("cat", "dog", "hen", "fox", "mouse", "king")
NEXT = {"": {"the": 1.0}, "that": {"saw": 0.45, "fed": 0.25, "chased": 0.2, "loved": 0.1}}
NEXT["the"] = {"little": 0.32} | dict(zip(ANIMALS, (0.22, 0.17, 0.12, 0.09, 0.05, 0.03)))
NEXT["little"] = {"mouse": 0.4, "hen": 0.2, "cat": 0.15, "dog": 0.15, "fox": 0.1}
NEXT |= {animal: {"that": 0.75, "": 0.25} for animal in ANIMALS} | {verb: {"the": 1.0} for verb in NEXT["that"]}
P_NEXT = {word: np.array(list(after.values())) for word, after in NEXT.items()}


def steps_of(tale):
    words = ["", *tale.split(" "), ""]
    return [NEXT.get(word, {}).get(after, 0.0) for word, after in zip(words, words[1:])]


log_P = lambda tale: np.log(steps_of(tale)).sum()                               # (5)
assert np.isclose(np.exp(log_P("the cat")), 0.055)

# %% [markdown]
# ## Sample with one uniform number
#
# Lay the probabilities end to end: they fill the interval from 0 to 1. A uniform random
# number u falls into each part as often as that part is long. So take the first word
# whose cumulative sum is above u. That is all there is to sampling: one random number
# for each word.

# %%
draw = lambda p, u: np.searchsorted(np.cumsum(p), u, side="right")  # the first sum > u
rng, p_the = np.random.default_rng(1), P_NEXT["the"]
fractions = np.bincount(draw(p_the, rng.random(10_000)), minlength=7) / 10_000
print("\nafter 'the'    ", *(f"{word:>7}" for word in NEXT["the"]))
for name, values in {"probability": p_the, "cumulative": p_the.cumsum(), "10,000 samples": fractions}.items():
    print(f"{name:<15}", *(f"{value:7.3f}" for value in values))
assert np.abs(fractions - p_the).max() < 0.02


def sample_tale():
    words = ["the"]
    while words[-1]:
        words.append(list(NEXT[words[-1]])[draw(P_NEXT[words[-1]], rng.random())])
    return " ".join(words[:-1])


tales = [sample_tale() for _ in range(2500)]
print("\nthree sampled tales", *(tale[:76] for tale in tales[:3]), sep="\n  ")

# %% [markdown]
# ## Why greedy text loops
#
# Greedy means: always take the most likely word. Nothing is random, so the next word is
# a function of the last. There are 13 words. After at most 13 steps one of them comes a
# second time, and then all that followed it follows again.
#
# **Greedy text of a Markov chain ends early or loops for ever**, whatever the
# probabilities are. These tales may end after every animal, with probability 0.25. But
# going on has 0.75, and greedy never takes the smaller one. Sampled tales do end, after
# four animals on average.
#
# Trained models do the same. Lesson 17 of Microsoft's "AI for Beginners", which this
# package [reproduces](../docs/published-systems.md), prints "strike for the strike for
# the strike". In large models a phrase even becomes more likely each time it is
# repeated (Holtzman et al. 2020).

# %%
words = ["the"]
while words.count(words[-1]) < 2:
    words.append(max(NEXT[words[-1]], key=NEXT[words[-1]].get))
print("\ngreedy:", " ".join(words), "...")
assert words == "the little mouse that saw the".split() and len(NEXT) - 1 == 13
assert abs(np.mean([sum(word in ANIMALS for word in tale.split()) for tale in tales]) - 4) < 0.2

# %% [markdown]
# ## Why the most likely text is not a typical text
#
# Cut a tale into *links*, such as "the cat that saw". Greedy does not even find the
# most likely link. It takes "little", because 0.32 is more than the 0.22 of "cat". But
# five animals divide this 0.32 among them, and "little mouse" is left with 0.128. No
# tale of 50 links is more likely than "the cat that saw", 50 times.
#
# Below are 10,000 sampled tales of 50 links. The *surprise* of a tale, also called
# surprisal, is -log P, here in nats per link. The most likely tale has 2.60, the greedy
# one 3.14. The sampled tales have 3.75 on average, and none is below the greedy one.
#
# How can the most likely tale be one that never comes? Each tale of average surprise is
# much less likely than that one. But there are so many of them that together they have
# nearly all the probability. A coin that shows heads six times out of ten is the same.
# Its most likely hundred throws are a hundred heads, and they practically never occur.
#
# Long texts almost surely have nearly the average surprise, which is called the entropy
# (Shannon 1948). Those that do are the *typical set* (Cover and Thomas 2006, chapter
# 3). To search for the most likely text is to leave this set.

# %%
sampled = lambda word: draw(P_NEXT[word], rng.random((10_000, 50)))  # (10,000, 50)
# After "the": an animal after "little", "that" after every animal, and a verb.
first = sampled("the")
p_links = p_the[first] * np.where(first == 0, P_NEXT["little"][sampled("little")], 1) * P_NEXT["that"][sampled("that")] * 0.75
surprises = -np.log(p_links).mean(axis=1)  # (10,000,)
likeliest, greedy = -np.log(0.22 * 0.75 * 0.45), -np.log(0.32 * 0.4 * 0.75 * 0.45)
print(f"\nsampled tales by surprise in nats per link; the mean is {surprises.mean():.2f}")
counts, edges = np.histogram(surprises, np.arange(2.5, 4.4, 0.2))
labels = {low: f"{low:.1f} to {low + 0.2:.1f}" for low in edges[:-1]}
for x, name in ((likeliest, "most likely"), (greedy, "greedy")):
    labels[edges[edges < x].max()] += f"  {name} {x:.2f}"
print(bars([*labels.values()], counts, 40, "{:.0f}"))
assert np.allclose((likeliest, greedy, surprises.mean()), (2.60, 3.14, 3.75), atol=0.01) and surprises.min() > greedy

# %% [markdown]
# ## A model of the tales
#
# An LSTM reads the tales character by character and knows nothing of words. "the " is
# four tokens to it. After them, the characters l, c, d, h, f, m and k should get the
# probabilities that the chain has for its seven words.
#
# The entropy floor is the mean surprise of the validation set under the chain itself,
# in nats per character. It estimates the chain's entropy. On average no model gets
# below that.

# %%
tok = CharTokenizer.fit(tales)
batches = SequenceBatches([tok.encode(tale) for tale in tales[:2000]], 16, tok.eos_id, max_steps=48)
validation = SequenceBatches([tok.encode(tale) for tale in tales[2000:]], 50, tok.eos_id)
floor = -sum(map(log_P, tales[2000:])) / sum(map(len, tales[2000:]))
model = LanguageModel(tok.vocab_size, hidden=32)
fit(Training.begin(model, Adam(beta2=0.99), rng), batches, steps=STEPS, clip_norm=1.0, schedule=CosineDecay(0.03, STEPS))
print(f"\nafter {STEPS} steps: validation loss {evaluate(model, validation):.3f}, entropy floor {floor:.3f} nats per character")


def read(ids, state=None):
    logits, state = model.logits(np.array(ids)[:, None], state=state)
    a = logits[-1, 0].astype(float)
    a[tok.padding_id] = -np.inf  # never generated: e^-inf = 0
    return a, state  # logits (V,) of the next token, and the state


# %% [markdown]
# ## Temperature
#
# Dividing the logits by τ raises every ratio of probabilities to the power 1/τ. In the
# chain "little" is 1.45 times as likely as "cat". At τ = 0.5 it is 1.45² = 2.12 times
# as likely, at τ = 2 only √1.45 = 1.21 times. The ratios of the model, of l to c in the
# table below, are near these.
#
# - τ below 1 makes likely tokens more likely; the limit is greedy.
# - τ above 1 makes all tokens more alike.
# - τ = 1 leaves the model as it has learned.
#
# Look at the column "others": characters that no tale has after "the ". A model gives
# no token probability 0, because e^a is never 0. At τ = 1 they hardly count. But a high
# temperature favours unlikely tokens, and there are many of those.


# %%
def softmax(a):
    e = np.exp(a - a.max())  # the largest becomes e^0 = 1, so nothing overflows
    return e / e.sum()                                                          # (3)


entropy = lambda p: -np.sum(p[p > 0] * np.log(p[p > 0]))


def show(name, p):
    print(f"{name:<13}", *(f"{value:6.3f}" for value in p[letters]), f"{max(0, 1 - p[letters].sum()):7.3f} {entropy(p):8.2f}")


(a, _), letters = read(tok.encode("the ")), tok.encode("lcdhfmk")
by_tau = {tau: softmax(a / tau) for tau in (0.25, 0.5, 1.0, 2.0, 4.0)}  # (1), (3)
HEAD = " ".join(["\nafter 'the ' ", *(f"{letter:>6}" for letter in "lcdhfmk"), " others  entropy"])
print(HEAD)
for tau, p in by_tau.items():
    show(f"τ = {tau:g}", p)
    assert np.allclose(p, Sampling(tau).distribution(a[None])[0])
assert 5 * (1 - by_tau[1.0][letters].sum()) < min(0.1, 1 - by_tau[2.0][letters].sum())
for tau, r in ((1, 1.45), (0.5, 2.12), (2, 1.21)):
    assert round(np.divide(*softmax(np.log(p_the) / tau)[:2]), 2) == r and abs(np.divide(*by_tau[tau][letters[:2]]) - r) < 0.5

if plt := pyplot():
    figure, axes = plt.subplots(1, 5, figsize=(9, 2.7), sharey=True)
    for axis, (tau, p) in zip(axes, by_tau.items()):
        axis.bar(list("lcdhfmk…"), [*p[letters], 1 - p[letters].sum()], color=[COLOURS[0]] * 7 + [COLOURS[1]])
        axis.set_title(f"τ = {tau:g}")
    axes[0].set_ylabel("probability")
    axes[2].set_xlabel("next character after 'the ' (…: all others together)")
    save(figure, "11_temperature_and_beam")

# %% [markdown]
# ## Three ways to get the temperature wrong
#
# All three run, sum to 1, and generate something.
#
# - *Multiplied*: a · τ instead of a / τ. A low τ flattens and a high τ sharpens. If you
#   change τ until the text looks right, you never notice.
# - *Softmax twice*: probabilities are used as logits. They differ by less than 1. So at
#   τ = 0.5 no token is more than e² = 7.4 times as likely as another, and impossible
#   characters come all the time.
# - *Divided too late*: p / τ, scaled to sum to 1 again, is p, whatever τ is.
#
# A fourth way gives at best a warning: computing logits from probabilities, as log p.
# What was cut off has p = 0, and log 0 is -inf. In an entropy, 0 · log 0 is then NaN.
# Keep the logits until the end. `entropy` above leaves the zeros out.

# %%
print(HEAD.replace("after 'the '", "τ = 0.5     "))
p, twice, late = by_tau[1.0], softmax(by_tau[1.0] / 0.5), (by_tau[1.0] / 0.5) / np.sum(by_tau[1.0] / 0.5)
for name, values in {"right": by_tau[0.5], "multiplied": softmax(a * 0.5), "softmax twice": twice, "p / τ": late}.items():
    show(name, values)
assert np.allclose(softmax(a * 0.5), by_tau[2.0]) and twice.max() / twice.min() < np.exp(2) < 7.4 and np.allclose(late, p)
assert p[tok.padding_id] == 0 and np.isnan(0 * -np.inf)

# %% [markdown]
# ## Top-k and top-p: cut off what is unlikely
#
# Both cut, then scale the rest to sum to 1. Top-k keeps the k most likely tokens. It
# always keeps k, even where one token is certain, or where twenty would be good.
#
# Top-p looks at the probability that is reached. Go down from the most likely token,
# and keep a token if all before it together have less than P. So the token that reaches
# P is kept, too. If one token is certain, it alone is kept.


# %%
def top_k(a, k):
    return softmax(np.where(a >= np.sort(a)[-k], a, -np.inf))                   # (2), (3)


def top_p(p, P):
    order = np.argsort(-p)  # the most likely first
    order = order[np.cumsum(p[order]) - p[order] < P]  # before it: less than P
    kept = np.zeros(len(p))
    kept[order] = p[order]                                                      # (4)
    return kept / kept.sum()


print(HEAD.replace("after 'the '", "τ = 2       "))
show("top-k 4", top_k(a / 2, 4))
show("top-p 0.9", top_p(by_tau[2.0], 0.9))
assert np.allclose(top_k(a / 2, 4), Sampling(2.0, top_k=4).distribution(a[None]))
assert np.allclose(top_p(by_tau[2.0], 0.9), Sampling(2.0, top_p=0.9).distribution(a[None]))
assert np.count_nonzero(top_p(softmax(read(tok.encode("the little mou"))[0]), 0.9)) == 1

# %% [markdown]
# ## The same characters as the package
#
# The sampled token is the next input: that is all there is to generation. From the same
# random numbers `generate_ids` produces the same characters, in a compiled loop. Its
# kernel is `minilstm/kernels/sampling.py`, where `weigh` computes (1) to (4). It finds
# the nucleus without sorting all tokens, of which there may be 10,000. It also leaves
# the weights unscaled: `draw` scales u instead.


# %%
def generate(prompt, tau, P, u):
    ids, (a, state) = [], read(tok.encode(prompt))
    for number in u:
        ids.append(int(draw(top_p(softmax(a / tau), P), number)))
        a, state = read(ids[-1:], state)
    return ids  # what follows an end token does not count


ours = generate("the dog ", 0.8, 0.9, np.random.default_rng(2).random(200))
theirs = generate_ids(model, tok, ["the dog "], 200, Sampling(0.8, top_p=0.9), np.random.default_rng(2))[0]
print(f"\nours: the dog {tok.decode(ours)[:70]}\ngenerate_ids: the same {len(theirs)} characters")
assert ours[: len(theirs)] == theirs.tolist()

# %% [markdown]
# ## Beam search
#
# Greedy cannot take back its first choice. Beam search keeps the `width` most likely
# beginnings. In each round it extends each of them by every token, and keeps the
# `width` most likely of all these. A text that has ended is put aside. A length penalty
# divides log P by a power of the length (Wu et al. 2016).
#
# - **Width 1** is greedy, and the LSTM loops as the chain does. No theorem says that it
#   must, since its state could count. But the tales gave it no reason to.
# - **Width 8** finds "the cat", the most likely tale of all. Every further word makes a
#   tale less likely, so short ones win. In translation the most likely text is often
#   the empty one (Stahlberg and Byrne 2019).
# - **With a penalty of 1** long texts win: it divides log P by the number of characters
#   plus five. Per character the mouse loop is the most likely, with 0.12 nats, and the
#   cat loop has 0.15. Per link it was the cat. The limit of 39 characters ends the loop
#   just after "mouse", and a text that is cut off competes as if it had ended.
#
# None of these is a typical tale of the chain. That is no mistake of the search: it
# finds the most likely text. Ask for that where there is one right answer, as in
# translation. Do not ask for it if you want a tale.

# %%
log_softmax = lambda a: a - a.max() - np.log(np.exp(a - a.max()).sum())


def beam(prompt, length, width, penalty=0.0):
    live, found = [(0.0, [], *read(tok.encode(prompt)))], []  # log P, ids, logits, state
    for n in range(1, length + 1):
        longer = [(total + log_p, [*ids, k], state) for total, ids, a, state in live for k, log_p in enumerate(log_softmax(a))]
        best = sorted(longer, key=lambda text: -text[0])[:width]
        ends = [ids[-1] == tok.eos_id or n == length for _, ids, _ in best]
        found += [(total, ids) for (total, ids, _), end in zip(best, ends) if end]
        live = [(total, ids, *read(ids[-1:], state)) for (total, ids, state), end in zip(best, ends) if not end]
    return max(found, key=lambda text: text[0] / ((5 + len(text[1])) / 6) ** penalty)


print("\nwidth  penalty   log P  the best text found")
for width, penalty in ((1, 0.0), (4, 0.0), (8, 0.0), (8, 1.0)):
    (total, ids), best = beam("the", 39, width, penalty), beam_search(model, tok, "the", 39, width, penalty)[0]
    print(f"{width:5} {penalty:8g} {total:7.2f}  {best.text}")
    assert ids == best.ids.tolist() and (best.text == "the cat") == (width >= 8 and penalty == 0)

# %% [markdown]
# ## What each of them generates
#
# The table has, for each way:
#
# - *surprise*: of its texts, for the model at τ = 1, in nats per character. Compare it
#   with that of the chain's own tales.
# - *distinct 16-grams*: 16 characters are about one link, and 100 % means that no 16
#   characters occur twice. Longer texts repeat more. So they are counted in the same
#   number of characters for each row, in the full run the first 5,000.
# - *right*: the text ended, and the chain could have generated it.
#
# What you see:
#
# - *Greedy* has little more than half the surprise of a tale. It always generates the
#   same text, which never ends.
# - *τ = 0.5* makes hardly any mistakes, but its tales are too long. After an animal,
#   the end had 0.25 and now has 0.25² / (0.25² + 0.75²) = 0.1: ten animals instead of
#   four. A temperature does not only choose safer words. It changes every choice.
# - *τ = 1* samples what the model has learned, with its small errors. After an error it
#   is where no tale ever was, and makes more.
# - *τ = 1.5* shows what many unlikely characters do.
# - *Top-p 0.9* leaves the errors out, and its surprise is nearly that of the chain. The
#   price: no king, and no mouse directly after "the". The five words before them
#   together reach 0.92.

# %%
WAYS = {"greedy": Sampling(greedy=True), "τ = 0.5": Sampling(0.5), "τ = 1": Sampling(), "τ = 1.5": Sampling(1.5)}
WAYS["top-p 0.9"], prompts = Sampling(top_p=0.9), ["the "] * TEXTS
texts, rows = {"the chain": [np.append(tok.encode(tale)[4:], tok.eos_id) for tale in tales[-TEXTS:]]}, {}
texts |= {name: generate_ids(model, tok, prompts, 300, way, np.random.default_rng(0)) for name, way in WAYS.items()}
print(f"\n{TEXTS} texts each  surprise  distinct 16-grams  length  ended  right")
for name, written in texts.items():
    ended = [tok.complete("the ", ids) for ids in written if ids[-1] == tok.eos_id]
    surprise, right = -measure(model, tok, prompts, written).log_likelihood, [min(steps_of(text)) > 0 for text in ended]
    grams, length = distinct([np.concatenate(written)[: 25 * TEXTS]], 16), np.mean([*map(len, written)])
    rows[name] = row = surprise, grams, length, len(ended) / TEXTS, sum(right) / TEXTS
    print("{:<14}{:10.3f}{:19.0%}{:8.0f}{:7.0%}{:7.0%}\n    the {}".format(name, *row, tok.decode(written[0])[:72]))
assert rows["greedy"][0] < 0.65 * rows["the chain"][0] and rows["τ = 0.5"][0] < rows["top-p 0.9"][0] < rows["τ = 1.5"][0]
assert rows["τ = 1.5"][-1] + 0.1 < rows["τ = 1"][-1] < rows["top-p 0.9"][-1] + 0.05 and 0.25**2 / (0.25**2 + 0.75**2) == 0.1
assert min(row[2] for row in rows.values()) > 25 and np.allclose((greedy / 26, likeliest / 17), (0.12, 0.15), atol=0.005)
assert round(p_the[:5].sum(), 2) == 0.92 and 25 * TEXTS in (1250, 5000)
assert not any("king" in (text := "the " + tok.decode(ids)) or "the mouse" in text for ids in texts["top-p 0.9"])

# %% [markdown]
# ## Exercises
#
# `minilstm exercise 11` makes your copy, `lessons/my/11_temperature_and_beam.py`.
# Fill in its blanks, and run the same command again: it grades what you wrote.
#
# 1. Temperature, from logits to probabilities.
# 2. Top-p, from probabilities to the nucleus.
# 3. Beam search for any model that returns log p.
