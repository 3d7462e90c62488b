"""Plain spans: those made with a name and perhaps a payload, and with no option. Most are.

Their blocks are entered and left as those of any `Record`, but all in one function: without calls
within the library, and without checks whose answer is known for a plain span, a block costs a
quarter less, and nested ones a third. Whatever is changed there has to be changed here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from prefactor_trace import _fate, _guard
from prefactor_trace._capture import snapshot
from prefactor_trace._clock import Clock
from prefactor_trace._context import (
    ENDED,
    ENTERS,
    GENERATOR,
    current,
    note_frame,
)
from prefactor_trace._span import Span

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from prefactor_trace._home import Home

_frame_above = sys._getframe
_held, _hold, _put_back = current.get, current.set, current.reset


class PlainSpan(Span):
    """A span with a name, without a parent or an option that was given."""

    __slots__ = ()

    __init__ = object.__init__  # `plain_span` sets the fields: to call one in Python costs more

    def __enter__(self, _now: Callable[[], int] = Clock.monotonic) -> Self:  # noqa: C901, PLR0912
        outer = _held()
        # Two branches alike: an expression that always meets the same class is faster.
        if type(outer) is PlainSpan:
            parent, doubt, instance = outer, outer._doubt, outer._instance
        elif outer is not None:
            parent, doubt, instance = outer._own_span, outer._doubt, outer._instance
        else:
            return self._enter(_frame_above(1))
        if (
            doubt is not None
            or instance._open_to is not self._home
            or self._instance is not None  # begun before
        ):
            return self._enter(_frame_above(1))
        try:
            try:
                payload = self._payload
                if not payload:
                    self._payload = None  # not copied, and the agent may fill an empty one later
                elif not self._size:  # or it was copied before, when it was called
                    self._payload, self._size = snapshot(payload)
                self._parent = parent
                self._instance = instance
                self._status = "active"
                self._started = _now()
                buffer = instance._buffer
                if len(buffer.starts) >= buffer.room:
                    buffer.add_start(self)
                else:
                    if payload:
                        buffer.add_waiting(self._size)
                    buffer.starts.append(self)
                    if not buffer.room:  # any more: the thread may have gone to sleep meanwhile
                        buffer.rouse()
            except Exception as error:  # noqa: BLE001
                _guard.log_fault("starting a span", error)
                return self
            self._token = _hold(self)
            code = _frame_above(1).f_code
            if code.co_flags & GENERATOR or code.co_name in ENTERS:
                note_frame(self, _frame_above(1))
        except BaseException as error:
            self._take_back(outer, error)
            raise
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
        _now: Callable[[], int] = Clock.monotonic,
    ) -> Literal[False]:
        try:
            held: object = _held()
            if exc is not None or self._status != "active" or held is not self:
                return self._exit(exc)
            try:
                _put_back(self._token)  # type: ignore[arg-type, unused-ignore]
            except (ValueError, RuntimeError, TypeError):
                return self._exit(None)
            self._token = None
            self._ended = _now()
            self._status = "complete"
            self._doubt = ENDED
            parent = self._parent
            if self._fate or (parent is not None and parent._status != "active"):
                self._tell_end()
        except BaseException as fault:
            self._exit(exc)
            if self._fate:  # the pipeline may have been told nothing of the end
                self._instance._buffer.ends.append(self)
            if not isinstance(fault, Exception):
                raise
        return False


def plain_span(home: Home, schema_name: str, payload: Mapping[str, Any] | None) -> PlainSpan:
    """Return a span of that name, which is not empty; `payload` is known to be a mapping."""
    span: PlainSpan = PlainSpan()
    span._home = home
    span.schema_name = schema_name
    span._payload = payload
    span._status = "pending"
    span._parent = span._options = span._instance = span._result = span._error = span._id = None
    span._doubt = span._token = None
    span._fate = _fate.NEW
    span._size = span._result_size = span._weight = 0
    span._is_cut = False
    return span
