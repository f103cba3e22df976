"""10. A headline writer: grading."""

from collections import Counter

import numpy as np

from minilstm import Adam, CharTokenizer, LanguageModel
from minilstm.corpora.headlines import headlines
from minilstm.course import Task, Wrong, same
from minilstm.data.batches import CorpusBatches, SequenceBatches
from minilstm.optim import clip, clip_by_value
from minilstm.training.loop import evaluate
from minilstm.verify import contracts


def uncertainty(yours):
    rng = np.random.default_rng(0)
    uneven, with_zeros = rng.dirichlet(np.ones(5)), np.array([0.0, 0.5, 0.0, 0.3, 0.2])
    for p, which in ((uneven, "five uneven chances"), (np.full(8, 1 / 8), "eight equal chances"), (with_zeros, "p with zeros")):
        q = p[p > 0]
        nats = -(q * np.log(q)).sum()
        got = yours(p)
        contracts.unpack(got, 3, "uncertainty must return three numbers: (nats, bits, perplexity)")
        if np.isnan(np.asarray(got[0], float)).any():
            raise Wrong("nats is no number where p has a zero: 0 times ln 0 is NaN; leave out what never happens")
        same(f"nats of {which}", got[0], nats, {
            "its sign: surprises are positive, and ln p is negative": -nats,
            "log2 counts bits; nats are counted by ln": nats / np.log(2),
            "each surprise -ln p counts with its probability p": -np.log(q).sum(),
            "this is their plain mean; each surprise -ln p counts with its probability p": -np.log(q).mean(),
            "divided by the number of alternatives, which p has done already": nats / p.size,
        })  # fmt: skip
        same(f"bits of {which}", got[1], nats / np.log(2), {
            "a bit is ln 2 = 0.69 nats, so there are more bits than nats: divide": nats * np.log(2),
            "these are nats still": nats,
        })  # fmt: skip
        same(f"perplexity of {which}", got[2], np.exp(nats), {
            "e goes with nats, 2 with bits: this is e to the power of the bits": np.exp(nats / np.log(2)),
            "e goes with nats, 2 with bits: this is 2 to the power of the nats": 2**nats,
            "this is the number of alternatives; it would be right if all were equally likely": p.size,
        })  # fmt: skip
    return "also where something never happens; eight equal chances have perplexity 8"


LANGUAGE = {
    "rain": 0.2, "rain in Oslo": 0.15, "rain in Rome": 0.05, "rare sun": 0.1, "sun": 0.25, "sun in Rome": 0.1,
    "no rain in Oslo": 0.1, "no sun": 0.05,
}  # fmt: skip


def following(prefix, begins=str.startswith, weigh=lambda sentence, probability: probability, ended=""):
    """Unnormalised, and with what a learner may do otherwise."""
    found = Counter()
    for sentence, probability in LANGUAGE.items():
        if begins(sentence, prefix):
            found[sentence[len(prefix) : len(prefix) + 1] or ended] += weigh(sentence, probability)
    return found


def last(prefix):
    """Of sentences that go on alike only the last."""
    return {s[len(prefix) : len(prefix) + 1]: p for s, p in LANGUAGE.items() if s.startswith(prefix)}


def normalised(counts):
    total = sum(counts.values())
    return {character: count / total for character, count in counts.items()}


