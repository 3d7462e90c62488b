"""Spans a second that a tracer sustains: recorded as fast as it delivers, and none dropped.

The agent's thread records without a pause until as much waits as the tracer's buffer surely holds;
then it waits for the sink.
"""

from __future__ import annotations

import time
from typing import Any

from benchmarks.sink import Tally
from benchmarks.tasks.delivered import settle, wait_for
from benchmarks.tasks.timing import timed
from benchmarks.tracers.tracer import Tracer

_AT_ONCE = 250


def measure(tracer: Tracer, tally: Tally, size: float) -> dict[str, Any]:
    """Return the spans a second, and how many were dropped all the same."""
    if not tracer.records:
        return {}
    operation = tracer.operations()["data"]
    with tracer.run():
        timed(operation, _AT_ONCE, tracer.loop)
    tracer.flush()
    before = settle(tally)
    room = tracer.backlog or _AT_ONCE
    recorded = runs = 0
    began = time.monotonic()
    while time.monotonic() < began + 4 * size:
        with tracer.run():
            timed(operation, _AT_ONCE, tracer.loop)
        recorded += _AT_ONCE
        runs += 1
        # Those that end a run may come as spans of their own; they are only waited for.
        wait_for(tally, before + recorded - room + _AT_ONCE)
    tracer.flush()
    arrived = wait_for(tally, before + recorded) - before
    seconds = time.monotonic() - began
    arrived = max(arrived, settle(tally) - before)
    return {"per_second": arrived / seconds, "lost": max(0, recorded - arrived)}
