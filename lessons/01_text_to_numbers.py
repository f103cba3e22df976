# %% [markdown]
# # 1. From text to numbers
#
# In this lesson you learn to turn any text into the arrays that a network is trained
# on, and back. You also learn the places where programs are off by one. Reading takes
# half an hour; with the exercises, an hour. You need: dictionaries in Python, arrays in
# NumPy.
#
# A language model reads a text from left to right. At each position it predicts what
# comes next. It does not know letters, only numbers:
#
# - A *tokenizer* splits the text into *tokens*, here characters or words.
# - Each different token has a number, its *id*.
# - The network has a table with `V` rows, one for each id, and reads row `id`.
# - Its answer is `V` numbers: how likely each id is to come next.
#
# So an id is a name and not a quantity: 7 is not more than 3. Two rules are enough.
# Different tokens have different ids, and the ids are 0, 1, …, V - 1 without a gap.
#
# Here are four texts of the built-in corpus. The news in them never happened.

# %%
import numpy as np

import string
from collections import Counter

from minilstm.corpora.headlines import headlines
from minilstm.corpora.recipes import recipes
from minilstm.course import COLOURS, pyplot, save
from minilstm.data.batches import SequenceBatches
from minilstm.data.tokenizers import CharTokenizer
from minilstm.data.words import WordTokenizer
from minilstm.errors import UnknownTokenError

texts = headlines().sample_many(1024, np.random.default_rng(0))
print(*[text for text in texts if len(text) < 80][:4], sep="\n")

# %% [markdown]
# ## Characters
#
# Count the characters, sort them by frequency, and number them from 1. Two more ids are
# not characters. Id 0 is *padding*, which fills up short texts. The last id is `<eos>`,
# end of sequence. The package's tokenizer uses the same order
# (`minilstm/data/tokenizers.py`).
#
# All lessons contain lines with `assert`. Such a line checks what the text says, and
# stops the program if it is not true. You may skip these lines when you read.

# %%
counts = Counter("".join(texts))
chars = [char for char, _ in counts.most_common()]
id_of = {char: k + 1 for k, char in enumerate(chars)}
char_of = {k: char for char, k in id_of.items()}
eos = len(chars) + 1
V = len(chars) + 2
encode = lambda text: [id_of[char] for char in text]
decode = lambda ids: "".join(char_of[k] for k in ids)
print("\n id   stands for   how often")
print("  0   <padding>")
for char in [*chars[:3], None, *chars[-2:]]:
    print(f"{id_of[char]:3}   {char!r:<9} {counts[char]:12,}" if char else "  …")
print(f"{eos:3}   <eos>\n\n'Moscow' is {encode('Moscow')}, and back again {decode(encode('Moscow'))!r}")
assert (eos, V) == (73, 74) and chars[0] == " "

# %% [markdown]
# Both o's have the same id. The order of the alphabet plays no role. The package's
# tokenizer gives the same ids, and turns them back into the same texts.

# %%
tokenizer = CharTokenizer.fit(texts)
assert tokenizer.tokens == tuple(chars) and (tokenizer.eos_id, tokenizer.vocab_size) == (eos, V)
assert all(tokenizer.encode(text).tolist() == encode(text) for text in texts)
assert all(decode(encode(text)) == text == tokenizer.decode(encode(text)) for text in texts)
print(f"\n{tokenizer} gives the same ids in {len(texts):,} texts")

# %% [markdown]
# ## Three ways to be off by one
#
# **Numbering from 0.** The most frequent character, the space, then has the id of
# padding. A program that skips padding also skips 14 % of all characters. There is no
# error.
#
# **A dictionary without 0.** The network has V outputs, and output 0 is one of them. If
# id 0 is ever generated, `char_of[0]` ends the program with `KeyError: 0`. This is so
# rare that tests often miss it. Lesson 8 has an example.
#
# **One id too few.** 72 characters and two more ids make V = 74. With 73 outputs, 0 to
# 72, the program runs until the first target `<eos>`, which is 73. A published course
# had this mistake (udacity/deep-learning, issues 57 and 172 on GitHub), and so had an
# example of Keras (keras-team/keras, issue 7865). An `IndexError` is not even certain.
# If a program subtracts 1 from every id, padding becomes row -1 of the table. For NumPy
# that is the last row.

