# %% [markdown]
# # 12. A recipe writer
#
# After this lesson you can:
#
# - say what changes if a model reads words instead of characters, and compare the two
#   fairly
# - say which words a small vocabulary loses
# - measure long-range agreement: for how many words a model remembers what its title
#   named
#
# The lesson takes an hour, of which the computer trains for half a minute, and another
# hour with its exercises. You need lesson 10, and temperature from lesson 11.
#
# The text is the built-in corpus `recipes`. The model of words has the layers of D.
# Foster, Generative Deep Learning (2nd edition, 2023), chapter 5: embedding, one LSTM
# layer, softmax over all words.

# %%
import numpy as np

import textwrap
from collections import Counter

from minilstm import Adam, LanguageModel, WordTokenizer
from minilstm.corpora.agreement import expand
from minilstm.corpora.pantry import PLURAL, WORDS
from minilstm.corpora.long_range import KINDS, NAMED, NEAR, kept_by_distance
from minilstm.corpora.recipes import SHAPES, recipes
from minilstm.corpora.wordgrammar import WordGrammar
from minilstm.course import COLOURS, pyplot, quick, save
from minilstm.data.batches import CorpusBatches, SequenceBatches
from minilstm.data.punctuation import split_words
from minilstm.generation.sampling import Sampling, generate_ids, read_prompts
from minilstm.optim import CosineDecay
from minilstm.training.loop import Training, evaluate, fit

QUICK = quick()
corpus = recipes()
texts = corpus.sample_many(1000, np.random.default_rng(0))
others = corpus.sample_many(300, np.random.default_rng(1))
print(textwrap.fill(texts[0], 80))

# %% [markdown]
# ## Words and characters
#
# For a model of words, a text is a sequence of words in lower case. Each punctuation
# mark is a word, too. A recipe then has about 140 time steps instead of 640, and no
# word is ever misspelt.
#
# The price is a larger vocabulary: 482 words instead of 62 characters. Each word has a
# row in the embedding and a column in the output layer. In Foster's model, with 10,000
# ids, these hold 95 % of the 2,407,248 parameters.

# %%
words = [split_words(text) for text in texts]
a_recipe = np.mean([len(row) for row in words]), np.mean([len(text) for text in texts])
kinds = len({word for row in words for word in row}), len(set("".join(texts)))
print("\n                 words   characters")
print(f"in a recipe{a_recipe[0]:11.1f}{a_recipe[1]:13.1f}\ndifferent{kinds[0]:13}{kinds[1]:13}")
V, E, H = 10_000, 100, 128
whole = LanguageModel(V, embedding=E, hidden=H).parameters.flat.size
print(f"Foster's model: {whole:,} parameters, {(V * E + H * V + V) / whole:.0%} of them in embedding and output")
assert (round(a_recipe[0] / 10), round(a_recipe[1] / 10), *kinds, whole) == (14, 64, 482, 62, 2_407_248)
assert round(100 * (V * E + H * V + V) / whole) == 95

# %% [markdown]
# ## What a word costs
#
# A loss in nats per word cannot be compared with a loss in nats per character, because
# a word stands for several characters. But both models must predict the same text. So
# divide both by the number of its characters:
#
#     (1)  bits per character = nats of all words / ln 2 / characters, with spaces
#
# In these recipes a word stands for 4.5 characters, which includes the space that
# follows most words. Guessing blindly among words is already three times as good as
# guessing among characters, because it never tries `qxz`. The grammar of the recipes
# has a known entropy floor, 0.164 nats per word.

# %%
per_word = a_recipe[1] / a_recipe[0]
print(f"\n{per_word:.2f} characters per word         nats per token   bits per character")
blind = {"words": np.log(kinds[0]) / np.log(2) / per_word, "characters": np.log(kinds[1]) / np.log(2)}
print(f"blind guessing among characters {np.log(kinds[1]):10.3f}{blind['characters']:19.3f}")
print(f"blind guessing among words      {np.log(kinds[0]):10.3f}{blind['words']:19.3f}")
print(f"entropy floor, in words         {corpus.floor:10.3f}{corpus.floor / np.log(2) / per_word:19.3f}")
assert round(per_word, 1) == 4.5 and round(corpus.floor, 3) == 0.164 and round(blind["characters"] / blind["words"]) == 3

