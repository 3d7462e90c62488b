"""Runs that another process has begun, and that go on in this one."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from prefactor_trace import _fate, _guard
from prefactor_trace._carrier import TraceContext, extract
from prefactor_trace._clock import Clock
from prefactor_trace._context import (
    ENDED,
    Node,
    enter,
    innermost,
    leave,
    note_frame,
)
from prefactor_trace._instance import Instance
from prefactor_trace._instance_options import InstanceOptions
from prefactor_trace._locks import make_lock
from prefactor_trace._schema import Guessed
from prefactor_trace._span import Span
from prefactor_trace._untraced import Untraced

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from prefactor_trace._home import Home
    from prefactor_trace._pipeline import Pipeline
    from prefactor_trace.models import FinishStatus


class AttachedInstance(Instance):
    """A run that another process has begun and will finish."""

    def __init__(self, home: Home, pipeline: Pipeline, context: TraceContext) -> None:
        super().__init__(home, InstanceOptions(id=context.instance_id))
        self._status = "active"
        self._instance = self
        self._recorded = context.is_sampled
        self._open_to = home if context.is_sampled else None
        home._may_leave_out |= not context.is_sampled
        self._buffer = pipeline.buffer
        self._read_clocks()
        self._fate = _fate.CREATED  # by that process
        self._is_shared = True
        self._raises = home._get_settings().on_terminate == "raise"
        self._declared = Guessed()
        self._blocks = 0  # that code is in now
        self._blocks_lock = make_lock()

    def _enter_block(self) -> None:
        """Be open, as long as code is in a block of it."""
        with self._blocks_lock:
            self._blocks += 1
            self._home._open_runs.add(self)

    def _leave_block(self) -> None:
        with self._blocks_lock:
            self._blocks -= 1
            if not self._blocks:
                self._home._open_runs.discard(self)

    def finish(self, status: FinishStatus = "complete") -> None:
        """Do nothing but say so: the process that began the run finishes it."""
        super().finish(status)
        _guard.log_seldom(
            logging.WARNING,
            "finished elsewhere",
            "prefactor_trace: finish(%r) of the attached run %s is not recorded: the process that"
            " began the run finishes it",
            status,
            self.id,
        )

    def _end(self, status: FinishStatus) -> None:
        """Leave the end to the process that began the run."""


class AttachedSpan(Span):
    """A span of another process, to nest in; what becomes of it is for that process to say."""

    __slots__ = ()

    def __init__(self, home: Home, instance: Instance, span_id: str) -> None:
        super().__init__(home, "attached")
        self._id = span_id
        self._instance = instance
        self._status = "active"
        self._fate = _fate.ELSEWHERE

    def set_payload(self, payload: Mapping[str, Any]) -> None:
        """Do nothing: the span is another process's."""

    def set_result(self, value: Any) -> None:
        """Do nothing: the span is another process's."""

    def _note_error(self, error: BaseException | str) -> None:
        pass

    def _end(
        self,
        status: FinishStatus,
        at: int | None = None,
        now: Callable[[], int] = Clock.monotonic,
    ) -> None:
        pass


class Attachment(Node):
    """A block in a run, and in a span, of another process; made by `attach`.

    Attributes:
        instance: The run, ``None`` where the carrier told of none, or while tracing is off.
    """

    __slots__ = ("_context", "_home", "_own_span", "instance")

    def __init__(self, home: Home, context: TraceContext | None) -> None:
        self._home: Any = home
        self._context = context
        self._own_span: Any = None
        self.instance: Instance | None = None
        self._doubt = self._token = None

    @property
    def _instance(self) -> Any:
        return self.instance

    def __enter__(self) -> Self:
        if self._context is not None and self.instance is None and self._attach(self._context):
            enter(self)
            note_frame(self, sys._getframe(1))
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> Literal[False]:
        if self.instance is not None and self._doubt is not ENDED:  # entered twice, it is left once
            leave(self)
            self._doubt = ENDED
            if isinstance(self.instance, AttachedInstance):
                self.instance._leave_block()
        return False

    def _attach(self, context: TraceContext) -> bool:
        try:
            pipeline = self._home._get_pipeline()
            if pipeline is None or isinstance(innermost(), Untraced):
                return False
            # In the process that began it, as with a queue between threads, the run is known.
            known = [run for run in self._home._open_runs if run._id == context.instance_id]
            self.instance = known[0] if known else AttachedInstance(self._home, pipeline, context)
            if isinstance(self.instance, AttachedInstance):
                self.instance._enter_block()
            if context.span_id is not None:
                self._own_span = AttachedSpan(self._home, self.instance, context.span_id)
        except Exception as error:  # noqa: BLE001
            _guard.log_fault("attaching to a run", error)
            return False
        return True


def attach_to(home: Home, carrier: Mapping[str, str] | None) -> Attachment:
    """Return a block in the run that a carrier tells of."""
    return Attachment(home, extract(carrier))
