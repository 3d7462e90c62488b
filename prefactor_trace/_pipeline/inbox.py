"""What threads leave for another one, which waits for it no longer than it wants to."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


def copy_of(queue: deque[T]) -> list[T]:
    """Return what a deque holds, while others may put more into it."""
    while True:
        try:
            return list(queue.copy())
        except RuntimeError:  # they did, where there is no interpreter lock  # noqa: PERF203
            continue


class Inbox(Generic[T]):
    """A queue that anybody may put into, also from a signal handler or a finaliser.

    `queue.Queue` must not be put into by code that interrupts a `put`. `queue.SimpleQueue` may, but
    in CPython up to 3.12 its `get` can wait for ever: where the timeout is over before the waiting
    has begun, it counts as none.
    """

    def __init__(self) -> None:
        self._items: deque[T] = deque()  # both ends are atomic
        # Locked while there is nothing new. `put` unlocks it, and a `get` that has nothing to take
        # waits until it can lock it again.
        self._nothing_new = threading.Lock()
        self._nothing_new.acquire()

    def put(self, item: T) -> None:
        """Leave something; never waits."""
        self._items.append(item)
        with contextlib.suppress(RuntimeError):  # somebody else has just let go of it
            self._nothing_new.release()

    def get(self, timeout: float) -> T:
        """Take the oldest.

        Args:
            timeout: Seconds to wait for one at most.

        Raises:
            TimeoutError: There is none.
        """
        end = time.monotonic() + timeout
        while True:
            with contextlib.suppress(IndexError):
                return self._items.popleft()
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._nothing_new.acquire(timeout=left)

    def waiting(self) -> list[T]:
        """Return what is in it, the oldest first."""
        return copy_of(self._items)


class Sign:
    """Something that happens once, and is waited for.

    Not a `threading.Event`, whose `wait` holds for a moment a lock that `set` needs as well. If a
    signal handler interrupts that moment, and waits in its turn for the thread that gives the sign,
    neither would ever go on.
    """

    def __init__(self) -> None:
        self._is_set = False
        self._not_yet = threading.Lock()
        self._not_yet.acquire()

    def set(self) -> None:
        """Give the sign; never waits."""
        self._is_set = True
        with contextlib.suppress(RuntimeError):  # it was given before
            self._not_yet.release()

    def is_set(self) -> bool:
        """Return whether it was given."""
        return self._is_set

    def wait(self, timeout: float) -> bool:
        """Wait for it, `timeout` seconds at most; return whether it was given."""
        if not self._is_set and self._not_yet.acquire(timeout=timeout):
            with contextlib.suppress(RuntimeError):
                self._not_yet.release()  # for others who wait
        return self._is_set
