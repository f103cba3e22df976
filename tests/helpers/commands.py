"""Shared by the tests of the command line."""


def refused(result, status, *words):
    """Asserts the status and exactly one sentence on standard error; returns it."""
    assert result[0] == status, result
    assert "Traceback" not in result[2]
    for word in words:
        assert word in result[2], result[2]
    complaint = [line for line in result[2].splitlines() if line.startswith("minilstm")]
    assert len(complaint) == 1, result[2]
    return complaint[0]
