"""What this library promises of its cost, held against what was measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from benchmarks.rounds import Found

OURS = "ours"


class Goal(NamedTuple):
    """A promise.

    Attributes:
        says: What is promised.
        measure: Returns what was measured, ``None`` where that was not.
        bound: What must be reached.
        at_most: Whether less is better.
        unit: Of the numbers.
    """

    says: str
    measure: Callable[[Found], float | None]
    bound: float
    at_most: bool = False
    unit: str = "x"

    def is_reached(self, value: float) -> bool:
        """Whether a measured value is good enough."""
        return value <= self.bound if self.at_most else value >= self.bound


def ratio(peer: str, key: str) -> Callable[[Found], float | None]:
    """Return what says how many times of ours a peer's number is."""

    def measure(found: Found) -> float | None:
        ours, theirs = found.get(OURS, {}).get(key), found.get(peer, {}).get(key)
        return theirs / ours if ours and theirs else None

    return measure


def own(key: str, scale: float = 1.0) -> Callable[[Found], float | None]:
    """Return what gives a number of ours, times `scale`."""

    def measure(found: Found) -> float | None:
        value = found.get(OURS, {}).get(key)
        return None if value is None else value * scale

    return measure


def beyond(key: str, other: str, scale: float) -> Callable[[Found], float | None]:
    """Return what gives by how much a number of ours exceeds another one, times `scale`."""

    def measure(found: Found) -> float | None:
        ours = found.get(OURS, {})
        return max(0.0, ours[key] - ours[other]) * scale if key in ours and other in ours else None

    return measure


GOALS = [
    Goal("bare block, against OpenTelemetry", ratio("otel", "cost.block.ns"), 15),
    Goal("block with data, against OpenTelemetry", ratio("otel", "cost.data.ns"), 6),
    Goal("decorated, against Langfuse", ratio("langfuse_sdk", "cost.decorated.ns"), 20),
    Goal("decorated, against LangSmith", ratio("langsmith_sdk", "cost.decorated.ns"), 20),
    Goal("block with data, against prefactor-core", ratio("official", "cost.data.ns"), 120),
    Goal("CPU a span, against prefactor-core", ratio("official", "cost.data.cpu_ns"), 25),
    Goal("CPU a span, against OpenTelemetry", ratio("otel", "cost.data.cpu_ns"), 3),
    Goal("sustained", own("throughput.per_second"), 30_000, unit=" spans/s"),
    Goal("a buffered span", own("memory.bytes", 1e-4), 1_200, at_most=True, unit=" bytes"),
    Goal("added to `import pydantic`", own("import.after_pydantic"), 30, at_most=True, unit=" ms"),
    Goal("off, a block", own("cost.off_block.ns"), 60, at_most=True, unit=" ns"),
    Goal("off, a decorated function", own("cost.off_decorated.ns"), 150, at_most=True, unit=" ns"),
    Goal(
        "recording while 50,000 spans are drained, p99.9",
        own("stalls.span.draining.p99.9", 1e-6),
        1,
        at_most=True,
        unit=" ms",
    ),
    Goal(
        "lateness of the event loop meanwhile, p99.9, beyond that beside another process",
        beyond("stalls.loop.draining.p99.9", "stalls.loop_beside.draining.p99.9", 1e-6),
        1,
        at_most=True,
        unit=" ms",
    ),
]
