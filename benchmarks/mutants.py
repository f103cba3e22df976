"""How often ``diagnose`` names or locates a mistake rightly, on wrong backward passes.

    python benchmarks/mutants.py --count 300 --markdown benchmarks/results/mutants.md

The wrong backward passes are mutants: right code of learners, in the shape of every
layout, in which one expression is changed (``benchmark/mutation.py``). So the truth is
known: the line, and the variable that it assigns. Mutants are drawn with a seed, the
same number from each function, and every kind of change in its turn. Those that give the right numbers are replaced by
others, and so are those that raise, which are counted.

A mutant *has an entry* in the catalogue if our code with the entry's mistake gives the
same numbers in other random cases than those that ``diagnose`` uses, to nine digits.

named rightly    The mutant has an entry, and what ``diagnose`` names is such an entry
                 and nothing else.
as several       It has no entry, and ``diagnose`` names several mistakes at once, with
                 which our code gives the same numbers in those other cases. These are
                 counted apart.
misnamed         It names a mistake, and neither of these holds.
located rightly  It has no entry, none is named, and the first quantity that
                 ``diagnose`` points to is the one that the changed line assigns, or the
                 inner quantity of which that is a part. The tables below say, file by
                 file, which quantities a variable is. Of a line that passes or returns
                 several values, it is one of those that were changed.
explained        Besides, a formula says what was computed in its place. A formula gives
                 all digits of all cases, so it is not counted as right or wrong.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import re
import sys
import types
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from benchmark.mutation import Mutant, mutants, shapes_in

from minilstm.errors import InputError
from minilstm.reference import sequence
from minilstm.streams import make_writable
from minilstm.verify import diagnose, diagnose_sequence
from minilstm.verify.cells import CELLS, Cell
from minilstm.verify.diagnose.diagnosis import RAISES, Diagnosis
from minilstm.verify.diagnose.explain import ALL_DIGITS, agree, differences
from minilstm.verify.diagnose.trial import Trial
from minilstm.verify.diagnose.trials import sequence_backward_trial, step_backward_trial
from minilstm.verify.layouts.adapted import Adapted, only_what_it_has
from minilstm.verify.layouts.described import find_layout
from minilstm.verify.layouts.layout import SEQUENCE, STEP

ROOT = Path(__file__).resolve().parent.parent
OTHER_SEED = 101  # of the cases in which the truth is found

I, F, G, O = "dz, input gate", "dz, forget gate", "dz, candidate", "dz, output gate"
R, Z, N = "da, reset gate", "da, update gate", "da, candidate"
DX, DH, WEIGHTS = ("dx",), ("dh_prev",), ("dWx", "dWh", "db", "dbx", "dbh")
CARRIED = ("dh_prev", "dc_prev")
RETURN, ARRIVES = "return", ("dh", "dc", "dhT", "dcT", *CARRIED)
# for each file: a variable, and the quantities that it is, or of which it is a part
OURS = {
    "dx": DX, "dh_prev": DH, "dc_prev": ("dc_prev",), "dWx": ("dWx",), "dWh": ("dWh",), "db": ("db",), "dc": ("dc",),
    "dct": ("dc",), "dht": ("dh", "dhT", "dh_prev"), "dh_next": DH, "dc_next": ("dc_prev",), "dnow": ARRIVES,
    "dprev": CARRIED, "dstate": CARRIED, "dweights": WEIGHTS, "total": WEIGHTS,
}
OURS_LSTM = OURS | {
    "di": (I,), "df": (F,), "dg": (G,), "do": (O,), "dzi": (I,), "dzf": (F,), "dzg": (G,), "dzo": (O,), "dz": ("dz",),
    "tanh_c": ("dc", O), "c_prev": (F,), "h_prev": ("dWh",),
}
OURS_GRU = OURS | {
    "dn": (N,), "dz": (Z,), "dr": (R,), "dq": ("dq",), "dan": (N,), "daz": (Z,), "dar": (R,), "dax": ("da",),
    "dah": ("da", "dq"), "dbx": ("dbx",), "dbh": ("dbh",),
}
OURS_RNN = OURS | {"da": ("da",)}
CHAR_RNN = {
    "dhraw": ("da",), "dh": ("dh", "dhT", "dh_prev"), "dhnext": DH, "dWxh": ("dWx",), "dWhh": ("dWh",), "dbh": ("db",),
    "dxs": DX,
}
CS231N = {
    "tanh_c": ("dc", O), "do": (O,), "dc": ("dc",), "df": (F,), "di": (I,), "dg": (G,), "da": ("dz", "da"),
    "dprev_h": DH, "dprev_c": ("dc_prev",), "dx": DX, "dWx": ("dWx",), "dWh": ("dWh",), "db": ("db",), "dWx_t": ("dWx",),
    "dWh_t": ("dWh",), "db_t": ("db",), "step": ARRIVES, "dh0": DH,
}
DEEPLEARNING_AI = {
    "dtanh": ("da",), "dxt": DX, "dWax": ("dWx",), "da_prev": DH, "dWaa": ("dWh",), "dba": ("db",), "dx": DX,
    "da_prevt": DH, "da0": DH, "dc_prevt": ("dc_prev",), "gradients": ARRIVES, "concat": ("dWx", "dWh"),
    "tanh_c": ("dc", O), "dc": ("dc",), "dc_prev": ("dc_prev",), "dot": (O,), "dcct": (G,), "dit": (I,), "dft": (F,),
    "dconcat": ("dx", "dh_prev"),
    **{f"dW{k}": (f"dWx, {gate[4:]}", f"dWh, {gate[4:]}") for k, gate in zip("fico", (F, I, G, O))},
    **{f"db{k}": (f"db, {gate[4:]}",) for k, gate in zip("fico", (F, I, G, O))},
}
D2L = {
    "tanh_C": ("dc", O), "dC": ("dc",), "dC_prev": ("dc_prev",), "dai": (I,), "daf": (F,), "dao": (O,), "dac": (G,),
    "da": ("da",), "dX": DX, "dH_prev": DH, "grads": WEIGHTS, "dinputs": DX, "dstate": ARRIVES, "total": WEIGHTS,
    RETURN: (DX, CARRIED, WEIGHTS),  # by position
}
PYTORCH = {
    "grad_gates": ("dz", "da"), "grad_c": ("dc",), "grad_i": (I, "da"), "grad_f": (F,), "grad_g": (G,), "grad_o": (O,),
    "grad_in": (N,), "grad_iz": (Z,), "grad_ir": (R,), "grad_h": ("da", "dq"), "grad_input": DX, "grad_hx": DH,
    "grad_cx": ("dc_prev",), "grad_weight_ih": ("dWx",), "grad_weight_hh": ("dWh",), "grad_bias_ih": ("db", "dbx"),
    "grad_bias_hh": ("db", "dbh"), "arriving": ARRIVES, "grad": CARRIED, "grads": WEIGHTS, "total": WEIGHTS,
}


@dataclass(frozen=True)
class Subject:
    """Right code of a learner: a module, and how its backward pass is run."""

    title: str
    cell: Cell
    source: str
    functions: list[str]  # that are changed
    backward: str
    sequence: bool
    quantities: dict[str, tuple[str, ...]]
    forward: str = ""  # "": ours
    layout: str = "minilstm"
    scope: dict[str, Any] = field(default_factory=dict)  # names that the source needs

    def functions_of(self, source: str) -> tuple[Callable, Callable | None]:
        """The backward function of a source, and its forward function."""
        module = types.ModuleType("mutant")
        module.__dict__.update(self.scope)
        exec(compile(source, f"<{self.title}>", "exec"), module.__dict__)
        forward = module.__dict__[self.forward] if self.forward else None
        return module.__dict__[self.backward], forward

    def trials(self, source: str, seed: int) -> list[tuple[Trial, Callable]]:
        """A trial and the function as one of ours; for each bias, if there are two."""
        backward, forward = self.functions_of(source)
        make = sequence_backward_trial if self.sequence else step_backward_trial
        if self.layout == "minilstm":
            return [(make(seed, forward, self.cell), backward)]
        kind = SEQUENCE if self.sequence else STEP
        code = Adapted(find_layout(self.layout, self.cell.name), kind)
        trial = only_what_it_has(make(seed, code.forward(forward), self.cell), code, f"{kind}_backward")
        return [(trial, code.backward(backward, bias)) for bias in code.choices]

    def diagnose(self, source: str) -> Diagnosis:
        """As a learner would do it."""
        backward, forward = self.functions_of(source)
        tool = diagnose_sequence if self.sequence else diagnose
        return tool(backward, forward, layout=self.layout, cell=self.cell.name)

    def mutants(self) -> list[Mutant]:
        """All mutants of this code."""
        trial, backward = self.trials(self.source, 0)[0]
        sizes = (3, 2, 4, 5) if self.sequence else (2, 4, 5)
        run = lambda: trial.yours(backward, sizes=[sizes])
        return list(mutants(self.source, self.functions, shapes_in(run, self.functions)))


def subjects() -> Iterator[Subject]:
    """Ours, and those of the layouts."""
    sys.path.insert(0, str(ROOT))
    text = lambda module: inspect.getsource(importlib.import_module(module))
    loop = inspect.getsource(sequence.sequence_backward)
    for name, quantities in (("lstm", OURS_LSTM), ("gru", OURS_GRU), ("rnn", OURS_RNN)):
        cell, step, source = CELLS[name], f"{name}_step_backward", text(f"minilstm.reference.{name}")
        yield Subject(f"ours, {name}, step", cell, source, [step], step, False, quantities)
        through_time = (
            f"\n\n\ndef backward(dh, dstate, caches, Wx, Wh):\n"
            f"    cache = SequenceCache(caches, np.full(dh.shape[1], len(dh)))\n"
            f"    return sequence_backward({step}, dh, dstate, cache, Wx, Wh)\n"
        )
        yield Subject(f"ours, {name}, sequence", cell, f"{source}\n\n{loop}{through_time}", ["sequence_backward", step],
                      "backward", True, quantities, scope=vars(sequence))
    in_one_loop = text("tests.helpers.learner_loop")
    yield Subject("ours in one loop, lstm, sequence", CELLS["lstm"], in_one_loop, ["backward"], "backward", True,
                  OURS_LSTM, "forward")
    yield Subject("min-char-rnn, rnn, sequence", CELLS["rnn"], text("benchmark.char_rnn"), ["backward"], "backward",
                  True, CHAR_RNN, "forward")
    for layout, file, quantities, names in (
        ("cs231n", "cs231n", CS231N, ("{}_step_forward", "{}_step_backward", "{}_forward", "{}_backward")),
        ("deeplearning.ai", "deeplearning_ai", DEEPLEARNING_AI,
         ("{}_cell_forward", "{}_cell_backward", "{}_forward", "{}_backward")),
        ("d2l", "d2l", D2L, ("{}_step", "{}_step_backward", "{}", "{}_backward")),
        ("pytorch", "pytorch", PYTORCH, ("{}_cell", "{}_cell_backward", "{}", "{}_backward")),
    ):
        for name in ("lstm", "gru", "rnn") if layout == "pytorch" else ("lstm", "rnn"):
            step, step_back, forward, backward = (each.format(name) for each in names)
            source, cell = text(f"tests.learners.{file}"), CELLS[name]
            in_time = [step_back, backward if f"def {backward}(" in source and "def _backward(" not in source else "_backward"]
            yield Subject(f"{layout}, {name}, step", cell, source, [step_back], step_back, False, quantities, step, layout)
            yield Subject(f"{layout}, {name}, sequence", cell, source, in_time, backward, True, quantities, forward, layout)


@dataclass
class Count:
    """What became of the mutants of a subject."""

    raised: int = 0
    with_entry: int = 0
    named: int = 0
    several: int = 0
    without_entry: int = 0
    located: int = 0
    explained: int = 0
    misnamed: int = 0
    failures: list[str] = field(default_factory=list)


def count_in(subject: Subject, mutant: Mutant, count: Count) -> bool:
    """Diagnose a mutant and count what is found; False if it is not wrong, or raises."""
    with np.errstate(all="ignore"):
        for other, backward in subject.trials(mutant.source, OTHER_SEED):
            try:
                yours, right = other.yours(backward), other.right()
            except InputError:  # not the results of a backward pass
                yours = [{RAISES: ""}]
            if any(RAISES in parts for parts in yours):
                count.raised += 1
                return False
            if differences(yours, right, ALL_DIGITS):
                break
        else:
            return False
        known = other.known().items()
        entries = {mistake.name for mistake, results in known if not differences(yours, results, ALL_DIGITS)}
        found = subject.diagnose(mutant.source)
    names = {mistake.name for mistake in found.mistakes}
    verdict = ""
    explains_all = len(names) > 1 and len(found.findings) == len(found.mistakes) and agree(yours, other.ours(found.mistakes))
    if entries:
        count.with_entry += 1
    elif explains_all:
        count.several += 1
        return True
    else:
        count.without_entry += 1
    if names and names <= entries:
        count.named += 1
    elif explains_all:
        verdict = "named as several"
    elif names:
        count.misnamed += 1
        verdict = "misnamed"
    elif entries:
        verdict = "not named"
    elif points_to(found, accepted(subject, mutant)):
        count.located += 1
        count.explained += " equals " in found.text or " stands where " in found.text
    else:
        verdict = "not located"
    if verdict:
        where = [finding.parts for finding in found.findings]
        count.failures.append(f"{verdict}: {subject.title}: {mutant.function}: {mutant.right}  ->  {mutant.wrong}"
                              f" ({mutant.operator})\n    entries {sorted(entries)}; accepted {accepted(subject, mutant)};"
                              f" found {where}\n    " + found.text.replace("\n", "\n    "))
    return True


def accepted(subject: Subject, mutant: Mutant) -> tuple[str, ...]:
    """The quantities of which one must be pointed to."""
    names = mutant.targets
    if names == (RETURN,) and RETURN in subject.quantities:
        return subject.quantities[RETURN][mutant.position]
    if mutant.values == len(names) > 1:  # one value for each variable
        names = names[mutant.position :][:1]
    elif len(names) > 1 or names == (RETURN,):  # what is passed or returned, and changed
        changed = set(re.findall(r"\w+", mutant.part.partition(" -> ")[0])) & set(subject.quantities)
        names = (*changed, *(names if len(names) > 1 else ()))
    return tuple(dict.fromkeys(q for name in names for q in subject.quantities.get(name, (name,))))


def points_to(found: Diagnosis, quantities: tuple[str, ...]) -> bool:
    """Whether the first quantity that a diagnosis points to is one of these."""
    for finding in found.findings:
        where = finding.where or finding.parts
        if where:
            return any(is_or_belongs_to(where[0], quantity) for quantity in quantities)
    return False


def is_or_belongs_to(part: str, quantity: str) -> bool:
    """``dz of step 1, forget gate`` belongs to ``dz, forget gate`` and to ``dz``."""
    output, _, block = part.partition(", ")
    output = output.partition(" of ")[0].partition("[")[0]
    output = {"dh0": "dh_prev", "dc0": "dc_prev"}.get(output, output)
    same_block = quantity == f"{output}, {block}"
    return quantity in (output, part) or same_block or (quantity, output) in (("dh", "dhT"), ("dc", "dcT"))


def measure(count: int, seed: int, report: Callable[[str], None] = print) -> dict[str, Count]:
    """Diagnose so many mutants, the same number of each subject."""
    rng = np.random.default_rng(seed)
    counts: dict[str, Count] = {}
    everything = list(subjects())
    for number, subject in enumerate(everything):
        wanted = count * (number + 1) // len(everything) - count * number // len(everything)
        counts[subject.title] = Count()
        drawn = in_turns(rng, subject.mutants())
        done = 0
        for mutant in drawn:
            if done == wanted:
                break
            done += count_in(subject, mutant, counts[subject.title])
        report(f"{subject.title}: {done} of {len(drawn)} mutants")
    return counts


def in_turns(rng: np.random.Generator, everything: list[Mutant]) -> list[Mutant]:
    """In random order, but every kind of change in its turn: some kinds have few mutants, some have hundreds."""
    kinds: dict[str, list[Mutant]] = {}
    for k in rng.permutation(len(everything)):
        kinds.setdefault(everything[k].operator, []).append(everything[k])
    longest = max(map(len, kinds.values()), default=0)
    return [of_kind[k] for k in range(longest) for of_kind in kinds.values() if k < len(of_kind)]


def table(counts: dict[str, Count]) -> str:
    """The figures, in Markdown."""
    names = ("with_entry", "named", "several", "without_entry", "located", "explained", "misnamed", "raised")
    head = "code | in the catalogue | named rightly | as several | not in it | located rightly | explained | misnamed | raised"
    rows = [f"| {head} |", "| --- |" + " ---: |" * len(names)]
    total = Counter()
    for title, count in counts.items():
        figures = {name: getattr(count, name) for name in names}
        total.update(figures)
        rows.append(f"| {title} | " + " | ".join(str(figures[name]) for name in names) + " |")
    rows.append("| **all** | " + " | ".join(f"**{total[name]}**" for name in names) + " |")
    share = lambda part, whole: f"{100 * part / whole:.1f} %" if whole else "none"
    rows += ["", f"Named rightly of those in the catalogue: {share(total['named'], total['with_entry'])} (goal: 95 %).",
             f"Located rightly of the others: {share(total['located'], total['without_entry'])} (goal: 99 %).",
             f"Misnamed: {total['misnamed']} (goal: 0)."]
    return "\n".join(rows) + "\n"


def page(counts: dict[str, Count], count: int, seed: int) -> str:
    """The table with what it is, and how to make it again."""
    command = f"python benchmarks/mutants.py --count {count} --seed {seed} --markdown benchmarks/results/mutants.md"
    return (
        "# Wrong backward passes: how often `diagnose` names or locates the mistake rightly\n\n"
        f"    {command}\n\n"
        "What the columns mean stands at the top of `benchmarks/mutants.py`.\n\n" + table(counts)
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Figures of diagnose on wrong backward passes.")
    parser.add_argument("--count", type=int, default=300, help="number of wrong backward passes (default: 300)")
    parser.add_argument("--seed", type=int, default=0, help="of the mutants (default: 0)")
    parser.add_argument("--markdown", type=Path, help="also write the table to this file")
    parser.add_argument("--failures", action="store_true", help="print every mutant that is not named or located rightly")
    options = parser.parse_args()
    counts = measure(options.count, options.seed)
    if options.failures:
        for count in counts.values():
            print(*count.failures, sep="\n\n")
    print(table(counts))
    if options.markdown:
        options.markdown.write_text(page(counts, options.count, options.seed), encoding="utf-8")
    return 1 if sum(count.misnamed for count in counts.values()) else 0


if __name__ == "__main__":
    make_writable()
    sys.exit(main())
