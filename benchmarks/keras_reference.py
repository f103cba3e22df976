"""The Keras side of ``keras_fidelity.py``: the published models, built and trained as in the notebooks. Nothing here is ours.

    keras-env/bin/python benchmarks/keras_reference.py headlines batches.npz result.npz

``batches.npz`` holds V, the dtype, and the ids (B, T) of every step, ``inputs0``, ``targets0``, ``inputs1`` …; ``result.npz``
the loss of every step, and the weights before the first and after the last, ``initial0`` … and ``final0`` …, in Keras's own
order.

TensorFlow brings Keras 3. With ``pip install tf_keras`` and ``TF_USE_LEGACY_KERAS=1`` it is Keras 2. The two differ in Adam,
see ``SummingAdam``.
"""

import sys

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

VERSION = getattr(keras, "__version__", "2")  # Keras 2 does not say here which it is


class SummingAdam(keras.optimizers.Adam):
    """Adam for Keras 3, with one gradient for each parameter, as Adam's equations have it, and Keras 2.

    A word that stands in a batch n times brings n gradients of its embedding. Keras 2 sums them, then squares the sum for
    the second moment; Keras 3.15.1 on TensorFlow squares each of them, and sums the squares, so that an embedding moves by
    up to √n times the rate. Measured on 409 recipes over 100 steps: without this class, the losses of Keras 3.15.1 are up to
    1.1e-1 away from ours, relatively; with it they agree as ``keras_fidelity.py`` asks. Those of Keras 2 (tf_keras 2.21.0)
    agree as they are, to 2e-6 over 15 steps.
    """

    def update_step(self, gradient, variable, learning_rate):
        super().update_step(tf.convert_to_tensor(gradient), variable, learning_rate)


def headlines(V: int):
    """Microsoft, AI for Beginners, lesson 17; ids go in as one-hot vectors, so the masking, of zero vectors, masks nothing."""
    model = keras.Sequential([
        layers.Input((None, V)),
        layers.Masking(),
        layers.LSTM(128, return_sequences=True),
        layers.Dense(V, activation="softmax"),
    ])
    model.compile(optimizer="rmsprop", loss="categorical_crossentropy")
    return model, np.eye(V, dtype=keras.backend.floatx())


def recipes(V: int):
    """Foster, Generative Deep Learning, 2nd edition (2023), chapter 5; ids go in as they are."""
    model = keras.Sequential([
        layers.Input((None,), dtype="int32"),
        layers.Embedding(V, 100),
        layers.LSTM(128, return_sequences=True),
        layers.Dense(V, activation="softmax"),
    ])
    cast = np.dtype(keras.backend.floatx()).type  # a plain number would come to float64 by way of float32
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
        model.reset_metrics()  # the loss of this batch alone: some versions answer with a running mean
        losses.append(model.train_on_batch(vectors[data[f"inputs{step}"]], vectors[data[f"targets{step}"]]))
    arrays |= {f"final{k}": weights for k, weights in enumerate(model.get_weights())}
    np.savez(result, losses=np.array(losses, np.float64), version=VERSION, **arrays)


if __name__ == "__main__":
    main(*sys.argv[1:])
