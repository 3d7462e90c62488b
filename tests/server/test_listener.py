"""Tests of the connections of the HTTP server: how they go on, and how they end."""

import json
import socket
import threading

import httpx
import pytest

from prefactor_trace.server import Api, Server

from .twin import address


def exchange(server, *sent, end=True):
    """Return all that the server writes on one connection until it closes it."""
    with socket.create_connection(address(server), timeout=10) as connection:
        for part in sent:
            connection.sendall(part)
        if end:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        while data := connection.recv(65_536):
            received += data
        return received


def request(head, body=b""):
    """Return the bytes of a plain request."""
    return b"%b HTTP/1.1\r\nHost: localhost\r\n\r\n%b" % (head, body)


def test_a_connection_carries_many_requests(server):
    """Requests that follow one another, even unasked, are answered on one connection."""
    received = exchange(server, request(b"GET /api/v1/ping") * 3)
    assert received.count(b"HTTP/1.1 200 OK") == 3
    assert b"connection: close" not in received.lower()


def test_a_refusal_by_the_api_keeps_the_connection(server):
    """After an answer that is an error the connection goes on."""
    received = exchange(server, request(b"GET /api/v1/no"), request(b"GET /api/v1/ping"))
    assert received.count(b"HTTP/1.1 404") == 1
    assert received.count(b"HTTP/1.1 200") == 1


def test_chunked_bodies_are_read(server):
    """A body of unknown length arrives whole, and the next request is understood."""
    chunked = (
        b"POST /api/v1/pfid/generate HTTP/1.1\r\nHost: localhost\r\n"
        b'Transfer-Encoding: chunked\r\n\r\n6\r\n{"coun\r\n5;x=y\r\nt":2}\r\n0\r\nA: b\r\n\r\n'
    )
    received = exchange(server, chunked, request(b"GET /api/v1/ping"))
    assert received.count(b"HTTP/1.1 200") == 2
    assert (
        len(json.loads(received.split(b"\r\n\r\n")[1].partition(b"HTTP")[0])["details"]["pfids"])
        == 2
    )


def test_a_body_that_is_too_large_is_answered(server):
    """A client that sends far too much still reads why it was refused."""
    answer = httpx.post(f"{server.url}/api/v1/bulk", content=b"x" * 5_000_000)
    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")
    answer = httpx.post(f"{server.url}/api/v1/bulk", content=(b"x" * 600 for _ in range(2)))
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (b"Host: localhost\r\nContent-Length: -1", 400),
        (b"Host: localhost\r\nContent-Length: 1_0", 400),
        (b"Host: localhost\r\nContent-Length: 2\r\nContent-Length: 3", 400),
        (b"Host: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked", 400),
        (b"Host: localhost\r\nTransfer-Encoding: gzip, chunked", 400),
        (b"Accept: */*", 400),
        (b"Host: a\r\nHost: localhost", 400),
        (b"Host: evil.example", 403),
        (b"Host: localhost\r\nOrigin: https://evil.example", 403),
        (b"Host: localhost\r\nOrigin: null", 403),
        (b"Host: [broken", 403),
    ],
)
def test_a_request_that_cannot_be_trusted_ends_the_connection(server, headers, status):
    """Headers that do not fit together, or name another site, are refused in JSON."""
    sent = b"POST /api/v1/bulk HTTP/1.1\r\n" + headers + b"\r\n\r\n{}"
    received = exchange(server, sent, end=False)
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d" % status)
    assert b"connection: close" in head.lower()
    assert json.loads(body)["status"] == "error"


@pytest.mark.parametrize(
    "sent", [b"\x16\x03\x01 tls\r\n\r\n", b"BREW /pot HTTP/1.1\r\n\r\n", b"GET / HTTP/9\r\n\r\n"]
)
def test_what_is_no_http_is_refused(server, sent):
    """Other protocols and unknown methods do not disturb the service."""
    exchange(server, sent)
    assert httpx.get(f"{server.url}/api/v1/ping").status_code == 200


def test_a_client_that_goes_away_disturbs_nobody(server, caplog):
    """A body that breaks off is not carried out and not reported."""
    head = b"POST /api/v1/bulk HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{"
    assert exchange(server, head) == b""
    assert caplog.text == ""


@pytest.mark.parametrize("host", ["localhost:1", "LOCALHOST", "127.0.0.1", "[::1]:80", "127.9.9.9"])
def test_names_of_this_machine_are_let_in(server, host):
    """A request may name the server by any name of this machine."""
    headers = {"Host": host, "Origin": "http://localhost:3000"}
    assert httpx.get(f"{server.url}/api/v1/ping", headers=headers).status_code == 200


def test_closing_ends_idle_connections(store):
    """A client that only holds its connection open does not keep the server from closing."""
    server = Server(Api(store)).start()
    with socket.create_connection(address(server), timeout=10) as connection:
        connection.sendall(request(b"GET /api/v1/ping"))
        assert connection.recv(65_536)
        server.close()
        assert connection.recv(65_536) == b""


def test_closing_lets_a_request_finish(store):
    """A request that is being carried out is answered before the server is closed."""
    entered, go_on = threading.Event(), threading.Event()
    api = Api(store)
    answered = api.handle

    def slowly(*args, **options):
        entered.set()
        assert go_on.wait(10)
        return answered(*args, **options)

    api.handle = slowly
    server = Server(api).start()
    with socket.create_connection(address(server), timeout=10) as connection:
        connection.sendall(request(b"GET /api/v1/ping"))
        assert entered.wait(10)
        closing = threading.Thread(target=server.close)
        closing.start()
        go_on.set()
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
        closing.join(10)
    assert not closing.is_alive()
