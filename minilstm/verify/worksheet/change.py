"""The last block of a worksheet: one weight learns, and the loss is computed again.

    (11)  w' = w - rate dw          one step of gradient descent, for one weight only

Only what depends on that weight changes; it is computed again from the same equations.
To first order the loss changes by -rate dw².
"""

from __future__ import annotations

from minilstm.errors import InputError
from minilstm.verify.worksheet.sheet import CHANGE, NAME, Worksheet

RATE = 0.5  # the learning rate: large, so that the change shows in five decimals


def change_one_weight(sheet: Worksheet, weight: str | None = None) -> None:
    """Append the block to a worksheet that has all its gradients.

    Parameters
    ----------
    sheet : the worksheet.
    weight : the name of a weight or bias. Default: the weight of the output layer with
        the largest gradient, because only the loss follows from it, and no state.

    Raises
    ------
    InputError
        If there is no such weight.
    """
    weights = [line.name for line in sheet.lines if line.given and is_weight(line.name)]
    if weight is None:
        weight = max(
            (name for name in weights if name.startswith("Wy")),
            key=lambda name: round(abs(sheet.values[f"d{name}"]), 9),  # two are equal
        )
    if weight not in weights:
        raise InputError(
            f"there is no weight {weight}; there are {weights[0]}, {weights[1]} and"
            f" so on, to {weights[-1]}"
        )
    gradient = f"d{weight}"
    sheet.give(CHANGE, "rate", RATE)
    sheet.compute(
        CHANGE, "(11)", f"{weight}'", f"{{{weight}}} - {{rate}} * {{{gradient}}}"
    )
    changed = {weight}
    for line in [line for line in sheet.lines if line.forward]:
        if changed & set(NAME.findall(line.formula)):
            formula = NAME.sub(
                lambda name: f"{{{name[1]}'}}" if name[1] in changed else name[0],
                line.formula,
            )
            changed.add(line.name)
            sheet.compute(CHANGE, line.equation, f"{line.name}'", formula)
    sheet.compute(CHANGE, "", "change", "{loss'} - {loss}")
    sheet.compute(CHANGE, "", "expected", f"-{{rate}} * {{{gradient}}}^2")


def is_weight(name: str) -> bool:
    """Whether a given number is a weight or a bias.

    >>> [name for name in ("Wx[1,f2]", "b[f1]", "by[1]", "x1[1]") if is_weight(name)]
    ['Wx[1,f2]', 'b[f1]', 'by[1]']
    """
    return name.startswith(("W", "b"))
