"""``minilstm learn``: the list, watch mode, commands for scripts; nothing is lost."""

import io
import json
import os

import pytest

from minilstm.cli import course_text
from minilstm.cli.course_text import Style
from minilstm.cli.watch import SavedFile, Watch
from minilstm.course.folder import numbered
from minilstm.course.grader import Grading
from minilstm.course.plan import Plan
from tests.helpers.commands import refused
from tests.helpers.course import WRONG, DirectGrader, Script, Session, mine, small_course, solve
from tests.helpers.terminal import screen


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A folder with exercises 2 and 3 as the current one; returns its ``lessons/``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("minilstm.cli.learn.Grader", DirectGrader)
    monkeypatch.setattr("minilstm.cli.watch.Grader", DirectGrader)
    monkeypatch.setattr("minilstm.cli.watch.POLL", 0)
    DirectGrader.graded = []
    return small_course(tmp_path)


@pytest.fixture
def learn(course, monkeypatch, capsys):
    """Run watch mode with these keys and saves; returns the status and the output."""

    def session(*steps, begin=None):
        monkeypatch.setattr("minilstm.cli.watch.Keys", lambda: Script(*steps))
        plan = Plan(course)
        unit = plan.following() if begin is None else next(u for u in plan.units if u.name == begin)
        status = Watch(plan, Style()).run(unit)
        return status, capsys.readouterr().out

    return session


def progress(course):
    return json.loads((course / "my" / "progress.json").read_text(encoding="utf-8"))


# The list


def test_without_a_terminal_the_list_is_printed_and_what_comes_next(run, course):
    status, out, error = run("learn")
    assert (status, error) == (0, "") and not (course / "my").exists() and DirectGrader.graded == []
    lines = out.splitlines()
    assert lines[0] == "  ▸  2. One step of an LSTM" and lines[1] == "     3. One step backward"
    assert "0 of 2 done. Next: 2. One step of an LSTM" in lines
    assert "  read      lessons/02_one_step.py" in lines and "  fill in   lessons/my/02_one_step.py" in lines
    assert run("learn", "--list")[1] == out


def test_the_list_shows_what_is_done_partly_done_begun_and_edited(run, course):
    solve(course, 2)
    assert run("learn")[1].splitlines()[0].split() == "▸ 2. One step of an LSTM begun".split()
    assert run("learn", "--once")[0] == 0
    assert run("learn")[1].splitlines()[0].split() == "✓ 2. One step of an LSTM done".split()
    solve(course, 3, *WRONG[3])
    assert run("learn", "3", "--once")[0] == 1
    assert run("learn")[1].splitlines()[1].split() == "▸ 3. One step backward 1 of 3".split()
    mine(course, 2).write_text("# gone\n", encoding="utf-8")
    assert "done, edited since" in run("learn")[1].splitlines()[0]
    solve(course, 2)
    mine(course, 2).write_text("# a remark\n" + mine(course, 2).read_text(encoding="utf-8"), encoding="utf-8")
    assert "edited" not in run("learn")[1]
    assert max(map(len, run("learn")[1].splitlines())) <= 80


def test_an_output_without_the_marks_gets_plain_ones(course, monkeypatch):
    assert Style().mark("✓") == "✓"
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert [Style().mark(mark) for mark in ("✓", "✗", "…", "▸", "")] == ["+", "x", ".", ">", " "]


def test_when_all_is_done_the_list_says_so_and_nothing_is_graded(run, course):
    for number in (2, 3):
        solve(course, number)
        assert run("learn", number, "--once")[0] == 0
    DirectGrader.graded.clear()
    assert run("learn")[1].splitlines()[-1] == "All 2 are done."
    refused(run("learn", "--once"), 2, "all is done", "learn 3 --once")
    assert DirectGrader.graded == []


# Watch mode


def test_a_session_from_a_blank_file_to_the_next_exercise(learn, course):
    status, out = learn(lambda: solve(course, 2, *WRONG[2]), lambda: solve(course, 2))
    assert status == 0 and DirectGrader.graded == ["2", "2", "2", "3"]
    begun, wrong, right, following = out.split("-" * 80)
    assert "fill in   lessons/my/02_one_step.py (new)" in begun and "1. gates: not answered" in begun
    assert "✓ 1. gates\n" in wrong and "✗ 2. lstm_step: wrong" in wrong and "output tanh left out" in wrong
    assert "remembering_bias" not in wrong  # the first thing that is wrong, and no more
    assert right.count("✓") == 3 and "You can now compute the six equations by hand." in right
    assert "Next: 3. One step backward" in following and "1 of 2 done" in following.splitlines()[1]
    assert "read      lessons/03_one_step_backward.py" in following and "1. cell_state_gradient: not answered" in following
    assert mine(course, 3).read_bytes() == numbered(course / "exercises")[3].read_bytes()
    assert progress(course)["2"]["done"] and progress(course)["3"] == {"right": 0, "of": 3}
    assert max(map(len, out.splitlines())) <= 80


