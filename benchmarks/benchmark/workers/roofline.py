"""The matrix products of a training step alone, through the same BLAS.

No step that uses this BLAS can be faster. One layer with input width D and width H, on
N = Σ_t n_t tokens, n_t of them at time step t, has these products:

    forward    (n_t, H) (H, 4H)  for every t          h[t-1] Wh
               (N, D) (D, 4H)                         x Wx
    backward   (n_t, 4H) (4H, H)  for every t         dz[t] Whᵀ
               (H, N) (N, 4H)                         dWh
               (D, N) (N, 4H), (N, 4H) (4H, D)        dWx and dx

With one-hot input, a gather replaces the first layer's products with Wx. The output
layer takes the tokens in chunks of n rows. Each chunk has the products (n, H) (H, V),
(n, V) (V, H) and (H, n) (n, V). Nothing else is computed: no gates, no softmax, no
Adam, no gathering. Arrays are made before the clock runs.

As a worker this is an engine like the others; its ``step`` runs the products of one
mini-batch. Its variants are those of minilstm; with our threads, each thread has the
products of its shard. It imports minilstm before NumPy, so that both have the same
matrix library with the same kernels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from ours import Engine as Ours
from serving import Job, serve

import minilstm
from minilstm.layers.losses import CHUNK
from minilstm.parallel import threads


class Product(NamedTuple):
    """(m, k) (k, n); ``form``: "n" (normal) or "t" (transposed) for each factor."""

    m: int
    k: int
    n: int
    form: str = "nn"

    @property
    def flops(self) -> int:
        return 2 * self.m * self.k * self.n


def products(sizes: dict[str, int], counts: list[int]) -> dict[str, list[Product]]:
    """The products of a training step by part; ``counts`` (T,): tokens per time step.
    """
    V, E, H, L = (sizes[name] for name in "VEHL")
    N, widths = sum(counts), [E, *[H] * (L - 1)]
    rows = max(1, CHUNK // V)
    chunks = [min(rows, N - start) for start in range(0, N, rows)]
    return {
        "forward": [Product(n, H, 4 * H) for _ in range(L) for n in counts],
        "backward": [Product(n, 4 * H, H, "nt") for _ in range(L) for n in reversed(counts)],
        "dWh": [Product(H, N, 4 * H, "tn") for _ in range(L)],
        "input": [p for D in widths if D
                  for p in (Product(N, D, 4 * H), Product(D, N, 4 * H, "tn"), Product(N, 4 * H, D, "nt"))],
        "output": [p for n in chunks for p in (Product(n, H, V), Product(n, V, H, "nt"), Product(H, n, V, "tn"))],
    }


def bare(parts: dict[str, list[Product]], rng: np.random.Generator) -> Callable[[], None]:
    """A function that runs all products, on memory in the order of a training step.

    Products over time read one row after another; chunks reuse one buffer.
    """
    calls = []
    for part, listed in parts.items():
        # logits overwrite the last chunk's
        turns = 1 if part == "output" else len(listed)
        kept: dict = {}
        for number, p in enumerate(listed):
            left = kept.setdefault((p.m, p.k, p.form, number % turns), _array(rng, p.m, p.k, p.form[0]))
            right = kept.setdefault((p.k, p.n, p.form), _array(rng, p.k, p.n, p.form[1]))
            calls.append((left, right, kept.setdefault((p.m, p.n), np.empty((p.m, p.n), np.float32))))

    def run() -> None:
        for left, right, result in calls:
            np.matmul(left, right, out=result)

    return run


def _array(rng: np.random.Generator, rows: int, columns: int, form: str) -> np.ndarray:
    if form == "t":
        return rng.standard_normal((columns, rows), dtype=np.float32).T
    return rng.standard_normal((rows, columns), dtype=np.float32)


class Engine:
    def __init__(self, job: Job, variant: str):
        inputs, _, lengths = job.batches[0]  # all are full, of the same sizes
        shards = threads.ours() if variant == "our threads" else 1
        self.runs = []
        for k in range(min(shards, len(lengths))):
            counts = [int((lengths[k::shards] > t).sum()) for t in range(len(inputs))]
            self.runs.append(bare(products(job.sizes, counts), np.random.default_rng(k)))

    @staticmethod
    def describe() -> dict:
        return {**Ours.describe(), "version": minilstm.__version__}

    def step(self, k: int) -> float:
        threads.run(self.runs)
        return 0.0


if __name__ == "__main__":
    serve(Engine)
