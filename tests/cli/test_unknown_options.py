"""An unknown option is answered with the known one that is spelled most like it."""

import pytest

from minilstm.cli.main import with_dashes
from minilstm.cli.options import parser


@pytest.mark.parametrize(
    "arguments, ending",
    [
        (["train", "x", "--windw", "5"], "unrecognized arguments: --windw 5; did you mean --window?"),
        (["train", "x", "--hiden=5", "--epoks", "2"], "--hiden=5 --epoks 2; did you mean --hidden and --epochs?"),
        (["sample", "x", "--grady"], "unrecognized arguments: --grady; did you mean --greedy?"),
        (["sample", "x", "y", "--zzz"], "unrecognized arguments: y --zzz"),
        (["--versio", "--verzion"], None),
        (["--verzion"], "unrecognized arguments: --verzion; did you mean --version?"),
    ],
)
def test_the_nearest_option_is_suggested(run, arguments, ending):
    status, out, err = run(*arguments)
    if ending is None:  # an abbreviation is an option
        assert (status, err) == (0, "") and out.startswith("minilstm ")
    else:
        assert (status, out) == (2, "") and err.splitlines()[-1].endswith(ending)


def test_an_unknown_option_shows_the_usage_of_its_command(run):
    status, _, err = run("sample", "x", "--zzz")
    assert status == 2 and err.startswith("usage: minilstm sample ") and "COMMAND" not in err


@pytest.mark.parametrize(
    "words, joined",
    [
        (["sample", "x", "--features", "-1,2"], ["sample", "x", "--features=-1,2"]),
        (["sample", "x", "--input", "-goal", "--prompt", "-a"], ["sample", "x", "--input=-goal", "--prompt=-a"]),
        (["sample", "x", "--input", "-h"], None),
        (["sample", "x", "--input", "--greedy"], None),
        (["sample", "x", "--input", "-"], None),
        (["worksheet", "--input", "-1,2"], None),
        ([], None),
    ],
)
def test_inputs_that_begin_with_a_dash_are_joined_to_their_option(words, joined):
    commands = next(a.choices for a in parser()._actions if isinstance(a.choices, dict))
    assert with_dashes(words, commands["sample"]) == (words if joined is None else joined)
