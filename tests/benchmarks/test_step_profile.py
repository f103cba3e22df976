"""The profile of a step: its parts add up to the whole; the engine is unchanged."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest

import minilstm.layers.losses
from minilstm.parallel import threads
from tests.helpers.paths import BENCHMARKS

FOLDER = BENCHMARKS


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    monkeypatch.setattr(threads, "ours", threads.ours)  # main() sets it
    import step_profile

    one_hot = replace(step_profile.WORKLOADS["A8"], B=3, T=5, V=9, H=4, L=2)
    monkeypatch.setattr(step_profile, "WORKLOADS", {"one-hot": one_hot, "words": replace(one_hot, B=16, E=6)})
    yield step_profile
    sys.modules.pop("step_profile", None)


@pytest.mark.parametrize("name", ["one-hot", "words"])
def test_the_parts_of_a_step_add_up_to_the_whole(bench, name):
    found = bench.profile(name, 3)
    parts = found["parts, ms"]
    assert sum(parts.values()) + found["between the parts, ms"] == pytest.approx(found["with clocks, ms"])
    assert {"products with Wh", "gates", "gates, backward", "softmax and its gradient", "Adam"} <= parts.keys()
    assert {"batch checked and packed", "Wh packed", "Python of the layers", "Python of the output layer"} <= parts.keys()
    assert ("products with Wx" in parts) and not set(bench.LOOPS) & parts.keys()
    table = bench.table(found)
    assert all(part in table for part in parts)


def test_the_engine_is_left_without_clocks(bench):
    places = [(home, name) for home, name in bench.KERNELS | bench.PYTHON]
    before = [getattr(*place) for place in places]
    bench.profile("one-hot", 1)
    assert [getattr(*place) for place in places] == before and minilstm.layers.losses.np is np


def test_a_clock_stands_still_while_another_one_runs(bench, monkeypatch):
    clocks, now = bench.Clocks(), iter(range(100))
    # each call takes 1 s
    monkeypatch.setattr(bench.time, "perf_counter", lambda: next(now))
    inner = clocks.around("inner", lambda: None)
    clocks.around("outer", lambda: (inner(), inner()))()
    assert clocks.take() == {"inner": 2, "outer": 3}


def test_the_profile_is_printed_and_saved(bench, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(sys, "argv", ["step_profile.py", "one-hot", "--steps", "2", "--json", str(tmp_path / "p.json")])
    assert bench.main() == 0
    assert "| one-hot: one step on one thread | ms | share |" in capsys.readouterr().out
    assert json.loads((tmp_path / "p.json").read_text("utf-8"))[0]["steps"] == 2


@pytest.mark.parametrize(
    "arguments, message", [(["none"], "there is no workload 'none'"), (["one-hot", "--steps", "0"], "at least 1")]
)
def test_wrong_options_are_refused(bench, monkeypatch, capsys, arguments, message):
    monkeypatch.setattr(sys, "argv", ["step_profile.py", *arguments])
    with pytest.raises(SystemExit) as stop:
        bench.main()
    assert stop.value.code == 2 and message in capsys.readouterr().err
