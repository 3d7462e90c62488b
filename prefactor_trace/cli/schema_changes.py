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
_MOST_REFERENCES = 10_000  # that are followed: schemas that refer to each other have very many


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
        before, after = (_inlined(one.get(part) or {}) for one in (old, new))
        yield from _schema_changes(before, after, f"{name} {place}")
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


def _inlined(whole: Any) -> Any:
    """Return a schema with what it refers to in place."""
    definitions = whole.get("$defs", {}) if isinstance(whole, dict) else {}
    left = iter(range(_MOST_REFERENCES))

    def inlined(schema: Any, within: tuple[str, ...]) -> Any:
        if isinstance(schema, list):
            return [inlined(part, within) for part in schema]
        if not isinstance(schema, dict):
            return schema
        reference = schema.get("$ref")
        if isinstance(reference, str):
            if reference in within or next(left, None) is None:  # a schema may refer to itself
                return {"$ref": reference}
            target = definitions.get(reference.removeprefix("#/$defs/"), {})
            return inlined(target, (*within, reference))
        return {key: inlined(part, within) for key, part in schema.items() if key != "$defs"}

    return inlined(whole, ())


def _schema_changes(old: Any, new: Any, where: str) -> Iterator[Change]:
    """Yield what differs between two JSON schemas, or two parts of them."""
    if _spelt(old) == _spelt(new):
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
    shapes = _shapes(old), _shapes(new)
    if all(shapes) and max(map(len, shapes)) > 1:
        yield from _shape_changes(*shapes, where)
        return
    yield from _value_changes(old, new, where)
    yield from _field_changes(old, new, where)
    if "items" in old and "items" in new:
        yield from _schema_changes(old["items"], new["items"], f"{where}[]")


def _shapes(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the objects that values may be, such as one for each function of a type."""
    parts = schema.get("anyOf") or [schema]
    are_objects = all(isinstance(part, dict) and part.get("type") == "object" for part in parts)
    return parts if are_objects else []


def _shape_changes(
    old: list[dict[str, Any]], new: list[dict[str, Any]], where: str
) -> Iterator[Change]:
    """Yield what differs in objects of several shapes: each next to the one most like it."""
    same = {_spelt(one) for one in old} & {_spelt(one) for one in new}
    left = [one for one in old if _spelt(one) not in same]
    for shape in [one for one in new if _spelt(one) not in same]:
        like = max(left, key=lambda one: _shared(one, shape), default=None)
        if like is not None and _shared(like, shape) > 0:
            left.remove(like)
            yield from _schema_changes(like, shape, f"{where} {_fields(like)}")
        else:
            yield Change(f"{where} {_fields(shape)}", "is one more that there is", "compatible")
    for shape in left:
        yield Change(f"{where} {_fields(shape)}", "removed", "breaking")


def _value_changes(old: dict[str, Any], new: dict[str, Any], where: str) -> Iterator[Change]:
    before, after = _alternatives(old), _alternatives(new)
    if before != after and (before or after):
        gained = sorted(after - before) if before else []
        kind: Kind = "breaking" if gained or not after else "compatible"
        yield Change(where, f"{_listed(before)} became {_listed(after)}", kind)
    rest = ("properties", "required", "items", "type", "enum", "const", "anyOf", "oneOf")
    for key in sorted((old.keys() | new.keys()) - {*rest, *_SAID_OF_VALUES}):
        if old.get(key) != new.get(key):
            what = f"{key} {_shown(old.get(key))} became {_shown(new.get(key))}"
            yield Change(where, what, "breaking" if key in old else "compatible")


def _field_changes(old: dict[str, Any], new: dict[str, Any], where: str) -> Iterator[Change]:
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
            yield from _schema_changes(before[name], after[name], place)


def _alternatives(schema: dict[str, Any]) -> frozenset[str]:
    """Return what a value can be: kinds, or single values."""
    parts = schema.get("anyOf") or schema.get("oneOf")
    if parts:
        return frozenset(map(_spelt, parts))
    if "const" in schema:
        return frozenset({json.dumps(schema["const"])})
    if "enum" in schema:
        return frozenset(map(json.dumps, schema["enum"]))
    kinds = schema.get("type")
    return frozenset(kinds if isinstance(kinds, list) else [kinds] if kinds else [])


def _spelt(schema: Any) -> str:
    """Return a schema in one spelling."""
    if isinstance(schema, dict):
        if schema.keys() == {"type"} and isinstance(schema["type"], str):
            return schema["type"]
        parts = (f"{json.dumps(key)}: {_spelt(schema[key])}" for key in sorted(schema))
        return f"{{{', '.join(parts)}}}"
    if isinstance(schema, list):
        return f"[{', '.join(map(_spelt, schema))}]"
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
