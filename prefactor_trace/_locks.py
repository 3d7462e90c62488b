"""Locks that a forked child can use, whoever held them at the moment of the fork."""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections.abc import Iterator

_LONGEST_WORK = 5.0  # seconds

_locks: weakref.WeakSet[threading.RLock] = weakref.WeakSet()


def make_lock() -> threading.RLock:
    """Return a lock that is to be held for a few steps only, in which nothing waits.

    It is re-entrant, since a signal handler, a finaliser or a log handler may come to the same lock
    while its thread holds it. A signal handler may also call `flush`, and so wait for the
    background thread, which may be waiting for this very lock. Hence the agent's threads call
    nothing while they hold one: Python runs signal handlers only at calls and at jumps (backward
    ones; in 3.10 any). From 3.14 on the taking of a lock is a call too: see `let_go`.

    A fork sets it free in the child, where the thread that held it does not exist.
    """
    lock = threading.RLock()
    _locks.add(lock)
    return lock


class ForkLock:
    """Held over work in the midst of which the process must not fork: who forks waits for it.

    Attributes:
        lock: Held by the work, for longer than other locks are.
    """

    def __init__(self) -> None:
        self.lock = make_lock()
        self._stops = 0  # how often it is held by who forks, also inside of a fork

    def stop(self) -> None:
        """Let no such work begin, until `go_on`; wait a few seconds at most for what has begun."""
        self._stops += self.lock.acquire(timeout=_LONGEST_WORK)

    def go_on(self) -> None:
        """Undo `stop`, on the same thread."""
        if self._stops:
            self._stops -= 1
            self.lock.release()


@contextlib.contextmanager
def let_go(*locks: threading.RLock) -> Iterator[None]:
    """Set free those of some locks that this very thread holds, while it waits for another one.

    It holds one where it is a signal handler that came between the taking of the lock and the first
    step under it. Nothing may be called under these locks, so it comes nowhere else.
    """
    # As the standard library does, in `threading.Condition`.
    held = [(lock, lock._release_save()) for lock in locks if lock._is_owned()]  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for lock, state in held:
            lock._acquire_restore(state)  # type: ignore[attr-defined]


def free_all() -> None:
    """Set all locks free, in a forked child."""
    for lock in list(_locks):
        # As the standard library does for its own locks, in `logging` for one.
        lock._at_fork_reinit()  # type: ignore[attr-defined]
