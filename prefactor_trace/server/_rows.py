"""Instances and spans as they are stored, and as the service answers them."""

import sqlite3
from collections import Counter
from typing import Any, NamedTuple

from prefactor_trace.models import AgentInstanceSpanCounts
from prefactor_trace.server import _json
from prefactor_trace.server._refusal import not_found


class InstanceRow(NamedTuple):
    """An instance as it is stored: columns of one row of `agent_instances`.

    Attributes:
        quality_payloads: JSON text: name to record.
        quality_summaries: JSON text: name to rendered template.
        session: What groups the runs that one command started.
    """

    id: str
    agent_id: str
    agent_version_id: str
    agent_schema_version_id: str
    environment_id: str
    agent_deployment_id: str
    status: str
    purpose: str
    external_identifier: str | None
    termination_reason: str | None
    quality_payloads: str
    quality_summaries: str
    session: str | None
    inserted_at: str
    updated_at: str
    started_at: str | None
    finished_at: str | None


INSTANCE_COLUMNS = ", ".join(InstanceRow._fields)
"""The columns of an `InstanceRow`, in its order."""


class SpanRow(NamedTuple):
    """A span as it is stored: one row of `agent_spans`, without its number.

    Attributes:
        payload: JSON text.
        result_payload: JSON text.
        schema_validation: JSON text; `None` when payload and result match their schemas.
    """

    id: str
    agent_instance_id: str
    parent_span_id: str | None
    schema_name: str
    schema_title: str | None
    status: str
    payload: str
    result_payload: str | None
    summary: str | None
    schema_validation: str | None
    started_at: str | None
    finished_at: str | None
    inserted_at: str
    updated_at: str


SPAN_COLUMNS = ", ".join(SpanRow._fields)
"""The columns of a `SpanRow`, in its order."""

ENDED = ("complete", "failed", "cancelled")
"""Where a span stands that has ended, and never changes again."""

SPAN_START = "coalesce(started_at, inserted_at)"
"""When a span began, as far as it is known."""

IN_START_ORDER = f"ORDER BY {SPAN_START}, number"
"""The order of spans: by start, then as they were stored."""


def read_row(db: sqlite3.Connection, instance_id: str) -> InstanceRow | None:
    """Return a stored instance, `None` when it is not there."""
    row = db.execute(
        f"SELECT {INSTANCE_COLUMNS} FROM agent_instances WHERE id = ?",  # noqa: S608
        (instance_id,),
    ).fetchone()
    return None if row is None else InstanceRow(*row)


def find_instance(db: sqlite3.Connection, instance_id: str) -> InstanceRow:
    """Return a stored instance.

    Raises:
        Refusal: It is not there.
    """
    row = read_row(db, instance_id)
    if row is None:
        raise not_found("instance", instance_id)
    return row


def count_spans(db: sqlite3.Connection, instance_id: str) -> AgentInstanceSpanCounts:
    """Return how many spans of an instance stand where."""
    rows = db.execute(
        "SELECT status, count(*) FROM agent_spans WHERE agent_instance_id = ? GROUP BY status",
        (instance_id,),
    )
    counts = Counter(dict(rows.fetchall()))
    total = counts.total()
    return AgentInstanceSpanCounts(
        total=total,
        pending=counts["pending"],
        active=counts["active"],
        complete=counts["complete"],
        failed=counts["failed"],
        cancelled=counts["cancelled"],
        finished=total - counts["pending"] - counts["active"],
    )


def answer_instance(db: sqlite3.Connection, account_id: str, instance: InstanceRow) -> str:
    """Return the answer of a call on an instance, as JSON text."""
    details: dict[str, Any] = {
        "type": "agent_instance",
        **instance._asdict(),
        "account_id": account_id,
        "span_counts": count_spans(db, instance.id).model_dump(),
        "quality_payloads": _json.read(instance.quality_payloads),
        "quality_summaries": _json.read(instance.quality_summaries),
    }
    del details["session"]
    return _json.write({"status": "success", "details": details})


def span_text(span: SpanRow, account_id: str, agent_id: str) -> str:
    """Return a span as the service answers it, as JSON text."""
    plain = span._asdict()
    del plain["payload"], plain["result_payload"], plain["schema_validation"]
    owner = {"type": "agent_span", "account_id": account_id, "agent_id": agent_id}
    head = _json.write({**owner, **plain})
    # These three are stored as JSON text: reading them only to write them again costs too much.
    return (
        f'{head[:-1]},"payload":{span.payload},"result_payload":{span.result_payload or "null"},'
        f'"schema_validation":{span.schema_validation or "null"}}}'
    )
