"""The benchmark: its report, its check of other engines, and that it runs.

The seconds are invented, or not tested.
"""

import importlib.util
import json
import math
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minilstm
from minilstm.layers import losses
from minilstm.models.batch import Batch
from minilstm.models.language_model import LanguageModel
from tests.helpers.paths import BENCHMARKS, ROOT
from tests.helpers.scripts import run_script

WORKERS = BENCHMARKS / "benchmark" / "workers"


@pytest.fixture(autouse=True)
def on_the_path(monkeypatch):
    monkeypatch.syspath_prepend(str(WORKERS))
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def engine(*rounds, variant="as it is", **more):
    tried = {variant: {"seconds": 1, "prepared": 0}}
    return {"variant": variant, "rounds": [list(turn) for turn in rounds], "tried": tried, **more}


@pytest.fixture
def report():
    """Two of three peers; minilstm is 3, 2 and 2.5 times as fast as the faster one."""
    engines = {
        "minilstm": engine([0.002, 0.002, 0.003], [0.004], [0.002]),
        "bare": engine([0.001], [0.003], [0.001]),
        "torch": engine([0.006], [0.008], [0.005]),
        "keras": engine([0.010], [0.010], [0.010]),
    }
    sizes = {"B": 8, "T": 64, "V": 84, "E": 0, "H": 128, "L": 1}
    step = {"title": "headlines", "kind": "step", "unit": "ms per step", "speed": 2.0, "share": 0.6, "rate": None, **sizes}
    return {
        "head": {"processor": "a good one"}, "absent": {"jax": "no wheel for this Python"},
        "workloads": {"A8": {**step, "engines": engines, "took": 100.0}},
    }


def rows(text, first):
    """The cells of the rows that begin with ``first``."""
    lines = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in text.splitlines() if line.startswith("|")]
    return [line for line in lines if line[0].startswith(first)]


def test_ratios_are_taken_within_each_round_and_reported_with_their_spread(report):
    from benchmark.summary import summarise

    summary = summarise(report["workloads"]["A8"])
    assert summary["fastest"] == "torch"
    assert summary["ratio"] == pytest.approx({"median": 2.5, "least": 2.0, "most": 3.0})
    assert summary["ratios"]["keras"] == pytest.approx({"median": 5.0, "least": 2.5, "most": 5.0})
    assert summary["share"] == pytest.approx({"median": 0.5, "least": 0.5, "most": 0.75})
    assert summary["times"]["minilstm"] == pytest.approx({"median": 0.002, "lower": 0.002, "upper": 0.003, "steps": 5})
    assert summary["met"] == {"speed": True, "over_torch": None, "share": False, "rate": None}


def test_the_report_shows_ratios_targets_and_absent_peers(report):
    from benchmark.markdown import markdown

    text = markdown(report)
    assert rows(text, "headlines") == [["headlines, ms per step", "2", "6", "10", "absent", "**2.5 ×**"]]
    assert rows(text, "A8, ms") == [
        ["A8, ms per step", "2 (2 to 3)", "6", "10", "absent", "PyTorch", "2.50 (2.00 to 3.00)", "2 ×", "met"]
    ]
    assert rows(text, "A8")[1][-3:] == ["50 % (50 % to 75 %)", "60 %", "NOT MET"]
    assert "- jax is absent: no wheel for this Python" in text and "- processor: a good one" in text


def test_a_missed_target_is_reported(report):
    from benchmark.markdown import markdown

    report["workloads"]["A8"]["speed"] = 2.6
    assert rows(markdown(report), "A8, ms")[0][-2:] == ["2.6 ×", "NOT MET"]


def test_without_any_peer_there_is_no_ratio_and_no_target_is_met(report):
    from benchmark.markdown import markdown
    from benchmark.summary import summarise

    for peer in ("torch", "keras"):
        del report["workloads"]["A8"]["engines"][peer]
    assert summarise(report["workloads"]["A8"])["met"]["speed"] is None
    assert rows(markdown(report), "A8, ms")[0][-4:] == ["-", "-", "2 ×", "-"]


def test_a_refused_peer_does_not_count_and_is_shown(report):
    from benchmark.markdown import markdown
    from benchmark.summary import refused, summarise

    assert not refused(report)
    report["workloads"]["A8"]["engines"]["torch"] = {"tried": {"eager": {"refused": "the losses are 1 and 2"}}}
    assert refused(report) and summarise(report["workloads"]["A8"])["fastest"] == "keras"
    text = markdown(report)
    assert rows(text, "A8, ms")[0][2] == "REFUSED" and "the losses are 1 and 2" in text


