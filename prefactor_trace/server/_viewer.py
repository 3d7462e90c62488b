"""The viewer: a page that shows what agents did, and the API that it reads.

What it shows was written by models and by whoever talked to them. So the page is served with a
policy that lets no script of anybody else's run, and builds no HTML from what it shows.
"""

from __future__ import annotations

import hashlib
import hmac
import http.cookies
import importlib.resources
import logging
import re
import sqlite3
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from prefactor_trace.exceptions import DatabaseError
from prefactor_trace.server import _json
from prefactor_trace.server._export import FORMATS, export_runs
from prefactor_trace.server._instances import LONGEST_REASON
from prefactor_trace.server._news import News
from prefactor_trace.server._refusal import Refusal, invalid_field, not_found
from prefactor_trace.server._search import find_spans
from prefactor_trace.server._viewer_runs import get_run, get_statistics, list_runs
from prefactor_trace.server._viewer_spans import get_comparison, get_span
from prefactor_trace.server.api import Response, is_bearer
from prefactor_trace.server.store import Store

logger = logging.getLogger("prefactor_trace")

EVENTS_PATH = "/ui/api/events"
COOKIE = "prefactor_token"

_TYPES = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
}
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
# No system takes a name of any length.
_FILE = re.compile(r"/ui/([\w-]{1,64}\.(?:js|css|svg))", re.ASCII)
_RUN = re.compile(r"/ui/api/runs/(\w+)(?:/(\w+))?", re.ASCII)
_SPAN = re.compile(r"/ui/api/spans/(\w+)", re.ASCII)
# Every address that the page itself makes: which of its views it shows is for it to read.
_PAGE = re.compile(r"/(?:agent_instances/\w+|compare/\w+/\w+)?")


