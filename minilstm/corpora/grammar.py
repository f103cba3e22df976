"""A finite stochastic grammar: a source of text whose entropy is known exactly.

How low can the loss of a language model become? For text that people wrote, it is not
known. For text of a stochastic grammar it can be computed, and a trained model be
compared with it.

A rule has a name and alternatives, each with a probability. An alternative consists of
literal text and references to other rules. A sentence begins with one rule, chooses an
alternative, and does the same at each reference; these choices are its derivation. No
rule may lead back to itself.

    (1)  P(derivation) = Π p(a) over all alternatives a that were chosen
    (2)  u(start) = 1
         u(B) = Σ_A u(A) Σ_{a in A} p(a) · (references to B in a)    expected uses of B
    (3)  h(A) = -Σ_{a in A} p(a) ln p(a)                             nats per choice
    (4)  H = Σ_A u(A) h(A)                                           nats per sentence
    (5)  L = Σ_A u(A) Σ_{a in A} p(a) · (literal characters in a)    characters of one
    (6)  F_A(c) = Σ_{a in A} p(a) Σ_k [Π_{j<k} F_{a_j}("")] F_{a_k}(c)
         the probability that a text of A begins with c
    (7)  floor = (H - H_1) / L                                       nats per prediction
         H_1 = -Σ_c F_start(c) ln F_start(c)

In (6), a_k is the k-th part of a, and F("") the probability of no text. (4) is the
entropy of derivations. It is that of sentences if no sentence has two derivations,
which `minilstm.corpora.ambiguity` decides.

(7) is the entropy floor. A model of characters is given the first character and
predicts the second to the n-th and then the end token: n predictions for a sentence of
n characters. By the chain rule the entropy of a sentence is that of its first character
plus that of all that follows: H = H_1 + (nats of the predictions). So (7) is left for a
prediction, and no model's loss is lower on average. Divided by ln 2 it is in bits per
character.

Booth and Thompson (1973), Applying probability measures to abstract languages. The
entropy: Soule (1974), Entropies of probabilistic grammars. The chain rule: Cover and
Thomas (2006), Elements of Information Theory, section 2.5. One parser for probabilities
and for counts: Goodman (1999), Semiring parsing.
"""

import math
import operator
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from numbers import Real
from typing import TypeVar, Union

import numpy as np

from minilstm.errors import InputError

Template = Union[str, tuple[float, str]]  # "{person} wins", or (weight, template)
Part = Union[str, "Rule"]  # literal text, never empty, or a reference
Value = TypeVar("Value")
REFERENCE = re.compile(r"\{(\w+)\}")
BLOCK = 512  # sentences that are drawn at a time


@dataclass(frozen=True, eq=False)
class Rule:
    """A name, its alternatives, each a row of parts, and their probabilities."""

    name: str
    alternatives: tuple[tuple[Part, ...], ...]
    probabilities: tuple[float, ...]
    thresholds: tuple[float, ...]  # running sums of them, without the last, 1
    most_choices: int  # in the longest derivation


