"""A pytest plug-in: the fixture ``assert_gradients``.

pytest loads it in every run, so it imports nothing before a test asks for the fixture.
"""

import pytest


@pytest.fixture
def assert_gradients():
    """``minilstm.testing.assert_gradients``: fails a test whose gradients are wrong."""
    from minilstm.testing import assert_gradients

    return assert_gradients
