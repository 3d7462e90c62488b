"""Instances: their life, what they register and sampling."""

import pytest

from prefactor_trace import current_instance
from prefactor_trace._pfid import PfidSource
from prefactor_trace.exceptions import UsageError


def test_a_run_is_registered_started_and_finished(tracer):
    """In this order, with what was said of it."""
    t = tracer(environment_id="env", version="1", agent_id="agent")
    with t.instance(version="2", name="Agent", external_identifier="run-7", purpose="eval") as run:
        assert run.status == "active"
    assert run.status == "complete"
    register, start, finish = t.items()
    kinds = [item["_type"].partition("/")[2] for item in (register, start, finish)]
    assert kinds == ["register", "start", "finish"]
    assert register["id"] == start["agent_instance_id"] == finish["agent_instance_id"] == run.id
    assert (register["agent_id"], register["environment_id"]) == ("agent", "env")
    assert (register["external_identifier"], register["purpose"]) == ("run-7", "eval")
    assert register["agent_version"]["external_identifier"] == "2"
    assert start["timestamp"] <= finish["timestamp"]


@pytest.mark.parametrize(
    ("kind", "status"),
    [(ValueError, "failed"), (SystemExit, "failed"), (GeneratorExit, "complete")],
)
def test_an_exception_says_how_it_ended(tracer, kind: type[BaseException], status: str):
    """It goes on as it is."""
    t, error = tracer(), kind()
    with pytest.raises(kind) as caught, t.instance():
        raise error
    assert caught.value is error
    assert t.items("finish")[0]["status"] == status


def test_finish_ends_it_once(tracer):
    """What was said first stays."""
    t = tracer()
    with t.instance() as run:
        run.finish("cancelled")
        run.finish()
    assert run.status == "cancelled"
    (finish,) = t.items("finish")
    assert finish["status"] == "cancelled"
    with pytest.raises(UsageError, match=r"'complete', 'failed', 'cancelled'.*'done'"):
        run.finish("done")  # type: ignore[arg-type]


def test_an_id_of_ones_own_is_used(tracer):
    """So that a run can be found again."""
    t, own = tracer(), PfidSource()()
    with t.instance(id=own) as run:
        pass
    assert run.id == own == t.items("register")[0]["id"]


def test_it_is_shown_by_its_agent_and_its_id(tracer):
    """The id only once there is one: a look at it makes none."""
    with tracer().instance("bot") as run:
        pass
    assert repr(run) == "<Instance 'bot' complete>"
    known = run.id
    assert repr(run) == f"<Instance 'bot' {known!r} complete>"


def test_an_object_is_one_run(tracer, caplog: pytest.LogCaptureFixture):
    """Entered again it records nothing and says so."""
    t = tracer()
    run = t.instance()
    for _ in range(2):
        with run:
            pass
    assert len(t.items("register")) == 1
    assert f"instance {run.id!r} was entered twice" in caplog.text


def test_what_is_entered_twice_is_named(tracer, caplog: pytest.LogCaptureFixture):
    """By its agent, which is easier to find in the code than an id."""
    run = tracer().instance("support-agent")
    for _ in range(2):
        with run:
            pass
    assert "instance 'support-agent' was entered twice" in caplog.text


def test_sampling_decides_for_the_whole_run(tracer):
    """A run is recorded with all its spans, or not at all; its id decides."""
    t = tracer(sample_rate=0.5)
    runs = []
    for _ in range(60):
        with t.instance() as run, t.span("a"), t.span("b"):
            runs.append(run.id)
    kept = {item["id"] for item in t.items("register")}
    assert 0 < len(kept) < 60
    for run in kept:
        assert sum(span["agent_instance_id"] == run for span in t.spans()) == 2
    assert len(t.spans()) == 2 * len(kept)
    other = tracer(sample_rate=0.5)
    for run in runs:
        with other.instance(id=run):
            pass
    assert {item["id"] for item in other.items("register")} == kept


def test_nothing_is_sampled_at_rate_zero(tracer):
    """The agent still sees its instance."""
    t = tracer(sample_rate=0)
    with t.instance() as run, t.span("a"):
        assert current_instance() is run
        run.record_quality("helpful", {"score": 1})
    assert t.items() == []
