"""A word tokenizer with only what generation may use. Padding is also the end."""

import numpy as np


class Words:
    """Words between spaces, in any case; id 0: padding and end, id 1: unknown."""

    unit, padding_id, eos_id, unknown_id = "word", 0, 0, 1

    def __init__(self, text):
        self.tokens = tuple(dict.fromkeys(text.lower().split()))
        self.vocab_size = len(self.tokens) + 2

    def encode(self, text):
        ids = {word: k for k, word in enumerate(self.tokens, 2)}
        return np.array([ids.get(word, 1) for word in text.lower().split()], np.int32)

    def decode(self, ids):
        words = [self.show(k) for k in ids]
        return " ".join(words[: [*words, "<stop>"].index("<stop>")])

    def complete(self, prompt, ids):
        return f"{prompt} {self.decode(ids)}".rstrip()

    def chunks(self, prompt, ids):
        yield self.complete(prompt, ids)

    def show(self, id_):
        return ("<stop>", "<unknown>", *self.tokens)[id_]
