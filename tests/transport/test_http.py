"""HTTP: one client, the right headers, and no exception whatever happens."""

import dataclasses
import http.server
import threading

import pytest

from prefactor_trace._settings import load_settings
from prefactor_trace._transport.http import HttpTransport


class Echo(http.server.BaseHTTPRequestHandler):
    """Keeps what comes in and answers as it is told."""

    protocol_version = "HTTP/1.1"
    status, headers_out = 200, ()

    def do_POST(self):
        """Answer with the body."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, dict(self.headers), body, self.client_address))
        self.send_response(self.server.status)
        for name, value in self.server.headers_out:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Say nothing."""


@pytest.fixture
def echo():
    """A server that keeps what comes in."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.daemon_threads = True
    server.seen, server.status, server.headers_out = [], 200, []
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def make(echo):
    """Make transports to the server, closed at the end."""
    made = []

    def make(**settings):
        url = f"http://127.0.0.1:{echo.server_address[1]}"
        settings = load_settings({"api_url": url, "api_token": "the-token", **settings}, {})
        made.append(HttpTransport(settings, "prefactor-trace@0"))
        return made[-1]

    yield make
    for transport in made:
        transport.close()


def test_request_is_as_the_api_has_it(make, echo):
    """Path, token, type and the library's name are right."""
    answer = make().send(b'{"items":[]}')
    assert (answer.status, answer.body) == (200, b'{"items":[]}')
    path, headers, body, _ = echo.seen[0]
    assert (path, body) == ("/api/v1/bulk", b'{"items":[]}')
    assert headers["Authorization"] == "Bearer the-token"
    assert headers["Content-Type"] == "application/json"
    assert headers["X-Prefactor-SDK"] == "prefactor-trace@0"


def test_address_may_have_a_path(make, echo):
    """A service behind a prefix is reached."""
    url = f"http://127.0.0.1:{echo.server_address[1]}/behind"
    make(api_url=url).send(b"{}")
    assert echo.seen[0][0] == "/behind/api/v1/bulk"


def test_connection_is_kept(make, echo):
    """Several requests share one connection; `close` ends it, and the next makes another."""
    transport = make()
    for _ in range(3):
        transport.send(b"{}")
    transport.close()
    transport.send(b"{}")
    addresses = [seen[3] for seen in echo.seen]
    assert len(set(addresses[:3])) == 1
    assert addresses[3] not in addresses[:3]


def test_redirect_is_not_followed(make, echo):
    """The token does not travel where a redirect says."""
    echo.status, echo.headers_out = 302, [("Location", "/elsewhere")]
    assert make().send(b"{}").status == 302
    assert len(echo.seen) == 1


def test_retry_after_is_handed_on(make, echo):
    """The header is part of the answer."""
    echo.status, echo.headers_out = 429, [("Retry-After", "7")]
    assert make().send(b"{}")[::2] == (429, "7")


def test_nobody_there_is_no_answer(make, echo):
    """An error of the connection has status 0 and says what it was."""
    answer = make(api_url="http://127.0.0.1:1").send(b"{}")
    assert answer.status == 0
    assert "ConnectError" in answer.error


@pytest.mark.parametrize("token", ["caf\u00e9-\u4e2d", "two\nlines"])
def test_token_that_no_header_can_hold_is_not_told(make, token):
    """Nothing is raised, and the token is not in what is said of it."""
    transport = make()
    transport._settings = dataclasses.replace(transport._settings, api_token=token)
    answer = transport.send(b"{}")
    assert answer.status == 0
    assert token not in answer.error
    assert "lines" not in answer.error
