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
    equal = np.full(8, 1 / 8)
    for p, which in (
        (uneven, "five unequal probabilities"), (equal, "eight equal probabilities"), (with_zeros, "p with zeros")
    ):  # fmt: skip
        q = p[p > 0]
        nats = -(q * np.log(q)).sum()
        got = yours(p)
        contracts.unpack(got, 3, "uncertainty must return three numbers: (nats, bits, perplexity)")
        if np.isnan(np.asarray(got[0], float)).any():
            raise Wrong("nats is NaN if p has a zero: 0 times ln 0 is NaN; leave out what never happens")
        same(f"nats of {which}", got[0], nats, {
            "its sign: surprises are positive, and ln p is negative": -nats,
            "log2 gives bits; ln gives nats": nats / np.log(2),
            "weight each surprise -ln p by its probability p": -np.log(q).sum(),
            "this is the plain mean; weight each surprise -ln p by its probability p": -np.log(q).mean(),
            "it is divided by the number of alternatives, but the weights p already make it a mean": nats / p.size,
        })  # fmt: skip
        same(f"bits of {which}", got[1], nats / np.log(2), {
            "a bit is ln 2 = 0.69 nats, so there are more bits than nats: divide": nats * np.log(2),
            "these are still nats": nats,
        })  # fmt: skip
        same(f"perplexity of {which}", got[2], np.exp(nats), {
            "e goes with nats, 2 with bits: this is e to the power of the bits": np.exp(nats / np.log(2)),
            "e goes with nats, 2 with bits: this is 2 to the power of the nats": 2**nats,
            "this is the number of alternatives; it would be right if all were equally likely": p.size,
        })  # fmt: skip
    return "right, also if something never happens; eight equal probabilities have perplexity 8"


LANGUAGE = {
    "rain": 0.2, "rain in Oslo": 0.15, "rain in Rome": 0.05, "rare sun": 0.1, "sun": 0.25, "sun in Rome": 0.1,
    "no rain in Oslo": 0.1, "no sun": 0.05,
}  # fmt: skip


def following(prefix, begins=str.startswith, weigh=lambda sentence, probability: probability, ended=""):
    """What follows a prefix, not normalised; other arguments are mistakes."""
    found = Counter()
    for sentence, probability in LANGUAGE.items():
        if begins(sentence, prefix):
            found[sentence[len(prefix) : len(prefix) + 1] or ended] += weigh(sentence, probability)
    return found


def last(prefix):
    """What follows; of sentences with the same next character only the last counts."""
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
            "these are joint probabilities with the prefix; divide them by that of the prefix": following(prefix),
            "weight each sentence by its probability; yours counts each once":
                normalised(following(prefix, weigh=lambda *_: 1)),
            "if two sentences have the same next character, their probabilities add up; yours keeps the last":
                normalised(last(prefix)),
            "they are divided by the number of characters that can follow; divide by the probability of the prefix":
                {c: p / len(following(prefix)) for c, p in following(prefix).items()},
            "the prefix must be at the beginning of a sentence, not anywhere in it":
                normalised(following(prefix, begins=str.__contains__)),
            "a sentence that ends here counts, too, as \"\"":
                normalised({c: p for c, p in following(prefix).items() if c} or {"": 1}),
        }  # fmt: skip
        where = f"after {prefix!r}" if prefix else "at the beginning"
        for sentence, wrong in known.items():
            if close(got, wrong) and not close(got, right):
                raise Wrong(f"{where} the probabilities are wrong: {sentence}")
        for character in sorted(set(got) - set(right)):
            if got[character] != 0:
                raise Wrong(f"{where} no sentence continues with {character!r}, but yours has it")
        for character, probability in right.items():
            if character not in got:
                raise Wrong(f"{where} the {'end' if character == '' else 'character'} {character!r} is missing; its"
                            f" probability is {probability:.4g}")  # fmt: skip
            same(f"the probability of {character!r} {where}", got[character], probability)
        if set(got) != set(right):
            raise Wrong(f"{where} leave out what cannot follow; yours has {sorted(set(got) - set(right))} with probability 0")
    text = "no rain in Oslo"
    nats = sum(-np.log(yours(dict(LANGUAGE), text[:k])[text[k : k + 1]]) for k in range(len(text) + 1))
    return f"the surprises of {text!r} sum to {nats:.3f} nats, and exp({-nats:.3f}) is its probability, 0.1"


def close(a, b):
    try:
        return set(a) == set(b) and all(np.isclose(a[key], b[key], rtol=1e-9) for key in a)
    except TypeError:
        return False