class Viewer:
    """Answers what belongs to the page; all else is the API's.

    Args:
        store: What is shown.
        token: What a visitor must know, ``None`` where anybody on this machine may look.
    """

    def __init__(self, store: Store, token: str | None = None) -> None:
        self.store = store
        self._token = token
        self._news = News()

    def takes(self, path: str) -> bool:
        """Return whether a path belongs to the page."""
        return path.startswith("/ui/") or _PAGE.fullmatch(path) is not None

    def handle(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> Response:
        """Answer one request; whatever is wrong with it becomes an answer too."""
        named = {name.lower(): value for name, value in headers.items()}
        try:
            return self._answer(method, path, dict(parse_qsl(query)), named, body)
        except Refusal as refusal:
            refused = Response.of(refusal)
            return Response(refused.status, {**refused.headers, **_HEADERS}, refused.body)
        except (sqlite3.Error, DatabaseError) as error:
            if self._news.has(str(error)):
                logger.error("prefactor_trace server: the viewer cannot read: %s", error)
            return _trouble(503, str(error))
        except Exception as error:  # the page must outlive any one request
            if self._news.has(type(error).__qualname__):
                logger.exception("prefactor_trace server: the viewer failed at %s %s", method, path)
            return _trouble(500, "The viewer failed; the log of the server says why")

    def is_let_in(self, headers: Mapping[str, str]) -> bool:
        """Return whether a request may look, where a token is needed.

        A browser has the cookie of one that has logged in; programs send the token as they do to
        the API.
        """
        if self._token is None:
            return True
        named = {name.lower(): value for name, value in headers.items()}
        if is_bearer(named.get("authorization", ""), self._token):
            return True
        cookies: http.cookies.SimpleCookie = http.cookies.SimpleCookie()
        try:
            cookies.load(named.get("cookie", ""))
        except http.cookies.CookieError:
            return False
        given = cookies[COOKIE].value if COOKIE in cookies else ""
        return hmac.compare_digest(given.encode("utf-8", "replace"), self._digest())

    def _digest(self) -> bytes:
        # What the browser keeps opens this viewer and nothing else.
        token = self._token or ""
        return hashlib.sha256(f"prefactor viewer {token}".encode()).hexdigest().encode()

    def _answer(
        self,
        method: str,
        path: str,
        query: dict[str, str],
        headers: Mapping[str, str],
        body: bytes,
    ) -> Response:
        if method not in ("GET", "HEAD", "POST"):
            raise Refusal(405, "method_not_allowed", f"The viewer does not take {method}")
        _check_origin(headers)
        file = _FILE.fullmatch(path)
        if file is not None:
            return _file(file[1], headers)
        if _PAGE.fullmatch(path):
            return _file("index.html", headers)
        if path == "/ui/api/login" and method == "POST":
            return self._let_in(_json.read_body(body))
        if not self.is_let_in(headers):
            raise Refusal(401, "unauthorized", "The viewer needs the token that serve was given")
        if method == "POST":
            return self._change(path, _json.read_body(body))
        return self._read(path, query)

    def _let_in(self, fields: Mapping[str, Any]) -> Response:
        given = str(fields.get("token", "")).encode("utf-8", "replace")
        if not hmac.compare_digest(given, (self._token or "").encode()):
            raise Refusal(401, "unauthorized", "This is not the token that serve was given")
        cookie = f"{COOKIE}={self._digest().decode()}; HttpOnly; SameSite=Strict; Path=/"
        return _text('{"status":"success"}', "application/json", more={"set-cookie": cookie})

    def _read(self, path: str, query: dict[str, str]) -> Response:
        store = self.store
        content: Any
        if path == "/ui/api/runs":
            content = list_runs(store, query)
        elif path == "/ui/api/compare":
            content = get_comparison(store, query.get("a", ""), query.get("b", ""))
        elif span := _SPAN.fullmatch(path):
            content = get_span(store, span[1])
        elif (run := _RUN.fullmatch(path)) and run[2] is None:
            content = get_run(store, run[1], query)
        elif run and run[2] == "statistics":
            content = get_statistics(store, run[1])
        elif run and run[2] == "search":
            content = find_spans(store, run[1], query.get("search", ""))
        elif run and run[2] == "export":
            return self._export(run[1], query.get("format", "jsonl"))
        else:
            raise _nothing_at(path)
        return _text(_json.write(content), "application/json")

    def _change(self, path: str, fields: Mapping[str, Any]) -> Response:
        run = _RUN.fullmatch(path)
        if run is None or run[2] != "terminate":
            raise _nothing_at(path)
        reason = fields.get("reason") or None
        if reason is not None and not (isinstance(reason, str) and len(reason) <= LONGEST_REASON):
            raise invalid_field("reason", f"is a text of up to {LONGEST_REASON} characters")
        try:
            self.store.terminate(run[1], reason)
        except LookupError:
            raise not_found("instance", run[1]) from None
        except ValueError as error:
            raise Refusal(409, "invalid_action", str(error)) from None
        return _text('{"status":"success"}', "application/json")

    def _export(self, instance_id: str, name: str) -> Response:
        known = FORMATS.get(name)
        if known is None:
            raise invalid_field("format", f"is one of {', '.join(FORMATS)}")
        try:
            text = "".join(export_runs(self.store, [instance_id], name))
        except LookupError:
            raise not_found("instance", instance_id) from None
        ending = "jsonl" if name == "jsonl" else f"{name}.json"
        disposition = f'attachment; filename="{instance_id}.{ending}"'
        return _text(text, known.media_type, more={"content-disposition": disposition})


def _check_origin(headers: Mapping[str, str]) -> None:
    """Refuse what another site's page sends, also where any host name leads here."""
    origin = headers.get("origin")
    if origin is None:
        return
    try:
        is_ours = urlsplit(origin).netloc == headers.get("host")
    except ValueError:  # it is no address at all
        is_ours = False
    if not is_ours:
        raise Refusal(403, "forbidden", f"Pages of {origin!r} may not use this viewer")


def _file(name: str, headers: Mapping[str, str]) -> Response:
    file = importlib.resources.files("prefactor_trace.server") / "web" / name
    if not file.is_file():
        raise _nothing_at(f"/ui/{name}")
    content = file.read_bytes()
    tag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
    known = {"etag": tag, "cache-control": "no-cache", **_HEADERS}
    if headers.get("if-none-match") == tag:
        return Response(304, known, b"")
    known["content-type"] = _TYPES[name.rpartition(".")[2]]
    return Response(200, known, content)


def _nothing_at(path: str) -> Refusal:
    return Refusal(404, "not_found", f"The viewer has no {path!r}")


def _trouble(status: int, message: str) -> Response:
    told = _json.write({"status": "error", "message": message})
    return _text(told, "application/json", status=status)


def _text(
    text: str, media_type: str, *, status: int = 200, more: Mapping[str, str] | None = None
) -> Response:
    headers = {"content-type": media_type, "cache-control": "no-store", **_HEADERS, **(more or {})}
    return Response(status, headers, text.encode())
