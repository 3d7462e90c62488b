"""The fault server: it fails as it is told to, and notes what it did."""

import json
import threading

import httpx
import pytest

from .fault_server import (
    FaultServer,
    healthy,
    hold,
    http_date,
    item_error,
    missing_keys,
    never,
    not_json,
    redirect,
    refuse,
    reset_after,
    reset_before,
    truncated,
    without_outputs,
    wrong_outputs,
)

RUN = "0" * 31 + "1"


def register(number=1):
    """Return the items that register and start a run."""
    run = f"{number:032d}"
    schema = {"external_identifier": "1", "span_type_schemas": [{"name": "s", "params_schema": {}}]}
    return [
        {
            "_type": "agent_instances/register",
            "idempotency_key": f"register-{number}",
            "id": run,
            "agent_id": "agent",
            "agent_version": {"external_identifier": "1"},
            "agent_schema_version": schema,
        },
        {
            "_type": "agent_instances/start",
            "idempotency_key": f"start-key-{number}",
            "agent_instance_id": run,
        },
    ]


def create(number, parent=None, run=RUN):
    """Return the item that creates a span."""
    return {
        "_type": "agent_spans/create",
        "idempotency_key": f"create-{number}-{run[-3:]}",
        "details": {
            "agent_instance_id": run,
            "id": f"7{number:031d}",
            "schema_name": "s",
            "status": "complete",
            "payload": {},
            "parent_span_id": parent,
        },
    }


def post(server, items, timeout=30.0):
    """Send a bulk request on a connection of its own."""
    return httpx.post(f"{server.url}/api/v1/bulk", json={"items": items}, timeout=timeout)


def outputs(answer):
    """Return the statuses of an answer's outputs, in order."""
    return [output["status"] for output in answer.json()["outputs"].values()]


def done(server):
    """Return the names of the effects so far."""
    return [effect.action.partition("/")[2] for effect in server.effects]


def test_without_a_script_it_is_the_embedded_service(server):
    """Items are carried out, noted once each, and found in the store."""
    items = [*register(), create(1)]
    assert outputs(post(server, items)) == ["success"] * 3
    assert outputs(post(server, items)) == ["success"] * 3
    assert done(server) == ["register", "start", "create"]
    assert [span.id for span in server.spans()] == [items[2]["details"]["id"]]
    assert server.contents == [{"items": items}] * 2


@pytest.mark.parametrize("status", [503, 429, 500, 413, 401, 403, 400, 422])
def test_a_request_can_be_refused_whole(server, status):
    """The answer is an error with its Retry-After, and nothing was done."""
    server.script(refuse(status, retry_after=3))
    answer = post(server, register())
    assert (answer.status_code, answer.headers["Retry-After"]) == (status, "3")
    assert answer.json()["status"] == "error"
    assert not server.effects


def test_the_script_is_taken_one_fault_a_request(server):
    """After its faults the service is well again."""
    server.script(refuse(503), healthy, refuse(500))
    assert [post(server, register()).status_code for _ in range(4)] == [503, 200, 500, 200]


def test_a_date_to_retry_after_is_one_that_http_knows():
    """It names the zone that HTTP dates have."""
    assert http_date(5).endswith(" GMT")


@pytest.mark.parametrize(("fault", "effects"), [(reset_before, 0), (reset_after, 2)])
def test_a_connection_is_reset_before_or_after_the_work(server, fault, effects):
    """The client sees a reset both times, and cannot tell which it was."""
    server.script(fault)
    with pytest.raises(httpx.ReadError):
        post(server, register())
    assert len(server.effects) == effects


@pytest.mark.parametrize(("processed", "effects"), [(False, 0), (True, 2)])
def test_an_answer_is_held_until_an_event(server, processed, effects):
    """The work is done before or after the waiting, as asked."""
    go = threading.Event()
    server.script(hold(go, processed=processed))
    with pytest.raises(httpx.ReadTimeout):
        post(server, register(), timeout=0.2)
    assert len(server.effects) == effects
    go.set()
    assert outputs(post(server, register())) == ["success"] * 2


def test_a_request_is_taken_and_never_answered(server):
    """The work is done all the same."""
    server.script(never)
    with pytest.raises(httpx.ReadTimeout):
        post(server, register(), timeout=0.2)
    assert done(server) == ["register", "start"]


