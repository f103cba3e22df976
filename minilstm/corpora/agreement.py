"""Rules that remember: a sentence chooses a word once and repeats it later.

The rules of a finite grammar know nothing of each other: a rule that names an
ingredient cannot know which one the title named. It can if there is a rule for every
ingredient. This program writes all these rules. Templates say in angle brackets what is
to be remembered:

    <main from roots>      choose an alternative of the rule `roots` here; call it main
    <main>                 the word that was chosen as main
    <main:it|them>         "it" if that word is singular, "them" if it is plural
    {prepare_<main>}       the rule that is named after the word: prepare_carrots

A choice holds from where it stands to the end of its template, and in all rules that
are referred to from there. `expand` writes each of these rules once for every
combination of the words that it repeats, itself or by the rules below it. The memory is
in the names: finish__carrots__thyme has forgotten all else. So there are as many rules
as things to remember at a time. A model that writes such text needs as many states.

Grammars with features that are compiled to plain ones: Gazdar, Klein, Pullum and Sag
(1985), Generalized Phrase Structure Grammar, whose features range over finite sets as
these words do.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from minilstm.corpora.grammar import REFERENCE, Template
from minilstm.errors import InputError

CHOICE = re.compile(r"<(\w+) from (\w+)>")
RECALL = re.compile(r"<(\w+)(?::([^<>|]*)\|([^<>|]*))?>")
MARKED = re.compile(r"\{([\w<>]+)\}")  # a reference whose name may have <...>

Memory = dict[str, str]  # what was chosen, by what it is called


def expand(
    rules: Mapping[str, Sequence[Template]], start: str, plural: Collection[str] = ()
) -> dict[str, list[Template]]:
    """Return the plain rules, for `Grammar`, of which `start` makes use.

    Parameters
    ----------
    rules : as for `Grammar`, with the marks above.
    start : the rule that sentences are written from; it keeps its name.
    plural : the words with which <main:it|them> is "them".

    Raises
    ------
    InputError
        If a template repeats what was not chosen, or refers to a rule that is missing.

    Examples
    --------
    >>> rules = {
    ...     "meal": ["Eat <dish from dishes>{like}"],
    ...     "dishes": ["soup", "figs"],
    ...     "like": [", I like <dish:it|them>"],
    ... }
    >>> expanded = expand(rules, "meal", plural=["figs"])
    >>> for name, templates in expanded.items(): print(name, templates)
    meal [(1.0, 'Eat {meal__0_dish}')]
    like__soup [(1.0, ', I like it')]
    like__figs [(1.0, ', I like them')]
    meal__0_dish [(1.0, 'soup{like__soup}'), (1.0, 'figs{like__figs}')]
    """
    return _Expansion(rules, plural).run(start)


class _Expansion:
    """The rules that were given, and those that are written from them."""

    def __init__(
        self, rules: Mapping[str, Sequence[Template]], plural: Collection[str]
    ) -> None:
        self.rules = rules
        self.plural = frozenset(plural)
        self.written: dict[str, list[Template]] = {}
        self.called: dict[str, frozenset[str]] = {}

    def run(self, start: str) -> dict[str, list[Template]]:
        self.visit(start, {})
        return self.written

    def visit(self, name: str, memory: Memory) -> str:
        """Write the rule `name` for a memory, once, and return its new name."""
        calls = self.calls(name)
        memory = {role: word for role, word in memory.items() if role in calls}
        new_name = "__".join([name, *memory.values()])
        if new_name not in self.written:
            self.written[new_name] = []
            self.written[new_name] += [
                (weight, self.fill(text, memory, f"{new_name}__{index}"))
                for index, (weight, text) in enumerate(self.alternatives(name))
            ]
        return new_name

    def fill(self, text: str, memory: Memory, place: str) -> str:
        """The plain template.

        From its first choice on, it is a rule of its own, with an alternative per word.
        """
        choice = CHOICE.search(text)
        if not choice:
            recalled = RECALL.sub(lambda mark: self.recall(mark, memory), text)
            new_name = lambda mark: "{" + self.visit(mark[1], memory) + "}"
            return REFERENCE.sub(new_name, recalled)
        role, words = choice.groups()
        before, after = text[: choice.start()], text[choice.end() :]
        name = f"{place}_{role}"
        self.written[name] = [
            (weight, word + self.fill(after, {**memory, role: word}, f"{name}_{word}"))
            for weight, word in self.alternatives(words)
        ]
        return self.fill(before, memory, place) + "{" + name + "}"

    def recall(self, mark: re.Match[str], memory: Memory) -> str:
        role, singular, plural = mark.groups()
        if role not in memory:
            raise InputError(
                f"{mark[0]}: no {role!r} was chosen before;"
                f" write <{role} from ...> where it is chosen"
            )
        if singular is None:
            return memory[role]
        return plural if memory[role] in self.plural else singular

    def calls(self, name: str) -> frozenset[str]:
        """What a rule repeats or chooses, itself or by the rules below it."""
        if name not in self.called:
            self.called[name] = frozenset()  # ends a circle, which `Grammar` reports
            found: set[str] = set()
            for _, text in self.alternatives(name):
                found |= {mark[1] for mark in RECALL.finditer(text)}
                for mark in MARKED.finditer(text):
                    for below in self.named(mark[1]):
                        found |= self.calls(below)
            self.called[name] = frozenset(found)
        return self.called[name]

    def named(self, reference: str) -> list[str]:
        """The rules that a reference can mean: `prepare_<main>` all `prepare_...`."""
        if "<" not in reference:
            return [reference]
        pattern = re.compile(RECALL.sub(r"\\w+", reference))
        return [name for name in self.rules if pattern.fullmatch(name)]

    def alternatives(self, name: str) -> list[tuple[float, str]]:
        if name not in self.rules:
            raise InputError(f"there is no rule {name!r}, but a template refers to it")
        return [
            (1.0, entry) if isinstance(entry, str) else entry
            for entry in self.rules[name]
        ]
