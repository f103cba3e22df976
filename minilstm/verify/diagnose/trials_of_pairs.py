"""The trials of teacher forcing, and of an encoder with a decoder.

An encoder-decoder is one function of loss and gradients. Its loss is compared first:
what is wrong forward changes it, and then also gradients that are right for that loss.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from minilstm.errors import InputError
from minilstm.reference import attention as of_attention
from minilstm.reference import attention_lstm, bidirectional, decoder, encoder_decoder
from minilstm.reference import stack
from minilstm.reference.padding import clear_padding
from minilstm.reference.sequence import sequence_backward
from minilstm.verify.contracts import Case
from minilstm.verify.diagnose import mistakes_in_shapes as mistakes
from minilstm.verify.diagnose.diagnosis import Parts
from minilstm.verify.diagnose.trial import Made, Trial
from minilstm.verify.diagnose.trials_of_shapes import Rng, call, lengths_of
from minilstm.verify.diagnose.trials_of_shapes import without_rounding
from minilstm.verify.diagnose.variant import variant

FORCING_SIZES = ((4, 3, 3), (3, 4, 5))  # T, B, V
FORCING_SIZES_MORE = ((1, 1, 2), (2, 5, 3))
# S, T, B, V, E, H of a direction, K
PAIR_SIZES = ((4, 3, 3, 3, 3, 3, 3), (3, 4, 4, 4, 2, 3, 2), (2, 2, 2, 5, 3, 2, 4))
PAIR_SIZES_MORE = ((1, 1, 1, 2, 1, 1, 1), (5, 2, 2, 3, 1, 2, 3))


def teacher_forcing_trial(seed: int = 0) -> Trial:
    """Of inputs and targets of a decoder."""

    def take_apart(forcing: Callable, case: Case) -> Parts:
        *arrays, lengths = call(forcing, case, ("inputs", "targets", "lengths"))
        n = np.asarray(lengths)
        parts: Parts = {"lengths": n}
        for name, array in zip(("inputs", "targets"), map(np.asarray, arrays)):
            fits = n.shape == case["lengths"].shape and n.dtype.kind in "iu"
            if fits and array.ndim == 2 and array.shape[1] == n.size:
                array = np.array(
                    [token for b in range(n.size) for token in array[: n[b], b]]
                )
            parts[name] = array
        return parts

    def make(rng: Rng, _, T: int, B: int, V: int) -> Case:
        y = rng.integers(0, V, (T, B))
        return {"y": y, "lengths": lengths_of(T, B), "start": V, "end": V + 1}

    return Trial(
        title="teacher forcing",
        call="(y, lengths, start, end)",
        catalogue=mistakes.TEACHER_FORCING,
        build=lambda made: variant(decoder.teacher_forcing, made),
        take_apart=take_apart,
        letters="TBV",
        sizes=FORCING_SIZES,
        more=FORCING_SIZES_MORE,
        make=make,
        seed=seed,
    )


def encoder_decoder_trials(
    seed: int = 0,
    *,
    attention: bool = False,
    bidirectional: bool = False,
    reverse_source: bool = False,
    layers: int = 1,
) -> tuple[Trial, Trial]:
    """Of the loss of an encoder-decoder, and of its gradients."""
    forward = [*mistakes.TEACHER_FORCING, *mistakes.ENCODER_DECODER]
    backward = [*mistakes.ENCODER_DECODER_BACKWARD]
    if attention:
        forward += mistakes.ATTENTION
        backward += [*mistakes.IN_A_DECODER_BACKWARD, *mistakes.ATTENTION_BACKWARD]
    if bidirectional:
        forward += mistakes.BIDIRECTIONAL
        backward += mistakes.BIDIRECTIONAL_BACKWARD

    def of_loss(whole: Callable, case: Case) -> Parts:
        return {"loss": call(whole, case, ("loss", "grads"))[0]}

    def of_gradients(whole: Callable, case: Case) -> Parts:
        _, grads = call(whole, case, ("loss", "grads"))
        if not isinstance(grads, Mapping):
            raise InputError(
                "the gradients must be a dictionary with the names of the parameters"
            )
        # the layers nearest to the loss first
        names = [name for name in [*case["params"]][::-1] if name in grads]
        return without_rounding({f"d({name})": grads[name] for name in names})

    def make(rng: Rng, _, S: int, T: int, B: int, V: int, *widths: int) -> Case:
        params = _parameters(rng, V, *widths, layers=layers, both=bidirectional)
        return {
            "params": params,
            "source": clear_padding(rng.integers(0, V, (S, B)), lengths_of(S, B)),
            "source_lengths": lengths_of(S, B),
            "y": clear_padding(rng.integers(0, V, (T, B)), lengths_of(T, B)[::-1]),
            "lengths": lengths_of(T, B)[::-1].copy(),
            "start": 0,
            "end": 1,
        }

    both = "bidirectional " if bidirectional else ""
    parts = [", attention"] * attention + [", a reversed source"] * reverse_source
    name = f"{both}encoder-decoder ({layers} layer{'s' * (layers > 1)}{''.join(parts)})"
    width = 7 if attention else 6
    common: dict[str, Any] = {
        "call": "(params, source, source_lengths, y, lengths, start, end)",
        "build": lambda made: _encoder_decoder(made, reverse_source),
        "letters": "STBVEHK"[:width],
        "sizes": tuple(sizes[:width] for sizes in PAIR_SIZES),
        "more": tuple(sizes[:width] for sizes in PAIR_SIZES_MORE),
        "make": make,
        "seed": seed,
    }
    return (
        Trial(f"loss of the {name}", catalogue=forward, take_apart=of_loss, **common),
        Trial(
            f"backward pass of the {name}",
            catalogue=backward,
            take_apart=of_gradients,
            **common,
        ),
    )


def _encoder_decoder(made: Made, reverse_source: bool) -> Callable:
    """Our loss and gradients with these mistakes."""
    ours = attention_lstm
    attend = variant(of_attention.attention_forward, made)
    step = variant(ours.attention_lstm_step, (), attention_forward=attend)
    layer = variant(ours.attention_lstm_forward, (), attention_lstm_step=step)
    attend_backward = variant(of_attention.attention_backward, made)
    step_backward = variant(
        ours.attention_lstm_step_backward, made, attention_backward=attend_backward
    )
    layer_backward = variant(
        ours.attention_lstm_backward,
        (),
        sequence_backward=variant(sequence_backward, made),
        attention_lstm_step_backward=step_backward,
    )
    both = variant(bidirectional.bidirectional_forward, made)
    both_backward = variant(bidirectional.bidirectional_backward, made)
    up = variant(stack.stack_forward, (), bidirectional_forward=both)
    down = variant(stack.stack_backward, (), bidirectional_backward=both_backward)
    whole = variant(
        encoder_decoder.loss_and_gradients,
        made,
        teacher_forcing=variant(decoder.teacher_forcing, made),
        encode=variant(encoder_decoder.encode, (), stack_forward=up),
        encode_backward=variant(
            encoder_decoder.encode_backward, (), stack_backward=down
        ),
        decode=variant(decoder.decode, (), attention_lstm_forward=layer),
        decode_backward=variant(
            decoder.decode_backward, (), attention_lstm_backward=layer_backward
        ),
    )
    return lambda *arguments, **by_name: whole(
        *arguments, **by_name, reverse_source=reverse_source
    )


def _parameters(
    rng: Rng, V: int, E: int, H: int, K: int = 0, *, layers: int, both: bool
) -> dict[str, np.ndarray]:
    """Random parameters by name; H is the width of a direction of the encoder."""
    width = H * (1 + both)
    shapes: dict[str, tuple[int, ...]] = {"source.embedding.W": (V, E)}

    def add(name: str, D: int, H: int) -> None:
        of_layer = {"Wx": (D, 4 * H), "Wh": (H, 4 * H), "b": (4 * H,)}
        shapes.update({f"{name}.{key}": shape for key, shape in of_layer.items()})

    for k in range(layers):
        for end in ("", "_reverse")[: 1 + both]:
            add(f"encoder.lstm{k}{end}", width if k else E, H)
    shapes["target.embedding.W"] = (V, E)
    for k in range(layers):
        add(f"decoder.lstm{k}", width if k else E, width)
    if K:
        of_attention = {"Wc": (width, 4 * width), "Wq": (width, K), "Wa": (width, K)}
        for key, shape in {**of_attention, "b": (K,), "v": (K,)}.items():
            shapes[f"decoder.attention.{key}"] = shape
    shapes |= {"output.W": (width, V), "output.b": (V,)}
    return {name: rng.standard_normal(shape) for name, shape in shapes.items()}
