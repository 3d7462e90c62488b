"""The least that any tracer must do: hold the context, read the clock twice.

Off, the least that any block and any decorator can be: a block on an object that does nothing, in
C, and a function that calls the decorated one.
"""

from __future__ import annotations

import types
from contextvars import ContextVar
from time import perf_counter_ns
from typing import Any

from benchmarks.shapes import DEPTH, Operation, call, search
from benchmarks.tracers.tracer import Tracer

_current: ContextVar[object] = ContextVar("current", default=None)


class Floor(Tracer):
    """No tracer: a ContextVar set and reset, and two readings of the clock."""

    says = "the floor"
    note = (
        "a ContextVar set and reset and two clock reads; it records nothing. Off: a block on an"
        " object that does nothing, in C, and a function that calls the decorated one"
    )
    modes = ("on", "off")
    records = False

    def set_up(self) -> None:
        """Do nothing."""

    def operations(self) -> dict[str, Operation]:
        """Return the shapes that have to do with context and time alone."""
        if self.mode == "off":
            return _nothing()

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


def _nothing() -> dict[str, Operation]:
    """Return a block and a decorated function that do nothing, with as little as can be."""
    kind = type("Nothing", (), {"__exit__": "".format})
    nothing: Any = kind()
    kind.__enter__ = types.MethodType({0: nothing}.get, 0)  # type: ignore[attr-defined]

    def block() -> None:
        with nothing:
            pass

    def passed_on(*args: Any, **kwargs: Any) -> Any:
        return search(*args, **kwargs)

    return {"block": block, "decorated": call(passed_on)}
