"""Exercises with a seed: copies differ, and the grading follows each of them."""

import ast
from dataclasses import replace

import pytest

from minilstm.course import Wrong
from minilstm.course.answers import Answers
from minilstm.course.exercise import Exercise, copy_of
from minilstm.course.folder import numbered
from minilstm.course.gradebook import Limits, grade_one
from minilstm.course.mistakes import Solutions
from minilstm.course.submissions import find_submissions
from minilstm.course.units import unit_of
from minilstm.course.variations import PARTS, lessons_for, seed_in, variation_of, variations, with_seed
from tests.helpers.commands import refused
from tests.helpers.course import small_course
from tests.helpers.paths import LESSONS

NUMBERS = sorted(numbered(LESSONS / "exercises"))
QUICK = {"", "the ids begin with 3", "the order is o, g, f, i", "the order is f, i, g, o", "u has the sign of the gradient"}
VARIED = [
    pytest.param(
        (number, k), id=f"{number}-{variation.words}", marks=[pytest.mark.thorough] * (variation.words not in QUICK)
    )
    for number in NUMBERS
    for k, variation in enumerate(variations(number))
    if variation.words
]


def texts(number):
    return [numbered(LESSONS / part)[number].read_text(encoding="utf-8") for part in PARTS]


def seed_of(number, variation):
    return next(seed for seed in range(10**4) if variation_of(number, seed) == variation)


@pytest.fixture(params=VARIED)
def varied(request, tmp_path):
    """The number, the folder, the tasks and the solutions of an exercise with a seed."""
    number, k = request.param
    seed = seed_of(number, variations(number)[k])
    folder = lessons_for(number, seed, LESSONS, tmp_path / "course")
    return number, folder, copy_of(number, folder).tasks, Answers(numbered(folder / "solutions")[number])


def test_exercises_1_2_and_9_vary_and_the_first_variation_is_the_usual_one():
    counts = {number: len(variations(number)) for number in NUMBERS}
    assert {number: count for number, count in counts.items() if count > 1} == {1: 3, 2: 24, 9: 2}
    for number in NUMBERS:
        usual, *others = variations(number)
        assert not usual.words and all(map(usual.change, texts(number)))
        assert [usual.change(text) for text in texts(number)] == texts(number)
        words = [variation.words for variation in others]
        assert len(set(words)) == len(words) and all(words)
        for variation in others:
            changed = [variation.change(text) != text for text in texts(number)]
            assert changed == [True, True, True], variation.words


def test_every_variation_belongs_to_some_seeds_and_a_seed_always_to_the_same():
    for number in (1, 2, 9):
        found = {variation_of(number, seed).words for seed in range(300)}
        assert found == {variation.words for variation in variations(number)}
    assert variation_of(2, 46304125).words == "the order is f, o, i, g"
    assert [variation_of(1, seed).words[-1:] for seed in range(6)] == ["3", "2", "3", "", "2", "3"]


@pytest.mark.parametrize("case", VARIED)
def test_everything_that_a_variation_replaces_is_there(case):
    number, k = case
    variation = variations(number)[k]
    changed = replace(variation, replaced=()).change("\n".join(texts(number)))
    for old, new in variation.replaced:
        assert old in changed, old
        changed = changed.replace(old, new)


def test_the_solution_of_a_copy_is_right_for_that_copy(varied):
    _, _, tasks, solutions = varied
    results = [*Exercise(solutions, solutions, tasks).results()]
    assert [(result.state, result.task.name) for result in results] == [("right", task.name) for task in tasks]


def test_the_usual_solution_is_wrong_for_a_copy_that_differs(varied):
    number, _, tasks, solutions = varied
    usual = Answers(numbered(LESSONS / "solutions")[number])
    assert "wrong" in [result.state for result in Exercise(usual, solutions, tasks).results()]


def test_every_mistake_in_a_copy_is_named(varied):
    number, _, tasks, answers = varied
    solutions, seen, usual = Solutions(answers), 0, copy_of(number, LESSONS).tasks
    for task in (task for task, other in zip(tasks, usual) if task.mistakes != other.mistakes):
        for change, said in task.mistakes.items():
            with pytest.raises(Wrong) as wrong:
                task.grade(solutions.wrong(task.name, change), solutions)
            assert str(wrong.value).endswith(said), change
            seen += 1
    assert seen > 3


