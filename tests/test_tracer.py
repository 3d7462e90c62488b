"""Tracers, the default one, and the functions of the module."""

import logging
import threading

import pytest

import prefactor_trace as prefactor
from prefactor_trace import _tracer
from prefactor_trace.exceptions import SettingsError, UsageError


def pipelines() -> list[threading.Thread]:
    """Return the threads of the library that run."""
    return [one for one in threading.enumerate() if one.name.startswith("prefactor-trace")]


def test_the_functions_are_the_default_tracers(default_tracer):
    """What they record, flush and count is its."""
    t = default_tracer()
    with prefactor.instance("agent") as run, prefactor.span("step", {"n": 1}) as span:
        assert prefactor.current_instance() is run
        assert prefactor.current_span() is span
        prefactor.start_span("callback").complete()
        prefactor.record_quality("helpful", {"score": 1})
    assert prefactor.flush(10)
    assert prefactor.stats().delivered == t.stats().delivered == 2
    assert t.items("record_quality")[0]["agent_instance_id"] == run.id
    assert prefactor.shutdown(10)
    assert t.transport.closed


def test_its_methods_and_the_functions_are_one_family(default_tracer):
    """A span of the one nests in a span of the other."""
    t = default_tracer()
    with t.instance() as run, prefactor.span("a") as a, t.span("b") as b:
        t.record_quality("helpful", {})
    assert (a.instance_id, b.parent_id) == (run.id, a.id)
    assert t.items("record_quality")[0]["agent_instance_id"] == run.id
    assert len(t.items("register")) == 1


def test_what_is_decorated_before_configure_goes_to_what_is_configured(default_tracer):
    """Modules are imported before programs are set up, and may be set up again."""
    done = []

    @prefactor.span("step")
    def step() -> None:
        done.append(1)

    step()
    for _ in range(2):
        t = default_tracer()
        with prefactor.instance():
            step()
        assert t.one("step")["status"] == "complete"
    assert len(done) == 3


def test_declarations_are_registered(default_tracer):
    """Those made before and those that a decorator implies."""
    t = default_tracer()
    prefactor.declare("early", params={"type": "object"}, title="Early")
    prefactor.declare_quality("helpful", int)
    prefactor.span("decorated", description="Does.")(len)
    with prefactor.instance():
        pass
    version = t.items("register")[0]["agent_schema_version"]
    types = {one["name"]: one for one in version["span_type_schemas"]}
    assert types["early"]["title"] == "Early"
    assert types["decorated"]["description"] == "Does."
    assert version["quality_schemas"][0]["name"] == "helpful"


def test_without_a_token_it_is_off_and_says_so_once(caplog: pytest.LogCaptureFixture):
    """One line, no thread, and the agent runs."""
    before = pipelines()

    @prefactor.span
    def step(n: int) -> int:
        return n

    with caplog.at_level(logging.INFO, logger="prefactor_trace"):
        for _ in range(3):
            prefactor.configure()
            with prefactor.instance(), prefactor.span("block"):
                assert step(1) == 1
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "PREFACTOR_API_TOKEN" in caplog.text
    assert pipelines() == before
    assert bool(prefactor.flush())
    assert bool(prefactor.shutdown())
    assert prefactor.stats().started == 0


def test_a_wrong_variable_inside_the_agent_is_one_line(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    """Read at the first use, deep inside of the agent, it must not raise there."""
    monkeypatch.setenv("PREFACTOR_API_TOKEN", "t")
    monkeypatch.setenv("PREFACTOR_SAMPLE_RATE", "lots")
    for _ in range(3):
        with prefactor.instance(), prefactor.span("step"):
            pass
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "PREFACTOR_SAMPLE_RATE" in caplog.text
    with pytest.raises(SettingsError, match="PREFACTOR_SAMPLE_RATE"):
        prefactor.configure()


def test_configure_again_flushes_and_replaces(default_tracer):
    """What was recorded before goes where it belongs."""
    first = default_tracer()
    with prefactor.instance(), prefactor.span("before"):
        pass
    second = prefactor.configure(enabled=False)
    assert _tracer._default.tracer() is second
    assert first.stats().delivered == 1
    assert first.transport.closed


def test_a_wrong_setting_leaves_the_tracer_before(default_tracer):
    """A failed `configure` changes nothing."""
    t = default_tracer()
    with pytest.raises(SettingsError, match="did you mean 'sample_rate'"):
        prefactor.configure(sample_rat=1)
    assert _tracer._default.tracer() is t


def test_spans_outside_any_instance_have_one_of_theirs(tracer):
    """One for all of them, ended by shutdown; the next span begins another."""
    t = tracer()
    for _ in range(2):
        with t.span("a"), t.span("b"):
            assert prefactor.current_instance() is not None
    t.record_quality("helpful", {})
    t.shutdown(10)
    assert len(t.items("register")) == len(t.items("agent_instances/finish")) == 1
    assert len({span["agent_instance_id"] for span in t.spans()}) == 1
    with t.span("later"):
        pass
    assert len(t.items("register")) == 2


def test_spans_outside_any_instance_can_be_left_out(tracer):
    """Where only whole runs are wanted."""
    t = tracer(ambient=False)
    with t.span("outside") as span:
        pass
    with t.instance(), t.span("inside"):
        pass
    t.record_quality("helpful", {})
    assert span.status == "pending"
    assert t.one()["schema_name"] == "inside"
    assert t.items("record_quality") == []


def test_quality_stays_with_its_own_tracer(tracer):
    """The run of another tracer is not judged by this one."""
    t, other = tracer(), tracer()
    with t.instance():
        other.record_quality("helpful", {})
    assert t.items("record_quality") == []
    assert len(other.items("record_quality")) == 1


@pytest.mark.parametrize("name", ["", 7, b"step"])
def test_a_wrong_name_is_refused(tracer, name):
    """The line shows what was given and what would be right."""
    t = tracer()
    for call in (t.span, t.start_span):
        with pytest.raises(UsageError, match=r"text such as 'tool_call', got"):
            call(name)
    with pytest.raises(UsageError, match="declare takes a name"):
        t.declare(name)


def test_a_started_span_needs_a_name(tracer):
    """There is no function to take it from."""
    for wrong in (None, len):
        with pytest.raises(UsageError, match="schema_name"):
            tracer().start_span(wrong)


def test_ids_take_the_partition_of_the_agent(tracer):
    """Records of one account share it."""
    agent = tracer().new_id()
    t = tracer(agent_id=agent)
    with t.instance() as run, t.span("a") as span:
        pass
    assert run.id[10:16] == span.id[10:16] == agent[10:16]


def test_nothing_starts_before_the_first_record(tracer):
    """A program that imports and configures, and records nothing, has no thread of ours."""
    before = len(pipelines())
    t = tracer()
    t.span("step")(len)
    assert len(pipelines()) == before
    with t.span("step"):
        pass
    assert len(pipelines()) == before + 1
