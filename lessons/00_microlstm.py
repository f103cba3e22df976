"""An LSTM on one page: it reads text, learns to predict the next character, writes.

    python lessons/00_microlstm.py [FILE]        the text: the names below, or a file

The hidden state h and the cell state c pass from character to character. Gates, numbers
between 0 and 1, decide what c forgets, what is added to it, and what h shows of it.

    (0)  x = E[id]                               embedding: a character's row of a table
    (1)  f = σ(x Wx_f + h_prev Wh_f + b_f)       forget gate,  σ(z) = 1 / (1 + exp(-z))
    (2)  i = σ(x Wx_i + h_prev Wh_i + b_i)       input gate
    (3)  g = tanh(x Wx_g + h_prev Wh_g + b_g)    candidate
    (4)  c = f ⊙ c_prev + i ⊙ g                  cell state
    (5)  o = σ(x Wx_o + h_prev Wh_o + b_o)       output gate
    (6)  h = o ⊙ tanh(c)                         hidden state
    (7)  a = h Wy + by                           logits: a score for every character
    (8)  p = exp(a) / Σ exp(a)                   softmax: their probabilities
    (9)  loss = mean of -log p[next character]   cross-entropy, in nats

Wx, Wh and b hold four blocks of H columns each, side by side, in the order i, f, g, o.
Backward, dX is dloss/dX, shaped like X; a line names the equation it differentiates.
Letters: T time steps, B windows of text, V characters, D and H the widths of x and h.
Hochreiter and Schmidhuber (1997); Gers et al. (2000) for f; Adam: Kingma and Ba (2015).
"""
import signal
import sys
from pathlib import Path

import numpy as np

NAMES = """ada adam alexander alice amelia andrew angela anna anton boris camilla carl
cecilia charles clara daniel david edward eleanor elena emil emily emma eva felix fiona
frank george helen henry hugo ida irene isabel jack jasmine julia karen laura leo lucas
lydia maria martin mary michael nina noah oliver omar paul peter rosa ruth victor zoe"""
sigmoid = lambda z: 0.5 + 0.5 * np.tanh(0.5 * z)           # neither can overflow
softmax = lambda a: np.exp(a - np.logaddexp.reduce(a, axis=1, keepdims=True))


def init(rng, V, D=16, H=64):
    normal = lambda rows, columns: rng.normal(0, rows**-0.5, (rows, columns))
    b = np.repeat([0.0, 1.0, 0.0, 0.0], H)                 # (4H,): forget gate open
    return {"E": rng.normal(0, 1, (V, D)), "Wx": normal(D, 4 * H),
            "Wh": normal(H, 4 * H), "b": b, "Wy": normal(H, V), "by": np.zeros(V)}


def lstm_step(x, h_prev, c_prev, Wx, Wh, b):
    zi, zf, zg, zo = np.split(x @ Wx + h_prev @ Wh + b, 4, axis=1)     # (B, H) each
    f = sigmoid(zf)                                        # (1)
    i = sigmoid(zi)                                        # (2)
    g = np.tanh(zg)                                        # (3)
    c = f * c_prev + i * g                                 # (4)
    o = sigmoid(zo)                                        # (5)
    h = o * np.tanh(c)                                     # (6)
    return h, c, (x, h_prev, c_prev, i, f, g, o, c)


def lstm_step_backward(dh, dc, cache, Wx, Wh):
    x, h_prev, c_prev, i, f, g, o, c = cache
    do = dh * np.tanh(c)                                   # (6)
    dc = dc + dh * o * (1 - np.tanh(c) ** 2)               # (6): c acts through h too
    df, di, dg, dc_prev = dc * c_prev, dc * g, dc * i, dc * f                  # (4)
    dzi, dzf = di * i * (1 - i), df * f * (1 - f)          # (2), (1)
    dzg, dzo = dg * (1 - g**2), do * o * (1 - o)           # (3), (5)
    dz = np.concatenate([dzi, dzf, dzg, dzo], axis=1)      # (B, 4H)
    return dz @ Wx.T, dz @ Wh.T, dc_prev, x.T @ dz, h_prev.T @ dz, dz.sum(axis=0)


def forward(params, inputs, targets):
    E, Wx, Wh, b, Wy, by = params.values()
    h = c = np.zeros((inputs.shape[1], len(Wh)))           # (B, H): nothing read so far
    hs, caches = [], []
    for ids in inputs:                                     # (B,): one time step
        h, c, cache = lstm_step(E[ids], h, c, Wx, Wh, b)   # (0) to (6)
        hs.append(h)
        caches.append(cache)
    h = np.concatenate(hs)                                 # (T B, H)
    p = softmax(h @ Wy + by)                               # (T B, V): (7), (8)
    onehot = targets.reshape(-1, 1) == np.arange(len(by))  # (T B, V): what came next
    return -np.log(p[onehot]).mean(), (inputs, caches, h, p, onehot)           # (9)


