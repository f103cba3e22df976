"""One model in several threads of a program: exact results, and what is refused."""

import contextlib
import copy
import gc
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import Mock

import numpy as np
import pytest

from minilstm import LSTM, SGD, Adam, CharTokenizer, InUseError, LanguageModel, NotFiniteError
from minilstm.data.batches import SequenceBatches
from minilstm.data.windows import WindowBatches
from minilstm.generation import loop as generation
from minilstm.generation import sampling as sample
from minilstm.generation.beam import beam_search
from minilstm.generation.metrics import log_probabilities
from minilstm.generation.sampling import generate, read_prompts
from minilstm.interop import load_torch, to_torch
from minilstm.layers import Workspace
from minilstm.layers.losses import output_loss
from minilstm.models.batch import Batch
from minilstm.parallel import threads as our_threads
from minilstm.parallel.ownership import Ownership
from minilstm.models.per_token import PerTokenReplica
from minilstm.training.checkpoint import Checkpoint, save
from minilstm.training.loop import Callback, Training, evaluate, fit, train_steps

TOKENIZER = CharTokenizer.fit(["abcdef"])
V = TOKENIZER.vocab_size


def small_model(**sizes):
    model = LanguageModel(V, hidden=6, layers=2, **sizes)
    model.parameters.flat[:] = np.random.default_rng(7).normal(0, 0.7, model.parameters.flat.size)
    return model


def ids(k, shape=(5, 4)):
    return np.random.default_rng(k).integers(1, 7, shape)


def batch(k):
    return Batch(ids(k), ids(k + 50), np.array([5, 4, 3, 5]))


def batches(k):
    return WindowBatches(ids(k, 60), 3, 5, TOKENIZER.eos_id)


def prompt(k):
    return TOKENIZER.decode(ids(k, 9))


COMPUTING = {
    "logits": lambda model, k: model.logits(ids(k))[0].tolist(),
    "last logits": lambda model, k: model.logits(ids(k), last_only=True)[0].tolist(),
    "state": lambda model, k: np.array(model.logits(ids(k))[1]).tolist(),
    "loss": lambda model, k: model.loss(batch(k))[0],
    "evaluate": lambda model, k: evaluate(model, batches(k)),
    "generate": lambda model, k: generate(model, TOKENIZER, [prompt(k)], 20, rng=np.random.default_rng(k)),
    "beam": lambda model, k: [h.log_probability for h in beam_search(model, TOKENIZER, prompt(k), 6, 3)],
    "log_probabilities": lambda model, k: log_probabilities(model, TOKENIZER, [prompt(k)], [ids(k, 7)])[0].tolist(),
    "prompts": lambda model, k: read_prompts(model, TOKENIZER, [prompt(k), prompt(k + 1)])[0].tolist(),
    "write": lambda model, k: generation.write(
        model, model.zero_state(2), 5, generation.choice_of(V, 1.0, None, None, False, [], 7), np.random.default_rng(k)
    ).tolist(),
    "to_torch": lambda model, k: to_torch(model)["linear.bias"].tolist(),
}
TRAINING = {
    "gradients": lambda model, k: model.loss_and_gradients(batch(k))[1].flat.tolist(),
    "fit": lambda model, k: fit(Training.begin(model, SGD(), np.random.default_rng(k)), batches(k), steps=2).step,
    "train_steps": lambda model, k: next(
        train_steps(Training.begin(model, SGD(), np.random.default_rng(k)), batches(k), steps=2)
    ).loss,
    "load_torch": lambda model, k: load_torch(model, to_torch(small_model())),
}
COPYING = {"deepcopy": lambda model, k: copy.deepcopy(model), "pickle": lambda model, k: pickle.dumps(model)}
EVERYTHING = {**COMPUTING, **TRAINING, **COPYING}


@contextlib.contextmanager
def elsewhere(context):
    """Another thread that has entered this context."""
    inside, leave = threading.Event(), threading.Event()

    def hold():
        with context():
            inside.set()
            assert leave.wait(60)

    thread = threading.Thread(target=hold, name="worker")
    thread.start()
    assert inside.wait(60)
    try:
        yield
    finally:
        leave.set()
        thread.join()


def in_another_thread(job):
    """The result of the job, or its exception, in another thread."""
    with ThreadPoolExecutor(1, "worker") as pool:
        return pool.submit(job).result(60)


