"""Is there a sentence that a grammar can write in two ways?

For grammars with recursion no program can decide this. For finite ones it is a search
that ends. It matters since the entropy of a grammar's derivations is that of its
sentences only if every sentence has one derivation.

Read a sentence from left to right and keep what is still to come, a row of parts:
literal text and rules. All that can follow depends on this row alone. It is the state
of a nondeterministic automaton:

    (1)  (text, *rest)  reads text and becomes  rest
    (2)  (rule, *rest)  chooses an alternative and becomes  (*alternative, *rest)

Two derivations of one sentence make the same choices up to some point. There they are
before the same rule with the same rest, and choose differently. From there they choose
on their own and read the same characters. So search

    (3)  all states of one derivation and, before a rule, all pairs of different choices
    (4)  from each such pair, all pairs of states that the same characters lead to

The grammar is ambiguous if and only if (4) reaches a pair of equal states: whatever
finishes the one finishes the other, and if both are empty nothing is left to do. States
and pairs that were seen are not searched again.

A finite automaton is tested for ambiguity by such a product with itself in Book, Even,
Greibach and Ott (1971), Ambiguity in graphs and expressions. Here the automaton is
built during the search, and is never in memory as a whole.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations
from os.path import commonprefix

from minilstm.corpora.grammar import Grammar, Part, Rule

State = tuple[Part, ...]  # what is still to come


def find_ambiguity(grammar: Grammar) -> str | None:
    """Return a sentence that has two derivations, or None if there is none.

    Examples
    --------
    >>> rules = {"s": ["{a}{b}"], "a": ["x", "xy"], "b": ["yz", "z"]}
    >>> find_ambiguity(Grammar(rules, "s"))
    'xyz'
    """
    seen: set[State] = set()
    seen_pairs: set[tuple[State, State]] = set()
    # text read, and what is still to come: (3)
    together: list[tuple[str, State]] = [("", (grammar.start,))]
    while together:
        text, state = together.pop()
        while state and isinstance(state[0], str):  # (1)
            text, state = text + state[0], state[1:]
        if not state or state in seen:
            continue
        seen.add(state)
        choices = _choices(state)
        together.extend((text, choice) for choice in choices if choice)
        apart = [(text, x, y) for x, y in _pairs(choices)]  # (4)
        while apart:
            text_apart, x, y = apart.pop()
            text_apart, x, y = _read_common_text(text_apart, x, y)
            if x == y:
                return text_apart + _any_text(x)
            if (x, y) not in seen_pairs:
                seen_pairs.add((x, y))
                apart.extend((text_apart, *pair) for pair in _pairs([x, y]))
    return None


def _choices(state: State) -> list[State]:
    """The states that a state before a rule becomes by one choice (2)."""
    rule, *rest = state
    assert isinstance(rule, Rule)
    return [(*alternative, *rest) for alternative in rule.alternatives]


def _readers(state: State) -> Iterator[State]:
    """The states after choices (2), before reading: empty, or text comes first."""
    if state and isinstance(state[0], Rule):
        for choice in _choices(state):
            yield from _readers(choice)
    else:
        yield state


def _pairs(states: Sequence[State]) -> Iterator[tuple[State, State]]:
    """Pairs of readers of different `states` with the same first character, or none."""
    groups: dict[str, list[tuple[int, State]]] = defaultdict(list)
    for index, state in enumerate(states):
        for reader in _readers(state):
            first_character = str(reader[0])[0] if reader else ""
            groups[first_character].append((index, reader))
    for group in groups.values():
        for (i, x), (j, y) in combinations(group, 2):
            if i != j:
                yield x, y


def _read_common_text(text: str, x: State, y: State) -> tuple[str, State, State]:
    """Read (1) in both readers the text that they have in common."""
    if not x or not y:
        return text, x, y
    (word, *x_rest), (other, *y_rest) = x, y
    assert isinstance(word, str) and isinstance(other, str)
    common = commonprefix([word, other])
    n = len(common)
    return text + common, _with_text(word[n:], x_rest), _with_text(other[n:], y_rest)


def _with_text(text: str, rest: Sequence[Part]) -> State:
    return (text, *rest) if text else tuple(rest)


def _any_text(state: State) -> str:
    """Some text that finishes `state`: that of the first alternative everywhere."""
    return "".join(
        part if isinstance(part, str) else _any_text(part.alternatives[0])
        for part in state
    )
