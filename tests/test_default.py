"""The default tracer: the functions of the module, `configure`, and what came before it."""

import os
import subprocess
import sys

import pytest

import prefactor_trace as prefactor
from prefactor_trace._default import default
from prefactor_trace.exceptions import SettingsError
from prefactor_trace.server import Store


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
    assert default.tracer() is second
    assert first.stats().delivered == 1
    assert first.transport.closed


def test_a_run_goes_on_where_it_began(default_tracer):
    """What it records after another `configure` is flushed, too, and its end."""
    first = default_tracer(flush_interval=60)
    with prefactor.instance():
        with prefactor.span("before"):
            pass
        second = prefactor.configure(api_token="another", offline=True)
        with prefactor.span("after"):
            pass
        assert first.stats().pending == 1
        assert prefactor.flush()
        assert first.stats().delivered == 2
        assert second._former == [first]
        with prefactor.span("last"):
            pass
    with prefactor.instance(), prefactor.span("elsewhere"):
        pass
    receipt = second.shutdown()
    assert receipt
    assert receipt.delivered == 4
    assert [span["schema_name"] for span in first.spans()] == ["before", "after", "last"]
    assert first.items("agent_instances/finish")
    assert second.flush()
    assert second._former == []


def test_a_run_may_see_any_number_of_tracers(default_tracer):
    """Only those are kept, and asked, that it or another open run records into."""
    first = default_tracer(flush_interval=60)
    with prefactor.instance():
        for _ in range(3):
            prefactor.configure(api_token="another", offline=True)
        second = default_tracer(keep_failed=True, sample_rate=0)
        second._succeed(first)
        with prefactor.instance():
            third = prefactor.configure(enabled=False)
            assert third._former == [second, first]
        assert prefactor.flush()
        assert prefactor.flush()
        assert third._former == [first]
    assert prefactor.shutdown()
    assert third._former == []


def test_a_run_goes_on_though_tracing_was_switched_off(default_tracer):
    """It was begun, so it is ended."""
    first = default_tracer(flush_interval=60)
    with prefactor.instance():
        prefactor.configure(enabled=False)
    assert prefactor.flush().pending == 0
    assert first.transport.items[-1]["_type"] == "agent_instances/finish"


def test_a_run_that_goes_on_arrives_at_the_end_of_the_process(tmp_path):
    """Whoever replaced the tracer that it records into."""
    program = """if True:
        import prefactor_trace as prefactor
        prefactor.configure(local=True)
        with prefactor.instance():
            prefactor.configure(local=True, flush_interval=50)
            with prefactor.span("after"):
                pass
    """
    path = tmp_path / "local.db"
    environment = {**os.environ, "PREFACTOR_LOCAL_DB": str(path)}
    subprocess.run([sys.executable, "-c", program], env=environment, timeout=60, check=True)
    with Store(path) as store:
        (run,) = store.list_instances()
        (span,) = store.list_spans(run.id)
    assert (run.status, span.status) == ("complete", "complete")


def test_a_wrong_setting_leaves_the_tracer_before(default_tracer):
    """A failed `configure` changes nothing."""
    t = default_tracer()
    with pytest.raises(SettingsError, match="did you mean 'sample_rate'"):
        prefactor.configure(sample_rat=1)
    assert default.tracer() is t
