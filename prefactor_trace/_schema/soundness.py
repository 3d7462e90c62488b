"""JSON schemas that say what no JSON schema can.

Only what is surely wrong is: a keyword that is not known here may be one elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from prefactor_trace._capture import holds_cut
from prefactor_trace._nearest import hint

_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
# What Python calls them, of which the spelling does not lead to the right word.
_PYTHON = {
    "bool": "boolean",
    "dict": "object",
    "float": "number",
    "int": "integer",
    "list": "array",
    "none": "null",
    "nonetype": "null",
    "str": "string",
    "tuple": "array",
}
# Keywords whose value is a schema, a list of them, and a mapping of names to them.
_ONE = (
    "items",
    "additionalProperties",
    "not",
    "if",
    "then",
    "else",
    "contains",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
)
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_MAPPINGS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_SHOWN = 60


def schema_fault(schema: object) -> str | None:
    """Return what is surely wrong in a JSON schema, and what would be right; else ``None``.

    Args:
        schema: A JSON schema; what is no mapping is none.
    """
    # What was left out of a schema is marked with words that a schema has not.
    if not isinstance(schema, Mapping) or holds_cut(schema):
        return None
    return next(_faults(schema, ""), None)


def _faults(schema: Any, at: str) -> Iterator[str]:
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        yield f"{at} is {_shown(schema)}, and must be a schema such as {{'type': 'string'}}"
        return
    if "type" in schema:
        yield from _type_faults(schema["type"], _inside(at, "type"))
    required = schema.get("required", [])
    if not isinstance(required, list) or not all(isinstance(name, str) for name in required):
        yield (
            f"{_inside(at, 'required')} is {_shown(required)}, and must be a list of names such as"
            " ['query']"
        )
    properties = schema.get("properties", {})
    if not isinstance(properties, dict):
        yield (
            f"{_inside(at, 'properties')} is {_shown(properties)}, and must be a mapping of names"
            " to schemas such as {'query': {'type': 'string'}}"
        )
    for place, part in _parts(schema, at):
        yield from _faults(part, place)


def _parts(schema: dict[str, Any], at: str) -> Iterator[tuple[str, Any]]:
    """Yield the schemas in a schema, each with its place."""
    for keyword in _ONE:
        part = schema.get(keyword)
        # A list of schemas under `items` is what older drafts call `prefixItems`.
        if isinstance(part, dict) or (keyword == "items" in schema and not isinstance(part, list)):
            yield _inside(at, keyword), part
    for keyword in (*_LISTS, "items"):
        parts = schema.get(keyword)
        if isinstance(parts, list):
            yield from ((f"{_inside(at, keyword)}[{n}]", part) for n, part in enumerate(parts))
    for keyword in _MAPPINGS:
        named = schema.get(keyword)
        if isinstance(named, dict):
            for name, part in named.items():
                if isinstance(part, dict) or keyword == "properties":
                    yield f"{_inside(at, keyword)}.{name}", part


def _type_faults(said: Any, at: str) -> Iterator[str]:
    names = said if isinstance(said, list) else [said]
    for name in names:
        if not isinstance(name, str):
            yield (
                f"{at} is {_shown(said)}, and must be the name of a JSON type, or a list of some:"
                f" {', '.join(_TYPES)}"
            )
        elif name not in _TYPES:
            meant = _PYTHON.get(name.lower())
            near = f"; did you mean {meant!r}?" if meant else hint(name, _TYPES)
            yield f"{at} is {name!r}, which is no JSON type{near}"


def _inside(at: str, keyword: str) -> str:
    return f"{at}.{keyword}" if at else keyword


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
