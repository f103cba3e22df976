"""Gradient puzzles: the table, the messages, the learner's file, and the command."""

import io
import re
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm.course.answers import Answers
from minilstm.course.expressions import evaluate
from minilstm.course.grading import Wrong
from minilstm.course.progress import Progress
from minilstm.course.puzzle_file import blank, lines_in, name_of, pose
from minilstm.course.puzzle_unit import PuzzleUnit
from minilstm.course.puzzles import ONE_SIZE, SIZES, Puzzle
from minilstm.verify.gradcheck.numerical import central_differences
from tests.helpers.commands import refused
from tests.helpers.paths import LESSONS

PARTS = Answers(LESSONS / "grading" / "puzzles.py").load().PARTS
PUZZLES = [puzzle for part in PARTS.values() for puzzle in part]
named = pytest.mark.parametrize("puzzle", PUZZLES, ids=[p.title for p in PUZZLES])


def complaint(puzzle, answer):
    """What a learner reads about a wrong answer."""
    with pytest.raises(Wrong) as raised:
        puzzle.check(answer)
    return str(raised.value)


# The table


def test_there_are_thirty_puzzles_with_different_titles():
    assert len(PUZZLES) == len({puzzle.title for puzzle in PUZZLES}) == 30


@named
def test_no_entry_of_a_gradient_is_zero(puzzle):
    for draw in range(len(SIZES)):
        gradient = puzzle.case(draw).gradients[puzzle.wrt]
        assert gradient.size > 1 and np.abs(gradient).min() > 1e-6


@named
def test_the_solution_is_right_and_short(puzzle):
    assert puzzle.check(puzzle.solution) == "equal to the complex step"
    assert len(puzzle.solution) <= 60


@named
def test_a_solution_agrees_with_central_differences_of_numpy_itself(puzzle):
    case = puzzle.case()
    inputs = {name: case.names[name] for name in re.findall(r"\w+(?=[,\s]+[\w,\s]*\()", puzzle.shapes)}
    upstream = {name: case.names[name] for name in puzzle.upstream}

    def loss(moved):
        names = {**case.names, **inputs, **moved, "np": np}
        exec(puzzle.forward, names)
        return sum(np.sum(dy * names[name[1:]]) for name, dy in upstream.items()) if upstream else names["loss"]

    numerical = central_differences(loss, {puzzle.wrt: inputs[puzzle.wrt]})[puzzle.wrt]
    answer = eval(puzzle.solution, {**case.names, "np": np})
    assert np.abs(answer).max() > 0.01
    np.testing.assert_allclose(answer, numerical, rtol=1e-5, atol=1e-8)


@named
def test_every_known_wrong_answer_gets_its_own_sentence(puzzle):
    assert 2 <= len(puzzle.wrong) <= 8
    for expression, sentence in puzzle.wrong.items():
        assert complaint(puzzle, expression) == sentence


@named
def test_a_puzzle_fits_in_80_columns_and_says_what_is_given(puzzle):
    text = pose(30, puzzle)
    assert max(map(len, text.splitlines())) <= 80
    for name in (*puzzle.upstream, f"what is d{puzzle.wrt}?"):
        assert name in text


# Messages that all puzzles share

PRODUCT = Puzzle("a product", "y = a * b", "a", "a, b (H,)", "", "dy * b", {})
MATRIX = Puzzle("a matrix", "y = x @ W", "x", "x (B, D), W (D, H)", "", "dy @ W.T", {})
MEAN = Puzzle("a mean", "y = h.mean(axis=0)", "h", "h (T, H)", "", "np.ones_like(h) * dy / T", {})


