"""What differs between two schema versions, and whether what reads the spans can go on.

A change is compatible when code, dashboards and templates that were made for the spans of before
can read those of now: a new field is, a field that is gone or may be missing is not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

Kind = Literal["compatible", "breaking", "risk"]
_TEXTS = ("title", "description", "template")
_SAID_OF_VALUES = ("title", "description", "examples", "$defs", "default")
_MAX_DEPTH = 32


class Change(NamedTuple):
    """One thing that differs.

    Attributes:
        where: What it belongs to, for example ``"tool_call payload.query"``.
        what: What became of it, in words.
        kind: Whether readers can go on, or that it is a risk, which is for a person to judge.
    """

    where: str
    what: str
    kind: Kind


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Return what differs between two schema versions, as JSON."""
    found: list[Change] = []
    for key, kind in (("span_type_schemas", "span type"), ("quality_schemas", "quality schema")):
        old = {one["name"]: one for one in before.get(key) or ()}
        new = {one["name"]: one for one in after.get(key) or ()}
        for name in sorted(old.keys() | new.keys()):
            if name not in old:
                found.append(Change(name, f"{kind} added", "compatible"))
            elif name not in new:
                found.append(Change(name, f"{kind} removed", "breaking"))
            else:
                found.extend(_type_changes(name, old[name], new[name]))
    return found


