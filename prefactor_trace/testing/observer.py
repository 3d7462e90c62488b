"""What is known of a span only where it begins and ends: the line, the thread, a second end.

None of it is recorded outside of tests, so it is no part of a span. It is noted around the methods
through which every run and every span begins and ends, and around those that make them for a call
which begins later; they are put back afterwards.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

from prefactor_trace._calls import Calls, Runs
from prefactor_trace._clock import Clock
from prefactor_trace._frames import Place, find_place
from prefactor_trace._home import OpenRuns
from prefactor_trace._instance import Instance
from prefactor_trace._plain import PlainSpan
from prefactor_trace._record import Record
from prefactor_trace.testing.spans import Origin

_BY_HAND = frozenset({"complete", "fail", "cancel"})

# Runs that began in a recording which is over. As long as there is one, a thread that was left
# behind may go on in it.
_left_behind = OpenRuns()


class Observer:
    """Notes where spans begin, and which are ended twice.

    Attributes:
        origins: Id of a span to where it began, in the order in which they began.
        runs: Id of a run to the run, of every span.
        foreign: Ids of spans that have begun in a run of an earlier recording.
        ended_twice: Names of spans that were ended by hand after they had ended, with the line.
        clock: Clock that spans are timed with.
    """

    def __init__(self) -> None:
        self.origins: dict[str, Origin] = {}
        self.runs: dict[str, Instance] = {}
        self.foreign: set[str] = set()
        self.ended_twice: list[tuple[str, str]] = []
        self.clock: Callable[[], int] | None = None
        self._before: list[tuple[type, str, Any]] = []  # what is to be put back, and where
        self._own = OpenRuns()  # those that began meanwhile, also when they have ended
        self._others = OpenRuns()  # those of recordings before this one
        # Spans of calls of coroutine functions and generators: each is kept, so that no other
        # gets its id, until it begins.
        self._called: dict[int, tuple[Any, Place | None]] = {}

    def start(self) -> None:
        """Begin to observe, in every thread."""
        for run in _left_behind:
            self._others.add(run)
        self._observe_runs()
        self._observe_spans()
        self._observe_calls()

    def _observe_runs(self) -> None:
        start = Instance._start

        def observed_start(run: Any) -> bool:
            begun = start(run)
            self._called.pop(id(run), None)
            if begun:
                self._own.add(run)
            return begun

        self._replace(Instance, "_start", observed_start)

    def _observe_spans(self) -> None:
        start, end = Record._start, Record._end

        def observed_start(span: Any, outer: Any, now: Callable[[], int] = Clock.monotonic) -> bool:
            begun: bool = start(span, outer, self.clock or now)
            _, called = self._called.pop(id(span), (None, None))
            if begun and span.instance_id:  # which is made now, and first: ids may count
                if self._is_of_another(span._instance):
                    self.foreign.add(span.id)
                else:
                    self.origins[span.id] = _origin(called or find_place(sys._getframe(1)))
                    self.runs[span.instance_id] = span._instance
            return begun

        def observed_end(
            span: Any,
            status: Any,
            at: int | None = None,
            now: Callable[[], int] = Clock.monotonic,
        ) -> None:
            if span._status not in ("active", "pending"):
                caller = sys._getframe(1)
                if caller.f_code.co_name in _BY_HAND and not self._is_of_another(span._instance):
                    self.ended_twice.append((span.schema_name, _place(caller.f_back)))
            end(span, status, at, self.clock or now)

        self._replace(Record, "_start", observed_start)
        self._replace(Record, "_end", observed_end)
        # What goes past these, in the usual case, is to go through them.
        self._replace(PlainSpan, "__enter__", Record.__enter__)
        self._replace(PlainSpan, "__exit__", Record.__exit__)

    def _observe_calls(self) -> None:
        for kind in (Calls, Runs):
            self._replace(kind, "begin", self._observed_make(kind.begin))

    def _observed_make(self, make: Callable[..., Any]) -> Callable[..., Any]:
        def observed_make(calls: Any, *call: Any, copied: bool = False) -> Any:
            made = make(calls, *call, copied=copied)
            if copied and made is not None:  # when it begins, its caller may be off the stack
                self._called[id(made)] = made, find_place(sys._getframe(1))
            return made

        return observed_make

    def stop(self) -> None:
        """Put back what was there before."""
        while self._before:
            setattr(*self._before.pop())
        self._called.clear()
        for run in self._own:
            _left_behind.add(run)

    @property
    def not_begun(self) -> list[str]:
        """Where coroutine functions and generators were called, of which nothing has run."""
        return [_where(place) for _, place in list(self._called.values()) if place is not None]

    def is_foreign(self, item: Mapping[str, Any]) -> bool:
        """Return whether an item of a request is of a run that an earlier recording began."""
        details = item.get("details") or item
        span = details.get("id") if "details" in item else item.get("agent_span_id")
        if span is not None and (span in self.foreign or span in self.origins):
            return span in self.foreign
        is_run = item["_type"] == "agent_instances/register"
        return self._is_foreign_id(item["id"] if is_run else details.get("agent_instance_id"))

    def _is_of_another(self, run: Any) -> bool:
        if run is None or not self._others:
            return False
        # One that was attached to is the same run by its id alone.
        return any(run is other for other in self._others) or self._is_foreign_id(run._id)

    def _is_foreign_id(self, run_id: str | None) -> bool:
        if run_id is None or not self._others:
            return False
        # Ids that count are the same in each recording.
        is_own = any(run_id == run._id for run in self._own)
        return not is_own and any(run_id == run._id for run in self._others)

    def _replace(self, owner: type, name: str, value: Any) -> None:
        self._before.append((owner, name, getattr(owner, name)))
        setattr(owner, name, value)


def _origin(place: Place | None) -> Origin:
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no event loop runs in this thread
        task = None
    where = None if place is None else _where(place)
    name = None if task is None else task.get_name()
    return Origin(where, threading.current_thread().name, name)


def _where(place: Place) -> str:
    return f"{'def ' * place.is_definition}{_short(place.path)}:{place.line}"


def _place(frame: FrameType | None) -> str:
    return "?" if frame is None else f"{_short(frame.f_code.co_filename)}:{frame.f_lineno}"


def _short(path: str) -> str:
    return os.path.basename(path)  # noqa: PTH119  # in every span
