"""Encoder and decoder: against plain Python on each pair alone, complex steps; greedy against the whole text read again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm.reference import encoder_decoder
from minilstm.reference.attention_lstm import attention_weights
from minilstm.reference.decoder import decode
from minilstm.reference.encoder_decoder import encode, greedy, loss_and_gradients
from minilstm.reference.optimizers import AdamState, adam_step, clip_by_norm
from tests.helpers import naive_models
from tests.helpers.strategies import seeds, sizes
from tests.reference.cells import assert_complex_step, close
from tests.reference.models import BOTH, assert_same, lengths_B, naive_layers, random_dense, random_layers, spoilt, unchanged

CELLS = ("lstm", "gru", "rnn")
START, END, SOURCE_V, V, E, H, K = 0, 1, 4, 5, 3, 4, 2
EACH_BOTH = pytest.mark.parametrize("both", BOTH.values(), ids=BOTH)
EACH_ORDER = pytest.mark.parametrize("reverse_source", [False, True], ids=["in order", "reversed"])
EACH_KIND = pytest.mark.parametrize(
    "cell, attention", [("lstm", True), ("lstm", False), ("gru", False), ("rnn", False)],
    ids=["lstm with attention", "lstm", "gru", "rnn"],
)


def random_model(rng, cell, both, attention, scale=1.0):
    params = {"source.embedding.W": rng.standard_normal((SOURCE_V, E)), "target.embedding.W": rng.standard_normal((V, E))}
    params |= random_layers(rng, cell, E, H, both, "encoder.")
    params |= random_layers(rng, cell, E, H, [False] * len(both), "decoder.")
    if attention:
        shapes = {"Wc": (H, 4 * H), "Wq": (H, K), "Wa": (H, K), "b": (K,), "v": (K,)}
        params |= {f"decoder.attention.{name}": rng.normal(0, 0.7, shape) for name, shape in shapes.items()}
    params |= random_dense(rng, H, V)
    return {name: scale * W for name, W in params.items()}


def random_batch(rng, S, T, B):
    """Source and target."""
    return rng.integers(0, SOURCE_V, (S, B)), rng.integers(2, V, (T, B))


def naive_nats(params, source, y, reverse_source):
    """Of one pair without padding."""
    encoder, sequence = naive_layers(params, "encoder.")
    decoder = [weights[:3] if sequence.__name__[0] == "l" else weights for weights, _ in naive_layers(params, "decoder.")[0]]
    looks = None
    if "decoder.attention.Wc" in params:
        looks = [params[f"decoder.attention.{name}"].tolist() for name in ("Wc", "Wq", "Wa", "b", "v")]
    source_table, table, W, b = (
        params[name].tolist() for name in ("source.embedding.W", "target.embedding.W", "output.W", "output.b")
    )
    return naive_models.encoder_decoder_nats(
        source.tolist(), y.tolist(), START, END, source_table, encoder, sequence, table, decoder, W, b, looks=looks,
        reverse_source=reverse_source,
    )


@EACH_ORDER
@EACH_KIND
@EACH_BOTH
@given(data=st.data(), S=sizes, T=sizes, B=st.integers(1, 3), seed=seeds)
def test_the_loss_is_the_naive_mean_whatever_stands_at_the_padding(
    both, cell, attention, reverse_source, data, S, T, B, seed
):
    source_lengths, lengths, rng = data.draw(lengths_B(S, B)), data.draw(lengths_B(T, B, 0)), np.random.default_rng(seed)
    params = random_model(rng, cell, both, attention)
    source, y = random_batch(rng, S, T, B)
    nats = []
    for b, (m, n) in enumerate(zip(source_lengths, lengths)):
        nats += naive_nats(params, source[:m, b], y[:n, b], reverse_source)
    result = loss_and_gradients(params, source, source_lengths, y, lengths, START, END, reverse_source)
    close([result[0]], [np.mean(nats)])
    garbage = spoilt(source, source_lengths, 10**6), source_lengths, spoilt(y, lengths, -9), lengths
    assert_same(result, loss_and_gradients(params, *garbage, START, END, reverse_source))


@EACH_ORDER
@EACH_KIND
@EACH_BOTH
@given(data=st.data(), S=sizes, T=sizes, B=st.integers(1, 3), seed=seeds)
def test_the_gradients_are_the_mean_of_those_of_each_pair_alone(
    both, cell, attention, reverse_source, data, S, T, B, seed
):
    source_lengths, lengths, rng = data.draw(lengths_B(S, B)), data.draw(lengths_B(T, B)), np.random.default_rng(seed)
    params = random_model(rng, cell, both, attention)
    source, y = random_batch(rng, S, T, B)
    _, grads = loss_and_gradients(params, source, source_lengths, y, lengths, START, END, reverse_source)
    total = {name: np.zeros_like(W) for name, W in params.items()}
    for b, (m, n) in enumerate(zip(source_lengths, lengths)):
        pair = source[:m, b : b + 1], [m], y[:n, b : b + 1], [n]
        _, alone = loss_and_gradients(params, *pair, START, END, reverse_source)
        total = {name: total[name] + (n + 1) / (lengths + 1).sum() * g for name, g in alone.items()}
    for name, g in grads.items():
        np.testing.assert_allclose(g, total[name], rtol=1e-11, atol=1e-14, err_msg=name)


@pytest.mark.parametrize(
    "both, reverse_source",
    [
        pytest.param(*both, marks=[] if all(both[0]) else pytest.mark.thorough)
        for both in zip(BOTH.values(), [True, False, True])
    ],
    ids=map(", ".join, zip(BOTH, ["reversed", "in order", "reversed"])),
)
@pytest.mark.parametrize(
    "cell, attention", [("lstm", True), *(pytest.param(cell, False, marks=pytest.mark.thorough) for cell in CELLS)],
    ids=["lstm with attention", *CELLS],
)
def test_every_gradient_is_the_complex_step_of_the_loss(cell, both, attention, reverse_source):
    rng = np.random.default_rng(0)
    params = random_model(rng, cell, both, attention)
    source, y = random_batch(rng, 3, 3, 2)
    batch = source, np.array([3, 2]), y, np.array([2, 3]), START, END, reverse_source
    _, grads = loss_and_gradients(params, *batch)
    assert list(grads) == list(params)
    assert_complex_step(lambda params: loss_and_gradients(params, *batch)[0], params, grads)


@pytest.mark.parametrize("part", [0, 1], ids=["h", "c"])
@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("attention", [True, False], ids=["attention", "no attention"])
def test_the_encoders_gradients_arrive_by_h_and_c_of_every_layer(monkeypatch, attention, layer, part):
    """Each of them matters: with one left out, the encoder's gradients are others."""
    rng = np.random.default_rng(0)
    params = random_model(rng, "lstm", [False, True], attention)
    source, y = random_batch(rng, 3, 3, 2)
    batch = source, np.array([3, 2]), y, np.array([2, 3]), START, END
    _, whole = loss_and_gradients(params, *batch)
    backward = encoder_decoder.decode_backward

    def one_left_out(*arguments):
        grads, dstates, da = backward(*arguments)
        dstates[layer] = tuple(0 * d if k == part else d for k, d in enumerate(dstates[layer]))
        return grads, dstates, da

    monkeypatch.setattr(encoder_decoder, "decode_backward", one_left_out)
    _, less = loss_and_gradients(params, *batch)
    name = f"encoder.lstm{layer}.Wx"
    assert np.abs(whole[name] - less[name]).max() > 1e-3 * np.abs(whole[name]).max()
    np.testing.assert_array_equal(whole["decoder.lstm0.Wx"], less["decoder.lstm0.Wx"])


