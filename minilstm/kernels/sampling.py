"""One draw from a row of logits, compiled: the steps (1) to (4) of ``minilstm.sample``, and the draw.

    (1)  a ← (a - max a) / τ
    (2)  keep the k largest
    (3)  w = eᵃ,   p = w / Σ w
    (4)  keep the likeliest until together they reach P: v is kept if Σ w of all likelier ones < P Σ w
    (5)  the first v with w_0 + … + w_v > u Σ w                u uniform in [0, 1)

A draw does not ask for p: weights w that are in proportion to it will do. Neither (2) nor (4) needs all V symbols in order,
only the first few: a heap (Williams, Algorithm 232: Heapsort, 1964) hands out the likeliest, then the next, as many as are
asked for. Of two symbols equally likely the lower id comes first, as in a stable sort.

Shapes: a and w (V,) float64, heap (V,) integers.
"""

from __future__ import annotations

import numpy as np

from minilstm.kernels.jit import kernel


@kernel
def weigh(a, temperature, top_k, top_p, heap, w):
    """(1) to (4). The logits go out as a. k = V keeps all, and so does P = inf."""
    V = a.size
    m = a[0]
    for v in range(V):
        m = max(m, a[v])
    for v in range(V):
        a[v] = (a[v] - m) / temperature                                    # (1)
    for v in range(V):
        w[v] = np.exp(a[v])                                                # (3)
    if top_k < V or top_p < np.inf:
        heapify(a, heap)
    least = V  # heap[least:] are the likeliest so far, the last of them the first
    if top_k < V:
        while V - least < top_k:
            least = take(a, heap, least)
        for r in range(least):
            w[heap[r]] = 0.0                                               # (2)
    if top_p < np.inf:
        keep_nucleus(a, top_p, heap, least, w)


@kernel
def keep_nucleus(a, top_p, heap, least, w):
    """(4). heap[least:] have been taken already."""
    r, enough, reached = w.size, 0.0, 0.0
    for v in range(w.size):
        enough += w[v]
    enough *= top_p
    while r > 0 and reached < enough:
        if r == least:
            least = take(a, heap, least)
        r -= 1
        reached += w[heap[r]]
        if w[heap[r]] == 0:  # only rounding keeps what was reached below what is enough
            break
    for rest in range(r):
        w[heap[rest]] = 0.0                                                # (4)


@kernel
def draw(w, u):
    """(5). The weights go out as their sums. 0 if there are no numbers to draw from."""
    for v in range(1, w.size):
        w[v] += w[v - 1]
    threshold = u * w[-1]
    low, high = 0, w.size - 1
    while low < high:  # sums never fall, so that the place can be found by halving
        middle = (low + high) // 2
        if w[middle] > threshold:
            high = middle
        else:
            low = middle + 1
    return low if w[low] > threshold else 0


@kernel
def heapify(a, heap):
    """All ids, each before 2 r + 1 and 2 r + 2, the two below it."""
    for v in range(heap.size):
        heap[v] = v
    for r in range(heap.size // 2 - 1, -1, -1):
        sift(a, heap, r, heap.size)


@kernel
def take(a, heap, size):
    """The likeliest of heap[:size] goes to the end of it; returns the size of the heap that remains."""
    size -= 1
    heap[0], heap[size] = heap[size], heap[0]
    sift(a, heap, 0, size)
    return size


@kernel
def sift(a, heap, r, size):
    """heap[r] sinks to its place in heap[:size]."""
    v = heap[r]
    child = 2 * r + 1
    while child < size:
        if child + 1 < size and likelier(a, heap[child + 1], heap[child]):
            child += 1
        if not likelier(a, heap[child], v):
            break
        heap[r] = heap[child]
        r = child
        child = 2 * r + 1
    heap[r] = v


@kernel
def likelier(a, v, other):
    return a[v] > a[other] or a[v] == a[other] and v < other
