"""Requests to the service, through one pooled `httpx.Client`."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from prefactor_trace._transport.answer import Answer
from prefactor_trace._transport.transport import BULK, INSTANCE

if TYPE_CHECKING:
    import httpx

    from prefactor_trace._settings import Settings

# Clients of a parent process. Kept, since being collected would close its connections for it.
_inherited: list[httpx.Client] = []


class HttpTransport:
    """Posts bulk bodies to the service.

    Redirects are not followed: the token must not travel to another host.

    Args:
        settings: Address, token and timeout.
        sdk: What the ``X-Prefactor-SDK`` header says.
    """

    def __init__(self, settings: Settings, sdk: str) -> None:
        self._settings = settings
        self._sdk = sdk
        self._client: httpx.Client | None = None
        self._client_settings = settings  # those that the client was made with

    def send(self, body: bytes) -> Answer:
        """Post a bulk body and return the answer; never raises."""
        return self._request("POST", BULK, body)

    def look(self, instance_id: str) -> Answer:
        """Ask for an instance and return the answer; never raises."""
        return self._request("GET", INSTANCE + instance_id)

    def _request(self, method: str, path: str, body: bytes | None = None) -> Answer:
        try:
            settings = self._settings
            if self._client is None or self._client_settings is not settings:
                self.close()
                self._client, self._client_settings = _connect(settings), settings
            response = self._client.request(
                method,
                settings.api_url + path,
                content=body,
                headers=self._headers(settings),
                follow_redirects=False,
            )
        # Whatever it is: a token that no header can hold raises a plain ValueError.
        except Exception as error:  # noqa: BLE001
            return Answer(0, error=self._describe(error))
        return Answer(
            response.status_code,
            response.content,
            response.headers.get("Retry-After"),
            _describe_redirect(response),
        )

    def close(self) -> None:
        """Close the connections; `send` makes new ones."""
        client, self._client = self._client, None
        if client is not None and client is not self._client_settings.http_client:
            client.close()

    def renew(self, settings: Settings) -> None:
        """Send what comes next with other settings; called on any thread."""
        self._settings = settings

    def load(self) -> None:
        """Import httpx, which `send` would, and what is imported with a first request."""
        import encodings.idna  # noqa: F401  # by which Python looks up the addresses of hosts

        import httpx

        # Much of httpx comes with a client only, and which modules these are is its own affair.
        if self._client is None and self._settings.http_client is None:
            with contextlib.suppress(Exception):  # a wrong variable, say, is for `send` to tell
                httpx.Client().close()

    def forget(self) -> None:
        """Drop connections that are a parent process's, without a word on them."""
        if self._client is not None:
            _inherited.append(self._client)
            self._client = None

    def _headers(self, settings: Settings) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {settings.api_token}",
            "Content-Type": "application/json",
            "X-Prefactor-SDK": self._sdk,
        }

    def _describe(self, error: Exception) -> str:
        text = str(error)
        # Some errors quote the header that they dislike.
        for secret in (self._settings.api_token, repr(self._settings.api_token)[1:-1]):
            text = text.replace(secret, "***") if secret else text
        return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _connect(settings: Settings) -> httpx.Client:
    if settings.http_client is not None:
        client: httpx.Client = settings.http_client
        return client
    # Imported with the first request, on the background thread: it takes longer than all of this
    # library.
    import httpx

    return httpx.Client(
        timeout=settings.request_timeout,
        limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
    )


def _describe_redirect(response: httpx.Response) -> str:
    to = response.headers.get("Location")
    if not response.is_redirect or to is None:
        return ""
    return f"it redirects to {to}, which is not followed since the token is not for other hosts"
