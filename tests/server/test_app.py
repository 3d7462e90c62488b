"""Tests of the HTTP server: where it listens, and how it begins and ends."""

import socket
import subprocess
import sys
import threading

import httpx
import pytest

from prefactor_trace.exceptions import SettingsError
from prefactor_trace.server import Api, Server

from .twin import address


def test_a_free_port_is_found(server):
    """The URL says where the service is."""
    assert server.url.startswith("http://127.0.0.1:")
    assert httpx.get(f"{server.url}/api/v1/ping").json() == {"status": "success"}


def test_other_machines_need_a_token(store):
    """An address that others can reach is refused without a token and served with one."""
    with pytest.raises(SettingsError, match="token"):
        Server(Api(store), "0.0.0.0")
    with Server(Api(store, token="t"), "0.0.0.0") as server:
        headers = {"Host": "box.example", "Authorization": "Bearer t"}
        assert httpx.get(f"{server.url}/api/v1/ping", headers=headers).status_code == 200


def test_a_port_that_is_taken_is_named(store, server):
    """A second server on the same port says where it could not listen."""
    host, port = address(server)
    with pytest.raises(SettingsError, match=f"{host}:{port}"):
        Server(Api(store), host, port)
    with pytest.raises(SettingsError, match="70000"):
        Server(Api(store), port=70_000)


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_ipv6(store):
    """The server listens on an IPv6 address, whose URL has brackets."""
    try:
        server = Server(Api(store), "::1")
    except SettingsError as error:
        pytest.skip(str(error))
    with server:
        assert "[::1]" in server.url
        assert httpx.get(f"{server.url}/api/v1/ping").status_code == 200


def test_serving_until_closed(store):
    """`serve_forever` answers until another thread closes the server."""
    server = Server(Api(store))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    assert httpx.get(f"{server.url}/api/v1/ping").status_code == 200
    server.close()
    thread.join(10)
    assert not thread.is_alive()


def test_a_server_that_never_served_can_be_closed(store):
    """Closing without serving frees the port; so does closing twice."""
    server = Server(Api(store))
    host, port = address(server)
    server.close()
    server.close()
    Server(Api(store), host, port).close()


def test_the_service_in_process_needs_no_http_server():
    """Importing the room does not import what only a server over HTTP needs."""
    check = "import sys, prefactor_trace.server; sys.exit('http.server' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def test_a_host_that_is_no_name(store):
    """A host with characters that no name can have is told as one to which nothing can listen."""
    with pytest.raises(SettingsError, match="cannot listen on"):
        Server(Api(store, token="t"), "\udcff")
