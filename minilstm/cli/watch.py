"""Watch mode: grade the learner's file at every save, and obey keys meanwhile.

Nothing but the first thing that is wrong is shown. When all is right, the next unit
follows by itself.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from minilstm.cli import course_text
from minilstm.cli.course_text import Style, typed
from minilstm.cli.keys import Keys
from minilstm.course.folder import shown
from minilstm.course.grader import Grader, Grading
from minilstm.course.plan import Plan
from minilstm.course.units import Unit

POLL = 0.05  # seconds between two looks at the file
SETTLED = 2  # looks after which a changed file counts as saved
LONG = 2.0  # seconds after which a task that runs is shown
CLEAR = "\x1b[H\x1b[2J"
ERASE = "\r\x1b[J"  # the line of the cursor, and all below
UP = "\x1b[A"
KEYS = "h hint   s solution   r reset   l list   n next   q quit"


class SavedFile:
    """Notices when a file was saved, also by an editor that replaces it.

    Some editors write in two steps, so a change counts when nothing more happens for
    two looks. A file that is missing or empty for a moment does not count.
    """

    def __init__(self, path: Path):
        self.path = path
        self._known = self._last = self._look()
        self._quiet = 0

    def was_saved(self) -> bool:
        """Whether there is a new version since the last time that this was true."""
        now = self._look()
        self._quiet = self._quiet + 1 if now == self._last else 0
        self._last = now
        if now == self._known or now[1:2] == (0,) or self._quiet < SETTLED:
            return False
        if not now:  # wait for the new one; then any is new
            self._known = ()
            return False
        self._known = now
        return True

    def _look(self) -> tuple[int, ...]:
        try:
            found = os.stat(self.path)
        except OSError:
            return ()
        return found.st_mtime_ns, found.st_size, found.st_ino


class Watch:
    """One session of watch mode.

    Parameters
    ----------
    plan : the units, and what is done.
    style : how to print.
    """

    def __init__(self, plan: Plan, style: Style):
        self.plan, self.style = plan, style
        self.grading: Grading | None = None
        self._reported = self._recorded = True
        self._finished: Grading | None = None  # the unit before, for its solution
        self._pending = ""  # a key that waits for y
        self._hints = (-1, 0)  # task, and how many hints of it were given
        self._visible = 0  # how many of them are on the screen
        self._shown_second = 0
        self._below = ""  # what erases the keys or the status, which end the screen

    def run(self, unit: Unit) -> int:
        """Watch, until all is done or the learner quits; returns the exit status."""
        with Grader(self.plan.folder) as self.grader, Keys() as keys:
            try:
                self.enter(unit)
                while self.act(keys.get(POLL)) and self.look():
                    pass
            except KeyboardInterrupt:
                pass
        self.erase()
        if self.plan.following() is not None:
            self.say(
                "", "Your files and your progress are saved; minilstm learn goes on."
            )
        return 0

    def say(self, *lines: str) -> None:
        """Print lines above the keys or the status, which are erased."""
        self.erase()
        print(*lines, sep="\n", flush=True)

    def erase(self) -> None:
        """Erase the keys or the status."""
        print(self._below, end="", flush=True)
        self._below = ""

    def prompt(self) -> None:
        """Show the keys; while a task runs, they follow its report."""
        if self.grading is not None and not self._reported:
            return
        self.say("")
        self.below(self.style.colour(KEYS, "dim"), ERASE + UP)

    def below(self, text: str, erasure: str = ERASE) -> None:
        """Show a line that the next one replaces, where the terminal can do so."""
        print(text, end="" if self.style.moves else "\n", flush=True)
        self._below = erasure if self.style.moves else ""

    def rule(self) -> None:
        """A line between two gradings, or two units."""
        self.say("", self.style.colour("-" * self.style.width, "dim"))

    # A unit begins and ends

    def enter(self, unit: Unit, prefix: str = "") -> None:
        """Begin with a unit: make its file if there is none, and grade it."""
        self.unit, self._hints, self._visible = unit, (-1, 0), 0
        new = not unit.path.exists()
        if new:
            unit.reset()
        self.file = SavedFile(unit.path)
        remark = " (new)" if new and unit.path.suffix == ".py" else ""
        lines = course_text.to_do(unit)
        self.say(
            self.style.ends(prefix + unit.title, str(self.plan)),
            *lines[:-1],
            lines[-1] + remark,
        )
        state = self.plan.state(unit)
        if state.done:  # it need not be graded again
            self.say(f"  {state}; graded again when you save it")
            self.grader.prepare()
            self.grading, self._reported, self._recorded = None, True, True
            self.prompt()
        else:
            self.say("")
            self.grade()

    def grade(self) -> None:
        self._reported = self._recorded = False
        self._shown_second, self._pending = 0, ""
        self.grading = self.grader.grade(self.unit)

    def finish(self) -> bool:
        """All is right: go on to the next unit. Returns whether there is one."""
        self._finished = self.grading
        self.say("", *course_text.achieved(self.unit, self.style))
        following = self.plan.following(self.unit)
        if following is None:
            self.say("", f"All {len(self.plan.units)} are done. Congratulations!")
            return False
        self.say("(s shows our solution, to compare)")
        self.rule()
        self.enter(following, "Next: ")
        return True

    # What happens meanwhile

    def look(self) -> bool:
        """Grade if the file was saved, and show news; returns whether to go on."""
        if self.file.was_saved():
            self._finished = None
            self.head()
            self.grade()
        grading = self.grading
        if grading is None:
            return True
        if not self._reported and (grading.ended or grading.first_wrong is not None):
            self._reported = True
            self.say(*course_text.report(grading, self.style))
            if not grading.all_right:
                self.prompt()
        if not self._recorded and grading.ended:
            self._recorded = True
            self.grader.prepare()
            if grading.names and not grading.problem:
                self.plan.progress.record(self.unit, grading.right, len(grading.names))
            if grading.all_right:
                return self.finish()
        elif not self._reported:
            self.status(grading)
        return True

    def head(self) -> None:
        """The top of a new screen, or a line between two gradings."""
        self._visible = 0
        if self.style.moves:
            print(CLEAR, end="")
            self._below = ""
        else:
            self.rule()
        clock = time.strftime("%H:%M:%S")
        style = self.style
        self.say(
            style.ends(self.unit.title, str(self.plan)),
            style.ends(str(shown(self.unit.path)), f"saved {clock}", "dim"),
            "",
        )

    def status(self, grading: Grading) -> None:
        """Say which task takes long, and where it is."""
        seconds = int(grading.seconds)
        if seconds < LONG or seconds == self._shown_second:
            return
        if self._shown_second and not self.style.moves:
            return
        self._shown_second = seconds
        place = len(grading.results)
        what = "grading starts"
        if grading.names:
            what = f"{place + 1}. {grading.names[place]} runs"
        where = f", now in line {grading.line}" if grading.line else ""
        limit = f" (stopped at {self.unit.seconds:g} s)" if grading.names else ""
        text = f"  {what}, {seconds} s{where}{limit}"[: self.style.width - 1]
        self.erase()
        self.below(text)

    # Keys

    def act(self, key: str) -> bool:
        """Obey a key; returns whether to go on."""
        if not key:
            return True
        if key == "q":
            return False
        pending, self._pending = self._pending, ""
        if pending:
            self.confirmed(pending) if key == "y" else self.say("Left as it is.")
        elif key == "h":
            self.hint()
        elif key == "s":
            self.solution()
        elif key == "r":
            self.ask(
                f"Begin {typed(self.unit.path)} again? What you wrote is kept.", key
            )
        elif key == "l":
            self.say("", *course_text.listing(self.plan, self.style))
        elif key == "n":
            self.next()
        if not (self._pending or self._below):
            self.prompt()
        return True

    def ask(self, question: str, key: str) -> None:
        self._pending = key
        self.say("", *self.style.wrap(f"{question} y: yes, any other key: no"))

    def confirmed(self, key: str) -> None:
        """Do what was asked about."""
        if key == "s":
            self.show_solution(self.grading)
            return
        kept = self.unit.reset()
        self.say(f"{shown(self.unit.path)} is blank.")
        if kept:
            self.say(f"What you wrote is kept in {shown(kept)}.")
        self.say("Load it again in your editor before you go on.", "")
        self.file = SavedFile(self.unit.path)
        self.grade()

    def task(self) -> int | None:
        """The task to help with: the first that is not right."""
        grading = self.grading
        task = None if grading is None else grading.first_wrong
        if task is None and grading is not None and not grading.ended:
            self.say("", "It is being graded; ask again in a moment.")
        elif task is None:
            self.say("", "There is no task that this is for; save your file first.")
        return task

    def hint(self) -> None:
        """One hint more for the task that is not right; after the last, all again."""
        task = self.task()
        if task is None:
            return
        assert self.grading is not None
        if self._hints[0] != task:
            self._hints, self._visible = (task, 0), 0
        name, hints = self.grading.names[task], self.grading.hints[task]
        count = min(self._hints[1] + 1, len(hints))
        first = self._visible if self._visible < count else 0
        self._hints, self._visible = (task, count), count
        self.say("", *course_text.hint(task, name, hints[:count], self.style, first))
        if count == len(hints):
            self.say("There is no other hint; s shows the solution.")

    def solution(self) -> None:
        """After success the solution of what was done; else ask first."""
        if self._finished is not None:
            self.show_solution(self._finished)
            self._finished = None
            return
        if self.plan.is_done(self.unit):
            self.show_solution(self.grading)
            return
        task = self.task()
        if task is not None and self.grading is not None:
            self.ask(f"Show the solution of {self.grading.names[task]}?", "s")

    def show_solution(self, grading: Grading | None) -> None:
        """The solution of the first task that is not right, or of all."""
        if grading is None:
            texts = [self.unit.solution(task.name) for task in self.unit.tasks()]
        elif grading.first_wrong is None:
            texts = grading.solutions
        else:
            texts = [grading.solutions[grading.first_wrong]]
        self.say("", "\n\n\n".join(text.strip("\n") for text in texts))

    def next(self) -> None:
        """Go to the next unit that is not done."""
        following = self.plan.following(self.unit)
        if following is None:
            self.say("", "There is no other that is not done.")
            return
        self.rule()
        self._finished = None
        self.enter(following)
