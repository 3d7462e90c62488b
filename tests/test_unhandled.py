"""What a run fails with, outside of its spans."""

import asyncio

import pytest


def test_what_a_run_fails_with_outside_of_its_spans_becomes_one(tracer):
    """The platform has no place for why a run failed."""
    t = tracer()
    with pytest.raises(KeyError), t.instance():  # noqa: PT012
        with t.span("step"):
            pass
        raise KeyError("answer")
    step, failed = t.spans()
    assert (step["schema_name"], failed["schema_name"]) == ("step", "unhandled_exception")
    assert failed["status"] == "failed"
    assert failed["result_payload"]["error_type"] == "KeyError"
    assert "KeyError: 'answer'" in failed["result_payload"]["stacktrace"]
    assert failed.get("parent_span_id") is None


def test_what_a_span_has_told_is_not_told_again(tracer):
    """However far up it goes; another exception, made of it, is told."""
    t = tracer()
    with pytest.raises(ValueError), t.instance(), t.span("outer"), t.span("inner"):
        raise ValueError("no luck")
    assert [span["schema_name"] for span in t.spans()] == ["outer", "inner"]

    @t.instance
    def agent():
        try:
            with t.span("tool"):
                raise OSError("gone")
        except OSError as error:
            raise LookupError("no answer") from error

    with pytest.raises(LookupError):
        agent()
    told = t.one("unhandled_exception")["result_payload"]
    assert told["error_type"] == "LookupError"
    assert "gone" in told["stacktrace"]


async def test_only_a_failure_is_told(tracer):
    """A run that is cancelled, left early or finished before is no failure."""
    t = tracer()
    for error in (asyncio.CancelledError, GeneratorExit):
        with pytest.raises(error), t.instance():
            raise error
    with pytest.raises(ValueError), t.instance() as run:  # noqa: PT012
        run.finish()
        raise ValueError
    assert t.spans() == []


async def test_what_a_span_has_told_is_not_told_again_though_others_fail_meanwhile(tracer):
    """Of steps side by side, the first failure goes up while the rest fail."""
    t, others = tracer(), asyncio.Event()

    async def step(name):
        with t.span(name):
            if name == "last":
                others.set()
            raise ValueError(name)

    with pytest.raises(ValueError, match="first"):  # noqa: PT012
        async with t.instance():
            first = asyncio.ensure_future(step("first"))
            last = asyncio.ensure_future(step("last"))
            await others.wait()
            with pytest.raises(ValueError, match="last"):
                await last
            await first
    assert [span["schema_name"] for span in t.spans()] == ["first", "last"]
