"""What a span costs: the time of the agent's thread, and the CPU of the whole process.

Operations run in series that no tracer delivers the middle of; each is delivered before the next
one begins. So the time is that of the agent's thread alone, while the CPU is that of all threads up
to the delivery. The shapes take turns, so that a slow second of the machine falls on all of them.

Of the series of a shape, the one with the least time counts, and the one with the least CPU:
whatever else a machine does makes some of them twice as slow, and none faster.
"""

from __future__ import annotations

import time
from statistics import median
from typing import Any

from benchmarks.shapes import Shape, bare
from benchmarks.sink import Tally
from benchmarks.tasks.delivered import settle, wait_for
from benchmarks.tasks.timing import timed, warm_processor
from benchmarks.tracers.tracer import Tracer

# Of what is off or not sampled nothing is delivered, and an operation is about as long as a reading
# of the clock.
_INNER = 200


def measure(tracer: Tracer, tally: Tally, size: float) -> dict[str, Any]:
    """Return, for each shape of the tracer's mode, its median in ns and its CPU a span."""
    kind = _Delivered if tracer.mode == "on" else _Idle
    series = [kind(tracer, tally, shape, operation) for shape, operation in tracer.shapes()]
    for one in series:
        one.warm_up()
    for _ in range(max(2, round(5 * size))):
        for one in series:
            one.go_on()
    return {one.shape.name: one.found() for one in series}


class _Idle:
    """The series of a shape that records nothing."""

    inner = _INNER

    def __init__(self, tracer: Tracer, tally: Tally, shape: Shape, operation: Any) -> None:
        self.shape = shape
        self._tracer = tracer
        self._tally = tally
        self._operation = operation
        self._bare = bare(shape.name, operation)
        self._medians: list[float] = []  # of each series, with the tracer and without
        self._without: list[float] = []

    def warm_up(self) -> None:
        """Have everything made and loaded that the first operations make and load."""
        self._run(2)

    def go_on(self) -> None:
        """Measure one series more."""
        warm_processor()
        self._medians.append(median(self._run(25)))
        self._without.append(median(timed(self._bare, 25, self._tracer.loop, self.inner)))

    def found(self) -> dict[str, Any]:
        """Return what was measured."""
        return {"ns": min(self._medians) - min(self._without)}

    def _run(self, count: int) -> list[float]:
        with self._tracer.run():
            return timed(self._operation, count, self._tracer.loop, self.inner)


class _Delivered(_Idle):
    """The series of a shape that is delivered."""

    inner = 1

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._cpu: list[float] = []  # ns a span, of each series
        self._lost = 0

    def warm_up(self) -> None:
        """Deliver a few."""
        self._run(max(5, self.shape.at_once // 10))
        self._tracer.flush()
        settle(self._tally)

    def go_on(self) -> None:
        """Measure one series more, up to its delivery."""
        count, before = self.shape.at_once, self._tally.read().spans
        warm_processor()
        self._without.append(median(timed(self._bare, count, self._tracer.loop)))
        began = time.process_time()
        self._medians.append(median(self._run(count)))
        self._tracer.flush()
        spent = (time.process_time() - began) * 1e9 - count * self._without[-1]
        recorded = count * self.shape.spans
        if self._tracer.records:
            # What a tracer delivers beside them, such as the run itself, is a span as any other.
            delivered = wait_for(self._tally, before + recorded) - before
            self._lost += max(0, recorded - delivered)
            if delivered:
                self._cpu.append(spent / delivered)

    def found(self) -> dict[str, Any]:
        """Return what was measured, and how many spans have not come."""
        found = {"ns": (min(self._medians) - min(self._without)) / self.shape.spans}
        if self._cpu:
            found |= {"cpu_ns": min(self._cpu), "lost": self._lost}
        return found
