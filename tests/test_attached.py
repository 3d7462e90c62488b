"""Runs that another process has begun: what is recorded here lands there."""

import json
import threading
from datetime import datetime, timedelta, timezone

import pytest

from prefactor_trace import _attached, current_instance, current_span, inject, untraced
from prefactor_trace._pfid import PfidSource
from prefactor_trace._pipeline import settlement
from prefactor_trace._transport.answer import Answer
from prefactor_trace._transport.memory import MemoryTransport
from prefactor_trace.server import Api, Store

new_id = PfidSource()


def place(run=None, span=None, *, sampled=True):
    """Return a carrier from a process that was in a span."""
    span = new_id() if span is None else span
    return {"prefactor-context": f"instance={run or new_id()};span={span};sampled={sampled:d}"}


@pytest.fixture
def store(tmp_path):
    """The service of both processes."""
    with Store(tmp_path / "shared.db") as store:
        yield store


@pytest.fixture
def two(tracer, store):
    """Two tracers, as of two processes that send to one service."""
    api = Api(store)

    def respond(content):
        response = api.handle("POST", "/api/v1/bulk", body=json.dumps(content).encode())
        return Answer(response.status, response.body)

    settings = {"agent_id": "one", "flush_interval": 60, "retry_first_delay": 0.01}
    return [tracer(MemoryTransport(respond), **settings) for _ in range(2)]


def tree(store):
    """Return each span's name and its parent's."""
    spans = [span for run in store.list_instances() for span in store.list_spans(run.id)]
    names = {span.id: span.payload.get("prefactor.schema_name", span.schema_name) for span in spans}
    return {names[span.id]: names.get(span.parent_span_id) for span in spans}


def test_spans_land_under_the_span_of_the_other_process(two, store):
    """In one run, which the process that began it finishes."""
    here, there = two
    with here.instance() as run, here.span("outer"):
        carrier = inject()
        assert here.flush(10)
        with there.attach(carrier) as attached, there.span("inner"), there.span("innermost"):
            assert attached.instance.id == run.id
            assert current_instance() is attached.instance
        assert current_span().schema_name == "outer"
        assert there.flush(10)
        (stored,) = store.list_instances()
        assert stored.status == "active"
    assert here.flush(10)
    assert tree(store) == {"outer": None, "inner": "outer", "innermost": "inner"}
    (stored,) = store.list_instances()
    assert stored.status == "complete"


def test_spans_may_arrive_before_the_run(two, store, monkeypatch):
    """They wait until the other process has made known what they name."""
    here, there = two
    monkeypatch.setattr(here._pipeline, "hurry", lambda: None)
    with here.instance(), here.span("outer"):
        with there.attach(inject()), there.span("inner"):
            pass
        assert not there.flush(0.2)
        assert here.flush(10)
    assert there.flush(20)
    assert here.flush(10)
    assert tree(store) == {"outer": None, "inner": "outer"}


def test_a_parent_that_never_arrives_costs_no_span(two, store, monkeypatch):
    """What hung on it hangs at the top of the run, and the children of that stay with it."""
    monkeypatch.setattr(settlement, "_ELSEWHERE_SECONDS", 0.1)
    here, there = two
    with here.instance() as run:
        assert here.flush(10)
        with there.attach(place(run.id)), there.span("inner"), there.span("innermost"):
            pass
        with there.attach(place(run.id)), there.span("other"):
            pass
        assert there.flush(30)
    assert here.flush(10)
    assert tree(store) == {"inner": None, "innermost": "inner", "other": None}


def test_a_run_that_never_arrives_is_given_up(two, monkeypatch):
    """After its time the spans in it are rejected, and other runs go on."""
    monkeypatch.setattr(settlement, "_ELSEWHERE_SECONDS", 0.1)
    _, there = two
    with there.attach(place()), there.span("inner"), there.span("innermost"):
        pass
    receipt = there.flush(10)
    assert len(receipt.rejected) == 2
    with there.instance(), there.span("other"):
        pass
    assert there.flush(10).pending == 0
    assert there.stats().delivered == 1


def test_declared_types_are_used_where_the_service_knows_them(two, store):
    """Those that the run was not registered with arrive as undeclared, under their name."""
    here, there = two
    here.declare("known", params={"type": "object"})
    with here.instance(), here.span("outer"):
        assert here.flush(10)
        with there.attach(inject()):
            for name in ("known", "unknown", "known", "unknown"):
                with there.span(name):
                    pass
        assert there.flush(10)
    assert here.flush(10)
    (run,) = store.list_instances()
    names = [span.schema_name for span in store.list_spans(run.id)]
    assert sorted(names) == ["known", "known", "outer", "undeclared", "undeclared"]


def test_registers_and_finishes_nothing(tracer):
    """All that is sent are the spans that began here, also where the run is told to finish."""
    t = tracer()
    run_id, span_id = new_id(), new_id()
    with t.attach(place(run_id, span_id)) as attached, t.span("inner"):
        attached.instance.finish()
    (item,) = t.items()
    assert item["_type"] == "agent_spans/create"
    assert item["details"]["agent_instance_id"] == run_id
    assert item["details"]["parent_span_id"] == span_id


def test_the_span_of_the_other_process_is_named_and_left_alone(tracer):
    """It is the current one; what is said of it here has no effect."""
    t = tracer()
    span_id = new_id()
    with t.attach(place(span=span_id)):
        outer = current_span()
        assert (outer.id, outer.status) == (span_id, "active")
        outer.set_payload({"a": 1})
        outer.set_result(1)
        outer.fail("no")
        outer.complete()
        assert outer.status == "active"
    assert current_span() is None
    assert t.items() == []


