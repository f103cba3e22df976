"""Errors that a user can fix are one sentence; a bug keeps its traceback."""

import configparser
import errno
import importlib
import os
import re
import signal
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from minilstm.cli import main as cli
from minilstm.cli import error_messages
from minilstm.course import pyplot
from minilstm.errors import CheckpointError, InputError
from tests.helpers.commands import refused

WHOLE = "what was saved before is complete"
NO_PIPES = pytest.mark.skipif(os.name == "nt", reason="needs devices and limits of POSIX systems")


@pytest.fixture
def ends(run, monkeypatch):
    """Run a command that ends with an error."""

    def ends(error, *arguments):
        def fail(arguments):
            raise error

        monkeypatch.setattr(f"minilstm.cli.{arguments[0]}.run", fail)
        return run(*arguments)

    return ends


def array_memory_error():
    try:
        np.empty(10**15)
    except MemoryError as error:
        return error


@pytest.mark.parametrize(
    "error, status, words",
    [
        (InputError("no such thing; try another"), 2, ["no such thing; try another"]),
        (CheckpointError("half a file"), 1, ["half a file"]),
        (MemoryError(), 1, ["there is not enough memory for this; choose smaller sizes"]),
        (array_memory_error(), 1, ["not enough memory for this (Unable to allocate", "PiB"]),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), 1, ["there is not enough memory for this; choose"]),
        (PermissionError(errno.EACCES, "Permission denied", "a.txt"), 1, ["a.txt: Permission denied; ask for the right"]),
        (IsADirectoryError(errno.EISDIR, "Is a directory", "a"), 2, ["a: Is a directory; name a file"]),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "a/b"), 2, ["a/b: Not a directory; a part of it is a file"]),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "a"), 2, ["a: No such file", "typing mistake"]),
        (OSError(errno.ENAMETOOLONG, "File name too long", "a"), 2, ["a: File name too long; choose a shorter name"]),
        (OSError(errno.ENOSPC, "No space left on device", "a"), 1, ["a: No space left on device; make room there"]),
        (OSError(errno.EMFILE, "Too many open files", "a"), 1, ["a: Too many open files; ", "ulimit -n"]),
        (OSError(errno.EIO, "Input/output error", "a"), 1, ["a: Input/output error"]),
        (OSError(errno.ENOTCONN, "Not connected"), 1, ["minilstm: Not connected\n"]),
        (RuntimeError("can't start new thread"), 1, ["no more threads", "MINILSTM_THREADS=1"]),
        (RecursionError("maximum recursion depth exceeded"), 1, ["nested too deeply"]),
        (ModuleNotFoundError("No module named 'plotille'", name="plotille"), 1, ['pip install "minilstm[lessons]"']),
        (ModuleNotFoundError("No module named 'jupytext'", name="jupytext"), 1, ['pip install "minilstm[notebooks]"']),
        (ModuleNotFoundError("No module named 'numba'", name="numba"), 1, ["numba cannot be loaded", '"numba>=0.59"']),
        (ModuleNotFoundError("No module named 'numpy.x'", name="numpy.x"), 1, ["numpy cannot be loaded (No module named"]),
    ],
)
def test_an_error_that_a_user_can_fix_is_one_sentence(ends, error, status, words):
    for command in ("info", "sample"):
        result = ends(error, command, *["x"] * (command == "sample"))
        refused(result, status, *words)
        assert WHOLE not in result[2] and result[2].count("\n") == 1


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("y"), RuntimeError("z"), AssertionError(), ImportError("own")])
def test_a_bug_keeps_its_traceback_and_is_called_a_bug(ends, error):
    status, out, err = ends(error, "info")
    assert status == 1 and out == "" and "Traceback" in err and "raise error" in err
    assert err.splitlines()[-1].startswith("minilstm: this is a bug in minilstm") and "report it" in err


def test_only_training_mentions_saved_files(ends):
    assert WHOLE in refused(ends(OSError(errno.ENOSPC, "No space left on device", "run/model.npz"), "train", "x"), 1)
    assert WHOLE not in refused(ends(OSError(errno.ENAMETOOLONG, "File name too long", "xxx"), "train", "x"), 2)


@pytest.mark.parametrize(
    "command, words",
    [("train", "--resume continues"), ("sample", "what was generated so far stays"), ("info", "interrupted\n")],
)
def test_ctrl_c_prints_a_message_of_its_own_for_each_command(ends, command, words):
    before = signal.getsignal(signal.SIGINT)
    try:
        result = ends(KeyboardInterrupt(), command, *["x"] * (command != "info"))
    finally:
        signal.signal(signal.SIGINT, before)
    refused(result, 1, words)
    assert (command == "train") == ("saved" in result[2])


# ---- libraries that cannot be loaded -------------------------------------------------


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """Replace a library by a module, and let the command import it."""

    def broken(library, source):
        (tmp_path / f"{library}.py").write_text(source, "utf-8")
        monkeypatch.delitem(sys.modules, library, raising=False)
        monkeypatch.syspath_prepend(tmp_path)
        try:
            importlib.import_module(library)
        except Exception as error:
            return error

    return broken