def _type_changes(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for part, place in (
        ("params_schema", "payload"),
        ("result_schema", "result"),
        ("schema", "record"),
    ):
        comparison = _Comparison(old.get(part), new.get(part))
        yield from comparison.run(old.get(part) or {}, new.get(part) or {}, f"{name} {place}", 0)
    for text in _TEXTS:
        if old.get(text) != new.get(text):
            change = f"{text} {_shown(old.get(text))} became {_shown(new.get(text))}"
            yield Change(name, change, "compatible")
    yield from _risk_changes(name, old.get("data_risk") or {}, new.get("data_risk") or {})


def _risk_changes(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for part in sorted(old.keys() | new.keys()):
        before, after = old.get(part) or {}, new.get(part) or {}
        for word in sorted(before.keys() | after.keys()):
            was, now = before.get(word, "unknown"), after.get(word, "unknown")
            if was != now:
                yield Change(f"{name} {part}.{word}", f"{was} became {now}", "risk")


class _Comparison:
    """Two JSON schemas, within which references are looked up."""

    def __init__(self, before: Any, after: Any) -> None:
        self._definitions = [(whole or {}).get("$defs", {}) for whole in (before, after)]

    def run(self, old: Any, new: Any, where: str, depth: int) -> Iterator[Change]:
        """Yield what differs between two parts of the schemas."""
        old, new = self._resolved(old, 0), self._resolved(new, 1)
        if depth > _MAX_DEPTH or self._spelt(old, 0) == self._spelt(new, 1):
            return
        if not isinstance(old, dict) or not isinstance(new, dict):
            yield Change(where, f"{_shown(old)} became {_shown(new)}", "breaking")
            return
        had, has = len(_bare(old)) > 0, len(_bare(new)) > 0
        if not had or not has:
            yield (
                Change(where, "is described now", "compatible")
                if has
                else Change(where, "may be anything now", "breaking")
            )
            return
        shapes = self._shapes(old, 0), self._shapes(new, 1)
        if all(shapes) and max(map(len, shapes)) > 1:
            yield from self._shape_changes(*shapes, where, depth)
            return
        yield from self._value_changes(old, new, where)
        yield from self._field_changes(old, new, where, depth)
        if "items" in old and "items" in new:
            yield from self.run(old["items"], new["items"], f"{where}[]", depth + 1)

    def _shapes(self, schema: dict[str, Any], side: int) -> list[dict[str, Any]]:
        """Return the objects that values may be, such as one for each function of a type."""
        parts = [self._resolved(part, side) for part in schema.get("anyOf") or [schema]]
        are_objects = all(isinstance(part, dict) and part.get("type") == "object" for part in parts)
        return parts if are_objects else []

    def _shape_changes(
        self, old: list[dict[str, Any]], new: list[dict[str, Any]], where: str, depth: int
    ) -> Iterator[Change]:
        """Yield what differs in objects of several shapes: each next to the one most like it."""
        same = {self._spelt(one, 0) for one in old} & {self._spelt(one, 1) for one in new}
        left = [one for one in old if self._spelt(one, 0) not in same]
        for shape in [one for one in new if self._spelt(one, 1) not in same]:
            like = max(left, key=lambda one: _shared(one, shape), default=None)
            if like is not None and _shared(like, shape) > 0:
                left.remove(like)
                yield from self.run(like, shape, f"{where} {_fields(like)}", depth + 1)
            else:
                yield Change(f"{where} {_fields(shape)}", "is one more that there is", "compatible")
        for shape in left:
            yield Change(f"{where} {_fields(shape)}", "removed", "breaking")

    def _value_changes(
        self, old: dict[str, Any], new: dict[str, Any], where: str
    ) -> Iterator[Change]:
        before, after = self._alternatives(old, 0), self._alternatives(new, 1)
        if before != after and (before or after):
            gained = sorted(after - before) if before else []
            kind: Kind = "breaking" if gained or not after else "compatible"
            yield Change(where, f"{_listed(before)} became {_listed(after)}", kind)
        rest = ("properties", "required", "items", "type", "enum", "const", "anyOf", "oneOf")
        for key in sorted((old.keys() | new.keys()) - {*rest, *_SAID_OF_VALUES}):
            if old.get(key) != new.get(key):
                what = f"{key} {_shown(old.get(key))} became {_shown(new.get(key))}"
                yield Change(where, what, "breaking" if key in old else "compatible")

    def _field_changes(
        self, old: dict[str, Any], new: dict[str, Any], where: str, depth: int
    ) -> Iterator[Change]:
        before, after = old.get("properties") or {}, new.get("properties") or {}
        had, has = set(old.get("required") or ()), set(new.get("required") or ())
        for name in sorted(before.keys() | after.keys()):
            place = f"{where}.{name}"
            if name not in before:
                yield Change(place, "added", "compatible")
            elif name not in after:
                yield Change(place, "removed", "breaking")
            else:
                if name in had - has:
                    yield Change(place, "may be missing now", "breaking")
                elif name in has - had:
                    yield Change(place, "is always there now", "compatible")
                yield from self.run(before[name], after[name], place, depth + 1)

    def _alternatives(self, schema: dict[str, Any], side: int) -> frozenset[str]:
        """Return what a value can be: kinds, or single values."""
        parts = schema.get("anyOf") or schema.get("oneOf")
        if parts:
            return frozenset(self._spelt(self._resolved(part, side), side) for part in parts)
        if "const" in schema:
            return frozenset({json.dumps(schema["const"])})
        if "enum" in schema:
            return frozenset(map(json.dumps, schema["enum"]))
        kinds = schema.get("type")
        return frozenset(kinds if isinstance(kinds, list) else [kinds] if kinds else [])

    def _resolved(self, schema: Any, side: int) -> Any:
        for _ in range(_MAX_DEPTH):
            reference = schema.get("$ref") if isinstance(schema, dict) else None
            if not isinstance(reference, str):
                break
            schema = self._definitions[side].get(reference.removeprefix("#/$defs/"), {})
        return schema

    def _spelt(self, schema: Any, side: int, depth: int = 0) -> str:
        """Return a schema in one spelling, with what it refers to in place."""
        if isinstance(schema, dict):
            if "$ref" in schema:
                name = schema["$ref"].removeprefix("#/$defs/")
                if depth > 4:  # it may refer to itself
                    return str(name)
                return self._spelt(self._resolved(schema, side), side, depth + 1)
            if schema.keys() == {"type"} and isinstance(schema["type"], str):
                return schema["type"]
            parts = (
                f"{json.dumps(key)}: {self._spelt(schema[key], side, depth)}"
                for key in sorted(schema)
                if key != "$defs"
            )
            return f"{{{', '.join(parts)}}}"
        if isinstance(schema, list):
            return f"[{', '.join(self._spelt(part, side, depth) for part in schema)}]"
        return json.dumps(schema)


def _bare(schema: dict[str, Any]) -> dict[str, Any]:
    """Return what a schema says of its values, beside words for the reader."""
    bare = {key: value for key, value in schema.items() if key not in _SAID_OF_VALUES}
    return {} if bare == {"type": "object"} else bare


def _shared(one: Mapping[str, Any], other: Mapping[str, Any]) -> int:
    """Return how many fields two objects have in common."""
    return len((one.get("properties") or {}).keys() & (other.get("properties") or {}).keys())


def _fields(shape: Mapping[str, Any]) -> str:
    return f"{{{', '.join(shape.get('properties') or ())}}}"


def _listed(alternatives: frozenset[str]) -> str:
    return " or ".join(sorted(alternatives)) or "anything"


def _shown(value: Any) -> str:
    text = "none" if value is None else json.dumps(value, sort_keys=True, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:79]}…"
