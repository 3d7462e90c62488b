"""The ends of a process, and its forks: who has to deliver, and who begins anew."""

from __future__ import annotations

import atexit
import contextlib
import functools
import math
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable
from typing import Protocol

from prefactor_trace import _forks, _guard


class Leaver(Protocol):
    """What has something to deliver when the process ends."""

    @property
    def _exit_timeout(self) -> float:
        """Seconds that delivering may take."""

    def _hasten(self, timeout: float) -> None:
        """Deliver what there is within `timeout` seconds, and from now on at once what comes."""

    def _end_at_exit(self, reason: str, timeout: float) -> None:
        """Deliver what is left within `timeout` seconds."""

    def _cease(self) -> bool:
        """Deliver nothing more, without waiting; return whether something is left."""

    def _say_lost(self, timeout: float) -> None:
        """Log what was not delivered; wait `timeout` seconds for the answer to the last request."""

    def _before_fork(self) -> None:
        """Prepare for a fork of the process."""

    def _after_fork_in_parent(self) -> None:
        """Go on after a fork of the process."""

    def _after_fork(self) -> None:
        """Begin anew in a forked child."""


_EXITED = "the process exited before it ended"
_LAST_ANSWER = 1.0  # seconds of the time at exit, in which only what is on its way is waited for

_ran_out = -math.inf  # when a wait for delivery was last given up
_over = False  # the process has come to its end: nobody would wait for a thread any more
_leavers: weakref.WeakSet[Leaver] = weakref.WeakSet()
_watched_process = 0


def add(leaver: Leaver) -> None:
    """Have `leaver` told when the process ends or forks, as long as it exists."""
    _leavers.add(leaver)


def leavers() -> list[Leaver]:
    """Return what is told when the process ends or forks."""
    return list(_leavers)


def watch() -> None:
    """See to it that a process that runs none of what `atexit` has tells its leavers too.

    Its own `atexit` is forgotten, or passed over, in a child of `multiprocessing` and in a worker
    of Celery's; hence this is called on first use.
    """
    _watch_celery()
    _watch_multiprocessing()


def _watch_celery() -> None:
    """Have a process of Celery's pool, which leaves by `os._exit`, deliver when it says so."""
    signals = sys.modules.get("celery.signals")
    leaves = getattr(signals, "worker_process_shutdown", None)
    if leaves is not None:
        leaves.connect(_end_worker)  # which connects the same function once


def _end_worker(**told: object) -> None:
    del told
    end_all()


def _watch_multiprocessing() -> None:
    """Have a forked child of `multiprocessing` deliver when it ends.

    It forgets what was registered with `atexit` before it ran its target, and before Python 3.13
    runs none of it.
    """
    global _watched_process  # noqa: PLW0603
    multiprocessing = sys.modules.get("multiprocessing.process")
    if multiprocessing is None or _watched_process == os.getpid():
        return
    if multiprocessing.parent_process() is not None and not _is_spawned():
        from multiprocessing.util import Finalize, is_exiting

        _watched_process = os.getpid()
        if sys.version_info >= (3, 13):
            Finalize(None, end_all, exitpriority=0)
        elif not is_exiting():
            Finalize(None, _end_after_threads, exitpriority=0)
        else:  # other threads go on, and one of them has recorded something
            _end_after_threads()


def _is_spawned() -> bool:
    """Return whether this is a process of `multiprocessing` that ends as others do."""
    from multiprocessing import current_process, get_start_method

    said = getattr(current_process(), "_start_method", None)
    return (said or get_start_method(allow_none=True)) == "spawn"


def _end_after_threads() -> None:
    """Deliver what is left once the other threads have ended, as the process waits for them too."""

    def end() -> None:
        own = {threading.current_thread(), threading.main_thread()}
        while others := [one for one in threading.enumerate() if not one.daemon and one not in own]:
            others[0].join()
        end_all()

    threading.Thread(target=end, name="prefactor-trace-end").start()


def end_all(reason: str = _EXITED) -> None:
    """Deliver what is left in this process, then nothing more, and say what is lost.

    Args:
        reason: Why what is open will not be ended by anybody.
    """
    end = _tell_all(lambda leaver, timeout: leaver._end_at_exit(reason, timeout), _LAST_ANSWER)
    _give_up_all(end)


def hasten_all() -> None:
    """Deliver what there is, and from now on at once what is recorded: the end may be near."""
    _tell_all(lambda leaver, timeout: leaver._hasten(timeout))


def _tell_all(tell: Callable[[Leaver, float], None], kept: float = 0.0) -> float:
    """Tell all leavers, within the longest time that one may take.

    A process that is told to terminate and then exits is not held up twice.

    Args:
        tell: Called with each and the seconds that it may take.
        kept: Seconds of the time that are kept for later, half of it at most.

    Returns:
        When the time is over, by the monotonic clock.
    """
    global _ran_out  # noqa: PLW0603
    told = leavers()
    longest = max((leaver._exit_timeout for leaver in told), default=0)
    now = time.monotonic()
    given = 0 if now - _ran_out < longest else longest
    until = now + given - min(kept, given / 2)
    try:
        for leaver in told:
            own = leaver._exit_timeout - min(kept, leaver._exit_timeout / 2)
            _deliver(functools.partial(tell, leaver), min(own, max(0, until - time.monotonic())))
    except KeyboardInterrupt:
        _guard.logger.warning("prefactor_trace: interrupted while delivering")
    if longest and time.monotonic() >= until:
        _ran_out = time.monotonic()
    return now + given


def _deliver(step: Callable[[float], None], timeout: float) -> None:
    """Have one leaver take a step; a fault of it is logged, and the others have their turn."""
    try:
        step(timeout)
    except Exception as error:  # noqa: BLE001
        _guard.log_fault("delivering at the end of the process", error)


def _give_up_all(end: float) -> None:
    """Deliver nothing more in this process, and say what is lost by that.

    Args:
        end: Until when the answer to what is on its way is waited for.
    """
    left = [leaver for leaver in leavers() if leaver._cease()]
    try:
        for leaver in left:
            _deliver(leaver._say_lost, max(0, end - time.monotonic()))
    except KeyboardInterrupt:
        _guard.logger.warning(
            "prefactor_trace: interrupted; what is left is lost, unless it is in a spool"
        )


def is_over() -> bool:
    """Return whether it is too late to start a thread: it would never run, and hang its starter."""
    return _over or sys.is_finalizing()


def _end_process() -> None:
    global _over  # noqa: PLW0603
    end_all()
    _over = True
    _remember_interrupt()


def _remember_interrupt() -> None:
    """Have Python still end what Ctrl-C has ended as it would: by the signal, as shells expect.

    It forgets about that whenever code in a text is run, as modules do that are loaded to deliver.
    """
    # At a prompt, where programs go on after Ctrl-C, it would be an older one.
    if getattr(sys, "last_type", None) is KeyboardInterrupt and not hasattr(sys, "ps1"):
        with contextlib.suppress(KeyboardInterrupt):
            exec("raise KeyboardInterrupt")  # noqa: S102  # which makes Python note it again


def _before_fork() -> None:
    for leaver in leavers():
        leaver._before_fork()


def _after_fork_in_parent() -> None:
    for leaver in leavers():
        leaver._after_fork_in_parent()


def _after_fork() -> None:
    global _ran_out  # noqa: PLW0603
    _ran_out = -math.inf
    for leaver in leavers():
        leaver._after_fork()


atexit.register(_end_process)
_forks.add(_forks.Rest(_before_fork, _after_fork_in_parent, _after_fork))
