"""Keras on TensorFlow as a worker of the benchmark.

Variants:

    train_on_batch     ``compile`` and ``train_on_batch``, with the defaults of Keras
    function           a training step in a ``tf.function``, compiled once for all
                       shapes
    xla                the same with ``jit_compile=True``, which compiles every shape;
                       so batches with padding get lengths that are multiples of 16
    published          for generation: the published loops, which read the whole text
                       again for every token

The model outputs logits. Padding has the target -1, which the loss ignores.
"""

from __future__ import annotations

import os

if __name__ == "__main__":  # TensorFlow reads these once, when it is imported
    os.environ.update({"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"})

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from serving import THREADS, Job, serve, without_padding

tf.config.threading.set_intra_op_parallelism_threads(THREADS)
tf.config.threading.set_inter_op_parallelism_threads(THREADS)
MULTIPLE = 16


def build(V: int, E: int, H: int, L: int) -> keras.Model:
    way_in = layers.Embedding(V, E) if E else layers.Lambda(lambda ids: keras.ops.one_hot(ids, V), output_shape=(None, V))
    stack = [layers.LSTM(H, return_sequences=True) for _ in range(L)]
    return keras.Sequential([layers.Input((None,), dtype="int32"), way_in, *stack, layers.Dense(V)])


class Engine:
    def __init__(self, job: Job, variant: str):
        self.names, self.variant = list(job.weights), variant
        self.model = build(*job.sizes.values())
        self.model.set_weights([job.weights[name] for name in self.names])
        self.loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
        self.optimizer = keras.optimizers.Adam(0.001)
        self.model.compile(optimizer=self.optimizer, loss=self.loss)
        few_shapes = variant == "xla" and job.ragged
        self.batches = [self.tensors(*arrays, few_shapes) for arrays in job.batches]
        ids = tf.TensorSpec((None, None), tf.int32)
        signature = None if variant == "xla" else [ids, ids]
        self.train = tf.function(self.train_step, input_signature=signature, jit_compile=variant == "xla")
        self.rng = np.random.default_rng(0)

    @staticmethod
    def describe() -> dict:
        return {"version": f"{keras.__version__}, TensorFlow {tf.__version__}", "threads": f"{THREADS} (set)",
                "blas": "its own (Eigen or oneDNN)"}

    def tensors(self, inputs, targets, lengths, few_shapes: bool):
        x, y = inputs.T, without_padding(targets, lengths).T  # (B, T)
        if few_shapes:
            more = ((0, 0), (0, -x.shape[1] % MULTIPLE))
            x, y = np.pad(x, more), np.pad(y, more, constant_values=-1)
        return tf.constant(x, tf.int32), tf.constant(y, tf.int32)

    def gradients(self, x, y):
        with tf.GradientTape() as tape:
            loss = self.loss(y, self.model(x, training=True))
        return loss, tape.gradient(loss, self.model.trainable_variables)

    def train_step(self, x, y):
        loss, gradients = self.gradients(x, y)
        self.optimizer.apply(gradients, self.model.trainable_variables)
        return loss

    def loss_and_gradients(self):
        x, y = self.batches[0]
        loss, gradients = tf.function(self.gradients, jit_compile=self.variant == "xla")(x, y)
        return float(loss), {name: tf.convert_to_tensor(g).numpy() for name, g in zip(self.names, gradients)}

    def step(self, k: int) -> float:
        x, y = self.batches[k]
        if self.variant == "train_on_batch":
            return float(self.model.train_on_batch(x, y))
        return float(self.train(x, y))

    def generate(self, prompt: list[int], length: int, count: int) -> int:
        """One text, as published; ``model.predict`` for words only."""
        ids = list(prompt)
        for _ in range(length):
            window = tf.constant([ids], tf.int32)
            logits = self.model.predict(window, verbose=0) if "embedding.W" in self.names else self.model(window).numpy()
            p = np.exp(logits[0, -1].astype(np.float64) - logits[0, -1].max())
            ids.append(int(self.rng.choice(len(p), p=p / p.sum())))
        return len(ids) - len(prompt)


if __name__ == "__main__":
    serve(Engine)
