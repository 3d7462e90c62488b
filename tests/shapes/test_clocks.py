"""Clocks that jump, stand still or lie elsewhere."""

import datetime
import os
import time
from datetime import timedelta, timezone

import freezegun
import pytest
import time_machine

from prefactor_trace._clock import Clock
from prefactor_trace.exceptions import UsageError


def moment(text: str) -> datetime.datetime:
    """Return a time as it was sent."""
    assert text.endswith("Z")
    assert len(text) == len("2026-01-01T00:00:00.000000Z")
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)


def lasted(span) -> timedelta:
    """Return how long a span took."""
    return moment(span["finished_at"]) - moment(span["started_at"])


def wait(seconds: float) -> None:
    """Wait by a clock that nobody stops."""
    until = Clock.monotonic() + seconds * 1e9
    while Clock.monotonic() < until:
        pass


@pytest.mark.parametrize("step", [3600, -3600])
def test_a_step_of_the_wall_clock_changes_no_duration(tracer, monkeypatch, step):
    """The child lies in its parent, and nothing ends before it began."""
    t, real = tracer(), Clock.wall
    with t.instance(), t.span("outer"):
        monkeypatch.setattr(Clock, "wall", staticmethod(lambda: real() + step * 10**9))
        with t.span("inner"):
            wait(0.002)
    spans = {span["schema_name"]: span for span in t.spans()}
    outer, inner = spans["outer"], spans["inner"]
    assert timedelta(milliseconds=2) <= lasted(inner) <= lasted(outer) < timedelta(seconds=60)
    assert outer["started_at"] <= inner["started_at"] <= inner["finished_at"]
    assert inner["finished_at"] <= outer["finished_at"]


@pytest.mark.parametrize(
    "freeze",
    [
        lambda: freezegun.freeze_time("2020-01-01"),
        lambda: freezegun.freeze_time("1970-01-01"),
        lambda: time_machine.travel("2020-01-01", tick=False),
        lambda: time_machine.travel("2100-01-01", tick=True),
    ],
)
@pytest.mark.parametrize("around", ["all", "span", "flush"])
def test_time_can_stand_still_around_traced_code(tracer, freeze, around):
    """No error, real durations, and what was recorded arrives."""
    t = tracer()

    def record():
        with t.instance(), t.span("step", {"at": datetime.datetime(2020, 1, 1)}):
            wait(0.002)

    if around == "all":
        with freeze():
            record()
            receipt = t.flush(10)
    elif around == "span":
        with freeze():
            record()
        receipt = t.flush(10)
    else:
        record()
        with freeze():
            receipt = t.flush(10)
    assert receipt.delivered == 1
    span = t.one("step")
    assert timedelta(milliseconds=2) <= lasted(span) < timedelta(seconds=60)
    assert span["payload"] == {"at": "2020-01-01T00:00:00"}


def test_backfilled_times_arrive_as_they_were_given(tracer):
    """From logs, in whichever time zone; also where the block ends by itself."""
    t = tracer()
    began = datetime.datetime(2024, 2, 29, 12, 0, 0, 250_000, timezone(timedelta(hours=5.5)))
    with t.instance():
        step = t.start_span("step", started_at=began)
        step.complete({"n": 1}, at=began + timedelta(seconds=1.5))
        t.start_span("failed", started_at=began).fail("no", at=began)
        t.start_span("early", started_at=began).cancel(at=began - timedelta(hours=1))
        with t.span("block", started_at=began):
            pass
    times = {span["schema_name"]: (span["started_at"], span["finished_at"]) for span in t.spans()}
    assert times["step"] == ("2024-02-29T06:30:00.250000Z", "2024-02-29T06:30:01.750000Z")
    assert times["failed"] == ("2024-02-29T06:30:00.250000Z",) * 2
    assert times["early"] == times["failed"]
    assert times["block"][0] == times["step"][0]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (datetime.datetime(2024, 1, 1), "without a time zone: write"),
        (datetime.date(2024, 1, 1), "aware datetime such as .* got date"),
        (0.0, "aware datetime such as .* got float"),
    ],
)
def test_times_without_a_zone_are_refused(tracer, value, message):
    """The message says what to write, and the span stays as it was."""
    t = tracer()
    with t.instance():
        step = t.start_span("step")
        for wrong in (
            lambda: t.span("step", started_at=value),
            lambda: t.start_span("step", started_at=value),
            lambda: step.complete(at=value),
            lambda: step.fail(at=value),
            lambda: step.cancel(at=value),
        ):
            with pytest.raises(UsageError, match=message):
                wrong()
        assert step.status == "active"
        step.complete()


def test_a_decorator_has_no_beginning(tracer):
    """Each call has its own."""
    with pytest.raises(UsageError, match="begins when it begins"):
        tracer().span("step", started_at=datetime.datetime.now(timezone.utc))(len)


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system has one time zone")
def test_the_time_zone_of_the_process_changes_nothing(tracer, monkeypatch):
    """All times are sent in UTC."""
    t = tracer()
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        with t.instance(), t.span("step"):
            pass
        span = t.one("step")
    finally:
        monkeypatch.undo()
        time.tzset()
    assert os.environ.get("TZ") != "Asia/Kolkata"
    now = datetime.datetime.now(timezone.utc)
    assert abs(now - moment(span["started_at"])) < timedelta(minutes=5)
