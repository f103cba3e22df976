"""Keeping a run: one ``.npz`` file with everything that is needed to go on, or to sample.

    configuration      JSON: format version, model, optimizer, tokenizer, settings, progress, random generator, history
    parameters/NAME    every parameter under its name
    optimizer/FIELD    what the optimizer remembers, flat: m and v of Adam, and so on
    state/K/PART       the carried state of layer K (h, and c of an LSTM), in the middle of an epoch of running text

A file is written as a whole or not at all (``minilstm.files``). Reading never unpickles, and trusts nothing (see
``archive.py``): every array must have the name, shape and dtype that the configuration promises before the first of them is
unpacked, and finite numbers.

Format 1, which had Adam only, is still read.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from minilstm.data.protocol import Tokenizer
from minilstm.data.words import tokenizer_from_json
from minilstm.errors import CheckpointError, InputError
from minilstm.files import replacing
from minilstm.models.language_model import CELLS, LanguageModel, build_layers, parameter_shapes
from minilstm.optim import OPTIMIZERS, Optimizer
from minilstm.training.archive import Archive
from minilstm.training.loop import HistoryRow, StepRecord, Training

FORMAT = 2
LONGEST_CONFIGURATION = 2**26  # bytes, of which the tokenizer and the samples are most; longer only as a file's larger part


@dataclass
class Checkpoint:
    """A run, the tokenizer that its ids come from, and the settings (plain JSON values) that it was started with."""

    training: Training
    tokenizer: Tokenizer
    settings: dict[str, Any]


def save(path: str | Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, whole or not at all.

    Raises
    ------
    InputError : if the optimizer is one that ``load`` could not find again.
    InUseError : if another thread trains the model; its own callbacks can save it.
    OSError : when the disk does not let us.
    """
    run = checkpoint.training
    model, kind = run.model, run.optimizer.kind
    if OPTIMIZERS.get(kind) is not type(run.optimizer):
        raise InputError(f"{run.optimizer!r} cannot be saved until minilstm.optim.OPTIMIZERS has its class as {kind!r}")
    arrays: dict[str, Any] = {f"parameters/{name}": array for name, array in model.parameters.items()}
    arrays |= {name: getattr(run.optimizer_state, field) for name, field in _state_fields(run.optimizer).items()}
    parts = CELLS[model.cell].state_parts
    for k, state in enumerate(run.state or ()):
        arrays |= {f"state/{k}/{part}": array for part, array in zip(parts, state)}
    configuration = {
        "format": FORMAT,
        "model": model.sizes(),
        "optimizer": {**asdict(run.optimizer), "kind": kind},
        "tokenizer": checkpoint.tokenizer.to_json(),
        "settings": checkpoint.settings,
        "progress": {
            "epoch": run.epoch,
            "position": run.position,
            "step": run.step,
            "optimizer_steps": run.optimizer_state.t,
            "state_batch": None if run.state is None else len(run.state[0][0]),
            "seconds": run.seconds,
            "nats": run.nats,
            "tokens": run.tokens,
            "row_seconds": run.row_seconds,
            "epoch_nats": run.epoch_nats,
            "epoch_tokens": run.epoch_tokens,
            "unreported": run.unreported,
        },
        "rng": run.rng.bit_generator.state,
        "history": run.history,
        "samples": run.samples,
    }
    text = np.frombuffer(json.dumps(configuration).encode("ascii"), np.uint8)
    with model.shared(), replacing(path) as file:
        np.savez(file, configuration=text, **arrays)


