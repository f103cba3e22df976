"""Runs scripts of the benchmarks as from the command line, but in this process."""

import runpy
import sys

from tests.helpers.paths import BENCHMARKS


def run_script(monkeypatch, capsys, script, *options):
    """Exit status, standard output and standard error of a script."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    monkeypatch.setattr(sys, "argv", [str(script), *map(str, options)])
    try:
        runpy.run_path(str(script), run_name="__main__")
        status = 0
    except SystemExit as stop:
        status = stop.code
    return status, *capsys.readouterr()
