"""Runs that are kept only if they fail."""

import pytest

from prefactor_trace import _fate, inject
from prefactor_trace._pipeline import held


@pytest.fixture
def held_tracer(tracer):
    """A tracer that samples no run, and keeps those that fail."""
    return tracer(sample_rate=0.0, keep_failed=True)


def actions(t):
    """Return what was sent, by action."""
    return [item["_type"].partition("/")[2] for item in t.items()]


def test_a_run_that_ends_well_is_forgotten(held_tracer):
    """Nothing of it is sent or counted, nor what comes after its end."""
    t = held_tracer
    with t.instance() as run, t.span("step", {"a": 1}) as step:
        run.record_quality("good", {"score": 1})
        step.set_result("b")
        left = t.start_span("left")
    left.complete()
    late = t.start_span("late", {"a": 1}, parent=run)
    late.fail(KeyError())
    run.record_quality("late", {"score": 1})
    assert t.items() == []
    assert t.stats().started == 0
    for span in (step, left, late):
        assert (span._fate, span._payload, span._result) == (_fate.LOST, None, None)
    assert [*run._buffer.starts, *run._buffer.ends] == []


def test_a_run_that_fails_is_sent_whole(held_tracer):
    """As it would have been: the spans in their order, with what was said of them."""
    t = held_tracer
    t.declare_quality("good")
    with pytest.raises(KeyError), t.instance() as run:  # noqa: PT012
        with t.span("outer", {"a": 1}) as outer, t.span("inner"):
            outer.set_result("b")
        run.record_quality("good", {"score": 0})
        assert t.items() == []
        left = t.start_span("left")
        raise KeyError
    left.complete()
    assert [one for one in actions(t) if one != "finish"] == (
        ["register", "start", *["create"] * 4, "record_quality"]
    )
    spans = {span["schema_name"]: span for span in t.spans()}
    assert spans["outer"]["payload"] == {"a": 1}
    assert spans["outer"]["result_payload"] == {"result": "b"}
    assert spans["inner"]["parent_span_id"] == spans["outer"]["id"]
    assert spans["left"]["status"] == "complete"
    assert t.items("agent_instances/finish")[0]["status"] == "failed"
    assert spans["unhandled_exception"]["result_payload"]["error_type"] == "KeyError"
    assert t.stats().delivered == 4


def test_a_run_that_is_cancelled_is_forgotten(held_tracer):
    """It did not fail."""
    t = held_tracer
    with t.instance() as run, t.span("step"):
        run.finish("cancelled")
    assert t.items() == []


def test_a_sampled_run_is_sent_at_once(tracer):
    """What is kept anyhow is not held back."""
    t = tracer(keep_failed=True)
    with t.instance(), t.span("step"):
        assert t.items("create") != []


def test_only_so_much_is_held(held_tracer, monkeypatch):
    """The first spans are kept, the others are dropped and counted."""
    monkeypatch.setattr(held, "MOST_SPANS", 2)
    t = held_tracer
    with pytest.raises(KeyError), t.instance():  # noqa: PT012
        for number in range(5):
            with t.span(f"step {number}"):
                pass
        raise KeyError
    assert [span["schema_name"] for span in t.spans()] == ["step 0", "step 1"]
    stats = t.stats()
    # With the span of the exception, for which there is no room either.
    assert (stats.delivered, stats.dropped) == (2, 4)


@pytest.mark.parametrize("is_late", [False, True])
def test_large_payloads_count(held_tracer, monkeypatch, is_late):
    """The bound in bytes holds too, for payloads set later as well."""
    monkeypatch.setattr(held, "MOST_BYTES", 1000)
    t, large = held_tracer, {"text": "x" * 2000}
    with pytest.raises(KeyError), t.instance():  # noqa: PT012
        with t.span("first", None if is_late else large) as first:
            if is_late:
                first.set_payload(large)
        with t.span("second"):
            pass
        raise KeyError
    assert [span["schema_name"] for span in t.spans()] == ["first"]


def test_what_was_held_counts_where_it_goes(tracer):
    """Also what was set on a span while nobody knew whether it would be kept."""
    bounds = {"max_buffer_bytes": 50_000, "flush_interval": 60}
    t = tracer(sample_rate=0.0, keep_failed=True, **bounds)
    with pytest.raises(KeyError), t.instance():  # noqa: PT012
        with t.span("first") as first:
            first.set_payload({"text": "x" * 60_000})
        with t.span("second"):
            pass
        raise KeyError
    assert [span["schema_name"] for span in t.spans()] == ["first"]
    # The second one, and that of the exception.
    assert t.stats().dropped_by_reason == {"buffer full": 2}


def test_after_its_end_a_run_holds_nothing(held_tracer):
    """Nor what is bare."""
    t = held_tracer
    with t.instance() as run:
        run.finish()
        with t.span("late") as late:
            pass
        assert (late._fate, list(run._buffer.starts)) == (_fate.LOST, [])


def test_what_comes_during_the_release_is_passed_on():
    """A thread may have looked where its record goes just before."""
    passed = []

    class Kept:
        def __getattr__(self, name):
            return lambda *given: passed.append((name, *given))

    buffer = held.HeldBuffer(Kept(), "run")
    buffer.release()
    buffer.add_start("span")
    buffer.weigh("span", 5)
    buffer.add_end("span")
    assert passed == [
        ("add_instance", "run"),
        ("add_start", "span"),
        ("weigh", "span", 5),
        ("add_end", "span"),
    ]


def test_what_is_open_at_exit_has_failed(held_tracer):
    """The process ends, and nobody will say how the run did."""
    t = held_tracer
    run = t.instance()
    run.__enter__()
    span = t.start_span("step")
    t._end_at_exit("the process exited", 10)
    assert t.one()["status"] == "failed"
    assert t.items("agent_instances/finish")[0]["status"] == "failed"
    span.complete()
    run.__exit__(None, None, None)


def test_other_processes_do_not_record_it(held_tracer):
    """They could not know how it will end."""
    with held_tracer.instance():
        assert inject()["prefactor-context"].endswith("sampled=0")
