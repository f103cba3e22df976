"""``minilstm check FILE``: the functions of a learner's file, in a process of its own.

    2 of 3 right        exit status 1; 0 if all are right
    no known function   exit status 2, with what was looked for

The process has a time limit and a memory limit. What it found out before a limit or a
crash is printed all the same.
"""

from __future__ import annotations

import json
import sys
import tempfile
import textwrap
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from minilstm.cli.defaults import CHECK_SECONDS
from minilstm.course.sandbox import Outcome, run_limited
from minilstm.errors import InputError, MinilstmError
from minilstm.verify.files import process
from minilstm.verify.files.find import CELL_OF_NOTEBOOK
from minilstm.verify.files.source import read_source

MEMORY = 4 * 10**9  # bytes
MORE = 10  # seconds, for what cannot be interrupted and for the end
RUNNING = """\
{}
Its code is executed, for at most {:g} s. Check only files that you trust.
"""
SHOWN = 3  # problems; a script that was not meant to be run here has many
OF_MODELS = (  # options that have no meaning for a file
    "model", "bidirectional", "pooling", "reverse_source", "dropout", "tied", "sizes",
    "method", "seed",
)  # fmt: skip


def run(arguments: Namespace) -> int:
    """The command: status 0 if every function that was found is right, else 1."""
    for name in OF_MODELS:
        given = getattr(arguments, name)
        if given is not None and given is not False:
            option = "--" + name.replace("_", "-")
            raise InputError(
                f"{option} is for models of minilstm; leave it out with a file"
            )
    path, seconds = Path(arguments.file), arguments.time or CHECK_SECONDS
    read_source(path)  # what is no Python need not be run
    print(RUNNING.format(path, seconds), flush=True)
    events, outcome = events_of(
        path,
        layout=layout_of(arguments.layout),
        cell=arguments.cell,
        only=arguments.function or [],
        seconds=seconds,
    )
    return report(path, events, outcome)


def layout_of(given: str | None) -> Any:
    """The name of a layout, or the dictionary in a file NAME.json."""
    if given is None or not given.lower().endswith(".json"):
        return given
    try:
        layout = json.loads(Path(given).read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise InputError(
            f"there is no file {given}; look for a typing mistake"
        ) from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{given} is not JSON: {error}") from None
    if not isinstance(layout, dict):
        kind = type(layout).__name__
        raise InputError(f"{given} must hold a dictionary, not {kind}")
    return layout


def events_of(path: Path, **wanted: Any) -> tuple[list[dict[str, Any]], Outcome]:
    """Run the file in a process of its own: what it reported, and how it ended."""
    with tempfile.TemporaryDirectory(prefix="minilstm-") as folder:
        lines = Path(folder, "report")
        request = {"path": str(path), "report": str(lines), **wanted}
        outcome = run_limited(
            [sys.executable, process.__file__, json.dumps(request)],
            seconds=wanted["seconds"] + MORE,
            memory=MEMORY,
            ready=lines,
        )
        text = lines.read_text(encoding="utf-8") if lines.exists() else ""
    return [json.loads(line) for line in text.splitlines()], outcome


def report(path: Path, events: list[dict[str, Any]], outcome: Outcome) -> int:
    """Print what was found, and return the exit status."""
    texts = lambda kind: [event["text"] for event in events if event["kind"] == kind]
    _print_list("Note", texts("note"))
    _print_list("Not run", texts("problem"))
    for text in [*texts("result"), *texts("listing")]:
        print(text, end="\n\n" if "\n" in text else "\n")
    failure = failure_in(path, events, outcome)
    if failure is not None:
        raise failure
    results = [event["right"] for event in events if event["kind"] == "result"]
    print(f"{sum(results)} of {len(results)} right")
    return 0 if all(results) else 1


def failure_in(
    path: Path, events: list[dict[str, Any]], outcome: Outcome
) -> Exception | None:
    """Why the check has not come to its end; None if it has."""
    for event in events:
        if event["kind"] == "bug":
            return RuntimeError(f"while {path} was checked\n{event['text']}")
        if event["kind"] == "wrong usage":
            return InputError(event["text"])
        if event["kind"] == "cannot run":
            return MinilstmError(event["text"])
    if any(event["kind"] == "end" for event in events):
        return None
    problem = outcome.problem
    if not problem:
        problem = f"its code ended the process, with the exit status {outcome.status}"
    elif outcome.status is None:
        problem += "; does a loop there never end?"
    place = _innermost(path, outcome)
    places = [event["text"] for event in events if event["kind"] == "at"]
    where = [str(path), *([place] if place else places[-1:])]
    return MinilstmError(f"{', '.join(where)}: {problem}")


def _innermost(path: Path, outcome: Outcome) -> str:
    """The line of the file, or of a notebook's cell, that ran last; "" if not known."""
    line = outcome.line_in(path.resolve())
    if line is not None:
        return f"line {line}"
    for file, number in outcome.trace:
        if cell := CELL_OF_NOTEBOOK.match(file):
            return f"{cell[0]}, line {number}"
    return ""


def _print_list(title: str, texts: Sequence[str]) -> None:
    """The first of some sentences, each in 80 columns, and how many more there are."""
    more = [f"{len(texts) - SHOWN} more"] if texts[SHOWN:] else []
    for text in [*texts[:SHOWN], *more]:
        print(textwrap.fill(f"{title}: {text}", 80, subsequent_indent="  "))
    if texts:
        print()
