"""What differs between two schema versions, and whether readers can go on."""

from typing import Any

import pytest

from prefactor_trace.cli.schema_changes import Change, changes

STRING, INTEGER = {"type": "string"}, {"type": "integer"}


def version(schema: Any = None, **more: Any) -> dict[str, Any]:
    """Return a schema version of one span type."""
    one = {"name": "step", "params_schema": schema or {"type": "object"}, **more}
    return {"span_type_schemas": [one]}


def fields(required: list[str] | None = None, **properties: Any) -> dict[str, Any]:
    """Return a schema of an object."""
    return {"type": "object", "properties": properties, "required": required or []}


def kinds(before: Any, after: Any) -> list[tuple[str, str, str]]:
    """Return what differs between two payload schemas."""
    return [tuple(one) for one in changes(version(before), version(after))]


CASES = {
    "a field more": (fields(), fields(a=STRING), ".a", "added", "compatible"),
    "a field less": (fields(a=STRING), fields(), ".a", "removed", "breaking"),
    "missing": (
        fields(["a"], a=STRING),
        fields(a=STRING),
        ".a",
        "may be missing now",
        "breaking",
    ),
    "always": (
        fields(a=STRING),
        fields(["a"], a=STRING),
        ".a",
        "is always there now",
        "compatible",
    ),
    "another kind": (
        fields(a=STRING),
        fields(a=INTEGER),
        ".a",
        "string became integer",
        "breaking",
    ),
    "also null": (
        fields(a=STRING),
        fields(a={"anyOf": [STRING, {"type": "null"}]}),
        ".a",
        "string became null or string",
        "breaking",
    ),
    "no longer null": (
        fields(a={"anyOf": [STRING, {"type": "null"}]}),
        fields(a=STRING),
        ".a",
        "null or string became string",
        "compatible",
    ),
    "a function more": (
        fields(a=STRING),
        {"type": "object", "anyOf": [fields(a=STRING), fields(b=STRING)]},
        " {b}",
        "is one more that there is",
        "compatible",
    ),
    "a function less": (
        {"type": "object", "anyOf": [fields(a=STRING), fields(b=STRING), fields(c=STRING)]},
        {"type": "object", "anyOf": [fields(c=STRING), fields(a=STRING)]},
        " {b}",
        "removed",
        "breaking",
    ),
    "a field more of one function": (
        {"type": "object", "anyOf": [fields(a=STRING), fields(b=STRING)]},
        {"type": "object", "anyOf": [fields(b=STRING, k=INTEGER), fields(a=STRING)]},
        " {b}.k",
        "added",
        "compatible",
    ),
    "a field less of one function": (
        {"type": "object", "anyOf": [fields(a=STRING), fields(b=STRING, k=INTEGER)]},
        {"type": "object", "anyOf": [fields(a=STRING), fields(b=STRING)]},
        " {b, k}.k",
        "removed",
        "breaking",
    ),
    "a word more": (
        fields(a={"enum": ["x"]}),
        fields(a={"enum": ["x", "y"]}),
        ".a",
        '"x" became "x" or "y"',
        "breaking",
    ),
    "items": (
        fields(a={"type": "array", "items": STRING}),
        fields(a={"type": "array", "items": INTEGER}),
        ".a[]",
        "string became integer",
        "breaking",
    ),
    "described": (fields(a={}), fields(a=STRING), ".a", "is described now", "compatible"),
    "not described": (fields(a=STRING), fields(a={}), ".a", "may be anything now", "breaking"),
    "a bound gone": (
        fields(a={**INTEGER, "minimum": 1}),
        fields(a=INTEGER),
        ".a",
        "minimum 1 became none",
        "breaking",
    ),
    "a bound more": (
        fields(a=INTEGER),
        fields(a={**INTEGER, "minimum": 1}),
        ".a",
        "minimum none became 1",
        "compatible",
    ),
}


