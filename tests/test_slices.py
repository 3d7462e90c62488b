"""Work in slices lets others have their turn, and changes nothing else."""

import itertools
import threading
import time

import pytest

from prefactor_trace import _slices as slices
from prefactor_trace._slices import give_way, in_slices


@pytest.mark.parametrize(("slice_of", "turns"), [(100.0, 0), (2.5, 1), (0.5, 4)])
def test_gives_way_whenever_a_slice_has_passed(monkeypatch, slice_of, turns):
    """All items come in their order, and the others' turns are between them."""
    slept, clock = [], itertools.count()
    monkeypatch.setattr(slices, "SLICE_SECONDS", slice_of)
    monkeypatch.setattr(slices._clock, "until", slice_of)
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


def test_a_slice_goes_on_from_one_piece_of_work_to_the_next(monkeypatch):
    """Many short pieces in a row are no longer than a long one."""
    slept, now = [], [0.0]
    monkeypatch.setattr(slices, "SLICE_SECONDS", 1.0)
    monkeypatch.setattr(slices._clock, "until", 1.0)
    monkeypatch.setattr(slices.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(time, "sleep", slept.append)
    for moment, turns in ((0.6, 0), (1.2, 1), (1.8, 1), (2.4, 2)):
        now[0] = moment
        list(in_slices([1]))
        give_way()
        assert len(slept) == turns


def test_threads_have_slices_of_their_own():
    """What one has used up is not taken from another."""
    slices._clock.until = 5.0
    found = []
    thread = threading.Thread(target=lambda: found.append(slices._clock.until))
    thread.start()
    thread.join()
    assert found == [0.0]
