"""JSON schemas (draft 2020-12) of Python's types, as their values are recorded.

A part that no schema can be made of allows everything: a type that is too wide is of some use,
and one that is wrong, or missing, of none.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

JsonSchema = dict[str, Any]

ANYTHING: JsonSchema = {}
_MODE: Literal["validation"] = "validation"


class _AsRecorded(GenerateJsonSchema):
    """Schemas of values as a snapshot records them, which is not always as pydantic writes them."""

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> JsonSchema:
        del schema, error_info
        return {}

    def _anything(self, schema: Any) -> JsonSchema:
        del schema
        return {}

    # A snapshot has its own words for these: the head of bytes, the fields of a named tuple.
    bytes_schema = url_schema = multi_host_url_schema = _anything
    named_tuple_schema = call_schema = _anything  # the second: in pydantic before 2.14
    is_instance_schema = callable_schema = _anything

    def timedelta_schema(self, schema: Any) -> JsonSchema:
        del schema
        return {"type": "number"}  # seconds

    def decimal_schema(self, schema: Any) -> JsonSchema:
        del schema
        return {"type": "string"}

    def enum_schema(self, schema: Any) -> JsonSchema:
        if issubclass(schema["cls"], enum.Flag):
            return {"type": "integer"}  # any of its members together
        return super().enum_schema(schema)

    def default_schema(self, schema: Any) -> JsonSchema:
        # A default may be a secret, and does not say which values there can be.
        return self.generate_inner(schema["schema"])


def schemas_of(
    types: Mapping[str, Any], *, by_alias: bool
) -> tuple[dict[str, JsonSchema], JsonSchema]:
    """Return the JSON schema of each type, and the definitions that they share.

    Args:
        types: Name to a type, model or annotation.
        by_alias: Whether models go by the aliases of their fields.
    """
    adapters = {}
    for name, annotation in types.items():
        adapter = _adapter_of(annotation, by_alias=by_alias)
        if adapter is not None:
            adapters[name] = adapter
    found, rest = TypeAdapter.json_schemas(
        [(name, _MODE, adapter) for name, adapter in adapters.items()],
        by_alias=by_alias,
        schema_generator=_AsRecorded,
    )
    schemas = {name: found[name, _MODE] if name in adapters else ANYTHING for name in types}
    return schemas, rest.get("$defs", {})


def _adapter_of(annotation: Any, *, by_alias: bool) -> TypeAdapter[Any] | None:
    """Return what makes the schema of a type, `None` where it cannot be made."""
    for config in (None, ConfigDict(arbitrary_types_allowed=True)):
        try:
            adapter: TypeAdapter[Any] = TypeAdapter(annotation, config=config)
            adapter.json_schema(by_alias=by_alias, schema_generator=_AsRecorded)
        except RecursionError:
            return None
        except Exception:  # noqa: BLE001, S112  # any annotation can come here
            continue
        return adapter
    return None


def schema_of(annotation: Any) -> JsonSchema:
    """Return the JSON schema of a model or a type, with its definitions."""
    schemas, definitions = schemas_of({"": annotation}, by_alias=True)
    return with_definitions(schemas[""], definitions)


def with_definitions(schema: JsonSchema, definitions: JsonSchema) -> JsonSchema:
    """Return a schema that can stand alone, with those definitions that it refers to."""
    schema = _in_place(schema, definitions)
    used: JsonSchema = {}
    front = list(_references(schema))
    while front:
        name = front.pop()
        if name in definitions and name not in used:
            used[name] = definitions[name]
            front.extend(_references(definitions[name]))
    return {**schema, "$defs": dict(sorted(used.items()))} if used else schema


def _in_place(schema: JsonSchema, definitions: JsonSchema) -> JsonSchema:
    """Return the definition that a schema consists of, unless that refers to itself."""
    if schema.keys() != {"$ref"}:
        return schema
    name = schema["$ref"].removeprefix("#/$defs/")
    inner = with_definitions({"parts": definitions.get(name)}, definitions)
    return schema if name in inner.get("$defs", {}) else definitions.get(name, ANYTHING)


def _references(schema: Any) -> Iterable[str]:
    if isinstance(schema, Mapping):
        reference = schema.get("$ref")
        if isinstance(reference, str):
            yield reference.removeprefix("#/$defs/")
        for part in schema.values():
            yield from _references(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _references(part)


def as_result(schema: JsonSchema, definitions: JsonSchema) -> JsonSchema:
    """Return the schema of a result: what is no mapping is recorded as ``{"result": ...}``."""
    known = schema
    seen: set[str] = set()
    while isinstance(name := known.get("$ref"), str) and name not in seen:
        seen.add(name)
        known = definitions.get(name.removeprefix("#/$defs/"), ANYTHING)
    for union in ("anyOf", "oneOf"):
        if union in known:
            parts = [as_result(part, definitions) for part in known[union]]
            return ANYTHING if ANYTHING in parts else {"anyOf": parts}
    if known.get("type") == "object":
        return schema
    if not known.keys() & {"type", "enum", "const", "allOf"}:
        return ANYTHING
    # Not required: a step that failed has an error in its place.
    return {"type": "object", "properties": {"result": schema}}
