"""Which of some spans is meant by which pattern."""

import itertools
import random
import re

from prefactor_trace.testing import T
from prefactor_trace.testing.unordered import _Giving, assign, merged


def test_what_fits_several_patterns_is_left_to_the_one_that_nothing_else_fits():
    """Whatever comes first."""
    assert assign([[0, 1], [0]], [(1, 1), (1, 1)], 2) == {0: 1, 1: 0}
    assert assign([[0, 1], [0]], [(0, 1), (1, 1)], 2) == {0: 1, 1: 0}


def test_what_is_needed_goes_first():
    """And what is left goes to the others."""
    assert assign([[0, 1], [0, 1], [1]], [(0, 1), (1, 1), (1, 1)], 2) == {0: 1, 1: 2}
    assert assign([[0, 1, 2]], [(1, 1)], 3) == {0: 0}


def test_a_pattern_takes_as_many_as_it_may():
    """And no more."""
    assert assign([[0, 1, 2], [2, 3]], [(1, 2), (0, 9)], 4) == {0: 0, 1: 0, 2: 1, 3: 1}
    assert len(assign([[0, 1, 2, 3]], [(2, 3)], 4)) == 3


def test_no_other_assignment_leaves_less():
    """As trying all of them shows."""
    chance = random.Random(3)
    for _ in range(600):
        count = chance.randint(0, 5)
        fits = [
            [one for one in range(count) if chance.random() < 0.5]
            for _ in range(chance.randint(0, 4))
        ]
        bounds = [(least, least + chance.randint(0, 2)) for least in chance.choices((0, 1, 2), k=4)]
        owner = assign(fits, bounds[: len(fits)], count)
        assert all(one in fits[pattern] for one, pattern in owner.items())
        taken = [list(owner.values()).count(pattern) for pattern in range(len(fits))]
        assert all(have <= most for have, (_, most) in zip(taken, bounds, strict=False))
        assert score(owner, bounds) == max(
            score(one, bounds) for one in assignments(fits, bounds, count)
        )


def score(owner, bounds):
    """Return how much of what is needed there is, and how many spans are taken."""
    counts = [list(owner.values()).count(pattern) for pattern in range(len(bounds))]
    return sum(min(have, least) for have, (least, _) in zip(counts, bounds, strict=True)), len(
        owner
    )


def assignments(fits, bounds, count):
    """Return all that are possible."""
    fitting = [[at for at, ones in enumerate(fits) if one in ones] for one in range(count)]
    for ways in itertools.product(*([None, *patterns] for patterns in fitting)):
        if all(ways.count(at) <= bounds[at][1] for at in range(len(fits))):
            yield {one: pattern for one, pattern in enumerate(ways) if pattern is not None}


class Counted(list):
    """A list that counts how often something is looked up in it."""

    looks = 0

    def __getitem__(self, at):
        Counted.looks += 1
        return super().__getitem__(at)

    def __iter__(self):
        for one in super().__iter__():
            Counted.looks += 1
            yield one


def test_each_of_many_is_looked_at_a_few_times():
    """One pattern for all, two of them, one that first takes what others need, too few."""
    many = 2_000
    every = Counted(range(many))
    each = [Counted([one]) for one in range(many // 2)]
    for fits, bounds in (
        ([every], [(many, many)]),
        ([every, every], [(0, many), (many // 2, many // 2)]),
        ([every, every], [(many, many)] * 2),
        ([every, *each], [(many // 2, many)] + [(1, 1)] * len(each)),
        ([every, *each], [(many, many)] + [(1, 1)] * len(each)),
    ):
        Counted.looks = 0
        assert len(assign(fits, bounds, many)) == many
        assert Counted.looks <= 8 * many


def test_what_has_been_looked_for_in_vain_is_not_looked_for_again():
    """However many patterns want what there is too little of."""
    some = range(100)
    fits = [Counted(some) for _ in range(300)]
    Counted.looks = 0
    assert len(assign(fits, [(1, 1)] * 300, 100)) == 100
    assert Counted.looks <= 3 * 100 * 300


def test_what_no_pattern_has_room_for_is_not_offered_again():
    """However many spans are left."""
    giving = _Giving([range(300)] * 100, 300)
    giving._fitting = [Counted(ones) for ones in giving._fitting]
    Counted.looks = 0
    giving.give([1] * 100)
    assert giving.owner == {one: one for one in range(100)}
    assert Counted.looks <= 3 * 100 * 300


def test_equal_patterns_are_one():
    """As often as there are of them."""
    pattern = re.compile("x")
    nodes = [T("a", {"n": pattern}), ..., T("b"), T("a", {"n": pattern}, times=(1, 3)), T("b")]
    a, b = merged(nodes)
    assert (a.pattern, a.least, a.most) == (nodes[0], 2, 4)
    assert (b.least, b.most) == (2, 2)
    assert str(b.as_pattern()) == "b x2"
    assert str(merged([T("a", optional=True), T("a")])[0].as_pattern()) == "a x1..2"
    assert str(merged([T("a")])[0].as_pattern()) == "a"


def test_what_differs_in_anything_is_not_equal():
    """In the payload, the result, the status or in what is inside; nor what cannot be told."""
    for one, other in (
        ({"payload": {"n": 1}}, {"payload": {"n": True}}),
        ({"payload": {"n": 1}}, {"result_payload": {"n": 1}}),
        ({"payload": {"n": [1, 2]}}, {"payload": {"n": [2, 1]}}),
        ({"payload": {"n": re.compile("x")}}, {"payload": {"n": re.compile("x", re.IGNORECASE)}}),
        ({"status": "failed"}, {}),
        ({"children": [T("b")]}, {"children": [T("b")]}),
        ({"payload": {"n": {1}}}, {"payload": {"n": {1}}}),
    ):
        assert len(merged([T("a", **one), T("a", **other)])) == 2
