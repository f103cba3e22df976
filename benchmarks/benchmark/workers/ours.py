"""minilstm as a worker of the benchmark.

Its variants differ in the number of threads, which its environment sets.
"""

from __future__ import annotations

import os

import numba
import numpy as np
from serving import Job, serve

import minilstm
from minilstm.data.tokenizers import CharTokenizer
from minilstm.data.words import WordTokenizer
from minilstm.generation.sampling import Sampling, generate_ids
from minilstm.models.batch import Batch
from minilstm.models.language_model import LanguageModel
from minilstm.optim import Adam

FIRST_LETTER = 0x4E00  # CJK ideographs: more characters than any vocabulary here has


def blas() -> dict:
    """NumPy's matrix library and its kernels, as threadpoolctl reports them."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return {"blas": "unknown: threadpoolctl is not installed"}
    found = [f"{pool.get('internal_api')} {pool.get('version')}, {pool.get('architecture', 'one kind of')} kernels, "
             f"threads: {pool.get('num_threads')}" for pool in threadpool_info() if pool.get("user_api") == "blas"]
    return {"blas": "; ".join(found) or "none found"}


class Engine:
    def __init__(self, job: Job, variant: str):
        V, E, H, L = job.sizes.values()
        self.model = LanguageModel(V, E or None, H, L)
        for name, values in job.weights.items():
            self.model.parameters[name][...] = values
        self.batches = [Batch(*arrays) for arrays in job.batches]
        self.optimizer = Adam(0.001)
        self.state = self.optimizer.init(self.model.parameters.flat)
        self.rng = np.random.default_rng(0)
        letters = tuple(chr(FIRST_LETTER + k) for k in range(V - 2))
        self.tokenizer = WordTokenizer(letters) if E else CharTokenizer(letters)

    @staticmethod
    def describe() -> dict:
        names = ("OPENBLAS_NUM_THREADS", "MINILSTM_THREADS", "OPENBLAS_CORETYPE")
        threads = {name: os.environ[name] for name in names if name in os.environ}
        return {"version": minilstm.__version__, "numba": numba.__version__, "threads": str(threads), **blas()}

    def loss_and_gradients(self):
        loss, gradients, _, _ = self.model.loss_and_gradients(self.batches[0])
        return loss, gradients

    def step(self, k: int) -> float:
        loss, gradients, _, _ = self.model.loss_and_gradients(self.batches[k])
        self.state = self.optimizer.step(self.model.parameters.flat, gradients.flat, self.state)
        return loss

    def generate(self, prompt: list[int], length: int, count: int) -> int:
        text = self.tokenizer.decode(prompt)
        return sum(map(len, generate_ids(self.model, self.tokenizer, [text] * count, length, Sampling(1.0), self.rng)))


if __name__ == "__main__":
    serve(Engine)
