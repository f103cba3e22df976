"""One draw from a row of logits, compiled: steps (1) to (4) of sampling, and the draw.

``minilstm.generation.sampling`` has the steps.

    (1)  a ← (a - max a) / τ
    (2)  keep the k largest
    (3)  w = eᵃ,   p = w / Σ w
    (4)  keep v if Σ w of all likelier tokens < P Σ w, so that the kept ones reach P
    (5)  the first v with w_0 + … + w_v > u Σ w                u uniform in [0, 1)

A draw does not ask for p: weights w that are in proportion to it will do. Neither (2)
nor (4) needs all V tokens in order, only the first few. Tokens that are certainly not
among those are dropped first:

    (6)  the k-th largest is at least the smallest of k maxima, of k parts of the row
    (7)  tokens with w < (1 - P) / (2 V) Σ w are less than half of what (4) may drop

Of the others a heap (Williams, Algorithm 232: Heapsort, 1964) hands out the likeliest,
then the next, as many as are asked for. Of two equally likely tokens the lower id comes
first, as in a stable sort.

Shapes: a and w (V,) float64, heap (V,) integers.
"""

from __future__ import annotations

import numpy as np

from minilstm.kernels.compile import kernel


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
    size = least = V  # heap[least:size] are the likeliest, the last one first
    if top_k < V:
        size = least = heapify(a, at_most_the_largest(a, top_k), a, heap, w)  # (6)
        while size - least < top_k and least > 0:
            least = take(a, heap, least)
        for r in range(least):
            w[heap[r]] = 0.0                                               # (2)
    if top_p < np.inf:
        total = 0.0
        for v in range(V):
            total += w[v]
        if top_k == V:
            size = least = heapify(w, (1 - top_p) / (2 * V) * total, a, heap, w)  # (7)
        keep_nucleus(a, top_p * total, heap[:size], least, w)              # (4)


@kernel
def at_most_the_largest(a, k):
    """(6)."""
    smallest = np.inf
    for part in range(k):
        largest = -np.inf
        for v in range(part * a.size // k, (part + 1) * a.size // k):
            largest = max(largest, a[v])
        smallest = min(smallest, largest)
    return smallest


@kernel
def keep_nucleus(a, enough, heap, least, w):
    """(4). heap[least:] have been taken already."""
    r, reached = heap.size, 0.0
    while r > 0 and reached < enough:
        if r == least:
            least = take(a, heap, least)
        r -= 1
        reached += w[heap[r]]
        if w[heap[r]] == 0:  # only rounding keeps what was reached below what is enough
            break
    for rest in range(r):
        w[heap[rest]] = 0.0


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
def heapify(values, least, a, heap, w):
    """Collect the ids with values of at least this in a heap; return their number.

    Each stands at a place r, before the two below it at 2 r + 1 and 2 r + 2. The other
    ids get weight 0.
    """
    size = 0
    for v in range(values.size):
        if values[v] >= least:
            heap[size] = v
            size += 1
        else:
            w[v] = 0.0
    for r in range(size // 2 - 1, -1, -1):
        sift(a, heap, r, size)
    return size


@kernel
def take(a, heap, size):
    """Move the likeliest of heap[:size] to its end; return the size that remains."""
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
