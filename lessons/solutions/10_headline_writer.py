"""10. A headline writer: solutions."""

from collections import Counter

import numpy as np


def uncertainty(p):
    possible = p[p > 0]
    nats = -(possible * np.log(possible)).sum()
    bits = nats / np.log(2)
    perplexity = np.exp(nats)
    return nats, bits, perplexity


def next_characters(sentences, prefix):
    following = Counter()
    for sentence, probability in sentences.items():
        if sentence.startswith(prefix):
            following[sentence[len(prefix) : len(prefix) + 1]] += probability  # "" if nothing is left
    total = sum(following.values())
    return {character: probability / total for character, probability in following.items()}


def train_epoch(model, optimizer, state, batches, rng, max_norm):
    theta = model.parameters.flat
    nats, characters = 0.0, 0
    for batch in batches.epoch(rng):
        loss, gradients, _, _ = model.loss_and_gradients(batch)
        g = gradients.flat
        g *= min(1.0, max_norm / np.linalg.norm(g))
        state = optimizer.step(theta, g, state)
        nats += loss * batch.tokens
        characters += batch.tokens
    return nats / characters, state
