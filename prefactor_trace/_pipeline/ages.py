"""How long records have been waiting: since the take from the buffer that they came with."""

from __future__ import annotations

import time
from collections import deque


class Ages:
    """The moments at which records were taken, by number."""

    def __init__(self) -> None:
        self._takes: deque[tuple[int, float]] = deque()  # last record of each take, and when

    def note(self, newest: int, oldest: int | None) -> None:
        """Note that the records up to `newest` are here now, and those before `oldest` gone."""
        while self._takes and (oldest is None or self._takes[0][0] < oldest):
            self._takes.popleft()
        if oldest is not None and (not self._takes or self._takes[-1][0] < newest):
            self._takes.append((newest, time.monotonic()))

    def older_than(self, seconds: float) -> int:
        """Return the number of the newest record that is older than that, 0 when none is."""
        until, newest = time.monotonic() - seconds, 0
        for number, moment in self._takes:
            if moment > until:
                break
            newest = number
        return newest
