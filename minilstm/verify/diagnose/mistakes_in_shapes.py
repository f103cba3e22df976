"""Known mistakes in pooling, bidirectional layers, attention, and encoder-decoders.

Rows as in ``mistakes.py``. Equations are those of the file in ``minilstm/reference``
that a list is named after.
"""

from __future__ import annotations

from minilstm.reference.attention import attention_backward, attention_forward
from minilstm.reference.attention_lstm import attention_lstm_step_backward
from minilstm.reference.bidirectional import (
    bidirectional_backward,
    bidirectional_forward,
)
from minilstm.reference.decoder import teacher_forcing
from minilstm.reference.encoder_decoder import loss_and_gradients
from minilstm.reference.pooling import (
    max_weights,
    mean_weights,
    pool_backward,
    pool_forward,
)
from minilstm.reference.sequence import sequence_backward
from minilstm.verify.diagnose.variant import Mistake, made_in

# ---- pooling: by kind ----------------------------------------------------------------

_WEIGHTS = "w = WEIGHTS[kind](h, lengths).astype(h.real.dtype)"
_ALL_STEPS = (
    "w, lengths = WEIGHTS[kind](h, np.full(h.shape[1], len(h))).astype(h.dtype), None"
)
_ADDED_UP = (
    "w, lengths = np.broadcast_to(1 / lengths[:, None], (*h.shape[:2], 1)), None"
)
_MEAN = "y = (sum of the real h) / n"
_DH = "return w * dy"
_NOT_REAL = "What stands at the padding is not part of the sequence."

POOLING: dict[str, list[Mistake]] = {
    "last": made_in(
        pool_forward,
        ("last padded step taken for the last real one", _WEIGHTS, _ALL_STEPS,
         "(2) of pooling",
         "A sequence of length n ends at step n - 1; the steps after it are padding.",
         "", "y[b] = h[-1, b]", "y[b] = h[lengths[b] - 1, b]"),
    ),
    "mean": [
        *made_in(
            pool_forward,
            ("padding counted in the mean of h", _WEIGHTS, _ALL_STEPS, "(3) of pooling",
             _NOT_REAL, "", "y = h.mean(axis=0)", _MEAN),
            ("padding added to the sum of h", _WEIGHTS, _ADDED_UP, "(3) of pooling",
             _NOT_REAL, "", "y = h.sum(axis=0) / n", _MEAN),
        ),
        *made_in(
            mean_weights,
            ("mean pooling divided by T", "np.maximum(lengths, 1)", "len(h)",
             "(3) of pooling",
             "T is the length of the longest sequence; a mean over n steps has 1/n.",
             "", "y = (sum of the real h) / T", _MEAN),
        ),
    ],
    "max": [
        *made_in(
            pool_forward,
            ("padding in the maximum", _WEIGHTS, _ALL_STEPS, "(4) of pooling",
             _NOT_REAL, "", "y = h.max(axis=0)", "y = maximum of the real h"),
        ),
        *made_in(
            max_weights,
            ("zeros of the padding in the maximum", "-np.inf", "0", "(4) of pooling",
             "Zeros are larger than a sequence whose numbers are all negative;"
             " put -inf at the padding.",
             "", "y = max(0, maximum of the real h)", "y = maximum of the real h"),
        ),
    ],
}
POOLING_BACKWARD: dict[str, list[Mistake]] = {
    "last": made_in(
        pool_backward,
        ("gradient of pooling at the last padded step", _DH,
         "return (np.arange(len(w))[:, None, None] == len(w) - 1) * dy",
         "(5) of pooling",
         "y was read at step n - 1, so its gradient belongs there.",
         "", "dh[-1, b] = dy[b]", "dh[lengths[b] - 1, b] = dy[b]"),
    ),
    "mean": made_in(
        pool_backward,
        ("gradient of the mean divided by T", _DH, "return (w > 0) * dy / len(w)",
         "(5) of pooling", "Every real step has 1/n of the gradient, as it has of y.",
         "", "dh[t] = dy / T", "dh[t] = dy / n"),
        ("gradient of the mean not divided", _DH, "return (w > 0) * dy",
         "(5) of pooling", "Every real step has 1/n of the gradient, as it has of y.",
         "", "dh[t] = dy", "dh[t] = dy / n"),
        ("gradient of the mean at the padding too", _DH,
         "return 0 * w + w.max(axis=0) * dy", "(5) of pooling",
         "The padding was not in the mean, so it has no gradient.",
         "", "dh[t] = dy / n at all T steps", "dh[t] = dy / n at the real steps"),
    ),
    "max": made_in(
        pool_backward,
        ("gradient of the maximum at every step", _DH, "return np.ones_like(w) * dy",
         "(5) of pooling",
         "Only the step where the maximum was has a gradient, for each unit its own.",
         "", "dh[t] = dy", "dh[t] = dy where h[t] is the maximum"),
    ),
}

