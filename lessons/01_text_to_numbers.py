# %% [markdown]
# # 1. From text to numbers
#
# After this lesson you can turn any text into the arrays that a network learns from, and back, and
# you know the places where people are off by one. It takes half an hour, and an hour with its
# exercises. You need: dictionaries in Python, arrays in NumPy.
#
# A language model reads a text from left to right and says at each step what comes next. It knows
# nothing of letters. A *tokenizer* cuts the text into *tokens*, here characters or words, and gives
# each kind of token a number, its *id*. The network takes row `id` of a table of `V` rows, one for
# each id, and answers with `V` numbers, how likely each id is to come next. So an id is a name and
# not a quantity: 7 is no more than 3. All that counts is that different things have different ids,
# and that the ids are 0, 1, …, V - 1 with nothing missing.
#
# Four texts of the built-in corpus, news that never happened:

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
# Count the characters, the most frequent first, and number them from 1. Two ids are set aside for
# what is no character: 0 is *padding*, which fills up short texts, and the last one is `<eos>`, end
# of sequence. This is the order that `minilstm/data/tokenizers.py` describes.

# %%
counts = Counter("".join(texts))
symbols = [symbol for symbol, _ in counts.most_common()]
id_of = {symbol: k + 1 for k, symbol in enumerate(symbols)}
symbol_of = {k: symbol for symbol, k in id_of.items()}
eos = len(symbols) + 1
V = len(symbols) + 2
encode = lambda text: [id_of[symbol] for symbol in text]
decode = lambda ids: "".join(symbol_of[k] for k in ids)
print("\n id   stands for   how often")
print("  0   <padding>")
for symbol in [*symbols[:3], None, *symbols[-2:]]:
    print(f"{id_of[symbol]:3}   {symbol!r:<9} {counts[symbol]:12,}" if symbol else "  …")
print(f"{eos:3}   <eos>\n\n'Moscow' is {encode('Moscow')}, and back again {decode(encode('Moscow'))!r}")
assert (eos, V) == (73, 74) and symbols[0] == " "

# %% [markdown]
# Both o's have the same id, and the letter's place in the alphabet plays no part. The package's
# tokenizer gives the same ids, and takes them back to the same texts, every one of them.

# %%
tokenizer = CharTokenizer.fit(texts)
assert tokenizer.tokens == tuple(symbols) and (tokenizer.eos_id, tokenizer.vocab_size) == (eos, V)
assert all(tokenizer.encode(text).tolist() == encode(text) for text in texts)
assert all(decode(encode(text)) == text == tokenizer.decode(encode(text)) for text in texts)
print(f"\n{tokenizer} gives the same ids in {len(texts):,} texts")

# %% [markdown]
# ## Why 0 stays free, and three ways to be off by one
#
# **Numbering from 0.** Then the most frequent character, the space, is the padding. Whoever skips
# the padding skips 14 % of all characters, and no error is raised.
#
# **A dictionary without 0.** The network has V outputs, and output 0 is one of them. If it is ever
# chosen, `symbol_of[0]` ends the program with `KeyError: 0`. That is rare, so that nobody sees it
# before the program is published; lesson 8 tells of one.
#
# **One number too few.** 72 characters and two more ids make V = 74. With 73 outputs, numbered from
# 0 to 72, all goes well until the first target `<eos>`, which is 73. A course had this mistake in
# its own code (udacity/deep-learning 57, 172), and so had an example of Keras (keras-team/keras
# 7865). An `IndexError` is not even certain: who subtracts 1 from every id sends the padding to row
# -1 of the table, and for NumPy that is the last row.