@pytest.mark.parametrize("carrier", [None, {}, {"prefactor-context": "nonsense"}])
def test_no_place_changes_nothing(tracer, carrier):
    """What begins inside is where it would be without the block."""
    t = tracer()
    with t.instance() as run, t.attach(carrier) as attached:
        assert attached.instance is None
        assert current_instance() is run


async def test_no_place_changes_nothing_of_an_async_block(tracer):
    """Neither does it in code that awaits."""
    t = tracer()
    with t.instance() as run:
        async with t.attach({}) as attached:
            assert attached.instance is None
            assert current_instance() is run


def test_while_tracing_is_off_nothing_is_recorded(tracer):
    """As everywhere."""
    t = tracer(enabled=False)
    with t.attach(place()) as attached, t.span("inner"):
        assert attached.instance is None
        assert current_span() is None


def test_a_run_that_is_not_sampled_is_recorded_nowhere(tracer):
    """The process that began it has decided for all."""
    t = tracer()
    with t.attach(place(sampled=False)), t.span("inner"):
        t.start_span("started").complete()
    assert t.items() == []
    assert t.stats().started == 0


def test_code_that_is_not_traced_stays_so(tracer):
    """A block of `untraced` wins over what comes from outside."""
    t = tracer()
    with untraced(), t.attach(place()), t.span("inner"):
        pass
    assert t.items() == []


def test_in_the_process_that_began_it_the_run_is_the_same(tracer):
    """As where a queue between threads carries headers."""
    t = tracer()
    with t.instance() as run, t.span("outer") as outer:
        carrier = inject()

        def work():
            with t.attach(carrier) as attached, t.span("inner"):
                assert attached.instance is run

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert t.one("inner")["parent_span_id"] == outer.id


def test_a_bare_thread_finds_the_run(tracer):
    """It is the only open one while the block lasts, and not afterwards."""
    t = tracer()
    run_id = new_id()

    def work():
        with t.span("inner"):
            pass

    with t.attach(place(run_id)) as attached:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert attached.instance in t._open_runs
    assert t.one("inner")["agent_instance_id"] == run_id
    assert not t._open_runs


def test_a_run_is_open_as_long_as_any_block_of_it_lasts(tracer):
    """Jobs of one run may overlap in a worker, and end in any order."""
    t, run_id = tracer(), new_id()
    first, second = t.attach(place(run_id)), t.attach(place(run_id))
    with second:
        with first:
            assert first.instance is second.instance
            assert list(t._open_runs) == [first.instance]
        assert list(t._open_runs) == [first.instance]
    assert not t._open_runs


def test_a_block_that_is_entered_twice_is_left_once(tracer):
    """Another block of the run, which lasts, does not have it closed under it."""
    t, run_id = tracer(), new_id()
    first, second = t.attach(place(run_id)), t.attach(place(run_id))
    with second:
        with first, first:
            pass
        assert list(t._open_runs) == [second.instance]
        assert current_instance() is second.instance
    assert not t._open_runs


def test_spans_have_the_time_of_this_process(tracer):
    """The run was begun elsewhere, and its clocks are read here when it is joined."""
    t = tracer()
    before = datetime.now(timezone.utc)
    with t.attach(place()), t.span("inner"):
        pass
    began = datetime.fromisoformat(t.one("inner")["started_at"].replace("Z", "+00:00"))
    assert before - timedelta(seconds=1) <= began <= datetime.now(timezone.utc)


@pytest.mark.expects_fault
def test_a_fault_while_attaching_costs_only_the_place(tracer, monkeypatch):
    """The block runs, and what begins inside is where it would be without it."""
    t = tracer()

    def fail(*_):
        raise RuntimeError("it cannot be joined")

    with t.instance() as run:
        monkeypatch.setattr(_attached, "AttachedInstance", fail)
        with t.attach(place()) as attached, t.span("inner"):
            assert attached.instance is None
            assert current_instance() is run
    assert t.one("inner")["agent_instance_id"] == run.id


async def test_as_an_async_block(tracer):
    """`async with` is the same."""
    t = tracer()
    run_id = new_id()
    async with t.attach(place(run_id)), t.span("inner"):
        pass
    assert t.one("inner")["agent_instance_id"] == run_id


def test_in_a_generator_it_counts_only_while_that_runs(tracer):
    """As every block does."""
    t = tracer()

    def steps():
        with t.attach(place()):
            yield current_span()

    running = steps()
    assert next(running) is not None
    assert current_span() is None
    running.close()


def test_the_environment_tells_of_a_place(tracer, monkeypatch):
    """In the variables that `inject_env` makes."""
    t = tracer()
    run_id = new_id()
    monkeypatch.setenv("PREFACTOR_CONTEXT", place(run_id)["prefactor-context"])
    with t.attach_env() as attached:
        assert attached.instance.id == run_id


def test_finishing_the_run_of_another_process_is_said_to_do_nothing(tracer, caplog):
    """It is that process's to finish."""
    t = tracer()
    with t.instance() as run:
        carrier = inject()
    other = tracer()
    with other.attach(carrier) as attached:
        attached.instance.finish("failed")
    assert "finish('failed')" in caplog.text
    assert run.id in caplog.text
    assert other.items("finish") == []