def test_what_is_done_is_not_graded_again_until_it_is_saved(learn, course):
    solve(course, 2)
    assert learn()[0] == 0 and DirectGrader.graded == ["2", "3"]
    _, out = learn(begin="2")
    assert DirectGrader.graded == [] and "done; graded again when you save it" in out
    _, out = learn(lambda: solve(course, 2, *WRONG[2]), begin="2")
    assert DirectGrader.graded == ["2"] and "output tanh left out" in out
    assert progress(course)["2"]["done"]  # what was done stays done
    assert "done, edited since" in learn(begin="2")[1]


def test_the_end_of_the_last_one_ends_the_session(learn, course):
    solve(course, 2)
    solve(course, 3)
    status, out = learn()
    assert status == 0 and "All 2 are done." in out and "goes on" not in out
    assert DirectGrader.graded == ["2", "3"]


def test_hints_come_one_by_one_for_the_first_task_that_is_not_right(learn, course):
    _, out = learn("h", "h", "h")
    assert out.count("1. gates\n") == 2 and out.count("Hint 1:") == out.count("Hint 2:") == 2  # then both again
    assert out.index("Hint 1:") < out.index("Hint 2:") < out.rindex("Hint 1:") and out.count("no other hint") == 2
    _, out = learn("h", lambda: solve(course, 2, "return sigmoid(zi)", "return np.tanh(zi)"), "h")
    assert "1. gates: wrong" in out and out.split("-" * 80)[1].count("Hint") == 2  # a save clears the screen
    _, out = learn(lambda: solve(course, 2, *WRONG[2]), "h")
    assert "2. lstm_step\n   Hint 1" in out


def test_a_solution_is_shown_only_after_a_question(learn, course):
    answer = "return sigmoid(zi), sigmoid(zf), np.tanh(zg), sigmoid(zo)"
    for keys, count in ((["s"], 0), (["s", "n"], 0), (["s", "y"], 1), (["y"], 0)):
        _, out = learn(*keys)
        assert out.count(answer) == count and ("Show the solution of gates?" in out) == ("s" in keys)


def test_after_success_the_solution_is_shown_to_compare(learn, course):
    _, out = learn(lambda: solve(course, 2), "s", "s")
    answer = "return sigmoid(zi), sigmoid(zf), np.tanh(zg), sigmoid(zo)"
    assert out.count(answer) == 1 and "Show the solution of cell_state_gradient?" in out  # then of the next one
    assert learn("s", begin="2")[1].count(answer) == 1


def test_a_reset_asks_keeps_the_old_file_and_stays_on_the_screen(learn, course):
    blank = numbered(course / "exercises")[2].read_bytes()
    solve(course, 2, *WRONG[2])
    written = mine(course, 2).read_bytes()
    _, out = learn("r", "n")
    assert "Left as it is." in out and mine(course, 2).read_bytes() == written
    _, out = learn("r", "y")
    assert mine(course, 2).read_bytes() == blank
    assert (course / "my" / "02_one_step.1.py").read_bytes() == written
    assert "kept in lessons/my/02_one_step.1.py" in out and "-" * 80 not in out.split("kept in")[1]
    assert "1. gates: not answered" in out.split("kept in")[1]


def test_next_skips_and_comes_back(learn, course):
    _, out = learn("n", "n", "l")
    assert DirectGrader.graded == ["2", "3", "2"] and "▸  2. One step of an LSTM" in out
    solve(course, 3)
    learn("n")
    assert DirectGrader.graded == ["2", "3", "2"]  # 3 is right, and the one that was left out follows
    assert "no other" in learn("n")[1]


def test_a_terminal_shows_the_keys_once_below_all_else(course, monkeypatch, capsys):
    style = Style()
    style.moves = True
    monkeypatch.setattr("minilstm.cli.watch.Keys", lambda: Script("h", "l", "x", "s", "n", "h", "h"))
    assert Watch(Plan(course), style).run(Plan(course).units[0]) == 0
    out = capsys.readouterr().out
    assert out.count("q quit") == 6  # after the first report, h, l, s and n, h, h; x changes nothing
    before_the_end, _, end = out.rpartition("q quit")
    shown = screen(before_the_end + "q quit")
    assert [line for line in shown if "q quit" in line] == [shown[-1]] and "\n\n\n" not in "\n".join(shown)
    assert not any("q quit" in line for line in screen(out)) and "goes on" in end


