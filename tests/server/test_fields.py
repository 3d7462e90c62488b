"""Tests of reading the fields of a request."""

import json

import pytest

from prefactor_trace.models import FinishSpanRequest, RegisterAgentInstanceRequest
from prefactor_trace.server._fields import (
    check_identifier,
    check_pfid,
    read_fields,
    read_timestamp,
)
from prefactor_trace.server._refusal import Refusal


def errors(call, *arguments):
    """Return the fields that a refusal names."""
    with pytest.raises(Refusal) as caught:
        call(*arguments)
    return json.loads(caught.value.text)["errors"]


def test_every_field_at_fault_is_named():
    """All that is wrong is told at once, nested fields by their path."""
    fields = {"agent_version": {"name": 1}, "purpose": "x"}
    found = errors(read_fields, RegisterAgentInstanceRequest, fields)
    assert list(found) == ["agent_version.name", "agent_schema_version", "purpose"]
    assert all(isinstance(reason, str) for reasons in found.values() for reason in reasons)


def test_unknown_fields_are_ignored():
    """A field of a newer client is no fault."""
    assert read_fields(FinishSpanRequest, {"status": "failed", "new": 1}).status == "failed"


def test_what_is_no_object_is_told_as_details():
    """A value in the place of an object has no field to blame."""
    assert list(errors(read_fields, FinishSpanRequest, 7)) == ["details"]


def test_timestamps_are_optional():
    """No timestamp is none, a wrong one is named after its field."""
    assert read_timestamp("timestamp", None) is None
    assert read_timestamp("timestamp", "2026-01-01T00:00:00Z") == "2026-01-01T00:00:00.000000Z"
    assert list(errors(read_timestamp, "started_at", "x")) == ["started_at"]


def test_ids_and_identifiers():
    """An id is a PFID, an identifier any text that is neither empty nor endless."""
    check_pfid("id", "01jz0000000000000000000000000001")
    check_identifier("agent_id", None)
    check_identifier("agent_id", "ü" * 255)
    assert list(errors(check_pfid, "id", "01JZ0000000000000000000000000001")) == ["id"]
    for wrong in ("", "a" * 256):
        assert list(errors(check_identifier, "agent_id", wrong)) == ["agent_id"]
