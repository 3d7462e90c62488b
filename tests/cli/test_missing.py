"""Why a run shows nothing: the one sentence names the cause, and what to do about it."""

import sys
import weakref

import pytest

from prefactor_trace import Tracer, _exits
from prefactor_trace._tracer import tracers
from prefactor_trace._transport import Answer
from prefactor_trace._transport.memory import MemoryTransport
from prefactor_trace.cli.missing import HOW_TO_RECORD, other_databases, why_nothing


@pytest.fixture(autouse=True)
def _alone(monkeypatch):
    """Leave out the tracers of other tests, and that they decorated something."""
    monkeypatch.setattr(_exits, "_leavers", weakref.WeakSet())
    monkeypatch.delitem(sys.modules, "prefactor_trace._wrapper", raising=False)


def record(tracer) -> None:
    """Record one span and try to deliver it."""
    with tracer.instance("run"), tracer.span("step"):
        pass
    tracer.flush(10)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (0, f"agent.py recorded nothing: {HOW_TO_RECORD}"),
        (3, "agent.py ended with exit code 3 before it recorded anything"),
        (None, "agent.py was terminated before it recorded anything"),
    ],
)
def test_a_program_that_recorded_nothing(code, expected):
    """One that ended well is told how to record; one that did not, how it ended."""
    assert why_nothing("agent.py", code) == expected


def test_a_program_whose_decorated_functions_were_not_called(tracer):
    """It need not be told to decorate them; outside a run they are left out where that is set."""
    made = tracer()
    made.span("step")(print)
    said = "agent.py recorded nothing: none of its decorated functions was called"
    assert why_nothing("agent.py", 0) == said
    tracer(ambient=False)
    assert why_nothing("agent.py", 0) == f"{said} inside a run"
    assert why_nothing("agent.py", 3).startswith("agent.py ended with exit code 3")


def test_a_program_that_was_offline():
    """As one that a test starts: its functions were called."""
    made = Tracer(local=True, offline=True)
    record(made)
    assert why_nothing("agent.py", 0).startswith("nothing that agent.py recorded was kept: it was")


def test_a_program_that_sent_its_trace_elsewhere(tracer):
    """It is told where, since its own settings win; its exit code is no matter."""
    made = tracer(api_url="https://elsewhere.example")
    record(made)
    assert tracers() == [made]
    assert why_nothing("agent.py", 1) == (
        "agent.py sent its trace to https://elsewhere.example, as its own settings say; `run`"
        " shows local ones"
    )


def test_a_program_whose_trace_was_refused(tracer):
    """The answer of the service explains more than any advice."""
    refuse = MemoryTransport(lambda _: Answer(401, b'{"error": "no such token"}'))
    made = tracer(refuse)
    record(made)
    reason = why_nothing("agent.py", 0)
    assert made.stats().last_error
    assert reason == f"nothing that agent.py recorded has arrived: {made.stats().last_error}"


def test_a_program_that_switched_tracing_off(default_tracer):
    """The reason is the one of its settings, also where it failed for another."""
    made = default_tracer(enabled=False)
    assert why_nothing("agent.py", 1) == (
        f"agent.py recorded nothing: tracing is off: {made._get_settings().off_reason}"
    )


def test_a_program_whose_runs_were_not_sampled(tracer):
    """It is told the rate, and how to record all."""
    made = tracer(sample_rate=0)
    record(made)
    reason = why_nothing("agent.py", 0)
    assert "none of its runs was sampled (sample_rate is 0)" in reason
    assert "PREFACTOR_SAMPLE_RATE=1" in reason


def test_other_databases_are_those_that_exist(tracer, tmp_path):
    """The one that is shown is left out, and so is one that was never written."""
    shown, other, never = (tmp_path / name for name in ("shown.db", "other.db", "never.db"))
    for path in (shown, other):
        path.touch()
    made = [tracer(local=True, local_db=str(path)) for path in (shown, other, never)]
    made.append(tracer())
    assert other_databases(shown) == [other]
    assert other_databases(other) == [shown]
    assert len(tracers()) == len(made)