# %%
from_zero = {char: k for k, char in enumerate(chars)}
padded = [from_zero[char] for char in texts[0]] + [0, 0, 0]
print("\nnumbered from 0, without padding:", "".join(chars[k] for k in padded if k != 0))
for what, look_up in {
    "char_of[0]": lambda: char_of[0],
    "<eos> among 73": lambda: np.zeros(73)[eos],
    "row 0 - 1 of 74": lambda: np.zeros((74, 5))[0 - 1],
}.items():
    try:
        look_up()
        print(f"{what:<17} no error")
    except (KeyError, IndexError) as error:
        print(f"{what:<17} {type(error).__name__}: {error}")
assert round(counts[" "] / counts.total(), 2) == 0.14

# %% [markdown]
# ## A character that is not in the training texts
#
# No headline has an ö. A program can do three things with a prompt that has one:
#
# - **Drop it.** This is the worst way: the model then continues another prompt than the
#   one that was typed.
# - **Refuse it.** Our tokenizer does this by default.
# - **Use an id for all unknown characters.** The position is kept, the character is
#   lost. All characters of the training texts are known, so this id never occurs in
#   training. Its row of the table stays random.

# %%
try:
    tokenizer.encode("Köln")
except UnknownTokenError as error:
    print("\nrefused:", str(error).split(" (")[0])
tolerant = CharTokenizer.fit(texts, unknown=True)
ids = tolerant.encode("Köln")
print(f"with unknown=True: {ids}, and back {tolerant.decode(ids)!r}")
seen = np.bincount(np.concatenate([tolerant.encode(text) for text in texts]), minlength=tolerant.vocab_size)
assert seen[tolerant.unknown_id] == 0 and ids.tolist().count(tolerant.unknown_id) == 1
print(f"id {tolerant.unknown_id} occurs {seen[tolerant.unknown_id]} times in all {len(texts):,} texts")

# %% [markdown]
# ## Words
#
# A word tokenizer first puts spaces around punctuation, and then splits at spaces.
# Otherwise `oven` and `oven.` would be two different words. For the same reason it
# writes everything in lower case.
#
# Its ids have another order, that of Foster, Generative Deep Learning (2nd edition,
# 2023). Id 0 is padding and also the end. Id 1 is the unknown word, `[UNK]`. Then come
# the words, the most frequent first (`minilstm/data/words.py`).


# %%
def split(text):
    for mark in string.punctuation:
        text = text.replace(mark, f" {mark} ")
    return text.lower().split()


sampled = recipes().sample_many(300, np.random.default_rng(0))
cookbook, others = sampled[:200], sampled[200:]
word_counts = Counter(word for text in cookbook for word in split(text))
words = sorted(word_counts, key=lambda word: (word_counts[word], word), reverse=True)
id_of_word = {word: k + 2 for k, word in enumerate(words)}
word_ids = [id_of_word.get(word, 1) for word in split(cookbook[0])]

word_tokenizer = WordTokenizer.fit(cookbook)
assert word_tokenizer.tokens == tuple(words) and word_tokenizer.encode(cookbook[0]).tolist() == word_ids
sentence = cookbook[0].split("|")[0]
print(f"\n{sentence}\n{split(sentence)}\n{word_tokenizer.encode(sentence)}\n{word_tokenizer.decode(word_ids)[:60]} …")
print("\n             tokens in this recipe   ids in all")
for name, tokens in {"characters": CharTokenizer.fit(cookbook), "words": word_tokenizer}.items():
    print(f"{name:<12} {len(tokens.encode(cookbook[0])):21} {tokens.vocab_size:12}")
assert (tokens.vocab_size, CharTokenizer.fit(cookbook).vocab_size) == (484, 64) and len(cookbook[0]) > 4 * len(word_ids)

# %% [markdown]
# In words the text is more than four times shorter. What belongs together is fewer
# steps apart, and no word is misspelt. This has a price: the table has 484 rows instead
# of 64, and the model can never write a word that is not in it. Capital letters are
# lost for good: decoding gives the words back, not the text.
#
# ## The price of unknown words
#
# Real texts have too many words for a table, so only the most frequent are kept. The
# next table shows what that means for 100 other recipes: the fraction of unknown words,
# and one title as the model would read it.
#
# The column `nats` measures how hard the next word is to predict from the frequencies
# alone. A token of probability p costs -ln p; the unit is the *nat*. For example, p =
# 1/2 costs 0.69 nats. The column is the mean cost of a word, and lesson 8 says more
# about it.
#
# With a smaller vocabulary the cost falls, because `[UNK]` becomes the most frequent
# word and is easy to guess. With three ids the cost is smallest, and the model can
# write only one word. **Compare losses only between models with the same tokenizer.**

