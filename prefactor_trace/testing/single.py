"""Whether a span by itself is as its pattern says, and in words, how it is not."""

from __future__ import annotations

from typing import Any

from prefactor_trace.testing.matching import differences, differs
from prefactor_trace.testing.pattern import T
from prefactor_trace.testing.spans import RecordedSpan, error_text, named
from prefactor_trace.testing.wording import shown

__tracebackhide__ = True  # a failure is shown where the test has asked


def _parts(pattern: T, span: RecordedSpan, *, is_text: bool) -> list[tuple[str, Any, Any, bool]]:
    """Return name, value and expected value of what a pattern says, and whether ``*`` is text."""
    found = []
    for part, expected in (
        ("payload", pattern.payload),
        ("result_payload", pattern.result_payload),
    ):
        if expected is not ...:
            value, of_text = getattr(span, part), is_text and isinstance(expected, dict)
            found.append((part, (value or {}) if of_text else value, expected, of_text))
    return found


def is_unlike(pattern: T, span: RecordedSpan, *, is_text: bool) -> bool:
    """Return whether a span by itself is not as its pattern says.

    Args:
        pattern: What is expected.
        span: What there is.
        is_text: Whether ``*`` in the pattern's strings stands for any text.
    """
    return span.status != pattern.status or any(
        differs(value, expected, part, of=named(span), stars=stars)
        for part, value, expected, stars in _parts(pattern, span, is_text=is_text)
    )


def unlike(pattern: T, span: RecordedSpan, *, is_text: bool) -> str:
    """Return how a span by itself is not as its pattern says; nothing where it is.

    Args:
        pattern: What is expected.
        span: What there is.
        is_text: Whether ``*`` in the pattern's strings stands for any text.
    """
    wrong: list[str] = []
    for part, value, expected, stars in _parts(pattern, span, is_text=is_text):
        wrong += differences(value, expected, part, of=named(span), stars=stars)
    if span.status != pattern.status:
        said = f" ({error_text(span.error)})" if span.error else ""
        told = f"expected {shown(pattern.status)}, was {shown(span.status)}{said}"
        wrong.append(f"status  {told}")
    return "; ".join(wrong)


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
