"""Records in the order in which they must reach the service."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, cast

from prefactor_trace import _fate
from prefactor_trace._capture import ErrorSnapshot
from prefactor_trace._clock import Clock
from prefactor_trace._locks import ForkLock
from prefactor_trace._slices import in_slices

if TYPE_CHECKING:
    from prefactor_trace._instance import Instance
    from prefactor_trace._pipeline.buffer import Buffer
    from prefactor_trace._span import Span

Kind = Literal["instance", "inherited span", "span", "finish span", "quality", "finish instance"]


Step = tuple[Kind, Any, int]
"""Something that the service has to be told: what, the record, and its number."""


class Intake:
    """Takes records out of the buffer and puts them in order.

    Instances come before their spans and parents before their children, as they began. A span that
    has ended by the time its step is worked off is one step, not two. The finish of an instance
    waits until its spans have ended, or until it is released.

    Args:
        buffer: Where the records come from.
    """

    def __init__(self, buffer: Buffer) -> None:
        # The beginning of a span is queued as the span itself, which has its number, and not as a
        # `Step`: one more object for each of many spans costs the garbage collector 50 ms.
        self._steps: deque[Step | Span] = deque()
        self.taken = 0
        self.unsent_runs = 0  # taken, and not registered yet
        self._buffer = buffer
        self._open_spans: dict[Span, None] = {}  # in the order of their beginning
        self._open_instances: dict[Instance, None] = {}
        self._waiting_for_spans: dict[Instance, None] = {}  # ended, with spans that have not
        # What is out of the buffer at a fork, and not in here yet, would not be known to the child.
        self.taking = ForkLock()

    @property
    def has_open(self) -> bool:
        """Whether a span or an instance that was taken has not ended."""
        return bool(self._open_spans or self._open_instances)

    def take(self) -> None:
        """Take all that the buffer holds."""
        with self.taking.lock:
            self._take()

    def _take(self) -> None:
        drained = self._buffer.drain()
        for instance in drained.instances:
            if not self._buffer.has_room_for_run(self.unsent_runs):
                self._buffer.refuse_run(instance)
                continue
            instance._fate = _fate.WAITING
            self._open_instances[instance] = None
            self._add("instance", instance)
        for span in in_slices(drained.starts):
            instance = span._instance
            if instance._joined:
                self._join(instance)
            parent = span._parent
            if parent is not None and parent._fate == _fate.INHERITED:
                self._create_inherited(parent)
            instance._home._registry.note_used(span.schema_name)
            # `drain` has marked the span as taken. If it ends after this line, `add_end` sees the
            # mark and leaves its end for the next drain.
            if span._status == "active":
                instance._open_spans += 1
                self._open_spans[span] = None
            self.taken += 1
            span._order = self.taken
            self._steps.append(span)
        for record in in_slices(drained.ends):
            self._take_end(record)

    @property
    def waiting(self) -> int:
        """Number of the steps that are to be worked off."""
        return len(self._steps)

    @property
    def oldest(self) -> int | None:
        """Number of the first step that is to be worked off."""
        return _as_step(self._steps[0])[2] if self._steps else None

    def steps(self) -> Iterator[Step]:
        """Give the steps that are to be worked off."""
        return map(_as_step, self._steps)

    def work_off(self) -> Iterator[Step | Span]:
        """Give the steps that are to be worked off, and take each out.

        For the beginning of a span it gives the span itself: to make a `Step` of it takes as long
        again.
        """
        while self._steps:
            yield self._steps.popleft()

    def drop(self, numbers: set[int]) -> None:
        """Take out the steps with these numbers."""
        self._steps = deque([step for step in self._steps if _as_step(step)[2] not in numbers])

    def release(self) -> None:
        """Let the finishes of instances go, though spans of theirs are still open."""
        for instance in self._waiting_for_spans:
            self._add("finish instance", instance)
        self._waiting_for_spans.clear()

    def close_open(self, reason: str) -> None:
        """End as failed all that is still open, since nobody will."""
        # The innermost first, as they would have ended.
        for span in [one for one in reversed(self._open_spans) if one._status == "active"]:
            span._error = ErrorSnapshot("Unfinished", reason, (), None)
            span._ended = Clock.monotonic()
            span._status = "failed"
            self._take_end(span)
        for instance in [one for one in self._open_instances if one._status == "active"]:
            instance._ended = Clock.monotonic()
            instance._status = "failed"
            self._take_end(instance)
        self.release()

    def forget(self, record: Any) -> None:
        """Wait no longer for the end of a span or an instance, which was given up."""
        if record in self._open_spans:
            del self._open_spans[record]
            self._count_out(record._instance)
        self._open_instances.pop(record, None)
        self._waiting_for_spans.pop(record, None)

    def name_open(self) -> None:
        """Before a fork: make the ids of what is open, so that parent and child have the same."""
        begun = [*self._open_instances, *self._open_spans, *self._buffer.peek()]
        for record in begun:
            if record._status == "active":
                _ = record.id

    def leave_to_parent(self) -> None:
        """In a forked child: leave what the parent process has begun to it.

        What the child begins inside may name it, hence the child makes known what the parent may
        not have sent yet. The items have the keys that the parent's have: whichever comes second
        changes nothing.
        """
        drained = self._buffer.drain()
        for instance in [*self._open_instances, *drained.instances]:
            instance._joined = instance._is_shared = True
            instance._open_spans = 0
        waiting = [record for kind, record, _ in self.steps() if kind == "span"]
        for span in [*waiting, *drained.starts]:
            is_open = span._status == "active"
            span._fate = _fate.INHERITED if is_open else _fate.CREATED
            # So that the child, if it is the first to register the run, declares it too.
            span._home._registry.note_used(span.schema_name)

    def _create_inherited(self, span: Span) -> None:
        parent = span._parent
        if parent is not None and parent._fate == _fate.INHERITED:
            self._create_inherited(parent)
        span._fate = _fate.ELSEWHERE
        self._add("inherited span", span)

    def _join(self, instance: Instance) -> None:
        """Register an instance that another process has begun, before the first span in it."""
        instance._joined = False
        instance._fate = _fate.WAITING
        self._add("instance", instance)

    def _take_end(self, record: Any) -> None:
        if record in self._open_spans:
            del self._open_spans[record]
            if record._fate == _fate.OPEN:
                self._add("finish span", record)
            self._count_out(record._instance)
        elif record in self._open_instances:
            del self._open_instances[record]
            if record._open_spans:
                self._waiting_for_spans[record] = None
            else:
                self._add("finish instance", record)
        elif hasattr(record, "payload"):  # a quality record, which has no beginning
            self._add("quality", record)

    def _count_out(self, instance: Instance) -> None:
        instance._open_spans -= 1
        if not instance._open_spans and instance in self._waiting_for_spans:
            del self._waiting_for_spans[instance]
            self._add("finish instance", instance)

    def _add(self, kind: Kind, record: Any) -> None:
        self.taken += 1
        self.unsent_runs += kind == "instance"
        self._steps.append((kind, record, self.taken))


def _as_step(step: Step | Span) -> Step:
    return step if type(step) is tuple else ("span", step, cast("Span", step)._order)
