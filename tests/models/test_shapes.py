"""Models of every sequence shape: the reference's losses and gradients, shards, copies, and what is refused."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm import InputError
from minilstm.models.batch import Batch, LabelledBatch, PairBatch, VectorBatch
from minilstm.models.captioner import Captioner
from minilstm.models.classifier import Classifier
from minilstm.models.encoder_decoder import EncoderDecoder
from minilstm.models.tagger import Tagger
from minilstm.parallel import threads
from tests.helpers.shapes import KINDS, MAKE, shape_cases

of_every_kind = pytest.mark.parametrize("kind", KINDS)


def one_case(kind, seed=0, cell="lstm", T=5, B=4, **options):
    options = {"hidden": 4, "layers": 2, "bidirectional": True, "dtype": np.float64} | options
    return MAKE[kind](np.random.default_rng(seed), cell, T, B, **options)


def largest_difference(gradients, expected):
    """Relative to the largest entry of each array; and whether all are zero."""
    assert list(gradients) == list(expected)
    differences = [
        np.abs(g - expected[name]).max() / max(np.abs(expected[name]).max(), 1e-6)
        for name, g in gradients.items()
    ]
    return max(differences)


@of_every_kind
@given(data=st.data())
def test_loss_and_gradients_are_those_of_the_reference(kind, data):
    case = data.draw(shape_cases(kind))
    loss, gradients, state, dstate = case.model.loss_and_gradients(case.batch)
    expected_loss, expected = case.reference(dict(case.model.parameters))
    assert np.abs(gradients.flat).max() > 0
    assert kind == "tagger" or (state, dstate) == ((), ())  # a tagger's layers have states
    assert loss == pytest.approx(expected_loss, rel=1e-12, abs=1e-14)
    assert case.model.loss(case.batch)[0] == loss
    assert largest_difference(gradients, expected) < 1e-10


@of_every_kind
@given(data=st.data())
def test_a_complex_step_is_the_gradient(kind, data):
    case = data.draw(shape_cases(kind))
    _, gradients, _, _ = case.model.loss_and_gradients(case.batch)
    direction = np.random.default_rng(0).normal(size=gradients.flat.size)
    assert abs(gradients.flat @ direction) > 0
    perturbed = type(case.model)(**case.model.sizes() | {"dtype": np.complex128})
    perturbed.parameters.flat[...] = case.model.parameters.flat + 1e-200j * direction
    loss, _ = perturbed.loss(_complex(case.batch))
    scale = np.abs(gradients.flat) @ np.abs(direction)
    assert loss.imag / 1e-200 == pytest.approx(gradients.flat @ direction, abs=1e-12 * scale)


def _complex(batch):
    """The same mini-batch, vectors as complex numbers."""
    return type(batch)(*(a.astype(complex) if a is not None and a.dtype.kind == "f" else a for a in batch))


@of_every_kind
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_shards_add_up_to_the_whole(kind, dropout, monkeypatch):
    case = one_case(kind, dropout=dropout)
    run = lambda: case.model.loss_and_gradients(case.batch, None, np.random.default_rng(3))[:2]
    monkeypatch.setenv(threads.OUR_VARIABLE, "1")
    loss, gradients = run()
    whole = gradients.flat.copy()
    monkeypatch.setenv(threads.OUR_VARIABLE, "3")
    monkeypatch.setattr(threads, "WORTHWHILE", 0)
    sharded_loss, sharded = run()
    assert np.abs(whole).max() > 0 and sharded_loss == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(sharded.flat, whole, rtol=1e-9, atol=1e-13)


@of_every_kind
def test_dropout_changes_the_loss_and_its_gradient_is_right(kind):
    case = one_case(kind, dropout=0.5)
    loss = lambda: case.model.loss(case.batch, None, np.random.default_rng(3))[0]
    assert loss() != case.model.loss(case.batch)[0]
    _, gradients, _, _ = case.model.loss_and_gradients(case.batch, None, np.random.default_rng(3))
    gradient = gradients.flat.copy()
    direction = np.random.default_rng(0).normal(size=gradient.size)
    flat = case.model.parameters.flat
    flat += 1e-6 * direction
    after = loss()
    flat -= 2e-6 * direction
    assert abs(gradient @ direction) > 1e-3
    assert (after - loss()) / 2e-6 == pytest.approx(gradient @ direction, rel=1e-6)


@of_every_kind
def test_what_stands_at_the_padding_does_not_matter(kind):
    case = one_case(kind)
    loss, gradients, _, _ = case.model.loss_and_gradients(case.batch)
    before = gradients.flat.copy()
    spoilt = {}
    for name, of in (("inputs", "lengths"), ("targets", "lengths"), ("source", "source_lengths")):
        if hasattr(case.batch, name):
            array, lengths = getattr(case.batch, name).copy(), getattr(case.batch, of)
            padding = np.arange(len(array))[:, None] >= lengths
            array[padding] = 2 if array.dtype.kind == "i" else np.nan
            spoilt[name] = array
    spoilt.pop("targets", None) if kind == "tagger" else None  # has three labels only
    again, gradients, _, _ = case.model.loss_and_gradients(case.batch._replace(**spoilt))
    assert again == loss and np.array_equal(gradients.flat, before)


@of_every_kind
@pytest.mark.parametrize("how", ["deepcopy", "pickle"])
def test_a_copy_computes_the_same_and_is_independent(kind, how):
    case = one_case(kind)
    loss, gradients, _, _ = case.model.loss_and_gradients(case.batch)
    other = copy.deepcopy(case.model) if how == "deepcopy" else pickle.loads(pickle.dumps(case.model))
    again, same, _, _ = other.loss_and_gradients(case.batch)
    assert again == loss and np.array_equal(same.flat, gradients.flat)
    other.parameters.flat += 1
    assert case.model.loss(case.batch)[0] == loss


@of_every_kind
def test_sizes_build_the_same_model(kind):
    model = one_case(kind, dropout=0.25).model
    again = type(model)(**model.sizes())
    assert again.sizes() == model.sizes() and again.parameters.shapes == model.parameters.shapes


@of_every_kind
def test_the_summary_names_every_layer(kind):
    model = one_case(kind).model
    names = [line.split()[0] for line in model.summary().splitlines()]
    layers = {name.rpartition(".")[0] for name in model.parameters}
    assert layers <= set(names) and f"{model.parameters.flat.size:,}" in model.summary()


def test_outputs_of_the_models_for_people():
    x, n = np.zeros((5, 2), int), np.array([3, 5])
    probabilities = Classifier(3, vocab_size=4, hidden=4).probabilities(x, n)
    assert probabilities.shape == (2, 3) and np.allclose(probabilities.sum(axis=1), 1)
    logits = Tagger(3, vocab_size=4, hidden=4).logits(x, n)
    assert logits.shape == (5, 2, 3) and not logits[3:, 0].any() and logits[:3, 0].all()


def test_one_to_one_is_a_plain_layer():
    """A tagger with T = 1 computes h from x and zeros, and logits from h."""
    model = Tagger(3, features=4, hidden=2, cell="rnn", bidirectional=False, dtype=np.float64)
    p, x = model.parameters, np.random.default_rng(0).normal(size=(1, 2, 4))
    h = np.tanh(x[0] @ p["rnn0.Wx"] + p["rnn0.b"])
    np.testing.assert_allclose(model.logits(x)[0], h @ p["output.W"] + p["output.b"], rtol=1e-12)


def test_the_gradient_of_a_vector_is_the_derivative():
    case = one_case("captioner")
    dv = case.model.vector_gradients(case.batch)
    assert np.abs(dv).min() > 0
    for b, f in ((0, 0), (3, 2)):
        moved = []
        for step in (1e-6, -1e-6):
            vectors = case.batch.vectors.copy()
            vectors[b, f] += step
            moved.append(case.model.loss(case.batch._replace(vectors=vectors))[0])
        assert (moved[0] - moved[1]) / 2e-6 == pytest.approx(dv[b, f], rel=1e-6)


IDS, LABELS = np.zeros((3, 2), int), np.zeros(2, int)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: Classifier(3), "either vocab_size, to read ids, or features"),
        (lambda: Classifier(3, vocab_size=4, features=4), "either vocab_size"),
        (lambda: Classifier(3, features=4, embedding=4), "an embedding needs ids"),
        (lambda: Classifier(0, vocab_size=4), "classes must be a whole number of at least 1"),
        (lambda: Classifier(3, vocab_size=4, pooling="min"), "pooling must be one of final, last, mean, max, not 'min'"),
        (lambda: Tagger(3, vocab_size=4, hidden=5), "hidden must be even, since each direction has half of it, not 5"),
        (lambda: Tagger(3, vocab_size=4, cell="lstn"), "cell must be one of lstm, gru, rnn, not 'lstn'"),
        (lambda: EncoderDecoder(4, 4, cell="gru", attention=3), "attention needs the cell lstm, not gru"),
        (lambda: Classifier(3, vocab_size=4).loss(LabelledBatch(IDS + 4, LABELS)), "inputs must be at least 0 and below 4"),
        (lambda: Classifier(3, vocab_size=4).loss(LabelledBatch(IDS, LABELS + 3)), "labels must be at least 0 and below 3"),
        (lambda: Classifier(3, vocab_size=4).loss(LabelledBatch(IDS, IDS)), r"one for each sequence, not \(3, 2\)"),
        (lambda: Classifier(3, vocab_size=4).loss(LabelledBatch(IDS, LABELS), ((1,),)), "only a language model"),
        (lambda: Classifier(3, features=4).loss(LabelledBatch(IDS, LABELS)), r"inputs must have the shape \(T, B, F\)"),
        (lambda: Tagger(3, vocab_size=4).loss(Batch(IDS, LABELS)), "one shape"),
        (lambda: Tagger(3, vocab_size=4).loss(Batch(IDS, IDS), ((1,),)), "only a language model"),
        (lambda: EncoderDecoder(4, 4).loss(PairBatch(IDS, IDS, LABELS)), "inputs and targets as long"),
        (lambda: EncoderDecoder(4, 4).loss(PairBatch(IDS[0], IDS, IDS)), r"the shapes \(S, B\) and \(T, B\)"),
        (lambda: EncoderDecoder(4, 4).loss(PairBatch(IDS, IDS, IDS), ((1,),)), "only a language model"),
        (lambda: EncoderDecoder(4, 4).encode(IDS[0]), r"source must have the shape \(S, B\)"),
        (lambda: EncoderDecoder(4, 4, attention=2).encode(IDS, np.array([3, 0])), "source 1 has none"),
        (lambda: Captioner(4, 5).loss(VectorBatch(np.zeros((3, 4), np.float32), IDS, IDS)), "3 vectors for 2 texts"),
        (lambda: Captioner(4, 5).loss(VectorBatch(np.zeros((2, 4), np.float32), IDS, IDS), ((1,),)), "only a language"),
    ],
)
def test_what_does_not_fit_is_refused(call, words):
    with pytest.raises(InputError, match=words):
        call()
