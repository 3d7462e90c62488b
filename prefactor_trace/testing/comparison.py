"""Whether a trace has the shape that a test asks for, and the first place in which it has not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prefactor_trace.testing.matching import differences, matches_text, shown
from prefactor_trace.testing.pattern import T
from prefactor_trace.testing.spans import RecordedSpan, named

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

    def matches(self, patterns: Sequence[Any], spans: Sequence[RecordedSpan], where: str) -> bool:
        """Return whether siblings are as their patterns say, in order.

        Args:
            patterns: `T` nodes, and ``...`` where others may come.
            spans: The siblings.
            where: What they are in, for the reason.
        """
        if not patterns:
            if spans:
                self._note(spans[0], f"{where} has {named(spans[0])} more than expected")
            return not spans
        first, rest = patterns[0], patterns[1:]
        if first is ...:
            return any(self.matches(rest, spans[at:], where) for at in range(len(spans) + 1))
        least, most = first.bounds
        taken = 0
        # The most there are first; then fewer, which leaves the others to the patterns behind.
        while taken < min(most, len(spans)) and self._is_like(first, spans[taken]):
            taken += 1
        if taken < least and taken == len(spans):
            have = f"has {taken} of it" if taken else "has none"
            self._note(spans[-1] if spans else None, f"{where} should have {first}, and {have}")
        return any(
            self.matches(rest, spans[count:], where) for count in range(taken, least - 1, -1)
        )

    @property
    def spans(self) -> tuple[RecordedSpan, ...]:
        """What the reason is about."""
        return () if self.span is None else (self.span,)

    def _in_any_order(
        self, patterns: Sequence[Any], spans: Sequence[RecordedSpan], where: str
    ) -> bool:
        is_open = ... in patterns
        left = list(spans)
        for pattern in (one for one in patterns if one is not ...):
            least, most = pattern.bounds
            found = [span for span in left if self._is_like(pattern, span)][:most]
            if len(found) < least:
                told = f"{where} should have {pattern}, in any order, and has {len(found)} of it"
                self._note(None, told, force=True)
                return False
            left = [span for span in left if span not in found]
        if left and not is_open:
            self._note(left[0], f"{where} has {named(left[0])} more than expected", force=True)
        return is_open or not left

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
        if is_text and isinstance(expected, dict):
            wrong += _unlike_text(value or {}, expected, part)
        else:
            wrong += differences(value, expected, part)
    if span.status != pattern.status:
        said = f" ({span.error.type}: {span.error.message})" if span.error else ""
        wrong.append(f"status  expected {pattern.status}, was {span.status}{said}")
    return "; ".join(wrong)


def _unlike_text(value: dict[str, Any], expected: dict[str, Any], part: str) -> list[str]:
    return [
        f"{part}.{key}  expected {shown(wanted)}, was {shown(value.get(key))}"
        for key, wanted in expected.items()
        if key not in value or not matches_text(value[key], wanted)
    ]
