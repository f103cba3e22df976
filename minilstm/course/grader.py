"""Grade in a process of its own: what a learner's code does there ends in a sentence.

    grader = Grader(lessons)
    grading = grader.grade(unit)
    while not grading.ended:
        grading.wait(0.1)
    grading.first_wrong                1
    grading.results[1]                 ('wrong', 'line 12: it ran for more than 30 s; ...')

A process imports what grading needs, and waits. After each grading the next process is
started, by ``prepare``. So an answer comes a moment after a file is saved.
It writes a message in JSON for each task, and for the line that runs if one takes long.
At a crash, or at the time limit, `faulthandler` writes where it is.

A loop without end, a crash, an exit, and a lack of memory (on Linux) are caught. This
guards against accidents, not against malice.
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
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import minilstm
from minilstm.course.units import Unit

# Without the current folder, where a learner may have a numpy.py.
PROGRAM = (
    "import sys; sys.path[:] = [*filter(None, sys.path), sys.argv[2]];"
    "from minilstm.course.grading_process import main; main(sys.argv[1])"
)
PACKAGES = Path(minilstm.__file__).parents[1]
STARTING = 60  # seconds; the first import on a slow machine
GRACE = 1.0  # seconds to write where it is, before it is killed
LONGEST_OUTPUT = 4000  # characters of what the learner's code prints


@dataclass
class Grading:
    """One grading; a thread fills it in, so that it can be looked at while it runs.

    Parameters
    ----------
    unit : what is graded.
    names, hints, solutions : of the tasks; empty until they are known.
    results : state and sentence of each task that has been graded.
    problem : why nothing could be graded; empty if it could.
    printed : what the learner's code has printed.
    line : the line of the learner's file that ran when it was last looked at.
    ended : whether all is known.
    """

    unit: Unit
    names: list[str] = field(default_factory=list)
    hints: list[list[str]] = field(default_factory=list)
    solutions: list[str] = field(default_factory=list)
    results: list[tuple[str, str]] = field(default_factory=list)
    problem: str = ""
    printed: str = ""
    line: int | None = None
    ended: bool = False

    def __post_init__(self) -> None:
        self._changed = threading.Event()
        self._since = time.monotonic()

    @property
    def right(self) -> int:
        """How many tasks are right."""
        return sum(state == "right" for state, _ in self.results)

    @property
    def first_wrong(self) -> int | None:
        """The first task that is known not to be right, from 0."""
        wrong = (k for k, (state, _) in enumerate(self.results) if state != "right")
        return next(wrong, None)

    @property
    def all_right(self) -> bool:
        return self.ended and not self.problem and self.right == len(self.names) > 0

    @property
    def seconds(self) -> float:
        """For how long the present task has run."""
        return time.monotonic() - self._since

    def wait(self, seconds: float) -> None:
        """Wait until more is known, or for this time."""
        self._changed.wait(seconds)
        self._changed.clear()

    def note(self, **known: Any) -> None:
        """Set what is known now; for the thread that reads."""
        for name, value in known.items():
            setattr(self, name, value)
        self._changed.set()

    def add(self, state: str, sentence: str) -> None:
        """Add the result of a task; for the thread."""
        self.line, self._since = None, time.monotonic()
        self.results.append((state, sentence))
        self._changed.set()


class Grader:
    """Starts processes that grade, the next one ahead.

    Parameters
    ----------
    lessons : the folder of the course.
    """

    def __init__(self, lessons: Path):
        self.lessons = lessons
        self._process: _Process | None = None  # grades, or has graded
        self._next: _Process | None = None

    def prepare(self) -> None:
        """Start a process that waits for something to grade, if there is none yet."""
        if self._next is None:
            self._next = _Process(self.lessons)

    def grade(self, unit: Unit) -> Grading:
        """Begin to grade a unit. A grading that still runs is stopped."""
        if self._process is not None:
            self._process.kill()
        self._process, self._next = self._next or _Process(self.lessons), None
        return self._process.grade(unit)

    def close(self) -> None:
        """End all processes."""
        for process in (self._process, self._next):
            if process is not None:
                process.kill()
        self._process = self._next = None

    def __enter__(self) -> Grader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Process:
    """A process that grades once, when it is asked to."""

    def __init__(self, lessons: Path):
        self._fatal, self._late, self._graded = "", False, False
        own_group: dict[str, Any] = {"start_new_session": True}  # Ctrl-C is for us
        if sys.platform == "win32":
            own_group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(lessons.resolve()), str(PACKAGES)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONIOENCODING": "utf-8:backslashreplace"},
            **own_group,
        )

    def grade(self, unit: Unit) -> Grading:
        """Let it grade this unit."""
        self._graded, grading = True, Grading(unit)
        with contextlib.suppress(OSError):  # it has ended already
            assert self._process.stdin
            self._process.stdin.write(f"{unit.name}\n".encode())
            self._process.stdin.flush()
        for follow in (self._follow, self._watch):
            threading.Thread(target=follow, args=(grading,), daemon=True).start()
        return grading

    def kill(self) -> None:
        """End it with all that it started."""
        if sys.platform != "win32":
            with contextlib.suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        assert self._process.stdin and self._process.stdout and self._process.stderr
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        if not self._graded:  # else a thread reads them to their end
            self._process.stdout.close()
            self._process.stderr.close()

    def _follow(self, grading: Grading) -> None:
        """Read its messages to their end, then say what was left open."""
        assert self._process.stdout and self._process.stderr
        printed = threading.Thread(
            target=_read_printed, args=(self._process.stderr, grading), daemon=True
        )
        printed.start()
        path = grading.unit.path
        frame = re.compile(
            rf'  File ".*{path.parent.name}[\\/]+{re.escape(path.name)}", line (\d+) in '
        )
        complete = False
        with self._process.stdout as messages:
            for raw in messages:
                line = raw.decode(errors="replace")
                if line.startswith("{"):
                    message = json.loads(line)
                    complete = complete or "end" in message
                    self._take(grading, message)
                elif line.startswith("Fatal Python error: "):
                    self._fatal = line.partition("error: ")[2].strip()
                    grading.line = None
                elif grading.line is None and (found := frame.match(line)):
                    grading.note(line=int(found[1]))
        status = self._process.wait()
        printed.join(1)
        if not complete:
            self._explain(grading, status)
        grading.note(ended=True)

    def _take(self, grading: Grading, message: dict[str, Any]) -> None:
        if "names" in message:
            grading.note(**message, _since=time.monotonic())
        elif "state" in message:
            grading.add(message["state"], message["sentence"])
        else:  # line or problem
            message.pop("end", None)
            grading.note(**message)

    def _watch(self, grading: Grading) -> None:
        """End it at its time limit; first let it write where it is."""
        while self._process.poll() is None:
            if grading.seconds > (grading.unit.seconds if grading.names else STARTING):
                self._late = True
                if sys.platform != "win32":
                    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                        self._process.send_signal(signal.SIGABRT)
                        self._process.wait(GRACE)
                self.kill()
            time.sleep(0.05)

    def _explain(self, grading: Grading, status: int) -> None:
        """Say why it ended before everything was graded."""
        where = "" if grading.line is None else f"line {grading.line}: "
        how = self._fatal or (
            signal.strsignal(-status) if status < 0 else f"status {status}"
        )
        if self._late:
            limit = grading.unit.seconds if grading.names else STARTING
            loop = "; does a loop there never end?" if where else ""
            sentence = f"{where}it ran for more than {limit:g} s{loop}"
        elif not self._fatal and status == -getattr(signal, "SIGKILL", 0):
            sentence = "Python was killed; did your code need too much memory?"
        else:
            sentence = f"{where}Python crashed ({how})"
        if len(grading.results) < len(grading.names):
            grading.add("wrong", sentence)
        elif grading.names:
            grading.note(problem=sentence)
        else:
            said = grading.printed.strip().splitlines()
            grading.note(problem=f"grading cannot begin: {said[-1] if said else how}")


def _read_printed(pipe: IO[bytes], grading: Grading) -> None:
    """Keep the beginning of what is printed; the rest is read and dropped."""
    with pipe:
        for raw in iter(lambda: pipe.read1(1 << 16), b""):  # type: ignore[attr-defined]
            if len(grading.printed) < LONGEST_OUTPUT:
                text = raw.decode(errors="replace").replace("\r\n", "\n")
                room = LONGEST_OUTPUT - len(grading.printed)
                more = " ...\n" if len(text) > room else ""
                grading.note(printed=grading.printed + text[:room] + more)
