"""One item of a bulk request: its bytes, and what may be done to them.

An item keeps its bytes: sent again after an unknown outcome, it must be the same to the letter,
since the service takes the same idempotency key with other content for a mistake.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prefactor_trace import _fate
from prefactor_trace._capture import Json, serialise, to_json
from prefactor_trace._notes import REASON, SCHEMA_NAME_KEY, TRUNCATED, UNDECLARED

if TYPE_CHECKING:
    from prefactor_trace._pipeline.outcome import Fault
    from prefactor_trace._span import Span

_SPAN_ACTIONS = ("agent_spans/create", "agent_spans/finish")
_KINDS = {
    "agent_instances/register": "instance",
    "agent_instances/start": "start instance",
    "agent_instances/record_quality": "quality",
    "agent_instances/finish": "finish instance",
    "agent_spans/finish": "finish span",
}
_IDENTIFIER = "external_identifier"
_LEAST = 200  # bytes of a payload below which nothing of it is worth keeping
_STUB: dict[str, Json] = {TRUNCATED: True, REASON: "it was too large to be sent"}


class Item:
    """One item of a bulk request.

    Attributes:
        key: Its idempotency key.
        action: Its ``_type``.
        record: The span, instance or quality record that it was made from.
        body: Its JSON.
        order: Number of the record in the order of their taking.
        tries: How often the service answered it with a fault of its own.
        since: When it first named what the service did not know, by the monotonic clock.
    """

    __slots__ = ("action", "body", "key", "order", "record", "since", "tries")

    def __init__(self, key: str, action: str, record: Any, body: bytes, order: int) -> None:
        self.key = key
        self.action = action
        self.record = record
        self.body = body
        self.order = order
        self.tries = 0
        self.since = 0.0

    @property
    def kind(self) -> str:
        """What it tells, in the words of the steps; the start of a run is a part of one."""
        return _KINDS[self.action]

    def fields(self) -> dict[str, Any]:
        """Return its JSON, read."""
        return _read(self.body)

    def cut(self, size: int) -> bool:
        """Leave out parts of what it carries, to make it `size` bytes or less.

        Where that cannot be done, what it carries becomes a stub that says why.

        Returns:
            Whether it is smaller than before.
        """
        before = len(self.body)
        self._cut(size)
        is_smaller = len(self.body) < before
        if is_smaller and self.action in _SPAN_ACTIONS:
            self.record._is_cut = True
        return is_smaller

    def forgo_identifier(self, fault: Fault) -> str | None:
        """Leave out the run's identifier, if that is what is refused, and return it."""
        if _IDENTIFIER not in fault.fields:
            return None
        fields = _read(self.body)
        identifier: str | None = fields.pop(_IDENTIFIER, None)
        if identifier is not None:
            self.body = to_json(fields)
        return identifier

    def _cut(self, size: int) -> None:
        fields = _read(self.body)
        _cut_fields(fields.get("details", fields), len(self.body) - size)
        self.body = to_json(fields)


class Create(Item):
    """The item that creates a span; `write` it anew when what it names was given up.

    Attributes:
        schema_name: Type that it is sent under.
        is_inherited: Whether the span is another process's, sent so that it can be named here.
    """

    __slots__ = ("is_inherited", "schema_name")

    action = "agent_spans/create"

    def __init__(self, key: str, span: Span, body: bytes, order: int, schema_name: str) -> None:
        # As `Item.__init__` does; there is one for each span, and a call takes as long as the rest.
        self.key = key
        self.record = span
        self.body = body
        self.order = order
        self.tries = 0
        self.since = 0.0
        self.schema_name = schema_name
        self.is_inherited = False

    def write(self) -> None:
        """Make the JSON anew, with a type that the service knows and a parent that it will know."""
        fields = _read(self.body)
        details = fields["details"]
        parent = delivered_parent(self.record)
        named = None if parent is None else parent.id
        renamed = self.schema_name not in (sent_type(self.record), UNDECLARED)
        if details.get("parent_span_id") == named and not renamed:
            return  # to the letter what it was
        if renamed:
            details["payload"] = _with_name(details["schema_name"], details["payload"])
            details["schema_name"] = self.schema_name = UNDECLARED
        if named is None:
            details.pop("parent_span_id", None)
        else:
            details["parent_span_id"] = named
        self.body = to_json(fields)

    @property
    def kind(self) -> str:
        """What it tells, in the words of the steps."""
        return "inherited span" if self.is_inherited else "span"

    def _cut(self, size: int) -> None:
        fields = _read(self.body)
        details = fields["details"]
        if self.schema_name == UNDECLARED:
            # The name that it has for want of a type is never what is left out.
            name = details["payload"].pop(SCHEMA_NAME_KEY)
            _cut_fields(details, len(self.body) - size)
            details["payload"] = _with_name(name, details["payload"])
        else:
            _cut_fields(details, len(self.body) - size)
        self.body = to_json(fields)

    @property
    def is_stale(self) -> bool:
        """Whether it names a type that turned out unknown, or a parent that was given up."""
        span = self.record
        return self.schema_name not in (sent_type(span), UNDECLARED) or (
            span._parent is not None and span._parent._fate == _fate.LOST
        )


def delivered_parent(span: Span) -> Span | None:
    """Return the nearest ancestor that the service knows, or will before it sees `span`."""
    parent: Span | None = span._parent
    while parent is not None and parent._fate in (_fate.NEW, _fate.LOST):
        parent = parent._parent
    if parent is not None and parent._instance is not span._instance:
        return None
    return parent


def sent_type(span: Span) -> str:
    """Return the type that a span is sent under: one that its instance has declared."""
    return span.schema_name if span.schema_name in span._instance._declared else UNDECLARED


def _with_name(name: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Return a payload that says the type of a span which is sent as an undeclared one."""
    payload.pop(SCHEMA_NAME_KEY, None)
    return {SCHEMA_NAME_KEY: name, **payload}


def _read(data: bytes) -> dict[str, Any]:
    from pydantic_core import from_json

    content: dict[str, Any] = from_json(data)
    return content


def _cut_fields(fields: dict[str, Any], excess: int) -> dict[str, Any]:
    """Return an item's fields with `excess` bytes less in payload and result, the larger first."""
    sizes = {
        name: len(to_json(fields[name]))
        for name in ("payload", "result_payload")
        if fields.get(name)
    }
    # What is smaller than the stub would only grow.
    sizes = {name: size for name, size in sizes.items() if size > len(to_json(_STUB))}
    for name in sorted(sizes, key=sizes.__getitem__, reverse=True):
        if excess > 0:
            limit = sizes[name] - excess
            fields[name] = _read(serialise(fields[name], limit)) if limit >= _LEAST else _STUB
            excess -= sizes[name] - len(to_json(fields[name]))
    return fields
