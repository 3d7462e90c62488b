"""Plain spans: whatever happens in and around a block, it records what `Record` says at length."""

import asyncio
import contextlib
import contextvars
import copy
import datetime
import gc
import pickle
import threading
import weakref
from collections import deque

import pytest

import prefactor_trace as prefactor
from prefactor_trace import ROOT, _fate, _plain, current_span
from prefactor_trace._plain import PlainSpan
from prefactor_trace._record import Record
from prefactor_trace._span import Span
from prefactor_trace.exceptions import PrefactorTerminated


def nested(t):
    """Spans in spans, with and without data."""
    with t.instance(), t.span("a", {"k": [1]}) as a:
        with t.span("b") as b:
            b.set_result({"n": 1})
        with t.span("c", parent=a), t.span("d", title="D"), t.span("e"):
            a.set_payload({"k": 2})


def failing(t):
    """Blocks that are left with exceptions."""
    with t.instance(), contextlib.suppress(KeyError), t.span("outer"), t.span("inner"):
        raise KeyError("no")


def ended_inside(t):
    """A block that was ended by hand, and one whose parent was."""
    with t.instance(), t.span("a") as a:
        a.complete({"by": "hand"})
        with t.span("beside"):
            pass
    with t.instance(), t.span("b") as b, t.span("inner"):
        b.fail("gone")


def suspended(t):
    """Spans of generators, which do not count while these are suspended."""

    def steps():
        with t.span("body"):
            yield t.span("inside")
            with contextlib.ExitStack() as stack:
                stack.enter_context(t.span("stacked"))
                yield t.span("deeper")

    with t.instance(), t.span("consumer"):
        for span in steps():
            with span:
                pass


def entered_elsewhere(t):
    """A block that is left in another context than it was entered in, and one left too late."""
    with t.instance():
        a, b, context = t.span("a"), t.span("b"), contextvars.copy_context()
        context.run(a.__enter__)
        a.__exit__(None, None, None)
        context.run(lambda: t.span("after").__enter__().complete())
        b.__enter__()
        c = t.span("c").__enter__()
        b.__exit__(None, None, None)
        c.__exit__(None, None, None)


def twice(t):
    """A span that is entered again."""
    with t.instance():
        span = t.span("step")
        for _ in range(2):
            with span:
                pass


def outside(t):
    """Spans outside of any run, at the top of one, where nothing is recorded, of nobody's run."""
    with t.span("ambient"), t.span("inner"):
        pass
    with t.instance(), t.span("a"), t.span("top", parent=ROOT):
        with prefactor.untraced(), t.span("hidden"):
            pass
    other = prefactor.Tracer(enabled=False)
    with t.instance(), other.span("nothing"), t.span("b"):
        pass


def sent_while_open(t):
    """A span that is delivered before it ends."""
    with t.instance(), t.span("long", {"k": 1}) as span:
        t.flush()
        with t.span("short"):
            pass
        span.set_payload({"k": 2})


def too_many(t):
    """More spans than the buffer holds."""
    with t.instance():
        for number in range(8):
            with t.span("step", {"text": "x" * number}):
                pass


def decorated(t):
    """Functions whose calls are spans, with more arguments than are kept."""

    @t.span("plain")
    def plain(rows):
        return rows[:2]

    @t.span("coroutine")
    async def coroutine(rows, *, names):
        return plain(rows)

    with t.instance():
        asyncio.run(coroutine(list(range(20_000)), names=dict.fromkeys(map(str, range(20_000)))))


def stacked(t):
    """A generator that has a stack enter its span, and one that is in no run."""

    def steps():
        with contextlib.ExitStack() as stack:
            stack.enter_context(t.span("stacked"))
            yield t.span("deeper")

    with t.instance():
        for span in steps():
            with span:
                pass

    def outside():
        with t.span("outside"):
            yield t.span("beside")

    for span in outside():
        with span:
            pass


