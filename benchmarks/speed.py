"""How fast is minilstm, against PyTorch, Keras and JAX, and against the matrix products alone? Everything in one run.

    python benchmarks/speed.py                                            everything; the peers' environments are made
    python benchmarks/speed.py --only A8,write-A --rounds 3               some of it
    python benchmarks/speed.py --peers torch --torch-python torch-env/bin/python
    python benchmarks/speed.py --titles ag_news_test.csv --recipes recipes.json --markdown speed.md --json speed.json

Status 0; 1 if a peer computed something else than we do, which is then said in the report, or if minilstm itself failed; 2 if
the command cannot be carried out as it was given. What is measured how stands in ``benchmarks/README.md``. The files are
written after each part, so that a run that was interrupted has left what it had; progress goes to standard error.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmark import environments, growth, machine, singles
from benchmark.markdown import markdown
from benchmark.processes import PEERS, Workers, WorkerError, our_workers
from benchmark.rounds import Settings, measure_rounds
from benchmark.summary import refused
from benchmark.workloads import WORKLOADS, described, write_job

from minilstm.errors import InputError
from minilstm.files import replacing
from minilstm.streams import make_writable

SINGLES = ("tokenizing", "start", "memory", "growth")
NAMES = (*WORKLOADS, *SINGLES)


def assemble(arguments: argparse.Namespace) -> Workers:
    """We, the bare products, and the peers that can be had."""
    workers = our_workers(arguments.threads)
    for peer in filter(None, arguments.peers.split(",")):
        try:
            given = getattr(arguments, f"{peer}_python")
            workers.pythons[peer] = environments.interpreter(peer, arguments.environments, given)
        except environments.Absent as reason:
            workers.absent[peer] = str(reason)
            say(f"{peer} is absent: {reason}")
    return workers


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def as_json(report: dict[str, Any]) -> str:
    """The report with eight digits of each number; innermost lists and objects on one line."""

    def rounded(value: Any) -> Any:
        if isinstance(value, float):
            return float(f"{value:.8g}")
        if isinstance(value, dict):
            return {key: rounded(inner) for key, inner in value.items()}
        return [rounded(inner) for inner in value] if isinstance(value, list) else value

    innermost = re.compile(r"[\[{]\n[^][{}]+[]}]")
    on_one_line = lambda found: re.sub(r"\n *", " ", found[0])
    return innermost.sub(on_one_line, json.dumps(rounded(report), indent=1)) + "\n"


def write(report: dict[str, Any], json_file: Path | None, markdown_file: Path | None) -> None:
    for path, text in ((json_file, as_json(report)), (markdown_file, markdown(report))):
        if path is not None:
            with replacing(path) as file:
                file.write(text.encode("utf-8"))


def measure(name: str, arguments: argparse.Namespace, workers: Workers, settings: Settings, report: dict[str, Any]) -> None:
    """One part, into the report."""
    with tempfile.TemporaryDirectory() as temporary:
        folder, quick = Path(temporary), arguments.quick
        if name in WORKLOADS:
            workload = WORKLOADS[name].quick() if quick else WORKLOADS[name]
            job = folder / "job.npz"
            source = getattr(arguments, workload.text) if workload.text else None
            workload = write_job(workload, job, source)
            report["workloads"][name] = described(workload, job) | measure_rounds(workload, job, workers, settings)
            return
        parts: dict[str, Callable[[], dict[str, Any]]] = {
            "tokenizing": lambda: singles.tokenizing(workers, settings, quick),
            "start": lambda: singles.start(workers, settings),
            "memory": lambda: singles.memory(workers, folder, quick),
            "growth": lambda: growth.growth(workers, settings, folder, quick),
        }
        report[name] = parts[name]()
        if name == "memory" and arguments.json is not None and report[name]:
            singles.picture(report[name], arguments.json.with_suffix(".memory.png"))


def together(files: list[Path]) -> dict[str, Any]:
    """One report of several, which measured different parts at different times; of a part that two have, the later counts."""
    report: dict[str, Any] = {"head": {}, "absent": {}, "workloads": {}}
    for path in files:
        try:
            other = json.loads(path.read_text("utf-8"))
            parts = [*other["workloads"], *(name for name in SINGLES if other.get(name))]
            report["head"] |= other["head"] | {f"{path.name}, {other['head']['date']}": ", ".join(parts)}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path} is no report of this program: {error}") from None
        report["workloads"] |= other["workloads"]
        report |= {name: other[name] for name in SINGLES if other.get(name)}
    report["workloads"] = {name: report["workloads"][name] for name in NAMES if name in report["workloads"]}
    report["head"].pop("date", None)
    return report


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Measure minilstm, its peers and the bare products, in turn, in one run.")
    parser.add_argument("--only", metavar="NAMES", help=f"parts, separated by commas, of {', '.join(NAMES)} (default: all)")
    parser.add_argument("--rounds", type=int, default=7, metavar="N", help="turns of each engine (default: 7)")
    parser.add_argument("--seconds", type=float, default=1.0, metavar="S", help="length of a turn (default: 1)")
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="for every engine (default: 2)")
    parser.add_argument("--peers", default=",".join(PEERS), metavar="NAMES", help="(default: %(default)s; '': none)")
    parser.add_argument("--environments", type=Path, default=environments.default_folder(), metavar="FOLDER",
                        help="for the peers' virtual environments (default: %(default)s)")
    for peer in PEERS:
        parser.add_argument(f"--{peer}-python", metavar="PYTHON", help=f"a Python that has {environments.MODULES[peer]}")
    parser.add_argument("--titles", type=Path, metavar="CSV", help="titles for the epoch of A (default: made-up text)")
    parser.add_argument("--recipes", type=Path, metavar="JSON", help="recipes for the epoch of B (default: made-up text)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all of it there, and a picture of memory beside it")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the report there, besides printing it")
    parser.add_argument("--report", type=Path, nargs="+", metavar="FILE",
                        help="measure nothing, but make one report of those that --json has written")
    parser.add_argument("--quick", action="store_true", help="everything tiny, to see whether it runs; the times mean nothing")
    return parser


def main() -> int:
    parsed = parser()
    arguments = parsed.parse_args()
    wanted = arguments.only.split(",") if arguments.only else list(NAMES)
    if unknown := [name for name in wanted if name not in NAMES]:
        parsed.error(f"--only {unknown[0]} is no part; there are {', '.join(NAMES)}")
    if unknown := [name for name in arguments.peers.split(",") if name not in ("", *PEERS)]:
        parsed.error(f"--peers {unknown[0]} is no peer; there are {', '.join(PEERS)}")
    if arguments.rounds < 1 or arguments.threads < 1 or not arguments.seconds > 0:
        parsed.error("--rounds and --threads must be at least 1, --seconds greater than 0")
    if arguments.report:
        try:
            report = together(arguments.report)
        except InputError as error:
            parsed.error(str(error))
        write(report, arguments.json, arguments.markdown)
        print(markdown(report))
        return 0
    settings = Settings(arguments.rounds, arguments.seconds)
    if arguments.quick:
        settings = Settings(min(arguments.rounds, 2), seconds=0.01, trial=0.01, pause=0.0)

    workers = assemble(arguments)
    report: dict[str, Any] = {
        "head": machine.head(workers), "settings": vars(settings), "absent": workers.absent, "workloads": {},
    }
    report["head"]["rounds"] = f"{settings.rounds}, turns of {settings.seconds:g} s"
    if arguments.quick:
        report["head"]["QUICK"] = "everything is tiny; the times mean nothing"
    status = 0
    for number, name in enumerate(wanted, 1):
        began = time.perf_counter()
        try:
            measure(name, arguments, workers, settings, report)
        except InputError as error:
            parsed.error(str(error))
        except WorkerError as error:
            say(f"{name}: {error}")
            report.setdefault("failed", {})[name] = str(error)
            status = 1
        report["head"]["load after"] = machine.load()
        write(report, arguments.json, arguments.markdown)
        say(f"{number} of {len(wanted)}: {name}, {time.perf_counter() - began:.0f} s")
    print(markdown(report))
    return 1 if refused(report) else status


if __name__ == "__main__":
    make_writable()
    sys.exit(main())
