"""Any layout that a dictionary describes: arrays go there and back, code in it is checked and diagnosed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minilstm.verify import LAYOUTS, check_sequence, check_step, diagnose, diagnose_sequence
from minilstm.verify.layouts import arrays
from minilstm.verify.layouts.described import find_layout
from minilstm.verify.layouts.lines import line_that_makes
from minilstm.verify.layouts.signature import parse
from tests.helpers.text import one_line
from tests.learners.any_layout import AXES, GATES, Code

STATES = {"lstm": "hc", "gru": "h", "rnn": "h"}


@st.composite
def descriptions(draw, cells=("lstm", "gru", "rnn")):
    """A dictionary for ``layout=``, with all that it may say."""
    cell = draw(st.sampled_from(cells))
    each, concatenation = draw(st.booleans()), draw(st.sampled_from(["", "hx", "xh"]))
    mark = "{}" if each else ""
    names = {"W": f"W{mark}"} if concatenation else {"Wx": f"U{mark}", "Wh": f"V_{mark}"}
    two = cell == "gru" or draw(st.booleans())
    names |= {"bx": f"bx{mark}", "bh": f"bh{mark}"} if two else {"b": f"bias{mark}"}
    gradient = draw(st.sampled_from(["d{}", "grad_{}"]))
    axes = draw(st.sampled_from([*AXES]))
    letters = draw(st.permutations("abcdefgh"))[: len(GATES[cell])]
    s = STATES[cell]
    g = lambda form: ", ".join(gradient.format(form.format(k)) for k in s)
    plain = lambda form: ", ".join(form.format(k) for k in s)
    return {
        "cell": cell,
        "step": f"f(x, s({plain('{}_prev')}), p{{}}) -> s({plain('{}')}), cache",
        "step_backward": f"f(s({g('{}')}), cache) -> {gradient.format('x')}, s({g('{}_prev')}), g{{}}",
        "sequence": f"f(x, s({plain('{}0')}), p{{}}) -> h, s({plain('{}T')}), caches",
        "sequence_backward": f"f({gradient.format('h')}, s({g('{}T')}), caches)"
        f" -> {gradient.format('x')}, s({g('{}0')}), g{{}}",
        "names": names,
        "gradient": gradient,
        "axes": axes,
        "gates": "".join(draw(st.permutations(GATES[cell]))),
        "letters": "".join(letters),
        "concatenation": concatenation,
        "transposed": draw(st.booleans()),
    }


@given(descriptions(), st.integers(1, 4), st.integers(1, 4))
def test_weights_go_to_a_layout_and_back_without_a_change(description, D, H):
    layout = find_layout(description)
    rng = np.random.default_rng(0)
    ours = {name: rng.standard_normal(shape) for name, shape in arrays.weight_shapes(layout, D, H).items()}
    theirs = arrays.split_weights(layout, ours)
    assert sum(array.size for array in theirs.values()) == sum(array.size for array in ours.values())
    back = arrays.join_weights(layout, theirs, D, H)
    assert back.keys() == ours.keys()
    assert all(np.array_equal(back[name], ours[name]) and back[name].dtype == ours[name].dtype for name in ours)


@given(descriptions(), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))
def test_states_and_sequences_go_to_a_layout_and_back_without_a_change(description, T, B, D):
    layout = find_layout(description)
    for array in (np.arange(T * B * D).reshape(T, B, D), np.arange(B * D).reshape(B, D)):
        theirs = arrays.to_theirs(layout, "sequence", array)
        assert np.array_equal(arrays.from_theirs(layout, "sequence", theirs), array)
    shape = arrays.to_theirs(layout, "sequence", np.zeros((T, B, D))).shape
    assert shape == {"time first": (T, B, D), "batch first": (B, T, D), "columns": (D, B, T)}[layout.axes]


@given(descriptions(), st.data())
@settings(max_examples=3)
def test_right_code_in_any_layout_passes_and_one_wrong_gradient_fails_by_its_name(description, data):
    code = Code(description)
    for check, forward, backward in (
        (check_step, code.step, code.step_backward),
        (check_sequence, code.sequence, code.sequence_backward),
    ):
        assert check(forward, backward, layout=description)
    name = data.draw(st.sampled_from(find_layout(description).weight_names))
    gradient = description["gradient"].format(name)

    def wrong(*arguments):
        dx, before, grads = code.step_backward(*arguments)
        return dx, before, {**grads, gradient: 1.1 * grads[gradient]}

    check = check_step(code.step, wrong, layout=description)
    assert [row.name for row in check.wrong] == [name] and not check.passed


@given(descriptions(), st.data())
@settings(max_examples=2)
def test_code_in_any_layout_is_diagnosed_and_named_by_its_arrays(description, data):
    code = Code(description)
    assert diagnose(code.step_backward, code.step, layout=description)
    name = data.draw(st.sampled_from(find_layout(description).weight_names))
    gradient = description["gradient"].format(name)

    def wrong(*arguments):
        dx, before, grads = code.step_backward(*arguments)
        return dx, before, {**grads, gradient: 1.1 * grads[gradient]}

    found = diagnose(wrong, code.step, layout=description)
    assert not found.right and gradient in one_line(found)
    others = {description["gradient"].format(n) for n in find_layout(description).weight_names} - {gradient}
    first = one_line(found).partition("It is none of")[0]
    assert not [other for other in others if f"{other} " in first or f"{other}." in first or f"{other}," in first], found


@given(descriptions())
@settings(max_examples=1)
def test_sequences_in_any_layout_are_diagnosed(description):
    code = Code(description)
    assert diagnose_sequence(code.sequence_backward, code.sequence, layout=description)

    def dropped(dh, dstate, caches):
        dx, before, grads = code.sequence_backward(dh, dstate, caches)
        return dx, (*before[:-1], 0 * before[-1]), grads

    found = diagnose_sequence(dropped, code.sequence, layout=description)
    assert f"wrong in {description['gradient'].format(STATES[description['cell']][-1] + '0')}." in one_line(found)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_every_layout_with_a_name_could_be_described(layout):
    for cell, form in layout.cells.items():
        kinds = ("step", "step_backward", "sequence", "sequence_backward", "loss")
        texts = {kind: getattr(form, kind) for kind in kinds if getattr(form, kind)}
        assert texts or form.whole
        assert find_layout({"like": layout.name, "cell": cell, **texts}) == form


def test_a_signature_reads_back_as_it_was_written():
    signature = parse("f(x, state(H, C), p{}, (a)) -> (H, C), g[], y?, cache")
    assert str(signature) == "f(x, state, p, (a,))"
    assert [str(item) for item in signature.results] == ["(H, C)", "g", "y", "cache"]
    assert [item.mark for item in signature.results] == ["", "[]", "?", ""]


def test_a_line_is_told_only_if_there_is_one():
    def code(a):
        b = a * 2
        c = a
        c = c + 1
        d = {"e": b}
        return c, d

    def first(a):
        b = a
        return b

    assert line_that_makes(first, "b").endswith("`b = a`")
    assert line_that_makes(code, "b").endswith("`b = a * 2`")  # in a dictionary that is returned
    assert line_that_makes(code, "c") == line_that_makes(code, "z") == line_that_makes(print, "b") == ""
