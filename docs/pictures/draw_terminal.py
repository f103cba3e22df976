"""Draw a session of ``minilstm learn``, for docs/learn.md.

    python docs/pictures/draw_terminal.py [FOLDER]

The program runs in a pseudo-terminal of 80 columns, in a folder of its own with a copy
of the lessons. This script saves answers there and presses keys, as a learner does.
pyte keeps the screen, and matplotlib draws it. Each PNG has the text of its screen in
the chunk ``Description``; a test runs the session again and compares. Needs Linux or
macOS, and a minute.
"""

from __future__ import annotations

import os
import select
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

try:
    import pyte
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.colors import to_rgb
    from matplotlib.figure import Figure
    from PIL import Image, PngImagePlugin
except ImportError as error:
    raise SystemExit(f"{error.name} is missing: python -m pip install pyte matplotlib") from None

from minilstm import __version__
from minilstm.course.folder import numbered
from minilstm.course.pictures import code_hash
from minilstm.files import replacing

COLUMNS, ROWS = 80, 30
KEYS = "q quit"  # the end of the line of keys, when the program waits
WAIT = 120  # seconds; then something is wrong
DIM = (b"\x1b[2m", b"\x1b[90m")  # pyte knows no dim text, but a dark grey

SHADES = 10  # of each colour of text, from the background on; this keeps the files small
BACKGROUND, TEXT = "#16181d", "#d8dbe2"
COLOURS = {"green": "#5fcf65", "red": "#ff6b68", "brown": "#e8b339", "cyan": "#4fc1d9", "brightblack": "#868b96"}
SIZE, ADVANCE, LEADING = 9, 0.602, 1.4  # points; a character's width and a line's height, in sizes
MARGIN = 1  # characters, at the left and the right; half of it above and below

SLIP = ("df = dc * c_prev", "df = dc * f")  # in exercise 3
LOOP = ("for t in reversed(range(T)):", "t = T - 1\n    while t >= 0:")  # in exercise 5, and no t -= 1


class Terminal:
    """A program in a pseudo-terminal, and what its screen shows."""

    def __init__(self, folder: Path, *command: str):
        import fcntl
        import pty
        import termios

        self.screen = pyte.Screen(COLUMNS, ROWS)
        self.stream = pyte.ByteStream(self.screen)
        self.stream.feed(f"$ {' '.join(command)}\r\n".encode())
        self.master, end = pty.openpty()
        fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("4H", ROWS, COLUMNS, 0, 0))
        known = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=folder, stdin=end, stdout=end, stderr=end, start_new_session=True,
            env=known | {"TERM": "xterm", "PYTHONIOENCODING": "utf-8"},
        )  # fmt: skip
        os.close(end)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.press("q")
        self.process.wait(WAIT)
        os.close(self.master)

    def press(self, key: str) -> None:
        os.write(self.master, key.encode())

    def until(self, *words: str) -> Terminal:
        """Read until all these words are on the screen."""
        begun = time.monotonic()
        while not all(word in self.text() for word in words):
            if time.monotonic() - begun > WAIT or self.process.poll() not in (None, 0):
                raise SystemExit(f"{words} did not appear:\n{self.text()}")
            if select.select([self.master], [], [], 0.1)[0]:
                self.stream.feed(os.read(self.master, 65536).replace(*DIM))
        return self

    def text(self) -> str:
        """The lines of the screen."""
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()


def draw(terminal: Terminal, path: Path) -> None:
    """Write the screen as a PNG, without the empty lines at its end."""
    text = terminal.text()
    rows = text.count("\n") + 1
    width, height = COLUMNS + 2 * MARGIN, rows + MARGIN  # in characters and lines
    figure = Figure((width * SIZE * ADVANCE / 72, height * SIZE * LEADING / 72), dpi=120, facecolor=BACKGROUND)
    for row in range(rows):
        line = terminal.screen.buffer[row]
        for column in range(COLUMNS):
            character = line[column]
            if character.data.strip():
                figure.text(
                    (MARGIN + column + 0.5) / width, 1 - (row + (1 + MARGIN) / 2) / height, character.data,
                    color=COLOURS.get(character.fg, TEXT), weight="bold" if character.bold else "normal",
                    family="DejaVu Sans Mono", size=SIZE, ha="center", va="center_baseline",
                )  # fmt: skip
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB").quantize(palette=palette(), dither=0)
    with replacing(path) as file:
        image.save(file, format="png", optimize=True, pnginfo=provenance(text))
    print(path)


def palette() -> Image.Image:
    """The colours of all text, blended with the background."""
    background, *colours = (np.array(to_rgb(c)) for c in (BACKGROUND, TEXT, *COLOURS.values()))
    shades = [background + (colour - background) * s for colour in colours for s in np.linspace(0, 1, SHADES)]
    image = Image.new("P", (1, 1))
    image.putpalette((np.array(shades) * 255).round().astype(np.uint8).tobytes())
    return image


def provenance(text: str) -> PngImagePlugin.PngInfo:
    """The PNG text chunks: what is on the screen, and which code drew it."""
    chunks = PngImagePlugin.PngInfo()
    chunks.add_itxt("Description", text)
    chunks.add_text("Code", code_hash(Path(__file__).read_text(encoding="utf-8")))
    chunks.add_text("Version", __version__)
    return chunks


def save(lessons: Path, number: int, old: str = "", new: str = "") -> None:
    """Save our solution as the learner's file, with a mistake: one text is replaced."""
    source = numbered(lessons / "solutions")[number]
    text = source.read_text(encoding="utf-8")
    assert old in text
    path = lessons / "my" / source.name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text.replace(old, new, 1) if old else text, encoding="utf-8")


def session(folder: Path, pictures: Path) -> None:
    """A learner goes from the list to a mistake, a hint, and the next exercise."""

    def minilstm(*arguments: str) -> None:
        subprocess.run(
            [sys.executable, "-m", "minilstm", *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL
        )

    minilstm("learn", "--copy", "lessons")
    lessons = folder / "lessons"
    for number in (1, 2):  # done some days ago
        save(lessons, number)
        minilstm("learn", str(number), "--once")
    with Terminal(folder, "minilstm", "learn", "--list") as terminal:
        draw(terminal.until("once."), pictures / "learn-list.png")
    with Terminal(folder, "minilstm", "learn") as terminal:
        terminal.until("not answered", KEYS)
        save(lessons, 3, *SLIP)
        terminal.until("wrong", KEYS).press("h")
        draw(terminal.until("Hint 1", KEYS), pictures / "learn-mistake.png")
        save(lessons, 3)
        draw(terminal.until("is done", "Next", KEYS), pictures / "learn-next.png")
    with Terminal(folder, "minilstm", "learn", "5") as terminal:
        terminal.until("not answered", KEYS)
        save(lessons, 5, *LOOP)
        draw(terminal.until("does a loop", KEYS), pictures / "learn-loop.png")


if __name__ == "__main__":
    pictures = Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parent
    pictures.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        session(Path(folder), pictures)
