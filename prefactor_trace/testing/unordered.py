"""Which of some spans is meant by which pattern, where they may come in any order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from prefactor_trace.testing.pattern import T


class Wanted(NamedTuple):
    """A pattern, or the first of several that are equal, and how many spans may be so."""

    pattern: T
    least: int
    most: int

    def as_pattern(self) -> T:
        """Return all of them as one pattern."""
        times = self.least if self.least == self.most else (self.least, self.most)
        return self.pattern._replace(times=times, optional=False)


def merged(patterns: Sequence[Any]) -> list[Wanted]:
    """Return the patterns but `...`; those that are equal are one, as they are to a span."""
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
    giving = _Giving(fits, count)
    giving.give([least for least, _ in bounds])
    # What a pattern has is only exchanged for other spans: none gets less.
    giving.give([most for _, most in bounds])
    return giving.owner


class _Giving:
    """Spans that are given to patterns, which may have to give others up for them.

    Attributes:
        owner: Number of a span to that of its pattern.
    """

    def __init__(self, fits: Sequence[Sequence[int]], count: int) -> None:
        self.owner: dict[int, int] = {}
        self._fitting: list[list[int]] = [[] for _ in range(count)]
        self._owned: list[set[int]] = [set() for _ in fits]
        # Who has little to choose from goes first: then little has to be given back.
        for pattern in sorted(range(len(fits)), key=lambda one: len(fits[one])):
            for one in fits[pattern]:
                self._fitting[one].append(pattern)

    def give(self, most: Sequence[int]) -> None:
        """Give each span that is left to a pattern, if there is one for it."""
        full: set[int] = set()  # patterns from which no way leads to one that takes more
        for span in range(len(self._fitting)):
            if span not in self.owner:
                self._give_one(span, most, full)

    def _give_one(self, start: int, most: Sequence[int], full: set[int]) -> None:
        comes: dict[int, int] = {}  # pattern to the span that is to be given to it
        waiting = [start]
        for one in waiting:
            for pattern in self._fitting[one]:
                if pattern in comes or pattern in full:
                    continue
                comes[pattern] = one
                if len(self._owned[pattern]) < most[pattern]:
                    self._hand_on(pattern, comes)
                    return
                waiting += self._owned[pattern]
        full.update(comes)

    def _hand_on(self, roomy: int, comes: dict[int, int]) -> None:
        """Go back along the way that has led to a pattern with room: each gives up one for it."""
        pattern: int | None = roomy
        while pattern is not None:
            one = comes[pattern]
            before = self.owner.get(one)
            self.owner[one] = pattern
            self._owned[pattern].add(one)
            if before is not None:
                self._owned[before].remove(one)
            pattern = before
