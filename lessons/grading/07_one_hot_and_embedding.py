"""7. One-hot and embedding: grading."""

import ast
import inspect
import textwrap

import numpy as np

from minilstm.course import Task, Wrong, same
from minilstm.layers import Embedding

V, E = 7, 3


def embed(yours):
    rng = np.random.default_rng(0)
    W = rng.normal(size=(V, E))
    for shape in ((5,), (4, 2)):
        ids = rng.integers(0, V, shape)
        right, _ = Embedding(V, E).forward({"W": W}, ids)
        got = yours(ids, W)
        if np.shape(got) == (*shape, V):
            raise Wrong("these are the one-hot vectors; return the product of each with W, which is a row of W")
        if len(shape) > 1 and np.shape(got) == (right.size // E, E):
            raise Wrong(f"the ids were flattened: for ids of shape {shape} the vectors have the shape {right.shape}")
        same(f"the answer for ids of shape {shape}", got, right, {
            "ids count from 0: id 1 is the second row": W[ids - 1],
            "the rows are multiplied by their ids; an id is a name, not a quantity": W[ids] * ids[..., None],
        })  # fmt: skip
    parts = {*map(type, ast.walk(ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(yours))))))}
    if parts & {ast.For, ast.While, ast.comprehension, ast.MatMult}:
        raise Wrong("the vectors are right; but one index can take all rows of W at once, without a loop and without a product")
    return "equal to Embedding.forward, for ids with one axis and with two"


def embed_backward(yours):
    T, B = 4, 5
    for seed in range(2):
        rng = np.random.default_rng(seed)
        ids = rng.integers(0, V - 1, (T, B))  # the last id does not occur
        dx, dW, W = rng.normal(size=(T, B, E)), rng.normal(size=(V, E)), np.zeros((V, E))
        _, cache = Embedding(V, E).forward({"W": W}, ids)
        right = Embedding(V, E).backward({"W": W}, dx, cache, {"W": dW.copy()}, add=True)["W"]
        got = yours(ids, dx, dW)
        if np.shape(got) == (E, V):
            raise Wrong(f"the gradient has the shape of the table, (V, E), with a row for each id; yours is (E, V) = {(E, V)}")
        same("the gradient", got, right, known_sums(ids, dx, dW, right))
    return f"{T * B} vectors into {V} rows: every use of an id counts, and the earlier sum is kept"


def known_sums(ids, dx, dW, right):
    last, assigned = dW.copy(), dW.copy()
    last[ids] += dx
    assigned[ids] = dx
    fresh = np.zeros_like(dW)
    fresh[ids] += dx
    first, of_first = dW.copy(), dW.copy()
    np.add.at(first, ids[0], dx[0])
    np.add.at(of_first, ids[:, 0], dx[:, 0])
    count = np.maximum(1, np.bincount(ids.ravel(), minlength=V))[:, None]
    steps = dW.copy()
    for t in range(len(ids)):
        steps[ids[t]] += dx[t]
    return {
        "ids repeat, and of each id only the last use was added. dW[ids] += dx copies the rows, adds to each, and writes"
        " them back: a row that is written twice keeps only the second result": last,
        "rows were assigned, dW[ids] = dx: of each id only the last use is left, and the earlier sum is lost": assigned,
        "of each id only the last use counts, and the earlier sum in dW is lost": fresh,
        "the earlier sum in dW is lost: add this mini-batch to it": right - dW,
        "an id that occurs twice in one time step counts once: += on ids loses uses within a time step too": steps,
        "nothing was added: this is dW unchanged": dW,
        "only the first time step's uses were added; ids has a row for each time step": first,
        "only the first sequence's uses were added; ids has a column for each sequence": of_first,
        "this is the mean over the uses of an id; its gradient is the sum": dW + (right - dW) / count,
        "the sign: add the gradient; subtracting is up to the optimizer": 2 * dW - right,
        "the sum of all dx was added to every row; add each dx to the row of its own id": dW + dx.sum(axis=(0, 1)),
    }


