"""Does a tracer deliver every shape? Twenty operations of each, counted by the sink."""

from __future__ import annotations

from typing import Any

from benchmarks.sink import Tally
from benchmarks.tasks.delivered import settle, wait_for
from benchmarks.tasks.timing import timed
from benchmarks.tracers.tracer import Tracer

_TIMES = 20


def measure(tracer: Tracer, tally: Tally, size: float) -> dict[str, Any]:
    """Return, for each shape of the tracer's mode, how many spans were recorded and arrived."""
    del size
    found = {}
    for shape, operation in tracer.shapes():
        before = settle(tally)
        with tracer.run():
            timed(operation, _TIMES, tracer.loop)
        tracer.flush()
        recorded = _TIMES * shape.spans if tracer.mode == "on" and tracer.records else 0
        wait_for(tally, before + recorded)
        found[shape.name] = {"recorded": recorded, "arrived": settle(tally) - before}
    return found
