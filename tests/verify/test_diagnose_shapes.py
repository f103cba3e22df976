"""Tools for pooling, bidirectional layers, attention and encoder-decoders, on code as learners write it."""

import numpy as np
import pytest

from minilstm import InputError
from minilstm.reference import lstm_step, lstm_step_backward, pooling
from minilstm.reference import encoder_decoder as ours
from minilstm.reference.attention import attention_backward, attention_forward
from minilstm.reference.decoder import decode, decode_backward, teacher_forcing
from minilstm.reference.loss import softmax_cross_entropy, softmax_cross_entropy_backward
from minilstm.verify import (
    MISTAKES,
    diagnose_attention,
    diagnose_bidirectional,
    diagnose_encoder_decoder,
    diagnose_pooling,
    diagnose_teacher_forcing,
)
from minilstm.verify.diagnose import mistakes_in_shapes as mistakes
from minilstm.verify.diagnose import trials_of_pairs
from minilstm.verify.diagnose import trials_of_shapes as trials
from minilstm.verify.diagnose.explain import agree
from tests.helpers.text import one_line

MODELS = [
    {},
    {"layers": 2},
    {"attention": True},
    {"bidirectional": True, "reverse_source": True},
    {"attention": True, "bidirectional": True, "reverse_source": True, "layers": 2},
]
EACH_MODEL = pytest.mark.parametrize("options", MODELS, ids=lambda options: " ".join(options) or "plain")


def names(diagnosis):
    return [mistake.name for mistake in diagnosis.mistakes]


# ---- pooling ---------------------------------------------------------------------------------------------------------


def my_pool(kind):
    """One sequence after the other; the cache has the weights of each."""

    def forward(h, lengths):
        y, cache = [], []
        for b, n in enumerate(lengths):
            real = h[:n, b]
            weights = np.zeros(h[:, b].shape)
            if kind == "last":
                weights[n - 1] = 1
            elif kind == "mean":
                weights[:n] = 1 / n
            else:
                weights[real.argmax(axis=0), np.arange(real.shape[1])] = 1
            y.append((weights[:n] * real).sum(axis=0))
            cache.append(weights)
        return np.array(y), np.stack(cache, axis=1)

    return forward


def my_pool_backward(dy, weights):
    return np.array([w * dy for w in weights])


@pytest.mark.parametrize("kind", pooling.WEIGHTS)
def test_pooling_that_is_right_is_right(kind):
    assert diagnose_pooling(my_pool(kind), kind=kind)
    diagnosis = diagnose_pooling(my_pool(kind), my_pool_backward, kind)
    assert diagnosis and "backward pass" in str(diagnosis) and trials.TITLES[kind] in one_line(diagnosis)


@pytest.mark.parametrize(
    "kind, forward, name",
    [
        ("last", lambda h, n: h[-1], "last padded step taken for the last real one"),
        ("mean", lambda h, n: h.mean(axis=0), "padding counted in the mean of h"),
        ("mean", lambda h, n: h.sum(axis=0) / n[:, None], "padding added to the sum of h"),
        ("mean", lambda h, n: np.array([h[:k, b].sum(axis=0) / len(h) for b, k in enumerate(n)]), "mean pooling divided by T"),
        ("max", lambda h, n: h.max(axis=0), "padding in the maximum"),
        ("max", lambda h, n: np.where(np.arange(len(h))[:, None, None] < n[:, None], h, 0).max(axis=0),
         "zeros of the padding in the maximum"),
    ],
)
def test_mistakes_in_pooling_are_named(kind, forward, name):
    diagnosis = diagnose_pooling(lambda h, n: (forward(h, n), None), my_pool_backward, kind)
    assert names(diagnosis) == [name] and diagnosis.title == trials.TITLES[kind]


def test_a_mistake_in_pooling_is_explained():
    text = one_line(diagnose_pooling(lambda h, lengths: (h[-1], None)))
    assert "It is as if `y[b] = h[-1, b]` stood where `y[b] = h[lengths[b] - 1, b]` belongs: equation (2) of pooling." in text
    assert "A sequence of length n ends at step n - 1; the steps after it are padding." in text


@pytest.mark.parametrize(
    "kind, backward, name",
    [
        ("last", lambda dy, w: np.concatenate([0 * w[:-1], dy[None]]), "gradient of pooling at the last padded step"),
        ("mean", lambda dy, w: (w > 0) / len(w) * dy, "gradient of the mean divided by T"),
        ("mean", lambda dy, w: (w > 0) * dy, "gradient of the mean not divided"),
        ("mean", lambda dy, w: np.stack([w[0] * dy] * len(w)), "gradient of the mean at the padding too"),
        ("max", lambda dy, w: np.stack([dy] * len(w)), "gradient of the maximum at every step"),
    ],
)
def test_mistakes_in_the_gradient_of_pooling_are_named(kind, backward, name):
    assert names(diagnose_pooling(my_pool(kind), backward, kind)) == [name]


