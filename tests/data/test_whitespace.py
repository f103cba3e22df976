"""Tokens between white space, to ids and back."""

import pytest

from minilstm.data.whitespace import WhitespaceTokenizer
from minilstm.data.words import tokenizer_from_json
from minilstm.errors import InputError

TOKENS = WhitespaceTokenizer.fit(["U.S. is  in\nU.S.", "is is new"])


def test_tokens_stay_as_they_are_and_the_most_frequent_come_first():
    assert TOKENS.tokens == ("is", "U.S.") and TOKENS.vocab_size == 4
    assert TOKENS.encode("U.S. IS is").tolist() == [3, 1, 2]
    assert TOKENS.decode([3, 1, 2, 0, 2]) == "U.S. [UNK] is"


def test_tokens_that_occur_once_are_unknown_unless_all_do():
    assert TOKENS.encode("new in").tolist() == [1, 1]
    assert WhitespaceTokenizer.fit(["b a"]).tokens == ("b", "a")
    assert WhitespaceTokenizer.fit(["a a b b b"], 3).tokens == ("b",)


def test_a_tokenizer_is_kept_as_json():
    assert tokenizer_from_json(TOKENS.to_json()) == TOKENS


def test_ids_are_shown_for_tables():
    assert [TOKENS.show(k) for k in range(4)] == ["<eos>", "[UNK]", "is", "U.S."]
    assert list(TOKENS.chunks("It", [2, 3])) == ["It", " is", " U.S."] and TOKENS.complete("", [2]) == "is"


@pytest.mark.parametrize("tokens", [(), ["a"], ("a b",), ("",), ("a", "a"), (1,)])
def test_what_is_no_vocabulary_is_refused(tokens):
    with pytest.raises(InputError):
        WhitespaceTokenizer(tokens)


def test_a_limit_that_leaves_no_token_is_refused():
    with pytest.raises(InputError, match="at least 3"):
        WhitespaceTokenizer.fit(["a a"], 2)
