# %% [markdown]
# # 16. Many to one
#
# After this lesson you can make one vector, and one class, of a sequence of any length.
# You can do it forward and backward, for the last step, the mean and the maximum. You
# know two mistakes that padding invites, and the numbers that show them. You also train
# a classifier whose best possible accuracy is known. The lesson takes three quarters of
# an hour, two hours with its exercises. You need lessons 5 and 8.
#
# So far each model predicted the next token, at every step. That is one of four shapes
# of sequence models. They differ only in which time steps have an input, and which have
# an output. The first cell draws them.
#
# - **One to one.** One vector in, one out. There is no time: this is a plain layer.
# - **One to many.** A vector in, a sequence out, such as a sentence about a picture:
#   lesson 17.
# - **Many to one.** A sequence in, a class out. This is the lesson's subject.
# - **Many to many.** If the lengths are *equal*, each step has an output of its own: a
#   label for each word, or the next token. If they are *unequal*, the model first reads
#   all, and then writes: lesson 18.
#
# A classifier reads x (T, B, D), and gives logits (B, C) for C classes. The equations
# are those of `minilstm/reference/classifier.py` and `minilstm/reference/pooling.py`:
#
#     h[t], c[t] = step(x[t], h[t-1], c[t-1])        as in lesson 5
#
#     (1)  y = Σ_t w[t] ⊙ h[t]                       pooling: one vector, (B, H)
#     (2)  w[t] = 1 if t is the last real step       "last"
#     (3)  w[t] = 1 / length if t is real            "mean"
#     (4)  w[t] = 1 where h[t] is the maximum        "max", for each unit on its own
#     (5)  dh[t] = w[t] ⊙ dy                         backward, for each kind
#
#     logits = y W + b,    loss = mean over the sequences of -log softmax(logits)[label]
#
# All other weights are 0. Max over time is from Collobert et al. (2011).
#
# > **How we count.** As in exercises and functions, time steps count from 0 here. A
# > sequence of length n has the steps 0 to n - 1.

# %%
import numpy as np

from minilstm import Adam, CharTokenizer, Classifier, reference
from minilstm.corpora.topics import CLASSES, topics
from minilstm.course import COLOURS, pyplot, quick, save
from minilstm.data.pairs import LabelledBatches, pad
from minilstm.optim.schedules import CosineDecay
from minilstm.reference import bidirectional, classifier
from minilstm.reference.sequence import lstm_sequence, lstm_sequence_backward
from minilstm.training.loop import Training, fit
from minilstm.verify import check_gradients

BLUE, ORANGE, GREY = COLOURS[0], COLOURS[1], COLOURS[-1]
if plt := pyplot():
    shapes = {  # example, time steps with an input, time steps with an output
        "one to one": ("a vector → its class", [0], [0]), "one to many": ("a picture → a sentence", [0], [0, 1, 2]),
        "many to one": ("a title → its topic", [0, 1, 2], [2]), "many to many, equal": ("words → labels", *[[0, 1, 2]] * 2),
        "many to many, unequal": ("a date → an ISO date", [0, 1], [2, 3, 4]),
    }  # fmt: skip
    figure, axes = plt.subplots(1, 5, figsize=(12, 3.1), width_ratios=[2.4, 3, 3, 3, 5])
    for axis, (name, (example, inputs, outputs)) in zip(axes, shapes.items()):
        steps = range(max(inputs + outputs) + 1)
        for y, columns, colour in zip(range(3), (inputs, steps, outputs), (BLUE, GREY, ORANGE)):
            axis.bar(columns, 0.5, 0.6, bottom=y - 0.25, color=colour)
        up = [((t, y + 0.28), (t, y + 0.72), "-") for y, columns in ((0, inputs), (1, outputs)) for t in columns]
        back = [((t + 0.2, 1.72), (t + 0.8, 1.28), ":") for t in outputs if t + 1 in outputs and t + 1 not in inputs]
        for start, end, style in up + back + [((t + 0.32, 1), (t + 0.68, 1), "-") for t in steps[:-1]]:
            axis.annotate("", end, start, arrowprops={"arrowstyle": "->", "linestyle": style, "shrinkA": 0, "shrinkB": 0})
        axis.set(title=name, xlim=(-0.6 if axis is not axes[0] else -1.6, steps[-1] + 0.6), ylim=(-0.9, 2.4))
        axis.text(np.mean(axis.get_xlim()), -0.75, example, ha="center")
        axis.axis("off")
    for y, (word, colour) in enumerate({"input": BLUE, "state": GREY, "output": ORANGE}.items()):
        axes[0].text(-0.45, y, word, color=colour, ha="right", va="center")
    save(figure, "16_four_shapes")

