"""``minilstm sample``: generate text with a trained model, and show how it does it."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from itertools import zip_longest
from pathlib import Path

import numpy as np

from minilstm.cli.defaults import SAMPLE, TEMPERATURES_SHOWN
from minilstm.cli.settings import option
from minilstm.cli.tasks.applying import refuse_inputs
from minilstm.cli.tasks.registry import task_of_model
from minilstm.cli.terminal import (
    BETWEEN,
    beside,
    harmless,
    pad,
    terminal_width,
    title,
    wrap,
)
from minilstm.cli.terminal import columns as columns_of
from minilstm.data.protocol import Tokenizer
from minilstm.data.readers import read_text
from minilstm.errors import InputError, UnknownTokenError
from minilstm.generation.beam import beam_search
from minilstm.generation.metrics import LONGEST, Measures, measure
from minilstm.generation.sampling import (
    Sampling,
    cut_at_end,
    forbidden_ids,
    generate_in_chunks,
    read_prompts,
)
from minilstm.models.language_model import LanguageModel
from minilstm.training.checkpoint import Checkpoint, load

NARROWEST_COLUMN = 16
WITHOUT_EFFECT = {  # what an option does, and the options that have no effect with it
    "show_top": (
        "shows the next tokens and generates nothing",
        ("greedy", "beam", "compare", "top_k", "top_p", "length", "count", "seed"),
    ),
    "compare": (
        "samples at the temperatures that it names",
        ("greedy", "beam", "temperature"),
    ),
    "beam": (
        "searches for the most likely texts and samples nothing",
        ("greedy", "temperature", "top_k", "top_p", "count", "seed"),
    ),
    "greedy": ("takes the most likely token", ("temperature", "top_k", "top_p")),
}


def run(arguments: Namespace) -> int:
    """The command."""
    path = Path(arguments.model)
    checkpoint = load(path / "model.npz" if path.is_dir() else path)
    task = task_of_model(checkpoint.training.model.kind)
    if task.name is not None:
        return task.sample(arguments, checkpoint)
    _check_options(arguments)
    model, tokenizer = checkpoint.training.model, checkpoint.tokenizer
    prompts = _prompts(arguments, path, checkpoint)
    length = SAMPLE["length"] if arguments.length is None else arguments.length
    distinct = list(dict.fromkeys(prompts))
    if arguments.show_top is not None:
        count, tau = arguments.show_top, arguments.temperature
        return _show_top(model, tokenizer, distinct, count, tau)
    if arguments.beam is not None:
        return _beam(model, tokenizer, distinct, length, arguments.beam)
    count = SAMPLE["count"] if arguments.count is None else arguments.count
    seed = SAMPLE["seed"] if arguments.seed is None else arguments.seed
    chosen = [prompts[k % len(prompts)] for k in range(count)]
    if arguments.greedy:
        chosen = list(dict.fromkeys(chosen))
        if arguments.count is not None and len(chosen) < count:
            print(
                f"minilstm: --greedy continues a prompt in one way only, so --count {count} prints"
                f" {len(chosen)} {_some('text', len(chosen))}",
                file=sys.stderr,
            )
    k, p = arguments.top_k, arguments.top_p
    if arguments.compare is not None:
        samplings = [Sampling(tau, k, p) for tau in arguments.compare]
        return _compare(model, tokenizer, chosen, length, samplings, seed)
    tau = (
        SAMPLE["temperature"]
        if arguments.temperature is None
        else arguments.temperature
    )
    sampling = Sampling(tau, k, p, bool(arguments.greedy))
    _write(
        tokenizer,
        chosen,
        generate_in_chunks(
            model, tokenizer, chosen, length, sampling, np.random.default_rng(seed)
        ),
    )
    return 0


def _write(
    tokenizer: Tokenizer, prompts: list[str], chunks: Iterator[np.ndarray]
) -> None:
    """Print the first text as it comes, then the others. In a terminal a prompt is in brackets, as in samples.txt."""
    known: list[str] = []  # and not printed yet
    in_terminal = sys.stdout.isatty()

    def show() -> None:
        print(harmless("".join(known)), end="")
        known.clear()

    try:
        for prompt, ids in zip(prompts, _in_turn(chunks, len(prompts), show)):
            has_lines = False
            for k, chunk in enumerate(tokenizer.chunks(prompt, ids)):
                known.append(f"[{chunk}]" if k == 0 and in_terminal else chunk)
                has_lines = has_lines or "\n" in chunk
            known.append("\n" + f"{'-' * 40}\n" * has_lines)
            show()
    except KeyboardInterrupt:
        known.append("\n")
        show()
        raise


def _in_turn(
    chunks: Iterator[np.ndarray], count: int, show: Callable[[], None]
) -> Iterator[Iterator[int]]:
    """The ids of each text.

    When those of a text are used up, all is shown before the next chunk (T, B).
    """
    written: list[np.ndarray] = []

    def ids_of(text: int) -> Iterator[int]:
        k = 0
        while True:
            if k == len(written):
                show()
                sys.stdout.flush()
                chunk = next(chunks, None)
                if chunk is None:
                    return
                written.append(chunk)
            yield from written[k][:, text].tolist()
            k += 1

    return (ids_of(text) for text in range(count))


def _check_options(arguments: Namespace) -> None:
    """Raise InputError for options without effect, rather than ignore them silently."""
    refuse_inputs(arguments)
    for name, (does, others) in WITHOUT_EFFECT.items():
        given = [
            option(other) for other in others if getattr(arguments, other) is not None
        ]
        if getattr(arguments, name) is not None and given:
            raise InputError(
                f"{option(name)} {does}, so {' and '.join(given)}"
                f" {'has' if len(given) == 1 else 'have'} no effect;"
                f" leave {'it' if len(given) == 1 else 'them'} out"
            )
    if arguments.prompt is not None and arguments.prompt_file is not None:
        raise InputError(
            "--prompt and --prompt-file both set the prompt; give one of them"
        )
    if arguments.temperature == 0:
        instead = "to always take the most likely token, use --greedy"
        if arguments.show_top is not None:
            instead = "give a number above 0"
        raise InputError(f"--temperature 0 would divide by zero; {instead}")
    if arguments.encoding is not None and arguments.prompt_file is None:
        raise InputError(
            "--encoding is for --prompt-file; add that, or leave --encoding out"
        )


def _prompts(arguments: Namespace, path: Path, checkpoint: Checkpoint) -> list[str]:
    """The prompts given, or those of the run. The model can read each of them."""
    prompts = (
        checkpoint.settings.get("prompts")
        if arguments.prompt is None
        else arguments.prompt
    )
    if arguments.prompt_file is not None:
        prompts = [
            read_text(arguments.prompt_file, arguments.encoding).removesuffix("\n")
        ]
    if (
        not isinstance(prompts, list)
        or not prompts
        or not all(isinstance(prompt, str) for prompt in prompts)
    ):
        raise InputError(f"{path} has no prompts of its own; give one with --prompt")
    tokenizer: Tokenizer = checkpoint.tokenizer
    unknown_id = tokenizer.unknown_id
    for prompt in dict.fromkeys(prompts):
        try:
            unknown = int(np.count_nonzero(tokenizer.encode(prompt) == unknown_id))
        except UnknownTokenError:
            position, character = next(
                (k, c) for k, c in enumerate(prompt) if c not in tokenizer.tokens
            )
            raise InputError(
                f"the model cannot read the {tokenizer.unit} {character!r}"
                f" (U+{ord(character):04X}) at position {position}"
                " (counted from 0) of the prompt, because its training text has none;"
                " leave it out"
            ) from None
        if unknown_id is not None and unknown:
            print(
                f"minilstm: {title(prompt, 60)}: the model does not know {unknown}"
                f" {_some(tokenizer.unit, unknown)} of"
                f" the prompt and reads {tokenizer.show(unknown_id)} there",
                file=sys.stderr,
            )
    return prompts


def _show_top(
    model: LanguageModel,
    tokenizer: Tokenizer,
    prompts: list[str],
    count: int,
    temperature: float | None,
) -> int:
    """A table for each prompt: the most likely next tokens with their probabilities."""
    forbidden = forbidden_ids(tokenizer)
    possible = tokenizer.vocab_size - len(forbidden)
    if count > possible:
        raise InputError(
            f"--show-top must be at most {possible}, the number of tokens that the"
            f" model can generate, not {count}"
        )
    shown = (
        TEMPERATURES_SHOWN
        if temperature is None
        else tuple(dict.fromkeys((1.0, temperature)))
    )
    logits, _ = read_prompts(model, tokenizer, prompts)
    # of (B, V)
    tables = [Sampling(tau).distribution(logits, forbidden) for tau in shown]
    ranked = np.argsort(
        -np.where(np.isin(np.arange(model.vocab_size), forbidden), -np.inf, logits),
        axis=1,
        kind="stable",
    )
    head = f"next {tokenizer.unit}"
    for b, prompt in enumerate(prompts):
        names = [harmless(tokenizer.show(k)) for k in ranked[b, :count].tolist()]
        width = max(map(columns_of, [head, *names]))
        print("\n" * (b > 0) + title(prompt, terminal_width()))
        print(
            f"rank  {pad(head, width)}"
            + "".join(f"{f'τ = {tau}':>11}" for tau in shown)
        )
        for rank, (name, k) in enumerate(zip(names, ranked[b]), 1):
            print(
                f"{rank:>4}  {pad(name, width)}"
                + "".join(f"{p[b, k]:>11.2%}" for p in tables)
            )
    return 0


def _beam(
    model: LanguageModel,
    tokenizer: Tokenizer,
    prompts: list[str],
    length: int,
    width: int,
) -> int:
    """A table for each prompt: the texts found, with their log probabilities."""
    for b, prompt in enumerate(prompts):
        print("\n" * (b > 0) + title(prompt, terminal_width()))
        # the search may take long
        print(f"{'log P':>8}{'per token':>10}  text", flush=True)
        for found in beam_search(model, tokenizer, prompt, length, width):
            per_token = found.log_probability / len(found.ids)
            numbers = f"{found.log_probability:>8.2f}{per_token:>10.3f}  "
            for k, line in enumerate(
                wrap(_written(tokenizer, found.ids), terminal_width() - len(numbers))
            ):
                print((" " * len(numbers) if k else numbers) + line)
    return 0


def _compare(
    model: LanguageModel,
    tokenizer: Tokenizer,
    prompts: list[str],
    length: int,
    samplings: list[Sampling],
    seed: int,
) -> int:
    """Samples side by side, from the same random numbers; measures below them.

    All temperatures are written at the same pace, so that Ctrl-C has something of each
    to show.
    """
    streams = [
        generate_in_chunks(
            model, tokenizer, prompts, length, s, np.random.default_rng(seed)
        )
        for s in samplings
    ]
    chunks: list[list[np.ndarray]] = [[] for _ in samplings]
    interrupted = None
    try:
        for further in zip_longest(*streams):
            for so_far, chunk in zip(chunks, further):
                so_far += [] if chunk is None else [chunk]
    except KeyboardInterrupt as stop:
        if not all(chunks):
            raise
        interrupted = stop
    written = [cut_at_end(np.concatenate(so_far), tokenizer) for so_far in chunks]
    names = [f"τ = {s.temperature}" for s in samplings]
    width, gap = terminal_width(), len(BETWEEN)
    abreast = min(len(names), (width + gap) // (NARROWEST_COLUMN + gap))
    column = (width + gap) // abreast - gap
    for first in range(0, len(names), abreast):
        band = slice(first, first + abreast)
        print("\n".join(beside(names[band], column)))
        for k, prompt in enumerate(prompts):
            print(
                f"\n{title(prompt, width)}"
                if k == 0 or prompt != prompts[k - 1]
                else ""
            )
            print(
                "\n".join(
                    beside(
                        [_written(tokenizer, ids[k]) for ids in written[band]], column
                    )
                )
            )
        print()
    if interrupted is not None:
        raise interrupted
    _print_measures(
        names, [measure(model, tokenizer, prompts, ids) for ids in written], width
    )
    explanation = (
        f"\nmeasured on {len(prompts)} {_some('text', len(prompts))} at each"
        " temperature τ (--count)"
        "\ndistinct-n: the fraction of different ones among all runs of n"
        f" {tokenizer.unit}s"
        f"\nlog-likelihood: mean per {tokenizer.unit}, in nats, by the model at τ = 1.0"
        "\nperplexity: exp(-log-likelihood)"
    )
    print("\n".join(wrap(explanation, width)))
    return 0


def _print_measures(names: list[str], measures: list[Measures], width: int) -> None:
    """A column for each temperature, as many as fit, then the others below."""
    rows = [
        (f"distinct-{n + 1}", [_decimals(m.distinct[n]) for m in measures])
        for n in range(LONGEST)
    ]
    rows += [
        ("log-likelihood", [_decimals(m.log_likelihood) for m in measures]),
        ("perplexity", [f"{m.perplexity:.4g}" for m in measures]),
        ("tokens", [str(m.tokens) for m in measures]),
    ]
    column = max(len(name) for name in [*names, "1.234e+56"]) + 2
    label = len("log-likelihood")
    abreast = max(1, (width - label) // column)
    for first in range(0, len(names), abreast):
        band = slice(first, first + abreast)
        print("\n" * (first > 0), end="")
        for head, values in [("", names), *rows]:
            print(
                f"{head:<{label}}"
                + "".join(f"{value:>{column}}" for value in values[band])
            )


def _decimals(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.3f}"


def _some(noun: str, count: int) -> str:
    return noun if count == 1 else noun + "s"


def _written(tokenizer: Tokenizer, ids: np.ndarray) -> str:
    """The text after the prompt, made visible: the end token, or quotes for spaces."""
    text = tokenizer.decode(ids)
    if not text.strip():
        return repr(text) if text else tokenizer.show(tokenizer.eos_id)
    return harmless(text)
