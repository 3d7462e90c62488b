"""Work in slices, so that the agent's threads get the interpreter every now and again.

Python runs one thread at a time, and gives the next one its turn after five milliseconds at the
latest. The background thread gives way much sooner, and again and again, while much is delivered
at once; so does the embedded service, which local mode runs on that thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

SLICE_SECONDS = 0.0005
"""How long others may wait: ten times what giving way takes, which is a sleep and not only a word,
since a thread that takes the interpreter back at once gets it before those who wait have woken."""


class _Clock(threading.local):
    until = 0.0  # when this thread has to give way, whatever it is doing by then


_clock = _Clock()


def in_slices(items: Iterable[T]) -> Iterator[T]:
    """Give the items, and way to other threads whenever a slice has passed."""
    until = _clock.until
    for item in items:
        yield item
        if time.perf_counter() > until:
            until = _give_way()


def give_way() -> None:
    """Let other threads have their turn, if a slice has passed since they last had it."""
    if time.perf_counter() > _clock.until:
        _give_way()


def _give_way() -> float:
    time.sleep(0)
    until = _clock.until = time.perf_counter() + SLICE_SECONDS
    return until
