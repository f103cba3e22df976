"""What is done, in ``progress.json`` beside the learner's files.

    {
      "3": {"right": 3, "of": 3, "done": "2026-11-30", "code": "f5a1…"},
      "5": {"right": 1, "of": 3}
    }

``code`` is a hash of the file when it was right, without comments. So what is done need
not be graded again, and a later change of the file can be noticed.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minilstm.course.copies import keep
from minilstm.course.pictures import code_hash
from minilstm.course.units import Unit
from minilstm.files import replacing

NAME = "progress.json"


@dataclass(frozen=True)
class State:
    """How far a unit is.

    Parameters
    ----------
    right, of : tasks that were right when it was last graded; 0 of 0: never graded.
    done : whether all were right once.
    edited : whether the file was changed after that.
    begun : whether there is a file.
    """

    right: int = 0
    of: int = 0
    done: bool = False
    edited: bool = False
    begun: bool = False

    def __str__(self) -> str:
        if self.done:
            return "done, edited since" if self.edited else "done"
        if self.right:
            return f"{self.right} of {self.of}"
        return "begun" if self.begun else ""


class Progress:
    """Reads and writes the file of progress.

    Parameters
    ----------
    folder : the folder of the learner's files.

    Attributes
    ----------
    set_aside : where a damaged file is kept; None if it was not damaged.
    """

    def __init__(self, folder: Path):
        self.path = folder / NAME
        self.set_aside: Path | None = None
        self._known = self._read()

    def is_done(self, unit: Unit) -> bool:
        """Whether a unit was all right once; its file is not looked at."""
        return "done" in self._known.get(unit.name, {})

    def state(self, unit: Unit) -> State:
        """How far a unit is; nothing is graded."""
        begun = unit.path.is_file()
        entry = self._known.get(unit.name)
        if entry is None:
            return State(begun=begun)
        done = self.is_done(unit)
        return State(
            entry["right"],
            entry["of"],
            done,
            done and begun and fingerprint(unit.path) != entry.get("code"),
            begun,
        )

    def record(self, unit: Unit, right: int, of: int) -> None:
        """Write the result of a grading. What was done once stays done.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        self._known = self._read()  # another window may have written
        entry: dict[str, Any] = {"right": right, "of": of}
        if right == of:
            today = datetime.date.today().isoformat()
            entry |= {"done": today, "code": fingerprint(unit.path)}
        elif self.is_done(unit):
            return
        if self._known.get(unit.name) == entry:
            return
        self._known[unit.name] = entry
        lines = [f"  {json.dumps(n)}: {json.dumps(e)}" for n, e in self._known.items()]
        self.path.parent.mkdir(exist_ok=True)
        with replacing(self.path) as file:
            file.write("\n".join(["{", ",\n".join(lines), "}", ""]).encode())

    def _read(self) -> dict[str, dict[str, Any]]:
        """What the file says. A damaged one is kept under another name."""
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return {}
        try:
            known = json.loads(text.decode())
            sound = isinstance(known, dict) and all(map(_sound, known.values()))
        except ValueError:
            sound = False
        if sound:
            return known
        self.set_aside = keep(self.path)
        self.path.unlink()
        return {}


def fingerprint(path: Path) -> str:
    """A hash of a Python file's code, without its comments."""
    content = path.read_bytes()
    try:
        return code_hash(content.decode("utf-8-sig").replace("\r\n", "\n"))
    except Exception:  # what tokenize raises differs from version to version
        return hashlib.sha256(content).hexdigest()


def _sound(entry: object) -> bool:
    return isinstance(entry, dict) and all(
        type(entry.get(key)) is int for key in ("right", "of")
    )