def nearest(yours):
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1.2]])  # any two are more than 90 degrees apart
    for seed, (n, k) in enumerate(((3, 4), (5, 2), (2, 3))):
        rng = np.random.default_rng(seed)
        W = rng.normal(size=(V + 5, E)) if k != 3 else corners + rng.normal(0, 0.05, (4, 3))
        W *= rng.uniform(0.2, 5, (len(W), 1))
        ids = rng.permutation(len(W))[:n]
        got = yours(ids, W, k)
        if isinstance(got, np.ndarray) and got.dtype.kind == "f":
            raise Wrong("the neighbours must be ids, which are integers; argsort returns positions, sort returns values")
        same("the answer", got, ranked(cosines(W), ids, k), known_ranks(W, ids, k))
    return "right for three words and for five: by cosine, the nearest first, and no word is its own neighbour"


def cosines(W, axis=1):
    unit = W / np.linalg.norm(W, axis=axis, keepdims=True)
    return unit @ unit.T


def ranked(alike, ids, k, own=False, first=0):
    alike = alike[ids].copy()
    if not own:
        alike[np.arange(len(ids)), ids] = -np.inf
    return np.argsort(-alike, axis=1)[:, first : first + k]


def known_ranks(W, ids, k):
    alike, product = cosines(W), W @ W.T  # (V, V)
    distance = np.linalg.norm(W[:, None] - W[None], axis=2)
    squares = W / np.sum(W**2, axis=1, keepdims=True)
    all_out, with_zeros = alike.copy(), np.where(np.eye(len(W)), 0, alike)
    all_out[:, ids] = -np.inf
    own_last, own_first = (np.where(np.eye(len(W)), own, alike)[ids] for own in (np.inf, -np.inf))
    return {
        "a word has the cosine 0 with itself here, so it comes before words whose cosine is negative: put -np.inf there":
            ranked(with_zeros, ids, k, own=True),
        "each word is its own nearest neighbour here: put -np.inf at its cosine with itself": ranked(alike, ids, k, own=True),
        "the farthest come first: argsort sorts upwards, so sort minus the cosine": np.argsort(own_last, axis=1)[:, :k],
        "the word itself and the farthest come first: argsort sorts upwards, from minus infinity; sort minus the cosine":
            np.argsort(own_first, axis=1)[:, :k],
        "these are the nearest, but in the wrong order: the nearest of them comes last": np.argsort(own_first, axis=1)[:, -k:],
        "this ranks by the product u · v, which favours long vectors; divide every row of W by its own length":
            ranked(product, ids, k),
        "this ranks by the product u · v, which favours long vectors, and each word may be its own neighbour":
            ranked(product, ids, k, own=True),
        "this ranks by the distance |u - v|, in which lengths count; the cosine compares directions": ranked(-distance, ids, k),
        "the lengths were computed along the wrong axis: one for each column of W, but each row needs its own":
            ranked(cosines(W, axis=0), ids, k),
        "all words in ids are excluded; exclude only the word itself": ranked(all_out, ids, k, own=True),
        "the sign of the cosine is lost: -1 is the farthest possible": ranked(np.abs(alike), ids, k),
        "the vectors are divided by the squares of their lengths": ranked(squares @ squares.T, ids, k),
        "argsort sorts along the words of ids, axis 0; sort along all words, axis 1":
            np.argsort(-own_first, axis=0)[:, :k],
        "the first place was cut off, but the word itself was no longer there": ranked(alike, ids, k, first=1),
    }  # fmt: skip


BLANKS = 5  # in the exercise before it is filled in
TASKS = [
    Task("embed", embed, (
        "A product with one-hot vectors only selects rows.",
        "NumPy takes an array of integers of any shape as an index, and replaces each integer by a row.",
    )),
    Task("embed_backward", embed_backward, (
        "Every use of an id adds to its row. What happens to a row that is twice in total[ids], when it is written back?",
        "np.add.at takes the array to add to, the indices, and what to add. It adds one after the other. It takes ids of any"
        " shape, and changes its first argument.",
    )),
    Task("nearest", nearest, (
        "A cosine is a product of two vectors of length 1. So first scale every row of W to length 1; then one matrix product"
        " has all cosines.",
        "np.linalg.norm along axis 1, with keepdims=True, returns the lengths as a column. The words' own rows of unit times"
        " the transpose of unit are (n, V); entry [j, ids[j]] is the cosine of a word with itself. np.argsort sorts upwards:"
        " give it the negative, along axis 1, and keep the first k columns.",
    )),
]  # fmt: skip
