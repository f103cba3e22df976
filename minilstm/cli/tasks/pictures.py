"""Pictures of an evaluation, drawn with matplotlib (extra ``lessons``)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from minilstm.errors import InputError, to_install
from minilstm.files import replacing
from minilstm.training.plots import load_matplotlib

NAMED = 40  # classes whose names have room on an axis
MOST_FREQUENT = 20  # classes that are drawn if there are more
LABELLED = 60  # tokens whose names have room on an axis


def confusion_picture(
    matrix: np.ndarray, names: Sequence[str], path: str | Path
) -> str:
    """Draw a confusion matrix, each row as shares of its true class.

    Parameters
    ----------
    matrix : (K, K) counts; rows are true classes, columns predictions.
    names : K classes.
    path : PNG file.

    Returns
    -------
    What was drawn, for a message. Of more than ``NAMED`` classes, only the
    ``MOST_FREQUENT`` most frequent ones are drawn.
    """
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    chosen = most_frequent(matrix)
    matrix, shares = (some[np.ix_(chosen, chosen)] for some in (matrix, shares))
    named = [f"{k + 1} {names[k]}" for k in chosen.tolist()]
    figure, axes = _new_figure(path, 1.6 + 0.5 * len(named))
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(named)), named, rotation=90)
    axes.set_yticks(range(len(named)), named)
    if len(named) <= 12:
        for (i, j), share in np.ndenumerate(shares):
            colour = "white" if share > 0.5 else "black"
            axes.text(j, i, f"{matrix[i, j]:,}", ha="center", va="center", color=colour)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    figure.colorbar(image, ax=axes, label="share of the true class")
    _save(figure, path)
    of = f" of the {len(named)} most frequent of {len(names):,}"
    return "the confusion matrix" + of * (len(named) < len(names))


def most_frequent(matrix: np.ndarray) -> np.ndarray:
    """The classes to draw, in their order; ties go to the first."""
    if len(matrix) <= NAMED:
        return np.arange(len(matrix))
    order = np.argsort(-matrix.sum(axis=1), kind="stable")
    return np.sort(order[:MOST_FREQUENT])


def labelled(count: int) -> range:
    """The tokens of an axis that have a label: all, or evenly spaced ones."""
    return range(0, count, -(-count // LABELLED) if count else 1)


def attention_picture(
    weights: np.ndarray,
    source: Sequence[str],
    target: Sequence[str],
    path: str | Path,
) -> None:
    """Draw where attention looked while a target was written.

    Parameters
    ----------
    weights : (T, S), one row for each target token; each sums to 1.
    source, target : S and T tokens, as they are shown.
    path : PNG file.
    """
    figure, axes = _new_figure(path, 1.6 + 0.25 * min(max(weights.shape), 60))
    image = axes.imshow(weights, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    some, others = labelled(len(source)), labelled(len(target))
    axes.set_xticks(some, [source[k] for k in some], rotation=90)
    axes.set_yticks(others, [target[k] for k in others])
    axes.set_xlabel("source")
    axes.set_ylabel("target")
    figure.colorbar(image, ax=axes, label="attention weight")
    _save(figure, path)


def _new_figure(path: str | Path, size: float):
    try:
        load_matplotlib()
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise InputError(
            f"no {path}, because matplotlib is missing: {to_install('lessons')}"
        ) from error
    figure = Figure(
        figsize=(max(5, size + 1), max(4, size)), dpi=110, layout="constrained"
    )
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def _save(figure, path: str | Path) -> None:
    with replacing(path) as file:
        figure.savefig(file, format="png")
