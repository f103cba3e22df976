"""Sentences of ours in the words of a layout: names, gates, entries, orders."""

import numpy as np
import pytest

from minilstm import InputError, reference
from minilstm.reference.sequence import sequence_backward, sequence_forward
from minilstm.verify import LAYOUTS, check_step, diagnose, diagnose_loss
from minilstm.verify.diagnose.mistakes_in_summed_loss import SUMMED_LOSS, summed_cross_entropy
from minilstm.verify.layouts.adapted import Adapted
from minilstm.verify.layouts.described import find_layout
from minilstm.verify.layouts.recognize import of_another_layout, recognize
from minilstm.verify.layouts.signature import array_of, call, parse
from minilstm.verify.layouts.words import Words
from tests.learners import cs231n
from tests.verify.layouts import PAIRS, functions, module

ONE_FOR_BOTH = {"concatenation": "xh", "names": {"W": "W", "b": "b"}, "step": "", "step_backward": "", "sequence": "",
                "sequence_backward": "", "loss": ""}

GRU = {"cell": "gru", "gates": "znr"}


@pytest.mark.parametrize(
    "layout, kind, ours, theirs",
    [
        ("cs231n", "step", "Your dc_prev equals dc * f.", "Your dprev_c equals dc * f."),
        ("cs231n", "step", "dWx (all gates), db (forget gate, candidate)", "dWx, db (forget gate, candidate)"),
        ("cs231n", "step", "In dWx, output gate, entry [1, 2] is 3.",
         "In dWx[1, 2H + 2] (columns 2H to 3H: your output gate) is 3."),
        ("cs231n", "step", "In dWh, input gate, entry [1, 0] is 3.", "In dWh[1, 0] (columns 0 to H: your input gate) is 3."),
        ("cs231n", "step", "In dWx, entry [1, 0] is 3.", "In dWx[1, 0] is 3."),
        ("cs231n", "step", "In Wx, input gate, entry [1, 0] is 3.", "In Wx[1, 0] (columns 0 to H: your input gate) is 3."),
        ("cs231n", "step", "In dz, output gate, entry [0, 2] is 3.", "In dz[0, 2] of the output gate is 3."),
        ("cs231n", "sequence", "In dx[2], entry [0, 1] is 3.", "In dx[0, 2, 1] is 3."),
        ("cs231n", "sequence", "In dc_prev, handed on by step 2, entry [0, 3] is 1.",
         "In dprev_c[0, 3], handed on by step 2, is 1."),
        ("deeplearning.ai", "sequence", "In dz of step 2, input gate, entry [0, 3] is 1.",
         "In dz[3, 0] of the input gate of step 2 is 1."),
        ("cs231n", "sequence", "dx[2], h[0], hT", "dx[:, 2], h[:, 0], hT"),
        ("cs231n", "sequence", "dh_prev, handed on by step 1", "dprev_h, handed on by step 1"),
        ("cs231n", "step", "dc, changed in place", "dnext_c, changed in place"),
        ("cs231n", "step", "gates in the order f, i, g, o: `zf, zi, zg, zo`",
         "gates in the order f, i, o, g: `zf, zi, zo, zg`"),
        ("cs231n", "step", "https://x.y/h_prev: It raises E: h_prev.",
         "https://x.y/h_prev: It raises E: h_prev."),
        ("cs231n", "step", "Your line 3: `h_prev = 1` is h_prev", "Your line 3: `h_prev = 1` is prev_h"),
        ("cs231n", "step", "[dzi, dzi, dzg, dzo] and i, f, g", "[dzi, dzi, dzo, dzg] and i, f, g"),
        (GRU, "step", "dWx (reset gate, update gate, candidate)", "dWx"),
        (GRU, "step", "in the order z, r, n: axz, axr, axn", "in the order r, n, z: axr, axn, axz"),
        (GRU, "step", "In dWh, candidate, entry [1, 2] is 3.", "In dWh[1, H + 2] (columns H to 2H: your candidate) is 3."),
        ("cs231n", "step", "at B = 2, H = 3", "at N = 2, H = 3"),
        ("cs231n", "loss", "In dlogits at the padding: logits - lengths", "In dx at the padding: x - mask"),
        ("deeplearning.ai", "step", "dWx (forget gate), dWh (forget gate)", "dWf"),
        ("deeplearning.ai", "step", "look where dWx and dWh are made", "look where dWf, dWi, dWc, dWo are made"),
        ("deeplearning.ai", "step", "In dWx, candidate, entry [1, 2] is 3.", "In dWc[2, n_a + 1] is 3."),
        ("deeplearning.ai", "step", "In dWh, candidate, entry [1, 2] is 3.", "In dWc[2, 1] is 3."),
        ("deeplearning.ai", "step", "In db, candidate, entry [2] is 3.", "In dbc[2, 0] is 3."),
        ("deeplearning.ai", "step", "In dx, entry [1, 2] is 3.", "In dxt[2, 1] is 3."),
        ("deeplearning.ai", "step", "i * g where f * c_prev", "it * cct where ft * c_prev"),
        ("deeplearning.ai", "sequence", "In dx[2], entry [0, 1] is 3.", "In dx[1, 0, 2] is 3."),
        ("deeplearning.ai", "sequence", "dx[2]", "dx[:, :, 2]"),
        ("d2l", "step", "h = o * tanh_c, dWx (forget gate)", "H = O * tanh_c, dW_xf"),
        ("d2l", "sequence", "dx[2], dh0", "dinputs[2], dH0"),
        ("pytorch", "step", "In dWx, candidate, entry [1, 2] is 3.",
         "In grad_weight_ih[2H + 2, 1] (rows 2H to 3H: your candidate) is 3."),
        ("pytorch", "step", "dh_prev and db", "grad_hx and grad_bias_ih"),
        (ONE_FOR_BOTH, "step", "In dWh, forget gate, entry [1, 2] is 3.",
         "In dW[D + 1, H + 2] (columns H to 2H: your forget gate) is 3."),
        ({"values": {"H": "n"}, "gates": "ofig"}, "step", "In db, candidate, entry [2] is 3.",
         "In db[3 * n + 2] (columns 3 * n to 4 * n: your candidate) is 3."),
    ],
)  # fmt: skip
def test_a_sentence_is_translated(layout, kind, ours, theirs):
    assert Words(find_layout(layout), kind)(ours) == theirs


