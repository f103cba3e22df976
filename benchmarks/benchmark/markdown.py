"""The report as Markdown: machine, a short table, a long one, and the other parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from benchmark.processes import PEERS, TITLES, WAYS
from benchmark.summary import remarks, summarise, times

ABSENT = "absent"
NOT_RUN = "-"


def table(headings: list[str], rows: Iterable[list[str]]) -> str:
    lines = [headings, ["---", *["---:"] * (len(headings) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def amount(seconds: float, kind: str) -> str:
    """The measured seconds in the unit of the workload's kind."""
    if kind == "generate":
        return f"{1 / seconds:,.0f}" if seconds < 0.1 else f"{1 / seconds:.1f}"
    value = seconds if kind == "epoch" else seconds * 1000
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def span(found: Mapping[str, float] | None, percent: bool = False) -> str:
    """Median (smallest to largest)."""
    if found is None:
        return NOT_RUN
    numbers = [found[key] for key in ("median", "least", "most")]
    middle, least, most = (f"{100 * number:.0f} %" if percent else f"{number:.2f}" for number in numbers)
    return f"{middle} ({least} to {most})"


def answer(met: bool | None) -> str:
    return {True: "met", False: "NOT MET", None: NOT_RUN}[met]


def of_engine(summary: Mapping[str, Any], report: Mapping[str, Any], workload: Mapping[str, Any], engine: str) -> str:
    if engine in summary["times"]:
        return amount(summary["times"][engine]["median"], workload["kind"])
    if engine in report.get("absent", {}):
        return ABSENT
    tried = workload["engines"].get(engine, {}).get("tried", {}).values()
    return "REFUSED" if any("refused" in trial for trial in tried) else "failed" if tried else NOT_RUN


def short_table(report: Mapping[str, Any]) -> str:
    """For a README."""
    rows = []
    for workload in report["workloads"].values():
        summary = summarise(workload)
        ratio = f"**{summary['ratio']['median']:.1f} ×**" if summary["ratio"] else NOT_RUN
        engines = [of_engine(summary, report, workload, engine) for engine in ("minilstm", *PEERS)]
        rows.append([f"{workload['title']}, {workload['unit']}", *engines, ratio])
    return table(["", "minilstm", *(TITLES[peer] for peer in PEERS), "against the fastest"], rows)


def long_table(report: Mapping[str, Any]) -> str:
    rows = []
    for name, workload in report["workloads"].items():
        summary, kind = summarise(workload), workload["kind"]
        ours = summary["times"]["minilstm"]
        quartiles = sorted((ours["lower"], ours["upper"]), key=lambda s: 1 / s if kind == "generate" else s)
        middle, lower, upper = (amount(seconds, kind) for seconds in (ours["median"], *quartiles))
        targets = {"speed": "{:g} ×", "over_torch": "{:g} × PyTorch", "rate": "{:,} per second"}
        wanted = {key: form.format(workload[key]) for key, form in targets.items() if workload.get(key) is not None}
        met = [answer(summary["met"][key]) for key in wanted]
        rows.append([f"{name}, {workload['unit']}", f"{middle} ({lower} to {upper})",
                     *(of_engine(summary, report, workload, peer) for peer in PEERS),
                     TITLES.get(summary["fastest"], NOT_RUN), span(summary["ratio"]), ", ".join(wanted.values()) or NOT_RUN,
                     ", ".join(met) or NOT_RUN])
    return table(["workload", "minilstm, median (quartiles)", *(TITLES[peer] for peer in PEERS), "fastest peer",
                  "times as fast (least to most)", "target", ""], rows)


