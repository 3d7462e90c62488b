"""Growth: what a span costs in long runs, many threads, deep nesting, large payloads."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from statistics import median
from typing import Any

from benchmarks.sink import Tally
from benchmarks.tasks.delivered import settle, wait_for
from benchmarks.tasks.timing import timed
from benchmarks.tracers.ours import PrefactorTrace as Tracer

_AT_ONCE = 1_000
_BACKLOG = 5_000
_DEEPEST = 500
_TIMES = 20
_ROUNDS = 2

Pair = tuple[float, float]
"""Nanoseconds: of the thread, and of the CPU where that is asked."""


def measure(tracer: Tracer, tally: Tally, size: float) -> dict[str, Any]:
    """Return, for each thing that grows, size to nanoseconds."""
    lengths = [10**power for power in range(7 if size >= 1 else 6)]
    runs = _least(lengths, lambda length: _long_run(tracer, tally, length))
    empty, _ = _payload(tracer, {"list": []})
    nodes = _least(
        [10, 100, 1_000, 9_000], lambda count: _payload(tracer, {"list": list(range(count))})
    )
    texts = _least(
        [10**power for power in range(3, 8)], lambda count: _payload(tracer, {"text": "x" * count})
    )
    return {
        "spans of a run: thread": {length: found[0] for length, found in runs.items()},
        "spans of a run: CPU": {
            length: found[1] for length, found in runs.items() if length >= _AT_ONCE
        },
        "threads": _first(_least([1, 4, 16, 64], lambda count: _threads(tracer, count))),
        "depth": _first(_least([1, 10, 100, _DEEPEST], lambda depth: _deep(tracer, depth))),
        "nodes of a payload": {count: (found[0] - empty) / count for count, found in nodes.items()},
        "characters of a text": _first(texts),
    }


def _least(sizes: list[int], measure_one: Callable[[int], Pair]) -> dict[int, Pair]:
    """Return the least of several rounds for each size, the sizes in turn.

    What is asked is whether one size costs more than another, and a machine that is slow for a
    second must not be the answer.
    """
    found: dict[int, list[Pair]] = {size: [] for size in sizes}
    for _ in range(_ROUNDS):
        for size in sizes:
            found[size].append(measure_one(size))
    return {
        size: (min(pair[0] for pair in of), min(pair[1] for pair in of))
        for size, of in found.items()
    }


def _first(found: dict[int, Pair]) -> dict[int, float]:
    return {size: pair[0] for size, pair in found.items()}


def _long_run(tracer: Tracer, tally: Tally, length: int) -> Pair:
    """Return what the last spans of a run cost the thread, and all of them in CPU."""
    operation = tracer.operations()["block"]
    last: list[float] = []
    runs = max(1, _AT_ONCE // length)
    before = settle(tally)
    began = time.process_time()
    recorded = 0
    for _ in range(runs):
        with tracer.run():
            for done in range(0, length, _AT_ONCE):
                times = timed(operation, min(_AT_ONCE, length - done), tracer.loop)
                recorded += len(times)
                wait_for(tally, before + recorded - _BACKLOG)
                if done + len(times) > length * 0.9:
                    last += times[len(times) // 2 :] if length <= _AT_ONCE else times
    tracer.flush()
    return median(last), (time.process_time() - began) * 1e9 / recorded


def _threads(tracer: Tracer, count: int) -> Pair:
    """Return the CPU that a thread uses for a span, beside others that record as well."""
    operation = tracer.operations()["block"]
    each = 8_192 // count
    found: list[float] = []
    ready = threading.Barrier(count)

    def record() -> None:
        with tracer.run():
            operation()
            ready.wait()
            began = time.thread_time_ns()
            for _ in range(each):
                operation()
            found.append((time.thread_time_ns() - began) / each)

    threads = [threading.Thread(target=record) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tracer.flush()
    return median(found), 0.0


def _deep(tracer: Tracer, depth: int) -> Pair:
    """Return what one of `depth` nested spans costs, beside the recursion itself."""
    nested: Callable[..., None] = tracer.operations()["nested"]
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, 10 * _DEEPEST))
    times, without = [], []
    for _ in range(_TIMES):
        with tracer.run():
            times += timed(lambda: nested(depth), max(1, 400 // depth), tracer.loop)
        tracer.flush()
        without += timed(lambda: _bare_nested(depth), max(1, 400 // depth), tracer.loop)
    sys.setrecursionlimit(limit)
    return (median(times) - median(without)) / depth, 0.0


def _bare_nested(depth: int) -> None:
    with nullcontext():
        if depth > 1:
            _bare_nested(depth - 1)


def _payload(tracer: Tracer, payload: Mapping[str, Any]) -> Pair:
    """Return what a span with a payload costs."""
    operation = tracer.with_payload(payload)
    times = []
    for _ in range(_TIMES):
        with tracer.run():
            times += timed(operation, 5, tracer.loop)
        tracer.flush()
    return median(times), 0.0
