"""A worksheet as text of 80 columns, as Markdown, and as CSV.

A blank one has the formulas, and room for the numbers that are computed.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Callable, Iterator

from minilstm.verify.worksheet.sheet import NAME, Line, Worksheet

WIDTH = 80
HEAD = """\
{title}
{owner}H = {hidden} unit{h_s}, D = {input} input{d_s}, T = {steps} step{t_s}, 2 classes; seed {seed}.
{numbers} numbers, {computed} of them to compute{length}.

f2[1] is unit 2 of the forget gate at step 1, Wx[1,f2] the weight of input 1 on
it, dX is dLoss/dX, X' is X after one weight was changed. Each line has the
equation that it computes; in the backward pass, the equation that it
differentiates:

(1) f = sigmoid(x Wx_f + h_prev Wh_f + b_f)      (6)  h = o * tanh(c)
(2) i = sigmoid(x Wx_i + h_prev Wh_i + b_i)      (7)  a = h Wy + by
(3) g = tanh(x Wx_g + h_prev Wh_g + b_g)         (8)  p = exp(a) / s
(4) c = f * c_prev + i * g                            s = sum(exp(a))
(5) o = sigmoid(x Wx_o + h_prev Wh_o + b_o)      (9)  loss[t] = -sum(y * ln(p))
(1-3,5): three gates and a candidate together.   (10) loss = mean of loss[t]
                                                 (11) w' = w - rate * dw

Wx_f are the columns f of Wx. (8) to (10) together differentiate to (p - y) / T.
h[1] is used twice, as an output and by step 2: the two gradients add up.
dhprev1[2] is the gradient that step 2 passes back to unit 1 of h[1], dcprev1[2]
the same for c[1].

All digits are computed and five decimals shown. If you type the numbers shown
into a calculator, its last digit may differ.
"""
PERTURBATION = 0.0001
PAGE = 60  # lines of a printed page
BLANK = "_" * 12


def as_text(sheet: Worksheet, blank: bool = False) -> str:
    """Three rows for each number: the formula, with the numbers put in, the result."""
    blocks = []
    for section, lines in _sections(sheet):
        blocks.append(f"{section}\n{'-' * len(section)}")
        given = [f"{line.name} = {number(line):>5}" for line in lines if line.given]
        if given:
            blocks.append(_in_columns(given) + "\n")
        blocks += [_three_rows(sheet, line, blank) for line in lines if not line.given]
    if not blank:
        blocks += ["Is it right?\n------------", _proof(sheet)]
    body, title = "\n".join(blocks), "An LSTM by hand"
    head = _head(sheet, title, "; 9 lines, 9 pages")
    many = "{} lines, {} pages".format(*length(f"{head}\n{body}"))
    return f"{_head(sheet, title, f'; {many}')}\n{body}"


def length(text: str) -> tuple[int, int]:
    """The number of lines, and of printed pages."""
    lines = len(text.splitlines())
    return lines, -(-lines // PAGE)


def _proof(sheet: Worksheet) -> str:
    """One weight perturbed up and down: the numerical derivative is the gradient."""
    line = next(line for line in sheet.lines if line.name.startswith("Wx"))
    up, down = (
        sheet.perturbed_loss(line.name, by) for by in (PERTURBATION, -PERTURBATION)
    )
    return (
        f"With {line.name} = {line.value + PERTURBATION:.4f} the loss is {up:.10f},\n"
        f"with {line.name} = {line.value - PERTURBATION:.4f} it is       "
        f" {down:.10f}.\n"
        f"The numerical derivative, their difference / {2 * PERTURBATION:.4f}, is"
        f" {(up - down) / (2 * PERTURBATION):.5f};\n"
        f"the gradient d{line.name} above is {sheet.values['d' + line.name]:.5f}.\n"
    )


def _in_columns(cells: list[str]) -> str:
    width = max(map(len, cells)) + 3
    count = WIDTH // width // 2 * 2 or 1  # even, since units mostly come in pairs
    rows = (cells[first : first + count] for first in range(0, len(cells), count))
    return "\n".join(
        "".join(cell.ljust(width) for cell in row).rstrip() for row in rows
    )


def _three_rows(sheet: Worksheet, line: Line, blank: bool) -> str:
    start = f"{line.equation:<8}{line.name} "
    results = [formula_of(line), "", BLANK]
    if not blank:
        results = [formula_of(line), numbers(sheet, line), number(line)]
    rows = [
        f"{start if k == 0 else ' ' * len(start)}= {result}"
        for k, result in enumerate(dict.fromkeys(results))  # a copy has its number once
    ]
    folded = [part for row in rows for part in _fold(row, len(start) + 2)]
    return "\n".join(part.rstrip() for part in folded) + "\n"


def _fold(row: str, indent: int) -> Iterator[str]:
    """Break a row before a plus or minus between terms, so that it fits."""
    line = ""
    for term in re.split(r"(?<=[^ ]) (?=[+-] )", row):
        if line and len(line) + 1 + len(term) > WIDTH:
            yield line
            line = " " * indent + term
        else:
            line = f"{line} {term}" if line else term
    yield line


def as_markdown(sheet: Worksheet, blank: bool = False) -> str:
    """A table for each section."""
    head, *rest = _head(sheet, "# An LSTM by hand").splitlines()
    blocks = [head + "\n\n```\n" + "\n".join(rest) + "\n```\n"]
    for section, lines in _sections(sheet):
        rows = [
            f"## {section}\n",
            "| equation | name | formula | with numbers | result |",
            "|---|---|---|---|---:|",
        ]
        for line in lines:
            formula, put_in, result = "given", "", number(line)
            if not line.given:
                formula, put_in = f"`{formula_of(line)}`", f"`{numbers(sheet, line)}`"
                put_in, result = ("", "") if blank else (put_in, result)
            rows.append(
                f"| {line.equation} | `{line.name}` | {formula} | {put_in} | {result} |"
            )
        blocks.append("\n".join(rows) + "\n")
    if not blank:
        blocks += ["## Is it right?\n", _proof(sheet)]
    return "\n".join(blocks)


def as_csv(sheet: Worksheet, blank: bool = False) -> str:
    """A row for each number, with all its digits."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(
        ["section", "equation", "name", "formula", "with numbers", "result"]
    )
    for line in sheet.lines:
        row = [line.section, line.equation, line.name, formula_of(line)]
        answer = [numbers(sheet, line), repr(line.value)]
        writer.writerow(row + (["", ""] if blank and not line.given else answer))
    return file.getvalue()


