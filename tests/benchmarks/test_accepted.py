"""Tests of what each service answers."""

import gzip
import json
import zlib

import pytest

from benchmarks.accepted import accept
from prefactor_trace.models import BulkResponse


def field(number: int, value: bytes) -> bytes:
    """Return a field of a protobuf message, shorter than 128 bytes."""
    return bytes([number << 3 | 2, len(value)]) + value


def traces(*spans: bytes) -> bytes:
    """Return an ExportTraceServiceRequest, with a resource and a scope beside the spans."""
    scope = field(1, b"\x0a\x05scope") + b"".join(field(2, span) for span in spans)
    numbers = b"\x18\x96\x01" + b"\x21" + bytes(8) + b"\x2d" + bytes(4)  # fields 3, 4 and 5
    return field(1, field(1, b"\x0a\x03res") + numbers + field(2, scope))


def test_a_bulk_request_has_every_item_answered():
    """Each key has an output that says success; creates are the spans."""
    items = [
        {"_type": "agent_instances/start", "idempotency_key": "run-start"},
        {
            "_type": "agent_spans/create",
            "idempotency_key": "span-create",
            "details": {"payload": {"text": '"idempotency_key":"not-a-key"'}},
        },
    ]
    body = json.dumps({"items": items}, separators=(",", ":")).encode()
    accepted = accept("/api/v1/bulk", {}, body)
    answer = json.loads(accepted.body)
    assert accepted.spans == 1
    assert {key: output["status"] for key, output in answer["outputs"].items()} == {
        "run-start": "success",
        "span-create": "success",
    }
    assert BulkResponse.model_validate(answer).status == "success"


def test_the_official_client_is_answered():
    """A span counts when it ends; every answer says success."""
    paths = {
        "/api/v1/agent_instance/register": (b"{}", 0),
        "/api/v1/agent_spans": (b'{"details":{"schema_name":"step"}}', 0),
        "/api/v1/agent_spans/some-id/finish": (b'{"status":"complete"}', 1),
    }
    for path, (body, spans) in paths.items():
        accepted = accept(path, {}, body)
        assert accepted.spans == spans
        assert json.loads(accepted.body)["status"] == "success"


def test_the_spans_of_opentelemetry_are_counted():
    """Spans of every scope count, but not the one that has only begun."""
    body = traces(b"\x0a\x02aa", b"\x0a\x02bb") + traces(b"\x0a\x0cpending_span")
    assert accept("/v1/traces", {}, body).spans == 2
    assert accept("/api/public/otel/v1/traces", {}, b"").spans == 0


@pytest.mark.parametrize(
    ("encoding", "compress"), [(b"gzip", gzip.compress), (b"deflate", zlib.compress)]
)
def test_a_compressed_body_is_read(encoding, compress):
    """What is compressed counts as what is not."""
    headers = {b"content-encoding": encoding}
    assert accept("/v1/traces", headers, compress(traces(b"\x0a\x02aa"))).spans == 1


def test_a_multipart_body_counts_what_begins():
    """A run counts by the part that creates it, not by its inputs or its end."""
    one = b"0a1b2c3d-0a1b-4a1b-8a1b-0a1b2c3d4e5f"
    parts = [b'name="post.%b"' % one, b'name="post.%b.inputs"' % one, b'name="patch.%b"' % one]
    assert accept("/runs/multipart", {}, b"\r\n".join(parts)).spans == 1


def test_a_transaction_counts_with_its_spans():
    """A transaction is a span itself, and has spans; other items of an envelope have none."""
    event = json.dumps({"type": "transaction", "spans": [{}, {}]}, separators=(",", ":"))
    body = b"\n".join([b"{}", b'{"type":"transaction"}', event.encode()])
    assert accept("/api/1/envelope/", {}, body).spans == 3
    assert accept("/api/1/envelope/", {}, b'{}\n{"type":"sessions"}\n{"spans":[]}').spans == 0


def test_what_is_unknown_is_accepted():
    """A request that carries no spans is answered, and counts nothing."""
    assert accept("/ping", {}, b"") == (0, b"{}", b"application/json")
