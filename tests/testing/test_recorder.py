"""The recorder: what an agent did, and everything as it was before."""

import asyncio
import concurrent.futures
import importlib
import inspect
import math
import os
import threading

import pytest

import prefactor_trace as prefactor
from prefactor_trace import _guard
from prefactor_trace._calls import Calls, Runs
from prefactor_trace._clock import Clock
from prefactor_trace._default import default
from prefactor_trace._instance import Instance
from prefactor_trace._plain import PlainSpan
from prefactor_trace._record import Record
from prefactor_trace.exceptions import SettingsError, UsageError
from prefactor_trace.models import BulkRequest
from prefactor_trace.testing import Recorder, record


def test_what_an_agent_did_can_be_asked(trace, agent):
    """Without an account, and without a packet."""
    agent("a", "bad")
    planning, call, first, second = trace.spans
    assert [one.id for one in trace.roots] == [planning.id]
    assert [one.seq for one in trace.spans] == [1, 2, 3, 4]
    assert call.path == "planning/llm_call"
    assert call.result_payload == {"tokens": 3}
    assert first.payload == {"query": "a", "k": 5}
    assert first.result_payload == {"result": ["a"] * 5}
    assert second.error == ("TimeoutError", "no answer in 5 s")
    assert [one.schema_name for one in planning.descendants] == [
        "llm_call",
        "tool_call",
        "tool_call",
    ]
    assert first.where.startswith("conftest.py:")
    assert (first.thread, first.task, first.finished) == ("MainThread", None, True)
    assert first.duration >= 0
    (run,) = trace.instances
    assert (run.agent_id, run.version, run.status) == ("agent", "1", "complete")
    assert len(run.spans) == 4


def test_requests_are_those_that_would_be_sent(trace, agent):
    """Redacted, cut and serialised."""
    with (
        prefactor.instance(),
        prefactor.span("step", {"password": "hunter2", "text": "x" * 200_000}),
    ):
        pass
    assert all(isinstance(one, BulkRequest) for one in trace.requests)
    step = trace["step"]
    assert step.payload["password"] == "[redacted]"
    assert step.truncated
    assert step.redacted == 1
    assert trace.stats.delivered == 1


def test_an_open_span_is_seen_and_its_end_too(trace):
    """Reading needs no flush."""
    span = prefactor.start_span("stream")
    assert trace["stream"].status == "active"
    assert trace["stream"].duration is None
    span.complete()
    assert trace["stream"].finished


def test_threads_and_tasks_are_recorded(trace):
    """Also those that the test starts."""

    async def work():
        with prefactor.span("in_task"):
            await asyncio.sleep(0)

    def blocking():
        with prefactor.span("in_thread"):
            pass

    async def main():
        await asyncio.create_task(work(), name="worker")

    with prefactor.instance(), concurrent.futures.ThreadPoolExecutor(1, "pool") as pool:
        asyncio.run(main())
        pool.submit(prefactor.propagate(blocking)).result()
    assert trace["in_task"].task == "worker"
    assert trace["in_thread"].thread.startswith("pool")


@prefactor.span("search")
async def search(query):
    """Stand for a tool."""


@prefactor.span("stream")
def stream():
    """Stand for a tool that gives its results one by one."""
    yield from "ab"


def test_a_task_is_placed_where_its_coroutine_was_called(trace):
    """Its body runs with nothing below it but the event loop."""

    async def main():
        here = inspect.currentframe().f_lineno
        await search("a")
        await asyncio.gather(search("b"), *map(search, "cd"))
        later = asyncio.create_task(search("e"))
        never = search("f")
        await later
        never.close()
        return here

    here = asyncio.run(main())
    assert [(span.payload["query"], span.where) for span in trace.spans] == [
        ("a", f"test_recorder.py:{here + 1}"),
        ("b", f"test_recorder.py:{here + 2}"),
        ("c", f"test_recorder.py:{here + 2}"),
        ("d", f"test_recorder.py:{here + 2}"),
        ("e", f"test_recorder.py:{here + 3}"),
    ]


def test_a_stream_is_placed_where_it_was_called(trace):
    """Not where it was read."""
    here = inspect.currentframe().f_lineno
    items = stream()
    assert list(items) == ["a", "b"]
    assert trace["stream"].where == f"test_recorder.py:{here + 1}"