@pytest.mark.parametrize(
    "puzzle, answer, said",
    [
        (PRODUCT, "b", "dy is missing: by the chain rule"),
        (PRODUCT, "-dy * b", "wrong sign"),
        (PRODUCT, "dy * a", "this is db, the gradient of b, not of a"),
        (PRODUCT, "2 * dy * b", "this is 2 times"),
        (PRODUCT, "dy * b / -2", "this is -1/2 times"),
        (PRODUCT, "1.234 * dy * b", "of da is"),
        (MEAN, "np.ones_like(h) * dy", "this is T times"),
        (MEAN, "np.ones_like(h) * dy * H / T", "this is H times"),
        (MEAN, "np.ones_like(h) * dy / H", "this is T/H times"),
        (PRODUCT, "dy + b", "of da is"),
        (PRODUCT, "0 * dy", "0 everywhere"),
        (PRODUCT, "dy > 9", "0 everywhere"),
        (PRODUCT, "1", "da must have the shape of a, (H,), but yours is one number"),
        (PRODUCT, "dy * b + b / 0", "of da is"),
        (PRODUCT, "[dy, b]", "an array of real numbers, not list"),
        (PRODUCT, "1j * dy", "real numbers"),
        (PRODUCT, "'dy'", "real numbers, not str"),
        (PRODUCT, "None", "real numbers, not NoneType"),
        (PRODUCT, "np.exp", "must be called: np.exp(...)"),
        (PRODUCT, "dy.sum", "must be called: dy.sum()"),
        (MATRIX, "x.T @ dy", "this is dW, the gradient of W, not of x"),
        (MATRIX, "W @ dy.T", "the shape of x, (B, D), but yours is (D, B): transpose it"),
        (MATRIX, "dy", "the shape of x, (B, D), but yours is (B, H)"),
        (MATRIX, "dy * W.T", "dy is (B, H) and `W.T` is (H, D), but * works entry by entry"),
        (MATRIX, "dy @ W", "dy is (B, H) and W is (D, H), but @ needs as many columns on the left as rows on the right"),
        (MATRIX, "dy[0] @ x[0]", "but @ of two vectors needs equal lengths"),
        (MATRIX, "dy @ 2", "a product with a number is *"),
        (MATRIX, "dy.sum(axis=2)", "`dy.sum(axis=2)` cannot be computed: axis 2 is out of bounds"),
        (MATRIX, "dy[7]", "`dy[7]` cannot be computed: index 7 is out of bounds"),
        (MEAN, "dy / T", "(T, H), but yours is (H,). The numbers are right"),
        (MEAN, f"np.ones_like(h) * dy / {SIZES[0]['T']}", ONE_SIZE),
    ],
)
def test_a_message_says_what_is_wrong(puzzle, answer, said):
    assert puzzle.check(puzzle.solution)
    assert said in complaint(puzzle, answer)


@pytest.mark.parametrize(
    "answer, said",
    [
        ("dy *", "not an expression of Python"),
        ("2dy", "a product is written a * b"),
        ("dy × b", "not an expression of Python"),
        ("dy\0", "not an expression of Python"),
        ("import os", "not an expression of Python"),
        ("", "not an expression of Python"),
        ("(" * 250, "not an expression of Python"),
        ("-" * 299 + "1", ""),
        ("dy + " * 100 + "dy", "one line is enough"),
        ("b^2", "a power is written **"),
        ("dy // b", "+ - * / ** @ are enough"),
        ("db", "there is no db here"),
        ("dY * b", "Did you mean dy?"),
        ("__import__('os')", "there is no __import__ here"),
        ("open('x', 'w')", "there is no open here"),
        ("exp(dy)", "write np.exp"),
        ("np.expo(dy)", "did you mean np.exp?"),
        ("np.load('x')", "an answer needs no np.load"),
        ("np.linalg", "an answer needs no np.linalg"),
        ("dy.tofile('x')", "cannot be called here"),
        ("dy.__class__", "an answer needs no __class__"),
        ("dy.base", "an answer needs no base"),
        ("dy(b)", "dy is an array, not a function; a product needs a *"),
        ("(lambda: dy)()", "cannot be called here"),
        ("lambda: dy", "a lambda is not needed"),
        ("[d for d in dy]", "a comprehension is not needed"),
        ("sum(1 for _ in iter(int, 1))", "np.sum"),
        ("dy if 1 else b", "an if is not needed"),
        ("(d := dy)", "is not needed here"),
        ("f'{dy}'", "is not needed here"),
        ("9**9**9**9**9", "too large a number"),
        ("(a * b)[[9**9]]", "cannot be computed"),
        ("sigmoid()", "`sigmoid()` cannot be computed"),
        ("np.concatenate([dy, 1])", "cannot be computed"),
        ("np.add(dy, b, out=dy)", "read-only"),
        ("np.ones(10**18)", "more than 10,000 entries"),
        ("np.zeros((10**9, 10**9, 10**9))", "more than 10,000 entries"),
        ("np.eye(10**9)", "more than 10,000 entries"),
        ("np.tile(dy, (10**9, 10))", "more than 10,000 entries"),
        ("np.repeat(dy, 10**18)", "more than 10,000 entries"),
        ("np.broadcast_to(dy, (10**9, H))", "more than 10,000 entries"),
    ],
)
def test_what_is_no_answer_is_explained_in_one_sentence(answer, said):
    sentence = complaint(PRODUCT, answer)
    assert said in sentence and "\n" not in sentence


