"""What a run of the command line is trained on and what it is judged by."""

import numpy as np
import pytest

from minilstm.commands import data
from minilstm.text.headlines import PROMPTS, UNFAMILIAR_PROMPT


def settings(source, **changes):
    return {"source": str(source), "column": None, "window": None, "batch_size": 4, "seed": 0, **changes}


def texts(loaded, batches, rng=None):
    """All sequences of an epoch as text."""
    return [
        loaded.tokenizer.decode(batch.inputs[:n, b])
        for batch in batches.epoch(rng)
        for b, n in enumerate(batch.lengths)
    ]


@pytest.fixture
def lines(tmp_path):
    (tmp_path / "lines.txt").write_text("\n".join(f"line {k}" for k in range(100)))
    return tmp_path / "lines.txt"


def test_no_line_is_both_trained_on_and_held_out_and_none_is_lost(lines):
    loaded = data.load(settings(lines))
    train, valid = texts(loaded, loaded.train), texts(loaded, loaded.valid)
    assert len(valid) == 10 and not set(train) & set(valid)
    assert sorted(train + valid) == sorted(lines.read_text().split("\n"))


def test_a_running_text_is_held_out_in_one_piece(lines):
    lines.write_text("".join(chr(0x4E00 + k) for k in range(2000)))  # every symbol once
    loaded = data.load(settings(lines, window=5))
    seen = [{int(k) for batch in part.epoch() for k in batch.inputs.ravel()} for part in (loaded.train, loaded.valid)]
    assert not seen[0] & seen[1] and len(seen[1]) > 195 and len(seen[0]) > 1790


def test_the_seed_decides_what_is_held_out(lines):
    held_out = lambda seed: texts(loaded := data.load(settings(lines, seed=seed)), loaded.valid)
    assert held_out(1) == held_out(1) != held_out(2)


def test_headlines_are_new_in_training_and_fixed_where_they_judge():
    loaded = data.load(settings("headlines"))
    held_out = texts(loaded, loaded.valid)
    assert held_out == texts(loaded, loaded.valid) and len(held_out) == data.HELD_OUT_HEADLINES
    rng = np.random.default_rng([0, 0])
    first, second = texts(loaded, loaded.train, rng), texts(loaded, loaded.train, rng)
    assert len(first) == data.EPOCH_OF_HEADLINES
    for a, b in [(first, held_out), (first, second), (second, held_out)]:
        assert len(set(a) & set(b)) < 0.2 * len(set(b))  # short ones may come again by chance
    assert all(map(loaded.corpus.accepts, held_out[:100] + first[:100]))
    assert loaded.prompts == [*PROMPTS, UNFAMILIAR_PROMPT]
    for prompt in loaded.prompts:
        loaded.tokenizer.encode(prompt)


def test_the_fingerprint_changes_with_the_text_and_its_division(lines):
    prints = {data.load(settings(lines)).fingerprint, data.load(settings(lines, seed=1)).fingerprint}
    lines.write_text(lines.read_text().replace("99", "98"))
    assert len({*prints, data.load(settings(lines)).fingerprint}) == 3
    assert data.load(settings(lines)).fingerprint == data.load(settings(lines)).fingerprint


@pytest.mark.parametrize(
    "text, expected",
    [("to be or\nnot to be\n" * 20, {"to ", "not "}), ("abc\nacb\n" * 20, {"a"}), ("x\n" * 20, {"x"})],
)
def test_prompts_are_the_first_words_of_held_out_lines(lines, text, expected):
    lines.write_text(text)
    assert set(data.load(settings(lines)).prompts) == expected