@prefactor.span("fetch")
def fetch(url):
    """Stand for a tool that blocks."""


def test_what_a_thread_calls_is_placed_where_it_is_defined(trace):
    """And marked as such: nobody's code called it there."""

    async def main():
        await asyncio.to_thread(fetch, "a")

    asyncio.run(main())
    where = f"def test_recorder.py:{fetch.__code__.co_firstlineno}"
    assert trace["fetch"].where == where
    assert where in trace.report()


def test_a_trace_is_unsound_where_a_function_of_the_program_raises(trace):
    """It is told as the program's own; one that only the library would have seen is not lost."""

    def complain(run) -> None:
        raise LookupError("none")

    with prefactor.instance() as run, prefactor.span("a"):
        run.on_terminate(complain)
        run._terminate(None)
    assert trace.unsound() == ["your function given as on_terminate raised LookupError('none')"]
    assert trace.unsound(allow_errors=True) == []


def patched():
    """Return what a recording puts something of its own in the place of."""
    begins_and_ends = (Record._start, Record._end, PlainSpan.__enter__, PlainSpan.__exit__)
    return (
        *begins_and_ends,
        Instance._start,
        Calls.begin,
        Runs.begin,
        _guard.log_fault,
        _guard.log_raised,
        Clock.wall,
        Clock.monotonic,
    )


def test_everything_is_as_before(agent, default_tracer):
    """Default tracer, patched methods, callbacks, context, and the recording can be read on."""
    before = default_tracer()
    known = patched()
    prefactor.on_terminate(print)
    with before.instance(), before.span("outer") as outer:
        with record() as trace:
            assert prefactor.current_span() is None
            trace.deterministic()
            prefactor.on_terminate(repr)
            agent("a")
            prefactor.configure(agent_id="another")
            agent("b")
        assert prefactor.current_span() is outer
    assert default._tracer is before
    assert known == patched()
    assert default._on_terminate_callbacks == [print]
    default._on_terminate_callbacks.clear()
    assert trace.count("tool_call") == 2
    assert [span["schema_name"] for span in before.spans()] == ["outer"]


def test_what_is_declared_in_a_recording_is_gone_after_it(agent):
    """Types, quality schemas and functions; so tests may declare one name differently."""

    def types(number: int) -> list[str]:
        with record() as trace:
            wanted = {"type": "object", "required": [f"a{number}"]}
            prefactor.declare("declared", params=wanted)
            prefactor.declare_quality("judged", dict[str, int])

            @prefactor.span("typed")
            def typed() -> int:
                return number

            agent("a")
            with prefactor.instance():
                typed()
                with prefactor.span("declared", {f"a{number}": 1}):
                    pass
            assert "anyOf" not in trace.instances[-1].span_types["typed"]["params_schema"]
            assert trace.unsound() == []
            return sorted(trace.instances[-1].span_types)

    before = default._registry.state()
    assert types(1) == types(2)
    with record() as trace, prefactor.instance():
        pass
    assert sorted(trace.instances[0].span_types) == sorted(before.span_types)
    qualities = trace.requests[0].items[0].agent_schema_version.get("quality_schemas") or ()
    assert [one["name"] for one in qualities] == sorted(before.quality_types)


def test_what_a_module_declares_stays(tmp_path, monkeypatch):
    """It is imported once, in whatever test is the first to need it."""
    lines = [
        "import prefactor_trace as prefactor",
        "prefactor.declare('by_a_module', params=dict[str, int])",
        "@prefactor.span('of_a_module')",
        "def step() -> int: return 1",
    ]
    (tmp_path / "late_module.py").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(tmp_path)
    with record(), record():
        importlib.import_module("late_module")
    types = default._registry.state().span_types
    assert types["by_a_module"].params is not None
    assert len(types["of_a_module"].functions) == 1
    _, place = default._registry.state().places["span type", "by_a_module"]
    assert place.endswith("late_module.py:2")


