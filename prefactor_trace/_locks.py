"""Locks that a forked child can use, whoever held them at the moment of the fork."""

from __future__ import annotations

import threading
import weakref

_locks: weakref.WeakSet[threading.RLock] = weakref.WeakSet()


def make_lock() -> threading.RLock:
    """Return a lock for a few steps that nothing waits in.

    Re-entrant, since a signal handler, a finaliser or a log handler may come to the same lock
    while its thread holds it. Such code may also wait for the background thread, by a `flush`, and
    that one for the lock: where it is held on the agent's path nothing is called meanwhile, since
    Python looks for signals at calls only (and where it jumps: back, in 3.10 also on).

    A fork sets it free in the child: the thread that held it is not there to let it go.
    """
    lock = threading.RLock()
    _locks.add(lock)
    return lock


def free_all() -> None:
    """Set all locks free, in a forked child."""
    for lock in list(_locks):
        # As the standard library does for its own locks, in `logging` for one.
        lock._at_fork_reinit()  # type: ignore[attr-defined]