@pytest.mark.parametrize(("before", "after", "where", "what", "kind"), CASES.values(), ids=CASES)
def test_a_change_has_a_place_and_a_kind(before, after, where, what, kind):
    """What was there before must still be there for a reader."""
    assert kinds(before, after) == [(f"step payload{where}", what, kind)]


def test_references_are_followed():
    """A model that is renamed is the same; a circle ends."""

    def whole(name: str, schema: Any) -> Any:
        part = fields(a={"$ref": f"#/$defs/{name}"})
        return {**part, "$defs": {name: schema}}

    assert kinds(whole("Old", fields(x=STRING)), whole("New", fields(x=STRING))) == []
    assert kinds(whole("A", fields(x=STRING)), whole("A", fields(x=INTEGER))) == [
        ("step payload.a.x", "string became integer", "breaking")
    ]
    circle = fields(more={"$ref": "#/$defs/A"}, x=STRING)
    other = fields(more={"$ref": "#/$defs/A"}, x=INTEGER)
    assert kinds(whole("A", circle), whole("A", other))


def test_what_a_mapping_holds_is_looked_into():
    """Also where it is a model that is described elsewhere."""

    def whole(value: Any) -> Any:
        held = {"type": "object", "additionalProperties": {"$ref": "#/$defs/A"}}
        return {**fields(all=held), "$defs": {"A": fields(x=value)}}

    assert kinds(whole(STRING), whole(STRING)) == []
    ((where, _, kind),) = kinds(whole(STRING), whole(INTEGER))
    assert (where, kind) == ("step payload.all", "breaking")


def test_models_that_refer_to_each_other_end():
    """Each to all, which is many ways to go."""
    names = "ABCD"

    def whole(value: Any) -> Any:
        others = {name: {"$ref": f"#/$defs/{name}"} for name in names}
        return {"$ref": "#/$defs/A", "$defs": {name: fields(x=value, **others) for name in names}}

    assert ("step payload.x", "string became integer", "breaking") in kinds(
        whole(STRING), whole(INTEGER)
    )


def test_types_come_and_go():
    """Of spans and of quality."""
    before = {"span_type_schemas": [{"name": "a", "params_schema": {}}]}
    after = {
        "span_type_schemas": [{"name": "b", "params_schema": {}}],
        "quality_schemas": [{"name": "good", "schema": {}}],
    }
    assert changes(before, after) == [
        Change("a", "span type removed", "breaking"),
        Change("b", "span type added", "compatible"),
        Change("good", "quality schema added", "compatible"),
    ]


def test_words_for_people_are_named_and_harmless():
    """A template and a title are read by people."""
    (change,) = changes(version(title="A"), version(title="B"))
    assert change == Change("step", 'title "A" became "B"', "compatible")


def test_a_risk_is_for_a_person_to_judge():
    """Each word that differs is named."""
    risk = {"action_profile": {"read_data": "allowed", "create_data": "unknown"}}
    assert changes(version(), version(data_risk=risk)) == [
        Change("step action_profile.read_data", "unknown became allowed", "risk")
    ]


def test_a_change_deep_in_other_models_is_found_once():
    """However many stand in each other, and where one refers to itself."""

    def version(kind: str) -> dict[str, object]:
        definitions = {
            f"M{n}": {"type": "object", "properties": {"next": {"$ref": f"#/$defs/M{n + 1}"}}}
            for n in range(9)
        }
        definitions["M9"] = {
            "type": "object",
            "properties": {"x": {"type": kind}, **{f"to{n}": {"$ref": "#/$defs/M9"} for n in "ab"}},
        }
        schema = {"type": "object", "properties": {"m": {"$ref": "#/$defs/M0"}}}
        return {
            "span_type_schemas": [{"name": "s", "params_schema": {**schema, "$defs": definitions}}]
        }

    (change,) = changes(version("string"), version("integer"))
    assert change.where.endswith("next.x")
    assert change.kind == "breaking"
