"""A virtual environment for each peer, made when it is missing.

When an environment is complete, its ``requirements.txt`` says what it was made from. It
is made again if it is incomplete, or if the requirements have changed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).parent / "requirements"
MODULES = {"torch": "torch", "keras": "keras, tensorflow", "jax": "jax, optax"}


class Absent(Exception):
    """A peer cannot be measured; the message says why."""


def default_folder() -> Path:
    """``minilstm-benchmarks`` in the user's cache directory."""
    if os.name == "nt":
        caches = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    else:
        caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return caches / "minilstm-benchmarks"


def run(*command: str | Path) -> None:
    """Run a command; raises Absent with its last line if it fails."""
    try:
        subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)
    except OSError as error:
        raise Absent(f"{command[0]} cannot be run ({error.strerror})") from error
    except subprocess.CalledProcessError as error:
        last = (error.stderr or error.stdout).strip().splitlines()[-1:] or [f"status {error.returncode}"]
        raise Absent(f"{' '.join(map(str, command[1:4]))}: {last[0]}") from error


def interpreter(peer: str, folder: Path, given: str | None = None) -> str:
    """The Python that has the peer: the given one, or one made for it.

    Raises Absent if there is none.
    """
    if given is not None:
        run(given, "-c", f"import {MODULES[peer]}")
        return given
    requirements = REQUIREMENTS / f"{peer}.txt"
    home = folder / peer
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    made_from = home / "requirements.txt"
    if not made_from.exists() or made_from.read_text() != requirements.read_text():
        print(f"making an environment for {peer} in {home}", file=sys.stderr, flush=True)
        run(sys.executable, "-m", "venv", "--clear", home)
        run(python, "-m", "pip", "install", "--quiet", "-r", requirements)
        made_from.write_text(requirements.read_text())
    run(python, "-c", f"import {MODULES[peer]}")
    return str(python)
