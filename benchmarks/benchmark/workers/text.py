"""minilstm's tokenizers as a worker, and an epoch from text to trained model.

    {"do": "make", "corpus": "headlines" or "recipes", "count": n}
        make n texts from the grammar; answers their characters
    {"do": "tokenize", "corpus": …, "count": n}
        fit a tokenizer and encode; answers the seconds of both, and the tokens
    {"do": "learn", "count": n, "hidden": H}
        encode headlines, make mini-batches, train on each once; answers seconds
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from serving import Session, serve

from minilstm.corpora.headlines import headlines
from minilstm.corpora.recipes import recipes
from minilstm.data.batches import SequenceBatches
from minilstm.data.tokenizers import CharTokenizer
from minilstm.data.words import WordTokenizer
from minilstm.models.language_model import LanguageModel
from minilstm.optim import Adam

GRAMMARS = {"headlines": headlines, "recipes": recipes}


class TextSession(Session):
    """Makes each text once, and keeps it for all questions."""

    texts: dict[str, list[str]] = {}

    def make(self, corpus: str, count: int) -> dict[str, Any]:
        made = self.texts.setdefault(corpus, [])
        if count > len(made):
            made += GRAMMARS[corpus]().sample_many(count - len(made), np.random.default_rng(len(made)))
        return {"characters": sum(map(len, made[:count]))}

    def tokenize(self, corpus: str, count: int) -> dict[str, Any]:
        texts, began = self.texts[corpus][:count], time.perf_counter()
        tokenizer = CharTokenizer.fit(texts) if corpus == "headlines" else WordTokenizer.fit(texts, 10_000)
        fitted = time.perf_counter()
        tokens = sum(len(tokenizer.encode(text)) for text in texts)
        return {"fit": fitted - began, "encode": time.perf_counter() - fitted, "tokens": tokens}

    def learn(self, count: int, hidden: int) -> dict[str, Any]:
        texts, began = self.texts["headlines"][:count], time.perf_counter()
        tokenizer = CharTokenizer.fit(texts)
        ids = [tokenizer.encode(text) for text in texts]
        model, optimizer = LanguageModel(tokenizer.vocab_size, hidden=hidden), Adam()
        state = optimizer.init(model.parameters.flat)
        for batch in SequenceBatches(ids, 8, tokenizer.eos_id).epoch(np.random.default_rng(0)):
            _, gradients, _, _ = model.loss_and_gradients(batch)
            state = optimizer.step(model.parameters.flat, gradients.flat, state)
        return {"seconds": time.perf_counter() - began}


if __name__ == "__main__":
    serve(session_class=TextSession)
