"""The units of a folder in order, what of them is done, and which comes next."""

from __future__ import annotations

from pathlib import Path

from minilstm.course.progress import Progress, State
from minilstm.course.units import Unit, units


class Plan:
    """All units of the lessons in a folder, with the learner's progress.

    Parameters
    ----------
    lessons : the folder.
    """

    def __init__(self, lessons: Path):
        self.folder = lessons
        self.units = units(lessons)
        self.progress = Progress(lessons / "my")

    def state(self, unit: Unit) -> State:
        """How far a unit is."""
        return self.progress.state(unit)

    def is_done(self, unit: Unit) -> bool:
        """Whether a unit was all right once."""
        return self.progress.is_done(unit)

    def reachable(self, unit: Unit) -> bool:
        """Whether all is done that a unit needs."""
        needed = [other for other in self.units if other.name in unit.needs]
        return all(map(self.is_done, needed))

    def following(self, after: Unit | None = None) -> Unit | None:
        """The first unit that can be begun and is not done.

        Parameters
        ----------
        after : look behind this unit first, then from the beginning; not at it itself.
        """
        place = 0 if after is None else self.units.index(after) + 1
        for unit in self.units[place:] + self.units[:place]:
            if unit != after and not self.is_done(unit) and self.reachable(unit):
                return unit
        return None

    def __str__(self) -> str:
        done = sum(map(self.is_done, self.units))
        return f"{done} of {len(self.units)} done"