def overlapping(t):
    """Blocks that are not left in the order of their entering."""
    with t.instance():
        one, other = t.span("one"), t.span("other")
        one.__enter__()
        other.__enter__()
        one.__exit__(None, None, None)
        with t.span("in other"):
            pass
        other.__exit__(None, None, None)


def too_large(t):
    """More bytes than the buffer holds."""
    with t.instance():
        for _ in range(4):
            with t.span("step", {"text": "x" * 50_000}):
                pass


PROGRAMS = [
    decorated,
    nested,
    failing,
    ended_inside,
    suspended,
    entered_elsewhere,
    twice,
    outside,
    sent_while_open,
    too_many,
    stacked,
    overlapping,
    too_large,
]


SETTINGS = {
    too_many: {"max_buffer_spans": 5, "flush_interval": 60},
    too_large: {"max_buffer_bytes": 100_000, "flush_interval": 60},
}


def recorded(t, program):
    """Return what a program sends, without what is of its time, and what became of it."""
    program(t)
    spans = t.spans()
    names = {span["id"]: span["schema_name"] for span in spans}
    runs = {run: number for number, run in enumerate(dict.fromkeys(map(run_of, spans)))}
    told = [
        (
            runs[run_of(span)],
            span["schema_name"],
            names.get(span.get("parent_span_id")),
            span["status"],
            span["payload"],
            {**span.get("result_payload", {}), "stacktrace": None},
        )
        for span in spans
    ]
    return told, t.stats().started, t.stats().dropped, t.stats().delivered


def run_of(span):
    """Return the id of a span's run."""
    return span["agent_instance_id"]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_a_plain_span_records_what_any_span_does(tracer, program, monkeypatch):
    """The same program sends the same, quick or at length."""
    settings = SETTINGS.get(program, {})
    quick = recorded(tracer(**settings), program)
    monkeypatch.setattr(PlainSpan, "__enter__", Record.__enter__)
    monkeypatch.setattr(PlainSpan, "__exit__", Record.__exit__)
    at_length = recorded(tracer(**settings), program)
    assert quick == at_length
    assert quick[0]


def test_only_what_says_no_more_is_plain(tracer):
    """A parent or an option makes a span of the general kind; a name and a mapping do not."""
    t = tracer()
    assert type(t.span("step")) is type(t.span("step", {"k": 1})) is PlainSpan
    now = datetime.datetime.now(datetime.timezone.utc)
    for said in ({"parent": ROOT}, {"title": "T"}, {"sensitive": True}, {"started_at": now}):
        assert type(t.span("step", **said)) is Span


def test_a_plain_span_is_what_its_making_at_length_makes(tracer):
    """Every field that the general kind sets is set to the same."""
    t = tracer()
    plain, general = t.span("step", {"k": 1}), Span(t, "step", {"k": 1})
    fields = [field for kind in Span.__mro__ for field in getattr(kind, "__slots__", ())]
    missing = object()
    for field in fields:
        assert getattr(plain, field, missing) == getattr(general, field, missing), field
    assert "_status" in fields


def test_arguments_are_copied_once(tracer):
    """What a call has copied is not copied again when it begins."""
    t = tracer(max_input_length=200_000)

    @t.span("call")
    async def call(rows):
        return len(rows)

    with t.instance():
        asyncio.run(call(list(range(100_000))))
    assert t.one("call")["payload"]["rows"][-1]["prefactor.size"] == 100_000


def test_it_can_be_copied_and_sent(default_tracer):
    """As any span that has not begun: state that holds one may be written down."""
    default_tracer()
    span = prefactor.span("step", {"k": 1})
    for other in (copy.copy(span), copy.deepcopy(span), pickle.loads(pickle.dumps(span))):
        assert (type(other), other.schema_name, other._payload) == (PlainSpan, "step", {"k": 1})


