"""A span: one step of an agent's run, as the user holds it and as the pipeline sends it.

The same object is the `with` block, the decorator, the handle and the record that is put on the
buffer, so that a step costs one allocation. What the agent's thread does here is counted: it reads
a clock, sets the context, copies the payload and appends to a deque.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from prefactor_trace import _guard
from prefactor_trace._capture import snapshot
from prefactor_trace._clock import to_ns
from prefactor_trace._home import make_id
from prefactor_trace._record import Record, check_mapping

if TYPE_CHECKING:
    from prefactor_trace.models import AgentStatus

F = TypeVar("F", bound=Callable[..., Any])


class Span(Record):
    """One step of an agent's run.

    Made by `span` (entered as a block, or put on a function as a decorator) and by `start_span`
    (open at once, ended by hand). All methods may be called from any thread, also after the span
    has ended or while tracing is off; they never raise for a fault of the library.

    Attributes:
        schema_name: Name of the span's type.
    """

    __slots__ = ()

    # As a decorator

    def __call__(self, function: F) -> F:
        """Return `function` wrapped so that each call of it is a span.

        Raises:
            UsageError: It is a class, or nothing that can be called.
        """
        from prefactor_trace._decorate import wrap_with_span

        return wrap_with_span(function, self)

    # What the user may say of it

    @property
    def id(self) -> str:
        """PFID of the span, made when first asked for."""
        return self._id or make_id(self)

    @property
    def parent_id(self) -> str | None:
        """PFID of the span that this one is nested in, ``None`` at the top of the run."""
        parent = self._parent
        # Of an ancestor that has arrived only the id is kept.
        return parent.id if isinstance(parent, Span) else parent if type(parent) is str else None

    @property
    def instance_id(self) -> str | None:
        """PFID of the instance that the span belongs to, ``None`` when it is not recorded."""
        return None if self._instance is None else self._instance.id

    @property
    def status(self) -> AgentStatus:
        """Where the span stands: pending, active, complete, failed or cancelled."""
        return self._status

    @property
    def truncated(self) -> bool:
        """Whether a part of payload or result was cut.

        It is known once the background thread has written the span: surely after `flush`.
        """
        return self._is_cut

    def set_payload(self, payload: Mapping[str, Any]) -> None:
        """Replace the payload: what went into the step.

        If the span was already sent while open, the new payload is sent with its end, under
        ``prefactor.payload`` in its result.

        Args:
            payload: Any mapping; it is copied now.

        Raises:
            UsageError: `payload` is not a mapping.
        """
        check_mapping(payload, "set_payload takes")
        if self._instance is None:
            self._payload = payload
        elif self._status == "active":
            try:
                copy, size = snapshot(payload)
                # Against the pipeline, which lets go of a payload once it has sent it.
                with self._instance._buffer.lock:
                    self._payload = copy
                self._instance._buffer.weigh(self, size - (self._size - self._result_size))
            except Exception as error:  # noqa: BLE001
                _guard.log_fault("copying a payload", error)

    def set_result(self, value: Any) -> None:
        """Set the result: what came out of the step.

        Args:
            value: Any value; it is copied now. What is not a mapping is sent as
                ``{"result": value}``.
        """
        if self._instance is not None and self._status == "active":
            try:
                self._result, size = snapshot(value)
                self._instance._buffer.weigh(self, size - self._result_size)
                self._result_size = size
            except Exception as error:  # noqa: BLE001
                _guard.log_fault("copying a result", error)

    def complete(self, result: Any = None, *, at: datetime.datetime | None = None) -> None:
        """End the span as complete.

        Args:
            result: The result, as in `set_result`; ``None`` leaves the one that was set before.
            at: When it ended, an aware datetime; now when missing.

        Raises:
            UsageError: `at` is not a datetime, or has no time zone.
        """
        moment = None if at is None else to_ns(at, "at")
        if result is not None:
            self.set_result(result)
        self._end("complete", moment)

    def fail(
        self, error: BaseException | str | None = None, *, at: datetime.datetime | None = None
    ) -> None:
        """End the span as failed.

        Args:
            error: What went wrong: a text, or an exception, whose type, message and stack trace
                are kept.
            at: When it ended, as in `complete`.

        Raises:
            UsageError: As `complete`.
        """
        moment = None if at is None else to_ns(at, "at")
        if error is not None:
            self._note_error(error)
        self._end("failed", moment)

    def cancel(self, *, at: datetime.datetime | None = None) -> None:
        """End the span as cancelled.

        Args:
            at: When it ended, as in `complete`.

        Raises:
            UsageError: As `complete`.
        """
        self._end("cancelled", None if at is None else to_ns(at, "at"))

    def __repr__(self) -> str:
        return f"<Span {self.schema_name!r} {self._status}>"

    @property
    def _own_span(self) -> Span:
        return self