def test_an_engine_that_is_busy_while_others_are_measured_is_named(report):
    from benchmark.summary import remarks

    report["workloads"]["A8"]["engines"]["keras"]["idle_cpu"] = 4.0  # of 100 seconds
    assert not any("of a core" in line for line in remarks(report))
    report["workloads"]["A8"]["engines"]["keras"]["idle_cpu"] = 30.0
    assert "A8: keras used 30% of a core while others were measured" in remarks(report)


def test_generation_is_reported_in_tokens_per_second(report):
    from benchmark.markdown import markdown

    report["workloads"]["A8"] |= {"kind": "generate", "unit": "tokens per second", "speed": None, "share": None,
                                  "rate": 400, "over_torch": 2.6}
    del report["workloads"]["A8"]["engines"]["bare"]
    row = rows(markdown(report), "A8, tokens")[0]
    assert row[1:4] == ["500 (333 to 500)", "167", "100"] and row[-2:] == ["2.6 × PyTorch, 400 per second", "NOT MET, met"]


@pytest.mark.parametrize("value, met", [(0.94, "NOT MET"), (0.95, "met"), (1.05, "met"), (1.06, "NOT MET")])
def test_an_exponent_must_lie_between_two_bounds(value, met):
    from benchmark.markdown import single_table

    text = single_table({"exponent": {"value": value, "unit": "", "least": 0.95, "most": 1.05}})
    assert rows(text, "exponent")[0][-2:] == ["0.95 to 1.05", met]


@given(k=st.floats(-3, 3), a=st.floats(1e-3, 1e3), sizes=st.lists(st.integers(1, 1000), min_size=2, unique=True))
def test_the_exponent_of_a_power_law_is_found(k, a, sizes):
    from benchmark.growth import exponent

    assert exponent(sizes, [a * size**k for size in sizes]) == pytest.approx(k, abs=1e-6)


def test_the_exponent_of_linear_growth_with_a_fixed_cost_lies_below_one():
    from benchmark.growth import FACTORS, exponent

    assert exponent(FACTORS, [2 * x for x in FACTORS]) == pytest.approx(1) and FACTORS[-1] == 16
    assert 0.5 < exponent(FACTORS, [2 * x + 1 for x in FACTORS]) < 0.95


GRADIENTS = {"lstm0.Wh": np.array([[4.0, -2.0]]), "lstm0.b": np.array([1e-3, 2e-3])}


@pytest.mark.parametrize("change, words", [
    ({"lstm0.b": np.array([1e-3, 2.1e-3])}, "gradients of lstm0.b differ by 0.05"),
    ({"lstm0.Wh": np.array([[4.0, 2.0]])}, "gradients of lstm0.Wh differ by 1"),
    ({"lstm0.Wh": np.zeros((1, 2))}, "gradient of lstm0.Wh is zero everywhere"),
    ({"lstm0.Wh": np.array([[4.0, np.nan]])}, "not finite"),
    ({"lstm0.Wh": np.array([[4.0], [-2.0]])}, r"has the shape \(2, 1\), not \(1, 2\)"),
    ({"lstm0.Wx": np.ones(2)}, "lstm0.Wx are on one side only"),
])
def test_differences_between_engines_are_named(change, words):
    from benchmark.check import Disagreement, check_same

    with pytest.raises(Disagreement, match=words):
        check_same(2.0, GRADIENTS, 2.0, GRADIENTS | change)


def test_rounding_is_accepted_but_another_loss_is_refused():
    from benchmark.check import Disagreement, check_same

    nearly = {name: values + 1e-5 * np.abs(values).max() for name, values in GRADIENTS.items()}
    assert check_same(2.0, GRADIENTS, 2.000001, nearly) == pytest.approx({"loss": 5e-7, "gradient": 1e-5}, rel=1e-3)
    with pytest.raises(Disagreement, match="the losses are 2 and 2.001"):
        check_same(2.0, GRADIENTS, 2.001, GRADIENTS)
    with pytest.raises(Disagreement, match="zero everywhere"):  # on both sides
        check_same(2.0, {"W": np.zeros(3)}, 2.0, {"W": np.zeros(3)})


