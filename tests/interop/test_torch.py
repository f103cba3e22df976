"""Our layers and models against PyTorch: outputs, states, gradients.

Both use the same weights. Skipped if PyTorch is missing. To run it, after the README's
commands:

    pip install torch==2.13.0 && python -m pytest tests/interop/test_torch.py

Batches have sequences of different lengths, which PyTorch reads with
``pack_padded_sequence``. The loss is a random projection of all outputs, so it has a
gradient with respect to every input and weight. Both sides must agree on each to 1e-5
of its largest entry in float32, and to 1e-10 in float64, which no wrong formula can
reach by luck.
"""

import importlib.util
import warnings
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm import LSTM, LanguageModel
from minilstm.interop import load_torch, stack_from_torch, stack_to_torch, to_torch
from minilstm.layers import GRU, RNN
from minilstm.models.batch import Batch

if importlib.util.find_spec("torch") is None:
    pytest.skip("PyTorch is not installed", allow_module_level=True)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import torch
    from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

KINDS = {"lstm": (LSTM, torch.nn.LSTM), "gru": (GRU, torch.nn.GRU), "rnn": (RNN, torch.nn.RNN)}
TOLERANCE = {np.float64: 1e-10, np.float32: 1e-5}
every_cell = pytest.mark.parametrize("cell", KINDS)
every_dtype = pytest.mark.parametrize("dtype", TOLERANCE)


def test_the_layout_of_this_pytorch_version_is_known():
    assert int(torch.__version__.split(".")[0]) >= 2


def assert_same(ours, theirs, dtype, name):
    """Asserts equality up to rounding, relative to the largest entry.

    It must not be zero, or the test would prove nothing.
    """
    theirs = theirs.detach().numpy() if isinstance(theirs, torch.Tensor) else theirs
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype == dtype, name
    largest = np.abs(theirs).max()
    assert largest > 0, f"{name} is zero: the test would prove nothing"
    error = np.abs(ours.astype(np.float64) - theirs).max() / largest
    assert error <= TOLERANCE[dtype], f"{name}: {error:.1e} of the largest entry"


