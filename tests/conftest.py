"""Settings for all tests: Hypothesis profiles, and the folder of real text.

Tests that need real text are skipped if it is missing.
"""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import Phase, settings

from minilstm.cli import main as cli
from tests.helpers.paths import SHARED

settings.register_profile("dev", max_examples=8, deadline=None)
settings.register_profile("ci", max_examples=200, deadline=None, derandomize=True, print_blob=True)
settings.register_profile("quick", max_examples=10, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))
cli.use_one_thread()  # before NumPy is loaded, as the command line does
# a shell makes background processes ignore Ctrl-C
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_the_disk():
    """Files are not synced to the disk, which saves time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture
def real_data():
    """A function from a file's name to its path; it skips the test if it is missing."""

    def find(name: str) -> Path:
        path = SHARED / "data" / name
        if not path.exists():
            pytest.skip(f"{name} is not beside this checkout (looked for {path})")
        return path

    return find


@pytest.fixture
def run(capsys):
    """Run a command in this process: exit status, standard output, standard error."""

    def command(*arguments):
        try:
            status = cli.main([str(a) for a in arguments])
        except SystemExit as stop:
            status = stop.code
        return status, *capsys.readouterr()

    return command
