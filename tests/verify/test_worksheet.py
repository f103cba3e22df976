"""The worksheet: its numbers are those of the engine and of a spreadsheet program.

Its text, tables and spreadsheet are readable.
"""

import csv
import io
import math
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm import LSTM, Dense, InputError, MinilstmError
from minilstm.reference.loss import softmax_cross_entropy, softmax_cross_entropy_backward
from minilstm.verify.worksheet.build import CLASSES, make_worksheet
from minilstm.verify.worksheet.change import is_weight
from minilstm.verify.worksheet.sheet import CHANGE
from minilstm.verify.worksheet.text import as_csv, as_markdown, as_text, formula_of, numbers
from tests.helpers.strategies import seeds

SOFFICE = shutil.which("soffice") or shutil.which("libreoffice")
small = st.integers(1, 3)


def engine(sheet):
    """All numbers of a worksheet, by name, computed by the compiled engine."""
    H, D, T = sheet.hidden, sheet.input, sheet.steps
    units, inputs, steps = range(1, H + 1), range(1, D + 1), range(1, T + 1)
    columns = tuple(f"{gate}{k}" for gate in "ifgo" for k in units)
    x = sheet.array("x{1}[{0}]", steps, inputs)[:, None]  # (T, 1, D)
    state = tuple(sheet.array(f"{part}{{}}[0]", units)[None] for part in "hc")
    params = {
        "Wx": sheet.array("Wx[{},{}]", inputs, columns),
        "Wh": sheet.array("Wh[{},{}]", units, columns),
        "b": sheet.array("b[{}]", columns),
    }
    output = {"W": sheet.array("Wy[{},{}]", units, CLASSES), "b": sheet.array("by[{}]", CLASSES)}
    targets = sheet.array("y{1}[{0}]", steps, CLASSES).argmax(axis=1)[:, None]  # (T, 1)

    layer, dense = LSTM(D, H), Dense(H, len(CLASSES))
    h, _, cache = layer.forward(params, x, state)
    a, dense_cache = dense.forward(output, h)
    loss, loss_cache = softmax_cross_entropy(a, targets)
    da = softmax_cross_entropy_backward(loss_cache)
    dh, doutput = dense.backward(output, da, dense_cache)
    dx, (dh0, dc0), dparams = layer.backward(params, dh, cache)
    return [
        (h[:, 0], "h{1}[{0}]", steps, units),
        (cache.c[1:], "c{1}[{0}]", steps, units),
        (cache.gates, "{1}[{0}]", steps, columns),
        (cache.tanh_c, "tanhc{1}[{0}]", steps, units),
        (a[:, 0], "a{1}[{0}]", steps, CLASSES),
        (loss_cache.p, "p{1}[{0}]", steps, CLASSES),
        (da[:, 0], "da{1}[{0}]", steps, CLASSES),
        (dx[:, 0], "dx{1}[{0}]", steps, inputs),
        (dh0[0], "dh{}[0]", units),
        (dc0[0], "dc{}[0]", units),
        (dparams["Wx"], "dWx[{},{}]", inputs, columns),
        (dparams["Wh"], "dWh[{},{}]", units, columns),
        (dparams["b"], "db[{}]", columns),
        (doutput["W"], "dWy[{},{}]", units, CLASSES),
        (doutput["b"], "dby[{}]", CLASSES),
        (np.array(loss), "loss"),
    ]


def assert_equals_the_engine(sheet, tolerance):
    for expected, name, *axes in engine(sheet):
        assert np.abs(expected).max() > 0, name
        np.testing.assert_allclose(sheet.array(name, *axes), expected, rtol=0, atol=tolerance, err_msg=name)


@given(small, small, small, seeds)
def test_every_number_is_the_engines(hidden, inputs, steps, seed):
    assert_equals_the_engine(make_worksheet(hidden, inputs, steps, seed), 1e-13)


def test_given_numbers_have_two_decimals_and_are_never_zero():
    sheet = make_worksheet()
    given_lines = [line for line in sheet.lines if line.given and not line.name.startswith("y")]
    assert len(given_lines) == 4 + 4 + 16 + 16 + 8 + 6 + 1  # the last: the learning rate
    assert all(round(line.value, 2) == line.value != 0 for line in given_lines)
    assert make_worksheet(seed=1).lines[0].value != sheet.lines[0].value == make_worksheet().lines[0].value


