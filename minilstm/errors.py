"""What minilstm raises when something outside of it is wrong.

The message is a sentence for a person: what was wrong, where, what to do. The command line prints it
without a traceback and ends with the status given here.
"""


class MinilstmError(Exception):
    """Anything that a user can mend; ends a command with status 1 (the job failed)."""

    exit_status = 1


class InputError(MinilstmError, ValueError):
    """What was handed in cannot be used: a value, an array, a file; ends a command with status 2."""

    exit_status = 2


class UnknownTokenError(InputError):
    """A text holds a symbol that the tokenizer has no id for."""


class CheckpointError(MinilstmError):
    """A model file is damaged, has another format, or its parts do not fit together."""


class NotFiniteError(MinilstmError):
    """A loss or a gradient norm became NaN or infinite."""


class InUseError(MinilstmError, RuntimeError):
    """Two threads use one model, or one workspace, in a way that cannot be shared."""
