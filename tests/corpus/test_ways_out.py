"""Redaction stands in every way that something recorded takes out of the process."""

import json
import sys

import pytest

from prefactor_trace import Tracer

SECRET = "sk-ant-api03-kT9vQ2mXw7RfLb4ZpYc8"


def record_everywhere(t, secret):
    """Put the secret into each thing that is recorded."""
    told = f"refused: Authorization: Bearer {secret}"
    with t.instance("agent", name=told, description=told, external_identifier=told) as run:
        with t.span("payload", {"deep": [{"text": told, "api_key": secret, secret: 1}]}) as span:
            span.set_payload({"replaced": told})
            span.set_result({"answer": told})
        with t.span(told, title=told, description=told):
            pass

        @t.span("arguments")
        def step(text, *, password):
            try:
                raise ConnectionError(told)
            except ConnectionError as error:
                raise ValueError(f"postgres://user:{secret}@host/db") from error

        with pytest.raises(ValueError, match="postgres"):
            step(told, password=secret)

        @t.span("stream")
        def stream():
            yield told
            yield {"token": secret}
            return told

        list(stream())
        t.start_span("by hand").fail(told)
        noted = ValueError("see the notes")
        if sys.version_info >= (3, 11):
            noted.add_note(told)
            noted = ExceptionGroup("several", [noted, ValueError(told)])  # noqa: F821
        t.start_span("noted").fail(noted)
        t.declare_quality("score", {"type": "object"}, title=told)
        run.record_quality("score", {"comment": told})


def test_no_request_holds_it(tracer, caplog):
    """Payloads, results, errors and their causes, names, declarations and quality; nor a line."""
    t = tracer()
    record_everywhere(t, SECRET)
    assert t.flush(10)
    sent = json.dumps(t.transport.requests)
    assert sent.count("agent_spans/create") == 6
    assert "[redacted]" in sent
    assert SECRET not in sent
    assert SECRET[8:] not in sent
    assert SECRET not in caplog.text


def test_no_local_file_holds_it(tmp_path):
    """The same of the database of this machine, and of what stands beside it."""
    t = Tracer(local=True, local_db=str(tmp_path / "local.db"))
    record_everywhere(t, SECRET)
    assert t.flush(10)
    stored = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    t.shutdown(5)
    stored += b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"by hand" in stored
    assert SECRET.encode() not in stored
    assert SECRET[8:].encode() not in stored
