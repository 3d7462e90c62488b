"""Whatever passes is waited out: the same requests again, in one layer, each effect once."""

import contextlib
import threading
import time

import pytest

from prefactor_trace import _guard
from prefactor_trace._pipeline import backoff

from .checks import check_all, check_sum, names, record
from .fault_server import (
    hold,
    http_date,
    missing_keys,
    never,
    not_json,
    refuse,
    reset_after,
    reset_before,
    say,
    truncated,
    without_outputs,
    wrong_outputs,
)

WHOLE = ["run", *(f"run/{n}" for n in range(3))]


def keys(content):
    """Return the idempotency keys of a request."""
    return [item["idempotency_key"] for item in content["items"]]


@pytest.fixture
def delays(monkeypatch):
    """Note the bounds between which each delay was drawn; take none of them."""
    drawn = []

    def uniform(self, low, high):
        drawn.append((low, high))
        return 0.0

    monkeypatch.setattr(backoff.random.Random, "uniform", uniform)
    return drawn


@pytest.mark.parametrize(
    "fault",
    [
        *[pytest.param(refuse(n), id=str(n)) for n in (408, 425, 429, 500, 502, 503, 504, 599)],
        pytest.param(reset_before, id="reset before"),
        pytest.param(reset_after, id="reset after"),
        pytest.param(truncated, id="truncated"),
        pytest.param(not_json, id="not JSON"),
        pytest.param(say(b"", processed=False), id="nothing in the answer"),
        pytest.param(say(b"[]"), id="no object"),
        pytest.param(say(b'{"status":"success","outputs":{}}'), id="no outputs in it"),
        pytest.param(say(b'{"outputs":{"a stranger":{"status":"success"}}}'), id="another's"),
        pytest.param(without_outputs, id="without outputs"),
        pytest.param(wrong_outputs, id="outputs of the wrong shape"),
        pytest.param(missing_keys(lambda n: n % 2 == 0), id="every second key is missing"),
        pytest.param(missing_keys(lambda n: n > 0), id="the first key is missing"),
    ],
)
def test_a_passing_fault_is_waited_out(server, connect, fault):
    """Three times in a row, then everything is there once, and the ledger knows of no loss."""
    server.script(fault, fault, fault)
    tracer = connect()
    record(tracer, 3)
    assert tracer.flush(20)
    assert names(server) == WHOLE
    check_all(server, tracer)
    assert tracer.stats().requests >= 2


@pytest.mark.parametrize("fault", [reset_after, truncated, not_json, without_outputs])
def test_an_unknown_outcome_is_retried_to_the_letter(server, connect, fault):
    """The commit happened and the answer is lost: the same keys and the same bytes again."""
    server.script(fault)
    tracer = connect()
    record(tracer, 3)
    assert tracer.flush(20)
    first = server.bodies[0]
    # What was recorded meanwhile may come behind them.
    assert server.bodies[1][: len(first) - len(b"]}")] == first[: -len(b"]}")]
    check_all(server, tracer)


def test_a_service_slower_than_the_timeout_gets_everything_once(server, connect):
    """Twice the answer comes too late, then in time."""
    server.script(never, never)
    tracer = connect(request_timeout=0.2)
    record(tracer, 3)
    assert tracer.flush(20)
    assert names(server) == WHOLE
    assert keys(server.contents[0]) == keys(server.contents[1])
    check_all(server, tracer)


def test_a_late_commit_does_not_double(server, connect):
    """The first request is carried out after its retry was."""
    go = threading.Event()
    server.script(hold(go))
    tracer = connect(request_timeout=0.2)
    record(tracer, 3)
    assert tracer.flush(20)
    go.set()
    assert names(server) == WHOLE
    check_all(server, tracer)


def test_a_service_that_is_away_is_waited_for(server, connect):
    """Connections are refused; what was recorded meanwhile arrives in its order."""
    tracer = connect()
    record(tracer, 3, run="before")
    assert tracer.flush(20)
    with server.away():
        record(tracer, 3, run="during")
        assert not tracer.flush(0.2)
        assert tracer.stats().pending == 4
        assert tracer.stats().last_error
    record(tracer, 3, run="after")
    assert tracer.flush(20)
    assert len(names(server)) == 12
    check_all(server, tracer)


def test_delays_grow_to_their_cap_with_full_jitter(server, connect, delays):
    """Each is drawn between nothing and a bound that doubles, and begins anew after a success."""
    server.script(*[refuse(503)] * 6)
    tracer = connect(retry_first_delay=0.5, retry_max_delay=4)
    record(tracer, 1)
    assert tracer.flush(20)
    assert delays == [(0, 0.5), (0, 1), (0, 2), (0, 4), (0, 4), (0, 4)]
    server.script(refuse(503))
    record(tracer, 1)
    assert tracer.flush(20)
    assert delays[6:] == [(0, 0.5)]


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("after", [lambda: "1", lambda: http_date(2)], ids=["seconds", "date"])
def test_the_service_says_when_to_come_again(server, connect, status, after):
    """Nothing is sent before, not even for a flush."""
    server.script(refuse(status, retry_after=after()))
    tracer = connect()
    record(tracer, 1)
    assert not tracer.flush(0.3)
    assert len(server.bodies) == 1
    assert tracer.flush(20)
    assert len(server.bodies) == 2
    check_all(server, tracer)


