"""``minilstm check`` and ``minilstm worksheet`` at the command line."""

import csv
import os
import re
import subprocess
import sys

import pytest

from minilstm import LanguageModel
from minilstm.cli import check
from minilstm.seeds import seed_of_name
from tests.helpers.commands import refused


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def worst(text):
    """The largest relative error in a printed table."""
    return max(float(line.split()[3]) for line in text.splitlines() if line.endswith(" ok"))


@pytest.mark.parametrize("sizes", ["", "E=0", "L=1,T=1,B=1", "V=2 E=1 H=1 L=3", "T=12,B=7,H=9"])
@pytest.mark.parametrize("seed", [0, pytest.param(5, marks=pytest.mark.thorough)])
def test_check_finds_every_gradient_right_to_1e_12(run, sizes, seed):
    status, out, error = run("check", "--sizes", sizes, "--seed", seed)
    assert (status, error) == (0, "")
    rows = [line for line in out.splitlines() if line.endswith(" ok")]
    layers = int(dict(re.findall(r"(\w)=(\d+)", sizes)).get("L", 2))
    assert len(rows) == ("E=0" not in sizes) + 3 * layers + 2 + 2 * layers
    assert worst(out) <= 1e-12 and f"{len(rows)} of {len(rows)} gradients are right to a relative error of 1e-12" in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    "options, rows",
    [
        (["--cell", "gru", "--sizes", "L=3"], 1 + 4 * 3 + 2 + 3),
        (["--cell", "rnn", "--sizes", "L=3"], 1 + 3 * 3 + 2 + 3),
        (["--cell", "gru", "--dropout", "0.4", "--tied", "--sizes", "E=5"], 1 + 4 * 2 + 1 + 2),
    ],
)
def test_check_works_for_every_cell_with_dropout_and_tied_weights(run, options, rows):
    status, out, error = run("check", *options)
    assert (status, error) == (0, "") and worst(out) <= 1e-12
    assert f"{rows} of {rows} gradients are right" in out and ("dropout of 0.4" in out) == ("--tied" in options)
    assert ("output.W" not in out) == ("--tied" in options)


def test_tied_weights_of_unequal_sizes_are_refused(run):
    refused(run("check", "--tied"), 2, "embedding as wide as the hidden layer, 5", "one of width 3")


def test_all_methods_make_three_tables_that_agree(run):
    status, out, _ = run("check", "--method", "all", "--cell", "lstm")
    assert status == 0 and out.count("verdict") == 3
    for title in ("complex step", "central differences", "random projections"):
        assert f"\n{title}, " in out


def test_a_model_of_published_size_is_checked_by_projections(run):
    refused(run("check", "--sizes", "V=84,E=0,H=128,L=1"), 2, "119,892 parameters", "--method projections")
    status, out, _ = run("check", "--sizes", "V=84,E=0,H=128,L=1", "--method", "projections")
    assert status == 0 and "119,892" in out and "7 of 7" in out


@pytest.mark.parametrize("method", ["complex", "central", "projections"])
def test_a_wrong_gradient_ends_with_status_1_and_says_where(run, monkeypatch, method):
    def wrong(self, batch, state=None, dropout_rng=None, right=LanguageModel.loss_and_gradients):
        loss, gradients, final, dstates = right(self, batch, state, dropout_rng)
        gradients["lstm1.Wh"][2, 7] *= 1.01
        return loss, gradients, final, dstates

    monkeypatch.setattr(LanguageModel, "loss_and_gradients", wrong)
    status, out, _ = run("check", "--method", method)
    assert status == 1 and out.count("WRONG") == 1
    assert re.search(r"lstm1\.Wh\[2, 7\]: your gradient is -?\d[^ ]+, the derivative by .* -?\d", out.replace("\n", " "))


@pytest.mark.parametrize("sizes", ["X=3", "lots", "h=3", "T=3,T=4"])
def test_unknown_letters_of_sizes_are_refused(run, sizes):
    refused(run("check", "--sizes", sizes), 2, "--sizes has", "T=10,H=8")


@pytest.mark.parametrize(
    "sizes", ["H", "H=", "H=0", "H=-1", "H=2.5", "V=1", "T=1e3", "H=8;T=2", "T=٣", "L=1000000", "B=99999999999999999999",
              "V=" + "9" * 5000]
)
def test_impossible_sizes_are_refused(run, sizes):
    refused(run("check", "--sizes", sizes), 2, f"{sizes[0]} in --sizes must be a whole number from")


@pytest.mark.parametrize("sizes", ["T=10000,B=10000", "V=1000000,H=10000"])
def test_sizes_too_large_for_memory_are_refused_before_anything_is_built(run, sizes):
    refused(run("check", "--sizes", sizes, "--method", "projections"), 2, "too large")