def test_the_bias_that_is_compared_is_named():
    words = Words(find_layout("pytorch"), "step", "bh")
    assert words("db (forget gate)") == "grad_bias_hh (forget gate)"


@pytest.mark.parametrize(
    "layout, parts, name",
    [
        ("cs231n", ["dc_prev"], "dprev_c"),
        ("cs231n", ["dWx, forget gate"], ""),  # a part of an array
        ("cs231n", [f"dWx, {gate}" for gate in ("input gate", "forget gate", "candidate", "output gate")], "dWx"),
        ("deeplearning.ai", ["dWx, forget gate", "dWh, forget gate"], "dWf"),
        ("deeplearning.ai", ["dWx, forget gate", "dWx, candidate"], ""),
        ("deeplearning.ai", ["dx[0]", "dx[1]"], "dxt"),
        ("d2l", ["dWx, forget gate"], "dW_xf"),
        ("d2l", ["dWx, forget gate", "dWh, forget gate"], ""),
        ("cs231n", ["dc, changed in place"], ""),
    ],
)
def test_parts_that_are_one_array_are_named_so(layout, parts, name):
    assert Words(find_layout(layout), "step").array_of(parts) == name


def test_names_of_our_formulas_are_explained_where_they_are_used():
    words = Words(find_layout("cs231n"), "step")
    assert words.legend("dprev_c is wrong") == ""
    assert "dc is the whole gradient of next_c: what arrives as dnext_c" in words.legend("dc * f")
    assert "dzf that of the forget gate" in words.legend("dzo = do")
    assert "da is the gradient of what goes into the tanh" in Words(find_layout("cs231n", "rnn"), "step").legend("x.T @ da")
    assert "q is what r scales" in Words(find_layout("pytorch", "gru"), "step").legend("dar = dr")


# ---- the loss of CS231n --------------------------------------------------------------