# %% [markdown]
# Solid arrows are the network. A dotted arrow is a token that the model wrote and then
# reads: lesson 17.
#
# ## The last real step
#
# Sequences of a mini-batch have different lengths. They are padded on the right to the
# longest one. So the state at a sequence's last real step has read nothing but its own
# tokens. But h[-1], the last row of the array, is another one for all but the longest
# sequences. It has read the padding, too.
#
# What does that do? We compute both vectors twice, the second time with other numbers
# at the padding. What stands there must not matter.


# %%
def weights(h, lengths, kind):
    t = np.arange(len(h))[:, None]                                   # (T, 1)
    real = t < lengths                                               # (T, B)
    if kind == "last":
        return (t == lengths - 1)[..., None]                         # (2)
    if kind == "mean":
        return (real / lengths)[..., None]                           # (3)
    only_real = np.where(real[..., None], h.real, -np.inf)
    return t[..., None] == only_real.argmax(axis=0)                  # (4)


rng = np.random.default_rng(0)
T, B, D, H, C = 5, 3, 4, 2, 3
lengths, labels = np.array([5, 3, 2]), np.array([2, 0, 1])
params = {"lstm0.Wx": rng.normal(size=(D, 4 * H)), "lstm0.Wh": rng.normal(size=(H, 4 * H)), "lstm0.b": rng.normal(size=4 * H)}
params |= {"output.W": rng.normal(size=(H, C)), "output.b": rng.normal(size=C)}
x = rng.normal(size=(T, B, D))
padding = np.arange(T)[:, None] >= lengths
other = np.where(padding[..., None], rng.normal(size=x.shape), x)    # other numbers at the padding
nothing = np.zeros((2, B, H))                                        # h0 and c0
read = lambda x, n=B: lstm_sequence(x, nothing[:, :n], *list(params.values())[:3])[0]
h, h_other = read(x), read(other)
print("first unit after                          length 5   length 3   length 2")
for name, rows in {"the last real step": lengths - 1, "the last row of the array": -1}.items():
    for text, states in {"": h, ", other padding": h_other}.items():
        print(f"{name + text:<42}" + "   ".join(f"{value:8.4f}" for value in states[rows, range(B), 0]))
assert np.array_equal(h[lengths - 1, range(B)], h_other[lengths - 1, range(B)])
assert np.array_equal(h[-1, 0], h_other[-1, 0]) and (h[-1, 1:] != h_other[-1, 1:]).all()

# %% [markdown]
# The wrong vector has a second effect. If titles of one topic are longer than others,
# the model sees the *amount* of padding. That amount depends on the other sequences of
# the mini-batch. So the class of a title would depend on its neighbours.
#
# The mean has the same trap. Divide the sum by the sequence's own length, not by T. If
# you divide by T, a sequence of length 2 among five steps counts 2/5 of what it should.
# `h.mean(axis=0)` also adds the states at the padding.
#
# ## Backward by hand
#
# Only the first lines are new. Softmax and cross-entropy are those of lesson 8, and N
# is the number of sequences B here: there is one loss for each sequence. Equation (5)
# spreads dy over time. The rest is backward through time, from lesson 5. The final
# state needs no gradient of its own, since its h is one of the h[t].
#
# At the padding, w is 0. So dh is 0 there, and the padding gets no gradient.