FORMATS: dict[str, Callable[[Worksheet, bool], str]] = {
    "text": as_text,
    "markdown": as_markdown,
    "csv": as_csv,
}


def formula_of(line: Line) -> str:
    """The formula with the names; empty for what is given."""
    return NAME.sub(r"\1", line.formula)


def numbers(sheet: Worksheet, line: Line) -> str:
    """The formula with the numbers put in, negative ones in parentheses."""

    def put_in(match: re.Match) -> str:
        text = number(sheet.by_name[match[1]])
        function = line.formula[: match.start()].endswith(
            ("sigmoid(", "tanh(", "exp(", "ln(")
        )
        if text.startswith("-") and not function and match[0] != line.formula:
            return f"({text})"
        return text

    return NAME.sub(put_in, line.formula)


def number(line: Line) -> str:
    """Two decimals for what is given, five for what is computed."""
    if line.given:
        return f"{line.value:.0f}" if line.name.startswith("y") else f"{line.value:.2f}"
    return f"{line.value:.5f}"


def _sections(sheet: Worksheet) -> Iterator[tuple[str, list[Line]]]:
    for section, lines in itertools.groupby(sheet.lines, key=lambda line: line.section):
        yield section, list(lines)


def _head(sheet: Worksheet, title: str, length: str = "") -> str:
    """What stands above the numbers."""
    sizes = {
        f"{letter}_s": "" if size == 1 else "s"
        for letter, size in zip("hdt", (sheet.hidden, sheet.input, sheet.steps))
    }
    return HEAD.format(
        title=title,
        owner=f"{sheet.owner}\n" if sheet.owner else "",
        hidden=sheet.hidden,
        input=sheet.input,
        steps=sheet.steps,
        seed=sheet.seed,
        numbers=len(sheet.lines),
        computed=sum(not line.given for line in sheet.lines),
        length=length,
        **sizes,
    )