@given(st.text(max_size=40) | st.text("dyab*+-@/()[]., 019npexsum:=T'#", max_size=40))
def test_no_text_at_all_stops_the_grading(answer):
    try:
        assert PRODUCT.check(answer).startswith("equal to the complex step")
    except Wrong as error:
        assert str(error)


@pytest.mark.parametrize(
    "answer",
    [
        "da = dy * b",
        "p01 = b*dy",
        " (dy *\n  b)  # two lines",
        "np.multiply(dy, b)",
        "b * +dy",
        "np.ones(H) * dy * b",
        "np.tile(dy, (2, 1))[1] * np.eye(len(b)) @ b",
    ],
)
def test_the_same_gradient_in_another_form_is_right(answer):
    assert "equal" in PRODUCT.check(answer)


def test_another_form_is_answered_by_the_solution():
    assert PRODUCT.check("dy*b") == "equal to the complex step"
    assert PRODUCT.check("b * dy") == "equal to the complex step; another way: dy * b"


def test_an_expression_can_use_indices_tuples_and_comparisons():
    a = np.arange(6.0).reshape(2, 3)
    value = evaluate("np.where(a > 1, a, -a)[:, ::-1] + a[0, 1:2] * np.sum(a, axis=(0, 1))", {"a": a}, {})
    np.testing.assert_array_equal(value, np.where(a > 1, a, -a)[:, ::-1] + 15.0)


# The learner's file


@pytest.fixture
def unit(tmp_path):
    (tmp_path / "grading").mkdir()
    (tmp_path / "grading" / "puzzles.py").write_bytes((LESSONS / "grading" / "puzzles.py").read_bytes())
    (tmp_path / "exercises").mkdir()
    unit = PuzzleUnit(tmp_path)
    vars(unit)["parts"] = PARTS  # whose numbers are known already
    assert unit.reset() is None
    return unit


def solved(unit):
    text = unit.text()
    for task in unit.tasks():
        text = text.replace(f"{task.name[:3]} = ...", unit.solution(task.name))
    return text


def states(unit):
    return [result.state for result in unit.results()]


def test_a_blank_file_has_a_line_for_every_puzzle(unit):
    assert unit.text() == blank(PARTS)
    assert list(lines_in(unit.text())) == list(range(1, 31))
    assert states(unit) == ["not answered"] * 30
    assert list(unit.results())[7].sentence.endswith("\nz = w * x; y = np.tanh(z). Given dy: what is dw?")
    assert max(map(len, unit.text().splitlines())) <= 88
    compile(unit.text(), "puzzles.py", "exec")
    for result in unit.results():
        line = int(re.match(r"line (\d+) still has a blank", result.sentence)[1])
        assert unit.text().splitlines()[line - 1] == f"{result.task.name[:3]} = ..."


def test_all_solutions_are_right(unit):
    unit.path.write_text(solved(unit), encoding="utf-8")
    assert states(unit) == ["right"] * 30