def test_recordings_nest(agent):
    """The inner one gets what is recorded in it."""
    with record() as outer:
        agent("a")
        with record() as inner:
            agent("b")
        agent("c")
    assert [one.payload["query"] for one in inner.all("tool_call")] == ["b"]
    assert [one.payload["query"] for one in outer.all("tool_call")] == ["a", "c"]


def test_recordings_side_by_side_are_refused(agent):
    """Each would get a part of what both are to have."""

    async def sample(query: str) -> int:
        async with record() as trace:
            agent(query)
            await asyncio.sleep(0)
        return int(trace.count("tool_call"))

    async def samples() -> list[object]:
        return await asyncio.gather(sample("a"), sample("b"), return_exceptions=True)

    first, second = asyncio.run(samples())
    assert first == 1
    assert isinstance(second, UsageError)
    with record():
        assert asyncio.run(sample("c")) == 1  # which is inside the one around it
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            failed = pool.submit(lambda: record().__enter__()).exception()
        assert "begun in another task or thread" in str(failed)
    assert asyncio.run(sample("d")) == 1


def test_a_block_in_a_recording_of_a_fixture_may_be_anywhere(agent):
    """Such as in a thread, or in a loop that began before the fixture; but one at a time."""

    def sample() -> int:
        with record() as inner:
            agent("a")
        return int(inner.count("tool_call"))

    recorder = Recorder()
    recorder.start()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        assert pool.submit(sample).result() == 1
    recorder.stop()


def test_no_thread_is_left_behind(agent):
    """A thousand tests would have a thousand."""
    before = threading.active_count()
    for _ in range(3):
        with record():
            agent("a")
    assert threading.active_count() == before


def test_settings_are_those_of_the_program_and_of_the_test(default_tracer, agent):
    """What the program has set stays, unless the test says otherwise."""
    default_tracer(max_input_length=100)
    with record(capture_outputs=False) as trace:
        agent("a" * 500)
        assert trace["tool_call"].truncated
        assert trace["tool_call"].result_payload is None
        trace.configure(capture_inputs=False)
        trace.clear()
        agent("a")
        assert trace["tool_call"].payload == {}
        with pytest.raises(SettingsError, match="unknown setting"):
            trace.configure(nothing=1)
        trace.configure(capture_inputs=True)  # the wrong one is not asked for again


def test_a_wrong_setting_leaves_everything_as_it_was(default_tracer):
    """What is recorded next goes where it went before."""
    before = default_tracer()
    environment, log_fault = dict(os.environ), _guard.log_fault
    with pytest.raises(SettingsError, match="flush_interval"), record(flush_intervall=3):
        pytest.fail("it recorded")
    assert (dict(os.environ), _guard.log_fault) == (environment, log_fault)
    with prefactor.span("step"):
        pass
    prefactor.flush(10)
    assert before.stats().delivered == 1


def test_what_is_cleared_is_forgotten(trace, agent):
    """Also a span that was open then."""
    agent("a")
    open_one = prefactor.start_span("open")
    trace.clear()
    open_one.complete()
    assert trace.spans == []
    with prefactor.instance(), prefactor.span("outer"):
        trace.clear()
        with prefactor.span("inner"):
            pass
    (told,) = trace.unsound()
    assert told.endswith("has a parent that was open when clear() was called")
    agent("b")
    assert trace["tool_call"].payload["query"] == "b"


@pytest.mark.parametrize("status", [503, 429, 500, "timeout", "refuse"])
def test_delivery_gets_over_a_fault(trace, agent, status):
    """What was recorded is there, once, and nothing is dropped."""
    trace.fail_delivery(status, times=2)
    agent("a")
    assert trace.count("tool_call") == 1
    assert trace.stats.delivered == 3
    assert trace.stats.retries >= 2


def test_an_item_can_be_at_fault(trace, agent):
    """It alone is rejected."""
    trace.fail_delivery(422, item="tool_call")
    agent("a", "b")
    assert (trace.stats.rejected, trace.stats.delivered) == (1, 3)
    with pytest.raises(ValueError, match="status is one of 400 to 599"):
        trace.fail_delivery(200)
    with pytest.raises(ValueError, match="without item="):
        trace.fail_delivery("timeout", item="tool_call")


