"""3. One step backward: solutions."""

import numpy as np


def cell_state_gradient(dh, dc_next, o, tanh_c):
    return dc_next + dh * o * (1 - tanh_c**2)


def pre_activation_gradient(dh, dc, c_prev, i, f, g, o, tanh_c):
    do = dh * tanh_c                # (6)
    di = dc * g                     # (4)
    df = dc * c_prev                # (4)
    dg = dc * i                     # (4)
    dzi = di * i * (1 - i)          # (2)
    dzf = df * f * (1 - f)          # (1)
    dzg = dg * (1 - g**2)           # (3)
    dzo = do * o * (1 - o)          # (5)
    return np.concatenate([dzi, dzf, dzg, dzo], axis=1)


def lstm_step_backward(dh, dc_next, cache, Wx, Wh):
    x, h_prev, c_prev, i, f, g, o, tanh_c = cache
    dc = cell_state_gradient(dh, dc_next, o, tanh_c)
    dc_prev = dc * f                # the gradient for the step before
    dz = pre_activation_gradient(dh, dc, c_prev, i, f, g, o, tanh_c)
    dx = dz @ Wx.T
    dh_prev = dz @ Wh.T
    dWx = x.T @ dz                  # a sum over the batch
    dWh = h_prev.T @ dz             # paired with the h that made z
    db = dz.sum(axis=0)
    return dx, dh_prev, dc_prev, (dWx, dWh, db)