# ---- a bidirectional layer -----------------------------------------------------------

_FORWARD_DIRECTION = (
    "h, final, cache = sequence_forward(step, x, first, *weights, lengths=lengths)"
)
_DX = "dx = dx + reverse(dx_reverse, lengths)"

BIDIRECTIONAL = made_in(
    bidirectional_forward,
    ("reverse direction starts in the padding", _FORWARD_DIRECTION,
     f"{_FORWARD_DIRECTION}; lengths = np.full(B, T)", "(1) of bidirectional",
     "Each sequence is reversed within its own length, or a short one begins with its"
     " padding.", "", "reverse(x)[t] = x[T - 1 - t]", "reverse(x)[t] = x[n - 1 - t]"),
    ("outputs of the reverse direction not turned back",
     "h_reverse = reverse(h_reverse, lengths)", "h_reverse = h_reverse",
     "(3) of bidirectional",
     "The reverse direction writes its output for step n - 1 first.",
     "", "←h = cell through reverse(x)", "←h = reverse(cell through reverse(x))"),
    ("weights of the forward direction in both", "second, *reverse_weights",
     "second, *weights", "(3) of bidirectional",
     "The directions have weights of their own."),
    ("directions side by side in the other order",
     "np.concatenate([h, h_reverse], axis=2)", "np.concatenate([h_reverse, h], axis=2)",
     "(4) of bidirectional", "The first half of h is that of the forward direction."),
)
BIDIRECTIONAL_BACKWARD = made_in(
    bidirectional_backward,
    ("gradients reversed over the padding", "lengths = cache.forward.lengths",
     "lengths = np.full(dh.shape[1], len(dh))", "(1) of bidirectional",
     "Backward reverses each sequence within its own length, as forward does.", "",
     "reverse(dh)[t] = dh[T - 1 - t]", "reverse(dh)[t] = dh[n - 1 - t]"),
    ("dh of the reverse direction not reversed", "reverse(dh_reverse, lengths), second",
     "dh_reverse, second", "(3) of bidirectional",
     "The reverse direction read the sequence last step first, so its gradients come"
     " in that order.", "", "dh_reverse", "reverse(dh_reverse, lengths)"),
    ("dx of the reverse direction not turned back", _DX, "dx = dx + dx_reverse",
     "(3) of bidirectional",
     "Its dx is in the order in which it read x: last step first.",
     "", "dx = →dx + ←dx", "dx = →dx + reverse(←dx)"),
    ("dx of the reverse direction left out", _DX, "dx = dx",
     "(2), (3) of bidirectional",
     "x is read by both directions, so the gradients add up.",
     "", "dx = →dx", "dx = →dx + reverse(←dx)"),
    ("dx of the forward direction left out", _DX, "dx = reverse(dx_reverse, lengths)",
     "(2), (3) of bidirectional",
     "x is read by both directions, so the gradients add up.",
     "", "dx = reverse(←dx)", "dx = →dx + reverse(←dx)"),
    ("halves of dh exchanged", "dh, dh_reverse = np.split(dh, 2, axis=2)",
     "dh_reverse, dh = np.split(dh, 2, axis=2)", "(4) of bidirectional",
     "The first half belongs to the forward direction."),
)

# ---- attention -----------------------------------------------------------------------

_SCORES = "e = np.where(real_steps(len(a), lengths), u @ v, -np.inf).T"
_DE = "de = p * (dp - np.sum(p * dp, axis=1, keepdims=True))"
_DA = "da = da + dz @ Wa.T"

