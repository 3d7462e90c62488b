"""Calls on a store in process that must succeed."""

import json

from prefactor_trace.server import Api

from .twin import SCHEMAS


def call(store, path, body, **headers):
    """Return the answer of a call that must succeed."""
    answer = Api(store).handle(
        "POST", f"/api/v1{path}", headers=headers, body=json.dumps(body).encode()
    )
    assert answer.status == 200, answer
    return json.loads(answer.body)


def register(store, session="", **fields):
    """Return a new instance."""
    body = {"agent_version": {}, "agent_schema_version": SCHEMAS, **fields}
    headers = {"X-Prefactor-Session": session} if session else {}
    return call(store, "/agent_instance/register", body, **headers)["details"]
