"""Tests of the pages: examples, links, options and figures are right.

Pages, and source code, use the words of ``docs/vocabulary.md``.
"""

import argparse
import doctest
import re

import pytest

from minilstm.cli import options as arguments
from minilstm.course.folder import numbered
from minilstm.verify import MISTAKES
from tests.helpers.paths import LESSONS, ROOT

PAGES = [
    *(ROOT / folder / "README.md" for folder in (".", "benchmarks", "lessons")),
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
FOLDERS = ("minilstm", "lessons", "tests", "benchmarks", "docs")
REWRITTEN = [  # code whose words are tested
    "benchmarks/**/*.py",
    "docs/**/*.py",
    "lessons/*.py",
    "lessons/[egs]*/*.py",  # exercises, grading, solutions
    "minilstm/checks.py",
    "minilstm/cli/**/*.py",
    "minilstm/corpora/[!hpr]*.py",  # headlines, pantry and recipes are texts of grammars
    "minilstm/course/*.py",
    "minilstm/data/**/*.py",
    "minilstm/errors.py",
    "minilstm/files.py",
    "minilstm/generation/*.py",
    "minilstm/interop/*.py",
    "minilstm/kernels/*.py",
    "minilstm/layers/*.py",
    "minilstm/models/*.py",
    "minilstm/optim/*.py",
    "minilstm/parallel/*.py",
    "minilstm/params.py",
    "minilstm/reference/*.py",
    "minilstm/seeds.py",
    "minilstm/streams.py",
    "minilstm/training/*.py",
    "minilstm/verify/**/*.py",
    "tests/**/*.py",
]
EXCEPTIONS = {  # sources that must name avoided words
    ROOT / "tests" / "test_docs.py",
}
SOURCES = [path for pattern in REWRITTEN for path in sorted(ROOT.glob(pattern)) if path not in EXCEPTIONS]
FILES = [f"/{path.relative_to(ROOT).as_posix()}" for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]

AVOIDED = "## Words that the project does not use"
# links, too
CODE = re.compile(r"^```.*?^```|`[^`]*`|\]\([^)]*\)|<[^>]*>", re.MULTILINE | re.DOTALL)


def named(paths):
    return [pytest.param(path, id=path.relative_to(ROOT).as_posix()) for path in paths]


def read(path):
    return path.read_text(encoding="utf-8")


def avoided_words():
    """From each word of the table to the phrases in which it is allowed."""
    table = read(ROOT / "docs" / "vocabulary.md").split(AVOIDED)[1]
    rows = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("|")][2:]
    return {word.strip(): phrases.strip() for words, _, phrases in rows for word in words.split(",")}


def prose(path):
    """A page without code, links and the table of avoided words; or a whole source."""
    text = read(path)
    return CODE.sub(" ", text.split(AVOIDED)[0]) if path.suffix == ".md" else text


def found_words(text, avoided):
    """Avoided words in a text, with their context.

    Phrases may continue on the next line.
    """
    found, lower = [], text.lower()
    for word, allowed in avoided.items():
        if word.lower().split()[0] not in lower:  # most are not, and this is quick
            continue
        spaced = lambda phrase: re.escape(phrase).replace(r"\ ", r"[\s#]+")
        kept = text
        for phrase in filter(None, allowed.split("; ")):
            kept = re.sub(spaced(phrase), " ", kept)
        found += [
            f"{word}: … {' '.join(kept[max(0, match.start() - 30) : match.end() + 30].split())} …"
            for match in re.finditer(rf"\b{spaced(word)}\b", kept, re.IGNORECASE)
        ]
    return found


def sentences(path):
    """The sentences of a page: those of each paragraph and each item of a list."""
    text = re.sub(r"^(#|\|).*$", "", re.sub(CODE, " x ", read(path)), flags=re.MULTILINE)
    blocks = re.split(r"\n\s*\n|\n\s*(?:-|\d+\.) ", text)
    return [sentence.split() for block in blocks for sentence in re.split(r"[.?!:](?=\s|$)", block) if sentence.strip()]


def blocks(path):
    """The code blocks of a page."""
    return re.findall(r"^```[a-z]*\n(.*?)^```", read(path), re.MULTILINE | re.DOTALL)


def commands(path):
    """The ``minilstm`` commands in the code blocks of a page, with their options."""
    lines = [line for block in blocks(path) for line in block.splitlines()]
    found = [match for line in lines for match in re.findall(r"(?:^|&& |\| )minilstm ([a-z]+)(.*)", line)]
    return [(command, re.findall(r"(?<!\S)--[a-z-]+", rest.split(" #")[0])) for command, rest in found]


