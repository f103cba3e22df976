"""The word tokenizer against naive implementations, and every error message."""

import dataclasses
import json
import re
import string
import unicodedata
from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minilstm import WordTokenizer
from minilstm.data.punctuation import is_mark, join_words, spaced, split_words
from minilstm.data.readers import read_json
from minilstm.data.tokenizers import CharTokenizer
from minilstm.data.whitespace import WhitespaceTokenizer
from minilstm.data.words import tokenizer_from_json
from minilstm.errors import InputError

# Punctuation marks with special rules, words of these rules, and any code point, lone
# surrogates included.
fragment = st.one_of(
    st.sampled_from(["a", "B", "salt", "Chefs", "t", "s", "d", "f", "C", "1", "2", "500", "½", "é", "as"]),
    st.sampled_from(list("..,,:;!?%…()[]{}“”‘’''''\"\"\"--/_‐—–~°℃#$€|||")),
    st.sampled_from([" ", " ", " ", "\n", "\xa0", "\u2028"]),
    st.sampled_from(["Σ", "İ", "\u0301", "\u200d", "\ud83d", "\ude00", "\0", "\ufffd", "\u0378", "漢字", "[UNK]"]),
    st.characters(),
)
any_text = st.lists(fragment).map("".join)
texts_with_words = st.lists(any_text, min_size=1).filter(lambda texts: any(not text.isspace() and text for text in texts))


def naive_words(text):
    words, word = [], ""
    for character in text:
        category = unicodedata.category(character)
        if category[0] in "LNM" or category in ("Cf", "Co"):
            word += character
            continue
        if word:
            words.append(word.lower())
        word = ""
        if not character.isspace():
            words.append(character.lower())
    return words + [word.lower()] if word else words


def naive_tokens(texts):
    """Words by falling frequency, ties from z to a, selected one by one."""
    words = [word for text in texts for word in naive_words(text)]
    left, tokens = list(dict.fromkeys(words)), []
    while left:
        best = left[0]
        for word in left:
            if words.count(word) > words.count(best) or words.count(word) == words.count(best) and word > best:
                best = word
        tokens.append(best)
        left.remove(best)
    return tokens


def naive_encode(tokens, text):
    ids = []
    for word in naive_words(text):
        ids.append(1)
        for place, token in enumerate(tokens):
            if token == word:
                ids[-1] = place + 2
    return ids


@given(any_text)
@example("ΑΣ.Β ΑΣ' İ")
def test_splitting_agrees_with_the_naive_implementation(text):
    assert split_words(text) == naive_words(text)


@given(st.text(string.printable))
def test_ascii_is_split_as_in_the_published_code(text):
    marks = "".join("\\" + mark for mark in string.punctuation)
    assert split_words(text) == re.sub(f"([{marks}])", r" \1 ", text).lower().split()


@pytest.mark.parametrize("text, words", [
    ("Recipe for ROAST | Chop 1/2 cup.", "recipe for roast | chop 1 / 2 cup ."),
    ("Don't; it’s 350°F (1.5 kg)", "don ' t ; it ’ s 350 ° f ( 1 . 5 kg )"),
    ("1½ 2nd well-done crème_brûlée", "1½ 2nd well - done crème _ brûlée"),
    ("cre\u0301me 漢字、漢字", "cre\u0301me 漢字 、 漢字"),
    ("a\xa0b\tc\u3000d\n\ne", "a b c d e"),
    ("\ud83d\ude00 x\0y", "\ud83d \ude00 x \0 y"),
    ("[UNK]", "[ unk ]"),
    ("", ""),
    (" \n", ""),
])
def test_splitting_by_hand(text, words):
    assert split_words(text) == words.split(" ") * bool(words)


def test_lower_case_turns_no_letter_into_a_mark_and_no_mark_into_a_letter():
    cased = [character for character in map(chr, range(0x110000)) if character.lower() != character]
    assert len(cased) > 1000
    for character in cased:
        assert character.lower().lower() == character.lower()
        assert {is_mark(low) for low in character.lower()} == {is_mark(character)}
        assert not any(low.isspace() for low in character.lower())


def test_every_character_is_white_space_a_mark_or_part_of_a_word():
    assert [is_mark(character) for character in " \n\xa0\u2028"] == [False] * 4
    assert [is_mark(character) for character in "'’|°_\\+^✓\0\u0378\ud800"] == [True] * 12
    assert [is_mark(character) for character in "aé9½²º漢\u0301\u200d\ue000"] == [False] * 10


