"""The training set and the validation set of a run of the command line."""

import csv
import json
from collections import Counter

import numpy as np
import pytest

from minilstm import InputError
from minilstm.cli import data, sources
from minilstm.cli.settings import build_model, resolve_settings
from minilstm.corpora.headlines import PROMPTS, UNFAMILIAR_PROMPT
from minilstm.data.batches import SequenceBatches
from minilstm.data.windows import StatelessWindows, WindowBatches


def load(*files, **given):
    """The data of a run with small batches."""
    names = [str(name) for name in files]
    return data.load(names, resolve_settings(sources.source_kind(names), {"batch_size": 4, **given}))


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


def test_each_line_is_in_either_the_training_or_the_validation_set(lines):
    loaded = load(lines)
    train, valid = texts(loaded, loaded.train), texts(loaded, loaded.valid)
    assert len(valid) == 10 and not set(train) & set(valid)
    assert sorted(train + valid) == sorted(lines.read_text().split("\n"))


def test_the_validation_set_of_a_long_text_is_contiguous(lines):
    # every character once
    lines.write_text("".join(chr(0x4E00 + k) for k in range(2000)))
    loaded = load(lines, window=5)
    seen = [{int(k) for batch in part.epoch() for k in batch.inputs.ravel()} for part in (loaded.train, loaded.valid)]
    assert not seen[0] & seen[1] and len(seen[1]) > 195 and len(seen[0]) > 1790


def test_the_seed_decides_the_validation_set(lines):
    held_out = lambda seed: texts(loaded := load(lines, seed=seed), loaded.valid)
    assert held_out(1) == held_out(1) != held_out(2)


def test_training_headlines_are_new_and_validation_headlines_are_fixed():
    loaded = load("headlines")
    held_out = texts(loaded, loaded.valid)
    assert held_out == texts(loaded, loaded.valid) and len(held_out) == data.VALIDATION_TEXTS["headlines"]
    rng = np.random.default_rng([0, 0])
    first, second = texts(loaded, loaded.train, rng), texts(loaded, loaded.train, rng)
    assert len(first) == data.EPOCH["headlines"]
    for a, b in [(first, held_out), (first, second), (second, held_out)]:
        # short ones may repeat by chance
        assert len(set(a) & set(b)) < 0.2 * len(set(b))
    assert all(map(loaded.corpus.accepts, held_out[:100] + first[:100]))
    assert loaded.prompts == [*PROMPTS, UNFAMILIAR_PROMPT]
    for prompt in loaded.prompts:
        loaded.tokenizer.encode(prompt)


def test_the_fingerprint_changes_with_the_text_and_its_division(lines):
    prints = {load(lines).fingerprint, load(lines, seed=1).fingerprint}
    lines.write_text(lines.read_text().replace("99", "98"))
    assert len({*prints, load(lines).fingerprint}) == 3
    assert load(lines).fingerprint == load(lines).fingerprint


@pytest.mark.parametrize(
    "text, expected",
    [
        ("to be or\nnot to be\n" * 20, {"to ", "not "}), ("abc\nacb\n" * 20, {"a"}), ("x\n" * 20, {"x"}),
        ("un\u00a0deux\nquatre\u00a0cinq\n" * 20, {"un\u00a0", "quatre\u00a0"}),
        ("Anna\tf\nBruno\tm\n" * 20, {"Anna\t", "Bruno\t"}),
        ("a  b\n" * 20, {"a  "}), ("  a b\n" * 20, {"a "}),
    ],
)
def test_prompts_are_the_first_words_of_validation_lines(lines, text, expected):
    lines.write_text(text)
    assert set(load(lines).prompts) == expected


def test_of_ten_or_more_files_some_are_the_validation_set_and_of_fewer_a_part_of_each(tmp_path):
    files = [tmp_path / f"{k}.txt" for k in range(12)]
    for k, file in enumerate(files):
        file.write_text(chr(97 + k) * 100)  # each character shows its file

    def characters(loaded, part):
        return Counter("".join(loaded.tokenizer.tokens[i - 1] for batch in part.epoch() for i in batch.inputs.ravel()
                               if i != loaded.tokenizer.eos_id))

    loaded = load(*files, window=5, batch_size=1)
    train, valid = characters(loaded, loaded.train), characters(loaded, loaded.valid)
    assert not train.keys() & valid.keys() and len(valid) == 1 and len(train) == 11
    loaded = load(*files[:3], window=5, batch_size=1)
    train, valid = characters(loaded, loaded.train), characters(loaded, loaded.valid)
    assert train == dict.fromkeys("abc", 90) and valid == dict.fromkeys("abc", 10)
    # between the files
    assert sum(loaded.tokenizer.eos_id in batch.inputs for batch in loaded.train.epoch()) == 2


