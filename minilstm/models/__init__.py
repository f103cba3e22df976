"""Models: layers, one flat vector of parameters, the loss of a mini-batch and its gradients.

One file a model; ``model.py`` has what they share. They know nothing of texts or of training.
"""

from minilstm.models.batch import Batch, LabelledBatch, PairBatch, VectorBatch
from minilstm.models.captioner import Captioner
from minilstm.models.classifier import Classifier
from minilstm.models.encoder_decoder import EncoderDecoder
from minilstm.models.language_model import LanguageModel
from minilstm.models.model import Model
from minilstm.models.tagger import Tagger

MODELS: dict[str, type[Model]] = {
    model.kind: model
    for model in (LanguageModel, Classifier, Tagger, EncoderDecoder, Captioner)
}

__all__ = [
    "MODELS",
    "Batch",
    "Captioner",
    "Classifier",
    "EncoderDecoder",
    "LabelledBatch",
    "LanguageModel",
    "Model",
    "PairBatch",
    "Tagger",
    "VectorBatch",
]
