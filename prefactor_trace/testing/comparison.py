"""Whether a trace has the shape that a test asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from prefactor_trace.testing.descent import Call, descend
from prefactor_trace.testing.likely import Likely
from prefactor_trace.testing.matching import matches_text
from prefactor_trace.testing.pattern import T
from prefactor_trace.testing.single import is_unlike
from prefactor_trace.testing.spans import RecordedSpan
from prefactor_trace.testing.unordered import Wanted, assign, merged

__tracebackhide__ = True  # a failure is shown where the test has asked


class Assigned(NamedTuple):
    """Which of some siblings is meant by which pattern, where they may come in any order.

    Attributes:
        wanted: The patterns; of those that are equal there is one.
        owner: Place of a sibling to that of its pattern; those that no pattern means are not in it.
        have: How many siblings each pattern has.
    """

    wanted: list[Wanted]
    owner: dict[int, int]
    have: list[int]


class Stuck(NamedTuple):
    """How far siblings that come in order are as their patterns say.

    Attributes:
        at: Place of the first that is not, or behind the last one.
        pattern: What is expected there, ``None`` where nothing is.
        have: How many siblings before it are as this pattern says.
    """

    at: int
    pattern: T | None = None
    have: int = 0


class Comparison:
    """Compares spans with patterns, each with each at most once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str], bool] = {}

    def matches(self, node: T, spans: Sequence[RecordedSpan]) -> bool:
        """Return whether siblings are as what is expected in a node.

        Args:
            node: Has their patterns, and ``...`` where others may come, as its children.
            spans: The siblings.
        """
        return descend(self._siblings(node, spans))

    def _siblings(self, node: T, spans: Sequence[RecordedSpan]) -> Call[bool]:
        if node.any_order:
            return (yield from self._in_any_order(node.children, spans))
        return (yield from self.stuck(node.children, spans)) is None

    def stuck(self, patterns: Sequence[Any], spans: Sequence[RecordedSpan]) -> Call[Stuck | None]:
        """Return where no way through siblings goes on, ``None`` where one goes to the end."""
        # All ways at once: to go through them one by one takes the longer, the more there are.
        places: Sequence[int] = [0]
        for pattern in patterns:
            if pattern is ...:
                places = range(places[0], len(spans) + 1)
                continue
            before = places[-1]
            places, at = yield from self._behind(pattern, spans, places)
            if not places:
                return Stuck(at, pattern, max(at - before, 0))
        return None if places[-1] == len(spans) else Stuck(places[-1])

    def _behind(
        self, pattern: T, spans: Sequence[RecordedSpan], places: Sequence[int]
    ) -> Call[tuple[list[int], int]]:
        """Return where siblings may go on behind a pattern, and the first place where none may.

        Args:
            pattern: What is expected.
            spans: The siblings.
            places: Where it may begin, in ascending order, so that each is looked at once.
        """
        least, most = pattern.bounds
        behind: list[int] = []
        at = 0
        for start in places:
            at, limit = max(at, start), min(start + most, len(spans))
            while at < limit and (yield from self.is_like(pattern, spans[at])):
                at += 1
            first = start + least
            behind += range(max(first, behind[-1] + 1) if behind else first, at + 1)
        return behind, at

    def _in_any_order(self, patterns: Sequence[Any], spans: Sequence[RecordedSpan]) -> Call[bool]:
        wanted, owner, have = yield from self.assignment(patterns, spans)
        are_enough = all(
            there_are >= one.least for one, there_are in zip(wanted, have, strict=True)
        )
        return are_enough and (len(owner) == len(spans) or ... in patterns)

    def assignment(self, patterns: Sequence[Any], spans: Sequence[RecordedSpan]) -> Call[Assigned]:
        """Return which siblings are meant by which patterns, where as few as possible are left."""
        wanted = merged(patterns)
        likely = Likely(spans)
        fits: list[list[int]] = []
        for pattern, *_ in wanted:
            fits.append([])
            for at in likely.places(pattern):
                if (yield from self.is_like(pattern, spans[at])):
                    fits[-1].append(at)
        owner = assign(fits, [(one.least, one.most) for one in wanted], len(spans))
        have = [0] * len(wanted)
        for number in owner.values():
            have[number] += 1
        return Assigned(wanted, owner, have)

    def is_like(self, pattern: T, span: RecordedSpan) -> Call[bool]:
        """Return whether a span and all below it is as its pattern says."""
        key = id(pattern), span.id
        known = self._known.get(key)
        if known is None:
            has_name = matches_text(span.schema_name, pattern.schema_name)
            known = has_name and not is_unlike(pattern, span)
            if known and (pattern.children or span.children):
                known = yield self._siblings(pattern, span.children)
            self._known[key] = known
        return known
