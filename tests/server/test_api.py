"""Tests of what every call shares: routes, tokens, sizes, sessions; and of ping and PFIDs."""

import json
import sqlite3

import pytest

from prefactor_trace._pfid import is_pfid, partition_of
from prefactor_trace.server import Api, Response

from .twin import SCHEMAS, Twin


@pytest.fixture
def guarded(tmp_path):
    """A service that needs a token and takes bodies of 200 bytes."""
    twin = Twin(tmp_path, token="s3cret", max_body_bytes=200)
    yield twin
    twin.close()


def test_ping(service):
    """Without a token set, everyone may come in."""
    assert service.get("/ping") == (200, {"status": "success"})


@pytest.mark.parametrize("authorization", ["Bearer s3cret", "bearer s3cret"])
def test_the_token_lets_in(guarded, authorization):
    """The bearer token is accepted, in whatever case the scheme is written."""
    assert guarded.get("/ping", headers={"authorization": authorization})[0] == 200


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer x", "Basic s3cret", "s3cret"]
)
def test_a_wrong_token_is_refused(guarded, authorization):
    """Without the right token every call is 401, known or not."""
    headers = {} if authorization is None else {"authorization": authorization}
    for path in ("/ping", "/nothing"):
        answer = guarded.send("GET", path, headers=headers)
        assert answer.status == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert json.loads(answer.body)["code"] == "unauthorized"


def test_a_body_that_is_too_large_is_refused(guarded):
    """A body over the limit is 413 before anything else is looked at."""
    answer = guarded.send("POST", "/bulk", body=b"{" + b" " * 200)
    assert (answer.status, json.loads(answer.body)["code"]) == (413, "payload_too_large")
    assert "200 bytes" in json.loads(answer.body)["message"]
    headers = {"authorization": "Bearer s3cret"}
    assert guarded.send("POST", "/bulk", body=b"{}" + b" " * 198, headers=headers).status == 422


@pytest.mark.parametrize(
    "path", ["/", "/pong", "/ping/", "/agent_instance//start", "/agent_spans/"]
)
def test_unknown_paths_are_not_found(service, path):
    """What no call has as its path is 404."""
    status, answer = service.get(path)
    assert (status, answer["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("POST", "/ping", "GET"), ("DELETE", "/agent_spans", "POST, GET"), ("GET", "/bulk", "POST")],
)
def test_a_known_path_names_its_methods(service, method, path, allowed):
    """A wrong method is 405 and the answer says which are right."""
    answer = service.send(method, path)
    assert (answer.status, answer.headers["allow"]) == (405, allowed)


def test_pfids_are_generated_in_the_accounts_partition(service):
    """As many ids as asked for, all different, all of the account's partition."""
    account_id = service.register()["account_id"]
    for status, answer in (
        service.post("/pfid/generate", {"count": 3, "account_id": account_id}),
        service.get("/pfid/generate", query="count=3"),
    ):
        pfids = answer["details"]["pfids"]
        assert (status, len(set(pfids))) == (200, 3)
        assert all(map(is_pfid, pfids))
        assert {partition_of(pfid) for pfid in pfids} == {partition_of(account_id)}
    assert len(service.post("/pfid/generate", {})[1]["details"]["pfids"]) == 1


@pytest.mark.parametrize("count", [0, -1, 1001, "x", 1.5, True, None, [1]])
def test_a_wrong_count_of_pfids_is_refused(service, count):
    """A count that is no number in the limits is refused."""
    status, answer = service.post("/pfid/generate", {"count": count})
    assert (status, list(answer["errors"])) == (422, ["count"])


def test_pfids_of_another_account_are_not_found(service):
    """Ids are made for this account alone."""
    body = {"account_id": "01jz0000000000000000000000000001"}
    assert service.post("/pfid/generate", body)[0] == 404


def test_a_session_is_stored_on_the_instances_of_a_request(service):
    """The session header groups the instances that were registered with it."""
    body = {"agent_version": {}, "agent_schema_version": SCHEMAS}
    headers = {"X-Prefactor-Session": "command 1"}
    instance = service.post("/agent_instance/register", body, headers=headers)[1]["details"]
    service.register()
    found = service.store.list_instances(session="command 1")
    assert [(run.id, run.session) for run in found] == [(instance["id"], "command 1")]
    for wrong in ("s" * 65, "tab\tin it"):
        headers = {"X-Prefactor-Session": wrong}
        assert service.post("/agent_instance/register", body, headers=headers)[0] == 400


def test_a_query_that_cannot_be_read_is_refused(service):
    """Bytes that are no UTF-8 behind the question mark are 400."""
    assert service.get("/agent_spans", query="agent_instance_id=%FF")[0] == 400


def test_a_store_that_fails_is_unavailable(store, monkeypatch):
    """Trouble with the database is an answer to try again, not an exception."""

    def fail(*_):
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(store, "reading", fail)
    answer = Api(store).handle("GET", "/api/v1/agent_spans", query="agent_instance_id=x")
    assert (answer.status, json.loads(answer.body)["code"]) == (503, "service_unavailable")


def test_a_fault_of_the_service_is_an_answer(store, monkeypatch, caplog):
    """An unforeseen fault is 500 with a line in the log."""
    monkeypatch.setattr(store, "new_ids", lambda count: 1 / 0)
    answer = Api(store).handle("GET", "/api/v1/pfid/generate")
    assert answer.status == 500
    assert "ZeroDivisionError" in caplog.text


def test_trouble_is_logged_once_a_minute(store, monkeypatch, caplog):
    """The same trouble at every request is one line a minute, other trouble its own."""
    moment = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: moment[0])
    api = Api(store)

    def lines(times, trouble):
        def fail(*_):
            raise trouble

        caplog.clear()
        monkeypatch.setattr(store, "new_ids", fail)
        statuses = {api.handle("GET", "/api/v1/pfid/generate").status for _ in range(times)}
        assert len(statuses) == 1
        return len(caplog.records)

    malformed = sqlite3.DatabaseError("database disk image is malformed")
    assert lines(5, malformed) == 1
    assert lines(5, sqlite3.OperationalError("disk I/O error")) == 1
    assert lines(5, ZeroDivisionError()) == 1
    assert lines(5, malformed) == 0
    moment[0] += 60
    assert lines(5, malformed) == 1


def test_a_closed_store_is_unavailable(store):
    """After the store is closed every call that needs it is 503."""
    store.close()
    answer = Api(store).handle("POST", "/api/v1/bulk", body=b'{"items":[]}')
    assert answer.status == 503


def test_a_response_is_plain(store):
    """An answer is a status, headers and bytes."""
    answer = Api(store).handle("GET", "/api/v1/ping")
    assert answer == Response(200, {"content-type": "application/json"}, b'{"status":"success"}')
