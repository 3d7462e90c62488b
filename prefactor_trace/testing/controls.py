"""What a test can do to what it records: faults, an end, a clock, recorded results, processes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from prefactor_trace._clock import Clock
from prefactor_trace._default import default
from prefactor_trace.testing.capture import Capture
from prefactor_trace.testing.conditions import type_name
from prefactor_trace.testing.deterministic import CountingClock, CountingIds
from prefactor_trace.testing.observer import Observer
from prefactor_trace.testing.questions import SpanTypeName
from prefactor_trace.testing.replay import Replay, read_recorded
from prefactor_trace.testing.stand_in import StandIn, change_environment


class Controls:
    """What a recorder can be told, beside its settings."""

    _capture: Capture
    _observer: Observer
    _stand_in: StandIn
    _replays: list[Replay]

    def fail_delivery(
        self,
        status: int | Literal["timeout", "refuse"] = 503,
        *,
        item: str | None = None,
        times: int = 1,
    ) -> None:
        """Have delivery meet a fault.

        Args:
            status: HTTP status of the answer, or how there is none.
            item: Span type whose items alone are at fault; the whole request when missing.
            times: How often.

        Raises:
            ValueError: `status` is no error, or with `item` no status.
        """
        known = isinstance(status, int) and 400 <= status <= 599
        if not known and (item is not None or status not in ("timeout", "refuse")):
            raise ValueError(
                f"status is one of 400 to 599, 'timeout' or 'refuse' (these without item=),"
                f" got {status!r}"
            )
        self._capture.fail(status, item, times)

    def terminate(self, reason: str | None = None) -> None:
        """End every open run as the platform would.

        Args:
            reason: What the run is told.
        """
        self._stand_in.settle()
        for run in default._open_runs:
            run._terminate(reason)
            # No item of a request says so: it is the platform that ends it.
            self._capture.terminated.add(run._id)

    def deterministic(self) -> CountingClock:
        """Count instead of reading the clock, and count ids, from here on.

        Returns:
            The clock, which can be told that time passes.
        """
        clock = CountingClock()
        clocks: Any = Clock
        wall, monotonic = Clock.wall, Clock.monotonic
        self._observer.clock = clock

        def put_back() -> None:
            clocks.wall, clocks.monotonic = wall, monotonic
            self._observer.clock = None

        self._stand_in.undo.append(put_back)
        clocks.wall = clocks.monotonic = staticmethod(clock)
        ids: Any = CountingIds()
        default.tracer()._ids = ids
        return clock

    def replay(self, schema_name: SpanTypeName, *, from_: Any) -> None:
        """Answer the calls of decorated functions with what was recorded, instead of calling them.

        A call gets the result of the first recorded span with the same payload that was not used
        yet, as the type that its function is annotated to return. One that had failed raises what
        it had failed with, or `ReplayedError` where that cannot be made; one that was not recorded,
        or whose result was cut, raises `ReplayMismatch`, and a trace with such a call is not sound.
        Nor is one in which it answers nothing.

        Args:
            schema_name: Span type of the functions, or one of them.
            from_: Where the results are: a list of ``{"payload": ..., "result_payload": ...}``, the
                spans of a recording, or the path of a JSON file with such a list.

        Raises:
            ValueError: There is none of that type, or one is no recorded call.
            TypeError: `schema_name` is neither a name nor a function with one.
        """
        known = type_name(schema_name, "replay()")
        replay = Replay(known, read_recorded(from_, known))
        replay.start()
        self._replays.append(replay)
        self._stand_in.undo.append(replay.stop)

    def subprocess_env(self) -> dict[str, str]:
        """Return the environment of a process whose spans are recorded here too.

        They are sent to a server on this machine, and can be read when the process has ended.
        `child_processes` does it for processes that take no environment.
        """
        from prefactor_trace.testing.relay import Relay

        relay = Relay(self._capture)
        self._stand_in.undo.append(relay.stop)
        return relay.environment()

    @contextmanager
    def child_processes(self) -> Iterator[None]:
        """Record what child processes do that begin in the block: those of a pool, for example.

        It can be read when they have ended. Processes that come from a fork server have the
        environment of the time when that began; give these `subprocess_env` by an initializer.
        """
        wanted = self.subprocess_env()
        names = wanted.keys() | os.environ.keys()
        changed = {name for name in names if os.environ.get(name) != wanted.get(name)}
        put_back = change_environment({name: wanted.get(name) for name in changed})
        try:
            yield
        finally:
            put_back()