@pytest.mark.parametrize("after", ["soon", "-5", "nan", "Thu, 99 Foo 2026", ""])
def test_a_time_that_cannot_be_read_is_no_time(server, connect, after):
    """The library's own delay stands in."""
    server.script(refuse(503, retry_after=after))
    tracer = connect()
    record(tracer, 1)
    assert tracer.flush(20)
    check_all(server, tracer)


def test_a_time_is_bounded(server, connect, monkeypatch):
    """No service can send its clients away for a year."""
    now = time.monotonic
    ahead = [0.0]
    server.script(refuse(503, retry_after=365 * 86400))
    tracer = connect()
    record(tracer, 1)
    assert not tracer.flush(0.2)
    monkeypatch.setattr(backoff.time, "monotonic", lambda: now() + ahead[0])
    ahead[0] = 3601.0
    assert tracer.flush(20)


def test_the_user_may_name_other_answers_to_retry(server, connect):
    """A status of the user's list is retried, though it would be a refusal else."""
    server.script(refuse(409), refuse(418))
    tracer = connect(retry_on_status_codes=[409, 418])
    record(tracer, 1)
    assert tracer.flush(20)
    check_all(server, tracer)


@pytest.mark.parametrize("status", [400, 409, 422])
def test_a_request_at_fault_is_not_retried(server, connect, status):
    """A refusal of one item alone rejects it: it is never sent again."""
    server.always(refuse(status, message="no such thing"))
    tracer = connect(ambient=False)
    with tracer.instance():
        pass
    receipt = tracer.flush(20)
    assert [(one.name, one.message) for one in receipt.rejected] == [("register", "no such thing")]
    assert len(server.bodies) == 2  # both together, then the first alone
    assert receipt.pending == 0


@pytest.mark.parametrize("status", [404, 405, 421])
def test_an_answer_about_the_address_loses_nothing(server, connect, status, caplog):
    """The items are not at fault: they are kept, and one line names the address."""
    server.script(*[refuse(status)] * 3)
    tracer = connect()
    record(tracer, 3)
    assert tracer.flush(20)
    assert len(caplog.messages) == 1
    assert server.url in caplog.messages[0]
    assert names(server) == WHOLE
    check_all(server, tracer)


def test_what_is_too_old_is_given_up(server, connect, monkeypatch, caplog):
    """Past `max_age` a record that still cannot be sent is dropped, by name and with a line."""
    now = time.monotonic
    ahead = [0.0]
    tracer = connect(max_age=600)
    with server.away():
        record(tracer, 3)
        assert not tracer.flush(0.2)
        monkeypatch.setattr(backoff.time, "monotonic", lambda: now() + ahead[0])
        ahead[0] = 601.0
        tracer.flush(0.5)
        stats = tracer.stats()
        assert stats.dropped_by_reason == {"max_age": 4}
        assert (stats.pending, stats.delivered) == (0, 0)
        check_sum(tracer)
    assert any("max_age" in line for line in caplog.messages)
    record(tracer, 3, run="later")
    receipt = tracer.flush(20)
    assert not receipt
    assert (receipt.delivered, receipt.dropped, receipt.pending) == (4, 4, 0)
    assert names(server) == ["later", *(f"later/{n}" for n in range(3))]
    check_all(server, tracer)


def test_what_is_young_outlives_what_is_too_old(server, connect, monkeypatch):
    """The run that goes on is registered when the service is back, and its new spans arrive."""
    now = time.monotonic
    ahead = [0.0]
    monkeypatch.setattr(backoff.time, "monotonic", lambda: now() + ahead[0])
    tracer = connect(max_age=600)
    with tracer.instance():
        with server.away():
            with tracer.span("root", {"name": "old"}) as old:
                tracer.flush(0.2)
                ahead[0] = 601.0
                tracer.flush(0.5)
                with tracer.span("step", {"name": "child"}):
                    pass
        with tracer.span("step", {"name": "young"}):
            pass
    receipt = tracer.flush(20)
    assert receipt.pending == 0
    assert names(server) == ["child", "young"]
    assert tracer.stats().dropped_by_reason == {"max_age": 1}
    assert old.id not in {span.parent_span_id for span in server.spans()}
    check_all(server, tracer)


def test_an_outage_is_one_line_a_minute(server, connect, monkeypatch, caplog):
    """However often it is tried."""
    ahead = [0.0]
    now = time.monotonic
    monkeypatch.setattr(_guard.time, "monotonic", lambda: now() + ahead[0])
    server.always(refuse(503))
    tracer = connect()
    record(tracer, 1)
    server.wait_for_requests(10)
    assert len(caplog.records) == 1
    line = caplog.messages[0]
    assert server.url in line
    assert "503" in line
    ahead[0] = 61.0
    server.wait_for_requests(len(server.bodies) + 10)
    with contextlib.suppress(AssertionError):
        server.wait_for_requests(1_000_000, 0.1)
    assert caplog.messages == [line, line]


def test_one_connection_carries_all(server, connect):
    """Requests follow each other on it, also after an error."""
    server.script(refuse(503), refuse(500))
    tracer = connect()
    for n in range(5):
        record(tracer, 1, run=str(n))
        assert tracer.flush(20)
    assert server.connections == 1
    assert all(one["x-prefactor-sdk"].startswith("prefactor-trace@") for one in server.headers)