def bare_table(report: Mapping[str, Any]) -> str:
    rows = []
    for name, workload in report["workloads"].items():
        summary = summarise(workload)
        if summary["share"] is not None:
            bare = summary["times"]["bare"]["median"]
            target = f"{workload['share']:.0%}".replace("%", " %") if workload["share"] else NOT_RUN
            rows.append([name, f"{summary['gflop']:.3g}", amount(bare, "step"), f"{summary['gflop'] / bare:.0f}",
                         workload["engines"]["bare"]["variant"], span(summary["share"], percent=True), target,
                         answer(summary["met"]["share"])])
    return rows and table(["workload", "GFLOP", "bare products, ms", "GFLOP/s", "BLAS", "share of our step (least to most)",
                           "target", ""], rows) or ""


def threads_table(report: Mapping[str, Any]) -> str:
    """Our step in each variant of threads; the first is that of the command line."""
    rows = []
    for name, workload in report["workloads"].items():
        ours = workload["engines"].get("minilstm", {})
        found = {one["variant"]: times(one["rounds"])["median"] for one in (ours, *ours.get("others", [])) if one.get("rounds")}
        if len(found) > 1:
            rows.append([name, *(amount(found[way], "step") if way in found else NOT_RUN for way in WAYS)])
    return rows and table(["our step, ms", *WAYS], rows) or ""


def memory_table(report: Mapping[str, Any]) -> str:
    """The largest resident size of each engine's process in each workload."""
    rows = []
    for name, workload in report["workloads"].items():
        peaks = [workload["engines"].get(engine, {}).get("peak_mb") for engine in ("minilstm", *PEERS)]
        rows.append([name, *(NOT_RUN if peak is None else f"{peak:,.0f}" for peak in peaks)])
    return table(["", "minilstm", *(TITLES[peer] for peer in PEERS)], rows)


def tried_table(report: Mapping[str, Any]) -> str:
    rows = []
    for name, workload in report["workloads"].items():
        for engine, found in workload["engines"].items():
            for variant, trial in found["tried"].items():
                mark = f"**{variant}**" if variant == found.get("variant") else variant
                took = amount(trial["seconds"], workload["kind"]) if "seconds" in trial else next(iter(trial))
                prepared = f"{trial['prepared']:.1f}" if "prepared" in trial else NOT_RUN
                rows.append([name, TITLES[engine], mark, took, prepared])
    return table(["workload", "engine", "variant (bold: the one that counts)", "at trial", "prepared in, s"], rows)


def single_table(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """Measurements with a value, a unit and, optionally, a target.

    A target is an upper bound, or a lower and an upper one.
    """
    lines = []
    for title, row in rows.items():
        if row.get("failed"):
            lines.append([title, "failed", NOT_RUN, ""])
            continue
        least, most = row.get("least"), row.get("most")
        target = NOT_RUN if most is None else f"{least:g} to {most:g}" if least is not None else f"at most {most:g}"
        value = row["value"]
        met = None if most is None else value <= most and (least is None or value >= least)
        shown = f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
        lines.append([title, f"{shown} {row['unit']}".strip(), target, answer(met)])
    return table(["", "measured", "target", ""], lines)


SINGLES = {"tokenizing": "Tokenizing", "start": "Start", "memory": "Memory", "growth": "Growth"}


def markdown(report: Mapping[str, Any]) -> str:
    """The whole report."""
    parts = ["# Speed\n", "".join(f"- {name}: {value}\n" for name, value in report["head"].items())]
    if report["workloads"]:
        parts += ["## In short\n", short_table(report), "## Steps, epochs, generation\n", long_table(report)]
        if bare := bare_table(report):
            parts += ["## The bare matrix products\n", bare]
        if shared := threads_table(report):
            parts += ["## Threads\n", shared]
        parts += ["## Memory of each process, MB at most\n", memory_table(report)]
        parts += ["## Variants that were tried\n", tried_table(report)]
    for key, title in SINGLES.items():
        if report.get(key):
            parts += [f"## {title}\n", single_table(report[key])]
    if lines := remarks(report):
        parts += ["## Remarks\n", "".join(f"- {line}\n" for line in lines)]
    return "\n".join(parts)
