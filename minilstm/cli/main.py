"""The command line: arguments in, an exit status out.

    0   done, or stopped by Ctrl-C with everything saved
    1   the job failed or was interrupted
    2   the command cannot be run as it was given

The options are in ``options.py``. The module of a command is loaded only when it runs,
so that ``minilstm --help`` answers at once.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import importlib
import os
import signal
import sys
import traceback
from collections.abc import Sequence

from minilstm.cli import environment
from minilstm.cli.options import SHORT_HELP, parser
from minilstm.cli.error_messages import is_of_output, sentence_for
from minilstm.parallel.threads import BLAS_VARIABLES
from minilstm.streams import make_writable

INTERRUPTED = {  # what to say after Ctrl-C
    "train": "interrupted; what was saved before is complete,"
    " and --resume continues from there",
    "sample": "interrupted; what was generated so far stays",
    "grade": "interrupted; no CSV file was written",
    "puzzles": "interrupted; your right answers are saved",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments. Default: those of the process.

    Returns
    -------
    status : int
        The exit status. Errors are printed in a sentence; only a bug in minilstm shows
        a traceback.
    """
    make_writable()
    command = ""
    try:
        arguments = parse(argv)
        if arguments.command is None:
            print(SHORT_HELP, file=sys.stderr)
            return 2
        command = arguments.command
        use_one_thread()
        arguments.matrix_kernels = environment.set_kernels()
        module = importlib.import_module(f"minilstm.cli.{module_of(arguments)}")
        status = module.run(arguments)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process is ending already
        with contextlib.suppress(OSError):
            sys.stdout.flush()
        return complain(INTERRUPTED.get(command, "interrupted"), 1)
    except Exception as error:
        return refuse(error, command)


def module_of(arguments: argparse.Namespace) -> str:
    """The module of a command: its name, but ``check`` with a file has one of its own."""
    if arguments.command == "check" and arguments.file is not None:
        return "check_file"
    return arguments.command


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The arguments by name. An option that is not known ends the command.

    The message suggests the known option that is spelled most like it.
    """
    top = parser()
    commands = next(a.choices for a in top._actions if isinstance(a.choices, dict))
    words = with_dashes(sys.argv[1:] if argv is None else argv, commands["sample"])
    arguments, unknown = top.parse_known_args(words)
    if not unknown:
        return arguments
    command = commands.get(arguments.command, top)
    known = list(command._option_string_actions)
    wrong = [word.partition("=")[0] for word in unknown if word.startswith("-")]
    likely = [
        near[0] for word in wrong if (near := difflib.get_close_matches(word, known, 1))
    ]
    meant = f"; did you mean {' and '.join(likely)}?" if likely else ""
    return command.error(f"unrecognized arguments: {' '.join(unknown)}{meant}")


def with_dashes(words: Sequence[str], sample: argparse.ArgumentParser) -> list[str]:
    """The arguments, with inputs of ``sample`` such as -1,2 joined to their option.

    argparse takes every word that begins with a dash for an option, but for a number.
    """
    joined: list[str] = []
    for word in words:
        may_be_input = word[:1] == "-" and word[:2] not in ("-", "--")
        if (
            joined
            and words[0] == "sample"
            and joined[-1] in ("--input", "--features", "--prompt")
            and may_be_input
            and word not in sample._option_string_actions
        ):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def refuse(error: Exception, command: str) -> int:
    """Print why the command has ended, and return the exit status.

    What ``error_messages`` cannot explain is a bug in minilstm and shows its traceback.
    """
    if isinstance(error, OSError) and is_of_output(error):
        # print nothing more there, not even when Python ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # the reader of our output has ended
            return 1
        error.filename = "standard output"
    explained = sentence_for(error, command)
    if explained is not None:
        return complain(*explained)
    traceback.print_exception(error)
    return complain(
        "this is a bug in minilstm, not a mistake of yours;"
        " please report it with the lines above",
        1,
    )


def use_one_thread() -> None:
    """One thread for each matrix product, unless the environment says otherwise.

    This takes effect before NumPy is first loaded. Threads of minilstm, each with a
    shard of a mini-batch, wait for each other far less (see ``parallel/threads.py``).
    """
    if not any(name in os.environ for name in BLAS_VARIABLES):
        for name in BLAS_VARIABLES:
            os.environ[name] = "1"


def complain(sentence: str, status: int) -> int:
    """Print one sentence to standard error, and return the status."""
    print(f"minilstm: {sentence}", file=sys.stderr)
    return status
