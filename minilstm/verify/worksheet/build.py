"""Every number of a small model's forward and backward pass, in the order of computing.

Each line has an equation, a name, a formula in the names before it, and its value.
Forward, for every step t:

    (1) to (6)  the LSTM step of ``minilstm.reference.lstm``
    (7)         a = h Wy + by                   logits: ``minilstm.layers.dense``
    (8)         p = exp(a) / sum(exp(a))        probabilities
    (9)         loss[t] = -sum(y * ln(p))       cross-entropy; y is 1 at the target
    (10)        loss = mean of loss[t]

Each line of the backward pass has the equation that it differentiates. In the last
block, ``change.py``, one weight learns. There are two classes. Given numbers have two
decimals, so that they are easily typed into a calculator.
"""

from __future__ import annotations

import numpy as np

from minilstm.checks import check_seed, check_size
from minilstm.errors import InputError
from minilstm.verify.worksheet.change import change_one_weight
from minilstm.verify.worksheet.sheet import Worksheet

LARGEST = 4  # sizes; 4, 4, 4 make some 900 lines
CLASSES = (1, 2)
GATE_EQUATION = {"f": "(1)", "i": "(2)", "g": "(3)", "o": "(5)"}


def make_worksheet(
    hidden: int = 2,
    input: int = 2,
    steps: int = 2,
    seed: int = 0,
    *,
    weight: str | None = None,
    owner: str = "",
) -> Worksheet:
    """Draw the given numbers, with two decimals, and compute all others from them.

    Parameters
    ----------
    hidden, input, steps : int
        H, D and T, at most 4 each.
    seed : int
        Of the given numbers.
    weight : str, optional
        The weight that learns in the last block, such as ``"Wx[1,f2]"``. Default: one
        of the output layer.
    owner : str
        The name of the student whose sheet it is. Default: none.

    Returns
    -------
    Worksheet
        All lines, in the order of computing.

    Raises
    ------
    InputError
        If a size is above 4, or if there is no such weight.
    """
    for name, size in (("hidden", hidden), ("input", input), ("steps", steps)):
        if check_size(name, size) > LARGEST:
            raise InputError(
                f"{name} can be at most {LARGEST} on a worksheet, not {size};"
                " `minilstm check` takes any size"
            )
    sheet = Worksheet(hidden, input, steps, check_seed("seed", seed), owner=owner)
    _give_all(sheet, np.random.default_rng(seed))
    for t in range(1, steps + 1):
        _step_forward(sheet, t)
        _loss_forward(sheet, t)
    total = " + ".join(f"{{loss[{t}]}}" for t in range(1, steps + 1))
    sheet.compute(
        "The loss", "(10)", "loss", f"({total}) / {steps}" if steps > 1 else total
    )
    for t in range(steps, 0, -1):
        _loss_backward(sheet, t)
        _step_backward(sheet, t)
    _gradients(sheet)
    change_one_weight(sheet, weight)
    return sheet


def _units(sheet: Worksheet) -> range:
    return range(1, sheet.hidden + 1)


def _inputs(sheet: Worksheet) -> range:
    return range(1, sheet.input + 1)


def _columns(sheet: Worksheet) -> list[str]:
    """Of Wx, Wh and b: i1, i2, f1, f2, g1, g2, o1, o2."""
    return [f"{gate}{k}" for gate in "ifgo" for k in _units(sheet)]


def _give_all(sheet: Worksheet, rng: np.random.Generator) -> None:
    def give(section: str, *names: str) -> None:
        for name in names:
            sheet.give(
                section, name, float(rng.integers(1, 100) * rng.choice((-1, 1))) / 100
            )

    steps, units, inputs = range(1, sheet.steps + 1), _units(sheet), _inputs(sheet)
    give("Inputs x[t]", *(f"x{d}[{t}]" for t in steps for d in inputs))
    give("Initial state h[0], c[0]", *(f"{part}{k}[0]" for part in "hc" for k in units))
    give(
        "Input weights Wx",
        *(f"Wx[{d},{column}]" for d in inputs for column in _columns(sheet)),
    )
    give(
        "Recurrent weights Wh",
        *(f"Wh[{j},{column}]" for j in units for column in _columns(sheet)),
    )
    give("Biases b", *(f"b[{column}]" for column in _columns(sheet)))
    give(
        "Output layer Wy, by",
        *(f"Wy[{k},{v}]" for k in units for v in CLASSES),
        *(f"by[{v}]" for v in CLASSES),
    )
    for t in steps:
        target = int(rng.integers(1, 3))
        for v in CLASSES:
            sheet.give("Targets y[t]", f"y{v}[{t}]", float(v == target))


