"""Runs in other programs' formats: JSON lines, OTLP as JSON, and Chrome's trace events."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from prefactor_trace._pfid import span_id_of, trace_id_of
from prefactor_trace._version import __version__
from prefactor_trace.models import AgentSpan
from prefactor_trace.server._cancelled import shown
from prefactor_trace.server._reading import InstanceSummary
from prefactor_trace.server._tree import schema_name
from prefactor_trace.server.store import Store

_STATUS_CODES = {"complete": 1, "failed": 2}  # OTLP: OK and ERROR

DECLARATIONS = ("agent_version", "agent_schema_version")
"""What a run has registered with; in a line of JSON under the same names."""

Export = Callable[[InstanceSummary, Sequence[AgentSpan]], Iterator[str]]
"""Gets a run and its spans, and yields the text of a file piece by piece."""


def export_run(store: Store, instance_id: str, name: str) -> Iterator[str]:
    """Yield the text of a file that holds a run.

    Args:
        store: Where the run is.
        instance_id: Its id.
        name: Name of a format.

    Raises:
        LookupError: There is no such run.
    """
    run = store.get_instance(instance_id)
    if run is None:
        raise LookupError(instance_id)
    spans = store.list_spans(instance_id)
    if name == "jsonl":
        return as_jsonl(run, spans, store.read_declarations(instance_id))
    return FORMATS[name][0](run, spans)


def as_jsonl(
    run: InstanceSummary, spans: Sequence[AgentSpan], declarations: Mapping[str, Any] | None = None
) -> Iterator[str]:
    """Yield a line for the run and one for each span, as the API answers them.

    Args:
        run: The run.
        spans: Its spans.
        declarations: What it has registered with, by the names of `DECLARATIONS`.
    """
    # What is read in again stays as it was sent, and so do the numbers of it.
    stored = Counter(span.status for span in spans)
    counts = {name: stored[name] for name in ("failed", "cancelled")}
    plain = _plain(run)
    plain["span_counts"] |= counts
    yield _line({"type": "instance", **plain, **(declarations or {})})
    for span in spans:
        yield _line(span.model_dump(mode="json"))


def as_otlp(run: InstanceSummary, spans: Sequence[AgentSpan]) -> Iterator[str]:
    """Yield one ``ExportTraceServiceRequest`` in OTLP's JSON.

    The ids of the trace and the spans are those of the ``traceparent`` header, so that exported
    runs join what services recorded that got it.

    Args:
        run: The run.
        spans: Its spans.
    """
    spans = [shown(span) for span in spans]
    resource = {
        "service.name": run.agent_name,
        "service.version": run.agent_version,
        "prefactor.instance_id": run.id,
        "prefactor.purpose": run.purpose,
    }
    scope = {"name": "prefactor_trace", "version": __version__}
    content = {
        "resource": {"attributes": _attributes(resource)},
        "scopeSpans": [{"scope": scope, "spans": [_otlp_span(run, span) for span in spans]}],
    }
    yield json.dumps({"resourceSpans": [content]}, ensure_ascii=False)


def as_chrome(run: InstanceSummary, spans: Sequence[AgentSpan]) -> Iterator[str]:
    """Yield trace events, for chrome://tracing and Perfetto.

    Spans that overlap without being nested are put on rows of their own: those programs draw what
    is on one row as nested.

    Args:
        run: The run.
        spans: Its spans.
    """
    spans = [shown(span) for span in spans]
    events: list[dict[str, Any]] = [
        {"ph": "M", "name": "process_name", "pid": 1, "tid": 0, "args": {"name": run.agent_name}}
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
                "ts": _microseconds(span.started_at or end),
                "dur": max(round(took.total_seconds() * 1_000_000), 0),
                "pid": 1,
                "tid": rows[span.id],
                "args": {"id": span.id, "payload": span.payload, "result": span.result_payload},
            }
        )
    yield json.dumps({"traceEvents": events, "displayTimeUnit": "ms"}, ensure_ascii=False)


FORMATS: dict[str, tuple[Export, str]] = {
    "jsonl": (as_jsonl, "application/x-ndjson"),
    "otlp": (as_otlp, "application/json"),
    "chrome": (as_chrome, "application/json"),
}
"""Name of a format to what writes it, and its media type."""


def _line(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"


def _plain(run: InstanceSummary) -> dict[str, Any]:
    plain = {
        name: value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
        for name, value in vars(run).items()
        if name != "agent_version"  # stands there whole
    }
    plain["span_counts"] = run.span_counts.model_dump()
    return plain


def _otlp_span(run: InstanceSummary, span: AgentSpan) -> dict[str, Any]:
    started = span.started_at or run.inserted_at
    content: dict[str, Any] = {
        "traceId": trace_id_of(run.id),
        "spanId": span_id_of(span.id),
        "name": schema_name(span),
        "kind": 1,
        "startTimeUnixNano": str(_microseconds(started) * 1000),
        "endTimeUnixNano": str(_microseconds(span.finished_at or started) * 1000),
        "attributes": _attributes(
            {
                "prefactor.span_id": span.id,
                "prefactor.status": span.status,
                "prefactor.summary": span.summary,
                "prefactor.payload": json.dumps(span.payload, ensure_ascii=False),
                "prefactor.result_payload": None
                if span.result_payload is None
                else json.dumps(span.result_payload, ensure_ascii=False),
            }
        ),
        "status": {"code": _STATUS_CODES.get(span.status, 0)},
    }
    if span.parent_span_id is not None:
        content["parentSpanId"] = span_id_of(span.parent_span_id)
    message = (span.result_payload or {}).get("message")
    if span.status == "failed" and isinstance(message, str):
        content["status"]["message"] = message
    return content


def _attributes(values: dict[str, str | None]) -> list[dict[str, Any]]:
    return [
        {"key": key, "value": {"stringValue": value}}
        for key, value in values.items()
        if value is not None
    ]


def _microseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)


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
