"""Tests of timestamps."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefactor_trace.server._timestamps import parse_timestamp, spell, utc_now

MOMENTS = st.datetimes(
    datetime(1000, 1, 1),
    datetime(9000, 1, 1),
    timezones=st.builds(timezone, st.integers(-1439, 1439).map(lambda m: timedelta(minutes=m))),
)


@given(moment=MOMENTS)
def test_every_moment_is_read_as_it_was_written(moment):
    """What Python writes is read as the same moment."""
    assert parse_timestamp(moment.isoformat()) == spell(moment)
    assert datetime.fromisoformat(spell(moment)[:-1] + "+00:00") == moment


@given(one=MOMENTS, other=MOMENTS)
def test_spellings_sort_as_moments(one, other):
    """Text order is the order of time."""
    assert (spell(one) < spell(other)) == (one < other)


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000000Z"),
        ("2026-01-01 00:00:00.5z", "2026-01-01T00:00:00.500000Z"),
        ("2026-01-01T00:00:00,123456789Z", "2026-01-01T00:00:00.123456Z"),
        ("2026-01-01T00:00:00+0130", "2025-12-31T22:30:00.000000Z"),
        ("2026-01-01T00:00:00.1-01:30", "2026-01-01T01:30:00.100000Z"),
    ],
)
def test_spellings_of_others_are_read(text, spelling):
    """Any fraction, separator and offset is understood."""
    assert parse_timestamp(text) == spelling


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-01-01T25:00:00Z",
        "0001-01-01T00:00:00+10:00",
        "2026-01-01T00:00:00Z\n",
        "٢٠٢٦-01-01T00:00:00Z",
        "2026-W01-1T00:00:00Z",
        "1767225600",
    ],
)
def test_what_is_no_timestamp(text):
    """Anything else is refused."""
    with pytest.raises(ValueError):
        parse_timestamp(text)


def test_now_has_a_zone():
    """The system's clock is read in UTC."""
    assert utc_now().utcoffset() == timedelta(0)
