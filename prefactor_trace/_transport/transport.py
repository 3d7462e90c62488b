"""What carries requests, to wherever they go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from prefactor_trace._settings import Settings
    from prefactor_trace._transport.answer import Answer


# Paths of what is asked for.
BULK = "/api/v1/bulk"
INSTANCE = "/api/v1/agent_instance/"


class Transport(Protocol):
    """Where a request goes."""

    def send(self, body: bytes) -> Answer:
        """Post a bulk body and return the answer; never raises."""

    def look(self, instance_id: str) -> Answer:
        """Ask for an instance and return the answer; never raises."""

    def close(self) -> None:
        """Release connections; `send` may be called again and makes new ones."""

    def renew(self, settings: Settings) -> None:
        """Send what comes next with other settings, to the same place; called on any thread."""

    def load(self) -> None:
        """Import what `send` would, before a fork; called on any thread."""

    def forget(self) -> None:
        """Drop connections that are a parent process's, without a word on them."""
