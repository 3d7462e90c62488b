"""What an answer of the service says of each item that was sent.

The bulk endpoint works in order and stops at the first item that errors: what it answers is some
successes, then at most one error, then nothing for the rest, which was not processed.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from prefactor_trace._instance import Instance
    from prefactor_trace._pipeline.item import Item
    from prefactor_trace._settings import Settings
    from prefactor_trace._transport import Answer

_MAX_RETRY_AFTER = 3600.0
_LONGEST_MESSAGE = 500

# Codes that say the item itself is at fault: sent again as it is, it would be refused again.
_PERMANENT = {
    "bad_request",
    "idempotency_key_conflict",
    "invalid_action",
    "invalid_request",
    "not_found",
    "unknown_action",
    "unprocessable_entity",
    "validation_error",
    "validation_errors",
}

# Statuses that say that something in the request is at fault.
_AT_FAULT = {400, 409, 422}


class Verdict(Enum):
    """What an answer as a whole asks for."""

    READ = "read"  # the items were answered one by one
    AGAIN = "again"  # nothing is known: the same request, later
    REFUSED = "refused"  # the token is not accepted
    SPLIT = "split"  # something in it is at fault: in smaller parts
    TOO_LARGE = "too large"  # the same, by bytes


class Fault(NamedTuple):
    """The error that an item, or a whole request, was answered with."""

    code: str
    message: str
    fields: tuple[str, ...] = ()

    @property
    def names_unknown(self) -> bool:
        """Whether the service does not know the run, or the parent, that the item names."""
        return not {"parent_span_id", "agent_instance_id"}.isdisjoint(self.fields)

    @property
    def is_permanent(self) -> bool:
        """Whether sending the same again can only give the same."""
        return self.code in _PERMANENT


class Outcome(NamedTuple):
    """An answer, read.

    Attributes:
        verdict: What it asks for.
        outputs: Idempotency key to the output of its item; those missing were not processed, and
            there may be others that nobody asked for.
        fault: What went wrong with the request as a whole.
        delay: Seconds that the service asked to wait.
    """

    verdict: Verdict
    outputs: dict[str, dict[str, Any]]
    fault: Fault
    delay: float | None = None


def read_answer(answer: Answer, items: Sequence[Item], settings: Settings) -> Outcome:
    """Return what `answer` says of `items`."""
    content = _read_json(answer.body)
    if answer.status == 200:
        outputs = content.get("outputs")
        if isinstance(outputs, dict) and any(item.key in outputs for item in items):
            return Outcome(Verdict.READ, outputs, Fault("", ""))
        return Outcome(Verdict.AGAIN, {}, Fault("unreadable", "the answer could not be read"))
    fault = read_fault(content, f"http_{answer.status}", answer.error or f"HTTP {answer.status}")
    if answer.status in (401, 403):
        return Outcome(Verdict.REFUSED, {}, fault)
    if answer.status not in settings.retry_on_status_codes:
        if answer.status in _AT_FAULT:
            return Outcome(Verdict.SPLIT, {}, fault)
        if answer.status == 413:
            return Outcome(Verdict.TOO_LARGE, {}, fault)
    # Whatever else it is, such as a proxy's 404: the items are not at fault.
    return Outcome(Verdict.AGAIN, {}, fault, _read_retry_after(answer.retry_after))


def read_fault(output: dict[str, Any], code: str = "unknown", message: str = "") -> Fault:
    """Return the error in an output, or one of `code` and `message` where it says none."""
    said = output.get("message")
    errors = output.get("errors")
    text = said if isinstance(said, str) and said else message
    if errors:
        text = f"{text}: {errors}"
    return Fault(
        str(output.get("code") or code),
        text if len(text) <= _LONGEST_MESSAGE else text[:_LONGEST_MESSAGE] + "…",
        tuple(errors) if isinstance(errors, dict) else (),
    )


def read_control(output: dict[str, Any], instance: Instance) -> None:
    """Note on `instance` where an output says that the platform ended the run."""
    control = output.get("control")
    if isinstance(control, dict) and control.get("terminate") is True:
        reason = control.get("reason")
        instance._terminate(reason if isinstance(reason, str) else None)


def _read_json(body: bytes) -> dict[str, Any]:
    from pydantic_core import from_json

    try:
        return _reader()(body)
    except ValueError:
        pass  # it is no JSON, or not what the service answers with
    try:
        content = from_json(body)
    except ValueError:
        return {}
    if not isinstance(content, dict):
        return {}
    outputs = content.get("outputs")
    if isinstance(outputs, dict):
        read = {key: output for key, output in outputs.items() if isinstance(output, dict)}
        content["outputs"] = read
    return content


@functools.cache
def _reader() -> Callable[[bytes], dict[str, Any]]:
    """Return what reads of an answer as much as is looked at.

    Each output holds all of its span. What nobody looks at is not made into objects of Python's:
    that takes half as long.
    """
    from pydantic_core import SchemaValidator, core_schema

    def fields(**schemas: Any) -> Any:
        each = {
            name: core_schema.typed_dict_field(schemas.get(name, core_schema.any_schema()))
            for name in ("status", "code", "message", "errors", *schemas)
        }
        return core_schema.typed_dict_schema(each, total=False, extra_behavior="ignore")

    output = fields(control=core_schema.any_schema())
    outputs = core_schema.dict_schema(core_schema.str_schema(), output)
    return SchemaValidator(fields(outputs=outputs)).validate_json


def _read_retry_after(value: str | None) -> float | None:
    """Return the seconds of a Retry-After header: a number, or a date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        import email.utils  # seldom needed, and takes longer to load than all of this room

        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except (TypeError, ValueError):
            return None
    return min(max(seconds, 0.0), _MAX_RETRY_AFTER) if seconds == seconds else None  # noqa: PLR0124
