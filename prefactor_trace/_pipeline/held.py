"""Records of a run that is kept only if it fails, held back until that is known."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from prefactor_trace import _fate
from prefactor_trace._locks import make_lock

if TYPE_CHECKING:
    from prefactor_trace._instance import Instance
    from prefactor_trace._pipeline.buffer import Buffer
    from prefactor_trace._quality import Quality
    from prefactor_trace._span import Span

MOST_SPANS = 10_000
"""Spans of one run that are held; the first ones, since the later would have no parents."""

MOST_BYTES = 16 * 1024 * 1024
"""Bytes that these may take, estimated."""


class HeldBuffer:
    """Stands in for the buffer of one run until it is known whether the run is kept.

    Args:
        buffer: Where the records go if it is.
        instance: The run.
    """

    def __init__(self, buffer: Buffer, instance: Instance) -> None:
        self.lock = make_lock()
        self.room = 0  # so that `add_start` is asked for each span
        self.starts: deque[Span] = deque()
        self._buffer = buffer
        self._instance = instance
        self.ends: deque[Span | Instance | Quality] = deque()
        self._bytes = 0
        self._refused = 0
        self._is_over = False
        self._is_passed_on = False  # at least in part
        self._kept: Buffer | None = None

    def add_start(self, span: Span) -> None:
        """Hold a span that begins, or let it go where there is no room."""
        with self.lock:
            if self._kept is None:
                is_full = len(self.starts) >= MOST_SPANS or self._bytes > MOST_BYTES
                if is_full or self._is_over:
                    self._refused += 1
                    _let_go(span)
                else:
                    self._bytes += span._size
                    self.starts.append(span)
                return
        self._kept.add_start(span)

    def add_end(self, record: Span | Instance | Quality) -> None:
        """Hold the end of a span, or a quality record; with that of the run, let go of all."""
        with self.lock:
            if self._kept is None:
                if record is self._instance:
                    self._is_over = True
                    for span in self.starts:
                        _let_go(span)
                    self.starts.clear()
                    self.ends.clear()
                elif not self._is_over and record._fate != _fate.LOST:
                    self.ends.append(record)
                return
        self._kept.add_end(record)

    def leads_to(self, buffer: Buffer) -> bool:
        """Return whether what is held here comes into a buffer, if the run is kept."""
        return buffer is self._buffer

    def weigh(self, span: Span, more: int) -> None:
        """Count `more` bytes that a span holds from now on."""
        with self.lock:
            if self._kept is None:
                span._size += more
                self._bytes += more
                return
        self._kept.weigh(span, more)

    def release(self) -> Buffer:
        """Pass on all that was held, and whatever comes from now on; return where it goes.

        Interrupted by a signal handler, it is called again, and goes on where it was.
        """
        buffer = self._buffer
        with self.lock:
            is_again, self._is_passed_on = self._is_passed_on, True
            if not is_again or not self._is_known():  # interrupted before the run was passed on
                buffer.add_instance(self._instance)
            while self.starts:
                buffer.add_start(self.starts.popleft())
            while self.ends:
                buffer.add_end(self.ends.popleft())
            while self._refused:
                self._refused -= 1
                buffer.count_refused()
            self._kept = buffer
        return buffer

    def _is_known(self) -> bool:
        """Return whether the beginning of the run was passed on, before an interruption."""
        run = self._instance
        return run._fate != _fate.NEW or run in self._buffer.peek()


def _let_go(span: Span) -> None:
    span._fate = _fate.LOST
    span._payload = span._result = span._error = None
