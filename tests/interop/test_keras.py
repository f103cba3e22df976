"""Our layers and models against Keras: outputs, states, gradients, on the same weights.

Skipped if Keras or TensorFlow is missing. To run it, after the README's commands:

    pip install keras tensorflow-cpu && python -m pytest tests/interop/test_keras.py

Sequences are padded on the right and masked. Both sides must agree on each array to
1e-5 of its largest entry in float32, and to 1e-10 in float64.
"""

import importlib.util
import os
import warnings

import numpy as np
import pytest

from minilstm import LSTM, InputError, LanguageModel
from minilstm.interop import layer_from_keras, layer_to_keras, load_keras, to_keras
from minilstm.layers import GRU, RNN
from minilstm.models.batch import Batch

for needed in ("keras", "tensorflow"):
    if importlib.util.find_spec(needed) is None:
        pytest.skip(f"{needed} is not installed", allow_module_level=True)
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import keras
    import tensorflow as tf

KINDS = {"lstm": (LSTM, keras.layers.LSTM), "gru": (GRU, keras.layers.GRU), "rnn": (RNN, keras.layers.SimpleRNN)}
NAMES = ["kernel", "recurrent_kernel", "bias"]
TOLERANCE = {np.float64: 1e-10, np.float32: 1e-5}
every_cell = pytest.mark.parametrize("cell", KINDS)
every_dtype = pytest.mark.parametrize("dtype", TOLERANCE)


def assert_same(ours, theirs, dtype, name):
    """Asserts equality up to rounding, relative to the largest entry.

    It must not be zero, or the test would prove nothing.
    """
    theirs = np.asarray(tf.convert_to_tensor(theirs))
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype == dtype, name
    largest = np.abs(theirs).max()
    assert largest > 0, f"{name} is zero: the test would prove nothing"
    error = np.abs(ours.astype(np.float64) - theirs).max() / largest
    assert error <= TOLERANCE[dtype], f"{name}: {error:.1e} of the largest entry"


def time_first(array):
    """From Keras's (B, T, ·) to our (T, B, ·), or back."""
    return np.ascontiguousarray(np.swapaxes(array, 0, 1))


def test_the_layout_of_this_keras_version_is_known():
    assert int(keras.__version__.split(".")[0]) >= 3


@every_cell
@every_dtype
def test_outputs_states_and_every_gradient_are_those_of_keras(cell, dtype):
    ours, theirs = KINDS[cell]
    T, B, D, H = 9, 4, 6, 7
    lengths = np.array([3, 9, 1, 6])
    rng = np.random.default_rng(1)
    normal = lambda *shape: rng.standard_normal(shape).astype(dtype)
    real = np.arange(T)[:, None, None] < lengths[:, None]
    x, dh = normal(T, B, D) * real, normal(T, B, H) * real
    layer = ours(D, H)
    state, dstate = ([normal(B, H) for _ in layer.state_parts] for _ in range(2))

    their_layer = theirs(H, return_sequences=True, return_state=True, dtype=np.dtype(dtype).name)
    their_layer.build((None, T, D))
    their_layer.set_weights([0.5 * normal(*w.shape) for w in their_layer.weights])
    params = layer_from_keras(layer, dict(zip(NAMES, their_layer.get_weights())))
    inputs, initial = tf.constant(time_first(x)), [tf.constant(s) for s in state]
    # passed explicitly, since Keras does not propagate it beside an initial state
    mask = keras.layers.Masking(0.0).compute_mask(inputs)
    with tf.GradientTape() as tape:
        tape.watch([inputs, *initial])
        out, *final = their_layer(inputs, initial_state=initial, mask=mask)
        loss = sum(tf.reduce_sum(a * da) for a, da in zip((out, *final), (time_first(dh), *dstate)))
    sources = [w.value for w in their_layer.trainable_weights]
    dinputs, dinitial, dweights = tape.gradient(loss, (inputs, initial, sources))

    h, our_final, cache = layer.forward(params, x, tuple(state), lengths)
    dx, dstate0, grads = layer.backward(params, dh, cache, tuple(dstate))
    # both repeat the last output after a sequence's length
    assert_same(h, time_first(out), dtype, "the outputs")
    assert_same(dx, time_first(dinputs), dtype, "the gradient of the inputs")
    for k, part in enumerate(layer.state_parts):
        assert_same(our_final[k], final[k], dtype, f"the final {part}")
        assert_same(dstate0[k], dinitial[k], dtype, f"the gradient of the initial {part}")
    exported = layer_to_keras(layer, grads)
    assert list(exported) == NAMES
    for name, theirs in zip(NAMES, dweights, strict=True):
        assert_same(exported[name], theirs, dtype, f"the gradient of {name}")
    for array, weight in zip(layer_to_keras(layer, params).values(), their_layer.get_weights(), strict=True):
        np.testing.assert_array_equal(array, weight)


