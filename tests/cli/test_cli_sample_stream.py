"""``minilstm sample`` prints text while it generates, and Ctrl-C keeps that text."""

import os
import re
import signal
import subprocess
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from minilstm import Adam, CharTokenizer, LanguageModel, kernels
from minilstm.cli import sample as command
from minilstm.data.words import WordTokenizer
from minilstm.generation import loop as generation
from minilstm.generation.sampling import Sampling, generate, generate_ids, generate_in_chunks
from minilstm.training.checkpoint import Checkpoint, save
from minilstm.training.loop import Training
from tests.helpers.commands import refused
from tests.helpers.terminal import run_in_terminal

TOKENIZERS = {"characters": CharTokenizer.fit(["abc de"]), "words": WordTokenizer.fit(["roast the beef (well), don't stir"])}
PROMPTS = {"characters": ["abc", "d"], "words": ["roast the", "Beef  "]}


@pytest.fixture(params=["characters", "words"])
def tokenizer(request):
    return TOKENIZERS[request.param]


def random_model(tokenizer, never_ends=True):
    model = LanguageModel(tokenizer.vocab_size, hidden=5, seed=1)
    if never_ends:
        model.parameters["output.b"][tokenizer.eos_id] = -100
    return model


@pytest.fixture
def folder(tmp_path, tokenizer):
    """A run whose model never ends a text."""
    training = Training.begin(random_model(tokenizer), Adam(), np.random.default_rng(0))
    save(tmp_path / "model.npz", Checkpoint(training, tokenizer, {"prompts": PROMPTS[tokenizer.unit + "s"]}))
    return tmp_path


@pytest.fixture
def in_chunks_of_four(monkeypatch):
    monkeypatch.setattr(generation, "MOST_STEPS", 4)


@pytest.fixture
def interrupt_after(monkeypatch, in_chunks_of_four):
    """Ctrl-C is pressed after a number of chunks."""
    before, write, calls = signal.getsignal(signal.SIGINT), kernels.generation.generate, []

    def interrupt_after(chunks):
        def pressed(*arguments):
            calls.append(arguments)
            if len(calls) > chunks:
                raise KeyboardInterrupt
            return write(*arguments)

        monkeypatch.setattr(kernels.generation, "generate", pressed)

    yield interrupt_after
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("never_ends", [True, False])
@pytest.mark.parametrize("steps", [1, 2, 3, 7, 64])
def test_the_size_of_the_chunks_changes_neither_texts_nor_later_random_numbers(tokenizer, monkeypatch, steps, never_ends):
    model, prompts = random_model(tokenizer, never_ends), ["d", "abc", "d"]
    rngs = [np.random.default_rng(3), np.random.default_rng(3)]
    expected = generate_ids(model, tokenizer, prompts, 40, Sampling(), rngs[0])
    monkeypatch.setattr(generation, "MOST_STEPS", steps)
    chunks = [*generate_in_chunks(model, tokenizer, prompts, 40, Sampling(), rngs[1])]
    assert {len(chunk) for chunk in chunks[:-1]} <= {steps} and len(chunks[-1]) <= steps
    assert len(chunks) > 1 or steps > 10
    ids = np.concatenate(chunks)
    for b, text in enumerate(expected):
        np.testing.assert_array_equal(ids[: len(text), b], text)
    assert rngs[0].random() == rngs[1].random()


@pytest.mark.parametrize("size, B, steps", [(10**4, 1, 256), (10**6, 5, 53), (10**6, 1000, 16), (10**9, 1, 16)])
def test_a_chunk_takes_no_longer_for_larger_models_until_it_is_very_short(size, B, steps):
    model = SimpleNamespace(parameters=SimpleNamespace(flat=np.empty(size)))
    assert generation.steps_of_chunk(model, B) == steps


def test_wrong_arguments_are_refused_before_the_first_chunk(tokenizer):
    for wrong in ({"length": 0}, {"rng": None}, {"prompts": [""]}, {"sampling": Sampling(top_k=1000)}):
        given = {"prompts": ["d"], "length": 4, "sampling": Sampling(), "rng": np.random.default_rng(0), **wrong}
        with pytest.raises(ValueError):
            generate_in_chunks(random_model(tokenizer), tokenizer, **given)


def test_a_chunk_is_printed_before_the_next_one_is_generated(
    folder, tokenizer, run, monkeypatch, capsys, in_chunks_of_four
):
    prompts, shown, write = PROMPTS[tokenizer.unit + "s"], [], kernels.generation.generate
    texts = generate(random_model(tokenizer), tokenizer, prompts, 12, Sampling(0.7), np.random.default_rng(0))

    flush, flushes = sys.stdout.flush, []

    def watched(*arguments):
        assert flushes, "a pipe would keep it back"
        shown.append(capsys.readouterr().out)
        flushes.clear()  # also the buffer of capsys
        return write(*arguments)

    monkeypatch.setattr(kernels.generation, "generate", watched)
    monkeypatch.setattr(sys.stdout, "flush", lambda: flushes.append(flush()))
    status, rest, _ = run("sample", folder, "--length", 12, "--count", 2)
    assert status == 0 and "".join([*shown, rest]) == "".join(f"{text}\n" for text in texts)
    assert len(shown) == 3 and shown[0].strip() == prompts[0]
    lengths = [len(tokenizer.encode("".join(shown[:k]))) for k in (1, 2, 3)]
    waits = tokenizer.unit == "word"  # a word is shown when the next one is known
    assert np.diff(lengths).tolist() == [4 - waits, 4]


