"""Lines, curves and bar on one screen."""

import errno
import io
import sys

import pytest

from minilstm.cli.screen import Screen
from minilstm.training.callbacks import StopOnSignal
from tests.helpers.terminal import screen


class Terminal(io.StringIO):
    size = (80, 40)
    failure = None

    def write(self, text):
        if self.failure is not None:
            raise OSError(self.failure, "failed")
        return super().write(text)


def opened(monkeypatch):
    """A terminal as standard output.

    Call it in the test itself: pytest sets its own output again after fixtures.
    """
    made = Terminal()
    monkeypatch.setattr(sys, "stdout", made)
    monkeypatch.setattr(Screen, "size", lambda self: made.size)
    return made


def test_a_block_is_replaced_and_lines_are_printed_above_it(monkeypatch):
    terminal = opened(monkeypatch)
    say = Screen(StopOnSignal())
    say("first")
    say.put("one\ntwo\nthree")
    say("second\nthird")
    assert screen(terminal.getvalue()) == ["first", "second", "third", "one", "two", "three", ""]
    say.put("four")
    say("fourth")
    assert screen(terminal.getvalue()) == ["first", "second", "third", "fourth", "four", ""]
    say.put("")
    say("fifth")
    assert screen(terminal.getvalue()) == ["first", "second", "third", "fourth", "fifth", ""]


def test_a_block_that_is_released_stays(monkeypatch):
    terminal = opened(monkeypatch)
    say = Screen(StopOnSignal())
    say.put("one\ntwo")
    say.let_be()
    say("last")
    assert screen(terminal.getvalue()) == ["one", "two", "last", ""]


def test_in_a_terminal_that_became_narrower_nothing_is_erased(monkeypatch):
    terminal = opened(monkeypatch)
    say = Screen(StopOnSignal())
    say("line")
    say.put("wide")
    terminal.size = (60, 40)
    say.put("narrow")
    assert screen(terminal.getvalue()) == ["line", "wide", "narrow", ""]
    terminal.size = (200, 40)
    say.put("wide again")
    assert screen(terminal.getvalue()) == ["line", "wide", "wide again", ""]


@pytest.mark.parametrize("number", [errno.EPIPE, errno.EIO])
def test_when_the_terminal_is_closed_the_run_stops_without_further_errors(monkeypatch, number):
    terminal = opened(monkeypatch)
    interrupt = StopOnSignal()
    say = Screen(interrupt)
    say.put("curves")
    assert not interrupt.received
    terminal.failure = number
    say("unheard")
    assert interrupt.received
    say("unheard")
    sys.stdout.close()  # where it writes by now


def test_another_failure_of_the_output_is_not_hidden(monkeypatch):
    terminal = opened(monkeypatch)
    say = Screen(StopOnSignal())
    terminal.failure = errno.ENOSPC
    with pytest.raises(OSError, match="failed"):
        say("lost")
