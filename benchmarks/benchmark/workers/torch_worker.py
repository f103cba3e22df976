"""PyTorch as a worker of the benchmark.

The words of a variant:

    one_hot, eye, embedding    the input: ``one_hot(ids).float()``, rows of an identity
                               matrix, or a trained embedding
    padded                     batches with padding, which the loss ignores
    packed                     ``pack_padded_sequence``: neither the LSTM nor the output
                               layer computes the padding
    compiled                   ``torch.compile`` on the model and its loss
    head                       ``torch.compile`` on the output layer and the loss only
    single                     one thread
    cell                       for generation with one layer: ``lstm_cell`` instead of
                               ``nn.LSTM``
"""

from __future__ import annotations

import numpy as np
import torch
from serving import THREADS, Job, serve, without_padding
from torch import nn
from torch.nn.functional import cross_entropy, one_hot
from torch.nn.utils.rnn import pack_padded_sequence

torch.set_num_threads(THREADS)
GATES = {"weight_ih": "Wx", "weight_hh": "Wh", "bias_ih": "b"}


class Net(nn.Module):
    """The model and its loss, which ignores the target -1."""

    def __init__(self, V: int, E: int, H: int, L: int, way_in: str):
        super().__init__()
        self.way_in, self.V = way_in, V
        self.embedding = nn.Embedding(V, E) if E else None
        self.lstm = nn.LSTM(E or V, H, L)
        self.output = nn.Linear(H, V)
        self.register_buffer("eye", torch.eye(V) if way_in == "eye" else None)

    def vectors(self, ids):
        if self.embedding is not None:
            return self.embedding(ids)
        return self.eye[ids] if self.way_in == "eye" else one_hot(ids, self.V).float()

    def forward(self, ids, targets, lengths=None):
        x = self.vectors(ids)
        if lengths is None:
            h, _ = self.lstm(x)
            return self.head(h.flatten(0, 1), targets.flatten())
        h, _ = self.lstm(pack_padded_sequence(x, lengths))
        return self.head(h.data, targets)

    def head(self, h, targets):
        return cross_entropy(self.output(h), targets, ignore_index=-1)

    def next_tokens(self, ids, state):
        """A sampled next token of each sequence (1, B) and the state after ids (T, B).
        """
        h, state = self.lstm(self.vectors(ids), state)
        return self.draw(h[-1]), state

    def next_tokens_by_cell(self, ids, state):
        """The same after ids (1, B), by ``lstm_cell``."""
        h, c = torch.lstm_cell(self.vectors(ids[0]), [part[0] for part in state], *self.lstm._flat_weights)
        return self.draw(h), (h[None], c[None])

    def draw(self, h):
        return torch.multinomial(torch.softmax(self.output(h), dim=1), 1).T


class Engine:
    def __init__(self, job: Job, variant: str):
        words = variant.split()
        if "single" in words:
            torch.set_num_threads(1)
        V, E, H, L = job.sizes.values()
        self.net = Net(V, E, H, L, words[0])
        with torch.no_grad():
            for name, parameter in self.net.named_parameters():
                parameter.zero_()  # the second bias
                if name in (ours := self.names()):
                    values = torch.from_numpy(job.weights[ours[name]])
                    parameter.copy_(values.T if self.transposed(name) else values)
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=0.001, fused=True)
        self.batches = [self.tensors(*arrays, "packed" in words) for arrays in job.batches]
        self.loss = torch.compile(self.net) if "compiled" in words else self.net
        if "head" in words:
            self.net.head = torch.compile(self.net.head)
        self.next_tokens = self.net.next_tokens_by_cell if "cell" in words else self.net.next_tokens

    @staticmethod
    def describe() -> dict:
        return {"version": torch.__version__, "threads": f"{torch.get_num_threads()} (set)", "blas": "its own (MKL or oneDNN)"}

    @staticmethod
    def tensors(inputs, targets, lengths, packed: bool):
        ids, y = torch.from_numpy(inputs.astype(np.int64)), torch.from_numpy(targets.astype(np.int64))
        if packed:
            lengths = torch.from_numpy(lengths.astype(np.int64))
            return ids, pack_padded_sequence(y, lengths).data, lengths
        return ids, torch.from_numpy(without_padding(targets, lengths).astype(np.int64))

    def names(self) -> dict[str, str]:
        """minilstm's names by PyTorch's, without PyTorch's second bias."""
        layers = range(self.net.lstm.num_layers)
        lstm = {f"lstm.{theirs}_l{k}": f"lstm{k}.{ours}" for k in layers for theirs, ours in GATES.items()}
        return {"embedding.weight": "embedding.W", **lstm, "output.weight": "output.W", "output.bias": "output.b"}

    @staticmethod
    def transposed(name: str) -> bool:
        """Whether PyTorch stores the transpose of minilstm's matrix."""
        return name == "output.weight" or name.startswith("lstm.weight")

    def loss_and_gradients(self):
        self.optimizer.zero_grad()
        loss = self.loss(*self.batches[0])
        loss.backward()
        found = dict(self.net.named_parameters())
        gradients = {ours: found[name].grad.numpy() for name, ours in self.names().items() if name in found}
        transposed = {ours for name, ours in self.names().items() if self.transposed(name)}
        return loss.item(), {name: g.T.copy() if name in transposed else g.copy() for name, g in gradients.items()}

    def step(self, k: int) -> float:
        self.optimizer.zero_grad()
        loss = self.loss(*self.batches[k])
        loss.backward()
        self.optimizer.step()
        return loss.item()

    @torch.inference_mode()
    def generate(self, prompt: list[int], length: int, count: int) -> int:
        ids, state = self.net.next_tokens(torch.tensor(prompt)[:, None].repeat(1, count), None)
        generated = [ids]
        for _ in range(length - 1):
            ids, state = self.next_tokens(ids, state)
            generated.append(ids)
        return torch.cat(generated).numel()


if __name__ == "__main__":
    serve(Engine)
