"""A confusion matrix, how often each class was predicted for each, and its measures.

With C the confusion matrix, C[i, j] examples of class i that were predicted to be j:

    (1)  accuracy = Σ_k C[k, k] / N
    (2)  precision of k = C[k, k] / Σ_i C[i, k]     of those that it predicted, right
    (3)  recall of k = C[k, k] / Σ_j C[k, j]        of those that there are, found
    (4)  F1 of k = 2 · precision · recall / (precision + recall)

Manning, Raghavan and Schütze (2008), Introduction to Information Retrieval, 8.3.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minilstm.cli.terminal import columns, harmless, pad

WIDEST_NAME = 24  # columns of the terminal
MOST_CLASSES = 30  # of a matrix that is printed; more are listed by their confusions
MOST_CONFUSIONS = 15


def confusion_matrix(
    true: np.ndarray, predicted: np.ndarray, classes: int
) -> np.ndarray:
    """Counts (K, K) of true classes (rows) and predicted classes (columns)."""
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (true, predicted), 1)
    return matrix


def class_table(matrix: np.ndarray, names: Sequence[str]) -> list[str]:
    """Lines: precision, recall and F1 of each class, and how often it occurs."""
    right = np.diag(matrix)
    shown = _short(names)
    width = max(map(columns, ["class", *shown]))
    lines = [f"{pad('class', width)}  precision    recall        F1     count"]
    for k, name in enumerate(shown):
        predicted, actual = int(matrix[:, k].sum()), int(matrix[k].sum())
        precision = right[k] / predicted if predicted else None
        recall = right[k] / actual if actual else None
        total = (precision or 0.0) + (recall or 0.0)
        both = None if precision is None or recall is None else (
            2 * precision * recall / total if total else 0.0
        )  # fmt: skip
        cells = "".join(
            f"{'-' if value is None else f'{value:.1%}':>10}"
            for value in (precision, recall, both)
        )
        lines.append(f"{pad(name, width)} {cells}{actual:>10,}")
    return lines


def matrix_lines(matrix: np.ndarray, names: Sequence[str], width: int) -> list[str]:
    """The confusion matrix as text of at most ``width`` columns.

    Columns are numbered as rows are. If there is no room for all, they follow below. Of
    more than ``MOST_CLASSES`` classes, only the most frequent confusions are listed.
    """
    shown = _short(names)
    if len(names) > MOST_CLASSES:
        return _confusions(matrix, shown)
    cell = max(len(f"{matrix.max():,}"), len(str(len(names)))) + 2
    number = len(str(len(names)))
    label = number + 1 + max(map(columns, shown))
    abreast = max(1, (width - label) // cell)
    lines = [
        "confusion matrix: a row for each true class, a column for each prediction"
    ]
    for first in range(0, len(names), abreast):
        band = range(first, min(first + abreast, len(names)))
        lines.append(" " * label + "".join(f"{k + 1:>{cell}}" for k in band))
        for i, name in enumerate(shown):
            counts = "".join(f"{matrix[i, j]:>{cell},}" for j in band)
            lines.append(pad(f"{i + 1:>{number}} {name}", label) + counts)
    return lines


def _confusions(matrix: np.ndarray, names: Sequence[str]) -> list[str]:
    wrong = matrix - np.diag(np.diag(matrix))
    order = np.argsort(-wrong, axis=None, kind="stable")[:MOST_CONFUSIONS]
    lines = ["most frequent confusions: count, true class, predicted class"]
    for i, j in zip(*np.unravel_index(order, wrong.shape)):
        if wrong[i, j]:
            lines.append(f"{wrong[i, j]:>8,}  {pad(names[i], WIDEST_NAME)}  {names[j]}")
    return lines if len(lines) > 1 else ["no confusions"]


def _short(names: Sequence[str]) -> list[str]:
    """Names that are safe for a terminal and not too wide.

    If there is no room for a matrix, which numbers its rows, the names are numbered.
    """
    short = []
    if len(names) > MOST_CLASSES:
        names = [f"{k} {name}" for k, name in enumerate(names, 1)]
    for name in names:
        name = harmless(name).replace("\n", " ").replace("\t", " ")
        while columns(name) > WIDEST_NAME:
            name = name.removesuffix("…")[:-1] + "…"
        short.append(name)
    return short