@EACH_ORDER
def test_annotations_and_weights_are_in_the_order_of_the_source(reverse_source):
    """If only one token is changed, of the annotations only those change that were read from it on."""
    rng = np.random.default_rng(0)
    params = random_model(rng, "lstm", [False], True)
    source, lengths = rng.integers(0, SOURCE_V - 1, (4, 1)), np.array([3])
    other = source.copy()
    other[1] += 1
    a, b = (encode(params, ids, lengths, reverse_source)[0] for ids in (source, other))
    changed = [(a[s] != b[s]).any() for s in range(3)]
    assert changed == ([True, True, False] if reverse_source else [False, True, True])


@EACH_ORDER
@pytest.mark.parametrize("attention", [True, False], ids=["attention", "no attention"])
@given(data=st.data(), both=st.sampled_from(list(BOTH.values())), seed=seeds)
def test_greedy_takes_the_likeliest_after_the_whole_text_read_again(attention, reverse_source, data, both, seed):
    rng, lengths = np.random.default_rng(seed), data.draw(lengths_B(4, 3))
    params, source = random_model(rng, "lstm", both, attention, 1.5), rng.integers(0, SOURCE_V, (4, 3))
    ids, p = greedy(params, spoilt(source, lengths, -1), lengths, START, END, 6, reverse_source)
    assert (p is not None) == attention
    T = len(ids)
    all_ended = True
    for b, n in enumerate(lengths):
        written = ids[:, b].tolist()
        count = written.index(END) + 1 if END in written else T
        all_ended &= END in written
        assert set(written[count:]) <= {END}
        a, states, _ = encode(params, source[:n, b : b + 1], [n], reverse_source)
        inputs = np.array([[START], *([k] for k in written[: count - 1])])
        logits, _, cache = decode(params, inputs, states, a, [n])
        assert written[:count] == logits[:, 0].argmax(axis=1).tolist()
        if attention:
            np.testing.assert_allclose(p[:count, b, :n], attention_weights(cache.attention)[:, 0], rtol=1e-10)
            assert (p[count:, b] == 0).all() and (p[:, b, n:] == 0).all()
            np.testing.assert_allclose(p[:count, b].sum(axis=1), 1)
    assert T == 6 or all_ended
    assert (ids[:-1] != END).any(axis=1).all()  # it has stopped as soon as all have ended