@pytest.mark.parametrize("what", sorted(COMPUTING.keys() - {"write", "to_torch"}))
def test_two_threads_compute_at_once_with_the_same_bits(what, monkeypatch):
    model, do = small_model(embedding=6, tied=True), COMPUTING[what]
    expected = [do(model, k) for k in range(2)]
    assert expected[0] != expected[1]
    both_have_filled_their_arrays, met, forward = threading.Barrier(2, timeout=60), set(), PerTokenReplica.forward

    def forward_and_wait(self, shard):
        result = forward(self, shard)
        if threading.get_ident() not in met:
            met.add(threading.get_ident())
            both_have_filled_their_arrays.wait()
        return result

    monkeypatch.setattr(PerTokenReplica, "forward", forward_and_wait)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda k: do(model, k), range(2))) == expected
    assert len(met) == 2


@pytest.mark.parametrize("shares", [1, 2])
def test_many_threads_that_compute_everything_get_right_results(shares, monkeypatch):
    monkeypatch.setattr(our_threads, "choose", lambda sequences, multiplications: min(shares, sequences))
    model, jobs = small_model(), [(do, k) for k in range(4) for do in COMPUTING.values()]
    expected = [do(model, k) for do, k in jobs]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda job: job[0](model, job[1]), jobs)) == expected


def test_gradients_computed_while_other_threads_compute_are_right():
    model = small_model()
    expected = TRAINING["gradients"](model, 0)
    with elsewhere(model.shared):
        assert TRAINING["gradients"](model, 0) == expected


def test_one_thread_has_one_replica_and_no_gradients_until_it_computes_them(monkeypatch):
    made, init = [], PerTokenReplica.__init__
    monkeypatch.setattr(PerTokenReplica, "__init__", lambda self, *recipe: made.append(self) or init(self, *recipe))
    model = small_model()
    for do in COMPUTING.values():
        do(model, 0)
    assert len(made) == 1 and "gradients" not in vars(made[0])
    first = model.loss_and_gradients(batch(0))[1]
    assert model.loss_and_gradients(batch(1))[1] is first and len(made) == 1


@pytest.mark.parametrize("count", [1, 2])
def test_an_interrupted_replica_is_not_reused_and_does_not_block_others(monkeypatch, count):
    model = small_model()
    monkeypatch.setattr(our_threads, "choose", lambda sequences, multiplications: count)
    expected, free = model.loss(batch(0))[0], list(model._replicas._free)
    assert model.loss(batch(0))[0] == expected and model._replicas._free == free and len(free) == count
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(PerTokenReplica, "loss", Mock(side_effect=KeyboardInterrupt))
        model.loss(batch(0))
    assert model.loss(batch(0))[0] == expected and not set(model._replicas._free) & set(free)
    # and no thread counts as computing
    assert in_another_thread(lambda: TRAINING["fit"](model, 0)) == 2
    assert model.loss(batch(0))[0] != expected


# ---- what is refused -----------------------------------------------------------------


@pytest.mark.parametrize("what", EVERYTHING)
def test_while_one_thread_trains_no_other_can_use_the_model(what):
    model, trained, seen = small_model(), small_model(), []
    fit(Training.begin(trained, SGD(), np.random.default_rng(0)), batches(0), steps=2)

    class AskElsewhere(Callback):
        def on_step(self, training, record):
            with pytest.raises(InUseError, match="thread worker.* cannot .* while thread MainThread trains .*deepcopy") as e:
                in_another_thread(lambda: EVERYTHING[what](model, 0))
            seen.append(str(e.value))

        on_end = lambda self, training: self.on_step(training, None)

    fit(Training.begin(model, SGD(), np.random.default_rng(0)), batches(0), steps=2, callbacks=[AskElsewhere()])
    assert len(seen) == 3 and "before that begins or in a callback" in seen[0]
    np.testing.assert_array_equal(model.parameters.flat, trained.parameters.flat)
    in_another_thread(lambda: EVERYTHING[what](model, 0))  # it can after training


