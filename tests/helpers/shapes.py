"""Small models of every sequence shape with random parameters, and mini-batches for them.

Each case knows its loss and gradients by the reference implementation.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from minilstm.data.pairs import teacher_forcing
from minilstm.models.batch import Batch, LabelledBatch, PairBatch, VectorBatch
from minilstm.models.captioner import Captioner
from minilstm.models.classifier import Classifier
from minilstm.models.encoder_decoder import EncoderDecoder
from minilstm.models.tagger import Tagger
from minilstm.reference import captioner, classifier, encoder_decoder

START, END = 0, 5  # of targets, among ids 0 to 5
KINDS = ("classifier", "tagger", "encoder-decoder", "captioner")


class ShapeCase(NamedTuple):
    """A model, a mini-batch, and what the reference makes of parameters by name."""

    model: Any
    batch: Any
    reference: Callable[[dict], tuple[Any, dict]]  # loss, gradients


def randomized(model, rng):
    """The model, all its parameters random, biases too."""
    model.parameters.flat[...] = rng.normal(0, 0.6, model.parameters.flat.size)
    return model


def random_inputs(rng, T, B, of_vectors):
    """Ids (T, B) below 7, or vectors (T, B, 4); and the sizes that fit a model to them."""
    if of_vectors:
        return rng.normal(size=(T, B, 4)), {"features": 4}
    embedding = int(rng.integers(2, 5)) if rng.random() < 0.7 else None
    return rng.integers(0, 7, (T, B)), {"vocab_size": 7, "embedding": embedding}


def random_targets(rng, B, longest=4):
    """Targets (n,) of ids from 1 to 4, without start and end."""
    return [rng.integers(1, 5, rng.integers(1, longest + 1)) for _ in range(B)]


def side_by_side(targets):
    """Targets (T, B) and their lengths."""
    lengths = np.array([len(y) for y in targets])
    padded = np.zeros((lengths.max(), len(targets)), int)
    for b, y in enumerate(targets):
        padded[: len(y), b] = y
    return padded, lengths


def classifier_case(rng, cell, T, B, **options):
    kind = ("final", "last", "mean", "max")[rng.integers(4)]
    x, sizes = random_inputs(rng, T, B, rng.random() < 0.3)
    labels, lengths = rng.integers(0, 3, B), rng.integers(1, T + 1, B)
    model = Classifier(3, **sizes, cell=cell, pooling=kind, **options)
    run = lambda params: classifier.loss_and_gradients(params, x, labels, lengths, kind)[:2]
    return ShapeCase(randomized(model, rng), LabelledBatch(x, labels, lengths), run)


def tagger_case(rng, cell, T, B, **options):
    x, sizes = random_inputs(rng, T, B, rng.random() < 0.3)
    labels, lengths = rng.integers(0, 3, (T, B)), rng.integers(1, T + 1, B)
    model = Tagger(3, **sizes, cell=cell, **options)
    run = lambda params: classifier.loss_and_gradients(params, x, labels, lengths, None)[:2]
    return ShapeCase(randomized(model, rng), Batch(x, labels, lengths), run)


def pair_case(rng, cell, T, B, **options):
    reverse = bool(rng.integers(2))
    attention = int(rng.integers(1, 6)) if cell == "lstm" and rng.random() < 0.7 else None
    model = EncoderDecoder(
        7, 6, 3, cell=cell, attention=attention, reverse_source=reverse, **options
    )
    source, lengths = rng.integers(0, 7, (T, B)), rng.integers(1, T + 1, B)
    targets = random_targets(rng, B)
    inputs, outputs, n = teacher_forcing(targets, START, END)
    run = lambda params: encoder_decoder.loss_and_gradients(
        params, source, lengths, *side_by_side(targets), START, END, reverse
    )
    return ShapeCase(randomized(model, rng), PairBatch(source, inputs, outputs, lengths, n), run)


def caption_case(rng, cell, T, B, bidirectional=False, **options):
    embedding = int(rng.integers(2, 5)) if rng.random() < 0.7 else None
    model = Captioner(4, 6, embedding, cell=cell, **options)
    vectors, targets = rng.normal(size=(B, 4)), random_targets(rng, B)
    inputs, outputs, n = teacher_forcing(targets, START, END)
    run = lambda params: captioner.loss_and_gradients(
        params, vectors, *side_by_side(targets), START, END
    )[:2]
    return ShapeCase(randomized(model, rng), VectorBatch(vectors, inputs, outputs, n), run)


MAKE = dict(zip(KINDS, (classifier_case, tagger_case, pair_case, caption_case)))


@st.composite
def shape_cases(draw, kind, dtype=np.float64, dropout=0.0):
    """A case of one kind: any cell, one or two layers, in one direction or both."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    cell = draw(st.sampled_from(["lstm", "gru", "rnn"]))
    T, B = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    layers, both = draw(st.integers(1, 2)), draw(st.booleans())
    return MAKE[kind](
        rng, cell, T, B, hidden=4, layers=layers, bidirectional=both, dtype=dtype,
        dropout=dropout,
    )
