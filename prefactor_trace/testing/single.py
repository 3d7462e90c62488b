"""Whether a span by itself is as its pattern says, and in words, how it is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from prefactor_trace.testing.matching import differences, differs
from prefactor_trace.testing.pattern import T
from prefactor_trace.testing.spans import RecordedSpan, error_text, named
from prefactor_trace.testing.wording import shown

__tracebackhide__ = True  # a failure is shown where the test has asked


def _parts(pattern: T, span: RecordedSpan) -> Iterator[tuple[str, Any, Any]]:
    """Yield name, value and expected value of what a pattern says."""
    for part in ("payload", "result_payload"):
        value, expected = getattr(span, part), getattr(pattern, part)
        if expected is not ...:
            # So that of a mapping each key is told that is missing.
            yield part, {} if value is None and isinstance(expected, dict) else value, expected


def is_unlike(pattern: T, span: RecordedSpan) -> bool:
    """Return whether a span by itself is not as its pattern says."""
    return span.status != pattern.status or any(
        differs(value, expected, part, of=named(span))
        for part, value, expected in _parts(pattern, span)
    )


def unlike(pattern: T, span: RecordedSpan) -> str:
    """Return how a span by itself is not as its pattern says; nothing where it is."""
    wrong: list[str] = []
    for part, value, expected in _parts(pattern, span):
        wrong += differences(value, expected, part, of=named(span))
    if span.status != pattern.status:
        said = f" ({error_text(span.error)})" if span.error else ""
        told = f"expected {shown(pattern.status)}, was {shown(span.status)}{said}"
        wrong.append(f"status  {told}")
    return "; ".join(wrong)
