"""Where the code is, as text that travels to another process: a header or a variable.

Two entries are written. ``prefactor-context`` says all: instance, span, and whether the run is
sampled. ``traceparent`` says the same in the words of W3C Trace Context
(https://www.w3.org/TR/trace-context/), for whoever else reads the request; it is only written.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, MutableMapping
from typing import NamedTuple

from prefactor_trace._context import innermost
from prefactor_trace._pfid import is_pfid, span_id_of, trace_id_of
from prefactor_trace.exceptions import UsageError

CONTEXT = "prefactor-context"
TRACEPARENT = "traceparent"

_LONGEST = 256  # characters of an entry that is looked at
_FORM = re.compile(r"instance=(\w{32})(?:;span=(\w{32}))?;sampled=([01])\Z", re.ASCII)


class TraceContext(NamedTuple):
    """Where the code is, as another process is told of it.

    Attributes:
        instance_id: PFID of the instance.
        span_id: PFID of the span, ``None`` at the top of the run.
        is_sampled: Whether the run is recorded.
    """

    instance_id: str
    span_id: str | None
    is_sampled: bool


def inject(carrier: MutableMapping[str, str] | None = None) -> MutableMapping[str, str]:
    """Write the current run and span into headers, for `attach` in another process.

    Args:
        carrier: Headers of a request or of a message, as text; a new `dict` when missing. A
            ``traceparent`` that another tracer wrote stays as it is.

    Returns:
        The carrier. Nothing is written to it outside of any run.

    Raises:
        UsageError: `carrier` is not a mapping that can be written to.
    """
    if carrier is None:
        carrier = {}
    elif not isinstance(carrier, MutableMapping):
        raise UsageError(
            f"inject writes into a mapping such as the headers of a request,"
            f" got {type(carrier).__qualname__}"
        )
    context = _current_context()
    if context is not None:
        known = set(map(_normal, carrier))
        is_ours = CONTEXT in known or TRACEPARENT not in known
        _write(carrier, CONTEXT, _to_text(context))
        if is_ours:
            _write(carrier, TRACEPARENT, _to_traceparent(context))
    return carrier


def inject_env(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for a child process, with the current run and span for `attach_env`.

    Args:
        environment: Variables to begin with, which are not changed; those of this process when
            missing.

    Returns:
        These, and ``PREFACTOR_CONTEXT`` and ``TRACEPARENT`` if the code is in a run.
    """
    variables = dict(os.environ if environment is None else environment)
    for name in (CONTEXT, TRACEPARENT):  # of the process that started this one
        variables.pop(_variable(name), None)
    for name, text in inject().items():
        variables[_variable(name)] = text
    return variables


def extract(carrier: Mapping[str, str] | None) -> TraceContext | None:
    """Return the context that a carrier holds; ``None`` for none, or one that is malformed.

    Names are compared as those of HTTP headers are, of WSGI's and of environment variables too.
    """
    for name, value in () if carrier is None else _entries(carrier):
        if _normal(name) == CONTEXT:
            text = value.decode("latin-1") if isinstance(value, bytes) else value
            return _from_text(text) if isinstance(text, str) else None
    return None


def _write(carrier: MutableMapping[str, str], name: str, text: str) -> None:
    """Write a header, instead of one that is there in another case."""
    for other in [key for key in carrier if key != name and _normal(key) == name]:
        del carrier[other]
    carrier[name] = text


def _current_context() -> TraceContext | None:
    node = innermost()
    if node is None or node._home is None:
        return None
    instance, span = node._instance, node._own_span
    if instance is None:
        return None
    is_sampled = instance._recorded and not instance._is_held
    if is_sampled and (pipeline := node._home._get_pipeline()) is not None:
        pipeline.hurry()  # others will name them, and wait until the service knows them
    span_id = span.id if span is not None and is_sampled else None
    return TraceContext(instance.id, span_id, is_sampled)


def _to_text(context: TraceContext) -> str:
    span = f";span={context.span_id}" if context.span_id else ""
    return f"instance={context.instance_id}{span};sampled={context.is_sampled:d}"


def _from_text(text: str) -> TraceContext | None:
    match = _FORM.match(text) if len(text) <= _LONGEST else None
    if match is None or not is_pfid(match[1]) or not (match[2] is None or is_pfid(match[2])):
        return None
    return TraceContext(match[1], match[2], match[3] == "1")


def _to_traceparent(context: TraceContext) -> str:
    parent_id = span_id_of(context.span_id or context.instance_id)
    return f"00-{trace_id_of(context.instance_id)}-{parent_id}-{context.is_sampled:02x}"


def _entries(carrier: Mapping[str, str]) -> Iterable[tuple[object, object]]:
    if not isinstance(carrier, Mapping):
        raise UsageError(
            f"attach reads a mapping such as the headers of a request,"
            f" got {type(carrier).__qualname__}"
        )
    return carrier.items()


def _normal(name: object) -> str:
    if isinstance(name, bytes):
        name = name.decode("latin-1")
    if not isinstance(name, str):
        return ""
    return name.lower().replace("_", "-").removeprefix("http-")


def _variable(name: str) -> str:
    return name.upper().replace("-", "_")
