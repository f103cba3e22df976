"""A run that is killed at random moments and resumed ends with the same bits."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from minilstm.training.checkpoint import load

TRAIN = [sys.executable, "-m", "minilstm", "train", "text.txt", "--hidden", "24", "--batch-size", "8", "--window", "12",
         "--epochs", "12", "--save-every", "0.02"]
KILLS = 20


def start(folder, *options):
    return subprocess.Popen([*TRAIN, *options], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def parameters(path):
    return load(path).training.model.parameters.flat


@pytest.fixture
def folder(tmp_path):
    chance = random.Random(0)
    text = " ".join("".join(chance.choices("abcdefgh", k=chance.randrange(2, 7))) for _ in range(9000))
    (tmp_path / "text.txt").write_text(text)
    return tmp_path


def step_of(path):
    """The training step of a checkpoint; -1 if there is none."""
    return load(path).training.step if path.exists() else -1


def wait_for_a_checkpoint(process, path):
    """Wait for one of a later step, or for the end."""
    before = max(step_of(path), 0)
    while step_of(path) <= before and process.poll() is None:
        time.sleep(0.005)


@pytest.mark.thorough
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_killed_twenty_times_and_resumed_equals_never_killed(folder):
    began = time.monotonic()
    process = start(folder, "--out", "whole")
    wait_for_a_checkpoint(process, folder / "whole" / "model.npz")
    start_up = time.monotonic() - began
    assert process.communicate() and process.returncode == 0
    training = time.monotonic() - began - start_up

    chance, kills, steps = random.Random(1), 0, set()
    while kills < KILLS:
        process = start(folder, "--out", "parts", "--resume")
        wait = 0.9 * start_up + chance.uniform(0, 0.2) * training
        if kills % 2:  # surely in training, however busy the machine is
            wait_for_a_checkpoint(process, folder / "parts" / "model.npz")
            wait = chance.uniform(0, 0.05) * training
        try:
            process.communicate(timeout=wait)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            assert process.returncode == -signal.SIGKILL
            kills += 1
            if (folder / "parts" / "model.npz").exists():
                steps.add(load(folder / "parts" / "model.npz").training.step)
        else:
            # it is complete: kill a new run
            (folder / "parts").rename(folder / f"parts-{kills}")
    process = start(folder, "--out", "parts", "--resume")
    assert process.communicate() and process.returncode == 0

    assert len(steps) >= KILLS / 2, "the kills did not fall into the training"
    for run in folder.glob("parts*"):
        assert (parameters(run / "model.npz") == parameters(folder / "whole" / "model.npz")).all(), run.name
        assert (run / "samples.txt").read_bytes() == (folder / "whole" / "samples.txt").read_bytes()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no way to send Ctrl-C to one process only")
def test_ctrl_c_ends_the_step_saves_and_says_how_to_continue(folder):
    process = start(folder, "--out", "run")
    wait_for_a_checkpoint(process, folder / "run" / "model.npz")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0 and err == "" and "minilstm train text.txt --out run --resume" in out
    steps = load(folder / "run" / "model.npz").training.step
    assert f"stopped after step {steps:,};" in out
