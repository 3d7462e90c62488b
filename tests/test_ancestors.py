"""Ancestors that nobody needs any more."""

import itertools

import pytest

from prefactor_trace import _ancestors, _fate
from prefactor_trace._span import Span


@pytest.fixture
def chain(tracer, monkeypatch):
    """Make a chain of spans with these fates, the oldest first, and note that the last ended."""
    monkeypatch.setattr(_ancestors, "_outlived", itertools.count(_ancestors._STRIDE))
    home = tracer()

    def make(*fates: int) -> list[Span]:
        spans: list[Span] = []
        for fate in fates:
            span = Span(home, "step", None, spans[-1] if spans else None)
            span._fate = fate
            spans.append(span)
        _ancestors.note_outlived(spans[-1])
        return spans

    return make


def test_what_has_arrived_lets_go_of_its_parent(chain):
    """It keeps only the parent's id, so the parent can be forgotten."""
    root, settled, last = chain(_fate.SETTLED, _fate.SETTLED, _fate.OPEN)
    assert settled._parent == root.id == settled.parent_id
    assert last._parent is settled


def test_the_top_of_a_chain_stays_the_top(chain):
    """A span without a parent is given none."""
    top, last = chain(_fate.SETTLED, _fate.OPEN)
    assert (top._parent, last._parent) == (None, top)


def test_what_hung_on_a_lost_span_hangs_on_its_parent(chain):
    """Also where several in a row are lost."""
    root, _, _, last = chain(_fate.OPEN, _fate.LOST, _fate.LOST, _fate.OPEN)
    assert last._parent is root


def test_what_is_under_way_keeps_its_ancestors(chain):
    """The pipeline has still to look at them."""
    root, middle, last = chain(_fate.OPEN, _fate.CREATED, _fate.WAITING)
    assert (middle._parent, last._parent) == (root, middle)


def test_only_now_and_then_a_chain_is_looked_up(chain, monkeypatch):
    """To look it up costs its length."""
    monkeypatch.setattr(_ancestors, "_outlived", itertools.count(1))
    root, settled, last = chain(_fate.SETTLED, _fate.SETTLED, _fate.OPEN)
    assert settled._parent is root
    for _ in range(_ancestors._STRIDE - 1):
        _ancestors.note_outlived(last)
    assert settled._parent == root.id
