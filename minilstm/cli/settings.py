"""The settings of a run: defaults of the text, then a preset, then the options given.

Settings are plain values by name, so that a checkpoint can keep them. ``defaults.py``
has the defaults and the presets. ``as_published`` reproduces the bugs of a published
system too. Without it, padding is on the right and not learned, every epoch is
shuffled, and a tenth of the text is the validation set.
"""

from __future__ import annotations

import math

from minilstm.cli.defaults import (
    DEFAULTS,
    EPOCHS,
    HOW_TO_READ,
    MOST_EPOCHS,
    OF_SOURCE,
    OF_TASKS,
    OF_WORDS,
    PRESETS,
    PUBLISHED_BUGS,
    STEPS,
    Settings,
)
from minilstm.errors import InputError
from minilstm.models.language_model import LanguageModel
from minilstm.optim import (
    SGD,
    Adam,
    Constant,
    CosineDecay,
    Optimizer,
    OPTIMIZERS,
    RMSprop,
    StepDecay,
)
from minilstm.training.loop import Schedule

# what may change when a run continues
MAY_CHANGE = {
    "learning_rate", "clip", "clip_value", "epochs", "steps",
    "schedule", "decay_every", "decay_factor",
}  # fmt: skip
BETA2 = 0.99  # of Adam; 0.999 is slow to notice that gradients have become smaller
KERAS_EPSILON = 1e-7  # of Adam, added without bias correction


def resolve_settings(kind: str, given: Settings) -> Settings:
    """All settings of a new run.

    Parameters
    ----------
    kind : "headlines", "recipes" or "file".
    given : the options that were typed; they override presets and defaults.

    Raises
    ------
    InputError
        If options contradict each other.
    """
    for name, tasks in OF_TASKS.items():
        if name in given:
            raise InputError(
                f"{option(name)} is for --task {tasks}; add it, or leave"
                f" {option(name)} out"
            )
    if kind != "file" and given.get("preset") not in (None, kind):
        raise InputError(
            f"--preset {given['preset']} is for another kind of text than `{kind}`;"
            " leave it out"
        )
    if given.get("as_published") and given.get("preset") is None:
        if kind == "file":
            raise InputError(
                "--as-published needs --preset headlines or --preset recipes, to name"
                " the published system"
            )
        given = {**given, "preset": kind}
    preset = given.get("preset")
    chosen = {**DEFAULTS, **OF_SOURCE[kind]}
    if kind == "file" and given.get("tokens") == "words":
        chosen |= OF_WORDS
    if preset is not None:
        chosen |= PRESETS[preset]
        if given.get("as_published"):
            chosen |= PUBLISHED_BUGS[preset]
    # the embedding above is for the other tokens
    if given.get("tokens") not in (None, chosen["tokens"]):
        is_of_words = given["tokens"] == "words"
        chosen["embedding"] = OF_WORDS["embedding"] if is_of_words else None
    if given.get("optimizer") in ("rmsprop", "sgd"):
        chosen["learning_rate"] = OPTIMIZERS[given["optimizer"]]().learning_rate
    chosen |= given
    if chosen["tokens"] == "chars" and "vocab" not in given:
        chosen["vocab"] = None
    is_cut = kind == "file" or chosen["as_published"]
    if "max_length" not in given and (chosen["window"] or not is_cut):
        chosen["max_length"] = None
    if kind != "file":
        for name in (*HOW_TO_READ, "window", "max_length", "pool"):
            is_refused = chosen[name] not in (None, DEFAULTS[name])
            if is_refused and not (name == "max_length" and is_cut):
                raise InputError(
                    f"{option(name, chosen[name])} is for files;"
                    f" `{kind}` is a built-in corpus"
                )
    check(chosen, given)
    return chosen


