"""A server on this machine that hands what other processes send to a recorder."""

from __future__ import annotations

import http.client
import http.server
import json
import os
import threading
from typing import TYPE_CHECKING, Any

from prefactor_trace._transport import Answer
from prefactor_trace._transport.memory import accept_all
from prefactor_trace.testing.stand_in import ANY_TOKEN

if TYPE_CHECKING:
    from prefactor_trace.testing.capture import Capture

_TIMEOUT = 5.0  # seconds


class Relay:
    """Listens on a free port until it is stopped."""

    def __init__(self, capture: Capture) -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                answer = capture(json.loads(body))
                self.send_response(answer.status or 503)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_: Any) -> None:
                """Say nothing among the output of the tests."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )
        self._thread.start()
        self._capture = capture
        capture.in_fork = self.send

    def send(self, content: dict[str, Any]) -> Answer:
        """Send the content of a request here, from a child that was forked: it has no other way."""
        port = self._server.server_address[1]
        self._server.socket.close()  # the child's own: it would seem that somebody listens
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
        try:
            connection.request("POST", "/", json.dumps(content))
            answer = connection.getresponse()
            return Answer(answer.status, answer.read())
        except (OSError, http.client.HTTPException):  # the recording is over
            return accept_all(content)
        finally:
            connection.close()

    def environment(self) -> dict[str, str]:
        """Return the environment of a process that sends what it records here."""
        from prefactor_trace import inject_env

        return inject_env(os.environ) | {
            # Said, and not left out: it may be added to an environment that says otherwise.
            "PREFACTOR_OFFLINE": "0",
            "PREFACTOR_LOCAL": "0",
            "PREFACTOR_ENABLED": "1",
            "PREFACTOR_API_URL": f"http://127.0.0.1:{self._server.server_address[1]}",
            "PREFACTOR_API_TOKEN": ANY_TOKEN,
        }

    def stop(self) -> None:
        """Stop listening."""
        self._capture.in_fork = None
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
