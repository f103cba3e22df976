"""Weights in other layouts, without the frameworks: formulas, round trips, errors.

The formulas are those of the documentation of ``torch.nn`` and of Keras's cells, in
plain NumPy, with the frameworks' names of arrays. ``test_torch.py`` and
``test_keras.py`` compare with the frameworks themselves.
"""

import ast
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import minilstm.interop
from minilstm import LSTM, InputError, LanguageModel
from minilstm.interop import (
    layer_from_keras,
    layer_to_keras,
    load_keras,
    load_torch,
    stack_from_torch,
    stack_to_torch,
    to_keras,
    to_torch,
)
from minilstm.layers import GRU, RNN
from minilstm.models import Captioner
from tests.helpers.shapes import MAKE

KINDS = {"lstm": LSTM, "gru": GRU, "rnn": RNN}
every_kind = pytest.mark.parametrize("kind", KINDS.values())
every_cell = pytest.mark.parametrize("cell", KINDS)
both = pytest.mark.parametrize("out, into", [(to_torch, load_torch), (to_keras, load_keras)])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def random_params(layer, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    return {name: rng.normal(0, 0.7, shape).astype(dtype) for name, shape in layer.shapes.items()}


def random_model(cell="lstm", seed=1, **sizes):
    model = LanguageModel(7, cell=cell, **{"hidden": 4, "dtype": np.float64, **sizes})
    model.parameters.flat[:] = np.random.default_rng(seed).normal(0, 0.7, model.parameters.flat.size)
    return model


def torch_step(kind, x, h, c, w):
    """The equations in the documentation of torch.nn.LSTM, GRU and RNN, for layer 0."""
    ih, hh = w["weight_ih_l0"] @ x + w["bias_ih_l0"], w["weight_hh_l0"] @ h + w["bias_hh_l0"]
    if kind is RNN:
        return np.tanh(ih + hh)
    H = len(h)
    gate = lambda k: (ih[k * H : (k + 1) * H], hh[k * H : (k + 1) * H])
    if kind is GRU:
        r, z = sigmoid(sum(gate(0))), sigmoid(sum(gate(1)))
        n = np.tanh(gate(2)[0] + r * gate(2)[1])
        return (1 - z) * n + z * h
    i, f, g, o = sigmoid(sum(gate(0))), sigmoid(sum(gate(1))), np.tanh(sum(gate(2))), sigmoid(sum(gate(3)))
    return o * np.tanh(f * c + i * g)


def keras_step(kind, x, h, c, w):
    """The cells of Keras.

    LSTMCell has the gates i, f, c, o; GRUCell (reset_after) has z, r, h.
    """
    kernel, recurrent_kernel, bias = w["kernel"], w["recurrent_kernel"], w["bias"]
    units = len(h)
    block = lambda a, k: a[k * units : (k + 1) * units]
    if kind is GRU:
        matrix_x, matrix_inner = x @ kernel + bias[0], h @ recurrent_kernel + bias[1]
        z = sigmoid(block(matrix_x, 0) + block(matrix_inner, 0))
        r = sigmoid(block(matrix_x, 1) + block(matrix_inner, 1))
        hh = np.tanh(block(matrix_x, 2) + r * block(matrix_inner, 2))
        return z * h + (1 - z) * hh
    z = x @ kernel + h @ recurrent_kernel + bias
    if kind is RNN:
        return np.tanh(z)
    i, f, o = sigmoid(block(z, 0)), sigmoid(block(z, 1)), sigmoid(block(z, 3))
    c = f * c + i * np.tanh(block(z, 2))
    return o * np.tanh(c)


@every_kind
@pytest.mark.parametrize(
    "step, export",
    [
        (torch_step, lambda layer, params: stack_to_torch([layer], [params])),
        (keras_step, layer_to_keras),
    ],
)
def test_the_frameworks_formula_on_exported_arrays_equals_our_step(kind, step, export):
    layer = kind(3, 5)
    params = random_params(layer)
    rng = np.random.default_rng(2)
    x, state = rng.standard_normal((1, 1, 3)), tuple(rng.standard_normal((1, 5)) for _ in layer.state_parts)
    h, _, _ = layer.forward(params, x, state)
    theirs = step(kind, x[0, 0], state[0][0], state[-1][0], export(layer, params))
    np.testing.assert_allclose(h[0, 0], theirs, rtol=0, atol=1e-14)


@pytest.mark.parametrize("kind", [LSTM, RNN])
def test_two_biases_of_pytorch_add_up_to_our_one(kind):
    layer = kind(3, 2)
    weights = stack_to_torch([layer], [random_params(layer)])
    assert not weights["bias_hh_l0"].any()
    weights["bias_hh_l0"] = np.random.default_rng(3).standard_normal(weights["bias_hh_l0"].shape)
    (params,) = stack_from_torch([layer], weights)
    np.testing.assert_array_equal(params["b"], weights["bias_ih_l0"] + weights["bias_hh_l0"])


@st.composite
def models_of_any_numbers(draw):
    """A model of any cell, tied or not, with any finite parameters, also -0.0."""
    cell, dtype = draw(st.sampled_from(list(KINDS))), draw(st.sampled_from([np.float32, np.float64]))
    hidden, layers, tied = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.booleans())
    embedding = hidden if tied else draw(st.none() | st.integers(1, 3))
    model = LanguageModel(draw(st.integers(1, 5)), embedding, hidden, layers, cell, tied=tied, dtype=dtype)
    numbers = st.floats(width=model.dtype.itemsize * 8, allow_nan=False, allow_infinity=False)
    model.parameters.flat[:] = draw(npst.arrays(dtype, model.parameters.flat.size, elements=numbers))
    return model


