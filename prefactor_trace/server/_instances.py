"""Actions on instances: register, start, finish, record_quality; and how one is answered."""

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from prefactor_trace._liquid import render
from prefactor_trace.models import (
    AgentInstanceRecordQuality,
    AgentInstanceSpanCounts,
    FinishInstanceRequest,
    RegisterAgentInstanceRequest,
    TimestampRequest,
)
from prefactor_trace.server import _json
from prefactor_trace.server._agents import find_origin
from prefactor_trace.server._fields import (
    check_identifier,
    check_pfid,
    read_fields,
    read_timestamp,
)
from prefactor_trace.server._refusal import invalid_action, invalid_field, not_found
from prefactor_trace.server._timestamps import parse_timestamp
from prefactor_trace.server._transaction import Transaction

LONGEST_REASON = 1_000  # characters of why a run was ended


class InstanceRow(NamedTuple):
    """An instance as it is stored: columns of one row of `agent_instances`.

    Attributes:
        id: PFID of the instance.
        agent_id: Id of the agent.
        agent_version_id: PFID of the version.
        agent_schema_version_id: PFID of the schema version.
        environment_id: PFID of the environment.
        agent_deployment_id: PFID of the deployment.
        status: Where the run stands.
        purpose: Why it ran.
        external_identifier: The client's own name for the run.
        termination_reason: Why the platform ended it.
        quality_payloads: JSON text: name to record.
        quality_summaries: JSON text: name to rendered template.
        session: What groups the runs that one command started.
        inserted_at: Timestamp.
        updated_at: Timestamp.
        started_at: Timestamp.
        finished_at: Timestamp.
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

_INSERT = (
    f"INSERT INTO agent_instances ({INSTANCE_COLUMNS}) "  # noqa: S608
    f"VALUES ({', '.join('?' * len(InstanceRow._fields))})"
)


def count_spans(
    db: sqlite3.Connection, instance_ids: Iterable[str]
) -> dict[str, AgentInstanceSpanCounts]:
    """Return how many spans of each instance stand where."""
    counts = {}
    # One look into the index of statuses each: lists are short, and `IN` has a limit.
    for instance_id in instance_ids:
        by_status: dict[str, int] = dict(
            db.execute(
                "SELECT status, count(*) FROM agent_spans WHERE agent_instance_id = ? "
                "GROUP BY status",
                (instance_id,),
            ).fetchall()
        )
        total = sum(by_status.values())
        pending, active = by_status.get("pending", 0), by_status.get("active", 0)
        counts[instance_id] = AgentInstanceSpanCounts(
            total=total,
            pending=pending,
            active=active,
            complete=by_status.get("complete", 0),
            failed=by_status.get("failed", 0),
            cancelled=by_status.get("cancelled", 0),
            finished=total - pending - active,
        )
    return counts


def find_instance(db: sqlite3.Connection, instance_id: str) -> InstanceRow:
    """Return a stored instance.

    Raises:
        Refusal: It is not there.
    """
    row = db.execute(
        f"SELECT {INSTANCE_COLUMNS} FROM agent_instances WHERE id = ?",  # noqa: S608
        (instance_id,),
    ).fetchone()
    if row is None:
        raise not_found("instance", instance_id)
    return InstanceRow(*row)


def answer_instance(db: sqlite3.Connection, account_id: str, instance: InstanceRow) -> str:
    """Return the answer of a call on an instance, as JSON text."""
    counts = count_spans(db, [instance.id])[instance.id]
    details: dict[str, Any] = {
        "type": "agent_instance",
        **instance._asdict(),
        "account_id": account_id,
        "span_counts": counts.model_dump(),
        "quality_payloads": _json.read(instance.quality_payloads),
        "quality_summaries": _json.read(instance.quality_summaries),
    }
    del details["session"]
    return _json.write({"status": "success", "details": details})


def register(transaction: Transaction, fields: Mapping[str, Any]) -> str:
    """Register an instance and return the answer.

    Raises:
        Refusal: Fields are missing, wrong or taken.
    """
    request = read_fields(RegisterAgentInstanceRequest, fields)
    _check_declarations(request)
    for field in ("agent_id", "environment_id", "external_identifier"):
        check_identifier(field, getattr(request, field))
    instance_id = _choose_id(transaction, request.id)
    origin = find_origin(transaction, request, fields)
    if (
        request.external_identifier is not None
        and transaction.db.execute(
            "SELECT 1 FROM agent_instances WHERE agent_id = ? AND external_identifier = ?",
            (origin.agent_id, request.external_identifier),
        ).fetchone()
    ):
        raise invalid_field("external_identifier", "has already been taken")
    instance = InstanceRow(
        id=instance_id,
        **origin._asdict(),
        status="pending",
        purpose=request.purpose or "live",
        external_identifier=request.external_identifier,
        termination_reason=None,
        quality_payloads="{}",
        quality_summaries="{}",
        session=transaction.session,
        inserted_at=transaction.now,
        updated_at=transaction.now,
        started_at=None,
        finished_at=None,
    )
    transaction.db.execute(_INSERT, instance)
    return answer_instance(transaction.db, transaction.account_id, instance)


def start(transaction: Transaction, instance_id: str, fields: Mapping[str, Any]) -> str:
    """Start an instance and return the answer.

    Raises:
        Refusal: Fields are wrong, or the instance is not there or not pending.
    """
    request = read_fields(TimestampRequest, fields)
    instance = find_instance(transaction.db, instance_id)
    if instance.status != "pending":
        raise invalid_action(f"An instance that is {instance.status} cannot be started")
    started_at = read_timestamp("timestamp", request.timestamp) or transaction.now
    return _change(transaction, instance, status="active", started_at=started_at)


def finish(transaction: Transaction, instance_id: str, fields: Mapping[str, Any]) -> str:
    """Finish an instance and return the answer.

    Raises:
        Refusal: Fields are wrong, or the instance is not there or not active.
    """
    request = read_fields(FinishInstanceRequest, fields)
    instance = find_instance(transaction.db, instance_id)
    if instance.status != "active":
        raise invalid_action(f"An instance that is {instance.status} cannot be finished")
    # Stored spellings sort as text, so the empty one is before every moment.
    started_at = instance.started_at or ""
    finished_at = read_timestamp("timestamp", request.timestamp)
    if finished_at is not None and finished_at < started_at:
        raise invalid_field("timestamp", f"must not be before started_at ({started_at})")
    return _change(
        transaction,
        instance,
        status=request.status or "complete",
        finished_at=finished_at or max(transaction.now, started_at),
    )


def record_quality(transaction: Transaction, instance_id: str, fields: Mapping[str, Any]) -> str:
    """Record, or with a `null` payload remove, a quality record and return the answer.

    Raises:
        Refusal: Fields are wrong, the instance is not there, or the name is not declared.
    """
    request = read_fields(AgentInstanceRecordQuality, fields)
    instance = find_instance(transaction.db, instance_id)
    declared = transaction.declared(instance.agent_schema_version_id).qualities.get(request.name)
    if declared is None:
        raise invalid_field(
            "name", f"{request.name!r} is no quality schema of the instance's schema version"
        )
    payloads = _json.read(instance.quality_payloads)
    summaries = _json.read(instance.quality_summaries)
    # A record that takes another's place moves to the end, as a new one does.
    payloads.pop(request.name, None)
    summaries.pop(request.name, None)
    if request.payload is not None:
        payloads[request.name] = request.payload
        summary = render(declared.template, request.payload)
        if summary is not None:
            summaries[request.name] = summary
    return _change(
        transaction,
        instance,
        quality_payloads=_json.write(payloads),
        quality_summaries=_json.write(summaries),
    )


def terminate(
    transaction: Transaction, instance_id: str, reason: str | None, at: str | None = None
) -> None:
    """End an instance as the platform does.

    Args:
        transaction: What the action works with.
        instance_id: Id of the instance.
        reason: What its agent is told.
        at: When it ended, in ISO 8601; now when missing.

    Raises:
        Refusal: It is not there, or has ended.
    """
    instance = find_instance(transaction.db, instance_id)
    if instance.status not in ("pending", "active"):
        raise invalid_action(f"An instance that is {instance.status} cannot be terminated")
    moment = transaction.now if at is None else parse_timestamp(at)
    finished_at = max(moment, instance.started_at or "")
    _change(
        transaction,
        instance,
        status="terminated",
        termination_reason=reason,
        finished_at=finished_at,
    )


def _change(transaction: Transaction, instance: InstanceRow, **changes: Any) -> str:
    changes["updated_at"] = transaction.now
    columns = ", ".join(f"{column} = ?" for column in changes)
    transaction.db.execute(
        f"UPDATE agent_instances SET {columns} WHERE id = ?",  # noqa: S608
        (*changes.values(), instance.id),
    )
    changed = instance._replace(**changes)
    return answer_instance(transaction.db, transaction.account_id, changed)


def _choose_id(transaction: Transaction, wanted: str | None) -> str:
    if wanted is None:
        return transaction.new_id()
    check_pfid("id", wanted)
    if transaction.db.execute("SELECT 1 FROM agent_instances WHERE id = ?", (wanted,)).fetchone():
        raise invalid_field("id", "has already been taken")
    return wanted


def _check_declarations(request: RegisterAgentInstanceRequest) -> None:
    """Refuse names that are empty or declared twice."""
    schemas = request.agent_schema_version
    names: dict[str, list[str]] = {
        "span_schemas": list(schemas.span_schemas or ()),
        "span_type_schemas": [entry.name for entry in schemas.span_type_schemas or ()],
        "quality_schemas": [entry.name for entry in schemas.quality_schemas or ()],
    }
    for field, given in names.items():
        at = f"agent_schema_version.{field}"
        if "" in given:
            raise invalid_field(at, "a name must not be empty")
        twice = (
            {name for name in given if given.count(name) > 1}
            if len(set(given)) < len(given)
            else ()
        )
        if twice:
            raise invalid_field(at, f"declared twice: {', '.join(sorted(twice))}")