def test_a_run_that_was_terminated_is_asked(tracer):
    """Where it is to raise, its next span raises, also a plain one."""
    t = tracer(on_terminate="raise")
    with t.instance() as run:
        with t.span("before"):
            pass
        run._terminate("policy")
        with pytest.raises(PrefactorTerminated, match="policy"), t.span("after"):
            pass
    assert [span["schema_name"] for span in t.spans()] == ["before"]


def test_a_sleeping_thread_is_woken(tracer):
    """The first span after a rest is delivered without a flush."""
    arrived = threading.Event()
    t = tracer(flush_interval=0.01)
    send = t.transport.send

    def watched(body):
        answer = send(body)
        if b'"late"' in body:
            arrived.set()
        return answer

    t.transport.send = watched
    with t.instance():
        t.flush()
        until = threading.Event()
        while t._pipeline.buffer.room:  # until it sleeps
            until.wait(0.001)
        with t.span("late"):
            pass
        assert arrived.wait(20)


def test_an_end_is_told_only_of_what_was_taken(tracer):
    """What still waits in the buffer says of itself that it has ended."""
    t = tracer(flush_interval=60)
    with t.instance():
        t.flush()
        with t.span("waiting") as waiting:
            pass
        assert waiting._fate == _fate.NEW
        assert not t._pipeline.buffer.ends
        with t.span("taken") as taken:
            t.flush()
            assert taken._fate == _fate.OPEN
    statuses = {span["schema_name"]: span["status"] for span in t.spans()}
    assert statuses == {"waiting": "complete", "taken": "complete"}


def test_an_empty_payload_stays_empty(tracer):
    """Also when whoever holds it fills it while the span is open."""
    t, held = tracer(), {}
    with t.instance(), t.span("step", held):
        held["a"] = 1
    assert t.one("step")["payload"] == {}


def test_a_thread_that_falls_asleep_meanwhile_is_woken(tracer, monkeypatch):
    """It may have looked for work just before the span was left for it."""
    t = tracer(flush_interval=60)
    woken = threading.Event()

    class Starts(deque):
        def append(self, span):
            t._pipeline.buffer.wake_at_next()
            super().append(span)

    with t.instance():
        t.flush()
        buffer = t._pipeline.buffer
        with t.span("wakes it"):
            pass
        t.flush()
        monkeypatch.setattr(buffer, "starts", Starts())
        monkeypatch.setattr(buffer, "room", 5)
        monkeypatch.setattr(buffer, "_wake_thread", woken.set)
        with t.span("left"):
            pass
        assert woken.is_set()
        monkeypatch.undo()


@pytest.mark.expects_fault
def test_a_span_that_cannot_begin_costs_only_itself(tracer, monkeypatch):
    """Its block runs, outside of it."""
    t = tracer()
    with t.instance(), t.span("outer") as outer:
        with monkeypatch.context() as patch:
            patch.setattr(_plain, "snapshot", lambda payload: 1 / 0)
            span = t.span("inner", {"a": 1})
            with span as entered:
                assert entered is span
                assert current_span() is outer
        with t.span("after"):
            pass
    assert [span["schema_name"] for span in t.spans()] == ["outer", "after"]


def test_a_span_that_has_ended_keeps_nothing_of_where_it_began(tracer):
    """Neither what was around it nor the generator that entered it."""
    t, setting = tracer(), contextvars.ContextVar("setting")

    class Thing:
        pass

    def steps():
        thing = Thing()
        things.append(weakref.ref(thing))
        with t.span("inner") as inner:
            yield inner

    def work():
        thing = Thing()
        things.append(weakref.ref(thing))
        setting.set(thing)
        with t.instance(), t.span("outer") as outer:
            return [outer, *steps()]

    things = []
    spans = contextvars.Context().run(work)
    assert t.flush(20)  # nobody is at work on them, or collects
    gc.collect()
    assert [span.status for span in spans] == ["complete", "complete"]
    assert [thing() for thing in things] == [None, None]
