"""Confusion matrices and their measures, compared with counts by hand."""

import numpy as np
import pytest

from minilstm.cli.tasks.confusion import MOST_CLASSES, class_table, confusion_matrix, matrix_lines

TRUE, PREDICTED = [0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 0, 0]


def test_rows_are_true_classes_and_columns_predictions():
    matrix = confusion_matrix(np.array(TRUE), np.array(PREDICTED), 3)
    assert matrix.tolist() == [[2, 1, 0], [1, 1, 0], [1, 0, 0]]


def test_precision_recall_and_f1_are_those_by_hand():
    lines = class_table(confusion_matrix(np.array(TRUE), np.array(PREDICTED), 3), ["a", "b", "c"])
    assert lines[1].split() == ["a", "50.0%", "66.7%", "57.1%", "3"]  # 2/4, 2/3, 4/7
    assert lines[2].split() == ["b", "50.0%", "50.0%", "50.0%", "2"]
    assert lines[3].split() == ["c", "-", "0.0%", "-", "1"]  # never predicted
    assert len({len(line) for line in lines}) == 1


@pytest.mark.parametrize("classes", [2, 9, MOST_CLASSES, MOST_CLASSES + 1])
def test_a_matrix_fits_the_terminal(classes):
    rng = np.random.default_rng(0)
    matrix = rng.integers(0, 20_000, (classes, classes))
    names = [f"a class with a long name, number {k}\x1b[31m" for k in range(classes)]
    lines = matrix_lines(matrix, names, 80)
    assert all(len(line) <= 80 and "\x1b" not in line for line in lines)
    if classes <= MOST_CLASSES:
        found = [line[28:].split() if classes > 9 else line[26:].split() for line in lines[1:] if "…" in line]
        assert sum(int(n.replace(",", "")) for row in found for n in row) == matrix.sum()


def test_without_confusions_many_classes_say_so():
    assert matrix_lines(np.eye(50, dtype=int), list("ab" * 25), 80) == ["no confusions"]


@pytest.mark.parametrize("classes, first", [(MOST_CLASSES, "name0"), (MOST_CLASSES + 1, "1")])
def test_classes_are_numbered_in_the_table_if_there_is_no_matrix(classes, first):
    lines = class_table(np.eye(classes, dtype=int), [f"name{k}" for k in range(classes)])
    assert lines[1].split()[0] == first and ("31 name30" in lines[-1]) == (classes > MOST_CLASSES)
