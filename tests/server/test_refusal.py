"""Tests of the answers that are errors."""

import json

from prefactor_trace.models import ApiError, DetailedApiError
from prefactor_trace.server._refusal import (
    Refusal,
    invalid,
    invalid_action,
    invalid_field,
    malformed,
    not_found,
)


def test_refusals_parse_as_the_wire_models():
    """Every kind of refusal has its status and code, and is an `ApiError`."""
    kinds = {
        (400, "bad_request"): malformed("no"),
        (404, "not_found"): not_found("span", "x"),
        (409, "invalid_action"): invalid_action("no"),
        (418, "teapot"): Refusal(418, "teapot", "no"),
    }
    for (status, code), refusal in kinds.items():
        parsed = ApiError.model_validate_json(refusal.text)
        assert (refusal.status, parsed.status, parsed.code) == (status, "error", code)
        assert parsed.message == str(refusal)
        assert "errors" not in json.loads(refusal.text)


def test_validation_errors_name_their_fields_twice():
    """The fields stand in `errors` for programs and in the message for people."""
    parsed = DetailedApiError.model_validate_json(invalid({"a": ["x", "y"], "b": ["z"]}).text)
    assert parsed.errors == {"a": ["x", "y"], "b": ["z"]}
    assert parsed.message == "Validation failed: a: x, y; b: z"
    assert json.loads(invalid_field("a", "x").text)["errors"] == {"a": ["x"]}