def test_sizes_are_read_from_commas_and_spaces():
    assert check.read_sizes("T=10, H=8 E=0") == {"T": 10, "H": 8, "E": 0} and check.read_sizes(None) == {}


@pytest.mark.parametrize("arguments", [["--method", "magic"], ["--cell", "gru2"], ["--seed", "-1"], ["--seed", "x"]])
def test_wrong_options_of_check_are_refused(run, arguments):
    refused(run("check", *arguments), 2, arguments[0])


def test_a_worksheet_goes_to_the_screen_or_to_a_file(run, here):
    status, text, _ = run("worksheet")
    assert status == 0 and max(map(len, text.splitlines())) <= 80 and "(4)     c1[1] = f1[1] * c1[0] + i1[1] * g1[1]" in text
    status, out, _ = run("worksheet", "--out", "sheet.txt")
    assert status == 0 and out == "236 numbers in sheet.txt: 872 lines, 15 pages\n"
    assert (here / "sheet.txt").read_text("utf-8") == text
    for form, words in (("markdown", "| (4) | `c1[1]` |"), ("csv", "(4),c1[1],f1[1] * c1[0] + i1[1] * g1[1],")):
        assert words in run("worksheet", "--format", form)[1]
    assert "zf3[1]" in run("worksheet", "--hidden", 3, "--input", 1, "--steps", 1, "--seed", 4)[1]


def test_an_existing_file_is_never_overwritten(run, here):
    pytest.importorskip("openpyxl")
    assert run("worksheet", "--format", "xlsx")[:2] == (0, "236 numbers in worksheet.xlsx\n")
    kept = (here / "worksheet.xlsx").read_bytes()
    refused(run("worksheet", "--format", "xlsx", "--seed", 1), 2, "worksheet.xlsx is there already", "--out")
    assert (here / "worksheet.xlsx").read_bytes() == kept
    assert run("worksheet", "--format", "xlsx", "--out", "other.xlsx")[0] == 0
    assert sorted(path.name for path in here.iterdir()) == ["other.xlsx", "worksheet.xlsx"]


def test_a_blank_sheet_and_its_solution_have_the_same_numbers(run, here):
    out = run("worksheet", "--name", " Ada  Lovelace", "--blank", "--out", "ada.csv", "--solution", "solution.md")
    assert out == (0, "236 numbers in ada.csv\n236 numbers in solution.md\n", "")
    seed = seed_of_name("ada lovelace")
    solution = run("worksheet", "--seed", seed, "--format", "markdown")[1]
    assert (here / "solution.md").read_text("utf-8") == solution.replace("\n\n```\n", "\n\n```\nAda Lovelace\n", 1)
    with open(here / "ada.csv", encoding="utf-8", newline="") as file:
        blank = list(csv.DictReader(file))
    whole = csv.DictReader(run("worksheet", "--seed", seed, "--format", "csv")[1].splitlines())
    for empty, full in zip(blank, whole, strict=True):
        assert empty["result"] == ("" if full["formula"] else full["result"])


def test_a_sheet_on_standard_output_has_nothing_else_there(run, here):
    status, text, error = run("worksheet", "--blank", "--solution", "solution.txt")
    assert (status, error) == (0, "236 numbers in solution.txt: 872 lines, 15 pages\n")
    assert text.startswith("An LSTM by hand\n")


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--solution", "a.txt"], ["--solution is for --blank"]),
        (["--blank", "--out", "a.txt", "--solution", "a.txt"], ["are both a.txt"]),
        (["--blank", "--out", "a.txt", "--solution", "old.txt"], ["old.txt is there already", "--solution"]),
        (["--blank", "--out", "a.txt", "--solution", "no/b.txt"], ["--solution 'no/b.txt'"]),
        (["--name", " "], ["--name must be a name"]),
        (["--name", "a\x1b[2J"], ["--name must be a name"]),
        (["--name", "a", "--seed", "1"], ["--seed: not allowed with argument --name"]),
        (["--weight", "x1[1]"], ["no weight x1[1]; there are Wx[1,i1], Wx[1,i2] and so on, to by[2]"]),
    ],
)
def test_sheets_that_cannot_be_made_are_refused_and_no_file_is_written(run, here, arguments, words):
    (here / "old.txt").write_text("mine")
    refused(run("worksheet", *arguments), 2, *words)
    assert [path.name for path in here.iterdir()] == ["old.txt"] and (here / "old.txt").read_text() == "mine"


