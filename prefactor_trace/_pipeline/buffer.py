"""Where the agent's threads leave records for the background thread, without waiting.

Without a lock, threads share only `deque.append`, `deque.popleft`, `len` and single attribute
stores, which CPython keeps atomic with and without the interpreter lock; and one sum that need not
be exact.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from prefactor_trace import _fate, _guard
from prefactor_trace._home import make_ids
from prefactor_trace._locks import make_lock
from prefactor_trace._pipeline.held import HeldBuffer
from prefactor_trace._pipeline.inbox import copy_of
from prefactor_trace._pipeline.ledger import Ledger
from prefactor_trace._slices import in_slices

if TYPE_CHECKING:
    from prefactor_trace._capture import Json
    from prefactor_trace._instance import Instance
    from prefactor_trace._quality import Quality
    from prefactor_trace._span import Span
    from prefactor_trace.models import AgentStatus

_NEVER = 1 << 62
_FULL = "buffer full"
_FEW = 100


def _in_fews(count: int) -> Iterator[int]:
    """Give numbers that add up to `count`: so few are taken in a fraction of a slice."""
    while count > 0:
        yield min(count, _FEW)
        count -= _FEW


def _reweigh(span: Span) -> int:
    """Note how many bytes a span takes by now; return how many more these are than before."""
    more = span._size - span._weight
    span._weight += more
    return more


class Drained(NamedTuple):
    """What left the buffer at once, each list in the order of its recording."""

    instances: list[Instance]
    starts: list[Span]
    ends: list[Span | Instance | Quality]


class Buffer:
    """Records on their way to the background thread, bounded in spans and bytes.

    Args:
        max_spans: Spans that may be undelivered; what begins beyond them is dropped.
        max_bytes: Bytes that these may take, estimated.
        batch: Spans that fill a request: when so many wait, the background thread is woken.
        wake: Wakes it, and says whether it could; cheap, and safe to call from anywhere.
    """

    def __init__(
        self, max_spans: int, max_bytes: int, batch: int, wake: Callable[[], bool]
    ) -> None:
        self.lock = make_lock()
        self.unsettled = 0  # spans taken and not settled; written by the background thread alone
        self.starts: deque[Span] = deque()
        # While fewer spans than this wait, another may be appended to `starts` without asking
        # `add_start`. It is 0 while the thread sleeps, and while there are too many bytes.
        self.room = 0
        self._instances: deque[Instance] = deque()
        self.ends: deque[Span | Instance | Quality] = deque()
        self._bytes = 0  # of the spans that were taken and are not settled
        # Of the spans that wait, about: threads add to it without a lock, and may lose each other's
        # additions. Each drain puts it back to 0, and counts what it takes exactly.
        self._waiting_bytes = 0
        self._max_spans = max_spans
        self._max_bytes = max_bytes
        self._batch = batch
        self._wake_at = 0  # the thread is woken when so many spans wait; 0 while it sleeps
        self._wake_thread = wake
        self.ledger = Ledger(self.__len__)

    # From the agent's threads

    def add_start(self, span: Span) -> None:
        """Leave a span that begins, or drop it if there is no room."""
        waiting = len(self.starts)
        if waiting + self.unsettled >= self._max_spans or not self._has_room_for_bytes:
            self._refuse(span)
            return
        if span._size:
            self.add_waiting(span._size)
        self.starts.append(span)
        if waiting >= self._wake_at:
            self._wake()

    def add_end(self, record: Span | Instance | Quality) -> None:
        """Leave the end of a span or an instance, or a quality record; there is always room."""
        if record._fate == _fate.LOST:
            return
        self.ends.append(record)
        self.rouse()

    def add_instance(self, instance: Instance) -> None:
        """Leave an instance that begins, or drop it where there is no room."""
        if len(self._instances) >= self._max_spans:
            self.refuse_run(instance)
            return
        self._instances.append(instance)
        self.rouse()

    def hold(self, instance: Instance) -> HeldBuffer:
        """Return what takes the records of a run that is kept only if it fails."""
        return HeldBuffer(self, instance)

    def leads_to(self, buffer: Buffer) -> bool:
        """Return whether what is left here comes into a buffer."""
        return buffer is self

    def weigh(self, span: Span, more: int) -> None:
        """Count `more` bytes that a span holds from now on, unless it was settled meanwhile."""
        span._size += more
        if span._fate == _fate.NEW:
            self.add_waiting(more)
            return
        with self.lock:  # and no call in there, see `make_lock`
            if span._fate < _fate.SETTLED:
                self._bytes += span._size - span._weight
                span._weight = span._size
        self._measure_room()

    def rouse(self) -> None:
        """Wake the thread, if it sleeps."""
        if not self._wake_at:
            self._wake()

    def _refuse(self, span: Span) -> None:
        span._fate = _fate.LOST
        span._payload = None
        self.count_refused()
        self.rouse()  # or, if it sleeps while too many bytes are counted, nothing would be taken

    def count_refused(self) -> None:
        """Count a span that was dropped since there is no room for it."""
        self.ledger.drop(_FULL, taken=False)
        self._say_full()

    def _say_full(self) -> None:
        _guard.log_seldom(
            logging.WARNING,
            _FULL,
            "prefactor_trace: the buffer is full (max_buffer_spans=%d, max_buffer_bytes=%d) and new"
            " spans are dropped until some are delivered; stats() counts them",
            self._max_spans,
            self._max_bytes,
        )

    def _wake(self) -> None:
        try:
            self._set_wake_at(_NEVER)  # once is enough until the next drain
            is_awake = self._wake_thread()
        except BaseException:  # of a signal handler: the thread may not have been woken
            self._set_wake_at(0)
            raise
        if not is_awake:  # no thread could start; it is tried again with the next batch
            self._set_wake_at(len(self.starts) + self._batch)

    def _set_wake_at(self, wake_at: int) -> None:
        self._wake_at = wake_at
        self._measure_room()

    def add_waiting(self, size: int) -> None:
        """Count the bytes of a span that is left, or that is given more while it waits."""
        self._waiting_bytes += size
        if self._bytes + self._waiting_bytes > self._max_bytes:
            self.room = 0

    def _measure_room(self) -> None:
        with self.lock:  # and no call in there, see `make_lock`
            room = self._max_spans - self.unsettled
            room = (room, self._wake_at)[room > self._wake_at]
            is_full = (room < 0) | (self._bytes + self._waiting_bytes > self._max_bytes)
            self.room = (room, 0)[is_full]

    @property
    def _has_room_for_bytes(self) -> bool:
        return self._bytes + self._waiting_bytes <= self._max_bytes

    # From the background thread

    def drain(self) -> Drained:
        """Take everything out.

        Ends are counted first and instances last: a span's end is left after its beginning, and
        its beginning after that of its instance, so none is taken before what it belongs to.
        """
        self._set_wake_at(self._batch)
        with self.lock:
            estimate, self._waiting_bytes = self._waiting_bytes, 0
            self._bytes += estimate
        ends, starts, instances = len(self.ends), len(self.starts), len(self._instances)
        taken: list[Span] = []
        weight = 0
        for few in in_slices(_in_fews(starts)):
            # Before they are taken, and not while the ledger is locked: a thread that holds the
            # buffer's lock may be interrupted and ask the ledger, and neither would let go. Until
            # they are taken, these few count twice.
            with self.lock:
                self.unsettled += few
                self._measure_room()
            with self.ledger.lock:
                spans = [self.starts.popleft() for _ in range(few)]
                self.ledger.take(few)
            make_ids(spans)
            with self.lock:
                for span in spans:
                    span._fate = _fate.WAITING
                    weight += _reweigh(span)
            taken += spans
        with self.lock:
            self._bytes += weight - estimate
            self._measure_room()
        ended: list[Span | Instance | Quality] = []
        for few in in_slices(_in_fews(ends)):
            ended += [self.ends.popleft() for _ in range(few)]
        return Drained([self._instances.popleft() for _ in range(instances)], taken, ended)

    def claim(self, span: Span) -> tuple[AgentStatus, Json]:
        """Return a span's status and payload for its create, which is made once.

        A payload that is set later travels with the span's end. The lock keeps `set_payload` from
        coming between; it is not held while the payload is written, which takes longer than the
        agent's threads should wait.
        """
        if span._status != "active":  # it has ended: nothing of it changes any more
            span._fate = _fate.CREATED
            return span._status, span._payload
        with self.lock:
            status, payload = span._status, span._payload
            if status == "active":
                span._fate = _fate.OPEN
                span._payload = None
            else:
                span._fate = _fate.CREATED
        return status, payload

    def settle(self, span: Span, fate: int) -> None:
        """Give back the room of a span; the span itself may live on as somebody's parent."""
        self.settle_all([span], fate)

    def settle_all(self, spans: list[Span], fate: int) -> None:
        """Give back the room of several spans."""
        with self.lock:
            for span in spans:
                self._bytes -= span._weight
                span._weight = 0
                span._fate = fate
                span._payload = span._result = span._error = None
            self.unsettled -= len(spans)
            self._measure_room()

    def peek(self) -> list[Instance | Span]:
        """Return the instances and spans that have begun and wait to be taken."""
        return [*copy_of(self._instances), *copy_of(self.starts)]

    def clear(self) -> None:
        """Be as new, in a forked child."""
        self.drain()
        self.unsettled = 0
        self._bytes = self._waiting_bytes = 0
        self._set_wake_at(0)
        self.ledger = Ledger(self.__len__)

    def has_room_for_run(self, unsent: int) -> bool:
        """Return whether another run may wait to be registered, beside the `unsent` ones."""
        return unsent < self._max_spans

    def refuse_run(self, instance: Instance, reason: str = _FULL) -> None:
        """Drop an instance that was not registered, and with it the spans in it."""
        instance._fate = _fate.LOST
        instance._drop_reason = reason
        self.ledger.drop_run(instance.id, reason)
        if reason == _FULL:
            self._say_full()

    def set_bounds(self, max_spans: int, max_bytes: int) -> None:
        """Set how many spans and bytes may be undelivered from now on."""
        with self.lock:
            self._max_spans, self._max_bytes = max_spans, max_bytes
            self._measure_room()

    def wake_at_next(self) -> None:
        """Have the next record wake the thread, whatever waits."""
        self._set_wake_at(0)

    def sleep(self) -> bool:
        """Have the next record wake the thread, if nothing waits; say whether it may sleep."""
        if self.is_empty:
            # A thread may have added a span's bytes after the span was taken; nobody else would
            # put that right.
            self._waiting_bytes = 0
            self._set_wake_at(0)
            # What was left just before has not woken the thread.
            if self.is_empty:
                return True
        self._set_wake_at(self._batch)
        return False

    @property
    def has_batch(self) -> bool:
        """Whether enough spans wait to fill a request."""
        return len(self.starts) >= self._batch

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def waiting(self) -> int:
        """Number of records that wait to be taken."""
        return len(self.starts) + len(self.ends) + len(self._instances)

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits to be taken."""
        return not self.waiting
