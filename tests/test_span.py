"""Spans: blocks and handles, their parents, statuses, payloads and results."""

import asyncio
import threading

import pytest

from prefactor_trace import Span, current_span
from prefactor_trace.exceptions import UsageError


class Hostile:
    """Raises from whatever can be asked of it."""

    def _raise(self, *args, **kwargs):
        raise AssertionError("the library ran code of the agent's")

    __getattribute__ = __repr__ = __str__ = __eq__ = __hash__ = __len__ = __iter__ = _raise
    __bool__ = __getitem__ = __contains__ = __format__ = __int__ = __float__ = __index__ = _raise
    __reduce__ = __reduce_ex__ = __copy__ = __deepcopy__ = __call__ = __dir__ = __lt__ = _raise


def test_a_block_is_a_span(tracer):
    """Name, payload, result and both times arrive, in one item."""
    t = tracer()
    with t.instance() as run, t.span("llm_call", {"model": "m"}) as span:
        assert (span.status, span.schema_name) == ("active", "llm_call")
        span.set_result({"tokens": 42})
    assert span.status == "complete"
    sent = t.one()
    assert sent["id"] == span.id
    assert sent["agent_instance_id"] == run.id == span.instance_id
    assert (sent["schema_name"], sent["status"]) == ("llm_call", "complete")
    assert (sent["payload"], sent["result_payload"]) == ({"model": "m"}, {"tokens": 42})
    assert sent["started_at"] <= sent["finished_at"]
    assert len(t.items("create")) == 1
    assert t.items("agent_spans/finish") == []


async def test_an_async_block_is_a_span(tracer):
    """`async with` is the same block."""
    t = tracer()
    async with t.instance(), t.span("step") as span:
        await asyncio.sleep(0)
        assert current_span() is span
    assert t.one("step")["status"] == "complete"


def test_nested_blocks_are_parent_and_child(tracer):
    """The span around is the parent; at the top of the run there is none."""
    t = tracer()
    with t.instance(), t.span("a") as a:
        with t.span("b") as b:
            pass
        with t.span("c") as c:
            pass
    assert (a.parent_id, b.parent_id, c.parent_id) == (None, a.id, a.id)
    parents = {span["id"]: span.get("parent_span_id") for span in t.spans()}
    assert parents == {a.id: None, b.id: a.id, c.id: a.id}


def test_a_parent_that_is_given_wins(tracer):
    """It may be a span or an instance, of this tracer or of another."""
    t, other = tracer(), tracer()
    with t.instance() as run, t.span("a") as a, t.span("b"):
        with t.span("c", parent=a) as c, t.span("d", parent=run) as d:
            pass
        with other.span("e", parent=a) as e:
            pass
    assert (c.parent_id, d.parent_id) == (a.id, None)
    assert (e.parent_id, e.instance_id) == (a.id, run.id)
    assert other.spans() == []


def test_a_span_of_another_tracer_is_no_parent(tracer):
    """Two tracers lead to two places, each with a tree of its own."""
    t, other = tracer(), tracer()
    with t.instance(), t.span("a"), other.instance() as run, other.span("b") as b, t.span("c") as c:
        pass
    assert (b.parent_id, b.instance_id) == (None, run.id)
    assert c.instance_id != run.id
    assert [span["schema_name"] for span in other.spans()] == ["b"]


async def test_gathered_coroutines_are_siblings(tracer):
    """Fifty at once have one parent, and none is in another."""
    t = tracer()

    async def step(number: int) -> None:
        async with t.span("step", {"number": number}):
            await asyncio.sleep(0)
            async with t.span("inner", {"number": number}):
                await asyncio.sleep(0)

    with t.instance(), t.span("all") as parent:
        await asyncio.gather(*(step(number) for number in range(50)))
    spans = t.spans()
    steps = {span["id"]: span for span in spans if span["schema_name"] == "step"}
    assert len(steps) == 50
    assert {span["parent_span_id"] for span in steps.values()} == {parent.id}
    for inner in (span for span in spans if span["schema_name"] == "inner"):
        assert steps[inner["parent_span_id"]]["payload"]["number"] == inner["payload"]["number"]