# %%
def loss_and_gradients(params, kind, x=x):
    Wx, Wh, b, W, b_out = params.values()
    h, _, caches = lstm_sequence(x, nothing, Wx, Wh, b)
    w = weights(h, lengths, kind)
    y = (w * h).sum(axis=0)                                          # (1)
    loss, cache = reference.softmax_cross_entropy(y @ W + b_out, labels)
    da = reference.softmax_cross_entropy_backward(cache)             # (B, C), divided by B
    dh = w * (da @ W.T)                                              # (5)
    dx, _, (dWx, dWh, db) = lstm_sequence_backward(dh, nothing, caches, Wx, Wh)
    return loss, dict(zip(params, (dWx, dWh, db, y.T @ da, da.sum(axis=0)))), dx


print("\npooling   loss     largest error    size of dLoss/dx at steps 0 to 4, length 5")
for kind in ("last", "mean", "max"):
    loss, grads, dx = loss_and_gradients(params, kind)
    check = check_gradients(lambda p: loss_and_gradients(p, kind)[0], params, grads, method="complex")
    theirs, their_grads, their_dx = classifier.loss_and_gradients(params, x, labels, lengths, kind)
    assert check.passed and np.isclose(loss, theirs) and np.allclose(dx, their_dx) and not dx[padding].any()
    assert all(np.allclose(grads[name], their_grads[name]) and grads[name].any() for name in params)
    sizes = np.linalg.norm(dx[:, 0], axis=1)
    print(f"{kind:<8}{loss:6.3f}{max(row.relative for row in check.rows):18.0e}  " + "".join(f"{size:9.4f}" for size in sizes))
    assert kind != "last" or sizes[0] < 0.2 * sizes[-1]

# %% [markdown]
# The complex step of lesson 4 agrees with every gradient, and so does the reference.
#
# Look at the sizes. With the last step, the gradient has to come back through all
# steps, and gets small on the way. With the mean, each step has a way of its own to the
# loss. With the maximum, only the steps that won have one.
#
# ## One to one is T = 1
#
# What is left of all this if every sequence has one step? All three kinds of pooling
# are the same. There is no earlier state, so h_prev and c_prev are 0. Then Wh
# multiplies zeros, and the forget gate has nothing to forget:
#
#     h = o ⊙ tanh(i ⊙ g),   with i, g and o computed from x Wx + b
#
# That is a plain layer: a product, a bias, and a function of each unit. The gradient of
# Wh is exactly 0, and so is that of the forget gate's columns in Wx.

# %%
lengths, T = np.ones(B, int), 1
i, _, g, o = np.split(x[0] @ params["lstm0.Wx"] + params["lstm0.b"], 4, axis=1)
sigmoid = lambda z: 1 / (1 + np.exp(-z))
plain = sigmoid(o) * np.tanh(sigmoid(i) * np.tanh(g))                # (B, H)
losses = [loss_and_gradients(params, kind, x[:1])[0] for kind in ("last", "mean", "max")]
_, grads, _ = loss_and_gradients(params, "last", x[:1])
assert np.allclose(plain, read(x[:1])[0]) and len(set(losses)) == 1
assert not grads["lstm0.Wh"].any() and not grads["lstm0.Wx"][:, H : 2 * H].any() and grads["lstm0.Wx"][:, :H].any()
print(f"\nT = 1: the LSTM and the plain layer differ by {np.abs(plain - read(x[:1])[0]).max():.0e}; dWh is exactly 0")

# %% [markdown]
# ## Both directions
#
# At the last step, a title's beginning is far away. A *bidirectional* layer has a
# second cell, with weights of its own, that reads in reverse (Schuster and Paliwal
# 1997). Reverse the input in time, read it, and reverse the result.
#
# But reverse what? If you reverse the whole array, a short sequence begins with its
# padding. Then the reverse direction reads padding before it reads the text. Zeros do
# not help: the bias changes the state even where x is 0.
#
# So each sequence must be reversed within its own length. Below is the shortest
# sequence, alone and in the mini-batch. To keep the code short, both directions use the
# same weights here.


