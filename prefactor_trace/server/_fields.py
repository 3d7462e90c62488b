"""Reading the fields of a request: the wire models, and what they leave to the service."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from prefactor_trace._pfid import is_pfid
from prefactor_trace.server._refusal import invalid, invalid_field
from prefactor_trace.server._timestamps import parse_timestamp

MAX_IDENTIFIER = 255
"""Characters that an identifier chosen by the client may have."""

M = TypeVar("M", bound=BaseModel)


def read_fields(model: type[M], fields: Any) -> M:
    """Return a request read as one of the wire models.

    Raises:
        Refusal: Fields are missing or wrong; the answer names each of them.
    """
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise invalid(_field_errors(error)) from None


def _field_errors(error: ValidationError) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    for detail in error.errors(include_url=False, include_context=False, include_input=False):
        field = ".".join(str(part) for part in detail["loc"]) or "details"
        errors.setdefault(field, []).append(detail["msg"])
    return errors


def read_timestamp(field: str, text: str | None) -> str | None:
    """Return the stored spelling of an optional timestamp.

    Raises:
        Refusal: It is no ISO 8601 timestamp with a zone.
    """
    if text is None:
        return None
    try:
        return parse_timestamp(text)
    except ValueError as error:
        raise invalid_field(field, str(error)) from None


def read_end(text: str | None, started_at: str | None, now: str) -> str:
    """Return when something ends, by the field `timestamp`; now where that is missing.

    Raises:
        Refusal: It is no timestamp, or before the start.
    """
    # Stored spellings sort as text, so the empty one is before every moment.
    started_at = started_at or ""
    ended_at = read_timestamp("timestamp", text)
    if ended_at is None:
        return max(now, started_at)
    if ended_at < started_at:
        raise invalid_field("timestamp", f"must not be before started_at ({started_at})")
    return ended_at


def is_number(text: str) -> bool:
    """Return whether a text is a whole number, of a length that any number of use has.

    `int` alone would also take signs, underscores, spaces and the digits of other scripts.
    """
    return text.isascii() and text.isdigit() and len(text) < 20


def read_number(query: Mapping[str, str], field: str, default: int, low: int, high: int) -> int:
    """Return a whole number of a query, `default` where it is missing.

    Raises:
        Refusal: It is none, or not from `low` to `high`.
    """
    text = query.get(field)
    if text is None:
        return default
    number = int(text) if is_number(text) else -1
    if not low <= number <= high:
        raise invalid_field(field, f"must be a whole number from {low} to {high}")
    return number


def check_pfid(field: str, value: str) -> None:
    """Refuse an id that is not a PFID."""
    if not is_pfid(value):
        raise invalid_field(field, "must be a PFID: 32 characters of Crockford base32, lower case")


def check_identifier(field: str, value: str | None) -> None:
    """Refuse an identifier that is empty or too long."""
    if value is not None and not 1 <= len(value) <= MAX_IDENTIFIER:
        raise invalid_field(field, f"must have 1 to {MAX_IDENTIFIER} characters")
