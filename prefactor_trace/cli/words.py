"""What single words of a command mean: a port, a count, an age."""

import argparse
import re
from datetime import timedelta

_ALL = 2**63 - 1  # SQLite's largest number
_LONGEST_AGE = timedelta(days=365_000)
_AGE = re.compile(r"(\d{1,9})([smhdw])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def port(text: str) -> int:
    """Return a port, 0 for any."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; give a number from 0 to 65535")
    return int(text)


def count(text: str) -> int:
    """Return how many of something are wanted."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no count; give a number from 1 on")
    return min(int(text), _ALL)


def age(text: str) -> timedelta:
    """Return how old something has to be: ``90m``, ``12h``, ``7d``, ``2w``."""
    parts = _AGE.fullmatch(text)
    if parts is None:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no age; give a number with s, m, h, d or w, such as 12h or 7d"
        )
    try:
        return min(timedelta(**{_UNITS[parts[2]]: int(parts[1])}), _LONGEST_AGE)
    except OverflowError:
        return _LONGEST_AGE
