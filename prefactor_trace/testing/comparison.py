"""Whether a trace has the shape that a test asks for, and the first place in which it has not."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from prefactor_trace.testing.descent import Call, descend
from prefactor_trace.testing.likely import Likely
from prefactor_trace.testing.matching import matches_text
from prefactor_trace.testing.pattern import T
from prefactor_trace.testing.single import is_unlike, lacking, unlike
from prefactor_trace.testing.spans import RecordedSpan, named
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


class Comparison:
    """Finds the first place where spans are not as a pattern says."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str], bool] = {}
        self._furthest = -1
        self._tell: Callable[[], str] = str
        self._span: RecordedSpan | None = None

    def matches(self, node: T, spans: Sequence[RecordedSpan], where: str) -> bool:
        """Return whether siblings are as what is expected in a node.

        Args:
            node: Has their patterns, and ``...`` where others may come, as its children.
            spans: The siblings.
            where: What they are in, for the reason.
        """
        return descend(self._siblings(node, spans, where))

    @property
    def reason(self) -> str:
        """Why they are not, in words."""
        return self._tell()

    @property
    def spans(self) -> tuple[RecordedSpan, ...]:
        """What the reason is about."""
        return () if self._span is None else (self._span,)

    def _siblings(self, node: T, spans: Sequence[RecordedSpan], where: str) -> Call[bool]:
        compare = self._in_any_order if node.any_order else self._in_order
        return compare(node.children, spans, where)

    def _in_order(
        self, patterns: Sequence[Any], spans: Sequence[RecordedSpan], where: str
    ) -> Call[bool]:
        # All ways at once: to go through them one by one takes the longer, the more there are.
        places: Sequence[int] = [0]
        for pattern in patterns:
            if pattern is ...:
                places = range(places[0], len(spans) + 1)
            else:
                places = yield from self._behind(pattern, spans, places, where)
            if not places:
                return False
        last = places[-1]
        if last < len(spans):
            left = spans[last]
            self._note(left, lambda: f"{where} has {named(left)} more than expected")
        return last == len(spans)

    def _behind(
        self, pattern: T, spans: Sequence[RecordedSpan], places: Sequence[int], where: str
    ) -> Call[list[int]]:
        """Return where siblings may go on behind a pattern, from each place where it may begin.

        Places are in ascending order, so that each sibling is looked at once.
        """
        least, most = pattern.bounds
        behind: list[int] = []
        at = 0
        for start in places:
            at, limit = max(at, start), min(start + most, len(spans))
            while at < limit and (yield from self.is_like(pattern, spans[at])):
                at += 1
            have = at - start
            if have < least and at == len(spans):
                last = spans[-1] if spans else None
                self._note(last, lambda have=have: lacking(where, pattern, have))  # type: ignore[misc]
            first = start + least
            behind += range(max(first, behind[-1] + 1) if behind else first, at + 1)
        return behind

    def _in_any_order(
        self, patterns: Sequence[Any], spans: Sequence[RecordedSpan], where: str
    ) -> Call[bool]:
        wanted, owner, have = yield from self.assignment(patterns, spans)
        for one, there_are in zip(wanted, have, strict=True):
            if there_are < one.least:
                told = lacking(where, one.as_pattern(), there_are, any_order=True)
                self._note(None, functools.partial(str, told), force=True)
                return False
        if len(owner) < len(spans) and ... not in patterns:
            left = next(span for at, span in enumerate(spans) if at not in owner)
            self._note(left, lambda: f"{where} has {named(left)} more than expected", force=True)
            return False
        return True

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
            known = self._is_like_alone(pattern, span)
            if known and (pattern.children or span.children):
                known = yield self._is_like_inside(pattern, span)
            self._known[key] = known
        return known

    def _is_like_alone(self, pattern: T, span: RecordedSpan) -> bool:
        if not matches_text(span.schema_name, pattern.schema_name):
            self._note(span, lambda: f"expected {pattern}, found {named(span)}")
            return False
        if is_unlike(pattern, span):
            self._note(span, lambda: f"{named(span)}: {unlike(pattern, span)}")
            return False
        return True

    def _is_like_inside(self, pattern: T, span: RecordedSpan) -> Call[bool]:
        before = self._furthest, self._tell, self._span
        is_so = yield from self._siblings(pattern, span.children, named(span))
        if is_so:
            # What was tried on the way and did not fit is no reason: it fits as a whole.
            self._furthest, self._tell, self._span = before
        return is_so

    def _note(
        self, span: RecordedSpan | None, tell: Callable[[], str], *, force: bool = False
    ) -> None:
        """Keep the reason that lies furthest in the trace: all before it was as expected."""
        place = self._furthest if span is None else span.seq
        if force or place > self._furthest or self._tell is str:
            self._furthest, self._tell, self._span = max(place, self._furthest), tell, span
