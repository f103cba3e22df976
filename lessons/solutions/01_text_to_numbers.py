"""1. From text to numbers: solutions."""

from collections import Counter

import numpy as np


def make_ids(texts):
    counts = Counter("".join(texts))
    return {char: k for k, (char, _) in enumerate(counts.most_common(), start=1)}


def pad(sequences, eos):
    lengths = np.array([len(ids) for ids in sequences])
    inputs = np.zeros((lengths.max(), len(sequences)), int)
    targets = np.zeros_like(inputs)
    for b, (ids, n) in enumerate(zip(sequences, lengths)):
        inputs[:n, b] = ids
        targets[:n, b] = [*ids[1:], eos]
    return inputs, targets, lengths


def is_right(inputs, targets, lengths, eos):
    # Take out the real tokens and pad them again: a right mini-batch is unchanged.
    sequences = [inputs[:n, b].tolist() for b, n in enumerate(lengths)]
    if any(0 in ids for ids in sequences):
        return False
    return all(map(np.array_equal, pad(sequences, eos), (inputs, targets, lengths)))
