"""Compiled kernels on disk, so that only the first process has to compile them.

There is one file for each kernel and each combination of argument types, in one
directory for each cache key:

    <user's caches>/minilstm/<cache key>/<kernel>-<hash>.kernel
    cache key    hash of every source file in this folder, since kernels call others,
                 and of the versions of Python, NumPy, Numba, llvmlite and LLVM
    hash         of the argument types, the processor and its features, and the settings
                 of Numba that change the compiled code

The settings matter: without them, a kernel compiled once with ``NUMBA_OPT=0``, eight
times slower, would be used by every later run. A test compares ``CODE_SETTINGS`` with
all settings of the installed Numba.

The first bytes of a file are a checksum of the rest. A file is written under another
name and then renamed. So a reader gets a complete and right file or none, whatever
other processes do and even if the disk is full. No file is no error: the kernel is
compiled.

Numba's own cache (``cache=True``) watches only the file of the kernel itself. It lies
inside the installed package, where pip does not remove it. A damaged file ends the
program.
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

DIRECTORIES_KEPT = 8  # the newest; several versions may be in use at once
CACHE_KEY = re.compile("[0-9a-f]{16}")
ENDING, UNFINISHED = ".kernel", ".unfinished"
CHECKSUM_BYTES = 32
CODE_SETTINGS = (  # names in numba.config; some versions of Numba lack some of them
    "BOUNDSCHECK",
    "CPU_FEATURES",
    "CPU_NAME",
    "DEBUGINFO_DEFAULT",
    "DEBUG_JIT",
    "DEBUG_NRT",
    "DISABLE_INTEL_SVML",
    "ENABLE_AVX",
    "EXTEND_VARIABLE_LIFETIMES",
    "FULL_TRACEBACKS",
    "LLVM_REFPRUNE_FLAGS",
    "LLVM_REFPRUNE_PASS",
    "LOOP_VECTORIZE",
    "OPT",
    "SLP_VECTORIZE",
    "USE_LEGACY_TYPE_SYSTEM",
    "USE_RVSDG_FRONTEND",
    "USING_SVML",
)


class KernelCache:
    """The cache of one kernel: the interface that Numba calls."""

    def __init__(self, name: str, folder: Path):
        self.name, self.folder = name, folder

    @property
    def cache_path(self) -> str:
        return str(self.folder)

    def load_overload(self, types, target_context) -> Any:  # pragma: no cover: compiler
        """The compiled code for these types, or None."""
        with contextlib.suppress(Exception):
            from numba.core.compiler import CompileResult

            target_context.refresh()
            content = read(self._path(types, target_context.codegen()))
            if content is None:
                return None
            return CompileResult._rebuild(target_context, *pickle.loads(content))
        return None

    def save_overload(self, types, compiled) -> None:  # pragma: no cover: compiler
        with contextlib.suppress(Exception):
            from numba.core.serialize import dumps

            # dynamic globals are addresses, which mean nothing to another process
            if not compiled.library.has_dynamic_globals:
                write(self._path(types, compiled.codegen), dumps(compiled._reduce()))

    def _path(self, types, codegen) -> Path:  # pragma: no cover: needs the compiler
        all_that_matters = types, codegen.magic_tuple(), code_settings()
        digest = hashlib.sha256(repr(all_that_matters).encode()).hexdigest()
        return self.folder / f"{self.name}-{digest[:16]}{ENDING}"

    def enable(self) -> None:
        """Do nothing: part of the interface."""

    disable = flush = enable


def read(path: Path) -> bytes | None:
    """The content that ``write`` wrote; None if there is no file or it is damaged."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    checksum, content = content[:CHECKSUM_BYTES], content[CHECKSUM_BYTES:]
    return content if hashlib.sha256(content).digest() == checksum else None


def write(path: Path, content: bytes) -> None:
    """Write a complete file, or do nothing where that is impossible."""
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(8)}{UNFINISHED}")
    with contextlib.suppress(OSError):
        if not path.parent.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            delete_old_directories(path.parent.parent)
        try:
            unfinished.write_bytes(hashlib.sha256(content).digest() + content)
            os.replace(unfinished, path)
        finally:
            with contextlib.suppress(OSError):
                unfinished.unlink()


def delete_old_directories(root: Path, keep: int = DIRECTORIES_KEPT) -> None:
    """Delete all but the newest cache directories, and only files of ours in them."""
    folders = [folder for folder in root.iterdir() if CACHE_KEY.fullmatch(folder.name)]
    newest_first = sorted(folders, key=lambda path: path.stat().st_mtime, reverse=True)
    for folder in newest_first[keep:]:
        with contextlib.suppress(OSError):  # another process may delete it, too
            for path in folder.iterdir():
                if path.suffix in (ENDING, UNFINISHED):
                    path.unlink()
            folder.rmdir()


def code_settings() -> tuple[str, ...]:
    """Numba's settings that change the compiled code; a program may change them."""
    return tuple(
        f"{name} = {getattr(numba.config, name, None)!r}" for name in CODE_SETTINGS
    )


def versions() -> tuple[str, ...]:
    """Versions of all that compiles. Python's says how it was built, which matters."""
    llvm = ".".join(map(str, llvmlite.binding.llvm_version_info))
    return numba.__version__, llvmlite.__version__, llvm, np.__version__, sys.version


@cache
def cache_key() -> str | None:
    """Hash of the sources and of all that compiles them; None without sources."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    digest = hashlib.sha256()
    for version in versions():
        digest.update(f"{version}\n".encode())
    for path in sources:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16] if sources else None


def cache_directory(
    environ: Mapping[str, str] = os.environ, platform: str = sys.platform
) -> Path | None:
    """The directory for this cache key, which may not exist yet; None if there is none.

    In NUMBA_CACHE_DIR if that is set, else where the user's caches are.
    """
    try:
        name = cache_key()
        chosen = numba.config.CACHE_DIR
        folder = Path(chosen).absolute() if chosen else _users_caches(environ, platform)
    except (OSError, RuntimeError):  # sources that cannot be read; no home directory
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
    """Whether files can be written there, once the folder has been created."""
    existing = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
