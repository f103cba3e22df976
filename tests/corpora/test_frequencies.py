"""The chi-square test that tests of samples rely on finds what is wrong."""

import numpy as np
import pytest

from tests.helpers.frequencies import chi_square

TABLE = {"a": 0.5, "b": 0.3, "c": 0.199, "rare": 0.0005, "rarer": 0.0005}


def drawn(probabilities, seed=1):
    rng = np.random.default_rng(seed)
    return rng.choice(list(probabilities), size=20_000, p=list(probabilities.values())).tolist()


def test_right_probabilities_have_a_mean_of_0_and_a_variance_of_1():
    values = [chi_square(drawn(TABLE, seed), TABLE) for seed in range(200)]
    assert abs(np.mean(values)) < 0.25 and 0.6 < np.std(values) < 1.4


def test_wrong_probabilities_are_found():
    assert chi_square(drawn(TABLE), TABLE | {"a": 0.48, "b": 0.32}) > 5
    assert chi_square(drawn(TABLE), TABLE | {"c": 0.19, "rare": 0.0095}) > 5
    with pytest.raises(AssertionError, match="'d'"):
        chi_square([*drawn(TABLE), "d"], TABLE)
