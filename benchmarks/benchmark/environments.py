"""Where peers live: a virtual environment for each, made when it is missing.

An environment is whole once ``requirements.txt`` in it says what it was made from; one that was interrupted, or made from other
requirements, is made anew.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).parent / "requirements"
MODULES = {"torch": "torch", "keras": "keras, tensorflow", "jax": "jax, optax"}


class Absent(Exception):
    """Why a peer does not take part."""


def default_folder() -> Path:
    """Under the user's cache directory."""
    if os.name == "nt":
        caches = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    else:
        caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return caches / "minilstm-benchmarks"


def run(*command: str | Path) -> None:
    """A command that must succeed; Absent with its last line otherwise."""
    try:
        subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)
    except OSError as error:
        raise Absent(f"{command[0]} cannot be run ({error.strerror})") from error
    except subprocess.CalledProcessError as error:
        last = (error.stderr or error.stdout).strip().splitlines()[-1:] or [f"status {error.returncode}"]
        raise Absent(f"{' '.join(map(str, command[1:4]))}: {last[0]}") from error


def interpreter(peer: str, folder: Path, given: str | None = None) -> str:
    """The Python that has the peer: the one given, or one made for it; Absent says why there is none."""
    if given is not None:
        run(given, "-c", f"import {MODULES[peer]}")
        return given
    requirements = REQUIREMENTS / f"{peer}.txt"
    place = folder / peer
    python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = place / "requirements.txt"
    if not stamp.exists() or stamp.read_text() != requirements.read_text():
        print(f"making an environment for {peer} in {place}", file=sys.stderr, flush=True)
        run(sys.executable, "-m", "venv", "--clear", place)
        run(python, "-m", "pip", "install", "--quiet", "-r", requirements)
        stamp.write_text(requirements.read_text())
    run(python, "-c", f"import {MODULES[peer]}")
    return str(python)
