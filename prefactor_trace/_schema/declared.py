"""Span types and quality schemas as they are declared, and as the service is told of them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from prefactor_trace import _guard
from prefactor_trace._capture import snapshot, to_json
from prefactor_trace._schema.inference import Captures, Function
from prefactor_trace.exceptions import UsageError

if TYPE_CHECKING:
    from prefactor_trace.models import DataRisk, QualitySchemaForCreate, SpanTypeSchemaForCreate

_ANYTHING: dict[str, Any] = {"type": "object"}
_MAX_DEPTH = 16  # of definitions that lead to others


class SpanType(NamedTuple):
    """A span type as it was declared; the JSON schemas are made when an instance registers."""

    params: Any = None
    result: Any = None
    title: str | None = None
    description: str | None = None
    template: str | None = None
    risk: DataRisk | None = None
    functions: tuple[Function, ...] = ()  # that are decorated with it

    def with_more(self, said: SpanType) -> SpanType:
        """Return it with what else is said of it: the first word on each part stays."""
        replaced = {one.place for one in said.functions}
        kept = tuple(one for one in self.functions if one.place not in replaced)
        return SpanType(
            said.params if self.params is None else self.params,
            said.result if self.result is None else self.result,
            self.title or said.title,
            self.description or said.description,
            self.template or said.template,
            self.risk or said.risk,
            (*kept, *said.functions),
        )

    def fields(self) -> frozenset[str] | None:
        """Return the names of all that payload and result can have; ``None`` where unknown."""
        params, result = fields_of(self.params), fields_of(self.result, is_result=True)
        if self.functions:
            function = self.functions[-1]
            params = function.parameters if params is None else params
            if result is None:
                result = fields_of(function.result_by_now())
        return None if params is None or result is None else params | result

    def faults(self, name: str) -> Iterator[str]:
        """Yield what is surely wrong in what was declared of it by hand."""
        yield from _faults(f"span type {name!r}", self.template, "params", self.params)
        yield from _faults(f"span type {name!r}", None, "result", self.result)

    def for_create(
        self, name: str, risk: DataRisk | None, captures: Captures
    ) -> SpanTypeSchemaForCreate:
        """Return it as it is registered. What was not declared is inferred from its functions.

        Args:
            name: Its name.
            risk: What it carries where nobody has said.
            captures: What is recorded of its functions where they do not say.
        """
        from prefactor_trace.models import SpanTypeSchemaForCreate

        for fault in self.faults(name):  # that only blocks have said, which raise nothing
            told = "prefactor_trace: %s"
            _guard.log_once(logging.WARNING, fault, told, fault)
        functions = sorted(self.functions, key=lambda one: one.place)
        inferred = [one.schemas(captures) for one in functions]
        params = _json_schema(name, self.params)
        result = _json_schema(name, self.result, is_result=True)
        if params is None and inferred:
            params = _any_of([(one.name, one.params, one.description) for one in inferred])
        known = [(one.name, one.result, None) for one in inferred if one.result]
        if result is None and len(known) == len(inferred) > 0:
            result = _any_of(known)
        description = self.description
        if description is None and len(inferred) == 1:
            description = inferred[0].description
        return SpanTypeSchemaForCreate(
            name=name,
            params_schema=params or _ANYTHING,
            result_schema=result or None,
            title=self.title,
            description=description,
            template=self.template,
            data_risk=self.risk or risk,
        )


class QualityType(NamedTuple):
    """A quality schema as it was declared."""

    schema: Any = None
    title: str | None = None
    description: str | None = None
    template: str | None = None
    risk: DataRisk | None = None

    def fields(self) -> frozenset[str] | None:
        """Return the names of all that a record can have; ``None`` where unknown."""
        return fields_of(self.schema)

    def faults(self, name: str) -> Iterator[str]:
        """Yield what is surely wrong in what was declared of it."""
        yield from _faults(f"quality schema {name!r}", self.template, "schema", self.schema)

    def for_create(self, name: str) -> QualitySchemaForCreate:
        """Return it as it is registered."""
        from prefactor_trace.models import QualitySchemaForCreate

        return QualitySchemaForCreate(
            name=name,
            schema_=_json_schema(name, self.schema) or _ANYTHING,
            title=self.title,
            description=self.description,
            template=self.template,
            data_risk=self.risk,
        )


def _faults(what: str, template: str | None, part: str, schema: Any) -> Iterator[str]:
    # Most types have neither: not with the library.
    if template:
        from prefactor_trace._schema.balance import template_fault

        if (fault := template_fault(template)) is not None:
            yield f"the template of the {what} {fault}"
    if isinstance(schema, Mapping):
        from prefactor_trace._schema.soundness import schema_fault

        if (fault := schema_fault(schema)) is not None:
            yield f"{part} of the {what} is no JSON schema: {fault}"


def _any_of(schemas: Sequence[tuple[str, dict[str, Any], str | None]]) -> dict[str, Any]:
    """Return one schema for the spans of several functions of one type, such as of all tools."""
    if len(schemas) == 1:
        return schemas[0][1]
    parts: list[dict[str, Any]] = []
    definitions: dict[str, Any] = {}
    for function, schema, description in schemas:
        own = schema.get("$defs", {})
        clashes = {name for name in own if definitions.get(name, own[name]) != own[name]}
        renamed = {name: f"{name}.{function}" for name in clashes}
        definitions.update(
            {renamed.get(name, name): _renamed(each, renamed) for name, each in own.items()}
        )
        part = _renamed({key: each for key, each in schema.items() if key != "$defs"}, renamed)
        if description:
            part["description"] = description
        if part not in parts:
            parts.append(part)
    one = parts[0] if len(parts) == 1 else {"type": "object", "anyOf": parts}
    return {**one, "$defs": dict(sorted(definitions.items()))} if definitions else one


def _renamed(schema: Any, names: Mapping[str, str]) -> Any:
    """Return a schema that refers to some definitions by other names."""
    if isinstance(schema, dict):
        copy = {key: _renamed(part, names) for key, part in schema.items()}
        reference = copy.get("$ref")
        if isinstance(reference, str):
            name = reference.removeprefix("#/$defs/")
            copy["$ref"] = f"#/$defs/{names.get(name, name)}"
        return copy
    return [_renamed(part, names) for part in schema] if isinstance(schema, list) else schema


def _json_schema(name: str, declared: Any, *, is_result: bool = False) -> dict[str, Any] | None:
    """Return what was declared as a JSON schema, of a type as its values are recorded."""
    if declared is None or isinstance(declared, Mapping):
        return None if declared is None else dict(declared)
    from prefactor_trace._schema.json_schema import as_result, schema_of

    schema = schema_of(declared)
    if not schema:
        _guard.log_once(
            logging.WARNING,
            f"no JSON schema of {name}",
            "prefactor_trace: no JSON schema can be made of %r, so that anything goes for %r;"
            " declare a pydantic model, a dataclass, a TypedDict (before Python 3.12 that of"
            " typing_extensions) or a JSON schema",
            declared,
            name,
        )
    definitions = schema.get("$defs", {})
    return as_result(schema, definitions) if is_result else schema


def fields_of(declared: Any, *, is_result: bool = False) -> frozenset[str] | None:
    """Return the names of the fields that values of a schema or a type can have.

    ``None`` where there may be any, as where nothing was declared.
    """
    if declared is None:
        return None
    schema = _json_schema("a template", declared, is_result=is_result) or {}
    return _names_in(schema, schema.get("$defs", {}), 0)


def _names_in(schema: Any, definitions: Any, depth: int) -> frozenset[str] | None:
    if not isinstance(schema, dict) or depth > _MAX_DEPTH:
        return None
    if isinstance(reference := schema.get("$ref"), str):
        name = reference.removeprefix("#/$defs/")
        return _names_in(definitions.get(name), definitions, depth + 1)
    parts = schema.get("anyOf") or schema.get("oneOf")
    if parts:
        found = [_names_in(part, definitions, depth + 1) for part in parts]
        return None if None in found else frozenset().union(*found)  # type: ignore[arg-type]
    if schema.keys() & {"allOf", "patternProperties", "if"} or schema.get("additionalProperties"):
        return None
    properties = schema.get("properties")
    return frozenset(properties) if isinstance(properties, dict) else None


def checked_schema(name: str, part: str, schema: object) -> object:
    """Return a schema as it can be sent: a JSON schema copied and plain, a type as it is.

    Raises:
        UsageError: It is neither.
    """
    if isinstance(schema, Mapping):
        import json  # seldom: not with the library

        return json.loads(to_json(snapshot(dict(schema))[0]))
    if schema is None or isinstance(schema, type) or hasattr(schema, "__origin__"):
        return schema
    if type(schema).__module__ in ("typing", "types"):  # unions and other annotations
        return schema
    raise UsageError(
        f"{part} of {name!r} must be a JSON schema, a pydantic model or a type,"
        f" got {type(schema).__qualname__}"
    )
