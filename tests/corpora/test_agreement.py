"""Rules that recall words, against an interpreter of their marks.

The interpreter below works on the raw rules and shares nothing with the package.
"""

import doctest
import re
from collections import defaultdict

import pytest

from minilstm.corpora import agreement
from minilstm.corpora.agreement import expand
from minilstm.errors import InputError

MARK = re.compile(r"<(\w+) from (\w+)>|<(\w+):(\w*)\|(\w*)>|<(\w+)>|\{([\w<>]+)\}")

MEAL = {
    "meal": [(3, "Buy <dish from dishes>{how}, {cook_<dish>} <dish:it|them>{with}."), "Order <dish from dishes>{how}."],
    "dishes": [(2, "soup"), "figs"],
    "how": ["", (2, " (the <dish> <dish:is|are> good)")],
    "cook_soup": ["heat"],
    "cook_figs": ["peel", "bake"],
    "with": [" with <herb from herbs>, yes, <herb> on the <dish>{drink}", ""],
    "herbs": ["mint", "dill"],
    "drink": ["", " and {wine}"],
    "wine": ["red", "white"],
}
TWICE = {"s": ["<a from x><a> <a from x><a>", "{t} {t}"], "t": ["<a from x>{u}"], "u": ["-<a>", "+"], "x": ["p", "q"]}
SHADOW = {"s": ["<a from x> {inner} <a>"], "inner": ["<a from y><a>"], "x": ["p", "q"], "y": ["r", (3, "t")]}
DEEP = {"s": ["<a from x>{middle}{middle}"], "middle": ["{low}", ""], "low": [" and <a>"], "x": ["p", "q"]}


def weighed(entries):
    pairs = [entry if isinstance(entry, tuple) else (1, entry) for entry in entries]
    total = sum(weight for weight, _ in pairs)
    return [(weight / total, text) for weight, text in pairs]


def expansions(rules, text, memory, plural):
    """A pair (probability, text) for every left-to-right expansion of a template."""
    mark = MARK.search(text)
    if not mark:
        return [(1.0, text)]
    before, after = text[:mark.start()], text[mark.end():]
    label, words, numbered, one, many, recalled, name = mark.groups()
    if words:
        heads = [(p, word, {**memory, label: word}) for p, word in weighed(rules[words])]
    elif numbered:
        heads = [(1.0, many if memory[numbered] in plural else one, memory)]
    elif recalled:
        heads = [(1.0, memory[recalled], memory)]
    else:
        name = re.sub(r"<(\w+)>", lambda m: memory[m[1]], name)
        chosen = weighed(rules[name])
        heads = [(p * q, t, memory) for p, template in chosen for q, t in expansions(rules, template, memory, plural)]
    return [(p * q, before + head + tail) for p, head, known in heads for q, tail in expansions(rules, after, known, plural)]


def distribution(pairs):
    table = defaultdict(float)
    for probability, text in pairs:
        table[text] += probability
    return dict(table)


@pytest.mark.parametrize("rules", [MEAL, TWICE, SHADOW, DEEP])
def test_expanded_rules_give_each_text_the_probability_of_the_marked_rules(rules):
    start = next(iter(rules))
    plain = expand(rules, start, plural=["figs"])
    assert not any("<" in text for templates in plain.values() for _, text in templates)
    meant = distribution(expansions(rules, "{" + start + "}", {}, ["figs"]))
    written = distribution(expansions(plain, "{" + start + "}", {}, []))
    assert len(meant) >= 4
    assert written == pytest.approx(meant, rel=1e-12)


def test_a_rule_is_copied_only_for_what_it_recalls():
    plain = expand(MEAL, "meal", plural=["figs"])
    assert "wine" in plain
    assert {name for name in plain if name.startswith("how")} == {"how__soup", "how__figs"}
    assert {name for name in plain if name.startswith("with") and "herb" not in name} == {"with__soup", "with__figs"}


def test_rules_that_the_start_does_not_use_are_omitted():
    assert set(expand({**MEAL, "idle": ["{nowhere}"]}, "herbs")) == {"herbs"}


@pytest.mark.parametrize("rules, words", [
    ({"s": ["<a> <a from x>"], "x": ["p"]}, ["<a>", "'a'", "chosen before"]),
    ({"s": ["{t}", "<a from x>"], "t": ["<a:is|are>"], "x": ["p"]}, ["<a:is|are>", "chosen before"]),
    ({"s": ["<a from y>"], "x": ["p"]}, ["'y'"]),
    ({"s": ["<a from x>{cook_<a>}"], "x": ["p"]}, ["'cook_p'"]),
    ({"x": ["p"]}, ["'s'"]),
])
def test_recalling_an_unchosen_or_unknown_word_is_refused(rules, words):
    with pytest.raises(InputError) as complaint:
        expand(rules, "s")
    for word in words:
        assert word in str(complaint.value)


def test_the_example_in_the_docstring_is_right():
    result = doctest.testmod(agreement)
    assert result.attempted > 0
    assert result.failed == 0
