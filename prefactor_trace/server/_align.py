"""Which entry of one sequence stands for which of another, when some were added or taken away."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Hashable, Sequence

Pairs = list[tuple[int | None, int | None]]
"""Places in both sequences, in order; `None` where an entry has no partner."""


def matches(left: Sequence[Hashable], right: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Return the places of equal entries that go together, rising on both sides.

    The time is that of sorting, also for thousands of entries that are all alike or all different:
    the nth of a kind goes with the nth of that kind, and of these pairs the longest row that does
    not cross is kept.
    """
    low, high = _common_ends(left, right)
    ends = len(left) - high, len(right) - high
    beginning = [(at, at) for at in range(low)]
    end = [(ends[0] + at, ends[1] + at) for at in range(high)]
    return beginning + _middle(left, right, low, ends) + end


def align(left: Sequence[Hashable], right: Sequence[Hashable]) -> Pairs:
    """Return the places of all entries in order, those without a partner between the pairs."""
    pairs: Pairs = []
    here, there = 0, 0
    for one, other in [*matches(left, right), (len(left), len(right))]:
        pairs += [(at, None) for at in range(here, one)]
        pairs += [(None, at) for at in range(there, other)]
        pairs.append((one, other))
        here, there = one + 1, other + 1
    return pairs[:-1]


def _common_ends(left: Sequence[Hashable], right: Sequence[Hashable]) -> tuple[int, int]:
    """Return how many entries are equal at the beginning and, of the others, at the end."""
    shorter = min(len(left), len(right))
    low = 0
    while low < shorter and left[low] == right[low]:
        low += 1
    high = 0
    while high < shorter - low and left[-1 - high] == right[-1 - high]:
        high += 1
    return low, high


def _middle(
    left: Sequence[Hashable], right: Sequence[Hashable], low: int, ends: tuple[int, int]
) -> list[tuple[int, int]]:
    places: dict[Hashable, list[int]] = defaultdict(list)
    for at in range(ends[1] - 1, low - 1, -1):
        places[right[at]].append(at)
    pairs = [(at, places[left[at]].pop()) for at in range(low, ends[0]) if places.get(left[at])]
    return _longest_rising(pairs)


def _longest_rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest row of pairs, of which the first places rise, whose second rise too."""
    lasts: list[int] = []  # for each length, the smallest second place that a row can end with
    ending: list[int] = []  # the pair that does so
    before: list[int | None] = []
    for at, (_, place) in enumerate(pairs):
        length = bisect_left(lasts, place)
        before.append(ending[length - 1] if length else None)
        lasts[length : length + 1] = [place]
        ending[length : length + 1] = [at]
    row = []
    here = ending[-1] if ending else None
    while here is not None:
        row.append(pairs[here])
        here = before[here]
    return row[::-1]
