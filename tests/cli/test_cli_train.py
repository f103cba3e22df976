"""``minilstm train`` with all its options.

The tests look at what reaches the training, what is printed, and how a run continues.
"""

import csv
import json
import os
import re
import shlex
import signal
import subprocess
import sys

import numpy as np
import pytest

from minilstm.cli import data
from minilstm.cli import train as command
from minilstm.cli.tasks import language_model
from minilstm.data.batches import SequenceBatches
from minilstm.data.readers import split_sequences
from minilstm.data.windows import StatelessWindows, WindowBatches
from minilstm.generation.sampling import Sampling, generate
from minilstm.training import callbacks, checkpoint
from minilstm.training.checkpoint import Checkpoint
from minilstm.training.progress import as_item
from tests.helpers.commands import refused

SMALL = ["--hidden", 6, "--batch-size", 4]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in, with texts, a table of headlines, a recipe list."""
    monkeypatch.chdir(tmp_path)
    lines = [f"line {k} says {'abc'[k % 3] * (k % 5 + 1)}, and on" for k in range(40)]
    (tmp_path / "lines.txt").write_text("\n".join(lines), "utf-8")
    (tmp_path / "more.txt").write_text("\n".join(line[::-1] for line in lines), "utf-8")
    with open(tmp_path / "news.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([[k % 4 + 1, f"Today {line}", "said"] for k, line in enumerate(lines)])
    recipes = [{"title": f"Dish {k}", "directions": ["Cook it.", f"Eat {'abc'[k % 3]}."]} for k in range(40)]
    (tmp_path / "recipes.json").write_text(json.dumps([*recipes, {"title": "Bread"}, {"directions": ["Cook it."]}]))
    return tmp_path


@pytest.fixture
def fitted(monkeypatch):
    """The arguments of ``fit``: batches, limits of clipping, schedule."""
    calls, fit = [], command.fit

    def spy(training, batches, epochs, steps, clip_norm, schedule, watchers, clip_value):
        calls.append({"batches": batches, "clip": clip_norm, "schedule": schedule, "clip_value": clip_value, "steps": steps})
        return fit(training, batches, epochs, steps, clip_norm, schedule, watchers, clip_value)

    monkeypatch.setattr(command, "fit", spy)
    return calls


@pytest.fixture
def small_recipes(monkeypatch):
    """Fewer of the built-in recipes."""
    monkeypatch.setitem(data.EPOCH, "recipes", 24)
    monkeypatch.setitem(data.VALIDATION_TEXTS, "recipes", 8)
    monkeypatch.setitem(language_model.TEXTS_CHECKED, "recipes", 5)
    monkeypatch.setattr(language_model, "CHECKED_LENGTH", 40)


def trained(run, *options, out="run", source="lines.txt"):
    """The run that results from these options."""
    sources = [source] if isinstance(source, str) else source
    status, _, err = run("train", *sources, *options, "--out", out)
    assert status == 0, err
    return checkpoint.load(f"{out}/model.npz")


def narrow(text, columns=80):
    """Whether every line fits, except commands for copying."""
    return all(len(line) <= columns for line in text.splitlines() if not line.startswith("  minilstm"))


@pytest.mark.parametrize(
    "options, expected",
    [
        (["--cell", "gru"], {"cell": "gru"}),
        (["--cell", "rnn"], {"cell": "rnn"}),
        (["--layers", 3], {"layers": 3}),
        (["--embedding", 5], {"embedding": 5}),
        (["--dropout", 0.25], {"dropout": 0.25}),
        (["--embedding", 6, "--tied"], {"tied": True, "embedding": 6}),
        (["--seed", 9], {"seed": 9}),
        (["--tokens", "words"], {"embedding": 100}),
        (["--tokens", "words", "--vocab", 7], {"vocab_size": 7}),
    ],
)
def test_options_make_the_model(here, run, options, expected):
    model = trained(run, *SMALL, *options, "--steps", 1).training.model
    assert {name: getattr(model, name) for name in expected} == expected and model.hidden == 6


@pytest.mark.parametrize(
    "options, kind, expected",
    [
        ([], "adam", {"learning_rate": 0.01, "beta2": 0.99, "epsilon_hat": False}),
        (["--optimizer", "rmsprop", "--momentum", 0.5], "rmsprop", {"learning_rate": 0.001, "momentum": 0.5}),
        (["--optimizer", "sgd", "--learning-rate", 0.125], "sgd", {"learning_rate": 0.125, "momentum": 0.0}),
        (["--preset", "headlines"], "adam", {"learning_rate": 0.001, "epsilon": 1e-7, "epsilon_hat": True}),
        (["--preset", "headlines", "--as-published"], "rmsprop", {"learning_rate": 0.001, "epsilon": 1e-7, "rho": 0.9}),
    ],
)
def test_options_make_the_optimizer(here, run, options, kind, expected):
    optimizer = trained(run, *SMALL, *options, "--steps", 1).training.optimizer
    assert optimizer.kind == kind and {name: getattr(optimizer, name) for name in expected} == expected


@pytest.mark.parametrize(
    "options, rates",
    [
        (["--schedule", "constant"], [0.5] * 20),
        (["--schedule", "step"], [0.5] * 9 + [0.25] * 9 + [0.125] * 2),
        (["--schedule", "step", "--decay-every", 2, "--decay-factor", 0.1], [0.5] * 18 + [0.05] * 2),
    ],
)
def test_options_make_the_schedule(here, run, fitted, options, rates):
    trained(run, *SMALL, *options, "--learning-rate", 0.5, "--steps", 1)
    assert [fitted[0]["schedule"](step) for step in range(20)] == pytest.approx(rates)


@pytest.mark.parametrize(
    "options, limits",
    [([], (1.0, None)), (["--clip", 3, "--clip-value", 0.25], (3, 0.25)), (["--preset", "headlines"], (None, None))],
)
def test_options_make_the_clipping(here, run, fitted, options, limits):
    trained(run, *SMALL, *options, "--steps", 1)
    assert (fitted[0]["clip"], fitted[0]["clip_value"]) == limits


@pytest.mark.parametrize(
    "options, kind, shape",
    [
        (["--window", 7], WindowBatches, (7, 4)),
        (["--window", 7, "--no-carry"], StatelessWindows, (7, 4)),
        (["--max-length", 5], SequenceBatches, (5, 4)),
        (["--max-length", 1], SequenceBatches, (1, 4)),
        (["--window", 1], WindowBatches, (1, 4)),
    ],
)
def test_options_make_the_batches(here, run, fitted, options, kind, shape):
    trained(run, *SMALL, *options, "--steps", 2)
    batches = fitted[0]["batches"]
    assert type(batches) is kind and next(batches.epoch(np.random.default_rng(0))).inputs.shape == shape


def test_a_preset_is_trained_as_published_and_as_overridden(here, run, fitted):
    kept = trained(run, "--preset", "headlines", "--as-published", source="news.csv", out="one")
    assert fitted[0]["steps"] == 4 * 5 and kept.training.model.hidden == 128 and kept.training.step == 20
    assert not os.path.exists("one/best.npz") and {row.valid_loss for row in kept.training.history} == {None}
    kept = trained(run, "--preset", "headlines", "--as-published", *SMALL, "--epochs", 2, "--cell", "gru", source="news.csv",
                   out="two")
    assert kept.training.step == 20 and (kept.training.model.cell, kept.training.model.hidden) == ("gru", 6)


@pytest.mark.parametrize(
    "preset, source, prompt, sampling, length",
    [
        ("headlines", "news.csv", "Today ", Sampling(greedy=True), 100),
        ("recipes", "recipes.json", "recipe for", Sampling(1.0), 98),
    ],
)
def test_samples_after_each_epoch_have_the_prompts_of_the_notebooks(here, run, preset, source, prompt, sampling, length):
    kept = trained(run, "--preset", preset, *SMALL, "--epochs", 2, source=source)
    rng = np.random.default_rng([0, 3, 2])
    written = generate(kept.training.model, kept.tokenizer, [prompt], length, sampling, rng)
    assert written[0].startswith(prompt)
    assert kept.training.samples[1] == "epoch 2\n" + as_item(f"[{prompt}]{written[0][len(prompt):]}")
    assert len(kept.training.samples) == 2 and kept.settings["prompts"] == [prompt]


def test_recipes_without_directions_are_counted_in_the_output(here, run):
    status, out, _ = run("train", "recipes.json", "--preset", "recipes", *SMALL, "--steps", 2, "--out", "run")
    assert status == 0 and "2 without title or directions left out" in " ".join(out.split()) and narrow(out)


@pytest.mark.parametrize("tokens", ["chars", "words"])
def test_the_printed_numbers_equal_those_computed_by_hand(here, run, tokens):
    status, out, _ = run("train", "lines.txt", *SMALL, "--tokens", tokens, "--epochs", 1, "--out", "run")
    kept = checkpoint.load("run/model.npz")
    lines = (here / "lines.txt").read_text("utf-8").split("\n")
    _, held_out = split_sequences(lines, np.random.default_rng([0, 1]), 0.1)
    nats, count, characters = 0.0, 0, sum(map(len, held_out))
    for text in held_out:
        ids = kept.tokenizer.encode(text)
        logits = kept.training.model.logits(ids[:, None])[0][:, 0].astype(np.float64)  # (T, V)
        targets = [*ids[1:], kept.tokenizer.eos_id]
        nats += sum(np.log(np.exp(row).sum()) - row[k] for row, k in zip(logits, targets))
        count += len(ids)
    match = re.search(r"validation (\d\S+)\n +validation: (\S+) bits per character, perplexity (\S+)\n", out)
    loss = nats / count
    expected = [loss, nats / np.log(2) / characters, np.exp(loss)]
    assert [float(number) for number in match.groups()] == pytest.approx(expected, rel=6e-4)
    assert (characters == count) == (tokens == "chars")


def test_a_run_on_recipes_ends_with_the_long_range_agreement(here, run, small_recipes):
    status, out, err = run("train", "recipes", *SMALL, "--epochs", 1, "--out", "run")
    assert status == 0, err
    assert "floor: " in out and re.search(r"accepted by the grammar at temperature 0.7: \S+% of 5 recipes", out)
    assert re.search(r"\d of these 5 reached their end token:\n", out) and narrow(out)
    assert all(f"{distance} words" in out or re.search(rf"\b{distance}\b", out) for distance in (10, 20, 50, 100))
    (here / "run").rename("whole")
    status, out, _ = run("train", "recipes", "--as-published", *SMALL, "--epochs", 1, "--out", "run")
    assert status == 0 and "floor" not in out and "as published" in out


@pytest.mark.parametrize(
    "options",
    [
        ["--window", 5, "--cell", "gru"],
        ["--window", 5, "--cell", "rnn", "--layers", 2],
        ["--window", 5, "--cell", "lstm"],
        ["--window", 5, "--no-carry"],
        ["--dropout", 0.5, "--layers", 2],
        ["--optimizer", "rmsprop", "--momentum", 0.9],
        ["--optimizer", "sgd", "--momentum", 0.9],
        ["--tokens", "words", "--vocab", 9, "--embedding", 6, "--tied"],
        ["--preset", "headlines", "--as-published"],
        ["--preset", "headlines", "--schedule", "step", "--decay-factor", 0.5],
    ],
    ids=lambda options: " ".join(map(str, options)),
)
def test_every_kind_of_run_is_resumed_to_the_same_bits(here, run, options):
    fixed = [*options, *([] if "--schedule" in options else ["--schedule", "constant"]), *SMALL]
    whole = trained(run, *fixed, "--steps", 14, out="whole")
    first = trained(run, *fixed, "--steps", 6, out="parts")
    assert (first.training.state is not None) == ("--window" in options and "--no-carry" not in options)
    status, out, err = run("train", "--resume", "--out", "parts", "--steps", 14)
    assert status == 0 and "continuing after epoch 0, step 6" in out, err
    parts = checkpoint.load("parts/model.npz")
    assert (parts.training.model.parameters.flat == whole.training.model.parameters.flat).all()
    assert (first.training.model.parameters.flat != whole.training.model.parameters.flat).any()
    assert parts.settings == {**whole.settings, "steps": 14, "run": first.settings["run"]}


def test_a_run_on_several_files_continues_after_they_were_moved(here, run):
    both = ["lines.txt", "more.txt"]
    whole = trained(run, *SMALL, "--window", 5, "--schedule", "constant", "--epochs", 2, source=both, out="whole")
    trained(run, *SMALL, "--window", 5, "--schedule", "constant", "--epochs", 1, source=both, out="parts")
    (here / "elsewhere").mkdir()
    for name in both:
        (here / name).rename(here / "elsewhere" / name)
    refused(run("train", "--resume", "--out", "parts", "--epochs", 2), 2, "cannot read", "lines.txt")
    moved = [f"elsewhere/{name}" for name in both]
    refused(run("train", *moved[::-1], "--resume", "--out", "parts", "--epochs", 2), 2, "is not the text that")
    refused(run("train", moved[0], "--resume", "--out", "parts", "--epochs", 2), 2, "is not the text that")
    parts = trained(run, "--resume", "--epochs", 2, source=moved, out="parts")
    assert (parts.training.model.parameters.flat == whole.training.model.parameters.flat).all()
    # the run has saved where the files are now
    assert run("train", "--resume", "--out", "parts", "--epochs", 3)[0] == 0


@pytest.mark.parametrize(
    "began, option, was",
    [
        ([], ["--cell", "gru"], "with --cell lstm"),
        ([], ["--tokens", "words"], "with --tokens chars"),
        (["--tokens", "words"], ["--vocab", 50], "with --vocab 10000"),
        ([], ["--max-length", 9], "without --max-length"),
        (["--window", 5], ["--no-carry"], "without --no-carry"),
        ([], ["--dropout", 0.5], "with --dropout 0.0"),
        ([], ["--optimizer", "sgd"], "with --optimizer adam"),
        (["--optimizer", "sgd"], ["--momentum", 0.5], "with --momentum 0.0"),
        ([], ["--preset", "headlines"], "without --preset"),
        (["--preset", "headlines"], ["--as-published"], "without --as-published"),
        (["--embedding", 6], ["--tied"], "without --tied"),
    ],
    ids=lambda part: " ".join(map(str, part)) if isinstance(part, list) else "",
)
def test_fixed_options_cannot_be_changed_when_resuming(here, run, began, option, was):
    trained(run, *SMALL, *began, "--steps", 1)
    before = {path: path.read_bytes() for path in (here / "run").iterdir()}
    typed = " ".join(map(str, option))
    refused(run("train", "--resume", "--out", "run", "--steps", 2, *option), 2, f"started {was}", f"continue with {typed}",
            f"leave {option[0]} out")
    refused(run("train", "--resume", "--out", "run", "--steps", 2, "--decay-every", 2), 2, "--schedule step")
    assert {path: path.read_bytes() for path in (here / "run").iterdir()} == before


def test_other_options_are_changed_when_resuming_and_saved(here, run, fitted):
    trained(run, *SMALL, "--steps", 2)
    kept = trained(run, "--resume", "--steps", 4, "--schedule", "step", "--decay-every", 2, "--clip", 9, "--clip-value", 0.5,
                   "--learning-rate", 0.25, source=[])
    assert fitted[1]["schedule"](0) == 0.25 and (fitted[1]["clip"], fitted[1]["clip_value"]) == (9, 0.5)
    assert kept.settings["schedule"] == "step" and kept.settings["decay_every"] == 2 and kept.training.step == 4


@pytest.mark.parametrize("sources", [["lines.txt"], ["lines.txt", "more.txt"], ["a name's.txt"]])
def test_the_printed_command_continues_the_run(here, run, monkeypatch, sources):
    (here / "a name's.txt").write_text((here / "lines.txt").read_text())

    def pressed(self, training, record):
        training.stop = "interrupted" if record.step == 2 else None

    with monkeypatch.context() as patch:
        patch.setattr(callbacks.StopOnSignal, "on_step", pressed)
        status, out, _ = run("train", *sources, *SMALL, "--steps", 5, "--out", "my run")
    (printed,) = [line for line in out.splitlines() if line.startswith("  minilstm")]
    assert status == 0 and checkpoint.load("my run/model.npz").training.step == 2
    assert run(*shlex.split(printed)[1:])[0] == 0
    assert checkpoint.load("my run/model.npz").training.step == 5


@pytest.fixture
def interruptible():
    """Ctrl-C can be pressed again in the next test."""
    kept = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, kept)


def presses(function, before=True):
    """The function, with Ctrl-C pressed before or after it."""

    def pressed(*arguments, **options):
        if before:
            signal.raise_signal(signal.SIGINT)
        result = function(*arguments, **options)
        if not before:
            signal.raise_signal(signal.SIGINT)
        return result

    return pressed


@pytest.mark.parametrize("owner, name", [(data, "load"), (language_model, "build_model"), (command, "build_optimizer")])
def test_ctrl_c_before_the_first_step_leaves_nothing_behind(here, run, monkeypatch, interruptible, owner, name):
    monkeypatch.setattr(owner, name, presses(getattr(owner, name)))
    refused(run("train", "lines.txt", *SMALL, "--steps", 2, "--out", "run"), 1, "interrupted")
    assert not (here / "run").exists()


@pytest.mark.parametrize("owner, name", [(callbacks, "evaluate"), (language_model, "generate"), (command, "build_schedule")])
def test_ctrl_c_in_a_run_saves_and_says_how_to_continue(here, run, monkeypatch, interruptible, owner, name):
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, presses(getattr(owner, name), before=owner is not command or name != "build_schedule"))
        result = run("train", "lines.txt", *SMALL, "--epochs", 2, "--out", "run")
    if name == "build_schedule":  # there is no step to finish yet
        refused(result, 1, "interrupted", "--resume")
    else:
        assert result[0] == 0 and "stopped after step 9" in result[1]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    assert trained(run, "--resume", source=[]).training.epoch == 2


def test_a_disk_that_is_full_from_the_beginning_leaves_no_empty_folder(here, run, monkeypatch):
    def full(path, kept):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(callbacks, "save", full)
    (here / "mine").mkdir()
    for folder, stays in [("run", False), ("mine", True)]:
        refused(run("train", "lines.txt", *SMALL, "--steps", 2, "--out", folder), 1, "No space left on device")
        assert (here / folder).exists() == stays and not (here / folder / ".lock").exists()


def test_ctrl_c_while_the_grammar_checks_a_finished_run_loses_nothing(here, run, monkeypatch, interruptible, small_recipes):
    with monkeypatch.context() as patch:
        patch.setattr(language_model, "kept_by_distance", presses(language_model.kept_by_distance))
        refused(run("train", "recipes", *SMALL, "--steps", 2, "--out", "run"), 1, "interrupted", "is complete")
    assert checkpoint.load("run/model.npz").training.step == 2 and not (here / "run/.lock").exists()


def write(name, text):
    def make(folder):
        (folder / name).write_text(text, "utf-8")
        return [name]

    return make


ALL_DIFFERENT = "\n".join(f"word{chr(97 + k)}" for k in range(20))


@pytest.mark.parametrize(
    "sources, options, words",
    [
        (["lines.txt"], ["--tokens", "words", "--vocab", 2], ["--vocab must be at least 3 (padding, unknown words and one"]),
        (["lines.txt"], ["--vocab", 50], ["--vocab", "--tokens words"]),
        (write("rare.txt", ALL_DIFFERENT), ["--tokens", "words"], ["all words of the validation set are unknown", "rare.txt"]),
        (write("no.json", '[{"title": "a"}]'), ["--preset", "recipes"], ["no.json holds no recipes", "'directions'"]),
        (write("no.json", '{"a": 1}'), ["--preset", "recipes"], ["no.json must hold a JSON list"]),
        (write("no.json", "[1, 2"), ["--preset", "recipes"], ["no.json is not JSON"]),
        (["lines.txt"], ["--preset", "recipes"], ["--preset recipes reads .json files", "lines.txt"]),
        (["news.csv"], ["--preset", "recipes"], ["--preset recipes reads .json files"]),
        (["recipes.json", "lines.txt"], ["--preset", "recipes"], ["--preset recipes reads .json files"]),
        (["recipes.json"], ["--preset", "headlines"], ["--preset headlines reads a .csv file"]),
        (write("other.csv", "a,b\n1,2\n"), ["--preset", "headlines"], ["other.csv: no column is 'title'"]),
        (["recipes"], ["--preset", "headlines"], ["--preset headlines is for another kind of text than `recipes`"]),
        (["headlines"], ["--preset", "headlines", "--column", "x"], ["--column is for files"]),
        (["headlines", "lines.txt"], [], ["`headlines` is a built-in corpus and cannot be combined"]),
        (["lines.txt", "./lines.txt"], [], ["lines.txt is named twice"]),
        (["lines.txt", "none.txt"], [], ["cannot read", "none.txt"]),
        (lambda folder: ["lines.txt", *write("empty.txt", " \n")(folder)], [], ["empty.txt is empty"]),
        (["lines.txt", "."], [], ["is a directory"]),
        (["lines.txt", "more.txt"], ["--column", "a"], ["--column is for tables and JSON", "--format"]),
        (write("one.txt", "a word"), ["--tokens", "words"], ["at least 2 sequences", "--window"]),
        (["lines.txt"], ["--as-published"], ["--preset headlines or --preset recipes"]),
        (["news.csv"], ["--preset", "headlines", "--as-published", "--window", 5], ["leave out --as-published"]),
        (["news.csv"], ["--preset", "headlines", "--as-published", "--no-carry"], ["--no-carry", "--window"]),
        (["news.csv"], ["--preset", "headlines", "--as-published", "--max-length", 5], ["--max-length"]),
        (["lines.txt"], ["--tied"], ["--tied needs an embedding as wide as the hidden layer", "add --embedding 6"]),
        (["lines.txt"], ["--tied", "--embedding", 4], ["it is 4 wide; add --embedding 6"]),
        (["lines.txt"], ["--momentum", 0.5], ["--momentum is for --optimizer sgd and rmsprop"]),
        (["lines.txt"], ["--decay-every", 2], ["--decay-every is for --schedule step"]),
        (["lines.txt"], ["--decay-factor", 0.5], ["--decay-factor is for --schedule step"]),
        (["lines.txt"], ["--dropout", "nan"], ["argument --dropout: must be at least 0 and below 1, not 'nan'"]),
        (["lines.txt"], ["--dropout", "1"], ["argument --dropout: must be at least 0 and below 1, not '1'"]),
        (["lines.txt"], ["--dropout", "-0.1"], ["argument --dropout: must be at least 0 and below 1, not '-0.1'"]),
        (["lines.txt"], ["--momentum", "1"], ["argument --momentum: must be at least 0 and below 1"]),
        (["lines.txt"], ["--schedule", "step", "--decay-factor", "0"], ["argument --decay-factor: must be above 0"]),
        (["lines.txt"], ["--clip-value", "0"], ["argument --clip-value: must be a number above 0"]),
        (["lines.txt"], ["--vocab", "0"], ["argument --vocab: must be a whole number from 1"]),
        (["lines.txt"], ["--cell", "tanh"], ["argument --cell: invalid choice: 'tanh'"]),
        ([], ["--steps", 3], ["name a text to train on"]),
        ([], ["--resume"], ["name a text to train on"]),
    ],
)
def test_impossible_options_are_refused_in_one_sentence_and_leave_no_files(here, run, sources, options, words):
    names = sources(here) if callable(sources) else sources
    refused(run("train", *names, *SMALL, *options), 2, *words)
    assert not (here / "runs").exists()


def test_sizes_beyond_all_memory_are_refused(here, run):
    refused(run("train", "lines.txt", "--hidden", 10**9), 1, "not enough memory", "choose smaller sizes")
    assert not (here / "runs").exists()


@pytest.mark.parametrize(
    "text", ["...!!!\n???,,,\n;;;\n", "😀😃😄\n🎉 🎂\n👩‍👩‍👧 x\n", "word\n", "料理の作り方\n煮る、焼く。\n"]
)
@pytest.mark.parametrize("options", [["--tokens", "words"], ["--tokens", "words", "--window", 2], []])
def test_any_text_can_be_trained_on(here, run, text, options):
    (here / "text.txt").write_text(text * 30, "utf-8")
    status, out, err = run("train", "text.txt", *SMALL, *options, "--epochs", 1, "--out", "run")
    assert status == 0 and narrow(out), err
    assert run("sample", "run", "--length", 3, "--count", 1)[0] == 0


def test_a_prompt_with_unknown_characters_is_replaced_by_one_of_the_text(here, run):
    kept = trained(run, "--preset", "headlines", *SMALL, "--epochs", 1)
    assert kept.settings["prompts"] == ["line "] and "  - [line ]" in kept.training.samples[0]


def test_all_output_fits_eighty_columns(here, run, small_recipes):
    for number, options in enumerate((
        ["recipes.json", "--preset", "recipes", "--as-published"], ["recipes", "--preset", "recipes"],
        ["recipes", "--vocab", 30],
        ["lines.txt", "more.txt", "--window", 5, "--dropout", 0.5, "--tokens", "words"],
    )):
        status, out, err = run("train", *options, *SMALL, "--epochs", 1, "--out", f"a folder of a name/{number}")
        assert status == 0 and narrow(out), err


def test_help_fits_eighty_columns_and_names_every_default(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    status, out, _ = run("train", "--help")
    assert status == 0 and max(map(len, out.splitlines())) <= 80
    for default in ("128)", "adam)", "cosine;", "10000;", "lstm)", "0.5)"):
        assert f"(default: {default}" in " ".join(out.split()), default


def test_training_works_in_a_narrow_ascii_terminal(here):
    (here / "text.txt").write_text("😀 é\n🎉 ü\n" * 20, "utf-8")
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "COLUMNS": "40", "NO_COLOR": "1"}
    line = [sys.executable, "-m", "minilstm", "train", "text.txt", "--tokens", "words", "--hidden", "4", "--epochs", "1"]
    result = subprocess.run(line, capture_output=True, env=environment, timeout=120)
    assert result.returncode == 0 and result.stderr == b"" and b"\\U0001f389" in result.stdout
    assert isinstance(checkpoint.load("runs/text/model.npz"), Checkpoint)
