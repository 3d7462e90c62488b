"""What a setting may be. A reader takes what code or a variable gives, and says what it wants.

A ``ValueError`` of a reader holds the end of a sentence: "must be ...".
"""

import math
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}

Reader = Callable[[object], Any]


def text(value: object) -> str:
    """Read text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("text that is not empty")
    return value.strip()


def token(value: object) -> str:
    """Read an API token."""
    given = text(value)
    if not all("!" <= character <= "~" for character in given):
        # It travels in a header, which holds nothing else.
        raise ValueError("ASCII text without spaces")
    return given


def path(value: object) -> str:
    """Read a path, which may begin with ``~``; a relative one is meant from the folder of now."""
    from pathlib import Path  # not with the library: most programs set none

    try:
        return str(Path(text(os.fspath(value))).expanduser().absolute())  # type: ignore[call-overload]
    except TypeError:
        raise ValueError("a path") from None
    except (RuntimeError, OSError) as error:  # nobody's home, or no folder of now
        raise ValueError(f"a path that leads somewhere ({error})") from None


def switch(value: object) -> bool:
    """Read a yes or no."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError("one of 1, true, yes, on, 0, false, no, off")


def number(low: float, high: float = math.inf, *, whole: bool = False) -> Reader:
    """Return what reads a number from `low` to `high`."""
    wanted = f"a {'whole ' if whole else ''}number" + (
        f" of at least {low:g}" if high == math.inf else f" from {low:g} to {high:g}"
    )

    def read(value: object) -> float:
        try:
            given = float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            raise ValueError(wanted) from None
        if isinstance(value, bool) or not low <= given <= high or math.isinf(given):
            raise ValueError(wanted)
        if whole and given != int(given):
            raise ValueError(wanted)
        return int(given) if whole else given

    return read


def one_of(words: tuple[str, ...], change: Callable[[str], str] = str.lower) -> Reader:
    """Return what reads one of `words`, spelled as `change` says."""

    def read(value: object) -> str:
        word = change(str(value).strip())
        if word not in words:
            raise ValueError(f"one of {', '.join(words)}")
        return word

    return read


def function(value: object) -> Any:
    """Take a function."""
    if not callable(value):
        raise ValueError("a function")
    return value


def client(value: object) -> Any:
    """Take an `httpx.Client`."""
    # Not imported for this: whoever has a client has imported it.
    httpx = sys.modules.get("httpx")
    if httpx is None or not isinstance(value, httpx.Client):
        raise ValueError("an httpx.Client")
    return value


def url(value: object) -> str:
    """Read the address of a service, without a slash at its end."""
    from urllib.parse import urlsplit  # not with the library: most programs set no URL

    wanted = "a URL such as https://app.prefactorai.com"
    try:
        given = text(value)
        parts = urlsplit(given)
        parts.port  # noqa: B018  # reading it is what checks it
    except ValueError:
        raise ValueError(wanted) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or len(given.split()) > 1:
        raise ValueError(wanted)
    if parts.query or parts.fragment:
        raise ValueError(f"{wanted}, without anything after ? or #")
    if parts.username or parts.password:
        raise ValueError("a URL without a user or password in it; the token goes in api_token")
    return parts.geturl().rstrip("/")


def is_overheard(url: str) -> bool:
    """Return whether what is sent to a URL leaves this machine unencrypted."""
    if not url.startswith("http://"):
        return False
    import ipaddress  # as `url` does: most programs set none
    from urllib.parse import urlsplit

    host = urlsplit(url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host != "localhost" and not host.endswith(".localhost")


def status_codes(value: object) -> tuple[int, ...]:
    """Read HTTP status codes, as a sequence or with commas between."""
    wanted = "HTTP status codes from 400 to 599, such as 429,500,503"
    try:
        parts = value.split(",") if isinstance(value, str) else tuple(value)  # type: ignore[arg-type]
        codes = tuple(int(part) for part in parts)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(wanted) from None
    if not all(400 <= code <= 599 for code in codes):
        raise ValueError(wanted)
    return codes


def names(value: object) -> tuple[str, ...]:
    """Read names, as a sequence or with commas between."""
    wanted = "names such as session_pin,iban"
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, Iterable):
        raise ValueError(wanted)
    given = tuple(name.strip() if isinstance(name, str) else "" for name in parts)
    if not all(name and any(map(str.isalpha, name)) for name in given):
        raise ValueError(wanted)
    return given