ATTENTION = made_in(
    attention_forward,
    ("attention softmax over the padding", _SCORES, "e = (u @ v).T",
     "(3) of attention",
     "Steps of the padding get weights that the real steps lack. Their scores must be"
     " -inf before the softmax.",
     "", "p = softmax(e)", "p = softmax(e over the real s)"),
    ("scores of the padding set to 0", _SCORES,
     "e = np.where(real_steps(len(a), lengths), u @ v, 0).T", "(2) of attention",
     "exp(0) is 1, a weight like any other. exp(-inf) is 0.",
     "", "e = 0 at the padding", "e = -inf at the padding"),
    ("attention softmax over the mini-batch", "p = softmax(e)", "p = softmax(e.T).T",
     "(3) of attention",
     "The weights of one source add up to 1: take the axis of s, not that of b."),
    ("tanh of the scores left out", "u = np.tanh(q @ Wq + a @ Wa + b)",
     "u = q @ Wq + a @ Wa + b", "(1) of attention",
     "Without it the query adds the same number to every score, so it changes no"
     " weight."),
    ("query left out of the scores", "u = np.tanh(q @ Wq + a @ Wa + b)",
     "u = np.tanh(a @ Wa + b)", "(1) of attention",
     "Without q all steps of the target look at the same places."),
    ("bias of the scores left out", "u = np.tanh(q @ Wq + a @ Wa + b)",
     "u = np.tanh(q @ Wq + a @ Wa)", "(1) of attention", "The scores have a bias b."),
)
ATTENTION_BACKWARD = made_in(
    attention_backward,
    ("softmax gradient without the sum of p dp", _DE, "de = p * dp", "(5) of attention",
     "If one weight grows, the others must shrink: each score acts on all weights."),
    ("softmax gradient of each weight alone", _DE, "de = p * (1 - p) * dp",
     "(5) of attention",
     "That is the derivative of a sigmoid. Each score acts on all weights."),
    ("softmax left out backward", _DE, "de = dp", "(5) of attention",
     "dp is the gradient of the weights, de that of the scores."),
    ("sum of p dp over the mini-batch", _DE,
     "de = p * (dp - np.sum(p * dp, axis=0, keepdims=True))", "(5) of attention",
     "The sum is over the steps of one source: the axis of s."),
    ("da by the scores alone", _DA, "da = dz @ Wa.T", "(1), (4) of attention",
     "a is read twice, by the scores and by the context, so its gradients add up."),
    ("da by the context alone", _DA, "da = da", "(1), (4) of attention",
     "a is read twice, by the scores and by the context, so its gradients add up.",
     "", "da = p dcontext"),
    ("dq of the last step of the source alone", "dz_q = dz.sum(axis=0)",
     "dz_q = dz[-1]", "(1) of attention",
     "q is read at every s, so its gradients add up."),
    ("dq averaged over the source", "dz_q = dz.sum(axis=0)", "dz_q = dz.mean(axis=0)",
     "(1) of attention", "q is read at every s: gradients add up, without a division."),
    ("derivative of the tanh left out of the scores", "dz = du * (1 - u**2)", "dz = du",
     "(1) of attention", "The derivative of tanh is 1 - tanh**2."),
    ("square missing in the tanh of the scores", "dz = du * (1 - u**2)",
     "dz = du * (1 - u)", "(1) of attention", "The derivative of tanh is 1 - tanh**2."),
    ("v left out of du", "du = de.T[..., None] * v", "du = de.T[..., None] + 0 * v",
     "(2) of attention", "e[s] is u[s] · v, so du[s] is de[s] v.",
     "", "du[s] = de[s]", "du[s] = de[s] v"),
)
_ENCODER = "encode_backward(params, da, dstates, encoder)"
_SUMS = "return np.stack(dx), dstate, total"
IN_A_DECODER_BACKWARD = [
    *made_in(
        attention_lstm_step_backward,
        ("gradient of the query left out of dh_prev", "dh_prev = dh_prev + dq",
         "dh_prev = dh_prev", "(1) of attention_lstm",
         "h_prev is read twice, as the query and by the gates; the gradients add up.",
         "", "dh_prev = dz @ Wh.T", "dh_prev = dz @ Wh.T + dq"),
        ("gradient of the query alone in dh_prev", "dh_prev = dh_prev + dq",
         "dh_prev = dq", "(2) of attention_lstm",
         "h_prev is read twice, as the query and by the gates; the gradients add up.",
         "", "dh_prev = dq", "dh_prev = dz @ Wh.T + dq"),
    ),
    *made_in(
        sequence_backward,
        ("annotations' gradient assigned, not accumulated", _SUMS,
         f"{_SUMS}._replace(a=grads[-1].a)", "",
         "All steps of the target look at the same annotations, so their gradients add"
         " up.", "", "da = da_t", "da += da_t"),
    ),
    *made_in(
        loss_and_gradients,
        ("gradient of the annotations left out", _ENCODER,
         "encode_backward(params, 0 * da, dstates, encoder)", "(3) of encoder_decoder",
         "With attention the loss also depends on the encoder's output at every step.",
         "", "dh of the encoder = zeros", "dh of the encoder = da"),
    ),
]

# ---- teacher forcing; an encoder and a decoder ---------------------------------------

