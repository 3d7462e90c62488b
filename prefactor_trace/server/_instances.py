"""Actions on instances: register, start, finish, record_quality, and the end by the platform."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from prefactor_trace._liquid import render
from prefactor_trace.models import (
    AgentInstanceRecordQuality,
    FinishInstanceRequest,
    RegisterAgentInstanceRequest,
    TimestampRequest,
)
from prefactor_trace.server import _json
from prefactor_trace.server._agents import find_origin
from prefactor_trace.server._answer import Answer
from prefactor_trace.server._fields import (
    check_identifier,
    check_pfid,
    read_end,
    read_fields,
    read_timestamp,
)
from prefactor_trace.server._refusal import invalid_action, invalid_field
from prefactor_trace.server._rows import (
    INSTANCE_COLUMNS,
    InstanceRow,
    answer_instance,
    find_instance,
)
from prefactor_trace.server._timestamps import parse_timestamp
from prefactor_trace.server._transaction import Transaction

LONGEST_REASON = 1_000  # characters of why a run was ended

_INSERT = (
    f"INSERT INTO agent_instances ({INSTANCE_COLUMNS}) "  # noqa: S608
    f"VALUES ({', '.join('?' * len(InstanceRow._fields))})"
)


def register(transaction: Transaction, fields: Mapping[str, Any]) -> Answer:
    """Register an instance and return the answer.

    Raises:
        Refusal: Fields are missing, wrong or taken.
    """
    request = read_fields(RegisterAgentInstanceRequest, fields)
    _check_declarations(request)
    for field in ("agent_id", "environment_id", "external_identifier"):
        check_identifier(field, getattr(request, field))
    if request.id is not None:
        check_pfid("id", request.id)
        if transaction.find_run(request.id) is not None:
            raise invalid_field("id", "has already been taken")
    with transaction.all_or_nothing():
        instance = _make(transaction, request, fields)
    return _answer(transaction, instance)


def start(transaction: Transaction, instance_id: str, fields: Mapping[str, Any]) -> Answer:
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


def finish(transaction: Transaction, instance_id: str, fields: Mapping[str, Any]) -> Answer:
    """Finish an instance and return the answer.

    Raises:
        Refusal: Fields are wrong, or the instance is not there or not active.
    """
    request = read_fields(FinishInstanceRequest, fields)
    instance = find_instance(transaction.db, instance_id)
    if instance.status != "active":
        raise invalid_action(f"An instance that is {instance.status} cannot be finished")
    finished_at = read_end(request.timestamp, instance.started_at, transaction.now)
    status = request.status or "complete"
    return _change(transaction, instance, status=status, finished_at=finished_at)


def record_quality(transaction: Transaction, instance_id: str, fields: Mapping[str, Any]) -> Answer:
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

    Raises:
        Refusal: It is not there, or has ended.
    """
    instance = find_instance(transaction.db, instance_id)
    if instance.status not in ("pending", "active"):
        raise invalid_action(f"An instance that is {instance.status} cannot be terminated")
    moment = transaction.now if at is None else parse_timestamp(at)
    _change(
        transaction,
        instance,
        status="terminated",
        termination_reason=reason,
        finished_at=max(moment, instance.started_at or ""),
    )


def _make(
    transaction: Transaction, request: RegisterAgentInstanceRequest, fields: Mapping[str, Any]
) -> InstanceRow:
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
        id=request.id or transaction.new_id(),
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
    return instance


def _change(transaction: Transaction, instance: InstanceRow, **changes: Any) -> Answer:
    changes["updated_at"] = transaction.now
    transaction.update("agent_instances", instance.id, changes)
    return _answer(transaction, instance._replace(**changes))


def _answer(transaction: Transaction, instance: InstanceRow) -> Answer:
    text = answer_instance(transaction.db, transaction.account_id, instance)
    return Answer(text, kept=text)


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
        twice = sorted(name for name, times in Counter(given).items() if times > 1)
        if twice:
            raise invalid_field(at, f"declared twice: {', '.join(twice)}")
