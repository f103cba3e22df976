"""A grammar whose texts have classes: the best possible classifier, exactly.

A classifier reads a text and names its class. How good can one be? For texts that
people wrote, this is not known. Here the class of a text is the one of K rules of a
grammar that was used to write it. So the probability of each class can be computed,
given a text or only its first characters.

For class k, let r(A) be the probability that a text of rule A uses the rule k:

    (1)  r(k) = 1,   r(A) = Σ_{a in A} p(a) r(a),   r(a) = Σ_{rules B in a} r(B)
    (2)  p_k(a) = p(a) r(a) / r(A)                  for r(A) > 0: the grammar of class k
    (3)  P(k) = r_k(start) / Σ_j r_j(start)         prior of the classes
    (4)  P(k | text) = P(k) P_k(text) / Σ_j P(j) P_j(text)

In (1), at most one rule B of an alternative leads to a class. P_k is the probability by
the grammar of class k. A text that uses none of the K rules has no class and is left
out; the others keep their relative frequencies.

Now to the beginning of a text. What can follow it depends on the row w of parts that
are still to come, as in `minilstm.corpora.ambiguity`. The belief b(k, w) is the
probability of class k and row w, given the characters so far. The next character c
updates it:

    (5)  b'(k, w) ∝ Σ_v b(k, v) P(v, after some choices, begins with c and leaves w)
    (6)  P(k | text begins with these characters) = Σ_w b(k, w)

The best possible classifier (Bayes-optimal) names the most probable class. Given the
first n characters, its accuracy and the lowest possible mean cross-entropy are

    (7)  accuracy = E[max_k P(k | first n)]
    (8)  H = E[-Σ_k P(k | first n) ln P(k | first n)]

Both are exact, up to rounding. Beginnings with equal beliefs have the same future and
are counted together. Those that leave one class only are not read further.

(2): Chi (1999), Statistical properties of probabilistic context-free grammars. (6):
Jelinek and Lafferty (1991), Computation of the probability of initial substring
generation by stochastic context-free grammars. Equal beliefs, determinization: Mohri
(1997), Finite-state transducers in language and speech processing. (7): Bishop (2006),
Pattern Recognition and Machine Learning, section 1.5.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from minilstm.corpora.grammar import Grammar, Part, Rule, Template
from minilstm.errors import InputError

Floats = npt.NDArray[np.float64]
Row = tuple[Part, ...]  # what is still to come
Belief = dict[tuple[int, Row], float]  # probability of each class and row; sum 1
Reach = dict[str, Floats]  # r of each rule, (K,): (1)


class ClassGrammar:
    """A grammar whose texts each have a class: the rule that was used to write it.

    Parameters
    ----------
    rules, start : as for `Grammar`.
    classes : sequence of str
        Names of K rules. Texts that use none of them are left out.

    Attributes
    ----------
    grammars : list of Grammar
        The grammar of each class: (2).
    prior : (K,) float
        P(class): (3).
    kept : float
        Probability that a text of `rules` has a class.

    Raises
    ------
    InputError
        If there is no class, if no text uses one of them, or if one text can use two.

    Examples
    --------
    >>> rules = {"s": ["{cat} sleeps", "{dog} {verb}", "It rains"], "cat": ["Tom"],
    ...          "dog": ["Rex", "Tom"], "verb": ["sleeps", "barks"]}
    >>> pets = ClassGrammar(rules, "s", ["cat", "dog"])
    >>> pets.sample(3, np.random.default_rng(0))
    (['Tom barks', 'Tom sleeps', 'Tom sleeps'], array([1, 0, 0]))
    >>> pets.posterior("Tom sleeps")
    array([0.8, 0.2])
    >>> pets.posteriors("Tom s")[:, 0].round(3)  # P(cat), after 0 to 5 characters
    array([0.5  , 0.667, 0.667, 0.667, 0.667, 0.8  ])
    >>> accuracy, nats = pets.best_possible(5)
    >>> round(accuracy, 3), round(nats, 3)
    (0.875, 0.313)
    """

    def __init__(
        self,
        rules: Mapping[str, Sequence[Template]],
        start: str,
        classes: Sequence[str],
    ) -> None:
        if not classes:
            raise InputError("classes: expected at least one name of a rule")
        grammar = Grammar(rules, start)
        reach = _reach(grammar, classes)
        by_class = reach[start]  # (K,)
        for name, probability in zip(classes, by_class):
            if probability == 0:
                raise InputError(f"classes: no text uses a rule {name!r}")
        self.kept = float(by_class.sum())
        self.prior = by_class / self.kept  # (K,): (3)
        self.grammars = [_conditioned(grammar, k, reach) for k in range(len(classes))]

    def sample(
        self, count: int, rng: np.random.Generator, characters: int | None = None
    ) -> tuple[list[str], npt.NDArray[np.int64]]:
        """Draw texts and their classes.

        Parameters
        ----------
        count : int
            Number of texts.
        rng : numpy.random.Generator
            Draws them.
        characters : int, optional
            Cut each text after so many characters. Default: whole texts.

        Returns
        -------
        texts : list of str
        labels : (count,) int64
            Positions in the classes, from 0 to K - 1.

        Raises
        ------
        InputError
            If `characters` is negative.
        """
        _check(characters)
        labels = rng.choice(len(self.prior), size=count, p=self.prior)
        counts = np.bincount(labels, minlength=len(self.grammars))  # (K,)
        drawn = [
            iter(grammar.sample_many(n, rng))
            for grammar, n in zip(self.grammars, counts.tolist())
        ]
        return [next(drawn[k])[:characters] for k in labels], labels

    def posterior(self, text: str) -> Floats:
        """P(class | whole text): (4).

        Parameters
        ----------
        text : str
            A whole text.

        Returns
        -------
        (K,) float
            In the order of the classes; the sum is 1.

        Raises
        ------
        InputError
            If `text` is no text of a class.
        """
        likelihood = [grammar.log_probability(text) for grammar in self.grammars]
        joint = np.log(self.prior) + likelihood  # (K,), nats
        if joint.max() == -math.inf:
            raise InputError(f"{text!r} is no text of any class of the grammar")
        weights = np.exp(joint - joint.max())
        return weights / weights.sum()

    def posteriors(self, text: str) -> Floats:
        """P(class | the text begins with these characters), after each character: (6).

        Parameters
        ----------
        text : str
            A text of n characters, or the beginning of one.

        Returns
        -------
        (n + 1, K) float
            Row t is the posterior after t characters; row 0 is the prior.

        Raises
        ------
        InputError
            If no text of a class begins so.
        """
        belief = self._belief()
        rows = [self._by_class(belief)]
        for at, character in enumerate(text):
            following = _read(belief)
            if character not in following:
                raise InputError(f"no text of any class begins with {text[: at + 1]!r}")
            belief = following[character][1]
            rows.append(self._by_class(belief))
        return np.array(rows)

    def best_possible(self, characters: int) -> tuple[float, float]:
        """Accuracy and cross-entropy of the best classifier of cut texts: (7), (8).

        Parameters
        ----------
        characters : int
            How many characters it reads, at most. Of a shorter text it sees the end.

        Returns
        -------
        accuracy : float
            Between 0 and 1.
        cross_entropy : float
            In nats per text.

        Raises
        ------
        InputError
            If `characters` is negative.
        """
        _check(characters)
        start = self._belief()
        undecided = {_key(start): (1.0, start)}  # probability, belief
        for _ in range(characters):
            after: dict[frozenset, tuple[float, Belief]] = {}
            for mass, belief in undecided.values():
                for probability, new in _read(belief).values():
                    if len({k for k, _ in new}) > 1:
                        before, same = after.get(_key(new), (0.0, new))
                        after[_key(new)] = before + mass * probability, same
            undecided = after
        masses = np.array([mass for mass, _ in undecided.values()])
        rows = [self._by_class(belief) for _, belief in undecided.values()]
        decided = 1 - masses.sum()
        accuracy = decided + sum(mass * row.max() for mass, row in zip(masses, rows))
        entropies = [-sum(p * math.log(p) for p in row if p > 0) for row in rows]
        return float(accuracy), float(sum(masses * entropies))

    def _belief(self) -> Belief:
        """The belief before the first character."""
        starts = [grammar.start for grammar in self.grammars]
        return {(k, (starts[k],)): float(p) for k, p in enumerate(self.prior)}

    def _by_class(self, belief: Belief) -> Floats:
        """P(class), (K,), of a belief: (6)."""
        sums = np.zeros(len(self.prior))
        for (k, _), probability in belief.items():
            sums[k] += probability
        return sums


def _reach(grammar: Grammar, classes: Sequence[str]) -> Reach:
    """For each rule the probabilities (K,) that a text of it uses the classes: (1)."""
    reach: Reach = {}
    for rule in grammar.rules.values():  # each stands after those that it refers to
        reach[rule.name] = np.zeros(len(classes))
        for alternative, probability in zip(rule.alternatives, rule.probabilities):
            leading = [r for r in _below(alternative, reach) if r.any()]
            if len(leading) > 1 or leading and rule.name in classes:
                raise InputError(
                    f"rule {rule.name!r}: a text of it can use two classes"
                )
            reach[rule.name] += probability * sum(leading)
        if rule.name in classes:
            reach[rule.name][list(classes).index(rule.name)] = 1.0
    return reach


def _below(row: Row, reach: Reach) -> list[Floats]:
    """The reach (K,) of each rule in a row."""
    return [reach[part.name] for part in row if isinstance(part, Rule)]


def _conditioned(grammar: Grammar, k: int, reach: Reach) -> Grammar:
    """The grammar of class k: (2)."""
    rules: dict[str, list[Template]] = {}
    for rule in grammar.rules.values():
        texts = [
            "".join(
                part if isinstance(part, str) else f"{{{part.name}}}" for part in row
            )
            for row in rule.alternatives
        ]
        leads = [sum(r[k] for r in _below(row, reach)) for row in rule.alternatives]
        # A rule that does not lead to k, or is k itself, keeps its probabilities.
        factors = leads if any(leads) else [1.0] * len(texts)
        weighed = zip(rule.probabilities, factors, texts)
        rules[rule.name] = [(p * factor, text) for p, factor, text in weighed if factor]
    return Grammar(rules, grammar.start.name)


def _read(belief: Belief) -> dict[str, tuple[float, Belief]]:
    """For each next character ("": the end) its probability and the new belief: (5)."""
    sums: dict[str, Belief] = defaultdict(lambda: defaultdict(float))
    for (k, row), probability in belief.items():
        for p, (first, rest) in _next_characters(row):
            sums[first][k, rest] += probability * p
    totals = {first: math.fsum(new.values()) for first, new in sums.items()}
    return {
        first: (totals[first], {state: p / totals[first] for state, p in new.items()})
        for first, new in sums.items()
    }


def _next_characters(row: Row) -> Iterator[tuple[float, tuple[str, Row]]]:
    """All continuations of a row: probability, (next character, row that is left)."""
    if not row:
        yield 1.0, ("", ())
        return
    part, *rest = row
    if isinstance(part, str):
        yield 1.0, (part[0], (part[1:], *rest) if len(part) > 1 else tuple(rest))
    else:
        for alternative, p in zip(part.alternatives, part.probabilities):
            for q, way in _next_characters((*alternative, *rest)):
                yield p * q, way


def _key(belief: Belief) -> frozenset:
    """A key that rounding errors do not change."""
    return frozenset((state, float(f"{p:.10g}")) for state, p in belief.items())


def _check(characters: int | None) -> None:
    if characters is not None and characters < 0:
        raise InputError(f"characters: expected 0 or more, got {characters}")