# %%
print("\n  ids   unknown       nats   a title")
unknown, cost = {}, {}
for limit in (3, 50, 100, 200, 350, 484):
    small = WordTokenizer.fit(cookbook, limit)
    unknown[limit] = small.share_unknown(others)
    _, times = np.unique(np.concatenate([small.encode(text) for text in cookbook]), return_counts=True)
    cost[limit] = -np.sum(times / times.sum() * np.log(times / times.sum()))
    print(f"{limit:5} {unknown[limit]:9.1%} {cost[limit]:10.2f}   {small.decode(small.encode(others[4])[:8])}")
assert unknown[484] == 0 and 0.25 < unknown[100] < 0.28 and cost[3] < 0.5 < 4.5 < cost[484]

# %% [markdown]
# ## Targets: shift by one
#
# At each position the network reads a token and predicts the next one. So the right
# answers, the *targets*, are the inputs shifted by one. After the last token comes
# `<eos>`:
#
#     step       0  1  2  3
#     inputs     O  s  l  o
#     targets    s  l  o  <eos>
#
# A shift is one line of code. Each of the four lines below runs without an error, and
# only the first is right. Three questions tell them apart:
#
# - How often is the target the token that has just been read? If always, the model
#   learns to copy. Its loss is near 0, and it writes "OOOOOO".
# - How often is the target the token *before* that one? If always, the shift goes the
#   wrong way.
# - Is the last target of each text `<eos>`? If not, the model never learns to stop.

# %%
versions = {
    "ids[1:] + [eos]": lambda ids: ids[1:] + [eos],
    "ids": lambda ids: ids,
    "[eos] + ids[:-1]": lambda ids: [eos] + ids[:-1],
    "ids[1:] + ids[:1]": lambda ids: ids[1:] + ids[:1],
}
table = {}
print("\ntargets              same as input   same as the input before   texts that end")
for name, shift in versions.items():
    pairs = [(encode(text), shift(encode(text))) for text in texts]
    copied = np.mean([a == b for ids, targets in pairs for a, b in zip(ids, targets)])
    late = np.mean([a == b for ids, targets in pairs for a, b in zip(ids, targets[1:])])
    ends = np.mean([targets[-1] == eos for _, targets in pairs])
    print(f"{name:<20} {copied:13.1%} {late:26.1%} {ends:16.0%}")
    table[name] = [copied < 0.03, late < 0.03, ends == 1]
assert list(table.values()) == [[True, True, True], [False, True, False], [True, False, False], [True, True, False]]

# %% [markdown]
# In the first row both percentages are small: they come from double letters and from
# words like "Canada". And every text ends. No other row has all three. The last row is
# what `np.roll` does: after each headline comes its own first letter.
#
# ## A mini-batch
#
# The network reads several texts at once, a *mini-batch*. All columns of an array have
# the same length, so shorter texts are filled up with 0, on the **right**. The network
# reads from the left, so padding after a text cannot change how that text is read.
# Padding on the left is read *before* the text and does change it.
#
# Time is the first axis: the arrays are `(T, B)`, and step t reads row t. With
# `(B, T)`, `batch[1:]` would drop a text instead of a time step. `lengths` says how
# many tokens of each text are real.

# %%
few = sorted([texts[k] for k in (242, 77, 20, 58, 8, 36)], key=len, reverse=True)  # six short ones, the longest first
lengths = np.array([len(text) for text in few])
inputs = np.zeros((lengths[0], len(few)), int)  # (T, B)
targets = np.zeros((lengths[0], len(few)), int)  # (T, B)
for b, text in enumerate(few):
    inputs[: lengths[b], b] = encode(text)
    targets[: lengths[b], b] = encode(text)[1:] + [eos]

batch = SequenceBatches([tokenizer.encode(text) for text in texts], 8, eos).pad([tokenizer.encode(text) for text in few])
assert all(np.array_equal(a, b) for a, b in zip(batch, (inputs, targets, lengths)))

LETTERS = char_of | {0: "·", eos: "¶"}
for name, array in {"inputs": inputs, "targets": targets}.items():
    print(f"\n{name}  (· is padding, ¶ is <eos>)")
    print("\n".join(f"  {''.join(LETTERS[k] for k in column)}   {n}" for column, n in zip(array.T.tolist(), lengths)))
print(f"\n{inputs.size} positions, {lengths.sum()} real tokens; SequenceBatches.pad gives the same three arrays")
assert (inputs.size, lengths.sum()) == (216, 169)

