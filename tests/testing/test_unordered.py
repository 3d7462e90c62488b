"""Which of some spans is meant by which pattern."""

import itertools
import random

from prefactor_trace.testing.unordered import assign


def test_what_fits_several_places_is_left_to_the_one_that_nothing_else_fits():
    """Whatever comes first."""
    assert assign([[0, 1], [0]], [True, True], 2) == {0: 1, 1: 0}
    assert assign([[0, 1], [0]], [False, True], 2) == {0: 1, 1: 0}


def test_required_places_go_first():
    """And what is left goes to the others."""
    assert assign([[0, 1], [0, 1], [1]], [False, True, True], 2) == {1: 0, 2: 1}
    assert assign([[0, 1, 2]], [True], 3) == {0: 0}


def test_no_other_assignment_leaves_less():
    """As trying all of them shows."""
    chance = random.Random(3)
    for _ in range(300):
        count = chance.randint(0, 4)
        fits = [
            [one for one in range(count) if chance.random() < 0.5]
            for _ in range(chance.randint(0, 4))
        ]
        required = [chance.random() < 0.5 for _ in fits]
        taken = assign(fits, required, count)
        assert all(one in fits[place] for place, one in taken.items())
        assert len(set(taken.values())) == len(taken)
        assert score(taken, required) == max(
            score(one, required) for one in assignments(fits, count)
        )


def score(taken, required):
    """Return how many required places are taken, and how many places."""
    return sum(required[place] for place in taken), len(taken)


def assignments(fits, count):
    """Return all that are possible."""
    for ways in itertools.product(*([None, *ones] for ones in fits)):
        some = [one for one in ways if one is not None]
        if len(set(some)) == len(some) <= count:
            yield {place: one for place, one in enumerate(ways) if one is not None}
