"""The page ``lessons/00_microlstm.py`` equals the engine, and needs only NumPy."""

import importlib.util
import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm import Adam, LanguageModel
from minilstm.course.folder import numbered
from minilstm.models.batch import Batch
from tests.helpers.numeric import assert_gradient
from tests.helpers.paths import LESSONS
from tests.helpers.strategies import seeds

PAGE = LESSONS / "00_microlstm.py"
ENGINE_NAMES = {
    "E": "embedding.W", "Wx": "lstm0.Wx", "Wh": "lstm0.Wh", "b": "lstm0.b", "Wy": "output.W", "by": "output.b",
}


def load():
    spec = importlib.util.spec_from_file_location("microlstm", PAGE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


micro = load()


def losses(printed):
    return [float(number) for number in re.findall(r"^step +\d+  loss ([\d.]+) \(mean of \d+\)$", printed, re.MULTILINE)]


def refused(capsys, *arguments):
    """The message for wrong arguments: one line, and status 2."""
    with pytest.raises(SystemExit) as stop:
        micro.main([str(a) for a in arguments])
    out, error = capsys.readouterr()
    assert stop.value.code == 2 and out == "" and error.count("\n") == 1
    return error


@st.composite
def models_and_windows(draw):
    V, D, H, T, B = (draw(st.integers(low, 5)) for low in (2, 1, 1, 2, 1))  # T > 1, for Wh to count
    rng = np.random.default_rng(draw(seeds))
    params = {name: rng.normal(0, 0.7, W.shape) for name, W in micro.init(rng, V, D, H).items()}
    return params, rng.integers(0, V, (T, B)), rng.integers(0, V, (T, B))


@given(models_and_windows())
def test_loss_and_all_gradients_equal_the_engines(case):
    params, inputs, targets = case
    (V, D), H = params["E"].shape, len(params["Wh"])
    model = LanguageModel(V, embedding=D, hidden=H, dtype=np.float64)
    for name, W in params.items():
        model.parameters[ENGINE_NAMES[name]][...] = W
    expected_loss, expected, *_ = model.loss_and_gradients(Batch(inputs, targets))
    loss, cache = micro.forward(params, inputs, targets)
    grads = micro.backward(params, cache)
    assert grads.keys() == ENGINE_NAMES.keys()
    assert loss > 0 and abs(loss - expected_loss) <= 1e-12 * loss
    for name, g in grads.items():
        theirs = expected[ENGINE_NAMES[name]]
        assert np.abs(theirs).max() > 0, "zeros prove nothing"
        np.testing.assert_allclose(g, theirs, rtol=0, atol=1e-12 * np.abs(theirs).max() + 1e-15, err_msg=name)


@given(models_and_windows())
def test_backward_agrees_with_finite_differences(case):
    params, inputs, targets = case
    grads = micro.backward(params, micro.forward(params, inputs, targets)[1])
    for name, W in params.items():
        assert_gradient(grads[name], lambda: micro.forward(params, inputs, targets)[0], W, name)


def test_adam_equals_the_engines():
    rng = np.random.default_rng(0)
    start, optimizer = rng.standard_normal(7), Adam(0.005)
    theta, state = start.copy(), optimizer.init(start)
    params, m, v = {"W": start.copy()}, {"W": 0}, {"W": 0}
    for t in range(1, 6):
        g = rng.standard_normal(7)
        micro.adam(params, {"W": g}, m, v, t)
        state = optimizer.step(theta, g, state)
        np.testing.assert_allclose(params["W"], theta, rtol=1e-12)
    assert np.abs(theta - start).min() > 1e-4


def test_the_page_has_at_most_150_lines_and_imports_only_numpy():
    text = PAGE.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    assert set(re.findall(r"^ *(?:from|import) (\w+)", text, re.MULTILINE)) == {"signal", "sys", "pathlib", "numpy"}


def test_it_runs_without_numba_and_minilstm(tmp_path):
    blocked = "import sys; sys.modules.update(dict.fromkeys(['numba', 'llvmlite', 'minilstm']))"
    program = f"{blocked}; import runpy; sys.argv = ['page']; runpy.run_path({str(PAGE)!r}, run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=tmp_path, env=os.environ | {"OPENBLAS_NUM_THREADS": "1"}, capture_output=True, encoding="utf-8",
    )
    assert (done.returncode, done.stderr) == (0, "")
    printed = losses(done.stdout)
    assert len(printed) == 5 and printed == sorted(printed, reverse=True)
    assert printed[0] > 3 and printed[-1] < 1.3  # from guessing among 26 to knowing how names go on
    _, careful, wild = re.split(r"\n\ntemperature [\d.]+\n", done.stdout)
    known = set(micro.NAMES.split())
    made = careful.split()[1:-1]  # the first may begin, the last may end in its middle
    assert len(set(made)) >= 10
    assert sum(name in known for name in made) > len(made) / 2
    assert set(wild.split()[1:-1]) - known, "nothing new was made up"


