"""What is lost is counted once, frees what it held, and takes along what cannot be without it."""

from prefactor_trace import _fate
from prefactor_trace._pipeline.outcome import Fault

from .service import error

FAULT = Fault("validation_errors", "it is not right")


def losses_of(traced):
    """Return the losses of a tracer, after all that was recorded was taken."""
    delivery = traced._pipeline._delivery
    delivery.take()
    return delivery._losses


def test_a_span_is_rejected_once(traced):
    """Told twice, a loss counts once, and gives its room back once."""
    with traced.instance(), traced.span("step", {"a": 1}) as span:
        losses = losses_of(traced)
    losses.reject_span(span, FAULT)
    losses.reject_span(span, FAULT)
    stats = traced.stats()
    assert (stats.rejected, stats.pending) == (1, 0)
    assert losses.must_mend
    assert span._fate == _fate.LOST


def test_spans_are_lost_as_their_run_was(traced):
    """With a run that was rejected they are rejected; with one that was dropped, dropped."""
    with traced.instance() as rejected, traced.span("first") as first:
        pass
    with traced.instance() as dropped, traced.span("second") as second:
        pass
    losses = losses_of(traced)
    losses.reject_call("register", rejected, FAULT)
    losses.give_up("instance", dropped, "max_age")
    losses.lose_with_run(first)
    losses.lose_with_run(second)
    stats = traced.stats()
    assert (stats.rejected, stats.dropped_by_reason) == (1, {"max_age": 1})


def test_a_span_whose_end_is_lost_may_still_be_named(traced):
    """The service has its beginning, so that its children are not hung elsewhere."""
    with traced.instance():
        span = traced.start_span("step")
        traced.flush()
        losses = losses_of(traced)
        assert losses.give_up("finish span", span, "max_age") == 1
        assert span._fate == _fate.SETTLED
        assert losses.give_up("finish span", span, "max_age") == 0


def test_a_run_that_was_refused_waits_no_longer(traced, caplog):
    """It is said, and takes no room from those that are still to be registered."""
    with traced.instance() as run:
        pass
    losses = losses_of(traced)
    assert losses._intake.unsent_runs == 1
    losses.reject_call("register", run, FAULT)
    assert losses._intake.unsent_runs == 0
    assert f"register ({run.id}) was rejected: validation_errors" in caplog.text


def test_what_belongs_to_a_refused_run_is_not_sent_again(traced, service):
    """The answer to it is known."""
    service.refuse = lambda item: error("not_found") if item["_type"].endswith("register") else None
    with traced.instance() as run, traced.span("step"):
        run.record_quality("good", {"score": 1})
    traced.flush()
    assert len(traced.transport.requests) == 1
    assert traced.stats().rejected == 1


def test_a_span_of_another_process_is_not_counted_here(traced):
    """That process does so; here, what names the span has to be made anew."""
    with traced.instance(), traced.span("step") as span:
        losses = losses_of(traced)
        losses.lose_inherited(span)
        assert (losses.must_mend, traced.stats().rejected) == (True, 0)
        span._fate = _fate.WAITING