@pytest.mark.parametrize(
    "line, state, said",
    [
        ("p03 = dy *", "wrong", "not an expression"),
        ("p03 = [", "wrong", "not an expression"),
        ("p03 = (dy * b\n       + dy)  # over two lines", "right", ""),
        ("p03 = (\n    dy * b + dy\n)", "right", ""),
        ("p03=dy*(b+1)#comment", "right", ""),
        ("p03 =", "not answered", "still has a blank"),
        ("p03 = ...  # later", "not answered", "still has a blank"),
        ("# p03", "wrong", "the line p03 = ... is missing"),
        ("p03 = b\np03 = dy * b + dy", "right", ""),
        ("p03 = dy * b + dy\nfor x in y: pass", "right", ""),
    ],
)
def test_a_line_is_graded_by_itself(unit, line, state, said):
    unit.path.write_text(solved(unit).replace(unit.solution("p03"), line), encoding="utf-8")
    results = list(unit.results())
    assert results[2].state == state and said in results[2].sentence
    assert [result.state for result in results].count("right") == 29 + (state == "right")


def test_an_answer_is_saved_in_its_line_and_an_old_attempt_beside_it(unit):
    before = unit.text()
    unit.save(4, "2 * a * dy")
    assert unit.text() == before.replace("p04 = ...", "p04 = 2 * a * dy")
    unit.path.write_text(before.replace("p04 = ...", "p04 = (a *\n    dy)"), encoding="utf-8", newline="\r\n")
    unit.save(4, "2 * a * dy")
    assert unit.text() == before.replace("p04 = ...", "p04 = 2 * a * dy  # before: (a * dy)")
    unit.path.write_text("", encoding="utf-8")
    unit.save(4, "2 * a * dy")
    assert states(unit)[3] == "right" and states(unit).count("wrong") == 29


def test_hints_come_in_two_steps_and_neither_is_the_solution(unit):
    for task, puzzle in zip(unit.tasks(), PUZZLES):
        assert len(task.hints) == 2 and puzzle.solution not in " ".join(task.hints)
    assert unit.tasks()[15].hints[1] == "The solution is made of W, dy."
    assert unit.tasks()[28].hints[1] == "The solution is made of dcontext, p, np.outer(...)."
    assert unit.tasks()[17].hints[1] == "The solution is made of dy, .sum(...)."
    assert [task.name for task in unit.tasks()[:2]] == ["p01, a product", f"{name_of(2)}, a difference"]


# The command


@pytest.fixture
def puzzles(run, unit, monkeypatch):
    """Run ``minilstm puzzles`` with lines of input."""
    monkeypatch.setattr("minilstm.cli.puzzles.lessons", lambda: unit.lessons)
    monkeypatch.chdir(unit.lessons)

    def command(*arguments, lines=()):
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        status, out, error = run("puzzles", *arguments)
        assert max(map(len, out.splitlines()), default=0) <= 80
        return status, out, error

    return command


def test_the_list_shows_what_is_right_and_the_first_mistake(unit, puzzles):
    unit.path.unlink()
    status, out, error = puzzles()
    assert (status, error) == (1, "") and "(new: your copy of the puzzles)" in out and "0 of 30 right" in out
    assert all(part in out for part in PARTS) and out.rstrip().endswith("minilstm puzzles 1")
    unit.path.write_text(unit.text().replace("p01 = ...", "p01 = dy * b").replace("p05 = ...", "p05 = y"), encoding="utf-8")
    status, out, _ = puzzles()
    assert status == 1 and re.search(r"^ +1  a product +right$", out, re.MULTILINE) and "1 of 30 right" in out
    assert re.search(r"^ +5  exp +wrong$", out, re.MULTILINE) and "Given dy: what is da?" in out
    assert "y is dy/da; by the chain rule" in out and "minilstm puzzles 2" in out
    unit.path.write_text(solved(unit).replace("p01 = dy * b", "p01 = b * dy"), encoding="utf-8")
    status, out, _ = puzzles()
    assert status == 1 and "5  exp" in out  # p05 was answered before
    unit.reset()
    unit.path.write_text(solved(unit), encoding="utf-8")
    status, out, _ = puzzles()
    assert status == 0 and "30 of 30 right" in out and unit.achieved in out
    assert Progress(unit.path.parent).state(unit).done


