"""Tests of who may talk to a server on this machine."""

import pytest

from prefactor_trace.server._refusal import Refusal
from prefactor_trace.server._site import check_site, is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback(host):
    """Addresses and names that lead to this machine alone are loopback."""
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "no such name", ""])
def test_not_loopback(host):
    """What others can reach, or nobody knows, is not."""
    assert not is_loopback(host)


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:5", "Box:9"])
def test_hosts_that_are_this_server(host):
    """Loopback names and the bound host are let in."""
    check_site("box", [host], None)
    check_site("box", [host], f"http://{host}")


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "[", ""],
)
def test_hosts_that_are_not(host):
    """Any other name is refused, as `Host` and as `Origin`."""
    with pytest.raises(Refusal):
        check_site("127.0.0.1", [host], None)
    with pytest.raises(Refusal):
        check_site("127.0.0.1", ["localhost"], f"https://{host}")
