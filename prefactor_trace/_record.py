"""A span as the pipeline sends it: what it holds, where it belongs, how it begins and ends."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from prefactor_trace import _fate, _guard
from prefactor_trace._ancestors import note_outlived
from prefactor_trace._cancellation import is_cancellation
from prefactor_trace._capture import ErrorSnapshot, Json, as_mapping, snapshot, snapshot_error
from prefactor_trace._clock import Clock
from prefactor_trace._context import (
    ENDED,
    Node,
    current,
    enter,
    innermost,
    leave,
    note_frame,
)
from prefactor_trace._stray import find_node
from prefactor_trace._untraced import ROOT, Root, Untraced
from prefactor_trace.exceptions import PrefactorTerminated, UsageError

if TYPE_CHECKING:
    from types import FrameType, TracebackType

    from typing_extensions import Self

    from prefactor_trace._home import Home
    from prefactor_trace._instance import Instance
    from prefactor_trace._schema import SpanOptions
    from prefactor_trace._span import Span
    from prefactor_trace.models import AgentStatus, FinishStatus


class Record(Node):
    """What a span holds, and its way from pending to its end.

    Attributes:
        schema_name: Name of the span's type.
    """

    __slots__ = (
        "_ended",
        "_error",
        "_fate",
        "_home",
        "_id",
        "_instance",
        "_is_cut",
        "_options",
        "_order",
        "_parent",
        "_payload",
        "_result",
        "_result_size",
        "_size",
        "_started",
        "_status",
        "_weight",
        "schema_name",
    )

    _ended: int
    _order: int  # number among all that was taken; written by the pipeline
    _started: int

    def __init__(
        self,
        home: Home,
        schema_name: str | None,
        payload: Mapping[str, Any] | None = None,
        parent: Span | Instance | Root | None = None,
        options: SpanOptions | None = None,
    ) -> None:
        if payload is not None and type(payload) is not dict:
            check_mapping(payload, "the payload of a span must be")
        if parent is not None and not issubclass(type(parent), (Node, Root)):
            raise UsageError(
                f"the parent of a span must be a Span, an Instance or ROOT,"
                f" got {type(parent).__qualname__}"
            )
        self._home = home
        self._is_cut = False  # written by the pipeline
        self.schema_name = schema_name or ""
        self._payload: Any = payload
        self._parent: Any = parent
        self._options = options
        self._instance: Any = None  # set when it starts, and only if it is recorded
        self._status: AgentStatus = "pending"
        self._result: Json = None
        self._error: ErrorSnapshot | None = None
        self._id: str | None = None
        self._fate = _fate.NEW  # written by the pipeline alone
        self._size = self._result_size = 0  # bytes of payload and result, and of the latter
        self._weight = 0  # as much of them as the buffer counts; written by it alone
        self._doubt = self._token = None

    def __enter__(self) -> Self:
        return self._enter(sys._getframe(1))

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> Literal[False]:
        try:
            return self._exit(exc)
        except BaseException:  # a signal handler's: perhaps before it had begun
            self._exit(exc)
            raise

    def _enter(self, frame: FrameType) -> Self:
        """Begin as a block that was entered in `frame`."""
        if not self.schema_name:
            raise UsageError("a span that is a block needs a name, such as span('tool_call')")
        held, is_new = current.get(), self._instance is None
        try:
            if self._start(innermost()):
                enter(self)
                note_frame(self, frame)
        except BaseException as error:
            if is_new:
                self._take_back(held, error)
            raise
        return self

    def _exit(self, error: BaseException | None) -> Literal[False]:
        """End as a block, left with an exception or without."""
        if self._instance is not None:
            try:
                leave(self)
                if error is None:
                    self._end("complete")
                else:
                    self._end_with(error)
            except BaseException as fault:
                # A signal handler raised in the midst of it, or there is no stack left. Nobody will
                # try again: it ends here, with as few calls as possible.
                if self._status == "active":
                    self._ended = Clock.monotonic()
                    self._status = "complete" if error is None else "failed"
                self._doubt = ENDED
                self._instance._buffer.ends.append(self)
                if not isinstance(fault, Exception):
                    raise
        return False

    def _take_back(self, held: Node | None, error: BaseException) -> None:
        """End a block whose entering was interrupted: nobody will leave it.

        Args:
            held: What was held before.
            error: What interrupted it, such as the exception of a signal handler.
        """
        if self._instance is None:
            return
        if current.get() is self:
            current.set(held)  # not by the token, which may not be stored yet
        self._token = None
        self._exit(error)

    def _begin(self) -> bool:
        return self._start(innermost())

    def _start(self, outer: Node | None, now: Callable[[], int] = Clock.monotonic) -> bool:
        """Begin, under the parent that was given or else under `outer`; say whether it did."""
        try:
            if self._status != "pending":
                self._warn_reused()
                return False
            node: Any = outer
            if self._parent is not None or outer is None or outer._home is not self._home:
                node = self._find_parent(outer)
            instance = self._home._get_ambient() if node is None else node._instance
            if instance is None or not instance._recorded:
                return False
            if instance.terminated:
                instance._refuse_span()
            self._parent = None if node is None else node._own_span
            payload = self._payload
            if not payload:
                self._payload = None  # not copied, and the agent may fill an empty one later
            elif not self._size:
                self._payload, self._size = snapshot(payload)
            self._instance = instance
            self._status = "active"
            self._started = now()
            if self._options is not None and self._options.started_at is not None:
                self._started = instance._moment(self._options.started_at)
            instance._buffer.add_start(self)
        except PrefactorTerminated:  # where the user asked for it
            raise
        except Exception as error:  # noqa: BLE001
            _guard.log_fault("starting a span", error)
            return False
        return True

    def _prepare(self, outer: Node | None) -> None:
        """Settle parent and payload now, for a span that begins later and perhaps elsewhere."""
        try:
            self._parent = self._find_parent(outer) or self._home._get_ambient()
            if self._payload:
                self._payload, self._size = snapshot(self._payload)
            else:
                self._payload = None
        except Exception as error:  # noqa: BLE001
            _guard.log_fault("preparing a span", error)

    def _find_parent(self, outer: Node | None) -> Node | None:
        """Return what to nest in where that is not simply `outer`, which the code is in."""
        given = self._parent
        if isinstance(outer, Untraced):
            return outer
        # One that is not recorded is as good as none.
        if given is not None and given is not ROOT and given._instance is not None:
            node: Node | None = given
            return node
        if outer is None or outer._home is not self._home:
            outer = find_node(self._home, outer, self.schema_name)
        return outer._instance if given is ROOT and outer is not None else outer

    def _warn_reused(self) -> None:
        _guard.log_seldom(
            logging.WARNING,
            f"reused {self.schema_name}",
            "prefactor_trace: span %r was entered twice; its second time is not recorded, since"
            " one span object is one step: call span() anew",
            self.schema_name,
        )

    def _end(
        self,
        status: FinishStatus,
        at: int | None = None,
        now: Callable[[], int] = Clock.monotonic,
    ) -> None:
        if self._status != "active":
            return
        self._ended = now()
        if at is not None:
            # The clocks of two logs may differ; a span that ends before it begins helps nobody.
            self._ended = max(self._started, self._instance._moment(at))
        self._doubt = ENDED
        self._status = status
        try:
            self._tell_end()
        except BaseException:  # a signal handler's, in the midst of it: to be told twice is no harm
            self._tell_end()
            raise

    def _tell_end(self) -> None:
        """Tell the pipeline that it has ended, and note it if its parent had before."""
        # A span that the pipeline has not taken yet needs no word: its status is read then.
        if self._fate:
            self._instance._buffer.add_end(self)
        parent = self._parent
        if parent is not None and parent._status != "active":
            note_outlived(self)

    def _end_with(self, error: BaseException) -> None:
        """End as an exception that leaves the block, or the function, says."""
        if self._status != "active":
            return
        if is_cancellation(error):
            self._end("cancelled")
        elif issubclass(type(error), GeneratorExit):
            self._result = {**as_mapping(self._result), "closed_early": True}
            self._end("complete")
        else:
            self._note_error(error)
            self._end("failed")

    def _note_error(self, error: BaseException | str) -> None:
        if self._status != "active":
            return
        try:
            if issubclass(type(error), BaseException):
                self._error = snapshot_error(error)  # type: ignore[arg-type]
                self._instance._note_told(self._error)
            else:
                self._error = ErrorSnapshot("Error", str(error), (), None)
        except Exception as fault:  # noqa: BLE001
            _guard.log_fault("describing an exception", fault)


def check_mapping(value: object, subject: str) -> None:
    """Refuse what is no mapping."""
    # `issubclass`, since `isinstance` would run code of the object's own.
    if not issubclass(type(value), Mapping):
        raise UsageError(
            f"{subject} a mapping such as {{'query': ...}}, got {type(value).__qualname__}"
        )