def check(chosen: Settings, given: Settings) -> None:
    """Raise InputError for options that contradict others or have no effect there."""
    if chosen["momentum"] and chosen["optimizer"] == "adam":
        raise InputError(
            "--momentum is for --optimizer sgd and rmsprop; Adam has its own"
        )
    for name in ("decay_every", "decay_factor"):
        if name in given and chosen["schedule"] != "step":
            raise InputError(
                f"{option(name)} is for --schedule step; add it, or leave"
                f" {option(name)} out"
            )
    if chosen["vocab"] is not None and chosen["tokens"] == "chars":
        raise InputError("--vocab limits the number of words; it needs --tokens words")
    if chosen["vocab"] is not None and chosen["vocab"] < 3:
        raise InputError(
            "--vocab must be at least 3 (padding, unknown words and one word), not"
            f" {chosen['vocab']}"
        )
    if chosen["tied"] and chosen["embedding"] != chosen["hidden"]:
        was = (
            "there is none"
            if chosen["embedding"] is None
            else f"it is {chosen['embedding']} wide"
        )
        raise InputError(
            f"--tied needs an embedding as wide as the hidden layer, and {was};"
            f" add --embedding {chosen['hidden']}"
        )
    if chosen["window"] is None and chosen["carry"] is False:
        raise InputError(
            "--no-carry is for text in windows; add --window T, their length"
        )
    if chosen["window"] is not None and chosen["max_length"] is not None:
        raise InputError(
            "--max-length cuts sequences, --window reads one long text;"
            " choose one of them"
        )
    if chosen["window"] is not None and chosen["as_published"]:
        raise InputError(
            "--window is for one long text, but the published systems read sequences;"
            " leave out --as-published"
        )
    if "pool" in given and (chosen["window"] is not None or chosen["as_published"]):
        raise InputError(
            "--pool sorts sequences by length, but windows have one length, and"
            " published systems their own order;"
            " leave out --pool"
        )
    published_tokens = PRESETS[chosen["preset"]]["tokens"] if chosen["preset"] else None
    if chosen["as_published"] and chosen["tokens"] != published_tokens:
        raise InputError(
            f"the {chosen['preset']} were published with --tokens {published_tokens};"
            " leave out --as-published"
        )
    never_cut = chosen["as_published"] and chosen["preset"] == "headlines"
    if never_cut and chosen["max_length"] is not None:
        raise InputError(
            "--max-length cuts sequences, but headlines as published are not cut;"
            " leave out one of the two"
        )


def option(name: str, value: object = None) -> str:
    """The option that sets a setting; for a switch this depends on the value."""
    is_no = name == "carry" or name in ("header", "bidirectional") and value is False
    return ("--no-" if is_no else "--") + name.replace("_", "-")


def epochs_of_file(steps_per_epoch: int) -> int:
    """The epochs that make about 1,000 training steps: at least 4, and at most 100.

    >>> [epochs_of_file(steps) for steps in (2, 17, 5_000)]
    [100, 59, 4]
    """
    return min(max(EPOCHS, math.ceil(STEPS / steps_per_epoch)), MOST_EPOCHS)


def build_model(settings: Settings, vocab_size: int) -> LanguageModel:
    """The model with random weights. Raises InputError if sizes do not fit."""
    names = ("embedding", "hidden", "layers", "cell", "dropout", "tied", "seed")
    try:
        return LanguageModel(vocab_size, **{name: settings[name] for name in names})
    except InputError:
        raise
    # from NumPy, if the array is larger than the address space
    except ValueError as error:
        raise MemoryError from error


def build_optimizer(settings: Settings) -> Optimizer:
    """The optimizer; a preset has the constants of Keras."""
    rate, momentum = settings["learning_rate"], settings["momentum"]
    if settings["optimizer"] == "rmsprop":
        return RMSprop(rate, momentum=momentum)
    if settings["optimizer"] == "sgd":
        return SGD(rate, momentum=momentum)
    if settings["preset"] is not None:
        return Adam(rate, epsilon=KERAS_EPSILON, epsilon_hat=True)
    return Adam(rate, beta2=BETA2)


def build_schedule(settings: Settings, steps_per_epoch: int, total: int) -> Schedule:
    """The learning rate of every training step."""
    rate = settings["learning_rate"]
    if settings["schedule"] == "constant":
        return Constant(rate)
    if settings["schedule"] == "step":
        return StepDecay(
            rate, settings["decay_every"] * steps_per_epoch, settings["decay_factor"]
        )
    return CosineDecay(rate, total)
