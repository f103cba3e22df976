"""``minilstm sample``: what it prints, and one clear sentence for every error."""

import contextlib
import io
import re
import subprocess
import sys

import numpy as np
import pytest

from minilstm import LanguageModel
from minilstm.cli import main as cli
from minilstm.cli import sample as command
from minilstm.generation.beam import beam_search
from minilstm.generation.metrics import measure
from minilstm.generation.sampling import Sampling, generate_ids
from minilstm.training.checkpoint import load
from tests.helpers.commands import refused
from tests.helpers.words import Words


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run, trained on forty lines for two epochs."""
    folder = tmp_path_factory.mktemp("sample")
    lines = [f"line {k} says {'abc'[k % 3] * (k % 5 + 1)}" for k in range(40)]
    (folder / "lines.txt").write_text("\n".join(lines), "utf-8")
    with contextlib.redirect_stdout(io.StringIO()):
        train = ["train", str(folder / "lines.txt"), "--hidden", "8", "--batch-size", "4", "--epochs", "2"]
        assert cli.main([*train, "--out", str(folder / "run")]) == 0
    return folder / "run"


@pytest.fixture
def sample(folder, run, monkeypatch):
    """Run the command in 80 columns: exit status, standard output, standard error."""
    monkeypatch.setenv("COLUMNS", "80")
    return lambda *options: run("sample", folder, *options)


@pytest.fixture
def printed(sample):
    """What a command that succeeds prints."""

    def printed(*options):
        status, out, err = sample(*options)
        assert (status, err) == (0, ""), err
        return out

    return printed


def replace_model(monkeypatch, tokenizer, biases):
    """The command loads a model that gives every next token these logits."""
    model = LanguageModel(tokenizer.vocab_size, hidden=3)
    model.parameters.flat[:] = 0
    model.parameters["output.b"][...] = biases

    def loaded(path):
        checkpoint = load(path)
        checkpoint.tokenizer, checkpoint.training.model = tokenizer, model
        return checkpoint

    monkeypatch.setattr(command, "load", loaded)


@pytest.fixture
def words(monkeypatch):
    """A word model whose most likely token is an unknown word, and then "beef"."""
    replace_model(monkeypatch, Words("roast the beef slowly"), [-9, 9, 1, 1, 6, 1])


def test_samples_are_seeded_and_follow_their_options(printed):
    sample = lambda *options: printed("--length", 30, *options)
    assert sample() == sample() == sample("--seed", 0, "--count", 5, "--temperature", 0.7) != sample("--seed", 1)
    assert 5 * sample("--greedy", "--prompt", "line") == sample("--top-k", 1, "--prompt", "line")
    assert all(line.startswith("line 3") for line in sample("--prompt", "line 3").splitlines())
    assert len(sample("--count", 3).splitlines()) == 3
    assert 5 * sample("--greedy", "--prompt", "l") == sample("--top-p", 1e-9, "--prompt", "l")


def test_a_greedy_text_is_printed_once_and_a_larger_count_is_answered(sample, printed):
    prompts = ["--prompt", "line", "--prompt", "says", "--length", 9]
    once = printed("--greedy", *prompts)
    assert [line[:4] for line in once.splitlines()] == ["line", "says"]
    assert printed("--greedy", *prompts, "--count", 1) == once.splitlines(keepends=True)[0]
    assert printed("--greedy", *prompts, "--count", 2) == once
    note = "minilstm: --greedy continues a prompt in one way only, so --count 3 prints 2 texts\n"
    assert sample("--greedy", *prompts, "--count", 3) == (0, once, note)


def test_several_prompts_are_used_in_turn(printed):
    lines = printed("--prompt", "line", "--prompt", "says", "--count", 3, "--length", 4).splitlines()
    assert [line[:4] for line in lines] == ["line", "says", "line"]


def test_a_prompt_from_a_file_equals_one_from_the_command_line(printed, tmp_path):
    expected = printed("--prompt", "line 3", "--length", 20)
    for form in (b"line 3", b"line 3\n", b"line 3\r\n", b"\xef\xbb\xbfline 3\n"):
        (tmp_path / "prompt.txt").write_bytes(form)
        assert printed("--prompt-file", tmp_path / "prompt.txt", "--length", 20) == expected
    # a space at the end belongs to it
    (tmp_path / "prompt.txt").write_bytes(b"line 3 ")
    assert printed("--prompt-file", tmp_path / "prompt.txt", "--length", 20).startswith("line 3 ")


@pytest.mark.parametrize(
    "content, words",
    [(b"", "is empty"), (b"\n", "is empty"), (b"\xff\xff", "not UTF-8"), (None, "cannot read"),
     (b"line\n\n", "'\\n' (U+000A) at position 4")],
)
def test_a_file_without_a_prompt_is_refused(sample, tmp_path, content, words):
    if content is not None:
        (tmp_path / "prompt.txt").write_bytes(content)
    refused(sample("--prompt-file", tmp_path / "prompt.txt"), 2, words)


def test_a_long_prompt_is_read_in_parts(printed, tmp_path):
    (tmp_path / "prompt.txt").write_text("line 3 says c" * 200, "utf-8")
    out = printed("--prompt-file", tmp_path / "prompt.txt", "--show-top", 2)
    assert re.match(r"after '….*line 3 says c'\n", out) and len(out.splitlines()[0]) == 80


def table(text):
    """Temperatures, tokens and percentages of a table of the most likely tokens."""
    head, *rows = text.splitlines()[1:]
    cut = [re.match(r" *(\d+)  (\S+|' ') +((?: +[\d.]+%)+)$", row) for row in rows]
    assert [int(m[1]) for m in cut] == list(range(1, len(rows) + 1))
    return (re.findall(r"τ = (\S+)", head), [m[2] for m in cut],
            np.array([[float(p) for p in m[3].replace("%", "").split()] for m in cut]))


def test_the_most_likely_tokens_are_shown_with_their_probabilities(printed, folder):
    names, tokens, percentages = table(printed("--show-top", 5, "--prompt", "line 3 say"))
    checkpoint = load(folder / "model.npz")
    tokenizer = checkpoint.tokenizer
    logits, _ = checkpoint.training.model.logits(tokenizer.encode("line 3 say")[:, None])
    a = logits[-1, 0].astype(np.float64)
    a[tokenizer.padding_id] = -np.inf
    assert names == ["1.0", "0.2"] and percentages.shape == (5, 2)
    for T, column in zip((1.0, 0.2), percentages.T):
        p = np.exp(a / T) / np.exp(a / T).sum()
        np.testing.assert_allclose(column, np.sort(p)[::-1][:5] * 100, atol=0.006)
    assert tokens == [tokenizer.show(k) for k in np.argsort(-a)[:5]]


def test_the_most_likely_tokens_are_shown_for_each_temperature_and_prompt(printed):
    assert table(printed("--show-top", 2, "--prompt", "l", "--temperature", 3))[0] == ["1.0", "3.0"]
    assert table(printed("--show-top", 2, "--prompt", "l", "--temperature", 1))[0] == ["1.0"]
    tables = printed("--show-top", 3, "--prompt", "line", "--prompt", "says", "--prompt", "line").split("\n\n")
    assert [t.splitlines()[0] for t in tables] == ["after 'line'", "after 'says'"]
    assert all(len(table(t)[1]) == 3 for t in tables)


def test_all_tokens_can_be_shown_but_no_more(printed, sample, folder):
    # padding is never generated
    possible = load(folder / "model.npz").tokenizer.vocab_size - 1
    percentages = table(printed("--show-top", possible, "--prompt", "line"))[2]
    np.testing.assert_allclose(percentages.sum(axis=0), 100, atol=0.2)
    refused(sample("--show-top", possible + 1, "--prompt", "line"), 2, f"--show-top must be at most {possible}")


def test_a_beam_shows_what_it_finds_after_each_prompt(printed, folder):
    out = printed("--beam", 3, "--length", 8, "--prompt", "line 3", "--prompt", "says", "--prompt", "line 3")
    checkpoint = load(folder / "model.npz")
    assert out == printed("--beam", 3, "--length", 8, "--prompt", "line 3", "--prompt", "says")
    for prompt, block in zip(("line 3", "says"), out.split("\n\n"), strict=True):
        title, head, *rows = block.splitlines()
        found = beam_search(checkpoint.training.model, checkpoint.tokenizer, prompt, 8, 3)
        assert title == f"after {prompt!r}" and head.split() == ["log", "P", "per", "token", "text"]
        for row, h in zip(rows, found, strict=True):
            shown = {"": "<eos>", " ": "' '"}.get(h.text.removeprefix(prompt), h.text.removeprefix(prompt))
            assert row == f"{h.log_probability:>8.2f}{h.log_probability / len(h.ids):>10.3f}  {shown}".rstrip()


def measures(out):
    """The rows of a comparison's table of measures, by name."""
    rows = {}
    for line in out.splitlines():
        match = re.match(r"(distinct-\d|log-likelihood|perplexity|tokens)  ", line)
        if match:
            rows.setdefault(match[1], []).extend(line.split()[1:])
    return rows


