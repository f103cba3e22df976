"""An LSTM as learners write it, in several styles, each with a place for a mistake.

It imports nothing of minilstm.
"""

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def step(x, h_prev, c_prev, Wx, Wh, b):
    z = np.dot(x, Wx) + np.dot(h_prev, Wh) + b
    H = h_prev.shape[1]
    i, f, o = sigmoid(z[:, :H]), sigmoid(z[:, H : 2 * H]), sigmoid(z[:, 3 * H :])
    g = np.tanh(z[:, 2 * H : 3 * H])
    c = f * c_prev + i * g
    return o * np.tanh(c), c, {"x": x, "h": h_prev, "c": c_prev, "i": i, "f": f, "g": g, "o": o, "t": np.tanh(c)}


def step_backward(dh, dc, cache, Wx, Wh):
    x, h, c, i, f, g, o, t = cache.values()
    dc = dc + dh * o * (1 - t**2)
    dz = np.hstack((dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g**2), dh * t * o * (1 - o)))
    return dz @ Wx.T, dz @ Wh.T, dc * f, {"dWx": x.T @ dz, "dWh": h.T @ dz, "db": dz.sum(axis=0)}


class Functions:
    """Zeros with the dtype of x, a list of caches.

    The other styles change one thing each.
    """

    arranged = staticmethod(lambda caches: caches)  # what forward returns as its cache
    dc_factor = 1.0  # another number is a mistake in dc_prev

    def zeros(self, shape, like):
        return np.zeros(shape, like.dtype)

    def forward(self, x, state, Wx, Wh, b):
        (T, B, _), (h, c) = x.shape, state
        outputs, caches = self.zeros((T, B, h.shape[1]), x), []
        for t in range(T):
            h, c, cache = step(x[t], h, c, Wx, Wh, b)
            outputs[t] = h
            caches.append(cache)
        return outputs, (h, c), self.arranged(caches)

    def last_first(self, caches):
        return reversed(caches)

    def clipped(self, gradient):
        return gradient

    def finish(self, grads):
        return grads

    def backward(self, dh, dstate, caches, Wx, Wh):
        dx = np.zeros((len(dh), dh.shape[1], len(Wx)))
        dWx, dWh, db = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros(Wx.shape[1])
        dh_next, dc_next = dstate
        t = len(dh)
        for cache in self.last_first(caches):
            t -= 1
            dx[t], dh_next, dc_next, grads = step_backward(dh[t] + dh_next, dc_next, cache, Wx, Wh)
            dh_next, dc_next = self.clipped(dh_next), self.dc_factor * dc_next
            dWx, dWh, db = dWx + grads["dWx"], dWh + grads["dWh"], db + grads["db"]
        return dx, (dh_next, dc_next), self.finish((dWx, dWh, db))


class ZerosWithoutDtype(Functions):
    """h = np.zeros(...); h[t] = ..., as in many courses."""

    def zeros(self, shape, like):
        return np.zeros(shape)


class OnSelf(Functions):
    """The cache is an attribute."""

    def arranged(self, caches):
        self.caches = caches

    def last_first(self, caches):
        return reversed(self.caches)


class Popped(Functions):
    """A stack of caches."""

    def last_first(self, caches):
        while True:
            yield caches.pop()
            if not caches:
                return


class Iterated(Functions):
    """An iterator over caches, which is exhausted after its first use."""

    arranged = staticmethod(lambda caches: iter(caches[::-1]))

    def last_first(self, caches):
        return caches


class Reversed(Functions):
    """A list of caches that is reversed in place."""

    def last_first(self, caches):
        caches.reverse()
        return caches


class WorkedIn(Functions):
    """Backward changes arrays of its cache."""

    def last_first(self, caches):
        for cache in reversed(caches):
            yield dict(cache)
            cache["t"] *= 0.5


STYLES = [Functions, ZerosWithoutDtype, OnSelf, Popped, Iterated, Reversed, WorkedIn]
