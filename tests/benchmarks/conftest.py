"""A place where tracers send to."""

import pytest

from benchmarks.sink import Sink


@pytest.fixture(scope="module")
def sink():
    """A sink for the tests of a module."""
    with Sink() as sink:
        yield sink
