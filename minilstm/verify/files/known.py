"""The functions that a learner's file may have: names and arguments, by layout.

They are those of ``layouts/``. Arguments tell one layout from another: ``lstm_forward``
of CS231n takes (x, h0, Wx, Wh, b), that of deeplearning.ai (x, a0, parameters).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from minilstm.verify.layouts.described import find_layout
from minilstm.verify.layouts.layout import SEQUENCE, STEP, Layout
from minilstm.verify.layouts.presets import LAYOUTS

LOSS, WHOLE = "loss", "whole"
FUNCTIONS = {  # of each kind: forward and backward, as fields of a CellLayout
    STEP: ("step", "step_backward"),
    SEQUENCE: ("sequence", "sequence_backward"),
    LOSS: ("loss",),
    WHOLE: ("whole",),  # loss and gradients at once
}


@dataclass(frozen=True)
class Known:
    """A function, or a forward and its backward, of one layout and one cell."""

    layout: Layout
    cell: str
    kind: str  # STEP, SEQUENCE, LOSS or WHOLE
    signatures: tuple[tuple[str, tuple[str, ...]], ...]  # names and arguments

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the functions, forward first."""
        return tuple(name for name, _ in self.signatures)


def known_in(layouts: Iterable[Layout]) -> list[Known]:
    """All functions of some layouts. A loss belongs to the first cell that has it."""
    found: dict[tuple[str, tuple[str, ...]], Known] = {}
    for layout in layouts:
        for cell, of_cell in layout.cells.items():
            for kind, functions in FUNCTIONS.items():
                if not getattr(of_cell, functions[0]):
                    continue
                read = [of_cell.signature(function) for function in functions]
                signatures = tuple((s.function, tuple(s.argument_names)) for s in read)
                known = Known(layout, cell, kind, signatures)
                found.setdefault((layout.name, known.names), known)
    return list(found.values())


def layout_of(layout: Any, cell: str | None = None) -> Layout:
    """The layout of a name, or the one that a dictionary describes.

    Raises InputError if there is none, or if it does not have the cell.
    """
    if isinstance(layout, Mapping):
        form = find_layout(layout, cell or "lstm")
        return Layout("yours", "your layout", {form.cell: form})
    if cell is None and isinstance(layout, str) and layout in LAYOUTS:
        return LAYOUTS[layout]  # which need not have an LSTM
    find_layout(layout, cell or "lstm")
    return layout if isinstance(layout, Layout) else LAYOUTS[layout]


def described() -> str:
    """All functions of all layouts with their arguments, for a terminal."""
    lines: list[str] = []
    for known in known_in(LAYOUTS.values()):
        title = f"{known.layout.name}:"
        lines += [title] * (title not in lines)
        lines += [f"  {name}({', '.join(args)})" for name, args in known.signatures]
    return "\n".join(lines)
