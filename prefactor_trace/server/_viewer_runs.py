"""What the viewer shows of runs: a list that can be narrowed, one run, its pictures."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import from_json

from prefactor_trace._notes import SCHEMA_NAME_KEY
from prefactor_trace._substitutes import text_of
from prefactor_trace.server import _json
from prefactor_trace.server._cancelled import SHOWN_STATUS
from prefactor_trace.server._fields import read_number, read_timestamp
from prefactor_trace.server._hints import BEGINNING, hint_of
from prefactor_trace.server._reading import InstanceSummary, read_instance
from prefactor_trace.server._refusal import not_found
from prefactor_trace.server._rows import IN_START_ORDER
from prefactor_trace.server._search import find_runs
from prefactor_trace.server._statistics import TypeStatistics, read_statistics
from prefactor_trace.server._tokens import tokens_of
from prefactor_trace.server.store import Store

PAGE = 100
"""Runs of a list at most."""

_LARGEST_NUMBER = 2**62
_MOST_COUNTED = 2_000
_READ_OF_RESULT = 20_000  # characters: the error stands before the stack trace
_FIRST = 5  # spans among which one may tell what a run began with
_BUCKETS = 24  # bars of a histogram


def list_runs(store: Store, query: Mapping[str, str]) -> dict[str, Any]:
    """Return the newest runs that fit, and what a list can be narrowed by.

    Args:
        store: Where they are.
        query: `status`, `agent`, `purpose`, `since`, `search`, and `before` (the number of the last
            run of the page before).

    Raises:
        Refusal: A word of it is wrong.
    """
    found = find_runs(store, query["search"]) if query.get("search") else None
    with store.reading() as db:
        conditions, values = _conditions(query, found)
        rows = db.execute(
            "SELECT agent_instances.number, agent_instances.id FROM agent_instances "  # noqa: S608
            f"JOIN agents ON agents.id = agent_id WHERE {' AND '.join(conditions) or '1'} "
            "ORDER BY agent_instances.number DESC LIMIT ?",
            (*values, PAGE),
        ).fetchall()
        runs = [
            {"number": number, **run_json(db, run, _MOST_COUNTED), **_about(db, run)}
            for number, instance_id in rows
            if (run := read_instance(db, instance_id)) is not None
        ]
        agents = [name for (name,) in db.execute("SELECT DISTINCT name FROM agents ORDER BY name")]
    return {"runs": runs, "agents": agents, "more": len(rows) == PAGE}


def _conditions(
    query: Mapping[str, str], found: Sequence[str] | None
) -> tuple[list[str], list[Any]]:
    conditions: list[str] = []
    values: list[Any] = []
    for name, column in (
        ("status", "status = ?"),
        ("purpose", "purpose = ?"),
        ("agent", "agents.name = ?"),
    ):
        if query.get(name):
            conditions.append(column)
            values.append(query[name])
    if query.get("since"):
        conditions.append("agent_instances.inserted_at >= ?")
        values.append(read_timestamp("since", query["since"]))
    if query.get("before"):
        conditions.append("agent_instances.number < ?")
        values.append(read_number(query, "before", 0, 0, _LARGEST_NUMBER))
    if found is not None:
        marks = ", ".join("?" * len(found))
        conditions.append(f"agent_instances.id IN ({marks})")
        values += found
    return conditions, values


def run_json(
    db: sqlite3.Connection, run: InstanceSummary, most_spans: float = math.inf
) -> dict[str, Any]:
    """Return what is shown of a run.

    Args:
        db: Connection that is read from.
        run: The run.
        most_spans: Of how many spans at most tokens are counted, which takes a look at each.
    """
    counts = run.span_counts
    return {
        "id": run.id,
        "agent": run.agent_name,
        "version": run.agent_version,
        "purpose": run.purpose,
        "status": run.status,
        "external_identifier": run.external_identifier,
        "termination_reason": run.termination_reason,
        "inserted_at": run.inserted_at.isoformat(),
        "started_at": None if run.started_at is None else run.started_at.isoformat(),
        "finished_at": None if run.finished_at is None else run.finished_at.isoformat(),
        "heard_at": None if run.heard_at is None else run.heard_at.isoformat(),
        "spans": counts.total,
        "failed": counts.failed,
        "open": counts.active,
        "tokens": _tokens(db, run.id) if counts.total <= most_spans else None,
        "quality": run.quality_payloads,
    }


def _about(db: sqlite3.Connection, run: InstanceSummary) -> dict[str, str | None]:
    """Return what tells a run from others of its agent: what it began with, and why it failed."""
    first = db.execute(
        f"SELECT summary, {BEGINNING} FROM agent_spans WHERE agent_instance_id = ? "  # noqa: S608
        f"{IN_START_ORDER} LIMIT ?",
        (run.id, _FIRST),
    )
    told = (summary or hint_of(payload) for summary, payload in first)
    error = None
    if run.status == "failed":
        # The error that left the run: that of a step at the top, the last one to end.
        (result,) = db.execute(
            "SELECT substr(result_payload, 1, ?) FROM agent_spans WHERE agent_instance_id = ? "
            "AND status = 'failed' ORDER BY parent_span_id IS NOT NULL, finished_at DESC LIMIT 1",
            (_READ_OF_RESULT, run.id),
        ).fetchone() or (None,)
        error = _error_of(result)
    return {"about": next(filter(None, told), None), "error": error}


def _tokens(db: sqlite3.Connection, instance_id: str) -> int | None:
    rows = db.execute(
        # Only of those results is the JSON read that can hold a number of tokens.
        "SELECT result_payload FROM agent_spans WHERE agent_instance_id = ? "
        "AND result_payload LIKE '%token%'",
        (instance_id,),
    )
    found = [tokens for (text,) in rows if (tokens := tokens_of(_json.read(text))) is not None]
    return sum(tokens.total for tokens in found) if found else None


def find_run(db: sqlite3.Connection, instance_id: str) -> InstanceSummary:
    """Return a run.

    Raises:
        Refusal: It is not there.
    """
    run = read_instance(db, instance_id)
    if run is None:
        raise not_found("instance", instance_id)
    return run


def get_run(store: Store, instance_id: str, query: Mapping[str, str]) -> dict[str, Any]:
    """Return a run with its spans, in the order of their start, without their payloads.

    Args:
        store: Where it is.
        instance_id: Id of the run.
        query: `since`: only spans that have changed since then, as an earlier answer has said it
            in `now`.

    Raises:
        Refusal: It is not there.
    """
    with store.reading() as db:
        run = find_run(db, instance_id)
        rows = db.execute(
            f"SELECT id, parent_span_id, schema_name, {SHOWN_STATUS}, summary, "  # noqa: S608
            "started_at, finished_at, schema_validation IS NOT NULL, "
            "CASE WHEN status = 'failed' THEN substr(result_payload, 1, ?) END, "
            "CASE WHEN instr(payload, ?) THEN payload END, "
            f"CASE WHEN summary IS NULL THEN {BEGINNING} END, "
            "updated_at "
            "FROM agent_spans WHERE agent_instance_id = ? AND updated_at >= ? "
            f"{IN_START_ORDER}",
            (_READ_OF_RESULT, f'"{SCHEMA_NAME_KEY}"', instance_id, query.get("since", "")),
        ).fetchall()
        spans = [_brief(row) for row in rows]
        now = max((row[-1] for row in rows), default=query.get("since", ""))
        return {"run": run_json(db, run), "spans": spans, "now": now}


def _brief(row: tuple[Any, ...]) -> dict[str, Any]:
    span_id, parent, name, status, summary, started, finished, is_wrong, *rest, hint, _ = row
    result, payload = rest
    if payload is not None:
        name = _json.read(payload).get(SCHEMA_NAME_KEY) or name
    return {
        "id": span_id,
        "parent": parent,
        "name": name,
        "status": status,
        "summary": summary,
        "hint": hint_of(hint),
        "start": started,
        "end": finished,
        "wrong": bool(is_wrong),
        "error": _error_of(result) if status == "failed" else None,
    }


def _error_of(result: str | None) -> str | None:
    said = from_json(result or "{}", allow_partial="trailing-strings")  # what was read may be cut
    parts = (text_of(said.get(name)) for name in ("error_type", "message"))
    return ": ".join(filter(None, parts)) or None


def get_statistics(store: Store, instance_id: str) -> list[dict[str, Any]]:
    """Return the picture of a run: counts, percentiles and a histogram for each span type."""
    with store.reading() as db:
        found = read_statistics(db, instance_id=instance_id)
    return [{**one.as_json(), "histogram": _histogram(one)} for one in found]


def _histogram(one: TypeStatistics) -> list[int]:
    """Return how many spans took how long, from nothing to the longest, in equal steps."""
    bars = [0] * _BUCKETS
    longest = one.seconds[-1] if one.seconds else 0.0
    for seconds in one.seconds:
        bars[min(int(seconds / longest * _BUCKETS), _BUCKETS - 1) if longest else 0] += 1
    return bars
