"""Checkpoints: one ``.npz`` file with all that a run needs to continue, or to sample.

    configuration      JSON: format version, model, optimizer, tokenizer, settings,
                       progress, random generator, history, samples
    parameters/NAME    each parameter
    optimizer/FIELD    the optimizer's state, flat: m and v of Adam, and so on
    state/K/PART       state of layer K (h, and c of an LSTM), in a run on windows

A file is written whole or not at all (``minilstm.files``). Reading never unpickles, and
trusts nothing (see ``archive.py``): before any array is unpacked, each must have the
name, shape and dtype that follow from the configuration. All numbers must be finite.
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
from minilstm.models import MODELS, Model
from minilstm.models.build import CELLS, parameter_shapes
from minilstm.optim import OPTIMIZERS, Optimizer
from minilstm.training.archive import Archive
from minilstm.training.loop import HistoryRow, StepRecord, Training

FORMAT = 1
LONGEST_CONFIGURATION = 2**26  # bytes; longer only if it is most of the file


@dataclass
class Checkpoint:
    """A run and what belongs to it.

    A model of vectors has no tokenizer. An encoder and a decoder have one for the
    source, ``tokenizer``, and one for the target.
    """

    training: Training
    tokenizer: Any  # from ids to text: a Tokenizer, or None
    settings: dict[str, Any]  # that the run was started with: plain JSON values
    target_tokenizer: Tokenizer | None = None
    labels: tuple[str, ...] = ()  # names of a classifier's or tagger's labels


def save(path: str | Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, whole or not at all.

    Parameters
    ----------
    path : the file, usually ``model.npz``; an older one is replaced.
    checkpoint : what to save.

    Raises
    ------
    InputError : if ``load`` would not know the optimizer's class.
    InUseError : if another thread trains the model; that run's callbacks can save it.
    OSError : if the file cannot be written.
    """
    run = checkpoint.training
    model, kind = run.model, run.optimizer.kind
    if OPTIMIZERS.get(kind) is not type(run.optimizer):
        raise InputError(
            f"{run.optimizer!r} cannot be saved until minilstm.optim.OPTIMIZERS has its"
            f" class as {kind!r}"
        )
    arrays: dict[str, Any] = {
        f"parameters/{name}": array for name, array in model.parameters.items()
    }
    arrays |= {
        name: getattr(run.optimizer_state, field)
        for name, field in _state_fields(run.optimizer).items()
    }
    for k, state in enumerate(run.state or ()):
        parts = CELLS[model.cell].state_parts
        arrays |= {f"state/{k}/{part}": array for part, array in zip(parts, state)}
    configuration = {
        "format": FORMAT,
        "model": {"kind": model.kind, **model.sizes()},
        "optimizer": {**asdict(run.optimizer), "kind": kind},
        "tokenizer": _to_json(checkpoint.tokenizer),
        "target_tokenizer": _to_json(checkpoint.target_tokenizer),
        "labels": checkpoint.labels,
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
    """Read a checkpoint, and check all of it.

    Parameters
    ----------
    path : the file.

    Returns
    -------
    The checkpoint, with a model and a run of its own.

    Raises
    ------
    InputError : if there is no such file.
    CheckpointError : if it is damaged, has another format, or its arrays do not match
        its configuration.
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
    except (
        InputError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OverflowError,
    ) as error:
        raise CheckpointError(
            f"{path} has an invalid configuration ({error!r})"
        ) from error


def _configuration(archive: Archive) -> dict[str, Any]:
    """The configuration of a file, in our format."""
    name = "configuration"
    if name not in archive.names:
        raise CheckpointError("has no configuration; it was not written by minilstm")
    length, longest = archive.bytes_of(name), max(LONGEST_CONFIGURATION, archive.size)
    dtype, shape = archive.describe(name)
    if length > longest or dtype != np.uint8 or len(shape) != 1:
        raise CheckpointError(
            f"has a configuration that cannot be read ({length:,} bytes as {dtype}"
            f" {shape})"
        )
    try:
        configuration = json.loads(archive.read(name).tobytes().decode("ascii"))
        version = configuration["format"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(
            f"has a configuration that cannot be read ({error})"
        ) from error
    if version != FORMAT:
        raise CheckpointError(
            f"has format {version!r}; this version of minilstm reads format {FORMAT}"
        )
    return configuration


def _build(archive: Archive) -> Checkpoint:
    configuration = _configuration(archive)
    sizes, progress = dict(configuration["model"]), configuration["progress"]
    kind = sizes.pop("kind")
    if kind not in MODELS:
        raise CheckpointError(
            f"has a model of the kind {kind!r}, which is not among {', '.join(MODELS)}"
        )
    of_model = MODELS[kind]
    tokenizer = _from_json(configuration["tokenizer"])
    target_tokenizer = _from_json(configuration["target_tokenizer"])
    labels = tuple(map(str, configuration["labels"]))
    for what, found, name in (
        ("a tokenizer of {} ids", tokenizer, of_model.of_tokenizer),
        (
            "a tokenizer of {} target ids",
            target_tokenizer,
            of_model.of_target_tokenizer,
        ),
        ("{} labels", labels or None, of_model.of_labels),
    ):
        size = None if name is None else sizes[name]
        have = None if found is None else getattr(found, "vocab_size", len(labels))
        if have != size:
            raise CheckpointError(
                f"has {what.format(have or 'no')}, but a model of {size or 'none'}"
            )
    for name in (
        "epoch",
        "position",
        "step",
        "optimizer_steps",
        "tokens",
        "epoch_tokens",
    ):
        if type(progress[name]) is not int or progress[name] < 0:
            raise CheckpointError(
                f"has {progress[name]!r} for {name}, which must be a whole number of at"
                " least 0"
            )
    if sizes["layers"] > len(archive.names):
        raise CheckpointError(
            f"has {sizes['layers']} layers in its configuration, but only"
            f" {len(archive.names) - 1} arrays"
        )
    constants = dict(configuration["optimizer"])
    name = constants.pop("kind")
    if name not in OPTIMIZERS:
        raise CheckpointError(
            f"was trained by the optimizer {name!r}, which is not among"
            f" {', '.join(OPTIMIZERS)}"
        )
    optimizer = OPTIMIZERS[name](**constants)
    arrays = _arrays(
        archive,
        _expected_shapes(of_model, sizes, optimizer, progress["state_batch"]),
        np.dtype(sizes["dtype"]),
    )
    model = of_model(**sizes)
    for name, array in model.parameters.items():
        array[...] = arrays[f"parameters/{name}"]
    rng = np.random.default_rng()
    rng.bit_generator.state = configuration["rng"]
    state = None
    if progress["state_batch"] is not None:
        parts = CELLS[model.cell].state_parts
        state = tuple(
            tuple(arrays[f"state/{k}/{part}"] for part in parts)
            for k in range(model.layers)
        )
    training = Training(
        model=model,
        optimizer=optimizer,
        optimizer_state=optimizer.State(
            *(arrays[name] for name in _state_fields(optimizer)),
            int(progress["optimizer_steps"]),
        ),
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
    settings = dict(configuration["settings"])
    return Checkpoint(training, tokenizer, settings, target_tokenizer, labels)


def _to_json(tokenizer: Tokenizer | None) -> dict[str, Any] | None:
    return None if tokenizer is None else tokenizer.to_json()


def _from_json(form: dict[str, Any] | None) -> Tokenizer | None:
    return None if form is None else tokenizer_from_json(form)


def _record(values: list | None) -> StepRecord | None:
    if values is None:
        return None
    epoch, step, loss, norm, tokens, epoch_ends = values
    return StepRecord(
        int(epoch), int(step), float(loss), float(norm), int(tokens), bool(epoch_ends)
    )


def _state_fields(optimizer: Optimizer) -> dict[str, str]:
    """From the name of an array in the file to its field of the optimizer's state.

    In the order of the fields. The last field, the number of steps, is not an array.
    """
    return {f"optimizer/{field}": field for field in optimizer.State._fields[:-1]}


def _expected_shapes(
    of_model: type[Model],
    sizes: dict[str, Any],
    optimizer: Optimizer,
    state_batch: int | None,
) -> dict[str, tuple[int, ...]]:
    """Shapes of all arrays by name, from the sizes of the model.

    Nothing is allocated, since a damaged file may have absurd sizes.
    """
    layers = of_model.layers_of(**{key: sizes[key] for key in of_model.arguments})
    shapes = parameter_shapes(layers)
    total = sum(math.prod(shape) for shape in shapes.values())
    expected: dict[str, tuple[int, ...]] = {
        f"parameters/{name}": shape for name, shape in shapes.items()
    }
    expected |= {name: (total,) for name in _state_fields(optimizer)}
    if state_batch is not None:
        parts, shape = CELLS[sizes["cell"]].state_parts, (state_batch, sizes["hidden"])
        expected |= {
            f"state/{k}/{part}": shape for k in range(sizes["layers"]) for part in parts
        }
    return expected


def _arrays(
    archive: Archive, expected: dict[str, tuple[int, ...]], dtype: np.dtype
) -> dict[str, np.ndarray]:
    """All arrays but the configuration, read after all headers have been checked."""
    names = archive.names - {"configuration"}
    for name in sorted(expected.keys() - names):
        raise CheckpointError(f"lacks the array {name}")
    for name in sorted(names - expected.keys()):
        raise CheckpointError(f"has an unknown array, {name}")
    for name, shape in expected.items():
        held = archive.describe(name)
        if held != (dtype, shape):
            raise CheckpointError(
                f"has {name} as {held[0]} {held[1]}, but its configuration needs"
                f" {dtype} {shape}"
            )
    arrays = {name: archive.read(name) for name in expected}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise CheckpointError(f"has NaN or infinite numbers in {name}")
    return arrays
