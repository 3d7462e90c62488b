"""What the viewer shows of one span, and of two runs beside each other."""

from __future__ import annotations

from typing import Any

from prefactor_trace._notes import LATE_PAYLOAD, SCHEMA_NAME_KEY, UNDECLARED
from prefactor_trace.server import _json
from prefactor_trace.server._cancelled import SHOWN_STATUS, own_result
from prefactor_trace.server._compare import compare
from prefactor_trace.server._reading import read_spans
from prefactor_trace.server._refusal import not_found
from prefactor_trace.server._tokens import tokens_of
from prefactor_trace.server._tree import own_payload
from prefactor_trace.server._viewer_runs import find_run, run_json
from prefactor_trace.server.store import Store

_ELSEWHERE = 5  # spans of the same type in other runs


def get_span(store: Store, span_id: str) -> dict[str, Any]:
    """Return all of a span, with what was declared of its type.

    Raises:
        Refusal: It is not there.
    """
    with store.reading() as db:
        row = db.execute(
            f"SELECT agent_instance_id, schema_name, {SHOWN_STATUS}, summary, "  # noqa: S608
            "started_at, finished_at, payload, result_payload, schema_validation, parent_span_id "
            "FROM agent_spans WHERE id = ?",
            (span_id,),
        ).fetchone()
        if row is None:
            raise not_found("span", span_id)
        instance_id, name, status, summary, started, finished, payload, result, wrong, parent = row
        (content,) = db.execute(
            "SELECT content FROM agent_schema_versions JOIN agent_instances "
            "ON agent_schema_version_id = agent_schema_versions.id WHERE agent_instances.id = ?",
            (instance_id,),
        ).fetchone()
        own_name = _json.read(payload).get(SCHEMA_NAME_KEY) or name
        elsewhere = db.execute(
            f"SELECT id, agent_instance_id, {SHOWN_STATUS}, started_at FROM agent_spans "  # noqa: S608
            "WHERE schema_name = ? AND agent_instance_id != ? ORDER BY number DESC LIMIT ?",
            (own_name, instance_id, _ELSEWHERE),
        ).fetchall()
    given = _json.read(payload)
    came = own_result(_json.read(result)) if status == "cancelled" else _json.read(result)
    tokens = tokens_of(came)
    late = came.pop(LATE_PAYLOAD, None) if came else None
    types = _json.read(content).get("span_type_schemas") or ()
    # What is declared of a type that was not declared says nothing of this span.
    declared: dict[str, Any] = next(
        (one for one in types if one["name"] == name and name != UNDECLARED), {}
    )
    return {
        "id": span_id,
        "run": instance_id,
        "parent": parent,
        "name": own_name,
        "status": status,
        "summary": summary,
        "start": started,
        "end": finished,
        "payload": own_payload(given) if late is None else late,
        "result": came,
        "tokens": None if tokens is None else tokens._asdict(),
        "errors": (_json.read(wrong) or {}).get("errors") or [],
        "title": declared.get("title"),
        "description": declared.get("description"),
        "risk": declared.get("data_risk"),
        "elsewhere": [
            {"id": other, "run": run, "status": state, "start": start}
            for other, run, state, start in elsewhere
        ],
    }


def get_comparison(store: Store, left: str, right: str) -> dict[str, Any]:
    """Return two runs side by side.

    Raises:
        Refusal: One of them is not there.
    """
    with store.reading() as db:
        sides = [run_json(db, find_run(db, run)) for run in (left, right)]
        rows = compare(*(read_spans(db, store.account_id, run) for run in (left, right)))
    return {"left": sides[0], "right": sides[1], "spans": [row.as_json() for row in rows]}
