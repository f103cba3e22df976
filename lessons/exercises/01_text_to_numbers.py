"""1. From text to numbers.

Fill in the blanks, each a `...`, in your own copy of this file:
lessons/my/01_text_to_numbers.py. Leave the one in lessons/exercises blank.

    minilstm exercise 1           make the copy, the first time, and grade it
    minilstm exercise 1 --hint    a hint, when you are stuck
    minilstm exercise 1 --reset   begin again; what you wrote is kept beside it
"""

from collections import Counter

import numpy as np


def make_ids(texts):
    """Task 1. Returns a dictionary from each character of the texts to its id.

    texts is a list of strings. The most frequent character has the id 1, the next one
    2, and so on; 0 is padding. Of equally frequent characters, the one that appears
    first comes first. `Counter.most_common()` sorts in this way.
    """
    counts = ...
    return ...


def pad(sequences, eos):
    """Task 2. A mini-batch of B sequences of ids: returns (inputs, targets, lengths).

    sequences is a list of lists of different lengths. inputs and targets are arrays of
    integers, (T, B), where T is the length of the longest sequence. Sequence b is
    column b, with 0 after its end. The targets are one step ahead of the inputs, and
    the last target of each sequence is eos. lengths (B,) is the number of real inputs
    of each sequence. You may use a loop over the sequences.
    """
    lengths = ...
    inputs = ...
    targets = ...
    return inputs, targets, lengths


def is_right(inputs, targets, lengths, eos):
    """Task 3. Returns True if `pad` could have made these three arrays, and else False.

    It is tested with right mini-batches and with wrong ones, from eleven programs with
    one mistake each. None of these programs raised an error. eos may be any id; in the
    word tokenizer it is 0. A real input is never 0.
    """
    return ...


if __name__ == "__main__":
    from minilstm.course import grade

    grade(__file__)
