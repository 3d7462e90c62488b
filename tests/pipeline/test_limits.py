"""Limits: a request is made smaller when one is refused, and larger again."""

import pytest

from prefactor_trace._pipeline import limits as module
from prefactor_trace._pipeline.item import Item
from prefactor_trace._pipeline.limits import Limits
from prefactor_trace._settings import Settings


def item(size=99):
    """Return an item of a hundred bytes with its comma, or of another size."""
    return Item("key", "action", None, b"x" * size, 1)


@pytest.fixture
def limits():
    """Limits of 8 items and 1,000 bytes."""
    return Limits(Settings(max_batch_items=8, max_batch_bytes=1_000))


def test_a_request_has_as_many_items_as_fit(limits):
    """By number and by bytes."""
    assert len(limits.batch([item()] * 20)) == 8
    assert len(limits.batch([item(199)] * 20)) == 5
    assert len(limits.batch([item(200)] * 20)) == 4  # for want of the commas
    assert limits.batch([]) == []


def test_one_item_goes_whatever_its_size(limits):
    """It is for others to make it smaller."""
    assert len(limits.batch([item(5_000), item()])) == 1


def test_refusals_halve_and_successes_double(limits):
    """Down to the one item at fault, and up to what the settings say."""
    sizes = []
    for _ in range(3):
        batch = limits.batch([item()] * 20)
        sizes.append(len(batch))
        limits.note_refused(batch)
    for _ in range(4):
        sizes.append(len(limits.batch([item()] * 20)))
        limits.note_accepted()
    assert sizes == [8, 4, 2, 1, 2, 4, 8]


def test_a_size_that_was_too_large_is_remembered(limits, monkeypatch):
    """Successes do not bring it back, but time does."""
    limits.note_too_large([item()] * 8)
    limits.note_accepted()
    assert len(limits.batch([item()] * 20)) == 4
    now = module.time.monotonic()
    monkeypatch.setattr(module.time, "monotonic", lambda: now + 301)
    limits.note_accepted()
    assert len(limits.batch([item()] * 20)) == 8


def test_the_item_at_fault_brings_all_back(limits):
    """The others were never too large."""
    limits.note_too_large([item()] * 8)
    limits.note_refused([item()] * 4)
    limits.note_found()
    assert len(limits.batch([item()] * 20)) == 8
