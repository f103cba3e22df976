"""What tests of the tasks share."""

import numpy as np

from minilstm.training import callbacks, checkpoint


def narrow(text, columns=80):
    """Whether every line fits, but for commands to be copied."""
    return all(len(line) <= columns for line in text.splitlines() if not line.startswith("  minilstm"))


def same_after_a_stop(run, monkeypatch, *arguments):
    """Whether a run that Ctrl-C stops at step 3, and that is resumed, ends with the weights of one that was not stopped."""
    assert run("train", *arguments, "--out", "whole")[0] == 0
    step = callbacks.StopOnSignal.on_step

    def pressed(self, training, record):
        self.received = record.step == 3
        step(self, training, record)

    with monkeypatch.context() as patch:
        patch.setattr(callbacks.StopOnSignal, "on_step", pressed)
        status, out, _ = run("train", *arguments, "--out", "stopped")
        assert status == 0 and "stopped after step 3" in out and "--resume" in out
    status, out, err = run("train", *arguments[:1], "--out", "stopped", "--resume")
    assert status == 0 and "continuing after" in out, err
    one, other = (checkpoint.load(f"{name}/model.npz").training for name in ("whole", "stopped"))
    assert one.step == other.step > 3
    return np.array_equal(one.model.parameters.flat, other.model.parameters.flat)
