"""Stalls: what the agent notices while 50,000 spans are drained behind it.

The sink holds its answers back until so many spans wait; then it lets go, and what the agent does
meanwhile is timed: one span after another, the turns of an event loop, and plain work. The event
loop is also timed while another process drains as many: so much is the machine's, which has
other things to do than to wake it, and not the tracer's.
"""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

from benchmarks.rounds import ROOT, child_command
from benchmarks.sink import Tally
from benchmarks.tasks import drain
from benchmarks.tasks.delivered import settle, wait_for
from benchmarks.tasks.timing import percentiles, timed
from benchmarks.tracers.tracer import Tracer

ROOMY = drain.ROOMY

_PAUSE = 0.0002

IsOver = Callable[[], bool]


def measure(tracer: Tracer, tally: Tally, size: float) -> dict[str, Any]:
    """Return the percentiles in ns of each thing that is timed, idle and while draining."""
    spans = round(drain.SPANS * size)
    drain.warm_up(tracer)
    found: dict[str, Any] = {}
    for name, watch in (("span", _spans), ("loop", _loop), ("work", _work)):
        until = time.monotonic() + size
        idle = watch(tracer, lambda until=until: time.monotonic() > until)  # type: ignore[misc]
        tracer.flush()
        aim = drain.fill(tracer, tally, spans)
        draining = watch(tracer, lambda aim=aim: tally.read().spans >= aim)  # type: ignore[misc]
        found[name] = {"idle": percentiles(idle), "draining": percentiles(draining)}
        tracer.flush()
    elsewhere = percentiles(_loop_beside(tracer, tally, size))
    found["loop_beside"] = {"idle": found["loop"]["idle"], "draining": elsewhere}
    return found


def _loop_beside(tracer: Tracer, tally: Tally, size: float) -> list[float]:
    """Time the turns of an event loop while another process drains."""
    name = type(tracer).__module__.rpartition(".")[2]
    command = child_command(name, "drain", tracer.url, tally.path, size=size)
    before = settle(tally)
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as other:
        wait_for(tally, before + drain.WARM + drain.WARM // 4, timeout=120)
        aim = before + round(drain.SPANS * size)
        return _loop(tracer, lambda: tally.read().spans >= aim or other.poll() is not None)


def _spans(tracer: Tracer, is_over: IsOver) -> list[float]:
    """Time spans, with a little waiting between them."""
    operation = tracer.operations()["data"]
    times: list[float] = []
    with tracer.run():
        while not is_over():
            times += timed(operation, 10, tracer.loop)
            time.sleep(_PAUSE)
    return times


def _loop(tracer: Tracer, is_over: IsOver) -> list[float]:
    """Time how late the turns of an event loop are."""

    async def turns() -> list[float]:
        times = []
        while not is_over():
            due = perf_counter_ns() + 1_000_000
            await asyncio.sleep(0.001)
            times.append(float(max(0, perf_counter_ns() - due)))
        return times

    return tracer.loop.run_until_complete(turns())


def _work(tracer: Tracer, is_over: IsOver) -> list[float]:
    """Time pieces of plain work, which never wait by themselves."""

    def piece() -> int:
        return sum(range(2_000))

    times: list[float] = []
    while not is_over():
        times += timed(piece, 10, tracer.loop)
    return times
