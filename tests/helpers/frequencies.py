"""Do samples have the stated probabilities?"""

import math
from collections import Counter


def chi_square(sample, probabilities):
    """Pearson's statistic, as standard deviations above its mean. Rare values are counted together.

    For d degrees of freedom it has mean d and variance 2 d. So 5 is improbable if the sample is right.
    """
    counts, size = Counter(sample), len(sample)
    assert set(counts) <= set(probabilities), f"not among the values: {set(counts) - set(probabilities)}"
    assert math.isclose(math.fsum(probabilities.values()), 1, rel_tol=1e-9)
    cells = [(size * p, counts[value]) for value, p in probabilities.items()]
    frequent = [cell for cell in cells if cell[0] >= 10]
    rare = [cell for cell in cells if cell[0] < 10]
    if sum(expected for expected, _ in rare) >= 10:
        frequent.append((sum(expected for expected, _ in rare), sum(found for _, found in rare)))
    degrees = len(frequent) - 1
    assert degrees >= 1, "the sample is too small"
    statistic = sum((found - expected) ** 2 / expected for expected, found in frequent)
    return (statistic - degrees) / math.sqrt(2 * degrees)