@given(texts_with_words)
def test_words_are_sorted_by_frequency_and_ties_from_z_to_a(texts):
    tokenizer = WordTokenizer.fit(texts)
    assert list(tokenizer.tokens) == naive_tokens(texts)


@given(texts_with_words, st.integers(3, 12))
def test_a_limit_keeps_the_most_frequent_words(texts, limit):
    tokenizer = WordTokenizer.fit(texts, limit)
    assert tokenizer.tokens == WordTokenizer.fit(texts).tokens[:limit - 2]
    assert tokenizer.vocab_size == min(limit, len(naive_tokens(texts)) + 2)


@given(texts_with_words, st.integers(3, 12), any_text)
def test_encode_agrees_with_the_naive_implementation(texts, limit, text):
    tokenizer = WordTokenizer.fit(texts, limit)
    ids = tokenizer.encode(text)
    assert ids.dtype == np.int32 and ids.shape == (len(naive_words(text)),)
    assert ids.tolist() == naive_encode(tokenizer.tokens, text)


def test_a_small_example_by_hand():
    tokenizer = WordTokenizer.fit(["To be, or not to be!", "Not to be."])
    assert tokenizer.tokens == ("to", "be", "not", "or", ".", ",", "!")
    assert (tokenizer.padding_id, tokenizer.eos_id, tokenizer.unknown_id, tokenizer.vocab_size) == (0, 0, 1, 9)
    assert tokenizer.unit == "word"
    assert tokenizer.encode("TO BE? or be.").tolist() == [2, 3, 1, 5, 3, 6]
    assert tokenizer.decode([2, 3, 1, 5, 3, 6, 0, 7]) == "to be [UNK] or be."
    assert [tokenizer.show(k) for k in range(9)] == ["<eos>", "[UNK]", "to", "be", "not", "or", ".", ",", "!"]


def test_brackets_around_unk_in_a_text_make_three_words():
    tokenizer = WordTokenizer.fit(["[UNK] a"])
    assert tokenizer.tokens == ("unk", "a", "]", "[")
    assert tokenizer.encode("[UNK]").tolist() == [5, 2, 4]


@given(texts_with_words, st.data())
def test_decoded_text_encodes_to_the_same_ids(texts, data):
    tokenizer = WordTokenizer.fit(texts)
    ids = data.draw(st.lists(st.integers(2, tokenizer.vocab_size - 1)))
    assert tokenizer.encode(tokenizer.decode(ids)).tolist() == ids
    assert tokenizer.decode(np.array(ids, np.int64)) == tokenizer.decode(ids)


@given(texts_with_words, st.data())
def test_unknown_words_become_unk_and_the_others_stay(texts, data):
    tokenizer = WordTokenizer.fit(texts)
    ids = data.draw(st.lists(st.integers(1, tokenizer.vocab_size - 1)))
    words = []
    for k in ids:
        words += ["[", "unk", "]"] if k == 1 else [tokenizer.tokens[k - 2]]
    assert split_words(tokenizer.decode(ids)) == words


@given(any_text)
def test_joined_words_split_into_the_same_words(text):
    words = split_words(text)
    assert split_words(join_words(words)) == words


@given(any_text)
def test_two_words_are_never_joined_and_nothing_but_spaces_is_put_between(text):
    words = split_words(text)
    spaces = [space for space, _ in spaced(words)]
    assert len(spaces) == len(words) and set(spaces) <= {"", " "} and spaces[:1] in ([], [""])
    for before, space, word in zip(words, spaces[1:], words[1:]):
        assert space == " " or {len(before), len(word)} & {1} and (is_mark(before[0]) or is_mark(word[0]))


