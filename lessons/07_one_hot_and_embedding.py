# %% [markdown]
# # 7. One-hot and embedding
#
# After this lesson you know two usual ways to turn a word into numbers for a network,
# and why they are the same layer. You can compute the gradient of this layer, and know
# its most common bug. You have seen what trained vectors of words look like. It takes
# half an hour, and an hour and a quarter with its exercises. You need matrices in
# NumPy. Lesson 2 helps; lessons 3 to 6 are not needed.
#
# For a network a text is a list of ids, integers from 0 to V - 1. There is one id for
# each token, and here a token is a word or a character. An id is a name, not a
# quantity: word 7 is not more than word 3. So it makes no sense to compute with the ids
# themselves. Instead, each id gets a vector.
#
#     (1)  x[n] = W[ids[n]]            forward: row ids[n] of a table W (V, E)
#     (2)  dW[ids[n]] += dx[n]         backward: every use of a row adds to its gradient
#
# (1) and (2) are numbered as in `minilstm/layers/embedding.py`. Bengio, Ducharme,
# Vincent and Jauvin (2003) trained such a table together with a language model; there
# it is called C.

# %%
import numpy as np

from minilstm import Adam, LanguageModel, WordTokenizer
from minilstm.corpora.recipes import recipes
from minilstm.course import COLOURS, pyplot, quick, save
from minilstm.data.batches import SequenceBatches
from minilstm.layers import LSTM, Embedding
from minilstm.layers.one_hot import one_hot_matmul, one_hot_matmul_backward
from minilstm.training.loop import Training, train_steps
from minilstm.verify import check_gradients

QUICK = quick()

# %% [markdown]
# ## One-hot: an id as a vector
#
# The simplest vector of id k has V entries: a 1 at place k, and 0 everywhere else. It
# is called *one-hot*. All such vectors have the same distance from each other. Multiply
# one by a matrix: each row is multiplied by 0 or by 1, so just one row is left. **The
# product of a one-hot vector and a matrix is a row of the matrix.** So no
# multiplication is needed to know it.

# %%
ids = np.array([2, 0, 2, 1])                                  # (N,), from a vocabulary of V = 5
W = np.arange(15).reshape(5, 3) / 10                          # (V, E)
one_hot = np.zeros((4, 5))
one_hot[np.arange(4), ids] = 1                                # (N, V)
print("id   one-hot        one-hot @ W       W[id]")
for n, k in enumerate(ids):
    print(f"{k:2}   {one_hot[n].astype(int)}   {one_hot[n] @ W}   {W[k]}")
assert np.array_equal(one_hot @ W, W[ids])                    # (1)

# %% [markdown]
# ## What it costs
#
# Here are two published models, each with a mini-batch of 32 texts of 200 ids. So N =
# 6,400.
#
# - The first reads characters, V = 84. They are one-hot vectors, multiplied directly by
#   the LSTM's Wx (84, 512).
# - The second reads words, V = 10,000, as vectors of 100 numbers.
#
# In float32 the one-hot array of the words takes 256 million bytes to store 6,400 ones.
# The product takes 6,400 million multiplications, all but 640,000 of them by 0. Reading
# the rows from the table takes none: it copies those 640,000 numbers.

# %%
N = 6400
print("\n                one-hot array    multiplications    numbers copied by W[ids]")
for name, V, K in (("84 characters", 84, 512), ("10,000 words", 10_000, 100)):
    print(f"{name:<15} {4 * N * V / 1e6:10.1f} MB {N * V * K / 1e6:10,.0f} million {N * K / 1e6:19.2f} million")
assert 4 * N * 10_000 == 256e6 and N * 10_000 * 100 == 6400e6 and N * 100 == 640_000

# %% [markdown]
# ## Backward: a row's gradient is a sum
#
# Differentiate the product as for any matrix: x = onehot W, so dW = onehotᵀ dx. Row k
# of dW is the sum of dx[n] over all n at which the id was k. Again no multiplication is
# needed: each dx[n] is *added* to its row. This is called a scatter-add. Id 2 occurs
# twice, at n = 0 and at n = 2, so its row gets both. Ids 3 and 4 do not occur, so their
# rows are zero.
#
# Most people first write `dW[ids] += dx`, and that is wrong. NumPy reads it as `dW[ids]
# = dW[ids] + dx`. It copies the four rows as they were, adds dx, and writes them back
# one after the other. Row 2 is written twice, and the first result is lost. `np.add.at`
# adds them one after the other.

