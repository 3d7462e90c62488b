"""Tests of actions: one by its name, and many in bulk, also against a small model of the rules."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefactor_trace import _slices
from prefactor_trace.models import BulkResponse
from prefactor_trace.server import Api, Store
from prefactor_trace.server._actions import ACTIONS, perform, run_bulk
from prefactor_trace.server._refusal import Refusal

from .calls import register
from .twin import SCHEMAS, item, span_item

RUN = "01jz0000000000000000000000000001"
SPAN = "01jz0000000000000000000000000002"


def refused(store, name, fields):
    """Return the fields that a refusal names."""
    with store.writing() as transaction, pytest.raises(Refusal) as caught:
        perform(transaction, {**fields, "_type": name})
    return list(json.loads(caught.value.text)["errors"])


def test_every_action_of_the_service_is_known():
    """The names are those of bulk items."""
    assert set(ACTIONS) == {
        "agent_instances/register",
        "agent_instances/start",
        "agent_instances/finish",
        "agent_instances/record_quality",
        "agent_spans/create",
        "agent_spans/finish",
    }


def test_an_action_is_carried_out(store):
    """An action by its name gives the answer as text and stays in the store."""
    instance = register(store)
    fields = {"agent_instance_id": instance["id"]}
    with store.writing() as transaction:
        answer = json.loads(perform(transaction, {**fields, "_type": "agent_instances/start"}))
    assert answer["details"]["status"] == store.get_instance(instance["id"]).status == "active"


@pytest.mark.parametrize("name", ["agents/dance", "", "ping"])
def test_an_unknown_action_is_refused(store, name):
    """A name that is no action is the type's fault."""
    assert refused(store, name, {}) == ["_type"]


@pytest.mark.parametrize("target", [None, 7, {}])
def test_a_target_is_an_id(store, target):
    """An action on a record needs text that names it."""
    assert refused(store, "agent_spans/finish", {"agent_span_id": target}) == ["agent_span_id"]


def test_a_refused_action_changes_nothing(store):
    """What an action did before it was refused is undone, its key included."""
    fields = span_item(register(store), "create-1", id="no-pfid")
    assert refused(store, "agent_spans/create", fields) == ["id"]
    with store.reading() as db:
        assert db.execute("SELECT count(*) FROM idempotency_keys").fetchone() == (0,)


def test_a_whole_run_in_one_request(service):
    """Register, start, spans, quality and finish travel together and are answered one by one."""
    status, answer = service.bulk(
        item(
            "agent_instances/register",
            "register",
            id=RUN,
            agent_version={},
            agent_schema_version=SCHEMAS,
        ),
        item("agent_instances/start", "start-it", agent_instance_id=RUN),
        span_item({"id": RUN}, "create-1", id=SPAN),
        span_item({"id": RUN}, "create-2", parent_span_id=SPAN, status="complete"),
        item("agent_spans/finish", "finish-1", agent_span_id=SPAN, result_payload={"a": 1}),
        item(
            "agent_instances/record_quality",
            "quality-1",
            agent_instance_id=RUN,
            name="score",
            payload={"stars": 5},
        ),
        item("agent_instances/finish", "finish-it", agent_instance_id=RUN, status="complete"),
    )
    assert status == 200
    outputs = BulkResponse.model_validate(answer).outputs
    assert {output.status for output in outputs.values()} == {"success"}
    assert answer["outputs"]["finish-1"]["details"]["result_payload"] == {"a": 1}
    details = answer["outputs"]["finish-it"]["details"]
    assert details["span_counts"]["complete"] == 2
    assert details["quality_payloads"] == {"score": {"stars": 5}}


def test_processing_stops_at_the_first_error(service):
    """Successes before the error stay, the error is told, what came after is absent."""
    instance = service.run()
    items = [
        span_item(instance, "create-1", id=SPAN),
        span_item(instance, "create-2", schema_name="unheard"),
        span_item(instance, "create-3"),
    ]
    status, answer = service.bulk(*items)
    assert (status, answer["status"]) == (200, "success")
    assert list(answer["outputs"]) == ["create-1", "create-2"]
    error = answer["outputs"]["create-2"]
    assert (error["status"], error["code"]) == ("error", "validation_errors")
    assert list(error["errors"]) == ["schema_name"]
    assert [span.id for span in service.store.list_spans(instance["id"])] == [SPAN]