def test_unknown_mistakes_in_pooling_have_no_name():
    for kind in pooling.WEIGHTS:
        forward = lambda h, lengths: (2 * my_pool(kind)(h, lengths)[0], None)
        diagnosis = diagnose_pooling(forward, kind=kind)
        assert names(diagnosis) == [] and "All of y is 2 times what belongs there." in one_line(diagnosis)
        diagnosis = diagnose_pooling(my_pool(kind), lambda dy, w: my_pool_backward(dy, w) ** 2, kind)
        assert names(diagnosis) == [] and "none of the known ones" in str(diagnosis)
    diagnosis = diagnose_pooling(my_pool("last"), lambda dy, w: my_pool_backward(dy, w)[0])
    assert names(diagnosis) == [] and "dh has the shape (3, 3) where" not in str(diagnosis) and not diagnosis


def test_what_pooling_is_called_with_is_checked():
    with pytest.raises(InputError, match="kind must be one of last, mean, max, not 'first'"):
        diagnose_pooling(my_pool("last"), kind="first")
    with pytest.raises(InputError, match=r"your function must return \(y, cache\); it returned one ndarray"):
        diagnose_pooling(lambda h, lengths: h[-1])
    with pytest.raises(InputError, match="must be a function, not str"):
        diagnose_pooling(my_pool("last"), "no function")


# ---- a bidirectional layer -------------------------------------------------------------------------------------------


def one_direction(x, weights):
    """One sequence (n, D) without padding: h (n, H), and caches."""
    h = c = np.zeros((1, len(weights[1])))
    hs, caches = [], []
    for x_t in x:
        h, c, cache = lstm_step(x_t[None], h, c, *weights)
        hs.append(h[0])
        caches.append(cache)
    return np.array(hs), caches


def one_direction_backward(dh, caches, weights):
    total = [np.zeros_like(W) for W in weights]
    dh_next = dc_next = np.zeros((1, len(weights[1])))
    dx = np.zeros((len(dh), len(weights[0])))
    for t in reversed(range(len(dh))):
        dx_t, dh_next, dc_next, grads = lstm_step_backward(dh[t] + dh_next, dc_next, caches[t], *weights[:2])
        dx[t] = dx_t[0]
        total = [a + b for a, b in zip(total, grads)]
    return dx, total


def my_layer(x, lengths, weights, reverse_weights, whole=False):
    """``whole``: the reverse direction reads all T steps."""
    h, caches = np.zeros((*x.shape[:2], 2 * len(weights[1]))), []
    for b, n in enumerate(lengths):
        first, one = one_direction(x[:n, b], weights)
        second, two = one_direction(x[:: -1, b] if whole else x[:n, b][::-1], reverse_weights)
        h[:n, b] = np.hstack([first, second[::-1][:n]])
        caches.append((n, one, two))
    return h, caches


def my_layer_backward(dh, caches, weights, reverse_weights, wrong=""):
    H = len(weights[1])
    dx = np.zeros((*dh.shape[:2], len(weights[0])))
    grads, reverse_grads = ([np.zeros_like(W) for W in weights] for _ in range(2))
    for b, (n, one, two) in enumerate(caches):
        dx_one, dW = one_direction_backward(dh[:n, b, :H], one, weights)
        turned = dh[:n, b, H:] if wrong == "not reversed" else dh[:n, b, H:][::-1]
        dx_two, dWr = one_direction_backward(turned, two, reverse_weights)
        dx[:n, b] = dx_one + (dx_two if wrong == "not turned back" else dx_two[::-1])
        grads = [a + g for a, g in zip(grads, dW)]
        reverse_grads = [a + g for a, g in zip(reverse_grads, dWr)]
    if wrong == "halved":
        dx = dx / 2
    return dx, dict(zip(("dWx", "dWh", "db"), grads)), reverse_grads


def test_a_bidirectional_layer_that_is_right_is_right():
    assert diagnose_bidirectional(my_layer)
    assert diagnose_bidirectional(my_layer, my_layer_backward)


def test_a_reverse_direction_that_starts_in_the_padding_is_named():
    diagnosis = diagnose_bidirectional(lambda *arguments: my_layer(*arguments, whole=True), my_layer_backward)
    assert names(diagnosis) == ["reverse direction starts in the padding"]
    assert "Each sequence is reversed within its own length" in one_line(diagnosis)


