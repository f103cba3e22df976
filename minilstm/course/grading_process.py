"""The process that grades; ``grader.py`` starts it, and reads what it writes.

Standard output has the messages. What the learner's code prints there goes to standard
error instead.
"""

from __future__ import annotations

import faulthandler
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

MEMORY = 2 << 30  # bytes that grading may allocate besides what it has at its start
LOOK = 1.0  # seconds between two looks at what runs


def main(lessons: str) -> None:
    """Import what is needed, read the name of a unit from standard input, and grade it.

    Parameters
    ----------
    lessons : the folder of the course.
    """
    messages = os.dup(1)
    os.dup2(2, 1)

    def say(**message: Any) -> None:
        # at once, and on a line of its own, whatever faulthandler is writing
        os.write(messages, f"\n{json.dumps(message)}\n".encode())

    try:
        import minilstm.verify  # noqa: F401  what most gradings need
        from minilstm.course.units import unit_of
        from pathlib import Path

        name = sys.stdin.readline().strip()
        if not name:  # nothing is to be graded any more
            return
        unit = unit_of(name, Path(lessons))
        tasks = unit.tasks()
        secure(messages)
        say(
            names=[task.name for task in tasks],
            hints=[list(task.hints) for task in tasks],
            solutions=[unit.solution(task.name) for task in tasks],
        )
        watcher = (str(unit.path.resolve()), say)
        threading.Thread(target=say_where, args=watcher, daemon=True).start()
        for result in unit.results():
            say(state=result.state, sentence=result.sentence)
    except Exception as error:
        say(problem=sentence(error))
    say(end=True)
    sys.stdout.flush()
    sys.stderr.flush()
    end(0)  # also if threads of the learner's run on


end = os._exit


def say_where(path: str, say: Callable[..., None]) -> None:
    """Again and again, say which line of this file runs."""
    main_thread = threading.main_thread().ident
    while True:
        time.sleep(LOOK)
        frame = sys._current_frames().get(main_thread or 0)
        while frame is not None and frame.f_code.co_filename != path:
            frame = frame.f_back
        try:
            say(line=frame and frame.f_lineno)
        except OSError:  # the process that started this one has ended
            end(1)


def secure(messages: int) -> None:
    """Limit the memory; let crashes, exits and questions end in a sentence."""
    sys.stdin = open(os.devnull, encoding="utf-8")
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    os._exit = sys.exit  # type: ignore[assignment]
    faulthandler.enable(messages)
    try:
        import resource

        with open("/proc/self/statm", encoding="ascii") as file:
            used = int(file.read().split()[0]) * resource.getpagesize()
    except (ImportError, OSError):  # not Linux
        return
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    limit = used + MEMORY
    if hard == resource.RLIM_INFINITY or limit < hard:
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def sentence(error: Exception) -> str:
    """What has happened; a bug in minilstm also prints its traceback."""
    from minilstm.cli.error_messages import sentence_for

    explained = sentence_for(error)
    if explained is not None:
        return explained[0]
    traceback.print_exception(error)
    return "this is a bug in minilstm, not a mistake of yours; please report it"
