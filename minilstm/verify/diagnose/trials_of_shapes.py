"""The trials of pooling, of a bidirectional layer, and of attention.

They are as those of ``trials.py``, with sequences of different lengths. The padding
holds zeros, except for pooling, where it holds random numbers that must not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minilstm.reference import attention as of_attention
from minilstm.reference import bidirectional, pooling
from minilstm.reference.lstm import LSTMGrads, lstm_step, lstm_step_backward
from minilstm.reference.padding import clear_padding
from minilstm.verify.contracts import (
    Case,
    check_function,
    grads_by_name,
    unpack,
)
from minilstm.verify.diagnose import mistakes_in_shapes as mistakes
from minilstm.verify.diagnose.diagnosis import Parts
from minilstm.verify.diagnose.explain import without_rounding
from minilstm.verify.diagnose.trial import INPUTS, Made, Trial
from minilstm.verify.diagnose.variant import variant

Rng = np.random.Generator
TITLES = {  # of the kinds of pooling
    "last": "pooling by the last step",
    "mean": "mean pooling",
    "max": "max pooling",
}
POOLING_SIZES = ((4, 3, 3), (3, 4, 2))  # T, B, H
POOLING_SIZES_MORE = ((1, 1, 1), (2, 5, 3), (6, 2, 1))
BIDIRECTIONAL_SIZES = ((4, 3, 3, 3), (3, 4, 2, 4))  # T, B, D, H of a direction
BIDIRECTIONAL_SIZES_MORE = ((1, 1, 1, 1), (5, 2, 3, 1))
ATTENTION_SIZES = ((4, 3, 3, 3, 3), (3, 4, 2, 4, 5))  # S, B, H, A, K
ATTENTION_SIZES_MORE = ((1, 1, 1, 1, 1), (6, 2, 3, 1, 2))


def lengths_of(T: int, B: int) -> np.ndarray:
    """Lengths (B,): T, 1, 2, T, 1, 2 …, at most T."""
    return np.minimum(np.resize([T, 1, 2], B), T)


# ---- pooling -------------------------------------------------------------------------


def pooling_trial(seed: int = 0, kind: str = "last") -> Trial:
    """Of pooling forward, of one kind."""

    def take_apart(pool: Callable, case: Case) -> Parts:
        return {"y": call(pool, case, ("y", "cache"))[0]}

    def build(made: Made) -> Callable:
        weights = variant(pooling.WEIGHTS[kind], made)
        forward = variant(pooling.pool_forward, made, WEIGHTS={kind: weights})
        return lambda h, lengths: forward(h, lengths, kind)

    return Trial(
        title=TITLES[kind],
        call="(h, lengths)",
        catalogue=mistakes.POOLING[kind],
        build=build,
        take_apart=take_apart,
        letters="TBH",
        sizes=POOLING_SIZES,
        more=POOLING_SIZES_MORE,
        make=_pooling_case,
        seed=seed,
    )


def pooling_backward_trial(seed: int, forward: Callable, kind: str = "last") -> Trial:
    """Of pooling backward, which gets the cache of ``forward``."""

    def take_apart(backward: Callable, case: Case) -> Parts:
        lengths = case[INPUTS]["lengths"]
        arguments = {name: case[name] for name in ("dy", "cache")}
        dh = np.asarray(call(backward, arguments))
        T = len(case[INPUTS]["h"])
        if dh.shape != (T, *case["dy"].shape):
            return {"dh": dh}
        real = np.arange(T)[:, None] < lengths
        return {"dh at the real steps": dh[real], "dh at the padding": dh[~real]}

    def make(rng: Rng, forward: Callable, T: int, B: int, H: int) -> Case:
        inputs = _pooling_case(rng, None, T, B, H)
        _, cache = call(forward, inputs, ("y", "cache"))
        dy = rng.standard_normal((B, H))
        return {"dy": dy, "cache": cache, INPUTS: inputs}

    return Trial(
        title=f"backward pass of {TITLES[kind]}",
        call="(dy, cache)",
        catalogue=mistakes.POOLING_BACKWARD[kind],
        build=lambda made: variant(pooling.pool_backward, made),
        take_apart=take_apart,
        letters="TBH",
        sizes=POOLING_SIZES,
        more=POOLING_SIZES_MORE,
        make=make,
        seed=seed,
        forward=lambda h, lengths: pooling.pool_forward(h, lengths, kind),
        your_forward=forward,
    )


def _pooling_case(rng: Rng, _, T: int, B: int, H: int) -> Case:
    return {"h": rng.standard_normal((T, B, H)), "lengths": lengths_of(T, B)}


# ---- a bidirectional layer -----------------------------------------------------------


def bidirectional_trial(seed: int = 0) -> Trial:
    """Of a bidirectional LSTM layer forward, from states of zeros."""

    def take_apart(forward: Callable, case: Case) -> Parts:
        h = np.asarray(call(forward, case, ("h", "cache"))[0])
        x, lengths = case["x"], case["lengths"]
        if h.shape[:2] != x.shape[:2]:
            return {"h": h}
        return {"h at the real steps": h[np.arange(len(x))[:, None] < lengths]}

    return Trial(
        title="bidirectional layer",
        call="(x, lengths, weights, reverse_weights)",
        catalogue=mistakes.BIDIRECTIONAL,
        build=_bidirectional,
        take_apart=take_apart,
        letters="TBDH",
        sizes=BIDIRECTIONAL_SIZES,
        more=BIDIRECTIONAL_SIZES_MORE,
        make=_bidirectional_case,
        seed=seed,
    )


def bidirectional_backward_trial(seed: int, forward: Callable) -> Trial:
    """Of a bidirectional layer backward, which gets the cache of ``forward``."""
    results = ("dx", "grads", "reverse_grads")

    def take_apart(backward: Callable, case: Case) -> Parts:
        arguments = {name: v for name, v in case.items() if name != INPUTS}
        dx, grads, reverse_grads = call(backward, arguments, results)
        parts: Parts = {"dx": dx}
        for end, arrays in (("", grads), ("_reverse", reverse_grads)):
            named = grads_by_name(arrays, LSTMGrads._fields)
            parts |= {f"d{name}{end}": array for name, array in named.items()}
        return parts

    def build(made: Made) -> Callable:
        run = variant(bidirectional.bidirectional_backward, made)

        def backward(dh, cache, weights, reverse_weights):
            zeros = (np.zeros(dh.shape[1:]),) * 2
            dx, _, *grads = run(
                lstm_step_backward, dh, zeros, cache, weights, reverse_weights
            )
            return dx, *grads

        return backward

    def make(rng: Rng, forward: Callable, T: int, B: int, D: int, H: int) -> Case:
        inputs = _bidirectional_case(rng, None, T, B, D, H)
        _, cache = call(forward, inputs, ("h", "cache"))
        dh = clear_padding(rng.standard_normal((T, B, 2 * H)), inputs["lengths"])
        weights = {name: inputs[name] for name in ("weights", "reverse_weights")}
        return {"dh": dh, "cache": cache, **weights, INPUTS: inputs}

    return Trial(
        title="backward pass of a bidirectional layer",
        call="(dh, cache, weights, reverse_weights)",
        catalogue=mistakes.BIDIRECTIONAL_BACKWARD,
        build=build,
        take_apart=take_apart,
        letters="TBDH",
        sizes=BIDIRECTIONAL_SIZES,
        more=BIDIRECTIONAL_SIZES_MORE,
        make=make,
        seed=seed,
        forward=_bidirectional(()),
        your_forward=forward,
    )


def _bidirectional(made: Made) -> Callable:
    """Our layer with these mistakes."""
    run = variant(bidirectional.bidirectional_forward, made)

    def forward(x, lengths, weights, reverse_weights):
        zeros = (np.zeros((x.shape[1], 2 * len(weights[1]))),) * 2
        h, _, cache = run(lstm_step, x, zeros, weights, reverse_weights, lengths)
        return h, cache

    return forward


def _bidirectional_case(rng: Rng, _, T: int, B: int, D: int, H: int) -> Case:
    lengths = lengths_of(T, B)
    shapes = (D, 4 * H), (H, 4 * H), (4 * H,)
    weights, reverse_weights = (
        tuple(rng.normal(0, 0.7, shape) for shape in shapes) for _ in range(2)
    )
    return {
        "x": clear_padding(rng.standard_normal((T, B, D)), lengths),
        "lengths": lengths,
        "weights": weights,
        "reverse_weights": reverse_weights,
    }


# ---- attention -----------------------------------------------------------------------


def attention_trial(seed: int = 0) -> Trial:
    """Of additive attention forward."""

    def take_apart(forward: Callable, case: Case) -> Parts:
        return {"context": call(forward, case, ("context", "cache"))[0]}

    return Trial(
        title="attention",
        call="(q, a, lengths, Wq, Wa, b, v)",
        catalogue=mistakes.ATTENTION,
        build=lambda made: variant(of_attention.attention_forward, made),
        take_apart=take_apart,
        letters="SBHAK",
        sizes=ATTENTION_SIZES,
        more=ATTENTION_SIZES_MORE,
        make=_attention_case,
        seed=seed,
    )


def attention_backward_trial(seed: int, forward: Callable) -> Trial:
    """Of attention backward, which gets the cache of ``forward``."""

    def take_apart(backward: Callable, case: Case) -> Parts:
        arguments = {name: v for name, v in case.items() if name != INPUTS}
        dq, da, grads = call(backward, arguments, ("dq", "da", "grads"))
        named = grads_by_name(grads, of_attention.AttentionGrads._fields)
        in_order = {f"d{name}": named[name] for name in ("v", "b", "Wq", "Wa")}
        return without_rounding({**in_order, "dq": dq, "da": da})

    def make(rng: Rng, forward: Callable, *sizes: int) -> Case:
        inputs = _attention_case(rng, None, *sizes)
        _, cache = call(forward, inputs, ("context", "cache"))
        dcontext = rng.standard_normal((len(inputs["q"]), inputs["a"].shape[2]))
        weights = {name: inputs[name] for name in ("Wq", "Wa", "v")}
        return {"dcontext": dcontext, "cache": cache, **weights, INPUTS: inputs}

    return Trial(
        title="backward pass of attention",
        call="(dcontext, cache, Wq, Wa, v)",
        catalogue=mistakes.ATTENTION_BACKWARD,
        build=lambda made: variant(of_attention.attention_backward, made),
        take_apart=take_apart,
        letters="SBHAK",
        sizes=ATTENTION_SIZES,
        more=ATTENTION_SIZES_MORE,
        make=make,
        seed=seed,
        forward=of_attention.attention_forward,
        your_forward=forward,
    )


def _attention_case(rng: Rng, _, S: int, B: int, H: int, A: int, K: int) -> Case:
    normal, lengths = rng.standard_normal, lengths_of(S, B)
    weights = {"Wq": normal((H, K)), "Wa": normal((A, K)), "b": normal(K)}
    a = clear_padding(normal((S, B, A)), lengths)
    return {"q": normal((B, H)), "a": a, "lengths": lengths, **weights, "v": normal(K)}


# ---- what a function returns ---------------------------------------------------------


def call(function: Callable, arguments: Case, results: Sequence[str] = ()) -> Any:
    """What a function returns: one value, or as many as ``results`` has names."""
    check_function(function)
    answer = function(*arguments.values())
    if not results:
        return answer
    sentence = f"your function must return ({', '.join(results)})"
    return unpack(answer, len(results), sentence)