@pytest.mark.parametrize(
    "wrong, name",
    [("not reversed", "dh of the reverse direction not reversed"),
     ("not turned back", "dx of the reverse direction not turned back")],
)
def test_mistakes_in_the_gradient_of_a_bidirectional_layer_are_named(wrong, name):
    assert names(diagnose_bidirectional(my_layer, lambda *arguments: my_layer_backward(*arguments, wrong))) == [name]


def test_unknown_mistakes_in_a_bidirectional_layer_have_no_name():
    diagnosis = diagnose_bidirectional(my_layer, lambda *arguments: my_layer_backward(*arguments, "halved"))
    assert names(diagnosis) == [] and "All of dx is 0.5 times what belongs there." in one_line(diagnosis)

    def without_bias(x, lengths, weights, reverse_weights):
        return my_layer(x, lengths, (*weights[:2], 0 * weights[2]), reverse_weights)

    assert names(diagnose_bidirectional(without_bias)) == []
    diagnosis = diagnose_bidirectional(lambda *arguments: (my_layer(*arguments)[0].swapaxes(0, 1), None))
    assert names(diagnosis) == [] and "h has the shape" not in str(diagnosis) and not diagnosis


# ---- attention -------------------------------------------------------------------------------------------------------


def my_attention(q, a, lengths, Wq, Wa, b, v, everywhere=False, scale=1.0):
    """One source after the other. ``everywhere``: the softmax is over the padding, too."""
    contexts, caches = [], []
    for k, n in enumerate(lengths):
        rows = a[:, k] if everywhere else a[:n, k]
        u = np.tanh(q[k] @ Wq + rows @ Wa + b)
        e = np.exp(scale * (u @ v))
        p = e / e.sum()
        contexts.append(p @ rows)
        caches.append((q[k], rows, u, p))
    return np.array(contexts), (caches, len(a))


def my_attention_backward(dcontext, cache, Wq, Wa, v, wrong=""):
    caches, S = cache
    B, A, H, K = *dcontext.shape, *Wq.shape
    dq, da = np.zeros((B, H)), np.zeros((S, B, A))
    dWq, dWa, db, dv = np.zeros((H, K)), np.zeros((A, K)), np.zeros(K), np.zeros(K)
    for k, (q, rows, u, p) in enumerate(caches):
        dp = rows @ dcontext[k]
        softmax = np.diag(p) if "no sum" in wrong else np.diag(p) - np.outer(p, p)
        du = np.outer(softmax @ dp, v)
        dz = du if "no tanh" in wrong else du * (1 - u**2)
        dv += (softmax @ dp) @ u
        dq[k] = Wq @ dz.sum(axis=0)
        da[: len(p), k] = dz @ Wa.T + (0 if "scores alone" in wrong else np.outer(p, dcontext[k]))
        dWq += np.outer(q, dz.sum(axis=0))
        dWa += rows.T @ dz
        db += dz.sum(axis=0) if "first bias" not in wrong else dz[0]
    return dq, da, {"dWq": dWq, "dWa": dWa, "db": db, "dv": dv}


def with_mistake(wrong):
    return lambda *arguments: my_attention_backward(*arguments, wrong=wrong)


def test_attention_that_is_right_is_right():
    assert diagnose_attention(my_attention)
    assert diagnose_attention(my_attention, my_attention_backward)
    assert diagnose_attention(attention_forward, attention_backward, seed=3)


def test_a_softmax_over_the_padding_is_named():
    diagnosis = diagnose_attention(lambda *arguments: my_attention(*arguments, everywhere=True), my_attention_backward)
    assert names(diagnosis) == ["attention softmax over the padding"] and diagnosis.wrong_parts == ("context",)
    assert "Their scores must be -inf before the softmax." in one_line(diagnosis)


@pytest.mark.parametrize(
    "wrong, found",
    [
        ("no sum", ["softmax gradient without the sum of p dp"]),
        ("no tanh", ["derivative of the tanh left out of the scores"]),
        ("scores alone", ["da by the scores alone"]),
        ("no sum, scores alone", ["da by the scores alone", "softmax gradient without the sum of p dp"]),
        ("first bias", []),
        ("first bias, scores alone", ["da by the scores alone"]),
    ],
)
def test_mistakes_in_the_gradient_of_attention_are_named_if_they_are_known(wrong, found):
    diagnosis = diagnose_attention(my_attention, with_mistake(wrong))
    assert sorted(names(diagnosis)) == found and not diagnosis
    assert ("none of the known ones" in one_line(diagnosis)) == ("first bias" in wrong)


