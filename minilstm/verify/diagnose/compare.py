"""Which mistake is it? ``diagnose`` and the order in which it asks.

If the results of a function are those of ours with a known mistake, it is that mistake:
in every part of every random case, to six digits. Several mistakes at once are found by
making them all in our code. What the catalogue does not explain is traced to the place
where it begins. ``yours`` are the results of the function under test, ``right`` ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from minilstm.reference.lstm import lstm_step
from minilstm.reference.sequence import lstm_sequence
from minilstm.verify.cells import CELLS, LSTM
from minilstm.verify.diagnose.diagnosis import Diagnosis
from minilstm.verify.diagnose.examine import examine
from minilstm.verify.diagnose.explain import differences
from minilstm.verify.diagnose.in_layout import (
    diagnose_in_layout,
    diagnose_loss_in_layout,
    examine_ours,
)
from minilstm.verify.diagnose.locate import in_a_step, in_time
from minilstm.verify.diagnose.trial import Trial
from minilstm.verify.diagnose.trials import (
    loss_trial,
    sequence_backward_trial,
    sequence_trial,
    step_backward_trial,
    step_trial,
)
from minilstm.verify.layouts.described import find_layout, is_ours
from minilstm.verify.layouts.layout import SEQUENCE, STEP

TANH_TWICE = "tanh of tanh(c)"  # or a cache that has c where ours has tanh(c)
IF_CACHE_KEEPS_C = (
    "The last field of the cache is tanh(c): if your cache keeps c, give your own"
    " forward {} as the second argument."
)
CACHE_KEEPS_C = (
    "That is with c as the last field of the cache, where reference.lstm_step has"
    " tanh(c). Give your own forward {} as the second argument, to check both."
)


def diagnose(
    my_step_backward: Callable,
    my_step: Callable | None = None,
    *,
    layout="minilstm",
    cell: str = "lstm",
    seed: int = 0,
) -> Diagnosis:
    """Find out what is wrong with a backward step of an LSTM, a GRU or a simple RNN.

    ``check_step`` finds out whether a backward step belongs to its own forward step;
    ``diagnose`` whether both are those of the cell.

    Parameters
    ----------
    my_step_backward : callable
        (dh, dc, cache, Wx, Wh) to (dx, dh_prev, dc_prev, grads), as
        ``reference.lstm_step_backward``. ``grads`` are the gradients of Wx, Wh and b,
        in this order or by name, in blocks i, f, g, o.
    my_step : callable, optional
        (x, h_prev, c_prev, Wx, Wh, b) to (h, c, cache). It is compared first, and
        ``my_step_backward`` gets its cache, of any form. Each backward step follows its
        own forward step, so an object may keep the cache, and ``my_step`` return None
        for it. Default: ``reference.lstm_step``. Its cache is the named tuple (x,
        h_prev, c_prev, i, f, g, o, tanh_c).
    layout : str, Layout or dict
        A name of ``LAYOUTS``, or a description of other shapes and names, see
        docs/check-your-code.md. If it is not ours, both functions are needed.
    cell : str
        "lstm", "gru" or "rnn". A GRU's functions are as ``reference.gru_step`` and
        ``gru_step_backward``: (dh, cache, Wx, Wh) to (dx, dh_prev, grads), with the
        gradients of Wx, Wh, bx and bh in blocks r, z, n. A simple RNN's are as
        ``reference.rnn_step`` and ``rnn_step_backward``.
    seed : int
        Of the random cases.

    Returns
    -------
    Diagnosis
        True if nothing is wrong. It prints as text.

    Raises
    ------
    InputError
        If a function does not return what it should in form.

    >>> from minilstm.reference import lstm_step_backward
    >>> diagnose(lstm_step_backward).right
    True
    """
    form = find_layout(layout, cell)
    if not is_ours(form):
        return diagnose_in_layout(form, STEP, my_step, my_step_backward, seed)
    of = CELLS[form.cell]
    if my_step is not None:
        forward = examine_ours(step_trial(seed, of), my_step)
        if not forward.right:
            return forward
    trial = step_backward_trial(seed, my_step, of)
    found = examine_ours(trial, my_step_backward, in_a_step)
    if my_step is not None or of is not LSTM:
        return found
    with_c = step_backward_trial(seed, lstm_step_keeping_c)
    return about_the_cache(found, with_c, my_step_backward)


def diagnose_sequence(
    my_backward: Callable,
    my_forward: Callable | None = None,
    *,
    layout="minilstm",
    cell: str = "lstm",
    seed: int = 0,
) -> Diagnosis:
    """Find out what is wrong with backpropagation through time, and from which step on.

    Parameters
    ----------
    my_backward : callable
        (dh, (dhT, dcT), caches, Wx, Wh) to (dx, (dh0, dc0), grads), as
        ``reference.sequence.lstm_sequence_backward``; dh (T, B, H), dx (T, B, D).
    my_forward : callable, optional
        (x, (h0, c0), Wx, Wh, b) to (h, (hT, cT), caches). It is compared first, and
        ``my_backward`` gets its caches, of any form. Each backward pass follows its own
        forward pass; the caches may be used up, or kept on an object. Default: a list
        with the cache of ``reference.lstm_step``, (x, h_prev, c_prev, i, f, g, o,
        tanh_c), of each step.
    layout : str, Layout or dict
        A name of ``LAYOUTS``, or a description of other shapes and names, see
        docs/check-your-code.md. If it is not ours, both functions are needed.
    cell : str
        "lstm", "gru" or "rnn". The states of a GRU and of a simple RNN are tuples of
        one array, (h0,) and (dhT,). The weights of a GRU are Wx, Wh, bx and bh.
    seed : int
        Of the random cases.

    Returns
    -------
    Diagnosis
        True if nothing is wrong. It prints as text.

    Raises
    ------
    InputError
        If a function does not return what it should in form.
    """
    form = find_layout(layout, cell)
    if not is_ours(form):
        return diagnose_in_layout(form, SEQUENCE, my_forward, my_backward, seed)
    of = CELLS[form.cell]
    if my_forward is not None:
        forward = examine_ours(sequence_trial(seed, of), my_forward)
        if not forward.right:
            return forward
    trial = sequence_backward_trial(seed, my_forward, of)
    found = examine_ours(trial, my_backward, in_time)
    if my_forward is not None or of is not LSTM:
        return found
    with_c = sequence_backward_trial(seed, lstm_sequence_keeping_c)
    return about_the_cache(found, with_c, my_backward)


def about_the_cache(found: Diagnosis, with_c: Trial, function: Callable) -> Diagnosis:
    """The diagnosis, unless the function is right with c in the cache for tanh(c)."""
    what = found.title.split()[1]  # of "backward step", "backward pass through time"
    if found.right:
        return found
    if not differences(with_c.yours(function), with_c.right()):
        found = examine(with_c, function)
        return replace(found, notes=(CACHE_KEEPS_C.format(what), *found.notes))
    if TANH_TWICE in {mistake.name for mistake in found.mistakes}:
        return replace(found, notes=(IF_CACHE_KEEPS_C.format(what), *found.notes))
    return found


def lstm_step_keeping_c(*inputs):
    """Our forward step with another cache: c is its last field, without a name."""
    h, c, cache = lstm_step(*inputs)
    return h, c, (*cache[:-1], c)


def lstm_sequence_keeping_c(*inputs):
    """Our forward pass with such a cache for each step."""
    h, final, caches = lstm_sequence(*inputs)
    with_c = lambda cache: cache.f * cache.c_prev + cache.i * cache.g
    return h, final, [(*cache[:-1], with_c(cache)) for cache in caches]


def diagnose_step(
    my_step: Callable, *, layout="minilstm", cell: str = "lstm", seed: int = 0
) -> Diagnosis:
    """Find out what is wrong with a forward step of an LSTM, a GRU or a simple RNN.

    ``my_step`` : (x, h_prev, c_prev, Wx, Wh, b) to (h, c, cache), or as
    ``reference.gru_step`` or ``rnn_step``, or as the layout says. ``layout`` and
    ``cell`` : as in ``diagnose``.
    """
    form = find_layout(layout, cell)
    if not is_ours(form):
        return diagnose_in_layout(form, STEP, my_step, None, seed)
    return examine_ours(step_trial(seed, CELLS[form.cell]), my_step)


def diagnose_loss(my_loss: Callable, *, layout="minilstm", seed: int = 0) -> Diagnosis:
    """Find out what is wrong with a softmax cross-entropy and its gradient.

    ``my_loss`` : logits (T, B, V), targets (T, B), lengths (B,) to (loss, dlogits), or
    as the layout says. The loss is the mean over the real tokens; in the layout
    "cs231n" their sum divided by the number of sequences. ``layout`` : as in
    ``diagnose``.
    """
    form = find_layout(layout)
    if not is_ours(form):
        return diagnose_loss_in_layout(form, my_loss, seed)
    return examine_ours(loss_trial(seed), my_loss)
