"""Weights of other frameworks, as dictionaries of NumPy arrays: in and out.

They are exact to the bit, and the framework need not be installed.

    ours     Wx (D, G·H)            Wh (H, G·H)                b (G·H,); GRU: bx, bh
    PyTorch  weight_ih_l0 (G·H, D)  weight_hh_l0 (G·H, H)      bias_ih_l0, bias_hh_l0
    Keras    kernel (D, G·H)        recurrent_kernel (H, G·H)  bias (G·H,); GRU: (2, 3H)

The mathematics is the same in all three; what differs is which way a matrix lies, how
many biases there are, and the order of the G blocks of H columns or rows: i, f, g, o of
an LSTM everywhere (Keras calls g c), r, z, n of a GRU, but z, r, h in Keras.

- ``pytorch.py``, ``keras.py``: names of a framework's arrays, to ours and back.
- ``layout.py``: what both share: names with prefixes, whole models, tied layers.
- ``fit.py``: whether given arrays fit and, if they do not, what they are.
"""

from minilstm.interop.keras import (
    layer_from_keras,
    layer_to_keras,
    load_keras,
    to_keras,
)
from minilstm.interop.pytorch import (
    load_torch,
    stack_from_torch,
    stack_to_torch,
    to_torch,
)

__all__ = [
    "layer_from_keras",
    "layer_to_keras",
    "load_keras",
    "load_torch",
    "stack_from_torch",
    "stack_to_torch",
    "to_keras",
    "to_torch",
]
