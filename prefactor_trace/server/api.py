"""The API of the embedded Prefactor, in process: every rule of the service passes through here."""

import hmac
import logging
import re
import sqlite3
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from prefactor_trace.exceptions import DatabaseError
from prefactor_trace.server import _json
from prefactor_trace.server._actions import perform, run_bulk
from prefactor_trace.server._fields import is_number
from prefactor_trace.server._lists import list_spans
from prefactor_trace.server._news import News
from prefactor_trace.server._refusal import Refusal, invalid_field, malformed, not_found
from prefactor_trace.server._rows import answer_instance, find_instance
from prefactor_trace.server.store import Store

logger = logging.getLogger("prefactor_trace")

BASE_PATH = "/api/v1"
DEFAULT_MAX_BODY_BYTES = 10 * 1024 * 1024
BRIEF = "return=minimal"
MAX_SESSION = 64
MAX_GENERATED = 1_000

# Method and path to the name of the call; what the path holds in brackets is the call's target.
_ROUTES = {
    "ping": ("GET", "/ping"),
    "agent_instances/register": ("POST", "/agent_instance/register"),
    "agent_instances/start": ("POST", "/agent_instance/{agent_instance_id}/start"),
    "agent_instances/finish": ("POST", "/agent_instance/{agent_instance_id}/finish"),
    "agent_instances/record_quality": (
        "POST",
        "/agent_instance/{agent_instance_id}/record_quality",
    ),
    "agent_instances/get": ("GET", "/agent_instance/{agent_instance_id}"),
    "agent_spans/create": ("POST", "/agent_spans"),
    "agent_spans/list": ("GET", "/agent_spans"),
    "agent_spans/finish": ("POST", "/agent_spans/{agent_span_id}/finish"),
    "bulk": ("POST", "/bulk"),
    "pfid/generate": ("POST", "/pfid/generate"),
    "pfid/list": ("GET", "/pfid/generate"),
}
_PATTERNS = [
    (name, method, re.compile(BASE_PATH + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path) + r"\Z"))
    for name, (method, path) in _ROUTES.items()
]


class Response(NamedTuple):
    """An answer of the service.

    Attributes:
        status: HTTP status.
        headers: Header to value.
        body: JSON in UTF-8.
    """

    status: int
    headers: dict[str, str]
    body: bytes

    @classmethod
    def of(cls, refusal: Refusal) -> "Response":
        """Return the answer that says no."""
        return _respond(refusal.status, refusal.text, refusal.headers)


class _Call(NamedTuple):
    """A request that was found to be in order: which call it is, and on what."""

    name: str
    target: Mapping[str, str]
    query: Mapping[str, str]
    body: Mapping[str, Any]
    session: str | None
    is_brief: bool


