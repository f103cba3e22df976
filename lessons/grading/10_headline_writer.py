"""10. A headline writer: grading."""

import numpy as np

from minilstm import Adam, CharTokenizer, LanguageModel
from minilstm.corpora.headlines import headlines
from minilstm.course import Case, Task
from minilstm.data.batches import CorpusBatches, SequenceBatches
from minilstm.training.loop import evaluate

LANGUAGE = {
    "rain": 0.2, "rain in Oslo": 0.15, "rain in Rome": 0.05, "rare sun": 0.1, "sun": 0.25, "sun in Rome": 0.1,
    "no rain in Oslo": 0.1, "no sun": 0.05,
}


def small_run(rng):
    """A model, an optimizer, its state from an earlier epoch, mini-batches of 3, 3, 3 and 1 sequences, a rng, a norm."""
    sequences = [rng.integers(1, 6, size=n) for n in (9, 4, 7, 2, 5, 8, 3, 6, 9, 2)]
    model, optimizer = LanguageModel(7, hidden=5, seed=2, dtype=np.float64), Adam(0.02)
    state = optimizer.init(model.parameters.flat)
    state.m[:], state.v[:] = rng.normal(size=state.m.size) / 10, rng.random(state.v.size) / 100
    batches = SequenceBatches(sequences, 3, eos_id=6)
    # some of the gradients are longer than 0.29, some are shorter
    return [(model, optimizer, type(state)(state.m, state.v, 4), batches, np.random.default_rng(7), 0.29)]


def learns_headlines(yours):
    corpus = headlines()
    tokenizer = CharTokenizer.fit(["".join(corpus.alphabet)])
    validation = [tokenizer.encode(text) for text in corpus.sample_many(50, np.random.default_rng(0))]
    validation_batches = SequenceBatches(validation, 50, tokenizer.eos_id)
    model, optimizer = LanguageModel(tokenizer.vocab_size, hidden=32, seed=0), Adam(0.02, beta2=0.99)
    before = evaluate(model, validation_batches)
    batches = CorpusBatches(corpus, tokenizer, size=800, batch_size=8)
    yours(model, optimizer, optimizer.init(model.parameters.flat), batches, np.random.default_rng(1), 1.0)
    after = evaluate(model, validation_batches)
    return f"your loop trained a small headline writer from {before:.2f} to {after:.2f} nats per character"


