"""7. One-hot and embedding: grading."""

import ast

import numpy as np

from minilstm.course import Task
from minilstm.course.checks import without

V, E = 7, 3


def words(rng):
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1.2]])  # any two are more than 90 degrees apart
    for W, n, k in ((rng.normal(size=(12, E)), 3, 4), (rng.normal(size=(12, E)), 5, 2), (corners, 2, 3)):
        lengths = rng.uniform(0.2, 5, (len(W), 1))
        yield rng.permutation(len(W))[:n], lengths * (W + rng.normal(0, 0.05, W.shape)), k


OWN = "alike[np.arange(len(ids)), ids] = "
BLANKS = 5  # in the exercise before it is filled in
TASKS = [
    Task(
        "embed",
        hints=(
            "A product with one-hot vectors only selects rows.",
            "NumPy takes an array of integers of any shape as an index, and replaces each integer by a row.",
        ),
        cases=lambda rng: [(rng.integers(0, V, shape), rng.normal(size=(V, E))) for shape in (5, (4, 2))],
        returns="the answer",
        mistakes={
            "return np.eye(len(W))[ids]":
                "these are the one-hot vectors; return the product of each with W, which is a row of W",
            "return W[ids.ravel()]": "the ids were flattened: for ids of the shape (4, 2) the vectors have the shape (4, 2, 3)",
            "return W[ids - 1]": "ids count from 0: id 1 is the second row",
            "return W[ids] * ids[..., None]": "the rows are multiplied by their ids; an id is a name, not a quantity",
        },
        check=without("the vectors are right; but one index can take all rows of W at once, without a loop and without a"
                      " product", ast.For, ast.While, ast.comprehension, ast.MatMult),
        praise="equal to Embedding.forward, for ids with one axis and with two",
    ),
    Task(
        "embed_backward",
        hints=(
            "Every use of an id adds to its row. What happens to a row that is twice in total[ids], when it is written back?",
            "np.add.at takes the array to add to, the indices, and what to add. It adds one after the other. It takes ids of"
            " any shape, and changes its first argument.",
        ),
        cases=lambda rng: [  # the last id does not occur
            (rng.integers(0, V - 1, (4, 5)), rng.normal(size=(4, 5, E)), rng.normal(size=(V, E))) for _ in range(2)],
        returns="the gradient",
        mistakes={
            "np.add.at(total, ids, dx) -> total[ids] += dx":
                "ids repeat, and of each id only the last use was added. dW[ids] += dx copies the rows, adds to each, and"
                " writes them back: a row that is written twice keeps only the second result",
            "np.add.at(total, ids, dx) -> total[ids] = dx":
                "rows were assigned, dW[ids] = dx: of each id only the last use is left, and the earlier sum is lost",
            "total = np.zeros_like(dW); np.add.at(total, ids, dx) -> total[ids] += dx":
                "of each id only the last use counts, and the earlier sum in dW is lost",
            "total = np.zeros_like(dW)": "the earlier sum in dW is lost: add this mini-batch to it",
            "np.add.at(total, ids, dx) -> for t, k in enumerate(ids): total[k] += dx[t]":
                "an id that occurs twice in one time step counts once: += on ids loses uses within a time step too",
            "np.add.at(total, ids, dx) -> pass": "nothing was added: this is dW unchanged",
            "ids, dx) -> ids[0], dx[0])": "only the first time step's uses were added; ids has a row for each time step",
            "ids, dx) -> ids[:, 0], dx[:, 0])": "only the first sequence's uses were added; ids has a column for each sequence",
            "ids, dx) -> ids, dx / np.bincount(ids.ravel())[ids][..., None])":
                "this is the mean over the uses of an id; its gradient is the sum",
            "np.add -> np.subtract": "the sign: add the gradient; subtracting is up to the optimizer",
            "np.add.at(total, ids, dx) -> total += dx.sum(axis=(0, 1))":
                "the sum of all dx was added to every row; add each dx to the row of its own id",
            "return total.T": "it has the shape (E, V); the table has the shape (V, E), with a row for each id",
        },
        praise="20 vectors into 7 rows: every use of an id counts, and the earlier sum is kept",
    ),
    Task(
        "nearest",
        hints=(
            "A cosine is a product of two vectors of length 1. So first scale every row of W to length 1; then one matrix"
            " product has all cosines.",
            "np.linalg.norm along axis 1, with keepdims=True, returns the lengths as a column. The words' own rows of unit"
            " times the transpose of unit are (n, V); entry [j, ids[j]] is the cosine of a word with itself. np.argsort sorts"
            " upwards: give it the negative, along axis 1, and keep the first k columns.",
        ),
        cases=words,
        returns="the answer",
        mistakes={
            OWN + "0": "a word has the cosine 0 with itself here, so it comes before words whose cosine is negative: put"
                " -np.inf there",
            OWN + "-np.inf -> pass": "each word is its own nearest neighbour here: put -np.inf at its cosine with itself",
            OWN + "np.inf; -alike -> alike": "the farthest come first: argsort sorts upwards, so sort minus the cosine",
            "-alike -> alike": "the word itself and the farthest come first: argsort sorts upwards, from minus infinity; sort"
                " minus the cosine",
            "return np.argsort(alike, axis=1)[:, -k:]":
                "these are the nearest, but in the wrong order: the nearest of them comes last",
            "unit = W":
                "this ranks by the product u · v, which favours long vectors; divide every row of W by its own length",
            f"unit = W; {OWN}-np.inf -> pass":
                "this ranks by the product u · v, which favours long vectors, and each word may be its own neighbour",
            "alike = -np.linalg.norm(W[ids][:, None] - W, axis=2)":
                "this ranks by the distance |u - v|, in which lengths count; the cosine compares directions",
            "axis=1, keepdims -> axis=0, keepdims":
                "the lengths were computed along the wrong axis: one for each column of W, but each row needs its own",
            "[np.arange(len(ids)), ids] -> [:, ids]": "all words in ids are excluded; exclude only the word itself",
            "alike = np.abs(unit[ids] @ unit.T)": "the sign of the cosine is lost: -1 is the farthest possible",
            "unit = W / np.sum(W**2, axis=1, keepdims=True)": "the vectors are divided by the squares of their lengths",
            "-alike, axis=1 -> -alike, axis=0":
                "argsort sorts along the words of ids, axis 0; sort along all words, axis 1",
            "[:, :k] -> [:, 1 : k + 1]": "the first place was cut off, but the word itself was no longer there",
            "np.argsort -> np.sort":
                "the neighbours must be ids, which are integers; argsort returns positions, sort returns values",
        },
        praise="right for three words and for five: by cosine, the nearest first, and no word is its own neighbour",
    ),
]  # fmt: skip
