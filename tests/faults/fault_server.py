"""A Prefactor service that fails as it is told to, over real sockets.

Every request takes the next fault of the script; without one it is answered as the embedded service
answers. Item faults are put in front of the service's own rules, and stop the request at the item
at fault, as the service does.
"""

import contextlib
import email.utils
import json
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from typing_extensions import Self

from prefactor_trace.models import AgentSpan
from prefactor_trace.server import Api, Store

ITEM_CODES = {
    "validation_errors": {"errors": {"payload": ["cannot be taken"]}},
    "not_found": {},
    "internal_error": {},
    "invalid_action": {},
    "a_code_of_tomorrow": {},
}
"""Code of an item error to what it carries beside the message."""


class Effect(NamedTuple):
    """Something that the service did, once."""

    action: str
    id: str
    parent: str | None
    status: str | None


class Exchange:
    """One request, and the ways to answer it."""

    def __init__(self, server: "FaultServer", connection: "_Connection", body: bytes) -> None:
        self.server = server
        self.body = body
        self._connection = connection

    def process(self) -> tuple[int, bytes]:
        """Have the service carry out the request; return its answer."""
        return self.server.process(self.body)

    def answer(
        self, status: int, body: bytes, headers: dict[str, str] | None = None, cut: int = 0
    ) -> None:
        """Answer; `cut` bytes that were announced never come."""
        connection = self._connection
        connection.send_response(status)
        for name, value in {"content-type": "application/json", **(headers or {})}.items():
            connection.send_header(name, value)
        connection.send_header("content-length", str(len(body)))
        connection.end_headers()
        connection.wfile.write(body[: len(body) - cut])
        connection.close_connection = bool(cut)

    def answer_well(self) -> None:
        """Have the service carry out the request, and answer what it says."""
        self.answer(*self.process())

    def reset(self) -> None:
        """End the connection so that the client sees a reset, not an end."""
        linger = struct.pack("ii", 1, 0)
        self._connection.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._connection.close_connection = True


Fault = Callable[[Exchange], None]


# Faults


def healthy(exchange: Exchange) -> None:
    """Answer as the service does: a place in the script without a fault."""
    exchange.answer_well()


def refuse(
    status: int, *, retry_after: float | str | None = None, code: str = "", message: str = ""
) -> Fault:
    """Return the fault that answers a request whole with an error, and does nothing."""

    def fault(exchange: Exchange) -> None:
        error = {
            "status": "error",
            "code": code or f"code_{status}",
            "message": message or f"the service says {status}",
        }
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        exchange.answer(status, json.dumps(error).encode(), headers)

    return fault


def http_date(seconds_from_now: float) -> str:
    """Return a moment as a Retry-After header can name it."""
    return email.utils.formatdate(time.time() + seconds_from_now, usegmt=True)


def reset_before(exchange: Exchange) -> None:
    """Reset the connection before anything was done."""
    exchange.reset()


def reset_after(exchange: Exchange) -> None:
    """Do everything, and reset the connection before the answer is out."""
    exchange.process()
    exchange.reset()


def hold(until: threading.Event, *, processed: bool = False) -> Fault:
    """Return the fault that answers once `until` is set, having `processed` first or not."""

    def fault(exchange: Exchange) -> None:
        answer = exchange.process() if processed else None
        exchange.server.wait(until)
        exchange.answer(*(answer or exchange.process()))

    return fault


def never(exchange: Exchange) -> None:
    """Do everything, and never answer."""
    exchange.process()
    exchange.server.wait(threading.Event())
    exchange.reset()


