"""Items of a bulk request, made from records and written as JSON once.

Keys are made from ids, so that they are the same for the same record whoever sends it.
"""

from __future__ import annotations

import datetime
import functools
import logging
import sys
from typing import TYPE_CHECKING, Any

from prefactor_trace import _guard
from prefactor_trace._capture import Json, as_mapping, to_json
from prefactor_trace._notes import CANCELLED, LATE_PAYLOAD, SCHEMA_NAME_KEY, TRUNCATED, UNDECLARED
from prefactor_trace._pfid import is_pfid
from prefactor_trace._pipeline.item import Create, Item, delivered_parent, sent_type
from prefactor_trace._version import SDK

if TYPE_CHECKING:
    from prefactor_trace._instance import Instance
    from prefactor_trace._instance_options import InstanceOptions
    from prefactor_trace._pipeline.writer import Writer
    from prefactor_trace._quality import Quality
    from prefactor_trace._settings import Settings
    from prefactor_trace._span import Span
    from prefactor_trace.models import AgentSchemaVersionForRegister, RegisterAgentInstanceRequest

_UNDECLARED = b'"%b"' % UNDECLARED.encode()
_CUT = b'"%b":true' % TRUNCATED.encode()
_NUL = b"\\u0000"
_EPOCH = datetime.datetime(1970, 1, 1)  # all of it is in UTC


def register(
    instance: Instance, writer: Writer, version: AgentSchemaVersionForRegister, order: int
) -> Item:
    """Return the item that registers an instance."""
    # What only this needs is loaded with the first run, on the thread that delivers it.
    import platform

    from prefactor_trace._identity import version_of
    from prefactor_trace.models import (
        AgentVersionForRegister,
        RegisterAgentInstanceRequest,
        RuntimeEnvironment,
    )

    options, settings, clean = instance._options, writer.settings, writer.clean
    request = RegisterAgentInstanceRequest(
        agent_id=_agent_of(options, settings),
        agent_version=AgentVersionForRegister(
            name=clean(options.name or settings.agent_name),
            external_identifier=options.version or settings.version or version_of(options.source),
            description=clean(options.description),
            runtime_environment=RuntimeEnvironment(
                os=sys.platform,
                prefactor_sdk=[SDK],
                runtime=f"{sys.implementation.name}@{platform.python_version()}",
            ),
        ),
        agent_schema_version=version,
        id=instance.id,
        environment_id=options.environment_id or settings.environment_id,
        external_identifier=clean(options.external_identifier),
        purpose=options.purpose or settings.purpose,
    )
    fields = _written(request)
    return _item("agent_instances/register", instance, instance.id + "-register", fields, order)


def _written(request: RegisterAgentInstanceRequest) -> bytes:
    """Return a request as JSON that any strict reader takes."""
    try:
        fields = request.model_dump_json(by_alias=True, exclude_none=True).encode()
    except ValueError:  # a lone surrogate in a text of the agent's
        fields = _NUL
    if _NUL not in fields:
        return fields
    return to_json(request.model_dump(mode="json", by_alias=True, exclude_none=True))


def _agent_of(options: InstanceOptions, settings: Settings) -> str | None:
    """Return the agent that a run is registered for, and say where that may be a mistake."""
    said, known = options.agent_id, settings.agent_id
    is_sent = not (settings.local or settings.offline)
    if said and known and is_sent and is_pfid(known) and not is_pfid(said):
        _guard.log_once(
            logging.WARNING,
            f"agent {said}",
            "prefactor_trace: instance(%r) is registered under that as the agent's id, not under"
            " the setting agent_id (PREFACTOR_AGENT_ID) %r; if it is meant as a name, write"
            " instance(name=%r)",
            *(said, known, said),
        )
    return said or known


def start(instance: Instance, order: int) -> Item:
    """Return the item that starts a registered instance."""
    at = timestamp(instance, instance._started).encode()
    fields = b'{"agent_instance_id":"%b","timestamp":"%b"}' % (instance.id.encode(), at)
    return _item("agent_instances/start", instance, instance.id + "-start", fields, order)


def finish_instance(instance: Instance, order: int) -> Item:
    """Return the item that finishes an instance."""
    at = timestamp(instance, instance._ended).encode()
    fields = b'{"agent_instance_id":"%b","status":"%b","timestamp":"%b"}' % (
        instance.id.encode(),
        instance._status.encode(),
        at,
    )
    return _item("agent_instances/finish", instance, instance.id + "-finish", fields, order)


def record_quality(quality: Quality, writer: Writer, order: int) -> Item:
    """Return the item that records how good a run was."""
    payload = b"null"
    if quality.payload is not None:
        payload = writer.payload(quality.payload)
    instance = quality._instance
    fields = b'{"agent_instance_id":"%b","name":%b,"payload":%b}' % (
        instance.id.encode(),
        writer.text(quality.name),
        payload,
    )
    # An id of its own: the same name may be recorded again, and each time counts.
    key = instance._home._new_id() + "-quality"
    return _item("agent_instances/record_quality", quality, key, fields, order)


