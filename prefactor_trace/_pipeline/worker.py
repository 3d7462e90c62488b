"""The work of the background thread: take, make, send, answer those who wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from prefactor_trace import _guard
from prefactor_trace._pipeline.inbox import Sign
from prefactor_trace._pipeline.sender import Inline, Sender

if TYPE_CHECKING:
    from prefactor_trace._pipeline.buffer import Buffer
    from prefactor_trace._pipeline.delivery import Delivery
    from prefactor_trace._pipeline.inbox import Inbox
    from prefactor_trace._pipeline.poll import Poll
    from prefactor_trace._settings import Settings
    from prefactor_trace._transport import Answer

# A thread that has nothing to do sleeps until it is woken; this bounds what a lost wake could cost.
_LONGEST_SLEEP = 60.0
_NEVER = float("inf")

# With a spool, what has ended is on disk this soon.
_SPOOL_INTERVAL = 0.02

# Where everything is sent at once, what cannot be sent must not keep the thread busy.
_SHORTEST_INTERVAL = 0.01

# Between two requests that are sent sooner than they would be.
_HURRIED_INTERVAL = 0.1


class Request:
    """Something asked of the background thread, and the sign that it is done.

    Args:
        closing: Why everything still open is to be ended; ``None`` leaves it open.
        stop: Whether the thread is to end.
        hasten: Whether all that comes later is to be sent at once.
    """

    __slots__ = ("closing", "done", "hasten", "stop", "until")

    def __init__(
        self, *, closing: str | None = None, stop: bool = False, hasten: bool = False
    ) -> None:
        self.done = Sign()
        self.until = 0  # number of the last record that must be acknowledged
        self.closing = closing
        self.stop = stop
        self.hasten = hasten


HURRY = Request()
"""Asks for what waits to be sent soon; nobody waits for it."""


class Worker:
    """Brings a buffer's records to the service, until it is asked to stop.

    Args:
        buffer: Where the records come from.
        delivery: Their order, and what each answer changes.
        sender: What carries a body to the service and brings back the answer.
        requests: What other threads ask, ``None`` to have a look at the buffer; and the answers of
            a sender that has a thread of its own.
        settings: Intervals.
        poll: Asks after runs.
    """

    def __init__(
        self,
        buffer: Buffer,
        delivery: Delivery,
        sender: Sender | Inline,
        requests: Inbox[Request | Answer | None],
        settings: Settings,
        *,
        poll: Poll,
    ) -> None:
        self._poll = poll
        self._buffer = buffer
        self._delivery = delivery
        self._sender = sender
        self._requests = requests
        self._waiting: list[Request] = []
        self._interval = _SPOOL_INTERVAL if settings.spool_dir else settings.flush_interval
        self._flush_interval = settings.flush_interval
        self._deadline = _NEVER
        self._next_take = 0.0  # when the buffer is looked at next; never, while asleep
        self._next_send = 0.0  # when what does not fill a request is sent all the same

    def run(
        self, deadline: float | None = None, is_done: Callable[[], bool] = lambda: False
    ) -> list[Request]:
        """Work until asked to stop, until `is_done` or `deadline`; return the requests to stop."""
        self._deadline = _NEVER if deadline is None else deadline
        self._next_take = time.monotonic() + self._interval
        self._next_send = time.monotonic() + self._flush_interval
        stopping: list[Request] = []
        while not stopping and not is_done() and time.monotonic() < self._deadline:
            stopping = self._turn()
        return stopping

    def _turn(self) -> list[Request]:
        """Do what is next; return the requests to stop, where there are any."""
        try:
            self._receive()
            if self._buffer.has_batch or time.monotonic() >= self._next_take:
                self._delivery.take()
                self._next_take = time.monotonic() + max(self._interval, _SHORTEST_INTERVAL)
            if time.monotonic() >= self._send_due:
                self._send()
            if time.monotonic() >= self._poll.due and self._sender.is_free:
                self._poll.put_off()
                self._sender.poll()
            self._delivery.notices.tell()
            stopping = self._answer()
            if stopping and (self._delivery.is_halted or not self._delivery.pending):
                return stopping
            for request in stopping:  # others go on recording: they need the thread
                request.done.set()
            if not (self._delivery.pending or self._waiting) and self._buffer.sleep():
                self._next_take = _NEVER
        except Exception as error:  # noqa: BLE001
            _guard.log_fault("delivering", error)
            # Or the same fault, met at once again, would keep the thread busy.
            pause = max(self._flush_interval, _SHORTEST_INTERVAL)
            self._next_take = self._next_send = time.monotonic() + pause
        return []

    @property
    def _send_due(self) -> float:
        """When the next batch is to be sent."""
        delay = self._delivery.delay
        if delay is None or not self._sender.is_free:  # the answer on its way will wake us
            return _NEVER
        due = time.monotonic() + delay if delay else 0.0
        # Somebody waits for it, it fills a request, or it has waited: no more to wait for.
        is_urgent = self._waiting or self._delivery.has_batch or self._delivery.goes_on
        return due if is_urgent else max(due, self._next_send)

    def _receive(self) -> None:
        """Wait for something asked, for being woken, or for what is due."""
        longest = time.monotonic() + _LONGEST_SLEEP
        due = min(self._next_take, self._send_due, self._poll.due, longest, self._deadline)
        try:
            asked = self._requests.get(timeout=max(0.0, due - time.monotonic()))
        except TimeoutError:
            # After the longest sleep there is a look, lest a lost wake cost more than that.
            self._next_take = min(self._next_take, time.monotonic())
            return
        # Whoever wakes a sleeping thread has just recorded something: more may follow soon.
        self._next_take = min(self._next_take, time.monotonic() + self._interval)
        if asked is HURRY:
            last = self._next_send - self._flush_interval
            self._next_send = min(self._next_send, last + _HURRIED_INTERVAL)
            self._next_take = min(self._next_take, self._next_send)
        elif isinstance(asked, Request):
            self._accept(asked)
        elif asked is not None:
            self._sender.is_free = True
            self._delivery.read(asked)

    def _accept(self, request: Request) -> None:
        if request.hasten:
            self._interval = self._flush_interval = 0.0
            self._next_take = self._next_send = 0.0
        self._delivery.take()
        if request.closing is not None:
            self._delivery.intake.close_open(request.closing)
        self._delivery.intake.release()
        self._delivery.hurry()
        request.until = self._delivery.intake.taken
        self._waiting.append(request)

    def _send(self) -> None:
        """Send the next batch."""
        self._next_send = time.monotonic() + self._flush_interval
        body = self._delivery.next_body()
        if body is not None:
            answer = self._sender.send(body)
            if answer is not None:
                self._delivery.read(answer)

    def _answer(self) -> list[Request]:
        """Answer the requests that are done, and return those of them that were to stop."""
        oldest = self._delivery.oldest
        # While a request is on its way, its answer may settle all that is left.
        is_halted = self._delivery.is_halted and self._sender.is_free
        stopping = []
        for request in list(self._waiting):
            # At the end of the process, what is in the spool need not be waited for.
            may_be_kept = request.closing is not None or request.hasten
            is_kept = may_be_kept and self._delivery.is_kept
            if is_halted or is_kept or oldest is None or oldest > request.until:
                self._waiting.remove(request)
                if request.stop:
                    stopping.append(request)
                else:
                    request.done.set()
        return stopping