@pytest.fixture
def tiny(tmp_path):
    """A small workload of each name, and its job."""
    from benchmark.workloads import WORKLOADS, write_job

    def make(name="A8"):
        job = tmp_path / "job.npz"
        return write_job(WORKLOADS[name].quick(), job), job

    return make


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["A8", "PTB", "epoch-B"])
def test_our_worker_gives_the_gradients_of_the_job_and_trains(name, tiny, tmp_path):
    from benchmark.processes import WorkerError, our_workers
    from serving import Job

    workload, job = tiny(name)
    with our_workers().start("minilstm", "one thread") as worker:
        assert worker.ask("hello")["version"] == minilstm.__version__
        worker.ask("prepare", job=str(job), variant="one thread")
        loss = worker.ask("gradients", to=str(tmp_path / "g.npz"))["loss"]
        sizes, weights, batches = Job.read(str(job))
        model = LanguageModel(sizes["V"], sizes["E"] or None, sizes["H"], sizes["L"])
        for key, values in weights.items():
            model.parameters[key][...] = values
        expected, gradients, _, _ = model.loss_and_gradients(Batch(*batches[0]))
        assert loss == pytest.approx(expected, rel=1e-6)
        with np.load(tmp_path / "g.npz") as file:
            assert set(file.files) == set(gradients)
            for key, values in gradients.items():
                assert values.any()
                np.testing.assert_allclose(file[key], values, rtol=1e-4, atol=1e-6 * np.abs(values).max())
        assert len(worker.ask("steps", seconds=0, least=40, warm=2)["seconds"]) == 40
        assert worker.ask("gradients", to=str(tmp_path / "g.npz"))["loss"] < loss
        assert len(worker.ask("epoch")["seconds"]) == 1
        with pytest.raises(WorkerError, match="no_such_question"):
            worker.ask("no_such_question")
        # it still answers
        assert worker.ask("hello")["version"] == minilstm.__version__


@pytest.mark.thorough
def test_our_worker_generates_the_requested_number_of_tokens(tiny):
    from benchmark.processes import our_workers

    for name in ("generate-A", "generate-B", "generate-A64"):
        workload, job = tiny(name)
        with our_workers().start("minilstm", "one thread") as worker:
            worker.ask("prepare", job=str(job), variant="one thread")
            answer = worker.ask("generate", prompt=[2], length=50, count=workload.count)
            assert answer["tokens"] == 50 * workload.count  # no text has ended


FAKE = """
import sys
sys.path[:0] = {paths!r}
from ours import Engine
from serving import serve
class Fake(Engine):
    def loss_and_gradients(self):
        loss, gradients = super().loss_and_gradients()
        gradients = {{name: values.copy() for name, values in gradients.items()}}
        {change}
        return loss, gradients
serve(Fake)
"""


@pytest.fixture
def fake_peer(tmp_path):
    """Workers with a peer that is minilstm with one line changed."""
    from benchmark.processes import our_workers

    def make(change="pass"):
        workers = our_workers(threads=1)
        script = tmp_path / "fake.py"
        script.write_text(FAKE.format(paths=[str(WORKERS), str(ROOT)], change=change))
        workers.pythons["keras"], workers.scripts["keras"] = sys.executable, script
        return workers

    return make


@pytest.fixture
def short(monkeypatch):
    """One variant of each engine, in short turns."""
    from benchmark import rounds
    from benchmark.rounds import Settings

    monkeypatch.setattr(rounds, "variants", lambda name, *_: ["one thread"])
    return Settings(rounds=3, seconds=0.0, least=2, trial=0.0, pause=0.0)


@pytest.mark.thorough
@pytest.mark.parametrize("change, words", [
    ("gradients['lstm0.b'][8:16] = gradients['lstm0.b'][:8]", "gradients of lstm0.b differ"),
    ("gradients['lstm0.Wh'] *= 1.01", "gradients of lstm0.Wh differ by 0.01"),
    ("gradients['output.b'][:] = 0", "gradient of output.b is zero everywhere"),
    ("loss *= 1.001", "the losses are"),
])
def test_a_peer_with_other_numbers_is_refused_and_never_timed(change, words, fake_peer, tiny, short):
    from benchmark.rounds import measure_rounds

    found = measure_rounds(*tiny(), fake_peer(change), short)["engines"]
    assert words in found["keras"]["tried"]["one thread"]["refused"]
    assert "rounds" not in found["keras"] and len(found["minilstm"]["rounds"]) == len(found["bare"]["rounds"]) == 3