def _step_forward(sheet: Worksheet, t: int) -> None:
    section = f"Step {t}, forward"

    def gate(letter: str, activation: str) -> None:
        for k in _units(sheet):
            column = f"{letter}{k}"
            products = [f"{{x{d}[{t}]}} * {{Wx[{d},{column}]}}" for d in _inputs(sheet)]
            products += [
                f"{{h{j}[{t - 1}]}} * {{Wh[{j},{column}]}}" for j in _units(sheet)
            ]
            sheet.compute(
                section,
                GATE_EQUATION[letter],
                f"z{column}[{t}]",
                " + ".join([*products, f"{{b[{column}]}}"]),
            )
        for k in _units(sheet):
            sheet.compute(
                section,
                GATE_EQUATION[letter],
                f"{letter}{k}[{t}]",
                f"{activation}({{z{letter}{k}[{t}]}})",
            )

    gate("f", "sigmoid")
    gate("i", "sigmoid")
    gate("g", "tanh")
    for k in _units(sheet):
        formula = f"{{f{k}[{t}]}} * {{c{k}[{t - 1}]}} + {{i{k}[{t}]}} * {{g{k}[{t}]}}"
        sheet.compute(section, "(4)", f"c{k}[{t}]", formula)
    gate("o", "sigmoid")
    for k in _units(sheet):
        sheet.compute(section, "(6)", f"tanhc{k}[{t}]", f"tanh({{c{k}[{t}]}})")
    for k in _units(sheet):
        sheet.compute(
            section, "(6)", f"h{k}[{t}]", f"{{o{k}[{t}]}} * {{tanhc{k}[{t}]}}"
        )


def _loss_forward(sheet: Worksheet, t: int) -> None:
    section = f"Step {t}, output and loss"
    for v in CLASSES:
        products = " + ".join(f"{{h{k}[{t}]}} * {{Wy[{k},{v}]}}" for k in _units(sheet))
        sheet.compute(section, "(7)", f"a{v}[{t}]", f"{products} + {{by[{v}]}}")
    sheet.compute(
        section, "(8)", f"s[{t}]", " + ".join(f"exp({{a{v}[{t}]}})" for v in CLASSES)
    )
    for v in CLASSES:
        sheet.compute(section, "(8)", f"p{v}[{t}]", f"exp({{a{v}[{t}]}}) / {{s[{t}]}}")
    terms = " - ".join(f"{{y{v}[{t}]}} * ln({{p{v}[{t}]}})" for v in CLASSES)
    sheet.compute(section, "(9)", f"loss[{t}]", f"-{terms}")


def _loss_backward(sheet: Worksheet, t: int) -> None:
    section = f"Step {t}, output and loss backward"
    for v in CLASSES:
        sheet.compute(
            section,
            "(8-10)",
            f"da{v}[{t}]",
            f"({{p{v}[{t}]}} - {{y{v}[{t}]}}) / {sheet.steps}",
        )
    for k in _units(sheet):
        terms = [f"{{da{v}[{t}]}} * {{Wy[{k},{v}]}}" for v in CLASSES]
        terms += [f"{{dhprev{k}[{t + 1}]}}"] if t < sheet.steps else []
        sheet.compute(section, "(7)", f"dh{k}[{t}]", " + ".join(terms))