def test_greedy_stops_at_the_limit_and_at_the_end():
    rng = np.random.default_rng(0)
    params = random_model(rng, "lstm", [False], False)
    source, lengths = rng.integers(0, SOURCE_V, (3, 2)), np.array([3, 1])
    for likeliest, written in ((3, [[3, 3]] * 5), (END, [[END, END]])):
        params["output.b"][:] = 0
        params["output.b"][likeliest] = 1e3
        ids, weights = greedy(params, source, lengths, START, END, 5)
        assert ids.tolist() == written and weights is None


def test_backward_changes_nothing_and_the_dtype_stays():
    rng = np.random.default_rng(0)
    params = {name: W.astype(np.float32) for name, W in random_model(rng, "lstm", [True, False], True).items()}
    source, y = random_batch(rng, 3, 3, 2)
    batch = source, np.array([3, 2]), y, np.array([1, 3]), START, END
    watched = unchanged([*params.values(), *batch])
    first, second = (loss_and_gradients(params, *batch) for _ in range(2))
    assert_same(first, second)
    for now, before in watched:
        np.testing.assert_array_equal(now, before)
    assert all(a.dtype == np.float32 for a in (first[0], *first[1].values()))
    assert greedy(params, *batch[:2], START, END, 3)[1].dtype == np.float32
    a, states, encoder = encode(params, *batch[:2])
    logits, _, cache = decode(params, y, states, a, batch[1])
    watched = unchanged([encoder, cache])
    grads, dstates, da = encoder_decoder.decode_backward(params, logits, cache)
    assert_same((grads, dstates, da), encoder_decoder.decode_backward(params, logits, cache))
    encoder_decoder.encode_backward(params, da, dstates, encoder)
    for now, before in watched:
        np.testing.assert_array_equal(now, before)
    assert len(watched) > 50


@pytest.mark.parametrize("attention", [True, False], ids=["attention", "no attention"])
def test_it_learns_to_write_a_source_in_reverse(attention):
    rng = np.random.default_rng(0)
    source, lengths = rng.integers(2, 4, (3, 40)), rng.integers(1, 4, 40)
    y = np.zeros_like(source)
    for b, n in enumerate(lengths):
        y[:n, b] = source[:n, b][::-1]
    params = random_model(rng, "lstm", [True], attention, 0.7)
    adam, losses = dict.fromkeys(params, AdamState()), []
    for _ in range(150):
        loss, grads = loss_and_gradients(params, source, lengths, y, lengths, START, END)
        grads = clip_by_norm(grads, 1.0)
        steps = {name: adam_step(params[name], g, adam[name], 0.05) for name, g in grads.items()}
        params, adam = ({name: step[k] for name, step in steps.items()} for k in range(2))
        losses.append(loss)
    assert losses[0] > 1 and losses[-1] < 0.1
    ids, _ = greedy(params, source, lengths, START, END, 5)
    right = [ids[: n + 1, b].tolist() == [*y[:n, b], END] for b, n in enumerate(lengths)]
    assert np.mean(right) > 0.9
