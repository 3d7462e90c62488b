"""Tests of matching payloads with their schemas, with `jsonschema` as the judge."""

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefactor_trace.server._json_schema import MAX_MISMATCHES, _Sure, mismatches

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.5, 1.0, "a", "b", ""]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=6,
)
TYPES = st.sampled_from(["object", "array", "string", "number", "integer", "boolean", "null"])


def schemas():
    """Return schemas of the keywords that are checked, over a small set of names."""
    leaf = st.fixed_dictionaries(
        {},
        optional={
            "type": TYPES | st.lists(TYPES, min_size=1, max_size=2, unique=True),
            "enum": st.lists(VALUES, min_size=1, max_size=2),
            "const": VALUES,
            "required": st.lists(st.sampled_from("abc"), max_size=2, unique=True),
            "$ref": st.sampled_from(["#/$defs/x", "#/$defs/y"]),
        },
    )
    tree = st.recursive(
        leaf | st.booleans(),
        lambda inner: st.fixed_dictionaries(
            {},
            optional={
                "type": TYPES,
                "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
                "additionalProperties": inner,
                "items": inner,
                "anyOf": st.lists(inner, min_size=1, max_size=2),
                "allOf": st.lists(inner, min_size=1, max_size=2),
            },
        ),
        max_leaves=6,
    )
    whole = tree.filter(lambda schema: isinstance(schema, dict))
    definitions = {"x": {"type": ["string", "object"]}, "y": {"enum": [1, "a", None]}}
    return whole.map(lambda schema: {**schema, "$defs": definitions})


@settings(max_examples=400, deadline=None)
@given(schema=schemas(), value=VALUES)
def test_agrees_with_jsonschema(schema, value):
    """On the keywords that are checked, a value matches exactly when `jsonschema` says so."""
    validator = jsonschema.Draft202012Validator(schema)
    assert (mismatches(schema, value, "x") == []) == validator.is_valid(value)


def test_each_mismatch_names_its_place():
    """What differs is told by where it stands."""
    schema = {
        "type": "object",
        "required": ["id"],
        "properties": {"tags": {"items": {"type": "string"}}, "mode": {"enum": ["a", "b"]}},
        "additionalProperties": False,
    }
    found = mismatches(schema, {"tags": ["x", 1], "mode": "c", "more": 0}, "payload")
    assert {mismatch["field"]: mismatch["message"] for mismatch in found} == {
        "payload.id": "is required",
        "payload.tags[1]": "is not of type string",
        "payload.mode": "is none of the allowed values",
        "payload.more": "is not allowed",
    }


@pytest.mark.parametrize(
    "schema",
    [
        None,
        7,
        {"type": "text"},
        {"type": 5},
        {"required": "id"},
        {"required": [{}, 5]},
        {"properties": []},
        {"enum": "a"},
        {"anyOf": {}},
        {"$ref": "https://example.org/schema"},
        {"$ref": "#/nowhere"},
        {"$ref": 1},
        {"format": "uri", "minProperties": 9, "pattern": "("},
        {"additionalProperties": False, "patternProperties": {"^a": {}}},
    ],
)
def test_what_is_not_understood_counts_as_met(schema):
    """A schema that is broken, foreign or beyond the known keywords is no reason to complain."""
    assert mismatches(schema, {"a": 1}, "payload") == []


def test_a_schema_that_refers_to_itself_ends():
    """Neither a circle nor a tree of references keeps the service busy."""
    assert mismatches({"$ref": "#"}, {}, "payload") == []
    twice = {"anyOf": [{"$ref": "#"}, {"$ref": "#"}], "allOf": [{"$ref": "#"}, {"$ref": "#"}]}
    mismatches(twice, {}, "payload")
    nested = value = {}
    for _ in range(2_000):
        nested["a"] = nested = {}
    mismatches({"properties": {"a": {"$ref": "#"}}}, value, "payload")


def test_only_so_many_are_told():
    """A payload that is wrong all over is noted with its first mismatches."""
    found = mismatches({"items": {"type": "string"}}, list(range(1_000)), "payload")
    assert len(found) == MAX_MISMATCHES


def test_many_items_with_many_choices_are_soon_judged():
    """The number of steps is bounded; past it the rest counts as met."""
    schema = {"items": {"anyOf": [{"const": n, "type": "string"} for n in range(500)]}}
    schema["items"]["anyOf"] += [{"type": "string"}]
    assert mismatches(schema, ["a"] * 8_000, "payload") == []
    quick = _Sure()
    assert not quick.matches(schema, ["a"] * 8_000)
    assert quick._steps < 5_000
