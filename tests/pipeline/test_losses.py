"""What is lost is counted once, frees what it held, and takes along what cannot be without it."""

from prefactor_trace import _fate
from prefactor_trace._pipeline.outcome import Fault

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
