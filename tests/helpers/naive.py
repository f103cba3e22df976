"""The oracle: LSTM, GRU, RNN, output layer, loss and generation in plain Python.

It imports neither minilstm nor NumPy, so it shares no mistake with the code that it
tests. It is written from the equations alone, one scalar at a time. Arguments are
nested lists (or anything indexable), results are nested lists. Only exp, log and tanh
come from the math module; the sigmoid is its definition.
"""

import math


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def lstm_step(x, h_prev, c_prev, Wx, Wh, b):
    """One time step of one sequence: x (D), h_prev and c_prev (H).

    Returns h, c and the three gates and the candidate, each a list of H numbers.
    """
    D, H = len(x), len(h_prev)

    def pre_activation(column):
        z = b[column]
        for d in range(D):
            z += x[d] * Wx[d][column]
        for k in range(H):
            z += h_prev[k] * Wh[k][column]
        return z

    i = [sigmoid(pre_activation(j)) for j in range(H)]
    f = [sigmoid(pre_activation(H + j)) for j in range(H)]
    g = [math.tanh(pre_activation(2 * H + j)) for j in range(H)]
    o = [sigmoid(pre_activation(3 * H + j)) for j in range(H)]
    c = [f[j] * c_prev[j] + i[j] * g[j] for j in range(H)]
    h = [o[j] * math.tanh(c[j]) for j in range(H)]
    return h, c, (i, f, g, o)


def lstm_sequence(xs, h0, c0, Wx, Wh, b):
    """One sequence of any length: xs (T, D) to all h (T, H) and the final h, c."""
    h, c, hs = list(h0), list(c0), []
    for x in xs:
        h, c, _ = lstm_step(x, h, c, Wx, Wh, b)
        hs.append(h)
    return hs, h, c


def lstm_sequence_backward(xs, h0, c0, Wx, Wh, b, dhs, dhT, dcT):
    """Gradients of sum(dhs * hs) + sum(dhT * hT) + sum(dcT * cT), scalar by scalar."""
    T, D, H = len(xs), len(Wx), len(h0)
    h_before, c_before, c_after, gates = [], [], [], []
    h, c = list(h0), list(c0)
    for x in xs:
        h_before.append(h)
        c_before.append(c)
        h, c, ifgo = lstm_step(x, h, c, Wx, Wh, b)
        c_after.append(c)
        gates.append(ifgo)

    dWx = [[0.0] * (4 * H) for _ in range(D)]
    dWh = [[0.0] * (4 * H) for _ in range(H)]
    db = [0.0] * (4 * H)
    dxs = [[0.0] * D for _ in range(T)]
    dh, dc = list(dhT), list(dcT)
    for t in range(T - 1, -1, -1):
        i, f, g, o = gates[t]
        dh = [dh[j] + dhs[t][j] for j in range(H)]
        dh_before, dc_before = [0.0] * H, [0.0] * H
        for j in range(H):
            tanh_c = math.tanh(c_after[t][j])
            dcj = dc[j] + dh[j] * o[j] * (1 - tanh_c * tanh_c)
            dz = {
                j: dcj * g[j] * i[j] * (1 - i[j]),
                H + j: dcj * c_before[t][j] * f[j] * (1 - f[j]),
                2 * H + j: dcj * i[j] * (1 - g[j] * g[j]),
                3 * H + j: dh[j] * tanh_c * o[j] * (1 - o[j]),
            }
            dc_before[j] = dcj * f[j]
            for column, gradient in dz.items():
                db[column] += gradient
                for d in range(D):
                    dWx[d][column] += gradient * xs[t][d]
                    dxs[t][d] += gradient * Wx[d][column]
                for k in range(H):
                    dWh[k][column] += gradient * h_before[t][k]
                    dh_before[k] += gradient * Wh[k][column]
        dh, dc = dh_before, dc_before
    return dxs, dh, dc, dWx, dWh, db


