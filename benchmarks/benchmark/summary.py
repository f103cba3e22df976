"""From measured seconds to medians, ratios with their spread, and targets met or not.

Seconds are listed by round, and in a round by step. An engine's time is the median of
all its steps. A ratio is taken between the medians of one round, since only times from
the same round can be compared:

    (1)  ratio_k = median(theirs in round k) / median(ours in round k)
    (2)  share_k = median(bare products in round k) / median(ours in round k)

A ratio above 1 means that minilstm is faster. The report has the median of (1) and (2)
over the rounds, the smallest and the largest value. The fastest peer is the one with
the smallest time, among those whose loss and gradients agree with ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from benchmark.processes import PEERS

Rounds = Sequence[Sequence[float]]


def times(rounds: Rounds) -> dict[str, float]:
    """Median and quartiles of all steps of all rounds, in seconds."""
    ordered = sorted(second for turn in rounds for second in turn)
    at = lambda share: ordered[min(len(ordered) - 1, int(share * len(ordered)))]
    return {"median": median(ordered), "lower": at(0.25), "upper": at(0.75), "steps": len(ordered)}


def ratio(theirs: Rounds, ours: Rounds) -> dict[str, float]:
    """(1), or (2) for the bare products: median, least and most over the rounds."""
    each = [median(t) / median(o) for t, o in zip(theirs, ours, strict=True)]
    return {"median": median(each), "least": min(each), "most": max(each)}


def flops(sizes: Mapping[str, int], tokens: int) -> int:
    """Floating-point operations of the matrix products of a training step.

    Each matrix has one product forward and two backward, with 2 operations per entry
    and token.
    """
    V, E, H, L = (sizes[name] for name in "VEHL")
    entries = L * 4 * H * H + sum(4 * H * D for D in [E, *[H] * (L - 1)]) + H * V
    return 6 * tokens * entries


def summarise(workload: Mapping[str, Any]) -> dict[str, Any]:
    """Times, ratios and targets of a workload; None without a peer or a target."""
    engines = {name: found for name, found in workload["engines"].items() if found.get("rounds")}
    ours = engines["minilstm"]["rounds"]
    summary: dict[str, Any] = {"times": {name: times(found["rounds"]) for name, found in engines.items()}}
    peers = [name for name in engines if name in PEERS]
    fastest = min(peers, key=lambda name: summary["times"][name]["median"], default=None)
    summary |= {"fastest": fastest, "ratio": None, "share": None, "rate": None, "ratios": {}}
    if fastest is not None:
        summary["ratio"] = ratio(engines[fastest]["rounds"], ours)
        summary["ratios"] = {name: ratio(engines[name]["rounds"], ours) for name in peers}
    if "bare" in engines:
        summary["share"] = ratio(engines["bare"]["rounds"], ours)
        summary["gflop"] = flops(workload, workload["B"] * workload["T"]) / 1e9
    if workload["kind"] == "generate":
        summary["rate"] = 1 / summary["times"]["minilstm"]["median"]
    middle = lambda found: found and found["median"]
    reached = {"speed": middle(summary["ratio"]), "over_torch": middle(summary["ratios"].get("torch")),
               "share": middle(summary["share"]), "rate": summary["rate"]}
    summary["met"] = {name: None if workload.get(name) is None or value is None else value >= workload[name]
                   for name, value in reached.items()}
    return summary


def remarks(report: Mapping[str, Any]) -> list[str]:
    """Warnings about the numbers: absent and refused engines, and those not idle."""
    lines = [f"{peer} is absent: {why}" for peer, why in report.get("absent", {}).items()]
    lines += [f"{name} was not measured: {why}" for name, why in report.get("failed", {}).items()]
    for name, workload in report["workloads"].items():
        for engine, found in workload["engines"].items():
            for variant, trial in found["tried"].items():
                if "refused" in trial:
                    lines.append(f"{name}: {engine}, {variant}, REFUSED, since its numbers differ: {trial['refused']}")
                elif "failed" in trial:
                    lines.append(f"{name}: {engine}, {variant}, did not run: {trial['failed']}")
            idle = found.get("idle_cpu", 0) / workload.get("took", 1)
            if idle > 0.05:
                lines.append(f"{name}: {engine} used {idle:.0%} of a core while others were measured")
    for row in report.get("start", {}).values():
        lines += [f"start: {row['failed']}"] if row.get("failed") else []
    return lines


def refused(report: Mapping[str, Any]) -> bool:
    """Whether an engine was refused because its numbers differ from ours."""
    return any("refused" in trial for workload in report["workloads"].values()
               for engine in workload["engines"].values() for trial in engine["tried"].values())
