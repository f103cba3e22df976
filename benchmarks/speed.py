"""How fast is minilstm, against PyTorch, Keras, JAX and the matrix products alone?

    python benchmarks/speed.py                                everything
    python benchmarks/speed.py --only A8,generate-A --rounds 3
    python benchmarks/speed.py --peers torch --torch-python torch-env/bin/python
    python benchmarks/speed.py --titles ag_news_test.csv --recipes recipes.json
    python benchmarks/speed.py --markdown speed.md --json speed.json

``benchmarks/README.md`` says how it is measured. Virtual environments of the peers are
made where they are missing. The files are written after each part, so an interrupted
run keeps what it has measured. Progress goes to standard error.

Exit status: 0; 1 if the numbers of a peer differ from ours, which the report then says,
or if minilstm itself failed; 2 if the options are wrong.
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
    """minilstm, the bare products, and the peers that can be run."""
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
    """The report, numbers to eight digits, innermost lists and objects on one line."""

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
    """Measure one part and add it to the report."""
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
    """One report from several that were measured at different times.

    If two have the same part, the later one counts.
    """
    report: dict[str, Any] = {"head": {}, "absent": {}, "workloads": {}}
    for path in files:
        try:
            other = json.loads(path.read_text("utf-8"))
            parts = [*other["workloads"], *(name for name in SINGLES if other.get(name))]
            report["head"] |= other["head"] | {f"{path.name}, {other['head']['date']}": ", ".join(parts)}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path} is not a report of this program: {error}") from None
        report["workloads"] |= other["workloads"]
        report |= {name: other[name] for name in SINGLES if other.get(name)}
    report["workloads"] = {name: report["workloads"][name] for name in NAMES if name in report["workloads"]}
    report["head"].pop("date", None)
    return report


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Measure minilstm, other frameworks and the bare matrix products.")
    parser.add_argument("--only", metavar="NAMES", help=f"parts, separated by commas: {', '.join(NAMES)} (default: all)")
    parser.add_argument("--rounds", type=int, default=7, metavar="N", help="turns of each engine (default: 7)")
    parser.add_argument("--seconds", type=float, default=1.0, metavar="S", help="length of a turn (default: 1)")
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="for every engine (default: 2)")
    parser.add_argument("--peers", default=",".join(PEERS), metavar="NAMES",
                        help="what to compare with; '': nothing (default: %(default)s)")
    parser.add_argument("--environments", type=Path, default=environments.default_folder(), metavar="FOLDER",
                        help="for the peers' virtual environments (default: %(default)s)")
    for peer in PEERS:
        parser.add_argument(f"--{peer}-python", metavar="PYTHON", help=f"a Python with {environments.MODULES[peer]}")
    parser.add_argument("--titles", type=Path, metavar="CSV", help="titles for the epoch of A (default: from the grammar)")
    parser.add_argument("--recipes", type=Path, metavar="JSON", help="recipes for the epoch of B (default: from the grammar)")
    parser.add_argument("--json", type=Path, metavar="FILE",
                        help="write all measurements to FILE, and a picture of memory beside it")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the report to FILE, too")
    parser.add_argument("--report", type=Path, nargs="+", metavar="FILE",
                        help="measure nothing; make one report from files written by --json")
    parser.add_argument("--quick", action="store_true", help="everything tiny, to see whether it runs; the times mean nothing")
    return parser


def main() -> int:
    parsed = parser()
    arguments = parsed.parse_args()
    wanted = arguments.only.split(",") if arguments.only else list(NAMES)
    if unknown := [name for name in wanted if name not in NAMES]:
        parsed.error(f"--only {unknown[0]}: there is no such part; there are {', '.join(NAMES)}")
    if unknown := [name for name in arguments.peers.split(",") if name not in ("", *PEERS)]:
        parsed.error(f"--peers {unknown[0]}: there is no such peer; there are {', '.join(PEERS)}")
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