def test_a_number_is_computed_only_from_numbers_before_it():
    sheet = make_worksheet()
    seen = set()
    for line in sheet.lines:
        assert set(re.findall(r"\{(.+?)\}", line.formula)) <= seen
        seen.add(line.name)


@pytest.mark.parametrize("sizes", [(1, 1, 1), (2, 2, 2), (4, 4, 4)])
def test_text_has_80_columns_and_every_number_with_its_equation(sizes):
    sheet = make_worksheet(*sizes)
    text = as_text(sheet)
    assert max(map(len, text.splitlines())) <= 80
    for line in sheet.lines:
        equation = re.escape(line.equation.ljust(8)) if line.equation else ""
        assert re.search(rf"(?m)(^|  ){equation}{re.escape(line.name)} = ", text), line.name


def test_the_substituted_numbers_give_the_result_on_a_calculator():
    sheet = make_worksheet()
    for line in sheet.lines:
        if not line.given:
            python = numbers(sheet, line).replace("^", "**")
            typed = eval(python, {"sigmoid": lambda z: 1 / (1 + np.exp(-z)), "tanh": np.tanh, "exp": np.exp, "ln": np.log})
            assert typed == pytest.approx(line.value, abs=3e-5), line.name


def test_the_text_of_a_worksheet_has_plain_notation():
    text = as_text(make_worksheet())
    assert "(4)     c1[1] = f1[1] * c1[0] + i1[1] * g1[1]\n" in text
    assert "              = 0.83584 * 0.50 + 0.65496 * (-0.39744)\n" in text
    assert "dc2[1] = dcprev2[2] + dh2[1] * o2[1] * (1 - tanhc2[1]^2)\n" in text


def test_the_text_ends_with_a_proof():
    sheet = make_worksheet()
    text = as_text(sheet)
    up, down = (float(x) for x in re.findall(r"0\.\d{10}", text[text.index("Is it right?"):]))
    assert up == pytest.approx(sheet.perturbed_loss("Wx[1,i1]", 1e-4), abs=1e-10) and up > down
    assert (up - down) / 2e-4 == pytest.approx(sheet.values["dWx[1,i1]"], abs=1e-5) != 0
    assert "is 0.00769;\nthe gradient dWx[1,i1] above is 0.00769." in text
    assert sheet.perturbed_loss("b[f2]", 0.0) == sheet.values["loss"] != sheet.perturbed_loss("b[f2]", 0.1)


@given(small, small, small, seeds, st.integers(0, 10**6))
def test_in_the_last_block_one_weight_learns_and_its_loss_is_that_of_a_sheet_with_the_new_weight(
    hidden, inputs, steps, seed, number
):
    names = [line.name for line in make_worksheet(hidden, inputs, steps, seed).lines if line.given and is_weight(line.name)]
    weight = names[number % len(names)]
    sheet = make_worksheet(hidden, inputs, steps, seed, weight=weight)
    value, gradient, rate = (sheet.values[name] for name in (weight, f"d{weight}", "rate"))
    assert sheet.values[f"{weight}'"] == value - rate * gradient
    assert sheet.values["loss'"] == pytest.approx(sheet.perturbed_loss(weight, -rate * gradient), abs=1e-14)
    assert sheet.values["change"] == sheet.values["loss'"] - sheet.values["loss"]
    assert sheet.values["expected"] == pytest.approx(-rate * gradient**2)


def test_the_loss_falls_as_expected_for_a_small_gradient_and_only_what_depends_on_the_weight_is_computed_again():
    sheet = make_worksheet()
    again = [line.name for line in sheet.lines if line.section == CHANGE]
    assert again[:5] == ["rate", "Wy[1,1]'", "a1[1]'", "s[1]'", "p1[1]'"] and len(again) == 15
    assert sheet.values["change"] == pytest.approx(sheet.values["expected"], rel=0.05) and sheet.values["change"] < -0.001
    within = make_worksheet(weight="Wx[2,f1]")
    again = {line.name for line in within.lines if line.section == CHANGE}
    assert {"zf1[1]'", "f1[1]'", "c1[2]'", "o2[2]'", "loss'"} <= again
    assert not {"zi1[1]'", "o1[1]'", "h2[1]'"} & again