def _step_backward(sheet: Worksheet, t: int) -> None:
    section, units, columns = f"Step {t}, backward", _units(sheet), _columns(sheet)

    def each(equation: str, name: str, formula: str) -> None:
        """One line for each unit; # is its number."""
        for k in units:
            sheet.compute(
                section, equation, f"{name}{k}[{t}]", formula.replace("#", str(k))
            )

    through_h = f"{{dh#[{t}]}} * {{o#[{t}]}} * (1 - {{tanhc#[{t}]}}^2)"
    each("(6)", "do", f"{{dh#[{t}]}} * {{tanhc#[{t}]}}")
    each(
        "(6)",
        "dc",
        f"{{dcprev#[{t + 1}]}} + {through_h}" if t < sheet.steps else through_h,
    )
    each("(4)", "df", f"{{dc#[{t}]}} * {{c#[{t - 1}]}}")
    each("(4)", "di", f"{{dc#[{t}]}} * {{g#[{t}]}}")
    each("(4)", "dg", f"{{dc#[{t}]}} * {{i#[{t}]}}")
    each("(4)", "dcprev", f"{{dc#[{t}]}} * {{f#[{t}]}}")
    each("(2)", "dzi", f"{{di#[{t}]}} * {{i#[{t}]}} * (1 - {{i#[{t}]}})")
    each("(1)", "dzf", f"{{df#[{t}]}} * {{f#[{t}]}} * (1 - {{f#[{t}]}})")
    each("(3)", "dzg", f"{{dg#[{t}]}} * (1 - {{g#[{t}]}}^2)")
    each("(5)", "dzo", f"{{do#[{t}]}} * {{o#[{t}]}} * (1 - {{o#[{t}]}})")
    for d in _inputs(sheet):
        products = " + ".join(
            f"{{dz{column}[{t}]}} * {{Wx[{d},{column}]}}" for column in columns
        )
        sheet.compute(section, "(1-3,5)", f"dx{d}[{t}]", products)
    for j in units:
        products = " + ".join(
            f"{{dz{column}[{t}]}} * {{Wh[{j},{column}]}}" for column in columns
        )
        sheet.compute(section, "(1-3,5)", f"dhprev{j}[{t}]", products)


def _gradients(sheet: Worksheet) -> None:
    """The gradients of the weights, which all steps share: sums over time."""

    def over_time(section: str, equation: str, name: str, term: str) -> None:
        """The sum of a term over the steps; # is the step, @ the step before."""
        terms = (
            term.replace("#", str(t)).replace("@", str(t - 1))
            for t in range(1, sheet.steps + 1)
        )
        sheet.compute(section, equation, name, " + ".join(terms))

    for j in _units(sheet):
        sheet.compute(
            "Gradients of the initial state",
            "(1-3,5)",
            f"dh{j}[0]",
            f"{{dhprev{j}[1]}}",
        )
    for j in _units(sheet):
        sheet.compute(
            "Gradients of the initial state", "(4)", f"dc{j}[0]", f"{{dcprev{j}[1]}}"
        )
    for d in _inputs(sheet):
        for column in _columns(sheet):
            name, equation = f"dWx[{d},{column}]", GATE_EQUATION[column[0]]
            over_time(
                "Gradients of Wx", equation, name, f"{{x{d}[#]}} * {{dz{column}[#]}}"
            )
    for j in _units(sheet):
        for column in _columns(sheet):
            name, equation = f"dWh[{j},{column}]", GATE_EQUATION[column[0]]
            over_time(
                "Gradients of Wh", equation, name, f"{{h{j}[@]}} * {{dz{column}[#]}}"
            )
    for column in _columns(sheet):
        over_time(
            "Gradients of b",
            GATE_EQUATION[column[0]],
            f"db[{column}]",
            f"{{dz{column}[#]}}",
        )
    for k in _units(sheet):
        for v in CLASSES:
            over_time(
                "Gradients of Wy and by",
                "(7)",
                f"dWy[{k},{v}]",
                f"{{h{k}[#]}} * {{da{v}[#]}}",
            )
    for v in CLASSES:
        over_time("Gradients of Wy and by", "(7)", f"dby[{v}]", f"{{da{v}[#]}}")
