"""A clock that counts and ids that count, so that the same run is the same text each time."""

from __future__ import annotations

import itertools
import re
import threading

from prefactor_trace._pfid import ALPHABET, PfidSource, encode

_START = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z, nanoseconds since the epoch
_COUNTED = re.compile(rf"\b0{{20}}[{ALPHABET}]{{12}}\b")
_STEP = 1_000_000  # a millisecond


class CountingClock:
    """A clock that goes on by a millisecond each time it is read.

    Attributes:
        now: What it shows, nanoseconds since the epoch.
    """

    def __init__(self) -> None:
        self.now = _START
        self._lock = threading.Lock()

    def __call__(self) -> int:
        """Return the time, and go on."""
        with self._lock:
            self.now += _STEP
            return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass.

        Args:
            seconds: How much.
        """
        with self._lock:
            self.now += round(seconds * 1_000_000_000)


class CountingIds:
    """PFIDs that count from 1."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def __call__(self) -> str:
        """Return the next id."""
        return encode(next(self._numbers), 32)

    def reset(self) -> None:
        """Count on: a forked child has a recorder of its own."""


class Uncounted:
    """Puts other ids in the place of those that count, of which a database keeps the first."""

    def __init__(self) -> None:
        self._make = PfidSource()
        self._made: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        """Return a text with other ids; the same one in the place of the same."""
        return _COUNTED.sub(self._other, text)

    def _other(self, found: re.Match[str]) -> str:
        if found[0] not in self._made:
            self._made[found[0]] = self._make()
        return self._made[found[0]]
