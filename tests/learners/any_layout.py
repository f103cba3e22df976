"""Right cells in the layout that a dictionary describes, written over single gates.

The dictionary is that of ``layout=``. All arrays of weights come in a dictionary ``p``, and their gradients go back in
one. Inside, each gate has matrices Wx (D, H) and Wh (H, H), and x is (B, D).
"""

import numpy as np

AXES = {"time first": (0, 1, 2), "batch first": (1, 0, 2), "columns": (2, 1, 0)}
GATES = {"lstm": "ifgo", "gru": "rzn", "rnn": "h"}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class Code:
    """Four functions in a layout."""

    def __init__(self, description):
        self.said = description
        self.order = description["gates"]
        self.letters = dict(zip(self.order, description["letters"]))
        self.names = description["names"]
        self.two_biases = "bx" in self.names

    # ---- arrays ----------------------------------------------------------------------

    def turned(self, array):
        """x, h and so on, from the layout or to it."""
        if array.ndim == 3:  # each of the three is its own inverse
            return array.transpose(AXES[self.said["axes"]])
        return array.T if self.said["axes"] == "columns" else array

    def block(self, p, quantity, gate):
        """(rows, H) of a gate; a bias is (H,)."""
        name = self.names[quantity]
        if "{}" in name:
            array = p[name.format(self.letters[gate])]
        else:
            array, k, G = p[name], self.order.index(gate), len(self.order)
            along = 0 if self.said["transposed"] or array.ndim == 1 or 1 in array.shape and quantity[0] == "b" else 1
            array = np.split(array, G, axis=along)[k]
        if quantity[0] == "b":
            return array.reshape(-1)
        return array.T if self.said["transposed"] else array

    def weights(self, p, gate):
        """Wx, Wh, bx and bh of a gate."""
        if self.said["concatenation"]:
            both = self.block(p, "W", gate)
            H = both.shape[1]
            D = len(both) - H
            Wx, Wh = (both[H:], both[:H]) if self.said["concatenation"] == "hx" else (both[:D], both[D:])
        else:
            Wx, Wh = self.block(p, "Wx", gate), self.block(p, "Wh", gate)
        if self.two_biases:
            return Wx, Wh, self.block(p, "bx", gate), self.block(p, "bh", gate)
        b = self.block(p, "b", gate)
        return Wx, Wh, b, np.zeros_like(b)

    def gradients(self, of_gates):
        """Those of single gates as arrays of the layout, by name."""
        blocks = {}
        for gate, (dWx, dWh, dbx, dbh) in of_gates.items():
            if self.said["concatenation"]:
                rows = [dWh, dWx] if self.said["concatenation"] == "hx" else [dWx, dWh]
                blocks["W", gate] = np.vstack(rows)
            else:
                blocks["Wx", gate], blocks["Wh", gate] = dWx, dWh
            if self.two_biases:
                blocks["bx", gate], blocks["bh", gate] = dbx, dbh
            else:
                blocks["b", gate] = dbx
        found = {}
        for quantity in dict.fromkeys(quantity for quantity, _ in blocks):
            name = self.names[quantity]
            parts = {gate: blocks[quantity, gate] for gate in self.order}
            if "{}" in name:
                found |= {name.format(self.letters[gate]): self.placed(part) for gate, part in parts.items()}
            else:
                found[name] = self.placed(np.concatenate([*parts.values()], axis=-1))
        return {self.said["gradient"].format(name): array for name, array in found.items()}

    def placed(self, array):
        if array.ndim == 1:
            return array[:, None] if self.said["axes"] == "columns" else array
        return array.T if self.said["transposed"] else array

    # ---- the cells -------------------------------------------------------------------

    def forward(self, x, state, p):
        """One step on (B, n)."""
        w = {gate: self.weights(p, gate) for gate in self.order}
        h = state[0]
        past = {k: h @ Wh + bh for k, (_, Wh, _, bh) in w.items()}
        z = {k: x @ Wx + bx + past[k] for k, (Wx, _, bx, _) in w.items()}
        if self.said["cell"] == "rnn":
            new = {"h": np.tanh(z["h"])}
            return (new["h"],), (x, state, w, new)
        if self.said["cell"] == "gru":
            r, u = sigmoid(z["r"]), sigmoid(z["z"])
            n = np.tanh(z["n"] - past["n"] + r * past["n"])
            return ((1 - u) * n + u * h,), (x, state, w, {"r": r, "z": u, "n": n, "q": past["n"]})
        i, f, g, o = sigmoid(z["i"]), sigmoid(z["f"]), np.tanh(z["g"]), sigmoid(z["o"])
        c = f * state[1] + i * g
        return (o * np.tanh(c), c), (x, state, w, {"i": i, "f": f, "g": g, "o": o, "c": c})

    def backward(self, dstate, cache):
        """dx, the state's gradient, and those of single gates."""
        x, state, w, v = cache
        dh, h = dstate[0], state[0]
        direct = 0
        if self.said["cell"] == "rnn":
            dz = {"h": dh * (1 - v["h"] ** 2)}
            of_past, rest = dz, ()
        elif self.said["cell"] == "gru":
            dn = dh * (1 - v["z"]) * (1 - v["n"] ** 2)
            du = dh * (h - v["n"]) * v["z"] * (1 - v["z"])
            dr = dn * v["q"] * v["r"] * (1 - v["r"])
            dz, of_past = {"r": dr, "z": du, "n": dn}, {"r": dr, "z": du, "n": dn * v["r"]}
            direct, rest = dh * v["z"], ()
        else:
            i, f, g, o, c = v.values()
            dc = dstate[1] + dh * o * (1 - np.tanh(c) ** 2)
            dz = {"i": dc * g * i * (1 - i), "f": dc * state[1] * f * (1 - f), "g": dc * i * (1 - g**2),
                  "o": dh * np.tanh(c) * o * (1 - o)}
            of_past, rest = dz, (dc * f,)
        dx = sum(dz[k] @ w[k][0].T for k in dz)
        dh_prev = direct + sum(of_past[k] @ w[k][1].T for k in dz)
        grads = {k: (x.T @ dz[k], h.T @ of_past[k], dz[k].sum(0), of_past[k].sum(0)) for k in dz}
        return dx, (dh_prev, *rest), grads

    # ---- in the layout ---------------------------------------------------------------

    def step(self, x, state, p):
        new, cache = self.forward(self.turned(x), tuple(map(self.turned, state)), p)
        return tuple(map(self.turned, new)), cache

    def step_backward(self, dstate, cache):
        dx, before, grads = self.backward(tuple(map(self.turned, dstate)), cache)
        return self.turned(dx), tuple(map(self.turned, before)), self.gradients(grads)

    def sequence(self, x, state, p):
        hs, caches, state = [], [], tuple(map(self.turned, state))
        for x_t in self.turned(x):
            state, cache = self.forward(x_t, state, p)
            hs.append(state[0])
            caches.append(cache)
        return self.turned(np.stack(hs)), tuple(map(self.turned, state)), caches

    def sequence_backward(self, dh, dstate, caches):
        dxs, total, dstate = [], None, tuple(map(self.turned, dstate))
        for dh_t, cache in zip(self.turned(dh)[::-1], caches[::-1]):
            dx, dstate, grads = self.backward((dh_t + dstate[0], *dstate[1:]), cache)
            dxs.insert(0, dx)
            total = grads if total is None else {k: [*map(sum, zip(total[k], grads[k]))] for k in grads}
        return self.turned(np.stack(dxs)), tuple(map(self.turned, dstate)), self.gradients(total)
