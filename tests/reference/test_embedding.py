"""Embedding: a gather is a product with one-hot vectors, scatter-add its backward."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from minilstm.layers import Embedding
from minilstm.reference.embedding import embed, embed_backward, one_hot
from tests.helpers import naive
from tests.helpers.strategies import seeds, sizes
from tests.reference.cells import assert_complex_step, close


@given(sizes, sizes, sizes, st.integers(2, 6), seeds)
def test_an_embedding_is_a_product_with_one_hot_vectors(T, B, E, V, seed):
    rng = np.random.default_rng(seed)
    W, ids, dx = rng.standard_normal((V, E)), rng.integers(0, V, (T, B)), rng.standard_normal((T, B, E))
    hot = one_hot(ids, V)
    assert hot.tolist() == [[naive.one_hot(k, V) for k in row] for row in ids]
    dW = embed_backward(dx, ids, V)
    close([embed(W, ids), dW], [hot @ W, np.einsum("tbv,tbe->ve", hot, dx)])
    assert_complex_step(lambda arrays: np.sum(embed(arrays["W"], ids) * dx), {"W": W}, {"W": dW})
    layer = Embedding(V, E)
    x, cache = layer.forward({"W": W}, ids)
    close([embed(W, ids), dW], [x, layer.backward({"W": W}, dx, cache)["W"]])


def test_one_hot_vectors_have_the_given_dtype():
    assert one_hot(np.array([1]), 3, np.float32).dtype == np.float32
    assert embed_backward(np.ones((1, 2), np.complex64), np.array([0]), 3).dtype == np.complex64