def test_the_rest_is_sent_again_with_the_same_keys(service):
    """After an error the corrected item and the absent ones go through under their old keys."""
    instance = service.run()
    bad = span_item(instance, "create-2", schema_name="unheard")
    rest = span_item(instance, "create-3")
    service.bulk(span_item(instance, "create-1"), bad, rest)
    bad["details"]["schema_name"] = "plain"
    answer = service.bulk(bad, rest)[1]
    assert [output["status"] for output in answer["outputs"].values()] == ["success"] * 2
    assert len(service.store.list_spans(instance["id"])) == 3


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"_type": "agents/dance"}, "_type"),
        ({"details": None}, "details"),
        ({"_type": "agent_spans/finish"}, "agent_span_id"),
        ({"_type": "agent_instances/start", "agent_instance_id": 7}, "agent_instance_id"),
    ],
)
def test_a_wrong_item_is_an_error_of_that_item(service, wrong, field):
    """An unknown type, missing details or a missing target stop the request at that item."""
    instance = service.run()
    status, answer = service.bulk(
        span_item(instance, "create-1"), {**span_item(instance, "create-2"), **wrong}
    )
    assert status == 200
    assert answer["outputs"]["create-1"]["status"] == "success"
    assert list(answer["outputs"]["create-2"]["errors"]) == [field]


@pytest.mark.parametrize(
    "items",
    [
        None,
        [],
        {},
        [7],
        [{"idempotency_key": "12345678"}],
        [{"_type": "agent_spans/create"}],
        [{"_type": "agent_spans/create", "idempotency_key": "1234567"}],
        [{"_type": "agent_spans/create", "idempotency_key": "k" * 65}],
        [{"_type": 1, "idempotency_key": "12345678"}],
        [{"_type": "agent_spans/create", "idempotency_key": "12345678"}] * 2,
    ],
)
def test_a_wrong_request_is_refused_as_a_whole(service, items):
    """Without items, types and unique keys nothing is processed."""
    status, answer = service.post("/bulk", {"items": items})
    assert (status, answer["code"]) == (422, "validation_errors")
    assert all(field.startswith("items") for field in answer["errors"])


def test_flat_fields_create_no_span(service):
    """A create without `details` is refused, as the live service does."""
    instance = service.run()
    flat = span_item(instance, "create-1")["details"]
    answer = service.bulk(item("agent_spans/create", "create-1", **flat))[1]
    assert list(answer["outputs"]["create-1"]["errors"]) == ["details"]


def test_items_of_a_terminated_run_carry_control(service):
    """In bulk, too, each span's answer tells the agent to stop."""
    instance = service.run()
    service.terminate(instance, "stop")
    answer = service.bulk(span_item(instance, "create-1"))[1]
    assert answer["outputs"]["create-1"]["control"] == {"terminate": True, "reason": "stop"}


# What a request of the model holds: (number of the key, whether it is valid, variant of content).
STEPS = st.tuples(st.integers(0, 9), st.booleans(), st.integers(0, 1))
REQUESTS = st.lists(
    st.lists(STEPS, min_size=1, max_size=6, unique_by=lambda step: step[0]), max_size=6
)


@settings(max_examples=60, deadline=None)
@given(requests=REQUESTS)
def test_bulk_agrees_with_a_model_of_its_rules(tmp_path_factory, requests):
    """Whatever is sent, in whatever order and repetition, answers and spans are the model's."""
    with Store(tmp_path_factory.mktemp("bulk") / "bulk.db") as store:
        api = Api(store)
        body = {"id": RUN, "agent_version": {}, "agent_schema_version": SCHEMAS}
        api.handle("POST", "/api/v1/agent_instance/register", body=json.dumps(body).encode())
        done = {}
        for steps in requests:
            items = [
                span_item(
                    {"id": RUN},
                    f"key-{key:05}",
                    schema_name="plain" if valid else "unheard",
                    payload={"key": key, "variant": variant},
                )
                for key, valid, variant in steps
            ]
            expected = {}
            for key, valid, variant in steps:
                if done.get(key, (valid, variant)) != (valid, variant):
                    code = "idempotency_key_conflict"
                else:
                    code = None if valid else "validation_errors"
                expected[f"key-{key:05}"] = code
                if code:
                    break
                done[key] = (valid, variant)
            raw = api.handle("POST", "/api/v1/bulk", body=json.dumps({"items": items}).encode())
            outputs = json.loads(raw.body)["outputs"]
            assert {key: output.get("code") for key, output in outputs.items()} == expected
        stored = [(span.payload["key"], span.payload["variant"]) for span in store.list_spans(RUN)]
        assert stored == [(key, variant) for key, (_, variant) in done.items()]


def test_others_have_their_turn_between_items(store, monkeypatch):
    """A long request gives way to the agent's threads again and again."""
    turns = []
    monkeypatch.setattr(_slices, "SLICE_SECONDS", -1.0)  # over at once
    monkeypatch.setattr(time, "sleep", turns.append)
    items = [span_item(register(store), f"create-{number}") for number in range(5)]
    with store.writing() as transaction:
        run_bulk(transaction, {"items": items})
    assert turns == [0] * 5
