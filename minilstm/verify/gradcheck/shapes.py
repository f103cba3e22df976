"""The gradient check of classifiers, taggers, encoder-decoders and captioners.

As for a language model (``whole_model.py``), the compiled engine itself computes the
loss, in float64 and in complex128, on sequences of different lengths. These models
begin from no state of their own, so there is no initial state to check. A captioner's
vectors are checked like its parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minilstm.checks import check_seed
from minilstm.errors import InputError
from minilstm.models.batch import Batch, LabelledBatch, PairBatch, VectorBatch
from minilstm.models.captioner import Captioner
from minilstm.models.classifier import Classifier
from minilstm.models.encoder_decoder import EncoderDecoder
from minilstm.models.model import Model
from minilstm.models.tagger import Tagger
from minilstm.verify.gradcheck.check import check_gradients
from minilstm.verify.gradcheck.report import GradientCheck

VECTORS = "vectors"  # a captioner's, among the rows of the table
Sizes = dict[str, int]  # by letter
SCALE = 0.6  # of random parameters
# attention to annotations that hardly differ has gradients that nearly cancel
SCALE_OF = {EncoderDecoder.kind: 1.5}
BATCHES: dict[type[Model], type] = {
    Classifier: LabelledBatch,
    Tagger: Batch,
    EncoderDecoder: PairBatch,
    Captioner: VectorBatch,
}


def check_shape(
    model: Model,
    batch: Any,
    *,
    method: str = "complex",
    tolerance: float | None = None,
    seed: int = 0,
) -> GradientCheck:
    """Check the gradients of all parameters, and of a captioner's vectors.

    Parameters
    ----------
    model : Classifier, Tagger, EncoderDecoder or Captioner
        Of dtype float64. It is not changed.
    batch : LabelledBatch, Batch, PairBatch or VectorBatch
        The mini-batch that belongs to such a model.
    method, tolerance, seed
        As in ``check_gradients``. The dropout mask is the same at every evaluation.

    Returns
    -------
    GradientCheck
        True if every gradient is right. It prints as a table.

    Raises
    ------
    InputError
        If the batch does not fit the model; and as ``check_gradients``.
    """
    name, of_model = type(model).__name__, BATCHES[type(model)]
    fits = isinstance(batch, of_model)
    if not fits:
        raise InputError(f"check_model takes a {name} and a {of_model.__name__}")
    check_seed("seed", seed)
    model.loss(batch)  # reports what does not fit
    models = {
        np.dtype(dtype): type(model)(**model.sizes() | {"dtype": dtype})
        for dtype in (np.float64, np.complex128)
    }

    def arranged(params):
        """A model and a batch in the dtype of the parameters, with their values."""
        ours = models[np.result_type(*params.values())]
        for name, view in ours.parameters.items():
            view[...] = params[name]
        arrays = {
            name: params.get(name, array).astype(ours.dtype)
            for name, array in batch._asdict().items()
            if array is not None and array.dtype.kind == "f"
        }
        return ours, batch._replace(**arrays)

    def dropout_rng():
        return np.random.default_rng([seed, 2])

    def loss(params):
        ours, mine = arranged(params)
        return ours.loss(mine, None, dropout_rng())[0]

    def gradients(params):
        ours, mine = arranged(params)
        of_vectors = {}
        if isinstance(ours, Captioner):
            of_vectors[VECTORS] = ours.vector_gradients(mine, dropout_rng())
        _, grads, *_ = ours.loss_and_gradients(mine, None, dropout_rng())
        return {**grads, **of_vectors}

    params = dict(model.parameters)
    if isinstance(batch, VectorBatch):
        params[VECTORS] = batch.vectors
    return check_gradients(
        loss, params, gradients, method=method, tolerance=tolerance, seed=seed
    )


def model_and_arguments(
    kind: str,
    sizes: Sizes,
    *,
    cell: str = "lstm",
    dropout: float = 0.0,
    bidirectional: bool = False,
    pooling: str = "final",
    reverse_source: bool = False,
) -> tuple[Any, dict[str, Any]]:
    """The class of a model, and the arguments that build it; nothing is allocated.

    ``kind`` is "classifier", "tagger", "encoder-decoder" or "captioner". ``sizes`` are
    V (vocabulary), E (embedding; 0: one-hot), H (hidden) and L (layers); C (classes) of
    a classifier or tagger, K (attention; 0: none) of an encoder-decoder, F (features)
    of a captioner. What such a model does not have is not used.
    """
    stack = {"hidden": sizes["H"], "layers": sizes["L"], "cell": cell}
    words = {"vocab_size": sizes["V"], "embedding": sizes["E"] or None}
    given = {**stack, "dropout": dropout}
    if kind == Captioner.kind:
        return Captioner, {"features": sizes["F"], **words, **given}
    given["bidirectional"] = bidirectional
    if kind == EncoderDecoder.kind:
        return EncoderDecoder, {
            "source_size": sizes["V"],
            "target_size": sizes["V"],
            "embedding": sizes["E"],
            "attention": sizes["K"] or None,
            "reverse_source": reverse_source,
            **given,
        }
    inputs = {**words, "features": None}
    if kind == Classifier.kind:
        return Classifier, {
            "classes": sizes["C"], **inputs, "pooling": pooling, **given
        }  # fmt: skip
    return Tagger, {"labels": sizes["C"], **inputs, **given}


def random_case_of(
    kind: str, sizes: Sizes, seed: int = 0, **options: Any
) -> tuple[Model, Any]:
    """A float64 model with random weights, and a random mini-batch for it.

    ``kind``, ``sizes`` and ``options`` as in ``model_and_arguments``. Besides, sizes
    have B (sequences), T (time steps) and, for an encoder-decoder, S (those of the
    source). The first sequence has the full length, the others random ones.

    Raises InputError if the model cannot have these sizes.
    """
    rng = np.random.default_rng(check_seed("seed", seed))
    make, arguments = model_and_arguments(kind, sizes, **options)
    model = make(**arguments, dtype=np.float64)
    scale = SCALE_OF.get(kind, SCALE)
    model.parameters.flat[:] = rng.normal(0, scale, model.parameters.flat.size)
    return model, BATCH_OF[kind](rng, sizes)


def _ids(rng: np.random.Generator, size: int, *shape: int) -> np.ndarray:
    return rng.integers(0, size, shape)


def _lengths(rng: np.random.Generator, T: int, B: int) -> np.ndarray:
    lengths = rng.integers(1, T + 1, B)
    lengths[0] = T
    return lengths


def _labelled(rng: np.random.Generator, n: Sizes) -> LabelledBatch:
    T, B = n["T"], n["B"]
    labels = _ids(rng, n["C"], B)
    return LabelledBatch(_ids(rng, n["V"], T, B), labels, _lengths(rng, T, B))


def _tagged(rng: np.random.Generator, n: Sizes) -> Batch:
    T, B = n["T"], n["B"]
    labels = _ids(rng, n["C"], T, B)
    return Batch(_ids(rng, n["V"], T, B), labels, _lengths(rng, T, B))


def _pairs(rng: np.random.Generator, n: Sizes) -> PairBatch:
    S, T, B = n["S"], n["T"], n["B"]
    source, inputs, targets = (_ids(rng, n["V"], steps, B) for steps in (S, T, T))
    lengths = _lengths(rng, S, B), _lengths(rng, T, B)
    return PairBatch(source, inputs, targets, *lengths)


def _vectors(rng: np.random.Generator, n: Sizes) -> VectorBatch:
    T, B = n["T"], n["B"]
    vectors = rng.standard_normal((B, n["F"]))
    inputs, targets = (_ids(rng, n["V"], T, B) for _ in range(2))
    return VectorBatch(vectors, inputs, targets, _lengths(rng, T, B))


BATCH_OF: dict[str, Callable[[np.random.Generator, Sizes], Any]] = {
    Classifier.kind: _labelled,
    Tagger.kind: _tagged,
    EncoderDecoder.kind: _pairs,
    Captioner.kind: _vectors,
}