def test_a_comparison_measures_what_it_shows(printed, folder):
    out = printed("--compare", "0.2,0.5,1.0,1.5", "--count", 3, "--prompt", "line 3", "--prompt", "l", "--length", 12)
    checkpoint = load(folder / "model.npz")
    model, tokenizer, prompts = checkpoint.training.model, checkpoint.tokenizer, ["line 3", "l", "line 3"]
    rows = measures(out)
    assert list(rows) == [*(f"distinct-{n}" for n in (1, 2, 3, 4)), "log-likelihood", "perplexity", "tokens"]
    for k, T in enumerate((0.2, 0.5, 1.0, 1.5)):
        written = generate_ids(model, tokenizer, prompts, 12, Sampling(T), np.random.default_rng(0))
        expected = measure(model, tokenizer, prompts, written)
        numbers = [float(row[k]) for row in rows.values()]
        exact = [*expected.distinct, expected.log_likelihood, expected.perplexity, expected.tokens]
        np.testing.assert_allclose(numbers, exact, rtol=1e-3, atol=5e-4)
        assert all(tokenizer.decode(ids).split()[-1] in out for ids in written)
    assert "τ = 0.2           | τ = 0.5           | τ = 1.0           | τ = 1.5\n" in out
    assert out.count("after 'line 3'\n") == 2 and "measured on 3 texts at each temperature" in out


