"""Run a program that may never end, crash, or fill the memory.

    outcome = run_limited([sys.executable, "02_one_step.py"], seconds=10)
    outcome.problem                    'it ran for more than 10 s'
    outcome.problem_in("02_one_step.py")
        'line 12 of 02_one_step.py: it ran for more than 10 s; does a loop there never end?'

| limit | Linux | macOS | Windows |
|---|---|---|---|
| time | yes | yes | yes |
| memory of a process, size of a file | yes | files only | no |
| network | where user namespaces are allowed | no | no |
| 256 processes | the same, for all but root | no | no |

This guards against accidents. It does not stop malice: the program runs as the same
user, and can read and delete what that user can. At the end, and at the time limit, its
whole process group is killed. A process that left the group on purpose goes on.

The program runs with ``faulthandler``. At the time limit it gets SIGABRT, prints where
it was, and is then killed. On Windows it is killed at once.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

KEPT = 1_000_000  # bytes of each output: the first half and the last half of them
STARTING = 60.0  # seconds, for a program that says when it is ready
GRACE = 2.0  # seconds to print where it was, and for the last output
LAUNCHER = Path(__file__).with_name("launcher.py")
DUMP = re.compile(r"^Fatal Python error: .*", re.MULTILINE | re.DOTALL)
FRAME = re.compile(r'^  File "(.+)", line (\d+) in ', re.MULTILINE)
NO_MEMORY = re.compile(r"^(\w+\.)*_?(Array)?MemoryError\b|std::bad_alloc", re.MULTILINE)
RUNNING: set[subprocess.Popen[bytes]] = set()
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Outcome:
    """How a program ended.

    Parameters
    ----------
    status : the exit status, negative for a signal; None if the time limit ended it.
    stdout, stderr : what it printed. If that was more than 1 MB, the middle is left
        out. The traceback of a crash is in ``trace`` instead.
    problem : why it did not end by itself, as a sentence; empty if it did.
    seconds : how long it ran.
    trace : file and line of every call that ran at the time limit or the crash, the
        innermost first; empty if not known.
    network_cut : whether the system kept it from the network.
    """

    status: int | None
    stdout: str
    stderr: str
    problem: str
    seconds: float
    trace: tuple[tuple[str, int], ...] = ()
    network_cut: bool = False

    def line_in(self, path: str | Path) -> int | None:
        """The innermost line of this file that ran when the program was ended."""
        name = os.fspath(path).encode("ascii", "backslashreplace").decode()
        return next((line for file, line in self.trace if file == name), None)

    def problem_in(self, path: str | Path) -> str:
        """The problem, with the line of this file where it arose, if that is known."""
        line = self.line_in(path)
        if not self.problem or line is None:
            return self.problem
        loop = "; does a loop there never end?" if self.status is None else ""
        return f"line {line} of {Path(path).name}: {self.problem}{loop}"


def run_limited(
    arguments: Sequence[str],
    *,
    seconds: float,
    memory: int | None = None,
    cwd: str | Path | None = None,
    network: bool = True,
    input: str = "",
    environment: Mapping[str, str] | None = None,
    ready: Path | None = None,
) -> Outcome:
    """Run a program to its end, or to the first limit that it reaches.

    Parameters
    ----------
    arguments : the program and its arguments.
    seconds : the time limit.
    memory : bytes that each of its processes may allocate, and the longest file that it
        may write. NumPy then uses one thread. Default: no limit.
    cwd : the folder that it runs in. Default: the current one.
    network : whether it may use the network. If not, ``network_cut`` of the outcome
        tells whether the system could keep it from that.
    input : what it reads from standard input.
    environment : its environment variables. Default: those of this process.
    ready : a file that the program writes to when it has started. The time limit counts
        from then on, and the start may take a minute. Default: it counts at once.

    Returns
    -------
    outcome : how it ended. Nothing of its process group runs any more.

    Raises
    ------
    OSError
        If the program cannot be started.
    KeyboardInterrupt
        At Ctrl-C, after the program was killed.
    """
    variables = dict(os.environ if environment is None else environment)
    variables |= {
        "PYTHONFAULTHANDLER": "1",
        "PYTHONIOENCODING": "utf-8:backslashreplace",
        "PYTHONUNBUFFERED": "1",  # what it printed before it is killed is kept
    }
    if memory is not None:
        variables |= {name: variables.get(name, "1") for name in ONE_THREAD}
    process, cut = _start(arguments, memory, network, cwd, variables)
    start, late = time.monotonic(), False
    assert process.stdin and process.stdout and process.stderr
    threading.Thread(target=_feed, args=(process.stdin, input), daemon=True).start()
    out, err = _Capture(process.stdout), _Capture(process.stderr)
    RUNNING.add(process)
    try:
        try:
            if ready is not None:
                _wait_for(ready, process)
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            late = True
            _abort(process)
        took = time.monotonic() - start
    finally:
        _kill(process)
        RUNNING.discard(process)
    stderr, trace = _split(err.text())
    status = None if late else process.returncode
    problem = (
        f"it ran for more than {seconds:g} s"
        if status is None
        else _problem(status, stderr, memory)
    )
    return Outcome(status, out.text(), stderr, problem, took, trace, cut)


def end_all() -> None:
    """End every program that other threads run, as at Ctrl-C."""
    for process in tuple(RUNNING):
        _kill(process)


def _start(
    arguments: Sequence[str],
    memory: int | None,
    network: bool,
    cwd: str | Path | None,
    variables: dict[str, str],
) -> tuple[subprocess.Popen[bytes], bool]:
    """Start the program in a process group of its own; whether its network is cut."""
    pipe = subprocess.PIPE
    if sys.platform == "win32":
        return subprocess.Popen(
            arguments,
            cwd=cwd,
            env=variables,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            creationflags=subprocess.CREATE_NEW_PROCESS_GROUP,
        ), False
    report, write_end = os.pipe()
    settings = json.dumps({"report": write_end, "memory": memory, "network": network})
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(LAUNCHER), settings, *arguments],
            cwd=cwd,
            env=variables,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            pass_fds=[write_end],
            start_new_session=True,
        )
    except BaseException:
        os.close(report)
        raise
    finally:
        os.close(write_end)
    with open(report, "rb") as file:
        cut, _, error = file.read().decode().partition("\n")
    if error:
        process.communicate()
        raise OSError(int(error), os.strerror(int(error)), arguments[0])
    return process, cut == "cut"


def _wait_for(ready: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until a file is not empty, or the program has ended, or STARTING is over."""
    until = time.monotonic() + STARTING
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError):
            if ready.stat().st_size:
                return
        time.sleep(0.02)


