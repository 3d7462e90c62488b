"""Items of a dead process: sent once, judged one by one, left where the trouble passes."""

import errno
import json
import os
import time
from pathlib import Path

import pytest

from prefactor_trace import Tracer, _exits
from prefactor_trace._carrier import inject
from prefactor_trace._notes import CANCELLED, SCHEMA_NAME_KEY, UNDECLARED
from prefactor_trace._pfid import PfidSource
from prefactor_trace._pipeline.orphans import find_orphans
from prefactor_trace._pipeline.replay import Replayed, replay
from prefactor_trace._pipeline.spool import Spool
from prefactor_trace._settings import load_settings
from prefactor_trace._transport import Answer
from prefactor_trace.server import Api, Store

from .service import Service, error, own_name, refuse_name

TARGET = "http://127.0.0.1:9"


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """A spool in which a process left a run of three spans, one below the other."""
    folder = tmp_path / "spool"
    tracer = Tracer(
        api_url=TARGET,
        api_token="t",
        spool_dir=str(folder),
        retry_first_delay=60,
        log_level="ERROR",
    )
    with tracer.instance(), tracer.span("a", {"n": 1}):
        with tracer.span("b", {"n": 2, "text": "x" * 3_000}), tracer.span("c", {"n": 3}):
            pass
    die(tracer, folder, b"agent_instances/finish")
    return folder


def die(tracer: Tracer, folder: Path, last: bytes) -> None:
    """Be gone, as a process that was killed, once a text is on disk."""
    deadline = time.monotonic() + 20
    while not is_on_disk(folder, last) and time.monotonic() < deadline:
        tracer.flush(0.05)
    pipeline = tracer._pipeline
    assert pipeline is not None
    assert pipeline._spool is not None
    pipeline._spool.forget()  # as the death of the process does
    pipeline._spool = pipeline._delivery._unsettled._spool = None
    pipeline._delivery.refused = True  # so that its thread ends, with all that it still has
    tracer.shutdown(10)
    _exits._leavers.discard(tracer)


def is_on_disk(folder: Path, text: bytes) -> bool:
    """Return whether anything in a spool holds a text."""
    return any(text in segment.read_bytes() for segment in folder.glob("*/*.jsonl"))


def send_to(folder: Path, service: Service, max_bytes: int = 1 << 30) -> Replayed:
    """Replay a spool to a service that takes bodies of `max_bytes` at most."""

    def send(body: bytes) -> Answer:
        return Answer(413) if len(body) > max_bytes else service(json.loads(body))

    return replay(folder, TARGET, send, load_settings({"api_url": TARGET, "api_token": "t"}, {}))


def creates(service: Service) -> dict[str, dict[str, object]]:
    """Return the details of the spans that took effect, by their own names."""
    return {
        own_name(item): item["details"] for item in service.applied.values() if "details" in item
    }


def left_in(folder: Path) -> int:
    """Return how many items are still in a spool."""
    count = 0
    for orphan in find_orphans(folder, None):
        count += len(orphan.read())
        orphan.close()
    return count


def test_all_is_sent_and_the_folder_goes(left, service):
    """What can be sent is, in order, and nothing stays behind."""
    done = send_to(left, service)
    assert (done.sent, done.rejected, done.left) == (len(service.applied), {}, 0)
    assert list(creates(service)) == ["a", "b", "c"]
    assert [service.names()[0], service.names()[-1]] == ["register", "finish"]
    assert list(left.iterdir()) == []


@pytest.mark.parametrize("code", ["internal_error", "a_code_of_tomorrow"])
def test_what_passes_is_left_for_the_next_time(left, service, code):
    """An error that is not the item's fault costs nothing but time."""
    service.refuse = refuse_name("b", code)
    done = send_to(left, service)
    assert done.left == left_in(left) > 0
    assert code in done.reason
    assert done.rejected == {}
    service.refuse = lambda _: None
    assert send_to(left, service).left == 0
    assert list(creates(service)) == ["a", "b", "c"]


