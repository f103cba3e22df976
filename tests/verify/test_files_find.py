"""The functions of a learner's file are found by names and arguments, in all layouts."""

import inspect
from pathlib import Path

import pytest

from minilstm.errors import InputError
from minilstm.verify.files.execute import execute, surroundings
from minilstm.verify.files.find import find, functions_in, nothing_found
from minilstm.verify.files.known import known_in, layout_of
from minilstm.verify.files.source import read_source
from minilstm.verify.layouts.presets import LAYOUTS
from tests.helpers.paths import ROOT

LEARNERS = ROOT / "tests" / "learners"


def functions_of(path):
    """The functions of a file, after it was run."""
    with surroundings(path):
        names, problems = execute(read_source(path), 5)
    assert problems == []
    return functions_in(names, path)


@pytest.fixture
def functions(tmp_path):
    """A function from the text of a file to its functions."""

    def read(text):
        path = tmp_path / "mine.py"
        path.write_text(text, encoding="utf-8")
        return functions_of(path)

    return read


def defined(*signatures):
    """A file of functions that do nothing."""
    return "".join(f"def {signature}: pass\n" for signature in signatures)


@pytest.mark.parametrize(
    "name, layout, count",
    [("cs231n.py", "cs231n", 5), ("deeplearning_ai.py", "deeplearning.ai", 4), ("d2l.py", "d2l", 6),
     ("pytorch.py", "pytorch", 6), ("min_char_rnn.py", "min-char-rnn", 1)],
)  # fmt: skip
def test_every_function_of_a_course_is_found_in_its_layout(name, layout, count):
    found = find(functions_of(LEARNERS / name))
    assert {one.known.layout.name for one in found} == {layout} and len(found) == count
    for one in found:
        mine = [function for function in (one.forward, one.backward) if function is not None]
        assert [function.name for function in mine] == list(one.known.names)


def test_the_layouts_that_share_names_are_told_apart_by_arguments(functions):
    cs231n = functions(defined("lstm_forward(x, h0, Wx, Wh, b)", "lstm_backward(dh, cache)"))
    other = functions(defined("lstm_forward(x, a0, parameters)", "lstm_backward(da, caches)"))
    d2l = functions(defined("lstm_step(X, state, params)", "lstm_step_backward(dstate, cache)"))
    ours = functions(defined("lstm_step(a, b, c, d, e, f)", "lstm_step_backward(a, b, c, d, e)"))
    assert [[one.known.layout.name for one in find(each)] for each in (cs231n, other, d2l, ours)] == [
        ["cs231n"], ["deeplearning.ai"], ["d2l"], ["minilstm"]]  # fmt: skip
    assert [one.known.kind for one in find(cs231n)] == ["sequence"]


def test_functions_are_in_the_order_of_the_file_with_their_lines(functions):
    found = find(functions("\n" + defined("rnn_backward(dh, cache)", "lstm_step_backward(dnext_h, dnext_c, cache)",
                                          "rnn_forward(x, h0, Wx, Wh, b)", "temporal_softmax_loss(x, y, mask, verbose=False)",
                                          "lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b)")))  # fmt: skip
    assert [str(one.last) for one in found] == [
        "rnn_backward (line 2)", "lstm_step_backward (line 3)", "temporal_softmax_loss (line 5)"]  # fmt: skip
    assert [one.known.cell for one in found] == ["rnn", "lstm", "lstm"]


def test_names_alone_do_not_make_a_known_function(functions):
    assert find(functions(defined("lstm(text)", "gru(seed=3)", "rnn(*values)", "loss(p)"))) == []


def test_a_layout_and_a_cell_can_be_asked_for(functions):
    mine = functions(defined("lstm(a)", "lstm_backward(b)", "rnn(c)", "rnn_backward(d)"))
    assert find(mine) == []
    asked = find(mine, layout_of("pytorch"))
    assert [(one.known.layout.name, one.known.cell) for one in asked] == [("pytorch", "lstm"), ("pytorch", "rnn")]
    assert [one.known.cell for one in find(mine, layout_of("pytorch", "rnn"), "rnn")] == ["rnn"]


def test_some_functions_can_be_asked_for_by_name(functions):
    mine = functions(defined("rnn_forward(x, h0, Wx, Wh, b)", "rnn_backward(dh, cache)", "temporal_softmax_loss(x, y, mask)"))
    assert [str(one.last) for one in find(mine, only=["rnn_forward"])] == ["rnn_backward (line 2)"]
    assert len(find(mine, only=["rnn_forward", "temporal_softmax_loss", "rnn_backward"])) == 2
    with pytest.raises(InputError, match="there is no function gru, only: rnn_forward"):
        find(mine, only=["gru"])


