"""What a run writes into its folder is its own."""

import shutil

import pytest

from minilstm import LanguageModel, checkpoint
from minilstm.commands import data, lock
from minilstm.commands import train as command
from tests.commands import refused

SMALL = ["--hidden", 6, "--batch-size", 4]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in, with two texts of forty lines: nine batches of four an epoch; pictures take too long."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "_picture", lambda training, folder, say: None)
    for name, word in (("lines.txt", "says"), ("other.txt", "tells")):
        lines = [f"line {k} {word} {'abc'[k % 3] * (k % 5 + 1)}" for k in range(40)]
        (tmp_path / name).write_text("\n".join(lines), "utf-8")
    return tmp_path


def train(run, *options, source="lines.txt", out="run"):
    """The run that these options make, and what was printed."""
    status, told, err = run("train", *([source] if source else []), *SMALL, *options, "--out", out)
    assert status == 0, err
    return checkpoint.load(f"{out}/model.npz"), " ".join(told.split())


# Look first, lock later


@pytest.mark.parametrize("resume", [[], ["--resume"]])
def test_while_a_run_reads_its_text_no_other_writes_to_its_folder(here, run, monkeypatch, resume):
    if resume:
        train(run, "--epochs", 1)
    load, others = data.load, []

    def slow(sources, chosen):
        if not others:
            others.append(None)
            others[0] = run("train", "other.txt", *SMALL, "--epochs", 5, "--out", "run", *resume)
        return load(sources, chosen)

    monkeypatch.setattr(data, "load", slow)
    kept, _ = train(run, "--epochs", 2, *resume)
    refused(others[0], 2, "another run is at work in run")
    assert kept.training.epoch == 2 and kept.settings["sources"] == [str(here / "lines.txt")]
    best = checkpoint.load("run/best.npz")
    assert best.settings["run"] == kept.settings["run"] and best.settings["fingerprint"] == kept.settings["fingerprint"]


def test_two_runs_of_one_text_have_two_identities(here, run):
    ids = {train(run, "--steps", 1, out=out)[0].settings["run"] for out in ("one", "two")}
    assert len(ids) == 2
    kept, _ = train(run, "--resume", "--steps", 2, source=None, out="one")
    assert kept.settings["run"] in ids


@pytest.mark.parametrize("source, seed", [("other.txt", 0), ("lines.txt", 0), ("lines.txt", 1)])
def test_the_best_model_of_another_run_is_neither_written_over_nor_recommended(here, run, source, seed):
    train(run, "--epochs", 1)
    train(run, "--epochs", 1, "--seed", seed, source=source, out="other")
    shutil.copy("other/best.npz", "run/best.npz")
    before = {path: path.read_bytes() for path in (here / "run").iterdir()}
    refused(run("train", "--resume", "--out", "run", "--epochs", 2), 2, "run/best.npz belongs to another run")
    assert {path: path.read_bytes() for path in (here / "run").iterdir()} == before


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt, OSError(5, "Input/output error")])
def test_a_run_that_failed_before_its_first_step_does_not_refuse_the_next(here, run, monkeypatch, error):
    def fail(self, batch, state, noise):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(LanguageModel, "loss_and_gradients", fail)
        patch.setattr("signal.signal", lambda number, handler: None)
        assert run("train", "lines.txt", *SMALL, "--steps", 2, "--out", "run")[0] == 1
    assert train(run, "--steps", 2, source="other.txt")[0].training.step == 2
    refused(run("train", "lines.txt", *SMALL, "--steps", 2, "--out", "run"), 2, "model.npz exists already")


@pytest.mark.parametrize("contents", [b"PK not really", b"my own notes"])
def test_a_file_that_is_no_model_of_ours_is_not_written_over(here, run, contents):
    (here / "run").mkdir()
    (here / "run/model.npz").write_bytes(contents)
    refused(run("train", "lines.txt", *SMALL, "--steps", 2, "--out", "run"), 2, "model.npz exists already")
    assert (here / "run/model.npz").read_bytes() == contents


@pytest.mark.skipif(lock.fcntl is None, reason="Windows locks files by other means")
def test_a_run_on_a_file_system_without_locks_says_so_and_trains(here, run, monkeypatch):
    def fail(file, operation):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(lock.fcntl, "flock", fail)
    assert "has no locks" in train(run, "--steps", 1)[1]
