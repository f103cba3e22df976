"""Pictures of the lessons: where they are written, and which code drew them."""

import sys

import pytest
from matplotlib.figure import Figure
from PIL import Image

import minilstm
from minilstm.course import pyplot, quick, save
from minilstm.course.folder import numbered
from minilstm.course.pictures import code_hash
from tests.helpers.paths import LESSONS

SCRIPTS = numbered(LESSONS)


@pytest.mark.parametrize("number", SCRIPTS)
def test_a_committed_picture_is_from_a_full_run_of_the_current_code(number):
    lesson = SCRIPTS[number]
    with Image.open(LESSONS / "pictures" / f"{lesson.stem}.png") as picture:
        written = picture.text
    assert (written["Lesson"], written["Run"]) == (lesson.stem, "full") and written["Version"]
    assert written["Code"] == code_hash(lesson.read_text(encoding="utf-8")), (
        f"the code of the lesson has changed since its picture was drawn: run `python lessons/{lesson.name} --publish`, "
        "look at the picture, and commit it"
    )


@pytest.fixture
def typed(tmp_path, monkeypatch):
    """A function that acts as a lesson called with options, and returns its folder."""

    def type_(*options, quick=""):
        lesson = tmp_path / "lessons" / "02_one_step.py"
        lesson.parent.mkdir(exist_ok=True)
        lesson.write_text("# %% [markdown]\n# # 2. Text\n\n# %%\nprint(1)  # one\n", encoding="utf-8")
        monkeypatch.setattr(sys, "argv", [str(lesson), *options])
        monkeypatch.setattr(sys.modules["__main__"], "__file__", str(lesson), raising=False)
        monkeypatch.setattr("minilstm.course.pictures.in_notebook", lambda: False)
        monkeypatch.setenv("MINILSTM_QUICK", quick)
        return lesson.parent

    return type_


@pytest.mark.parametrize(
    "options, variable, short", [([], "", False), (["--quick"], "", True), ([], "1", True), ([], "0", False)]
)
def test_a_lesson_is_quick_on_request(typed, options, variable, short):
    typed(*options, quick=variable)
    assert quick() is short


@pytest.mark.parametrize(
    "options, variable, said",
    [
        (["--quik"], "", "--quik is none of a lesson's options"),
        (["--quick", "--publish"], "", "--publish is for a full run"),
        (["--publish"], "1", "MINILSTM_QUICK"),
    ],
)
def test_unknown_options_and_publishing_a_quick_run_are_refused_before_a_picture(typed, options, variable, said, capsys):
    typed(*options, quick=variable)
    with pytest.raises(SystemExit) as stop:
        pyplot()
    error = capsys.readouterr().err
    assert stop.value.code == 2 and said in error and error.startswith("usage: python ")


def drawn(name):
    """Save a picture, and read the text chunks of its file."""
    figure = Figure(figsize=(1, 1))
    with Image.open(save(figure, name)) as picture:
        return picture.text


@pytest.mark.parametrize("options, variable", [(["--quick"], ""), ([], "1"), ([], "")])
def test_a_committed_picture_is_replaced_only_with_publish(typed, options, variable):
    folder = typed(*options, quick=variable)
    (folder / "pictures").mkdir()
    committed = folder / "pictures" / "02_one_step.png"
    committed.write_bytes(b"of a full run")
    run = "quick" if options or variable else "full"
    assert drawn("02_one_step")["Run"] == run
    assert committed.read_bytes() == b"of a full run"
    assert (folder / "output" / ("quick" if run == "quick" else "") / "02_one_step.png").is_file()


def test_a_quick_picture_does_not_replace_one_of_a_full_run(typed):
    folder = typed()
    drawn("02_one_step")
    full = (folder / "output" / "02_one_step.png").read_bytes()
    typed("--quick")
    drawn("02_one_step")
    assert (folder / "output" / "02_one_step.png").read_bytes() == full


def test_a_published_picture_has_the_name_of_its_lesson_and_its_provenance(typed):
    folder = typed("--publish")
    written = drawn("02_one_step")
    drawn("02_one_step_detail")
    code = code_hash((folder / "02_one_step.py").read_text(encoding="utf-8"))
    expected = {"Lesson": "02_one_step", "Code": code, "Run": "full", "Version": minilstm.__version__}
    assert {key: written[key] for key in expected} == expected
    pictures = {path.relative_to(folder).as_posix() for path in folder.rglob("*.png")}
    assert pictures == {"pictures/02_one_step.png", "output/02_one_step_detail.png"}


def test_at_a_prompt_the_picture_is_in_the_current_folder_and_options_are_ignored(typed, tmp_path, monkeypatch):
    typed()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(tmp_path / "editor" / "console.py"))
    monkeypatch.setattr(sys, "argv", ["console.py", "--mode=client", "--publish"])
    assert pyplot() is not None
    assert {"Lesson", "Code"}.isdisjoint(drawn("02_one_step"))
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.png")] == ["output/02_one_step.png"]


CODE = "# %% [markdown]\n# # Text\n\n# %%\nif x:\n    print('# no comment')  # but this\n    y = 1\n"


@pytest.mark.parametrize(
    "before, after, equal",
    [
        ("# # Text", "# # Other words\n# and more of them", True),
        ("  # but this", "", True),
        ("if x:\n", "if x:  # why\n\n", True),
        ("# no comment", "# another", False),
        ("    y = 1", "y = 1", False),
        ("y = 1", "y = 2", False),
        ("'# no", "'#  no", False),
    ],
)
def test_a_hash_of_code_changes_with_the_code_only(before, after, equal):
    assert before in CODE
    assert (code_hash(CODE.replace(before, after)) == code_hash(CODE)) is equal