def _abort(process: subprocess.Popen[bytes]) -> None:
    """Let the program print where it is and end; not on Windows."""
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGABRT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the program with its process group (Windows: with its children)."""
    if sys.platform == "win32":
        with contextlib.suppress(OSError):
            subprocess.run(
                ["taskkill", "/F", "/T", "/PID", str(process.pid)], capture_output=True
            )
    else:
        with contextlib.suppress(OSError):  # it has ended, with all its children
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def _problem(status: int, stderr: str, memory: int | None) -> str:
    """Why a program ended with this status, if not by itself."""
    if memory is not None and status != 0 and NO_MEMORY.search(stderr):
        return f"it needed more than {_amount(memory)} of memory"
    if status == -9:
        return "it was killed; did the system run out of memory?"
    if status < 0:
        name = (signal.strsignal(-status) or f"signal {-status}").lower()
        return f"it crashed ({name})"
    if status >= 0xC0000000:  # Windows; 0xC0000005 is an access violation
        return f"it crashed (0x{status:X})"
    return ""


def _amount(memory: int) -> str:
    """``1 GB``, ``1.5 GB`` or ``300 MB``; these are powers of 1,000."""
    return f"{memory / 1e9:.3g} GB" if memory >= 1e9 else f"{memory / 1e6:.3g} MB"


def _split(stderr: str) -> tuple[str, tuple[tuple[str, int], ...]]:
    """What the program printed itself, and the calls that ``faulthandler`` listed."""
    dump = DUMP.search(stderr)
    if dump is None:
        return stderr, ()
    frames = tuple((file, int(line)) for file, line in FRAME.findall(dump[0]))
    return stderr[: dump.start()], frames


def _feed(pipe: IO[bytes], text: str) -> None:
    """Write the input; a program need not read it."""
    with contextlib.suppress(OSError), pipe:
        pipe.write(text.encode())


class _Capture(threading.Thread):
    """Reads a pipe to its end and keeps the first and the last bytes."""

    def __init__(self, pipe: IO[bytes]):
        super().__init__(daemon=True)
        self._pipe, self._first, self._last = pipe, bytearray(), bytearray()
        self._left_out = 0
        self.start()

    def run(self) -> None:
        """Keep reading, so that the program never waits for us."""
        half = KEPT // 2
        with self._pipe as pipe:
            while chunk := os.read(pipe.fileno(), 1 << 16):
                room = half - len(self._first)
                self._first += chunk[:room]
                self._last += chunk[room:]
                if (surplus := len(self._last) - half) > 0:
                    del self._last[:surplus]
                    self._left_out += surplus

    def text(self) -> str:
        """What was kept, after the end of the pipe or a short wait for it."""
        self.join(GRACE)  # a process that left the group may hold the pipe open
        first, last, left_out = (bytes(self._first), bytes(self._last), self._left_out)
        gap = f"\n... {left_out:,} bytes left out ...\n".encode() if left_out else b""
        return (first + gap + last).decode(errors="replace").replace("\r\n", "\n")
