"""Delivery on signals that end a process, for those who ask for it by `handle_signals`."""

from __future__ import annotations

import logging
import os
import signal
import threading
from types import FrameType
from typing import Any

from prefactor_trace import _guard
from prefactor_trace._exits import end_all


def handle_signals() -> None:
    """Deliver what is left when the process is told to terminate, then go on as it would have.

    On SIGTERM, and on SIGHUP where it would end the process. A handler that was set before runs
    afterwards; without one the process ends by the signal.
    """
    if threading.current_thread() is not threading.main_thread():
        _guard.log_seldom(
            logging.WARNING,
            "signals",
            "prefactor_trace: handle_signals has no effect, since signal handlers can only be set"
            " in the main thread: call configure() there",
        )
        return
    before = signal.getsignal(signal.SIGTERM)
    if not isinstance(before, _Terminate):
        signal.signal(signal.SIGTERM, _Terminate(before))
    # The terminal was closed. Whoever has a handler of its own means something else by it.
    hang_up = getattr(signal, "SIGHUP", None)  # not on Windows
    if hang_up is not None and signal.getsignal(hang_up) == signal.SIG_DFL:
        signal.signal(hang_up, _Terminate(signal.SIG_DFL))


class _Terminate:
    """Handler of a signal that comes before another one."""

    def __init__(self, before: Any) -> None:
        self._before = before

    def __call__(self, number: int, frame: FrameType | None) -> None:
        is_followed = callable(self._before)
        # Not where a later handler has called this one: the rest is for that to do.
        is_alone = self._before != signal.SIG_IGN and signal.getsignal(number) is self
        is_last = is_alone and not is_followed
        name = signal.Signals(number).name
        end_all(f"the process was told to terminate ({name})", is_last=is_last)
        if is_followed:
            self._before(number, frame)
        elif is_last:
            # By the signal itself, so that whoever waits for the process sees what ended it.
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
