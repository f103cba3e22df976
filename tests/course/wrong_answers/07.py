"""Answers to exercise 7, and a part of the message about each that is wrong."""

from tests.helpers.exercises import answers

ANSWERS = []
NEAREST = """def nearest(ids, W, k):
    unit = {unit}
    alike = {alike}
    {own}
    return {chosen}
"""
RIGHT = {
    "unit": "W / np.linalg.norm(W, axis=1, keepdims=True)",
    "alike": "unit[ids] @ unit.T",
    "own": "alike[np.arange(len(ids)), ids] = -np.inf",
    "chosen": "np.argsort(-alike, axis=1)[:, :k]",
}
ANSWERS += answers("embed", "def embed(ids, W):\n    return {value}\n", ("value",), [
    ("np.eye(len(W))[ids]", "these are the one-hot vectors"),
    ("W[ids.ravel()]", "the ids were flattened"),
    ("W[ids - 1]", "ids count from 0"),
    ("W[:, ids]", "IndexError"),
    ("W[ids].T", "has the shape (3, 5) where (5, 3) belongs"),
    ("W[ids] * ids[..., None]", "an id is a name"),
    ("np.eye(len(W))[ids] @ W", "the vectors are right; but one index can take all rows of W at once"),
    ("np.array([W[k] for k in ids.ravel()]).reshape(*ids.shape, -1)", "without a loop and without a product"),
    ("ids @ W", "a product @ does not fit"),
    ("None", "is missing"),
])

ANSWERS += answers("embed_backward", "def embed_backward(ids, dx, dW):\n    {lines}\n    return total\n", ("lines",), [
    ("total = dW.copy(); total[ids] += dx", "only the last use was added"),
    ("total = dW.copy(); total[ids] = dx", "rows were assigned"),
    ("total = np.zeros_like(dW); total[ids] += dx", "only the last use counts, and the earlier sum in dW is lost"),
    ("total = np.zeros_like(dW); np.add.at(total, ids, dx)", "the earlier sum in dW is lost: add this"),
    ("total = dW; np.add.at(total, ids, dx)", "dW is changed in place"),
    (
        "total = dW.copy(); [total.__setitem__(i, total[i] + d) for i, d in zip(ids, dx)]",
        "twice in one time step counts once",
    ),
    ("total = dW.copy()", "nothing was added"),
    ("total = dW.copy(); np.add.at(total, ids[0], dx[0])", "only the first time step's uses"),
    ("total = dW.copy(); np.add.at(total, ids[:, 0], dx[:, 0])", "only the first sequence's uses"),
    ("total = np.add.at(dW.copy(), ids, dx)", "such as np.add.at or list.sort, returns None"),
    ("total = dW.copy(); np.add.at(total, ids, dx / np.bincount(ids.ravel())[ids][..., None])", "the mean over the uses"),
    ("total = dW.copy(); np.subtract.at(total, ids, dx)", "the sign"),
    ("total = dW + dx.sum(axis=(0, 1))", "the sum of all dx was added to every row"),
    ("total = dW.copy().T; np.add.at(total, (slice(None), ids), np.moveaxis(dx, 2, 0))", "it has the shape (E, V)"),
    ("total = dW.copy(); np.add.at(total.T, ids, dx)", "IndexError"),
    ("total = dW.copy(); np.add.at(total, ids.T, dx)", "ValueError"),
])

ANSWERS += answers("nearest", NEAREST, RIGHT, [
    ({"own": "pass"}, "each word is its own nearest neighbour"),
    ({"own": "alike[np.arange(len(ids)), ids] = 0"}, "it comes before words whose cosine is negative"),
    ({"own": "alike[:, ids] = -np.inf"}, "exclude only the word itself"),
    ({"alike": "np.abs(unit[ids] @ unit.T)"}, "the sign of the cosine is lost"),
    ({"unit": "W / np.sum(W**2, axis=1, keepdims=True)"}, "the squares of their lengths"),
    ({"chosen": "np.argsort(-alike, axis=0)[:, :k]"}, "argsort sorts along the words of ids"),
    ({"own": "alike[np.arange(len(ids)), ids] = np.inf", "chosen": "np.argsort(alike)[:, :k]"}, "the farthest come first"),
    ({"chosen": "np.argsort(alike, axis=1)[:, :k]"}, "the word itself and the farthest come first"),
    ({"chosen": "np.argsort(alike, axis=1)[:, -k:]"}, "the nearest of them comes last"),
    ({"unit": "W"}, "the product u · v, which favours long vectors"),
    ({"unit": "W", "own": "pass"}, "each word may be its own neighbour"),
    ({"alike": "-np.linalg.norm(W[ids][:, None] - W[None], axis=2)"}, "the distance |u - v|"),
    ({"unit": "W / np.linalg.norm(W, axis=0, keepdims=True)"}, "along the wrong axis"),
    ({"alike": "unit[ids] @ W.T"}, "divide every row of W"),
    ({"chosen": "np.argsort(-alike, axis=1)[:, 1:k + 1]"}, "the first place was cut off"),
    ({"chosen": "np.sort(-alike, axis=1)[:, :k]"}, "argsort returns positions"),
    ({"chosen": "np.argsort(-alike, axis=0)[:k].T"}, "the answer has the shape"),
    ({"chosen": "np.argsort(-alike)[:k]"}, "the answer has the shape"),
    ({"alike": "unit @ unit.T"}, "the answer has the shape"),
    ({"unit": "W / np.linalg.norm(W, axis=1)"}, "ValueError: operands"),
])
