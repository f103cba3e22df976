"""What a run of ``minilstm train headlines`` must have reached: a gap to the floor, and grammatical headlines."""

import sys

import numpy as np

from minilstm.corpora.headlines import headlines
from minilstm.generation.sampling import share_accepted
from minilstm.training.checkpoint import load

run = load(f"{sys.argv[1]}/model.npz")
corpus = headlines()
last = run.training.history[-1]
share = share_accepted(
    run.training.model, run.tokenizer, corpus, np.random.default_rng(12345), 1000, 0.7
)
print(
    f"gap to the floor {last.valid_loss - corpus.floor:.4f} nats a token, {share:.1%} of 1,000 headlines accepted"
)
assert last.valid_loss - corpus.floor <= 0.03, (
    "the validation loss is too far from the floor"
)
assert share >= 0.90, "too few of the generated headlines are grammatical"
