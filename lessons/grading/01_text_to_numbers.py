"""1. From text to numbers: grading."""

import numpy as np

from minilstm.corpora.headlines import headlines
from minilstm.course import Case, Task
from minilstm.course.mistakes import Solutions

ENDS = "; return inputs, np.vstack([targets[:-1], 0 * targets[-1:] + eos]), lengths"
LEFT = "inputs[:n, b] -> inputs[len(inputs) - n :, b]; targets[:n, b] -> targets[len(inputs) - n :, b]"
MIDDLE = "[np.where(np.arange(len(ids)) == len(ids) // 2, 0, ids).tolist() for ids in sequences]"
WRONG_BATCHES = {  # by the change of `pad` that makes one
    "targets[:n, b] = ids": "whose targets are the inputs themselves",
    "targets[:n, b] = [eos, *ids[:-1]]": "whose targets are one step behind",
    "targets[:n, b] = [*ids[1:], ids[0]]": "with the first id after the last one, where eos belongs",
    "targets[:n, b] = [*ids[1:], 0]": "in which eos is never a target",
    "targets[:n, b] = [*ids[1:], 0]" + ENDS: "with eos in the last row, not at each sequence's own end",
    LEFT: "with padding on the left",
    "inputs = np.full((lengths.max(), len(sequences)), eos); targets = inputs.copy()": "with eos for padding",
    "return inputs, targets, np.minimum(lengths + 1, len(inputs))": "whose lengths count eos, where there is room for it",
    "return inputs, targets, np.maximum(lengths - 1, 1)": "whose lengths are one too small",
    "return inputs, np.column_stack([targets[:, :-1], inputs[:, -1]]), lengths":
        "in which only the last sequence is wrong: its targets are its inputs",
    f"zip(sequences, lengths) -> zip({MIDDLE}, lengths)": "in which a real input is 0, as if ids were counted from 0",
}


def texts(rng):
    return [(["tea for two", "Tea for three"],), (headlines().sample_many(40, rng),)]


def sequences(rng, *lengths):
    return [(rng.permutation(8)[:n] + 1).tolist() for n in lengths]  # no id twice, so that every shift changes something


def batches(rng):
    ours = Solutions.beside(__file__)
    pads = {"a right mini-batch": ours.right("pad")} | {
        f"a mini-batch {words}": ours.wrong("pad", change) for change, words in WRONG_BATCHES.items()
    }
    for *lengths, eos in ((5, 3, 2, 4, 9), (5, 3, 2, 4, 0), (2, 4, 6, 9), (6, 6, 3, 0), (1, 1, 9), (3, 0)):
        ids = sequences(rng, *lengths)
        right = ours.right("pad")(ids, eos)
        for words, pad in pads.items():
            inputs, targets, n = batch = pad(ids, eos)
            b = next((b for b in range(len(n)) if any(np.any(a.T[b] != r.T[b]) for a, r in zip(batch, right))), 0)
            shown = f"sequence {b} has inputs {inputs[:, b]}, targets {targets[:, b]}, length {n[b]}, and eos is {eos}"
            yield Case((*batch, eos), f"{words}: {shown}")


BLANKS = 6  # in the exercise as it is shipped
TASKS = [
    Task(
        "make_ids",
        hints=(
            "Join all texts, count the characters, and number them in the order of most_common(). Which number is the first"
            " that is free?",
            "Counter(...) of the joined texts gives the counts. most_common() gives pairs (character, count). enumerate with"
            " start=1 numbers them. A dictionary comprehension keeps the character and the number.",
        ),
        cases=texts,
        returns="the result",
        mistakes={
            "start=1 -> start=0": "the ids begin with 0, which is the id of padding",
            "start=1 -> start=2": "the ids begin with 2, as word ids do, where 1 is the unknown word",
            "{char: k -> {k: char": "it is the wrong way round: characters must be the keys, and ids the values",
            "return dict(counts)": "these are the counts; the id is the position in the order of the counts",
            "counts.most_common() -> counts.most_common()[::-1]": "the rarest character comes first",
            "return {char: k for k, char in enumerate(sorted(counts), start=1)}":
                "the ids follow the alphabet, not the frequency",
            "return {char: k for k, char in enumerate(counts, start=1)}":
                "the ids follow the first appearance, not the frequency",
            "counts.most_common() -> sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))":
                "of equally frequent characters, the one that appears first must come first",
        },
        advice={"the result": "the keys must be the characters of all texts, not their words"},
        praise="the ids begin with 1 and follow the frequency, and 0 is free for padding",
    ),
    Task(
        "pad",
        hints=(
            "Begin with arrays of zeros: what you do not fill is padding. Each sequence goes into the top of its column.",
            "np.zeros((T, B), int) twice. A sequence b of n ids fills the first n rows of column b. Its targets are the ids"
            " from the second on, followed by eos: again n numbers.",
        ),
        cases=lambda rng: [(sequences(rng, *n), eos) for *n, eos in ((3, 5, 1, 4, 9), (2, 6, 3, 0), (4, 9))],
        returns=("inputs", "targets", "lengths"),
        mistakes={
            "return inputs, targets, lengths + 1": "it counts eos, which is a target and never an input",
            "return inputs.T, targets.T, lengths": "it is (B, T); it must be (T, B), with sequence b in column b",
            "(lengths.max(), -> (lengths.max() + 1,":
                "it has a row too many; eos is never an input, and T is the length of the longest sequence",
            LEFT: "the padding is on the left; it must be after the sequence",
            "return np.where(inputs == 0, eos, inputs), np.where(targets == 0, eos, targets), lengths":
                "the padding is eos; it must be 0",
            "return inputs[:, np.argsort(-lengths)], targets, lengths": "the sequences must keep their order",
            "targets[:n, b] = ids": "they are the inputs themselves; a model would only learn to copy",
            "targets[:n, b] = [eos, *ids[:-1]]": "they are one step behind; a target is the next token",
            "targets[:n, b] = [*ids[1:], ids[0]]": "after the last id comes the first one, where eos belongs",
            "targets[:n, b] = [*ids[1:], 0]": "eos is missing after the last id",
            "targets[:n, b] = [*ids[1:], 0]" + ENDS:
                "eos is in the last row; it must be right after the last id of each sequence",
        },
        praise="inputs, targets and lengths are right: targets one step ahead, padding on the right",
    ),
    Task(
        "is_right",
        hints=(
            "Take the real ids of each sequence, as the lengths say. Is one of them 0? Is everything after them 0? What should"
            " the targets be for these inputs?",
            "Your pad makes a mini-batch of sequences. Call it with the real ids that you took out, and compare its three"
            " arrays with the given ones by np.array_equal, which also compares the shapes.",
        ),
        cases=batches,
        returns="the answer",
        praise=f"{len(WRONG_BATCHES)} kinds of wrong mini-batches are refused, and all right ones are accepted",
    ),
]  # fmt: skip