def options():
    """The names of the options of each command."""
    parser = arguments.parser()
    subparsers = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return {
        name: {option for action in command._actions for option in action.option_strings if option.startswith("--")}
        for name, command in subparsers.choices.items()
    }


@pytest.mark.parametrize("page", named(PAGES))
def test_examples_print_what_a_page_says(page):
    result = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert result.failed == 0
    assert result.attempted == len(re.findall("^>>> ", read(page), re.MULTILINE))


@pytest.mark.parametrize("path", named(PAGES + SOURCES))
def test_no_avoided_word_is_used(path):
    assert found_words(prose(path), avoided_words()) == []


def test_avoided_words_are_found_in_any_case_and_across_lines_but_not_inside_others():
    avoided = {"nudge": "", "large page": "", "race": "race condition; race car"}
    assert len(found_words("Nudge it. A large\n    # page. A race condition, and a race.", avoided)) == 3
    assert found_words("nudge_by, trace, a race\ncondition, a race car, larger pages", avoided) == []


def test_the_table_of_avoided_words_is_read():
    avoided = avoided_words()
    assert len(avoided) > 40 and {"nudge", "held out", "step size"} <= avoided.keys()
    assert avoided["race"] == avoided["contest"] == "race condition" and avoided["nudge"] == ""


def test_only_text_is_searched_for_avoided_words(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("A `slope` [here](slope.md).\n\n```\nslope\n```\n\nA slope.\n", encoding="utf-8")
    assert len(found_words(prose(page), {"slope": ""})) == 1


@pytest.mark.parametrize("page", named(PAGES))
def test_links_and_names_of_files_exist(page):
    text = read(page)
    for link, heading in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", text):
        target = page.parent / link if link else page
        assert target.exists(), link
        if heading:
            titles = re.findall(r"^#+ (.+)$", read(target), re.MULTILINE)
            assert heading in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}, heading
    for name in re.findall(r"`((?:minilstm|lessons|tests|benchmarks|docs)/[\w./-]+)`", text):
        assert (ROOT / name).exists() or name.startswith(("lessons/my", "lessons/output")), name
    # also as the end of a path: `layers/lstm.py`
    for name in re.findall(r"`([\w/]+\.py)`", text):
        assert any(file.endswith(f"/{name}") for file in FILES), name


@pytest.mark.parametrize("page", named(PAGES))
def test_a_page_has_short_sentences(page):
    assert [" ".join(sentence) for sentence in sentences(page) if len(sentence) > 25] == []


@pytest.mark.parametrize("page", named(PAGES))
def test_options_of_commands_exist(page):
    known = options()
    for command, given in commands(page):
        assert set(given) <= known[command], f"minilstm {command} {' '.join(given)}"


def test_the_command_line_page_has_every_option():
    text = read(ROOT / "docs" / "command-line.md") + read(ROOT / "docs" / "verification.md")
    for command, names in options().items():
        assert f"`minilstm {command}`" in text
        missing = {name for name in names if not re.search(rf"{name}\b", text)} - {"--help", "--version"}
        assert not missing, f"minilstm {command}: {missing}"


def test_the_counts_on_pages_are_right():
    text = {page: " ".join(read(page).split()) for page in PAGES}
    assert "more than five hundred known ones" in text[PAGES[0]] and len(MISTAKES) > 500
    assert "nineteen lessons" in text[PAGES[0]] and len(numbered(LESSONS)) == 19
    assert "twelve commands" in text[ROOT / "docs" / "command-line.md"] and len(options()) == 12


def test_the_readme_is_short_and_has_the_two_commands_of_the_checks():
    lines = read(ROOT / "README.md").splitlines()
    assert len(lines) <= 150
    assert len([line for line in lines if line.startswith("pip install")]) == 2


@pytest.mark.parametrize("page", named([ROOT / "README.md", ROOT / "docs" / "performance.md"]))
def test_speeds_are_those_of_the_report(page):
    cells = lambda line: [cell.strip() for cell in line.strip("|").split("|")]
    report = {tuple(cells(line)[1:5]) for line in read(ROOT / "benchmarks" / "results" / "speed.md").splitlines()}
    rows = [cells(line)[1:5] for line in read(page).splitlines() if re.match(r"\|[^|]+\|( [\d.,-]+ \|){4}", line)]
    assert len(rows) >= 4
    assert [row for row in rows if tuple(row) not in report] == []
