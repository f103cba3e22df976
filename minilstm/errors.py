"""The exceptions of minilstm.

A message says what was wrong, where, and what to do. The command line prints it without
a traceback and exits with the status given here.
"""


def to_install(extra: str, option: str = "") -> str:
    """The command that installs an extra; also right where minilstm is a clone.

    Parameters
    ----------
    extra : one of those in setup.cfg.
    option : of pip, such as ``"--force-reinstall"``.

    >>> to_install("lessons")
    'pip install "minilstm[lessons]"'
    """
    return f'pip install {option}{" " * bool(option)}"minilstm[{extra}]"'


class MinilstmError(Exception):
    """Base of all errors that a user can fix. Exit status 1: the job failed."""

    exit_status = 1


class InputError(MinilstmError, ValueError):
    """An argument, array or file cannot be used. Exit status 2: wrong usage."""

    exit_status = 2


class UnknownTokenError(InputError):
    """A text has a token that the tokenizer has no id for."""


class CheckpointError(MinilstmError):
    """A model file is damaged, has another format, or its parts do not fit together."""


class NotFiniteError(MinilstmError):
    """A loss or a gradient norm became NaN or infinite."""


class InUseError(MinilstmError, RuntimeError):
    """Two threads use one model or workspace in ways that exclude each other."""
