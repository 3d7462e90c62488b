"""Memory that buffered spans take: the peak of the resident set, while no answer comes."""

from __future__ import annotations

import gc
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.sink import Tally, hold, release
from benchmarks.tasks.delivered import settle
from benchmarks.tasks.timing import timed
from benchmarks.tracers.tracer import Tracer

ROOMY = True
"""Buffers that hold fewer spans by themselves are made larger."""

_BUFFERED = 10_000


def measure(tracer: Tracer, tally: Tally, size: float) -> dict[str, Any]:
    """Return the bytes of 10,000 spans with payload and result."""
    del size
    if not tracer.backlog:
        return {}  # it waits for each span: nothing is buffered
    operation = tracer.operations()["data"]
    for _ in range(4):
        with tracer.run():
            timed(operation, 400, tracer.loop)
        tracer.flush()
    settle(tally)
    gc.collect()
    hold(tracer.url)
    try:
        before = _peak(reset=True)
        for _ in range(_BUFFERED // 500):
            with tracer.run():
                for _ in range(500):
                    operation()
        time.sleep(1.5)  # what the thread behind makes of them is held as well
        return {"bytes": _peak() - before}
    finally:
        release(tracer.url)


def _peak(*, reset: bool = False) -> int:
    """Return the peak of the resident set in bytes, since the last reset where that can be done."""
    status = Path("/proc/self/status")
    if status.exists():
        if reset:
            Path("/proc/self/clear_refs").write_text("5", "ascii")
        lines = status.read_text("ascii").splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    import resource  # not on Windows, which has no other of these measures

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
