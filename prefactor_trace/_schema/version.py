"""The schema version that a tracer's span types and quality schemas make together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prefactor_trace._schema.declared import QualityType, SpanType
    from prefactor_trace._schema.inference import Captures
    from prefactor_trace.models import AgentSchemaVersionForRegister, DataRisk


def schema_version(
    span_types: Iterable[tuple[str, SpanType]],
    quality_types: Iterable[tuple[str, QualityType]],
    risk: DataRisk | None,
    captures: Captures,
) -> AgentSchemaVersionForRegister:
    """Return a schema version, whose identifier is a hash of its content.

    Args:
        span_types: Name and span type, in the order in which they are told.
        quality_types: Name and quality schema.
        risk: That of the span types of which none was said.
        captures: What is recorded of functions that do not say.
    """
    from prefactor_trace.models import AgentSchemaVersionForRegister

    version = AgentSchemaVersionForRegister(
        span_type_schemas=[one.for_create(name, risk, captures) for name, one in span_types],
        quality_schemas=[one.for_create(name) for name, one in quality_types] or None,
    )
    content = version.model_dump(mode="json", by_alias=True, exclude_none=True)
    # Seldom, on the background thread, and slow to load.
    import hashlib
    import json

    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    version.external_identifier = f"sha256:{digest[:32]}"
    return version