@pytest.mark.parametrize("what", ["fit", "train_steps", "load_torch"])
@pytest.mark.parametrize("purpose", ["compute", "take", "train"])
def test_while_one_thread_uses_the_model_no_other_can_train_it(what, purpose):
    model = small_model()
    before = model.parameters.flat.copy()
    with elsewhere(lambda: model._ownership.use(purpose)):
        with pytest.raises(InUseError, match="thread MainThread cannot train or load this model while thread worker "):
            TRAINING[what](model, 0)
    np.testing.assert_array_equal(model.parameters.flat, before)


def test_gradients_are_not_computed_by_two_threads_at_once(monkeypatch):
    model, refused, gradients = small_model(), [], PerTokenReplica.loss_and_gradients
    expected = TRAINING["gradients"](model, 0)

    def ask_elsewhere(self, shard):
        with pytest.raises(InUseError, match="cannot take gradients of this model while thread MainThread takes gradients"):
            in_another_thread(lambda: model.loss_and_gradients(batch(1)))
        refused.append(COMPUTING["loss"](model, 0) == in_another_thread(lambda: COMPUTING["loss"](model, 0)))
        return gradients(self, shard)

    monkeypatch.setattr(PerTokenReplica, "loss_and_gradients", ask_elsewhere)
    assert TRAINING["gradients"](model, 0) == expected and refused == [True]


@pytest.mark.parametrize("what", ["checkpoint", "evaluate", "beam", "log_probabilities", "prompts", "generate"])
def test_a_computation_of_several_steps_blocks_training_between_them(what, tmp_path, monkeypatch):
    model, refused = small_model(), []
    run = Training.begin(model, SGD(), np.random.default_rng(0))

    def train_elsewhere(original):
        def patched(*arguments, **options):
            with pytest.raises(InUseError):
                in_another_thread(lambda: fit(run, batches(0), steps=1))
            refused.append(True)
            return original(*arguments, **options)
        return patched

    if what == "checkpoint":
        monkeypatch.setattr(np, "savez", train_elsewhere(np.savez))
        save(tmp_path / "model.npz", Checkpoint(run, TOKENIZER, {}))
    else:  # before every call, while nothing is computed
        monkeypatch.setattr(model, "logits", train_elsewhere(model.logits))
        monkeypatch.setattr(model, "loss", train_elsewhere(model.loss))
        monkeypatch.setattr(sample, "choice_of", train_elsewhere(sample.choice_of))
        EVERYTHING[what](model, 0)
    assert refused and run.step == 0


def test_the_thread_that_trains_evaluates_samples_and_copies_in_its_callbacks():
    class UseIt(Callback):
        def on_step(self, training, record):
            for do in (*COMPUTING.values(), *COPYING.values(), TRAINING["gradients"]):
                do(training.model, record.step)

    plain, watched = (
        fit(Training.begin(small_model(), Adam(), np.random.default_rng(0)), batches(0), steps=4, callbacks=callbacks)
        for callbacks in ([], [UseIt()])
    )
    np.testing.assert_array_equal(plain.model.parameters.flat, watched.model.parameters.flat)


def test_a_copy_can_be_used_while_the_original_is_trained():
    model = small_model()
    other, expected = copy.deepcopy(model), COMPUTING["evaluate"](model, 0)
    with elsewhere(model.owned):
        assert COMPUTING["evaluate"](other, 0) == expected


@pytest.mark.parametrize("how", ["deleted", "closed", "left by break", "ended by an error", "to its end"])
def test_an_iterator_that_has_ended_releases_the_model(how):
    model = small_model()
    run = Training.begin(model, SGD(), np.random.default_rng(0))
    steps = train_steps(run, batches(0), steps=3)
    next(steps)
    with pytest.raises(InUseError):
        in_another_thread(lambda: COMPUTING["loss"](model, 0))
    if how == "closed":
        steps.close()
    elif how == "left by break":
        del steps
        for _ in train_steps(run, batches(0), steps=3):
            break
    elif how == "ended by an error":
        model.parameters.flat[:] = np.nan
        with pytest.raises(NotFiniteError):
            next(steps)
    elif how == "to its end":
        assert len(list(steps)) == 2
    else:
        del steps
        gc.collect()
    in_another_thread(lambda: COMPUTING["loss"](model, 0))
    in_another_thread(lambda: TRAINING["fit"](model, 0) if how != "ended by an error" else None)