def test_a_weight_that_is_not_there_cannot_learn():
    for weight in ("Wx[3,i1]", "x1[1]", "loss", ""):
        with pytest.raises(InputError, match=re.escape(f"no weight {weight}; there are Wx[1,i1]")):
            make_worksheet(weight=weight)


def test_a_blank_sheet_has_no_result_and_room_for_each():
    sheet = make_worksheet(owner="Ada")
    text, computed = as_text(sheet, blank=True), [line for line in sheet.lines if not line.given]
    assert text.startswith("An LSTM by hand\nAda\nH = 2") and "Is it right?" not in text
    assert text.count("= ____________\n") == len(computed)
    for part in (text, as_markdown(sheet, blank=True), as_csv(sheet, blank=True)):
        assert "x1[1]" in part and "0.85" in part  # what is given
        assert not re.search(r"\d\.\d{5}", part)
    rows = list(csv.DictReader(io.StringIO(as_csv(sheet, blank=True))))
    assert [row["name"] for row in rows if row["result"]] == [line.name for line in sheet.lines if line.given]


@pytest.mark.parametrize("blank", [False, True])
@pytest.mark.parametrize("sizes", [(1, 1, 1), (4, 4, 4)])
def test_the_text_announces_its_own_length(sizes, blank):
    sheet = make_worksheet(*sizes)
    text = as_text(sheet, blank)
    lines = len(text.splitlines())
    computed = sum(not line.given for line in sheet.lines)
    pages = math.ceil(lines / 60)
    assert f"\n{len(sheet.lines)} numbers, {computed} of them to compute; {lines} lines, {pages} pages.\n" in text


def test_csv_has_all_digits_and_markdown_a_table_for_each_section():
    sheet = make_worksheet()
    rows = list(csv.DictReader(io.StringIO(as_csv(sheet))))
    assert [row["name"] for row in rows] == [line.name for line in sheet.lines]
    assert all(float(row["result"]) == line.value for row, line in zip(rows, sheet.lines))
    markdown = as_markdown(sheet)
    assert markdown.startswith("# An LSTM by hand\n")
    assert markdown.count("\n## ") == len({line.section for line in sheet.lines}) + 1
    tables = [line for line in markdown.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"\|", line)) for line in tables} == {6}


@pytest.mark.parametrize(
    "name, sizes", [("hidden", (5, 2, 2)), ("input", (2, 9, 2)), ("steps", (2, 2, 5)), ("steps", (2, 2, 0))]
)
def test_sizes_too_large_to_compute_by_hand_are_refused(name, sizes):
    with pytest.raises(InputError, match=name):
        make_worksheet(*sizes)


def test_without_openpyxl_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    monkeypatch.delitem(sys.modules, "minilstm.verify.worksheet.spreadsheet", raising=False)
    with pytest.raises(MinilstmError, match=r'pip install "minilstm\[lessons\]"'):
        import minilstm.verify.worksheet.spreadsheet  # noqa: F401


# ---- the spreadsheet -----------------------------------------------------------------


def as_pages(path):
    openpyxl = pytest.importorskip("openpyxl")
    return openpyxl.load_workbook(path, data_only=True).active


def recalculated(path, folder):
    """The file after a spreadsheet program has opened, computed and saved it."""
    if SOFFICE is None:
        pytest.skip("LibreOffice is not installed (apt-get install libreoffice-calc), so nothing can open the spreadsheet")
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    (folder / "out").mkdir(exist_ok=True)
    subprocess.run(
        [SOFFICE, profile, "--headless", "--convert-to", "xlsx", "--outdir", str(folder / "out"), str(path)],
        check=True, capture_output=True, timeout=180,
    )
    return as_pages(folder / "out" / path.name)


def read_back(page, sheet):
    """The worksheet with the values of a spreadsheet page instead of its own."""
    values = {name: value for _, name, _, value, *_ in page.iter_rows(min_row=13, values_only=True) if name}
    assert list(values) == [line.name for line in sheet.lines]
    return type(sheet)(sheet.hidden, sheet.input, sheet.steps, sheet.seed, values=values)


