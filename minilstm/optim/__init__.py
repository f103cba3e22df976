"""Optimizers on flat vectors, schedules of the learning rate, and gradient clipping."""

from minilstm.optim.adam import Adam, AdamState, adam_step
from minilstm.optim.clipping import clip, clip_by_global_norm, clip_by_value
from minilstm.optim.clipping import clip_up_to_a_factor
from minilstm.optim.optimizer import Optimizer, OptimizerState
from minilstm.optim.rmsprop import RMSprop, RMSpropState, rmsprop_step
from minilstm.optim.schedules import Constant, CosineDecay, StepDecay
from minilstm.optim.sgd import SGD, SGDState, sgd_step

OPTIMIZERS: dict[str, type[Optimizer]] = {"adam": Adam, "rmsprop": RMSprop, "sgd": SGD}

__all__ = [
    "OPTIMIZERS",
    "SGD",
    "Adam",
    "AdamState",
    "Constant",
    "CosineDecay",
    "Optimizer",
    "OptimizerState",
    "RMSprop",
    "RMSpropState",
    "SGDState",
    "StepDecay",
    "adam_step",
    "clip",
    "clip_by_global_norm",
    "clip_by_value",
    "clip_up_to_a_factor",
    "rmsprop_step",
    "sgd_step",
]
