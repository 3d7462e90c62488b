"""Work in slices lets others have their turn, and changes nothing else."""

import itertools
import time

import pytest

from prefactor_trace._pipeline import slices
from prefactor_trace._pipeline.slices import in_slices


@pytest.mark.parametrize(("slice_of", "turns"), [(100.0, 0), (4.5, 1), (0.5, 5)])
def test_gives_way_whenever_a_slice_has_passed(monkeypatch, slice_of, turns):
    """All items come in their order, and the others' turns are between them."""
    slept, clock = [], itertools.count()
    monkeypatch.setattr(slices, "SLICE_SECONDS", slice_of)
    monkeypatch.setattr(slices.time, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(time, "sleep", slept.append)
    assert list(in_slices(iter(range(5)))) == list(range(5))
    assert slept == [0] * turns


def test_takes_no_item_before_it_is_asked_for():
    """What is made while the items are worked off is worked off too."""
    left = [1]
    given = []
    for item in in_slices(iter(left.pop, None) if left else ()):
        given.append(item)
        if item == 1:
            left.append(None)
    assert given == [1]
