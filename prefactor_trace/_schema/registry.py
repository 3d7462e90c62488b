"""Span types and quality schemas: what a tracer declares when an instance registers."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from prefactor_trace import _guard
from prefactor_trace._frames import calling_line, is_interactive
from prefactor_trace._locks import make_lock
from prefactor_trace._notes import UNDECLARED
from prefactor_trace._schema.declared import QualityType, SpanType, checked_schema
from prefactor_trace._schema.inference import Captures
from prefactor_trace._schema.options import (
    SpanOptions,
    check_options,
    check_texts,
    is_sendable,
)
from prefactor_trace._schema.risk import read_risk
from prefactor_trace._schema.template import check_template
from prefactor_trace._schema.version import schema_version
from prefactor_trace.exceptions import UsageError

if TYPE_CHECKING:
    from prefactor_trace._schema.inference import Function
    from prefactor_trace.models import AgentSchemaVersionForRegister, DataRisk

    _Version = tuple[AgentSchemaVersionForRegister, frozenset[str]]

_MOST_OPTIONS = 1_000  # remembered
_MOST_TYPES = 1_000  # that blocks bring along: made-up names must not fill the request of a run


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


class RegistryState(NamedTuple):
    """What a registry holds at one time.

    Attributes:
        declarations: How many have changed something so far.
        span_types: Name to span type.
        quality_types: Name to quality schema.
        places: Kind and name to what was declared, and where.
        versions: The schema versions that were made of these.
    """

    declarations: int
    span_types: dict[str, SpanType]
    quality_types: dict[str, QualityType]
    places: dict[tuple[str, str], tuple[SpanType | QualityType, str]]
    versions: dict[tuple[str | None, Captures], Any]


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
        self._places: dict[tuple[str, str], tuple[SpanType | QualityType, str]] = {}
        self._versions: dict[tuple[str | None, Captures], _Version] = {}
        self._options: dict[object, SpanOptions] = {}  # that were noted
        self._declarations = 0  # that changed something

    def declare(self, schema_name: str, declared: SpanType) -> None:
        """Declare a span type, in place of what its spans have said of it.

        Raises:
            UsageError: The name is empty, a schema is neither a JSON schema nor a type, the
                template leaves something open or names a field that the schemas lack, or the type
                was declared otherwise in another place.
        """
        _check_name("declare", schema_name)
        check_texts(declared)
        declared = declared._replace(
            params=checked_schema(schema_name, "params", declared.params),
            result=checked_schema(schema_name, "result", declared.result),
        )
        _refuse(declared.faults(schema_name))
        check_template(f"span type {schema_name!r}", declared.template, declared.fields)
        with self._lock:
            self._check_place("span type", schema_name, declared)
            known = self._span_types.get(schema_name, SpanType())
            self._span_types[schema_name] = declared._replace(functions=known.functions)
            self._changed()

    def declare_quality(self, name: str, declared: QualityType) -> None:
        """Declare a quality schema.

        Raises:
            UsageError: As `declare`.
        """
        _check_name("declare_quality", name)
        check_texts(declared)
        declared = declared._replace(schema=checked_schema(name, "schema", declared.schema))
        _refuse(declared.faults(name))
        check_template(f"quality schema {name!r}", declared.template, declared.fields)
        with self._lock:
            self._check_place("quality schema", name, declared)
            self._quality_types[name] = declared
            self._changed()

    def _changed(self) -> None:
        self._declarations += 1
        self._versions.clear()
        self._options.clear()

    def _check_place(self, kind: str, name: str, declared: SpanType | QualityType) -> None:
        """Refuse to declare the same name with another content in another place."""
        here = calling_line()
        before, there = self._places.get((kind, name), (declared, here))
        if before != declared and there != here and not is_interactive(here):
            raise UsageError(
                f"the {kind} {name!r} is declared twice with different content: at {there} and at"
                f" {here}; declare it once, or give the two different names"
            )
        self._places[kind, name] = declared, here

    def options(self, schema_name: str | None, said: dict[str, Any]) -> SpanOptions | None:
        """Return the options that a call of `span` named, and note them of a type that has a name.

        A block in a loop says the same each time, which is looked through once: that takes six
        times as long as the rest of the block.

        Raises:
            UsageError: As `SpanOptions.of` and `note`.
        """
        key: Any = schema_name, *said.items(), *map(type, said.values())
        try:
            known = self._options.get(key)
        except TypeError:  # something in it cannot be hashed
            known = key = None
        if known is not None:
            return known
        options = SpanOptions.of(said)
        if schema_name is None or options is None:
            return options
        self.note(schema_name, options)
        if key is not None and options.started_at is None:
            if len(self._options) >= _MOST_OPTIONS:
                self._options.clear()
            self._options[key] = options
        return options

    def note(
        self,
        schema_name: str,
        options: SpanOptions | None = None,
        function: Function | None = None,
    ) -> None:
        """Add a span type that is being used, and what is said of it where nothing was yet.

        Raises:
            UsageError: An option is wrong; or, of a function, a schema is none, or the template
                leaves something open or names what is neither an argument nor in the result.
        """
        if not is_sendable(schema_name):
            return  # its spans go as undeclared ones
        said = SpanType() if options is None else _said(schema_name, options)
        if function is not None:
            _refuse(said.faults(schema_name))
            said = said._replace(functions=(function,))
            check_template(f"span type {schema_name!r}", said.template, said.fields)
        with self._lock:
            known = self._span_types.get(schema_name)
            if known is None and function is None and len(self._span_types) >= _MOST_TYPES:
                _say_too_many(schema_name)
                return
            noted = (known or SpanType()).with_more(said)
            if noted != known:
                self._span_types[schema_name] = noted
                self._changed()

    def note_used(self, schema_name: str) -> None:
        """Add a span type that a span was given without any declaration."""
        if schema_name not in self._span_types:
            self.note(schema_name)

    def note_quality(self, name: str) -> None:
        """Add a quality schema that is being used."""
        if name in self._quality_types or not is_sendable(name):
            return
        with self._lock:
            self._quality_types.setdefault(name, QualityType())
            self._changed()

    def state(self) -> RegistryState:
        """Return all that is declared now, for `put_back`."""
        with self._lock:
            return RegistryState(
                self._declarations,
                dict(self._span_types),
                dict(self._quality_types),
                dict(self._places),
                dict(self._versions),
            )

    def put_back(self, state: RegistryState) -> None:
        """Forget what was declared since it was like this."""
        with self._lock:
            if self._declarations == state.declarations:
                return
            self._changed()
            self._span_types = dict(state.span_types)
            self._quality_types = dict(state.quality_types)
            self._places = dict(state.places)
            self._versions = dict(state.versions)

    def version(
        self,
        risk: DataRisk | None = None,
        captures: Captures = Captures(),  # noqa: B008  # immutable
    ) -> _Version:
        """Return the schema version of all that is declared now, and the span types in it.

        Its identifier is a hash of its content: the same declarations give the same version. It is
        not to be changed: as long as nothing else is declared, it is the same object.

        Args:
            risk: That of the span types of which none was said.
            captures: What is recorded of functions that do not say.
        """
        key = None if risk is None else risk.model_dump_json(), captures
        with self._lock:
            known = self._versions.get(key)
            if known is not None:
                return known
            declarations = self._declarations
            span_types = sorted(self._span_types.items())
            quality_types = sorted(self._quality_types.items())
        # The schemas of many types take a while, in which others must be able to declare.
        names = frozenset(name for name, _ in span_types)
        made = schema_version(span_types, quality_types, risk, captures), names
        with self._lock:
            if declarations == self._declarations:
                self._versions[key] = made
        return made


def _say_too_many(schema_name: str) -> None:
    _guard.log_seldom(
        logging.WARNING,
        "too many span types",
        "prefactor_trace: there are more than %d span types, and %r is not registered any more: its"
        " spans go as %r ones. Name the kind of step, and put what differs into the payload",
        _MOST_TYPES,
        schema_name,
        UNDECLARED,
    )


def _said(schema_name: str, options: SpanOptions) -> SpanType:
    check_options(options)
    return SpanType(
        params=checked_schema(schema_name, "params", options.params),
        result=checked_schema(schema_name, "result", options.result),
        title=options.title,
        description=options.description,
        template=options.template,
        risk=read_risk(options.risk),
    )


def _refuse(faults: Iterator[str]) -> None:
    for fault in faults:
        raise UsageError(fault)


def _check_name(function: str, name: object) -> None:
    if not isinstance(name, str) or not name or not is_sendable(name):
        raise UsageError(f"{function} takes a name such as 'tool_call', got {name!r}")
