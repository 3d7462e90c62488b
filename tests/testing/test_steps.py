"""The cheapest way to lay patterns beside siblings that come in order."""

from prefactor_trace.testing import T
from prefactor_trace.testing.steps import cheapest, cost_of, slots_of


def steps(patterns, count, costs, *, is_open=False):
    """Return kind and places of each step."""
    return cheapest(slots_of(patterns, count), count, costs, is_open=is_open)


def test_a_pattern_has_as_many_slots_as_there_may_be_such_spans():
    """One more than there are says that there are too few."""
    a, b, c = T("a", times=(1, 3)), T("b", optional=True), T("c", times=9)
    slots = slots_of([a, ..., b, c], 2)
    assert [(one.number, one.must) for one in slots] == [
        *[(0, True), (0, False)],
        (1, False),
        (2, False),
        *[(3, True)] * 3,
    ]


def test_what_differs_more_costs_more_and_less_than_what_is_missing():
    """So that spans are compared with those that they are meant to be."""
    assert cost_of(0) == 0
    assert cost_of(1) < cost_of(2) < cost_of(50) < 1_000


def test_the_cheapest_way_is_gone():
    """A span that is missing, one too many, one of another type, and one where others may come."""
    a, b = T("a"), T("b")
    assert steps([a, b], 1, {(1, 0): 0}) == [("none", 0, 0), ("pair", 1, 0)]
    assert steps([b], 2, {(0, 1): 0}) == [("more", 0, 0), ("pair", 0, 1)]
    assert steps([a, b], 2, {(1, 1): 0}) == [("other", 0, 0), ("pair", 1, 1)]
    assert steps([..., b], 2, {(1, 1): 0}) == [("free", 0, 0), ("none", 0, 1), ("pair", 1, 1)]


def test_of_two_the_one_that_differs_less_is_taken():
    """The other one is too many."""
    costs = {(0, 0): cost_of(3), (0, 1): cost_of(1), (0, 2): cost_of(2)}
    assert [kind for kind, *_ in steps([T("a")], 3, costs)] == ["more", "pair", "more"]


def test_where_others_may_come_none_stands_for_one_of_another_type():
    """It is one of the others."""
    kinds = [kind for kind, *_ in steps([T("a"), ...], 1, {}, is_open=True)]
    assert kinds == ["none", "free", "none"]
