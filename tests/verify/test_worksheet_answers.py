"""A filled-in worksheet is checked, and a slip counts once."""

import io

import pytest

from minilstm import InputError
from minilstm.verify.worksheet.answers import BLANK, RIGHT, WRONG, check_answers, read_answers
from minilstm.verify.worksheet.build import make_worksheet
from minilstm.verify.worksheet.sheet import value_of
from minilstm.verify.worksheet.text import as_csv, number

SHEET = make_worksheet()


def written(sheet=SHEET, **changes):
    """The numbers as a student types them, with five decimals."""
    return {line.name: number(line) for line in sheet.lines} | changes


def states(answers, sheet=SHEET):
    return {each.line.name: each.state for each in check_answers(sheet, answers)}


def test_five_decimals_are_right_for_every_number():
    found = states(written())
    assert set(found.values()) == {RIGHT} and len(found) == sum(not line.given for line in SHEET.lines)


def test_a_slip_counts_once_if_what_follows_is_computed_from_it():
    values = {}
    for line in SHEET.lines:
        values[line.name] = line.value if line.given else value_of(line.formula, values)
        if line.name == "f1[1]":
            values[line.name] = 0.5
    assert abs(values["loss"] - SHEET.values["loss"]) > 1e-3
    found = check_answers(SHEET, {name: f"{value:.6f}" for name, value in values.items()})
    assert [each.line.name for each in found if each.state != RIGHT] == ["f1[1]"]
    (slip,) = (each for each in found if each.state == WRONG)
    assert slip.expected == pytest.approx(SHEET.values["f1[1]"]) and slip.answer == "0.500000"


def test_a_right_number_after_a_slip_is_right_too():
    assert [name for name, state in states(written(**{"f1[1]": "0.5"})).items() if state != RIGHT] == ["f1[1]"]


def test_a_number_that_is_a_little_off_is_wrong():
    value = SHEET.values["dWh[1,f2]"]
    for off, state in ((1e-4, RIGHT), (1e-3, WRONG), (-1e-3, WRONG)):
        assert states(written(**{"dWh[1,f2]": f"{value + off:.6f}"}))["dWh[1,f2]"] == state


@pytest.mark.parametrize(
    "answer, state", [("", BLANK), ("  ", BLANK), ("?", WRONG), ("1/3", WRONG), ("nan", WRONG), ("inf", WRONG)]
)
def test_what_is_no_number_is_wrong_and_nothing_is_not_answered(answer, state):
    found = states(written(**{"c1[1]": answer}))
    assert found.pop("c1[1]") == state
    assert set(found.values()) == {RIGHT}


def test_a_comma_and_a_real_minus_are_read():
    typed = {name: text.replace(".", ",").replace("-", "\N{MINUS SIGN}") for name, text in written().items()}
    assert set(states(typed).values()) == {RIGHT}


def test_numbers_far_from_right_do_not_stop_the_check():
    found = states(written(**{"a1[1]": "1e9", "p1[1]": "-3"}))
    assert found["a1[1]"] == found["p1[1]"] == WRONG and found["dx1[1]"] == RIGHT


def test_the_sheet_of_another_student_is_refused():
    with pytest.raises(InputError, match=r"another sheet: its x1\[1\] is -?0\.\d+, and here it is 0.85"):
        check_answers(SHEET, written(make_worksheet(seed=1)))
    with pytest.raises(InputError, match=r"its x1\[2\] is missing"):
        check_answers(SHEET, written(make_worksheet(steps=1)) | {"x2[1]": "-0.51"})


@pytest.mark.parametrize("separator", [",", ";"])
def test_csv_is_read_as_a_spreadsheet_program_saves_it(tmp_path, separator):
    path = tmp_path / "ada.csv"
    text = as_csv(SHEET)
    if separator == ";":
        import csv

        file = io.StringIO()
        csv.writer(file, delimiter=";").writerows(csv.reader(io.StringIO(text)))
        text = "\ufeff" + file.getvalue()
    path.write_text(text, encoding="utf-8", newline="")
    assert set(states(read_answers(path)).values()) == {RIGHT}
    path.write_text(as_csv(SHEET, blank=True), encoding="utf-8")
    assert set(states(read_answers(path)).values()) == {BLANK}


def test_a_spreadsheet_is_read(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    from minilstm.verify.worksheet.spreadsheet import as_xlsx

    path = tmp_path / "ada.xlsx"
    path.write_bytes(as_xlsx(SHEET, blank=True))
    assert set(states(read_answers(path)).values()) == {BLANK}
    book = openpyxl.load_workbook(path)
    for row in book.active.iter_rows(min_row=13):
        if row[1].value:
            row[3].value = round(SHEET.values[row[1].value], 5)
    book.save(path)
    assert set(states(read_answers(path)).values()) == {RIGHT}


@pytest.mark.parametrize(
    "name, content", [("a.txt", b""), ("a.csv", b""), ("a.csv", b"x,y\n1,2\n"), ("a.xlsx", b"PK"), ("none.csv", None)]
)
def test_a_file_that_is_no_worksheet_is_refused(tmp_path, name, content):
    pytest.importorskip("openpyxl")
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match="no worksheet|no .csv or .xlsx|no file"):
        read_answers(tmp_path / name)


def test_another_spreadsheet_is_no_worksheet(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    openpyxl.Workbook().save(tmp_path / "a.xlsx")
    with pytest.raises(InputError, match="no worksheet"):
        read_answers(tmp_path / "a.xlsx")
