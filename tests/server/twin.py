"""One service twice, in process and over HTTP, and the calls that tests make on it."""

import itertools
import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import httpx

from prefactor_trace.server import Api, Server, Store

BEGIN = datetime(2026, 1, 1, tzinfo=timezone.utc)
QUESTION = {
    "type": "object",
    "properties": {"q": {"type": "string"}},
    "required": ["q"],
}
SCHEMAS = {
    "span_schemas": {"plain": {"type": "object"}, "resulting": {"type": "object"}},
    "span_result_schemas": {
        "resulting": {"type": "object", "required": ["text"]},
        "undeclared": {"type": "object"},
    },
    "span_type_schemas": [
        {
            "name": "ask",
            "title": "Ask",
            "params_schema": QUESTION,
            "template": "{{ q }}{% if a %} = {{ a }}{% endif %}",
        }
    ],
    "quality_schemas": [{"name": "score", "schema": {}, "template": "{{ stars }} of 5"}],
}


def counting_clock() -> Callable[[], datetime]:
    """Return a clock that goes on by a millisecond whenever it is read."""
    ticks = itertools.count(1)
    return lambda: BEGIN + timedelta(milliseconds=next(ticks))


def counting_ids() -> Callable[[], str]:
    """Return a source of PFIDs that count up."""
    numbers = itertools.count(1)
    return lambda: f"{next(numbers):032d}"


def counting_store(path: Path) -> Store:
    """Return a store whose answers are the same every time."""
    return Store(path, clock=counting_clock(), ids=counting_ids())


class Twin:
    """Sends every call to both services and insists on the same answer, byte for byte."""

    def __init__(self, folder: Path, *, token: str | None = None, max_body_bytes: int = 10**7):
        self.store = counting_store(folder / "in_process.db")
        self.served_store = counting_store(folder / "served.db")
        options = {"token": token, "max_body_bytes": max_body_bytes}
        self.api = Api(self.store, **options)
        self.server = Server(Api(self.served_store, **options)).start()
        self.client = httpx.Client(base_url=self.server.url, timeout=30)

    def close(self) -> None:
        """Close client, server and stores."""
        self.client.close()
        self.server.close()
        self.store.close()
        self.served_store.close()

    def send(self, method, path, *, query="", headers=None, body=b""):
        """Return status, headers and body of an answer that both services gave."""
        headers = {"content-type": "application/json", **(headers or {})}
        path = f"/api/v1{path}"
        answer = self.api.handle(method, path, query=query, headers=headers, body=body)
        url = f"{path}?{query}" if query else path
        served = self.client.request(method, url, headers=headers, content=body)
        assert (answer.status, answer.body) == (served.status_code, served.content)
        assert answer.headers.items() <= dict(served.headers).items()
        return answer

    def post(self, path, body, **options):
        """Return status and answer of a POST."""
        answer = self.send("POST", path, body=json.dumps(body).encode(), **options)
        return answer.status, json.loads(answer.body)

    def get(self, path, **options):
        """Return status and answer of a GET."""
        answer = self.send("GET", path, **options)
        return answer.status, json.loads(answer.body)

    def register(self, **fields):
        """Return an instance that was registered."""
        body = {"agent_version": {}, "agent_schema_version": SCHEMAS, "agent_id": "agent", **fields}
        status, answer = self.post("/agent_instance/register", body)
        assert status == 200, answer
        return answer["details"]

    def run(self, **fields):
        """Return an instance that was registered and started."""
        instance = self.register(**fields)
        status, answer = self.post(f"/agent_instance/{instance['id']}/start", {})
        assert status == 200, answer
        return answer["details"]

    def create(self, instance, **fields):
        """Return status and answer of creating a span, an active one if not said otherwise."""
        details = {
            "agent_instance_id": instance["id"],
            "schema_name": "plain",
            "status": "active",
            "payload": {},
            **fields,
        }
        return self.post("/agent_spans", {"details": details})

    def span(self, instance, **fields):
        """Return a span that was created."""
        status, answer = self.create(instance, **fields)
        assert status == 200, answer
        return answer["details"]

    def finish(self, span, **fields):
        """Return status and answer of finishing a span."""
        return self.post(f"/agent_spans/{span['id']}/finish", fields)

    def bulk(self, *items):
        """Return status and answer of a bulk request."""
        return self.post("/bulk", {"items": list(items)})

    def terminate(self, instance, reason):
        """End a run in both services."""
        self.store.terminate(instance["id"], reason)
        self.served_store.terminate(instance["id"], reason)


def address(server):
    """Return host and port of a server."""
    url = httpx.URL(server.url)
    return url.host, url.port


def item(type, key, **fields):
    """Return one item of a bulk request."""
    return {"_type": type, "idempotency_key": key, **fields}


def span_item(instance, key, **fields):
    """Return the item that creates a span."""
    details = {
        "agent_instance_id": instance["id"],
        "schema_name": "plain",
        "status": "active",
        "payload": {},
        **fields,
    }
    return item("agent_spans/create", key, details=details)
