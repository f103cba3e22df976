"""A terminal for tests: a program that runs in one, and what stands on a screen after everything was written to it."""

import os
import re
import struct
import subprocess

CONTROLS = re.compile(r"\x1b\[(\d*)([A-Za-z])|\x1b\[([\d;]*)m|([\r\n])")


def screen(text):
    """The lines of a screen of any height, from symbols, \\r, \\n, cursor up and erase to the end."""
    lines, row, column, place = [""], 0, 0, 0

    def write(symbols):
        nonlocal column
        lines[row] = lines[row].ljust(column)[:column] + symbols + lines[row][column + len(symbols):]
        column += len(symbols)

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


def run_in_terminal(command, columns, rows, **environment):
    """Exit status, and all that a program wrote to a pseudo-terminal of this size."""
    import fcntl
    import pty
    import termios

    master, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))
    known = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "TERM")}
    known |= {"PYTHONIOENCODING": "utf-8", **environment}
    process = subprocess.Popen(command, stdout=terminal, stderr=terminal, env=known)
    os.close(terminal)
    shown = b""
    while True:
        try:
            shown += os.read(master, 65536)
        except OSError:  # the other end was closed: Linux says it so
            break
    os.close(master)
    return process.wait(), shown.decode()
