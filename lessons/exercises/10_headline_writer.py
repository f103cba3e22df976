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
    """Task 1. The entropy of p (V,) in nats and in bits, and its perplexity.

    p is a distribution, h = -Σ p ln p. What never happens, p = 0, adds 0 to the sum,
    although ln 0 does not exist.
    """
    nats = ...
    bits = ...
    perplexity = ...
    return nats, bits, perplexity


def next_characters(sentences, prefix):
    """Task 2. The exact reader of a small language: what may follow a prefix?

    sentences : {sentence: probability}, all sentences of the language.
    prefix : at least one of the sentences begins with it.

    Returns {character: probability} for each character that can follow the prefix. The
    end of a sentence counts as a character, "".
    """
    following = Counter()
    for sentence, probability in sentences.items():
        ...
    return ...


def train_epoch(model, optimizer, state, batches, rng, max_norm):
    """Task 3. One epoch of training, which changes the model: returns (loss, state).

    Each mini-batch gives a loss and a gradient g (P,). If the norm of g is above
    max_norm, g is scaled to that norm. Then `optimizer.step(theta, g, state)` changes
    the parameters theta (P,) in place and returns the new state of the optimizer.

    loss : in nats per character, the mean over all real characters of the epoch. A
        mini-batch has batch.tokens of them, and its loss is their mean. Some have more
        characters than others.
    state : the optimizer's state after the last step.
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