async def test_a_task_left_behind_keeps_its_parent(tracer):
    """What a task does after its parent has ended is still its parent's."""
    t = tracer()
    go = asyncio.Event()

    async def later() -> None:
        await go.wait()
        with t.span("later"):
            pass

    with t.instance():
        with t.span("sender") as sender:
            task = asyncio.create_task(later())
        go.set()
        await task
    assert t.one("later")["parent_span_id"] == sender.id


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit, StopIteration])
def test_an_exception_fails_the_span(tracer, kind: type[BaseException]):
    """The very same exception goes on, and what it says is the result."""
    t, error = tracer(), kind("why")
    with pytest.raises(kind) as caught, t.instance(), t.span("step") as span:  # noqa: PT012
        span.set_result({"so_far": 1})
        raise error
    assert caught.value is error
    sent = t.one("step")
    assert sent["status"] == span.status == "failed"
    result = sent["result_payload"]
    assert (result["error_type"], result["message"]) == (kind.__qualname__, "why")
    assert result["so_far"] == 1
    assert "raise error" in result["stacktrace"]


async def test_cancellation_cancels_the_span(tracer):
    """It is no failure, and the task is cancelled as it would be without tracing."""
    t, inside = tracer(), asyncio.Event()

    async def step() -> None:
        async with t.instance(), t.span("step"):
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(step())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert t.one("step")["status"] == "cancelled"
    assert t.items("agent_instances/finish")[0]["status"] == "cancelled"


def test_a_generator_that_is_closed_is_complete(tracer):
    """Nobody wanted the rest: that is no failure, but it is said."""
    t = tracer()

    def numbers():
        with t.span("numbers") as span:
            span.set_result({"last": 1})
            yield 1

    with t.instance():
        generator = numbers()
        next(generator)
        generator.close()
    sent = t.one("numbers")
    assert (sent["status"], sent["result_payload"]) == (
        "complete",
        {"last": 1, "closed_early": True},
    )


def test_a_started_span_ends_from_another_thread(tracer):
    """Callbacks come on whatever thread there is."""
    t = tracer()
    with t.instance(), t.span("a") as a:
        span = t.start_span("callback", {"n": 1})
        thread = threading.Thread(target=span.complete, args=({"m": 2},))
        thread.start()
        thread.join()
    sent = t.one("callback")
    assert (sent["parent_span_id"], sent["status"]) == (a.id, "complete")
    assert (sent["payload"], sent["result_payload"]) == ({"n": 1}, {"m": 2})


@pytest.mark.parametrize(
    ("end", "status", "result"),
    [
        (lambda span: span.complete("text"), "complete", {"result": "text"}),
        (lambda span: span.fail(), "failed", None),
        (lambda span: span.fail("why"), "failed", {"error_type": "Error", "message": "why"}),
        (lambda span: span.fail(KeyError(1)), "failed", {"error_type": "KeyError", "message": "1"}),
        (lambda span: span.cancel(), "cancelled", None),
    ],
)
def test_each_end_has_its_status(tracer, end, status: str, result):
    """What the first end says stays, whatever is said later."""
    t = tracer()
    with t.instance():
        span = t.start_span("step")
        end(span)
        for again in (span.complete, span.fail, span.cancel):
            again()
        span.set_result("later")
        span.set_payload({"later": True})
        assert span.status == status
    sent = t.one("step")
    assert (sent["status"], sent["payload"]) == (status, {})
    found = sent.get("result_payload")
    assert (found and {key: found[key] for key in found if key != "stacktrace"}) == result


def test_an_exception_after_the_end_changes_nothing(tracer):
    """A block whose span was completed by hand may still raise."""
    t = tracer()
    with pytest.raises(ValueError), t.instance(), t.span("step") as span:  # noqa: PT012
        span.complete({"ok": True})
        raise ValueError
    sent = t.one("step")
    assert (sent["status"], sent["result_payload"]) == ("complete", {"ok": True})


def test_payload_and_result_are_copied_when_they_are_given(tracer):
    """What the agent changes afterwards is not in the trace."""
    t = tracer()
    messages, found, late = ["a"], {"hits": [1]}, {"n": [1]}
    with t.instance(), t.span("step", {"messages": messages}) as span:
        messages.append("b")
        span.set_result(found)
        found["hits"].append(2)
    with t.instance(), t.span("late") as span:
        span.set_payload(late)
        late["n"].append(2)
    assert t.one("step")["payload"] == {"messages": ["a"]}
    assert t.one("step")["result_payload"] == {"hits": [1]}
    assert t.one("late")["payload"] == {"n": [1]}


def test_a_payload_set_before_the_block_counts(tracer):
    """A span that has not begun takes its last payload."""
    t = tracer()
    span = t.span("step", {"old": 1})
    span.set_payload({"new": 1})
    with t.instance(), span:
        pass
    assert t.one("step")["payload"] == {"new": 1}


