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
            raise Wrong("these are the one-hot vectors; of each only its product with W is asked, a row of W")
        if len(shape) > 1 and np.shape(got) == (right.size // E, E):
            raise Wrong(f"the ids were laid out flat: of ids {shape} the vectors are {right.shape}")
        same(f"the answer for ids of shape {shape}", got, right, {
            "ids count from 0: id 1 is the second row": W[ids - 1],
            "the rows are scaled by their ids; an id is a name and not a quantity": W[ids] * ids[..., None],
        })  # fmt: skip
    parts = {*map(type, ast.walk(ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(yours))))))}
    if parts & {ast.For, ast.While, ast.comprehension, ast.MatMult}:
        raise Wrong("the vectors are right; but W can be asked for all rows at once, without a loop and without a product")
    return "as Embedding.forward, for ids of one axis and of two"


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
            raise Wrong(f"the gradient has the shape of the table: (V, E), a row for each id; yours is (E, V) = {(E, V)}")
        same("the gradient", got, right, known_sums(ids, dx, dW, right))
    return f"{T * B} vectors into {V} rows: every use of an id counts, and what was there before is kept"


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
        "ids repeat, and of each only the last use was added. dW[ids] += dx takes all rows out, adds to each, and writes them"
        " back: a row that is written twice keeps the second": last,
        "rows were assigned, dW[ids] = dx: of each id only the last use is left, and what was there before is gone": assigned,
        "of each id only the last use counts, and what dW held before is gone": fresh,
        "what dW held before is gone: this batch is added to it": right - dW,
        "an id that occurs twice in one step counts once: += on ids loses them within a step too": steps,
        "nothing was added: this is dW as it came": dW,
        "only the first step's uses were added; ids has a row for each step": first,
        "only the first sequence's uses were added; ids has a column for each": of_first,
        "the mean of the uses of an id is taken; its gradient is their sum": dW + (right - dW) / count,
        "the sign: the gradient is added here; the optimizer subtracts": 2 * dW - right,
        "the sum of all dx went to every row; each goes to the row of its own id": dW + dx.sum(axis=(0, 1)),
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
            raise Wrong("the neighbours must be ids, which are integers; argsort gives places, sort gives values")
        same("the answer", got, ranked(cosines(W), ids, k), known_ranks(W, ids, k))
    return "of three words and of five: by cosine, the nearest first, and nobody their own"


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
        "with 0 where a word meets itself, it comes before words whose cosine is negative: put -np.inf there":
            ranked(with_zeros, ids, k, own=True),
        "each word is its own nearest neighbour here: put -np.inf where it meets itself": ranked(alike, ids, k, own=True),
        "the farthest come first: argsort goes upwards, so sort by minus the cosine": np.argsort(own_last, axis=1)[:, :k],
        "the word itself and the farthest come first: argsort goes upwards, from minus infinity; sort by minus the cosine":
            np.argsort(own_first, axis=1)[:, :k],
        "these are the nearest, but the nearest of them comes last": np.argsort(own_first, axis=1)[:, -k:],
        "this goes by the product u · v, which favours long vectors; every row of W has to be divided by its own length":
            ranked(product, ids, k),
        "this goes by the product u · v, which favours long vectors, and each word may be its own neighbour":
            ranked(product, ids, k, own=True),
        "this goes by the distance |u - v|, in which lengths count; the cosine looks at directions": ranked(-distance, ids, k),
        "the lengths were taken along the wrong axis: one for each column of W, where each row needs its own":
            ranked(cosines(W, axis=0), ids, k),
        "all words that are asked about are ruled out; only the word itself is": ranked(all_out, ids, k, own=True),
        "the sign of the cosine is lost: -1 is the farthest that there is": ranked(np.abs(alike), ids, k),
        "the vectors are divided by the squares of their lengths": ranked(squares @ squares.T, ids, k),
        "argsort goes along the words that are asked about; it is the others that are sorted, axis 1":
            np.argsort(-own_first, axis=0)[:, :k],
        "the first place was cut off although the word itself was no longer in it": ranked(alike, ids, k, first=1),
    }  # fmt: skip


BLANKS = 5  # in the exercise, as long as nobody has filled it in
TASKS = [
    Task("embed", embed, (
        "A product with one-hot vectors is nothing but a choice of rows.",
        "NumPy takes an array of integers as an index, of whatever shape, and puts a row in the place of each.",
    )),
    Task("embed_backward", embed_backward, (
        "Every use of an id adds to its row. What happens to a row that stands twice in total[ids], when it is written back?",
        "np.add.at takes the array to add to, the places, and what to add, and does one place after the other. It takes ids of"
        " any shape, and changes its first argument.",
    )),
    Task("nearest", nearest, (
        "A cosine is a product of two vectors of length 1. So first give every row of W length 1; then one matrix product has"
        " all cosines.",
        "np.linalg.norm along axis 1, with keepdims=True, has the lengths as a column. The words' own rows of unit times the"
        " transpose of unit are (n, V); entry [j, ids[j]] is the word with itself. np.argsort sorts upwards: give it the"
        " negative, along axis 1, and keep the first k columns.",
    )),
]  # fmt: skip