@pytest.mark.parametrize("text", [
    "recipe for roast | chop 1/2 cup, well (if needed); don't stir!",
    "is it done? yes: 80% of it [or {all}]...",
    "bake at 350°f/175°c for 2-3 hours, or 2–3 – as you like",
    "medium-high and/or low—it's one\u2014all the same",
    'cut into 1/2" slices (½"), for "well" and "done".',
    "the confectioners' sugar, hors d'oeuvres, za'atar, i've, you're, they'd, we'll, i'm",
    "fold 'gently' as 'one' would, in chefs' hats",
    "it’s ‘so’ “nice” «here»",
    "1 1/2 cups, 1.5 kg, 1,000 g, 2.54cm, a ratio of 1:2, in 2, 3, or 4 batches",
    "$5, €20 or #1: ### ~2 or 15~20 %",
    "salt & pepper + oil = b * c",
    '"open | but closed "again" here',
    "the 2 | (bar) | . | 3",
    "at a 90° angle - (so) - or less, 's gravenhage",
    "a [UNK], (b",
])
def test_joined_words_look_as_people_write_them(text):
    words = split_words(text.replace("[UNK]", "unk"))
    words = ["[UNK]" if word == "unk" else word for word in words]
    assert join_words(words) == text.replace("20 %", "20%")


def test_complete_keeps_the_prompt_and_adds_a_space_if_needed():
    tokenizer = WordTokenizer.fit(["recipe for roast beef | ( don ' t ) , 1 / 2 \" cup \" ."])
    ids = lambda text: tokenizer.encode(text).tolist()
    assert tokenizer.complete("Recipe for ROAST", ids("beef | don't")) == "Recipe for ROAST beef | don't"
    assert tokenizer.complete("Recipe  for ROAST ", ids(", beef")) == "Recipe  for ROAST, beef"
    assert tokenizer.complete("Zebra ( ", ids("beef) .")) == "Zebra (beef)."
    assert tokenizer.complete("for 1/", ids("2 cup")) == "for 1/2 cup"
    assert tokenizer.complete('a "cup', ids('" . ')) == 'a "cup".'
    assert tokenizer.complete("don", ids("'t")) == "don't"
    assert tokenizer.complete("", ids("roast beef")) == "roast beef"
    assert tokenizer.complete("Recipe \n", []) == "Recipe \n" == tokenizer.complete("Recipe \n", [0, 2])
    assert tokenizer.complete("A", [1]) == "A [UNK]"


@given(texts_with_words, any_text, st.data())
def test_complete_is_the_prompt_followed_by_the_words_of_the_ids(texts, prompt, data):
    tokenizer = WordTokenizer.fit(texts)
    ids = data.draw(st.lists(st.integers(2, tokenizer.vocab_size - 1)))
    text = tokenizer.complete(prompt, ids + [0, 2])
    assert text.startswith(prompt if not ids else prompt.rstrip())
    assert split_words(text) == split_words(prompt) + [tokenizer.tokens[k - 2] for k in ids]


def test_invisible_characters_are_shown_as_escapes():
    tokenizer = WordTokenizer.fit(["é \u0301é \u200d \ud800 \0 漢字 ' می\u200cخواهم"])
    shown = ["é", r"'\u0301é'", r"'\u200d'", r"'\ud800'", r"'\x00'", "漢字", "'", r"'می\u200cخواهم'"]
    assert sorted(tokenizer.show(k) for k in range(2, 10)) == sorted(shown)


@given(texts_with_words)
def test_no_two_ids_are_shown_alike_and_each_on_one_line(texts):
    tokenizer = WordTokenizer.fit(texts)
    shown = [tokenizer.show(k) for k in range(tokenizer.vocab_size)]
    assert len(set(shown)) == tokenizer.vocab_size
    assert all(word.isprintable() and word.strip() for word in shown)


@pytest.mark.parametrize("ids, message", [
    ([2, 4], r"id 4 at position 1 \(counted from 0\) is out of range.*0 to 3"),
    ([-1], r"id -1 at position 0 .* out of range"),
    ([2, 2.0], r"id 2.0 at position 1 .* no integer"),
    ([True], r"id True at position 0 .* no integer"),
    (np.array([[2]]), r"id \[2\] at position 0 .* no integer"),
    ("ab", r"id 'a' at position 0 .* no integer"),
    (5, r"sequence of integers, not 5"),
])
def test_an_unknown_id_is_named_with_its_position(ids, message):
    tokenizer = WordTokenizer.fit(["a b"])
    with pytest.raises(InputError, match=message):
        tokenizer.decode(ids)
    with pytest.raises(InputError, match=message):
        tokenizer.complete("a", ids)


