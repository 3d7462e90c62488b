"""What is sent: kept as it is, read as instances and spans, answered with faults on demand."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from prefactor_trace._transport import Answer, Transport
from prefactor_trace.testing.spans import Origin, RecordedInstance, RecordedSpan

_CODES = {
    400: "bad_request",
    404: "not_found",
    409: "invalid_action",
    413: "payload_too_large",
    422: "validation_errors",
    429: "rate_limited",
}


class _Fault(NamedTuple):
    """A fault that delivery is to meet.

    Attributes:
        status: Of the answer, or ``"timeout"`` or ``"refuse"``.
        item: Span type whose items are at fault, ``None`` for whole requests.
    """

    status: int | str
    item: str | None


class Capture:
    """Listens to every request of this process.

    Args:
        is_foreign: Says of an item that it is none of this recording's: it is let through unseen.

    Attributes:
        requests: The content of each request, in order; one that was sent again is there again.
        forward: Where requests go on to, ``None`` where they end here.
        terminated: Ids of the runs that were ended as the platform would, which no request says.
        has_met_faults: Whether delivery was asked to meet a fault, which it may not get over.
        in_fork: Answers requests in a child that was forked, in which nobody reads what is kept.
    """

    def __init__(self, is_foreign: Callable[[dict[str, Any]], bool]) -> None:
        self.requests: list[dict[str, Any]] = []
        self._is_foreign = is_foreign
        self._faults: list[_Fault] = []
        self.has_met_faults = False
        self.forward: Transport | None = None
        self.terminated: set[str | None] = set()
        self.in_fork: Callable[[dict[str, Any]], Answer] | None = None
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._skipped: set[str] = set()  # spans that were forgotten

    def __call__(self, content: dict[str, Any]) -> Answer:
        """Keep a request and answer it: well, unless a fault was asked for."""
        if self.in_fork is not None and os.getpid() != self._process:
            return self.in_fork(content)
        items = [item for item in content["items"] if not self._is_foreign(item)]
        own = {**content, "items": items}
        fault = None
        with self._lock:
            if items:
                self.requests.append(own)
                fault = next((one for one in self._faults if _concerns(one, own)), None)
            if fault is not None:
                self._faults.remove(fault)
        if fault is None:
            if self.forward is not None:
                return self.forward.send(json.dumps(content).encode())
            return _answer(content["items"])
        return _faulty(content, fault)

    def fail(self, status: int | str, item: str | None, times: int) -> None:
        """Have the next requests, or the next items of a span type, meet a fault."""
        with self._lock:
            self.has_met_faults = True
            self._faults += [_Fault(status, item)] * times

    def clear(self) -> None:
        """Forget what was captured, also the spans that are still open."""
        _instances, spans = self.read({})
        with self._lock:
            self._skipped.update(span.id for span in spans)

    def read(self, origins: dict[str, Origin]) -> tuple[list[RecordedInstance], list[RecordedSpan]]:
        """Return what was captured so far.

        Args:
            origins: Id of a span to where it began; in the order in which they began.
        """
        with self._lock:
            contents = list(self.requests)
        instances: dict[str, RecordedInstance] = {}
        spans: dict[str, RecordedSpan] = {}
        seen: set[str] = set()
        for content in contents:
            for item in content["items"]:
                # The same item is sent again after a fault, perhaps in another shape.
                first = item["idempotency_key"] not in seen
                seen.add(item["idempotency_key"])
                if first or item["_type"] == "agent_spans/create":
                    _take(item, instances, spans, origins)
        for run_id in self.terminated & instances.keys():
            instances[str(run_id)].status = "terminated"
        order = {span_id: number for number, span_id in enumerate(origins)}
        kept = [span for span in spans.values() if span.id not in self._skipped]
        kept.sort(key=lambda span: order.get(span.id, len(order)))
        for number, span in enumerate(kept, 1):
            span.seq = number
            span.instance.spans.append(span)
            parent = spans.get(span.parent_id or "")
            if parent is not None and parent.id not in self._skipped:
                span.parent = parent
                parent.children.append(span)
            span.lost_its_parent = span.parent_id in self._skipped
        runs = [one for one in instances.values() if one.spans or not self._skipped]
        return runs, kept


def _take(
    item: dict[str, Any],
    instances: dict[str, RecordedInstance],
    spans: dict[str, RecordedSpan],
    origins: dict[str, Origin],
) -> None:
    action = item["_type"]
    if action == "agent_instances/register":
        instances.setdefault(item["id"], RecordedInstance(item["id"])).register(item)
    elif action == "agent_spans/create":
        details = item["details"]
        span_id, run = details["id"], details["agent_instance_id"]
        # The run of another process, which this one was attached to.
        instance = instances.setdefault(run, RecordedInstance(run))
        before = spans.get(span_id)
        spans[span_id] = RecordedSpan(details, instance, origins.get(span_id, Origin()))
        if before is not None and before.finished and not spans[span_id].finished:
            spans[span_id] = before
    elif action == "agent_spans/finish" and item["agent_span_id"] in spans:
        spans[item["agent_span_id"]].finish(item)
    elif (known := instances.get(item.get("agent_instance_id", ""))) is not None:
        if action == "agent_instances/start":
            known.status = "active"
        elif action == "agent_instances/finish":
            known.status = item["status"]
        elif action == "agent_instances/record_quality":
            known.quality[item["name"]] = item["payload"]


def _concerns(fault: _Fault, content: dict[str, Any]) -> bool:
    return fault.item is None or any(_is_of(item, fault.item) for item in content["items"])


def _is_of(item: dict[str, Any], schema_name: str) -> bool:
    return bool(item.get("details", {}).get("schema_name") == schema_name)


def _answer(items: list[dict[str, Any]]) -> Answer:
    outputs = {item["idempotency_key"]: {"status": "success"} for item in items}
    return Answer(200, json.dumps({"status": "success", "outputs": outputs}).encode())


def _faulty(content: dict[str, Any], fault: _Fault) -> Answer:
    if isinstance(fault.status, str):
        said = {"timeout": "the request timed out", "refuse": "the connection was refused"}
        return Answer(0, error=said[fault.status])
    error = {
        "status": "error",
        "code": _CODES.get(fault.status, "internal_error"),
        "message": f"as the test asked for: {fault.status}",
    }
    if fault.item is None:
        return Answer(fault.status, json.dumps(error).encode())
    # In bulk, items up to the one at fault succeed, and those after it are not looked at.
    outputs: dict[str, Any] = {}
    for item in content["items"]:
        outputs[item["idempotency_key"]] = {"status": "success"}
        if _is_of(item, fault.item):
            outputs[item["idempotency_key"]] = error
            break
    return Answer(200, json.dumps({"status": "error", "outputs": outputs}).encode())
