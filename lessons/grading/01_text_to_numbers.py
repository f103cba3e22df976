"""1. From text to numbers: grading."""

from collections import Counter

import numpy as np

from minilstm.corpora.headlines import headlines
from minilstm.course import Task, Wrong, same
from minilstm.data.tokenizers import CharTokenizer
from minilstm.verify import contracts


def make_ids(yours):
    for texts in (["tea for two", "Tea for three"], headlines().sample_many(40, np.random.default_rng(1))):
        got = yours(texts)
        if not isinstance(got, dict):
            raise Wrong(f"make_ids must return a dictionary, not {type(got).__name__}")
        counts = Counter("".join(texts))
        chars = CharTokenizer.fit(texts).tokens
        if got and not any(isinstance(key, str) for key in got) and all(isinstance(value, str) for value in got.values()):
            raise Wrong("the dictionary is the wrong way round: characters must be the keys, and ids the values")
        if missing := counts.keys() - got.keys():
            words = " Are your keys words?" if any(len(str(key)) > 1 for key in got) else ""
            raise Wrong(f"{min(missing)!r} occurs in the texts and has no id.{words}")
        if extra := got.keys() - counts.keys():
            raise Wrong(f"{extra.pop()!r} has an id and is not a character of the texts")
        ids_by = lambda order: [order.index(char) + 1 for char in chars]
        known = {
            "they begin with 0, which is the id of padding": [k for k, _ in enumerate(chars)],
            "they begin with 2, as word ids do, where 1 is the unknown word": [k + 2 for k, _ in enumerate(chars)],
            "these are the counts; the id is the position in the order of the counts": [counts[char] for char in chars],
            "the rarest character comes first": ids_by(chars[::-1]),
            "they follow the alphabet, not the frequency": ids_by(sorted(chars)),
            "they follow the first appearance, not the frequency": ids_by([*counts]),
            "of equally frequent characters, the one that appears first must come first":
                ids_by(sorted(chars, key=lambda char: (-counts[char], char))),
        }  # fmt: skip
        ids = [int(got[s]) if isinstance(got[s], np.integer) else got[s] for s in chars]
        same("the list of ids, sorted by the frequency of their characters,", ids, list(range(1, len(chars) + 1)), known)
    return "the ids begin with 1 and follow the frequency, and 0 is free for padding"


def _shape(array):
    """None for rows of different lengths; ``same`` has a message for these."""
    try:
        return np.shape(array)
    except ValueError:
        return None


def _batch(sequences, eos):
    """The right mini-batch, computed one number at a time."""
    lengths = np.array([len(ids) for ids in sequences])
    inputs, targets = np.zeros((2, lengths.max(), len(sequences)), int)
    for b, ids in enumerate(sequences):
        for t, id_ in enumerate(ids):
            inputs[t, b] = id_
            targets[t, b] = ids[t + 1] if t + 1 < len(ids) else eos
    return inputs, targets, lengths


def _columns(columns, shape):
    """Columns of any lengths, with zeros below."""
    array = np.zeros(shape, int)
    for b, column in enumerate(columns):
        array[: len(column), b] = column
    return array


def _on_the_left(array, lengths):
    return np.stack([np.roll(column, len(array) - n) for column, n in zip(array.T, lengths)], axis=1)


def _end_in_last_row(targets, lengths, eos):
    array = targets.copy()
    array[lengths - 1, range(len(lengths))] = 0
    array[-1] = eos
    return array


def _sequences(rng, lengths, K=8):
    return [(rng.permutation(K)[:n] + 1).tolist() for n in lengths]  # no id twice, so that every shift changes something


def pad(yours):
    rng = np.random.default_rng(2)
    for lengths, eos in (((3, 5, 1, 4), 9), ((2, 6, 3), 0), ((4,), 9)):
        sequences = _sequences(rng, lengths)
        inputs, targets, n = _batch(sequences, eos)
        got = yours([list(ids) for ids in sequences], eos)
        contracts.unpack(got, 3, "pad must return three arrays: (inputs, targets, lengths)")
        same("lengths", got[2], n, {"it counts eos, which is a target and never an input": n + 1})
        for name, array in zip(("inputs", "targets"), got):
            if _shape(array) == inputs.shape[::-1] != inputs.shape:
                raise Wrong(f"{name} has the shape (B, T); it must be (T, B), with sequence b in column b")
            if _shape(array) == (len(inputs) + 1, len(n)):
                raise Wrong(f"{name} has a row too many; eos is never an input, and T is the length of the longest sequence")
        left = lambda array: {"the padding is on the left; it must be after the sequence": _on_the_left(array, n)}
        padding = np.arange(len(inputs))[:, None] >= n
        order = np.argsort(-n, kind="stable")
        same("inputs", got[0], inputs, left(inputs) | {
            "the padding is eos; it must be 0": np.where(padding, eos, inputs),
            "the sequences must keep their order": inputs[:, order],
        })  # fmt: skip
        columns = lambda change: _columns(map(change, sequences), inputs.shape)
        same("targets", got[1], targets, {
            "they are the inputs themselves; a model would only learn to copy": inputs,
            "they are one step behind; a target is the next token": columns(lambda ids: [eos, *ids[:-1]]),
            "after the last id comes the first one, where eos belongs": columns(lambda ids: [*ids[1:], ids[0]]),
            "eos is missing after the last id": columns(lambda ids: ids[1:]),
            "eos is in the last row; it must be right after the last id of each sequence": _end_in_last_row(targets, n, eos),
            "the padding is eos; it must be 0": np.where(padding, eos, targets),
        } | left(targets))  # fmt: skip
    return "inputs, targets and lengths are right: targets one step ahead, padding on the right"


