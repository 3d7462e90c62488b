"""Instances and spans as they are stored."""

import json

import pytest

from prefactor_trace.models import AgentSpan
from prefactor_trace.server._refusal import Refusal
from prefactor_trace.server._rows import count_spans, find_instance, read_row

from .calls import call, register


def create(store, instance: str, **fields: object) -> dict[str, object]:
    """Return a new span."""
    details = {"agent_instance_id": instance, "schema_name": "plain", "payload": {}, **fields}
    return call(store, "/agent_spans", {"details": details})["details"]


def test_spans_are_counted_by_where_they_stand(store):
    """Those that have not ended are not finished."""
    instance = register(store)["id"]
    for status in ("pending", "active", "active", "complete", "failed"):
        create(store, instance, status=status)
    with store.reading() as db:
        counts = count_spans(db, instance)
    assert counts.model_dump() == {
        "total": 5,
        "pending": 1,
        "active": 2,
        "complete": 1,
        "failed": 1,
        "cancelled": 0,
        "finished": 2,
    }


def test_what_is_not_there_is_refused_or_none(store):
    """An answer needs a refusal; who only looks needs none."""
    with store.reading() as db:
        assert read_row(db, "0" * 32) is None
        with pytest.raises(Refusal) as refused:
            find_instance(db, "0" * 32)
    assert refused.value.status == 404


def test_an_answered_span_is_one_of_the_wire(store):
    """Payload and result stand in it as they were stored."""
    sent = {"payload": {"ü": [1, None]}, "result_payload": {"text": '"}'}, "status": "complete"}
    span = create(store, register(store)["id"], **sent)
    assert {name: span[name] for name in sent} == sent
    AgentSpan.model_validate_json(json.dumps(span))
