import numpy as np

from minilstm.params import ParameterVector

SHAPES = {"lstm0.Wx": (3, 8), "lstm0.b": (8,), "output.W": (2, 5)}


def test_views_and_vector_are_the_same_memory():
    p = ParameterVector(SHAPES, np.float32)
    p["output.W"][...] = 2
    assert p.flat.sum() == 20 and p.flat[-10:].tolist() == [2] * 10
    p.flat[:] = np.arange(p.flat.size)
    assert p["lstm0.b"].tolist() == list(range(24, 32))
    assert all(np.shares_memory(p.flat, view) for view in p.values())


def test_every_entry_belongs_to_exactly_one_view():
    p = ParameterVector(SHAPES, np.float64)
    for view in p.values():
        view += 1
    assert (p.flat == 1).all()


def test_a_layer_sees_its_own_parameters_under_short_names():
    p = ParameterVector(SHAPES, np.float64)
    assert list(p.layer("lstm0")) == ["Wx", "b"]
    assert np.shares_memory(p.layer("lstm0")["Wx"], p.flat)


def test_layer_names_that_begin_alike_are_kept_apart():
    p = ParameterVector({"lstm1.b": (1,), "lstm10.b": (2,)}, np.float64)
    assert {k: v.size for k, v in p.layer("lstm1").items()} == {"b": 1}


def test_astype_copies():
    p = ParameterVector(SHAPES, np.float32)
    q = p.astype(np.complex128)
    q["lstm0.b"][:] = 1j
    assert p.flat.sum() == 0 and q.flat.dtype == np.complex128 and q.zeros_like().flat.sum() == 0
