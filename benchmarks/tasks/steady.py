"""The slow operations of an agent at work: p99.9 while the tracer delivers beside it.

An agent works in bursts. Twenty operations a hundredth of a second is more than any agent does, and
few enough that every tracer keeps up.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from typing import Any

from benchmarks.shapes import bare
from benchmarks.sink import Tally
from benchmarks.tasks.timing import percentiles, timed
from benchmarks.tracers.tracer import Tracer

_BURST = 20
_EVERY = 0.01


def measure(tracer: Tracer, tally: Tally, size: float) -> dict[str, Any]:
    """Return the percentiles in ns, with the tracer and without."""
    del tally
    operations = tracer.operations()
    operation = operations.get("data", operations["block"])
    _bursts(tracer, operation, 0.5)
    return {
        "without": percentiles(_bursts(tracer, bare("data", operation), 2 * size)),
        "with": percentiles(_bursts(tracer, operation, 4 * size)),
    }


def _bursts(tracer: Tracer, operation: Any, seconds: float) -> list[float]:
    times: list[float] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with tracer.run():
            for _ in range(25):
                times += timed(operation, _BURST, tracer.loop)
                if inspect.iscoroutinefunction(operation):
                    tracer.loop.run_until_complete(asyncio.sleep(_EVERY))
                else:
                    time.sleep(_EVERY)
    return times
