"""The character tokenizer against naive loops, and every error message."""

import dataclasses
import json
import time
from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minilstm.data.readers import read_csv
from minilstm.data.tokenizers import CharTokenizer
from minilstm.errors import InputError, UnknownTokenError
from tests.helpers.paths import SHARED

DATA = SHARED / "data"

# Any code point, lone surrogates included, and often the same few, so that frequencies
# differ and tie. It is a joined list, since st.text would merge all kinds of
# characters, and these few would be rare.
any_character = st.one_of(st.sampled_from("ab \n"), st.characters(), st.sampled_from("\ud800\udc00\ufffd\0"))
any_text = st.lists(any_character).map("".join)
texts_with_tokens = st.lists(any_text, min_size=1).filter(any)


def naive_tokens(texts):
    """Tokens by falling frequency, ties by first appearance, selected one by one."""
    text = "".join(texts)
    left = []
    for character in text:
        if character not in left:
            left.append(character)
    tokens = []
    while left:
        best = left[0]
        for character in left:
            if text.count(character) > text.count(best):
                best = character
        tokens.append(best)
        left.remove(best)
    return tokens


def naive_encode(tokens, text, unknown_id):
    ids = []
    for character in text:
        id_of_character = unknown_id
        for place, token in enumerate(tokens):
            if token == character:
                id_of_character = place + 1
        ids.append(id_of_character)
    return ids


def naive_decode(tokens, ids, eos_id):
    text = ""
    for id_ in ids:
        if id_ == eos_id:
            return text
        if id_ > len(tokens):
            text += "\ufffd"
        elif id_ > 0:
            text += tokens[id_ - 1]
    return text


@given(texts_with_tokens, st.booleans())
def test_tokens_are_sorted_by_frequency_and_ties_by_first_appearance(texts, unknown):
    tokenizer = CharTokenizer.fit(texts, unknown)
    assert list(tokenizer.tokens) == naive_tokens(texts)
    counts = Counter("".join(texts))
    frequencies = [counts[token] for token in tokenizer.tokens]
    assert frequencies == sorted(frequencies, reverse=True)


@given(texts_with_tokens, st.booleans())
def test_ids_are_consecutive_from_padding_to_eos(texts, unknown):
    tokenizer = CharTokenizer.fit(texts, unknown)
    ids = [tokenizer.padding_id] + [int(tokenizer.encode(token)[0]) for token in tokenizer.tokens]
    ids += [tokenizer.unknown_id] if unknown else []
    ids += [tokenizer.eos_id]
    assert ids == list(range(tokenizer.vocab_size))


def test_a_small_example_by_hand():
    tokenizer = CharTokenizer.fit(["to be", "or not to be"])
    assert tokenizer.tokens == ("o", " ", "t", "b", "e", "r", "n")
    assert (tokenizer.padding_id, tokenizer.unknown_id, tokenizer.eos_id) == (0, None, 8)
    assert tokenizer.vocab_size == 9
    assert tokenizer.encode("not").tolist() == [7, 1, 3]
    assert tokenizer.decode([7, 1, 3, 8]) == "not"


def test_the_unknown_id_is_between_the_tokens_and_eos():
    tokenizer = CharTokenizer.fit(["aab"], unknown=True)
    assert (tokenizer.unknown_id, tokenizer.eos_id, tokenizer.vocab_size) == (3, 4, 5)
    assert tokenizer.encode("a?b\U0010ffff").tolist() == [1, 3, 2, 3]
    assert tokenizer.decode([1, 3, 2]) == "a\ufffdb"


@given(texts_with_tokens)
@example(["\ud83d\ude00", "\U0001f600"])
def test_decode_returns_every_text_that_was_encoded(texts):
    tokenizer = CharTokenizer.fit(texts)
    for text in texts:
        assert tokenizer.decode(tokenizer.encode(text)) == text


@given(texts_with_tokens, any_text)
def test_encode_agrees_with_the_naive_implementation(texts, text):
    tokenizer = CharTokenizer.fit(texts, unknown=True)
    ids = tokenizer.encode(text)
    assert ids.dtype == np.int32 and ids.shape == (len(text),)
    assert ids.tolist() == naive_encode(tokenizer.tokens, text, len(tokenizer.tokens) + 1)


@given(texts_with_tokens, st.booleans(), st.data())
def test_decode_agrees_with_the_naive_implementation(texts, unknown, data):
    tokenizer = CharTokenizer.fit(texts, unknown)
    ids = data.draw(st.lists(st.integers(0, tokenizer.vocab_size - 1)))
    expected = naive_decode(tokenizer.tokens, ids, tokenizer.vocab_size - 1)
    assert tokenizer.decode(ids) == expected
    assert tokenizer.decode(np.array(ids, np.int32)) == expected
    assert tokenizer.decode(list(np.array(ids, np.uint16))) == expected


