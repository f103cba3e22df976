"""JAX as a worker of the benchmark, with ``lax.scan``, ``jit`` and optax.

Variants:

    gather, one_hot    input without an embedding: rows of Wx, or ``one_hot(ids) @ Wx``
    embedding          input with an embedding
    rbg                for generation: JAX's faster random numbers
    unrolled           eight time steps per iteration, which XLA can then merge

JAX compiles every shape. So batches with padding get lengths that are multiples of 16;
compiling them is part of ``prepare``.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from serving import THREADS, Job, serve, without_padding

MULTIPLE = 16
UNROLLED = 8


def cell(Wh, state, z):
    h, c = state
    i, f, g, o = jnp.split(z + h @ Wh, 4, axis=1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    h = jax.nn.sigmoid(o) * jnp.tanh(c)
    return (h, c), h


def vectors(p, ids, way_in: str):
    """The first layer's part of the pre-activations, x Wx: (…, 4H)."""
    if "embedding.W" in p:
        return p["embedding.W"][ids] @ p["lstm0.Wx"]
    return p["lstm0.Wx"][ids] if way_in == "gather" else jax.nn.one_hot(ids, len(p["lstm0.Wx"])) @ p["lstm0.Wx"]


def run(p, ids, state, way_in: str, unroll: int):
    """Logits (T, B, V) and the states of all layers after ids (T, B)."""
    z, finals = vectors(p, ids, way_in), []
    for k, initial in enumerate(state):
        z = z + p[f"lstm{k}.b"] if k == 0 else h @ p[f"lstm{k}.Wx"] + p[f"lstm{k}.b"]  # noqa: F821
        final, h = jax.lax.scan(partial(cell, p[f"lstm{k}.Wh"]), initial, z, unroll=unroll)
        finals.append(final)
    return h @ p["output.W"] + p["output.b"], tuple(finals)


def zero_state(p, L: int, B: int):
    return tuple((jnp.zeros((B, len(p["lstm0.Wh"]))),) * 2 for _ in range(L))


class Engine:
    def __init__(self, job: Job, variant: str):
        way_in, *more = variant.split()
        L, unroll = job.sizes["L"], UNROLLED if "unrolled" in more else 1
        self.p = {name: jnp.asarray(values) for name, values in job.weights.items()}
        optimizer = optax.adam(0.001)
        self.state = optimizer.init(self.p)

        def loss(p, ids, y):
            logits, _ = run(p, ids, zero_state(p, L, ids.shape[1]), way_in, unroll)
            losses = optax.softmax_cross_entropy_with_integer_labels(logits, jnp.maximum(y, 0))
            return jnp.sum(losses * (y >= 0)) / jnp.sum(y >= 0)

        @partial(jax.jit, donate_argnums=(0, 1))
        def step(p, state, ids, y):
            value, gradients = jax.value_and_grad(loss)(p, ids, y)
            updates, state = optimizer.update(gradients, state, p)
            return optax.apply_updates(p, updates), state, value

        def next_token(loop_state, key):
            p, ids, state = loop_state
            logits, state = run(p, ids[None], state, way_in, 1)
            ids = jax.random.categorical(key, logits[0])
            return (p, ids, state), ids

        @partial(jax.jit, static_argnums=2)
        def generate(p, prompt, length, key):
            logits, state = run(p, prompt, zero_state(p, L, prompt.shape[1]), way_in, 1)
            first, rest = jax.random.split(key)
            ids = jax.random.categorical(first, logits[-1])
            _, more = jax.lax.scan(next_token, (p, ids, state), jax.random.split(rest, length - 1))
            return jnp.concatenate([ids[None], more])

        self.key = jax.random.key(0, impl="rbg" if "rbg" in more else None)
        self.step_, self.generate_, self.gradients = step, generate, jax.jit(jax.value_and_grad(loss))
        self.batches = [self.arrays(*arrays, MULTIPLE if job.ragged else 1) for arrays in job.batches]

    @staticmethod
    def describe() -> dict:
        return {"version": f"{jax.__version__}, optax {optax.__version__}", "blas": "its own (Eigen or oneDNN)",
                "threads": f"{THREADS} processors are given to it"}

    @staticmethod
    def arrays(inputs, targets, lengths, multiple: int):
        y = without_padding(targets, lengths)
        more = ((0, -len(y) % multiple), (0, 0))
        return jnp.asarray(np.pad(inputs, more)), jnp.asarray(np.pad(y, more, constant_values=-1))

    def loss_and_gradients(self):
        loss, gradients = self.gradients(self.p, *self.batches[0])
        return float(loss), gradients

    def step(self, k: int) -> float:
        self.p, self.state, loss = self.step_(self.p, self.state, *self.batches[k])
        jax.block_until_ready(self.p)
        return float(loss)

    def generate(self, prompt: list[int], length: int, count: int) -> int:
        ids = jnp.tile(jnp.asarray(prompt, jnp.int32)[:, None], (1, count))
        return np.asarray(self.generate_(self.p, ids, length, self.key)).size


if __name__ == "__main__":
    serve(Engine)
