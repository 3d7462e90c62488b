"""What a failed assertion shows: what was asked for, what is nearest to it, and what there is."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from prefactor_trace import Tracer, _exits
from prefactor_trace._default import default
from prefactor_trace.testing.matching import differences, shown
from prefactor_trace.testing.spans import RecordedInstance, RecordedSpan
from prefactor_trace.testing.tree import as_text

_NEAREST = 2


class Report(str):
    """A text that pytest shows as it is, without a repr."""

    __slots__ = ()


def what_there_is(
    instances: Sequence[RecordedInstance],
    spans: Sequence[RecordedSpan],
    *,
    dropped: int = 0,
    started_before: Mapping[Tracer, int],
    marked: Collection[str] = (),
    verbose: bool = False,
) -> str:
    """Return the facts about a capture and its tree.

    Args:
        instances: The runs.
        spans: Every span.
        dropped: How many spans were not recorded.
        started_before: As of `nothing_captured`.
        marked: Ids of spans to point at.
        verbose: Whether nothing is cut.
    """
    if not spans:
        return nothing_captured(started_before)
    facts = [
        _counted(len(spans), "span"),
        _counted(len(instances), "instance"),
        f"{sum(not span.finished for span in spans)} unfinished",
        f"{dropped} dropped",
        f"{_counted(sum(span.redacted for span in spans), 'value')} redacted",
    ]
    truncated = sum(span.truncated for span in spans)
    if truncated:
        facts.append(f"{truncated} truncated")
    roots = [span for span in spans if span.parent is None]
    tree = textwrap.indent(as_text(roots, marked=marked, verbose=verbose), "  ")
    return f"captured: {', '.join(facts)}\n{tree}"


def nothing_captured(started_before: Mapping[Tracer, int]) -> str:
    """Return that there is nothing, with those reasons that can be found out.

    Args:
        started_before: How many spans each tracer had recorded when the recording began.
    """
    lines = ["nothing was captured: no span has begun since the recording did"]
    if not default.switch:
        reason = default.tracer().settings().off_reason
        lines.append(f"- tracing was switched off while recording: {reason}")
    others = [
        one
        for one in _exits.leavers()
        if isinstance(one, Tracer)
        and one is not default._tracer
        and one.stats().started > started_before.get(one, 0)
    ]
    if others:
        lines.append(
            f"- {_counted(len(others), 'tracer')} beside the default one has recorded spans: those"
            " of a Tracer of your own that was made before the recording are sent, not captured"
        )
    lines.append("- was the decorated function called, and not the one below the decorator?")
    lines.append("- a child process is recorded only with subprocess_env()")
    return "\n".join(lines)


def conditions_text(name: str, conditions: dict[str, Any]) -> str:
    """Return what was asked for, as the test has written it."""
    said = [f'"{name}"', *(f"{key}={shown(value)}" for key, value in conditions.items())]
    return ", ".join(said)


def nearest(
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
            where = key if key in ("status", "under") else f"payload.{key}"
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


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
