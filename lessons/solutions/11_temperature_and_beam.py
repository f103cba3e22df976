"""11. Temperature, top-k, top-p, beam: solutions."""

import numpy as np


def temperature(a, tau):
    a = a / tau
    e = np.exp(a - a.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def top_p(p, P):
    order = np.argsort(-p, kind="stable")
    before = np.cumsum(p[order]) - p[order]  # probability of the more likely tokens
    nucleus = order[before < P]
    kept = np.zeros(len(p))
    kept[nucleus] = p[nucleus] / p[nucleus].sum()
    return kept


def beam_search(log_p, length, width):
    live, finished = [((), 0.0)], []
    while live:
        longer = [((*ids, k), total + more) for ids, total in live for k, more in enumerate(log_p(ids))]
        best = sorted(longer, key=lambda text: -text[1])[:width]
        ends = [ids[-1] == 0 or len(ids) == length for ids, _ in best]
        finished += [text for text, end in zip(best, ends) if end]
        live = [text for text, end in zip(best, ends) if not end]
    return sorted(finished, key=lambda text: -text[1])[:width]
