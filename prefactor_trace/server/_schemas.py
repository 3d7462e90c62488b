"""What a schema version declares: types of span and kinds of quality record."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class DeclaredType(NamedTuple):
    """A type of span, or a kind of quality record.

    Attributes:
        schema: JSON schema of the payload.
        result_schema: JSON schema of the result.
        title: Human-readable name.
        template: Liquid one-liner that becomes the summary.
    """

    schema: Any
    result_schema: Any = None
    title: str | None = None
    template: str | None = None


class DeclaredSchemas(NamedTuple):
    """All that one schema version declares."""

    spans: Mapping[str, DeclaredType]
    qualities: Mapping[str, DeclaredType]


def read_declared(schema_version: Mapping[str, Any]) -> DeclaredSchemas:
    """Return what an `agent_schema_version` declares.

    A name in `span_result_schemas` alone is not declared; a name in `span_type_schemas` says more
    than the same name in `span_schemas`.
    """
    results = schema_version.get("span_result_schemas") or {}
    spans = {
        name: DeclaredType(schema, results.get(name))
        for name, schema in (schema_version.get("span_schemas") or {}).items()
    }
    for entry in schema_version.get("span_type_schemas") or ():
        name = entry["name"]
        result_schema = entry.get("result_schema")
        spans[name] = DeclaredType(
            entry["params_schema"],
            results.get(name) if result_schema is None else result_schema,
            entry.get("title"),
            entry.get("template"),
        )
    qualities = {
        entry["name"]: DeclaredType(
            entry["schema"], None, entry.get("title"), entry.get("template")
        )
        for entry in schema_version.get("quality_schemas") or ()
    }
    return DeclaredSchemas(spans, qualities)
