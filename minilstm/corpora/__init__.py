"""The built-in corpora, for each of which the best possible result is known.

- `headlines`, `recipes`: texts with a known entropy, from grammars (`grammar`,
  `wordgrammar`, `agreement`, `ambiguity`); `long_range` measures long-range agreement.
- `topics`: headlines with classes (`classgrammar`), and the best possible accuracy.
- `dates`, `addition`: pairs of a source and its only target; 100 % is possible.
- `pictures`: drawn scenes with sentences, whose entropy given the picture is known.

Imports data/ and what lies below; models know nothing of corpora.
"""
