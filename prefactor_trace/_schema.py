"""Span types and quality schemas: what a tracer declares when an instance registers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from prefactor_trace import _guard
from prefactor_trace._capture import snapshot, to_json
from prefactor_trace._clock import to_ns
from prefactor_trace._locks import make_lock
from prefactor_trace.exceptions import UsageError

if TYPE_CHECKING:
    from prefactor_trace.models import AgentSchemaVersionForRegister, DataRisk

UNDECLARED = "undeclared"
"""Span type that every schema version declares, for spans whose own type it could not know."""

SCHEMA_NAME_KEY = "prefactor.schema_name"
"""Key of the payload that holds the own type of a span sent as `UNDECLARED`."""


class Guessed:
    """Span types of a run that another process registered: all but those found unknown.

    Args:
        unknown: Names that the service refused.
    """

    def __init__(self, unknown: frozenset[str] = frozenset()) -> None:
        self._unknown = unknown

    def __contains__(self, schema_name: object) -> bool:
        return schema_name not in self._unknown

    def __sub__(self, unknown: Iterable[str]) -> Guessed:
        return Guessed(self._unknown.union(unknown))


_ANYTHING: dict[str, Any] = {"type": "object"}


class SpanOptions(NamedTuple):
    """What `span` was called with beside name, payload and parent; ``None`` means not said."""

    sensitive: bool | None = None
    capture_input: bool | None = None
    capture_output: bool | None = None
    title: str | None = None
    description: str | None = None
    template: str | None = None
    risk: DataRisk | Mapping[str, Any] | None = None
    ignore: tuple[str, ...] | None = None  # arguments that are not recorded
    reduce: Callable[[list[Any]], Any] | None = None  # of a generator's items
    started_at: int | None = None  # nanoseconds of the wall clock

    @classmethod
    def of(cls, said: dict[str, Any]) -> SpanOptions | None:
        """Return the options that a call of `span` named, ``None`` where all are ``None``.

        Raises:
            UsageError: One is unknown, or `started_at` is no aware datetime.
        """
        unknown = [name for name in said if name not in cls._fields]
        if unknown:
            raise UsageError(
                f"span got an unknown argument {unknown[0]!r}; beside schema_name, payload and"
                f" parent it takes {', '.join(sorted(cls._fields))}"
            )
        said = {name: value for name, value in said.items() if value is not None}
        if "started_at" in said:
            said["started_at"] = to_ns(said["started_at"], "started_at")
        return cls(**said) if said else None


class SpanType(NamedTuple):
    """A span type as it was declared; the JSON schemas are made when an instance registers."""

    params: Any = None
    result: Any = None
    title: str | None = None
    description: str | None = None
    template: str | None = None
    risk: DataRisk | None = None


class QualityType(NamedTuple):
    """A quality schema as it was declared."""

    schema: Any = None
    title: str | None = None
    description: str | None = None
    template: str | None = None
    risk: DataRisk | None = None


class Registry:
    """The span types and quality schemas of a tracer, added to from any thread."""

    def __init__(self) -> None:
        self._lock = make_lock()
        self._span_types: dict[str, SpanType] = {
            UNDECLARED: SpanType(
                title="Undeclared",
                description="A span whose type was not declared when its instance registered.",
            )
        }
        self._quality_types: dict[str, QualityType] = {}

    def declare(self, schema_name: str, declared: SpanType) -> None:
        """Declare a span type, in place of what was known of that name.

        Raises:
            UsageError: The name is empty, or a schema is neither a JSON schema nor a type.
        """
        _check_name("declare", schema_name)
        _check_texts(declared)
        declared = declared._replace(
            params=_checked_schema(schema_name, "params", declared.params),
            result=_checked_schema(schema_name, "result", declared.result),
        )
        with self._lock:
            self._span_types[schema_name] = declared

    def declare_quality(self, name: str, declared: QualityType) -> None:
        """Declare a quality schema, in place of what was known of that name.

        Raises:
            UsageError: The name is empty, or the schema is neither a JSON schema nor a type.
        """
        _check_name("declare_quality", name)
        _check_texts(declared)
        declared = declared._replace(schema=_checked_schema(name, "schema", declared.schema))
        with self._lock:
            self._quality_types[name] = declared

    def note(self, schema_name: str, options: SpanOptions | None = None) -> None:
        """Add a span type that is being used, and what is said of it where nothing was yet."""
        if not _is_sendable(schema_name):
            return  # its spans go as undeclared ones
        if options is not None:
            _check_options(options)
        with self._lock:
            known = self._span_types.get(schema_name, SpanType())
            if options is not None:
                known = known._replace(
                    title=known.title or options.title,
                    description=known.description or options.description,
                    template=known.template or options.template,
                    risk=known.risk or read_risk(options.risk),
                )
            self._span_types[schema_name] = known

    def note_used(self, schema_name: str) -> None:
        """Add a span type that a span was given without any declaration."""
        if schema_name not in self._span_types:
            self.note(schema_name)

    def note_quality(self, name: str) -> None:
        """Add a quality schema that is being used."""
        if not _is_sendable(name):
            return
        with self._lock:
            self._quality_types.setdefault(name, QualityType())

    def version(self) -> tuple[AgentSchemaVersionForRegister, frozenset[str]]:
        """Return the schema version of all that is declared now, and the span types in it.

        Its identifier is a hash of its content: the same declarations give the same version.
        """
        from prefactor_trace.models import (
            AgentSchemaVersionForRegister,
            QualitySchemaForCreate,
            SpanTypeSchemaForCreate,
        )

        with self._lock:
            span_types = sorted(self._span_types.items())
            quality_types = sorted(self._quality_types.items())
        version = AgentSchemaVersionForRegister(
            span_type_schemas=[
                SpanTypeSchemaForCreate(
                    name=name,
                    params_schema=_json_schema(name, declared.params) or _ANYTHING,
                    result_schema=_json_schema(name, declared.result),
                    title=declared.title,
                    description=declared.description,
                    template=declared.template,
                    data_risk=declared.risk,
                )
                for name, declared in span_types
            ],
            quality_schemas=[
                QualitySchemaForCreate(
                    name=name,
                    schema_=_json_schema(name, declared.schema) or _ANYTHING,
                    title=declared.title,
                    description=declared.description,
                    template=declared.template,
                    data_risk=declared.risk,
                )
                for name, declared in quality_types
            ]
            or None,
        )
        content = version.model_dump(mode="json", by_alias=True, exclude_none=True)
        import hashlib  # seldom, on the background thread, and slow to load

        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        version.external_identifier = f"sha256:{digest[:32]}"
        return version, frozenset(name for name, _ in span_types)


def read_risk(risk: DataRisk | Mapping[str, Any] | None) -> DataRisk | None:
    """Return a risk as the model of the wire; parts that are not said are unknown.

    Raises:
        UsageError: A part or a word of it is not one that the platform knows.
    """
    if risk is None:
        return None
    from pydantic import ValidationError

    from prefactor_trace.models import DataRisk

    if isinstance(risk, DataRisk):
        return risk
    unsaid: dict[str, Any] = {name: {} for name in DataRisk.model_fields}
    try:
        return DataRisk.model_validate({**unsaid, **risk})
    except TypeError:
        raise UsageError(
            f"risk must be a DataRisk or a mapping like one, got {type(risk).__qualname__}"
        ) from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"the risk's {where!r} is wrong: {first['msg']}") from None


def _check_options(options: SpanOptions) -> None:
    _check_texts(options)
    for name in ("sensitive", "capture_input", "capture_output"):
        value = getattr(options, name)
        if value is not None and not isinstance(value, bool):
            raise UsageError(f"{name} must be True or False, got {value!r}")


def _check_texts(said: SpanOptions | SpanType | QualityType) -> None:
    for name in ("title", "description", "template"):
        value = getattr(said, name)
        if value is not None and not (isinstance(value, str) and _is_sendable(value)):
            raise UsageError(f"{name} must be text, got {value!r}")


def _check_name(function: str, name: object) -> None:
    if not isinstance(name, str) or not name or not _is_sendable(name):
        raise UsageError(f"{function} takes a name such as 'tool_call', got {name!r}")


def _is_sendable(name: str) -> bool:
    """Return whether a name is text that JSON and databases take: one cannot be mended."""
    try:
        return b"\0" not in name.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return False


def _checked_schema(name: str, part: str, schema: object) -> object:
    """Return a schema as it can be sent: a JSON schema copied and plain, a type as it is."""
    if isinstance(schema, Mapping):
        return json.loads(to_json(snapshot(dict(schema))[0]))
    if schema is None or isinstance(schema, type) or hasattr(schema, "__origin__"):
        return schema
    if type(schema).__module__ in ("typing", "types"):  # unions and other annotations
        return schema
    raise UsageError(
        f"{part} of {name!r} must be a JSON schema, a pydantic model or a type,"
        f" got {type(schema).__qualname__}"
    )


def _json_schema(name: str, schema: Any) -> dict[str, Any] | None:
    if schema is None or isinstance(schema, Mapping):
        return None if schema is None else dict(schema)
    from pydantic import TypeAdapter

    try:
        return TypeAdapter(schema).json_schema()
    except Exception as error:  # noqa: BLE001  # any annotation can come here
        _guard.log_fault(f"making a JSON schema for {name!r}", error)
        return dict(_ANYTHING)