def next_characters(yours):
    for prefix in ("ra", "r", "rain", "", "rain in ", "no rain in Oslo"):
        right = normalised(following(prefix))
        got = yours(dict(LANGUAGE), prefix)
        if not isinstance(got, dict):
            raise Wrong(f"next_characters must return a dictionary {{character: probability}}, not {type(got).__name__}")
        known = {
            "these are probabilities together with the prefix; divide them by that of the prefix": following(prefix),
            "each sentence counts with its probability, not once": normalised(following(prefix, weigh=lambda *_: 1)),
            "where two sentences go on alike, their probabilities add up; yours keeps the last": normalised(last(prefix)),
            "they are divided by how many characters can follow, not by the probability of the prefix":
                {c: p / len(following(prefix)) for c, p in following(prefix).items()},
            "the prefix must stand at the beginning of a sentence, not anywhere in it":
                normalised(following(prefix, begins=str.__contains__)),
            "a sentence that ends here counts, too, under \"\"":
                normalised({c: p for c, p in following(prefix).items() if c} or {"": 1}),
        }  # fmt: skip
        where = f"after {prefix!r}" if prefix else "at the beginning"
        for sentence, wrong in known.items():
            if close(got, wrong) and not close(got, right):
                raise Wrong(f"{where} the probabilities are wrong: {sentence}")
        for character in sorted(set(got) - set(right)):
            if got[character] != 0:
                raise Wrong(f"{where} no sentence goes on with {character!r}, but yours has it")
        for character, probability in right.items():
            if character not in got:
                raise Wrong(f"{where} the {'end' if character == '' else 'character'} {character!r} is missing; its"
                            f" probability is {probability:.4g}")  # fmt: skip
            same(f"the probability of {character!r} {where}", got[character], probability)
        if set(got) != set(right):
            raise Wrong(f"{where} leave out what cannot follow; yours has {sorted(set(got) - set(right))} with probability 0")
    text = "no rain in Oslo"
    nats = sum(-np.log(yours(dict(LANGUAGE), text[:k])[text[k : k + 1]]) for k in range(len(text) + 1))
    return f"the surprises of {text!r} are {nats:.3f} nats together, and e to the power of {-nats:.3f} is its probability, 0.1"


def close(a, b):
    try:
        return set(a) == set(b) and all(np.isclose(a[key], b[key], rtol=1e-9) for key in a)
    except TypeError:
        return False


def small_run():
    """A model, an optimizer's state, and batches of 3, 3, 3 and 1 sequences of different lengths."""
    rng = np.random.default_rng(1)
    sequences = [rng.integers(1, 6, size=n) for n in (9, 4, 7, 2, 5, 8, 3, 6, 9, 2)]
    model, optimizer = LanguageModel(7, hidden=5, seed=2, dtype=np.float64), Adam(0.02)
    state = optimizer.init(model.parameters.flat)
    rng = np.random.default_rng(3)
    state.m[:], state.v[:] = rng.normal(size=state.m.size) / 10, rng.random(state.v.size) / 100  # of an epoch before
    return model, optimizer, type(state)(state.m, state.v, 4), SequenceBatches(sequences, 3, eos_id=6)


def epoch(shorten=lambda g: clip(g, None, MAX_NORM), keep=True, stale=False, add=False, times=1, too_late=False, shuffled=True):
    """Parameters, batch losses, tokens and steps after an epoch; other arguments are other mistakes."""
    model, optimizer, state, batches = small_run()
    losses, tokens, total = [], [], np.zeros_like(model.parameters.flat)
    for batch in batches.epoch(np.random.default_rng(7) if shuffled else None):
        loss, gradients, _, _ = model.loss_and_gradients(batch)
        g = gradients.flat.copy()
        if not too_late:
            shorten(g)
        total += g
        for _ in range(times):
            before = state if keep else optimizer.init(model.parameters.flat)
            new = optimizer.step(model.parameters.flat, (total if add else g).copy(), before)
            state = state if stale else new
        losses.append(loss)
        tokens.append(batch.tokens)
    return model.parameters.flat, np.array(losses), np.array(tokens), state.t


MAX_NORM = 0.29  # some batches of the small run have a longer gradient, some have a shorter one


def to_norm(g):
    g *= MAX_NORM / np.linalg.norm(g)


def downhill(g):
    clip(g, None, MAX_NORM)
    g *= -1


def backwards(g):
    if np.linalg.norm(g) < MAX_NORM:
        to_norm(g)


