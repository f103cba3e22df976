# %% [markdown]
# # 11. Temperature, top-k, top-p, beam
#
# After this lesson you can let a trained model write in five ways, each in a few lines of NumPy,
# and you know why the likeliest text is not a good one. It takes three quarters of an hour, and an
# hour and a half with its exercises. You need: softmax, and that a language model gives every
# symbol that may come next a number `a`, its logit, of which softmax makes a probability. The
# steps are those of `minilstm/generation/sampling.py`, and the last that of `minilstm/generation/beam.py`:
#
#     (1)  a / T                                    temperature T
#     (2)  keep the k largest                       top-k
#     (3)  p = softmax(a): p_i = e^a_i / Σ e^a      probabilities
#     (4)  keep the likeliest symbols that          top-p, or nucleus
#          together reach probability P
#     (5)  log P(text) = Σ log p(symbol)            what beam search makes as large as it can
#
# Top-k: Fan, Lewis and Dauphin (2018). Top-p, and why likely text is bad text: Holtzman, Buys, Du,
# Forbes and Choi, The curious case of neural text degeneration (2020). Beam: Graves (2012).

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
# ## A source of text that we know exactly
#
# Tales like "the cat that saw the little dog" are told by a Markov chain: the next word depends on
# the last word alone. So the probability of every tale is known, by equation (5), and whatever is
# said about likely and unlikely tales can be computed: "the cat" has 0.22 · 0.25 = 0.055. An empty
# word stands before the first word and after the last. Logarithms are natural ones; their unit is
# the nat.

# %%
ANIMALS = ("cat", "dog", "hen", "fox", "mouse", "king")
NEXT = {"": {"the": 1.0}, "that": {"saw": 0.45, "fed": 0.25, "chased": 0.2, "loved": 0.1}}
NEXT["the"] = {"little": 0.32} | dict(zip(ANIMALS, (0.22, 0.17, 0.12, 0.09, 0.05, 0.03)))
NEXT["little"] = {"mouse": 0.4, "hen": 0.2, "cat": 0.15, "dog": 0.15, "fox": 0.1}
NEXT |= {animal: {"that": 0.75, "": 0.25} for animal in ANIMALS} | {verb: {"the": 1.0} for verb in NEXT["that"]}
SHARES = {word: np.array(list(after.values())) for word, after in NEXT.items()}


def steps_of(tale):
    words = ["", *tale.split(" "), ""]
    return [NEXT.get(word, {}).get(after, 0.0) for word, after in zip(words, words[1:])]


log_P = lambda tale: np.log(steps_of(tale)).sum()                               # (5)
assert np.isclose(np.exp(log_P("the cat")), 0.055)

# %% [markdown]
# ## Draw with one uniform number
#
# Lay the probabilities end to end: they fill the way from 0 to 1. A number u that lies anywhere on
# it, equally likely, falls into each piece as often as the piece is long. So take the first word
# at which the sum is above u. That is all there is to sampling; a word costs one random number.

# %%
draw = lambda p, u: np.searchsorted(np.cumsum(p), u, side="right")  # the first whose sum is above u
rng, p_the = np.random.default_rng(1), SHARES["the"]
shares = np.bincount(draw(p_the, rng.random(10_000)), minlength=7) / 10_000
print("\nafter 'the'    ", *(f"{word:>7}" for word in NEXT["the"]))
for name, values in {"probability": p_the, "summed up": p_the.cumsum(), "10,000 draws": shares}.items():
    print(f"{name:<15}", *(f"{value:7.3f}" for value in values))
assert np.abs(shares - p_the).max() < 0.02


def tell():
    words = ["the"]
    while words[-1]:
        words.append(list(NEXT[words[-1]])[draw(SHARES[words[-1]], rng.random())])
    return " ".join(words[:-1])


tales = [tell() for _ in range(2500)]
print("\nthree tales", *(tale[:76] for tale in tales[:3]), sep="\n  ")

