"""Reading what is stored, for the command line and the viewer."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prefactor_trace.models import AgentInstanceSpanCounts, AgentSpan
from prefactor_trace.server import _json
from prefactor_trace.server._agents import of_agent
from prefactor_trace.server._cancelled import SHOWN_STATUS, count_shown
from prefactor_trace.server._rows import (
    IN_START_ORDER,
    INSTANCE_COLUMNS,
    SPAN_COLUMNS,
    InstanceRow,
    SpanRow,
    count_spans,
    read_row,
    span_text,
)
from prefactor_trace.server._timestamps import moment_of

_MAX_FOUND = 10
_FAILED = f"""(status = 'failed' OR EXISTS (
    SELECT 1 FROM agent_spans WHERE agent_instance_id = agent_instances.id
    AND agent_spans.status = 'failed' AND {SHOWN_STATUS} = 'failed'
))"""  # noqa: S608


def silent_since(moment: str) -> str:
    """Return the SQL condition for open instances of which nothing was heard since a moment.

    Args:
        moment: The SQL parameter that holds it; it is named twice.
    """
    # A run that goes on for weeks is not silent: its spans tell that it lives.
    return f"""(finished_at IS NULL AND updated_at < {moment} AND NOT EXISTS (
        SELECT 1 FROM agent_spans
        WHERE agent_instance_id = agent_instances.id AND agent_spans.updated_at >= {moment}
    ))"""  # noqa: S608


_CONDITIONS = {
    "session": "session = ?",
    "status": "status = ?",
    "agent": of_agent("?"),
    "since": "inserted_at >= ?",
    "silent": silent_since("?"),
}


@dataclass(frozen=True)
class InstanceSummary:
    """One run of an agent, as a list of runs shows it.

    Attributes:
        id: PFID of the instance.
        agent_id: Id of the agent.
        agent_name: Name of the agent.
        agent_version: The version's external identifier, else its name.
        environment_id: PFID of the environment.
        status: Where the run stands.
        purpose: Why it ran.
        external_identifier: The client's own name for the run.
        inserted_at: When it was registered.
        started_at: When it began.
        finished_at: When it ended.
        termination_reason: Why the platform ended it.
        span_counts: How many spans stand where; those that were cancelled do not count as failed.
        session: What groups the runs that one command started.
        quality_payloads: Quality schema name to the record.
        heard_at: When anything of it last arrived, ``None`` when it is over. A run whose process
            was killed stays as it was: this alone tells.
    """

    id: str
    agent_id: str
    agent_name: str
    agent_version: str | None
    environment_id: str
    status: str
    purpose: str
    external_identifier: str | None
    inserted_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    termination_reason: str | None
    span_counts: AgentInstanceSpanCounts
    session: str | None
    quality_payloads: dict[str, dict[str, Any]]
    heard_at: datetime | None = None


def narrowing(**wanted: str | None) -> tuple[list[str], list[str]]:
    """Return the SQL conditions for the instances that are wanted, and what is bound to them."""
    known = [(_CONDITIONS[name], value) for name, value in wanted.items() if value is not None]
    values = [value for condition, value in known for _ in range(condition.count("?"))]
    return [condition for condition, _ in known], values


def read_instances(
    db: sqlite3.Connection, *, limit: int, offset: int, failed: bool, **wanted: str | None
) -> list[InstanceSummary]:
    """Return instances, the newest first, as `Store.list_instances` says; moments as stored."""
    conditions, values = narrowing(**wanted)
    if failed:
        conditions.append(_FAILED)
    rows = db.execute(
        f"SELECT {INSTANCE_COLUMNS} FROM agent_instances "  # noqa: S608
        f"WHERE {' AND '.join(conditions) or 1} ORDER BY number DESC LIMIT ? OFFSET ?",
        (*values, limit, offset),
    ).fetchall()
    return [_summary(db, InstanceRow(*row)) for row in rows]


def read_instance(db: sqlite3.Connection, instance_id: str) -> InstanceSummary | None:
    """Return an instance, `None` when it is not there."""
    row = read_row(db, instance_id)
    return None if row is None else _summary(db, row)


def find_ids(db: sqlite3.Connection, prefix: str) -> list[str]:
    """Return the first few ids of instances that start with `prefix`."""
    rows = db.execute(
        # `LIKE` would read `%` and `_` as patterns.
        "SELECT id FROM agent_instances WHERE substr(id, 1, length(:prefix)) = :prefix "
        "ORDER BY number DESC LIMIT :most",
        {"prefix": prefix, "most": _MAX_FOUND},
    ).fetchall()
    return [row[0] for row in rows]


def find_spans(db: sqlite3.Connection, prefix: str) -> dict[str, str]:
    """Return the first few spans whose ids start with `prefix`: id to that of the instance."""
    rows = db.execute(
        # There are many: by the index, in which `~` comes after all that an id may hold.
        "SELECT id, agent_instance_id FROM agent_spans "
        "WHERE id BETWEEN :prefix AND :prefix || '~' LIMIT :most",
        {"prefix": prefix, "most": _MAX_FOUND},
    )
    return dict(rows.fetchall())


def read_spans(db: sqlite3.Connection, account_id: str, instance_id: str) -> list[AgentSpan]:
    """Return the spans of an instance in the order of their start."""
    (agent_id,) = db.execute(
        "SELECT agent_id FROM agent_instances WHERE id = ?", (instance_id,)
    ).fetchone() or ("",)
    rows = db.execute(
        f"SELECT {SPAN_COLUMNS} FROM agent_spans WHERE agent_instance_id = ? "  # noqa: S608
        f"{IN_START_ORDER}",
        (instance_id,),
    )
    return [
        AgentSpan.model_validate_json(span_text(SpanRow(*row), account_id, agent_id))
        for row in rows
    ]


def _summary(db: sqlite3.Connection, row: InstanceRow) -> InstanceSummary:
    (agent_name,) = db.execute("SELECT name FROM agents WHERE id = ?", (row.agent_id,)).fetchone()
    (content,) = db.execute(
        "SELECT content FROM agent_versions WHERE id = ?", (row.agent_version_id,)
    ).fetchone()
    version = _json.read(content)
    heard = _heard_at(db, row)
    return InstanceSummary(
        id=row.id,
        agent_id=row.agent_id,
        agent_name=agent_name,
        agent_version=version.get("external_identifier") or version.get("name"),
        environment_id=row.environment_id,
        status=row.status,
        purpose=row.purpose,
        external_identifier=row.external_identifier,
        inserted_at=moment_of(row.inserted_at),
        started_at=moment_of(row.started_at) if row.started_at else None,
        finished_at=moment_of(row.finished_at) if row.finished_at else None,
        termination_reason=row.termination_reason,
        span_counts=count_shown(db, row.id, count_spans(db, row.id)),
        session=row.session,
        quality_payloads=_json.read(row.quality_payloads),
        heard_at=moment_of(heard) if heard else None,
    )


def _heard_at(db: sqlite3.Connection, row: InstanceRow) -> str | None:
    """Return when anything of an instance last arrived, ``None`` where it is over."""
    if row.finished_at is not None:
        return None
    (latest,) = db.execute(
        "SELECT max(updated_at) FROM agent_spans WHERE agent_instance_id = ?", (row.id,)
    ).fetchone()
    return max(row.updated_at, latest or "")
