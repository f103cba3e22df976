"""Classifiers, taggers, encoders and decoders against PyTorch: outputs and gradients.

The PyTorch models are written as their users write them, from ``torch.nn.LSTM``, ``GRU``
and ``RNN``, bidirectional too. Skipped if PyTorch is missing; see ``test_torch.py``.
"""

import importlib.util
import warnings

import numpy as np
import pytest

from minilstm.interop import load_torch, to_torch
from minilstm.models import Classifier, EncoderDecoder, Tagger
from tests.helpers.shapes import MAKE

if importlib.util.find_spec("torch") is None:
    pytest.skip("PyTorch is not installed", allow_module_level=True)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import torch
    from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

TOLERANCE = {np.float64: 1e-12, np.float32: 1e-5}
RNNS = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}
every_cell = pytest.mark.parametrize("cell", RNNS)
every_dtype = pytest.mark.parametrize("dtype", TOLERANCE)
in_both = pytest.mark.parametrize("bidirectional", [False, True])


class TorchClassifier(torch.nn.Module):
    """Ids → embedding → recurrent layers → final hidden states → classes; or each step's."""

    def __init__(self, model, outputs):
        super().__init__()
        H = model.hidden // (2 if model.bidirectional else 1)
        self.embedding = torch.nn.Embedding(model.vocab_size, model.embedding)
        rnn = RNNS[model.cell](model.embedding, H, model.layers, bidirectional=model.bidirectional)
        self.cell = model.cell
        setattr(self, model.cell, rnn)
        self.linear = torch.nn.Linear(model.hidden, outputs)
        self.directions = 2 if model.bidirectional else 1

    def forward(self, x, lengths, per_token):
        packed = pack_padded_sequence(self.embedding(x), lengths, enforce_sorted=False)
        out, state = getattr(self, self.cell)(packed)
        if per_token:
            return self.linear(pad_packed_sequence(out, total_length=len(x))[0])
        h = state[0] if isinstance(state, tuple) else state
        return self.linear(torch.cat([*h[-self.directions:]], dim=1))


class TorchPair(torch.nn.Module):
    """An encoder whose final states are the decoder's first."""

    def __init__(self, model):
        super().__init__()
        E, H, rnn = model.embedding, model.hidden, RNNS[model.cell]
        self.both = model.bidirectional
        self.source_embedding = torch.nn.Embedding(model.source_size, E)
        self.encoder = rnn(E, H // (2 if self.both else 1), model.layers, bidirectional=self.both)
        self.target_embedding = torch.nn.Embedding(model.target_size, E)
        self.decoder = rnn(E, H, model.layers)
        self.linear = torch.nn.Linear(H, model.target_size)

    def forward(self, source, lengths, inputs):
        read = pack_padded_sequence(self.source_embedding(source), lengths, enforce_sorted=False)
        _, state = self.encoder(read)
        parts = state if isinstance(state, tuple) else (state,)
        if self.both:  # (layers · 2, B, H/2): the two directions side by side
            parts = tuple(torch.cat([part[0::2], part[1::2]], dim=2) for part in parts)
        state = parts if isinstance(state, tuple) else parts[0]
        return self.linear(self.decoder(self.target_embedding(inputs), state)[0])


def torch_loss(logits, targets, lengths=None):
    if lengths is None:
        return torch.nn.functional.cross_entropy(logits, targets)
    real = torch.arange(len(targets))[:, None] < lengths
    return torch.nn.functional.cross_entropy(logits[real], targets[real])


def case_of(kind, cell, dtype, **options):
    """A case with an embedding, for a model without what PyTorch lacks."""
    for seed in range(100):
        rng = np.random.default_rng(seed)
        case = MAKE[kind](rng, cell, 5, 4, hidden=4, layers=2, dtype=dtype, **options)
        model = case.model
        plain = getattr(model, "attention", None) is None and not getattr(model, "reverse_source", False)
        if plain and getattr(model, "embedding", None) and getattr(model, "pooling", "final") == "final":
            return case
    raise AssertionError("no such case among a hundred")


def compare(case, module, run, dtype):
    module.to(torch.float32 if dtype is np.float32 else torch.float64)
    weights = {name: torch.from_numpy(a.copy()) for name, a in to_torch(case.model).items()}
    module.load_state_dict(weights)
    loss, gradients, _, _ = case.model.loss_and_gradients(case.batch)
    theirs = run(module)
    theirs.backward()
    assert loss == pytest.approx(theirs.item(), rel=TOLERANCE[dtype])
    ours = type(case.model)(**case.model.sizes())
    ours.parameters.flat[...] = gradients.flat
    exported = to_torch(ours)
    for name, parameter in module.named_parameters():
        expected = parameter.grad.numpy()
        largest = np.abs(expected).max()
        assert largest > 0, name
        mine = exported[name.replace("bias_hh", "bias_ih") if case.model.cell != "gru" else name]
        assert np.abs(mine - expected).max() <= TOLERANCE[dtype] * largest, name
    back = type(case.model)(**case.model.sizes() | {"seed": 7})
    load_torch(back, {name: t.numpy() for name, t in module.state_dict().items()})
    assert np.array_equal(back.parameters.flat, case.model.parameters.flat)


@every_dtype
@every_cell
@in_both
@pytest.mark.parametrize("kind", ["classifier", "tagger"])
def test_classifiers_and_taggers_are_pytorchs(kind, cell, bidirectional, dtype):
    case = case_of(kind, cell, dtype, bidirectional=bidirectional)
    batch, per_token = case.batch, kind == "tagger"
    lengths = torch.from_numpy(batch.lengths)
    labels = torch.from_numpy(batch.targets if per_token else batch.labels)

    def run(module):
        logits = module(torch.from_numpy(batch.inputs), lengths, per_token)
        return torch_loss(logits, labels, lengths if per_token else None)

    assert type(case.model) is {"classifier": Classifier, "tagger": Tagger}[kind]
    compare(case, TorchClassifier(case.model, 3), run, dtype)


@every_dtype
@every_cell
@in_both
def test_encoders_and_decoders_are_pytorchs(cell, bidirectional, dtype):
    case = case_of("encoder-decoder", cell, dtype, bidirectional=bidirectional)
    batch = case.batch

    def run(module):
        source, inputs = torch.from_numpy(batch.source), torch.from_numpy(batch.inputs)
        logits = module(source, torch.from_numpy(batch.source_lengths), inputs)
        targets = torch.from_numpy(batch.targets).long()
        return torch_loss(logits, targets, torch.from_numpy(batch.lengths))

    assert type(case.model) is EncoderDecoder
    compare(case, TorchPair(case.model), run, dtype)