# %%
def reverse(x, lengths):
    t = np.arange(len(x))[:, None]
    return x[np.where(t < lengths, lengths - 1 - t, t), np.arange(x.shape[1])]   # the padding stays in place


lengths = np.array([5, 3, 2])
clear = np.where(padding[..., None], 0, x)                           # zeros at the padding
right = reverse(read(reverse(clear, lengths)), lengths)              # (T, B, H)
alone, wrong = read(x[:2, 2:][::-1], 1)[::-1], read(clear[::-1])[::-1]
print("\nreverse direction, first unit            step 0    step 1")
for name, states in {"alone": alone, "from its own last step": right[:, 2:], "from the padding": wrong[:, 2:]}.items():
    print(f"{name:<34}{states[0, 0, 0]:13.4f}{states[1, 0, 0]:10.4f}")
three = list(params.values())[:3]
both = np.concatenate([read(clear), right], axis=2)                  # (T, B, 2H)
theirs, final, _ = bidirectional.bidirectional_forward(reference.lstm_step, x, np.zeros((2, B, 2 * H)), three, three, lengths)
assert np.allclose(alone, right[:2, 2:]) and np.abs(wrong[:2, 2:] - alone).max() > 0.1
assert np.allclose(theirs, np.where(padding[..., None], 0, both)) and np.allclose(final[0][:, H:], right[0])

# %% [markdown]
# From its own last step, the reverse direction gives the same numbers as alone. From
# the padding it gives others, and they change with the length of the longest sequence.
# A language model cannot have a reverse direction at all. It would read the answer.
#
# A second trap is the last line of the check. For one vector, the reverse direction's
# *final* state is at step 0, where it has read everything. At the last real step it has
# read one token only.
#
# ## A classifier of titles
#
# The corpus `topics` has headlines of four topics. A whole title always determines its
# topic. So we ask for more: the topic after any number of characters.
#
# The corpus is made by a grammar, so Bayes' rule gives the exact probability of each
# topic, the *posterior*, after each character. The best possible classifier names the
# most probable topic. No model is better on average.
#
# Each title of the training set is cut after a random number of characters, from 1 to
# 40. One more model is trained on whole titles. All have 64 units.


# %%
corpus, QUICK = topics(), quick()
STEPS, COUNT = (60, 200) if QUICK else (3000, 2000)
tokenizer = CharTokenizer.fit(["".join(sorted(set("".join(corpus.sample(20_000, np.random.default_rng(1))[0]))))])
titles, topic = corpus.sample(32 * STEPS, np.random.default_rng(2))
cuts = np.random.default_rng(3).integers(1, 41, len(titles))
validation, truth = corpus.sample(COUNT, np.random.default_rng(4))
exact = [corpus.posteriors(title) for title in validation]           # (characters + 1, C) each


def train(whole=False, **options):
    texts = titles if whole else [title[:n] for title, n in zip(titles, cuts)]
    batches = LabelledBatches([tokenizer.encode(text) for text in texts], topic, batch_size=32, pool=8)
    model = Classifier(4, tokenizer.vocab_size, hidden=64, **options)
    run = Training.begin(model, Adam(0.01, beta2=0.99), np.random.default_rng(0))
    return fit(run, batches, steps=STEPS, clip_norm=1.0, schedule=CosineDecay(0.01, STEPS)).model


def ask(model, texts):
    return model.probabilities(*pad([tokenizer.encode(text) for text in texts]))


# Accuracy, and cross-entropy in nats, of the probabilities p (B, C).
def score(p):
    return np.mean(p.argmax(axis=1) == truth), 0 - np.log(p[range(COUNT), truth]).mean()


models = {"last step": train(), "mean": train(pooling="mean"), "max": train(pooling="max"),
          "both directions": train(bidirectional=True), "last step, whole titles": train(whole=True)}  # fmt: skip