def test_ctrl_c_keeps_the_generated_text_and_does_not_mention_training(folder, tokenizer, run, interrupt_after):
    prompt = PROMPTS[tokenizer.unit + "s"][0]
    whole = run("sample", folder, "--length", 8, "--count", 3)[1].splitlines()[0]
    if tokenizer.unit == "word":
        whole = whole.rpartition(" ")[0]  # the last one waits for the space after it
    interrupt_after(2)
    result = run("sample", folder, "--length", 400, "--count", 3)
    assert result[1] == whole + "\n" and result[1].startswith(prompt) and len(result[1]) > len(prompt) + 4
    refused(result, 1, "interrupted; what was generated so far stays")
    assert not re.search("train|resume|saved", result[2])


def test_ctrl_c_in_a_comparison_shows_the_text_of_every_temperature(folder, run, interrupt_after):
    options = ["--compare", "0.5,1", "--count", 2]
    whole = run("sample", folder, *options, "--length", 8)[1].partition("\n" * 3)[0]
    interrupt_after(5)  # two chunks of each temperature, and a third of the first
    result = run("sample", folder, *options, "--length", 400)
    refused(result, 1, "interrupted")
    assert "τ = 0.5" in result[1] and "after " in result[1] and "distinct-1" not in result[1]
    assert sum(map(len, result[1].split())) > 20 and whole.splitlines()[0] == result[1].splitlines()[0]


def test_ctrl_c_before_any_text_shows_nothing(folder, run, interrupt_after):
    interrupt_after(1)
    result = run("sample", folder, "--compare", "0.5,1", "--count", 2, "--length", 400)
    refused(result, 1, "interrupted")
    assert result[1] == ""


def test_a_beam_is_shown_prompt_by_prompt(folder, tokenizer, run, monkeypatch):
    before, search, calls = signal.getsignal(signal.SIGINT), command.beam_search, []

    def pressed(*arguments):
        calls.append(arguments)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return search(*arguments)

    monkeypatch.setattr(command, "beam_search", pressed)
    try:
        result = run("sample", folder, "--beam", 2, "--length", 5)
    finally:
        signal.signal(signal.SIGINT, before)
    refused(result, 1, "interrupted")
    assert result[1].count("after ") == 2 and len(re.findall(r"^ +-\d", result[1], re.MULTILINE)) == 2


@pytest.mark.skipif(os.name == "nt", reason="sends signals in the way of POSIX systems")
@pytest.mark.parametrize("tokenizer", [TOKENIZERS["characters"]])
def test_in_a_pipe_a_long_text_is_streamed_and_stops_with_ctrl_c(folder):
    process = subprocess.Popen(
        [sys.executable, "-m", "minilstm", "sample", str(folder), "--length", "100000000", "--count", "1"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    guard = threading.Timer(60, process.kill)
    guard.start()
    first = process.stdout.read(1000)  # the whole text would take minutes
    guard.cancel()
    process.send_signal(signal.SIGINT)
    rest, err = process.communicate(timeout=60)
    assert len(first) == 1000 and rest.endswith(b"\n") and process.returncode == 1
    assert err == b"minilstm: interrupted; what was generated so far stays\n"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo-terminals")
@pytest.mark.parametrize("tokenizer", [TOKENIZERS["words"]])
def test_in_a_terminal_the_same_text_is_shown_with_its_prompt_in_brackets(folder, run, tokenizer):
    options = ["sample", str(folder), "--length", "600", "--count", "1"]
    status, shown = run_in_terminal([sys.executable, "-m", "minilstm", *options], 80, 24)
    prompt, plain = PROMPTS[tokenizer.unit + "s"][0], run(*options)[1]
    assert plain.startswith(prompt)
    assert status == 0 and shown.replace("\r\n", "\n") == f"[{prompt}]{plain.removeprefix(prompt)}"


# ---- texts in chunks -----------------------------------------------------------------


def test_chunks_join_to_the_result_of_complete(tokenizer):
    rng = np.random.default_rng(0)
    for prompt in ("abc", "don", "d  ", "", "Roast (the"):
        for length in (0, 1, 2, 30):
            ids = rng.integers(0, tokenizer.vocab_size, length)
            assert "".join(tokenizer.chunks(prompt, iter(ids.tolist()))) == tokenizer.complete(prompt, ids)


def test_no_more_ids_are_generated_than_a_chunk_needs(tokenizer):
    asked = []
    ids = (asked.append(k) or 3 for k in range(50))
    needed = []
    for _ in tokenizer.chunks("d", ids):
        needed.append(len(asked))
    waits = tokenizer.unit == "word"
    assert needed == [0, *(min(k + waits, 50) for k in range(1, 51))]
