"""A run as trace events, for chrome://tracing and Perfetto."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from prefactor_trace.models import AgentSpan
from prefactor_trace.server._cancelled import shown
from prefactor_trace.server._reading import InstanceSummary
from prefactor_trace.server._timestamps import microseconds
from prefactor_trace.server._tree import schema_name


def as_chrome(run: InstanceSummary, spans: Sequence[AgentSpan], number: int) -> str:
    """Return trace events with commas between them; each run is a process of its own.

    Spans that overlap without being nested are put on rows of their own: those programs draw what
    is on one row as nested.

    Args:
        run: The run.
        spans: Its spans.
        number: A number that no other run in the file has.
    """
    spans = [shown(span) for span in spans]
    events: list[dict[str, Any]] = [
        {"ph": "M", "name": name, "pid": number, "tid": 0, "args": args}
        for name, args in (
            ("process_name", {"name": run.agent_name}),
            ("process_labels", {"labels": run.id}),
        )
    ]
    moments = [moment for span in spans for moment in (span.started_at, span.finished_at) if moment]
    end = max(moments, default=run.inserted_at)
    rows = _rows(spans, end)
    for span in _started(spans):
        took = (span.finished_at or end) - (span.started_at or end)
        events.append(
            {
                "ph": "X",
                "name": schema_name(span),
                "cat": span.status,
                "ts": microseconds(span.started_at or end),
                "dur": max(round(took.total_seconds() * 1_000_000), 0),
                "pid": number,
                "tid": rows[span.id],
                "args": {"id": span.id, "payload": span.payload, "result": span.result_payload},
            }
        )
    return ", ".join(json.dumps(event, ensure_ascii=False) for event in events)


def _rows(spans: Sequence[AgentSpan], end: datetime) -> dict[str, int]:
    """Return the row of each span: one where it lies within its ancestors, and beside nothing."""
    parents = {span.id: span.parent_span_id for span in spans}
    placed: dict[str, int] = {}
    open_on: list[list[tuple[str, datetime]]] = []  # row to the spans that are open there
    for span in sorted(_started(spans), key=lambda one: one.started_at or end):
        start, finish = span.started_at or end, span.finished_at or end
        ancestors = set(_ancestors(span.id, parents))
        first = placed.get(span.parent_span_id or "", 0)
        for row in [*range(first, len(open_on)), *range(first), len(open_on)]:
            if row == len(open_on):
                open_on.append([])
            around = open_on[row]
            while around and around[-1][1] <= start:
                around.pop()
            if not around or (around[-1][0] in ancestors and finish <= around[-1][1]):
                around.append((span.id, finish))
                placed[span.id] = row
                break
    return placed


def _started(spans: Sequence[AgentSpan]) -> list[AgentSpan]:
    return [span for span in spans if span.started_at is not None]


def _ancestors(span_id: str, parents: dict[str, str | None]) -> Iterator[str]:
    seen = {span_id}
    parent = parents.get(span_id)
    while parent is not None and parent not in seen:
        yield parent
        seen.add(parent)
        parent = parents.get(parent)