class Api:
    """Answers requests as the Prefactor service does, out of a store.

    Args:
        store: Where everything is kept.
        token: What clients must send as bearer token; `None` lets everyone in.
        max_body_bytes: Largest body that is read.
        log_store_errors: Whether trouble with the store is logged, at most once a minute of each
            kind; not of use where the caller, in the same process, says so itself.
    """

    def __init__(
        self,
        store: Store,
        *,
        token: str | None = None,
        max_body_bytes: int = DEFAULT_MAX_BODY_BYTES,
        log_store_errors: bool = True,
    ) -> None:
        self.store = store
        self.max_body_bytes = max_body_bytes
        self.token = token
        self._log_store_errors = log_store_errors
        self._news = News()

    @property
    def needs_token(self) -> bool:
        """Whether clients must send a bearer token."""
        return self.token is not None

    def handle(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Response:
        """Answer one request; whatever is wrong with it becomes an answer too.

        Args:
            method: HTTP method.
            path: Path from the root, without the query.
            query: What stands after the question mark.
            headers: Headers, in any case.
            body: The body, as it came.
        """
        try:
            # First, since a server does not even read a body that is too large.
            self.check_size(len(body))
            named = {name.lower(): value for name, value in (headers or {}).items()}
            self._authorize(named.get("authorization", ""))
            return _respond(200, self._carry_out(self._read(method, path, query, named, body)))
        except Refusal as refusal:
            return Response.of(refusal)
        except (sqlite3.Error, DatabaseError) as error:
            if self._log_store_errors and self._news.has(str(error)):
                logger.warning(
                    "prefactor_trace: the embedded service cannot use its store: %s", error
                )
            return refuse(503, "service_unavailable", f"The store cannot be used: {error}")
        except Exception as error:  # the service must outlive any one request
            if self._news.has(type(error).__qualname__):
                logger.exception(
                    "prefactor_trace: the embedded service failed at %s %s", method, path
                )
            return refuse(500, "internal_server_error", "The service failed; its log says why")

    def check_size(self, size: int) -> None:
        """Refuse a body that is too large.

        Raises:
            Refusal: It is.
        """
        if size > self.max_body_bytes:
            raise Refusal(
                413,
                "payload_too_large",
                f"The body must not have more than {self.max_body_bytes} bytes",
            )

    def _authorize(self, authorization: str) -> None:
        if self.token is not None and not is_bearer(authorization, self.token):
            raise Refusal(
                401,
                "unauthorized",
                "The bearer token is missing or wrong",
                headers={"www-authenticate": "Bearer"},
            )

    def _read(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> _Call:
        name, target = _find_route(method, path)
        if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            raise _unsupported("The body must not be compressed")
        # A page of the web may send plain text anywhere without asking, but JSON it may not.
        kind = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        if body and kind != "application/json":
            raise _unsupported("The body must be application/json")
        session = headers.get("x-prefactor-session") or None
        if session is not None and not (len(session) <= MAX_SESSION and session.isprintable()):
            raise malformed(f"X-Prefactor-Session must be up to {MAX_SESSION} printable characters")
        fields = _json.read_body(body) if method == "POST" else {}
        is_brief = headers.get("prefer") == BRIEF  # as RFC 7240 has it
        return _Call(name, target, _read_query(query), fields, session, is_brief)

    def _carry_out(self, call: _Call) -> str:
        store = self.store
        if call.name == "ping":
            return '{"status":"success"}'
        if call.name in ("pfid/generate", "pfid/list"):
            return self._generate(call.body or call.query)
        if call.name == "agent_spans/list":
            with store.reading() as db:
                return list_spans(db, store.account_id, call.query)
        if call.name == "agent_instances/get":
            with store.reading() as db:
                instance = find_instance(db, call.target["agent_instance_id"])
                return answer_instance(db, store.account_id, instance)
        with store.writing(call.session, is_brief=call.is_brief) as transaction:
            if call.name == "bulk":
                return run_bulk(transaction, call.body)
            return perform(transaction, {**call.body, **call.target, "_type": call.name})

    def _generate(self, fields: Mapping[str, Any]) -> str:
        account_id = fields.get("account_id")
        if account_id not in (None, self.store.account_id):
            raise not_found("account", str(account_id))
        count = fields.get("count", 1)
        if isinstance(count, str) and is_number(count):
            count = int(count)
        if type(count) is not int or not 1 <= count <= MAX_GENERATED:
            raise invalid_field("count", f"must be a whole number from 1 to {MAX_GENERATED}")
        pfids = self.store.new_ids(count)
        return _json.write({"status": "success", "details": {"pfids": pfids}})


def is_bearer(authorization: str, token: str) -> bool:
    """Return whether an Authorization header holds `token` as bearer token."""
    scheme, _, given = authorization.partition(" ")
    # Compared as bytes: `compare_digest` takes no other than ASCII text.
    known = hmac.compare_digest(given.strip().encode("utf-8", "replace"), token.encode())
    return known and scheme.lower() == "bearer"


def refuse(status: int, code: str, message: str) -> Response:
    """Return an answer that says no, in the service's words."""
    return Response.of(Refusal(status, code, message))


def _respond(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    return Response(status, {"content-type": "application/json", **(headers or {})}, text.encode())


def _unsupported(message: str) -> Refusal:
    return Refusal(415, "unsupported_media_type", message)


def _find_route(method: str, path: str) -> tuple[str, Mapping[str, str]]:
    allowed = []
    for name, wanted, pattern in _PATTERNS:
        match = pattern.match(path)
        if match is not None:
            if method == wanted:
                return name, match.groupdict()
            allowed.append(wanted)
    if not allowed:
        raise Refusal(404, "not_found", f"There is nothing at {path!r}")
    raise Refusal(
        405,
        "method_not_allowed",
        f"{path!r} takes {' or '.join(allowed)}, not {method}",
        headers={"allow": ", ".join(allowed)},
    )


def _read_query(query: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError as error:
        raise malformed(f"The query cannot be read: {error}") from None
    return dict(pairs)
