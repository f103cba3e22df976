"""A small course in a folder of its own, and sessions of ``minilstm learn`` in it."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time

from minilstm.course.folder import numbered
from minilstm.course.grader import Grading
from tests.helpers.paths import LESSONS
from tests.helpers.terminal import CONTROLS, open_terminal

PARTS = ("exercises", "grading", "solutions")
WRONG = {2: ("o * np.tanh(c)", "o * c"), 3: ("    return dc_next", "    return dh")}


def small_course(folder, numbers=(2, 3)):
    """Make ``lessons/`` with these exercises in a folder; returns it."""
    lessons = folder / "lessons"
    for number in numbers:
        for part in PARTS:
            (lessons / part).mkdir(parents=True, exist_ok=True)
            shutil.copy(numbered(LESSONS / part)[number], lessons / part)
        shutil.copy(numbered(LESSONS)[number], lessons)
    shutil.copy(LESSONS / "README.md", lessons)
    return lessons


def mine(lessons, number):
    """The path of the learner's file."""
    return lessons / "my" / numbered(LESSONS / "exercises")[number].name


def solve(lessons, number, old="", new=""):
    """Save the solution as the learner's file, with one text replaced."""
    text = numbered(LESSONS / "solutions")[number].read_text(encoding="utf-8")
    assert old in text
    path = mine(lessons, number)
    path.parent.mkdir(exist_ok=True)
    path.write_text(text.replace(old, new, 1) if old else text, encoding="utf-8")
    return path


class DirectGrader:
    """In place of ``Grader``: grades in this process, and counts how often."""

    graded: list = []

    def __init__(self, lessons):
        type(self).graded = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def prepare(self):
        pass

    def grade(self, unit):
        self.graded.append(unit.name)
        grading = Grading(unit)
        tasks = unit.tasks()
        grading.note(names=[task.name for task in tasks], hints=[task.hints for task in tasks])
        grading.note(solutions=[unit.solution(task.name) for task in tasks])
        for result in unit.results():
            grading.add(result.state, result.sentence)
        grading.note(ended=True)
        return grading


class Script:
    """In place of ``Keys``: keys, and functions that save a file, one after another."""

    def __init__(self, *steps):
        self.steps = [*steps, "q"]
        self.idle = 6

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def get(self, seconds):
        if self.idle:  # time for a save to be noticed, and its grading to be shown
            self.idle -= 1
            return ""
        step = self.steps.pop(0)
        self.idle = 6
        if isinstance(step, str):
            return step
        step()
        return ""


class Session:
    """``minilstm learn`` in a pseudo-terminal."""

    def __init__(self, folder, *arguments, columns=80, **environment):
        self.master, terminal = open_terminal(columns, 50)
        known = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "minilstm", "learn", *arguments], cwd=folder, start_new_session=True,
            stdin=terminal, stdout=terminal, stderr=terminal, preexec_fn=controlling,
            env=known | {"TERM": "xterm", "PYTHONIOENCODING": "utf-8", **environment},
        )  # fmt: skip
        os.close(terminal)
        os.set_blocking(self.master, False)
        self.all = self.new = ""

    def until(self, *words, seconds=60):
        """Read until all these words have appeared since the last time; returns that."""
        end = time.monotonic() + seconds
        while not all(word in self.new for word in words):
            assert time.monotonic() < end, f"{words} are not in:\n{self.new}"
            with contextlib.suppress(BlockingIOError, OSError):
                text = CONTROLS.sub(lambda m: "\n" if m[4] == "\n" else "", os.read(self.master, 65536).decode())
                self.all, self.new = self.all + text, self.new + text
            time.sleep(0.02)
        seen, self.new = self.new, ""
        return seen

    def press(self, keys):
        os.write(self.master, keys.encode())

    def end(self):
        """Wait for the end; returns the exit status and all that was shown since."""
        status = self.process.wait(60)
        with contextlib.suppress(BlockingIOError, OSError):
            self.new += CONTROLS.sub("", os.read(self.master, 65536).decode())
        os.close(self.master)
        return status, self.new

    def kill(self):
        with contextlib.suppress(OSError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def controlling():
    """Make the terminal that of the process, so that Ctrl-C reaches it."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