# %%
dx = np.array([[1.0, 1, 1], [10, 10, 10], [100, 100, 100], [1000, 1000, 1000]])  # (N, E)
right, wrong = np.zeros((5, 3)), np.zeros((5, 3))
np.add.at(right, ids, dx)                                     # (2)
wrong[ids] += dx
print("\n  id   onehot.T @ dx   np.add.at   dW[ids] += dx      (first column of each)")
for k in range(5):
    print(f"{k:4} {(one_hot.T @ dx)[k, 0]:15.0f} {right[k, 0]:11.0f} {wrong[k, 0]:15.0f}")
assert np.array_equal(one_hot.T @ dx, right) and right[2, 0] == 101 and wrong[2, 0] == 100

# %% [markdown]
# This bug is easy to miss. There is no exception, all shapes are right, training runs,
# and the loss even falls. A test with ids that are all different does not find it, as
# this gradient check shows. And in text ids repeat all the time: for a mini-batch of 16
# recipes, the bug loses more than four fifths of the gradients.

# %%
print()
for tested in (np.array([2, 0, 4, 1]), ids):
    wrong = np.zeros((5, 3))
    wrong[tested] += 3 * W[tested] ** 2                       # dx of the loss in the next line
    check = check_gradients(lambda p: np.sum(p["W"][tested] ** 3), {"W": W}, {"W": wrong})
    found = [f"dW{row.place} is {row.yours:.3g}, the derivative is {row.derivative:.3g}" for row in check.wrong]
    print(f"dW[ids] += dx with the ids {tested}: {'passes the check' if check else found[0]}")
    assert check.passed == (len(set(tested)) == 4)

texts = recipes().sample_many(300 if QUICK else 1500, np.random.default_rng(0))
tokenizer = WordTokenizer.fit(texts)
batches = SequenceBatches([tokenizer.encode(text) for text in texts], 16, tokenizer.eos_id, tokenizer.padding_id)
batch = next(batches.epoch())
used = np.concatenate([batch.inputs[:n, b] for b, n in enumerate(batch.lengths)])
lost = 1 - len(set(used)) / len(used)
print(f"\n16 recipes: {len(used)} words, {len(set(used))} different ones;\ndW[ids] += dx loses {lost:.0%} of the gradients")
assert lost > 0.8

# %% [markdown]
# ## In the package
#
# `layers/one_hot.py` has both directions, `layers/embedding.py` is the layer around
# them, and `kernels/embedding.py` has the loops. An LSTM also takes ids directly. It
# treats them as one-hot input, without ever building the one-hot array.

# %%
layer = Embedding(5, 3)
x, cache = layer.forward({"W": W}, ids)
assert np.array_equal(x, one_hot @ W) and np.array_equal(one_hot_matmul(ids, W, np.empty((4, 3))), x)
assert np.array_equal(layer.backward({"W": W}, dx, cache)["W"], right)
assert np.array_equal(one_hot_matmul_backward(ids, dx, np.empty((5, 3))), right)

rng, lstm = np.random.default_rng(0), LSTM(5, 2)
params, steps = lstm.init(rng, np.float64), ids[:, None]      # (T, B): one text of four time steps
h, _, cache = lstm.forward(params, steps)
h_wide, _, cache_wide = lstm.forward(params, np.eye(5)[steps])
_, _, grads = lstm.backward(params, np.ones_like(h), cache)
_, _, grads_wide = lstm.backward(params, np.ones_like(h), cache_wide)
assert np.allclose(h, h_wide) and np.allclose(grads["Wx"], grads_wide["Wx"]) and grads["Wx"].any()
print("\nEmbedding and LSTM: ids and one-hot vectors agree, forward and backward")

# %% [markdown]
# Why then are there two names? After an embedding comes another matrix, Wx of the LSTM:
#
#     x Wx = (onehot W) Wx = onehot (W Wx)
#
# Together they equal one-hot input with the matrix W Wx (V, 4H), but that matrix is a
# product of two smaller ones. For 10,000 words this saves nearly four fifths of the
# parameters. The words share Wx, which reads the same 100 numbers of each of them. For
# 84 characters it costs more than it saves.

# %%
embedded = {**params, "Wx": rng.normal(size=(3, 8))}
through = LSTM(3, 2).forward(embedded, x[:, None])[0]
assert np.allclose(through, lstm.forward({**embedded, "Wx": W @ embedded["Wx"]}, steps)[0])
print("\nparameters before the gates   one-hot (V, 512)   (V, 100) and (100, 512)")
for V in (84, 10_000):
    print(f"V = {V:<23,} {V * 512:18,} {V * 100 + 100 * 512:25,}")