def backward(params, cache):
    E, Wx, Wh, b, Wy, by = params.values()
    inputs, caches, h, p, onehot = cache
    da = (p - onehot) / inputs.size                        # (T B, V): (9) and (8)
    dWy, dby = h.T @ da, da.sum(axis=0)                    # (7)
    dhs = (da @ Wy.T).reshape(*inputs.shape, -1)           # (T, B, H): (7)
    dE, dWx, dWh, db = (np.zeros_like(W) for W in (E, Wx, Wh, b))
    dh = dc = np.zeros_like(dhs[0])                        # (B, H): no step after T
    for t in reversed(range(len(inputs))):                 # h acts via a and step t + 1
        dx, dh, dc, *dW = lstm_step_backward(dhs[t] + dh, dc, caches[t], Wx, Wh)
        dWx, dWh, db = dWx + dW[0], dWh + dW[1], db + dW[2]    # the T steps add up
        np.add.at(dE, inputs[t], dx)                       # (0): to the row of its id
    return dict(zip(params, (dE, dWx, dWh, db, dWy, dby)))


def adam(params, grads, m, v, t, rate=0.005, beta1=0.9, beta2=0.999, epsilon=1e-8):
    for k, g in grads.items():
        m[k] = beta1 * m[k] + (1 - beta1) * g              # running mean of gradients
        v[k] = beta2 * v[k] + (1 - beta2) * g**2           # and of their squares
        m_hat, v_hat = m[k] / (1 - beta1**t), v[k] / (1 - beta2**t)    # m, v began at 0
        params[k] -= rate * m_hat / (np.sqrt(v_hat) + epsilon)


def sample(params, first, length, temperature, rng):
    E, Wx, Wh, b, Wy, by = params.values()
    ids, h, c = [first], np.zeros((1, len(Wh))), np.zeros((1, len(Wh)))
    while len(ids) < length:                               # what is drawn is read next
        h, c, _ = lstm_step(E[ids[-1:]], h, c, Wx, Wh, b)
        ids.append(rng.choice(len(by), p=softmax((h @ Wy + by) / temperature)[0]))
    return ids


def main(arguments, steps=400, T=16, B=16):
    rng = np.random.default_rng(0)
    names = " ".join(name for _ in range(20) for name in rng.permutation(NAMES.split()))
    try:
        text = Path(arguments[0]).read_text(encoding="utf-8") if arguments else names
        if len(arguments) > 1 or len(text) <= T:
            raise ValueError(f"give one file, with more than {T} characters")
    except (OSError, ValueError) as error:
        print(f"cannot learn from {' '.join(arguments)}: {error}", file=sys.stderr)
        sys.exit(2)
    chars, ids = np.unique(list(text), return_inverse=True)                # (V,), (n,)
    params = init(rng, len(chars))
    m, v, losses = dict.fromkeys(params, 0), dict.fromkeys(params, 0), []
    for step in range(1, steps + 1):
        at = rng.integers(0, len(ids) - T, B) + np.arange(T)[:, None]     # B windows
        inputs, targets = ids[at], ids[at + 1]             # (T, B): each, and the next
        loss, cache = forward(params, inputs, targets)
        grads = backward(params, cache)
        losses = losses[-99:] + [loss]                     # of the last 100 steps
        if step == 1:                                      # is its largest dWh right?
            Wh, dWh = params["Wh"], grads["Wh"].max()
            e = np.where(grads["Wh"] == dWh, 1e-5, 0)      # (H, 4H): one weight only
            up = forward(params | {"Wh": Wh + e}, inputs, targets)[0]
            down = forward(params | {"Wh": Wh - e}, inputs, targets)[0]
            print(f"dWh {dWh:.9f}, by finite differences {(up - down) / 2e-5:.9f}")
        if step == 1 or step % 100 == 0:
            print(f"step {step:4}  loss {np.mean(losses):.3f} (mean of {len(losses)})")
        adam(params, grads, m, v, step)
    for temperature in (0.5, 1.0):
        written = chars[sample(params, ids[0], 200, temperature, rng)]
        print(f"\ntemperature {temperature}\n{''.join(written)}")


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")      # any text, on any screen
    for name in {"SIGINT", "SIGPIPE"} & set(dir(signal)):  # Ctrl-C or a closed pipe
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    main(sys.argv[1:])