def test_a_filled_in_sheet_is_checked(run, here):
    options = ("worksheet", "--name", "Ada", "--hidden", 1, "--steps", 1)
    run(*options, "--blank", "--out", "ada.csv", "--solution", "solution.csv")
    assert run(*options, "--check", "solution.csv") == (0, "65 right, 0 wrong, 0 not answered\n", "")
    assert run(*options, "--check", "ada.csv") == (1, "0 right, 0 wrong, 65 not answered\n", "")
    text = (here / "solution.csv").read_text(encoding="utf-8")
    (line,) = re.findall(r"^.*,\(4\),c1\[1\],.*$", text, re.MULTILINE)
    (here / "ada.csv").write_text(text.replace(line, line.rpartition(",")[0] + ",2.5"), encoding="utf-8")
    status, out, _ = run(*options, "--check", "ada.csv")
    right = float(line.rpartition(",")[2])
    assert status == 1 and out.splitlines() == [
        f"(4)     c1[1]: 2.5 where {right:.5f} follows from the numbers before it",
        "64 right, 1 wrong, 0 not answered",
    ]
    refused(run("worksheet", "--hidden", 1, "--steps", 1, "--check", "ada.csv"), 2, "this is another sheet")
    refused(run(*options, "--check", "ada.csv", "--out", "new.csv"), 2, "--check writes no sheet")
    refused(run(*options, "--check", "nowhere.csv"), 2, "there is no file nowhere.csv")


@pytest.mark.parametrize("lines, paged", [(24, True), (10**4, False)])
def test_a_sheet_that_is_longer_than_the_terminal_is_shown_by_a_pager(run, monkeypatch, lines, paged):
    shown = []
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr("pydoc.pager", shown.append)
    monkeypatch.setenv("LINES", str(lines))
    _, text, _ = run("worksheet")
    assert (bool(shown), bool(text)) == (paged, not paged)
    assert "236 numbers, 177 of them to compute; 872 lines, 15 pages.\n" in (shown or [text])[0]


@pytest.mark.parametrize("option, value", [("--hidden", 5), ("--input", 100), ("--steps", 10**6)])
def test_worksheets_too_large_for_paper_are_refused(run, option, value):
    refused(run("worksheet", option, value), 2, f"{option[2:]} can be at most 4 on a worksheet", "minilstm check")


def test_a_worksheet_of_size_zero_is_refused(run):
    refused(run("worksheet", "--hidden", 0), 2, "hidden must be a whole number of at least 1, not 0")


@pytest.mark.parametrize("arguments", [["--hidden", "-1"], ["--steps", "two"], ["--format", "pdf"], ["--seed", "-1"]])
def test_wrong_options_of_worksheet_are_refused(run, arguments):
    refused(run("worksheet", *arguments), 2, arguments[0])


def test_a_missing_folder_is_reported(run):
    refused(run("worksheet", "--out", "no/such/folder/sheet.txt"), 2, "'no/such/folder' must be a folder")
    refused(run("worksheet", "--out", ""), 2, "--out")


def test_the_suffix_of_a_file_gives_its_format(run, here):
    pytest.importorskip("openpyxl")
    for name in ("a.md", "b.csv", "c.xlsx", "d.text", "e.txt"):
        assert run("worksheet", "--out", name)[0] == 0
    assert (here / "a.md").read_text().startswith("# An LSTM") and (here / "b.csv").read_text().startswith("section,")
    assert (here / "c.xlsx").read_bytes()[:2] == b"PK" and (here / "d.text").read_text().startswith("An LSTM")
    refused(run("worksheet", "--out", "f.csv", "--format", "xlsx"), 2, "f.csv would not be xlsx by its ending")


@pytest.mark.skipif(os.name == "nt", reason="makes symbolic links")
def test_links_are_not_followed_and_no_other_file_is_changed(run, here):
    (here / "precious").write_text("kept")
    (here / "sheet.tmp").symlink_to("precious")
    (here / "dangling").symlink_to("nowhere")
    assert run("worksheet", "--out", "sheet")[0] == 0
    refused(run("worksheet", "--out", "dangling"), 2, "dangling is there already")
    assert (here / "precious").read_text() == "kept" and (here / "dangling").is_symlink()


def test_a_full_disk_leaves_no_incomplete_file(run, here, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    refused(run("worksheet", "--out", "sheet"), 1, "No space left on device")
    assert not list(here.iterdir())


def test_without_openpyxl_a_spreadsheet_is_refused_in_one_sentence(run, here, monkeypatch):
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    monkeypatch.delitem(sys.modules, "minilstm.verify.worksheet.spreadsheet", raising=False)
    refused(run("worksheet", "--format", "xlsx"), 1, 'openpyxl, which is missing: pip install "minilstm[lessons]"')
    assert not list(here.iterdir())


def test_a_closed_pipe_causes_no_traceback():
    command = f"{sys.executable} -m minilstm worksheet --hidden 4 --steps 4 | head -n 1"
    result = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=120)
    assert result.stdout == "An LSTM by hand\n" and result.stderr == ""