def test_while_a_task_runs_the_keys_wait_for_its_report(learn, course, monkeypatch):
    class Slow(DirectGrader):
        def grade(self, unit):
            return Grading(unit)

    monkeypatch.setattr("minilstm.cli.watch.Grader", Slow)
    _, out = learn("l", "h", "s")
    assert "▸  2. One step of an LSTM" in out and out.count("It is being graded") == 2 and "q quit" not in out


def test_questions_fit_in_80_columns(learn, course):
    _, out = learn("r", "x", begin="3")
    assert "Begin lessons/my/03_one_step_backward.py again?" in out and "any other key: no" in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("place", range(6))
def test_a_list_that_is_too_long_is_cut_around_what_comes_next(place):
    lines = list("abcdef")
    assert course_text.around(lines, place, 6) == course_text.around(lines, place, 99) == lines
    for count in (-3, 1, 2, 3, 5):
        *kept, remark = course_text.around(lines, place, count)
        assert lines[place] in kept and len(kept) == max(count - 1, 1) and "".join(kept) in "abcdef"
        assert remark.strip() == "(l shows all)"


def test_what_the_code_prints_is_shown_without_its_control_characters(course, monkeypatch):
    solve(course, 2)
    grading = DirectGrader(course).grade(Plan(course).units[0])
    grading.note(printed="z = 1\x1b[2J\n" + "line\n" * 30)
    shown = "\n".join(course_text.report(grading, Style()))
    assert "  | z = 1\\x1b[2J\n" in shown and shown.count("| line") == 11 and "and 19 lines more" in shown


def test_many_right_tasks_are_counted(course):
    solve(course, 2)
    grading = DirectGrader(course).grade(Plan(course).units[0])
    grading.note(names=[f"p{k}" for k in range(9)], results=[("right", "a")] * 8 + [("wrong", "b")])
    assert course_text.report(grading, Style()) == ["  ✓ 1 to 8: right", "  ✗ 9. p8: wrong", "       b"]


@pytest.mark.parametrize("editor", ["writes", "writes twice", "replaces", "deletes first"])
def test_one_save_of_any_editor_is_noticed_once(tmp_path, editor):
    path = tmp_path / "a.py"
    path.write_text("a = 1\n", encoding="utf-8")
    file, seen = SavedFile(path), []
    look = lambda times: seen.extend(file.was_saved() for _ in range(times))
    look(5)
    assert not any(seen)
    if editor == "deletes first":
        path.unlink()
        look(5)
    if editor == "writes twice":
        path.write_bytes(b"")
        look(5)
        path.write_bytes(b"a =")
        look(1)
    if editor == "replaces":
        (tmp_path / "new").write_text("a = 2\n", encoding="utf-8")
        os.replace(tmp_path / "new", path)
    else:
        path.write_text("a = 22\n", encoding="utf-8")
    look(5)
    assert seen.count(True) == 1
    os.utime(path, (1, 1))  # saved again, unchanged
    look(5)
    assert seen.count(True) == 2


def test_what_needs_others_waits_for_them(run, learn, course, monkeypatch):
    from minilstm.course.units import ExerciseUnit

    two = [ExerciseUnit(2, course, needs=("3",)), ExerciseUnit(3, course)]
    for module in ("plan", "units"):
        monkeypatch.setattr(f"minilstm.course.{module}.units", lambda lessons: two)
    first, second = run("learn")[1].splitlines()[:2]
    assert first.split() == "2. One step of an LSTM after 3".split() and second == "  ▸  3. One step backward"
    refused(run("learn", "2", "--once"), 2, "2. One step of an LSTM comes after 3")
    _, out = learn(lambda: solve(course, 3))
    assert "Next: 2. One step of an LSTM" in out


# Commands for scripts


def test_grading_once_shows_the_first_thing_that_is_wrong(run, course):
    status, out, error = run("learn", "--once")
    assert (status, error) == (1, "") and "1. gates: not answered" in out and mine(course, 2).is_file()
    solve(course, 2, *WRONG[2])
    status, out, _ = run("learn", "2", "--once")
    assert status == 1 and "output tanh left out" in out and "remembering_bias" not in out
    solve(course, 2)
    assert run("learn", "02", "--once")[0] == 0


def test_a_file_that_is_no_python_keeps_what_was_right(run, course):
    solve(course, 3, *WRONG[3])
    run("learn", "3", "--once")

    class Failing(DirectGrader):
        def grade(self, unit):
            grading = super().grade(unit)
            grading.note(results=[], problem=f"line 3 of {unit.path.resolve()} is not Python")
            return grading

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("minilstm.cli.learn.Grader", Failing)
        status, out, _ = run("learn", "3", "--once")
        refused(run("learn", "3", "--hint"), 2, "is not Python")
    assert status == 1 and "line 3 of lessons/my/03_one_step_backward.py is not Python" in " ".join(out.split())
    assert progress(course)["3"] == {"right": 1, "of": 3}