if plt := pyplot():
    figure, both = plt.subplots(2, 1, figsize=(7.6, 4.0), sharex=True)
    for axes, name, array in zip(both, ("inputs", "targets"), (inputs, targets)):
        kind = (array != 0).astype(int) + (array == eos)
        axes.imshow(kind.T, plt.matplotlib.colors.ListedColormap(["#e4e4e4", "#cfe4f3", COLOURS[4]]), aspect="auto", vmax=2)
        for t, b in zip(*np.nonzero(array)):
            axes.text(t, b + 0.2, LETTERS[array[t, b]], ha="center", fontsize=8, in_layout=False)
        axes.set(ylabel="text in the batch", yticks=range(6))
        axes.set_title(f"{name}: " + ("grey is padding" if name == "inputs" else "one step ahead; ¶ on orange is <eos>"))
        axes.grid(False)
    both[1].set_xlabel("time step")
    save(figure, "01_text_to_numbers")

# %% [markdown]
# ## Why lengths, and not a search for zeros
#
# "What is not 0 is real" is true for these characters. But in the word tokenizer 0 is
# also the end, and the end is a real target: the one that teaches the model to stop. A
# program that masks by `targets != 0` loses one token of each text, the most important
# one. `lengths` never has to guess.

# %%
first = next(SequenceBatches([word_tokenizer.encode(text) for text in cookbook], 4, word_tokenizer.eos_id).epoch())
print(f"\n4 recipes: {first.tokens} real tokens by lengths, {np.count_nonzero(first.targets)} by targets != 0")
assert first.tokens - np.count_nonzero(first.targets) == 4

# %% [markdown]
# ## How much of a mini-batch is padding
#
# A mini-batch is as long as its longest text. So more texts mean more padding: a
# quarter of all positions with 8 headlines, more than a third with 32. Padding costs
# time, unless the rows that have ended are skipped. It also makes the mean loss wrong
# if it is counted there (lesson 8).
#
# *Bucketing by length* puts texts of similar length into one mini-batch. If all texts
# were sorted, short and long ones would never meet. The usual compromise: shuffle all
# texts, sort those of 8 mini-batches by length, cut them into mini-batches, and shuffle
# the mini-batches.

# %%
all_lengths = np.array([len(text) for text in texts])
order = np.random.default_rng(1).permutation(len(texts))


def padding(B, pool):  # the fraction of padding, if B * pool texts at a time are sorted
    pools = all_lengths[order].reshape(-1, B * pool)
    cut = np.sort(pools, axis=1).reshape(-1, B)
    return 1 - cut.sum() / (B * cut.max(axis=1).sum())


sizes = (1, 2, 4, 8, 16, 32, 64, 128)
print("\ntexts in a\nmini-batch     shuffled   bucketed by length")
for B in sizes:
    print(f"{B:10} {padding(B, 1):12.1%} {padding(B, 8):14.1%}")
epoch = [*SequenceBatches([tokenizer.encode(text) for text in texts], 8, eos, pool=8).epoch(np.random.default_rng(1))]
assert np.isclose(1 - sum(b.tokens for b in epoch) / sum(b.inputs.size for b in epoch), padding(8, 8))
assert 0.25 < padding(8, 1) < 0.28 and 0.34 < padding(32, 1) < 0.37 and padding(32, 8) < 0.09

if plt := pyplot():
    figure, axes = plt.subplots()
    for pool, label, colour in ((1, "shuffled", COLOURS[1]), (8, "bucketed by length", COLOURS[0])):
        axes.plot(sizes, [100 * padding(B, pool) for B in sizes], "o-", color=colour, markersize=4, label=label)
    axes.set_xscale("log", base=2)
    axes.set(xlabel="texts in a mini-batch", ylabel="padding (%)", xticks=sizes, xticklabels=sizes, ylim=(-1, 46))
    axes.set_title("How much of a mini-batch of headlines is padding")
    axes.legend()
    save(figure, "01_text_to_numbers_padding")

# %% [markdown]
# ## Exercises
#
# `minilstm exercise 1` makes your copy, `lessons/my/01_text_to_numbers.py`.
# Fill in its blanks, and run the same command again: it grades what you wrote.
#
# 1. Give ids to the characters of some texts.
# 2. Make a mini-batch: inputs, targets and lengths, with padding.
# 3. Write a test that tells a right mini-batch from eleven wrong ones.
