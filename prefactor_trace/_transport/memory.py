"""Requests that stay in memory, for tests: every body is kept, every item succeeds."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from prefactor_trace._transport.answer import Answer

if TYPE_CHECKING:
    from prefactor_trace._settings import Settings

Respond = Callable[[dict[str, Any]], Answer]


class MemoryTransport:
    """Keeps the bodies of requests.

    Args:
        respond: Makes the answer from a request's content; one that accepts every item when
            missing.

    Attributes:
        requests: The content of each request, in order.
        closed: How often `close` was called.
    """

    def __init__(self, respond: Respond | None = None) -> None:
        self.requests: list[dict[str, Any]] = []
        self.closed = 0
        self._respond = respond or accept_all

    def send(self, body: bytes) -> Answer:
        """Keep a bulk body and answer it."""
        content = json.loads(body)
        self.requests.append(content)
        return self._respond(content)

    def look(self, instance_id: str) -> Answer:  # noqa: ARG002
        """Answer that there is nothing to see."""
        return Answer(404)

    def renew(self, settings: Settings) -> None:
        """Keep what comes next as before."""

    def load(self) -> None:
        """Have nothing to import."""

    def forget(self) -> None:
        """Forget the requests of the parent process."""
        self.requests.clear()

    def close(self) -> None:
        """Count that the pipeline has let go."""
        self.closed += 1

    @property
    def items(self) -> list[dict[str, Any]]:
        """The items of all requests, in order."""
        return [item for content in self.requests for item in content["items"]]


def accept_all(content: dict[str, Any]) -> Answer:
    """Return the answer in which every item of a request succeeded."""
    outputs = {item["idempotency_key"]: {"status": "success"} for item in content["items"]}
    return Answer(200, json.dumps({"status": "success", "outputs": outputs}).encode())
