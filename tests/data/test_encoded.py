"""Texts as ids: the ids of the tokenizer, in little memory."""

import gc
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minilstm.cli import data
from minilstm.cli.settings import resolve_settings
from minilstm.data import encoded, punctuation, tokenizers
from minilstm.data.encoded import EncodedTexts
from minilstm.data.punctuation import split_words, text_chunks
from minilstm.data.tokenizers import CharTokenizer
from minilstm.data.words import WordTokenizer

WORDS = "First Citizen: before we proceed any further, hear me speak. All: speak, speak; you are all resolved rather to die"


@given(st.lists(st.text(max_size=9), min_size=1).filter(any), st.sampled_from([CharTokenizer, WordTokenizer]))
def test_texts_as_ids_equal_those_of_their_tokenizer(texts, kind):
    if not split_words(" ".join(texts)):
        return
    tokenizer = kind.fit(texts)
    expected = [ids.tolist() for ids in map(tokenizer.encode, texts) if len(ids)]
    made = EncodedTexts(tokenizer, texts)
    assert [ids.tolist() for ids in made] == expected == [made[k].tolist() for k in range(len(made))]
    assert made.lengths.tolist() == list(map(len, expected)) and len(made) == len(expected)
    assert made[-1].tolist() == expected[-1] and [ids.tolist() for ids in made[1:3]] == expected[1:3]
    for beyond in (len(expected), -len(expected) - 1):
        with pytest.raises(IndexError):
            made[beyond]


@pytest.mark.parametrize("count, dtype", [(254, np.uint8), (255, np.uint16), (70_000, np.uint32)])
def test_ids_are_kept_in_the_smallest_type_that_holds_them(count, dtype):
    text = "".join(map(chr, range(0x10000, 0x10000 + count)))
    tokenizer = CharTokenizer.fit([text])
    assert EncodedTexts(tokenizer, [text]).ids.dtype == dtype
    assert tokenizer.encode(text).dtype == np.int32


@given(st.text(), st.integers(1, 5))
def test_a_long_text_is_encoded_in_chunks_to_the_same_ids(text, size):
    tokenizer = CharTokenizer.fit([text + "x"])
    whole = tokenizer.encode(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokenizers, "CHUNK", size)
        assert tokenizer.encode(text).tolist() == whole.tolist()
        with pytest.raises(tokenizers.UnknownTokenError, match=f"position {len(text)} "):
            CharTokenizer.fit(["x" if text == "" else text]).encode(text + ("y" if "y" not in text else "\U000f0000"))


@given(st.text(st.sampled_from("aΣςσ'.\u0301\u200d \n\u2028\x1c\xa0,İ")), st.integers(1, 5))
def test_a_text_in_chunks_has_the_same_words(text, size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(punctuation, "CHUNK", size)
        parts = list(text_chunks(text))
        assert "".join(parts) == text and all(part[-1].isspace() for part in parts[:-1])
        assert [word for part in parts for word in split_words(part)] == split_words(text)


@pytest.mark.parametrize("given_options", [{"window": 50}, {}, {"window": 50, "tokens": "words"}, {"tokens": "words"}])
def test_reading_and_encoding_a_text_takes_less_than_eight_times_its_size(tmp_path, monkeypatch, given_options):
    for module, name in ((tokenizers, "CHUNK"), (encoded, "CHUNK"), (punctuation, "CHUNK")):
        # small relative to this text, as a chunk is to a large one
        monkeypatch.setattr(module, name, 1 << 13)
    words, rng = WORDS.split(), np.random.default_rng(0)
    path, small = tmp_path / "text.txt", tmp_path / "small.txt"
    path.write_text("\n".join(" ".join(words[k] for k in rng.integers(len(words), size=15)) for _ in range(2_500)))
    small.write_text(path.read_text()[:9_000])
    settings = resolve_settings("file", given_options)
    data.load([str(small)], settings)  # imports and caches do not count
    gc.collect()
    tracemalloc.start()
    data.load([str(path)], settings)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 1 < peak / path.stat().st_size < 6