@pytest.mark.parametrize("id_, message", [
    (4, "the id 4 is out of range: this tokenizer's ids are 0 to 3"),
    (-1, "the id -1 is out of range"),
    (2.0, "the id 2.0 is no integer"),
    (False, "the id False is no integer"),
])
def test_show_refuses_an_unknown_id(id_, message):
    with pytest.raises(InputError, match=message):
        WordTokenizer.fit(["a b"]).show(id_)


@pytest.mark.parametrize("texts, message", [
    ("abc", r"list of strings, not one string.*fit\(\[text\]\)"),
    (None, "not NoneType"),
    (["a", 3], r"texts\[1\] must be a string, not int"),
    ([], "at least one word"),
    (["", " \n"], "at least one word"),
])
def test_fit_says_what_is_wrong_with_the_texts(texts, message):
    with pytest.raises(InputError, match=message):
        WordTokenizer.fit(texts)


@pytest.mark.parametrize("limit", [2, 0, -5, True, 3.0, "10", float("nan")])
def test_a_limit_without_room_for_a_word_is_refused(limit):
    with pytest.raises(InputError, match=rf"limit must be a whole number of at least 3 .* not {limit!r}"):
        WordTokenizer.fit(["a"], limit)


@pytest.mark.parametrize("tokenizer", [WordTokenizer, WhitespaceTokenizer])
def test_a_wrong_limit_is_refused_before_a_text_is_read(tokenizer):
    texts = iter(["a", "b"])
    with pytest.raises(InputError, match="limit must be a whole number of at least 3"):
        tokenizer.fit(texts, 2)
    assert next(texts) == "a"


def test_fit_takes_any_iterable_and_any_whole_number():
    assert WordTokenizer.fit((text for text in ("a a b", "c")), np.int64(4)) == WordTokenizer(("a", "c"))
    assert WordTokenizer.fit(["a b"], 3).tokens == ("b",)


def test_encode_and_complete_refuse_other_types_than_strings():
    with pytest.raises(InputError, match="text must be a string, not bytes"):
        WordTokenizer.fit(["a"]).encode(b"a")
    with pytest.raises(InputError, match="text must be a string, not NoneType"):
        WordTokenizer.fit(["a"]).complete(None, [2])


def test_the_share_of_unknown_words_counts_words_and_not_texts():
    tokenizer = WordTokenizer.fit(["a b"])
    assert tokenizer.share_unknown(["A b, a", "c"]) == 2 / 5
    assert tokenizer.share_unknown(["a", ""]) == 0
    assert tokenizer.share_unknown(text for text in ["x", "y z"]) == 1


@pytest.mark.parametrize("texts, message", [
    ([], "no word"), (["", " "], "no word"), (["a", 3], r"texts\[1\]"), ("a", r"write share_unknown\(\[text\]\)"),
])
def test_the_share_of_unknown_words_needs_words(texts, message):
    with pytest.raises(InputError, match=message):
        WordTokenizer.fit(["a"]).share_unknown(texts)


@given(texts_with_words)
@example(["\ud83d\ude00", "\U0001f600"])
def test_json_returns_the_same_tokenizer(texts):
    tokenizer = WordTokenizer.fit(texts)
    for ensure_ascii in (True, False):
        form = json.loads(json.dumps(tokenizer.to_json(), ensure_ascii=ensure_ascii))
        assert WordTokenizer.from_json(form) == tokenizer == tokenizer_from_json(form)


@pytest.mark.parametrize("form, message", [
    ([1, 2], "JSON object, not as list"),
    ({"tokens": ["a"]}, "lacks the field 'kind'"),
    ({"kind": "words"}, "lacks the field 'tokens'"),
    ({"kind": "characters", "tokens": ["a"]}, "kind 'characters', not 'words'"),
    ({"kind": "words", "tokens": "ab"}, "must be a list, not 'ab'"),
    ({"kind": "words", "tokens": []}, "at least one word"),
    ({"kind": "words", "tokens": ["a", "b", "a"]}, r"tokens\[2\] = 'a' is a duplicate"),
    ({"kind": "words", "tokens": ["a", ""]}, r"tokens\[1\] must be a single word .* not ''"),
    ({"kind": "words", "tokens": ["a b"]}, r"tokens\[0\] must be a single word .* not 'a b'"),
    ({"kind": "words", "tokens": ["don't"]}, r'tokens\[0\] must be a single word .* not "don\'t"'),
    ({"kind": "words", "tokens": ["Roast"]}, r"tokens\[0\] must be .* lower case, not 'Roast'"),
    ({"kind": "words", "tokens": [7]}, r"tokens\[0\] must be a single word .* not 7"),
])
def test_from_json_says_what_is_wrong(form, message):
    with pytest.raises(InputError, match=message):
        WordTokenizer.from_json(form)


