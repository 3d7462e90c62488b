"""Local mode: the embedded service in process."""

import json

import pytest

from prefactor_trace._settings import load_settings
from prefactor_trace._transport.local import LocalTransport
from prefactor_trace.server import Store

REGISTER = {
    "_type": "agent_instances/register",
    "idempotency_key": "register-1",
    "agent_id": "a",
    "agent_version": {"name": "v"},
    "agent_schema_version": {"external_identifier": "s", "span_type_schemas": []},
}


@pytest.fixture
def make(tmp_path):
    """Make transports to a database, closed at the end."""
    made = []

    def make(**settings):
        settings = load_settings(
            {"local": True, "local_db": str(tmp_path / "a.db"), **settings}, {}
        )
        made.append(LocalTransport(settings, "prefactor-trace@0"))
        return made[-1]

    yield make
    for transport in made:
        transport.close()


def send(transport):
    """Register an instance and return the answer's status."""
    return transport.send(json.dumps({"items": [REGISTER]}).encode())


def test_items_are_stored_with_the_session(make, tmp_path):
    """What is sent is in the database, grouped as the settings say."""
    assert send(make(session="one")).status == 200
    with Store(tmp_path / "a.db") as store:
        assert [run.session for run in store.list_instances()] == ["one"]


def test_no_file_before_the_first_request(make, tmp_path):
    """Making the transport touches no disk."""
    make()
    assert list(tmp_path.iterdir()) == []


def test_closed_transport_opens_again(make):
    """After `close` the next request works."""
    transport = make()
    send(transport)
    transport.close()
    transport.close()
    assert send(transport).status == 200


def test_unusable_database_is_no_answer(make, tmp_path):
    """What is wrong is said, nothing is raised, and it is tried anew."""
    (tmp_path / "a.db").mkdir()
    transport = make()
    answer = send(transport)
    assert answer.status == 0
    assert "a.db" in answer.error
    (tmp_path / "a.db").rmdir()
    assert send(transport).status == 200


def test_answers_leave_the_spans_out(make):
    """What was recorded does not come back, as nobody looks at it."""
    transport = make()
    run, span = "0" * 31 + "1", "0" * 31 + "2"
    details = {"agent_instance_id": run, "id": span, "schema_name": "step", "status": "complete"}
    declared = {"external_identifier": "s", "span_schemas": {"step": {}}}
    create = {"_type": "agent_spans/create", "idempotency_key": "create-1"}
    items = [
        {**REGISTER, "id": run, "agent_schema_version": declared},
        {**create, "details": {**details, "payload": {"text": "x" * 1_000}}},
    ]
    answer = transport.send(json.dumps({"items": items}).encode())
    assert json.loads(answer.body)["outputs"]["create-1"] == {"status": "success"}
