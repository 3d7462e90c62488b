"""The tree of what was recorded, by names."""

from typing import Any


def parents(t: Any) -> dict[str, list[str | None]]:
    """Return the name of each span's parent, by the name of the span."""
    spans = t.spans()
    names = {span["id"]: span["schema_name"] for span in spans}
    found: dict[str, list[str | None]] = {}
    for span in spans:
        parent = names.get(span.get("parent_span_id"))
        found.setdefault(span["schema_name"], []).append(parent)
    return found