@given(texts_with_tokens, any_text)
def test_without_an_unknown_id_the_first_unknown_character_is_refused(texts, text):
    tokenizer = CharTokenizer.fit(texts)
    unknown = [position for position, token in enumerate(text) if token not in tokenizer.tokens]
    if not unknown:
        assert tokenizer.encode(text).tolist() == naive_encode(tokenizer.tokens, text, None)
        return
    with pytest.raises(UnknownTokenError) as caught:
        tokenizer.encode(text)
    token = text[unknown[0]]
    assert f"{token!r} (U+{ord(token):04X}) at position {unknown[0]} (counted from 0)" in str(caught.value)


def test_an_unknown_character_is_named_with_its_position():
    message = r"'é' \(U\+00E9\) at position 7 \(counted from 0\).*leave it out"
    with pytest.raises(UnknownTokenError, match=message):
        CharTokenizer.fit(["to be or not"]).encode("to be né")


def test_decode_stops_at_the_first_eos_and_skips_padding():
    tokenizer = CharTokenizer.fit(["ab"])
    assert tokenizer.decode([0, 1, 0, 2, 3, 1, 1]) == "ab"
    assert tokenizer.decode([]) == "" == tokenizer.decode(np.array([], np.int32))


@given(texts_with_tokens, any_text, st.data())
def test_complete_is_the_prompt_followed_by_the_decoded_ids(texts, prompt, data):
    tokenizer = CharTokenizer.fit(texts)
    ids = data.draw(st.lists(st.integers(0, tokenizer.vocab_size - 1)))
    assert tokenizer.complete(prompt, ids) == prompt + naive_decode(tokenizer.tokens, ids, tokenizer.eos_id)


def test_complete_refuses_a_prompt_that_is_not_a_string():
    with pytest.raises(InputError, match="text must be a string, not int"):
        CharTokenizer.fit(["a"]).complete(3, [1])


def test_an_id_is_shown_as_its_character_or_an_escape_if_invisible():
    tokenizer = CharTokenizer.fit(["é '\n\xa0\u0301\u200d\ud800漢"], unknown=True)
    shown = ["<padding>", "é", "' '", "'", r"'\n'", r"'\xa0'", r"'\u0301'", r"'\u200d'", r"'\ud800'", "漢", "[UNK]", "<eos>"]
    assert [tokenizer.show(k) for k in range(tokenizer.vocab_size)] == shown
    assert tokenizer.show(np.int64(1)) == "é"
    assert CharTokenizer.fit(["a"]).show(2) == "<eos>"
    assert tokenizer.unit == "character"


@given(texts_with_tokens)
def test_no_two_ids_are_shown_alike_and_each_on_one_line(texts):
    tokenizer = CharTokenizer.fit(texts, unknown=True)
    shown = [tokenizer.show(k) for k in range(tokenizer.vocab_size)]
    assert len(set(shown)) == tokenizer.vocab_size
    assert all(token.isprintable() and token.strip() for token in shown)


@pytest.mark.parametrize("id_, message", [
    (3, "the id 3 is out of range: this tokenizer's ids are 0 to 2"),
    (-1, "the id -1 is out of range"),
    ("a", "the id 'a' is no integer"),
    (True, "the id True is no integer"),
])
def test_show_refuses_an_unknown_id(id_, message):
    with pytest.raises(InputError, match=message):
        CharTokenizer.fit(["a"]).show(id_)


def test_the_empty_text_has_no_ids():
    ids = CharTokenizer.fit(["ab"]).encode("")
    assert ids.shape == (0,) and ids.dtype == np.int32


def test_encoding_twice_gives_two_independent_arrays():
    tokenizer = CharTokenizer.fit(["ab"])
    tokenizer.encode("ab")[:] = 0
    assert tokenizer.encode("ab").tolist() == [1, 2]


@pytest.mark.parametrize("ids, message", [
    ([1, 4], r"id 4 at position 1 \(counted from 0\) is out of range.*0 to 3"),
    ([-1], r"id -1 at position 0 .* out of range"),
    ([1, 2, 10**30], r"id 1000000000000000000000000000000 at position 2"),
    (np.array([1, -7]), r"id -7 at position 1"),
    ([1, 2.0], r"id 2.0 at position 1 .* no integer"),
    (np.array([1.0]), r"id 1.0 at position 0 .* no integer"),
    ([True], r"id True at position 0 .* no integer"),
    ([None], r"id None at position 0 .* no integer"),
    ("ab", r"id 'a' at position 0 .* no integer"),
    ([[1, 2]], r"id \[1, 2\] at position 0 .* no integer"),
    (np.array([[1, 2]]), r"id \[1, 2\] at position 0 .* no integer"),
    (5, r"sequence of integers, not 5"),
    (np.array(5), r"sequence of integers, not 5"),
])
def test_an_unknown_id_is_named_with_its_position(ids, message):
    with pytest.raises(InputError, match=message):
        CharTokenizer.fit(["ab"]).decode(ids)


