"""Who may talk to a server on this machine: programs of this machine, no page of the web."""

import ipaddress
import socket
from urllib.parse import urlsplit

from prefactor_trace.server._refusal import Refusal, malformed


def is_loopback(host: str) -> bool:
    """Return whether a host name or address leads to this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host, None)
    except (OSError, UnicodeError):  # the latter from what cannot be a name
        return False
    return all(ipaddress.ip_address(entry[4][0]).is_loopback for entry in found)


def check_site(bound_host: str, hosts: list[str], origin: str | None) -> None:
    """Refuse a request that a web page could have made a browser send.

    A page whose name was rebound to this machine's address sends its own name as `Host`; any other
    page sends its own site as `Origin`.

    Raises:
        Refusal: One of them names another site than this machine.
    """
    if len(hosts) != 1:
        raise malformed("A request must have one Host header")
    if not _is_local(_host_of(f"//{hosts[0]}"), bound_host):
        raise Refusal(403, "forbidden", f"The Host {hosts[0]!r} is not this server")
    if origin is not None and not _is_local(_host_of(origin), bound_host):
        raise Refusal(403, "forbidden", f"Pages of {origin!r} may not use this server")


def _host_of(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _is_local(name: str | None, bound_host: str) -> bool:
    if name is None:
        return False
    if name in ("localhost", bound_host.lower()):
        return True
    try:
        # Only an address is believed: what a name leads to is for the page's owner to say.
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
