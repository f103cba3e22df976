"""``minilstm check``: the gradients of a whole model, from ids to loss, against slopes found without them."""

from __future__ import annotations

from argparse import Namespace

from minilstm.errors import InputError
from minilstm.verify.gradcheck import METHODS
from minilstm.verify.whole_model import check_model, random_case

SIZES = {"V": 7, "E": 3, "H": 5, "L": 2, "T": 6, "B": 4}
TOLERANCE = {"complex": 1e-12}  # what the engine promises; the other methods cannot see as much
LARGEST = 20_000  # parameters that are nudged one by one


def run(arguments: Namespace) -> int:
    """The command: status 0 if every gradient is right, else 1."""
    size = SIZES | read_sizes(arguments.sizes)
    model, batch = random_case(
        size["V"], size["E"] or None, size["H"], size["L"], size["T"], size["B"], arguments.cell, arguments.seed
    )
    count = model.parameters.flat.size
    methods = list(METHODS) if arguments.method == "all" else [arguments.method]
    if count > LARGEST and methods != ["projections"]:
        raise InputError(
            f"this model has {count:,} parameters, too many to nudge one by one (at most {LARGEST:,});"
            " use --method projections, or smaller --sizes"
        )
    print(model.summary())
    print(f"a batch of {size['B']} random sequences of up to {size['T']} steps, random initial states, seed {arguments.seed}")
    passed = True
    for method in methods:
        check = check_model(model, batch, method=method, tolerance=TOLERANCE.get(method), seed=arguments.seed)
        print(f"\n{check}", flush=True)
        passed = passed and check.passed
    return 0 if passed else 1


def read_sizes(text: str | None) -> dict[str, int]:
    """``T=10,H=8`` as a dictionary. E=0 is one-hot input."""
    sizes = {}
    for part in (text or "").replace(",", " ").split():
        letter, _, number = part.partition("=")
        smallest = 0 if letter == "E" else 2 if letter == "V" else 1
        if letter not in SIZES or not number.isdecimal() or int(number) < smallest:
            raise InputError(
                f"--sizes has {part!r}; write for example T=10,H=8, of V (ids, from 2), E (embedding, 0 for one-hot input),"
                " H (hidden), L (layers), T (steps), B (sequences)"
            )
        sizes[letter] = int(number)
    return sizes
