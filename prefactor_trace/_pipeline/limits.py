"""How much goes into a request: what the settings say, and what refusals teach."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prefactor_trace._pipeline.item import Item
    from prefactor_trace._settings import Settings

# Seconds after which a size that was too large is tried again: the limit may have been lifted.
_MEMORY = 300.0


class Limits:
    """The bounds of the next request: halved when one is refused, raised again step by step.

    Args:
        settings: The bounds at most.
    """

    def __init__(self, settings: Settings) -> None:
        self._max_items = self._items = settings.max_batch_items
        self._max_bytes = self._bytes = settings.max_batch_bytes
        self._too_large_at = 0.0  # by the monotonic clock

    def batch(self, items: Iterable[Item]) -> list[Item]:
        """Return the first of `items`, at least one, that fit in a request."""
        batch: list[Item] = []
        size = 0
        for item in itertools.islice(items, self._items):
            size += len(item.body) + 1
            if size > self._bytes and batch:
                break
            batch.append(item)
        return batch

    def note_refused(self, batch: list[Item]) -> None:
        """Make the next request smaller, to find the item that is at fault."""
        self._items = len(batch) // 2

    def note_too_large(self, batch: list[Item]) -> None:
        """Make requests smaller than this one was."""
        self._bytes = sum(len(item.body) + 1 for item in batch) // 2
        self._too_large_at = time.monotonic()

    def note_found(self) -> None:
        """Return to full requests: the item at fault has been found."""
        self._items, self._bytes = self._max_items, self._max_bytes

    def note_accepted(self) -> None:
        """Make the next request larger again, up to what is not known to be too large."""
        self._items = min(self._items * 2, self._max_items)
        if time.monotonic() - self._too_large_at > _MEMORY:
            self._bytes = self._max_bytes
