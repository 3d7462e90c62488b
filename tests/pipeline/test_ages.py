"""Ages: which records have waited too long, by the take that they came with."""

import pytest

from prefactor_trace._pipeline import ages as module
from prefactor_trace._pipeline.ages import Ages


@pytest.fixture
def clock(monkeypatch):
    """A clock that shows what its only element says."""
    now = [1_000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def test_the_oldest_are_known_by_number(clock):
    """Each take has its moment; what came without a take of its own counts with the next."""
    ages = Ages()
    for newest in (3, 5, 9):
        ages.note(newest, oldest=1)
        clock[0] += 10
    assert [ages.older_than(seconds) for seconds in (40, 30, 20, 10, 0)] == [0, 3, 5, 9, 9]


def test_takes_of_nothing_are_no_moments(clock):
    """The age of a record is not renewed by looking again."""
    ages = Ages()
    ages.note(3, oldest=1)
    clock[0] += 100
    ages.note(3, oldest=1)
    assert ages.older_than(50) == 3


def test_what_is_gone_is_forgotten(clock):
    """However long it goes on, only what waits is remembered."""
    ages = Ages()
    for newest in range(1, 1_000):
        ages.note(newest, oldest=newest)
    assert len(ages._takes) == 1
    ages.note(1_000, oldest=None)
    assert not ages._takes
    assert ages.older_than(0) == 0
