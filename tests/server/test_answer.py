"""What is kept of answers, and answers that leave out what nobody looks at."""

import json

import pytest

from prefactor_trace.server import Api

from .calls import register
from .twin import span_item

BRIEF = {"prefer": "return=minimal"}
KEY = "create-1"


def kept(store):
    """Return what is stored for each key."""
    with store.reading() as db:
        return dict(db.execute("SELECT key, answer FROM idempotency_keys").fetchall())


def bulk(store, *items, **headers):
    """Return the outputs of a bulk request."""
    body = json.dumps({"items": items}).encode()
    answer = Api(store).handle("POST", "/api/v1/bulk", headers=headers, body=body)
    return json.loads(answer.body)["outputs"]


@pytest.mark.parametrize("status", ["complete", "failed", "cancelled"])
def test_a_span_that_has_ended_is_stored_once(store, status):
    """Its answer is made of it again, and is the same to the last byte."""
    sent = span_item(
        register(store),
        KEY,
        status=status,
        schema_name="ask",
        payload={"q": 7},
        result_payload={"a": "ü"},
    )
    first = bulk(store, sent)
    assert first[KEY]["details"]["summary"] == "7 = ü"
    assert first[KEY]["details"]["schema_validation"]
    assert kept(store) == {KEY: first[KEY]["details"]["id"]}
    assert json.dumps(bulk(store, sent)) == json.dumps(first)


def test_the_end_of_a_span_is_answered_again(store):
    """Finishing a span twice with one key gives the same answer, made of the span."""
    span = bulk(store, span_item(register(store), KEY, payload={"a": 1}))[KEY]["details"]
    finish = {"_type": "agent_spans/finish", "idempotency_key": "finish-1"}
    finish |= {"agent_span_id": span["id"], "result_payload": {"b": 2}}
    first = bulk(store, finish)
    assert kept(store)["finish-1"] == span["id"]
    assert bulk(store, finish) == first
    assert first["finish-1"]["details"]["payload"] == {"a": 1}


def test_an_order_to_stop_is_answered_again(store):
    """An answer that tells more than the span is stored as it is, also where it was brief."""
    instance = register(store)
    store.terminate(instance["id"], "enough")
    sent = span_item(instance, KEY, status="complete")
    control = {"terminate": True, "reason": "enough"}
    assert bulk(store, sent, **BRIEF) == {KEY: {"status": "success", "control": control}}
    again = bulk(store, sent)[KEY]
    assert again["control"] == control
    assert again["details"]["status"] == "complete"


def test_a_request_about_a_span_that_was_deleted_is_answered_again(store):
    """Old runs are deleted before the keys of their spans; in between one may be sent again."""
    sent = span_item(register(store), KEY, status="complete")
    bulk(store, sent)
    with store.writing() as transaction:
        transaction.db.execute("DELETE FROM agent_spans")
        transaction.db.execute("DELETE FROM agent_instances")
    assert bulk(store, sent) == {KEY: {"status": "success"}}


@pytest.mark.parametrize("status", ["active", "complete"])
def test_a_brief_answer_leaves_the_span_out(store, status):
    """Who wants little is told that it worked; who asks again is told all of it."""
    sent = span_item(register(store), KEY, status=status, payload={"a": 1})
    assert bulk(store, sent, **BRIEF) == {KEY: {"status": "success"}}
    assert bulk(store, sent)[KEY]["details"]["payload"] == {"a": 1}


def test_a_brief_answer_tells_what_is_wrong(store):
    """An error is an answer that somebody looks at."""
    output = bulk(store, span_item(register(store), KEY, schema_name="unheard"), **BRIEF)[KEY]
    assert (output["status"], list(output["errors"])) == ("error", ["schema_name"])
