"""What is known of a span only where it begins and ends: the line, the thread, a second end.

None of it is recorded outside of tests, so it is no part of a span. It is noted around the two
methods through which every span begins and ends, and around the one that makes the span of a call
which begins later; they are put back afterwards.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

from prefactor_trace._clock import Clock
from prefactor_trace._decorate import _Calls
from prefactor_trace._frames import Place, find_place
from prefactor_trace._plain import PlainSpan
from prefactor_trace._record import Record
from prefactor_trace.testing.spans import Origin

if TYPE_CHECKING:
    from prefactor_trace._instance import Instance

_BY_HAND = frozenset({"complete", "fail", "cancel"})


class Observer:
    """Notes where spans begin, and which are ended twice.

    Attributes:
        origins: Id of a span to where it began, in the order in which they began.
        runs: Id of a run to the run, of every span.
        ended_twice: Names of spans that were ended by hand after they had ended, with the line.
        clock: Clock that spans are timed with.
    """

    def __init__(self) -> None:
        self.origins: dict[str, Origin] = {}
        self.runs: dict[str, Instance] = {}
        self.ended_twice: list[tuple[str, str]] = []
        self.clock: Callable[[], int] | None = None
        self._before: list[tuple[type, str, Any]] = []  # what is to be put back, and where
        # Spans of calls of coroutine functions and generators: each is kept, so that no other
        # gets its id, until it begins.
        self._called: dict[int, tuple[Any, Place | None]] = {}

    def start(self) -> None:
        """Begin to observe, in every thread."""
        start, end, make = Record._start, Record._end, _Calls.begin

        def observed_start(span: Any, outer: Any, now: Callable[[], int] = Clock.monotonic) -> bool:
            begun: bool = start(span, outer, self.clock or now)
            if begun and span.instance_id:  # which is made now, and first: ids may count
                _, called = self._called.pop(id(span), (None, None))
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
                if caller.f_code.co_name in _BY_HAND:
                    self.ended_twice.append((span.schema_name, _place(caller.f_back)))
            end(span, status, at, self.clock or now)

        def observed_make(calls: Any, *call: Any, copied: bool = False) -> Any:
            span = make(calls, *call, copied=copied)
            if copied and span is not None:  # when it begins, its caller may be off the stack
                self._called[id(span)] = span, find_place(sys._getframe(1))
            return span

        self._replace(Record, "_start", observed_start)
        self._replace(Record, "_end", observed_end)
        self._replace(_Calls, "begin", observed_make)
        # What goes past these, in the usual case, is to go through them.
        self._replace(PlainSpan, "__enter__", Record.__enter__)
        self._replace(PlainSpan, "__exit__", Record.__exit__)

    def stop(self) -> None:
        """Put back what was there before."""
        while self._before:
            setattr(*self._before.pop())
        self._called.clear()

    def _replace(self, owner: type, name: str, value: Any) -> None:
        self._before.append((owner, name, getattr(owner, name)))
        setattr(owner, name, value)


def _origin(place: Place | None) -> Origin:
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no event loop runs in this thread
        task = None
    where = None
    if place is not None:
        where = f"{'def ' * place.is_definition}{_short(place.path)}:{place.line}"
    name = None if task is None else task.get_name()
    return Origin(where, threading.current_thread().name, name)


def _place(frame: FrameType | None) -> str:
    return "?" if frame is None else f"{_short(frame.f_code.co_filename)}:{frame.f_lineno}"


def _short(path: str) -> str:
    return os.path.basename(path)  # noqa: PTH119  # in every span