MISTAKES = {
    "the gradient was not clipped before the step": {"too_late": True},
    "a gradient that is short enough already was made longer": {"shorten": to_norm},
    "short gradients were made longer, long ones left as they were": {"shorten": backwards},
    "each entry was cut; clipping by norm keeps the direction and scales all of g":
        {"shorten": lambda g: clip_by_value(g, MAX_NORM)},
    "what step returned was not kept: state = optimizer.step(...) has the new means for the next batch": {"stale": True},
    "the gradient points uphill, and step goes against it by itself; yours has lost its sign": {"shorten": downhill},
    "the optimizer's state was thrown away at each step; hand on what step returns": {"keep": False},
    "the gradients of earlier batches were added up; each step takes that of its own batch": {"add": True},
    "two steps were taken for each batch": {"times": 2},
    "the batches came in the order of the data; take batches.epoch(rng)": {"shuffled": False},
}  # fmt: skip


def train_epoch(yours):
    model, optimizer, state, batches = small_run()
    start = model.parameters.flat.copy()
    got = yours(model, optimizer, state, batches, np.random.default_rng(7), MAX_NORM)
    contracts.unpack(got, 2, "train_epoch must return two things: (loss, state)")
    theta, losses, tokens, steps = epoch()
    if np.array_equal(model.parameters.flat, start):
        raise Wrong("the model's parameters are what they were: optimizer.step changes theta = model.parameters.flat")
    same("theta after the epoch", model.parameters.flat, theta, {
        sentence: epoch(**mistake)[0] for sentence, mistake in MISTAKES.items()
    })  # fmt: skip
    same("loss", got[0], losses @ tokens / tokens.sum(), {
        "this is the mean over batches; a batch with fewer characters counts less": losses.mean(),
        "this is the loss of the last batch": losses[-1],
        "this is the sum over batches; divide by the number of all characters": losses.sum(),
        "the losses of the batches are means already: times batch.tokens they are nats": losses.sum() / tokens.sum(),
    })  # fmt: skip
    if getattr(got[1], "t", None) != steps:
        raise Wrong("state is not that of the last step; the next epoch needs it")
    before, after = learn_headlines(yours)
    return f"your loop brought a small writer of headlines from {before:.2f} to {after:.2f} nats a character"


def learn_headlines(yours):
    """The held-out loss of a small model before and after some steps of the learner's loop."""
    corpus = headlines()
    tokenizer = CharTokenizer.fit(["".join(corpus.alphabet)])
    held_out = [tokenizer.encode(text) for text in corpus.sample_many(50, np.random.default_rng(0))]
    judge = SequenceBatches(held_out, 50, tokenizer.eos_id)
    model, optimizer = LanguageModel(tokenizer.vocab_size, hidden=32, seed=0), Adam(0.02, beta2=0.99)
    before = evaluate(model, judge)
    batches = CorpusBatches(corpus, tokenizer, size=800, batch_size=8)
    yours(model, optimizer, optimizer.init(model.parameters.flat), batches, np.random.default_rng(1), 1.0)
    return before, evaluate(model, judge)


BLANKS = 8  # in the exercise, as long as nobody has filled it in
TASKS = [
    Task("uncertainty", uncertainty, (
        "A sum over all alternatives, each surprise times how often it happens. Before the sum, keep only what can happen.",
        "q = p[p > 0] has no zeros. In nats take np.log of q, times q, sum, and mind the sign. A bit is ln 2 nats; the"
        " perplexity is e to the power of the nats.",
    )),
    Task("next_characters", next_characters, (
        "Keep the sentences that begin with the prefix. What stands right behind the prefix in each of them? Their"
        " probabilities together are that of the prefix.",
        "sentence.startswith(prefix) says which; the slice from len(prefix) to len(prefix) + 1 is one character, or \"\" at the"
        " end, where an index would be an error. Add up probabilities by character, then divide by their sum.",
    )),
    Task("train_epoch", train_epoch, (
        "Three things in this order: shorten g if it is too long, let the optimizer step, count. The loss of a batch is a mean;"
        " what must it be multiplied by before it can be added?",
        "np.linalg.norm(g) is the norm; g times max_norm / norm has the norm max_norm, but only where norm is larger may that"
        " happen. The state that step returns is the state for the next step. A batch brings loss times batch.tokens nats.",
    ), may_change=("state",)),
]  # fmt: skip