def test_an_answer_is_cut_off(server):
    """The client is told of more than comes."""
    server.script(truncated)
    with pytest.raises(httpx.RemoteProtocolError):
        post(server, register())
    assert done(server) == ["register", "start"]


def test_an_answer_is_not_what_it_should_be(server):
    """No JSON, no outputs, or outputs of the wrong shape; the work is done."""
    server.script(not_json, without_outputs, wrong_outputs)
    answers = [post(server, register(n)) for n in (1, 2, 3)]
    with pytest.raises(ValueError, match="Expecting value"):
        answers[0].json()
    assert [answer.json().get("outputs") for answer in answers[1:]] == [None, [1, 2]]
    assert len(server.effects) == 6


def test_outputs_are_left_out(server):
    """What was done and what was told are not the same."""
    server.script(missing_keys(lambda n: n != 0))
    answer = post(server, [*register(), create(1)])
    assert list(answer.json()["outputs"]) == ["start-key-1", create(1)["idempotency_key"]]
    assert len(server.effects) == 3


@pytest.mark.parametrize("code", ["validation_errors", "not_found", "internal_error", "what"])
def test_an_item_errs_once(server, code):
    """What comes before is done, the item is not, and of the rest nothing is said."""
    server.script(item_error(2, code))
    items = [*register(), create(1), create(2)]
    answer = post(server, items)
    assert outputs(answer) == ["success", "success", "error"]
    assert answer.json()["outputs"][items[2]["idempotency_key"]]["code"] == code
    assert done(server) == ["register", "start"]
    assert outputs(post(server, items)) == ["success"] * 4


def test_an_item_is_poisoned(server):
    """It errs each time, until the service recovers."""
    poisoned = create(1)
    server.poison(lambda item: item["idempotency_key"] == poisoned["idempotency_key"])
    for _ in range(2):
        assert outputs(post(server, [*register(), poisoned, create(2)]))[-1] == "error"
    server.recover()
    assert outputs(post(server, [poisoned, create(2)])) == ["success"] * 2


def test_an_error_of_the_services_own_comes_first(server):
    """A span of an unknown run stops the request before the poisoned item does."""
    server.poison(lambda item: item["idempotency_key"] == create(2)["idempotency_key"])
    answer = post(server, [create(1), create(2)]).json()
    assert list(answer["outputs"]) == [create(1)["idempotency_key"]]


def test_connections_are_refused_for_a_while(server):
    """Then it listens on the same port, and remembers what it knew."""
    post(server, register())
    with server.away(), pytest.raises(httpx.ConnectError):
        post(server, [create(1)])
    assert outputs(post(server, [create(1)])) == ["success"]


def test_large_bodies_are_refused(tmp_path):
    """413 for what is larger than the limit, and no effect."""
    with FaultServer(tmp_path, max_body_bytes=300) as server:
        assert post(server, register()).status_code == 413
        assert not server.effects


def test_a_token_can_be_asked_for(tmp_path):
    """401 without it."""
    with FaultServer(tmp_path, token="right") as server:
        assert post(server, register()).status_code == 401
        headers = {"Authorization": "Bearer right"}
        url = f"{server.url}/api/v1/bulk"
        assert httpx.post(url, json={"items": register()}, headers=headers).status_code == 200


def test_faults_can_stand(server):
    """A fault for every request that matches, until the service recovers."""
    server.whenever(lambda exchange: b"register-2" in exchange.body, refuse(500))
    assert [post(server, register(n)).status_code for n in (1, 2, 2)] == [200, 500, 500]
    server.always(redirect("http://127.0.0.1:1/"))
    answer = post(server, register(1))
    assert (answer.status_code, answer.headers["Location"]) == (307, "http://127.0.0.1:1/")
    server.recover()
    assert post(server, register(2)).status_code == 200


def test_effects_name_what_was_done_to_what(server):
    """A create names its parent and its status."""
    parent = create(1)
    child = create(2, parent=parent["details"]["id"])
    post(server, [*register(), parent, child])
    effect = server.effects[-1]
    assert effect == ("agent_spans/create", child["details"]["id"], effect.parent, "complete")
    assert effect.parent == parent["details"]["id"]
    assert json.loads(server.bodies[0])["items"][3] == child