# %% [markdown]
# ## Which words a vocabulary loses
#
# The most frequent words get ids. Id 0 is padding and the end. Id 1 is `[UNK]`, which
# stands for any word without an id of its own. The words follow from id 2, the most
# frequent first.
#
# Frequencies fall like 1 / rank (Zipf, 1949): on logarithmic scales, a straight line
# with exponent -1. Here the fitted exponent is -1.06. The points are nearly straight
# between ranks 3 and 300. Before and after, words are rarer than the line says.
#
# So a few words make up most of a text. Take other recipes than those that the
# vocabulary was made from. With 100 ids, 73 % of their words are known, and with 300
# ids all but 7 %.
#
# That sounds harmless, but it matters which words these 7 % are. `the` and `.` stay.
# What is lost are the words that make a recipe special: 38 % of the ingredients in the
# titles. In 79 % of all titles an ingredient is unknown.

# %%
counts = Counter(word for row in words for word in row)
ranked = sorted(counts, key=lambda word: (counts[word], word), reverse=True)
print("\nrank      " + "".join(f"{rank:>9}" for rank in (1, 2, 4, 10, 40, 100, 400)))
print("word      " + "".join(f"{ranked[rank - 1]:>9}" for rank in (1, 2, 4, 10, 40, 100, 400)))
print("frequency " + "".join(f"{counts[ranked[rank - 1]]:>9}" for rank in (1, 2, 4, 10, 40, 100, 400)))
power, height = np.polyfit(np.log(np.arange(len(ranked)) + 1), np.log([counts[word] for word in ranked]), 1)

ingredients = {word for kind in ("main", "herb", "side") for word in NAMED[kind]}
rows = [split_words(text) for text in others]
titles = [[word for word in row[: row.index("|")] if word in ingredients] for row in rows]
print(f"exponent {power:.2f}\n\n           fraction unknown of    titles with\n   ids      words   ingredients     an unknown")
unknown = {}
for V in (484, 400, 300, 200, 100):
    id_of = {word: k for k, word in enumerate(ranked[: V - 2], start=2)}
    fraction = lambda group: np.mean([id_of.get(word, 1) == 1 for row in group for word in row])
    incomplete = np.mean([any(word not in id_of for word in title) for title in titles])
    unknown[V] = fraction(rows), fraction(titles), incomplete
    print(f"{V:6}{unknown[V][0]:11.1%}{unknown[V][1]:14.1%}{unknown[V][2]:16.1%}")

tokenizer = WordTokenizer.fit(texts, V)
assert tokenizer.encode(others[0]).tolist() == [id_of.get(word, 1) for word in rows[0]]
assert np.isclose(tokenizer.share_unknown(others), unknown[V][0])
assert [round(100 * value) for value in unknown[300]] == [7, 38, 79] and round(100 * unknown[100][0]) == 26
off = [counts[word] / np.exp(height) * rank**-power for rank, word in enumerate(ranked, start=1)]
assert round(power, 2) == -1.06 and 0.5 < min(off[2:300]) and max(off[2:300]) < 1.25 and off[0] < 0.5 > off[-1]

if plt := pyplot():
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.5, 3.4))
    left.loglog(np.arange(len(ranked)) + 1, [counts[word] for word in ranked], ".", color=COLOURS[0], label="recipes")
    left.loglog([1, 482], np.exp(height) * np.array([1, 482]) ** power, "--", color=COLOURS[6], label=f"rank^{power:.2f}")
    left.set(xlabel="rank of the word", ylabel="how often in 1,000 recipes")
    for k, label in enumerate(("words", "ingredients in titles")):
        right.plot(list(unknown), [value[k] for value in unknown.values()], "os"[k] + "-", color=COLOURS[k], label=label)
    right.set(xlabel="ids in the vocabulary", ylabel="fraction that is unknown", ylim=(-0.03, 1.05))
    left.legend()
    right.legend()
    save(figure, "12_recipe_writer_unknown")

# %% [markdown]
# ## A model for half a minute
#
# `minilstm train recipes` trains for minutes, on all eight methods of cooking. To see a
# result within half a minute, here are three of them, with all their words: roast meat,
# baked fish, and steamed greens.
#
# A recipe agrees with its title. The title names a main ingredient, a herb and
# something on the side. All of them return, some after a hundred words. For that a unit
# must keep something for a long time, and lesson 2 shows how. A forget gate of f =
# n/(n+1) leaves 37 % of a cell state after n time steps. Its bias is ln n.
#
# Tallec and Ollivier (2018) draw an n for each unit, between 1 and the longest distance
# that may occur. The input gate gets the bias -ln n, so that it writes just as little.