def test_unknown_attention_has_no_name():
    diagnosis = diagnose_attention(lambda *arguments: my_attention(*arguments, scale=0.5))
    assert names(diagnosis) == [] and "In context, entry" in one_line(diagnosis)


def test_attention_that_raises_is_reported_with_its_sizes():
    def broken(q, a, lengths, Wq, Wa, b, v):
        return my_attention(q, a, lengths, Wq, Wa + 0 * Wq, b, v)

    assert "where H and A differ" in one_line(diagnose_attention(broken))


def test_a_cache_that_is_used_up_is_noted():
    def backward(dcontext, cache, Wq, Wa, v):
        result = my_attention_backward(dcontext, cache, Wq, Wa, v)
        cache[0].clear()
        return result

    diagnosis = diagnose_attention(my_attention, backward)
    assert diagnosis and diagnosis.notes


def test_gradients_of_attention_must_be_real_numbers():
    def backward(*arguments):
        dq, da, grads = my_attention_backward(*arguments)
        return dq + 0j, da, grads

    assert "dq holds complex128, not real numbers." in one_line(diagnose_attention(my_attention, backward))


def test_gradients_of_attention_must_be_four():
    with pytest.raises(InputError, match="the gradients must be those of Wq, Wa, b and v, not of dWq"):
        diagnose_attention(my_attention, lambda *a: (*my_attention_backward(*a)[:2], {"dWq": 0}))
    with pytest.raises(InputError, match="the gradients must be 4 arrays, of Wq, Wa, b and v; it returned 1 values"):
        diagnose_attention(my_attention, lambda *a: (*my_attention_backward(*a)[:2], [0]))


# ---- teacher forcing -------------------------------------------------------------------------------------------------


def my_forcing(y, lengths, start, end, wrong=""):
    inputs, targets = np.zeros((2, len(y) + 1, y.shape[1]), int)
    for b, n in enumerate(lengths):
        text = y[:n, b].tolist()
        inputs[: n + 1, b] = [*text, end] if wrong == "inputs" else [start, *text]
        targets[: n + 1, b] = [start, *text] if wrong == "targets" else [*text, end]
    n = np.asarray(lengths) + 1
    if wrong == "twice":
        return inputs[:-1], targets[1:], n - 1
    return inputs, targets, n - 1 if wrong == "no end" else n


@pytest.mark.parametrize(
    "wrong, found",
    [("", []), ("targets", ["targets not shifted"]), ("inputs", ["inputs not shifted"]),
     ("twice", ["targets shifted twice"]), ("no end", ["end token not predicted"])],
)
def test_teacher_forcing_is_right_or_its_mistake_is_named(wrong, found):
    diagnosis = diagnose_teacher_forcing(lambda *arguments: my_forcing(*arguments, wrong))
    assert names(diagnosis) == found and diagnosis.right == (not wrong)


def test_unknown_teacher_forcing_has_no_name():
    def two_starts(y, lengths, start, end):
        return my_forcing(y, lengths, end, end)

    assert names(diagnose_teacher_forcing(two_starts)) == []
    for n in (None, np.ones(3), np.ones((1, 1), int)):
        diagnosis = diagnose_teacher_forcing(lambda *arguments: (*my_forcing(*arguments)[:2], n))
        assert names(diagnosis) == [] and not diagnosis


# ---- an encoder and a decoder ----------------------------------------------------------------------------------------


def pair_after_pair(reverse_source=False):
    """The mean over all pairs, each computed alone and without padding."""

    def loss_and_gradients(params, source, source_lengths, y, lengths, start, end):
        loss, total = 0.0, {name: 0 * W for name, W in params.items()}
        for b, (m, n) in enumerate(zip(source_lengths, lengths)):
            pair = source[:m, b : b + 1], [m], y[:n, b : b + 1], [n]
            nats, grads = ours.loss_and_gradients(params, *pair, start, end, reverse_source)
            weight = (n + 1) / (lengths + 1).sum()
            loss += weight * nats
            total = {name: total[name] + weight * g for name, g in grads.items()}
        return loss, total

    return loss_and_gradients


def step_by_step(wrong=""):
    """As the reference, with one line changed."""

    def loss_and_gradients(params, source, source_lengths, y, lengths, start, end):
        forcing = (lambda *a: my_forcing(*a, wrong)) if wrong in ("targets", "twice") else teacher_forcing
        inputs, targets, n = forcing(y, lengths, start, end)
        a, states, encoder = ours.encode(params, source, source_lengths)
        logits, _, decoder = decode(params, inputs, states, a, source_lengths, n)
        loss, cache = softmax_cross_entropy(logits, targets, n)
        grads, dstates, da = decode_backward(params, softmax_cross_entropy_backward(cache), decoder)
        keep_h, keep_c = "h" not in wrong.split(), "c" not in wrong.split()
        dstates = [(keep_h * dh, keep_c * dc) for dh, dc in dstates]
        grads |= ours.encode_backward(params, da, dstates, encoder)
        if wrong == "doubled":
            grads["output.b"] = 2 * grads["output.b"]
        return loss + (wrong == "penalty"), grads

    return loss_and_gradients


