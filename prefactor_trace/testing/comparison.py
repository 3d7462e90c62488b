"""Whether a trace has the shape that a test asks for, and the first place in which it has not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from prefactor_trace.testing.matching import differences, matches_text
from prefactor_trace.testing.pattern import T
from prefactor_trace.testing.spans import RecordedSpan, error_text, named
from prefactor_trace.testing.unordered import assign
from prefactor_trace.testing.wording import shown

__tracebackhide__ = True  # a failure is shown where the test has asked


class Comparison:
    """Finds the first place where spans are not as a pattern says.

    Args:
        is_text: Whether ``*`` in the pattern's strings stands for any text.
    """

    def __init__(self, *, is_text: bool) -> None:
        self._is_text = is_text
        self._furthest = -1
        self.reason = ""
        self.span: RecordedSpan | None = None

    def matches(
        self,
        patterns: Sequence[Any],
        spans: Sequence[RecordedSpan],
        where: str,
        *,
        any_order: bool = False,
    ) -> bool:
        """Return whether siblings are as their patterns say.

        Args:
            patterns: `T` nodes, and ``...`` where others may come.
            spans: The siblings.
            where: What they are in, for the reason.
            any_order: Whether they may come in any order.
        """
        compare = self._in_any_order if any_order else self._in_order
        return compare(list(patterns), list(spans), where)

    @property
    def spans(self) -> tuple[RecordedSpan, ...]:
        """What the reason is about."""
        return () if self.span is None else (self.span,)

    def _in_order(self, patterns: list[Any], spans: list[RecordedSpan], where: str) -> bool:
        # All ways at once: to go through them one by one takes the longer, the more there are.
        places = {0}
        for pattern in patterns:
            if pattern is ...:
                places = set(range(min(places), len(spans) + 1))
            else:
                places = self._behind(pattern, spans, places, where)
            if not places:
                return False
        last = max(places)
        if last < len(spans):
            self._note(spans[last], f"{where} has {named(spans[last])} more than expected")
        return last == len(spans)

    def _behind(
        self, pattern: T, spans: list[RecordedSpan], places: set[int], where: str
    ) -> set[int]:
        """Return where siblings may go on behind a pattern, from each place where it may begin."""
        least, most = pattern.bounds
        alike: dict[int, bool] = {}
        behind: set[int] = set()
        for start in sorted(places):
            at, limit = start, min(start + most, len(spans))
            while at < limit:
                if at not in alike:
                    alike[at] = self._is_like(pattern, spans[at])
                if not alike[at]:
                    break
                at += 1
            if at - start < least and at == len(spans):
                last = spans[-1] if spans else None
                self._note(last, lacking(where, pattern, at - start))
            behind.update(range(start + least, at + 1))
        return behind

    def _in_any_order(
        self, patterns: Sequence[Any], spans: Sequence[RecordedSpan], where: str
    ) -> bool:
        is_open = ... in patterns
        slots = slots_of([one for one in patterns if one is not ...], len(spans))
        fits: dict[int, list[int]] = {}
        for number, pattern, _ in slots:
            if number not in fits:
                fits[number] = [at for at, span in enumerate(spans) if self._is_like(pattern, span)]
        taken = assign([fits[one.number] for one in slots], [one.must for one in slots], len(spans))
        for at, (number, pattern, must) in enumerate(slots):
            if must and at not in taken:
                have = sum(slots[other].number == number for other in taken)
                self._note(None, lacking(where, pattern, have, any_order=True), force=True)
                return False
        if len(taken) < len(spans) and not is_open:
            left = next(one for at, one in enumerate(spans) if at not in taken.values())
            self._note(left, f"{where} has {named(left)} more than expected", force=True)
            return False
        return True

    def _is_like(self, pattern: T, span: RecordedSpan) -> bool:
        if not matches_text(span.schema_name, pattern.schema_name):
            self._note(span, f"expected {pattern}, found {named(span)}")
            return False
        if own := unlike(pattern, span, is_text=self._is_text):
            self._note(span, f"{named(span)}: {own}")
            return False
        inside = self._in_any_order if pattern.any_order else self.matches
        before = self._furthest, self.reason, self.span
        if not inside(pattern.children, span.children, named(span)):
            return False
        # What was tried on the way and did not fit is no reason: it fits as a whole.
        self._furthest, self.reason, self.span = before
        return True

    def _note(self, span: RecordedSpan | None, reason: str, *, force: bool = False) -> None:
        """Keep the reason that lies furthest in the trace: all before it was as expected."""
        place = self._furthest if span is None else span.seq
        if force or place > self._furthest or not self.reason:
            self._furthest, self.reason, self.span = max(place, self._furthest), reason, span


class Slot(NamedTuple):
    """A place for a span.

    Attributes:
        number: Of its pattern.
        pattern: `T`, or ``...``.
        must: Whether it has to be taken.
    """

    number: int
    pattern: Any
    must: bool


def slots_of(patterns: Sequence[Any], most_there_are: int) -> list[Slot]:
    """Return each pattern as often as there may be such spans, and whether there must."""
    slots: list[Slot] = []
    for number, pattern in enumerate(patterns):
        if pattern is ...:
            slots.append(Slot(number, ..., False))
            continue
        least, most = pattern.bounds
        slots += [Slot(number, pattern, True)] * min(least, most_there_are + 1)
        slots += [Slot(number, pattern, False)] * (min(most, most_there_are) - least)
    return slots


def lacking(where: str, pattern: T, have: int, *, any_order: bool = False) -> str:
    """Return that there are too few spans like a pattern.

    Args:
        where: What they should be in.
        pattern: What is expected.
        have: How many there are.
        any_order: Whether they may come in any order.
    """
    told = f"{where} should have {pattern}{', in any order,' if any_order else ','} and has"
    return f"{told} {have} of it" if have else f"{told} none"


def unlike(pattern: T, span: RecordedSpan, *, is_text: bool) -> str:
    """Return how a span by itself is not as its pattern says; nothing where it is.

    Args:
        pattern: What is expected.
        span: What there is.
        is_text: Whether ``*`` in the pattern's strings stands for any text.
    """
    wrong: list[str] = []
    for part, value, expected in (
        ("payload", span.payload, pattern.payload),
        ("result_payload", span.result_payload, pattern.result_payload),
    ):
        of_text = is_text and isinstance(expected, dict)
        found = (value or {}) if of_text else value
        wrong += differences(found, expected, part, of=named(span), stars=of_text)
    if span.status != pattern.status:
        said = f" ({error_text(span.error)})" if span.error else ""
        told = f"expected {shown(pattern.status)}, was {shown(span.status)}{said}"
        wrong.append(f"status  {told}")
    return "; ".join(wrong)
