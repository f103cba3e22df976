"""The Keras side of ``keras_fidelity.py``: the published models, as in the notebooks.

    keras-env/bin/python benchmarks/keras_reference.py headlines batches.npz result.npz

It does not use minilstm. ``batches.npz`` has V, the dtype, and the ids (B, T) of every
step, ``inputs0``, ``targets0``, ``inputs1`` …. ``result.npz`` gets the loss of every
step, the initial weights, ``initial0`` …, and the final ones, ``final0`` …, in the
order of Keras.

TensorFlow installs Keras 3. With ``pip install tf_keras`` and
``TF_USE_LEGACY_KERAS=1`` it is Keras 2. The two differ in Adam, see ``SummingAdam``.
"""

import sys

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

VERSION = getattr(keras, "__version__", "2")  # Keras 2 has no version here


class SummingAdam(keras.optimizers.Adam):
    """Adam for Keras 3 with one gradient per parameter, as in Keras 2 and the paper.

    A word that occurs n times in a mini-batch has n gradients of its embedding. Keras 2
    sums them, then squares the sum for the second moment. Keras 3.15.1 on TensorFlow
    squares each of them, and sums the squares, so an embedding moves by up to √n times
    the learning rate.

    Measured on 409 recipes over 100 steps: without this class, the losses of Keras
    3.15.1 differ from those of minilstm by up to 1.1e-1, relatively; with it they agree
    as ``keras_fidelity.py`` requires. Those of Keras 2 (tf_keras 2.21.0) agree without
    it, to 2e-6 over 15 steps.
    """

    def update_step(self, gradient, variable, learning_rate):
        super().update_step(tf.convert_to_tensor(gradient), variable, learning_rate)


def headlines(V: int):
    """Microsoft, AI for Beginners, lesson 17.

    The input is one-hot. The Masking layer skips zero vectors only, so it masks
    nothing.
    """
    model = keras.Sequential([
        layers.Input((None, V)),
        layers.Masking(),
        layers.LSTM(128, return_sequences=True),
        layers.Dense(V, activation="softmax"),
    ])
    model.compile(optimizer="rmsprop", loss="categorical_crossentropy")
    return model, np.eye(V, dtype=keras.backend.floatx())


def recipes(V: int):
    """Foster, Generative Deep Learning, 2nd edition (2023), chapter 5; input: ids."""
    model = keras.Sequential([
        layers.Input((None,), dtype="int32"),
        layers.Embedding(V, 100),
        layers.LSTM(128, return_sequences=True),
        layers.Dense(V, activation="softmax"),
    ])
    # Keras rounds a Python float to float32
    cast = np.dtype(keras.backend.floatx()).type
    adam = "adam" if VERSION == "2" else SummingAdam(beta_1=cast(0.9), beta_2=cast(0.999))
    model.compile(optimizer=adam, loss="sparse_categorical_crossentropy")
    return model, np.arange(V, dtype=np.int32)


def main(system: str, batches: str, result: str) -> None:
    keras.utils.set_random_seed(0)
    data = np.load(batches)
    keras.backend.set_floatx(str(data["dtype"]))
    model, vectors = {"headlines": headlines, "recipes": recipes}[system](int(data["V"]))
    arrays = {f"initial{k}": weights for k, weights in enumerate(model.get_weights())}
    losses = []
    for step in range((len(data.files) - 2) // 2):
        model.reset_metrics()  # some versions would return a running mean of the losses
        losses.append(model.train_on_batch(vectors[data[f"inputs{step}"]], vectors[data[f"targets{step}"]]))
    arrays |= {f"final{k}": weights for k, weights in enumerate(model.get_weights())}
    np.savez(result, losses=np.array(losses, np.float64), version=VERSION, **arrays)


if __name__ == "__main__":
    main(*sys.argv[1:])