def create(span: Span, status: str, payload: Json, writer: Writer, order: int) -> Create:
    """Return the item that creates a span: whole if it has ended, else as active.

    Args:
        span: The span.
        status: Its status, read once: its thread may end it meanwhile.
        payload: Its payload, read with the status.
        writer: Writes what the agent gave.
        order: Number of the record.
    """
    instance = span._instance
    span_id, instance_id = span._id or span.id, instance._id or instance.id
    parent = None if span._parent is None else delivered_parent(span)
    named = "" if parent is None else f',"parent_span_id":"{parent._id or parent.id}"'
    ended = ""
    if status != "active":
        ended = f',"finished_at":"{timestamp(instance, span._ended)}"'
    if _is_sensitive(span):
        ended += ',"sensitive_encoding":true'
    # As text, then encoded at once: that takes half of formatting bytes.
    head = (
        f'{{"_type":"agent_spans/create","idempotency_key":"{span_id}-create","details":{{'
        f'"agent_instance_id":"{instance_id}","id":"{span_id}"{named},"status":"{status}"'
        f',"started_at":"{timestamp(instance, span._started)}"{ended},"schema_name":'
    )
    name, sent = writer.text(span.schema_name), sent_type(span)
    if sent is UNDECLARED and payload and SCHEMA_NAME_KEY in payload:
        payload = {key: value for key, value in payload.items() if key != SCHEMA_NAME_KEY}
    result = None if status == "active" else _result(span)
    if result is None:
        content = b'"payload":' + (writer.payload(payload, span._size) if payload else b"{}")
    else:
        content = writer.contents(payload or {}, result, span._size)
    span._is_cut = _is_cut(content)
    if sent is UNDECLARED:
        # Put in after the payload was cut to length: the name is never what is left out.
        content, name = _put_name(name, content), _UNDECLARED
    body = b"".join((head.encode(), name, b",", content, b"}}"))
    return Create(span_id + "-create", span, body, order, sent)


def finish(span: Span, writer: Writer, order: int, *, status: str | None = None) -> Item:
    """Return the item that finishes a span which was created as active.

    Args:
        span: The span.
        writer: Writes what the agent gave.
        order: Number of the record.
        status: In place of the span's own, where the service refuses that.
    """
    result = _result(span)
    if span._payload is not None:
        # Changed after the span was sent while open: its end is the only way left.
        result = {**as_mapping(result), LATE_PAYLOAD: span._payload}
    if status is not None:
        result = {**as_mapping(result), **CANCELLED}
    fields = b'{"agent_span_id":"%b","status":"%b","timestamp":"%b"%b%b}' % (
        span.id.encode(),
        (status or span._status).encode(),
        timestamp(span._instance, span._ended).encode(),
        b"" if result is None else b',"result_payload":' + writer.result(result),
        b',"sensitive_encoding":true' if _is_sensitive(span) else b"",
    )
    if _is_cut(fields):
        span._is_cut = True
    key = f"{span.id}-finish" + (f"-{status}" if status else "")
    return _item("agent_spans/finish", span, key, fields, order)


def timestamp(instance: Instance, moment: int) -> str:
    """Return a reading of the monotonic clock as ISO 8601 in UTC, to the microsecond."""
    micros = (moment + instance._wall_ahead) // 1000
    seconds = micros // 1_000_000  # by `divmod` it would be another call for each span
    return f"{_whole_second(seconds)}.{micros - seconds * 1_000_000:06}Z"


@functools.lru_cache(64)  # most spans of a request are of the same few seconds
def _whole_second(seconds: int) -> str:
    # Not by `fromtimestamp` and `strftime`, which differ from system to system for times long ago.
    return (_EPOCH + datetime.timedelta(seconds=seconds)).isoformat()


def _put_name(name: bytes, content: bytes) -> bytes:
    """Return the members of a span's details with its name, as JSON, first in the payload."""
    begin = b'"payload":{'
    rest = content[len(begin) :]
    comma = b"" if rest.startswith(b"}") else b","
    return b'%b"%b":%b%b%b' % (begin, SCHEMA_NAME_KEY.encode(), name, comma, rest)


def _is_cut(content: bytes) -> bool:
    # From the end on it takes a quarter of looking from the beginning.
    return content.rfind(_CUT) >= 0


def _result(span: Span) -> Json:
    if span._error is None:
        return span._result
    return {**as_mapping(span._result), **span._error.to_payload()}


def _is_sensitive(span: Span) -> bool:
    return span._options is not None and bool(span._options.sensitive)


def _item(action: str, record: Any, key: str, fields: bytes, order: int) -> Item:
    head = f'{{"_type":"{action}","idempotency_key":"{key}",'.encode()
    return Item(key, action, record, head + fields[1:], order)