def _wrong_batches(sequences, eos):
    """Wrong mini-batches: what is wrong, and the arrays. All else is right."""
    inputs, targets, lengths = _batch(sequences, eos)
    padding = np.arange(len(inputs))[:, None] >= lengths
    columns = lambda change: _columns(map(change, sequences), inputs.shape)
    one = targets.copy()
    one[:, -1] = inputs[:, -1]
    with_zero = [np.where(np.arange(len(ids)) == len(ids) // 2, 0, ids).tolist() for ids in sequences]
    yield "whose targets are the inputs themselves", (inputs, inputs, lengths)
    yield "whose targets are one step behind", (inputs, columns(lambda ids: [eos, *ids[:-1]]), lengths)
    yield "with the first id after the last one, where eos belongs", (inputs, columns(lambda ids: [*ids[1:], ids[0]]), lengths)
    yield "in which eos is never a target", (inputs, columns(lambda ids: ids[1:]), lengths)
    yield "with eos in the last row, not at each sequence's own end", (inputs, _end_in_last_row(targets, lengths, eos), lengths)
    yield "with padding on the left", (_on_the_left(inputs, lengths), _on_the_left(targets, lengths), lengths)
    yield "with eos for padding", (np.where(padding, eos, inputs), np.where(padding, eos, targets), lengths)
    yield "whose lengths count eos, where there is room for it", (inputs, targets, np.minimum(lengths + 1, len(inputs)))
    yield "whose lengths are one too small", (inputs, targets, np.maximum(lengths - 1, 1))
    yield "in which only the last sequence is wrong: its targets are its inputs", (inputs, one, lengths)
    yield "in which a real input is 0, as if ids were counted from 0", _batch(with_zero, eos)


def is_right(yours):
    rng = np.random.default_rng(3)
    found = set()
    for lengths, eos in (((5, 3, 2, 4), 9), ((5, 3, 2, 4), 0), ((2, 4, 6), 9), ((6, 6, 3), 0), ((1, 1), 9), ((3,), 0)):
        sequences = _sequences(rng, lengths)
        right = _batch(sequences, eos)
        if not _says(yours, right, eos):
            raise Wrong(f"it refuses a right mini-batch: {_shown(right, right, eos)}")
        for what, batch in _wrong_batches(sequences, eos):
            if all(map(np.array_equal, batch, right)):
                continue  # with this eos or these lengths nothing is wrong
            if _says(yours, batch, eos):
                raise Wrong(f"it accepts a mini-batch {what}: {_shown(batch, right, eos)}")
            found.add(what)
    return f"{len(found)} kinds of wrong mini-batches are refused, and all right ones are accepted"


def _says(yours, batch, eos):
    got = yours(*(array.copy() for array in batch), eos)
    if not isinstance(got, (bool, np.bool_)):
        raise Wrong(f"is_right must return True or False, not {type(got).__name__}")
    return got


def _shown(batch, right, eos):
    """One sequence of the mini-batch, the first that is wrong."""
    wrong = [any(np.any(a.T[b] != r.T[b]) for a, r in zip(batch, right)) for b in range(len(right[2]))]
    b = wrong.index(True) if any(wrong) else 0
    inputs, targets, lengths = batch
    return f"sequence {b} has inputs {inputs[:, b]}, targets {targets[:, b]}, length {lengths[b]}, and eos is {eos}"


BLANKS = 6  # in the exercise as it is shipped
TASKS = [
    Task("make_ids", make_ids, (
        "Join all texts, count the characters, and number them in the order of most_common(). Which number is the first"
        " that is free?",
        "Counter(...) of the joined texts gives the counts. most_common() gives pairs (character, count). enumerate with"
        " start=1 numbers them. A dictionary comprehension keeps the character and the number.",
    )),
    Task("pad", pad, (
        "Begin with arrays of zeros: what you do not fill is padding. Each sequence goes into the top of its column.",
        "np.zeros((T, B), int) twice. A sequence b of n ids fills the first n rows of column b. Its targets are the ids from"
        " the second on, followed by eos: again n numbers.",
    )),
    Task("is_right", is_right, (
        "Take the real ids of each sequence, as the lengths say. Is one of them 0? Is everything after them 0? What should"
        " the targets be for these inputs?",
        "Your pad makes a mini-batch of sequences. Call it with the real ids that you took out, and compare its three arrays"
        " with the given ones by np.array_equal, which also compares the shapes.",
    )),
]  # fmt: skip
