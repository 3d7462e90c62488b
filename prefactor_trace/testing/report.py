"""What a failed assertion shows: what was asked for, what is nearest to it, and what there is."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Sequence
from typing import Any

from prefactor_trace.testing.doubts import (
    CONDITIONS,
    Doubts,
    counted,
    misplaced,
    missing,
    nothing_captured,
)
from prefactor_trace.testing.matching import differences
from prefactor_trace.testing.spans import RecordedInstance, RecordedSpan
from prefactor_trace.testing.tree import as_text
from prefactor_trace.testing.wording import shown

_NEAREST = 2


class Report(str):
    """A text that pytest shows as it is, without a repr."""

    __slots__ = ()


def what_there_is(
    instances: Sequence[RecordedInstance],
    spans: Sequence[RecordedSpan],
    *,
    dropped: int = 0,
    doubts: Doubts,
    marked: Collection[str] = (),
    verbose: bool = False,
) -> str:
    """Return the facts about a capture and its tree.

    Args:
        instances: The runs.
        spans: Every span.
        dropped: How many spans were not recorded.
        doubts: As of `nothing_captured`.
        marked: Ids of spans to point at.
        verbose: Whether nothing is cut.
    """
    if not spans:
        return nothing_captured(doubts)
    facts = [
        counted(len(spans), "span"),
        counted(len(instances), "instance"),
        f"{sum(not span.finished for span in spans)} unfinished",
        f"{dropped} dropped",
        f"{counted(sum(span.redacted for span in spans), 'value')} redacted",
    ]
    truncated = sum(span.truncated for span in spans)
    if truncated:
        facts.append(f"{truncated} truncated")
    roots = [span for span in spans if span.parent is None]
    lines = [f"captured: {', '.join(facts)}"]
    for number, run in enumerate(instances, 1):
        of_run = [span for span in roots if span.instance is run]
        if len(instances) > 1:
            lines.append(f"  {run.agent_id or run.id}   run {number}, {run.status}")
        if of_run:
            text = as_text(of_run, marked=marked, verbose=verbose)
            lines.append(textwrap.indent(text, "    " if len(instances) > 1 else "  "))
    return "\n".join(lines)


def conditions_text(name: str, conditions: dict[str, Any]) -> str:
    """Return what was asked for, as the test has written it."""
    said = [f'"{name}"', *(f"{key}={shown(value)}" for key, value in conditions.items())]
    return ", ".join(said)


def matching(
    spans: Sequence[RecordedSpan], name: str, conditions: dict[str, Any]
) -> list[RecordedSpan]:
    """Return the spans of a type that meet all conditions."""
    return [
        span
        for span in spans
        if span.schema_name == name
        and all(unmet(span, key, value) is None for key, value in conditions.items())
    ]


def candidates(
    spans: Sequence[RecordedSpan], name: str, conditions: dict[str, Any], doubts: Doubts
) -> list[str]:
    """Return the lines on what is nearest to what was asked for, and was not found."""
    lines: list[str] = []
    for number, (span, told, met, total) in enumerate(_nearest(spans, name, conditions)):
        head = "closest:" if number == 0 else "next:   "
        where = f"   {span.where}" if span.where else ""
        lines.append(f"{head} {span!r}{where}   {met} of {total} conditions met")
        lines += [f"    {line}" for line in told]
    if lines:
        return [*lines, *misplaced(spans, name, conditions)]
    lines = missing([name], spans, doubts)
    if not any("did you mean" in line for line in lines):
        there_are = ", ".join(sorted({span.schema_name for span in spans}))
        lines.insert(0, f"no {name!r} was captured, only {there_are}")
    elsewhere = [
        one for one in spans if conditions and compared(one, conditions)[1] == len(conditions)
    ]
    return lines + [f"of another type, {one!r} meets the conditions" for one in elsewhere[:2]]


def _nearest(
    spans: Sequence[RecordedSpan], name: str, conditions: dict[str, Any]
) -> list[tuple[RecordedSpan, list[str], int, int]]:
    """Return the spans that come closest to what was asked for.

    Returns:
        Each with a line for every condition, how many are met, and how many there are.
    """
    found = []
    for span in spans:
        if span.schema_name == name:
            lines, met = compared(span, conditions)
            found.append((span, lines, met, len(lines)))
    found.sort(key=lambda one: -one[2])
    return found[:_NEAREST]


def compared(span: RecordedSpan, conditions: dict[str, Any]) -> tuple[list[str], int]:
    """Return a line for each condition on a span, and how many of them it meets."""
    lines, met = [], 0
    for key, expected in conditions.items():
        wrong = unmet(span, key, expected)
        if wrong is None:
            met += 1
            where = key if key in CONDITIONS else f"payload.{key}"
            lines.append(f"{where:<14} {shown(expected)}  ✓")
        else:
            lines.append(wrong)
    return lines, met


def unmet(span: RecordedSpan, key: str, expected: Any) -> str | None:
    """Return how a span misses a condition, ``None`` where it meets it."""
    if key == "status":
        if span.status == expected:
            return None
        error = f"  ({span.error.type}: {span.error.message})" if span.error else ""
        return f"{'status':<14} expected {expected}, was {span.status}{error}"
    if key == "under":
        names = span.path.split("/")[:-1]
        if expected in names:
            return None
        return f"{'under':<14} expected {expected!r}, is in {'/'.join(names) or 'the run itself'}"
    missing = object()
    value = span.payload.get(key, missing)
    if value is missing:
        return f"{'payload.' + key:<14} expected {shown(expected)}, is missing"
    wrong = differences(value, expected, f"payload.{key}")
    if not wrong:
        return None
    where, _, told = wrong[0].partition("  ")
    return f"{where:<14} {told}"