def test_several_files_of_lines_are_one_corpus(tmp_path):
    for k in range(3):
        (tmp_path / f"{k}.txt").write_text("\n".join(f"{k} {j}" for j in range(20)))
    loaded = load(*(tmp_path / f"{k}.txt" for k in range(3)))
    assert len(texts(loaded, loaded.train)) == 54 and len(texts(loaded, loaded.valid)) == 6
    assert {text[0] for text in texts(loaded, loaded.train)} == set("012")


def test_windows_are_stateful_unless_carry_is_turned_off(lines):
    stateful, stateless = load(lines, window=9), load(lines, window=9, carry=False)
    assert isinstance(stateful.train, WindowBatches) and isinstance(stateless.train, StatelessWindows)
    assert isinstance(stateful.valid, WindowBatches) and isinstance(stateless.valid, StatelessWindows)
    for loaded in (stateful, stateless):
        assert next(loaded.train.epoch()).inputs.shape == (9, 4)


def test_sequences_are_cut_after_max_length(lines):
    for loaded, longest in [(load(lines, max_length=3), 3), (load(lines), 7)]:
        assert max(len(batch.inputs) for batch in loaded.train.epoch()) == longest
        assert max(len(batch.inputs) for batch in loaded.valid.epoch()) == longest


def test_vocab_limits_the_number_of_ids(lines):
    lines.write_text("a b c d\n" * 40)
    assert load(lines, tokens="words", vocab=5).tokenizer.tokens == ("d", "c", "b")
    assert "25.0% unknown" in load(lines, tokens="words", vocab=5).description
    assert load(lines, tokens="words").tokenizer.vocab_size == 6
    assert load(lines, tokens="words").characters == 7 / 4


def test_a_text_of_unknown_words_only_is_refused(lines):
    lines.write_text("\n".join(f"word{chr(97 + k)}" for k in range(20)))
    with pytest.raises(InputError, match="all words of the validation set are unknown: give more text$"):
        load(lines, tokens="words")
    with pytest.raises(InputError, match="all words of the validation set are unknown.*, or a larger --vocab"):
        load(lines, tokens="words", vocab=4)


def test_recipes_without_directions_are_skipped_and_counted(tmp_path):
    recipes = [{"title": f"Dish {k}", "directions": ["Cook it.", "Eat it."]} for k in range(30)]
    recipes += [{"title": "Nothing"}, {"title": "Nothing", "directions": []}, {"directions": ["Cook."]}]
    for k, part in enumerate((recipes[:10], recipes[10:])):
        (tmp_path / f"{k}.json").write_text(json.dumps(part))
    loaded = load(tmp_path / "0.json", tmp_path / "1.json", preset="recipes")
    assert "; 3 without title or directions left out" in loaded.description
    assert len(texts(loaded, loaded.train)) + len(texts(loaded, loaded.valid)) == 30
    assert texts(loaded, loaded.train)[0].startswith("recipe for dish 0 | cook it. eat it.")


def test_headlines_as_published_are_padded_on_the_left_in_the_order_of_the_file(real_data):
    path = real_data("ag_news_test.csv")
    settings = resolve_settings("file", {"preset": "headlines", "as_published": True})
    loaded = data.load([str(path)], settings)
    assert len(loaded.tokenizer.tokens) == 81 and loaded.tokenizer.vocab_size == 83 and loaded.tokenizer.eos_id == 82
    assert loaded.valid is None and len(loaded.train) == 950 and loaded.prompts == ["Today "]
    assert build_model(settings, 83).parameters.flat.size == 119_251
    with open(path, newline="", encoding="utf-8") as file:
        titles = [row[1] for row in csv.reader(file)][:8]
    for rng in (None, np.random.default_rng(0)):
        batch = next(loaded.train.epoch(rng))
        assert batch.lengths is None and len(batch.inputs) == max(map(len, titles))
        for b, title in enumerate(titles):
            pads = len(batch.inputs) - len(title)
            assert not batch.inputs[:pads, b].any() and (batch.inputs[pads:, b] == loaded.tokenizer.encode(title)).all()
            assert (batch.targets[:-1, b] == batch.inputs[1:, b]).all() and batch.targets[-1, b] == 82


def test_headlines_of_a_preset_are_padded_on_the_right_and_divided(real_data):
    loaded = load(real_data("ag_news_test.csv"), preset="headlines", batch_size=8)
    batch = next(loaded.train.epoch(np.random.default_rng(0)))
    assert batch.lengths is not None and (batch.inputs[0] > 0).all() and isinstance(loaded.valid, SequenceBatches)
    assert len(loaded.valid.sequences) == 760


def test_recipes_as_published_are_padded_on_the_right_to_two_hundred(real_data):
    loaded = load(real_data("public_domain_recipes.json"), preset="recipes", as_published=True, batch_size=32)
    batch = next(loaded.train.epoch(np.random.default_rng(0)))
    assert batch.inputs.shape == (200, 32) and batch.lengths is None and loaded.valid is None
    assert (batch.inputs[1:] == batch.targets[:-1]).all() and (batch.inputs[0] > 0).all()
    assert not batch.targets[-1, (batch.inputs == 0).any(axis=0)].any()


