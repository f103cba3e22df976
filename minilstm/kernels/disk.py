"""Compiled kernels on disk, so that only the first process has to compile them.

One file for each kernel and each combination of its arguments' types, in one folder for each state of the sources:

    <cache folder of the user>/minilstm/<stamp>/<kernel>-<key>.kernel
    stamp    of every file in this folder, since kernels call each other's helpers across files; of the versions of Python,
             NumPy, Numba, llvmlite and LLVM
    key      of the types, of the processor and its features, and of Numba's settings that change what it compiles

Without the settings in the key, what was compiled once with ``NUMBA_OPT=0``, eight times slower, would be taken by every later
run for good. A test compares ``CODE_SETTINGS`` with all settings that the installed Numba has.

A file's name says all that its content depends on, its first bytes are a checksum of the rest, and it is written elsewhere and
then moved to its place at once: whoever reads it gets the whole of what was asked for, or nothing, whatever other processes do
and wherever a disk was full. And nothing is no error: the kernel is compiled again.

Numba's own cache (``cache=True``) watches only the file of the kernel itself, lies by default inside the installed package,
where files stay behind that pip knows nothing of, and ends the program when one of its files is damaged.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import re
import secrets
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding
import numba
import numpy as np

STAMPS_KEPT = 8  # the newest; more than one, for several versions may be in use at once
STAMP = re.compile("[0-9a-f]{16}")
ENDING, UNFINISHED = ".kernel", ".unfinished"
CHECKSUM_BYTES = 32
CODE_SETTINGS = (  # names in numba.config; in some of Numba's versions there are more of them than in others
    "BOUNDSCHECK", "CPU_FEATURES", "CPU_NAME", "DEBUGINFO_DEFAULT", "DEBUG_JIT", "DEBUG_NRT", "DISABLE_INTEL_SVML",
    "ENABLE_AVX", "EXTEND_VARIABLE_LIFETIMES", "FULL_TRACEBACKS", "LLVM_REFPRUNE_FLAGS", "LLVM_REFPRUNE_PASS",
    "LOOP_VECTORIZE", "OPT", "SLP_VECTORIZE", "USE_LEGACY_TYPE_SYSTEM", "USE_RVSDG_FRONTEND", "USING_SVML",
)  # fmt: skip


class DiskCache:
    """What Numba asks of the cache of one kernel."""

    def __init__(self, name: str, folder: Path):
        self.name, self.folder = name, folder

    @property
    def cache_path(self) -> str:
        return str(self.folder)

    def load_overload(self, types, target_context) -> Any:  # pragma: no cover: coverage is measured without the compiler
        """What was compiled for these types, or None."""
        with contextlib.suppress(Exception):
            from numba.core.compiler import CompileResult

            target_context.refresh()
            content = read(self._path(types, target_context.codegen()))
            return None if content is None else CompileResult._rebuild(target_context, *pickle.loads(content))
        return None

    def save_overload(self, types, compiled) -> None:  # pragma: no cover: coverage is measured without the compiler
        with contextlib.suppress(Exception):
            from numba.core.serialize import dumps

            if not compiled.library.has_dynamic_globals:  # addresses, which mean nothing to another process
                write(self._path(types, compiled.codegen), dumps(compiled._reduce()))

    def _path(self, types, codegen) -> Path:  # pragma: no cover: coverage is measured without the compiler
        key = hashlib.sha256(repr((types, codegen.magic_tuple(), code_settings())).encode()).hexdigest()
        return self.folder / f"{self.name}-{key[:16]}{ENDING}"

    def enable(self) -> None:
        """Nothing to do; Numba may ask for it."""

    disable = flush = enable


def read(path: Path) -> bytes | None:
    """What ``write`` wrote there; None where there is nothing, or not what was written."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    checksum, content = content[:CHECKSUM_BYTES], content[CHECKSUM_BYTES:]
    return content if hashlib.sha256(content).digest() == checksum else None


def write(path: Path, content: bytes) -> None:
    """Put a file in its place, whole; nothing happens where that cannot be done."""
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(8)}{UNFINISHED}")
    with contextlib.suppress(OSError):
        if not path.parent.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            forget_old_stamps(path.parent.parent)
        try:
            unfinished.write_bytes(hashlib.sha256(content).digest() + content)
            os.replace(unfinished, path)
        finally:
            with contextlib.suppress(OSError):
                unfinished.unlink()


def forget_old_stamps(root: Path, keep: int = STAMPS_KEPT) -> None:
    """Delete the folders of all but the newest stamps, as far as they hold nothing that is not ours."""
    stamps = [folder for folder in root.iterdir() if STAMP.fullmatch(folder.name)]
    for folder in sorted(stamps, key=lambda folder: folder.stat().st_mtime, reverse=True)[keep:]:
        with contextlib.suppress(OSError):  # somebody else deletes them too
            for path in folder.iterdir():
                if path.suffix in (ENDING, UNFINISHED):
                    path.unlink()
            folder.rmdir()


def code_settings() -> tuple[str, ...]:
    """Numba's settings that change what it compiles, as they are now, for a program may set them as it runs."""
    return tuple(f"{name} = {getattr(numba.config, name, None)!r}" for name in CODE_SETTINGS)


def versions() -> tuple[str, ...]:
    """Of all that compiles; Python's with how it was built, for one without its global lock has other objects."""
    llvm = ".".join(map(str, llvmlite.binding.llvm_version_info))
    return numba.__version__, llvmlite.__version__, llvm, np.__version__, sys.version


@cache
def stamp() -> str | None:
    """Of the sources and of all that compiles them; None where there are no sources to be read."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    digest = hashlib.sha256()
    for version in versions():
        digest.update(f"{version}\n".encode())
    for path in sources:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16] if sources else None


def place(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path | None:
    """The folder of this stamp, which may not be there yet: in NUMBA_CACHE_DIR, else where the user's caches lie; or None."""
    try:
        name = stamp()
        chosen = numba.config.CACHE_DIR
        folder = Path(chosen).absolute() if chosen else _users_caches(environ, platform)
    except (OSError, RuntimeError):  # sources that cannot be read; no home
        return None
    return None if name is None or folder is None else folder / "minilstm" / name


def _users_caches(environ: Mapping[str, str], platform: str) -> Path | None:
    if platform == "win32":
        folder = Path(environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif platform == "darwin":
        folder = Path.home() / "Library" / "Caches"
    else:
        folder = Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return folder if folder.is_absolute() else None


def can_be_written(folder: Path) -> bool:
    """Whether a file could be put there, now or once the folder has been made."""
    there = next(parent for parent in (folder, *folder.parents) if os.path.lexists(parent))
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)