def truncated(exchange: Exchange) -> None:
    """Do everything, and end the connection in the middle of the answer."""
    status, body = exchange.process()
    exchange.answer(status, body, cut=max(1, len(body) // 2))


def say(body: bytes, *, status: int = 200, processed: bool = True) -> Fault:
    """Return the fault that answers `body`, whatever was done."""

    def fault(exchange: Exchange) -> None:
        if processed:
            exchange.process()
        exchange.answer(status, body)

    return fault


not_json = say(b"<html>it works</html>")
without_outputs = say(b'{"status":"success"}')
wrong_outputs = say(b'{"status":"success","outputs":[1,2]}')


def missing_keys(keep: Callable[[int], bool]) -> Fault:
    """Return the fault that does everything and leaves out outputs, by their position."""

    def fault(exchange: Exchange) -> None:
        status, body = exchange.process()
        content = json.loads(body)
        kept = [pair for n, pair in enumerate(content.get("outputs", {}).items()) if keep(n)]
        exchange.answer(status, json.dumps({**content, "outputs": dict(kept)}).encode())

    return fault


def item_error(position: int, code: str) -> Fault:
    """Return the fault that stops a request with an error at `position`, once."""

    def fault(exchange: Exchange) -> None:
        exchange.answer(*exchange.server.process(exchange.body, stop_at=(position, code)))

    return fault


def redirect(to: str) -> Fault:
    """Return the fault that sends the client to another address."""
    return lambda exchange: exchange.answer(307, b"", {"Location": to})


class FaultServer:
    """The embedded Prefactor behind a script of faults; it listens as soon as it is made.

    Args:
        folder: Where its database goes.
        script: Faults of the first requests, one each.
        max_body_bytes: Larger bodies are answered with 413.
        token: What clients must send as bearer token; ``None`` lets everyone in.

    Attributes:
        bodies: Every body that was read, in order.
        headers: The headers that came with them.
        effects: What was done, in order, each thing once.
        connections: Number of connections so far.
    """

    def __init__(
        self,
        folder: Path,
        script: Iterable[Fault] = (),
        *,
        max_body_bytes: int = 1 << 30,
        token: str | None = None,
    ) -> None:
        self.store = Store(folder / "fault_server.db")
        self.api = Api(self.store, max_body_bytes=1 << 30)
        self.max_body_bytes = max_body_bytes
        self.token = token
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.effects: list[Effect] = []
        self.connections = 0
        self._script: deque[Fault] = deque(script)
        self._standing: list[tuple[Callable[[Exchange], bool], Fault]] = []
        self._recoveries = 0
        self._poison: list[tuple[Callable[[dict[str, Any]], bool], str]] = []
        self._done_keys: set[str] = set()
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._listener: _Listener | None = None
        self._port = 0
        self._listen()

    # What it is told

    def script(self, *faults: Fault) -> None:
        """Add the faults of the requests to come, one each."""
        with self._changed:
            self._script.extend(faults)

    def whenever(self, matches: Callable[[Exchange], bool], fault: Fault) -> None:
        """Answer every request that matches with a fault, until `recover`."""
        self._standing.append((matches, fault))

    def always(self, fault: Fault) -> None:
        """Answer every request with a fault, until `recover`."""
        self.whenever(lambda _: True, fault)

    def recover(self) -> None:
        """Forget all faults, and let go of the requests that are held."""
        with self._changed:
            self._recoveries += 1
            self._script.clear()
            self._standing.clear()
            self._poison.clear()

    def poison(
        self, matches: Callable[[dict[str, Any]], bool], code: str = "validation_errors"
    ) -> None:
        """Refuse every item that matches, each time it comes, until `recover`."""
        self._poison.append((matches, code))

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """Refuse connections while the block runs, then listen on the same port again."""
        self._stop()
        try:
            yield
        finally:
            self._listen()

    # What it saw

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def contents(self) -> list[dict[str, Any]]:
        """The contents of all requests, in order."""
        return [json.loads(body) for body in self.bodies]

    @property
    def items(self) -> list[dict[str, Any]]:
        """The items of all requests, in order."""
        return [item for content in self.contents for item in content["items"]]

    def spans(self) -> list[AgentSpan]:
        """Return what the store holds, the spans of all instances."""
        instances = self.store.list_instances(limit=10_000)
        return [span for instance in instances for span in self.store.list_spans(instance.id)]

    def wait_for_requests(self, count: int, timeout: float = 30) -> None:
        """Wait until that many requests were read."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.bodies) >= count, timeout):
                raise AssertionError(f"{len(self.bodies)} requests came, not {count}")

    def wait(self, event: threading.Event) -> None:
        """Wait for an event, or until the server recovers or closes."""
        before = self._recoveries
        while not event.wait(0.01) and not self._closing.is_set() and self._recoveries == before:
            pass

    # What it does

    def respond(self, connection: "_Connection", body: bytes) -> None:
        """Note a request and answer it, with a fault if there is one for it."""
        exchange = Exchange(self, connection, body)
        with self._changed:
            self.bodies.append(body)
            self.headers.append({k.lower(): v for k, v in connection.headers.items()})
            self._changed.notify_all()
            fault = self._choose_fault(exchange)
        fault(exchange)

    def _choose_fault(self, exchange: Exchange) -> Fault:
        if self.token is not None and self.headers[-1].get("authorization") != (
            f"Bearer {self.token}"
        ):
            return refuse(401, code="unauthorized", message="the token is not valid")
        if len(exchange.body) > self.max_body_bytes:
            return refuse(413, code="payload_too_large")
        for matches, fault in self._standing:
            if matches(exchange):
                return fault
        return self._script.popleft() if self._script else healthy

    def process(self, body: bytes, stop_at: tuple[int, str] | None = None) -> tuple[int, bytes]:
        """Carry out the items of a request up to the first that is at fault."""
        items = json.loads(body)["items"]
        for position, item in enumerate(items):
            code = next((code for matches, code in self._poison if matches(item)), None)
            if stop_at is not None and position == stop_at[0]:
                code = stop_at[1]
            # What was done before is answered as before, whatever the service thinks of it now.
            if code is not None and item["idempotency_key"] not in self._done_keys:
                return 200, self._stop_at(items, position, code)
        return self._carry_out(items)

    def _stop_at(self, items: list[dict[str, Any]], position: int, code: str) -> bytes:
        content: dict[str, Any] = {"status": "success", "outputs": {}}
        if position:
            _, before = self._carry_out(items[:position])
            content = json.loads(before)
            if len(content["outputs"]) < position or any(
                output["status"] != "success" for output in content["outputs"].values()
            ):
                return before  # it stopped earlier on its own
        error = {"status": "error", "code": code, "message": f"poisoned: {code}"}
        content["outputs"][items[position]["idempotency_key"]] = {
            **error,
            **ITEM_CODES.get(code, {}),
        }
        return json.dumps(content).encode()

    def _carry_out(self, items: list[dict[str, Any]]) -> tuple[int, bytes]:
        body = json.dumps({"items": items}).encode()
        with self._changed:
            answer = self.api.handle("POST", "/api/v1/bulk", body=body)
            outputs = json.loads(answer.body).get("outputs", {})
            for item in items:
                key = item["idempotency_key"]
                output = outputs.get(key, {})
                if output.get("status") == "success" and key not in self._done_keys:
                    self._done_keys.add(key)
                    self.effects.append(_effect_of(item))
        return answer.status, answer.body

    def _listen(self) -> None:
        self._closing.clear()
        self._listener = _Listener(self, self._port)
        self._port = self._listener.server_address[1]
        self._thread = threading.Thread(
            target=self._listener.serve_forever, args=(0.01,), name="fault-server", daemon=True
        )
        self._thread.start()

    def _stop(self) -> None:
        self._closing.set()
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.shutdown()
            listener.server_close()
            self._thread.join()
            listener.end_connections()

    def close(self) -> None:
        """End all connections and close the store."""
        self._stop()
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _effect_of(item: dict[str, Any]) -> Effect:
    details = item.get("details", {})
    subject = (
        details.get("id")
        or item.get("agent_span_id")
        or item.get("agent_instance_id")
        or item.get("id")
    )
    status = details.get("status") or item.get("status")
    return Effect(item["_type"], str(subject), details.get("parent_span_id"), status)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 60
    server: "_Listener"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.owner.respond(self, body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class _Listener(ThreadingHTTPServer):
    request_queue_size = 128

    def __init__(self, owner: FaultServer, port: int) -> None:
        self.owner = owner
        self._live: dict[threading.Thread, socket.socket] = {}
        super().__init__(("127.0.0.1", port), _Connection)

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.owner.connections += 1
        thread = threading.Thread(
            target=self._serve, args=(request, client_address), daemon=True, name="fault-connection"
        )
        self._live[thread] = request
        thread.start()

    def _serve(self, request: Any, client_address: Any) -> None:
        try:
            self.process_request_thread(request, client_address)
        finally:
            self._live.pop(threading.current_thread(), None)

    def shutdown_request(self, request: Any) -> None:
        request.close()  # without the shutdown before it, which would hide a reset

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a connection that ended, by a fault or by its client

    def end_connections(self) -> None:
        """End every connection, and wait for its thread."""
        for thread, connection in list(self._live.items()):
            with contextlib.suppress(OSError):  # it may have ended on its own
                connection.shutdown(socket.SHUT_RDWR)
            thread.join(10)