@pytest.mark.thorough
def test_a_peer_that_agrees_takes_part_in_every_round(fake_peer, tiny, short, monkeypatch):
    from benchmark import processes, rounds

    monkeypatch.setattr(rounds, "variants", processes.variants)
    found = rounds.measure_rounds(*tiny(), fake_peer(), short)["engines"]
    assert set(found) == {"minilstm", "bare", "keras"} and len(found["keras"]["tried"]) == 3
    assert [len(turn) for turn in found["keras"]["rounds"]] == [2, 2, 2]
    assert len(found["keras"]["others"]) == 1  # the two fastest variants were measured
    assert found["keras"]["agreement"] == {"loss": 0, "gradient": 0}


@pytest.mark.thorough
def test_a_peer_that_dies_or_is_late_is_reported(fake_peer, tiny, short, monkeypatch):
    from benchmark import rounds

    def failure(change):
        found = rounds.measure_rounds(*tiny(), fake_peer(change), short)["engines"]["keras"]
        return found["tried"]["one thread"]["failed"]

    assert failure("raise MemoryError('too large')") == "MemoryError: too large"
    dies = "print('last words', file=sys.stderr, flush=True); __import__('os')._exit(5)"
    assert failure(dies) == "the process ended with status 5: last words"
    monkeypatch.setattr(rounds, "LONGEST_PREPARATION", 4)
    assert failure("__import__('time').sleep(60)") == "no answer to 'gradients' within 4 seconds"


@pytest.mark.parametrize("name", ["A8", "C128", "PTB", "B"])
def test_the_bare_products_are_all_that_a_step_multiplies(name):
    from benchmark.summary import flops
    from benchmark.workloads import WORKLOADS
    from roofline import products

    workload = WORKLOADS[name]
    parts = products(workload.sizes, [workload.B] * workload.T)
    assert sum(p.flops for listed in parts.values() for p in listed) == flops(workload.sizes, workload.B * workload.T)
    assert len(parts["forward"]) == len(parts["backward"]) == workload.L * workload.T
    assert max(p.m for p in parts["output"]) * workload.V <= losses.CHUNK


def test_the_bare_products_are_those_of_numpy(monkeypatch):
    import roofline

    seen = []
    monkeypatch.setattr(roofline.np, "matmul", lambda a, b, out: seen.append((a.shape, b.shape, out.shape)))
    parts = roofline.products({"V": 7, "E": 3, "H": 5, "L": 2}, [4, 2])
    roofline.bare(parts, np.random.default_rng(0))()
    assert seen[:2] == [((4, 5), (5, 20), (4, 20)), ((2, 5), (5, 20), (2, 20))]
    assert ((5, 6), (6, 20), (5, 20)) in seen and ((6, 20), (20, 3), (6, 3)) in seen and seen[-1] == ((5, 6), (6, 7), (5, 7))


def test_only_the_targets_of_padding_are_replaced():
    from serving import without_padding

    targets = np.array([[0, 5], [3, 0], [4, 9]])
    np.testing.assert_array_equal(without_padding(targets, np.array([3, 2])), [[0, 5], [3, 0], [4, -1]])


def test_real_batches_are_in_the_order_of_the_file(tmp_path):
    from benchmark.workloads import WORKLOADS, real_batches

    path = tmp_path / "t.csv"
    path.write_text("".join(f"1,{'ab' * (k + 1)},nothing\n" for k in range(20)))
    workload, batches = real_batches(replace(WORKLOADS["epoch-A"], batches=2), path)
    assert workload.batches == len(batches) == 2 and workload.V == 84
    assert [sorted(batch.lengths.tolist()) for batch in batches] == [list(range(2, 18, 2)), list(range(18, 34, 2))]


def test_an_environment_is_made_again_only_when_the_requirements_change(tmp_path, monkeypatch):
    from benchmark import environments

    commands = []

    def run(*command):
        commands.append(command)
        (tmp_path / "peers" / "jax").mkdir(parents=True, exist_ok=True)

    (tmp_path / "jax.txt").write_text("jax==1\n")
    monkeypatch.setattr(environments, "run", run)
    monkeypatch.setattr(environments, "REQUIREMENTS", tmp_path)
    made = [len(commands) for _ in range(2) if environments.interpreter("jax", tmp_path / "peers")]
    assert made == [3, 4]  # venv, pip, import; import
    (tmp_path / "jax.txt").write_text("jax==2\n")
    assert environments.interpreter("jax", tmp_path / "peers").startswith(str(tmp_path)) and len(commands) == 7