def test_a_copy_is_a_blank_exercise_with_its_seed_and_says_what_differs(varied):
    number, folder, tasks, _ = varied
    path = numbered(folder / "exercises")[number]
    text = path.read_text(encoding="utf-8")
    assert ast.parse(text) and max(map(len, text.splitlines())) <= 88
    assert f"\n# Unlike in the lesson, {variation_of(number, seed_in(path)).words}.\n" in text
    assert all(Answers(path).blanks(task.name) for task in tasks)
    if number == 2:
        assert "i, f, g, o" not in text


@pytest.mark.parametrize("number", NUMBERS)
def test_a_copy_of_an_exercise_that_does_not_vary_differs_by_its_seed_only(tmp_path, number):
    blank = numbered(LESSONS / "exercises")[number].read_text(encoding="utf-8")
    path = tmp_path / "copy.py"
    path.write_text(with_seed(blank, number, 12345678901), encoding="utf-8")
    assert seed_in(path) == 12345678901
    if len(variations(number)) == 1:
        assert path.read_text(encoding="utf-8").replace("\n# seed: 12345678901\n", "", 1) == blank


def test_a_file_without_a_seed_is_graded_with_the_course(tmp_path):
    assert seed_in(tmp_path / "nowhere.py") is None
    for content in (b"# seed: x\n", b"# seed: " + b"1" * 5000 + b"\n", b" # seed: 7\n", b"\xff# seed: 7\n", b""):
        (tmp_path / "a.py").write_bytes(content)
        assert seed_in(tmp_path / "a.py") is None
    assert lessons_for(2, None, LESSONS, tmp_path / "unused") == LESSONS and not (tmp_path / "unused").exists()


@pytest.mark.thorough
def test_a_submission_is_graded_by_its_own_seed(tmp_path):
    seed = 46304125
    change = variation_of(2, seed).change
    for name, text in (("ada", change(texts(2)[1])), ("bob", texts(2)[1])):
        (tmp_path / f"02_{name}.py").write_text(f"# seed: {seed}\n{text}", encoding="utf-8")
    ada, bob = (grade_one(each, LESSONS, Limits()) for each in find_submissions(tmp_path, numbered(LESSONS / "exercises")))
    assert (ada.right, ada.seed, ada.problem) == (3, seed, "")
    assert bob.right < 3 and bob.seed == seed