# %% [markdown]
# ## Why greedy text loops
#
# Greedy means: always the likeliest. Nothing is left to chance, and the next word is a function of
# the last. There are 13 words, so after 13 steps at the latest one comes a second time, and
# whatever followed it follows again. **Greedy text of a Markov chain ends early or loops for
# ever**, whatever the probabilities are. These tales may end after every animal. But the end has
# 0.25 there, going on has 0.75, and greedy never takes the smaller. Drawn tales do end, after four
# animals on average.
#
# Trained models do the same: the published lesson on headlines that this package reproduces prints
# "strike for the strike for the strike". In large ones a phrase even gets likelier each time it is
# said (Holtzman et al. 2020).

# %%
words = ["the"]
while words.count(words[-1]) < 2:
    words.append(max(NEXT[words[-1]], key=NEXT[words[-1]].get))
print("\ngreedy:", " ".join(words), "...")
assert words == "the little mouse that saw the".split() and len(NEXT) - 1 == 13
assert abs(np.mean([sum(word in ANIMALS for word in tale.split()) for tale in tales]) - 4) < 0.2

# %% [markdown]
# ## Why the likeliest text is not a typical text
#
# A link is "the cat that saw" or another one like it. Greedy does not even find the likeliest
# link: it takes "little", for 0.32 is more than the 0.22 of "cat"; but then five animals share
# this 0.32, and "little mouse" is left with 0.128. No tale of 50 links is likelier than "the cat
# that saw" 50 times.
#
# Below are 10,000 drawn tales of 50 links, and the *surprise* of each, -log P, in nats a link. The
# likeliest tale has 2.60, greedy's 3.14. The drawn ones have 3.75 on average, and none is as
# unsurprising as greedy's. How can the likeliest be the one that never comes? Each tale of average
# surprise is much less likely than that one, but there are so many of them that together they have
# nearly all the probability. A coin that shows heads six times of ten is the same: its likeliest
# hundred throws are a hundred heads, and nobody has seen them. Long texts all but surely have
# nearly the average surprise, which is called entropy (Shannon 1948), and those that do are the
# typical set (Cover and Thomas 2006, chapter 3). To look for the likeliest text is to leave it.

# %%
drawn = lambda word: draw(SHARES[word], rng.random((10_000, 50)))  # (10,000, 50)
first = drawn("the")  # and then an animal after "little", "that" after every animal, and a verb
p_links = p_the[first] * np.where(first == 0, SHARES["little"][drawn("little")], 1) * SHARES["that"][drawn("that")] * 0.75
surprises = -np.log(p_links).mean(axis=1)  # (10,000,)
likeliest, greedy = -np.log(0.22 * 0.75 * 0.45), -np.log(0.32 * 0.4 * 0.75 * 0.45)
print(f"\ndrawn tales by their surprise in nats a link, {surprises.mean():.2f} on average")
counts, edges = np.histogram(surprises, np.arange(2.5, 4.4, 0.2))
labels = {low: f"{low:.1f} to {low + 0.2:.1f}" for low in edges[:-1]}
for x, name in ((likeliest, "the likeliest"), (greedy, "greedy")):
    labels[edges[edges < x].max()] += f"  {name} {x:.2f}"
print(bars([*labels.values()], counts, 40, "{:.0f}"))
assert np.allclose((likeliest, greedy, surprises.mean()), (2.60, 3.14, 3.75), atol=0.01) and surprises.min() > greedy

# %% [markdown]
# ## A model of the tales
#
# An LSTM reads the tales letter by letter and knows nothing of words: "the " is four symbols to it,
# after which l, c, d, h, f, m and k should get the probabilities that the chain has for its seven
# words. The floor is the mean surprise of the held-out tales under the chain itself, in nats a
# letter. That is an estimate of the chain's entropy, below which no model gets on average.

# %%
tok = CharTokenizer.fit(tales)
batches = SequenceBatches([tok.encode(tale) for tale in tales[:2000]], 16, tok.eos_id, max_steps=48)
held_out = SequenceBatches([tok.encode(tale) for tale in tales[2000:]], 50, tok.eos_id)
floor = -sum(map(log_P, tales[2000:])) / sum(map(len, tales[2000:]))
model = LanguageModel(tok.vocab_size, hidden=32)
fit(Training.begin(model, Adam(beta2=0.99), rng), batches, steps=STEPS, clip_norm=1.0, schedule=CosineDecay(0.03, STEPS))
print(f"\nafter {STEPS} steps: held-out loss {evaluate(model, held_out):.3f}, floor {floor:.3f} nats a letter")


