"""Which of some spans is meant by which pattern, where they may come in any order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from prefactor_trace.testing.pattern import T


class Wanted(NamedTuple):
    """A pattern, or several that are equal.

    Attributes:
        pattern: The first of them.
        least: How many such spans there have to be.
        most: How many there may be.
    """

    pattern: T
    least: int
    most: int

    def as_pattern(self) -> T:
        """Return all of them as one pattern."""
        times = self.least if self.least == self.most else (self.least, self.most)
        return self.pattern._replace(times=times, optional=False)


def merged(patterns: Sequence[Any]) -> list[Wanted]:
    """Return patterns with those that are equal in one: in any order they are the same to a span.

    Args:
        patterns: `T` nodes; ``...`` among them is passed over.
    """
    found: dict[Any, Wanted] = {}
    for pattern in patterns:
        if pattern is not ...:
            key, (least, most) = _key(pattern), pattern.bounds
            before = found.get(key, Wanted(pattern, 0, 0))
            found[key] = Wanted(before.pattern, before.least + least, before.most + most)
    return list(found.values())


def _key(pattern: T) -> Any:
    """Return what equal patterns have in common, and others have not."""
    if pattern.children:
        return id(pattern)
    said = _frozen([pattern.payload, pattern.result_payload])
    key = pattern.schema_name, pattern.status, said
    try:
        hash(key)
    except TypeError:
        return id(pattern)
    return key


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict, *((key, _frozen(part)) for key, part in value.items())
    if isinstance(value, (list, tuple)):
        return list, *map(_frozen, value)
    return type(value), value  # which tells `True` from `1`


def assign(
    fits: Sequence[Sequence[int]], bounds: Sequence[tuple[int, int]], count: int
) -> dict[int, int]:
    """Return which pattern each span is given to, so that as few as possible are left.

    What fits several patterns is not simply given to the first: it may be all that fits another.

    Args:
        fits: For each pattern, the numbers of the spans that fit it.
        bounds: For each pattern, how many it needs at least, and takes at most.
        count: How many spans there are.

    Returns:
        Number of a span to the number of its pattern. No assignment has less of what is needed
        missing, and of those none leaves fewer spans.
    """
    wanting = _Wanting(fits)
    # Who has little to choose from goes first: then little has to be given back.
    for pattern in sorted(range(len(fits)), key=lambda one: len(fits[one])):
        for _ in range(bounds[pattern][0]):
            if not wanting.take_for(pattern):
                break
    if len(wanting.owner) < count:
        # What a pattern has taken only makes room for another one: none gets less.
        leaving = _Leaving(fits, [most for _, most in bounds], count, wanting.owner)
        for span in range(count):
            if span not in wanting.owner:
                leaving.give(span)
    return wanting.owner


class _Wanting:
    """Patterns that take what fits them, and have others move on to other spans.

    Attributes:
        owner: Number of a span to that of its pattern.
    """

    def __init__(self, fits: Sequence[Sequence[int]]) -> None:
        self.owner: dict[int, int] = {}
        self._fits = fits
        self._seen = [0] * len(fits)  # how many of those that fit are known to be taken
        self._vain: set[int] = set()  # patterns from which no way leads to a span that is left

    def take_for(self, start: int) -> bool:
        """Give a pattern one more span, and return whether there was one for it."""
        came_from: dict[int, tuple[int, int]] = {}
        waiting = [start]
        for asking in waiting:
            free = self._free(asking)
            if free is not None:
                self._move_on(free, asking, start, came_from)
                return True
            for one in self._fits[asking]:
                other = self.owner[one]
                if other != start and other not in came_from and other not in self._vain:
                    came_from[other] = asking, one
                    waiting.append(other)
        # Nor will there be later: all that fits these is theirs, and what is taken stays so.
        self._vain.update(waiting)
        return False

    def _free(self, pattern: int) -> int | None:
        ones, at = self._fits[pattern], self._seen[pattern]
        while at < len(ones) and ones[at] in self.owner:
            at += 1
        self._seen[pattern] = at
        return ones[at] if at < len(ones) else None

    def _move_on(
        self, free: int, last: int, start: int, came_from: dict[int, tuple[int, int]]
    ) -> None:
        """Go back along the way that has led to a free one: each takes the next one."""
        self.owner[free] = last
        while last != start:
            last, one = came_from[last]
            self.owner[one] = last


class _Leaving:
    """Spans that are left, for patterns that take more, which may move others on.

    Args:
        fits: For each pattern, the numbers of the spans that fit it.
        most: For each pattern, how many it takes.
        count: How many spans there are.
        owner: Number of a span to that of its pattern; what is given away is added.
    """

    def __init__(
        self, fits: Sequence[Sequence[int]], most: Sequence[int], count: int, owner: dict[int, int]
    ) -> None:
        self._most, self._owner = most, owner
        self._fitting: list[list[int]] = [[] for _ in range(count)]
        self._owned: list[set[int]] = [set() for _ in fits]
        self._full: set[int] = set()  # patterns from which no way leads to one that takes more
        for pattern, ones in enumerate(fits):
            for one in ones:
                self._fitting[one].append(pattern)
        for one, pattern in owner.items():
            self._owned[pattern].add(one)

    def give(self, start: int) -> None:
        """Give a span to a pattern, if there is one for it."""
        comes: dict[int, int] = {}  # pattern to the span that is to be given to it
        waiting = [start]
        for one in waiting:
            for pattern in self._fitting[one]:
                if pattern in comes or pattern in self._full:
                    continue
                comes[pattern] = one
                if len(self._owned[pattern]) < self._most[pattern]:
                    self._hand_on(pattern, comes)
                    return
                waiting += self._owned[pattern]
        self._full.update(comes)

    def _hand_on(self, roomy: int, comes: dict[int, int]) -> None:
        """Go back along the way that has led to a pattern with room: each gives up one for it."""
        pattern: int | None = roomy
        while pattern is not None:
            one = comes[pattern]
            before = self._owner.get(one)
            self._owner[one] = pattern
            self._owned[pattern].add(one)
            if before is not None:
                self._owned[before].remove(one)
            pattern = before