@pytest.mark.parametrize(
    "names, only, pair, kind",
    [
        (["my_step(a)", "my_step_backward(b)"], ["my_step"], ("my_step", "my_step_backward"), "step"),
        (["my_step(a)", "my_step_backward(b)"], ["my_step_backward"], ("my_step", "my_step_backward"), "step"),
        (["forward(a)", "backward(b)"], ["backward"], ("forward", "backward"), "sequence"),
        (["cell_f(a)", "back_cell(b)"], ["cell_f", "back_cell"], ("cell_f", "back_cell"), "step"),
        (["through_time(a)"], ["through_time"], ("through_time", None), "sequence"),
    ],
)
def test_functions_of_other_names_are_paired_and_need_a_layout(functions, names, only, pair, kind):
    mine = functions(defined(*names))
    (one,) = find(mine, layout_of("cs231n"), only=only)
    assert tuple(each and each.name for each in (one.forward, one.backward)) == pair
    assert (one.known.kind, one.known.cell, one.known.layout.name) == (kind, "lstm", "cs231n")
    with pytest.raises(InputError, match=f"{only[0]} is not the name of a known function; say with --layout"):
        find(mine, only=only)


def test_each_function_has_one_partner(functions):
    mine = functions(defined("one(a)", "two(b)", "back(c)"))
    found = find(mine, layout_of("cs231n"), only=["one", "two", "back"])
    assert [[each and each.name for each in (one.forward, one.backward)] for one in found] == [["two", None], ["one", "back"]]


def test_imported_functions_count_if_their_file_is_beside_this_one(tmp_path):
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "layers.py").write_text("\n" + defined("rnn_step_forward(x, prev_h, Wx, Wh, b)"), encoding="utf-8")
    path = tmp_path / "mine.py"
    path.write_text("from parts.layers import *\nfrom textwrap import dedent\nfrom math import sin\nclass A: pass\n"
                    "import functools\n@functools.wraps(rnn_step_forward)\ndef f(*a): pass\n", encoding="utf-8")  # fmt: skip
    found = functions_of(path)
    assert found["rnn_step_forward"].place == "line 2 of parts/layers.py" and "dedent" not in found
    assert "sin" not in found and found["f"].arguments == ("x", "prev_h", "Wx", "Wh", "b")


def test_functions_of_a_notebook_have_their_cell():
    path = LEARNERS / "published" / "deeplearning_ai.ipynb"
    with surroundings(path):
        names, _ = execute(read_source(path), 5)
    found = find(functions_in(names, path))
    assert [str(one.last) for one in found] == [
        "lstm_cell_backward (code cell 3, line 1)", "lstm_backward (code cell 4, line 1)"]  # fmt: skip


def test_what_was_looked_for_is_listed_with_what_there_is(functions):
    text = nothing_found(Path("mine.py"), functions(defined("f(a, b=2, *c)")))
    for words in ("Functions in mine.py:\n  f(a, b=2, *c)", "cs231n:\n  lstm_step_forward(x, prev_h,", "lossFun(inputs,",
                  "For other names: --function NAME --layout LAYOUT"):  # fmt: skip
        assert words in text
    assert "Functions in mine.py:\n  none; methods of a class" in nothing_found(Path("mine.py"), {})


def test_layouts_are_those_with_a_name_or_a_dictionary():
    assert layout_of("min-char-rnn") is LAYOUTS["min-char-rnn"] and layout_of(LAYOUTS["d2l"]) is LAYOUTS["d2l"]
    mine = layout_of({"like": "cs231n", "cell": "rnn", "step": "one(x, prev_h, Wx, Wh, b) -> next_h, cache"})
    assert {known.names[0] for known in known_in([mine])} >= {"one"} and set(mine.cells) == {"rnn"}
    with pytest.raises(InputError, match="there is no layout"):
        layout_of("klingon")
    with pytest.raises(InputError, match="has no cell"):
        layout_of("cs231n", "gru")


def test_the_learners_files_have_the_arguments_that_the_layouts_say():
    compared = 0
    for name, layout in [("cs231n", "cs231n"), ("deeplearning_ai", "deeplearning.ai"), ("pytorch", "pytorch")]:
        functions = functions_of(LEARNERS / f"{name}.py")
        for known in known_in([LAYOUTS[layout]]):
            for function, arguments in known.signatures:
                compared += 1
                assert list(inspect.signature(functions[function].call).parameters)[: len(arguments)] == list(arguments)
    assert compared > 20
