"""Runs that the platform ends: a person, or a rule, stops the agent.

The service says so in its answers; who learns of it here, on the background thread, tells everybody
who waits for it.
"""

from __future__ import annotations

import contextlib
import contextvars
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from prefactor_trace import _guard
from prefactor_trace._context import Node, current_instance
from prefactor_trace._locks import make_lock
from prefactor_trace.exceptions import PrefactorTerminated, UsageError

if TYPE_CHECKING:
    from prefactor_trace._home import Home
    from prefactor_trace._instance import Instance

Callback = Callable[["Instance"], object]
C = TypeVar("C", bound=Callback)

_lock = make_lock()  # one for all: a run is ended once at most


class Terminable(Node):
    """A run, as far as the platform can end it.

    Attributes:
        terminated: Whether the platform ended the run.
        termination_reason: Why it did, ``None`` when it did not say.
    """

    _home: Home

    def __init__(self) -> None:
        self.terminated = False
        self.termination_reason: str | None = None
        # The home whose spans may begin here unasked: set while the run is recorded, and until it
        # is terminated.
        self._open_to: Home | None = None
        self._raises = False  # where a span begins in it after it was terminated
        self._told: list[Callback] = []
        self._is_checked = False  # at a checkpoint, by work that records nothing meanwhile

    @property
    def id(self) -> str:
        """PFID of the instance."""
        raise NotImplementedError

    def on_terminate(self, callback: C) -> C:
        """Have `callback` called with the instance when the platform ends the run.

        It is called once, on the background thread, which delivers nothing meanwhile. If the run
        has ended already, it is called now, on this thread. What it raises is logged.

        Args:
            callback: A plain function, no coroutine function, that takes the instance.

        Raises:
            UsageError: It cannot be called.
        """
        check_callback(callback)
        with _lock:
            is_late = self.terminated
            if not is_late:
                self._told.append(callback)
        if is_late:
            _call(callback, self)
        else:
            self._ask_sooner()
        return callback

    def wait_terminated(self, timeout: float | None = None) -> bool:
        """Wait until the platform ends the run.

        Args:
            timeout: Seconds to wait at most; for ever when ``None``.

        Returns:
            Whether it has.
        """
        ended = threading.Event()
        told = self.on_terminate(lambda _: ended.set())
        try:
            return ended.wait(timeout)
        finally:
            self._forget(told)

    async def until_terminated(self) -> str | None:
        """Wait in an event loop (asyncio) until the platform ends the run, and return its reason.

        To stop work under way: ``asyncio.wait([work, stop], return_when=FIRST_COMPLETED)``.
        """
        import asyncio  # whoever awaits this has loaded it

        loop = asyncio.get_running_loop()
        ended = asyncio.Event()

        def tell(_: Instance) -> None:
            """Wake the loop, which may have ended."""
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(ended.set)

        self.on_terminate(tell)
        try:
            await ended.wait()
        finally:
            self._forget(tell)
        return self.termination_reason

    def checkpoint(self) -> None:
        """Raise `PrefactorTerminated` if the platform has ended the run.

        Raises:
            PrefactorTerminated: It has, whatever the setting `on_terminate` says.
        """
        if self.terminated:
            raise PrefactorTerminated(self.id, self.termination_reason)
        if not self._is_checked:
            self._is_checked = True
            self._ask_sooner()

    @property
    def _is_awaited(self) -> bool:
        """Whether somebody wants to hear soon that the platform has ended the run."""
        return bool(self._told or self._is_checked or self._home._on_terminate_callbacks)

    def _ask_sooner(self) -> None:
        if (pipeline := self._home._get_pipeline()) is not None:
            pipeline.ask_sooner()

    def _refuse_span(self) -> None:
        """Let no span begin now that the run is terminated, where that was asked for."""
        if self._raises:
            raise PrefactorTerminated(self.id, self.termination_reason)

    def _terminate(self, reason: str | None) -> None:
        """Take note that the platform has ended the run, and tell who waits for it."""
        with _lock:
            if self.terminated:
                return
            self.termination_reason = reason
            self.terminated = True
            self._open_to = None
            told, self._told = self._told, []
        for callback in (*told, *self._home._on_terminate_callbacks):
            _call_in_background(callback, self)

    def _forget(self, callback: Callback) -> None:
        with _lock, contextlib.suppress(ValueError):
            self._told.remove(callback)


def _call(callback: Any, run: Terminable) -> None:
    try:
        # In a context of its own: what it records is the agent's, unlike what we do.
        contextvars.Context().run(callback, run)
    except Exception as error:  # noqa: BLE001
        _guard.log_raised("on_terminate", callback, error)


def _call_in_background(callback: Any, run: Terminable) -> None:
    try:
        _call(callback, run)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # `sys.exit` would end the thread that delivers
        _guard.log_raised("on_terminate", callback, error)


def check_callback(callback: object) -> None:
    """Refuse what is no function."""
    if not callable(callback):
        raise UsageError(
            f"on_terminate takes a function of the instance, got {type(callback).__qualname__}"
        )
    import inspect  # slow to load

    if inspect.iscoroutinefunction(callback):
        raise UsageError(
            "on_terminate takes a plain function, since nobody would await it; in an event loop,"
            " await instance.until_terminated()"
        )


def checkpoint() -> None:
    """Raise `PrefactorTerminated` if the platform has ended the current run.

    For long work without spans.

    Raises:
        PrefactorTerminated: It has, whatever the setting `on_terminate` says.
    """
    instance = current_instance()
    if instance is not None:
        instance.checkpoint()
