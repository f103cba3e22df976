"""18. Many to many.

Fill in the blanks, each a `...`, in your own copy of this file:
lessons/my/18_many_to_many.py. Leave the one in lessons/exercises blank.

    minilstm exercise 18           make the copy, the first time, and grade it
    minilstm exercise 18 --hint    a hint, when you are stuck
    minilstm exercise 18 --reset   begin again; what you wrote is kept beside it
"""

import numpy as np


def teacher_forcing(answers, start, end):
    """Task 1. Inputs and targets of a decoder: returns (inputs, targets, lengths).

    answers : a list of B arrays of ids, of any lengths, without start and end.
    inputs, targets : (T, B) integers, a column for each answer, 0 at the padding. T is
        one more than the longest answer.
    lengths : (B,), the number of real targets of each answer.
    """
    B = len(answers)
    T = ...
    inputs, targets = np.zeros((T, B), int), np.zeros((T, B), int)
    for b, y in enumerate(answers):
        ...
    lengths = ...
    return inputs, targets, lengths


def pair_backward(backward, dh, S):
    """Task 2. Backward from a decoder to its encoder: returns (dx_target, dx_source).

    Two layers read the source, encoder0 and then encoder1. Two layers write the target,
    decoder0 and then decoder1. Each decoder layer begins from the final state of the
    encoder layer with its number. The decoder reads nothing else of the encoder.

    backward : backward(layer, dh, dstate) goes through one layer, from the last step to
        the first; `layer` is one of the four names. dh is the gradient of the layer's
        outputs, dstate = (dhT, dcT) that of its final state, (B, H) each. It returns
        (dx, (dh0, dc0)), the gradients of its inputs and of its initial state.
    dh : (T, B, H), the gradient of the outputs of decoder1. Nothing reads the decoder's
        final states.
    S : the number of steps of the source.
    dx_target : (T, B, E), the gradient of what decoder0 reads.
    dx_source : (S, B, E), the gradient of what encoder0 reads.
    """
    T, B, H = dh.shape
    zeros = np.zeros((B, H)), np.zeros((B, H))
    dx, dstate1 = backward("decoder1", ..., ...)
    dx_target, dstate0 = backward("decoder0", ..., ...)
    dx, _ = backward("encoder1", ..., ...)
    dx_source, _ = backward("encoder0", ..., ...)
    return dx_target, dx_source


def greedy(step, state, start, end, limit):
    """Task 3. Write B texts, always the most likely token: returns a list of B lists.

    step : step(ids, state) reads one id of each text, (B,), and returns the logits
        (B, V) of the next one and the new state. It always reads all B texts.
    state : (B, H), the decoder's initial state, from the encoder.
    start, end : the ids of the start and of the end token.
    limit : the most calls of `step`. When all texts have ended, stop before that.

    A text is a list of ids, without start and end. What is written after the end of a
    text does not belong to it; other texts may go on.
    """
    B = len(state)
    texts, ended = [[] for _ in range(B)], np.zeros(B, bool)
    ids = ...  # (B,), what every text reads first
    for _ in range(limit):
        logits, state = ...
        ids = ...
        ...
    return texts


if __name__ == "__main__":
    from minilstm.course import grade

    grade(__file__)
