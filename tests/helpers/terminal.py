"""A terminal for tests: runs programs in one, and shows its final screen."""

import contextlib
import os
import re
import struct
import subprocess
import threading

CONTROLS = re.compile(r"\x1b\[(\d*)([A-Za-z])|\x1b\[([\d;]*)m|([\r\n])")


def screen(text):
    """The lines of a screen of any height.

    Understands characters, \\r, \\n, cursor up, and erase to the end of the screen.
    """
    lines, row, column, place = [""], 0, 0, 0

    def write(characters):
        nonlocal column
        lines[row] = lines[row].ljust(column)[:column] + characters + lines[row][column + len(characters):]
        column += len(characters)

    for control in CONTROLS.finditer(text):
        write(text[place : control.start()])
        place = control.end()
        count, letter, end = control[1], control[2], control[4]
        if end == "\r":
            column = 0
        elif end == "\n":
            row, column = row + 1, 0
            lines.extend([""] * (row + 1 - len(lines)))
        elif letter == "A":
            assert row - int(count or 1) >= 0, "the cursor went above all lines"
            row -= int(count or 1)
        elif letter == "J":
            lines[row:] = [lines[row][:column]]
    write(text[place:])
    return [line.rstrip() for line in lines]


def open_terminal(columns, rows):
    """A pseudo-terminal of this size: its reading end, and the end for a program."""
    import fcntl
    import pty
    import termios

    master, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))
    return master, terminal


def read_all(master):
    """Everything that is written to the terminal, until its other end is closed."""
    shown = b""
    while True:
        try:
            shown += os.read(master, 65536)
        except OSError:  # on Linux: the other end was closed
            break
    os.close(master)
    return shown


def run_in_terminal(command, columns, rows, **environment):
    """The exit status and all output of a program in a pseudo-terminal of this size."""
    master, terminal = open_terminal(columns, rows)
    known = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "TERM")}
    known |= {"PYTHONIOENCODING": "utf-8", **environment}
    process = subprocess.Popen(command, stdout=terminal, stderr=terminal, env=known)
    os.close(terminal)
    shown = read_all(master)
    return process.wait(), shown.decode()


def call_in_terminal(function, columns, rows, encoding="utf-8"):
    """The result of a function, and all its output to a pseudo-terminal."""
    master, terminal = open_terminal(columns, rows)
    shown = []
    reader = threading.Thread(target=lambda: shown.append(read_all(master)))
    reader.start()
    try:
        with (
            open(terminal, "w", encoding=encoding) as out, open(os.dup(terminal), "w", encoding=encoding) as err,
            contextlib.redirect_stdout(out), contextlib.redirect_stderr(err),
        ):
            result = function()
    finally:
        reader.join()
    return result, shown[0].decode()