def test_a_run_can_be_terminated(trace):
    """As the platform would."""
    with prefactor.instance("agent") as run:
        trace.terminate("policy")
        with pytest.raises(prefactor.PrefactorTerminated):
            prefactor.checkpoint()
        assert trace.instances[0].status == "terminated"
    assert (run.terminated, run.termination_reason) == (True, "policy")
    assert trace.instances[0].status == "terminated"


def test_quality_is_recorded(trace):
    """On the run."""
    with prefactor.instance("agent"):
        prefactor.record_quality("good", {"score": 1})
    assert trace.instances[0].quality == {"good": {"score": 1}}


def test_a_quality_record_that_does_not_match_is_unsound(trace):
    """As a payload that does not; one of which no schema was declared may be anything."""
    wanted = {"type": "object", "properties": {"score": {"type": "number"}}}
    prefactor.declare_quality("helpfulness", wanted)
    with prefactor.instance("agent"), prefactor.span("step"):
        prefactor.record_quality("helpfulness", {"score": "very"})
        prefactor.record_quality("other", {"score": "very"})
    told = 'agent: quality.helpfulness.score  "very" is not of type number'
    assert trace.unsound() == [told]
    with pytest.raises(AssertionError, match=told):
        trace.assert_conforms()
    with prefactor.instance("agent"):
        prefactor.record_quality("helpfulness", None)


def test_a_recorder_can_be_used_in_unittest(agent):
    """Started and stopped by hand, also twice."""
    recorder = Recorder()
    recorder.start()
    agent("a")
    recorder.stop()
    recorder.stop()
    assert recorder.count("planning") == 1


@prefactor.span("late")
def late():
    """Stand for work that goes on when nobody waits for it any more."""


@pytest.mark.parametrize("counting", [False, True], ids=["random ids", "counting ids"])
def test_what_goes_on_of_an_earlier_recording_is_not_seen(counting):
    """Spans of its runs that begin, go on or end now, and the ends of the runs themselves."""
    go_on, done = threading.Event(), threading.Event()

    def left_behind(span):
        go_on.wait()
        late()
        span.complete()
        span.complete()
        if not counting:  # else the same id is another run
            with prefactor.attach(carrier):
                late()
        done.set()

    with record() as first:
        if counting:
            first.deterministic()
        run = prefactor.instance("first")
        with run, prefactor.span("around"):
            carrier = prefactor.inject()
            work = prefactor.propagate(left_behind)
            threading.Thread(target=work, args=[prefactor.start_span("open")]).start()
    with record() as second:
        if counting:
            second.deterministic()
        with prefactor.instance("second"), prefactor.span("own"):
            go_on.set()
            done.wait()
        assert second.tree() == "own"
        assert [one.agent_id for one in second.instances] == ["second"]
        assert second.unsound() == []
        items = [item.model_dump() for one in second.requests for item in one.items]
        assert [one["agent_id"] for one in items if "agent_id" in one] == ["second"]
        assert {one["details"]["schema_name"] for one in items if "details" in one} == {"own"}
    assert [(one.schema_name, one.finished) for one in first.spans] == [
        ("around", True),
        ("open", False),
    ]


def test_a_run_that_began_outside_of_recordings_is_seen_in_each(default_tracer):
    """As that of a fixture of the session."""
    default_tracer()
    prefactor.configure(offline=True, api_token="t")
    with prefactor.instance("session") as run:
        for name in ("a", "b"):
            work = prefactor.propagate(late)
            with record() as trace:
                work()
                assert trace["late"].instance.id == run.id, name


def test_what_the_library_changed_itself_does_not_make_a_trace_unsound(trace):
    """A cut text, a secret and a number that JSON has not are no fault of the agent's."""

    @prefactor.span("retrieve")
    def retrieve(query: str, pin_password: int, weight: float) -> list[str]:
        del pin_password, weight
        return [query] * 5

    with prefactor.instance("agent"):
        retrieve("d" * 30_000, 1234, math.inf)
        assert retrieve(1, 2, 3) == [1] * 5
    assert [span.truncated for span in trace.spans] == [True, False]
    assert [line.partition(": ")[2] for line in trace.unsound()] == [
        "payload.query  1 is not of type string",
        *(f"result_payload.result[{n}]  1 is not of type string" for n in range(5)),
    ]