def test_the_summed_loss_is_the_naive_sum_and_its_gradient_the_complex_step():
    rng = np.random.default_rng(0)
    T, B, V = 3, 2, 4
    logits, targets, lengths = rng.standard_normal((T, B, V)), rng.integers(0, V, (T, B)), np.array([3, 1])

    def naive(logits):
        total = 0
        for b in range(B):
            for t in range(lengths[b]):
                total = total - np.log(np.exp(logits[t, b, targets[t, b]]) / np.exp(logits[t, b]).sum())
        return total / B

    loss, dlogits = summed_cross_entropy(logits, targets, lengths)
    assert loss == pytest.approx(naive(logits), rel=1e-13)
    assert np.abs(dlogits[0]).min() > 1e-3 and not dlogits[1:, 1].any()
    for where in np.ndindex(T, B, V):
        shifted = logits.astype(complex)
        shifted[where] += 1e-100j
        assert dlogits[where] == pytest.approx(naive(shifted).imag / 1e-100, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("mistake", SUMMED_LOSS, ids=lambda mistake: mistake.name)
def test_every_known_mistake_in_the_summed_loss_is_named(mistake):
    from minilstm.verify.diagnose.mistakes_in_summed_loss import summed_loss_with

    wrong = summed_loss_with([mistake])

    def temporal(x, y, mask):
        loss, dlogits = wrong(x.transpose(1, 0, 2), y.T, mask.sum(axis=1))
        return loss, dlogits.transpose(1, 0, 2)

    found = diagnose_loss(temporal, layout="cs231n")
    assert [named.name for named in found.mistakes] == [mistake.name]


# ---- corners -------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["f(a b) -> c, d", "f(, a) -> c, d", "f(a, (b) -> c", "f a -> b", "f(a)", "f(a) -> b !", ""])
def test_a_text_that_is_no_signature_is_refused(text):
    with pytest.raises(InputError, match="does not describe a function"):
        parse(text)


def test_a_dictionary_of_gradients_must_be_one():
    forward, backward = module("deeplearning.ai").lstm_cell_forward, module("deeplearning.ai").lstm_cell_backward
    as_list = lambda *a: list(backward(*a).values())
    with pytest.raises(InputError, match="the gradients of your backward pass must be a dictionary, not list"):
        check_step(forward, as_list, layout="deeplearning.ai")
    with pytest.raises(InputError, match="must return gradients; it returned nothing"):
        check_step(forward, lambda *a: None, layout="deeplearning.ai")


def test_results_over_time_may_be_lists_or_dictionaries():
    one = np.arange(3.0)
    assert np.array_equal(array_of("h", [one, 2 * one]), [one, 2 * one])
    assert np.array_equal(array_of("h", {1: 2 * one, 0: one, -1: 0 * one}), [one, 2 * one])
    with pytest.raises(InputError, match="your h is not an array of numbers"):
        array_of("h", [one, one[:2]])


def test_a_function_whose_arguments_are_unknown_is_of_no_layout():
    assert recognize(np.add) is recognize(lambda *a: a) is recognize(3) is None
    assert of_another_layout(cs231n.lstm_step_forward).layout is LAYOUTS["cs231n"]


def test_a_function_is_called_with_what_it_says():
    function = lambda a, bs, p: (a, bs, p)
    found = call(function, parse("f(a, (b, c), p[]) -> a, (b, c), q?"), {"a": 1, "b": 2, "c": 3, "w": 4}, {}, "f", ["w"])
    assert found == {"a": 1, "b": 2, "c": 3}


@pytest.mark.parametrize("name, cell, kind", [pair for pair in PAIRS if pair[:2] != ("d2l", "gru")])
def test_adapted_functions_of_every_course_are_our_reference(name, cell, kind):
    layout, code = find_layout(name, cell), Adapted(find_layout(name, cell), kind)
    forward, backward = functions(name, cell, kind)
    forward, backward = code.forward(forward), code.backward(backward, "bh")
    rng = np.random.default_rng(0)
    T, B, D, H, G = 3, 2, 4, 3, len(layout.titles)
    weights = [rng.standard_normal(shape) for shape in ((D, G * H), (H, G * H), *[(G * H,)] * len(layout.our_biases))]
    step, step_backward = getattr(reference, f"{cell}_step"), getattr(reference, f"{cell}_step_backward")
    state = [rng.standard_normal((B, H)) for _ in layout.ours.state]
    dstate = [rng.standard_normal((B, H)) for _ in layout.ours.state]
    if kind == "step":
        x = rng.standard_normal((B, D))
        *new, cache = step(x, *state, *weights)
        *mine, my_cache = forward(x, *state, *weights)
        dx, *before, grads = step_backward(*dstate, cache, *weights[:2])
        my_dx, *my_before, my_grads = backward(*dstate, my_cache, *weights[:2])
    else:
        state[1:] = [0 * c if "c0" in code.lacks else c for c in state[1:]]
        dstate[1:] = [0 * dc if "dcT" in code.lacks else dc for dc in dstate[1:]]
        x, dh = rng.standard_normal((T, B, D)), rng.standard_normal((T, B, H))
        h, new, cache = sequence_forward(step, x, tuple(state), *weights)
        my_h, mine, my_cache = forward(x, tuple(state), *weights)
        assert np.allclose(my_h, h)
        dx, before, grads = sequence_backward(step_backward, dh, tuple(dstate), cache, *weights[:2])
        my_dx, my_before, my_grads = backward(dh, tuple(dstate), my_cache, *weights[:2])
    compared = [*zip(mine, new), (my_dx, dx), *zip(my_before, before), *((my_grads[k], g) for k, g in grads._asdict().items())]
    lacking = {1, 4} if code.lacks else set()  # cT and dc0
    for k, (one, other) in enumerate(compared):
        assert k in lacking or np.allclose(one, other), k
        assert np.abs(other).max() > 1e-3


def test_states_that_a_layout_does_not_have_are_refused():
    code = Adapted(find_layout("cs231n"), "sequence")
    x, h, W = np.ones((2, 1, 3)), np.ones((1, 2)), (np.ones((3, 8)), np.ones((2, 8)), np.ones(8))
    with pytest.raises(InputError, match="this layout has no initial cell state"):
        code.forward(cs231n.lstm_forward)(x, (h, h), *W)
    *_, caches = code.forward(cs231n.lstm_forward)(x, (h, 0 * h), *W)
    with pytest.raises(InputError, match="this layout has no gradient of the final cell state"):
        code.backward(cs231n.lstm_backward)(np.ones((2, 1, 2)), (h, h), caches, *W[:2])


def test_a_layout_without_a_function_says_so():
    with pytest.raises(InputError, match='this layout has no loss for the cell "lstm"'):
        diagnose_loss(cs231n.temporal_softmax_loss, layout="pytorch")
    with pytest.raises(InputError, match="no step"):
        diagnose(cs231n.lstm_step_backward, cs231n.lstm_step_forward, layout=ONE_FOR_BOTH)
