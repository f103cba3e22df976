"""Settings: defaults, the two published systems, options, and which of them counts.

Options that conflict are refused.
"""

import math

import pytest

from minilstm import SGD, Adam, InputError, RMSprop
from minilstm.cli import defaults
from minilstm.cli.defaults import DEFAULTS, OF_SOURCE
from minilstm.cli.options import parser
from minilstm.cli.settings import build_model, build_optimizer, build_schedule, check, resolve_settings
from minilstm.models.build import CELLS
from minilstm.optim import OPTIMIZERS

PUBLISHED = {
    "headlines": {"tokens": "chars", "vocab": None, "embedding": None, "hidden": 128, "layers": 1, "cell": "lstm",
                  "batch_size": 8, "epochs": 4, "learning_rate": 0.001, "schedule": "constant", "clip": None,
                  "clip_value": None, "dropout": 0.0, "tied": False, "max_length": None, "window": None,
                  "prompts": ["Today "], "greedy": True, "length": 100},
    "recipes": {"tokens": "words", "vocab": 10_000, "embedding": 100, "hidden": 128, "layers": 1, "cell": "lstm",
                "batch_size": 32, "epochs": 25, "learning_rate": 0.001, "schedule": "constant", "clip": None,
                "clip_value": None, "dropout": 0.0, "tied": False, "max_length": 200, "window": None,
                "prompts": ["recipe for"], "greedy": False, "temperature": 1.0},
}
OTHER = {"column": "x", "vocab": 77, "cell": "gru", "hidden": 9, "layers": 2, "embedding": 9, "dropout": 0.25, "tied": True,
         "optimizer": "sgd", "momentum": 0.5, "schedule": "step", "decay_every": 3, "decay_factor": 0.1, "clip": 7.0,
         "clip_value": 0.3, "seed": 5, "steps": 11, "epochs": None, "batch_size": 3, "learning_rate": 0.7}


@pytest.mark.parametrize("preset, expected", PUBLISHED.items())
@pytest.mark.parametrize("as_published", [None, True])
def test_a_preset_has_the_published_settings(preset, expected, as_published):
    settings = resolve_settings("file", {"preset": preset, **({"as_published": True} if as_published else {})})
    assert {name: settings[name] for name in expected} == expected
    assert settings["optimizer"] == ("rmsprop" if as_published and preset == "headlines" else "adam")


def test_generated_recipes_are_at_most_a_hundred_words_with_the_prompt():
    settings = resolve_settings("file", {"preset": "recipes"})
    assert len(settings["prompts"][0].split()) + settings["length"] == 100


@pytest.mark.parametrize("preset", PUBLISHED)
@pytest.mark.parametrize("name", OTHER)
def test_every_value_of_a_preset_can_be_overridden(preset, name):
    together = {"tied": ("embedding", "hidden"), "vocab": (), "momentum": ("optimizer",), "decay_every": ("schedule",),
                "decay_factor": ("schedule",)}.get(name, ())
    given = {name: OTHER[name], **{other: OTHER[other] for other in together}}
    if name == "vocab":
        given["tokens"] = "words"
    settings, plain = resolve_settings("file", {"preset": preset, **given}), resolve_settings("file", {"preset": preset})
    assert settings[name] == OTHER[name]
    # settings whose default depends on another one
    follow = {"optimizer": "learning_rate", "tokens": "embedding"}
    free = {*given, *(follow[other] for other in follow.keys() & given.keys())}
    assert {k: v for k, v in settings.items() if k not in free} == {k: v for k, v in plain.items() if k not in free}


def test_tokens_of_a_preset_can_be_overridden():
    assert resolve_settings("file", {"preset": "recipes", "tokens": "chars"})["vocab"] is None
    assert resolve_settings("file", {"preset": "headlines", "tokens": "words"})["tokens"] == "words"
    assert resolve_settings("file", {"preset": "headlines", "as_published": True, "optimizer": "adam"})["optimizer"] == "adam"
    assert resolve_settings("file", {"preset": "recipes", "window": 7})["max_length"] is None


@pytest.mark.parametrize("kind, given", [("headlines", {}), ("recipes", {}), ("file", {}), ("file", {"preset": "headlines"}),
                                         ("file", {"preset": "recipes"})])
def test_words_have_an_embedding_and_characters_have_none_by_default(kind, given):
    assert resolve_settings(kind, {**given, "tokens": "words"})["embedding"] == 100
    assert resolve_settings(kind, {**given, "tokens": "chars"})["embedding"] is None
    assert resolve_settings(kind, {**given, "tokens": "chars", "embedding": 7})["embedding"] == 7


def test_every_setting_has_an_option():
    typed = vars(parser().parse_args(["train", "x"]))
    assert {*DEFAULTS, *OF_SOURCE["file"]} - typed.keys() == {"prompts", "temperature", "greedy", "length"}
    assert all(typed[name] is None for name in {*DEFAULTS, *OF_SOURCE["file"]} & typed.keys())


def test_the_choices_of_options_are_what_the_program_has():
    assert defaults.CELLS == tuple(CELLS)
    assert defaults.OPTIMIZERS == tuple(OPTIMIZERS)


@pytest.mark.parametrize("kind", ["headlines", "recipes", "file"])
def test_as_published_takes_the_preset_of_a_built_in_corpus(kind):
    if kind == "file":
        with pytest.raises(InputError, match="needs --preset headlines or --preset recipes"):
            resolve_settings(kind, {"as_published": True})
    else:
        assert resolve_settings(kind, {"as_published": True}) == resolve_settings(kind, {"as_published": True, "preset": kind})


