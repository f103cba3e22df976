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
    """Task 1. A dictionary from each character of the texts, a list of strings, to its id.

    The most frequent character has the id 1, the next one 2, and so on; 0 stays free. Of equally frequent characters the one
    that appears first comes first. `Counter.most_common()` sorts just so.
    """
    counts = ...
    return ...


def pad(sequences, eos):
    """Task 2. B sequences of ids, lists of different lengths, as a batch: (inputs, targets, lengths).

    inputs and targets (T, B), integers, with 0 where a sequence has ended; T is the length of the longest; sequence b is
    column b. The targets are one step ahead, and each sequence's last target is eos. lengths (B,): how many inputs of each
    are real. A loop over the sequences is welcome.
    """
    lengths = ...
    inputs = ...
    targets = ...
    return inputs, targets, lengths


def is_right(inputs, targets, lengths, eos):
    """Task 3. Whether these three arrays are what `pad` makes of some sequences: True or False.

    It will be shown right batches, and wrong ones from eleven programs with a mistake each. None of these programs ended with
    an error; only a look at the arrays tells. eos may be any id, 0 too, as in the word tokenizer. No real input is 0.
    """
    return ...


if __name__ == "__main__":
    from minilstm.course import grade

    grade(__file__)
