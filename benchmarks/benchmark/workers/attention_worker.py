"""The engines of ``benchmarks/attention.py``, and the process in which one of them waits.

    python attention_worker.py ENGINE JOB.npz

The job has the sizes, our weights by name, and a mini-batch. Questions come in as lines
of JSON, answers go out so:

    {"do": "gradients", "to": FILE}    the loss; the gradients go to the file
    {"do": "steps", "seconds": S}      train for so long: the median seconds of a step

This file runs in PyTorch's environment, too: it needs NumPy and one of the engines.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

WEIGHTS = "weights/"  # before the names of the weights in a job


class Sizes(NamedTuple):
    """A model and its mini-batches."""

    B: int
    S: int
    T: int
    V: int  # of both vocabularies
    E: int
    H: int  # of encoder (both directions together) and decoder
    K: int  # attention


class Ours:
    """minilstm."""

    def __init__(self, job: dict[str, np.ndarray], sizes: Sizes):
        from minilstm.models import EncoderDecoder, PairBatch
        from minilstm.optim import Adam, clip_up_to_a_factor

        V, E, H, K = sizes[3:]
        self.model = EncoderDecoder(V, V, E, H, attention=K, bidirectional=True)
        for name, array in self.model.parameters.items():
            array[...] = job[WEIGHTS + name]
        self.batch = PairBatch(
            job["source"], job["inputs"], job["targets"], job["source_lengths"],
            job["lengths"],
        )
        self.clip, self.adam = clip_up_to_a_factor, Adam(0.001)
        self.state = self.adam.init(self.model.parameters.flat)

    def gradients(self) -> tuple[float, dict[str, np.ndarray]]:
        loss, gradients, _, _ = self.model.loss_and_gradients(self.batch)
        return loss, dict(gradients.items())

    def step(self) -> None:
        _, gradients, _, _ = self.model.loss_and_gradients(self.batch)
        _, scale = self.clip(gradients.flat, None, 1.0)
        flat = self.model.parameters.flat
        self.state = self.adam.step(flat, gradients.flat, self.state, 0.001, scale)


class Torch:
    """PyTorch, eager."""

    def __init__(self, job: dict[str, np.ndarray], sizes: Sizes):
        import torch

        torch.set_num_threads(2)
        self.torch, nn = torch, torch.nn
        V, E, H, K = sizes[3:]
        half = H // 2
        self.m = nn.ModuleDict({
            "source": nn.Embedding(V, E), "target": nn.Embedding(V, E),
            "encoder": nn.LSTM(E, half, bidirectional=True),
            "cell": nn.LSTMCell(E + H, H), "q": nn.Linear(H, K, bias=False),
            "a": nn.Linear(H, K), "v": nn.Linear(K, 1, bias=False),
            "output": nn.Linear(H, V),
        })
        self.load({k.removeprefix(WEIGHTS): a for k, a in job.items() if WEIGHTS in k})
        as_tensor = lambda name: torch.from_numpy(job[name])
        self.source, self.inputs = as_tensor("source"), as_tensor("inputs")
        self.targets, self.lengths = as_tensor("targets"), as_tensor("lengths")
        self.source_lengths = as_tensor("source_lengths")
        S, T = len(self.source), len(self.inputs)
        self.padding = torch.arange(S) >= self.source_lengths[:, None]  # (B, S)
        self.real = torch.arange(T)[:, None] < self.lengths  # (T, B)
        self.adam = torch.optim.Adam(self.m.parameters(), 0.001)

    def load(self, w: dict[str, np.ndarray]) -> None:
        """Our parameters, by our names."""
        lstm0, att = "decoder.lstm0.", "decoder.attention."
        both = np.vstack([w[lstm0 + "Wx"], w[att + "Wc"]])  # reads [x; context]
        arrays = {
            "source.weight": w["source.embedding.W"],
            "target.weight": w["target.embedding.W"],
            "cell.weight_ih": both.T, "cell.weight_hh": w[lstm0 + "Wh"].T,
            "cell.bias_ih": w[lstm0 + "b"], "q.weight": w[att + "Wq"].T,
            "a.weight": w[att + "Wa"].T, "a.bias": w[att + "b"],
            "v.weight": w[att + "v"][None], "output.weight": w["output.W"].T,
            "output.bias": w["output.b"],
        }
        for suffix in ("", "_reverse"):
            prefix = f"encoder.lstm0{suffix}."
            arrays |= {
                f"encoder.weight_ih_l0{suffix}": w[prefix + "Wx"].T,
                f"encoder.weight_hh_l0{suffix}": w[prefix + "Wh"].T,
                f"encoder.bias_ih_l0{suffix}": w[prefix + "b"],
            }
        state = self.m.state_dict()
        for name, tensor in state.items():
            tensor.zero_()
            if name in arrays:
                array = np.ascontiguousarray(arrays[name])
                tensor.copy_(self.torch.from_numpy(array))

    def loss(self) -> Any:
        torch, m = self.torch, self.m
        rnn = torch.nn.utils.rnn
        packed = rnn.pack_padded_sequence(
            m["source"](self.source), self.source_lengths, enforce_sorted=False
        )
        out, (h, c) = m["encoder"](packed)
        a = rnn.pad_packed_sequence(out)[0].transpose(0, 1)  # (B, S, H)
        h, c = torch.cat([*h], dim=1), torch.cat([*c], dim=1)  # (B, H)
        keys, x, hs = m["a"](a), m["target"](self.inputs), []
        for t in range(len(x)):
            e = m["v"](torch.tanh(m["q"](h)[:, None] + keys))[..., 0]  # (B, S)
            p = torch.softmax(e.masked_fill(self.padding, -torch.inf), dim=1)
            context = torch.bmm(p[:, None], a)[:, 0]  # (B, H)
            h, c = m["cell"](torch.cat([x[t], context], dim=1), (h, c))
            hs.append(h)
        logits = m["output"](torch.stack(hs)[self.real])
        return torch.nn.functional.cross_entropy(logits, self.targets[self.real])

    def gradients(self) -> tuple[float, dict[str, np.ndarray]]:
        self.adam.zero_grad()
        loss = self.loss()
        loss.backward()
        g = {name: p.grad.numpy() for name, p in self.m.named_parameters()}
        E = g["target.weight"].shape[1]
        named = {
            "source.embedding.W": g["source.weight"],
            "target.embedding.W": g["target.weight"],
            "decoder.lstm0.Wx": g["cell.weight_ih"].T[:E],
            "decoder.attention.Wc": g["cell.weight_ih"].T[E:],
            "decoder.lstm0.Wh": g["cell.weight_hh"].T, "decoder.lstm0.b": g["cell.bias_ih"],
            "decoder.attention.Wq": g["q.weight"].T, "decoder.attention.Wa": g["a.weight"].T,
            "decoder.attention.b": g["a.bias"], "decoder.attention.v": g["v.weight"][0],
            "output.W": g["output.weight"].T, "output.b": g["output.bias"],
        }
        for suffix in ("", "_reverse"):
            named |= {
                f"encoder.lstm0{suffix}.Wx": g[f"encoder.weight_ih_l0{suffix}"].T,
                f"encoder.lstm0{suffix}.Wh": g[f"encoder.weight_hh_l0{suffix}"].T,
                f"encoder.lstm0{suffix}.b": g[f"encoder.bias_ih_l0{suffix}"],
            }
        return loss.item(), named

    def step(self) -> None:
        self.adam.zero_grad()
        self.loss().backward()
        self.torch.nn.utils.clip_grad_norm_(self.m.parameters(), 1.0)
        self.adam.step()


ENGINES = {"minilstm": Ours, "PyTorch": Torch}


def serve(name: str, job: Path) -> None:
    """A worker: answers each line of JSON on standard input by a line of JSON."""
    with np.load(job) as file:
        arrays = {key: file[key] for key in file.files}
    sizes = Sizes(*arrays.pop("sizes").tolist())
    engine = ENGINES[name](arrays, sizes)
    for line in sys.stdin:
        question = json.loads(line)
        if question["do"] == "gradients":
            loss, gradients = engine.gradients()
            np.savez(question["to"], **gradients)
            answer: dict[str, Any] = {"loss": loss}
        else:
            times = []
            while sum(times) < question["seconds"] or len(times) < 4:
                began = time.perf_counter()
                engine.step()
                times.append(time.perf_counter() - began)
            answer = {"seconds": statistics.median(times[1:])}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]))
