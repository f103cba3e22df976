"""An unknown option is answered with the known one that is spelled most like it."""

import pytest


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
