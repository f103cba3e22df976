"""The two published systems, trained as by ``--as-published``, with original bugs.

    headlines   titles of AG News, by character: mini-batches of 8 in the order of the
                file, padded on the left; RMSprop
    recipes     recipes, by word: mini-batches of 32, cut or padded on the right to 201
                words; Adam

``minilstm/data/published.py`` describes their mini-batches.
``minilstm/cli/settings.py`` has all other settings, and who published them. Text,
model, optimizer and the order of mini-batches are those of ``minilstm train
--as-published``. There is one difference: the recipes' model has the published 10,000
ids even if the text has fewer words, so that it has the published size.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice, repeat


from minilstm import seeds
from minilstm.cli import data
from minilstm.cli.settings import Settings, build_model, build_optimizer, build_schedule, resolve_settings
from minilstm.models.batch import Batch
from minilstm.models.language_model import LanguageModel
from minilstm.training.loop import StepRecord, Training, train_steps


@dataclass(frozen=True)
class Run:
    """One of the two systems, on one text."""

    settings: Settings
    text: data.Data
    training: Training

    @classmethod
    def begin(cls, preset: str, source: str | None = None, seed: int = 0, dtype: str = "float32") -> Run:
        """The system before its first step, on a file or (default) on a grammar.

        Raises InputError for a wrong file.
        """
        settings = resolve_settings("file" if source else preset, {"preset": preset, "as_published": True, "seed": seed})
        text = data.load([source or preset], settings)
        sizes = build_model(settings, settings["vocab"] or text.tokenizer.vocab_size).sizes()
        model = LanguageModel(**{**sizes, "dtype": dtype})
        return cls(settings, text, Training.begin(model, build_optimizer(settings), seeds.generator(seed, seeds.ORDER)))

    def batches(self, count: int) -> list[Batch]:
        """The first ``count`` mini-batches that a new run trains on."""
        rng = copy.deepcopy(self.training.rng)
        return list(islice(chain.from_iterable(epoch(rng) for epoch in repeat(self.text.train.epoch)), count))

    def steps(self, count: int) -> Iterator[StepRecord]:
        """Train until ``count`` steps are done."""
        schedule = build_schedule(self.settings, len(self.text.train), count)
        return train_steps(self.training, self.text.train, None, count, self.settings["clip"], schedule)