def command(*options, cwd):
    line = [sys.executable, str(BENCHMARKS / "speed.py"), "--quick", *options]
    return subprocess.run(line, capture_output=True, text=True, cwd=cwd, env=os.environ | {"PYTHONPATH": str(ROOT)})


@pytest.mark.thorough
def test_the_command_measures_the_requested_parts_and_reports_absent_peers(tmp_path):
    files = ["--json", "r.json", "--markdown", "r.md"]
    peers = ["--peers", "torch,keras", "--torch-python", "no-python", "--keras-python", sys.executable]
    result = command("--only", "A8,epoch-A,generate-B,memory", "--rounds", "1", *peers, *files, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    text, report = (tmp_path / "r.md").read_text(encoding="utf-8"), json.loads((tmp_path / "r.json").read_text())
    assert text.strip() == result.stdout.strip()
    assert list(report["workloads"]) == ["A8", "epoch-A", "generate-B"] and report["memory"]
    assert "torch is absent: no-python cannot be run" in text and "keras is absent: " in text
    assert [row[2:5] for row in rows(text, "A8, ms")] == [["absent", "absent", "-"]]
    assert 0 < report["workloads"]["epoch-A"]["padding"] < 1
    curve = report["memory"]["training B, whole process"]["curve_mb"]
    assert len(curve) > 3 and all(map(math.isfinite, curve))
    assert (tmp_path / "r.memory.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.thorough
def test_reports_are_combined_and_the_later_one_counts(tmp_path):
    both = ["--peers", "", "--rounds", "1"]
    for name, only in (("a.json", "A8,generate-B"), ("b.json", "A8,tokenizing")):
        assert command("--only", only, *both, "--json", name, cwd=tmp_path).returncode == 0
    result = command("--report", "a.json", "b.json", "--json", "c.json", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    a, b, c = (json.loads((tmp_path / name).read_text()) for name in ("a.json", "b.json", "c.json"))
    assert c["workloads"] == {"A8": b["workloads"]["A8"], "generate-B": a["workloads"]["generate-B"]}
    assert c["tokenizing"] == b["tokenizing"]
    assert c["head"][f"b.json, {b['head']['date']}"].endswith("A8, tokenizing")
    assert "generate-B, tokens" in result.stdout and "## Tokenizing" in result.stdout


@pytest.mark.parametrize("options, words", [
    (["--report", "absent.json"], "absent.json is not a report"),
    (["--only", "A9"], "--only A9: there is no such part"),
    (["--peers", "theano"], "--peers theano: there is no such peer"),
    (["--peers", "", "--rounds", "0"], "--rounds and --threads must be at least 1"),
    pytest.param(["--peers", "", "--only", "epoch-A", "--titles", "absent.csv"], "absent.csv", marks=pytest.mark.thorough),
])
def test_wrong_options_are_refused_with_status_2(options, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    status, _, err = run_script(monkeypatch, capsys, BENCHMARKS / "speed.py", "--quick", *options)
    assert status == 2 and words in " ".join(err.split())


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["A8", "PTB", "epoch-A", "epoch-B", "generate-A"])
@pytest.mark.parametrize("peer, module", [("torch", "torch"), ("keras", "tensorflow"), ("jax", "optax")])
def test_a_real_peer_agrees_with_minilstm_in_every_variant(peer, module, name, tiny, short, monkeypatch):
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed here")
    from benchmark import processes, rounds

    slow = ("compiled", "head")
    quick = lambda engine, *rest: [name for name in processes.variants(engine, *rest) if name.split()[-1] not in slow]
    monkeypatch.setattr(rounds, "variants", quick)
    workers = processes.our_workers()
    workers.pythons[peer] = sys.executable
    found = rounds.measure_rounds(*tiny(name), workers, short)["engines"][peer]
    assert len(found["rounds"]) == 3 and all("seconds" in trial for trial in found["tried"].values()), found["tried"]
    assert all(value < 1e-4 for value in found["agreement"].values())
