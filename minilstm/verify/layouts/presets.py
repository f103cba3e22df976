"""The layouts that have a name.

Sources: Stanford CS231n, assignment 3, ``rnn_layers.py``; deeplearning.ai, Sequence
Models, "Building your recurrent neural network, step by step"; Zhang et al., Dive into
Deep Learning, sections "from scratch" of chapters 9 and 10, to whose functions we add a
cache and a backward; PyTorch, ``torch.nn.LSTMCell``, ``GRUCell`` and ``RNNCell``;
Karpathy, ``min-char-rnn.py`` (2015).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from minilstm.verify.layouts.layout import CellLayout, Layout


def _minilstm() -> Layout:
    lstm = CellLayout(
        "lstm",
        step="lstm_step(x, h_prev, c_prev, Wx, Wh, b) -> h, c, cache",
        step_backward="lstm_step_backward(dh, dc, cache, Wx, Wh)"
        " -> dx, dh_prev, dc_prev, grads[]",
        sequence="lstm_sequence(x, (h0, c0), Wx, Wh, b) -> h, (hT, cT), caches",
        sequence_backward="lstm_sequence_backward(dh, (dhT, dcT), caches, Wx, Wh)"
        " -> dx, (dh0, dc0), grads[]",
        loss="loss(logits, targets, lengths) -> loss, dlogits",
    )
    rnn = replace(
        lstm,
        cell="rnn",
        step="rnn_step(x, h_prev, Wx, Wh, b) -> h, cache",
        step_backward="rnn_step_backward(dh, cache, Wx, Wh) -> dx, dh_prev, grads[]",
        sequence="rnn_sequence(x, (h0), Wx, Wh, b) -> h, (hT), caches",
        sequence_backward="rnn_sequence_backward(dh, (dhT), caches, Wx, Wh)"
        " -> dx, (dh0), grads[]",
    )
    gru = replace(
        rnn,
        cell="gru",
        step="gru_step(x, h_prev, Wx, Wh, bx, bh) -> h, cache",
        step_backward="gru_step_backward(dh, cache, Wx, Wh) -> dx, dh_prev, grads[]",
        sequence="gru_sequence(x, (h0), Wx, Wh, bx, bh) -> h, (hT), caches",
        sequence_backward="gru_sequence_backward(dh, (dhT), caches, Wx, Wh)"
        " -> dx, (dh0), grads[]",
    )
    return Layout("minilstm", "minilstm", {"lstm": lstm, "gru": gru, "rnn": rnn})


def _cs231n() -> Layout:
    names = {"h_prev": "prev_h", "c_prev": "prev_c", "h": "next_h", "c": "next_c"}
    names |= {"logits": "x", "targets": "y", "dlogits": "dx"}
    lstm = CellLayout(
        "lstm",
        step="lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b) -> next_h, next_c, cache",
        step_backward="lstm_step_backward(dnext_h, dnext_c, cache)"
        " -> dx, dprev_h, dprev_c, dWx, dWh, db",
        sequence="lstm_forward(x, h0, Wx, Wh, b) -> h, cache",
        sequence_backward="lstm_backward(dh, cache) -> dx, dh0, dWx, dWh, db",
        loss="temporal_softmax_loss(x, y, mask) -> loss, dx",
        loss_over="sequences",
        names=names,
        axes="batch first",
        gates="ifog",
        values={"B": "N"},
    )
    rnn = replace(
        lstm,
        cell="rnn",
        step="rnn_step_forward(x, prev_h, Wx, Wh, b) -> next_h, cache",
        step_backward="rnn_step_backward(dnext_h, cache) -> dx, dprev_h, dWx, dWh, db",
        sequence="rnn_forward(x, h0, Wx, Wh, b) -> h, cache",
        sequence_backward="rnn_backward(dh, cache) -> dx, dh0, dWx, dWh, db",
        gates="",
    )
    return Layout("cs231n", "CS231n", {"lstm": lstm, "rnn": rnn})


def _deeplearning_ai() -> Layout:
    sizes = {"T": "T_x", "B": "m", "D": "n_x", "H": "n_a"}
    names = {"x": "xt", "h_prev": "a_prev", "h": "a_next", "c": "c_next"}
    names |= {"h0": "a0", "hs": "a", "hT": "aT"}
    lstm = CellLayout(
        "lstm",
        step="lstm_cell_forward(xt, a_prev, c_prev, parameters{})"
        " -> a_next, c_next, yt_pred?, cache",
        step_backward="lstm_cell_backward(da_next, dc_next, cache) -> gradients{}",
        sequence="lstm_forward(x, a0, parameters{}) -> a, y?, c?, caches",
        sequence_backward="lstm_backward(da, caches) -> gradients{}",
        names={**names, "W": "W{}", "b": "b{}"},
        axes="columns",
        gates="figo",
        letters="fico",
        values={"f": "ft", "i": "it", "g": "cct", "o": "ot", **sizes},
        concatenation="hx",
        transposed=True,
        extra={"Wy": "weights", "by": "bias"},
    )
    rnn = replace(
        lstm,
        cell="rnn",
        step="rnn_cell_forward(xt, a_prev, parameters{}) -> a_next, yt_pred?, cache",
        step_backward="rnn_cell_backward(da_next, cache) -> gradients{}",
        sequence="rnn_forward(x, a0, parameters{}) -> a, y_pred?, caches",
        sequence_backward="rnn_backward(da, caches) -> gradients{}",
        names={**names, "Wx": "Wax", "Wh": "Waa", "b": "ba"},
        gates="",
        letters="",
        values=sizes,
        concatenation="",
        extra={"Wya": "weights", "by": "bias"},
    )
    return Layout("deeplearning.ai", "deeplearning.ai", {"lstm": lstm, "rnn": rnn})


def _d2l() -> Layout:
    names = {"x": "X", "h_prev": "H_prev", "c_prev": "C_prev", "h": "H", "c": "C"}
    names |= {"xs": "inputs", "h0": "H0", "c0": "C0", "hs": "outputs"}
    names |= {"hT": "HT", "cT": "CT", "Wx": "W_x{}", "Wh": "W_h{}", "b": "b_{}"}
    lstm = CellLayout(
        "lstm",
        step="lstm_step(X, state(H_prev, C_prev), params[]) -> state(H, C), cache",
        step_backward="lstm_step_backward(dstate(dH, dC), cache)"
        " -> dX, dstate(dH_prev, dC_prev), grads[]",
        sequence="lstm(inputs, state(H0, C0), params[])"
        " -> outputs, state(HT, CT), caches",
        sequence_backward="lstm_backward(doutputs, dstate(dHT, dCT), caches)"
        " -> dinputs, dstate(dH0, dC0), grads[]",
        names=names,
        gates="ifog",
        letters="ifoc",
        values={"i": "I", "f": "F", "o": "O", "g": "C_tilde"},
    )

    def with_h_alone(text: str, cell: str) -> str:
        return re.sub(r", d?C\w*", "", text).replace("lstm", cell)

    def other(cell: str, **changed: Any) -> CellLayout:
        functions = ("step", "step_backward", "sequence", "sequence_backward")
        texts: dict[str, Any] = {
            name: with_h_alone(getattr(lstm, name), cell) for name in functions
        }
        return replace(lstm, cell=cell, **texts, **changed)

    gru = other(
        "gru",
        gates="zrn",
        letters="zrh",
        values={"z": "Z", "r": "R", "n": "H_tilde"},
        reset="before",
    )
    rnn = other("rnn", gates="", letters="", values={})
    cells = {"lstm": lstm, "gru": gru, "rnn": rnn}
    return Layout("d2l", "Dive into Deep Learning", cells)


def _pytorch() -> Layout:
    weights = "weight_ih, weight_hh, bias_ih, bias_hh"
    gradients = ", ".join(f"grad_{name}" for name in weights.split(", "))
    names = {"x": "input", "h_prev": "hx", "c_prev": "cx", "h": "hy", "c": "cy"}
    names |= {"xs": "input", "h0": "h_0", "c0": "c_0", "hs": "output"}
    names |= {"hT": "h_n", "cT": "c_n", "Wx": "weight_ih", "Wh": "weight_hh"}
    names |= {"bx": "bias_ih", "bh": "bias_hh"}
    lstm = CellLayout(
        "lstm",
        step=f"lstm_cell(input, hx(hx, cx), {weights}) -> (hy, cy), cache",
        step_backward="lstm_cell_backward(grad(grad_hy, grad_cy), cache)"
        f" -> grad_input, (grad_hx, grad_cx), {gradients}",
        sequence=f"lstm(input, hx(h_0, c_0), {weights}) -> output, (h_n, c_n), caches",
        sequence_backward="lstm_backward(grad_output, grad_hx(grad_h_n, grad_c_n),"
        f" caches) -> grad_input, (grad_h_0, grad_c_0), {gradients}",
        names=names,
        gradient="grad_{}",
        transposed=True,
    )

    def other(cell: str) -> CellLayout:
        return replace(
            lstm,
            cell=cell,
            step=f"{cell}_cell(input, hx, {weights}) -> hy, cache",
            step_backward=f"{cell}_cell_backward(grad_hy, cache)"
            f" -> grad_input, grad_hx, {gradients}",
            sequence=f"{cell}(input, h_0, {weights}) -> output, h_n, caches",
            sequence_backward=f"{cell}_backward(grad_output, grad_h_n, caches)"
            f" -> grad_input, grad_h_0, {gradients}",
        )

    cells = {"lstm": lstm, "gru": other("gru"), "rnn": other("rnn")}
    return Layout("pytorch", "PyTorch", cells)


def _min_char_rnn() -> Layout:
    rnn = CellLayout(
        "rnn",
        names={"Wx": "Wxh", "Wh": "Whh", "b": "bh"},
        axes="columns",
        transposed=True,
        whole="lossFun(inputs, targets, hprev)"
        " -> loss, dWxh, dWhh, dWhy, dbh, dby, hprev?",
        sizes={"vocab_size": "D", "hidden_size": "H"},
    )
    return Layout("min-char-rnn", "min-char-rnn", {"rnn": rnn})


LAYOUTS = {
    layout.name: layout
    for layout in (
        _minilstm(),
        _cs231n(),
        _deeplearning_ai(),
        _d2l(),
        _pytorch(),
        _min_char_rnn(),
    )
}
