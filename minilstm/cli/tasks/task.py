"""What a task is: it gives data, a model, samples and an evaluation to the commands.

``minilstm train`` has one loop and one set of callbacks for all tasks. It asks a task
for the settings, the examples in mini-batches, the model, and a report after each
epoch. ``minilstm sample`` and ``minilstm evaluate`` ask it to apply the trained model.
"""

from __future__ import annotations

import shlex
from abc import ABC, abstractmethod
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from minilstm.cli.defaults import DEFAULTS, HOW_TO_READ, OF_WORDS, Settings
from minilstm.cli.settings import check as check_all
from minilstm.cli.settings import option
from minilstm.data.batches import Batches
from minilstm.errors import InputError
from minilstm.models.model import Model
from minilstm.training.checkpoint import Checkpoint
from minilstm.training.loop import Training

COMMON = frozenset({  # settings of all tasks
    *("task", "sources", "batch_size", "pool", "cell", "hidden", "layers", "dropout"),
    *("epochs", "steps", "optimizer", "learning_rate", "momentum", "schedule"),
    *("decay_every", "decay_factor", "clip", "clip_value", "seed"),
})  # fmt: skip


@dataclass(frozen=True)
class Examples:
    """The data of a run, in mini-batches, and what belongs to its model."""

    train: Batches
    valid: Batches | None
    description: str
    fingerprint: str  # of all examples
    notes: tuple[str, ...] = ()  # how the files were read
    tokenizer: Any = None
    target_tokenizer: Any = None
    labels: tuple[str, ...] = ()
    floor: float | None = None  # lowest possible mean loss in nats, if it is known
    best: str | None = None  # what the best possible model reaches, a sentence
    unit: str = "token"  # what the loss is a mean over
    characters: float | None = None  # mean characters per token, if the unit is tokens
    kept: Settings = field(default_factory=dict)  # further settings for the checkpoint
    own: Any = None  # what the task needs for its reports


class Task(ABC):
    """A kind of model, with its data, reports and evaluation."""

    name: ClassVar[str | None]  # of --task; None: language model
    kind: ClassVar[str]  # of the model, in checkpoints
    options: ClassVar[frozenset[str]] = frozenset()  # settings besides ``COMMON``
    defaults: ClassVar[Settings] = {}
    of_corpus: ClassVar[dict[str, Settings]] = {}  # defaults of built-in corpora
    has_classes = False  # whether it has a confusion matrix
    use = "Use the model:"  # above the commands that do so
    use_best = "Use the best model:"
    closing = "the closing report"  # what `finish` does, in messages

    def resolve_settings(self, kind: str, given: Settings) -> Settings:
        """All settings of a new run: defaults, then the options given.

        Parameters
        ----------
        kind : a built-in corpus, or "file".
        given : the options that were typed, and the sources.

        Raises
        ------
        InputError
            If an option is for another task, or options contradict each other.
        """
        for name in given:
            if name not in COMMON | self.options:
                raise InputError(
                    f"{option(name, given[name])} is not an option of --task"
                    f" {self.name}; leave it out"
                )
            if kind != "file" and name in (*HOW_TO_READ, "label", "target", "features"):
                raise InputError(
                    f"{option(name, given[name])} is for files; `{kind}` is a built-in"
                    " corpus"
                )
        chosen = {**DEFAULTS, "carry": True, **self.defaults, "task": self.name}
        if given.get("tokens") == "words":
            chosen |= {"vocab": OF_WORDS["vocab"], "embedding": OF_WORDS["embedding"]}
        chosen |= self.of_corpus.get(kind, {}) | given
        if kind != "file" and chosen["tokens"] != self.of_corpus[kind].get(
            "tokens", "chars"
        ):
            raise InputError(
                f"--tokens {chosen['tokens']} is for files; the best possible result"
                f" on `{kind}` is known for its own tokens only"
            )
        self.check(chosen, given)
        return chosen

    def check(self, chosen: Settings, given: Settings) -> None:
        """Raise InputError for options that contradict others or have no effect."""
        check_all(chosen, given)

    def unit_of(self, checkpoint: Checkpoint) -> str:
        """What the loss of a trained model is a mean over."""
        return checkpoint.tokenizer.unit

    def read(self, settings: Settings) -> None:
        """Read the sources only to find mistakes in the options."""

    @abstractmethod
    def load(self, sources: Sequence[str], settings: Settings) -> Examples:
        """Read the sources, split off the validation set, and make mini-batches."""

    @abstractmethod
    def build_model(self, settings: Settings, examples: Examples) -> Model:
        """The model with random weights."""

    @abstractmethod
    def report(
        self, training: Training, checkpoint: Checkpoint, examples: Examples
    ) -> str:
        """Lines for the screen and samples.txt, after an epoch."""

    def share_right(self, checkpoint: Checkpoint, examples: Examples) -> float | None:
        """Accuracy, exact match or the like on the validation set, if there is one."""
        return None

    def finish(
        self,
        checkpoint: Checkpoint,
        examples: Examples,
        show: Callable[[str], None],
    ) -> None:
        """What is printed at the end of a whole run."""

    def commands(self, path: Path) -> list[str]:
        """Commands that use a trained model."""
        model = shlex.quote(str(path))
        return [f"minilstm sample {model}", f"minilstm evaluate {model}"]

    def sample(self, arguments: Namespace, checkpoint: Checkpoint) -> int:
        """Apply a trained model to inputs; the exit status."""
        raise NotImplementedError

    def evaluate(self, arguments: Namespace, checkpoint: Checkpoint) -> int:
        """Measure a trained model; the exit status."""
        raise InputError(
            "this is a language model: its validation loss is in history.csv, and"
            " `minilstm sample DIR --compare 0.5,1` measures its texts"
        )