def test_a_comparison_uses_the_seed_of_sampling(printed):
    options = ["--prompt", "line 3", "--length", 20, "--count", 2]
    texts = printed("--temperature", 0.5, *options).splitlines()
    shown = printed("--compare", 0.5, *options).splitlines()
    assert all(text.removeprefix("line 3").rstrip() in shown for text in texts)


@pytest.mark.parametrize("width", [20, 40, 80, 200])
@pytest.mark.parametrize(
    "options", [("--compare", "0.2,0.5,1.0,1.5"), ("--beam", 4), ("--show-top", 5), ("--compare", "0.001")]
)
def test_no_line_is_wider_than_the_terminal(printed, monkeypatch, width, options):
    monkeypatch.setenv("COLUMNS", str(width))
    out = printed(*options, "--prompt", "line 3 says c" * 20, *(["--length", 50] if options[0] != "--show-top" else []))
    widest = max(map(len, out.splitlines()))
    assert widest <= max(width, 45 if options[0] == "--show-top" else 28)
    assert width < 200 or widest > 80
    assert out.count("τ = 0.2") == (2 if options[1] == "0.2,0.5,1.0,1.5" else options[0] == "--show-top")


def test_control_characters_of_a_model_do_not_reach_the_terminal(tmp_path, run):
    (tmp_path / "colours.txt").write_text("\x1b[31mred\x07\n\x1b[0mred\n" * 30, "utf-8")
    trained = run("train", tmp_path / "colours.txt", "--hidden", 8, "--steps", 2, "--out", tmp_path / "run", "--window", 6)
    assert trained[0] == 0, trained
    for options in (["--temperature", 5], ["--compare", "1,5"], ["--beam", 9], ["--show-top", 8]):
        status, out, err = run("sample", tmp_path / "run", "--prompt", "\x1b[", *options)
        assert status == 0 and "\\x1b" in out and err == ""
        assert all(c == "\n" or c.isprintable() for c in out)
    # a text of several lines stands on lines of its own
    assert "-" * 40 in run("sample", tmp_path / "run", "--prompt", "r")[1]


def test_a_word_model_reads_prompts_in_any_case_and_names_unknown_words(words, sample, printed):
    out = printed("--prompt", "Roast THE", "--length", 3, "--temperature", 0.1)
    assert set(out.splitlines()) == {"Roast THE beef beef beef"}
    status, out, err = sample("--prompt", "roast ugly geese slowly", "--length", 2, "--greedy", "--count", 1)
    assert (status, out) == (0, "roast ugly geese slowly beef beef\n")
    assert "the model does not know 2 words of the prompt and reads <unknown> there" in err
    assert "does not know 1 word of" in sample("--prompt", "the goose", "--show-top", 1)[2]
    refused(sample("--prompt", "  "), 2, "at least one token")


def test_every_output_of_sample_works_with_words(words, printed, sample):
    out = printed("--show-top", 5, "--prompt", "Roast the")
    assert "next word" in out and re.search(r"\n   1  beef +\d", out) and "<stop>" in out and "unknown" not in out
    refused(sample("--show-top", 6, "--prompt", "roast"), 2, "at most 5")
    assert " beef beef\n" in printed("--beam", 2, "--length", 2, "--prompt", "roast")
    out = printed("--compare", "0.1,3", "--prompt", "roast", "--length", 5)
    assert "beef beef" in out and "runs of n words" in out and measures(out)["tokens"][0] == "25"