def test_the_default_sizes_of_word_models_are_their_own():
    settings = resolve_settings("file", {"tokens": "words"})
    assert (settings["vocab"], settings["embedding"]) == (10_000, 100)
    assert resolve_settings("file", {"tokens": "words", "embedding": 3, "vocab": 9})["embedding"] == 3
    assert resolve_settings("file", {})["embedding"] is None


def test_parameter_counts_are_the_published_ones():
    for preset, V, count in [("headlines", 84, 119_892), ("headlines", 83, 119_251), ("recipes", 10_000, 2_407_248)]:
        assert build_model(resolve_settings("file", {"preset": preset}), V).parameters.flat.size == count


def test_sizes_beyond_all_memory_raise_a_memory_error():
    with pytest.raises(MemoryError):
        build_model(resolve_settings("file", {"hidden": 10**9}), 10)


def test_presets_give_adam_the_epsilon_of_keras():
    assert build_optimizer(resolve_settings("file", {"preset": "recipes"})) == Adam(0.001, 0.9, 0.999, 1e-7, epsilon_hat=True)
    assert build_optimizer(resolve_settings("file", {})) == Adam(0.01, beta2=0.99)


@pytest.mark.parametrize(
    "given, expected",
    [
        ({"optimizer": "sgd"}, SGD(0.01)),
        ({"optimizer": "sgd", "momentum": 0.9, "learning_rate": 0.3}, SGD(0.3, momentum=0.9)),
        ({"optimizer": "rmsprop"}, RMSprop(0.001, 0.9, 0.0, 1e-7)),
        ({"optimizer": "rmsprop", "momentum": 0.5, "learning_rate": 0.2}, RMSprop(0.2, momentum=0.5)),
        ({"preset": "headlines", "as_published": True}, RMSprop(0.001, 0.9, 0.0, 1e-7)),
        ({"learning_rate": 0.25}, Adam(0.25, beta2=0.99)),
    ],
)
def test_optimizers_get_the_constants_of_the_options(given, expected):
    assert build_optimizer(resolve_settings("file", given)) == expected


def test_schedules_are_those_of_the_options():
    constant = build_schedule(resolve_settings("file", {"schedule": "constant", "learning_rate": 0.5}), 10, 100)
    assert [constant(k) for k in (0, 50, 99)] == [0.5] * 3
    given = {"schedule": "step", "decay_every": 2, "decay_factor": 0.1, "learning_rate": 0.5}
    step = build_schedule(resolve_settings("file", given), 10, 100)
    assert [step(k) for k in (0, 19, 20, 39, 40)] == pytest.approx([0.5, 0.5, 0.05, 0.05, 0.005])
    cosine = build_schedule(resolve_settings("file", {"learning_rate": 0.5}), 10, 100)
    assert [cosine(k) for k in (0, 50, 25)] == pytest.approx([0.5, 0.25, 0.25 * (1 + math.sqrt(0.5))])


@pytest.mark.parametrize(
    "kind, given, words",
    [
        ("file", {"momentum": 0.9}, "--momentum is for --optimizer sgd and rmsprop"),
        ("file", {"decay_every": 2}, "--decay-every is for --schedule step"),
        ("file", {"preset": "recipes", "decay_factor": 0.5}, "--decay-factor is for --schedule step"),
        ("file", {"vocab": 50}, "--vocab limits the number of words"),
        ("file", {"tokens": "words", "vocab": 2}, "--vocab must be at least 3"),
        ("file", {"carry": False}, "add --window"),
        ("file", {"window": 5, "max_length": 5}, "choose one of them"),
        ("file", {"preset": "recipes", "window": 5, "max_length": 5}, "choose one of them"),
        ("file", {"preset": "headlines", "as_published": True, "window": 5}, "leave out --as-published"),
        ("file", {"preset": "headlines", "as_published": True, "max_length": 5}, "--max-length"),
        ("file", {"preset": "recipes", "as_published": True, "tokens": "chars"}, "published with --tokens words"),
        ("file", {"tied": True}, "there is none; add --embedding 128"),
        ("recipes", {"tied": True}, "it is 100 wide; add --embedding 128"),
        ("recipes", {"preset": "headlines"}, "for another kind of text than `recipes`"),
        ("headlines", {"preset": "recipes"}, "for another kind of text than `headlines`"),
        ("headlines", {"column": "title"}, "--column is for files"),
        ("headlines", {"preset": "headlines", "column": "title"}, "--column is for files"),
        ("recipes", {"window": 5}, "--window is for files"),
        ("recipes", {"format": "csv"}, "--format is for files"),
        ("headlines", {"header": False}, "--no-header is for files"),
        ("headlines", {"encoding": "cp1252"}, "--encoding is for files"),
        ("recipes", {"preset": "recipes", "max_length": 5}, "--max-length is for files"),
    ],
)
def test_conflicting_options_are_refused(kind, given, words):
    with pytest.raises(InputError) as caught:
        resolve_settings(kind, given)
    assert words in str(caught.value)


def test_options_saved_with_a_run_are_not_refused():
    check(resolve_settings("file", {"schedule": "step", "decay_every": 3}) | {"schedule": "constant"}, {"schedule": "constant"})
    assert resolve_settings("recipes", {"as_published": True, "max_length": 50})["max_length"] == 50
