"""The command line: arguments in, an exit status out.

0: done, or stopped by you with everything saved. 1: the job failed. 2: the command cannot be carried out as it was given.

The options stand in ``minilstm.arguments``; what a command does, in ``minilstm.commands``, is loaded afterwards, so that
``minilstm --help`` answers at once.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Sequence

from minilstm import environment
from minilstm.arguments import parser
from minilstm.errors import MinilstmError
from minilstm.streams import make_writable
from minilstm.threads import BLAS_VARIABLES


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status and prints no traceback for anything that a user can mend."""
    make_writable()
    try:
        arguments = parser().parse_args(argv)
        use_one_thread()
        arguments.matrix_kernels = environment.set_kernels()
        command = importlib.import_module(f"minilstm.commands.{arguments.command}")
        status = command.run(arguments)
        sys.stdout.flush()
        return status
    except MinilstmError as error:
        return complain(str(error), error.exit_status)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # we are on our way
        return complain("interrupted; what was saved before is whole (minilstm train: go on with --resume)", 1)
    except MemoryError:
        return complain("there is not enough memory for this; choose smaller sizes", 1)
    except BrokenPipeError:  # whoever read our output has gone: say no more, not even when Python ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return complain(f"{place}{error.strerror or error}; what was saved before is whole", 1)


def use_one_thread() -> None:
    """One thread for each matrix product, unless the environment says otherwise; takes effect before NumPy is first loaded.

    The threads that we start ourselves, each with some sequences of a batch, wait for each other far less (see ``threads.py``).
    """
    if not any(name in os.environ for name in BLAS_VARIABLES):
        for name in BLAS_VARIABLES:
            os.environ[name] = "1"


def complain(sentence: str, status: int) -> int:
    """One sentence to standard error."""
    print(f"minilstm: {sentence}", file=sys.stderr)
    return status