def gru_step(x, h_prev, Wx, Wh, bx, bh):
    """One time step of one sequence: x (D) and h_prev (H).

    Returns h and (r, z, n, q), each a list of H numbers.
    """
    D, H = len(x), len(h_prev)

    def of_input(column):
        return bx[column] + sum(x[d] * Wx[d][column] for d in range(D))

    def of_past(column):
        return bh[column] + sum(h_prev[k] * Wh[k][column] for k in range(H))

    r, z, n, q, h = [], [], [], [], []
    for j in range(H):
        r.append(sigmoid(of_input(j) + of_past(j)))
        z.append(sigmoid(of_input(H + j) + of_past(H + j)))
        q.append(of_past(2 * H + j))
        n.append(math.tanh(of_input(2 * H + j) + r[j] * q[j]))
        h.append((1 - z[j]) * n[j] + z[j] * h_prev[j])
    return h, (r, z, n, q)


def gru_sequence(xs, h0, Wx, Wh, bx, bh):
    """One sequence of any length: xs (T, D) to all h (T, H) and the final h."""
    h, hs = list(h0), []
    for x in xs:
        h, _ = gru_step(x, h, Wx, Wh, bx, bh)
        hs.append(h)
    return hs, h


def gru_sequence_backward(xs, h0, Wx, Wh, bx, bh, dhs, dhT):
    """Gradients of sum(dhs * hs) + sum(dhT * hT), scalar by scalar."""
    T, D, H = len(xs), len(Wx), len(h0)
    h, h_before, inner = list(h0), [], []
    for x in xs:
        h_before.append(h)
        h, rznq = gru_step(x, h, Wx, Wh, bx, bh)
        inner.append(rznq)

    dWx = [[0.0] * (3 * H) for _ in range(D)]
    dWh = [[0.0] * (3 * H) for _ in range(H)]
    dbx, dbh = [0.0] * (3 * H), [0.0] * (3 * H)
    dxs = [[0.0] * D for _ in range(T)]
    dh = list(dhT)
    for t in range(T - 1, -1, -1):
        r, z, n, q = inner[t]
        dh = [dh[j] + dhs[t][j] for j in range(H)]
        dh_before = [dh[j] * z[j] for j in range(H)]
        for j in range(H):
            of_n = dh[j] * (1 - z[j]) * (1 - n[j] * n[j])
            of_z = dh[j] * (h_before[t][j] - n[j]) * z[j] * (1 - z[j])
            of_r = of_n * q[j] * r[j] * (1 - r[j])
            for column, of_input, of_past in ((j, of_r, of_r), (H + j, of_z, of_z), (2 * H + j, of_n, of_n * r[j])):
                dbx[column] += of_input
                dbh[column] += of_past
                for d in range(D):
                    dWx[d][column] += of_input * xs[t][d]
                    dxs[t][d] += of_input * Wx[d][column]
                for k in range(H):
                    dWh[k][column] += of_past * h_before[t][k]
                    dh_before[k] += of_past * Wh[k][column]
        dh = dh_before
    return dxs, dh, dWx, dWh, dbx, dbh


def rnn_step(x, h_prev, Wx, Wh, b):
    """One time step of one sequence: x (D) and h_prev (H) to h, a list of H numbers."""
    past = lambda j: sum(h_prev[k] * Wh[k][j] for k in range(len(h_prev)))
    return [math.tanh(b[j] + sum(x[d] * Wx[d][j] for d in range(len(x))) + past(j)) for j in range(len(b))]


def rnn_sequence(xs, h0, Wx, Wh, b):
    """One sequence of any length: xs (T, D) to all h (T, H) and the final h."""
    h, hs = list(h0), []
    for x in xs:
        h = rnn_step(x, h, Wx, Wh, b)
        hs.append(h)
    return hs, h