@pytest.mark.parametrize(
    "library, source, words",
    [
        ("numba", "raise ImportError('Numba needs NumPy 2.2 or less. Got NumPy 2.3.')",
         "numba cannot be loaded (Numba needs NumPy 2.2 or less. Got NumPy 2.3); install versions that fit"),
        ("llvmlite", "raise OSError('Could not find/load shared object file')", "llvmlite cannot be loaded (Could not find"),
        ("numba", "def f(): raise SystemError('initialization failed')\nf()", "numba cannot be loaded (initialization failed)"),
        ("numpy", "raise ImportError('\\n\\nIMPORTANT: PLEASE READ THIS\\n\\nhelp')", "(IMPORTANT: PLEASE READ THIS); install"),
        ("numba", "raise ValueError", "numba cannot be loaded (ValueError); install versions"),
        ("matplotlib", "raise ValueError('Key backend: no such')",
         '(Key backend: no such); pip install --force-reinstall "minilstm[lessons]"'),
        ("tqdm", "import no_such_module_of_tqdm", 'tqdm cannot be loaded (No module named'),
    ],
)
def test_a_library_that_cannot_be_loaded_is_named_with_the_install_command(broken, ends, library, source, words):
    result = ends(broken(library, source), "info")
    assert result[2].count("\n") == 1
    refused(result, 1, words)


def test_a_lesson_with_a_broken_matplotlib_continues_without_pictures(broken, capsys):
    broken("matplotlib", "raise AttributeError('module numpy has no attribute float\\n\\nand more')")
    assert pyplot() is None
    assert capsys.readouterr().out == "(no picture: matplotlib cannot be loaded: module numpy has no attribute float)\n"


@pytest.mark.parametrize("cause", [MemoryError(), OSError("libx.so: failed to map segment from shared object")])
def test_a_library_that_lacks_memory_is_not_called_broken(ends, cause):
    error = OSError("Could not find/load shared object file")
    error.__context__ = cause
    refused(ends(error, "info"), 1, "there is not enough memory for this;")


def test_a_later_error_of_a_library_is_not_called_a_loading_error(ends):
    try:
        np.reshape(np.zeros(3), (2, 2))
    except ValueError as error:
        assert "bug in minilstm" in ends(error, "info")[2]


def test_the_versions_that_numba_requires_are_named(monkeypatch):
    asked = ["llvmlite<0.51,>=0.50.0", "numpy <2.5,>=1.22", 'importlib-metadata; python_version < "3.9"']
    monkeypatch.setattr(metadata, "requires", lambda name: asked)
    assert error_messages.remedy("numba", ImportError()).endswith('"numpy<2.5,>=1.22" "numba>=0.59" "llvmlite<0.51,>=0.50.0"')

    def absent(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", absent)
    assert error_messages.remedy("numba", ImportError()).endswith('pip install "numpy>=1.24" "numba>=0.59" "llvmlite>=0.42"')


def test_the_install_command_names_the_requirements_of_the_package():
    setup = configparser.ConfigParser()
    setup.read(Path(cli.__file__).parents[2] / "setup.cfg")
    assert setup["options"]["install_requires"].split() == list(error_messages.REQUIRED.values())
    extras = setup["options.extras_require"]
    for library, extra in error_messages.EXTRAS.items():
        assert library == "cycler" or re.search(rf"^{library}\b", extras[extra], re.MULTILINE), library
    for extra in ("lessons", "info"):
        assert {re.match(r"\w+", line)[0] for line in extras[extra].split()} <= error_messages.EXTRAS.keys()


# ---- limits of the system ------------------------------------------------------------


def python(*arguments, **options):
    options = {"stdout": subprocess.PIPE, **options}
    return subprocess.run([sys.executable, *arguments], stderr=subprocess.PIPE, text=True, timeout=120, **options)


WITH_LITTLE_MEMORY = """
import resource, sys
from minilstm.cli import main as cli
from minilstm.cli import sample
import minilstm.training.checkpoint
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (int(used + 1e7), int(used + 1e7)))
sys.exit(cli.main(["sample", sys.argv[1]]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_with_little_memory_a_good_model_is_not_called_damaged(tmp_path):
    from minilstm import Adam, CharTokenizer, LanguageModel
    from minilstm.training.checkpoint import Checkpoint, save
    from minilstm.training.loop import Training

    tokenizer = CharTokenizer.fit(["abc"])
    # 4 MB, and twice that for the optimizer
    model = LanguageModel(tokenizer.vocab_size, hidden=500)
    save(tmp_path / "model.npz", Checkpoint(Training.begin(model, Adam(), np.random.default_rng(0)), tokenizer, {}))
    done = python("-c", WITH_LITTLE_MEMORY, str(tmp_path))
    refused((done.returncode, done.stdout, done.stderr), 1, "not enough memory")
    assert "damaged" not in done.stderr and WHOLE not in done.stderr


@NO_PIPES
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_of_the_output_is_named(unbuffered):
    environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    with open("/dev/full", "w") as full:
        done = python("-m", "minilstm", "worksheet", stdout=full, env=environment)
    refused((done.returncode, "", done.stderr), 1, "standard output: No space left on device; make room there")
    assert done.stderr.count("\n") == 1 and WHOLE not in done.stderr


def test_a_worksheet_on_a_full_disk_names_its_file_and_leaves_nothing(run, tmp_path, monkeypatch):
    def no_space(number):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    refused(run("worksheet", "--out", tmp_path / "sheet.txt"), 1, "sheet.txt: No space left on device; make room there")
    assert list(tmp_path.iterdir()) == []


@NO_PIPES
def test_a_file_name_that_is_too_long_is_a_usage_error(run):
    for command in (["sample", "x" * 300], ["info", "x" * 300]):
        refused(run(*command), 2, "File name too long; choose a shorter name")