def test_answers_are_read_line_by_line_and_right_ones_saved(unit, puzzles):
    lines = ["b", "dy @ W", "dy*b", "skip", "", "hint", "hint", "solution", "da = 2*a*dy", "quit"]
    status, out, error = puzzles("1", lines=lines)
    assert (status, error) == (0, "")
    assert out.count("(hint gives a hint)") == 1
    assert "da = b\n" in out and "b is dy/da" in out and "there is no W here" in out and "   right\n" in out
    assert "a a: a product that uses a twice" in out and "The solution is made of a, dy." in out and "2 * a * dy" in out
    assert "\nNumber by number\n" in out and "2 of 30 right" in out and "5. exp" in out and "6. tanh" not in out
    assert [k for k, state in enumerate(states(unit), start=1) if state == "right"] == [1, 4]
    assert str(Progress(unit.path.parent).state(unit)) == "2 of 30"
    assert "p04 = 2*a*dy\n" in unit.text()


def test_ctrl_c_ends_the_session_as_quit_does(unit, puzzles, monkeypatch):
    answers = iter(["dy * b", KeyboardInterrupt])

    def typing(prompt):
        answer = next(answers)
        if answer is KeyboardInterrupt:
            raise answer
        return answer

    monkeypatch.setattr("minilstm.cli.puzzles.input", typing, raising=False)
    terminal = SimpleNamespace(isatty=lambda: True)
    monkeypatch.setattr("minilstm.cli.puzzles.sys", SimpleNamespace(stdin=terminal))
    status, out, error = puzzles("1")
    assert (status, error) == (0, "") and "1 of 30 right" in out and "2. a difference" in out
    assert str(Progress(unit.path.parent).state(unit)) == "1 of 30"


def test_the_session_goes_on_behind_what_is_right_and_ends_with_the_input(unit, puzzles):
    unit.save(2, "-dy")
    status, out, _ = puzzles("1", lines=["dy*b"])
    assert status == 0 and "2. a difference" not in out and "3. used twice" in out
    assert puzzles("3", lines=["dy"])[0] == 1  # it was not answered
    assert puzzles("3", lines=[])[0] == 1
    unit.path.write_text(solved(unit).replace(unit.solution("p30"), "p30 = ..."), encoding="utf-8")
    unit.save(1, "b * dy")
    status, out, _ = puzzles("30", lines=[PUZZLES[29].solution])
    assert status == 0 and unit.achieved in out
    status, out, _ = puzzles("1", lines=["dy * b"])  # again, which changes nothing
    assert status == 0 and "p01 = b * dy" in unit.text()


def test_help_with_a_puzzle_is_printed_step_by_step(puzzles):
    assert puzzles("7", "--hint")[1].startswith("Hint 1: Like tanh") and "Hint 2" not in puzzles("7", "--hint")[1]
    assert "Hint 2: The solution is made of dy, y." in puzzles("7", "--hint", "--hint")[1]
    assert puzzles("7", "--solution") == (0, "p07 = dy * y * (1 - y)\n", "")


def test_reset_keeps_what_was_written(unit, puzzles):
    unit.save(1, "dy * b")
    status, out, _ = puzzles("--reset")
    assert status == 0 and "puzzles.1.py" in out and states(unit) == ["not answered"] * 30
    assert "p01 = dy * b" in (unit.path.parent / "puzzles.1.py").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["31"], ["no puzzle 31", "1 to 30"]),
        (["--hint"], ["minilstm puzzles 7 --hint"]),
        (["--solution"], ["minilstm puzzles 7 --hint"]),
        (["7", "--reset"], ["leave out the number"]),
    ],
)
def test_wrong_arguments_are_refused(puzzles, arguments, words):
    refused(puzzles(*arguments), 2, *words)


def test_a_file_that_is_not_utf8_is_refused(unit, puzzles):
    unit.path.write_bytes(b"p01 = dy * b  # \xff\n")
    refused(puzzles(), 2, "UTF-8")
