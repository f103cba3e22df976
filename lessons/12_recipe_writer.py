# %% [markdown]
# # 12. A recipe writer
#
# After this lesson you know what changes when a model reads words where another reads characters,
# can compare the two fairly, know which words a small vocabulary loses, and can measure for how
# many words a model remembers what its title promised. It takes an hour, of which the computer
# trains for half a minute, and another hour with its exercises. You need: lesson 10, and what
# temperature is.
#
# The text is the built-in corpus `recipes`. Its model of words is built as in D. Foster, Generative
# Deep Learning (2nd edition, 2023), chapter 5: embedding, one LSTM layer, softmax over all words.

# %%
import numpy as np

import textwrap
from collections import Counter

from minilstm import Adam, LanguageModel, WordTokenizer
from minilstm.corpora.agreement import expand
from minilstm.corpora.pantry import PLURAL, WORDS
from minilstm.corpora.promises import KINDS, NAMED, NEAR, kept_by_distance
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
# To a model of words a text is a row of words in lower case, and each punctuation mark is a word. A
# recipe then has some 140 steps and not 640, and no word is ever misspelt. The price: 482 words to
# choose from and not 62 characters, and each of them has a row in the embedding and a column in the
# output layer. In Foster's model, with 10,000 ids, these hold 95 % of 2,407,248 parameters.

# %%
words = [split_words(text) for text in texts]
a_recipe = np.mean([len(row) for row in words]), np.mean([len(text) for text in texts])
kinds = len({word for row in words for word in row}), len(set("".join(texts)))
print("\n                 words   characters")
print(f"in a recipe{a_recipe[0]:11.1f}{a_recipe[1]:13.1f}\nkinds{kinds[0]:17}{kinds[1]:13}")
V, E, H = 10_000, 100, 128
whole = LanguageModel(V, embedding=E, hidden=H).parameters.flat.size
print(f"Foster's model: {whole:,} parameters, {(V * E + H * V + V) / whole:.0%} of them for the words alone")
assert (round(a_recipe[0] / 10), round(a_recipe[1] / 10), *kinds, whole) == (14, 64, 482, 62, 2_407_248)
assert round(100 * (V * E + H * V + V) / whole) == 95

# %% [markdown]
# ## What a word costs
#
# A loss in nats a word and one in nats a character cannot be compared: a word stands for several
# characters. But both must pay for the same text. So let both be divided by its characters:
#
#     (1)  bits a character = nats of all words / ln 2 / characters, spaces among them
#
# In these recipes a word stands for 4.5 characters, with the space that follows most of them. Blind
# guessing among words is already three times as good as among characters, for it never tries `qxz`.
# And the grammar of the recipes knows its floor, 0.164 nats a word.

# %%
per_word = a_recipe[1] / a_recipe[0]
print(f"\n{per_word:.2f} characters a word               nats a symbol   bits a character")
blind = {"words": np.log(kinds[0]) / np.log(2) / per_word, "characters": np.log(kinds[1]) / np.log(2)}
print(f"blind guessing among characters {np.log(kinds[1]):10.3f}{blind['characters']:17.3f}")
print(f"blind guessing among words      {np.log(kinds[0]):10.3f}{blind['words']:17.3f}")
print(f"floor of the grammar, in words  {corpus.floor:10.3f}{corpus.floor / np.log(2) / per_word:17.3f}")
assert round(per_word, 1) == 4.5 and round(corpus.floor, 3) == 0.164 and round(blind["characters"] / blind["words"]) == 3

# %% [markdown]
# ## Which words a vocabulary loses
#
# Ids go to the most frequent words: 0 is padding and the end, 1 is `[UNK]`, any word without an id
# of its own, and from 2 on they fall in frequency. Frequencies fall like 1 / rank (Zipf, 1949): on
# logarithmic scales that is a straight line with slope -1. Here the fitted slope is -1.06, and the
# points are nearly straight between ranks 3 and 300; before and behind them words are rarer than
# the line says. So a few words make up most of a text: with 100 ids 73 % of the words are known,
# with 300 all but 7 %, in other recipes than those that the vocabulary was made from. That sounds
# harmless. But the 7 % are not just any words. `the` and `.` stay; what goes is what only this
# recipe has: 38 % of the ingredients in the titles, and 79 % of all titles have a hole.

# %%
counts = Counter(word for row in words for word in row)
ranked = sorted(counts, key=lambda word: (counts[word], word), reverse=True)
print("\nrank      " + "".join(f"{rank:>9}" for rank in (1, 2, 4, 10, 40, 100, 400)))
print("word      " + "".join(f"{ranked[rank - 1]:>9}" for rank in (1, 2, 4, 10, 40, 100, 400)))
print("frequency " + "".join(f"{counts[ranked[rank - 1]]:>9}" for rank in (1, 2, 4, 10, 40, 100, 400)))
slope, height = np.polyfit(np.log(np.arange(len(ranked)) + 1), np.log([counts[word] for word in ranked]), 1)

