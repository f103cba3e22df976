"""``minilstm check``: all gradients of a model against numerical derivatives.

With a file, it is ``check_file.py`` that runs.
"""

from __future__ import annotations

import math
from argparse import Namespace
from typing import Any

from minilstm.cli.defaults import CHECK, SIZES_OF
from minilstm.errors import InputError
from minilstm.models.build import build_layers, parameter_shapes
from minilstm.models.model import Model
from minilstm.verify.gradcheck.check import METHODS
from minilstm.verify.gradcheck.shapes import model_and_arguments, random_case_of
from minilstm.verify.gradcheck.whole_model import check_model, random_case

# of the engine; the other methods have larger errors of their own
TOLERANCE = {"complex": 1e-12}
LIMITS = {
    "V": (2, 10**6),
    "E": (0, 10**4),
    "H": (1, 10**4),
    "L": (1, 100),
    "T": (1, 10**4),
    "B": (1, 10**4),
    "C": (2, 10**4),
    "S": (1, 10**4),
    "K": (0, 10**4),
    "F": (1, 10**4),
}
MEANING = {
    "V": "vocabulary",
    "E": "embedding, 0 for one-hot input",
    "H": "hidden",
    "L": "layers",
    "T": "time steps",
    "B": "sequences",
    "C": "classes",
    "S": "time steps of the source",
    "K": "attention, 0 for none",
    "F": "features",
}
LANGUAGE_MODEL = "language-model"
OPTIONS_OF = {  # the models that have them
    "--tied": (LANGUAGE_MODEL,),
    "--bidirectional": ("classifier", "tagger", "encoder-decoder"),
    "--pooling": ("classifier",),
    "--reverse-source": ("encoder-decoder",),
}
_SEQUENCES = "{B} random sequences of up to {T} time steps"
BATCH = {  # what is printed of the mini-batch
    LANGUAGE_MODEL: f"{_SEQUENCES}, random initial states",
    "classifier": _SEQUENCES,
    "tagger": _SEQUENCES,
    "encoder-decoder": "{B} random pairs: sources of up to {S} time steps, targets of"
    " up to {T}",
    "captioner": "{B} random vectors, texts of up to {T} time steps",
}
LARGEST = 20_000  # parameters that are perturbed one by one
LARGEST_BATCH = 10**6  # tokens


def run(arguments: Namespace) -> int:
    """The command: status 0 if every gradient is right, else 1."""
    for name in ("layout", "function", "time"):
        if getattr(arguments, name) is not None:
            raise InputError(f"--{name} needs a file: minilstm check FILE --{name} ...")
    for name, default in CHECK.items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, default)
    size = dict(SIZES_OF[arguments.model])
    if arguments.cell != "lstm" and "K" in size:
        size["K"] = 0  # only an LSTM has attention
    size |= read_sizes(arguments.sizes, arguments.model)
    methods = list(METHODS) if arguments.method == "all" else [arguments.method]
    model, batch = _random_case(arguments, size, methods)
    print(model.summary())
    print(BATCH[arguments.model].format(**size) + f", seed {arguments.seed}")
    passed = True
    for method in methods:
        check = check_model(
            model,
            batch,
            method=method,
            tolerance=TOLERANCE.get(method),
            seed=arguments.seed,
        )
        print(f"\n{check}", flush=True)
        passed = passed and check.passed
    return 0 if passed else 1


def _random_case(
    arguments: Namespace, size: dict[str, int], methods: list[str]
) -> tuple[Model, Any]:
    """A model and a mini-batch; InputError if they are too large for these methods."""
    options = _options(arguments)
    cell, seed = arguments.cell, arguments.seed
    V, E, H, L, T, B = (size[letter] for letter in "VEHLTB")
    if arguments.model == LANGUAGE_MODEL:
        layers = build_layers(V, E or None, H, L, cell, arguments.tied)
    else:
        kind, given = model_and_arguments(arguments.model, size, **options)
        layers = kind.layers_of(**{name: given[name] for name in kind.arguments})
    count = sum(math.prod(shape) for shape in parameter_shapes(layers).values())
    if count > LARGEST and methods != ["projections"]:
        raise InputError(
            f"this model has {count:,} parameters, too many to perturb one by one (at"
            f" most {LARGEST:,});"
            " use --method projections, or smaller --sizes"
        )
    tokens = max(T, size.get("S", 0)) * B
    if tokens > LARGEST_BATCH or count > 100 * 10**6:
        raise InputError(
            f"these --sizes are too large: {count:,} parameters, a mini-batch of"
            f" {tokens:,} tokens"
        )
    if arguments.model == LANGUAGE_MODEL:
        return random_case(
            V, E or None, H, L, T, B, cell, seed, arguments.dropout, arguments.tied
        )
    return random_case_of(arguments.model, size, seed, **options)


def _options(arguments: Namespace) -> dict[str, Any]:
    """Those of ``model_and_arguments``; InputError for one that the model has not."""
    for option, kinds in OPTIONS_OF.items():
        name = option.strip("-").replace("-", "_")
        if getattr(arguments, name) and arguments.model not in kinds:
            raise InputError(f"{option} needs --model {' or '.join(kinds)}")
    if arguments.pooling == "last" and arguments.bidirectional:
        raise InputError(
            "with --bidirectional, --pooling last reads the reverse direction after a"
            " single step, so its recurrent weights have no gradient to check; use"
            " final, mean or max"
        )
    return {
        "cell": arguments.cell,
        "dropout": arguments.dropout,
        "bidirectional": arguments.bidirectional,
        "pooling": arguments.pooling or "final",
        "reverse_source": arguments.reverse_source,
    }


def read_sizes(text: str | None, model: str = LANGUAGE_MODEL) -> dict[str, int]:
    """``T=10,H=8`` as a dictionary; E=0 is one-hot input.

    Raises InputError for a letter that this model has not, and for no number.
    """
    letters = SIZES_OF[model]
    sizes: dict[str, int] = {}
    for part in (text or "").replace(",", " ").split():
        letter, _, number = part.partition("=")
        if letter not in letters or letter in sizes:
            meanings = ", ".join(f"{k} ({MEANING[k]})" for k in letters)
            raise InputError(
                f"--sizes has {part!r}; write for example T=10,H=8:"
                f" of {meanings}, each once"
            )
        low, high = LIMITS[letter]
        if model != LANGUAGE_MODEL and letter in "ST":
            low = 2  # from a state of zeros, one step has no use for Wh
        elif model == "encoder-decoder" and letter == "E":
            low = 1
        if not (
            number.isascii()
            and number.isdecimal()
            and len(number) < 10
            and low <= int(number) <= high
        ):
            raise InputError(
                f"{letter} in --sizes must be a whole number from {low:,} to {high:,},"
                f" not {number!r}"
            )
        sizes[letter] = int(number)
    return sizes