@both
@given(model=models_of_any_numbers())
def test_exporting_and_importing_gives_the_same_bits(out, into, model):
    loaded = LanguageModel(**model.sizes())
    loaded.parameters.flat[:] = 0.5
    weights = out(model)
    assert {a.dtype for a in weights.values()} == {model.dtype} and all(a.flags.c_contiguous for a in weights.values())
    into(loaded, weights)
    assert loaded.parameters.flat.tobytes() == model.parameters.flat.tobytes()


@both
@every_cell
def test_the_sign_of_zero_is_kept(out, into, cell):
    model, loaded = random_model(cell, layers=2), random_model(cell, layers=2)
    model.parameters.flat[:] = -0.0
    into(loaded, out(model))
    assert np.signbit(loaded.parameters.flat).all()


@every_kind
def test_single_layers_and_stacks_keep_the_same_bits(kind):
    layers = [kind(3, 4), kind(4, 4)]
    params = [random_params(layer, k, np.float32) for k, layer in enumerate(layers)]
    for given_params, back in [
        (params, stack_from_torch(layers, stack_to_torch(layers, params))),
        (params, [layer_from_keras(layer, layer_to_keras(layer, p)) for layer, p in zip(layers, params)]),
    ]:
        for p, q in zip(given_params, back, strict=True):
            assert p.keys() == q.keys()
            for name in p:
                assert p[name].dtype == q[name].dtype and p[name].tobytes() == q[name].tobytes()


@both
@every_cell
@pytest.mark.parametrize("embedding, tied", [(None, False), (3, False), (4, True)])
def test_model_and_dictionary_share_no_memory(out, into, cell, embedding, tied):
    model = random_model(cell, embedding=embedding, tied=tied)
    weights = out(model)
    for name, array in weights.items():
        assert not np.shares_memory(array, model.parameters.flat), name
    into(model, weights)
    before = model.parameters.flat.copy()
    for array in weights.values():
        array += 1
    np.testing.assert_array_equal(model.parameters.flat, before)
    layer = KINDS[cell](3, 4)
    for export, take in [
        (lambda p: stack_to_torch([layer], [p]), lambda w: stack_from_torch([layer], w)[0]),
        (lambda p: layer_to_keras(layer, p), lambda w: layer_from_keras(layer, w)),
    ]:
        params = random_params(layer)
        weights = export(params)
        taken = take(weights)
        for array in weights.values():
            assert not any(np.shares_memory(array, other) for other in [*params.values(), *taken.values()])