def read(ids, state=None):
    logits, state = model.logits(np.array(ids)[:, None], state=state)
    a = logits[-1, 0].astype(float)
    a[tok.padding_id] = -np.inf  # is never written: e^-inf = 0
    return a, state  # logits (V,) of the next symbol, and what the model remembers


# %% [markdown]
# ## Temperature
#
# To divide the logits by T is to take every ratio of probabilities to the power of 1/T. In the
# chain "little" is 1.45 times as likely as "cat"; at T = 0.5 it is 1.45² = 2.12 times as likely, at
# T = 2 only √1.45 = 1.21 times. The model's ratios, of l to c in the table below, are near these. T
# below 1 makes the likely likelier still and ends in greedy, T above 1 makes all alike, and T = 1
# leaves the model as it has learned.
#
# Look at the others: letters that no tale has after "the ". A model never says never, since e^a is
# never 0. At T = 1 they hardly count. But a high temperature favours the unlikely, and there are
# many of those.


# %%
def softmax(a):
    e = np.exp(a - a.max())  # the largest becomes e^0 = 1, so nothing overflows
    return e / e.sum()                                                          # (3)


entropy = lambda p: -np.sum(p[p > 0] * np.log(p[p > 0]))


def show(name, p):
    print(f"{name:<13}", *(f"{value:6.3f}" for value in p[letters]), f"{max(0, 1 - p[letters].sum()):7.3f} {entropy(p):8.2f}")


(a, _), letters = read(tok.encode("the ")), tok.encode("lcdhfmk")
by_T = {T: softmax(a / T) for T in (0.25, 0.5, 1.0, 2.0, 4.0)}                  # (1), (3)
HEAD = " ".join(["\nafter 'the ' ", *(f"{letter:>6}" for letter in "lcdhfmk"), " others  entropy"])
print(HEAD)
for T, p in by_T.items():
    show(f"T = {T:g}", p)
    assert np.allclose(p, Sampling(T).distribution(a[None])[0])
assert 5 * (1 - by_T[1.0][letters].sum()) < min(0.1, 1 - by_T[2.0][letters].sum())
for T, ratio in ((1, 1.45), (0.5, 2.12), (2, 1.21)):
    assert round(np.divide(*softmax(np.log(p_the) / T)[:2]), 2) == ratio and abs(np.divide(*by_T[T][letters[:2]]) - ratio) < 0.5

if plt := pyplot():
    figure, axes = plt.subplots(1, 5, figsize=(9, 2.7), sharey=True)
    for axis, (T, p) in zip(axes, by_T.items()):
        axis.bar(list("lcdhfmk…"), [*p[letters], 1 - p[letters].sum()], color=[COLOURS[0]] * 7 + [COLOURS[1]])
        axis.set_title(f"T = {T:g}")
    axes[0].set_ylabel("probability")
    axes[2].set_xlabel("next letter after 'the ' (…: all others together)")
    save(figure, "11_temperature_and_beam")

# %% [markdown]
# ## Three ways to get the temperature wrong
#
# All three run, sum to 1, and write something.
#
# - *Multiplied*: a · T where a / T belongs. A low T flattens and a high one sharpens. Who turns T
#   until the text looks right never finds out.
# - *Softmax twice*: probabilities taken for logits. They differ by less than 1, so that at T = 0.5
#   no symbol is more than e² = 7.4 times as likely as another, and impossible letters come all the
#   time.
# - *Divided too late*: p / T, scaled to sum to 1 again, is p, whatever T is.
#
# A fourth one warns, at best: to get logits back from probabilities by log p. What was cut off has
# p = 0, and log 0 is -inf; and 0 · log 0, as in an entropy, is NaN. Keep the logits until the end.
# `entropy` above leaves the zeros out.

# %%
print(HEAD.replace("after 'the '", "T = 0.5     "))
p, twice, late = by_T[1.0], softmax(by_T[1.0] / 0.5), (by_T[1.0] / 0.5) / np.sum(by_T[1.0] / 0.5)
for name, values in {"right": by_T[0.5], "multiplied": softmax(a * 0.5), "softmax twice": twice, "p / T": late}.items():
    show(name, values)
