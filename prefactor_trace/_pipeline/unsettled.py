"""Items that were made and that the service has not settled, here and on disk."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from prefactor_trace._pipeline.item import Create

if TYPE_CHECKING:
    from prefactor_trace._pipeline.item import Item
    from prefactor_trace._pipeline.spool import Spool


class Unsettled:
    """Items that wait to be sent or answered, oldest first.

    Args:
        spool: Where they are kept too, if anywhere.

    Attributes:
        items: The items. Who takes one out for good also strikes it.
    """

    def __init__(self, spool: Spool | None) -> None:
        self.items: deque[Item] = deque()
        self._spool = spool

    @property
    def is_spooled(self) -> bool:
        """Whether they are on disk too."""
        return self._spool is not None

    @property
    def in_memory_only(self) -> int:
        """How many of them are not on disk."""
        return len(self.items) if self._spool is None else self._spool.missing

    def write_down(self, *items: Item) -> None:
        """Have items on disk as they are now."""
        if self._spool is not None:
            self._spool.add([(item.key, item.body) for item in items])

    def strike(self, keys: Iterable[str]) -> None:
        """Take off the disk the items with these keys."""
        if self._spool is not None:
            self._spool.settle(list(keys))

    def remake(self, item: Create) -> None:
        """Have an item name what the service knows by now."""
        item.write()
        self.write_down(item)

    def drop(self, numbers: set[int]) -> None:
        """Let go of the items of the records with these numbers.

        What of them is on disk stays there, for another process that sends to the same place.
        """
        if self._spool is not None:
            self._spool.let_go([item.key for item in self.items if item.order in numbers])
        self.items = deque([item for item in self.items if item.order not in numbers])

    def mend(self, is_lost: Callable[[Item], bool]) -> None:
        """Take off what is lost with a record that was given up, and make anew what names it."""
        items, self.items = self.items, deque()
        for item in items:
            if is_lost(item):
                self.strike([item.key])
                continue
            if isinstance(item, Create) and item.is_stale:
                self.remake(item)
            self.items.append(item)
