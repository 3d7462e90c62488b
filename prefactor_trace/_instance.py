"""An instance: one run of an agent, from its registration to its end."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from prefactor_trace import _fate, _guard
from prefactor_trace._cancellation import is_cancellation
from prefactor_trace._clock import Clock
from prefactor_trace._context import (
    ENDED,
    current,
    enter,
    innermost,
    leave_all_in,
    note_frame,
)
from prefactor_trace._home import make_id
from prefactor_trace._pfid import fraction_of
from prefactor_trace._quality import record_quality
from prefactor_trace._settings import DEFAULT_PORT
from prefactor_trace._termination import Terminable
from prefactor_trace._unhandled import tell_unhandled
from prefactor_trace._untraced import Untraced
from prefactor_trace.exceptions import UsageError

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from prefactor_trace._capture import ErrorSnapshot
    from prefactor_trace._home import Home
    from prefactor_trace._instance_options import InstanceOptions
    from prefactor_trace._pipeline import Buffer, HeldBuffer
    from prefactor_trace._schema import Guessed
    from prefactor_trace.models import AgentStatus, FinishStatus

F = TypeVar("F", bound=Callable[..., Any])

_TOLD_KEPT = 16  # of the errors that spans have told last: others may fail while one goes up

_FINISH_STATUSES = ("complete", "failed", "cancelled")


class Instance(Terminable):
    """One run of an agent.

    Made by `instance`; entered as a block (`with` or `async with`), or put on a function as a
    decorator, where each call is a run of its own. Spans that begin inside belong to it.

    Attributes:
        terminated: Whether the platform ended the run.
        termination_reason: Why it did, ``None`` when it did not say.
    """

    def __init__(self, home: Home, options: InstanceOptions) -> None:
        super().__init__()
        self._home = home
        self._options = options
        self._id = options.id
        self._status: AgentStatus = "pending"
        self._instance: Instance | None = None  # itself, once it is recorded or left out
        # The parent of spans at the top of the run. On the object, since what is on its class is
        # looked for on the object first: that takes 3 % of a bare block.
        self._own_span = None
        self._recorded = False
        self._buffer: Buffer | HeldBuffer
        self._doubt = self._token = None
        # The first by the monotonic clock, as every time in the run; the second is how far the wall
        # clock was ahead of it then. So a step of the wall clock lets no span end before it began.
        self._started = self._wall_ahead = 0
        self._ended = 0
        self._told_errors: tuple[Any, ...] = ()  # type and message, of spans that have failed
        self._has_begun = False  # its pipeline knows it, or holds it back
        self._is_held = False  # until its end, since it is kept only if it fails
        # From here on written by the pipeline, apart from what an attached one begins with.
        self._fate = _fate.NEW
        self._open_spans = 0  # that it has taken and that have not ended
        self._joined = False  # by a forked child, which has not registered it yet
        self._is_shared = False  # other processes record spans in it too
        self._drop_reason: str | None = None  # why it was given up
        self._declared: frozenset[str] | Guessed = frozenset()  # span types that it registered
        self._heard = 0.0  # when the service last spoke of it, by `time.monotonic`

    # As a block

    def __enter__(self) -> Self:
        held, is_new = current.get(), self._instance is None
        try:
            if self._start():
                enter(self)
                note_frame(self, sys._getframe(1))
        except BaseException as error:
            # A signal handler raised in the midst of it: nobody will leave this block.
            if is_new:
                current.set(held)
                self._exit(error)
            raise
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> Literal[False]:
        try:
            self._exit(exc)
        except BaseException:  # a signal handler's, in the midst of it
            self._exit(exc)
            raise
        return False

    def _exit(self, error: BaseException | None) -> None:
        """End as a block, left with an exception or without."""
        if self._instance is not None:
            leave_all_in(self)
            self._doubt = ENDED
            if error is None:
                self._end("complete")
            else:
                self._end_with(error)

    # As a decorator

    def __call__(self, function: F) -> F:
        """Return `function` wrapped so that each call of it is an instance.

        Raises:
            UsageError: It is a class, or nothing that can be called.
        """
        from prefactor_trace._decorate import wrap_with_instance

        return wrap_with_instance(function, self)

    def _fresh(self) -> Instance:
        """Return an instance that has not begun, made with the same options."""
        return Instance(self._home, self._options)

    # What the user may say of it

    @property
    def id(self) -> str:
        """PFID of the instance, made when first asked for."""
        return self._id or make_id(self)

    @property
    def status(self) -> AgentStatus:
        """Where the run stands: pending, active, complete, failed, cancelled or terminated."""
        return "terminated" if self.terminated else self._status

    @property
    def url(self) -> str:
        """Where the run can be looked at: on the platform, or in the viewer of this machine."""
        settings = self._home._get_settings()
        local = f"http://127.0.0.1:{DEFAULT_PORT}"
        base = local if settings.local else settings.api_url.rstrip("/")
        return f"{base}/agent_instances/{self.id}"

    def finish(self, status: FinishStatus = "complete") -> None:
        """End the run now, rather than where its block ends. Ending twice is harmless.

        Args:
            status: ``"complete"``, ``"failed"`` or ``"cancelled"``.

        Raises:
            UsageError: `status` is none of these.
        """
        if status not in _FINISH_STATUSES:
            raise UsageError(f"finish takes one of {_FINISH_STATUSES}, got {status!r}")
        self._end(status)

    def record_quality(self, name: str, payload: Mapping[str, Any] | None) -> None:
        """Record how good the run was, under a name that `declare_quality` has declared.

        Args:
            name: Name of the quality schema.
            payload: The judgement, a mapping; ``None`` removes the record of that name.

        Raises:
            UsageError: `name` is empty, or `payload` is not a mapping.
        """
        record_quality(self, name, payload)

    def __repr__(self) -> str:
        said = self._options.agent_id, self._id  # which is made when it is first asked for
        return " ".join(["<Instance", *(repr(one) for one in said if one), f"{self.status}>"])

    # On the agent's thread

    def _start(self) -> bool:
        """Begin, and say whether spans inside have to look here for their instance."""
        try:
            if self._status != "pending":
                _guard.log_seldom(
                    logging.WARNING,
                    "reused instance",
                    "prefactor_trace: instance %r was entered twice; its second time is not"
                    " recorded, since one object is one run: call instance() anew",
                    self._options.agent_id or self._options.name or self.id,
                )
                return False
            pipeline = self._home._get_pipeline()
            if pipeline is None:
                return False
            settings, self._buffer = self._home._get_settings(), pipeline.buffer
            is_traced = not isinstance(innermost(), Untraced)
            self._recorded = is_traced and self._is_sampled(settings.sample_rate)
            if is_traced and settings.keep_failed and not self._recorded:
                self._buffer = pipeline.buffer.hold(self)
                self._recorded = self._is_held = True
            self._raises = (self._options.on_terminate or settings.on_terminate) == "raise"
            self._read_clocks()
            self._status = "active"
            self._instance = self
            self._open_to = self._home if self._recorded else None
            self._home._open_runs.add(self)
            if not self._recorded:
                self._home._may_leave_out = True
            elif not self._is_held:
                pipeline.buffer.add_instance(self)
            self._has_begun = True
        except Exception as error:  # noqa: BLE001
            _guard.log_fault("starting an instance", error)
            return False
        return True

    def _begin(self) -> bool:
        return self._start()

    def _end_with(self, error: BaseException) -> None:
        """End as an exception that leaves the block, or the function, says."""
        if is_cancellation(error):
            self._end("cancelled")
        elif issubclass(type(error), GeneratorExit):
            self._end("complete")
        else:
            tell_unhandled(self, error)
            self._end("failed")

    def _note_told(self, error: ErrorSnapshot) -> None:
        """Note the error that a span of the run has ended with."""
        self._told_errors = (*self._told_errors[1 - _TOLD_KEPT :], error[:2])

    def _was_told(self, error: ErrorSnapshot) -> bool:
        """Return whether one of the last errors that spans of the run ended with is this one."""
        return error[:2] in self._told_errors

    def _end(self, status: FinishStatus) -> None:
        if self._status != "active":
            return
        self._ended = Clock.monotonic()
        self._status = status
        try:
            self._tell_end(status)
        except BaseException:  # a signal handler's, in the midst of it: to be told twice is no harm
            self._tell_end(status)
            raise

    def _tell_end(self, status: FinishStatus) -> None:
        """Let those know that count on it."""
        self._home._open_runs.discard(self)
        if self._is_held and status == "failed":
            self._keep()
        if self._recorded:
            self._buffer.add_end(self)

    def _keep(self) -> None:
        """Record what was held back, since the run has failed or will not end well."""
        if self._is_held:
            kept = cast("HeldBuffer", self._buffer).release()
            self._is_held = False
            self._buffer = kept

    def _leave_to_parent(self) -> None:
        """In a forked child: leave a run that is held to the parent process, which alone keeps it.

        As in other processes that go on with such a run, nothing more of it is recorded here.
        """
        if self._is_held:
            self._is_held = self._recorded = False
            self._open_to = None
            self._home._may_leave_out = True
            self._buffer.add_end(self)

    def _read_clocks(self) -> None:
        wall = Clock.wall()
        self._started = Clock.monotonic()
        self._wall_ahead = wall - self._started

    def _moment(self, wall: int) -> int:
        """Return what the monotonic clock showed at a time of the wall clock."""
        return wall - self._wall_ahead

    def _is_sampled(self, rate: float) -> bool:
        # From the id's random tail: every process of the run comes to the same answer.
        return rate >= 1 or fraction_of(self.id) < rate
