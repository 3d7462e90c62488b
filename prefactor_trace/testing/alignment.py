"""All the places in which a trace has not the shape that a test asks for, in their order."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from prefactor_trace.testing.comparison import Comparison
from prefactor_trace.testing.descent import Call, descend
from prefactor_trace.testing.matching import matches_text
from prefactor_trace.testing.pattern import T
from prefactor_trace.testing.single import is_unlike, unlike
from prefactor_trace.testing.spans import MOST_LISTED, RecordedSpan, listed, named
from prefactor_trace.testing.steps import Slot, cheapest, cost_of, slots_of
from prefactor_trace.testing.telling import Difference, too_few
from prefactor_trace.testing.unordered import Wanted

__tracebackhide__ = True  # a failure is shown where the test has asked

# Of a whole tree, for what differs in it: a second's worth of each.
_MOST_PAIRS = 10_000  # of patterns and spans that are compared word for word
_MOST_WAYS = 250_000  # through siblings, where they come in order
_FEW_PAIRS = 400  # of some siblings, which are all compared
_NEAR = 3  # of more, those that each pattern is compared with
_FAR = 100  # differences that the others are taken to have


class Alignment:
    """Lays patterns beside spans so that as little as possible differs.

    Attributes:
        is_cut: Whether there may be more differences than were found: to look for all takes long.
    """

    def __init__(self) -> None:
        self._comparison = Comparison()
        self._known: dict[tuple[int, str], list[Difference]] = {}
        self.is_cut = False
        self._pairs_left, self._ways_left = _MOST_PAIRS, _MOST_WAYS

    def differences(self, node: T, spans: Sequence[RecordedSpan], where: str) -> list[Difference]:
        """Return where siblings are not as what is expected in a node.

        Args:
            node: Has their patterns, and ``...`` where others may come, as its children.
            spans: The siblings.
            where: What they are in, for the lines.
        """
        return descend(self._siblings(node, spans, where))

    def _siblings(
        self, node: T, spans: Sequence[RecordedSpan], where: str
    ) -> Call[list[Difference]]:
        compare = self._in_any_order if node.any_order else self._in_order
        return compare(node, spans, where)

    def _in_order(
        self, node: T, spans: Sequence[RecordedSpan], where: str
    ) -> Call[list[Difference]]:
        patterns = node.children
        slots = slots_of(patterns, len(spans))
        first, last = yield from self._alike_at_ends(slots, spans)
        outer = [*slots[:first], *slots[len(slots) - last :]]
        slots, inner = slots[first : len(slots) - last], spans[first : len(spans) - last]
        patterns_left = {slot.number: slot.pattern for slot in slots if slot.pattern is not ...}
        pairs, near = self._pairs(patterns_left, inner)
        if not self._affords(len(near), len(slots) * len(inner)):
            return (yield from self._first(patterns, spans, where))
        costs: dict[tuple[int, int], int] = {}
        for number, at in pairs:
            pair = patterns_left[number], inner[at]
            if (yield from self._comparison.is_like(*pair)):
                costs[number, at] = 0
            elif (number, at) in near:
                costs[number, at] = cost_of(len((yield from self._of_pair(*pair))))
            else:
                costs[number, at] = cost_of(_FAR)
        steps = cheapest(slots, len(inner), costs, is_open=... in patterns)
        taken = Counter(slots[at].number for kind, at, _ in steps if kind == "pair")
        taken.update(slot.number for slot in outer)
        return (yield from self._along(steps, slots, inner, where, taken))

    def _along(
        self,
        steps: Sequence[tuple[str, int, int]],
        slots: Sequence[Slot],
        spans: Sequence[RecordedSpan],
        where: str,
        taken: Mapping[int, int],
    ) -> Call[list[Difference]]:
        """Return what differs on a way through slots and spans."""
        found: list[Difference] = []
        more: list[RecordedSpan] = []
        missed: set[int] = set()
        for kind, at, other in steps:
            if kind == "more":
                more.append(spans[other])
                continue
            found += _too_many(more, where)
            more = []
            if kind == "free":
                continue
            slot = slots[at]
            if kind == "pair":
                found += yield from self._of_pair(slot.pattern, spans[other])
            elif kind == "other":
                found.append(_other(slot.pattern, spans[other]))
            elif slot.must and slot.number not in missed:
                missed.add(slot.number)
                found.append(too_few(where, slot.pattern, taken.get(slot.number, 0)))
        return found + _too_many(more, where)

    def _alike_at_ends(
        self, slots: Sequence[Slot], spans: Sequence[RecordedSpan]
    ) -> Call[tuple[int, int]]:
        """Return how many siblings, from the first on and from the last back, are as expected.

        Mostly little is wrong with very many: only what is between has to be laid side by side.
        """
        counts = [0, 0]
        for side, step in ((0, 1), (1, -1)):
            while sum(counts) < min(len(slots), len(spans)):
                at = counts[side] * step - side
                if not slots[at].must or not (
                    yield from self._comparison.is_like(slots[at].pattern, spans[at])
                ):
                    break
                counts[side] += 1
        return counts[0], counts[1]

    def _pairs(
        self, patterns: Mapping[int, T], spans: Sequence[RecordedSpan]
    ) -> tuple[list[tuple[int, int]], set[tuple[int, int]]]:
        """Return which spans have the name that a pattern says, and those of them that are near.

        That is, all; of many, those that are like it by themselves, and those at its place.
        """
        pairs = [
            (number, at)
            for number, pattern in patterns.items()
            for at, span in enumerate(spans)
            if matches_text(span.schema_name, pattern.schema_name)
        ]
        if len(pairs) <= _FEW_PAIRS:
            return pairs, set(pairs)
        near: set[tuple[int, int]] = set()
        for place, (number, of_one) in enumerate(groupby(pairs, lambda pair: pair[0])):
            expected = place * len(spans) / len(patterns)
            ranked = [
                (is_unlike(patterns[number], spans[at]), abs(at - expected), at) for _, at in of_one
            ]
            near.update((number, at) for *_, at in heapq.nsmallest(_NEAR, ranked))
        return pairs, near

    def _affords(self, pairs: int, ways: int = 0) -> bool:
        """Return whether there is time left to compare so much."""
        if pairs > self._pairs_left or ways > self._ways_left:
            self.is_cut = True
            return False
        self._pairs_left -= pairs
        self._ways_left -= ways
        return True

    def _first(
        self, patterns: Sequence[Any], spans: Sequence[RecordedSpan], where: str
    ) -> Call[list[Difference]]:
        """Return the first difference alone."""
        stuck = yield from self._comparison.stuck(patterns, spans)
        if stuck is None:
            return []
        at, pattern, have = stuck
        if pattern is None:
            return _too_many(spans[at : at + 1], where)
        if at == len(spans):
            return [too_few(where, pattern, have)]
        if matches_text(spans[at].schema_name, pattern.schema_name):
            return (yield from self._of_pair(pattern, spans[at]))[:1]
        return [_other(pattern, spans[at])]

    def _of_pair(self, pattern: T, span: RecordedSpan) -> Call[list[Difference]]:
        if (yield from self._comparison.is_like(pattern, span)):
            return []
        key = id(pattern), span.id
        if key not in self._known:
            own = unlike(pattern, span)
            found = [Difference(f"{named(span)}: {own}", (span,))] if own else []
            inside = yield self._siblings(pattern, span.children, named(span))
            self._known[key] = found + inside
        return self._known[key]

    def _in_any_order(
        self, node: T, spans: Sequence[RecordedSpan], where: str
    ) -> Call[list[Difference]]:
        wanted, owner, have = yield from self._comparison.assignment(node.children, spans)
        left = [span for at, span in enumerate(spans) if at not in owner]
        is_open = ... in node.children
        found = yield from self._nearest(wanted, have, left, is_open=is_open)
        for one, there_are in zip(wanted, have, strict=True):
            if there_are < one.least:
                found.append(too_few(where, one.as_pattern(), there_are, any_order=True))
        return found if is_open else [*found, *_too_many(left, where)]

    def _nearest(
        self,
        wanted: Sequence[Wanted],
        have: list[int],
        left: list[RecordedSpan],
        *,
        is_open: bool,
    ) -> Call[list[Difference]]:
        """Give what is left to the patterns that it is nearest to, first where least differs.

        Args:
            wanted: The patterns.
            have: How many spans each has; those that are given are added.
            left: The spans that are left; those that are given are taken out.
            is_open: Whether spans may be left.
        """
        patterns = {
            number: one.pattern
            for number, one in enumerate(wanted)
            if have[number] < (one.least if is_open else one.most)
        }
        _, near = self._pairs(patterns, left)
        found: list[Difference] = []
        if not self._affords(len(near)):
            return found
        ways = []
        for number, at in sorted(near):
            differing = yield from self._of_pair(patterns[number], left[at])
            ways.append((len(differing), number, left[at], differing))
        ways.sort(key=lambda way: (way[0], have[way[1]] >= wanted[way[1]].least, way[2].seq))
        given: set[str] = set()
        for _, number, span, differing in ways:
            one = wanted[number]
            if span.id not in given and have[number] < (one.least if is_open else one.most):
                given.add(span.id)
                have[number] += 1
                found += differing
        left[:] = [span for span in left if span.id not in given]
        found.sort(key=lambda one: one.spans[0].seq if one.spans else 0)
        return found


def _other(pattern: T, span: RecordedSpan) -> Difference:
    return Difference(f"expected {pattern}, found {named(span)}", (span,))


def _too_many(spans: Sequence[RecordedSpan], where: str) -> list[Difference]:
    if not spans:
        return []
    told = f"{listed(spans)} more than expected"
    if len(spans) > MOST_LISTED:
        told = f"{len(spans)} spans more than expected: {listed(spans)}"
    return [Difference(f"{where} has {told}", tuple(spans))]
