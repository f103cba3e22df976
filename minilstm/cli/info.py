"""``minilstm info``: versions, threads, processor, and content of model files."""

from __future__ import annotations

import os
import platform
import textwrap
from argparse import Namespace
from importlib import metadata
from pathlib import Path

import llvmlite.binding as llvm
import numba
import numpy as np

from minilstm import __version__
from minilstm.cli.sources import describe
from minilstm.cli.tasks.registry import task_of_model
from minilstm.cli.terminal import harmless
from minilstm.errors import to_install
from minilstm.kernels.cache import cache_directory, can_be_written
from minilstm.parallel.threads import OUR_VARIABLE, ours
from minilstm.training.checkpoint import Checkpoint, load
from minilstm.training.progress import WIDTH, in_other_units

FEATURES = (
    "sse4.2",
    "avx",
    "fma",
    "avx2",
    "avx512f",
    "avx512bw",
    "avx512vl",
    "neon",
    "sve",
)


def run(arguments: Namespace) -> int:
    """The command."""
    none = f"none; {to_install('lessons')}"
    rows = [
        ("minilstm", __version__),
        (
            "Python",
            f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        ),
        ("NumPy", np.__version__),
        ("Numba", f"{numba.__version__}, {_compiled()}"),
        ("matrix library", _blas()),
        ("BLAS kernels", arguments.matrix_kernels),
        ("BLAS threads", _threads()),
        ("our threads", f"{ours()} for large batches ({OUR_VARIABLE} changes it)"),
        ("processor", f"{llvm.get_host_cpu_name()}, {os.cpu_count()} cores"),
        ("CPU features", _features()),
        ("pictures", _version("matplotlib") or none),
        ("live curves", _version("plotille") or none),
        ("progress bars", _version("tqdm") or none),
    ]
    for name, value in rows:
        print(_wrapped(name, value))
    for model in arguments.models:
        path = Path(model)
        path = path / "model.npz" if path.is_dir() else path
        print(f"\n{path}")
        _show(load(path))
    return 0


def _wrapped(name: str, value: str) -> str:
    """A row of the table, wrapped."""
    return textwrap.fill(
        f"{name:<16}{value}",
        WIDTH,
        subsequent_indent=16 * " ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _compiled() -> str:
    if numba.config.DISABLE_JIT:
        return "kernels not compiled"
    folder = cache_directory()
    if folder is None or not can_be_written(folder):
        nowhere = (
            f"{folder} cannot be written to" if folder else "there is no cache folder"
        )
        return (
            f"kernels compiled by each process, because {nowhere};"
            " NUMBA_CACHE_DIR can name one"
        )
    return f"kernels compiled once, kept in {folder}"


def _show(checkpoint: Checkpoint) -> None:
    run, settings = checkpoint.training, checkpoint.settings
    print(run.model.summary())
    print(f"{'dtype':<16}{run.model.dtype}")
    print(f"{'text':<16}{describe(settings.get('sources', ['unknown']))}")
    if settings.get("task"):
        print(f"{'task':<16}{settings['task']}")
    if checkpoint.tokenizer is not None:
        print(f"{'tokenizer':<16}{checkpoint.tokenizer!r}")
    if checkpoint.target_tokenizer is not None:
        print(f"{'of targets':<16}{checkpoint.target_tokenizer!r}")
    if checkpoint.labels:
        print(_wrapped("classes", ", ".join(map(harmless, checkpoint.labels))))
    within = f" and {run.position:,} mini-batches" if run.position else ""
    epochs = f"{run.epoch} epoch{'s' * (run.epoch != 1)}{within}"
    print(
        f"{'trained':<16}{epochs}, {run.step:,} training steps, which took"
        f" {run.seconds:.0f} s"
    )
    losses = [row.valid_loss for row in run.history if row.valid_loss is not None]
    if losses:
        unit = task_of_model(run.model.kind).unit_of(checkpoint)
        characters = settings.get("characters", 1.0)
        loss = f"{losses[-1]:.4f} nats per {unit}"
        if characters is not None:
            loss += f", {in_other_units(losses[-1], characters)}"
        print(_wrapped("validation loss", loss))


def _blas() -> str:
    try:
        blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
        return f"{blas['name']} {blas['version']}"
    except (TypeError, KeyError):  # NumPy before 1.25 only prints its configuration
        return "unknown to this version of NumPy"


def _threads() -> str:
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        chosen = os.environ.get("OPENBLAS_NUM_THREADS") or os.environ.get(
            "OMP_NUM_THREADS"
        )
        return (
            f"{chosen or 'as many as cores'} (to see their number:"
            f" {to_install('info')})"
        )
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return "; ".join(
        f"{pool['num_threads']} ({pool['internal_api']}, {pool.get('architecture')}"
        " kernels)"
        for pool in pools
    )


def _features() -> str:
    features = llvm.get_host_cpu_features()
    return (
        ", ".join(name for name in FEATURES if features.get(name))
        or "only the basic ones"
    )


def _version(package: str) -> str | None:
    try:
        return f"{package} {metadata.version(package)}"
    except metadata.PackageNotFoundError:
        return None