# %%
shapes = [shape for shape in SHAPES["recipe"] if shape[1].split()[2] in ("roast", "baked", "steamed")]
corpus = WordGrammar(expand({**SHAPES, **WORDS, "recipe": shapes}, "recipe", PLURAL), "recipe")
tokenizer = WordTokenizer.fit([" ".join(corpus.vocabulary)] + corpus.sample_many(300, np.random.default_rng(2)))
others = corpus.sample_many(40 if QUICK else 200, np.random.default_rng(3))
validation = SequenceBatches([tokenizer.encode(text) for text in others], 20, tokenizer.eos_id)

STEPS, B, H, RATE = 10 if QUICK else 1400, 6, 128, 0.012
model = LanguageModel(tokenizer.vocab_size, embedding=32, hidden=H, seed=0)
steps_kept = np.random.default_rng(5).uniform(1, 300, H)                             # n of each unit
b = model.parameters["lstm0.b"]                                                  # (4H,) in blocks i, f, g, o
b[:H], b[H : 2 * H] = -np.log(steps_kept), np.log(steps_kept)
assert round((100 / 101) ** 100, 2) == 0.37 and np.isclose(1 / (1 + np.exp(-np.log(100))), 100 / 101)
assert (len(SHAPES["recipe"]), len(WORDS["joints"]), len(KINDS)) == (8, 5, 12)

before = evaluate(model, validation)
run = Training.begin(model, Adam(RATE, beta2=0.98), np.random.default_rng(0))
fit(run, CorpusBatches(corpus, tokenizer, STEPS * B, B), steps=STEPS, clip_norm=1.0, schedule=CosineDecay(RATE, STEPS))
after = evaluate(model, validation)
print(f"\n{tokenizer.vocab_size} ids; {STEPS} training steps with {B} recipes each")
print(f"validation loss in nats per word: {before:.3f} before, {after:.3f} after; floor {corpus.floor:.3f}")
per_word = sum(map(len, others)) / sum(map(len, validation.sequences))
print(f"that is {after / np.log(2) / per_word:.3f} bits per character, floor {corpus.floor / np.log(2) / per_word:.3f}")
if QUICK:
    print(f"quick: after {STEPS} steps this model knows little, and what follows shows it")
assert corpus.floor < after < before and (QUICK or after < 0.3)

# %% [markdown]
# ## The five most likely words
#
# After `recipe for roast` the grammar continues with one of five meats, each with 20 %.
# Softmax of a / τ gives the model's probabilities at temperature τ.
#
# At τ = 1 the trained model is about right. Its small errors are differences of logits,
# and τ = 0.2 multiplies these by five. Now the most likely meat comes two or three
# times as often as the least likely of the five, although the recipes make no
# difference. A low temperature does not show what a model knows. It shows what the
# model finds a little more likely.

# %%
prompt = "recipe for roast"
logits, _ = read_prompts(model, tokenizer, [prompt])
a = logits[0].astype(float)                                                      # (V,)
a[tokenizer.unknown_id] = -np.inf                                                # never generated
p = {tau: np.exp((a - a.max()) / tau) / np.exp((a - a.max()) / tau).sum() for tau in (1.0, 0.2)}
assert all(np.allclose(p[tau], Sampling(tau).distribution(logits, [tokenizer.unknown_id])[0]) for tau in p)
five = np.argsort(-a)[:5]
print(f"\n{prompt} …       τ = 1  τ = 0.2")
for k in five:
    print(f"  {tokenizer.show(k):<20}{p[1.0][k]:9.1%}{p[0.2][k]:9.1%}")
assert QUICK or {tokenizer.show(k) for k in five} == set(WORDS["joints"])
assert p[0.2].max() > p[1.0].max() and (QUICK or abs(p[1.0].max() - 0.2) < 0.1)
assert QUICK or 1.5 < p[0.2][five[0]] / p[0.2][five[4]] < 4.5

