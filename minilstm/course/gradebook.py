"""Grade submissions, each in processes of its own.

    for row in grade_all(submissions, lessons, Limits(seconds=30)):
        row.right, len(row.tasks)      (2, 4)
        row.message                    'dx is wrong: ...'

A submission runs in a temporary copy of its folder. It gets no environment variables
but the harmless ones, an empty home folder, and no network where the system allows
that. A task that ends the process, or is ended at a limit, is wrong. The tasks after it
are graded in a new process.

This guards against accidents and simple tricks. It does not stop malice: a submission
runs as the user who grades it and can read that user's files, the solutions and this
program. Whatever it changes inside its process, it may change its own grades.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import minilstm
from minilstm.course.sandbox import Outcome, end_all, run_limited
from minilstm.course.submissions import Submission
from minilstm.course.variations import lessons_for, seed_in

RIGHT, WRONG, BLANK = "right", "wrong", "not answered"
ENDED, NOT_RUN = "ended", "not run"
# of the process that grades; a name that ends in _ stands for all that begin with it
VARIABLES = (
    "PATH", "PATHEXT", "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "LANG", "LC_",
    "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "NUMBA_", "MINILSTM_", "COVERAGE_",
)  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """Limits of each process: seconds from its start on, and bytes of memory."""

    seconds: float = 30.0
    memory: int = 2_000_000_000


@dataclass(frozen=True)
class TaskGrade:
    """The grade of one task.

    Parameters
    ----------
    name : of the task.
    state : ``"right"``, ``"wrong"``, ``"not answered"``, ``"ended"`` if it did not end
        by itself, ``"not run"`` if nothing could be run.
    sentence : what there is to say about it.
    """

    name: str
    state: str = NOT_RUN
    sentence: str = ""


@dataclass(frozen=True)
class Row:
    """The grades of one submission.

    Parameters
    ----------
    submission : the submission.
    tasks : a grade for each task; none if the exercise is not known.
    problem : why a process did not end by itself, or could not begin; empty if all did.
    seconds : how long its processes ran.
    network_cut : whether the system kept it from the network.
    seed : of the copy of the exercise; None if it has none.
    """

    submission: Submission
    tasks: tuple[TaskGrade, ...] = ()
    problem: str = ""
    seconds: float = 0.0
    network_cut: bool = False
    seed: int | None = None

    @property
    def right(self) -> int:
        """How many tasks are right."""
        return sum(task.state == RIGHT for task in self.tasks)

    @property
    def message(self) -> str:
        """The first task that was run and is not right, with its sentence."""
        for number, task in enumerate(self.tasks, start=1):
            if task.state not in (RIGHT, NOT_RUN):
                return f"{number}. {task.name}: {task.state}: {task.sentence}"
        return ""


def grade_all(
    submissions: Sequence[Submission], lessons: Path, limits: Limits, jobs: int = 1
) -> Iterator[Row]:
    """Grade submissions, in their order, several at the same time.

    Ctrl-C ends the processes that run.
    """
    if jobs == 1:
        for submission in submissions:
            yield grade_one(submission, lessons, limits)
        return
    with ThreadPoolExecutor(jobs) as pool:
        rows = [pool.submit(grade_one, each, lessons, limits) for each in submissions]
        try:
            for row in rows:
                yield row.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            while not all(row.done() for row in rows):
                end_all()
                time.sleep(0.05)
            raise


def grade_one(submission: Submission, lessons: Path, limits: Limits = Limits()) -> Row:
    """Grade one submission.

    Parameters
    ----------
    submission : what ``find_submissions`` found.
    lessons : the folder of the course.
    limits : of each process.
    """
    if submission.problem:
        return Row(submission, problem=submission.problem)
    try:
        submission.path.open("rb").close()
    except OSError as error:  # it may not be read, or is gone
        return Row(submission, problem=f"it cannot be read: {error.strerror}")
    row = Row(submission, network_cut=True, seed=seed_in(submission.path))
    assert submission.exercise is not None
    with (
        tempfile.TemporaryDirectory(
            prefix="minilstm-", ignore_cleanup_errors=True
        ) as folder,
        tempfile.TemporaryDirectory(prefix="minilstm-") as course,
    ):
        private = Path(course).resolve()
        lessons = lessons_for(submission.exercise, row.seed, lessons, private)
        path = _copy(submission, Path(folder).resolve())
        first: int | None = 0
        while first is not None:
            row, first = _go_on(row, first, path, lessons, limits)
    return row


def _copy(submission: Submission, folder: Path) -> Path:
    """Copy a submission, and what it may import, to a folder of its own."""
    work = folder / "work"
    work.mkdir()
    for path in submission.beside:
        with contextlib.suppress(OSError):  # who imports it gets an error
            shutil.copyfile(path, work / path.name)
    return Path(shutil.copyfile(submission.path, work / submission.path.name))


def _go_on(
    row: Row, first: int, path: Path, lessons: Path, limits: Limits
) -> tuple[Row, int | None]:
    """Grade from a task on, in one process; also the task to go on with, if any."""
    results, outcome = _run(row.submission, first, path, lessons, limits)
    names: list[str] = next((r["names"] for r in results if "names" in r), [])
    tasks = list(row.tasks) or [TaskGrade(name) for name in names]
    known = first
    for result in results:
        if result.get("task") == known < len(tasks):
            tasks[known] = TaskGrade(
                tasks[known].name, result["state"], _plain(result["sentence"], path)
            )
            known += 1
    problem = next((r["problem"] for r in results if "problem" in r), "")
    following = None
    if not problem and (known < len(tasks) or not names):
        problem = outcome.problem_in(path) or _early(outcome, bool(names))
        if any("loaded" in result for result in results) and known < len(tasks):
            tasks[known] = TaskGrade(tasks[known].name, ENDED, problem)
            following = known + 1 if known + 1 < len(tasks) else None
    return replace(
        row,
        tasks=tuple(tasks),
        problem=row.problem or _plain(problem, path),
        seconds=row.seconds + outcome.seconds,
        network_cut=row.network_cut and outcome.network_cut,
    ), following


def _run(
    submission: Submission, first: int, path: Path, lessons: Path, limits: Limits
) -> tuple[list[dict], Outcome]:
    """Run the process; what it said, and how it ended."""
    home, secret = path.parent.parent, secrets.token_hex(16)
    with tempfile.TemporaryDirectory(prefix="minilstm-") as private:
        results = Path(private) / "results"
        job = {
            "path": str(path),
            "exercise": submission.exercise,
            "lessons": str(lessons.resolve()),
            "first": first,
            "results": str(results),
            "secret": secret,
        }
        outcome = run_limited(
            [sys.executable, "-m", "minilstm.course.gradebook_process"],
            seconds=limits.seconds,
            memory=limits.memory,
            cwd=home,
            network=False,
            input=json.dumps(job),
            environment=environment(home),
            ready=results,
        )
        try:
            text = results.read_text(encoding="utf-8", errors="replace")
        except OSError:  # never begun, or deleted
            text = ""
    return [
        json.loads(line[len(secret) :])
        for line in text.splitlines()
        if line.startswith(secret) and line.endswith("}")
    ], outcome


def environment(home: Path) -> dict[str, str]:
    """The harmless ones of our environment variables, and an empty home folder."""
    from minilstm.kernels.cache import cache_directory

    kept = {
        name: value
        for name, value in os.environ.items()
        if name.upper() in VARIABLES
        or name.upper().startswith(tuple(v for v in VARIABLES if v.endswith("_")))
    }
    kept |= dict.fromkeys(("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP"), str(home))
    kept["PYTHONPATH"] = str(Path(minilstm.__file__).parents[1])
    if cache := cache_directory():  # or each submission compiles everything again
        kept["NUMBA_CACHE_DIR"] = str(cache.parents[1])
    return kept


def _early(outcome: Outcome, begun: bool) -> str:
    """Why a process that ended by itself did so too early."""
    if begun:
        return f"it ended the whole process, with status {outcome.status}"
    last = outcome.stderr.strip().splitlines()[-1:] or [f"status {outcome.status}"]
    return f"it cannot be graded: {last[0]}"


def _plain(sentence: str, path: Path) -> str:
    """A sentence in one line, without the temporary folder and without controls."""
    short = sentence.replace(f"{path.parent}{os.sep}", "")
    return "".join(c if c.isprintable() else "?" for c in " ".join(short.split()))
