"""Trouble that many requests meet, and that is logged once a minute."""

import time

LOG_AGAIN_SECONDS = 60.0
MAX_KNOWN = 100


class News:
    """Tells trouble that is new from what was logged just now."""

    def __init__(self) -> None:
        self._told: dict[str, float] = {}

    def has(self, trouble: str) -> bool:
        """Return whether `trouble` was not asked about within the last minute."""
        now = time.monotonic()
        # Two threads at once may both log it: no harm that a lock would be worth.
        last = self._told.get(trouble)
        if last is not None and now - last < LOG_AGAIN_SECONDS:
            return False
        if len(self._told) >= MAX_KNOWN:
            self._told.clear()
        self._told[trouble] = now
        return True
