"""The way to the service: proxies, private authorities, a client of the user's, no redirects."""

import contextlib
import logging
import pickle
import socket
import ssl
import threading
from pathlib import Path

import httpx
import pytest

import prefactor_trace as prefactor

from .checks import check_all, names, record
from .fault_server import FaultServer, redirect

CERTIFICATE = Path(__file__).parent / "localhost.pem"
"""A certificate for localhost and service.test that nobody trusts, with its key."""

SECRET = "tok-of-great-secrecy-42"


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def secure(tmp_path):
    """A service that speaks TLS."""
    with FaultServer(tmp_path) as one:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        listener = one._listener
        listener.socket = context.wrap_socket(listener.socket, server_side=True)
        yield one


class Proxy:
    """A proxy that sends everything, whatever host it is for, to one place.

    Attributes:
        asked: The first lines of the requests that it got.
    """

    def __init__(self, port: int) -> None:
        self.asked: list[str] = []
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._run(self._accept)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def _run(self, function, *arguments) -> None:
        self._threads.append(threading.Thread(target=function, args=arguments, daemon=True))
        self._threads[-1].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._run(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        server = socket.create_connection(self._target)
        self._sockets += [client, server]
        head = client.recv(65_536)
        self.asked.append(head.partition(b"\r\n")[0].decode())
        if head.startswith(b"CONNECT"):
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        else:
            method, url, version = head.split(b" ", 2)
            server.sendall(b" ".join([method, b"/" + url.split(b"/", 3)[3], version]))
        self._run(self._copy, server, client)
        self._copy(client, server)

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """End everything."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        for one in self._sockets:
            one.close()


@pytest.fixture
def proxy_to():
    """Make proxies."""
    made = []

    def make(server):
        made.append(Proxy(server._port))
        return made[-1]

    yield make
    for one in made:
        one.close()


def port_of(server):
    """Return the port that a server listens on."""
    return server._port


def test_the_proxy_of_the_environment_is_used(server, connect, proxy_to, monkeypatch):
    """For a host that only the proxy can reach."""
    proxy = proxy_to(server)
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    tracer = connect(api_url="http://service.test", allow_insecure=True)
    record(tracer, 3)
    assert tracer.flush(20)
    assert proxy.asked == ["POST http://service.test/api/v1/bulk HTTP/1.1"]
    assert len(names(server)) == 4


def test_hosts_without_a_proxy_are_reached_directly(server, connect, proxy_to, monkeypatch):
    """`NO_PROXY` is honoured."""
    proxy = proxy_to(server)
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    tracer = connect()
    record(tracer, 3)
    assert tracer.flush(20)
    assert not proxy.asked
    assert len(names(server)) == 4


def test_tls_goes_through_a_proxy_as_a_tunnel(secure, connect, proxy_to, monkeypatch):
    """The proxy sees where it goes to, and nothing of it."""
    proxy = proxy_to(secure)
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    tracer = connect(api_url="https://service.test")
    record(tracer, 3)
    assert tracer.flush(20)
    assert proxy.asked == ["CONNECT service.test:443 HTTP/1.1"]
    assert len(names(secure)) == 4


def test_a_private_authority_is_trusted_where_the_environment_says_so(secure, connect, monkeypatch):
    """`SSL_CERT_FILE` is honoured."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    tracer = connect(api_url=f"https://localhost:{port_of(secure)}")
    record(tracer, 3)
    assert tracer.flush(20)
    assert len(names(secure)) == 4


def test_an_unknown_certificate_is_not_trusted(secure, connect, caplog):
    """Verification is on; what is recorded is kept, and the token was not sent."""
    tracer = connect(api_url=f"https://localhost:{port_of(secure)}", api_token=SECRET)
    record(tracer, 3)
    assert not tracer.flush(0.5)
    assert "CERTIFICATE_VERIFY_FAILED" in caplog.messages[0]
    assert not secure.bodies
    assert tracer.stats().pending == 4


def test_a_client_of_the_user_is_used_for_every_request(server, connect):
    """And never closed, nor changed."""
    seen = []
    with httpx.Client(event_hooks={"request": [seen.append]}, headers={"X-Mine": "1"}) as client:
        headers = dict(client.headers)
        tracer = connect(http_client=client, api_token=SECRET)
        for n in range(3):
            record(tracer, 3, run=str(n))
            assert tracer.flush(20)
        tracer.shutdown(5)
        record(tracer, 3, run="after the shutdown")
        assert tracer.shutdown(5)
        assert not client.is_closed
        assert len(seen) == len(server.bodies)
        assert {one["x-mine"] for one in server.headers} == {"1"}
        assert {one["authorization"] for one in server.headers} == {f"Bearer {SECRET}"}
        assert dict(client.headers) == headers
        check_all(server, tracer)


def test_a_redirect_is_one_clear_line(server, connect, caplog, tmp_path):
    """It is not followed, so that no other host sees the token; nothing is lost."""
    (tmp_path / "other").mkdir()
    with FaultServer(tmp_path / "other") as other:
        server.always(redirect(f"{other.url}/api/v1/bulk"))
        with httpx.Client(follow_redirects=True) as client:
            for settings in ({}, {"http_client": client}):
                tracer = connect(api_token=SECRET, **settings)
                record(tracer, 3)
                assert not tracer.flush(0.3)
                assert tracer.stats().pending == 4
            assert not other.headers
            assert len(caplog.messages) == 1
            assert f"redirects to {other.url}" in caplog.messages[0]
            server.recover()
            assert tracer.flush(20)


def test_the_token_is_shown_nowhere(server, connect, caplog, tmp_path):
    """No log down to debug, no repr, no error, no body, no pickle has it."""
    caplog.set_level(logging.DEBUG)
    tracer = connect(api_token=SECRET)
    server.script(redirect("http://elsewhere.test"), redirect(SECRET[:3]))
    with tracer.instance() as run, tracer.span("s", {"name": "a"}) as span:
        shown = [repr(tracer), repr(run), repr(span), str(tracer._settings), repr(tracer.stats())]
    tracer.flush(20)
    with server.away():
        record(tracer, 1)
        shown.append(repr(tracer.flush(0.2)))
    shown.append(repr(vars(tracer._pipeline._transport)))
    with contextlib.suppress(Exception):
        shown.append(repr(pickle.dumps(tracer)))
    with pytest.raises(prefactor.exceptions.SettingsError) as refused:
        prefactor.Tracer(api_token=f"{SECRET}\n{SECRET}")
    shown.append(repr(refused.value))
    assert SECRET not in "\n".join(shown)
    assert SECRET not in caplog.text
    assert not any(SECRET.encode() in body for body in server.bodies)
    assert not any(
        SECRET.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()
    )


@pytest.mark.parametrize("url", ["http://example.com", "http://10.0.0.7:8080"])
def test_plain_http_beyond_this_machine_is_refused(url):
    """Unless the user insists."""
    with pytest.raises(prefactor.exceptions.SettingsError, match="allow_insecure"):
        prefactor.Tracer(api_url=url, api_token=SECRET)
    assert prefactor.Tracer(api_url=url, api_token=SECRET, allow_insecure=True)
