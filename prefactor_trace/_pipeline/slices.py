"""Work in small slices, with the interpreter given up between them.

Python lets a thread that computes go on for five milliseconds before another one has its turn
(`sys.getswitchinterval`): for so long an event loop would wait, again and again, while much is
delivered at once.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

SLICE_SECONDS = 0.0005
"""How long others may wait: ten times what giving way takes, which is a sleep and not only a word,
since a thread that takes the interpreter back at once gets it before those who wait have woken."""


def in_slices(items: Iterable[T]) -> Iterator[T]:
    """Give the items, and way to other threads whenever a slice has passed."""
    until = time.perf_counter() + SLICE_SECONDS
    for item in items:
        yield item
        if time.perf_counter() > until:
            time.sleep(0)
            until = time.perf_counter() + SLICE_SECONDS