def load(path: str | Path) -> Checkpoint:
    """Read a checkpoint and check all of it.

    Raises
    ------
    InputError : if there is no such file.
    CheckpointError : if it is damaged, is from another version, or does not hold what its configuration promises.
    """
    if not Path(path).is_file():
        raise InputError(f"there is no model at {path}; `minilstm train` writes one")
    try:
        with open(path, "rb") as file:
            return _build(Archive(file))
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror})") from error
    except CheckpointError as error:
        raise CheckpointError(f"{path} {error}") from error
    except (InputError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise CheckpointError(f"{path} has a configuration that makes no sense ({error!r})") from error


def _configuration(archive: Archive) -> dict[str, Any]:
    """What the file says of itself, in the form of format 2."""
    name = "configuration"
    if name not in archive.names:
        raise CheckpointError("holds no configuration; it was not written by minilstm")
    length, longest = archive.bytes_of(name), max(LONGEST_CONFIGURATION, archive.size)
    dtype, shape = archive.describe(name)
    if length > longest or dtype != np.uint8 or len(shape) != 1:
        raise CheckpointError(f"has a configuration that cannot be read ({length:,} bytes as {dtype} {shape})")
    try:
        configuration = json.loads(archive.read(name).tobytes().decode("ascii"))
        version = configuration["format"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(f"has a configuration that cannot be read ({error})") from error
    if version not in (1, FORMAT):
        raise CheckpointError(f"has format {version!r}; this version of minilstm reads formats 1 and {FORMAT}")
    if version == 1:
        _upgrade(configuration, archive)
    return configuration


def _upgrade(configuration: dict[str, Any], archive: Archive) -> None:
    """Turn in place what a file of format 1 holds into format 2: the optimizer says what it is, its arrays bear its name."""
    configuration["model"] |= {"dropout": 0.0, "tied": False}
    configuration["optimizer"]["kind"] = "adam"
    for field in ("m", "v"):
        archive.rename(f"adam/{field}", f"optimizer/{field}")


def _build(archive: Archive) -> Checkpoint:
    configuration = _configuration(archive)
    sizes, progress = configuration["model"], configuration["progress"]
    tokenizer = tokenizer_from_json(configuration["tokenizer"])
    if tokenizer.vocab_size != sizes["vocab_size"]:
        raise CheckpointError(
            f"has a tokenizer of {tokenizer.vocab_size} ids, but a model of {sizes['vocab_size']}"
        )
    progress = {"epoch_nats": 0.0, "epoch_tokens": 0, "unreported": None, **progress}  # older files lack them
    for name in ("epoch", "position", "step", "optimizer_steps", "tokens", "epoch_tokens"):
        if type(progress[name]) is not int or progress[name] < 0:
            raise CheckpointError(f"counts {name} as {progress[name]!r}")
    if sizes["layers"] > len(archive.names):
        raise CheckpointError(f"promises {sizes['layers']} layers, but has {len(archive.names) - 1} arrays in all")
    constants = dict(configuration["optimizer"])
    kind = constants.pop("kind")
    if kind not in OPTIMIZERS:
        raise CheckpointError(f"was trained by the optimizer {kind!r}, which is not among {', '.join(OPTIMIZERS)}")
    optimizer = OPTIMIZERS[kind](**constants)
    arrays = _arrays(archive, _promised_shapes(sizes, optimizer, progress["state_batch"]), np.dtype(sizes["dtype"]))
    model = LanguageModel(**sizes)
    for name, array in model.parameters.items():
        array[...] = arrays[f"parameters/{name}"]
    rng = np.random.default_rng()
    rng.bit_generator.state = configuration["rng"]
    state = None
    if progress["state_batch"] is not None:
        parts = CELLS[model.cell].state_parts
        state = tuple(tuple(arrays[f"state/{k}/{part}"] for part in parts) for k in range(model.layers))
    training = Training(
        model=model,
        optimizer=optimizer,
        optimizer_state=optimizer.State(*(arrays[name] for name in _state_fields(optimizer)), int(progress["optimizer_steps"])),
        rng=rng,
        epoch=int(progress["epoch"]),
        position=int(progress["position"]),
        step=int(progress["step"]),
        state=state,
        seconds=float(progress["seconds"]),
        nats=float(progress["nats"]),
        tokens=int(progress["tokens"]),
        row_seconds=float(progress["row_seconds"]),
        epoch_nats=float(progress["epoch_nats"]),
        epoch_tokens=int(progress["epoch_tokens"]),
        unreported=_record(progress["unreported"]),
        history=[HistoryRow(*row) for row in configuration["history"]],
        samples=[str(text) for text in configuration["samples"]],
    )
    return Checkpoint(training, tokenizer, dict(configuration["settings"]))


def _record(values: list | None) -> StepRecord | None:
    if values is None:
        return None
    epoch, step, loss, norm, tokens, epoch_ends = values
    return StepRecord(int(epoch), int(step), float(loss), float(norm), int(tokens), bool(epoch_ends))


def _state_fields(optimizer: Optimizer) -> dict[str, str]:
    """Under which name a file has each array of the optimizer's state, in their order; the last field is no array, but t."""
    return {f"optimizer/{field}": field for field in optimizer.State._fields[:-1]}


def _promised_shapes(sizes: dict[str, Any], optimizer: Optimizer, state_batch: int | None) -> dict[str, tuple[int, ...]]:
    """What a file with these sizes must hold. Nothing of these sizes has been made yet: they may be absurd."""
    layers = build_layers(**{key: sizes[key] for key in ("vocab_size", "embedding", "hidden", "layers", "cell", "tied")})
    shapes = parameter_shapes(layers)
    total = sum(math.prod(shape) for shape in shapes.values())
    expected: dict[str, tuple[int, ...]] = {f"parameters/{name}": shape for name, shape in shapes.items()}
    expected |= {name: (total,) for name in _state_fields(optimizer)}
    if state_batch is not None:
        parts, shape = CELLS[sizes["cell"]].state_parts, (state_batch, sizes["hidden"])
        expected |= {f"state/{k}/{part}": shape for k in range(sizes["layers"]) for part in parts}
    return expected


def _arrays(archive: Archive, expected: dict[str, tuple[int, ...]], dtype: np.dtype) -> dict[str, np.ndarray]:
    """All arrays but the configuration, none of them made before each has proved to be as it was promised."""
    names = archive.names - {"configuration"}
    for name in sorted(expected.keys() - names):
        raise CheckpointError(f"lacks the array {name}")
    for name in sorted(names - expected.keys()):
        raise CheckpointError(f"has an array too many, {name}")
    for name, shape in expected.items():
        held = archive.describe(name)
        if held != (dtype, shape):
            raise CheckpointError(
                f"holds {name} as {held[0]} {held[1]}, where its configuration promises {dtype} {shape}"
            )
    arrays = {name: archive.read(name) for name in expected}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise CheckpointError(f"holds NaN or infinite numbers in {name}")
    return arrays