# The command


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with exercises 1 and 2 as the current folder."""
    for part in PARTS:
        (tmp_path / "lessons" / part).mkdir(parents=True)
        for number in (1, 2):
            path = numbered(LESSONS / part)[number]
            (tmp_path / "lessons" / part / path.name).write_bytes(path.read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_copy_with_a_name_has_its_seed_and_is_graded_and_helped_with_by_it(run, here):
    status, out, _ = run("exercise", 2, "--seed", "Ada Lovelace")
    copy = here / "lessons" / "my" / "02_one_step.py"
    assert status == 1 and "0 of 3 right" in out and seed_in(copy) == 46304125
    assert "zf, zo, zi, zg = np.split" in run("exercise", 2, "--hint", "--hint")[1]
    solution = run("exercise", 2, "--solution")[1]
    assert solution.startswith("# 1. gates, from 02_one_step.py, with the seed 46304125\n")
    assert "return sigmoid(zf), sigmoid(zo), sigmoid(zi), np.tanh(zg)" in solution
    blank = copy.read_text(encoding="utf-8")
    copy.write_text(blank.replace("    return ...\n", solution.partition("def gates(z):\n")[2], 1), encoding="utf-8")
    assert "1. gates: right" in run("exercise", 2, "--seed", "46304125")[1]
    assert "1. gates: right" in run("exercise", "--file", copy)[1]
    assert run("exercise", 2, "--reset")[0] == 0 and copy.read_text(encoding="utf-8") == blank
    assert run("exercise", 2, "--reset", "--seed", 5)[0] == 0 and seed_in(copy) == 5


def test_a_copy_that_is_done_leads_to_the_next_exercise(run, here):
    run("exercise", 1, "--seed", 3)
    copy = here / "lessons" / "my" / "01_text_to_numbers.py"
    solved = variation_of(1, 3).change(texts(1)[1])
    copy.write_text(f"# seed: 3\n{solved}", encoding="utf-8")
    status, out, _ = run("exercise", 1)
    assert status == 0 and out.endswith("then minilstm exercise 2\n") and "minilstm-" not in out


def test_answers_in_the_file_of_the_course_are_named_for_a_copy_with_a_seed_too(run, here):
    own = here / "lessons" / "exercises" / "02_one_step.py"
    own.write_text(texts(2)[1], encoding="utf-8")
    status, out, _ = run("exercise", 2, "--seed", 7)
    assert "lessons/exercises/02_one_step.py is filled in" in out.replace("\\", "/") and "minilstm exercise 2 --move" in out
    assert not (here / "lessons" / "my").exists()


def test_a_seed_does_not_change_a_copy_that_is_there(run, here):
    run("exercise", 2)
    copy = here / "lessons" / "my" / "02_one_step.py"
    before = copy.read_bytes()
    refused(run("exercise", 2, "--seed", 7), 2, "has no seed", "--reset --seed 7")
    refused(run("exercise", 2, "--seed", 7, "--file", copy), 2, "has no seed")
    assert copy.read_bytes() == before
    run("exercise", 1, "--seed", 3)
    refused(run("exercise", 1, "--seed", 4), 2, "has the seed 3", "--reset --seed 4")


def test_all_exercises_are_written_to_a_new_folder(run, here):
    assert run("exercise", "--all", "--seed", "Ada Lovelace", "--out", "ada") == (
        0, "2 exercises with the seed 46304125 are in ada.\n", ""
    )
    assert [(path.name, seed_in(path)) for path in sorted((here / "ada").iterdir())] == [
        ("01_text_to_numbers.py", 46304125), ("02_one_step.py", 46304125)
    ]
    assert run("exercise", "--all", "--out", "usual")[:2] == (0, "2 exercises are in usual.\n")
    for path in (here / "usual").iterdir():
        assert path.read_bytes() == (here / "lessons" / "exercises" / path.name).read_bytes()
    refused(run("exercise", "--all", "--seed", 1, "--out", "ada"), 2, "ada is there already")
    assert seed_in(here / "ada" / "02_one_step.py") == 46304125


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--all"], "--out FOLDER"),
        (["2", "--all", "--out", "new"], "--all writes all exercises"),
        (["2", "--out", "new"], "--out is for --all"),
        (["--seed", "7"], "name the exercise that --seed is for"),
        (["2", "--seed", " "], "must be a number or a name"),
        (["2", "--seed=-1"], "must be a number or a name"),
    ],
)
def test_options_that_do_not_go_together_are_refused(run, here, arguments, words):
    refused(run("exercise", *arguments), 2, words)
    assert not (here / "new").exists()


def test_in_minilstm_learn_a_copy_is_graded_solved_and_reset_with_its_seed(tmp_path):
    lessons = small_course(tmp_path, [2])
    blank = numbered(lessons / "exercises")[2].read_text(encoding="utf-8")
    seed = next(seed for seed in range(100) if variation_of(2, seed).words)
    unit = unit_of("2", lessons)
    seeded = with_seed(blank, 2, seed)
    write(unit.path, seeded)
    solutions = {task.name: unit.solution(task.name) for task in unit.tasks()}
    usual = Answers(numbered(lessons / "solutions")[2])
    assert any(solutions[name] != usual.source(name) for name in solutions)
    head = f"import numpy as np\nfrom minilstm.reference.functions import sigmoid\n# seed: {seed}\n\n\n"
    write(unit.path, head + "\n\n\n".join(solutions.values()))
    assert [result.state for result in unit.results()] == ["right"] * len(solutions)
    write(unit.path, unit.path.read_text(encoding="utf-8").replace(f"# seed: {seed}\n", ""))
    assert "wrong" in [result.state for result in unit.results()]
    write(unit.path, head)
    unit.reset()
    assert unit.path.read_text(encoding="utf-8") == seeded


def write(path, text):
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
