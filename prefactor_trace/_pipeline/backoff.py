"""When to try again."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prefactor_trace._settings import Settings

# However the settings are: a service that is away is not asked in a busy loop.
_LEAST = 0.001


class Backoff:
    """The delay before the next request: longer after each failure, and by chance.

    By chance, so that not all clients come back to a service at once ("full jitter").

    Args:
        settings: The first delay and the longest.

    Attributes:
        failures: Requests in a row that brought nothing forward.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.failures = 0
        # Of its own: an agent that seeds `random` gets the numbers that it expects.
        self._chance = random.Random()  # noqa: S311
        self._not_before = 0.0  # own delay, by the monotonic clock
        self._asked_not_before = 0.0  # what the service asked for

    @property
    def delay(self) -> float:
        """Seconds until the next request may be sent."""
        return max(0.0, max(self._not_before, self._asked_not_before) - time.monotonic())

    def hurry(self) -> None:
        """Forget the delay, unless the service asked for it."""
        self._not_before = 0.0

    def note_success(self) -> None:
        """Start from the first delay at the next failure."""
        self.failures = 0

    def note_failure(self) -> None:
        """Wait, longer than after the failure before."""
        first, most = self.settings.retry_first_delay, self.settings.retry_max_delay
        ceiling = min(most, first * 2 ** min(self.failures, 30))
        self.failures += 1
        self._not_before = time.monotonic() + max(_LEAST, self._chance.uniform(0, ceiling))

    def note_waiting(self) -> None:
        """Wait as after a first failure, though nothing has failed: another process is first."""
        first = self.settings.retry_first_delay
        self._not_before = time.monotonic() + max(_LEAST, self._chance.uniform(0, first))

    def note_asked(self, seconds: float) -> None:
        """Wait as long as the service asked for."""
        self._asked_not_before = time.monotonic() + seconds
