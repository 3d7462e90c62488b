"""What is known of a span only where it begins and ends: the line, the thread, a second end.

None of it is recorded outside of tests, so it is no part of a span. It is noted around the two
methods through which every span begins and ends, which are put back afterwards.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

from prefactor_trace._clock import Clock
from prefactor_trace._frames import is_ours
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
        self._before: tuple[Any, ...] | None = None

    def start(self) -> None:
        """Begin to observe, in every thread."""
        start, end = Record._start, Record._end
        self._before = start, end, PlainSpan.__enter__, PlainSpan.__exit__

        def observed_start(span: Any, outer: Any, now: Callable[[], int] = Clock.monotonic) -> bool:
            begun: bool = start(span, outer, self.clock or now)
            if begun and span.instance_id:  # which is made now, and first: ids may count
                self.origins[span.id] = _origin()
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

        record: Any = Record
        record._start, record._end = observed_start, observed_end
        # What goes past these two, in the usual case, is to go through them.
        span: Any = PlainSpan
        span.__enter__, span.__exit__ = Record.__enter__, Record.__exit__

    def stop(self) -> None:
        """Put back what was there before."""
        if self._before is not None:
            record: Any = Record
            span: Any = PlainSpan
            record._start, record._end, span.__enter__, span.__exit__ = self._before
            self._before = None


def _origin() -> Origin:
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no event loop runs in this thread
        task = None
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and is_ours(frame):
        frame = frame.f_back
    name = None if task is None else task.get_name()
    # A task is called by its event loop, which is no place to look at.
    is_loop = frame is not None and str(frame.f_globals.get("__name__")).startswith("asyncio.")
    return Origin(None if is_loop else _place(frame), threading.current_thread().name, name)


def _place(frame: FrameType | None) -> str:
    if frame is None:
        return "?"
    code: CodeType = frame.f_code
    return f"{os.path.basename(code.co_filename)}:{frame.f_lineno}"  # noqa: PTH119  # in every span
