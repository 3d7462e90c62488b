"""Serves the embedded Prefactor over HTTP, with the standard library alone."""

import threading
from typing import TYPE_CHECKING

from prefactor_trace.exceptions import SettingsError
from prefactor_trace.server._site import is_loopback
from prefactor_trace.server.api import Api

if TYPE_CHECKING:
    from typing_extensions import Self


class Server:
    """Serves an API over HTTP; it listens as soon as it is made.

    Args:
        api: What answers.
        host: Address to listen on; any but a loopback address needs an API with a token.
        port: Port to listen on; 0 for any that is free.

    Raises:
        SettingsError: It cannot listen there, or must not without a token.
    """

    def __init__(self, api: Api, host: str = "127.0.0.1", port: int = 0) -> None:
        # Only here, so that the service in process does without `http.server`.
        from prefactor_trace.server._listener import Listener

        is_local = is_loopback(host)
        if not is_local and not api.needs_token:
            raise SettingsError(
                f"host {host!r} can be reached from other machines, so a token is needed: "
                "`serve --token`, or `Api(store, token=...)`; without one listen on 127.0.0.1"
            )
        try:
            self._listener = Listener(api, host, port, is_local=is_local)
        except (OSError, OverflowError, TypeError, UnicodeError) as error:  # or no name at all
            raise SettingsError(f"cannot listen on {host}:{port}: {error}") from error
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where the service is, without the path."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._listener.host, self._listener.host)  # noqa: S104
        port = self._listener.server_address[1]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def start(self) -> "Self":
        """Serve in a thread of its own, and return this server."""
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._listener.serve_forever,
                args=(0.05,),
                name="prefactor-server",
                daemon=True,
            )
            self._thread.start()
        return self

    def serve_forever(self) -> None:
        """Serve until another thread calls `close`."""
        # In a thread of its own even so: Ctrl-C meets this one while it waits, never in the midst
        # of taking a connection, where it could be lost. Windows looks for it between two waits.
        thread = self.start()._thread
        while thread is not None and thread.is_alive():
            thread.join(0.5)

    def close(self) -> None:
        """Stop listening, finish the requests under way and end every connection."""
        if self._thread is not None:
            self._listener.shutdown()
        self._listener.server_close()
        self._listener.end_connections()
        if self._thread is not None:
            self._thread.join()

    def __enter__(self) -> "Self":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()
