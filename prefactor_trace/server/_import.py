"""Runs that `export --format jsonl` wrote, put into a database again, with their ids."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from prefactor_trace.models import CreateAgentSpanRequest
from prefactor_trace.server._actions import run_bulk
from prefactor_trace.server._export import DECLARATIONS
from prefactor_trace.server._refusal import Refusal
from prefactor_trace.server.store import Store

_SPANS_AT_ONCE = 500
_OPEN = ("pending", "active")


class Imported(NamedTuple):
    """How many runs and spans an import has put in, and how many runs were known already."""

    runs: int
    spans: int
    known: int


def import_lines(store: Store, lines: Iterable[str]) -> Imported:
    """Put runs into a store; those that are there already stay as they are.

    Raises:
        ValueError: A line is none of it; the message names the line. The runs before it are in.
    """
    runs = spans = known = 0
    reading: _Run | None = None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        content = _read(number, line)
        if content["type"] == "instance":
            spans += reading.finish() if reading else 0
            reading = _Run(store, number, content)
            runs, known = runs + reading.is_new, known + (not reading.is_new)
        elif reading is None or content.get("agent_instance_id") != reading.id:
            raise ValueError(f"line {number}: a span stands below the line of its run")
        else:
            reading.add(number, content)
    spans += reading.finish() if reading else 0
    return Imported(runs, spans, known)


def _read(number: int, line: str) -> dict[str, Any]:
    try:
        content = json.loads(line)
    except ValueError as error:
        raise ValueError(f"line {number}: no JSON: {error}") from None
    if not isinstance(content, dict) or content.get("type") not in ("instance", "agent_span"):
        raise ValueError(
            f"line {number}: neither an instance nor a span, as `export --format jsonl` writes them"
        )
    return content


class _Run:
    """One run on its way into the store.

    What was sent before has the same keys again, so that an import that was cut off can be
    finished. A run that got there in another way is left alone.
    """

    def __init__(self, store: Store, number: int, content: Mapping[str, Any]) -> None:
        self.id = str(content.get("id"))
        self.is_new = store.get_instance(self.id) is None
        self._store = store
        self._content = content
        self._number = number
        self._waiting: list[tuple[int, dict[str, Any]]] = []
        self._spans = self._sent = 0
        register = {
            "_type": "agent_instances/register",
            "id": self.id,
            "agent_id": content.get("agent_name"),
            "external_identifier": content.get("external_identifier"),
            "purpose": content.get("purpose"),
            **{name: content.get(name) for name in DECLARATIONS},
        }
        self._is_wanted = True
        try:
            self._send([(number, register)])
        except ValueError:
            if self.is_new:
                raise
            self._is_wanted = False
        if content.get("started_at"):
            self._step("start", timestamp=content["started_at"])

    def add(self, number: int, content: Mapping[str, Any]) -> None:
        """Take a span."""
        details = {name: content.get(name) for name in CreateAgentSpanRequest.model_fields}
        if details["status"] == "terminated":
            details["status"] = "cancelled"  # by the end of its run, which only the service says
        self._waiting.append((number, {"_type": "agent_spans/create", "details": details}))
        if len(self._waiting) >= _SPANS_AT_ONCE:
            self._flush()

    def finish(self) -> int:
        """End the run as it had ended; return how many spans came in."""
        self._flush()
        status = self._content.get("status")
        for name, payload in (self._content.get("quality_payloads") or {}).items():
            self._step("record_quality", name=name, payload=payload)
        if status == "terminated" and self._is_wanted:
            with contextlib.suppress(ValueError):  # it has ended before
                reason = self._content.get("termination_reason")
                at = self._content.get("finished_at")
                self._store.terminate(self.id, reason, at=at)
        elif status not in _OPEN:
            self._step("finish", status=status, timestamp=self._content["finished_at"])
        return self._spans if self.is_new else 0

    def _step(self, action: str, **fields: Any) -> None:
        step = {"_type": f"agent_instances/{action}", "agent_instance_id": self.id, **fields}
        if self._is_wanted:
            self._send([(self._number, step)])

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        if self._is_wanted and waiting:
            self._send(waiting)
            self._spans += len(waiting)

    def _send(self, numbered: list[tuple[int, dict[str, Any]]]) -> None:
        items = [
            {"idempotency_key": f"{self.id}-import-{self._sent + at}", **item}
            for at, (_, item) in enumerate(numbered)
        ]
        self._sent += len(items)
        try:
            with self._store.writing() as transaction:
                outputs = json.loads(run_bulk(transaction, {"items": items}))["outputs"]
        except Refusal as refusal:
            raise ValueError(f"line {numbered[0][0]}: {refusal}") from None
        last = len(outputs) - 1
        answer = outputs[items[last]["idempotency_key"]]
        if answer["status"] != "success":
            raise ValueError(f"line {numbered[last][0]}: {answer.get('message')}")