def test_an_iterator_can_move_between_threads_and_outlive_them():
    model, other = small_model(), small_model()
    run = Training.begin(model, SGD(), np.random.default_rng(0))
    steps = train_steps(run, batches(0), steps=3)
    in_another_thread(lambda: next(steps))  # and that thread is gone
    COMPUTING["loss"](model, 0)
    next(steps)
    with pytest.raises(InUseError):
        in_another_thread(lambda: COMPUTING["loss"](model, 0))
    in_another_thread(lambda: next(steps))
    fit(Training.begin(other, SGD(), np.random.default_rng(0)), batches(0), steps=3)
    np.testing.assert_array_equal(model.parameters.flat, other.parameters.flat)


def test_an_iterator_stops_if_the_model_is_in_use():
    model = small_model()
    steps = train_steps(Training.begin(model, SGD(), np.random.default_rng(0)), batches(0), steps=3)
    in_another_thread(lambda: next(steps))
    with elsewhere(model.shared), pytest.raises(InUseError):
        next(steps)
    assert list(steps) == []
    in_another_thread(lambda: TRAINING["fit"](model, 0))


def test_two_iterators_of_one_thread_can_alternate():
    """For example, to train one model on two texts."""
    model = small_model()
    runs = [train_steps(Training.begin(model, SGD(), np.random.default_rng(k)), batches(k), steps=2) for k in range(2)]
    assert [record.step for pair in zip(*runs) for record in pair] == [1, 1, 2, 2]


def test_uses_can_end_in_any_order_and_in_any_thread():
    ownership = Ownership()
    uses = [ownership.use(purpose) for purpose in ("train", "compute", "take")]
    for use in uses:
        use.__enter__()
    in_another_thread(lambda: uses[0].__exit__(None, None, None))
    train = lambda: contextlib.ExitStack().enter_context(ownership.use("train"))
    for use in uses[1:]:
        with pytest.raises(InUseError):
            in_another_thread(train)
        use.__exit__(None, None, None)
    in_another_thread(train)


# ---- layers with a workspace ---------------------------------------------------


def test_a_layer_is_used_by_several_threads_at_once():
    layer, rng = LSTM(3, 4), np.random.default_rng(0)
    params, xs = layer.init(rng, float), rng.standard_normal((6, 5, 2, 3))

    def do(x):
        h, _, cache = layer.forward(params, x)
        return layer.backward(params, h, cache)[2]["Wh"].tolist()

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(do, xs)) == [do(x) for x in xs]


def test_a_workspace_is_used_by_one_thread_at_a_time():
    layer, rng, work = LSTM(3, 4), np.random.default_rng(0), Workspace()
    params, x = layer.init(rng, float), rng.standard_normal((5, 2, 3))
    h, _, cache = layer.forward(params, x, workspace=work)
    expected = layer.backward(params, h, cache)[2]["Wh"].copy()
    output = {"W": rng.standard_normal((4, 7)), "b": np.zeros(7)}
    version = work.version
    with elsewhere(lambda: work):
        for do in (
            lambda: layer.forward(params, x, workspace=work),
            lambda: layer.backward(params, h, cache),
            lambda: output_loss(output, h[0], np.ones(2, int), workspace=work),
        ):
            with pytest.raises(InUseError, match="give each thread a workspace of its own"):
                do()
    assert work.version == version  # nothing was written
    np.testing.assert_array_equal(layer.backward(params, h, cache)[2]["Wh"], expected)


def test_a_workspace_is_free_again_after_an_error():
    layer, work = LSTM(3, 4), Workspace()
    params, x = layer.init(np.random.default_rng(0), float), np.ones((5, 2, 3))
    with pytest.MonkeyPatch.context() as patch, pytest.raises(MemoryError):
        patch.setattr(LSTM, "forward_packed", Mock(side_effect=MemoryError))
        layer.forward(params, x, workspace=work)
    assert np.isfinite(layer.forward(params, x, workspace=work)[0]).all()


def test_whole_sequences_are_evaluated_in_several_threads_at_once():
    model = small_model()
    texts = [[ids(k + j, 3 + j) for j in range(6)] for k in range(8)]
    do = lambda sequences: evaluate(model, SequenceBatches(sequences, 2, TOKENIZER.eos_id))
    expected = [do(sequences) for sequences in texts]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(do, texts)) == expected
