"""Puts runs into a database and starts the command line, for the tests of it."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from prefactor_trace._pfid import PfidSource
from prefactor_trace.cli import main
from prefactor_trace.models import AgentSpan
from prefactor_trace.server import Api, Store

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
new_id = PfidSource()


def span(
    name: str = "step",
    *,
    id: str | None = None,
    parent: str | None = None,
    at: float = 0.0,
    took: float | None = 0.1,
    status: str = "complete",
    payload: Mapping[str, Any] | None = None,
    result: Mapping[str, Any] | None = None,
) -> AgentSpan:
    """Return a span as the service answers it."""
    started = START + timedelta(seconds=at)
    return AgentSpan.model_validate(
        {
            "type": "agent_span",
            "id": id or new_id(),
            "agent_instance_id": "i",
            "parent_span_id": parent,
            "schema_name": name,
            "status": status,
            "payload": dict(payload or {}),
            "result_payload": result,
            "started_at": started,
            "finished_at": None if took is None else started + timedelta(seconds=took),
        }
    )


def record(
    path: Path,
    spans: Sequence[AgentSpan] = (),
    *,
    agent: str = "docs-agent",
    session: str | None = None,
    finish: bool = True,
    status: str = "complete",
    ago: timedelta = timedelta(0),
) -> str:
    """Store one run as an agent would have sent it some time ago; return its id."""
    instance = new_id()
    items: list[dict[str, Any]] = [
        {
            "_type": "agent_instances/register",
            "id": instance,
            "agent_id": agent,
            "agent_version": {"external_identifier": "1.2.3"},
            "agent_schema_version": {"span_schemas": {one.schema_name: {} for one in spans}},
        },
        {
            "_type": "agent_instances/start",
            "agent_instance_id": instance,
            "timestamp": START.isoformat(),
        },
    ]
    for one in spans:
        details = one.model_dump(
            mode="json", exclude_none=True, exclude={"type", "agent_instance_id"}
        )
        items.append(
            {"_type": "agent_spans/create", "details": {**details, "agent_instance_id": instance}}
        )
    if finish:
        items.append(
            {
                "_type": "agent_instances/finish",
                "agent_instance_id": instance,
                "status": status,
                "timestamp": (START + timedelta(seconds=2)).isoformat(),
            }
        )
    for item in items:
        item["idempotency_key"] = new_id()
    headers = {} if session is None else {"X-Prefactor-Session": session}
    with Store(path, clock=lambda: datetime.now(timezone.utc) - ago) as store:
        body = json.dumps({"items": items}).encode()
        answer = Api(store).handle("POST", "/api/v1/bulk", headers=headers, body=body)
    outputs = json.loads(answer.body)["outputs"]
    assert all(output["status"] == "success" for output in outputs.values()), outputs
    return instance


def command(
    *words: str,
    folder: Path,
    environ: Mapping[str, str] | None = None,
    encoding: str = "utf-8",
    **options: Any,
) -> "subprocess.CompletedProcess[str]":
    """Run ``prefactor-trace`` in a process of its own and return what came of it."""
    return subprocess.run(
        [sys.executable, "-m", "prefactor_trace.cli", *words],
        cwd=folder,
        env=environment(folder, environ),
        capture_output=True,
        encoding=encoding,
        timeout=60,
        check=False,
        **options,
    )


def environment(folder: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a command that keeps its database in `folder`."""
    inherited = {name: value for name, value in os.environ.items() if "PREFACTOR" not in name}
    return {
        **inherited,
        "PREFACTOR_LOCAL_DB": str(folder / "traces.db"),
        "PYTHONIOENCODING": "utf-8",
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "NO_COLOR": "1",
        "COLUMNS": "120",
        **(more or {}),
    }


def run(*words: object) -> tuple[int, str]:
    """Return exit code and output of a command in this process."""
    out = io.StringIO()
    return main([str(word) for word in words], out), out.getvalue()


def output(*words: object) -> str:
    """Return the output of a command that is carried out."""
    code, text = run(*words)
    assert code == 0
    return text