def test_on_a_full_disk_all_is_sent_and_the_folder_goes(left, service, monkeypatch):
    """Nothing can be struck off there, and that is no reason to send the rest no more."""

    def write(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", write)
    assert send_to(left, service, max_bytes=4_000).left == 0
    assert list(creates(service)) == ["a", "b", "c"]
    assert list(left.iterdir()) == []


def test_a_step_that_was_sent_open_and_then_cancelled_has_failed(tmp_path):
    """An active span cannot be cancelled: as delivery does, it says so in the result."""
    ids = PfidSource()
    run, step = ids(), ids()
    of_run, of_step = {"agent_instance_id": run}, {"agent_span_id": step}
    details = {**of_run, "id": step, "schema_name": "step", "status": "active", "payload": {}}
    version = {"external_identifier": "1"}
    schemas = {"external_identifier": "1", "span_schemas": {"step": {"type": "object"}}}
    register = {"id": run, "agent_id": "a", "agent_version": version}
    items = [
        ("agent_instances/register", {**register, "agent_schema_version": schemas}),
        ("agent_instances/start", of_run),
        ("agent_spans/create", {"details": details}),
        ("agent_spans/finish", {**of_step, "status": "cancelled", "result_payload": {"n": 1}}),
        ("agent_instances/finish", {**of_run, "status": "cancelled"}),
    ]
    spool = Spool(tmp_path / "spool", TARGET, 1 << 20)
    for number, (action, fields) in enumerate(items):
        key = f"key-{number:08d}"
        item = {"_type": action, "idempotency_key": key, **fields}
        spool.add([(key, json.dumps(item, separators=(",", ":")).encode())])
    spool.forget()
    settings = load_settings({"api_url": TARGET, "api_token": "t"}, {})
    with Store(tmp_path / "service.db") as store:
        api = Api(store)

        def send(body: bytes) -> Answer:
            answer = api.handle("POST", "/api/v1/bulk", headers={}, body=body)
            return Answer(answer.status, answer.body)

        done = replay(tmp_path / "spool", TARGET, send, settings)
        assert (done.sent, done.rejected, done.left) == (5, {}, 0)
        (span,) = store.list_spans(run)
        assert span.status == "failed"
        assert span.result_payload == {"n": 1, **CANCELLED}
        assert store.get_instance(run).status == "cancelled"
    assert list((tmp_path / "spool").iterdir()) == []


@pytest.mark.parametrize("answer", [Answer(0, error="refused"), Answer(503), Answer(401)])
def test_a_service_that_is_away_gets_it_later(left, service, answer):
    """Nothing is struck off, and why is said."""
    service.answers = [answer]
    done = send_to(left, service)
    assert (done.sent, done.rejected) == (0, {})
    assert done.left == left_in(left)
    assert done.reason
    assert send_to(left, service).left == 0


def test_children_of_what_is_refused_hang_on_its_parent(left, service):
    """The refused one is named, its child is sent under the nearest ancestor that arrived."""
    service.refuse = refuse_name("b")
    done = send_to(left, service)
    assert done.left == 0
    assert any(key.endswith("-create") for key in done.rejected)
    assert creates(service)["c"]["parent_span_id"] == creates(service)["a"]["id"]


def test_a_refused_run_takes_its_items_along(left, service):
    """Without its run nothing of it can be sent, and nothing is tried."""
    service.refuse = lambda item: error("validation_errors")
    count = left_in(left)
    done = send_to(left, service)
    assert (done.sent, done.left, len(done.rejected)) == (0, 0, count)


def test_a_type_that_is_not_known_is_sent_as_another(left, service):
    """Its own name travels in the payload."""

    def refuse(item):
        unknown = item.get("details", {}).get("schema_name") == "b"
        return error("validation_errors", schema_name="is not declared") if unknown else None

    service.refuse = refuse
    done = send_to(left, service)
    assert (done.rejected, done.left) == ({}, 0)
    assert creates(service)["b"]["schema_name"] == UNDECLARED
    assert creates(service)["b"]["payload"][SCHEMA_NAME_KEY] == "b"


def test_what_is_too_large_is_cut(left, service):
    """One item that no request can hold is cut and marked, the others are whole."""
    done = send_to(left, service, max_bytes=2_500)
    assert (done.rejected, done.left) == ({}, 0)
    assert creates(service)["b"]["payload"]["prefactor.truncated"] is True
    assert creates(service)["c"]["payload"]["n"] == 3


def test_another_places_items_are_counted_and_stay(left, service):
    """What was recorded for one service is not sent to another."""
    done = replay(left, "https://other.example", lambda _: Answer(200), load_settings({}, {}))
    assert (done.sent, done.elsewhere) == (0, 1)
    assert left_in(left) > 0


def drop(folder: Path, *actions: str) -> None:
    """Take items of these actions out of a spool, as if they had never been made, or were sent."""
    for segment in folder.glob("*/*.jsonl"):
        lines = segment.read_bytes().splitlines(keepends=True)
        unwanted = tuple(f'+{{"_type":"{action}"'.encode() for action in actions)
        segment.write_bytes(b"".join(line for line in lines if not line.startswith(unwanted)))


def test_a_run_whose_process_died_first_has_no_end(left, service):
    """It is counted once, however much of it is sent."""
    drop(left, "agent_instances/finish")
    assert send_to(left, service).without_end == 1


def test_a_run_that_has_ended_has_its_end(left, service):
    """Also while the end is left for the next time, and when it is all that is sent."""
    last = "agent_instances/finish"
    service.refuse = lambda item: error("internal_error") if item["_type"] == last else None
    done = send_to(left, service)
    assert (done.left, done.without_end) == (1, 0)
    service.refuse = lambda _: None
    done = send_to(left, service)
    assert (done.sent, done.without_end) == (1, 0)


def test_a_run_of_which_only_spans_are_left_has_no_end(left, service):
    """Where all else of it was sent before; the end of a span does not say whose it is."""
    drop(left, "agent_instances/register", "agent_instances/start", "agent_instances/finish")
    assert send_to(left, service).without_end == 1


@pytest.fixture
def left_by_two(tmp_path: Path) -> Path:
    """A spool in which two processes left one run: spans of the second are below the first's."""
    folder = tmp_path / "spool"
    settings = {"api_url": TARGET, "api_token": "t", "spool_dir": str(folder)}
    first, second = (Tracer(**settings, retry_first_delay=60, log_level="ERROR") for _ in range(2))
    with first.instance(), first.span("a"):
        carrier = inject({})
    die(first, folder, b"agent_instances/finish")
    with second.attach(carrier), second.span("b"), second.span("c"):
        pass
    die(second, folder, b'"c"')
    return folder


def replay_to(api: Api, folder: Path, answers: list[Answer]) -> Replayed:
    """Replay a spool to the embedded service, behind some other answers."""
    settings = load_settings({"api_url": TARGET, "api_token": "t"}, {})

    def send(body: bytes) -> Answer:
        if answers:
            return answers.pop(0)
        response = api.handle("POST", "/api/v1/bulk", body=body)
        return Answer(response.status, response.body)

    return replay(folder, TARGET, send, settings)


def test_what_names_what_another_left_waits_for_it(left_by_two, tmp_path):
    """One request that fails costs none of the spans that were to come after it."""
    with Store(tmp_path / "local.db") as store:
        api = Api(store)
        done = replay_to(api, left_by_two, [Answer(503)])
        assert (done.rejected, done.sent) == ({}, 0)
        done = replay_to(api, left_by_two, [])
        assert (done.rejected, done.left) == ({}, 0)
        (run,) = store.list_instances()
        a, b, c = store.list_spans(run.id)
    assert (b.parent_span_id, c.parent_span_id) == (a.id, b.id)


def test_what_names_what_nobody_has_is_sent_without_it(left_by_two, tmp_path):
    """The parent was with a process whose disk is gone: its child stands at the top."""
    with Store(tmp_path / "local.db") as store:
        api = Api(store)
        first, second = sorted(left_by_two.iterdir())
        segment = next(first.glob("*.jsonl"))
        lines = segment.read_bytes().splitlines(keepends=True)
        segment.write_bytes(b"".join([line for line in lines if b"agent_spans" not in line]))
        done = replay_to(api, left_by_two, [])
        assert (done.rejected, done.left) == ({}, 0)
        (run,) = store.list_instances()
        b, c = store.list_spans(run.id)
    assert (b.parent_span_id, c.parent_span_id) == (None, b.id)
    assert not second.exists()