def test_what_changes_after_an_open_span_was_sent_travels_with_its_end(tracer):
    """A long step is seen live, and nothing said later is lost."""
    t = tracer()
    with t.instance(), t.span("long", {"n": 1}) as span:
        t.flush(10)
        assert t.items("create")[0]["details"]["status"] == "active"
        span.set_payload({"n": 2})
        span.set_result({"m": 3})
    sent = t.one("long")
    assert (sent["status"], sent["payload"]) == ("complete", {"n": 1})
    assert sent["result_payload"] == {"m": 3, "prefactor.payload": {"n": 2}}


def test_a_span_object_is_one_step(tracer, caplog: pytest.LogCaptureFixture):
    """Entered again it records nothing, says so once, and leaves the agent alone."""
    t = tracer()
    with t.instance():
        span = t.span("step")
        for _ in range(3):
            with span:
                pass
    assert t.one("step")["status"] == "complete"
    assert caplog.text.count("entered twice") == 1


def test_hostile_objects_are_recorded_without_running_them(tracer):
    """No dunder of theirs is called, and the agent goes on."""
    t, hostile = tracer(), Hostile()
    with t.instance(), t.span("step", {"object": hostile, "list": [hostile]}) as span:
        span.set_result(hostile)
        span.set_result({"n": 1, "object": hostile})
    sent = t.one("step")
    assert sent["payload"]["object"]["type"].endswith("Hostile")
    assert sent["result_payload"]["n"] == 1


@pytest.mark.expects_fault
def test_an_error_that_cannot_be_read_still_fails_the_span(tracer):
    """What `fail` is given may be anything."""
    t = tracer()
    with t.instance():
        span = t.start_span("step")
        span.fail(Hostile())  # type: ignore[arg-type]
    assert t.one("step")["status"] == "failed"


@pytest.mark.parametrize("payload", ["text", 7, ["a"], None])
def test_a_payload_that_is_no_mapping_is_refused(tracer, payload):
    """The line says what was given and what would be right."""
    t, wrong = tracer(), Hostile() if payload is None else payload
    for call in (t.span("step").set_payload, lambda given: t.span("step", given)):
        with pytest.raises(UsageError, match=r"mapping such as .* got "):
            call(wrong)


def test_a_parent_that_is_none_is_refused(tracer):
    """An id is no parent."""
    with pytest.raises(UsageError, match="must be a Span, an Instance or ROOT, got str"):
        tracer().span("step", parent="01jabc")


@pytest.mark.parametrize("settings", [{}, {"enabled": False}])
def test_a_block_without_a_name_is_refused(tracer, settings: dict[str, object]):
    """Only a function has a name to take instead, whether tracing is on or off."""
    with pytest.raises(UsageError, match="needs a name"), tracer(**settings).span():
        pass


def test_off_a_span_is_still_a_span(tracer):
    """Everything can be called and nothing is recorded."""
    t = tracer(enabled=False)
    with t.instance(), t.span("step", {"n": 1}) as span:
        span.set_payload({"n": 2})
        span.set_result(3)
        assert current_span() is None
    started = t.start_span("step")
    for end in (started.complete, started.fail, started.cancel):
        end()
    assert isinstance(span, Span)
    assert (span.status, span.instance_id, span.parent_id) == ("pending", None, None)
    assert len(span.id) == 32
    assert t.transport.requests == []


def test_two_threads_get_one_id(tracer):
    """An id is made when first asked for, once."""
    span, together = tracer().span("step"), threading.Barrier(8)
    ids = []

    def ask() -> None:
        together.wait()
        ids.append(span.id)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 8
    assert len(set(ids)) == 1


def test_dropped_spans_do_not_fill_the_buffer(tracer):
    """What a span weighs that was never taken must not count for ever."""
    t = tracer(max_buffer_spans=1)
    with t.instance():
        with t.span("kept"):
            for _ in range(3):
                with t.span("dropped") as span:
                    span.set_result({"text": "x" * 1000})
        t.flush(10)
        held = t._pipeline.buffer._bytes
        with t.span("kept"):
            pass
    assert held < 1000
    assert {span["schema_name"] for span in t.spans()} == {"kept"}
    assert t.stats().dropped == 3


def test_truncated_says_whether_a_part_was_left_out(tracer):
    """Known once the span was written; one that fits is whole."""
    traced = tracer(max_input_length=200)
    with traced.span("long", {"text": "x" * 5_000}) as long, traced.span("short") as short:
        long.set_result({"n": 1})
    traced.flush()
    assert long.truncated
    assert not short.truncated
