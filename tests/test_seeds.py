"""The random streams of a run are reproducible, and no two are the same."""

import numpy as np

from minilstm import seeds

STREAMS = [seeds.ORDER, seeds.VALIDATION, seeds.EVALUATION, seeds.SAMPLES, seeds.DROPOUT]


def test_a_stream_gives_the_same_numbers_each_time():
    expected = np.random.default_rng([7, 4, 12]).random(5)
    np.testing.assert_array_equal(seeds.generator(7, seeds.DROPOUT, 12).random(5), expected)
    np.testing.assert_array_equal(seeds.generator(7, 0).random(5), np.random.default_rng([7, 0]).random(5))


def test_streams_of_other_names_seeds_and_counters_differ():
    keys = [(seed, stream, step) for seed in (0, 1) for stream in STREAMS for step in (0, 1)]
    assert len({seeds.generator(*key).random() for key in keys}) == len(keys) == 20


def test_the_numbers_of_streams_do_not_change():
    """With other numbers, the same seed would give another run."""
    assert STREAMS == [0, 1, 2, 3, 4]


def test_the_seed_of_a_name_is_the_same_on_every_machine_and_for_every_spelling():
    assert seeds.seed_of_name("Ada Lovelace") == 46304125
    for same in ("ada lovelace", " Ada\tLOVELACE ", "Ada Lovelac\uff45"):
        assert seeds.seed_of_name(same) == 46304125, same
    names = [f"student {k}" for k in range(200)]
    assert len({seeds.seed_of_name(name) for name in [*names, "Ada Lovelace"]}) == 201
