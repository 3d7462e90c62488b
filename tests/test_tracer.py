"""A tracer: what it wires together, and what it does for spans outside any run."""

import gc
import logging
import threading

import pytest

import prefactor_trace as prefactor
from prefactor_trace.exceptions import UsageError


def pipelines() -> list[threading.Thread]:
    """Return the threads of the library that run."""
    return [one for one in threading.enumerate() if one.name.startswith("prefactor-trace")]


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


def test_it_says_where_it_records_to():
    """As a notebook shows what `configure` returns; without the token."""
    remote = prefactor.Tracer(
        api_url="https://example.com", api_token="token-4711", agent_id="support-agent"
    )
    assert repr(remote) == "<Tracer 'support-agent' to https://example.com>"
    assert repr(prefactor.Tracer(local=True)) == "<Tracer to the local database>"
    off = prefactor.Tracer(enabled=False)
    assert repr(off).startswith("<Tracer off: it is switched off")
    assert repr(prefactor.Tracer.__new__(prefactor.Tracer)) == "<Tracer off: it was refused>"


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
    agent = tracer()._new_id()
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


def test_a_tracer_that_nobody_holds_any_more_leaves_no_thread(tmp_path):
    """Such as one that was made for a single request, and never shut down."""
    before = set(pipelines())
    t = prefactor.Tracer(local=True, local_db=str(tmp_path / "traces.db"))
    with t.instance(), t.span("step"):
        pass
    (thread,) = set(pipelines()) - before
    assert t.flush()
    del t
    gc.collect()
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.expects_fault
def test_what_was_recorded_is_delivered_at_exit_whatever_fails_before(tracer, monkeypatch):
    """A fault of ours in ending the runs costs none of their spans."""
    traced = tracer()
    with traced.instance(), traced.span("step"):
        pass
    monkeypatch.setattr(traced._ambient, "end", lambda: 1 / 0)
    traced._end_at_exit("it is over", 10)
    assert traced.stats().delivered == 1