# %%
from_zero = {symbol: k for k, symbol in enumerate(symbols)}
padded = [from_zero[symbol] for symbol in texts[0]] + [0, 0, 0]
print("\nnumbered from 0, padding left out:", "".join(symbols[k] for k in padded if k != 0))
for what, look_up in {
    "symbol_of[0]": lambda: symbol_of[0],
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
# ## A character that nobody has seen
#
# No headline has an ö. There are three answers. To drop it silently is the worst: the model then
# continues a prompt that nobody typed. To refuse is what our tokenizer does unless asked otherwise.
# To have an id for all that is *unknown* keeps the place, but not the character; and since all
# characters of the training texts are known, this id never comes up in training. Its row of the
# table stays as it was drawn at the start: the model reads a symbol that it was never taught.

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
# A word tokenizer cuts at spaces, after it has set punctuation apart, since `oven` and `oven.`
# would else be two words that know nothing of each other. It writes everything in lower case for
# the same reason. The numbering is another one, that of Foster, Generative Deep Learning (2nd
# edition, 2023): 0 is padding and also the end, 1 is the unknown word `[UNK]`, and then come the
# words by falling frequency (`minilstm/data/words.py`).


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
# In words the text is more than four times shorter: what belongs together is fewer steps apart, and
# no word is ever misspelt. The price: a table of 484 rows where characters need 64, and a word that
# is not in it can never be said. The capitals are gone for good; decoding gives back the words, not
# the text.
#
# ## What unknown words cost
#
# Real texts have far too many words for a table, so one keeps the most frequent. Here with 100
# other recipes: which share of their words is unknown, and what the title of one looks like then.
# `surprise` is how surprised a reader is by the next word who knows only how frequent each is: the
# logarithm of one over its probability, on average (lesson 8). It falls with the vocabulary, for
# `[UNK]` is soon the most frequent word and easy to guess. **A loss is comparable only between
# models with the same tokenizer**; with three ids it is small, and the model can say one word.

# %%
print("\n  ids   unknown   surprise   a title")
shares, surprise = {}, {}
for limit in (3, 50, 100, 200, 350, 484):
    small = WordTokenizer.fit(cookbook, limit)
    shares[limit] = small.share_unknown(others)
    _, times = np.unique(np.concatenate([small.encode(text) for text in cookbook]), return_counts=True)
    surprise[limit] = -np.sum(times / times.sum() * np.log(times / times.sum()))
    print(f"{limit:5} {shares[limit]:9.1%} {surprise[limit]:10.2f}   {small.decode(small.encode(others[4])[:8])}")
assert shares[484] == 0 and 0.25 < shares[100] < 0.28 and surprise[3] < 0.5 < 4.5 < surprise[484]

# %% [markdown]
# ## Shift by one
#
# The network reads a token and says what comes next. So the right answers, the *targets*, are the
# inputs shifted by one, and after the last token comes `<eos>`:
#
#     step       0  1  2  3
#     inputs     O  s  l  o
#     targets    s  l  o  <eos>
#
# A shift is a line of code, and each of the four below runs without an error. A test tells them
# apart: how often is the target the very token that has just been read? That is answered by
# copying, and a model that copies gets a loss near 0 and writes "OOOOOO". How often is it the token
# before? Is the end ever taught? A model that has never seen `<eos>` does not know when to stop.

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
# In the first line both shares are small, what double letters and a word like "Canada" make of it,
# and every text ends. That holds for no other line. The last is `np.roll`: behind each headline
# stands its own first letter.
#
# ## A batch
#
# Several texts go through the network side by side, and an array has only one length: the shorter
# ones are filled up with 0, on the **right**. The network reads from the left, so what stands after
# a text cannot disturb it. Padding on the left is read *before* the text and does, unless it is
# masked. Time comes first, the arrays are `(T, B)`: step t reads row t. Whoever has `(B, T)` and
# writes `batch[1:]` shifts the texts and not the time. `lengths` says how much of each text is
# real.

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

LETTERS = symbol_of | {0: "·", eos: "¶"}
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
    both[1].set_xlabel("step")
    save(figure, "01_text_to_numbers")

# %% [markdown]
# ## Lengths, and why not look for zeros
#
# "Real is what is not 0" works for these characters. In the word tokenizer 0 is also the end, and
# the end is real: it is the one target from which a model learns to stop. Who masks the targets by
# `targets != 0` loses one token of each text, the most important one. `lengths` never has to guess.

# %%
first = next(SequenceBatches([word_tokenizer.encode(text) for text in cookbook], 4, word_tokenizer.eos_id).epoch())
print(f"\n4 recipes: {first.tokens} real tokens by lengths, {np.count_nonzero(first.targets)} by targets != 0")
assert first.tokens - np.count_nonzero(first.targets) == 4

# %% [markdown]
# ## How much of a batch is padding
#
# The longest text decides how long a batch is, so the more texts, the more padding: a quarter of
# all positions with 8 headlines, more than a third with 32. It costs twice: in time, unless rows
# that have ended are left out, and in the mean of the loss, if it is counted there (lesson 8).
# Texts of one length side by side would have none, but then short and long texts would never meet
# in a batch. A compromise: shuffle, sort within a *pool* of 8 batches, cut, and shuffle the
# batches.

# %%
all_lengths = np.array([len(text) for text in texts])
order = np.random.default_rng(1).permutation(len(texts))


def share_of_padding(B, pool):
    pools = all_lengths[order].reshape(-1, B * pool)
    cut = np.sort(pools, axis=1).reshape(-1, B)
    return 1 - cut.sum() / (B * cut.max(axis=1).sum())


sizes = (1, 2, 4, 8, 16, 32, 64, 128)
print("\nin a batch     shuffled   sorted in pools of 8 batches")
for B in sizes:
    print(f"{B:10} {share_of_padding(B, 1):12.1%} {share_of_padding(B, 8):14.1%}")
epoch = [*SequenceBatches([tokenizer.encode(text) for text in texts], 8, eos, pool=8).epoch(np.random.default_rng(1))]
assert np.isclose(1 - sum(b.tokens for b in epoch) / sum(b.inputs.size for b in epoch), share_of_padding(8, 8))
assert 0.25 < share_of_padding(8, 1) < 0.28 and 0.34 < share_of_padding(32, 1) < 0.37 and share_of_padding(32, 8) < 0.09

if plt := pyplot():
    figure, axes = plt.subplots()
    for pool, label, colour in ((1, "shuffled", COLOURS[1]), (8, "sorted in pools of 8 batches", COLOURS[0])):
        axes.plot(sizes, [100 * share_of_padding(B, pool) for B in sizes], "o-", color=colour, markersize=4, label=label)
    axes.set_xscale("log", base=2)
    axes.set(xlabel="texts in a batch", ylabel="share of padding (%)", xticks=sizes, xticklabels=sizes, ylim=(-1, 46))
    axes.set_title("How much of a batch of headlines is padding")
    axes.legend()
    save(figure, "01_text_to_numbers_padding")

# %% [markdown]
# ## Exercises
#
# `minilstm exercise 1` makes your copy, `lessons/my/01_text_to_numbers.py`.
# Fill in its blanks, and run the same command again: it grades what you wrote.
#
# 1. Give ids to the characters of some texts.
# 2. Pad texts to a batch: inputs, targets, lengths.
# 3. Write the test that tells a right batch from eleven wrong ones.
