"""Waiting for what the sink has."""

from __future__ import annotations

import time

from benchmarks.sink import Tally


def wait_for(tally: Tally, spans: int, timeout: float = 20.0) -> int:
    """Return how many spans the sink has, once it is `spans`, or after `timeout` seconds."""
    until = time.monotonic() + timeout
    while (now := tally.read().spans) < spans and time.monotonic() < until:
        time.sleep(0.002)
    return now


def settle(tally: Tally) -> int:
    """Return how many spans the sink has, once no more come."""
    spans, now = -1, tally.read().spans
    while now != spans:
        spans = now
        time.sleep(0.1)
        now = tally.read().spans
    return now