def test_names_are_those_of_the_frameworks():
    model = random_model("gru", embedding=3, layers=2)
    layers = [f"rnn.{part}_l{k}" for k in (0, 1) for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    assert list(to_torch(model, rnn="rnn", embedding="", output="head.fc")) == [
        "weight", *layers, "head.fc.weight", "head.fc.bias"
    ]
    layers = [f"{name}/{part}" for name in ("gru", "gru_1") for part in ("kernel", "recurrent_kernel", "bias")]
    assert list(to_keras(model)) == ["embedding/embeddings", *layers, "dense/kernel", "dense/bias"]
    path = "sequential/simple_rnn_3/simple_rnn_cell"
    assert f"{path}/kernel" in to_keras(random_model("rnn"), rnn=path)
    assert "simple_rnn/kernel" in to_keras(random_model("rnn"))


@both
def test_a_tied_matrix_is_exported_twice_and_imported_once_or_twice(out, into):
    model = random_model(embedding=4, tied=True)
    weights = out(model)
    (matrix,) = weights.keys() & {"linear.weight", "dense/kernel"}
    (table,) = weights.keys() & {"embedding.weight", "embedding/embeddings"}
    np.testing.assert_array_equal(weights[table], weights[matrix] if out is to_torch else weights[matrix].T)
    alone = random_model(embedding=4, tied=True, seed=5)
    into(alone, {name: array for name, array in weights.items() if name != matrix})
    np.testing.assert_array_equal(alone.parameters.flat, model.parameters.flat)
    weights[matrix][1, 1] += 1
    with pytest.raises(InputError, match=f"{matrix} differs from the embedding.*tied=False"):
        into(alone, weights)
    del weights[table]
    with pytest.raises(InputError, match=f"lack {table}"):
        into(alone, weights)
    with pytest.raises(InputError, match=f"lack {table}"):
        into(alone, {name: a for name, a in weights.items() if name != matrix})


def refusal(into, model, weights, **names):
    """The error that refuses the weights; asserts that the model is unchanged."""
    before = model.parameters.flat.copy()
    with pytest.raises(InputError) as error:
        into(model, weights, **names)
    np.testing.assert_array_equal(model.parameters.flat, before)
    sentence = str(error.value)
    assert "\n" not in sentence and not sentence.endswith(".")
    return sentence


@both
@every_cell
def test_each_missing_and_each_additional_name_is_reported(out, into, cell):
    model = random_model(cell, embedding=3, layers=2)
    weights = out(model)
    for name in weights:
        sentence = refusal(into, model, {other: a for other, a in weights.items() if other != name})
        assert f"lack {name}, of shape {weights[name].shape}" in sentence
        assert ("zeros stand for a bias" in sentence) == ("bias" in name)
        renamed = {f"{other}7" if other == name else other: a for other, a in weights.items()}
        # it is not that of another framework
        assert "'s name" not in refusal(into, model, renamed)
    assert "have mystery, for which there is no place" in refusal(into, model, {**weights, "mystery": np.zeros(3)})
    shallow = random_model(cell, embedding=3)
    assert "_l1" in refusal(into, shallow, weights) if into is load_torch else "_1/" in refusal(into, shallow, weights)


@both
def test_each_wrong_array_is_reported(out, into):
    model = random_model(embedding=3)
    weights = out(model)
    for name, array in weights.items():
        spoilt = lambda value: refusal(into, model, {**weights, name: value})
        assert spoilt(array.tolist()).startswith(f"{name} must be a NumPy array, not list")
        assert spoilt(array[:-1]).startswith(f"{name} must have the shape (")
        assert spoilt(array[..., None]).startswith(f"{name} must have the shape (")
        for dtype in (np.float32, np.int64, np.float16, ">f8", np.complex128, object):
            assert spoilt(array.astype(dtype)).startswith(f"{name} must have the dtype float64")
        for value in (np.nan, np.inf, -np.inf):
            wrong = array.copy()
            wrong.flat[-1] = value
            assert spoilt(wrong).startswith(f"{name} holds NaN or infinite numbers")


@pytest.mark.parametrize("dtype", [np.int64, np.float16, ">f8", object])
def test_layers_take_one_dtype_and_no_other_than_ours(dtype):
    layer = LSTM(3, 2)
    weights = layer_to_keras(layer, random_params(layer))
    with pytest.raises(InputError, match="kernel must (be float32|have the dtype float64)"):
        layer_from_keras(layer, {name: a.astype(dtype) for name, a in weights.items()})
    with pytest.raises(InputError, match="bias must have the dtype float64"):
        layer_from_keras(layer, {**weights, "bias": weights["bias"].astype(np.float32)})


@pytest.mark.parametrize("weights", [None, [], {3: np.zeros(2)}, np.zeros(3)])
@pytest.mark.parametrize("into", [load_torch, load_keras])
@pytest.mark.parametrize("tied", [False, True])
def test_weights_that_are_not_a_dictionary_are_refused(into, weights, tied):
    sentence = refusal(into, random_model(embedding=4, tied=tied), weights)
    assert "weights must be a dictionary from names to NumPy arrays" in sentence


FOREIGN = {LSTM: (4, "an LSTM"), GRU: (3, "a GRU"), RNN: (1, "a simple RNN")}


@pytest.mark.parametrize("theirs", KINDS.values())
@pytest.mark.parametrize("H", [2, 5])
@every_kind
def test_a_layer_of_another_cell_or_size_is_recognized_by_its_shapes(kind, theirs, H):
    ours, other = kind(3, 5), theirs(3, H)
    if ours == other:
        return
    gates, cell = FOREIGN[theirs]
    for reader, weights, name, layout in [
        (lambda w: stack_from_torch([ours], w), stack_to_torch([other], [random_params(other)]), "weight_hh_l0", "PyTorch"),
        (lambda w: layer_from_keras(ours, w), layer_to_keras(other, random_params(other)), "recurrent_kernel", "Keras"),
    ]:
        whose = "either layout" if gates == 1 else f"{layout}'s layout"
        words = f"not {weights[name].shape}, that of {cell} of hidden size {H} in {whose}; take the same cell and size here"
        with pytest.raises(InputError, match=re.escape(words)) as error:
            reader(weights)
        assert str(error.value).startswith(f"{name} must have the shape ") and kind.__name__ in str(error.value)


@pytest.mark.parametrize("kind, gates", [(LSTM, 4), (GRU, 3)])
def test_matrices_of_the_other_layout_are_recognized_by_their_shapes(kind, gates):
    layer = kind(3, 5)
    cell = FOREIGN[kind][1]
    weights = stack_to_torch([layer], [random_params(layer)])
    turned = {name: a.T for name, a in weights.items()}
    words = f"not (5, {5 * gates}), that of {cell} of hidden size 5 in Keras's layout; load_keras or layer_from_keras read it"
    with pytest.raises(InputError, match=re.escape(words)):
        stack_from_torch([layer], turned)
    with pytest.raises(InputError, match=re.escape(f"not (3, {5 * gates}), which is that of Keras")):
        stack_from_torch([layer], {**weights, "weight_ih_l0": turned["weight_ih_l0"]})
    weights = layer_to_keras(layer, random_params(layer))
    turned = {name: a.T for name, a in weights.items()}
    words = f"not ({5 * gates}, 5), that of {cell} of hidden size 5 in PyTorch's layout; load_torch or stack_from_torch read it"
    with pytest.raises(InputError, match=re.escape(words)):
        layer_from_keras(layer, turned)
    with pytest.raises(InputError, match=re.escape(f"not ({5 * gates}, 3), which is that of PyTorch")):
        layer_from_keras(layer, {**weights, "kernel": turned["kernel"]})


@both
def test_an_output_matrix_of_the_other_layout_is_reported(out, into):
    model = random_model()
    weights = out(model)
    (name,) = weights.keys() & {"linear.weight", "dense/kernel"}
    sentence = refusal(into, model, {**weights, name: weights[name].T})
    assert f"which is that of {'Keras' if into is load_torch else 'PyTorch'}; load_" in sentence


def test_names_of_the_other_layout_are_reported():
    model = random_model(embedding=3)
    assert "but have Keras's name embedding/embeddings; load_keras" in refusal(load_torch, model, to_keras(model))
    assert "but have PyTorch's name" in refusal(load_keras, model, to_torch(model))
    layer = LSTM(3, 2)
    with pytest.raises(InputError, match="but have Keras's name kernel"):
        stack_from_torch([layer], layer_to_keras(layer, random_params(layer)))


@both
def test_names_with_another_prefix_are_reported(out, into):
    model = random_model()
    sentence = refusal(into, model, out(model, rnn="encoder"))
    assert "but have encoder" in sentence and "rnn=" in sentence
    into(model, out(model, rnn="encoder", output="head"), rnn="encoder", output="head")


def test_a_gru_of_keras_with_reset_before_the_product_is_refused():
    layer = GRU(3, 4)
    weights = layer_to_keras(layer, random_params(layer))
    weights["bias"] = weights["bias"][0]
    with pytest.raises(InputError, match=r"bias must have the shape \(2, 3H\) = \(2, 12\).*not \(12,\).*reset_after=False"):
        layer_from_keras(layer, weights)


@pytest.mark.parametrize(
    "into, name, word",
    [
        (load_torch, "lstm.weight_ih_l0_reverse", "bidirectional"),
        (load_torch, "lstm.weight_hr_l0", "proj_size"),
        (load_keras, "bidirectional/backward_lstm/lstm_cell/kernel", "bidirectional"),
    ],
)
def test_parts_without_a_counterpart_are_refused_by_name(into, name, word):
    model = random_model()
    weights = (to_torch if into is load_torch else to_keras)(model)
    sentence = refusal(into, model, {**weights, name: np.zeros((16, 4))})
    assert name in sentence and word in sentence


def test_names_that_would_collide_are_refused():
    model = random_model(embedding=3, layers=2)
    for function, names in [(to_torch, {"embedding": "a", "output": "a"}), (to_keras, {"rnn": ["a", "a"]})]:
        with pytest.raises(InputError, match="two arrays would have the name a"):
            function(model, **names)
    with pytest.raises(InputError, match="one name for each of 2 layers, not 1"):
        to_keras(model, rnn="lstm")


@pytest.mark.parametrize("layers", [[], None, LSTM(3, 4), [3], [LSTM(3, 4), GRU(4, 4)], [LSTM(3, 4), LSTM(3, 4)]])
def test_an_object_that_is_not_a_stack_is_refused(layers):
    for call in (lambda: stack_to_torch(layers, []), lambda: stack_from_torch(layers, {})):
        with pytest.raises(InputError, match="layers must be a list of LSTM, GRU or RNN layers of one kind"):
            call()


def test_parameters_that_do_not_belong_to_the_layers_are_refused():
    layer = LSTM(3, 4)
    params = random_params(layer)
    with pytest.raises(InputError, match="params must be a list of 1 dictionaries"):
        stack_to_torch([layer], params)
    with pytest.raises(InputError, match="params must be a list of 1 dictionaries"):
        stack_to_torch([layer], [params, params])
    with pytest.raises(InputError, match="parameters lack bx"):
        layer_to_keras(GRU(3, 4), {"Wx": np.zeros((3, 12)), "Wh": np.zeros((4, 12)), "b": np.zeros(12)})
    for call in (layer_to_keras, layer_from_keras):
        with pytest.raises(InputError, match="layer must be an LSTM, GRU or RNN layer, not 3"):
            call(3, params)


def test_no_framework_is_imported():
    files = list(Path(minilstm.interop.__file__).parent.glob("*.py"))
    roots = set()
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                roots |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                roots.add(node.module.split(".")[0])
    assert len(files) > 3 and roots - sys.stdlib_module_names == {"numpy", "minilstm"}


@pytest.mark.parametrize("kind", ["classifier", "tagger", "encoder-decoder"])
@given(st.integers(0, 2**32 - 1), st.sampled_from(["lstm", "gru", "rnn"]), st.booleans())
def test_models_of_other_shapes_come_back_from_pytorchs_layout(kind, seed, cell, both_ways):
    rng = np.random.default_rng(seed)
    model = MAKE[kind](rng, cell, 3, 2, hidden=4, layers=2, bidirectional=both_ways).model
    again = type(model)(**model.sizes() | {"seed": 1})
    if getattr(model, "attention", None) is not None:
        with pytest.raises(InputError, match="PyTorch has no additive attention"):
            to_torch(model)
        return
    weights = to_torch(model)
    assert any(name.endswith("weight_ih_l1_reverse") for name in weights) == both_ways
    load_torch(again, weights)
    assert np.array_equal(again.parameters.flat, model.parameters.flat)


def test_a_captioner_has_no_form_in_pytorch():
    with pytest.raises(InputError, match="no bridge from a vector to a state"):
        to_torch(Captioner(4, 5, hidden=2))