assert 0.79 < 1 - (10_000 * 100 + 100 * 512) / (10_000 * 512) < 0.8 and 84 * 512 < 84 * 100 + 100 * 512

# %% [markdown]
# ## What trained vectors look like
#
# A small model learns from the built-in corpus `recipes` to predict the next word. It
# has 32 numbers for each word and an LSTM with 64 units. Nothing says to the model what
# a vegetable is. Before training the vectors are random. (Lesson 8 explains the loss in
# nats, and lesson 9 explains Adam. Here it is enough that the loss falls.)
#
# How similar are two vectors? One measure is the *cosine* of the angle between them, u
# · v / (|u| |v|). It is 1 in the same direction and 0 at a right angle, whatever the
# lengths. The product u · v alone is not enough: a long vector has large products with
# many others.
#
# To have something to count, here are six kinds of words. The question for each word
# is: among all these words, is its nearest neighbour of the same kind? The model never
# sees this list.

# %%
KINDS = {kind: words.split() for kind, words in {
    "vegetables": "pumpkin carrots parsnips beetroot cauliflower potatoes broccoli asparagus sprouts leeks peppers"
                  " aubergines courgettes mushrooms",
    "meat and fish": "chicken duck lamb pork veal beef rabbit venison mutton cod salmon trout haddock",
    "herbs and spices": "thyme rosemary sage oregano dill parsley tarragon chervil marjoram cumin turmeric paprika sumac"
                        " ginger chives coriander cress basil mint cinnamon cardamom saffron vanilla",
    "vessels": "tray tin dish casserole pot wok saucepan pan",
    "numbers": "200 210 220 180 185 190 160 165 170 130 140 150 40 45 50 70 80 90 18 20 25 120 15",
    "actions": "peel cut wash halve slice rinse trim pat remove chop stir mix whisk pour spoon scatter cook boil grill roast"
               " bake braise simmer steam poach lift drain serve",
}.items()}  # fmt: skip
WORDS = [word for words in KINDS.values() for word in words]
KIND = np.repeat(np.arange(len(KINDS)), [len(words) for words in KINDS.values()])
IDS = tokenizer.encode(" ".join(WORDS))


def cosines(vectors):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit @ unit.T                                      # entry [j, k]: cosine of words j and k


def same_kind(alike):
    others = np.where(np.eye(len(alike)), -np.inf, alike)     # a word is not its own neighbour
    return np.mean(KIND[others.argmax(axis=1)] == KIND)


model = LanguageModel(tokenizer.vocab_size, embedding=32, hidden=64, seed=0)
table = model.parameters["embedding.W"]                       # (V, E), a view: it changes as the model learns
sizes = np.bincount(KIND)
chance = np.sum(sizes * (sizes - 1)) / (len(WORDS) * (len(WORDS) - 1))
print(f"\nnearest neighbour of the same kind, of {len(WORDS)} words\n  by chance {chance:22.0%}")
print(f"  before training {same_kind(cosines(table[IDS])):16.0%}")