def small_run():
    """A model, an optimizer's state, and mini-batches of 3, 3, 3 and 1 sequences."""
    rng = np.random.default_rng(1)
    sequences = [rng.integers(1, 6, size=n) for n in (9, 4, 7, 2, 5, 8, 3, 6, 9, 2)]
    model, optimizer = LanguageModel(7, hidden=5, seed=2, dtype=np.float64), Adam(0.02)
    state = optimizer.init(model.parameters.flat)
    rng = np.random.default_rng(3)
    state.m[:], state.v[:] = rng.normal(size=state.m.size) / 10, rng.random(state.v.size) / 100  # from an earlier epoch
    return model, optimizer, type(state)(state.m, state.v, 4), SequenceBatches(sequences, 3, eos_id=6)


def epoch(shorten=lambda g: clip(g, None, MAX_NORM), keep=True, stale=False, add=False, times=1, too_late=False, shuffled=True):
    """Parameters, losses, tokens and steps after an epoch; arguments are mistakes."""
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
    "a gradient with a norm below max_norm was made longer": {"shorten": to_norm},
    "short gradients were made longer, and long ones were not clipped": {"shorten": backwards},
    "each entry was clipped; clipping by norm keeps the direction and scales all of g":
        {"shorten": lambda g: clip_by_value(g, MAX_NORM)},
    "the result of step was not kept: state = optimizer.step(...) has the new means for the next mini-batch": {"stale": True},
    "the sign of g is wrong: step already goes against the gradient": {"shorten": downhill},
    "the optimizer's state was lost in each step; pass the state that step returns to the next step": {"keep": False},
    "the gradients of earlier mini-batches were added; use that of the present one only": {"add": True},
    "there were two steps for each mini-batch; make one": {"times": 2},
    "the mini-batches came in the order of the data; use batches.epoch(rng)": {"shuffled": False},
}  # fmt: skip


def train_epoch(yours):
    model, optimizer, state, batches = small_run()
    start = model.parameters.flat.copy()
    got = yours(model, optimizer, state, batches, np.random.default_rng(7), MAX_NORM)
    contracts.unpack(got, 2, "train_epoch must return two things: (loss, state)")
    theta, losses, tokens, steps = epoch()
    if np.array_equal(model.parameters.flat, start):
        raise Wrong("the model's parameters have not changed: optimizer.step changes theta = model.parameters.flat")
    same("theta after the epoch", model.parameters.flat, theta, {
        sentence: epoch(**mistake)[0] for sentence, mistake in MISTAKES.items()
    })  # fmt: skip
    same("loss", got[0], losses @ tokens / tokens.sum(), {
        "this is the mean over mini-batches; weight each by its number of characters": losses.mean(),
        "this is the loss of the last mini-batch": losses[-1],
        "this is the sum over mini-batches; divide by the number of all characters": losses.sum(),
        "the losses of the mini-batches are already means: multiply each by batch.tokens before you add":
            losses.sum() / tokens.sum(),
    })  # fmt: skip
    if getattr(got[1], "t", None) != steps:
        raise Wrong("state is not the one after the last step, which the next epoch needs")
    before, after = learn_headlines(yours)
    return f"your loop trained a small headline writer from {before:.2f} to {after:.2f} nats per character"


def learn_headlines(yours):
    """The validation loss of a small model before and after the learner's loop."""
    corpus = headlines()
    tokenizer = CharTokenizer.fit(["".join(corpus.alphabet)])
    validation = [tokenizer.encode(text) for text in corpus.sample_many(50, np.random.default_rng(0))]
    validation_batches = SequenceBatches(validation, 50, tokenizer.eos_id)
    model, optimizer = LanguageModel(tokenizer.vocab_size, hidden=32, seed=0), Adam(0.02, beta2=0.99)
    before = evaluate(model, validation_batches)
    batches = CorpusBatches(corpus, tokenizer, size=800, batch_size=8)
    yours(model, optimizer, optimizer.init(model.parameters.flat), batches, np.random.default_rng(1), 1.0)
    return before, evaluate(model, validation_batches)


BLANKS = 8  # in the exercise before it is filled in
TASKS = [
    Task("uncertainty", uncertainty, (
        "A sum over all alternatives, each surprise times its probability. Before the sum, keep only what can happen.",
        "q = p[p > 0] has no zeros. For nats take np.log of q, times q, sum, and check the sign. A bit is ln 2 nats; the"
        " perplexity is e to the power of the nats.",
    )),
    Task("next_characters", next_characters, (
        "Keep the sentences that begin with the prefix. What comes right after the prefix in each of them? The sum of their"
        " probabilities is that of the prefix.",
        "sentence.startswith(prefix) finds them. The slice from len(prefix) to len(prefix) + 1 is one character, or \"\" at the"
        " end, where an index would be an error. Add up probabilities by character, then divide by their sum.",
    )),
    Task("train_epoch", train_epoch, (
        "Three things in this order: clip g, call optimizer.step, count. The loss of a mini-batch is a mean; by what must you"
        " multiply it before you add it?",
        "np.linalg.norm(g) is the norm. g times max_norm / norm has the norm max_norm; do that only if the norm is larger. The"
        " state that step returns is the state for the next step. A mini-batch has loss times batch.tokens nats.",
    ), may_change=("state",)),
]  # fmt: skip
