"""10. A headline writer.

Fill in the blanks, each a `...`, in your own copy of this file:
lessons/my/10_headline_writer.py. Leave the one in lessons/exercises blank.

    minilstm exercise 10           make the copy, the first time, and grade it
    minilstm exercise 10 --hint    a hint, when you are stuck
    minilstm exercise 10 --reset   begin again; what you wrote is kept beside it
"""

from collections import Counter

import numpy as np


def uncertainty(p):
    """Task 1. The entropy of a distribution p (V,) in nats, the same in bits, and its perplexity: three numbers.

    h = -Σ p ln p. What never happens, p = 0, surprises nobody: it adds nothing, though ln 0 is no number.
    """
    nats = ...
    bits = ...
    perplexity = ...
    return nats, bits, perplexity


def next_characters(sentences, prefix):
    """Task 2. The exact reader of a small language: with what probability does each character follow this prefix?

    sentences : {sentence: probability}, all that there are. prefix : at least one of them begins with it.
    Returns {character: probability}, without those that cannot follow. The end of a sentence counts as a character, "".
    """
    following = Counter()
    for sentence, probability in sentences.items():
        ...
    return ...


def train_epoch(model, optimizer, state, batches, rng, max_norm):
    """Task 3. One pass through the batches, which changes the model: returns (loss, state).

    For each batch, with loss and gradient g (P,): if the norm of g is larger than max_norm, g is scaled to that norm; then
    `optimizer.step(theta, g, state)` changes the parameters theta (P,) in place and returns its new state.

    loss : nats a character, the mean over all real characters of the epoch. A batch has batch.tokens of them, its loss is
    their mean, and there are fewer in some batches than in others. state : of the optimizer after the last step.
    """
    theta = model.parameters.flat
    nats, characters = 0.0, 0
    for batch in batches.epoch(rng):
        loss, gradients, _, _ = model.loss_and_gradients(batch)
        g = gradients.flat
        ...
        nats += ...
        characters += ...
    return nats / characters, state


if __name__ == "__main__":
    from minilstm.course import grade

    grade(__file__)
