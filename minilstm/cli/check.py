"""``minilstm check``: all gradients of a model against numerical derivatives."""

from __future__ import annotations

import math
from argparse import Namespace

from minilstm.cli.defaults import SIZES
from minilstm.errors import InputError
from minilstm.models.build import build_layers, parameter_shapes
from minilstm.verify.gradcheck.check import METHODS
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
}
LARGEST = 20_000  # parameters that are perturbed one by one
LARGEST_BATCH = 10**6  # tokens


def run(arguments: Namespace) -> int:
    """The command: status 0 if every gradient is right, else 1."""
    size = SIZES | read_sizes(arguments.sizes)
    layers = build_layers(
        size["V"],
        size["E"] or None,
        size["H"],
        size["L"],
        arguments.cell,
        arguments.tied,
    )
    count = sum(math.prod(shape) for shape in parameter_shapes(layers).values())
    methods = list(METHODS) if arguments.method == "all" else [arguments.method]
    if count > LARGEST and methods != ["projections"]:
        raise InputError(
            f"this model has {count:,} parameters, too many to perturb one by one (at"
            f" most {LARGEST:,});"
            " use --method projections, or smaller --sizes"
        )
    if size["T"] * size["B"] > LARGEST_BATCH or count > 100 * 10**6:
        raise InputError(
            f"these --sizes are too large: {count:,} parameters, a mini-batch of"
            f" {size['T'] * size['B']:,} tokens"
        )
    model, batch = random_case(
        size["V"], size["E"] or None, size["H"], size["L"], size["T"], size["B"],
        arguments.cell, arguments.seed, arguments.dropout, arguments.tied,
    )  # fmt: skip
    print(model.summary())
    print(
        f"{size['B']} random sequences of up to {size['T']} time steps, random initial"
        f" states, seed {arguments.seed}"
    )
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


def read_sizes(text: str | None) -> dict[str, int]:
    """``T=10,H=8`` as a dictionary; E=0 is one-hot input."""
    sizes: dict[str, int] = {}
    for part in (text or "").replace(",", " ").split():
        letter, _, number = part.partition("=")
        if letter not in LIMITS or letter in sizes:
            raise InputError(
                f"--sizes has {part!r}; write for example T=10,H=8:"
                " of V (vocabulary), E (embedding, 0 for one-hot input),"
                " H (hidden), L (layers), T (time steps), B (sequences), each once"
            )
        low, high = LIMITS[letter]
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