def test_either_kind_of_tokenizer_comes_back_from_its_json():
    for tokenizer in (CharTokenizer.fit(["ab"], unknown=True), WordTokenizer.fit(["ab"])):
        assert tokenizer_from_json(tokenizer.to_json()) == tokenizer


@pytest.mark.parametrize("form, message", [
    ({"kind": "bytes", "tokens": ["a"]}, "kind 'bytes', but there are only 'characters', 'words' and 'whitespace'"),
    ({"kind": ["words"], "tokens": ["a"]}, r"kind \['words'\], but"),
    ({"tokens": ["a"]}, "kind None, but"),
    (None, "JSON object, not as NoneType"),
    ({"kind": "words"}, "lacks the field 'tokens'"),
    ({"kind": "characters", "tokens": ["a"]}, "lacks the field 'unknown'"),
])
def test_json_of_an_unknown_kind_is_refused(form, message):
    with pytest.raises(InputError, match=message):
        tokenizer_from_json(form)


def test_tokens_that_are_not_a_tuple_are_refused():
    with pytest.raises(InputError, match="must be a tuple of words, not list"):
        WordTokenizer(["a"])


def test_a_tokenizer_cannot_be_changed_and_equals_one_with_the_same_words():
    tokenizer = WordTokenizer.fit(["a a b"])
    tokenizer.encode("a")[:] = 0
    assert tokenizer.encode("a").tolist() == [2]
    assert tokenizer == WordTokenizer(("a", "b")) != WordTokenizer(("b", "a"))
    assert hash(tokenizer) == hash(WordTokenizer(("a", "b")))
    with pytest.raises(dataclasses.FrozenInstanceError):
        tokenizer.tokens = ("c",)


def test_its_repr_is_short():
    assert repr(WordTokenizer.fit(["a b"])) == "<WordTokenizer: 2 words, vocab_size 4>"


def test_real_recipes_have_no_unknown_words_and_decode_word_by_word(real_data):
    texts = read_json(real_data("public_domain_recipes.json"), ["title", "directions"])
    tokenizer = WordTokenizer.fit(texts)
    assert len(texts) > 300 and tokenizer.vocab_size > 3000
    assert tokenizer.share_unknown(texts) == 0
    for text in texts:
        ids = tokenizer.encode(text)
        assert ids.min() >= 2
        assert tokenizer.encode(tokenizer.decode(ids)).tolist() == ids.tolist()


def test_the_first_words_of_real_recipes_are_the_common_ones(real_data):
    texts = read_json(real_data("public_domain_recipes.json"), ["directions"])
    tokenizer = WordTokenizer.fit(texts, 1000)
    assert tokenizer.vocab_size == 1000
    assert tokenizer.tokens[0] == "."
    assert {".", ",", "the", "and", "a", "to", "in"} <= set(tokenizer.tokens[:10])
    counts = Counter(word for text in texts for word in naive_words(text))
    frequencies = [counts[token] for token in tokenizer.tokens]
    assert frequencies == sorted(counts.values(), reverse=True)[:998]
    assert 0 < tokenizer.share_unknown(texts) < 0.2
    assert WordTokenizer.fit(texts, 10).share_unknown(texts) > tokenizer.share_unknown(texts)


@pytest.mark.parametrize("text", [
    "add 1/2 tbsp oil, ginger and rice. cook, stirring often, until fragrant (1 min).",
    "cook over medium-high heat for 10-15 minutes. salt and pepper to taste.",
    'while rice cooks, cut celery crosswise into 1/4" slices.',
    "don't start it yet. use full power, and work your way upwards slowly until all the oil is",
    "preheat oven to 200°c/400f in a bowl, combine all ingredients",
])
def test_sentences_of_real_recipes_are_decoded_as_they_were_written(real_data, text):
    written = " ".join(read_json(real_data("public_domain_recipes.json"), ["directions"]))
    tokenizer = WordTokenizer.fit([written])
    assert text in written.lower()
    assert tokenizer.decode(tokenizer.encode(text)) == text