def rnn_sequence_backward(xs, h0, Wx, Wh, b, dhs, dhT):
    """Gradients of sum(dhs * hs) + sum(dhT * hT), scalar by scalar."""
    T, D, H = len(xs), len(Wx), len(h0)
    hs, _ = rnn_sequence(xs, h0, Wx, Wh, b)
    before = [h0, *hs]
    dWx, dWh, db = [[0.0] * H for _ in range(D)], [[0.0] * H for _ in range(H)], [0.0] * H
    dxs, dh = [[0.0] * D for _ in range(T)], list(dhT)
    for t in range(T - 1, -1, -1):
        dh_before = [0.0] * H
        for j in range(H):
            gradient = (dh[j] + dhs[t][j]) * (1 - hs[t][j] * hs[t][j])
            db[j] += gradient
            for d in range(D):
                dWx[d][j] += gradient * xs[t][d]
                dxs[t][d] += gradient * Wx[d][j]
            for k in range(H):
                dWh[k][j] += gradient * before[t][k]
                dh_before[k] += gradient * Wh[k][j]
        dh = dh_before
    return dxs, dh, dWx, dWh, db


def cross_entropy(logits, target):
    """Loss of one token in nats, and its gradient with respect to the logits."""
    top = max(logits)
    powers = [math.exp(a - top) for a in logits]
    total = sum(powers)
    p = [power / total for power in powers]
    return math.log(total) + (top - logits[target]), [p[v] - (v == target) for v in range(len(p))]


def one_hot(k, size):
    return [1.0 if v == k else 0.0 for v in range(size)]


def dense(x, W, b):
    return [b[k] + sum(x[d] * W[d][k] for d in range(len(x))) for k in range(len(b))]


def language_model_loss(sequences, targets, first_layer_input, sequence, layers, W, b, masks=None):
    """Mean loss over all tokens of all sequences, each alone, from zero states.

    ``first_layer_input`` turns an id into a vector; ``sequence`` is ``lstm_sequence``,
    ``gru_sequence`` or ``rnn_sequence``, and ``layers`` a list of its weights.
    ``masks[s][k][t]`` are the dropout factors of sequence s on the input of layer k
    (the output layer is the last) at time step t.
    """
    parts = 2 if sequence is lstm_sequence else 1
    total, count = 0.0, 0
    for s, (ids, ys) in enumerate(zip(sequences, targets)):

        def seen(xs, k):
            return xs if masks is None else [[m * v for m, v in zip(masks[s][k][t], x)] for t, x in enumerate(xs)]

        xs = [first_layer_input(k) for k in ids]
        for k, weights in enumerate(layers):
            xs, *_ = sequence(seen(xs, k), *([0.0] * len(weights[1]) for _ in range(parts)), *weights)
        for x, y in zip(seen(xs, len(layers)), ys):
            total += cross_entropy(dense(x, W, b), y)[0]
            count += 1
    return total / count


def next_logits(ids, first_layer_input, sequence, layers, W, b):
    """The logits after these ids, all read from a zero state; arguments as above."""
    parts = 2 if sequence is lstm_sequence else 1
    xs = [first_layer_input(k) for k in ids]
    for weights in layers:
        xs, *_ = sequence(xs, *([0.0] * len(weights[1]) for _ in range(parts)), *weights)
    return dense(xs[-1], W, b)


def distribution(logits, temperature, top_k, top_p, forbidden):
    """The distribution of one token, with temperature, top-k and top-p."""
    scaled = {v: a / temperature for v, a in enumerate(logits) if v not in forbidden}
    if top_k is not None:
        scaled = dict(sorted(scaled.items(), key=lambda item: -item[1])[:top_k])
    top = max(scaled.values())
    p = {v: math.exp(a - top) for v, a in scaled.items()}
    total = sum(p.values())
    p = {v: x / total for v, x in p.items()}
    if top_p is not None:
        kept, reached = {}, 0.0
        for v, x in sorted(p.items(), key=lambda item: -item[1]):
            if reached < top_p:
                kept[v] = x
            reached += x
        p = {v: x / sum(kept.values()) for v, x in kept.items()}
    return [p.get(v, 0.0) for v in range(len(logits))]


def generate(logits_after, ids, uniforms, end, *sampling):
    """The ids generated after these: one for each uniform number, until the end token.

    ``logits_after`` reads all ids again for every token; no state is kept.
    """
    written = []
    for u in uniforms:
        p = distribution(logits_after([*ids, *written]), *sampling)
        reached, drawn = 0.0, None
        for v, x in enumerate(p):
            reached += x
            if drawn is None and reached > u:
                drawn = v
        written.append(drawn)
        if drawn == end:
            break
    return written