updates, rate = (50, 0.01) if QUICK else (400, 0.005)
for record in train_steps(Training.begin(model, Adam(rate), rng), batches, steps=updates, clip_norm=1.0):
    if record.step in (updates // 4, updates):
        print(f"  after {record.step:3} updates {same_kind(cosines(table[IDS])):14.0%}   loss {record.loss:.2f} nats a word")
found, by_product = same_kind(cosines(table[IDS])), same_kind(table[IDS] @ table[IDS].T)
print(f"  the same by u · v {by_product:14.0%}")
assert chance < 0.2 and found > (0.6 if QUICK else 0.8) and found > by_product

# %% [markdown]
# By chance, less than a fifth would be right. (Random vectors also do somewhat better
# or worse by chance. Some words are near to many others, and may belong to a large
# kind.) After training more than four fifths are right (with `--quick` more than three
# fifths), and u · v finds fewer than the cosine. Now the neighbours among all words.

# %%
alike = cosines(table[2:])                                    # without padding and [UNK], which no recipe has
place_of = {word: k for k, word in enumerate(tokenizer.tokens)}
print("\nthe four nearest of all words, by cosine")
for word in ("thyme", "cinnamon", "carrots", "salmon", "200", "casserole", "peel"):
    cosine = alike[place_of[word]]
    near = np.argsort(-cosine)[1:5]                           # place 0 is the word itself
    print(f"{word:<10}" + "".join(f"{tokenizer.tokens[k]:>12} {cosine[k]:.2f}" for k in near))
    company = {"thyme": "sage rosemary", "cinnamon": "vanilla saffron cardamom", "200": "210 220"}.get(word, "").split()
    assert QUICK or {place_of[other] for other in company} <= set(near)
    assert QUICK or all(cosine[place_of[other]] > alike[place_of["thyme"], place_of["cinnamon"]] for other in company)

# %% [markdown]
# After full training, the neighbours of thyme include sage and rosemary, and those of
# cinnamon include vanilla, saffron and cardamom. Those of 200 include 210 and 220,
# other temperatures of a hot oven. Why? By equation (2) the gradient of a row is a sum
# over all places where the word occurs. Words that occur in the same places get similar
# gradients, so their vectors end up in similar directions.
#
# So "near" means *used alike*, not *means the same*. To a cook, thyme and cinnamon are
# both spices. Here one goes with roasts and the other with fruit. Each is nearer to the
# words it shares its places with, even if its fourth neighbour is of the other group.
# Not every word finds similar ones: `peel` occurs in few places, and its neighbours are
# neither near nor meaningful.
#
# A word also has only one vector, however many uses it has. 130, 140 and 150 are
# degrees in some recipes and minutes in others. Take the line from the mean of the
# minutes (0) to the mean of the degrees (1). On average these three are somewhere
# between: they got gradients from both uses, and have only one vector.

# %%
degrees, minutes, both = (
    table[tokenizer.encode(words)].mean(axis=0)
    for words in ("160 165 170 180 185 190 200 210 220", "18 20 25 40 45 50 70 80 90", "130 140 150")
)
place = (both - minutes) @ (degrees - minutes) / np.sum((degrees - minutes) ** 2)
print(f"\nfrom minutes (0) to degrees (1), 130, 140 and 150 stand at {place:.2f}")
assert 0.3 < place < 0.9

# %% [markdown]
# ## A picture of 32 dimensions
#
# Only two dimensions can be drawn. *Principal component analysis* finds the two
# directions in which the vectors differ most. Subtract the mean, and take the singular
# value decomposition X = U S Vᵀ. Then the first two rows of Vᵀ are these directions,
# and the first two columns of U S are the coordinates.
#
# In the picture you can find the minutes, the degrees and the three words between them.
# Roast, braise, simmer and grill are followed by a time, and are apart from the words
# for cutting. But two directions show only a part of 32: words that are close in the
# picture need not be close. (A dot has no name where two names would overlap.)

# %%
X = table[IDS] - table[IDS].mean(axis=0)                      # (words, E)
U, S, Vt = np.linalg.svd(X, full_matrices=False)
flat = U[:, :2] * S[:2]                                       # (words, 2)
assert np.allclose(flat, X @ Vt[:2].T, atol=1e-3)
print(f"\ntwo directions hold {np.sum(S[:2] ** 2) / np.sum(S**2):.0%} of the variance; the middle of each kind along them")
for k, kind in enumerate(KINDS):
    print(f"  {kind:<17}" + "".join(f"{value:7.1f}" for value in flat[KIND == k].mean(axis=0)))

if plt := pyplot():
    from matplotlib.transforms import Bbox

    figure, axes = plt.subplots(figsize=(8, 6.5))
    for k, (kind, colour) in enumerate(zip(KINDS, COLOURS)):
        axes.plot(*flat[KIND == k].T, "o", color=colour, markersize=4, label=kind)
    axes.set(xlabel="first direction", ylabel="second direction", title="Words of the recipes by their trained vectors")
    axes.margins(0.07)
    figure.legend(loc="outside lower center", ncols=6, fontsize=8, columnspacing=1.2, handletextpad=0)
    figure.draw_without_rendering()                           # now the places of all dots are known
    figure.set_layout_engine("none")
    taken = [Bbox.from_bounds(left - 3, low - 3, 6, 6) for left, low in axes.transData.transform(flat)]
    for word, place, k in zip(WORDS, flat, KIND):
        for offset, side in ((4, "left"), (-4, "right")):     # a dot has no name if two names would overlap
            label = axes.annotate(word, place, (offset, -0.5), textcoords="offset points", ha=side, va="center", fontsize=7)
            box = label.get_window_extent().padded(2)
            if not box.count_overlaps(taken):
                label.set_color(COLOURS[k])
                taken.append(box)
                break
            label.remove()
    save(figure, "07_one_hot_and_embedding")

# %% [markdown]
# ## Exercises
#
# `minilstm exercise 7` makes your copy, `lessons/my/07_one_hot_and_embedding.py`. Fill
# in its blanks, and run the same command again: it grades what you wrote.
#
# 1. From ids to vectors, without a one-hot array.
# 2. The gradient of the table, with ids that repeat.
# 3. The nearest neighbours of several words at once.