def head(page):
    """The entries above the numbers, by label."""
    return {row[2]: row[3] for row in page.iter_rows(min_row=4, max_row=10, values_only=True)}


@pytest.mark.parametrize("sizes", [(2, 2, 2), (3, 1, 3)])
def test_a_spreadsheet_program_computes_every_number_as_the_engine_does(tmp_path, sizes):
    pytest.importorskip("openpyxl")
    from minilstm.verify.worksheet.spreadsheet import as_xlsx

    sheet = make_worksheet(*sizes)
    path = tmp_path / "worksheet.xlsx"
    path.write_bytes(as_xlsx(sheet))
    page = recalculated(path, tmp_path)
    theirs = read_back(page, sheet)
    assert_equals_the_engine(theirs, 1e-9)
    assert max(abs(theirs.values[line.name] - line.value) for line in sheet.lines) < 1e-9
    table = head(page)
    assert table["Perturb this number"] == "Wx[1,i1]"
    assert table["gradient by the backward pass"] == pytest.approx(sheet.values["dWx[1,i1]"], abs=1e-9)
    assert abs(table["difference"]) < 1e-8 and table["gradient by the backward pass"] != 0


def test_every_result_follows_the_yellow_cells_and_every_given_number_can_be_perturbed(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    from minilstm.verify.worksheet.spreadsheet import as_xlsx

    sheet = make_worksheet()
    for name, perturbed in (("Wh[2,f1]", "Wh[2,f1]"), ("c1[0]", "c2[0]"), ("by[1]", "x1[2]")):
        book = openpyxl.load_workbook(io.BytesIO(as_xlsx(sheet)))
        rows = {row[1].value: row for row in book.active.iter_rows(min_row=13)}
        assert rows[name][3].fill.fgColor.rgb.endswith("FFF2A8")
        rows[name][3].value = 0.3
        book.active["D4"] = perturbed
        path = tmp_path / "changed.xlsx"
        book.save(path)
        page = recalculated(path, tmp_path)
        theirs = read_back(page, sheet)
        assert theirs.values[name] == 0.3 and theirs.values["loss"] != sheet.values["loss"]
        assert_equals_the_engine(theirs, 1e-9)
        table = head(page)
        assert table["gradient by the backward pass"] == theirs.values["d" + perturbed] != 0
        assert abs(table["difference"]) < 1e-8


def test_every_number_that_is_computed_is_a_formula():
    pytest.importorskip("openpyxl")
    from minilstm.verify.worksheet.spreadsheet import as_xlsx

    sheet = make_worksheet()
    page = as_pages_with_formulas(as_xlsx(sheet))
    cells = {row[1]: row for row in page.iter_rows(min_row=13, values_only=True) if row[1]}
    for line in sheet.lines:
        _, _, formula, value, up, down = cells[line.name]
        if line.given:
            assert value == line.value
            if line.name != "rate":
                assert up.startswith("=D") and down.startswith("=D")
        else:
            assert value.startswith("=") and formula == formula_of(line)
            assert (up is None) == (down is None) == (not line.forward)


def test_a_blank_spreadsheet_has_given_numbers_and_boxes():
    pytest.importorskip("openpyxl")
    from minilstm.verify.worksheet.spreadsheet import as_xlsx

    sheet = make_worksheet(owner="=Ada")
    page = as_pages_with_formulas(as_xlsx(sheet, blank=True))
    assert page["A1"].value.endswith("(seed 0, =Ada)") and page["A1"].data_type == "s"
    cells = {row[1].value: row for row in page.iter_rows(min_row=13) if row[1].value}
    for line in sheet.lines:
        assert cells[line.name][3].value == (line.value if line.given else None)
        assert (cells[line.name][3].border.top.style == "thin") == (not line.given)
        assert [cell.value for cell in cells[line.name][4:]] in ([], [None, None])
    assert {cell.value for row in page["C4:E10"] for cell in row} == {None}


def as_pages_with_formulas(contents):
    return pytest.importorskip("openpyxl").load_workbook(io.BytesIO(contents)).active
