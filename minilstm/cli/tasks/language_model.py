"""The task of a language model: predict the next token, and generate text."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from minilstm import seeds
from minilstm.cli import data
from minilstm.cli.defaults import Settings
from minilstm.cli.settings import build_model, resolve_settings
from minilstm.cli.tasks.task import Examples, Task
from minilstm.corpora import recipes
from minilstm.corpora.long_range import kept_by_distance
from minilstm.generation.sampling import (
    Sampling,
    generate,
    generate_ids,
    share_accepted,
)
from minilstm.models.language_model import LanguageModel
from minilstm.training.checkpoint import Checkpoint
from minilstm.training.loop import Training
from minilstm.training.progress import as_item, in_other_units

TEXTS_CHECKED = {  # by the grammar, at the end of a run
    "headlines": 1_000,
    "recipes": 200,
}
CHECKED_TEMPERATURE, CHECKED_LENGTH = 0.7, 300


class LanguageModelTask(Task):
    """Text, one token after the other."""

    name = None
    kind = LanguageModel.kind
    use = "Generate text with:"
    closing = "the check by the grammar"
    use_best = "Generate text with the best model:"

    def resolve_settings(self, kind: str, given: Settings) -> Settings:
        return resolve_settings(kind, given)

    def read(self, settings: Settings) -> None:
        data.read(settings["sources"], settings)

    def load(self, sources: Sequence[str], settings: Settings) -> Examples:
        text = data.load(sources, settings)
        floor = text.corpus.floor if text.corpus else None
        best = None
        if floor is not None:
            best = (
                f"entropy floor: {floor:.4f} nats per {text.tokenizer.unit},"
                f" {in_other_units(floor, text.characters)}; no model can do better"
            )
        return Examples(
            train=text.train,
            valid=text.valid,
            description=text.description,
            fingerprint=text.fingerprint,
            notes=text.notes,
            tokenizer=text.tokenizer,
            floor=floor,
            best=best,
            unit=text.tokenizer.unit,
            characters=text.characters,
            kept={"prompts": text.prompts, "characters": text.characters},
            own=text,
        )

    def build_model(self, settings: Settings, examples: Examples) -> LanguageModel:
        return build_model(settings, examples.tokenizer.vocab_size)

    def report(
        self, training: Training, checkpoint: Checkpoint, examples: Examples
    ) -> str:
        """One text for each prompt; with a grammar, how many of 100 it accepts."""
        settings, model, text = checkpoint.settings, training.model, examples.own
        tokenizer = text.tokenizer
        rng = seeds.generator(settings["seed"], seeds.SAMPLES, training.epoch)
        sampling = Sampling(settings["temperature"], greedy=settings["greedy"])
        texts = generate(
            model, tokenizer, text.prompts, settings["length"], sampling, rng
        )
        lines = [
            as_item(_marked(prompt, sample))
            for prompt, sample in zip(text.prompts, texts)
        ]
        if text.corpus is not None:
            accepted = share_accepted(
                model, tokenizer, text.corpus, rng, 100, CHECKED_TEMPERATURE
            )
            lines.append(f"  (accepted by the grammar: {accepted:.0%} of 100)")
        return "\n".join(lines)

    def finish(
        self,
        checkpoint: Checkpoint,
        examples: Examples,
        show: Callable[[str], None],
    ) -> None:
        """How many texts the grammar accepts, and the agreement of recipes."""
        text = examples.own
        if text.corpus is None:
            return
        (name,), seed = checkpoint.settings["sources"], checkpoint.settings["seed"]
        model = checkpoint.training.model
        rng, count = seeds.generator(seed, seeds.EVALUATION), TEXTS_CHECKED[name]
        accepted = share_accepted(
            model, text.tokenizer, text.corpus, rng, count, CHECKED_TEMPERATURE
        )
        show(
            f"accepted by the grammar at temperature {CHECKED_TEMPERATURE}:"
            f" {accepted:.1%} of {count:,} {name}"
        )
        if name == "recipes":
            prompts = [recipes.PROMPTS[0]] * count
            sampling = Sampling(CHECKED_TEMPERATURE)
            written = generate_ids(
                model, text.tokenizer, prompts, CHECKED_LENGTH, sampling, rng
            )
            ended = [
                text.tokenizer.complete(prompts[0], ids)
                for ids in written
                if ids[-1] == text.tokenizer.eos_id
            ]
            show(
                f"\n{len(ended)} of these {count} reached their end"
                f" token:\n{kept_by_distance(ended)}\n"
            )

    def commands(self, path: Path) -> list[str]:
        return [f"minilstm sample {shlex.quote(str(path))}"]


def _marked(prompt: str, text: str) -> str:
    """A text with its prompt in brackets, so that one sees where the model begins."""
    return f"[{prompt}]{text[len(prompt) :]}" if text.startswith(prompt) else text