@pytest.mark.parametrize("texts, message", [
    ("abc", r"list of strings, not one string.*fit\(\[text\]\)"),
    (None, "not NoneType"),
    (["a", 3], r"texts\[1\] must be a string, not int"),
    (b"abc", r"texts\[0\] must be a string, not int"),
    ([], "at least one character"),
    (["", ""], "at least one character"),
])
def test_fit_says_what_is_wrong_with_the_texts(texts, message):
    with pytest.raises(InputError, match=message):
        CharTokenizer.fit(texts)


def test_fit_takes_any_iterable_of_strings():
    assert CharTokenizer.fit(text for text in ("aab", "c")) == CharTokenizer.fit(["aab", "c"])


def test_encode_refuses_other_types_than_strings():
    with pytest.raises(InputError, match="text must be a string, not bytes"):
        CharTokenizer.fit(["a"]).encode(b"a")


@given(texts_with_tokens, st.booleans())
@example(["\ud83d\ude00"], False)
def test_json_returns_the_same_tokenizer(texts, unknown):
    tokenizer = CharTokenizer.fit(texts, unknown)
    for ensure_ascii in (True, False):
        written = json.dumps(tokenizer.to_json(), ensure_ascii=ensure_ascii)
        again = CharTokenizer.from_json(json.loads(written))
        assert again == tokenizer
        assert (again.tokens, again.unknown_id) == (tokenizer.tokens, tokenizer.unknown_id)


def without(field):
    return {name: value for name, value in CharTokenizer.fit(["ab"]).to_json().items() if name != field}


@pytest.mark.parametrize("form, message", [
    ([1, 2], "JSON object, not as list"),
    (without("kind"), "lacks the field 'kind'"),
    (without("tokens"), "lacks the field 'tokens'"),
    (without("unknown"), "lacks the field 'unknown'"),
    (without("kind") | {"kind": "words"}, "kind 'words', not 'characters'"),
    (without("tokens") | {"tokens": "ab"}, "must be a list, not 'ab'"),
    (without("tokens") | {"tokens": []}, "at least one character"),
    (without("tokens") | {"tokens": ["a", "b", "a"]}, r"tokens\[2\] = 'a' is a duplicate"),
    (without("tokens") | {"tokens": ["a", "bc"]}, r"tokens\[1\] must be a single character, not 'bc'"),
    (without("tokens") | {"tokens": [""]}, r"tokens\[0\] must be a single character, not ''"),
    (without("tokens") | {"tokens": [7]}, r"tokens\[0\] must be a single character, not 7"),
    (without("unknown") | {"unknown": 1}, "unknown must be True or False, not 1"),
])
def test_from_json_says_what_is_wrong(form, message):
    with pytest.raises(InputError, match=message):
        CharTokenizer.from_json(form)


def test_tokens_that_are_not_a_tuple_are_refused():
    with pytest.raises(InputError, match="must be a tuple of characters, not list"):
        CharTokenizer(["a"])


def test_tokenizers_are_equal_when_their_ids_are():
    tokenizer = CharTokenizer.fit(["aab"])
    tokenizer.encode("a")  # the cache of encode does not matter
    assert tokenizer == CharTokenizer.fit(["abab", "a"])
    assert tokenizer != CharTokenizer.fit(["abb"])
    assert tokenizer != CharTokenizer.fit(["aab"], unknown=True)
    assert tokenizer != "ab"
    assert hash(tokenizer) == hash(CharTokenizer.fit(["aab"]))


def test_a_tokenizer_cannot_be_changed():
    tokenizer = CharTokenizer.fit(["ab"])
    with pytest.raises(dataclasses.FrozenInstanceError):
        tokenizer.tokens = ("c",)
    with pytest.raises(AttributeError):
        tokenizer.eos_id = 1


def test_its_repr_is_short():
    assert repr(CharTokenizer.fit(["ab"])) == "<CharTokenizer: 2 characters, vocab_size 4>"
    assert len(repr(CharTokenizer.fit([chr(code) for code in range(5000)]))) < 80


def test_a_million_characters_are_encoded_in_well_under_a_second():
    text = "".join(map(chr, np.random.default_rng(0).integers(32, 120, 1_000_000).tolist()))
    tokenizer = CharTokenizer.fit([text])
    seconds = []
    for _ in range(3):  # the best of three, since the machine may be busy
        start = time.perf_counter()
        tokenizer.encode(text)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 1


def test_the_real_headlines_have_81_characters():
    path = DATA / "ag_news_test.csv"
    if not path.exists():
        pytest.skip("the AG News test file is not beside this checkout")
    titles = read_csv(path, "title")
    tokenizer = CharTokenizer.fit(titles)
    assert len(tokenizer.tokens) == 81 and tokenizer.vocab_size == 83 and tokenizer.eos_id == 82
    assert [tokenizer.decode(tokenizer.encode(title)) for title in titles[:500]] == titles[:500]
