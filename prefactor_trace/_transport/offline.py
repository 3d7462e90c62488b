"""Requests that go nowhere: what a test run records never leaves the process."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from prefactor_trace._transport.answer import Answer

if TYPE_CHECKING:
    from prefactor_trace._settings import Settings

Listener = Callable[[dict[str, Any]], Answer]
"""Gets the content of a request and answers it."""

# Those who record what is sent, the newest last. Every offline transport tells the same, since
# tracers may have been made long before.
_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Hand the requests of this process to `listener`, and send none of those made from now on."""
    _listeners.append(listener)


def stop_listening(listener: Listener) -> None:
    """Leave the requests to who listened before."""
    _listeners.remove(listener)


def is_listened_to() -> bool:
    """Return whether somebody records what is sent."""
    return bool(_listeners)


class OfflineTransport:
    """Hands each request to who listens, and otherwise forgets it; every item succeeds."""

    def send(self, body: bytes) -> Answer:
        """Take a bulk body."""
        # Not with the library: programs that send to a service do without both.
        import json

        from prefactor_trace._transport.memory import accept_all

        content = json.loads(body)
        return _listeners[-1](content) if _listeners else accept_all(content)

    def look(self, instance_id: str) -> Answer:  # noqa: ARG002
        """Answer that there is nothing to see."""
        return Answer(404)

    def renew(self, settings: Settings) -> None:
        """Take what comes next as before."""

    def load(self) -> None:
        """Have nothing to import."""

    def forget(self) -> None:
        """Have nothing to forget in a forked child."""

    def close(self) -> None:
        """Have nothing to let go of."""
