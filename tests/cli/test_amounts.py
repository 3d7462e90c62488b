"""Amounts in words: how many, how large, how long."""

from datetime import timedelta

import pytest

from prefactor_trace.cli.amounts import between, counted, duration, silence, size

from .records import START


def test_a_count_has_its_noun() -> None:
    """One is one, and everything else many."""
    assert [counted(count, "run") for count in (0, 1, 2)] == ["0 runs", "1 run", "2 runs"]


def test_sizes() -> None:
    """Bytes are given in a unit that people read."""
    assert [size(count) for count in (0, 2048, 3 << 20, 5 << 30)] == [
        "0 bytes",
        "2.0 KiB",
        "3.0 MiB",
        "5,120.0 MiB",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.00042, "0.4 ms"),
        (0.035, "35 ms"),
        (1.5, "1.50 s"),
        (42.26, "42.3 s"),
        (125, "2 min 05 s"),
        (7_260, "2 h 01 min"),
        (7_893 * 3_600, "328 d 21 h"),
        (0.000_02, "0.02 ms"),
    ],
)
def test_duration_reads_well(seconds: float, text: str) -> None:
    """A duration has the unit and the digits that a person would give it."""
    assert duration(seconds) == text


def test_between_two_moments_is_never_less_than_nothing() -> None:
    """Clocks may be set back; where a moment is missing there is no time to tell."""
    assert between(START, START + timedelta(seconds=1.5)) == "1.50 s"
    assert between(START, START - timedelta(seconds=1)) == "0.00 ms"
    assert between(START, None) == between(None, START) == ""


@pytest.mark.parametrize(
    ("since", "told"),
    [
        (timedelta(seconds=-5), ""),
        (timedelta(seconds=59), ""),
        (timedelta(seconds=60), "1 min"),
        (timedelta(minutes=59, seconds=59), "59 min"),
        (timedelta(hours=3, minutes=59), "3 h"),
        (timedelta(hours=49), "2 d"),
    ],
)
def test_silence_is_told_once_it_is_long(since: timedelta, told: str) -> None:
    """In one unit, rounded down; what is over is not silent."""
    assert silence(START, START + since) == told
    assert silence(None, START + since) == ""