@EACH_MODEL
def test_an_encoder_decoder_that_is_right_is_right(options):
    diagnosis = diagnose_encoder_decoder(pair_after_pair(options.get("reverse_source", False)), **options)
    assert diagnosis and "backward pass of the" in one_line(diagnosis)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(options, marks=[pytest.mark.thorough] * (len(options) > 1), id=" ".join(options) or "plain")
        for options in MODELS
    ],
)
def test_every_mistake_is_named_in_an_encoder_decoder_too(options):
    unseen = []
    for trial in trials_of_pairs.encoder_decoder_trials(**options):
        for mistake in trial.catalogue:
            if agree(list(trial.ours([mistake])), trial.ours()):
                unseen.append(mistake)
                continue
            named = diagnose_encoder_decoder(trial.build([mistake]), **options).mistakes
            assert named == (mistake,), f"{mistake.name} is taken for {[m.name for m in named]}"
    if options == {"bidirectional": True, "reverse_source": True}:  # nothing reads the outputs of its encoder
        assert set(unseen) <= {*mistakes.BIDIRECTIONAL, *mistakes.BIDIRECTIONAL_BACKWARD}
        assert "reverse direction starts in the padding" not in [mistake.name for mistake in unseen]
    else:
        assert unseen == []


@pytest.mark.parametrize("attention", [False, True])
@pytest.mark.parametrize(
    "wrong, name",
    [("targets", "targets not shifted"), ("twice", "targets shifted twice"),
     ("h c", "gradient of the encoder's final states left out"), ("h", "gradient of the encoder's final h left out"),
     ("c", "gradient of the encoder's final c left out")],
)
def test_mistakes_of_a_learner_are_named(wrong, name, attention):
    diagnosis = diagnose_encoder_decoder(step_by_step(wrong), attention=attention)
    assert names(diagnosis) == [name]
    assert diagnosis.title.startswith("backward pass" if wrong in ("h", "c", "h c") else "loss")


def test_unknown_mistakes_in_an_encoder_decoder_have_no_name():
    diagnosis = diagnose_encoder_decoder(step_by_step("penalty"))
    assert names(diagnosis) == [] and diagnosis.wrong_parts == ("loss",)
    diagnosis = diagnose_encoder_decoder(step_by_step("doubled"))
    assert names(diagnosis) == [] and "All of d(output.b) is 2 times what belongs there." in one_line(diagnosis)
    diagnosis = diagnose_encoder_decoder(pair_after_pair(reverse_source=True))
    assert names(diagnosis) == []


def test_a_gradient_that_is_missing_is_reported():
    def without(*arguments):
        loss, grads = step_by_step()(*arguments)
        return loss, {name: g for name, g in grads.items() if name != "output.b"}

    assert "d(output.b) is missing." in one_line(diagnose_encoder_decoder(without))
    with pytest.raises(InputError, match="a dictionary with the names of the parameters"):
        diagnose_encoder_decoder(lambda *arguments: (step_by_step()(*arguments)[0], []))


def test_an_encoder_decoder_that_raises_is_reported():
    text = one_line(diagnose_encoder_decoder(lambda *arguments: arguments.no_such_thing))
    assert "It is called as (params, source, source_lengths, y, lengths, start, end)." in text


# ---- all of them -----------------------------------------------------------------------------------------------------


def test_the_catalogue_has_them_and_every_mistake_says_why():
    assert set(mistakes.SHAPES) <= set(MISTAKES) and len(mistakes.SHAPES) > 50
    for mistake in mistakes.SHAPES:
        assert mistake.why.endswith(".") and mistake.why.count(" ") >= 5
        assert mistake.equation or mistake.shown


def test_the_text_fits_80_columns():
    for diagnosis in (
        diagnose_encoder_decoder(step_by_step("h c"), attention=True),
        diagnose_attention(my_attention, with_mistake("no sum, scores alone")),
        diagnose_pooling(lambda h, lengths: (h[-1], None)),
        diagnose_bidirectional(my_layer, my_layer_backward),
    ):
        assert max(map(len, str(diagnosis).splitlines())) <= 80
