"""The command line: arguments in, an exit status out.

0: done, or stopped by you with everything saved. 1: the job failed. 2: the command cannot be carried out as it was given.

The options stand in ``options.py``. The module of a command is loaded afterwards, so that ``minilstm --help`` answers at once.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import sys
import traceback
from collections.abc import Sequence

from minilstm.cli import environment
from minilstm.cli.options import parser
from minilstm.cli.refusals import is_of_output, sentence_for
from minilstm.parallel.threads import BLAS_VARIABLES
from minilstm.streams import make_writable

INTERRUPTED = {  # what is worth knowing after Ctrl-C, besides that it has worked
    "train": "interrupted; what was saved before is whole, and --resume goes on from there",
    "sample": "interrupted; what was written so far stays",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status and prints no traceback for anything that a user can mend."""
    make_writable()
    command = ""
    try:
        arguments = parser().parse_args(argv)
        command = arguments.command
        use_one_thread()
        arguments.matrix_kernels = environment.set_kernels()
        status = importlib.import_module(f"minilstm.cli.{command}").run(arguments)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # we are on our way
        with contextlib.suppress(OSError):
            sys.stdout.flush()
        return complain(INTERRUPTED.get(command, "interrupted"), 1)
    except Exception as error:
        return refuse(error, command)


def refuse(error: Exception, command: str) -> int:
    """Say why the command has ended; returns the exit status. All that ``refusals`` cannot explain is a bug of ours."""
    if isinstance(error, OSError) and is_of_output(error):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # say no more there, not even when Python ends
        if isinstance(error, BrokenPipeError):  # whoever read our output has gone
            return 1
        error.filename = "standard output"
    explained = sentence_for(error, command)
    if explained is not None:
        return complain(*explained)
    traceback.print_exception(error)
    return complain("this is a bug in minilstm, and no mistake of yours; please report it with the lines above", 1)


def use_one_thread() -> None:
    """One thread for each matrix product, unless the environment says otherwise; takes effect before NumPy is first loaded.

    Threads of our own, each with some sequences of a batch, wait for each other far less (see ``parallel/threads.py``).
    """
    if not any(name in os.environ for name in BLAS_VARIABLES):
        for name in BLAS_VARIABLES:
            os.environ[name] = "1"


def complain(sentence: str, status: int) -> int:
    """One sentence to standard error."""
    print(f"minilstm: {sentence}", file=sys.stderr)
    return status
