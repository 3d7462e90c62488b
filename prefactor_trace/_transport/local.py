"""Requests to the local database, in process: the embedded Prefactor without its HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefactor_trace._transport.answer import Answer
from prefactor_trace._transport.transport import BULK, INSTANCE

if TYPE_CHECKING:
    from prefactor_trace._settings import Settings
    from prefactor_trace.server import Api, Store


class LocalTransport:
    """Hands bulk bodies to the embedded Prefactor on this machine.

    Args:
        settings: Database and session.
        sdk: What the ``X-Prefactor-SDK`` header says.
    """

    def __init__(self, settings: Settings, sdk: str) -> None:
        self._path = settings.local_db
        self._sdk = sdk
        self._headers = _headers(settings, sdk)
        self._store: Store | None = None
        self._api: Api | None = None

    def send(self, body: bytes) -> Answer:
        """Hand over a bulk body and return the answer; never raises."""
        return self._request("POST", BULK, body)

    def look(self, instance_id: str) -> Answer:
        """Ask for an instance and return the answer; never raises."""
        return self._request("GET", INSTANCE + instance_id)

    def _request(self, method: str, path: str, body: bytes = b"") -> Answer:
        # Imported with the first request, on the background thread: sqlite3 is not loaded by
        # programs that send to a service.
        from prefactor_trace.exceptions import DatabaseError
        from prefactor_trace.server import Api, Store, default_database_path

        try:
            if self._api is None:
                self._store = Store(self._path or default_database_path())
                self._api = Api(self._store, log_store_errors=False)
            response = self._api.handle(method, path, headers=self._headers, body=body)
        except DatabaseError as error:
            self.close()
            return Answer(0, error=str(error))
        if response.status == 503:
            self.close()  # opened anew, the database may be one that can be written
        return Answer(response.status, response.body)

    def renew(self, settings: Settings) -> None:
        """Send what comes next in the name of another session; called on any thread."""
        self._headers = _headers(settings, self._sdk)

    def load(self) -> None:
        """Import the embedded Prefactor, which `send` would."""
        import prefactor_trace.server  # noqa: F401

    def forget(self) -> None:
        """Do nothing: a store sees to forks itself."""

    def close(self) -> None:
        """Close the database; `send` opens it again."""
        store, self._store, self._api = self._store, None, None
        if store is not None:
            store.close()


def _headers(settings: Settings, sdk: str) -> dict[str, str]:
    # Of the answer on a span, only whether it was stored is looked at.
    headers = {"X-Prefactor-SDK": sdk, "Prefer": "return=minimal"}
    if settings.session is not None:
        headers["X-Prefactor-Session"] = settings.session
    return headers
