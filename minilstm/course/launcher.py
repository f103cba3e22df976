"""Set limits for this process, then become the program that they are for.

``sandbox`` starts this file by its path, so it imports nothing of minilstm:

    python -I -S launcher.py SETTINGS PROGRAM ARGUMENT ...

SETTINGS is JSON: ``report``, the number of an open pipe; ``memory`` in bytes or null;
``network``, whether it may be used. The report is ``cut`` or ``open``, for the network,
and then the number of an error if the program cannot be started. Not for Windows, where
a process cannot become another program.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys

PROCESSES = 256  # with threads; they are counted only in a user namespace
NEW_USER, NEW_NETWORK = 0x10000000, 0x40000000  # flags of unshare(2)
DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


def main(settings: str, *program: str) -> None:
    """Set the limits, report, and become the program."""
    wanted = json.loads(settings)
    os.set_inheritable(wanted["report"], False)  # closed when the program starts
    limit(resource.RLIMIT_CORE, 0)  # a crash writes no file
    if wanted["memory"] is not None:
        limit(resource.RLIMIT_DATA, wanted["memory"])
        limit(resource.RLIMIT_FSIZE, wanted["memory"])
    cut = not wanted["network"] and cut_network()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)
    os.write(wanted["report"], b"cut\n" if cut else b"open\n")
    try:
        os.execvp(program[0], program)
    except OSError as error:
        os.write(wanted["report"], str(error.errno).encode())


def limit(what: int, most: int) -> None:
    """Lower a limit; one that is lower already stays."""
    hard = resource.getrlimit(what)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    with contextlib.suppress(OSError, ValueError):  # some systems refuse some limits
        resource.setrlimit(what, (most, most))


def cut_network() -> bool:
    """Move to a network of its own, which leads nowhere; whether that worked.

    Linux only. Root may do so at once; everybody else needs a user namespace, which
    some systems forbid.
    """
    if sys.platform != "linux":
        return False
    user, group = os.getuid(), os.getgid()
    unshare = ctypes.CDLL(None, use_errno=True).unshare
    if unshare(NEW_NETWORK) == 0:
        return True
    if unshare(NEW_USER | NEW_NETWORK) != 0:
        return False
    limit(resource.RLIMIT_NPROC, PROCESSES)
    with contextlib.suppress(OSError):  # keep the user's own numbers, if allowed
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{user} {user} 1"),
            ("gid_map", f"{group} {group} 1"),
        ):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    return True


if __name__ == "__main__":
    main(*sys.argv[1:])
