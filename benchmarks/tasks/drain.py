"""A full buffer, and its draining: 50,000 spans that wait until the sink gives answers."""

from __future__ import annotations

from typing import Any

from benchmarks.sink import Tally, hold, release
from benchmarks.tasks.delivered import settle, wait_for
from benchmarks.tasks.timing import timed
from benchmarks.tracers.tracer import Tracer

ROOMY = True
"""Buffers that hold fewer spans by themselves are made larger."""

SPANS = 50_000
WARM = 400


def measure(tracer: Tracer, tally: Tally, size: float) -> dict[str, Any]:
    """Fill the buffer and drain it, for another process that looks on."""
    warm_up(tracer)
    fill(tracer, tally, round(SPANS * size))
    tracer.flush()
    return {}


def warm_up(tracer: Tracer) -> None:
    """Deliver a few."""
    with tracer.run():
        timed(tracer.operations()["data"], WARM, tracer.loop)
    tracer.flush()


def fill(tracer: Tracer, tally: Tally, spans: int) -> int:
    """Have the buffer filled, then drained from now on; return at which count it is empty."""
    before = settle(tally)
    hold(tracer.url)
    operation = tracer.operations()["data"]
    for _ in range(spans // 500):
        with tracer.run():
            timed(operation, 500, tracer.loop)
    release(tracer.url)
    wait_for(tally, before + 1)
    return before + spans
