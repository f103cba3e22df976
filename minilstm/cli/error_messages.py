"""Errors that a user can understand, as one sentence and an exit status.

    kind of error                      the sentence says                        status
    MinilstmError                      what its message says                    its own
    MemoryError, ENOMEM                that there is not enough memory          1
    a library that cannot be loaded    which one, why, and what to install      1
    no threads, too deep nesting       what the limit is                        1
    OSError                            the file, the system's words, and advice 1

The status of an OSError is 2 if a name is wrong.

Anything else is a bug in minilstm: ``sentence_for`` knows none, and the command line
shows the traceback. Nothing heavy is imported here, for a library that cannot be loaded
is one of the errors.
"""

from __future__ import annotations

import errno
import sys
import traceback
from importlib import metadata

from minilstm.errors import MinilstmError, to_install

# as in setup.cfg, also where that is not at hand
REQUIRED = {
    "numpy": "numpy>=1.24",
    "numba": "numba>=0.59",
    "llvmlite": "llvmlite>=0.42",
}
EXTRAS = {
    "cycler": "lessons", "jupytext": "notebooks", "matplotlib": "lessons",
    "openpyxl": "lessons", "plotille": "lessons", "threadpoolctl": "info",
    "tqdm": "lessons",
}  # fmt: skip
LIBRARIES = {"numpy", "numba", "llvmlite", *EXTRAS}
ADVICE = {
    errno.EACCES: "ask for the right to use it, or name another place",
    errno.EPERM: "ask for the right to use it, or name another place",
    errno.EROFS: "name a place that can be written to",
    errno.ENOSPC: "make room there, or name another place",
    errno.EDQUOT: "make room there, or name another place",
    errno.ENOENT: "look for a typing mistake",
    errno.EISDIR: "name a file",
    errno.ENOTDIR: "a part of it is a file and no folder",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EMFILE: "too many files are open at once; raise the limit (ulimit -n)",
}
OF_WRITING = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EPIPE}
WRONG_NAMES = {errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG}
SAVED_BEFORE = "what was saved before is complete"


def sentence_for(error: Exception, command: str = "") -> tuple[str, int] | None:
    """The sentence and the exit status; None for a bug in minilstm."""
    if isinstance(error, MinilstmError):
        return str(error), error.exit_status
    if is_memory(error):
        asked = (
            f" ({first_line(error)})"
            if str(error) and isinstance(error, MemoryError)
            else ""
        )
        return (
            f"there is not enough memory for this{asked}; choose smaller sizes, or"
            " close other programs",
            1,
        )
    library = unloadable(error)
    if library is not None:
        return (
            f"{library} cannot be loaded ({first_line(error)});"
            f" {remedy(library, error)}",
            1,
        )
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        return (
            "the system lets no more threads be started; set MINILSTM_THREADS=1, or"
            " raise the limit (ulimit -u)",
            1,
        )
    if isinstance(error, RecursionError):
        return f"something in the input is nested too deeply ({first_line(error)})", 1
    if isinstance(error, OSError) and error.errno is not None:
        words = [
            f"{error.filename}: " * bool(error.filename)
            + (error.strerror or str(error))
        ]
        words += (
            [ADVICE[error.errno]] if error.filename and error.errno in ADVICE else []
        )
        if error.errno in WRONG_NAMES:
            return "; ".join(words), 2
        return "; ".join([*words, SAVED_BEFORE] if command == "train" else words), 1
    return None


def is_memory(error: BaseException) -> bool:
    """Whether memory was lacking: for Python, NumPy, a library, or the cause."""
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    is_linker = isinstance(error, (ImportError, OSError))  # it gives no error number
    if is_linker and "failed to map segment" in str(error):
        return True
    cause = error.__cause__ or error.__context__
    return cause is not None and is_memory(cause)


def unloadable(error: Exception) -> str | None:
    """The library that is missing, or that raised the error while it was imported."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        root = str(frame.f_globals.get("__name__")).partition(".")[0]
        if root in LIBRARIES and frame.f_code.co_name == "<module>":
            return root
    missing = (
        str(getattr(error, "name", "")).partition(".")[0]
        if isinstance(error, ImportError)
        else ""
    )
    return missing if missing in LIBRARIES else None


def remedy(library: str, error: Exception) -> str:
    """The command that installs what is missing, or versions that fit each other."""
    if library in EXTRAS:
        again = "" if isinstance(error, ModuleNotFoundError) else "--force-reinstall"
        return to_install(EXTRAS[library], again)
    wanted = {**REQUIRED, **numbas_own()}
    return "install versions that fit each other: pip install " + " ".join(
        f'"{w}"' for w in wanted.values()
    )


def numbas_own() -> dict[str, str]:
    """Which versions of what the installed Numba asks for."""
    try:
        asked = metadata.requires("numba") or []
    except metadata.PackageNotFoundError:
        return {}
    plain = [line.replace(" ", "") for line in asked if ";" not in line]
    return {
        name: line
        for name in ("numpy", "llvmlite")
        for line in plain
        if line.startswith(name)
    }


def first_line(error: BaseException) -> str:
    """What the error says, without the pages that some libraries add."""
    said = [line.strip() for line in str(error).splitlines() if line.strip()]
    return said[0].rstrip(".:") if said else type(error).__name__


def is_of_output(error: OSError) -> bool:
    """Whether standard output could not be written to; errors name other files."""
    if error.filename is not None:
        return False
    try:
        sys.stdout.flush()  # what could not be written is still there
    except (OSError, ValueError):
        return True
    return error.errno in OF_WRITING