characters = (1, 2, 3, 5, 10, 20, 40, 200)                          # 200: all of the title
tables = {name: [score(ask(model, [text[:n] for text in validation])) for n in characters] for name, model in models.items()}
tables["exact, of these titles"] = [score(np.array([p[min(n, len(p) - 1)] for p in exact])) for n in characters]
tables["best possible"] = [corpus.best_possible(n) for n in characters]
for column, (what, form) in enumerate({"accuracy": "6.1%", "loss in nats": "6.2f"}.items()):
    print(f"\n{what + ' after characters':<32}" + "".join(f"{n:6}" for n in characters[:-1]) + "   all")
    for name, row in tables.items():
        print(f"{name:<32}" + "".join(f"{scores[column]:{form}}" for scores in row))
*cut, whole, of_these, best = (np.array(table) for table in tables.values())       # (8, 2) each
assert QUICK or all((np.abs(table - of_these)[:, 0] < 0.04).all() and table[-1, 0] > 0.99 for table in cut)
assert QUICK or whole[-1, 0] > 0.99 and (whole[:4, 0] < 0.4).all() and (whole[:6, 1] > np.log(4)).all()
assert all((table[:, 1] > of_these[:, 1] - 0.01).all() for table in (*cut, whole)) and np.allclose(best[-1], (1, 0), atol=1e-3)

# %% [markdown]
# Four models come close to the best possible. The numbers of 2,000 titles are not those
# of all titles: by chance, one percent more or less. So the row of the exact posterior
# on the same titles is the fair comparison. The loss shows what is left to learn, most
# of all after two or three characters.
#
# How they pool hardly matters here. In the full run no kind is better everywhere by
# more than chance, and one run is no result.
#
# The last model is the surprise. On whole titles it makes no mistake. On beginnings it
# is no better than a guess, and it is certain: a loss above 1.4 is worse than naming
# the four topics as equally likely. It was never asked about a beginning, so it learned
# to read the end. *A classifier learns the question that it is trained on.*
#
# ## Where does the topic become certain?
#
# The picture has two titles, character by character. The colours are the exact
# posterior of each topic, from bottom to top. The black lines are the model's: where
# they follow the borders of the colours, the model is right.
#
# "London, Jan. 19: " says almost nothing. The L alone makes sports likely, because two
# teams begin with it; then the city is known. "Hugo" begins titles about business and
# about sports. The "t" of "to lead" decides. A classifier that must answer after five
# characters is wrong here, and so is the best possible one.
#
# The model's lines tremble where the exact posterior stays constant. At the "t" it is
# not certain yet: it waits for "to le". Up to there it has not learned which words can
# follow a name.

# %%
if plt := pyplot():
    figure, axes = plt.subplots(2, 1, figsize=(10, 5.4))
    shown = "London, Jan. 19: Hugo Eskola to lead Fenwick Motors", "Bruno Bellweather reaches last eight of Open"
    for axis, title in zip(axes, shown):
        p, n = corpus.posteriors(title), np.arange(len(title) + 1)
        q = ask(models["last step"], [title[:k] for k in n[1:]])
        axis.stackplot(n, p.T, colors=[COLOURS[k] for k in (5, 4, 2, 3)])
        axis.plot(n[1:], np.cumsum(q, axis=1)[:, :-1], color="black", linewidth=1.4)
        middle = np.cumsum(p, axis=1) - p / 2
        for at, k in [(at, k) for at in (10, len(title) - 6) for k in range(4) if p[at, k] > 0.15]:
            axis.text(at + 0.5, middle[at, k] - 0.04 * (k < 3), CLASSES[k], ha="center", va="center")
        axis.set(xlim=(0, len(title)), ylim=(0, 1), ylabel="probability")
        axis.set_xticks(n, ["", *title.replace(" ", "␣")], fontsize=9)
        axis.grid(False)
    axes[0].set_title("Colours: the exact posterior after each character. Black lines: the same borders, by the model")
    save(figure, "16_many_to_one")

# %% [markdown]
# ## Exercises
#
# `minilstm exercise 16` makes your copy, `lessons/my/16_many_to_one.py`. Fill in its
# blanks, and run the same command again: it grades what you wrote.
#
# 1. Pooling over the real steps: last, mean and maximum.
# 2. From the last real step to a loss, and back to dh.
# 3. A bidirectional layer, and its final state.
