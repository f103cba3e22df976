"""Is a gradient right? Numerical derivatives, comparisons, known mistakes.

``check_model`` is loaded when it is first used, because whole models need Numba.
"""

from typing import TYPE_CHECKING

from minilstm.verify.diagnose.compare import (
    diagnose,
    diagnose_loss,
    diagnose_sequence,
    diagnose_step,
)
from minilstm.verify.diagnose.diagnosis import Diagnosis, Finding
from minilstm.verify.diagnose.mistakes import MISTAKES
from minilstm.verify.diagnose.shapes import (
    diagnose_attention,
    diagnose_bidirectional,
    diagnose_encoder_decoder,
    diagnose_pooling,
    diagnose_teacher_forcing,
)
from minilstm.verify.diagnose.variant import Mistake
from minilstm.verify.gradcheck import numerical
from minilstm.verify.gradcheck.check import check_gradients
from minilstm.verify.gradcheck.pairs import check_sequence, check_step
from minilstm.verify.gradcheck.report import GradientCheck, ParameterCheck
from minilstm.verify.layouts.layout import Layout
from minilstm.verify.layouts.presets import LAYOUTS

if TYPE_CHECKING:
    from minilstm.verify.gradcheck.whole_model import check_model

__all__ = [
    "LAYOUTS",
    "MISTAKES",
    "Diagnosis",
    "Finding",
    "GradientCheck",
    "Layout",
    "Mistake",
    "ParameterCheck",
    "check_gradients",
    "check_model",
    "check_sequence",
    "check_step",
    "diagnose",
    "diagnose_attention",
    "diagnose_bidirectional",
    "diagnose_encoder_decoder",
    "diagnose_loss",
    "diagnose_pooling",
    "diagnose_sequence",
    "diagnose_step",
    "diagnose_teacher_forcing",
    "numerical",
]


def __getattr__(name: str):
    if name == "check_model":
        from minilstm.verify.gradcheck.whole_model import check_model

        return check_model
    raise AttributeError(f"module 'minilstm.verify' has no attribute {name!r}")
