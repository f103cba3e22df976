"""``minilstm sample``: let a trained model write."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import numpy as np

from minilstm.checkpoint import load
from minilstm.errors import InputError
from minilstm.sample import Sampling, generate


def run(arguments: Namespace) -> int:
    """The command."""
    if arguments.greedy and (arguments.temperature, arguments.top_k, arguments.top_p) != (None, None, None):
        raise InputError("--greedy takes the likeliest symbol, so --temperature, --top-k and --top-p mean nothing with it")
    temperature = 0.7 if arguments.temperature is None else arguments.temperature
    sampling = Sampling(temperature, arguments.top_k, arguments.top_p, arguments.greedy)
    path = Path(arguments.model)
    checkpoint = load(path / "model.npz" if path.is_dir() else path)
    prompts = checkpoint.settings.get("prompts") if arguments.prompt is None else [arguments.prompt]
    if not isinstance(prompts, list) or not prompts:
        raise InputError(f"{path} keeps no prompts of its own; give one with --prompt")
    rng = np.random.default_rng(arguments.seed)
    chosen = [prompts[k % len(prompts)] for k in range(arguments.count)]
    for text in generate(checkpoint.training.model, checkpoint.tokenizer, chosen, arguments.length, sampling, rng):
        print(text)
        if "\n" in text:
            print("-" * 40)
    return 0
