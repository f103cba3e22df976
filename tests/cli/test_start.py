"""A process imports nothing before it is needed."""

import os
import re
import subprocess
import sys

import pytest

# and others that are slow to import
OPTIONAL = ("matplotlib", "threadpoolctl", "openpyxl", "tqdm", "plotille")
HEAVY = ("numpy", "numba", "llvmlite", *OPTIONAL)
SHOW = "import sys; print('loaded:', *[name for name in sys.argv[1:] if name in sys.modules])"

ONE_STEP = """
import sys
sys.argv[1:], names = ["train", "headlines", "--hidden", "4", "--steps", "1", "--batch-size", "2"], sys.argv[1:]
from minilstm.cli import main as cli
from minilstm.training import callbacks

class Seen(callbacks.StopOnSignal):
    def on_step(self, training, record):
        self.received = record.step == 1  # ends the run as Ctrl-C does
        print("step:", record.step)
        print("loaded:", *[name for name in names if name in sys.modules])
        super().on_step(training, record)

callbacks.StopOnSignal = Seen
cli.main()
"""


def loaded(program, names, cwd):
    """Which of the modules a new process has imported, and its output.

    Imports are listed at the end of the process, or when the program prints them
    itself.
    """
    result = subprocess.run(
        [sys.executable, "-c", program, *names], cwd=cwd, capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert result.returncode == 0 and result.stderr == "", result
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("loaded:")]
    return set(line.split()[1:]), result.stdout


@pytest.mark.parametrize(
    "program",
    [
        "import minilstm\n",
        "import minilstm.cli.main\n",
        "import minilstm\nassert minilstm.__version__ and minilstm.errors and 'LSTM' in dir(minilstm)\n",
        "import minilstm.cli.main\ntry: minilstm.cli.main.main(['--help'])\nexcept SystemExit: pass\n",
        "import minilstm.cli.main\ntry: minilstm.cli.main.main(['train', '--help'])\nexcept SystemExit: pass\n",
    ],
)
def test_neither_the_package_nor_its_help_loads_numpy_or_numba(program, tmp_path):
    modules, _ = loaded(program + SHOW, HEAVY, tmp_path)
    assert modules == set()


def test_the_first_step_of_a_run_loads_no_extra(tmp_path):
    modules, out = loaded(ONE_STEP, HEAVY, tmp_path)
    assert "step: 1" in out and modules == {"numpy", "numba", "llvmlite"}


def test_the_public_names_load_no_extra(tmp_path):
    modules, _ = loaded(f"from minilstm import LSTM, Adam, LanguageModel, WordTokenizer\n{SHOW}", HEAVY, tmp_path)
    assert "numpy" in modules and not modules & set(OPTIONAL)


def test_tokenizers_and_the_reference_steps_need_no_compiler(tmp_path):
    modules, _ = loaded(f"from minilstm import reference, CharTokenizer, WordTokenizer\n{SHOW}", HEAVY, tmp_path)
    assert modules == {"numpy"}


def test_without_a_command_a_short_help_names_those_to_begin_with(run):
    status, out, err = run()
    assert status == 2 and out == ""
    assert len(err.splitlines()) < 10 and max(map(len, err.splitlines())) <= 80
    for command in ("train headlines", "sample runs/headlines", "check", "--help"):
        assert f"minilstm {command}" in err


@pytest.mark.parametrize("name", ["train", "sample", "evaluate", "check", "worksheet", "exercise", "grade", "notebooks"])
def test_every_option_that_has_a_default_names_it(name, run):
    _, out, _ = run(name, "--help")
    given = {"--as-published", "--tied", "--resume", "--greedy", "--force", "--hint", "--solution", "--reset", "--move"}
    given |= {"--help", "--preset", "--column", "--window", "--prompt-file", "--beam", "--show-top", "--compare", "--picture"}
    given |= {"--label", "--all", "--blank"}
    for block in re.split(r"\n(?=  -)", out.split("options:")[1])[1:]:
        option = re.search(r"--[a-z-]+", block)[0]
        assert "(default" in " ".join(block.split()) or option in given, block
