"""What each service answers when it takes spans, and how many it was given.

Only as much of each protocol as that needs: bodies are searched, not parsed, since the time of the
sink must not become the time of the tracer.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

INSTANCE = "01jz0000000000000000000000000001"
_BEGIN = "2026-01-01T00:00:00Z"


class Accepted(NamedTuple):
    """An answer that says yes.

    Attributes:
        spans: Spans that the request carried.
        body: What to answer.
        kind: Content type of the body.
    """

    spans: int
    body: bytes = b"{}"
    kind: bytes = b"application/json"


def accept(path: str, headers: dict[bytes, bytes], body: bytes) -> Accepted:
    """Return the answer of the service that a request is meant for."""
    body = _decompressed(headers.get(b"content-encoding", b""), body)
    for part, answer in _SERVICES.items():
        if part in path:
            return answer(body)
    return Accepted(0)


def _decompressed(encoding: bytes, body: bytes) -> bytes:
    if encoding == b"gzip":
        return gzip.decompress(body)
    if encoding == b"deflate":
        return zlib.decompress(body)
    if encoding == b"zstd":
        import zstandard  # comes with the only peer that sends it

        return bytes(zstandard.ZstdDecompressor().stream_reader(body).read())
    return body


# Prefactor


_KEY = re.compile(rb'"idempotency_key":"([^"\\]+)"')


def _bulk(body: bytes) -> Accepted:
    """Answer a bulk request with every item ok; each output is that of the single call."""
    outputs = b",".join([b'"%b":%b' % (key, _SPAN_ANSWER) for key in _KEY.findall(body)])
    return Accepted(
        body.count(b'"_type":"agent_spans/create"'),
        b'{"status":"success","outputs":{%b}}' % outputs,
    )


_INSTANCE_DETAILS = {
    "type": "agent_instance",
    "id": INSTANCE,
    "account_id": INSTANCE,
    "agent_id": "bench",
    "agent_version_id": INSTANCE,
    "agent_schema_version_id": INSTANCE,
    "agent_deployment_id": INSTANCE,
    "environment_id": INSTANCE,
    "status": "active",
    "inserted_at": _BEGIN,
    "updated_at": _BEGIN,
    "started_at": _BEGIN,
    "finished_at": None,
    "span_counts": None,
}

_SPAN_DETAILS: dict[str, object] = {
    "type": "agent_span",
    "id": "01jz0000000000000000000000000002",
    "account_id": INSTANCE,
    "agent_id": "bench",
    "agent_instance_id": INSTANCE,
    "parent_span_id": None,
    "schema_name": "step",
    "schema_title": "step",
    "status": "active",
    "payload": {},
    "result_payload": None,
    "summary": None,
    "started_at": _BEGIN,
    "finished_at": None,
    "inserted_at": _BEGIN,
    "updated_at": _BEGIN,
}

_INSTANCE_ANSWER = json.dumps({"status": "success", "details": _INSTANCE_DETAILS}).encode()
_SPAN_ANSWER = json.dumps({"status": "success", "details": _SPAN_DETAILS}).encode()


def _instance(_: bytes) -> Accepted:
    return Accepted(0, _INSTANCE_ANSWER)


def _span(body: bytes) -> Accepted:
    """Answer a create, which carries a schema name, or a finish, which ends the span."""
    return Accepted(0 if b'"schema_name"' in body else 1, _SPAN_ANSWER)


# OpenTelemetry, and what is built on it


def _traces(body: bytes) -> Accepted:
    """Count the spans of an ExportTraceServiceRequest: those that are over."""
    spans = 0
    for resource_spans in _field(1, body):
        for scope_spans in _field(2, resource_spans):
            # One peer sends each span twice: also when it begins, with this attribute.
            spans += sum(b"pending_span" not in span for span in _field(2, scope_spans))
    return Accepted(spans, b"", b"application/x-protobuf")


def _field(number: int, message: bytes) -> Iterator[bytes]:
    """Yield the values of a field of a protobuf message, one that is a message or a text."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == 2:
            length, at = _varint(message, at)
            if tag >> 3 == number:
                yield message[at : at + length]
            at += length
        elif kind == 0:
            _, at = _varint(message, at)
        else:
            at += 8 if kind == 1 else 4


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


# Others


_POSTED = re.compile(rb'name="post\.[0-9a-f-]{36}"')


def _runs(body: bytes) -> Accepted:
    """Count the runs that a multipart body creates; their ends come with them, or later."""
    return Accepted(len(_POSTED.findall(body)))


def _envelope(body: bytes) -> Accepted:
    """Count the transactions of an envelope, and the spans inside of each."""
    spans = 0
    for line in body.split(b"\n"):
        if b'"type":"transaction"' in line and b'"spans":[' in line:
            event = json.loads(line)
            spans += 1 + len(event["spans"])
    return Accepted(spans)


_INFO = json.dumps(
    {
        "version": "1",
        "batch_ingest_config": {
            "use_multipart_endpoint": True,
            "size_limit": 100,
            "size_limit_bytes": 20_971_520,
            "scale_up_nthreads_limit": 16,
            "scale_up_qsize_trigger": 1000,
            "scale_down_nempty_trigger": 4,
        },
        "instance_flags": {"zstd_compression_enabled": True, "gzip_body_enabled": True},
        "project_name": "bench",
        "project_url": "http://127.0.0.1",
    }
).encode()

_SERVICES: dict[str, Callable[[bytes], Accepted]] = {
    "/api/v1/bulk": _bulk,
    "/api/v1/agent_instance": _instance,
    "/api/v1/agent_spans": _span,
    "/v1/traces": _traces,
    "/runs/multipart": _runs,
    "/envelope/": _envelope,
    "/info": lambda _: Accepted(0, _INFO),
}