# %% [markdown]
# ## Does it remember the title?
#
# The model gets titles and generates the directions. At each place where it names a
# main ingredient, agreement is due: the place agrees if the ingredient is one of the
# title's. The distance is the number of words since that ingredient was last named. If
# a recipe never names a main ingredient, its end counts as a place that does not agree.
# The package counts twelve kinds of long-range agreement in this way.
#
# How good is guessing? Give each recipe the title of another recipe. What agrees then,
# agrees by chance. For main, herb and side, the other recipe has the same method; for
# the method it may have any. So a model that knows the method and nothing else is as
# good as guessing in the other three.
#
# In the table, "-" means that fewer than 20 places were due, too few for a result.


# %%
# For one text: (distance, whether it agrees) for each place of a kind.
def due(words, kind):
    bar = words.index("|")
    named = set(words[:bar]) & set(NAMED[kind])
    last, found = max(at for at in range(bar) if words[at] in named), []
    for at in range(bar, len(words)):
        if words[at] in NAMED[kind]:
            found.append((at - last, words[at] in named))
            last = at if words[at] in named else last
    return found or [(len(words) - last, False)]


openings = [text.split("|")[0] + "|" for text in others]
generated = generate_ids(model, tokenizer, openings, 250, Sampling(0.7), np.random.default_rng(6))
texts = [tokenizer.complete(opening, ids) for opening, ids in zip(openings, generated)]
tally = kept_by_distance(texts)
agrees = [agree for text in texts for _, agree in due(split_words(text), "main")]
assert np.isclose(np.mean(agrees), tally.share_kept("main"))

exchanged = lambda texts: [title.split("|")[0] + "|" + text.split("|")[1] for title, text in zip(texts, texts[1:])]
alike = sorted(others, key=lambda text: text.split()[2])                         # by method
guess = {kind: kept_by_distance(exchanged(alike)).share_kept(kind) for kind in ("main", "herb", "side")}
guess["method"] = kept_by_distance(exchanged(others)).share_kept("method")
print("\n" + textwrap.fill(texts[0], 80))
print("\nagreement with the title, about so many words after the word was last named")
print("          " + "".join(f"{near:>8}" for near in NEAR) + "   guessing")
curves = {}
for kind in ("method", "main", "herb", "side"):
    often = [near for near in NEAR if tally.due[kind, near] >= 20]
    curves[kind] = {near: tally.share_kept(kind, near) for near in often}
    print(f"{kind:<10}" + "".join(f"{curves[kind][near]:8.0%}" if near in often else f"{'-':>8}" for near in NEAR)
          + f"{guess[kind]:11.0%}")  # fmt: skip
if not QUICK:
    assert curves["method"][100] > 0.9 and curves["main"][20] > max(0.5, 2 * curves["main"][100] - guess["main"])
    assert abs(curves["herb"][100] - guess["herb"]) < 0.15 and abs(curves["side"][100] - guess["side"]) < 0.15

if plt := pyplot():
    figure, axes = plt.subplots(figsize=(8, 3.8))
    for kind, colour, marker in zip(curves, COLOURS, "osD^"):
        axes.plot(*zip(*curves[kind].items()), marker=marker, color=colour, label=kind)
        axes.axhline(guess[kind], linestyle="--", linewidth=1, color=colour)
    axes.plot([], [], "--", linewidth=1, color=COLOURS[6], label="by guessing,\nin the same colour")
    axes.set_xscale("log")
    axes.set_xticks(NEAR, NEAR)
    axes.minorticks_off()
    axes.set(xlabel="words since it was last named (the nearest of these)", ylabel="agreement with the title", ylim=(0, 1.05))
    figure.legend(loc="outside right center")
    save(figure, "12_recipe_writer")

# %% [markdown]
# In the full run the method is remembered for a hundred words, at more than nine of ten
# places. The main ingredient is remembered for about twenty words, at more than half of
# the places. After a hundred words most of its lead over guessing is gone. Herb and
# side are then near guessing. The model knows that a herb is due, and which herbs go
# with the method. But it hardly knows which one the title named.
#
# Read its recipe once more, and follow the ingredients of the title. Each sentence is
# good by itself, but few sentences agree with one another.
#
# `minilstm train recipes` prints at its end what a longer training remembers, for all
# twelve kinds.
#
# ## Exercises
#
# `minilstm exercise 12` makes your copy, `lessons/my/12_recipe_writer.py`.
# Fill in its blanks, and run the same command again: it grades what you wrote.
#
# 1. From nats per word to bits per character.
# 2. The fraction of words that a vocabulary does not know.
# 3. Long-range agreement: which words agree with an earlier one, and over what
#    distance.
