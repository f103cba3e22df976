"""The worksheet: its numbers are those of the engine and of a spreadsheet program.

Its text, tables and spreadsheet are readable.
"""

import csv
import io
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
    assert len(given_lines) == 4 + 4 + 16 + 16 + 8 + 6
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
    with pytest.raises(MinilstmError, match="pip install openpyxl"):
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
            assert value == line.value and up.startswith("=D") and down.startswith("=D")
        else:
            assert value.startswith("=") and formula == formula_of(line)
            assert (up is None) == (down is None) == line.backward


def as_pages_with_formulas(contents):
    return pytest.importorskip("openpyxl").load_workbook(io.BytesIO(contents)).active