class Grammar:
    """A finite stochastic grammar.

    Parameters
    ----------
    rules : for each name its alternatives. An alternative is a template such as
        "{person} visits {city}", whose references are names of rules in braces, or a
        pair (weight, template). Weights need not sum to one; a template without one
        weighs 1. A template may be empty, for what may be left out.
    start : the rule that sentences are written from.

    Raises
    ------
    InputError
        If a rule has no alternatives, refers to a rule that is not there or leads back
        to itself, if a weight is not positive and finite, or if a sentence could be
        empty.

    Examples
    --------
    >>> skies, cities = [(3, "Rain"), "Sun"], ["Oslo", "Rome"]
    >>> rules = {"report": ["{sky} in {city}"], "sky": skies, "city": cities}
    >>> weather = Grammar(rules, "report")
    >>> weather.sample_many(3, np.random.default_rng(1))
    ['Sun in Oslo', 'Rain in Oslo', 'Rain in Rome']
    >>> round(math.exp(weather.log_probability("Rain in Oslo")), 6)
    0.375
    """

    def __init__(self, rules: Mapping[str, Sequence[Template]], start: str) -> None:
        if start not in rules:
            names = ", ".join(rules)
            raise InputError(
                f"start: there is no rule {start!r}; the rules are {names}"
            )
        self.rules: dict[str, Rule] = {}  # a rule follows all that it refers to
        for name in rules:
            self._build(name, rules, path=())
        self.start = self.rules[start]
        if "" in self._first[self.start]:
            raise InputError(
                f"start: {start!r} can write an empty sentence;"
                " it must always write some text"
            )

    def _build(
        self, name: str, rules: Mapping[str, Sequence[Template]], path: tuple[str, ...]
    ) -> Rule:
        """Build the rule `name` after those that it refers to; `path` leads here."""
        if name in path:
            cycle = " -> ".join((*path[path.index(name) :], name))
            raise InputError(
                f"rule {name!r} leads back to itself ({cycle});"
                " no rule of a finite grammar may"
            )
        if name not in rules:
            raise InputError(
                f"rule {path[-1]!r}: there is no rule for the reference {{{name}}}"
            )
        if name not in self.rules:
            templates = rules[name]
            if isinstance(templates, str) or not templates:
                raise InputError(
                    f"rule {name!r}: expected a list of alternatives, got {templates!r}"
                )
            weights, rows = zip(*(_parse(template, name) for template in templates))
            total = sum(weights)
            probabilities = tuple(weight / total for weight in weights)
            if min(probabilities) == 0:
                raise InputError(
                    f"rule {name!r}: the weights are too large or too unequal;"
                    " one becomes 0"
                )
            thresholds = tuple(accumulate(probabilities))[:-1]
            build = lambda reference: self._build(reference, rules, (*path, name))
            alternatives = tuple(
                tuple(part if plain else build(part) for part, plain in row)
                for row in rows
            )
            most = max(
                sum(part.most_choices for part in alternative if isinstance(part, Rule))
                for alternative in alternatives
            )
            self.rules[name] = Rule(
                name, alternatives, probabilities, thresholds, 1 + most
            )
        return self.rules[name]

    # ---- what is known of the sentences ----------------------------------------------

    @cached_property
    def _uses(self) -> dict[Rule, float]:
        """How often a sentence uses each rule, expected: (2)."""
        uses = {rule: 0.0 for rule in self.rules.values()}
        uses[self.start] = 1.0
        for rule in reversed(self.rules.values()):
            for alternative, probability in zip(rule.alternatives, rule.probabilities):
                for part in alternative:
                    if isinstance(part, Rule):
                        uses[part] += uses[rule] * probability
        return uses

    @cached_property
    def _first(self) -> dict[Rule, dict[str, float]]:
        """The distribution of each rule's first character (6); "" is no text."""
        first: dict[Rule, dict[str, float]] = {}
        for rule in self.rules.values():
            table: dict[str, float] = defaultdict(float)
            for alternative, empty_so_far in zip(rule.alternatives, rule.probabilities):
                for part in alternative:
                    begins = {part[0]: 1.0} if isinstance(part, str) else first[part]
                    for character, probability in begins.items():
                        if character:
                            table[character] += empty_so_far * probability
                    if "" not in begins:
                        break
                    empty_so_far *= begins[""]
                else:
                    table[""] += empty_so_far
            first[rule] = dict(table)
        return first

    @cached_property
    def entropy(self) -> float:
        """Nats per sentence: (4)."""
        return math.fsum(
            uses * _entropy(rule.probabilities) for rule, uses in self._uses.items()
        )

    @cached_property
    def mean_length(self) -> float:
        """Expected characters per sentence: (5)."""
        return math.fsum(
            uses * probability * sum(len(part) for part in row if isinstance(part, str))
            for rule, uses in self._uses.items()
            for row, probability in zip(rule.alternatives, rule.probabilities)
        )

    @cached_property
    def first_symbol_distribution(self) -> dict[str, float]:
        """The probability of each character to be a sentence's first: (6)."""
        return self._first[self.start]

    @cached_property
    def first_symbol_entropy(self) -> float:
        """Nats of a sentence's first character: H_1 in (7)."""
        return _entropy(self.first_symbol_distribution.values())

    @cached_property
    def floor(self) -> float:
        """The entropy floor (7), in nats per predicted token."""
        return (self.entropy - self.first_symbol_entropy) / self.mean_length

    @cached_property
    def alphabet(self) -> list[str]:
        """All characters that sentences can hold, sorted."""
        used = [rule for rule, uses in self._uses.items() if uses > 0]
        parts = (part for rule in used for row in rule.alternatives for part in row)
        return sorted(
            {letter for part in parts if isinstance(part, str) for letter in part}
        )

    # ---- writing sentences -----------------------------------------------------------

    def sample(self, rng: np.random.Generator) -> str:
        """Write one sentence, drawn at random."""
        return self.sample_many(1, rng)[0]

    def sample_many(self, count: int, rng: np.random.Generator) -> list[str]:
        """Write the sentences of `count` calls of `sample`.

        Each takes equally many random numbers.
        """
        sentences: list[str] = []
        while len(sentences) < count:
            size = (min(BLOCK, count - len(sentences)), self.start.most_choices)
            uniform = rng.random(size).tolist()
            sentences += [_write(self.start, iter(numbers)) for numbers in uniform]
        return sentences

    def stream(self, rng: np.random.Generator) -> Iterator[str]:
        """Write the sentences that `sample` would, without end.

        Draws numbers from `rng` in advance.
        """
        while True:
            yield from self.sample_many(BLOCK, rng)

    # ---- reading sentences -----------------------------------------------------------

    def log_probability(self, text: str) -> float:
        """ln P(text), the sum of (1) over all derivations; -inf if there is none."""
        return self._inside(
            text, math.log, operator.add, np.logaddexp, nothing=-math.inf
        )

    def derivations(self, text: str) -> int:
        """The number of derivations of `text`: 0 for no sentence."""
        return self._inside(
            text, lambda probability: 1, operator.mul, operator.add, nothing=0
        )

    def accepts(self, text: str) -> bool:
        """Whether `text` is a sentence of the grammar."""
        return self.derivations(text) > 0

    def _inside(
        self,
        text: str,
        weigh: Callable[[float], Value],
        times: Callable[[Value, Value], Value],
        plus: Callable[[Value, Value], Value],
        nothing: Value,
    ) -> Value:
        """Sum (`plus`) over all derivations the product (`times`) of their choices.

        Each choice is weighed. For each rule and position, the chart remembers where a
        text of the rule that begins there can end. For each such end it has the sum of
        the products. So every question is answered once.
        """
        chart: dict[tuple[Rule, int], dict[int, Value]] = {}

        def ends(rule: Rule, begin: int) -> dict[int, Value]:
            if (rule, begin) not in chart:
                found = chart[rule, begin] = {}
                first = self._first[rule]
                if "" in first or text[begin : begin + 1] in first:
                    for alternative, probability in zip(
                        rule.alternatives, rule.probabilities
                    ):
                        reached = {begin: weigh(probability)}
                        for part in alternative:
                            reached = read(part, reached)
                        add(found, reached)
            return chart[rule, begin]

        def read(part: Part, reached: dict[int, Value]) -> dict[int, Value]:
            if isinstance(part, str):
                fits = [at for at in reached if text.startswith(part, at)]
                return {at + len(part): reached[at] for at in fits}
            after: dict[int, Value] = {}
            for at, value in reached.items():
                further = ends(part, at).items()
                add(after, {end: times(value, more) for end, more in further})
            return after

        def add(sums: dict[int, Value], terms: dict[int, Value]) -> None:
            for end, value in terms.items():
                sums[end] = plus(sums[end], value) if end in sums else value

        return ends(self.start, 0).get(len(text), nothing)


def _parse(template: Template, name: str) -> tuple[float, list[tuple[str, bool]]]:
    """A template's weight, and its parts: literal text, True, or a reference, False."""
    weight, text = (1.0, template) if isinstance(template, str) else template
    if not isinstance(weight, Real) or not 0 < weight < math.inf:
        raise InputError(
            f"rule {name!r}: expected a weight that is positive and finite,"
            f" got {weight!r}"
        )
    split = enumerate(REFERENCE.split(text))
    parts = [(part, index % 2 == 0) for index, part in split if part]
    if any(plain and ("{" in part or "}" in part) for part, plain in parts):
        raise InputError(
            f"rule {name!r}: a brace in {text!r} belongs to no reference like {{this}}"
        )
    return float(weight), parts


def _write(rule: Rule, numbers: Iterator[float]) -> str:
    """Write a text of `rule`; each choice takes a number, uniform in [0, 1)."""
    chosen = rule.alternatives[bisect_right(rule.thresholds, next(numbers))]
    return "".join(
        [part if isinstance(part, str) else _write(part, numbers) for part in chosen]
    )


def _entropy(probabilities: Iterable[float]) -> float:
    return -math.fsum(p * math.log(p) for p in probabilities)