assert np.allclose(softmax(a * 0.5), by_T[2.0]) and twice.max() / twice.min() < np.exp(2) < 7.4 and np.allclose(late, p)
assert p[tok.padding_id] == 0 and np.isnan(0 * -np.inf)

# %% [markdown]
# ## Top-k and top-p: cut off what is unlikely
#
# Both cut and scale what is left to sum to 1. Top-k keeps the k likeliest: always k, also where
# one is certain or where twenty would do. Top-p looks at how much is reached: going down from the
# likeliest, keep a symbol if all before it together have less than P. So the one that reaches P is
# kept too, and of a certain symbol nothing but itself.


# %%
def top_k(a, k):
    return softmax(np.where(a >= np.sort(a)[-k], a, -np.inf))                   # (2), (3)


def top_p(p, P):
    order = np.argsort(-p)  # the likeliest first
    order = order[np.cumsum(p[order]) - p[order] < P]  # before it: less than P
    kept = np.zeros(len(p))
    kept[order] = p[order]                                                      # (4)
    return kept / kept.sum()


print(HEAD.replace("after 'the '", "T = 2       "))
show("top-k 4", top_k(a / 2, 4))
show("top-p 0.9", top_p(by_T[2.0], 0.9))
assert np.allclose(top_k(a / 2, 4), Sampling(2.0, top_k=4).distribution(a[None]))
assert np.allclose(top_p(by_T[2.0], 0.9), Sampling(2.0, top_p=0.9).distribution(a[None]))
assert np.count_nonzero(top_p(softmax(read(tok.encode("the little mou"))[0]), 0.9)) == 1

# %% [markdown]
# ## The same letters as the package
#
# What is drawn is the next input; that is all there is to generation. From the same random numbers
# `generate_ids` writes the same letters, in a compiled loop. Its draw stands in
# `kernels/sampling.py`, where `weigh` is (1) to (4): it finds the nucleus without sorting all
# symbols, of which there may be 10,000, and leaves the weights unscaled, for `draw` scales u
# instead.


# %%
def write(prompt, T, P, u):
    ids, (a, state) = [], read(tok.encode(prompt))
    for number in u:
        ids.append(int(draw(top_p(softmax(a / T), P), number)))
        a, state = read(ids[-1:], state)
    return ids  # what stands after an end does not count


ours = write("the dog ", 0.8, 0.9, np.random.default_rng(2).random(200))
theirs = generate_ids(model, tok, ["the dog "], 200, Sampling(0.8, top_p=0.9), np.random.default_rng(2))[0]
print(f"\nours: the dog {tok.decode(ours)[:70]}\ngenerate_ids: the same {len(theirs)} symbols")
assert ours[: len(theirs)] == theirs.tolist()

# %% [markdown]
# ## Beam search
#
# Greedy may regret its first choice. Beam search keeps the `width` likeliest beginnings, makes
# each of them longer by every symbol, and of all these keeps the `width` likeliest again. What has
# ended is put aside. A penalty divides log P by a power of the length (Wu et al. 2016).
#
# Width 1 is greedy, and the LSTM loops as the chain does. No theorem says that it must: its memory
# could count. But the tales gave it no reason to. Width 8 finds "the cat", the likeliest tale of
# all. Every further word makes a tale less likely, so short ones win; in translation the likeliest
# text is often the empty one (Stahlberg and Byrne 2019). With the penalty long ones win: at 1 it
# divides log P by the letters and five more. Counted in letters, as here, the mouse loop is the
# likeliest: 0.12 nats a letter, where the cat loop has 0.15; counted in links it was the cat. The
# 39 letters end the loop just after "mouse", and a text that is cut off competes as if it had
# ended.
#
# Neither is what the chain tells. The search is not to blame, it finds what it is asked for: the
# likeliest text. Ask for that where there is one right answer, as in translation; not where you
# want a tale.

# %%
log_softmax = lambda a: a - a.max() - np.log(np.exp(a - a.max()).sum())