ingredients = {word for kind in ("main", "herb", "side") for word in NAMED[kind]}
rows = [split_words(text) for text in others]
titles = [[word for word in row[: row.index("|")] if word in ingredients] for row in rows]
print(f"slope {slope:.2f}\n\n              share unknown of    titles with an\n   ids      words   ingredients     unknown one")
unknown = {}
for V in (484, 400, 300, 200, 100):
    id_of = {word: k for k, word in enumerate(ranked[: V - 2], start=2)}
    share = lambda group: np.mean([id_of.get(word, 1) == 1 for row in group for word in row])
    holes = np.mean([any(word not in id_of for word in title) for title in titles])
    unknown[V] = share(rows), share(titles), holes
    print(f"{V:6}{unknown[V][0]:11.1%}{unknown[V][1]:14.1%}{holes:16.1%}")

tokenizer = WordTokenizer.fit(texts, V)
assert tokenizer.encode(others[0]).tolist() == [id_of.get(word, 1) for word in rows[0]]
assert np.isclose(tokenizer.share_unknown(others), unknown[V][0])
assert [round(100 * value) for value in unknown[300]] == [7, 38, 79] and round(100 * unknown[100][0]) == 26
off = [counts[word] / np.exp(height) * rank**-slope for rank, word in enumerate(ranked, start=1)]
assert round(slope, 2) == -1.06 and 0.5 < min(off[2:300]) and max(off[2:300]) < 1.25 and off[0] < 0.5 > off[-1]

if plt := pyplot():
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.5, 3.4))
    left.loglog(np.arange(len(ranked)) + 1, [counts[word] for word in ranked], ".", color=COLOURS[0], label="recipes")
    left.loglog([1, 482], np.exp(height) * np.array([1, 482]) ** slope, "--", color=COLOURS[6], label=f"slope {slope:.2f}")
    left.set(xlabel="rank of the word", ylabel="how often in 1,000 recipes")
    for k, label in enumerate(("words", "ingredients in titles")):
        right.plot(list(unknown), [value[k] for value in unknown.values()], "os"[k] + "-", color=COLOURS[k], label=label)
    right.set(xlabel="ids in the vocabulary", ylabel="share that is unknown", ylim=(-0.03, 1.05))
    left.legend()
    right.legend()
    save(figure, "12_recipe_writer_unknown")

# %% [markdown]
# ## A model for half a minute
#
# `minilstm train recipes` trains on all eight methods of cooking, for minutes. To see something
# within half a minute, here are three of them, with all their words: roast meat, baked fish, and
# steamed greens.
#
# A recipe keeps its word: its title names a main ingredient, a herb and something on the side, and
# all of them return, some after a hundred words. For that a unit must keep something for long, and
# lesson 2 knows how: a forget gate of f = n / (n + 1) leaves 37 % of a memory after n steps, and
# the bias for that is ln n. Tallec and Ollivier (2018) begin with an n drawn for each unit, from 1
# up to the longest distance that may occur, and let the input gate write just as little: bias -ln
# n.

# %%
shapes = [shape for shape in SHAPES["recipe"] if shape[1].split()[2] in ("roast", "baked", "steamed")]
corpus = WordGrammar(expand({**SHAPES, **WORDS, "recipe": shapes}, "recipe", PLURAL), "recipe")
tokenizer = WordTokenizer.fit([" ".join(corpus.vocabulary)] + corpus.sample_many(300, np.random.default_rng(2)))
others = corpus.sample_many(40 if QUICK else 200, np.random.default_rng(3))
judge = SequenceBatches([tokenizer.encode(text) for text in others], 20, tokenizer.eos_id)

STEPS, B, H, RATE = 10 if QUICK else 1400, 6, 128, 0.012
model = LanguageModel(tokenizer.vocab_size, embedding=32, hidden=H, seed=0)
memory = np.random.default_rng(5).uniform(1, 300, H)                             # n of each unit
b = model.parameters["lstm0.b"]                                                  # (4H,) in blocks i, f, g, o
b[:H], b[H : 2 * H] = -np.log(memory), np.log(memory)
assert round((100 / 101) ** 100, 2) == 0.37 and np.isclose(1 / (1 + np.exp(-np.log(100))), 100 / 101)
assert (len(SHAPES["recipe"]), len(WORDS["joints"]), len(KINDS)) == (8, 5, 12)

before = evaluate(model, judge)
run = Training.begin(model, Adam(RATE, beta2=0.98), np.random.default_rng(0))
fit(run, CorpusBatches(corpus, tokenizer, STEPS * B, B), steps=STEPS, clip_norm=1.0, schedule=CosineDecay(RATE, STEPS))
after = evaluate(model, judge)
print(f"\n{tokenizer.vocab_size} ids; {STEPS} steps with {B} recipes each")
print(f"held out: {before:.3f} nats a word before, {after:.3f} after; floor {corpus.floor:.3f}")
per_word = sum(map(len, others)) / sum(map(len, judge.sequences))
print(f"that is {after / np.log(2) / per_word:.3f} bits a character, floor {corpus.floor / np.log(2) / per_word:.3f}")
if QUICK:
    print(f"quick: after {STEPS} steps this model knows little; what follows is a beginner's")