def test_a_text_that_ends_at_once_is_shown_by_its_end(printed, monkeypatch):
    replace_model(monkeypatch, Words("roast"), [50, 0, 0])
    assert "<stop>" in printed("--beam", 1, "--prompt", "roast")
    out = printed("--compare", "1", "--count", 1, "--prompt", "roast")
    assert "\n<stop>\n" in out and "measured on 1 text at" in out
    assert measures(out)["distinct-1"] == ["-"] and measures(out)["tokens"] == ["1"]


def test_a_word_with_control_characters_is_harmless_in_a_table(printed, monkeypatch):
    replace_model(monkeypatch, Words("roast \x1b[31mhot"), [0, 0, 0, 9])
    for options in (["--show-top", 2], ["--beam", 1, "--length", 2], ["--length", 3]):
        out = printed("--prompt", "roast", *options)
        assert "\\x1b[31mhot" in out and "\x1b" not in out


@pytest.mark.parametrize(
    "options, words",
    [
        (["--temperature", "0"], "greedy"),
        (["--temperature", "-1"], "temperature must be a finite number greater than 0"),
        (["--temperature", "nan"], "temperature"),
        (["--temperature", "warm"], "--temperature"),
        (["--top-k", "0"], "top_k must be a whole number of at least 1"),
        (["--top-k", "10000"], "top_k must be at most the vocabulary's size"),
        (["--top-p", "0"], "top_p must be above 0"),
        (["--top-p", "2"], "top_p"),
        (["--length", "0"], "--length"),
        (["--count", "-1"], "--count"),
        (["--seed", "-1"], "--seed"),
        (["--beam", "0"], "--beam"),
        (["--show-top", "0"], "--show-top"),
        (["--show-top", "3", "--temperature", "0"], "--temperature 0 would divide by zero; give a number above 0"),
        (["--temperature", "0"], "--temperature 0 would divide by zero; to always take the most likely token, use --greedy"),
        (["--compare", "0.5,"], "--compare: must be a number above 0, not ''"),
        (["--compare", "0.5,0"], "--compare: must be a number above 0, not '0'"),
        (["--compare", "1,inf"], "--compare"),
        (["--compare", "1", "--top-k", "10000"], "top_k must be at most the vocabulary's size"),
        (["--prompt", ""], "a prompt must have at least one token"),
        (["--prompt", "line é"], "the model cannot read the character 'é' (U+00E9) at position 5"),
        (["--show-top", "3", "--prompt", ""], "a prompt must have at least one token"),
        (["--prompt", "line", "--prompt-file", "prompt.txt"], "give one of them"),
    ],
)
def test_impossible_samples_are_refused(sample, options, words):
    assert "unknown=" not in refused(sample(*options), 2, words)


VALUES = {"greedy": [], "temperature": [1], "top_k": [2], "top_p": [0.5], "beam": [2], "compare": ["1,2"], "show_top": [2],
          "length": [4], "count": [2], "seed": [3]}
PAIRS = [(name, other) for name, (_, others) in command.WITHOUT_EFFECT.items() for other in others]


@pytest.mark.parametrize("name, other", PAIRS)
def test_options_that_conflict_are_refused(sample, name, other):
    options = [word for key in (other, name) for word in ("--" + key.replace("_", "-"), *VALUES[key])]
    sentence = refused(sample(*options), 2, "has no effect; leave it out")
    assert all("--" + key.replace("_", "-") in sentence for key in (name, other))


def test_every_pair_of_options_either_works_or_is_refused(sample):
    for name in VALUES:
        for other in VALUES:
            options = [word for key in {name, other} for word in ("--" + key.replace("_", "-"), *VALUES[key])]
            status, out, err = sample(*options, *([] if {name, other} & {"length", "show_top"} else ["--length", 3]))
            assert status == (2 if {(name, other), (other, name)} & set(PAIRS) else 0), (name, other, err)
            if {name, other} == {"greedy", "count"}:  # the same text twice is printed once, with a note
                assert out and re.fullmatch(r"minilstm: --greedy continues .* --count 2 prints 1 text\n", err)
            else:
                assert bool(out) != bool(err)


def test_output_to_a_pipe_has_80_columns(folder):
    result = subprocess.run([sys.executable, "-m", "minilstm", "sample", str(folder), "--compare", "0.2,0.5,1.0,1.5"],
                            capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    assert result.returncode == 0 and result.stderr == "" and max(map(len, result.stdout.splitlines())) <= 80
    assert result.stdout.startswith("τ = 0.2           | τ = 0.5 ")


def test_a_run_without_prompts_asks_for_one(sample, monkeypatch):
    def loaded(path):
        checkpoint = load(path)
        checkpoint.settings["prompts"] = kept
        return checkpoint

    monkeypatch.setattr(command, "load", loaded)
    for kept in (None, [], "line", [["line"]]):
        refused(sample(), 2, "has no prompts of its own; give one with --prompt")
