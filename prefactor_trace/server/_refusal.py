"""How the embedded service says no: one exception for every answer that is an error."""

import json
from collections.abc import Mapping
from typing import Any


class Refusal(Exception):  # noqa: N818  # an answer, not a fault
    """An answer of the service that is an error.

    Attributes:
        status: HTTP status.
        text: Body of the answer, which is also the output of a bulk item.
        headers: Headers that this answer needs beside the usual ones.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        errors: Mapping[str, list[str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        body: dict[str, Any] = {"status": "error", "code": code, "message": message}
        if errors is not None:
            body["errors"] = errors
        self.text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        self.headers = dict(headers or {})


def malformed(message: str) -> Refusal:
    """Return the refusal of a request that cannot be read."""
    return Refusal(400, "bad_request", message)


def invalid(errors: Mapping[str, list[str]]) -> Refusal:
    """Return the refusal of a request whose fields are wrong."""
    told = "; ".join(f"{field}: {', '.join(reasons)}" for field, reasons in errors.items())
    return Refusal(422, "validation_errors", f"Validation failed: {told}", errors)


def invalid_field(field: str, reason: str) -> Refusal:
    """Return the refusal of a request in which one field is wrong."""
    return invalid({field: [reason]})


def invalid_action(message: str) -> Refusal:
    """Return the refusal of a step that the record's status does not allow."""
    return Refusal(409, "invalid_action", message)


def not_found(what: str, id: str) -> Refusal:
    """Return the refusal of a call on something that is not there."""
    return Refusal(404, "not_found", f"There is no {what} with the id {id!r}")