CLIP, STEP = "g *= min(1.0, max_norm / np.linalg.norm(g))", "state = optimizer.step(theta, g, state)"
BLANKS = 8  # in the exercise before it is filled in
TASKS = [
    Task(
        "uncertainty",
        hints=(
            "A sum over all alternatives, each surprise times its probability. Before the sum, keep only what can happen.",
            "q = p[p > 0] has no zeros. For nats take np.log of q, times q, sum, and check the sign. A bit is ln 2 nats; the"
            " perplexity is e to the power of the nats.",
        ),
        cases=lambda rng: [
            Case((rng.dirichlet(np.ones(5)),), "five unequal probabilities"),
            Case((np.full(8, 1 / 8),), "eight equal probabilities"),
            Case((np.array([0.0, 0.5, 0.0, 0.3, 0.2]),), "p with zeros"),
        ],
        returns=("nats", "bits", "perplexity"),
        mistakes={
            "possible = p": "it is NaN if p has a zero: 0 times ln 0 is NaN; leave out what never happens",
            "nats = (possible * np.log(possible)).sum()": "its sign: surprises are positive, and ln p is negative",
            "nats = -(possible * np.log2(possible)).sum()": "log2 gives bits; ln gives nats",
            "nats = -np.log(possible).sum()": "weight each surprise -ln p by its probability p",
            "nats = -np.log(possible).mean()": "this is the plain mean; weight each surprise -ln p by its probability p",
            "nats = -(possible * np.log(possible)).mean()":
                "it is divided by the number of alternatives, but the weights p already make it a mean",
            "bits = nats * np.log(2)": "a bit is ln 2 = 0.69 nats, so there are more bits than nats: divide",
            "bits = nats": "these are still nats",
            "perplexity = np.exp(bits)": "e goes with nats, 2 with bits: this is e to the power of the bits",
            "perplexity = 2**nats": "e goes with nats, 2 with bits: this is 2 to the power of the nats",
            "perplexity = len(p)": "this is the number of alternatives; it would be right if all were equally likely",
        },
        praise="right, also if something never happens; eight equal probabilities have perplexity 8",
    ),
    Task(
        "next_characters",
        hints=(
            "Keep the sentences that begin with the prefix. What comes right after the prefix in each of them? The sum of their"
            " probabilities is that of the prefix.",
            "sentence.startswith(prefix) finds them. The slice from len(prefix) to len(prefix) + 1 is one character, or \"\" at"
            " the end, where an index would be an error. Add up probabilities by character, then divide by their sum.",
        ),
        cases=lambda rng: [(dict(LANGUAGE), prefix) for prefix in ("ra", "r", "rain", "", "rain in ", "no rain in Oslo")],
        returns="the result",
        mistakes={
            "total = 1": "these are joint probabilities with the prefix; divide them by that of the prefix",
            "+= probability -> += 1": "weight each sentence by its probability; yours counts each once",
            "+= probability -> = probability": "if two sentences have the same next character, their probabilities add up;"
                " yours keeps the last",
            "total = len(following)":
                "they are divided by the number of characters that can follow; divide by the probability of the prefix",
            "sentence.startswith(prefix) -> prefix in sentence":
                "the prefix must be at the beginning of a sentence, not anywhere in it",
            "sentence.startswith(prefix) -> sentence.startswith(prefix) and sentence != prefix":
                "a sentence that ends here counts, too, as \"\"",
        },
        advice={"the result": 'each character that can follow belongs in it, and "" for the end, and no other'},
        praise="the surprises of 'no rain in Oslo' sum to 2.303 nats, and exp(-2.303) is its probability, 0.1",
    ),
    Task(
        "train_epoch",
        hints=(
            "Three things in this order: clip g, call optimizer.step, count. The loss of a mini-batch is a mean; by what must"
            " you multiply it before you add it?",
            "np.linalg.norm(g) is the norm. g times max_norm / norm has the norm max_norm; do that only if the norm is larger."
            " The state that step returns is the state for the next step. A mini-batch has loss times batch.tokens nats.",
        ),
        may_change=("state",),
        cases=small_run,
        returns=("loss", "state"),
        compared=lambda got, given: {
            "theta after the epoch": given["model"].parameters.flat, "loss": got[0], "the number of steps in state": got[1].t},
        mistakes={
            f"{STEP} -> pass": "it has not changed: optimizer.step changes theta = model.parameters.flat",
            f"{CLIP} -> pass": "the gradient was not clipped before the step",
            "min(1.0, max_norm / np.linalg.norm(g)) -> max_norm / np.linalg.norm(g)":
                "a gradient with a norm below max_norm was made longer",
            "min( -> max(": "short gradients were made longer, and long ones were not clipped",
            f"{CLIP} -> np.clip(g, -max_norm, max_norm, out=g)":
                "each entry was clipped; clipping by norm keeps the direction and scales all of g",
            f"{STEP} -> optimizer.step(theta, g, state)": "the result of step was not kept: state = optimizer.step(...) has the"
                " new means for the next mini-batch",
            f"{STEP} -> state = optimizer.step(theta, -g, state)":
                "the sign of g is wrong: step already goes against the gradient",
            f"{STEP} -> optimizer.step(theta, g, optimizer.init(theta))":
                "the optimizer's state was lost in each step; pass the state that step returns to the next step",
            f"theta = model.parameters.flat -> theta, total = model.parameters.flat, 0; {STEP} -> total = total + g.copy()"
            "\n        state = optimizer.step(theta, total.copy(), state)":
                "the gradients of earlier mini-batches were added; use that of the present one only",
            f"{STEP} -> state = optimizer.step(theta, g, optimizer.step(theta, g, state))":
                "there were two steps for each mini-batch; make one",
            "batches.epoch(rng) -> batches.epoch()": "the mini-batches came in the order of the data; use batches.epoch(rng)",
            "loss * batch.tokens -> loss; += batch.tokens -> += 1":
                "this is the mean over mini-batches; weight each by its number of characters",
            "return loss, state": "this is the loss of the last mini-batch",
            "loss * batch.tokens -> loss; return nats, state":
                "this is the sum over mini-batches; divide by the number of all characters",
            "loss * batch.tokens -> loss": "the losses of the mini-batches are already means: multiply each by batch.tokens"
                " before you add",
            "return nats / characters, optimizer.init(theta)":
                "state is not the one after the last step, which the next epoch needs",
        },
        check=learns_headlines,
    ),
]  # fmt: skip
