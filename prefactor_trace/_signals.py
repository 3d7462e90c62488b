"""Delivery on signals that end a process, for those who ask for it by `handle_signals`."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from prefactor_trace import _exits, _guard

_process = 0  # id of the one in which handlers were set


def handle_signals(at_end: Callable[[], None] | None = None, *, is_asked: bool = True) -> None:
    """Deliver what there is when the process is told to terminate, then go on as it would have.

    On SIGTERM, and on SIGHUP where it would end the process. A handler that was set before runs
    afterwards; without one the process ends by the signal.

    Args:
        at_end: Called last where the process ends by the signal.
        is_asked: Whether the program asked for it, and is to know where it cannot be done.
    """
    global _process  # noqa: PLW0603
    before = signal.getsignal(signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread():
        is_set = _process == os.getpid() or isinstance(before, _Terminate)
        if is_asked and not is_set:
            _warn()
        return
    _process = os.getpid()
    try:
        if not isinstance(before, _Terminate):
            signal.signal(signal.SIGTERM, _Terminate(before, at_end))
        # The terminal was closed. Whoever has a handler of its own means something else by it.
        hang_up = getattr(signal, "SIGHUP", None)  # not on Windows
        if hang_up is not None and signal.getsignal(hang_up) == signal.SIG_DFL:
            signal.signal(hang_up, _Terminate(signal.SIG_DFL, at_end))
    except ValueError:  # in an interpreter that is not the main one
        _warn()


def watch(*, is_asked: bool) -> Callable[[], None]:
    """Handle signals here; return what a process calls first of all, so that it does so too.

    Servers that fork workers set handlers anew in these.

    Args:
        is_asked: As of `handle_signals`.
    """
    handle_signals(is_asked=is_asked)

    def watch_child() -> None:
        """See to the end of a forked child."""
        _exits.watch()
        # In the process where they were set, who has replaced them since has done so on purpose.
        if _process != os.getpid():
            handle_signals(is_asked=is_asked)

    return watch_child


def _warn() -> None:
    _guard.log_seldom(
        logging.WARNING,
        "signals",
        "prefactor_trace: handle_signals has no effect, since signal handlers can only be set"
        " in the main thread: call configure() there",
    )


class _Terminate:
    """Handler of a signal that comes before another one.

    Args:
        before: What was set before.
        at_end: Called last where the process ends by the signal.
    """

    def __init__(self, before: Any, at_end: Callable[[], None] | None) -> None:
        self._before = before
        self._at_end = at_end

    def __call__(self, number: int, frame: FrameType | None) -> None:
        is_followed = callable(self._before)
        # Not where a later handler has called this one: the rest is for that to do.
        is_alone = self._before != signal.SIG_IGN and signal.getsignal(number) is self
        if is_alone and not is_followed:
            self._end(number)
            return
        # A server answers what it has begun before it ends, which may be by this very signal, with
        # its default action: then nobody asks for what was recorded last.
        _exits.hasten_all()
        if is_followed:
            self._before(number, frame)

    def _end(self, number: int) -> None:
        _exits.end_all(f"the process was told to terminate ({signal.Signals(number).name})")
        if self._at_end is not None:
            self._at_end()
        # By the signal itself, so that whoever waits for the process sees what ended it.
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
