"""A token that is refused: sending pauses, nothing is lost, and a new token resumes it."""

import time

import pytest

import prefactor_trace as prefactor
from prefactor_trace import _guard

from .checks import check_all, names, record
from .conftest import HASTE
from .fault_server import FaultServer, refuse

SECRET = "secret-token-42"


@pytest.fixture
def strict(tmp_path):
    """A service that asks for a token."""
    with FaultServer(tmp_path, token="the right one".replace(" ", "-")) as one:
        yield one


@pytest.mark.parametrize("status", [401, 403])
def test_one_line_says_what_to_fix(server, connect, caplog, status):
    """Then nothing is sent; what is recorded is kept, and the token is not in the line."""
    server.always(refuse(status, message="the token has expired"))
    tracer = connect(api_token=SECRET)
    record(tracer, 3)
    assert not tracer.flush(20)
    for n in range(5):
        record(tracer, 3, run=str(n))
        assert not tracer.flush(20)
    assert len(server.bodies) == 1
    assert tracer.stats().pending == 24
    (line,) = [one for one in caplog.records if one.levelname == "ERROR"]
    text = line.getMessage()
    assert "PREFACTOR_API_TOKEN" in text
    assert "the token has expired" in text
    assert SECRET not in caplog.text


def test_a_reminder_comes_once_a_minute_at_most(server, connect, caplog, monkeypatch):
    """As long as there is something to lose."""
    now = time.monotonic
    ahead = [0.0]
    monkeypatch.setattr(_guard.time, "monotonic", lambda: now() + ahead[0])
    server.always(refuse(401))
    tracer = connect()
    for minute in range(3):
        ahead[0] = 61.0 * minute
        for n in range(3):
            record(tracer, 1, run=f"{minute}/{n}")
            tracer.flush(20)
    assert len(caplog.messages) == 3
    assert len(set(caplog.messages)) == 1
    assert len(server.bodies) == 1


def test_what_is_refused_is_kept_to_the_bound(server, connect):
    """Beyond it new spans are dropped and counted."""
    server.always(refuse(401))
    tracer = connect(max_buffer_spans=10)
    for n in range(5):
        record(tracer, 3, run=str(n))
        tracer.flush(20)
    stats = tracer.stats()
    assert (stats.pending, stats.dropped_by_reason) == (10, {"buffer full": 10})


def configure(server, **settings):
    """Set the default tracer to send to the server."""
    return prefactor.configure(**{"api_url": server.url, **HASTE, **settings})


def run_with(name):
    """Record a run of two spans with the module's functions."""
    with prefactor.instance(), prefactor.span("s", {"name": name}):
        with prefactor.span("s", {"name": f"{name}/child"}):
            pass


def test_a_new_token_sends_what_the_old_could_not(strict):
    """Recorded before and after the change, also spans that were open meanwhile."""
    configure(strict, api_token="wrong")
    run_with("before")
    assert not prefactor.flush(20)
    with prefactor.instance(), prefactor.span("s", {"name": "across"}):
        tracer = configure(strict, api_token="the-right-one")
    run_with("after")
    assert prefactor.flush(20)
    assert names(strict) == ["across", "after", "after/child", "before", "before/child"]
    check_all(strict, tracer)
    assert prefactor.stats().delivered == 5


def test_a_second_wrong_token_is_told_and_a_third_try_may_be_right(strict, caplog):
    """Nothing is lost on the way, and each configuration has its own line."""
    configure(strict, api_token="wrong")
    run_with("a")
    assert not prefactor.flush(20)
    configure(strict, api_token="wrong-too")
    assert not prefactor.flush(20)
    configure(strict, api_token="the-right-one")
    assert prefactor.flush(20)
    assert names(strict) == ["a", "a/child"]
    assert 1 <= len([one for one in caplog.records if one.levelname == "ERROR"]) <= 2


def test_what_an_outage_left_is_taken_over(server):
    """The service is away while the settings change, to the same place."""
    configure(server, exit_timeout=0.1)
    run_with("warm")
    assert prefactor.flush(20)
    with server.away():
        run_with("during")
        configure(server, exit_timeout=0.1, api_token="another")
    assert prefactor.flush(20)
    assert names(server) == ["during", "during/child", "warm", "warm/child"]
    run_with("after")  # what was being sent during the change may have gone with the old token
    assert prefactor.flush(20)
    assert server.headers[-1]["authorization"] == "Bearer another"


def test_another_place_gets_nothing_of_the_old_one(strict, tmp_path, caplog):
    """What cannot be delivered is given up, in one line that counts it."""
    old = configure(strict, api_token="wrong")
    run_with("old")
    assert not prefactor.flush(20)
    (tmp_path / "other").mkdir()
    with FaultServer(tmp_path / "other") as other:
        configure(other)
        run_with("new")
        assert prefactor.flush(20)
        assert names(other) == ["new", "new/child"]
        assert names(strict) == []
        old.shutdown(20)
        assert old.stats().dropped_by_reason == {"replaced": 2}
        assert old.stats().pending == 0
        prefactor.shutdown(5)
    (line,) = [one for one in caplog.messages if "given up" in one]
    assert "2 spans" in line
