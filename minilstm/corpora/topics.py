"""The built-in corpus `topics`: headlines with classes, and the best possible accuracy.

The task is to read a headline and name its topic: politics, business, sports or
discovery (science, weather, culture). The headlines are those of
`minilstm.corpora.headlines`. `minilstm.corpora.classgrammar` computes the posterior
probability of each topic, and how good the best possible classifier is.

The class of a headline is the one of the grammar's four topic rules that was used to
write it. "Today in sports: ..." and "Moscow, May 3: ..." have the class of what follows
the colon. No headline uses two topic rules. Headlines that use none, such as "On Sunday
Chile goes to the polls", are left out: 29 % of them. The others keep their relative
frequencies.

A whole headline always determines its class, so the best accuracy is 100 % and the
lowest mean cross-entropy is 0. This is the easy task. In the harder one a headline is
cut after its first n characters, and no classifier is always right:

    n                  0      1      2      3      4      5     10     20    38
    accuracy, %     30.9   57.8   79.7   90.4   91.4   92.2   93.0   99.6   100
    nats per text  1.372  0.931  0.418  0.197  0.177  0.156  0.140  0.008     0

A model that names the class after each character can be compared with this table at
every time step, and with the posterior of each headline.

Real headlines with four topics: Zhang, Zhao and LeCun (2015), Character-level
convolutional networks for text classification (AG's news corpus).
"""

from __future__ import annotations

from functools import cache

from minilstm.corpora.classgrammar import ClassGrammar
from minilstm.corpora.headlines import SHAPES, WORDS

CLASSES = ("politics", "business", "sports", "discovery")


@cache
def topics() -> ClassGrammar:
    """Return the corpus, whose labels are positions in `CLASSES`.

    Examples
    --------
    >>> import numpy as np
    >>> texts, labels = topics().sample(2, np.random.default_rng(1))
    >>> for text, label in zip(texts, labels):
    ...     print(f"{CLASSES[label]}: {text}")
    business: House prices tumble 5 percent after weak retail data (Globe)
    discovery: "The Lonely Orchestra" delights critics
    >>> accuracy, nats = topics().best_possible(characters=3)
    >>> round(accuracy, 4), round(nats, 4)
    (0.9041, 0.1975)

    Where does it become certain that a headline is about sports?

    >>> posteriors = topics().posteriors("Hugo Aldane wins Open")
    >>> for n in (0, 1, 12, 15, 21):
    ...     print(f"{'Hugo Aldane wins Open'[:n]:21}", posteriors[n].round(2))
                          [0.31 0.27 0.22 0.2 ]
    H                     [0.   0.51 0.14 0.35]
    Hugo Aldane           [0.   0.27 0.73 0.  ]
    Hugo Aldane win       [0. 0. 1. 0.]
    Hugo Aldane wins Open [0. 0. 1. 0.]
    """
    return ClassGrammar({**SHAPES, **WORDS}, "headline", CLASSES)
