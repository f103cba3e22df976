"""The command line: what it does, and one clear sentence for every error."""

import csv
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure

from minilstm import Adam
from minilstm.cli import lock
from minilstm.cli import main as cli
from minilstm.corpora import headlines
from minilstm.parallel.threads import BLAS_VARIABLES
from minilstm.training import callbacks, checkpoint, plots
from minilstm.training.loop import HistoryRow
from tests.helpers.commands import refused
from tests.helpers.terminal import call_in_terminal, screen

NEEDS_PTY = pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo-terminals")
SMALL = ["--hidden", "8", "--batch-size", "4"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in, with a text of forty lines, a table, a JSON list."""
    monkeypatch.chdir(tmp_path)
    lines = [f"line {k} says {'abc'[k % 3] * (k % 5 + 1)}" for k in range(40)]
    (tmp_path / "lines.txt").write_text("\n".join(lines), "utf-8")
    with open(tmp_path / "table.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["number", "text"], *enumerate(lines)])
    (tmp_path / "list.json").write_text(json.dumps([{"title": line, "steps": ["one.", "two."]} for line in lines]))
    return tmp_path


def test_training_writes_five_files_and_prints_its_progress(here, run, real_pictures):
    status, out, _ = run("train", "lines.txt", *SMALL, "--epochs", 2)
    assert status == 0 and "epoch 1: train" in out and "epoch 2: train" in out and "validation" in out
    folder = here / "runs" / "lines"
    assert sorted(p.name for p in folder.iterdir()) == ["best.npz", "history.csv", "loss.png", "model.npz", "samples.txt"]
    assert (folder / "loss.png").read_bytes().startswith(b"\x89PNG")
    with open(folder / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows if row["valid_loss"]] == ["1", "2"] and rows[0]["floor"] == ""
    assert "epoch 1\n" in (folder / "samples.txt").read_text("utf-8")
    assert max(len(line) for line in out.splitlines() if not line.startswith("  ")) <= 80


@pytest.mark.parametrize(
    "source, options",
    [
        ("table.csv", ["--column", "text"]),
        ("table.csv", ["--column", "2"]),
        ("list.json", ["--column", "title"]),
        ("list.json", ["--column", "title,steps"]),
        ("lines.txt", ["--window", "7"]),
        ("table.csv", ["--column", "text", "--window", "7"]),
        ("lines.txt", ["--embedding", "3", "--layers", "2"]),
    ],
)
def test_every_kind_of_file_can_be_trained_on(here, run, source, options):
    status, out, err = run("train", source, *SMALL, *options, "--steps", 4, "--out", "run")
    assert status == 0, err
    status, out, err = run("sample", "run", "--count", 3, "--length", 20)
    assert status == 0 and out.strip(), err


def test_the_built_in_corpus_is_described_with_its_entropy_floor(here, run):
    status, out, err = run("train", "headlines", *SMALL, "--steps", 3, "--out", "run")
    assert status == 0, err
    floor = headlines.headlines().floor
    assert f"entropy floor: {floor:.4f} nats" in out and "accepted by the grammar" in out
    with open("run/history.csv", newline="") as file:
        assert {float(row["floor"]) for row in csv.DictReader(file)} == {float(f"{floor:.6g}")}
    status, out, _ = run("sample", "run", "--length", 10)
    assert [line.startswith(p) for line, p in zip(out.splitlines(), headlines.PROMPTS)] == [True] * 4


def test_a_run_is_never_overwritten(here, run):
    assert run("train", "lines.txt", *SMALL, "--steps", 3)[0] == 0
    kept = {p: p.read_bytes() for p in (here / "runs" / "lines").iterdir()}
    refused(run("train", "lines.txt", *SMALL, "--steps", 3), 2, "model.npz exists already", "--resume", "--out")
    assert {p: p.read_bytes() for p in (here / "runs" / "lines").iterdir()} == kept


def parameters(folder):
    return checkpoint.load(folder / "model.npz").training.model.parameters.flat


def test_resuming_continues_where_the_run_stopped(here, run):
    assert run("train", "lines.txt", *SMALL, "--epochs", 1, "--out", "parts")[0] == 0
    (here / "lines.txt").rename(here / "moved.txt")
    status, out, _ = run("train", "moved.txt", "--out", "parts", "--resume", "--epochs", 2)
    assert status == 0 and "continuing after epoch 1" in out
    with open("parts/history.csv", newline="") as file:
        assert [row["epoch"] for row in csv.DictReader(file) if row["valid_loss"]] == ["1", "2"]
    samples = (here / "parts" / "samples.txt").read_text("utf-8")
    assert samples.count("epoch 1\n") == samples.count("epoch 2\n") == 1
    status, out, _ = run("train", "moved.txt", "--out", "parts", "--resume")
    assert status == 0 and "ask for more" in out


def test_resuming_in_an_empty_folder_starts_a_run(here, run):
    status, out, _ = run("train", "lines.txt", *SMALL, "--steps", 2, "--resume")
    assert status == 0 and "going on" not in out


@pytest.mark.parametrize(
    "option, value, was",
    [("--hidden", 9, 8), ("--layers", 2, 1), ("--embedding", 4, None), ("--batch-size", 5, 4), ("--seed", 1, 0),
     ("--window", 6, None)],
)
def test_resuming_with_other_sizes_is_refused(here, run, option, value, was):
    assert run("train", "lines.txt", *SMALL, "--steps", 2)[0] == 0
    before = (here / "runs/lines/model.npz").read_bytes()
    begun = f"started without {option}" if was is None else f"started with {option} {was}"
    refused(run("train", "lines.txt", "--resume", option, value), 2, begun, f"continue with {option} {value}")
    assert (here / "runs/lines/model.npz").read_bytes() == before


def test_resuming_on_another_or_a_changed_text_is_refused(here, run):
    assert run("train", "lines.txt", *SMALL, "--steps", 2, "--out", "run")[0] == 0
    (here / "other.txt").write_text("another text\n" * 40)
    refused(run("train", "other.txt", "--out", "run", "--resume"), 2, "other.txt is not the text that")
    (here / "lines.txt").write_text("another text\n" * 40)
    refused(run("train", "lines.txt", "--out", "run", "--resume"), 2, "lines.txt is not the text that")
    refused(run("train", "headlines", "--out", "run", "--resume"), 2, "was trained on", "cannot continue with headlines")


def test_ctrl_c_saves_and_says_how_to_continue(here, run, monkeypatch):
    def pressed_at_step_2(self, training, record):
        if record.step == 2:
            training.stop = "interrupted"

    monkeypatch.setattr(callbacks.StopOnSignal, "on_step", pressed_at_step_2)
    status, out, _ = run("train", "lines.txt", *SMALL, "--out", "run", "--epochs", 3)
    assert status == 0 and "stopped after step 2" in out and "minilstm train lines.txt --out run --resume" in out
    assert checkpoint.load("run/model.npz").training.step == 2
    monkeypatch.undo()
    os.chdir(here)
    assert run("train", "lines.txt", "--out", "run", "--resume")[0] == 0
    assert run("train", "lines.txt", *SMALL, "--out", "whole", "--epochs", 3)[0] == 0
    assert (parameters(here / "run") == parameters(here / "whole")).all()


def test_a_model_that_is_missing_or_damaged_is_refused(here, run):
    refused(run("sample", "nowhere"), 2, "there is no model at nowhere")
    refused(run("sample", "."), 2, "there is no model at model.npz")
    (here / "model.npz").write_bytes(b"PK\x03\x04 not really")
    refused(run("sample", "."), 1, "model.npz is damaged")
    refused(run("sample", "lines.txt"), 1, "lines.txt is not a model file")
    refused(run("info", "model.npz"), 1, "model.npz is damaged")
    refused(run("train", "lines.txt", "--out", ".", "--resume"), 1, "model.npz is damaged")


@pytest.mark.parametrize(
    "options",
    [["--hidden", "0"], ["--layers", "-1"], ["--embedding", "0"], ["--batch-size", "0"], ["--window", "0"],
     ["--epochs", "0"], ["--steps", "1.5"], ["--learning-rate", "0"], ["--learning-rate", "nan"], ["--clip", "-1"],
     ["--clip", "inf"], ["--seed", "x"], ["--save-every", "0"]],
)
def test_impossible_values_of_options_are_refused_by_name(here, run, options):
    refused(run("train", "lines.txt", *options), 2, f"argument {options[0]}: must be", repr(options[1]))
    assert not (here / "runs").exists()


def write(name, data):
    def make(folder):
        (folder / name).write_bytes(data)
        return name

    return make


@pytest.mark.parametrize(
    "source, options, words",
    [
        (lambda folder: "nowhere.txt", [], "nowhere.txt"),
        (lambda folder: ".", [], "is a directory"),
        (write("empty.txt", b""), [], "empty"),
        (write("binary.txt", b"ab\0cd"), [], "binary"),
        (write("latin.txt", "café\n".encode("latin-1") * 50), [], "UTF-8"),
        (lambda folder: "table.csv", [], "--column"),
        (lambda folder: "table.csv", ["--column", "words"], "words"),
        (lambda folder: "table.csv", ["--column", "3"], "3"),
        (write("one.csv", b"a\nb\nc\n"), ["--column", "2"], "column"),
        (write("ragged.csv", b"a,b\nc\n"), ["--column", "2"], "row"),
        (lambda folder: "list.json", ["--column", "name"], "name"),
        (write("no.json", b'{"a": 1}'), ["--column", "a"], "list"),
        (write("bad.json", b"[1, 2"), ["--column", "a"], "JSON"),
        (lambda folder: "lines.txt", ["--column", "2"], "column"),
        (lambda folder: "lines.txt", ["--column", "2", "--window", "5"], "--column"),
        (lambda folder: "lines.txt", ["--batch-size", "500"], "too few for one mini-batch of 500"),
        (lambda folder: "lines.txt", ["--window", "5000"], "too small for one mini-batch"),
        (write("one.txt", b"a"), [], "at least 2 sequences"),
        (write("one.txt", b"a"), ["--window", "5"], "one.txt"),
        (write("long.txt", b"a" * 9000 + b"\nb\n"), ["--batch-size", "1"], "--window"),
        (lambda folder: "headlines", ["--column", "2"], "--column is for files"),
        (lambda folder: "headlines", ["--window", "50"], "--window"),
    ],
)
def test_files_that_cannot_be_learned_from_are_refused(here, run, source, options, words):
    refused(run("train", source(here), *options), 2, words)
    assert not list(here.glob("runs/*/model.npz"))


def test_a_folder_that_cannot_be_written_is_refused(here, run):
    (here / "file").write_text("in the way")
    for folder in ("file", "file/run"):
        refused(run("train", "lines.txt", *SMALL, "--out", folder), 2, f"cannot write to {folder}", "--out")
    assert (here / "file").read_text() == "in the way"


def test_a_full_disk_ends_the_run_and_keeps_the_last_checkpoint(here, run, monkeypatch):
    save, calls = callbacks.save, []

    def full_after_the_first(path, kept):
        calls.append(path)
        if len(calls) > 1:
            raise OSError(28, "No space left on device", str(path))
        save(path, kept)

    monkeypatch.setattr(callbacks, "save", full_after_the_first)
    result = run("train", "lines.txt", *SMALL, "--out", "run", "--epochs", 2)
    refused(result, 1, "No space left on device", "what was saved before is complete")
    assert checkpoint.load("run/model.npz").training.step == 0


def test_a_loss_that_is_not_finite_ends_the_run_and_keeps_the_last_checkpoint(here, run):
    with np.errstate(all="ignore"):
        result = run("train", "lines.txt", *SMALL, "--out", "run", "--learning-rate", "1e30", "--epochs", 3)
    refused(result, 1, "step ", "norm", "Usual causes")
    assert np.isfinite(parameters(here / "run")).all()


def test_without_the_extras_everything_but_pictures_and_bars_works(here, run, monkeypatch):
    for name in ("matplotlib", "matplotlib.figure", "plotille", "tqdm", "threadpoolctl"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "minilstm.training.plots", raising=False)
    monkeypatch.setattr("minilstm.cli.info._version", lambda package: None)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    status, out, _ = run("train", "lines.txt", *SMALL, "--steps", 2, "--out", "run")
    assert status == 0 and "pip install \"minilstm[lessons]\"" in out and not (here / "run/loss.png").exists()
    status, out, _ = run("info")
    assert status == 0 and out.count("pip install") == 4


def test_a_progress_bar_is_drawn_in_a_terminal(here, run, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    status, _, err = run("train", "lines.txt", *SMALL, "--steps", 3, "--out", "run")
    assert status == 0 and err.index("compiling kernels") < err.index("1/3") and "step" in err
    assert "0/3" not in err  # the time of compiling gives no estimate


def test_info_prints_versions_and_the_contents_of_models(here, run):
    assert run("train", "lines.txt", *SMALL, "--steps", 2, "--out", "run")[0] == 0
    status, out, _ = run("info", "run")
    assert status == 0
    for word in ("NumPy", "Numba", "matrix library", "threads", "processor", "CPU features", "lstm0", "validation loss"):
        assert word in out
    assert re.search(r"trained +0 epochs and 2 mini-batches, 2 training steps, which took \d+ s", out)


def python(*arguments, **options):
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=120, **options)


def test_help_loads_neither_numpy_nor_numba():
    script = (
        "import sys, minilstm.cli.main\n"
        "try: minilstm.cli.main.main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('numpy', 'numba') if m in sys.modules])"
    )
    result = python("-c", script)
    assert result.stdout.rstrip().endswith("[]"), result
    assert "train" in result.stdout and max(map(len, result.stdout.splitlines())) <= 80


@pytest.mark.parametrize("chosen, threads", [(None, "1"), ("2", "2")])
def test_matrix_products_use_one_thread_unless_the_environment_says_otherwise(chosen, threads):
    environment = {name: value for name, value in os.environ.items() if name not in BLAS_VARIABLES}
    if chosen:
        environment["OPENBLAS_NUM_THREADS"] = chosen
    result = python("-m", "minilstm", "info", env=environment)
    assert re.search(rf"BLAS threads +{threads} ", result.stdout), result.stdout


@pytest.mark.parametrize("arguments", [[], ["fly"], ["sample"], ["train", "x", "--speed", "9"]])
def test_wrong_usage_ends_with_status_2(arguments):
    result = python("-m", "minilstm", *arguments)
    assert result.returncode == 2 and "usage: minilstm" in result.stderr and "Traceback" not in result.stderr


@pytest.mark.skipif(os.name == "nt", reason="closes a pipe in the way of POSIX systems")
def test_a_closed_pipe_causes_no_traceback(here, run):
    assert run("train", "lines.txt", *SMALL, "--steps", 1, "--out", "run")[0] == 0
    command = f"{sys.executable} -m minilstm sample run --count 3000 --length 5 | head -n 1"
    result = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=120)
    assert result.stderr == "" and len(result.stdout.splitlines()) == 1


@pytest.mark.parametrize("option, values", [("--seed", (1, 2)), ("--clip", (0.001, 1)), ("--learning-rate", (0.001, 0.1))])
def test_options_reach_the_training(here, run, option, values):
    trained = []
    for value in (*values, values[0]):
        assert run("train", "lines.txt", *SMALL, "--epochs", 2, option, value, "--out", f"run{len(trained)}")[0] == 0
        trained.append((parameters(here / f"run{len(trained)}"), (here / f"run{len(trained)}/samples.txt").read_bytes()))
    assert (trained[0][0] == trained[2][0]).all() and trained[0][1] == trained[2][1]
    assert (trained[0][0] != trained[1][0]).any()


def test_the_learning_rate_falls_to_the_end_of_the_run(here, run, monkeypatch):
    rates = []
    step = Adam.step
    monkeypatch.setattr(Adam, "step", lambda self, *args: (rates.append(args[3]), step(self, *args))[1])
    assert run("train", "lines.txt", *SMALL, "--steps", 20, "--learning-rate", 0.5)[0] == 0
    assert rates[0] == 0.5 and rates == sorted(rates, reverse=True) and len(rates) == 20 and rates[-1] < 0.01


def test_the_number_of_steps_is_saved_with_the_run(here, run):
    assert run("train", "lines.txt", *SMALL, "--steps", 12, "--out", "whole")[0] == 0
    assert run("train", "lines.txt", *SMALL, "--steps", 12, "--out", "parts", "--resume")[0] == 0
    status, out, _ = run("train", "lines.txt", "--out", "parts", "--resume")
    assert status == 0 and "ask for more" in out
    kept = checkpoint.load("parts/model.npz")
    assert kept.training.step == 12 and kept.settings["steps"] == 12 and kept.settings["epochs"] is None
    status, out, _ = run("train", "lines.txt", "--out", "parts", "--resume", "--epochs", 3)
    assert status == 0 and checkpoint.load("parts/model.npz").training.epoch == 3


def test_the_picture_has_both_losses_and_the_entropy_floor():
    rows = [HistoryRow(1, 10, 2.0, None, 0.25, 1.0, 1.0), HistoryRow(1, 20, 1.5, 1.75, 0.25, 1.0, 2.0)]
    axes = Figure().add_subplot()
    plots.draw_losses(axes, rows)
    training, validation, floor = axes.get_lines()
    assert training.get_xydata().tolist() == [[10, 2.0], [20, 1.5]] and validation.get_xydata().tolist() == [[20, 1.75]]
    assert set(floor.get_ydata()) == {0.25} and axes.get_xlabel() == "training step" and "nats" in axes.get_ylabel()
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["training", "validation", "floor, 0.250"]


def train_in_terminal(monkeypatch, *options, columns=80, rows=40, encoding="utf-8", **environment):
    """The output of a run of three epochs to a terminal, in this process."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    arguments = ["train", "lines.txt", *SMALL, "--epochs", "3", "--out", "run", *options]
    status, text = call_in_terminal(lambda: cli.main(arguments), columns, rows, encoding)
    assert status == 0, text
    return text


@NEEDS_PTY
def test_in_a_terminal_the_bar_is_cleared_before_a_line_is_printed(here, monkeypatch):
    text = train_in_terminal(monkeypatch, TERM="dumb")
    assert "step/s" in text and "\x1b" not in text
    lines = screen(text)
    assert [line[:14] for line in lines if line.startswith("epoch")] == [f"epoch {k}: train" for k in (1, 2, 3)]
    assert not [line for line in lines if "step/s" in line]


@NEEDS_PTY
@pytest.mark.parametrize("columns", [60, 80, 200])
def test_in_a_terminal_the_curves_are_below_all_lines_of_the_run(here, monkeypatch, columns):
    text = train_in_terminal(monkeypatch, columns=columns, TERM="xterm")
    assert text.count("└─") > 1 and "\x1b[38;5;" in text
    lines = screen(text)
    axis = [k for k, line in enumerate(lines) if "└─" in line]
    assert len(axis) == 1 and lines[axis[0]].endswith("step 27") and "o validation" in lines[axis[0] + 1]
    assert [line[:14] for line in lines[: axis[0]] if line.startswith("epoch")] == [f"epoch {k}: train" for k in (1, 2, 3)]
    assert lines[axis[0] + 2].startswith("done in") and not [line for line in lines if "step/s" in line]
    drawn = lines[axis[0] - 9 : axis[0] + 2]
    assert sum("│" in line for line in lines) == sum("│" in line for line in drawn) == 9
    assert max(map(len, drawn)) == min(columns, 80) - 1
    bars = re.findall(r"epoch \d, loss [^\r\x1b]*", text)
    assert bars and max(map(len, bars)) <= 76


@NEEDS_PTY
@pytest.mark.parametrize(
    "options, environment, size",
    [
        (["--no-curves"], {"TERM": "xterm"}, (80, 40)),
        (["--curves"], {"TERM": "dumb"}, (80, 40)),
        (["--curves"], {}, (80, 40)),
        (["--curves"], {"TERM": "xterm", "encoding": "latin-1"}, (80, 40)),
        ([], {"TERM": "xterm"}, (80, 12)),
        ([], {"TERM": "xterm"}, (59, 40)),
    ],
)
def test_no_curves_are_drawn_if_not_wanted_or_without_room(here, monkeypatch, options, environment, size):
    text = train_in_terminal(monkeypatch, *options, columns=size[0], rows=size[1], **environment)
    assert "└" not in text and "\x1b[J" not in text and "epoch 3: train" in text
    assert ("no live curves, because the output is not a terminal" in text) == ("--curves" in options)


@NEEDS_PTY
def test_the_variable_no_color_is_respected(here, monkeypatch):
    text = train_in_terminal(monkeypatch, TERM="xterm", NO_COLOR="1")
    assert "└─" in text and "\x1b[38;5;" not in text


def test_without_a_terminal_nothing_is_drawn_and_the_option_gets_a_message(here, run):
    status, out, err = run("train", "lines.txt", *SMALL, "--steps", 3, "--out", "one")
    assert status == 0 and "└" not in out + err and "curves" not in out + err
    status, out, err = run("train", "lines.txt", *SMALL, "--steps", 3, "--out", "two", "--curves")
    assert status == 0 and "└" not in out + err and out.count("no live curves, because the output is not a terminal") == 1


def test_a_missing_plotille_is_reported_only_if_curves_were_asked_for(here, run, monkeypatch):
    monkeypatch.setitem(sys.modules, "plotille", None)
    monkeypatch.delitem(sys.modules, "minilstm.training.curves", raising=False)
    monkeypatch.delattr("minilstm.training.curves", raising=False)
    status, out, _ = run("train", "lines.txt", *SMALL, "--steps", 3, "--out", "one", "--curves")
    assert status == 0 and "no live curves, because plotille is missing: pip install \"minilstm[lessons]\"" in out
    assert "plotille" not in run("train", "lines.txt", *SMALL, "--steps", 3, "--out", "two")[1]


def test_when_the_best_model_is_not_the_last_it_is_named_and_its_samples_differ(here, run, monkeypatch):
    losses = iter([2.0, 1.0, 1.5])
    monkeypatch.setattr(callbacks, "evaluate", lambda model, batches: next(losses))
    status, out, _ = run("train", "lines.txt", *SMALL, "--learning-rate", 0.1, "--epochs", 3, "--out", "run")
    assert status == 0 and "lowest at 1.0000 and is 1.5000 now" in out and "minilstm sample run/best.npz" in out
    assert checkpoint.load("run/best.npz").training.epoch == 2 and checkpoint.load("run/model.npz").training.epoch == 3
    assert max(len(line) for line in out.splitlines() if "lowest" in line) <= 80
    sample = lambda *arguments: run("sample", *arguments, "--length", 30)
    best, last = sample("run/best.npz"), sample("run")
    assert best[0] == last[0] == 0 and best[1] != last[1]


def test_when_the_last_model_is_the_best_no_other_is_named(here, run):
    status, out, _ = run("train", "lines.txt", *SMALL, "--epochs", 2, "--out", "run")
    assert status == 0 and "best.npz" not in out
    assert (parameters(here / "run") == checkpoint.load("run/best.npz").training.model.parameters.flat).all()


def test_samples_of_running_text_fit_a_screen(here, run):
    (here / "poem.txt").write_text("a rose is a rose is a rose\nand so on\n\n" * 60, "utf-8")
    status, out, _ = run("train", "poem.txt", "--window", 10, *SMALL, "--epochs", 3, "--out", "run")
    assert status == 0 and max(map(len, out.splitlines())) <= 80 and "\\n" not in out
    kept = (here / "run/samples.txt").read_text("utf-8")
    assert "  - " in kept and max(map(len, kept.splitlines())) <= 80


@pytest.mark.parametrize("name", ["best.npz", "history.csv", "samples.txt", "loss.png"])
def test_files_that_are_not_of_a_run_are_never_overwritten(here, run, name):
    (here / "mine").mkdir()
    (here / "mine" / name).write_text("line of mine\n" * 50)
    refused(run("train", "lines.txt", *SMALL, "--out", "mine", "--steps", 1), 2, name, "--out")
    refused(run("train", "lines.txt", *SMALL, "--out", "mine", "--steps", 1, "--resume"), 2, name)
    assert [p.name for p in (here / "mine").iterdir()] == [name]


def test_two_runs_cannot_use_one_folder_at_once(here, run):
    with lock.locked(here / "run"):
        refused(run("train", "lines.txt", *SMALL, "--out", "run", "--steps", 1), 2, "another run is at work in run")
    assert run("train", "lines.txt", *SMALL, "--out", "run", "--steps", 1)[0] == 0


def test_a_diverging_run_leaves_a_checkpoint_that_can_be_loaded(here, run):
    assert run("train", "lines.txt", *SMALL, "--steps", 3, "--out", "run")[0] == 0
    result = run("train", "lines.txt", "--out", "run", "--resume", "--steps", 40, "--learning-rate", "1e300",
                 "--save-every", "0.0001")
    refused(result, 1, "Usual causes")
    assert result[2].count("\n") == 1 and np.isfinite(parameters(here / "run")).all()


def test_training_continues_without_an_output(here):
    command = f"{sys.executable} -m minilstm train lines.txt --hidden 4 --steps 3 --out run >&- 2>&-"
    assert subprocess.run(command, shell=True, timeout=120).returncode == 0
    assert checkpoint.load("run/model.npz").training.step == 3


@pytest.mark.skipif(os.name == "nt", reason="closes a pipe in the way of POSIX systems")
def test_when_the_output_pipe_is_closed_training_stops_and_saves(here):
    command = f"{sys.executable} -m minilstm train lines.txt --hidden 4 --epochs 500 --out run | head -n 1"
    result = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=120)
    assert result.stderr == "" and checkpoint.load("run/model.npz").training.step > 0


@pytest.mark.parametrize(
    "arguments",
    [["train", "lines.txt", "--hidden", 10**20], ["train", "lines.txt", "--layers", 10**20],
     ["train", "lines.txt", "--embedding", 10**25], ["sample", ".", "--count", 10**13]],
)
def test_impossibly_large_sizes_are_refused_at_once(here, run, arguments):
    refused(run(*arguments), 2, f"argument {arguments[2]}: must be")
