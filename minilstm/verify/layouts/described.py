"""A layout from its name, or from a dictionary that describes it.

    {"like": "cs231n", "gates": "ifgo"}
    {"step": "f(x, h, c, U, W, b) -> h, c, cache", "names": {"Wx": "U", "Wh": "W"}, …}

What is not said is as in the layout of ``like``, or as in ours.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace

from minilstm.errors import InputError
from minilstm.verify.cells import cell_named
from minilstm.verify.layouts.layout import AXES, INPUTS, LOSS, OUTPUTS
from minilstm.verify.layouts.layout import QUANTITIES, SEQUENCE, STEP
from minilstm.verify.layouts.layout import CellLayout, Layout
from minilstm.verify.layouts.presets import LAYOUTS
from minilstm.verify.layouts.signature import Item, flat, parse

KEYS = ("like", *(field.name for field in fields(CellLayout)))
CHOICES = {
    "axes": tuple(AXES),
    "concatenation": ("", "hx", "xh"),
    "reset": ("after", "before"),
    "loss_over": ("tokens", "sequences"),
    "transposed": (False, True),
}
TEXTS = "step", "step_backward", "sequence", "sequence_backward", "loss"


def find_layout(layout, cell: str = "lstm") -> CellLayout:
    """The form of a cell in a layout.

    Parameters
    ----------
    layout : str, Layout, or dict
        A name of ``LAYOUTS``; or a description, see ``minilstm.verify.layouts.layout``.
    cell : str
        "lstm", "gru" or "rnn". A dictionary with a cell of its own has that one.

    Raises
    ------
    InputError
        If there is no such layout, or the dictionary does not describe one.
    """
    cell_named(cell)
    if isinstance(layout, Layout):
        return layout.of(cell)
    if isinstance(layout, Mapping):
        return described(layout, cell)
    if not isinstance(layout, str):
        raise InputError(
            "layout must be a name, a Layout or a dictionary, not"
            f" {type(layout).__name__}"
        )
    if layout not in LAYOUTS:
        raise InputError(_unknown("layout", layout, LAYOUTS))
    return LAYOUTS[layout].of(cell)


def is_ours(layout: CellLayout) -> bool:
    """Whether functions of a layout are as ours are."""
    return layout in LAYOUTS["minilstm"].cells.values()


def can_be_ours(layout: CellLayout) -> bool:
    """Whether a cell of this form is one of ours, in other arrays."""
    two_biases = layout.biases == ("bx", "bh")
    return layout.cell != "gru" or (layout.reset == "after" and two_biases)


def described(description: Mapping, cell: str = "lstm") -> CellLayout:
    """The layout that a dictionary describes; it is checked."""
    for key in description:
        if key not in KEYS:
            raise InputError(_unknown("key of a layout", key, KEYS))
    cell_named(cell := description.get("cell", cell))
    base = find_layout(description.get("like", "minilstm"), cell)
    changes = {key: value for key, value in description.items() if key != "like"}
    for key, value in changes.items():
        _check_value(key, value)
    changes |= {
        key: {**getattr(base, key), **changes[key]}
        for key in ("names", "values")
        if key in changes
    }
    if "concatenation" not in changes and {"Wx", "Wh"} & {*changes.get("names", ())}:
        changes["concatenation"] = ""
    biases = {*description.get("names", ())} & {"b", "bx", "bh"}
    if biases:  # one or two: those of the dictionary, not of the layout it is like
        others = {"b", "bx", "bh"} - biases
        kept = {k: v for k, v in changes["names"].items() if k not in others}
        changes["names"] = kept
    layout = replace(base, **changes)
    _check_gates(layout)
    for key in TEXTS:
        if getattr(layout, key):
            _check_names(layout, key)
    return layout


def _unknown(what: str, word, known: Iterable[str]) -> str:
    """A sentence with the nearest known word, and all of them."""
    known = list(known)
    near = difflib.get_close_matches(str(word), known, 1)
    asked = f'; did you mean "{near[0]}"?' if near else "."
    return f"there is no {what} {word!r}{asked} It may be: {', '.join(known)}."


def _check_value(key: str, value) -> None:
    if key in CHOICES:
        if not any(value == choice for choice in CHOICES[key]):
            choices = ", ".join(map(repr, CHOICES[key]))
            raise InputError(
                f"{key} of a layout must be one of {choices}, not {value!r}"
            )
    elif key in ("names", "values", "extra"):
        texts = isinstance(value, Mapping) and all(
            isinstance(word, str) for pair in value.items() for word in pair
        )
        if not texts:
            raise InputError(f"{key} of a layout must be a dictionary of texts")
        gradients = tuple(f"d{quantity}" for quantity in QUANTITIES)
        for name in value if key == "names" else ():
            if name not in QUANTITIES + gradients:
                raise InputError(_unknown("quantity", name, QUANTITIES))
    elif not isinstance(value, str):
        raise InputError(f"{key} of a layout must be a text, not {value!r}")
    elif key == "gradient" and value.count("{}") != 1:
        raise InputError(
            'gradient of a layout must have {} once, for the name, as in "d{}"'
        )


def _check_gates(layout: CellLayout) -> None:
    ours = "".join(layout.titles)
    if sorted(layout.order) != sorted(ours):
        titles = ", ".join(
            f"{k} ({title})" if title else k for k, title in layout.titles.items()
        )
        raise InputError(
            f"gates of a layout must be the letters {titles} in your order, as in"
            f" {ours!r}, not {layout.gates!r}"
        )
    letters = layout.letters or layout.order
    if len(letters) != len(ours) or len({*letters}) != len(ours):
        raise InputError(
            "letters of a layout must be one for each gate, in the order of gates, not"
            f" {layout.letters!r}"
        )
    each = {name: "{}" in layout.name(name) for name in layout.weight_quantities}
    if len(layout.weights) != sum(len(ours) if apart else 1 for apart in each.values()):
        raise InputError("two arrays of weights have the same name")


def _check_names(layout: CellLayout, key: str) -> None:
    """All names of a signature must be those of something."""
    kind = STEP if key.startswith(STEP) else SEQUENCE
    quantities = INPUTS[kind], OUTPUTS[kind]
    read, given = (list(map(layout.name, q)) for q in quantities)
    if key == "loss":
        sides = (
            list(map(layout.name, LOSS)),
            [layout.name("loss"), layout.name("dlogits")],
        )
    elif key == kind:
        sides = [*read, *layout.weight_names, *layout.extra], given
    else:
        back, arriving = (list(map(layout.gradient_name, q)) for q in quantities)
        of_weights = list(map(layout.gradient_of, layout.weight_names))
        sides = [*arriving, *layout.weight_names], [*back, *of_weights]
    signature = parse(getattr(layout, key))
    for items, known in zip((signature.arguments, signature.results), sides):
        for item in flat(items):
            if not (_is_free(item) or item.name in known):
                raise InputError(
                    f"in {key} of the layout: {_unknown('name', item.name, known)}"
                    ' Give other names in "names", and a ? to results that are not'
                    " read."
                )


def _is_free(item: Item) -> bool:
    return item.is_cache or item.mark != ""
