"""`terminate`: a run that is not over is ended from outside."""

from pathlib import Path

import pytest

import prefactor_trace as prefactor
from prefactor_trace.server import Store

from .records import record, run


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A place for a database."""
    return tmp_path / "traces.db"


def test_the_agent_is_told(database: Path) -> None:
    """With the answer to what it sends next, and why."""
    tracer = prefactor.Tracer(local=True, local_db=str(database))
    with tracer.instance("agent") as instance:
        with tracer.span("step"):
            pass
        assert tracer.flush(10)
        words = ("terminate", instance.id[:12], "--reason", "off track", "--db", str(database))
        assert run(*words) == (0, f"terminated {instance.id} of agent\n")
        with tracer.span("step"):
            pass
        assert instance.wait_terminated(10)
        assert instance.termination_reason == "off track"
    assert tracer.shutdown(10)
    with Store(database) as store:
        stored = store.get_instance(instance.id)
        assert stored is not None
        assert stored.status == "terminated"


def test_a_run_that_is_over_stays_as_it_is(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its status is told; so is that there is no such run, or no database."""
    assert run("terminate", "01", "--db", str(database))[0] == 1
    assert not database.exists()
    instance = record(database)
    capsys.readouterr()
    assert run("terminate", instance, "--db", str(database)) == (1, "")
    assert capsys.readouterr().err == f"prefactor-trace: {instance} is over: it is complete\n"
    assert run("terminate", "zzz", "--db", str(database)) == (1, "")
    assert instance in capsys.readouterr().err


@pytest.mark.parametrize("reason", ["x" * 1001, "\udcff"])
def test_a_reason_is_a_short_text(database: Path, reason: str) -> None:
    """Nothing is ended for another."""
    instance = record(database, finish=False)
    assert run("terminate", instance, "--reason", reason, "--db", str(database)) == (2, "")
    with Store(database) as store:
        stored = store.get_instance(instance)
        assert stored is not None
        assert stored.status == "active"
    assert run("terminate", instance, "--db", str(database))[0] == 0
