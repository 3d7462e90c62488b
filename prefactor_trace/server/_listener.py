"""The listening socket of the embedded service, and the connections that come of it."""

import contextlib
import logging
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prefactor_trace._version import __version__
from prefactor_trace.server._events import events
from prefactor_trace.server._http_body import read_http_body
from prefactor_trace.server._refusal import Refusal
from prefactor_trace.server._site import check_site
from prefactor_trace.server._viewer import EVENTS_PATH, Viewer
from prefactor_trace.server.api import Api, Response, refuse

logger = logging.getLogger("prefactor_trace")

IDLE_SECONDS = 60.0
"""How long a connection may be silent."""

_CLOSE_SECONDS = 5.0
_DRAIN_SECONDS = 2.0
_DRAIN_BYTES = 64 * 1024 * 1024


class _Connection(BaseHTTPRequestHandler):
    """One client's connection, which carries any number of requests."""

    protocol_version = "HTTP/1.1"
    server_version = f"prefactor_trace/{__version__}"
    sys_version = ""
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body of an answer leave together
    server: "Listener"

    def answer(self) -> None:
        """Read one request, let the API answer it, and write the answer."""
        api = self.server.api
        try:
            if self.server.is_local:
                hosts = self.headers.get_all("Host", [])
                check_site(self.server.host, hosts, self.headers.get("Origin"))
            body = read_http_body(self.headers, self.rfile, api.check_size)
        except Refusal as refusal:
            self._refuse(Response.of(refusal))
            return
        path, _, query = self.path.partition("?")
        headers = dict(self.headers.items())
        viewer = self.server.viewer
        if path == EVENTS_PATH and self.command == "GET" and viewer.is_let_in(headers):
            self._stream()
        elif viewer.takes(path):
            self._write(viewer.handle(self.command, path, query, headers, body))
        else:
            self._write(api.handle(self.command, path, query=query, headers=headers, body=body))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = answer  # noqa: N815

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer a request that is not even HTTP."""
        self._refuse(refuse(code, "bad_request", message or explain or "This is no HTTP request"))

    def log_message(self, format: str, *args: Any) -> None:
        """Log a request for those who debug, not on the terminal."""
        logger.debug("prefactor_trace server: " + format, *args)

    def _stream(self) -> None:
        """Send events until the page, or the server, goes away."""
        self.close_connection = True
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("cache-control", "no-store")
        self.send_header("connection", "close")
        self.end_headers()
        for event in events(self.server.api.store.path, self.server.closing):
            self.wfile.write(event)
            self.wfile.flush()

    def _write(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(response.body)))
        if self.close_connection:
            self.send_header("connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)
        self.wfile.flush()

    def _refuse(self, response: Response) -> None:
        """Answer without having read all of the body, and end the connection."""
        self.close_connection = True
        self._write(response)
        # Closing with unread data resets the connection, and the client may never see the answer.
        self.connection.shutdown(socket.SHUT_WR)
        self.connection.settimeout(_DRAIN_SECONDS)
        left = _DRAIN_BYTES
        while left > 0 and (data := self.rfile.read1(65_536)):
            left -= len(data)


class Listener(ThreadingHTTPServer):
    """The listening socket, and the connections that came of it."""

    request_queue_size = 128

    def __init__(self, api: Api, host: str, port: int, *, is_local: bool) -> None:
        self.api = api
        self.host = host
        self.is_local = is_local
        self.viewer = Viewer(api.store, api.token)
        self.closing = threading.Event()
        self._live: dict[threading.Thread, socket.socket] = {}
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host, port), _Connection)

    def server_bind(self) -> None:
        """Bind without the look-up of this machine's name, which can take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve one connection in a thread of its own."""
        thread = threading.Thread(
            target=self.process_request_thread, args=(request, client_address), daemon=True
        )
        # Known before its thread runs, so that closing the server cannot miss it.
        self._live[thread] = request
        try:
            thread.start()
        except BaseException:  # Ctrl-C too, which may come when the thread has already ended
            self._live.pop(thread, None)
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection until it ends."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._live.pop(threading.current_thread(), None)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """Log what ended a connection; a client that goes away is nothing to report."""
        error = sys.exc_info()[1]
        quiet = isinstance(error, (ConnectionError, TimeoutError))
        level = logging.DEBUG if quiet else logging.ERROR
        logger.log(level, "prefactor_trace server: a connection ended", exc_info=error)

    def end_connections(self) -> None:
        """Let requests under way be answered, then end every connection."""
        self.closing.set()
        deadline = time.monotonic() + _CLOSE_SECONDS
        # Nothing more is read at first, which ends idle connections and lets answers out.
        for how, until in ((socket.SHUT_RD, deadline), (socket.SHUT_RDWR, deadline + 1)):
            live = dict(self._live)
            for connection in live.values():
                with contextlib.suppress(OSError):  # it may have ended on its own
                    connection.shutdown(how)
            for thread in live:
                thread.join(max(0.0, until - time.monotonic()))