_RETURN = "return inputs, targets, lengths + 1"
TEACHER_FORCING = made_in(
    teacher_forcing,
    ("targets not shifted", _RETURN, "return inputs, inputs, lengths + 1",
     "(2) of decoder",
     "The decoder would learn to repeat its input. The target of a token is the next.",
     "", "targets = start, y[0], y[1] …", "targets = y[0], y[1] … end"),
    ("inputs not shifted", _RETURN, "return targets, targets, lengths + 1",
     "(1) of decoder",
     "The decoder would read the token that it should predict.",
     "", "inputs = y[0], y[1] … end", "inputs = start, y[0], y[1] …"),
    ("targets shifted twice", _RETURN, "return inputs[:-1], targets[1:], lengths",
     "(2) of decoder",
     "inputs and targets differ by one step. Here the decoder skips every token that it"
     " should predict.", "",
     "targets = y[1], y[2] … end", "targets = y[0], y[1] … end"),
    ("targets shifted twice, by a roll", _RETURN,
     "return inputs, np.roll(targets, -1, axis=0), lengths + 1", "(2) of decoder",
     "inputs and targets differ by one step; and np.roll puts the first at the end.",
     "", "targets = np.roll(targets, -1, axis=0)", "targets = y[0], y[1] … end"),
    ("end token not predicted", _RETURN, "return inputs, targets, lengths",
     "(2) of decoder",
     "There are n + 1 targets. Without the last a decoder never learns to stop.",
     "", "lengths = n", "lengths = n + 1"),
    ("end token behind the padding",
     "targets[lengths, np.arange(y.shape[1])] = end", "targets[-1] = end",
     "(2) of decoder",
     "Each sequence has its end after its own last token.",
     "", "targets[-1] = end", "targets[n[b], b] = end"),
)
_STATES = "decode(params, inputs, states, a, source_lengths, n)"
ENCODER_DECODER = made_in(
    loss_and_gradients,
    ("decoder begins from zeros", _STATES,
     "decode(params, inputs, [tuple(0 * s for s in state) for state in states], a,"
     " source_lengths, n)", "(3) of encoder_decoder",
     "The final states of the encoder are all that the decoder knows of the source"
     " before its first step.", "", "h0, c0 = zeros", "h0, c0 = hT, cT of the encoder"),
    ("encoder's h and c exchanged", _STATES,
     "decode(params, inputs, [state[::-1] for state in states], a, source_lengths, n)",
     "(3) of encoder_decoder",
     "The hidden state comes first, the cell state second.",
     "", "h0, c0 = cT, hT of the encoder", "h0, c0 = hT, cT of the encoder"),
)
_OF_DECODER = "dhT, dcT of the encoder = dh0, dc0 of the decoder"
ENCODER_DECODER_BACKWARD = made_in(
    loss_and_gradients,
    ("gradient of the encoder's final states left out", _ENCODER,
     "encode_backward(params, da, None, encoder)", "(3) of encoder_decoder",
     "The decoder begins from the encoder's h and c, so the loss depends on both.",
     "", "dhT, dcT of the encoder = zeros", _OF_DECODER),
    ("gradient of the encoder's final h left out", _ENCODER,
     "encode_backward(params, da, [(0 * dh, *dc) for dh, *dc in dstates], encoder)",
     "(3) of encoder_decoder",
     "The decoder begins from the encoder's h and c, so the loss depends on both.",
     "", "dhT of the encoder = zeros", "dhT of the encoder = dh0 of the decoder"),
    ("gradient of the encoder's final c left out", _ENCODER,
     "encode_backward(params, da, [(dh, 0 * dh) for dh, *_ in dstates], encoder)",
     "(3) of encoder_decoder",
     "The decoder begins from the encoder's h and c, so the loss depends on both.",
     "", "dcT of the encoder = zeros", "dcT of the encoder = dc0 of the decoder"),
    ("gradients of the encoder's final states exchanged", _ENCODER,
     "encode_backward(params, da, [dstate[::-1] for dstate in dstates], encoder)",
     "(3) of encoder_decoder",
     "The hidden state comes first, the cell state second.",
     "", "dhT, dcT of the encoder = dc0, dh0 of the decoder", _OF_DECODER),
)

SHAPES = [
    *(mistake for kind in POOLING for mistake in POOLING[kind]),
    *(mistake for kind in POOLING_BACKWARD for mistake in POOLING_BACKWARD[kind]),
    *BIDIRECTIONAL,
    *BIDIRECTIONAL_BACKWARD,
    *ATTENTION,
    *ATTENTION_BACKWARD,
    *IN_A_DECODER_BACKWARD,
    *TEACHER_FORCING,
    *ENCODER_DECODER,
    *ENCODER_DECODER_BACKWARD,
]