assert corpus.floor < after < before and (QUICK or after < 0.3)

# %% [markdown]
# ## The five likeliest words
#
# After `recipe for roast` the grammar goes on with one of five meats, 20 % each. Softmax of a / T
# gives the model's probabilities at temperature T. The trained model is about right at 1.0. Its
# small errors are differences of logits, and those are made five times as large at 0.2: now the
# likeliest meat comes two or three times as often as the unlikeliest of the five, though the
# recipes know no difference. Low temperatures do not show what a model knows; they show what it
# thinks a little likelier.

# %%
prompt = "recipe for roast"
logits, _ = read_prompts(model, tokenizer, [prompt])
a = logits[0].astype(float)                                                      # (V,)
a[tokenizer.unknown_id] = -np.inf                                                # never to be written
p = {T: np.exp((a - a.max()) / T) / np.exp((a - a.max()) / T).sum() for T in (1.0, 0.2)}
assert all(np.allclose(p[T], Sampling(T).distribution(logits, [tokenizer.unknown_id])[0]) for T in p)
five = np.argsort(-a)[:5]
print(f"\n{prompt} …        at 1.0   at 0.2")
for k in five:
    print(f"  {tokenizer.show(k):<20}{p[1.0][k]:9.1%}{p[0.2][k]:9.1%}")
assert QUICK or {tokenizer.show(k) for k in five} == set(WORDS["joints"])
assert p[0.2].max() > p[1.0].max() and (QUICK or abs(p[1.0].max() - 0.2) < 0.1)
assert QUICK or 1.5 < p[0.2][five[0]] / p[0.2][five[4]] < 4.5

# %% [markdown]
# ## Does it remember the title?
#
# The model gets titles, and writes the directions. Where it names a main ingredient, a promise of
# the title is due: it is kept if that is the title's own. The distance is the number of words since
# the ingredient stood there last. A recipe that never names one breaks its promise at its end.
# `minilstm/corpora/promises.py` counts so for twelve kinds of promises.
#
# How good is guessing? Give each recipe another's title: what fits then, fits by chance. For main,
# herb and side the other recipe has the same method; for the method it may have any. So a model
# that knows the method and has forgotten all else is as good as guessing in the other three. A "-"
# in the table stands where fewer than 20 places were due, which would say little.


# %%
# For one text: the distance of each promise of a kind, and whether it is kept.
def due(words, kind):
    bar = words.index("|")
    promised = set(words[:bar]) & set(NAMED[kind])
    last, found = max(at for at in range(bar) if words[at] in promised), []
    for at in range(bar, len(words)):
        if words[at] in NAMED[kind]:
            found.append((at - last, words[at] in promised))
            last = at if words[at] in promised else last
    return found or [(len(words) - last, False)]


openings = [text.split("|")[0] + "|" for text in others]
written = generate_ids(model, tokenizer, openings, 250, Sampling(0.7), np.random.default_rng(6))
texts = [tokenizer.complete(opening, ids) for opening, ids in zip(openings, written)]
tally = kept_by_distance(texts)
kept = [keeps for text in texts for _, keeps in due(split_words(text), "main")]
assert np.isclose(np.mean(kept), tally.share_kept("main"))

exchanged = lambda texts: [title.split("|")[0] + "|" + text.split("|")[1] for title, text in zip(texts, texts[1:])]
alike = sorted(others, key=lambda text: text.split()[2])                         # those of one method side by side
guess = {kind: kept_by_distance(exchanged(alike)).share_kept(kind) for kind in ("main", "herb", "side")}
guess["method"] = kept_by_distance(exchanged(others)).share_kept("method")
print("\n" + textwrap.fill(texts[0], 80))
print("\nshare of promises kept, about so many words after the last reminder")
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
    axes.plot([], [], "--", linewidth=1, color=COLOURS[6], label="by guessing,\neach in its colour")
    axes.set_xscale("log")
    axes.set_xticks(NEAR, NEAR)
    axes.minorticks_off()
    axes.set(xlabel="words since the last reminder (the nearest of these)", ylabel="share of promises kept", ylim=(0, 1.05))
    figure.legend(loc="outside right center")
    save(figure, "12_recipe_writer")

# %% [markdown]
# In full training the method is remembered for a hundred words, in more than nine of ten places.
# The main ingredient is, for about twenty words, in more than half of the places; after a hundred
# words most of its lead over guessing is gone. Herb and side are then not far from guessing: the
# model knows that a herb is due, and which herbs go with the method, but hardly which one the title
# named. Read its recipe once more, and follow what the title promised: each sentence is as good as
# any, and few of them know of each other.
#
# What a longer training remembers, `minilstm train recipes` prints at its end, for all twelve
# kinds.
#
# ## Exercises
#
# `minilstm exercise 12` makes your copy, `lessons/my/12_recipe_writer.py`.
# Fill in its blanks, and run the same command again: it grades what you wrote.
#
# 1. From nats a word to bits a character.
# 2. The share of words that a vocabulary does not know.
# 3. The promises that a text keeps, and for how many words.