def keras_model(cell, V, E, H, depth, dtype):
    """Embedding, recurrent layers and output layer.

    Their names are those in the docstring of ``minilstm.interop.keras``.
    """
    keras.backend.clear_session()
    kind, options = KINDS[cell][1], {"dtype": np.dtype(dtype).name}
    ids, mask = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="bool")
    h = keras.layers.Embedding(V, E, **options)(ids)
    for _ in range(depth):
        h = kind(H, return_sequences=True, **options)(h, mask=mask)
    return keras.Model([ids, mask], keras.layers.Dense(V, **options)(h))


def weights_of(model, value=lambda w: w.numpy()):
    return {f"{layer.name}/{w.name}": value(w) for layer in model.layers for w in layer.weights}


@every_cell
@every_dtype
@pytest.mark.parametrize("depth", [1, 2])
def test_a_whole_language_model_has_the_loss_and_the_gradients_of_keras(cell, dtype, depth):
    V, E, H, T, B = 13, 5, 8, 7, 4
    rng = np.random.default_rng(depth)
    lengths = np.array([7, 3, 1, 6])
    batch = Batch(rng.integers(0, V, (T, B)), rng.integers(0, V, (T, B)), lengths)
    theirs = keras_model(cell, V, E, H, depth, dtype)
    theirs.set_weights([rng.normal(0, 0.5, w.shape) for w in theirs.weights])
    model = LanguageModel(V, E, H, depth, cell, dtype=dtype)
    load_keras(model, weights_of(theirs))

    real = np.arange(T)[:, None] < lengths
    places = np.argwhere(real.T)  # (N, 2)
    with tf.GradientTape() as tape:
        logits = theirs([batch.inputs.T, real.T])
        rows = tf.gather_nd(logits, places)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(batch.targets.T[real.T], rows))
    gradients = tape.gradient(loss, {name: w.value for name, w in weights_of(theirs, lambda w: w).items()})
    our_logits, _ = model.logits(batch.inputs, lengths)
    assert_same(our_logits * real[..., None], time_first(logits) * real[..., None], dtype, "the logits")
    our_loss, our_gradients, _, _ = model.loss_and_gradients(batch)
    assert our_loss == pytest.approx(float(loss), rel=TOLERANCE[dtype])
    # our gradients as parameters, to export them with Keras's names
    holder = LanguageModel(**model.sizes())
    holder.parameters.flat[:] = our_gradients.flat
    exported = to_keras(holder)
    assert exported.keys() == gradients.keys()
    for name, gradient in gradients.items():
        assert_same(exported[name], gradient, dtype, f"the gradient of {name}")


def test_paths_of_keras_can_be_used_as_names():
    theirs = keras_model("gru", 13, 5, 8, 2, np.float32)
    model = LanguageModel(13, 5, 8, 2, "gru", seed=3)
    rnn = ["gru/gru_cell", "gru_1/gru_cell"]
    load_keras(model, {w.path: w.numpy() for w in theirs.weights}, rnn=rnn)
    before = [w.numpy() for w in theirs.weights]
    for w in theirs.weights:
        w.assign(tf.zeros_like(w.value))
    weights = to_keras(model, rnn=rnn)
    for w, array in zip(theirs.weights, before):
        w.assign(weights[w.path])
        np.testing.assert_array_equal(w.numpy(), array)


def test_a_gru_with_reset_before_the_product_and_a_bidirectional_layer_are_refused():
    gru = keras.layers.GRU(4, reset_after=False)
    gru.build((None, None, 3))
    with pytest.raises(InputError, match="reset_after=False"):
        layer_from_keras(GRU(3, 4), dict(zip(NAMES, gru.get_weights())))
    both = keras.layers.Bidirectional(keras.layers.LSTM(4))
    both.build((None, None, 3))
    with pytest.raises(InputError, match="bidirectional layer"):
        load_keras(LanguageModel(3, hidden=4), {w.path: w.numpy() for w in both.weights})