def beam(prompt, length, width, penalty=0.0):
    live, found = [(0.0, [], *read(tok.encode(prompt)))], []  # log P, what was written, logits, state
    for n in range(1, length + 1):
        longer = [(total + log_p, [*ids, k], state) for total, ids, a, state in live for k, log_p in enumerate(log_softmax(a))]
        best = sorted(longer, key=lambda text: -text[0])[:width]
        ends = [ids[-1] == tok.eos_id or n == length for _, ids, _ in best]
        found += [(total, ids) for (total, ids, _), end in zip(best, ends) if end]
        live = [(total, ids, *read(ids[-1:], state)) for (total, ids, state), end in zip(best, ends) if not end]
    return max(found, key=lambda text: text[0] / ((5 + len(text[1])) / 6) ** penalty)


print("\nwidth  penalty   log P  the best that was found")
for width, penalty in ((1, 0.0), (4, 0.0), (8, 0.0), (8, 1.0)):
    (total, ids), best = beam("the", 39, width, penalty), beam_search(model, tok, "the", 39, width, penalty)[0]
    print(f"{width:5} {penalty:8g} {total:7.2f}  {best.text}")
    assert ids == best.ids.tolist() and (best.text == "the cat") == (width >= 8 and penalty == 0)

# %% [markdown]
# ## What each of them writes
#
# Surprise is what the model thinks of the texts at T = 1, in nats a letter; the chain's own tales
# set the measure. Pieces are 16 letters long, about a link, and 100 % of them are different where
# none comes twice. Longer texts leave less that is new, so each row's pieces are counted in as many
# letters, the first 5,000 in the full run. A text is right if it ended and the chain could have
# told it.
#
# - *Greedy* surprises not much more than half as much as a tale, says one thing, and never ends.
# - *T = 0.5* hardly errs, but its tales are too long. After an animal, the end had 0.25 and has
#   now 0.25² / (0.25² + 0.75²) = 0.1, which makes ten animals of four. A temperature does not only
#   choose safer words: it changes everything that is a choice.
# - *T = 1* draws what the model has learned, its small errors as well. After an error it stands
#   where no tale ever was, and errs more.
# - *T = 1.5* is what comes of many unlikely letters.
# - *Top-p 0.9* leaves the errors out and surprises nearly as much as the chain. The price: no
#   king, and no mouse straight after "the": the five words before them reach 0.92 together.

# %%
WAYS = {"greedy": Sampling(greedy=True), "T = 0.5": Sampling(0.5), "T = 1": Sampling(), "T = 1.5": Sampling(1.5)}
WAYS["top-p 0.9"], prompts = Sampling(top_p=0.9), ["the "] * TEXTS
texts, rows = {"the chain": [np.append(tok.encode(tale)[4:], tok.eos_id) for tale in tales[-TEXTS:]]}, {}
texts |= {name: generate_ids(model, tok, prompts, 300, way, np.random.default_rng(0)) for name, way in WAYS.items()}
print(f"\n{TEXTS} texts each  surprise  different pieces  letters  ended  right")
for name, written in texts.items():
    ended = [tok.complete("the ", ids) for ids in written if ids[-1] == tok.eos_id]
    surprise, right = -measure(model, tok, prompts, written).log_likelihood, [min(steps_of(text)) > 0 for text in ended]
    pieces, length = distinct([np.concatenate(written)[: 25 * TEXTS]], 16), np.mean([*map(len, written)])
    rows[name] = row = surprise, pieces, length, len(ended) / TEXTS, sum(right) / TEXTS
    print("{:<14}{:10.3f}{:18.0%}{:9.0f}{:7.0%}{:7.0%}\n    the {}".format(name, *row, tok.decode(written[0])[:72]))
assert rows["greedy"][0] < 0.65 * rows["the chain"][0] and rows["T = 0.5"][0] < rows["top-p 0.9"][0] < rows["T = 1.5"][0]
assert rows["T = 1.5"][-1] + 0.1 < rows["T = 1"][-1] < rows["top-p 0.9"][-1] + 0.05 and 0.25**2 / (0.25**2 + 0.75**2) == 0.1
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
# 3. Beam search for any model that says log p.
