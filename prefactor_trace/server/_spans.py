"""Actions on spans: create and finish."""

from collections.abc import Mapping
from typing import Any

from prefactor_trace._liquid import render
from prefactor_trace.models import CreateAgentSpanRequest, FinishSpanRequest
from prefactor_trace.server import _json
from prefactor_trace.server._answer import Answer, answer_span
from prefactor_trace.server._fields import check_pfid, read_end, read_fields, read_timestamp
from prefactor_trace.server._json_schema import mismatches
from prefactor_trace.server._refusal import invalid_action, invalid_field, not_found
from prefactor_trace.server._rows import ENDED, SPAN_COLUMNS, SpanRow
from prefactor_trace.server._schemas import DeclaredType
from prefactor_trace.server._transaction import Run, Transaction

# What a span may become from where it stands; `cancelled` belongs to spans that never started.
_NEXT = {"pending": ("cancelled",), "active": ("complete", "failed")}


def create(transaction: Transaction, fields: Mapping[str, Any]) -> Answer:
    """Create a span and return the answer.

    Raises:
        Refusal: Fields are missing or wrong.
    """
    request = read_fields(CreateAgentSpanRequest, fields)
    if "payload" not in fields:
        raise invalid_field("payload", "is required; without content it is {}")
    run = _find_run(transaction, request.agent_instance_id)
    declared = _find_type(transaction, run, request.schema_name)
    if request.id is not None:
        check_pfid("id", request.id)
    parent = request.parent_span_id
    # A parent in another run would tear the tree of both.
    if parent is not None and transaction.run_of_span(parent) != request.agent_instance_id:
        raise invalid_field("parent_span_id", f"{parent!r} is no span of this instance")
    started_at, finished_at = _times(transaction.now, request)
    payload, result = request.payload, request.result_payload
    span = SpanRow(
        request.id or transaction.new_id(),
        request.agent_instance_id,
        parent,
        request.schema_name,
        declared.title,
        request.status,
        _json.write(payload),
        None if result is None else _json.write(result),
        render(declared.template, payload, result),
        _validation(declared, payload, result, request.status),
        started_at,
        finished_at,
        transaction.now,
        transaction.now,
    )
    if not transaction.insert_span(span):
        raise invalid_field("id", "has already been taken")
    return answer_span(transaction, span, run)


def finish(transaction: Transaction, span_id: str, fields: Mapping[str, Any]) -> Answer:
    """Finish a span and return the answer.

    Raises:
        Refusal: Fields are wrong, the span is not there, or its status does not allow it.
    """
    request = read_fields(FinishSpanRequest, fields)
    row = transaction.db.execute(
        f"SELECT {SPAN_COLUMNS} FROM agent_spans WHERE id = ?",  # noqa: S608
        (span_id,),
    ).fetchone()
    if row is None:
        raise not_found("span", span_id)
    span = SpanRow(*row)
    status = request.status or "complete"
    if status not in _NEXT.get(span.status, ()):
        raise invalid_action(f"A span that is {span.status} cannot become {status}")
    finished_at = read_end(request.timestamp, span.started_at, transaction.now)
    # The instance's status is of no account: a run may end before the last of its spans is sent.
    run = _find_run(transaction, span.agent_instance_id)
    declared = _find_type(transaction, run, span.schema_name)
    payload, result = _json.read(span.payload), request.result_payload
    changes: dict[str, Any] = {
        "status": status,
        "result_payload": None if result is None else _json.write(result),
        "summary": render(declared.template, payload, result),
        "schema_validation": _validation(declared, payload, result, status),
        "finished_at": finished_at,
        "updated_at": transaction.now,
    }
    transaction.update("agent_spans", span.id, changes)
    return answer_span(transaction, span._replace(**changes), run)


def _find_run(transaction: Transaction, instance_id: str) -> Run:
    run = transaction.find_run(instance_id)
    if run is None:
        raise invalid_field("agent_instance_id", f"there is no instance {instance_id!r}")
    return run


def _find_type(transaction: Transaction, run: Run, schema_name: str) -> DeclaredType:
    declared = transaction.declared(run.schema_version_id).spans.get(schema_name)
    if declared is None:
        raise invalid_field(
            "schema_name", f"{schema_name!r} is not declared by the instance's schema version"
        )
    return declared


def _times(now: str, request: CreateAgentSpanRequest) -> tuple[str | None, str | None]:
    """Return when a new span started and finished; what the request leaves out is now."""
    started_at = read_timestamp("started_at", request.started_at)
    finished_at = read_timestamp("finished_at", request.finished_at)
    if request.status == "terminated":
        raise invalid_field("status", "a span cannot be created as terminated")
    if request.status not in ENDED:
        for field in ("finished_at", "result_payload"):
            if getattr(request, field) is not None:
                raise invalid_field(field, f"needs a final status ({', '.join(ENDED)})")
        return started_at or (now if request.status == "active" else None), None
    # Client and service have different clocks, and an order of times must hold all the same.
    if started_at is None:
        return min(now, finished_at or now), finished_at or now
    if finished_at is not None and finished_at < started_at:
        raise invalid_field("finished_at", f"must not be before started_at ({started_at})")
    return started_at, finished_at or max(now, started_at)


def _validation(
    declared: DeclaredType,
    payload: Mapping[str, Any],
    result: Mapping[str, Any] | None,
    status: str,
) -> str | None:
    """Return how payload and result differ from their schemas, as JSON text."""
    errors = mismatches(declared.schema, payload, "payload")
    # What a step says that did not end well is why.
    if result is not None and declared.result_schema is not None and status == "complete":
        errors += mismatches(declared.result_schema, result, "result_payload")
    return _json.write({"valid": False, "errors": errors}) if errors else None
