"""The least that any tracer must do: hold the context, read the clock twice."""

from __future__ import annotations

from contextvars import ContextVar
from time import perf_counter_ns

from benchmarks.shapes import DEPTH, Operation
from benchmarks.tracers.tracer import Tracer

_current: ContextVar[object] = ContextVar("current", default=None)


class Floor(Tracer):
    """No tracer: a ContextVar set and reset, and two readings of the clock."""

    says = "the floor"
    note = "a ContextVar set and reset and two clock reads; it records nothing"
    modes = ("on",)
    records = False

    def set_up(self) -> None:
        """Do nothing."""

    def operations(self) -> dict[str, Operation]:
        """Return the shapes that have to do with context and time alone."""

        def block() -> None:
            token = _current.set(block)
            perf_counter_ns()
            perf_counter_ns()
            _current.reset(token)

        async def block_async() -> None:
            block()

        def nested(depth: int = DEPTH) -> None:
            token = _current.set(block)
            perf_counter_ns()
            if depth > 1:
                nested(depth - 1)
            perf_counter_ns()
            _current.reset(token)

        return {"block": block, "async": block_async, "nested": nested}

    def flush(self) -> None:
        """Do nothing."""