def test_hint_solution_and_reset_are_options_too(run, course):
    assert run("learn", "2", "--hint")[1].count("Hint") == 1
    assert run("learn", "2", "--hint", "--hint")[1].count("Hint") == 2
    solve(course, 2, *WRONG[2])
    assert run("learn", "2", "--solution")[1].startswith("def lstm_step(")
    assert "kept in lessons/my/02_one_step.1.py" in run("learn", "2", "--reset")[1]
    assert run("learn", "2", "--reset")[1] == "lessons/my/02_one_step.py is blank.\n"
    solve(course, 2)
    assert "All tasks of 2. One step of an LSTM are right." in run("learn", "2", "--hint")[1]
    assert run("learn", "2", "--solution")[1].count("def ") == 3


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["99"], ["there is no exercise 99", "2, 3"]),
        (["x", "--list"], ["there is no exercise x"]),
        (["2", "--copy", "there"], ["leave out the number"]),
    ],
)
def test_wrong_arguments_are_refused_in_a_sentence(run, course, arguments, words):
    refused(run("learn", *arguments), 2, *words)
    assert not (course / "my").exists()


def test_an_exercise_that_is_graded_by_its_own_command_is_done_too(run, course):
    solve(course, 2)
    assert run("exercise", "2")[0] == 0
    assert progress(course)["2"]["done"] and "✓  2." in run("learn")[1]


# The file of progress


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"2": 1}', b'{"2": {"right": "3", "of": 3}}', b"\xff"])
def test_a_damaged_file_of_progress_is_kept_and_begun_again(run, course, content):
    solve(course, 2)
    path = course / "my" / "progress.json"
    path.write_bytes(content)
    status, out, _ = run("learn")
    assert status == 0 and "was damaged; it is kept in lessons/my/progress.1.json" in " ".join(out.split())
    assert (course / "my" / "progress.1.json").read_bytes() == content
    assert run("learn", "--once")[0] == 0 and list(progress(course)) == ["2"]
    assert "damaged" not in run("learn")[1]


def test_progress_of_another_window_is_not_overwritten(course):
    one, other = Plan(course), Plan(course)
    solve(course, 2)
    one.progress.record(one.units[0], 3, 3)
    solve(course, 3)
    other.progress.record(other.units[1], 3, 3)
    assert list(progress(course)) == ["2", "3"]


# In a real terminal


@pytest.fixture
def session(tmp_path):
    pytest.importorskip("pty")
    sessions = []

    def begin(*arguments, **environment):
        sessions.append(Session(tmp_path, *arguments, **environment))
        return sessions[-1]

    small_course(tmp_path)
    yield begin
    for one in sessions:
        one.kill()


def test_in_a_terminal_saving_leads_from_wrong_to_right_to_the_next(session, tmp_path):
    course, terminal = tmp_path / "lessons", session()
    terminal.until("▸  2. One step of an LSTM", "02_one_step.py (new)", "1. gates: not answered", "q quit")
    solve(course, 2, *WRONG[2])
    terminal.until("output tanh left out", "q quit")
    terminal.press("h")
    terminal.until("2. lstm_step", "Hint 1")
    solve(course, 2)
    terminal.until("is done. You can now", "Next: 3. One step backward", "1. cell_state_gradient: not answered", "q quit")
    terminal.press("\x03")
    status, shown = terminal.end()
    assert status == 0 and shown.strip("^C\n") == "Your files and your progress are saved; minilstm learn goes on."


@pytest.mark.thorough
def test_in_a_terminal_a_loop_shows_its_line_while_it_runs_and_a_save_ends_it(session, tmp_path):
    solve(tmp_path / "lessons", 3, "    return dc_next", "    while True: dh = dh + 1\n    return dc_next")
    terminal = session("3")
    terminal.until("cell_state_gradient runs", "now in line 7", "stopped at 30 s")
    solve(tmp_path / "lessons", 3)
    terminal.until("3. One step backward is done.")
    terminal.press("q")
    assert terminal.end()[0] == 0


@pytest.mark.thorough
def test_a_terminal_without_colours_and_cursor_gets_neither(session, tmp_path):
    terminal = session(TERM="dumb", PYTHONIOENCODING="ascii")
    terminal.until("q quit")
    solve(tmp_path / "lessons", 2)
    terminal.until("-" * 80, "is done.", "q quit")
    assert "\x1b" not in terminal.all and "+ 1. gates" in terminal.all
    terminal.press("q")
    assert terminal.end()[0] == 0
