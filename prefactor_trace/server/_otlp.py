"""A run as OpenTelemetry's protocol has it in JSON (OTLP).

By its conventions for generative AI collectors show which model was asked and what that cost:
https://github.com/open-telemetry/semantic-conventions-genai.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from prefactor_trace._pfid import span_id_of, trace_id_of
from prefactor_trace._version import __version__
from prefactor_trace.models import AgentSpan
from prefactor_trace.server._cancelled import shown
from prefactor_trace.server._reading import InstanceSummary
from prefactor_trace.server._timestamps import microseconds
from prefactor_trace.server._tokens import levels_of, tokens_of
from prefactor_trace.server._tree import schema_name

_TOOL_KEYS = ("tool_name", "tool")
_STATUS_CODES = {"complete": 1, "failed": 2}  # OK and ERROR


def as_otlp(run: InstanceSummary, spans: Sequence[AgentSpan]) -> str:
    """Return one of the ``resourceSpans`` of an ``ExportTraceServiceRequest``.

    The ids of the trace and the spans are those of the ``traceparent`` header, so that exported
    runs join what services recorded that got it.
    """
    resource = {
        "service.name": run.agent_name,
        "service.version": run.agent_version,
        "prefactor.instance_id": run.id,
        "prefactor.purpose": run.purpose,
    }
    scope = {"name": "prefactor_trace", "version": __version__}
    content = {
        "resource": {"attributes": _attributes(resource)},
        "scopeSpans": [{"scope": scope, "spans": [_span(run, shown(span)) for span in spans]}],
    }
    return json.dumps(content, ensure_ascii=False)


def _span(run: InstanceSummary, span: AgentSpan) -> dict[str, Any]:
    started = span.started_at or run.inserted_at
    content: dict[str, Any] = {
        "traceId": trace_id_of(run.id),
        "spanId": span_id_of(span.id),
        "name": schema_name(span),
        "kind": 1,
        "startTimeUnixNano": str(microseconds(started) * 1000),
        "endTimeUnixNano": str(microseconds(span.finished_at or started) * 1000),
        "attributes": _attributes(
            {
                "prefactor.span_id": span.id,
                "prefactor.status": span.status,
                "prefactor.summary": span.summary,
                "prefactor.payload": json.dumps(span.payload, ensure_ascii=False),
                "prefactor.result_payload": None
                if span.result_payload is None
                else json.dumps(span.result_payload, ensure_ascii=False),
                **genai_attributes(span),
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


def _attributes(values: Mapping[str, str | int | None]) -> list[dict[str, Any]]:
    return [
        # 64 bits are more than a number of JSON safely holds: OTLP has them as text.
        {"key": key, "value": {"intValue" if isinstance(value, int) else "stringValue": str(value)}}
        for key, value in values.items()
        if value is not None
    ]


def genai_attributes(span: AgentSpan) -> dict[str, str | int | None]:
    """Return model, tokens and tool as attributes; what a span does not plainly say is ``None``."""
    payload, result = span.payload, span.result_payload
    asked = _text(payload, "model")
    answered = next((name for level in levels_of(result) if (name := _text(level, "model"))), None)
    tokens = tokens_of(result)
    wrote = None if tokens is None else tokens.output
    tool = _text(payload, *_TOOL_KEYS)
    operation = None
    if (asked or answered) and ("messages" in payload or wrote is not None):
        operation = "chat"  # and no embedding, which has a model and tokens, too
    elif tool:
        operation = "execute_tool"
    return {
        "gen_ai.operation.name": operation,
        "gen_ai.request.model": asked,
        "gen_ai.response.model": answered,
        "gen_ai.usage.input_tokens": None if tokens is None else tokens.input,
        "gen_ai.usage.output_tokens": wrote,
        "gen_ai.tool.name": tool,
    }


def _text(values: Mapping[str, Any], *names: str) -> str | None:
    found = (values.get(name) for name in names)
    return next((value for value in found if isinstance(value, str) and value), None)