def random_(module, rng):
    """Randomize a PyTorch module; returns its weights and biases as NumPy arrays."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.from_numpy(rng.normal(0, 0.5, tuple(parameter.shape))))
    return {name: t.numpy().copy() for name, t in module.state_dict().items()}


def gradients_of(module):
    return {name: p.grad.numpy() for name, p in module.named_parameters()}


class Case(NamedTuple):
    """A batch, initial states, and a random direction for all outputs."""

    x: np.ndarray  # (T, B, D)
    lengths: np.ndarray  # (B,), the longest T
    state: list  # for each part (layers, B, H)
    dh: np.ndarray  # (T, B, H), zeros at the padding
    dstate: list


def random_case(rng, dtype, T, B, D, H, layers, parts, lengths):
    normal = lambda *shape: rng.standard_normal(shape).astype(dtype)
    real = np.arange(T)[:, None, None] < lengths[:, None]
    states = [[normal(layers, B, H) for _ in range(parts)] for _ in range(2)]
    return Case(normal(T, B, D), lengths, states[0], normal(T, B, H) * real, states[1])


def torch_run(module, case):
    """Outputs (T, B, H), final states, gradients of inputs and of initial states.

    The gradients of the weights stay in the module.
    """
    x = torch.from_numpy(case.x).requires_grad_()
    state = [torch.from_numpy(s).requires_grad_() for s in case.state]
    packed = pack_padded_sequence(x, torch.from_numpy(case.lengths), enforce_sorted=False)
    out, final = module(packed, tuple(state) if len(state) == 2 else state[0])
    h, _ = pad_packed_sequence(out, total_length=len(case.x))
    final = final if len(state) == 2 else (final,)
    loss = sum((a * torch.from_numpy(da)).sum() for a, da in zip((h, *final), (case.dh, *case.dstate)))
    module.zero_grad()
    loss.backward()
    return h, final, x.grad, [s.grad for s in state]


def our_run(layers, params, case):
    """The same from our layers, and the gradients of all parameters."""
    h, caches, finals = case.x, [], []
    for k, (layer, p) in enumerate(zip(layers, params)):
        h, final, cache = layer.forward(p, h, tuple(s[k] for s in case.state), case.lengths)
        caches.append(cache)
        finals.append(final)
    dh, dstates, grads = case.dh, [], []
    for k in reversed(range(len(layers))):
        dstate = tuple(s[k] for s in case.dstate)
        dh, dstate0, g = layers[k].backward(params[k], dh, caches[k], dstate)
        dstates.insert(0, dstate0)
        grads.insert(0, g)
    stacked = lambda states: [np.stack(part) for part in zip(*states)]
    return h, stacked(finals), dh, stacked(dstates), grads


def compare(cell, dtype, T, B, D, H, depth, lengths, seed):
    ours, theirs = KINDS[cell]
    rng = np.random.default_rng(seed)
    module = theirs(D, H, depth).to(torch.float32 if dtype is np.float32 else torch.float64)
    layers = [ours(D if k == 0 else H, H) for k in range(depth)]
    params = stack_from_torch(layers, random_(module, rng))
    case = random_case(rng, dtype, T, B, D, H, depth, len(layers[0].state_parts), lengths)

    h, final, dx, dstate = torch_run(module, case)
    real = np.arange(T)[:, None, None] < lengths[:, None]
    our_h, our_final, our_dx, our_dstate, our_grads = our_run(layers, params, case)
    assert_same(our_h * real, h, dtype, "the outputs")
    assert_same(our_dx, dx, dtype, "the gradient of the inputs")
    for k, part in enumerate(layers[0].state_parts):
        assert_same(our_final[k], final[k], dtype, f"the final {part}")
        assert_same(our_dstate[k], dstate[k], dtype, f"the gradient of the initial {part}")
    exported = stack_to_torch(layers, our_grads)
    for name, theirs in gradients_of(module).items():
        # PyTorch has two equal gradients, one per bias; ours is exported once, as our
        # bias is
        if cell != "gru":
            name = name.replace("bias_hh", "bias_ih")
        assert_same(exported[name], theirs, dtype, f"the gradient of {name}")


@every_cell
@every_dtype
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_outputs_states_and_every_gradient_are_those_of_pytorch(cell, dtype, depth):
    compare(cell, dtype, 11, 5, 7, 9, depth, np.array([4, 11, 1, 7, 11]), seed=depth)


@every_cell
@given(data=st.data())
def test_batches_of_any_sizes_and_lengths_agree_with_pytorch(cell, data):
    T, B, D, H = (data.draw(st.integers(1, 5)) for _ in range(4))
    depth = data.draw(st.integers(1, 3))
    lengths = np.array(data.draw(st.lists(st.integers(1, T), min_size=B, max_size=B)))
    compare(cell, np.float64, T, B, D, H, depth, lengths, data.draw(st.integers(0, 2**32 - 1)))


@every_cell
def test_exported_weights_load_into_a_module_and_give_its_outputs(cell):
    ours, theirs = KINDS[cell]
    layers = [ours(3, 4), ours(4, 4)]
    rng = np.random.default_rng(5)
    params = [{name: rng.normal(0, 0.5, shape) for name, shape in layer.shapes.items()} for layer in layers]
    module = theirs(3, 4, 2).double()
    module.load_state_dict({name: torch.from_numpy(a) for name, a in stack_to_torch(layers, params).items()}, strict=True)
    x = rng.standard_normal((6, 2, 3))
    h = x
    for layer, p in zip(layers, params):
        h, _, _ = layer.forward(p, h)
    assert_same(h, module(torch.from_numpy(x))[0], np.float64, "the outputs")


class TorchModel(torch.nn.Module):
    """A usual language model: embedding, recurrent module, output layer."""

    def __init__(self, cell, V, E, H, depth, tied=False):
        super().__init__()
        self.embedding = torch.nn.Embedding(V, E)
        setattr(self, cell, KINDS[cell][1](E, H, depth))
        self.recurrent = lambda x: getattr(self, cell)(x)[0]
        self.linear = torch.nn.Linear(H, V)
        if tied:
            self.linear.weight = self.embedding.weight

    def loss(self, batch):
        ids = torch.from_numpy(batch.inputs)
        packed = pack_padded_sequence(self.embedding(ids), torch.from_numpy(batch.lengths), enforce_sorted=False)
        h, _ = pad_packed_sequence(self.recurrent(packed), total_length=len(ids))
        real = torch.from_numpy(np.arange(len(ids))[:, None] < batch.lengths)
        logits = self.linear(h)
        return torch.nn.functional.cross_entropy(logits[real], torch.from_numpy(batch.targets)[real]), logits


@every_cell
@every_dtype
@pytest.mark.parametrize("depth, tied", [(1, False), (2, False), (3, False), (2, True)])
def test_a_whole_language_model_has_the_loss_and_the_gradients_of_pytorch(cell, dtype, depth, tied):
    V, E, H, T, B = 13, 8 if tied else 5, 8, 9, 4
    rng = np.random.default_rng(depth)
    lengths = np.array([9, 3, 1, 6])
    batch = Batch(rng.integers(0, V, (T, B)), rng.integers(0, V, (T, B)), lengths)
    module = TorchModel(cell, V, E, H, depth, tied).to(torch.float32 if dtype is np.float32 else torch.float64)
    model = LanguageModel(V, E, H, depth, cell, tied=tied, dtype=dtype)
    weights = random_(module, rng)
    load_torch(model, weights)

    real = np.arange(T)[:, None, None] < lengths[:, None]
    theirs, logits = module.loss(batch)
    assert_same(model.logits(batch.inputs, lengths)[0] * real, logits.detach().numpy() * real, dtype, "the logits")
    loss, gradients, _, _ = model.loss_and_gradients(batch)
    assert loss == pytest.approx(theirs.item(), rel=TOLERANCE[dtype])
    module.zero_grad()
    theirs.backward()
    # our gradients as parameters, to export them with PyTorch's names
    holder = LanguageModel(**model.sizes())
    holder.parameters.flat[:] = gradients.flat
    exported = to_torch(holder)
    for name, gradient in gradients_of(module).items():
        if cell != "gru":
            name = name.replace("bias_hh", "bias_ih")
        assert_same(exported[name], gradient, dtype, f"the gradient of {name}")

    back = to_torch(model)
    assert back.keys() == weights.keys()
    module.load_state_dict({name: torch.from_numpy(array) for name, array in back.items()}, strict=True)
    logits = module.loss(batch)[1].detach().numpy()
    assert_same(model.logits(batch.inputs, lengths)[0] * real, logits * real, dtype, "the logits after the way back")
