"""Tests of idempotency keys, in process and over HTTP."""

import pytest

from .twin import SCHEMAS, item, span_item

KEY = "key-0001"


def test_the_same_key_gives_the_stored_answer(service):
    """Sent again, a request has no second effect and the very same answer."""
    instance = service.run()
    body = {"details": {**span_item(instance, KEY)["details"]}, "idempotency_key": KEY}
    first = service.post("/agent_spans", body)
    assert service.post("/agent_spans", body) == first
    assert len(service.store.list_spans(instance["id"])) == 1


def test_the_stored_answer_outlives_a_change(service):
    """The answer to a repeated create stays the one of the creation after the span's end."""
    instance = service.run()
    items = [span_item(instance, KEY)]
    first = service.bulk(*items)
    service.finish(first[1]["outputs"][KEY]["details"])
    assert service.bulk(*items) == first


def test_registering_again_gives_the_same_instance(service):
    """A repeated registration does not make another instance, nor fail on its taken names."""
    body = {"agent_version": {}, "agent_schema_version": SCHEMAS, "external_identifier": "run"}
    body["idempotency_key"] = KEY
    first = service.post("/agent_instance/register", body)
    assert service.post("/agent_instance/register", body) == first
    assert len(service.store.list_instances()) == 1


def test_a_key_may_stand_beside_or_among_the_details(service):
    """The official client's place for the key and the documented one are the same key."""
    instance = service.run()
    details = span_item(instance, KEY)["details"]
    first = service.post("/agent_spans", {"details": details, "idempotency_key": KEY})
    inside = {"details": {**details, "idempotency_key": KEY}}
    assert service.post("/agent_spans", inside) == first


def test_bulk_and_single_calls_share_their_keys(service):
    """What was sent in bulk is known when it is sent again alone, in any order of keys."""
    instance = service.run()
    sent = span_item(instance, KEY, payload={"a": 1, "b": 2})
    output = service.bulk(sent)[1]["outputs"][KEY]
    details = {**sent["details"], "payload": {"b": 2, "a": 1}, "parent_span_id": None}
    alone = service.post("/agent_spans", {"details": details, "idempotency_key": KEY})
    assert alone == (200, output)
    path = f"/agent_spans/{output['details']['id']}/finish"
    first = service.post(path, {"idempotency_key": "finish-1"})
    finish = item("agent_spans/finish", "finish-1", agent_span_id=output["details"]["id"])
    assert service.bulk(finish)[1]["outputs"]["finish-1"] == first[1]


def test_a_key_of_other_content_is_a_conflict(service):
    """A known key with other content, or for another action, is refused and changes nothing."""
    instance = service.run()
    service.bulk(span_item(instance, KEY))
    for body in ({"payload": {"other": 1}}, {"status": "complete"}):
        status, answer = service.create(instance, idempotency_key=KEY, **body)
        assert (status, answer["code"]) == (409, "idempotency_key_conflict")
        assert KEY in answer["message"]
    path = f"/agent_instance/{instance['id']}/finish"
    assert service.post(path, {"idempotency_key": KEY})[0] == 409
    assert len(service.store.list_spans(instance["id"])) == 1


def test_the_same_key_on_another_target_is_a_conflict(service):
    """The record in the path belongs to the content of a request."""
    first, second = service.register(), service.register()
    body = {"idempotency_key": KEY}
    assert service.post(f"/agent_instance/{first['id']}/start", body)[0] == 200
    assert service.post(f"/agent_instance/{second['id']}/start", body)[0] == 409


def test_the_key_of_a_refused_request_is_free_again(service):
    """After a refusal the same key carries the corrected request."""
    instance = service.run()
    assert service.create(instance, idempotency_key=KEY, schema_name="unheard")[0] == 422
    assert service.create(instance, idempotency_key=KEY)[0] == 200


def test_without_a_key_each_call_counts(service):
    """Two equal calls without a key are two spans."""
    instance = service.run()
    assert service.span(instance)["id"] != service.span(instance)["id"]


def test_every_key_of_a_long_request_is_known(service):
    """However many keys are asked for at once, those that were answered are known again."""
    instance = service.run()
    sent = [span_item(instance, f"create-{number}") for number in range(1_001)]
    first = service.bulk(*sent[:1_000])[1]["outputs"]
    again = service.bulk(*sent)[1]["outputs"]
    assert {key: again[key] for key in first} == first
    assert len(service.store.list_spans(instance["id"])) == 1_001


@pytest.mark.parametrize("key", ["1234567", "k" * 65, 7, ""])
def test_a_key_of_a_single_call_is_checked(service, key):
    """A key that is too short, too long or no text is refused."""
    status, answer = service.create(service.run(), idempotency_key=key)
    assert (status, list(answer["errors"])) == (422, ["idempotency_key"])
