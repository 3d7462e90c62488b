"""What single words of a command mean."""

import argparse
from datetime import timedelta

import pytest

from prefactor_trace.cli.words import age, count, port


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("0s", timedelta(0)),
        ("90m", timedelta(minutes=90)),
        ("12h", timedelta(hours=12)),
        ("7d", timedelta(days=7)),
        ("2w", timedelta(days=14)),
        ("999999999w", timedelta(days=365_000)),
    ],
)
def test_age(text: str, meant: timedelta) -> None:
    """An age is a number with its unit; one beyond the calendar is as old as it goes."""
    assert age(text) == meant


@pytest.mark.parametrize(
    "text", ["", "7", "d", "-1d", "7 d", "1.5h", "7days", "\u0667d", "1" * 20 + "d"]
)
def test_no_age(text: str) -> None:
    """Anything else is refused by name, with an example of what would do."""
    with pytest.raises(argparse.ArgumentTypeError, match=r"is no age; .* such as 12h or 7d"):
        age(text)


def test_ports_and_counts() -> None:
    """Numbers are decimal, in their range; a count beyond SQLite's numbers means all."""
    assert (port("0"), port("65535"), count("1")) == (0, 65535, 1)
    assert count("9" * 30) == 2**63 - 1
    for read, wrong in ((port, "65536"), (port, "-1"), (count, "0"), (count, "many")):
        with pytest.raises(argparse.ArgumentTypeError, match="give a number from"):
            read(wrong)
