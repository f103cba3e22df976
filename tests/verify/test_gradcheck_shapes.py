"""``check_model`` on classifiers, taggers, encoder-decoders and captioners."""

import numpy as np
import pytest

from minilstm import InputError
from minilstm.models import Batch, Classifier, LabelledBatch
from minilstm.models.captioner import Captioner
from minilstm.verify import check_model
from minilstm.verify.gradcheck import shapes
from tests.helpers.shapes import KINDS

SIZES = {"V": 4, "E": 2, "H": 4, "L": 1, "S": 3, "T": 3, "B": 2, "C": 3, "K": 2, "F": 2}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", [{}, {"bidirectional": True, "dropout": 0.5, "reverse_source": True}])
def test_all_gradients_are_right_and_nothing_is_changed(kind, options):
    model, batch = shapes.random_case_of(kind, SIZES, 3, **options)
    before = model.parameters.flat.copy()
    check = check_model(model, batch, tolerance=1e-12)
    assert check.passed and check.rows[0].relative <= 1e-12
    names = [*model.parameters] + ["vectors"] * (kind == "captioner")
    assert [row.name for row in check.rows] == names
    np.testing.assert_array_equal(model.parameters.flat, before)


@pytest.mark.parametrize("seed", range(8))
def test_attention_is_exact_for_any_seed(seed):
    assert check_model(*shapes.random_case_of("encoder-decoder", SIZES, seed), tolerance=1e-12).passed


@pytest.mark.parametrize("method", ["central", "projections"])
def test_the_other_methods_agree(method):
    for kind in KINDS:
        assert check_model(*shapes.random_case_of(kind, SIZES), method=method).passed


def test_vectors_as_inputs_are_taken():
    rng = np.random.default_rng(0)
    model = Classifier(2, features=3, hidden=4, dtype=np.float64)
    batch = LabelledBatch(rng.normal(size=(3, 2, 3)), np.array([0, 1]))
    assert check_model(model, batch).passed


def test_vectors_have_the_dropout_mask_of_the_loss():
    model, batch = shapes.random_case_of("captioner", SIZES | {"L": 2}, dropout=0.5)
    gradients = [model.vector_gradients(batch, np.random.default_rng(seed)) for seed in (0, 0, 1)]
    assert np.array_equal(*gradients[:2]) and not np.allclose(gradients[0], gradients[2])
    assert not np.allclose(gradients[0], model.vector_gradients(batch))


def test_what_does_not_fit_is_refused():
    model, batch = shapes.random_case_of("classifier", SIZES)
    with pytest.raises(InputError, match="takes a Classifier and a LabelledBatch"):
        check_model(model, Batch(batch.inputs, batch.inputs))
    with pytest.raises(InputError, match="only a language model takes an initial state"):
        check_model(model, batch, ())
    with pytest.raises(InputError, match=r"float64, not float32; Captioner\(…, dtype=float\)"):
        check_model(Captioner(2, 3, hidden=2), batch)
    with pytest.raises(InputError, match="seed"):
        check_model(model, batch, seed=-1)
