"""``minilstm learn``: what is done, what comes next, and grading at every save."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

from minilstm.cli import course_text
from minilstm.cli.course_text import Style
from minilstm.cli.watch import Watch
from minilstm.course.folder import copy_lessons, lessons, shown
from minilstm.course.grader import Grader, Grading
from minilstm.course.plan import Plan
from minilstm.course.progress import Progress
from minilstm.course.units import Unit, unit_of
from minilstm.errors import InputError

BELOW = 12  # lines below the list when watch mode begins: the unit, a report, the keys


def run(arguments: Namespace) -> int:
    """The command: status 0, but 1 after ``--once`` if something is not right."""
    if arguments.copy is not None:
        if arguments.name is not None:
            raise InputError("--copy copies all lessons; leave out the number")
        return copy(Path(arguments.copy))
    plan, style = Plan(lessons()), Style()
    if plan.progress.set_aside is not None:
        print(*style.wrap(about_damage(plan.progress)), sep="\n")
    chosen = None if arguments.name is None else unit_of(arguments.name, plan.folder)
    unit = chosen or plan.following()
    if arguments.list:
        return show_list(plan, style)
    if chosen and not plan.reachable(chosen):
        needs = course_text.and_list(chosen.needs)
        raise InputError(f"{chosen.title} comes after {needs}; do that first")
    asked = arguments.once or arguments.hint or arguments.solution or arguments.reset
    if asked and unit is None:
        raise InputError("all is done; name a number, such as: minilstm learn 3 --once")
    if unit is not None and asked:
        return answer(arguments, plan, unit, style)
    if unit is None or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return show_list(plan, style)
    lines, place = course_text.listing(plan, style), plan.units.index(unit)
    print(*course_text.around(lines, place, style.height - BELOW), "", sep="\n")
    return Watch(plan, style).run(unit)


def show_list(plan: Plan, style: Style) -> int:
    """Print what is done and what comes next."""
    print(*course_text.listing(plan, style), "", sep="\n")
    unit = plan.following()
    if unit is None:
        print(f"All {len(plan.units)} are done.")
    else:
        print(f"{plan}. Next: {unit.title}")
        print(*course_text.to_do(unit), sep="\n")
        print("minilstm learn grades it at every save; minilstm learn --once: once.")
    return 0


def answer(arguments: Namespace, plan: Plan, unit: Unit, style: Style) -> int:
    """Grade once, or give a hint or a solution, or begin again."""
    if arguments.reset:
        kept = unit.reset()
        print(f"{shown(unit.path)} is blank.")
        if kept:
            print(f"What you wrote is kept in {shown(kept)}.")
        return 0
    if arguments.solution and plan.is_done(unit):
        print("\n\n\n".join(unit.solution(task.name) for task in unit.tasks()))
        return 0
    grading = grade_once(plan, unit)
    task = grading.first_wrong
    if arguments.once:
        print(unit.title, shown(unit.path), "", sep="\n")
        print(*course_text.report(grading, style), sep="\n")
        return 0 if grading.all_right else 1
    if task is None:
        if grading.problem:
            raise InputError(grading.problem)
        print(f"All tasks of {unit.title} are right.")
    elif arguments.hint:
        hints = grading.hints[task][: arguments.hint]
        print(*course_text.hint(task, grading.names[task], hints, style), sep="\n")
    else:
        print(grading.solutions[task])
    return 0


def grade_once(plan: Plan, unit: Unit) -> Grading:
    """Grade a unit to the end, and write down how it went."""
    if not unit.path.exists():
        unit.reset()
    with Grader(plan.folder) as grader:
        grading = grader.grade(unit)
        while not grading.ended:
            grading.wait(1)
    if grading.names and not grading.problem:
        plan.progress.record(unit, grading.right, len(grading.names))
    return grading


def copy(folder: Path) -> int:
    """Copy the lessons, and say what to do then."""
    new, different = copy_lessons(folder)
    print(f"{len(new)} {'file' if len(new) == 1 else 'files'} copied to {folder}.")
    if different:
        print("Left as they are, though this version has others:")
        print(*(f"  {shown(path)}" for path in different), sep="\n")
        print("To get a new one, give the old one another name, and copy again.")
    at_hand = folder.resolve() in (Path.cwd() / "lessons", Path.cwd())
    print("Begin with: " + ("" if at_hand else f"cd {folder} && ") + "minilstm learn")
    return 0


def about_damage(progress: Progress) -> str:
    """About a damaged file of progress."""
    assert progress.set_aside is not None
    return (
        f"{shown(progress.path)} was damaged; it is kept in"
        f" {shown(progress.set_aside)}. Your answers are still there: what is right is"
        " found again as you go through the list."
    )