def test_the_printed_gradient_agrees_with_finite_differences(capsys):
    micro.main([], steps=1)
    line = capsys.readouterr().out.splitlines()[0]
    ours, numeric = map(float, re.fullmatch(r"dWh (\S+), by finite differences (\S+)", line).groups())
    assert ours > 1e-3 and abs(ours - numeric) < 1e-7


def test_a_wrong_gradient_shows_in_the_output(capsys, monkeypatch):
    def wrong(params, cache):
        grads = right(params, cache)
        return grads | {"Wh": 1.01 * grads["Wh"]}

    right = micro.backward
    monkeypatch.setattr(micro, "backward", wrong)
    micro.main([], steps=1)
    ours, numeric = map(float, re.findall(r"\d\.\d{9}", capsys.readouterr().out)[:2])
    assert abs(ours - numeric) > 1e-5


def test_it_learns_from_a_file(tmp_path, capsys):
    file = tmp_path / "naïve.txt"
    file.write_text("zwölf Boxkämpfer jagen Viktor\n" * 4, encoding="utf-8")
    micro.main([str(file)], steps=100)
    printed = capsys.readouterr().out
    first, last = losses(printed)
    assert last < first - 0.5
    written = printed.split("temperature 0.5\n")[1]
    assert written.startswith("z") and set(written) <= set(file.read_text(encoding="utf-8") + "temperature 1.0\n")
    assert len(re.split(r"\n\ntemperature 1.0\n", written)[0]) == 200


def test_it_generates_any_text_into_a_pipe_of_another_encoding(tmp_path):
    file = tmp_path / "greek.txt"
    file.write_text("αβγδ εζηθ\n" * 20, encoding="utf-8")
    environment = os.environ | {"PYTHONIOENCODING": "cp1252"}
    done = subprocess.run([sys.executable, PAGE, file], env=environment, capture_output=True)
    assert done.returncode == 0 and rb"\u03b1" in done.stdout, done.stderr.decode()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGPIPE")
@pytest.mark.parametrize("end", ["closed pipe", "Ctrl-C"])
def test_a_closed_pipe_and_ctrl_c_end_it_without_a_traceback(tmp_path, end):
    (tmp_path / "long.txt").write_text("seventeen letters " * 1000, encoding="utf-8")
    command = [sys.executable, "-u", PAGE, tmp_path / "long.txt"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    first = process.stdout.readline()
    if end == "closed pipe":
        process.stdout.close()
    else:
        process.send_signal(signal.SIGINT)
    error = process.stderr.read()
    assert first.startswith(b"dWh") and error == b""
    assert -process.wait(60) == (signal.SIGPIPE if end == "closed pipe" else signal.SIGINT)
    process.stdout.close()
    process.stderr.close()


def test_a_printed_loss_is_the_mean_of_the_last_hundred(capsys, monkeypatch):
    seen, right = [], micro.forward
    monkeypatch.setattr(micro, "forward", lambda *given: seen.append(right(*given)) or seen[-1])
    micro.main([], steps=200)
    every = [seen[0][0], *(loss for loss, _ in seen[3:])]  # two more in the check of the gradient
    wanted = [every[0], np.mean(every[:100]), np.mean(every[100:])]
    np.testing.assert_allclose(losses(capsys.readouterr().out), wanted, atol=6e-4)


def test_the_same_seed_generates_the_same_text(capsys):
    rng = np.random.default_rng
    params = micro.init(rng(0), 9)
    write = lambda seed, temperature=1.0: micro.sample(params, 3, 50, temperature, rng(seed))
    assert write(1) == write(1) and write(1) != write(2)
    assert write(1)[0] == 3 and len(write(1)) == 50
    assert write(1, 1e-6) == write(2, 1e-6)  # so cold that chance plays no part
    printed = [micro.main([], steps=20) or capsys.readouterr().out for _ in range(2)]
    assert printed[0] == printed[1]


def test_a_wrong_argument_gets_a_message_of_one_sentence(tmp_path, capsys):
    (tmp_path / "short.txt").write_text("sixteen letters!", encoding="utf-8")
    (tmp_path / "long.txt").write_text("seventeen letters", encoding="utf-8")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG" * 20)
    assert "No such file" in refused(capsys, tmp_path / "nowhere.txt")
    assert "more than 16 characters" in refused(capsys, tmp_path / "short.txt")
    assert "utf-8" in refused(capsys, tmp_path / "picture.png")
    assert "give one file" in refused(capsys, tmp_path / "long.txt", tmp_path / "long.txt")
    assert str(tmp_path) in refused(capsys, tmp_path)
    micro.main([str(tmp_path / "long.txt")], steps=1)


def test_it_is_not_numbered_as_a_lesson():
    assert list(numbered(LESSONS)) == [*range(1, 20)]
    text = (LESSONS / "README.md").read_text(encoding="utf-8")
    assert text.index("(00_microlstm.py)") < text.index("(01_text_to_numbers.py)")