def test_the_entropy_floor_is_given_only_if_all_words_are_known(monkeypatch):
    monkeypatch.setitem(data.EPOCH, "recipes", 40)
    monkeypatch.setitem(data.VALIDATION_TEXTS, "recipes", 20)
    assert load("recipes").corpus is not None
    for given in ({"vocab": 30}, {"tokens": "chars"}):
        assert load("recipes", **given).corpus is None


@pytest.mark.parametrize(
    "text",
    [
        "\u53e4\u6c60\u3084\u3000\u86d9\u98db\u3073\n\u67ff\u304f\u3078\u3070\u3000\u9418\u304c\n",  # ideographic space
        "un\u00a0deux\u00a0trois\nquatre\u00a0cinq\n",  # no-break space
        "Anna\tf\nBruno\tm\n",
        "a\n", "\u3000\u3000a\n", "  a  b\n", "\u00a0x\n", "\U0001f600\U0001f603\n",
    ],
)
@pytest.mark.parametrize("options", [{}, {"window": 5}, {"tokens": "words"}, {"preset": "headlines", "as_published": True}])
def test_default_prompts_have_only_known_tokens(lines, text, options):
    lines.write_text(text * 40, "utf-8")
    loaded = load(lines, **options)
    assert 0 < len(loaded.prompts) <= 4
    for prompt in loaded.prompts:
        ids = loaded.tokenizer.encode(prompt)
        assert len(ids) and loaded.tokenizer.unknown_id not in ids
        assert options.get("tokens") == "words" or prompt in text


def test_prompts_have_only_known_words(lines):
    lines.write_text("".join(f"the word{k} ends\n" for k in range(40)))
    # each line has its own word, so no beginning is known
    assert load(lines, tokens="words").prompts == ["the"]
    lines.write_text("the same words\n" * 40)
    assert load(lines, tokens="words").prompts == ["the same "]


def test_prompts_of_a_preset_with_unknown_tokens_are_replaced_by_the_text(lines):
    for published in ({}, {"as_published": True}):
        assert load(lines, preset="headlines", **published).prompts == ["line "]


@pytest.mark.parametrize("column, second", [(None, ["b a"] * 20), ("title", ["t,u"] + ["b a,2"] * 20)])
def test_a_column_applies_only_to_tables(tmp_path, column, second):
    (tmp_path / "a.txt").write_text("a b\n" * 20)
    other = tmp_path / ("b.csv" if column else "b.txt")
    other.write_text("\n".join(second).replace("t,u", "title,number"))
    loaded = load(tmp_path / "a.txt", other, column=column)
    assert set(texts(loaded, loaded.train)) == {"a b", "b a"}


def test_sources_that_cannot_be_combined_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("a")
    combined = "a built-in corpus and cannot be combined"
    for names, words in [(["a.txt", "./a.txt"], "named twice"), (["headlines", "a.txt"], combined),
                         (["headlines", "recipes"], combined)]:
        with pytest.raises(InputError, match=words):
            sources.resolve_sources(names)
    assert sources.resolve_sources(["recipes"]) == ["recipes"]
    assert sources.resolve_sources(["a.txt"]) == [str(tmp_path / "a.txt")]
    assert sources.resolve_sources(["./recipes"]) == [str(tmp_path / "recipes")]


def test_sources_are_described_in_a_few_words(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert sources.describe(["a.txt"]) == "a.txt" and sources.describe(["a.txt"] * 249) == "a.txt and 248 others"
    assert sources.folder_name(["headlines"]) == "headlines" and sources.folder_name(["texts/a.b.txt"]) == "a.b"
    assert sources.folder_name([str(tmp_path / "book" / name) for name in ("1.txt", "2.txt")]) == "book"
    assert sources.folder_name([str(tmp_path / "book" / "x" / "1.txt"), str(tmp_path / "book" / "y" / "2.txt")]) == "book"
    assert sources.folder_name(["/1.txt", "/2.txt"]) == "files"


def test_a_pattern_that_the_shell_did_not_expand_is_expanded(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("b.txt", "a.txt", "c.csv", "odd[1].txt"):
        (tmp_path / name).write_text("x\ny\n")
    assert sources.resolve_sources(["[ab].txt"]) == [str(tmp_path / "a.txt"), str(tmp_path / "b.txt")]
    assert sources.resolve_sources(["odd[1].txt"]) == [str(tmp_path / "odd[1].txt")]
    # the reader reports that there is none
    assert sources.resolve_sources(["*.md"]) == [str(tmp_path / "*.md")]
    with pytest.raises(InputError, match="named twice"):
        sources.resolve_sources(["*.txt", "a.txt"])


@pytest.mark.parametrize("line, hint", [("word " * 100, True), ("word " * 10, False)])
def test_long_lines_get_a_hint(tmp_path, line, hint):
    (tmp_path / "book.txt").write_text(f"{line}\n" * 40)
    text = load(str(tmp_path / "book.txt"))
    assert ("for one long text add --window 256" in text.description) == hint
