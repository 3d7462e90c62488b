"""The clocks that spans are timed with."""

import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone

import hypothesis
import pytest
from hypothesis import strategies

from prefactor_trace._clock import Clock, to_ns
from prefactor_trace.exceptions import UsageError


@hypothesis.given(strategies.datetimes(timezones=strategies.just(timezone.utc)))
def test_no_microsecond_is_lost(moment):
    """Before the epoch and far from it too: what comes out is what went in."""
    epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)
    assert epoch + timedelta(microseconds=to_ns(moment, "at") // 1000) == moment
    assert to_ns(moment, "at") % 1000 == 0


def test_one_moment_has_one_number_in_every_zone():
    """Only the moment counts."""
    moment = datetime(2024, 3, 31, 1, 30, tzinfo=timezone.utc)
    assert to_ns(moment, "at") == 1_711_848_600 * 10**9
    assert to_ns(moment.astimezone(timezone(timedelta(hours=-9.5))), "at") == to_ns(moment, "at")


def test_the_message_names_the_argument_and_the_way_out():
    """Of a time without a zone, and of what is no time."""
    with pytest.raises(UsageError, match=r"write ended=value\.astimezone\(\)"):
        to_ns(datetime(2024, 1, 1), "ended")
    with pytest.raises(UsageError, match=r"ended takes an aware datetime .* got float"):
        to_ns(1.5, "ended")


def test_the_clocks_go_on_where_the_module_is_frozen(monkeypatch):
    """Libraries that freeze time replace the functions of the module."""
    monkeypatch.setattr(time, "perf_counter_ns", lambda: -1)
    monkeypatch.setattr(time, "time_ns", lambda: -1)
    assert Clock.monotonic() >= 0
    assert Clock.wall() > 10**18


def test_the_clocks_are_real_where_the_library_is_imported_while_time_is_frozen():
    """As a test does that freezes time before it imports its agent."""
    program = """if True:
        import datetime, time
        from freezegun import freeze_time
        import pydantic
        with freeze_time("2020-01-01"):
            from prefactor_trace._clock import Clock
            began = Clock.monotonic()
            assert Clock.wall() > time.time_ns()
            while Clock.monotonic() == began:
                pass
    """
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
