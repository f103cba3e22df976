"""From measured seconds to what they say: medians, ratios with their spread, targets met or not.

Seconds come by round, and within a round by step. An engine's time is the median of all its steps; a ratio is taken within
each round, between the medians of that round, since only what was measured at the same time can be compared:

    (1)  ratio_k = median(theirs in round k) / median(ours in round k)        above 1: ours is faster
    (2)  share_k = median(bare products in round k) / median(ours in round k)

Reported are the median of (1) or (2) over the rounds, the smallest and the largest. The fastest peer is the one with the
smallest time of all that agreed with us.
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
    """(1), or (2) if theirs are the bare products: median, smallest, largest over the rounds."""
    each = [median(t) / median(o) for t, o in zip(theirs, ours, strict=True)]
    return {"median": median(each), "least": min(each), "most": max(each)}


def flops(sizes: Mapping[str, int], tokens: int) -> int:
    """Of the matrix products of a step: one forward and two backward for each matrix, 2 for each entry and token."""
    V, E, H, L = (sizes[name] for name in "VEHL")
    entries = L * 4 * H * H + sum(4 * H * D for D in [E, *[H] * (L - 1)]) + H * V
    return 6 * tokens * entries


def summarise(workload: Mapping[str, Any]) -> dict[str, Any]:
    """What a measured workload says; None where there is no peer to compare with, or no target."""
    engines = {name: found for name, found in workload["engines"].items() if found.get("rounds")}
    ours = engines["minilstm"]["rounds"]
    said: dict[str, Any] = {"times": {name: times(found["rounds"]) for name, found in engines.items()}}
    peers = [name for name in engines if name in PEERS]
    fastest = min(peers, key=lambda name: said["times"][name]["median"], default=None)
    said |= {"fastest": fastest, "ratio": None, "share": None, "rate": None, "ratios": {}}
    if fastest is not None:
        said["ratio"] = ratio(engines[fastest]["rounds"], ours)
        said["ratios"] = {name: ratio(engines[name]["rounds"], ours) for name in peers}
    if "bare" in engines:
        said["share"] = ratio(engines["bare"]["rounds"], ours)
        said["gflop"] = flops(workload, workload["B"] * workload["T"]) / 1e9
    if workload["kind"] == "generate":
        said["rate"] = 1 / said["times"]["minilstm"]["median"]
    middle = lambda found: found and found["median"]
    reached = {"speed": middle(said["ratio"]), "over_torch": middle(said["ratios"].get("torch")),
               "share": middle(said["share"]), "rate": said["rate"]}
    said["met"] = {name: None if workload.get(name) is None or value is None else value >= workload[name]
                   for name, value in reached.items()}
    return said


def remarks(report: Mapping[str, Any]) -> list[str]:
    """What a reader must know before believing the numbers: who is absent, what was refused, who did not rest."""
    lines = [f"{peer} is absent: {why}" for peer, why in report.get("absent", {}).items()]
    lines += [f"{name} was not measured: {why}" for name, why in report.get("failed", {}).items()]
    for name, workload in report["workloads"].items():
        for engine, found in workload["engines"].items():
            for variant, trial in found["tried"].items():
                if "refused" in trial:
                    lines.append(f"{name}: {engine}, {variant}, REFUSED, for it computes something else: {trial['refused']}")
                elif "failed" in trial:
                    lines.append(f"{name}: {engine}, {variant}, did not run: {trial['failed']}")
            idle = found.get("idle_cpu", 0) / workload.get("took", 1)
            if idle > 0.05:
                lines.append(f"{name}: {engine} burned {idle:.0%} of a processor while others were measured")
    for row in report.get("start", {}).values():
        lines += [f"start: {row['failed']}"] if row.get("failed") else []
    return lines


def refused(report: Mapping[str, Any]) -> bool:
    """Whether anyone computed something else than we do."""
    return any("refused" in trial for workload in report["workloads"].values()
               for engine in workload["engines"].values() for trial in engine["tried"].values())
