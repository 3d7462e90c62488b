"""The intake: order, one step for what has ended, and finishes that wait for their spans."""

import threading
import time

import pytest

from prefactor_trace._clock import Clock


@pytest.fixture
def intake(traced):
    """The intake of a tracer that sends nothing by itself."""
    return traced._pipeline._delivery.intake


def kinds(intake):
    """Return what is to be told, in order."""
    return [kind for kind, _, _ in intake.steps()]


def test_steps_are_in_the_order_of_beginning(traced, intake):
    """Instance, its spans with parents first, then its finish; numbered without a gap."""
    with traced.instance("agent"), traced.span("outer") as outer, traced.span("inner") as inner:
        pass
    intake.take()
    assert kinds(intake) == ["instance", "span", "span", "finish instance"]
    assert [record for _, record, _ in intake.steps()][1:3] == [outer, inner]
    assert [order for _, _, order in intake.steps()] == [1, 2, 3, 4]


def test_a_span_that_has_ended_by_then_is_not_waited_for(traced, intake):
    """It is seen as it is taken, and nobody has to tell of its end."""
    with traced.instance("agent"), traced.span("step"):
        pass
    assert len(traced._pipeline.buffer.drain().ends) == 1  # that of the run
    with traced.instance("agent"), traced.span("step") as span:
        intake.take()
        assert intake._open_spans == {span: None}
    intake.take()
    assert not intake.has_open


def test_finish_of_an_instance_waits_for_its_spans(traced, intake):
    """A run that ended before a span of it is finished after that span, or when released."""
    with traced.instance("agent"):
        span = traced.start_span("background")
    intake.take()
    assert kinds(intake) == ["instance", "span"]
    span.complete()
    intake.take()
    assert kinds(intake) == ["instance", "span", "finish instance"]


def test_release_lets_the_finish_go_once(traced, intake):
    """A released finish does not come again when the last span ends."""
    with traced.instance("agent"):
        span = traced.start_span("background")
    intake.take()
    intake.release()
    span.complete()
    intake.take()
    assert kinds(intake).count("finish instance") == 1


def test_what_is_forgotten_is_waited_for_no_longer(traced, intake):
    """A span that was given up holds neither memory nor its instance."""
    with traced.instance("agent"):
        span = traced.start_span("lost")
    intake.take()
    intake.forget(span)
    assert not intake.has_open
    assert kinds(intake)[-1] == "finish instance"
    span.complete()
    intake.take()
    assert kinds(intake) == ["instance", "span", "finish instance"]


def test_close_open_ends_all_as_failed(traced, intake):
    """What nobody will end has failed, innermost first, with the reason as its error."""
    run = traced.instance("agent")
    run.__enter__()
    outer = traced.start_span("outer")
    inner = traced.start_span("inner", parent=outer)
    intake.take()
    intake.close_open("the reason")
    run.__exit__(None, None, None)
    assert [one.status for one in (run, outer, inner)] == ["failed"] * 3
    assert inner._ended <= outer._ended <= run._ended
    assert outer._error.message == "the reason"
    assert kinds(intake)[-1] == "finish instance"
    assert not intake.has_open


def test_close_open_goes_by_the_clock_that_spans_go_by(traced, intake, monkeypatch):
    """Not by one that a library has put in its place, such as one that stands still."""
    run = traced.instance("agent")
    run.__enter__()
    span = traced.start_span("step")
    intake.take()
    monkeypatch.setattr(time, "perf_counter_ns", lambda: 1 << 62)
    intake.close_open("the reason")
    run.__exit__(None, None, None)
    assert span._started <= span._ended <= run._ended <= Clock.monotonic()


def test_nothing_is_taken_during_a_fork(traced, intake, monkeypatch):
    """What is half taken would be known neither as in the buffer nor as taken."""
    begun, may_go_on, forked = threading.Event(), threading.Event(), threading.Event()
    drain = intake._buffer.drain

    def drain_slowly():
        begun.set()
        assert may_go_on.wait(10)
        return drain()

    def fork():
        intake.taking.stop()
        forked.set()
        assert intake._open_spans == {span: None}
        intake.taking.go_on()

    monkeypatch.setattr(intake._buffer, "drain", drain_slowly)
    with traced.instance("agent"), traced.span("step") as span:
        taking = threading.Thread(target=intake.take)
        taking.start()
        assert begun.wait(10)
        forking = threading.Thread(target=fork)
        forking.start()
        assert not forked.wait(0.05)
        may_go_on.set()
        assert forked.wait(10)
        forking.join(10)
        taking.join(10)
        intake.take()  # and again afterwards


def test_a_fork_inside_of_a_fork_leaves_nothing_at_rest(traced, intake):
    """As a signal handler's is, that comes while another fork is prepared."""
    delivery = traced._pipeline._delivery
    for _ in range(2):
        delivery.before_fork()
    for _ in range(2):
        delivery.after_fork_in_parent()
    done = []

    def work():
        delivery.intake.take()
        delivery._maker.loading.stop()
        delivery._maker.loading.go_on()
        done.append(delivery._maker.loading._stops)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(10)
    assert done == [0]
