"""Which mistake is it: in pooling, both directions, attention, an encoder-decoder?

As ``compare.py`` does for a cell. Here forward comes first: your forward function is
compared with ours, and if it is right, your backward function gets its cache.
"""

from __future__ import annotations

from collections.abc import Callable

from minilstm.errors import InputError
from minilstm.verify.diagnose.diagnosis import Diagnosis
from minilstm.verify.diagnose.examine import examine
from minilstm.verify.diagnose.trial import Trial
from minilstm.verify.diagnose.trials_of_pairs import (
    encoder_decoder_trials,
    teacher_forcing_trial,
)
from minilstm.verify.diagnose.trials_of_shapes import (
    TITLES,
    attention_backward_trial,
    attention_trial,
    bidirectional_backward_trial,
    bidirectional_trial,
    pooling_backward_trial,
    pooling_trial,
)


def diagnose_pooling(
    my_forward: Callable,
    my_backward: Callable | None = None,
    kind: str = "last",
    *,
    seed: int = 0,
) -> Diagnosis:
    """Find out what is wrong with pooling, from hidden states to one vector.

    Parameters
    ----------
    my_forward : callable
        (h, lengths) to (y, cache): h (T, B, H), lengths (B,), y (B, H). Past a
        sequence's length, h holds random numbers that must not matter.
    my_backward : callable, optional
        (dy, cache) to dh (T, B, H), zeros at the padding. Default: only the forward
        function is compared.
    kind : str
        "last", "mean" or "max", as in ``minilstm.reference.pooling``.
    seed : int
        Of the random cases.

    Returns
    -------
    Diagnosis
        True if nothing is wrong. It prints as text.

    Raises
    ------
    InputError
        If there is no such kind, or a function does not return what it should in form.

    >>> import numpy as np
    >>> diagnose_pooling(lambda h, lengths: (h[-1], None)).mistakes[0].name
    'last padded step taken for the last real one'
    """
    if kind not in TITLES:
        raise InputError(f"kind must be one of {', '.join(TITLES)}, not {kind!r}")
    forward = pooling_trial(seed, kind)
    return _both(
        forward,
        my_forward,
        my_backward and pooling_backward_trial(seed, my_forward, kind),
        my_backward,
    )


def diagnose_bidirectional(
    my_forward: Callable, my_backward: Callable | None = None, *, seed: int = 0
) -> Diagnosis:
    """Find out what is wrong with a bidirectional LSTM layer.

    Both directions begin from states of zeros.

    Parameters
    ----------
    my_forward : callable
        (x, lengths, weights, reverse_weights) to (h, cache): x (T, B, D) with zeros at
        the padding, lengths (B,), and for each direction (Wx, Wh, b), in blocks i, f,
        g, o. h is (T, B, 2H), the forward direction first; at the padding it is not
        read.
    my_backward : callable, optional
        (dh, cache, weights, reverse_weights) to (dx, grads, reverse_grads): dx (T, B,
        D), zeros at the padding; the gradients of Wx, Wh and b of each direction, in
        this order or by name. Default: only the forward function is compared.
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
    return _both(
        bidirectional_trial(seed),
        my_forward,
        my_backward and bidirectional_backward_trial(seed, my_forward),
        my_backward,
    )


def diagnose_attention(
    my_forward: Callable, my_backward: Callable | None = None, *, seed: int = 0
) -> Diagnosis:
    """Find out what is wrong with additive attention, forward and backward.

    Parameters
    ----------
    my_forward : callable
        (q, a, lengths, Wq, Wa, b, v) to (context, cache), as
        ``reference.attention.attention_forward``: q (B, H), annotations a (S, B, A)
        with zeros at the padding, lengths (B,), context (B, A). The cache may be
        anything.
    my_backward : callable, optional
        (dcontext, cache, Wq, Wa, v) to (dq, da, grads), as ``attention_backward``
        there. ``grads`` are the gradients of Wq, Wa, b and v, in this order or by name.
        Default: only the forward function is compared.
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

    >>> from minilstm.reference.attention import attention_backward, attention_forward
    >>> diagnose_attention(attention_forward, attention_backward).right
    True
    """
    return _both(
        attention_trial(seed),
        my_forward,
        my_backward and attention_backward_trial(seed, my_forward),
        my_backward,
    )


def diagnose_teacher_forcing(my_function: Callable, *, seed: int = 0) -> Diagnosis:
    """Find out what is wrong with the inputs and targets of a decoder.

    ``my_function`` : (y, lengths, start, end) to (inputs, targets, lengths), as
    ``reference.decoder.teacher_forcing``: from ids y (T, B) to start, y[0], y[1] … and
    y[0], y[1] … end, (T + 1, B) each. What stands behind the end is not read.
    """
    return examine(teacher_forcing_trial(seed), my_function)


def diagnose_encoder_decoder(
    my_loss_and_gradients: Callable,
    *,
    attention: bool = False,
    bidirectional: bool = False,
    reverse_source: bool = False,
    layers: int = 1,
    seed: int = 0,
) -> Diagnosis:
    """Find out what is wrong with an encoder-decoder: its loss, then its gradients.

    All layers are LSTM layers.

    Its parts have tools of their own: ``diagnose``, ``diagnose_attention``,
    ``diagnose_bidirectional``, ``diagnose_teacher_forcing`` and ``diagnose_loss``.

    Parameters
    ----------
    my_loss_and_gradients : callable
        (params, source, source_lengths, y, lengths, start, end) to (loss, grads), as
        ``reference.encoder_decoder.loss_and_gradients``. ``params`` has arrays by name,
        and ``grads`` their gradients: ``source.embedding.W``, ``encoder.lstm0.Wx`` …,
        ``target.embedding.W``, ``decoder.lstm0.Wx`` …, ``decoder.attention.Wc`` …,
        ``output.W``, ``output.b``.
    attention : bool
        Whether the decoder's layer 0 has additive attention.
    bidirectional : bool
        Whether the encoder's layers read in both directions; the names of the second
        begin with ``encoder.lstm0_reverse``.
    reverse_source : bool
        Whether your encoder reads the source last token first.
    layers : int
        Number of encoder layers, and of decoder layers.
    seed : int
        Of the random cases.

    Returns
    -------
    Diagnosis
        True if nothing is wrong. It prints as text.

    Raises
    ------
    InputError
        If the function does not return what it should in form.
    """
    of_loss, of_gradients = encoder_decoder_trials(
        seed,
        attention=attention,
        bidirectional=bidirectional,
        reverse_source=reverse_source,
        layers=layers,
    )
    return _both(of_loss, my_loss_and_gradients, of_gradients, my_loss_and_gradients)


def _both(
    forward: Trial,
    my_forward: Callable,
    backward: Trial | None,
    my_backward: Callable | None,
) -> Diagnosis:
    """Forward first; backward, if there is one, where forward is right."""
    diagnosis = examine(forward, my_forward)
    if backward is None or my_backward is None or not diagnosis.right:
        return diagnosis
    return examine(backward, my_backward)
