"""How long nothing was heard of a run, in words."""

from datetime import timedelta

import pytest

from prefactor_trace.cli.silence import silence

from .records import START


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
