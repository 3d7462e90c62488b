"""Tests of matching payloads with their schemas, with `jsonschema` as the judge."""

import gc
import json
import math
from pathlib import Path
from unittest.mock import AsyncMock, MagicMock, Mock, NonCallableMock

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prefactor_trace._capture import serialise, snapshot
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
        "payload.mode": 'is none of the allowed values "a", "b"',
        "payload.more": "is not allowed",
    }


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"enum": [1, None, "ü"]}, 'is none of the allowed values 1, null, "ü"'),
        ({"enum": []}, "is none of the allowed values (there are none)"),
        ({"const": {"a": 1}}, 'is not the one allowed value {"a": 1}'),
        ({"enum": ["x" * 90]}, f'is none of the allowed values "{"x" * 58}…'),
        (
            {"enum": [f"country_{number}" for number in range(100)]},
            "is none of the allowed values "
            + ", ".join(f'"country_{number}"' for number in range(10))
            + " and 90 others",
        ),
    ],
)
def test_allowed_values_are_listed(schema, told):
    """Those that have room in a line."""
    assert mismatches(schema, "z", "x") == [{"field": "x", "message": told}]


@pytest.mark.parametrize(
    ("choices", "value", "told"),
    [
        ([{"type": "integer"}, {"type": "null"}], "x", {"": "is not of type integer or null"}),
        (
            [{"type": "null"}, {"enum": ["a", "b"]}],
            "c",
            {"": 'is none of the allowed values "a", "b"'},
        ),
        (
            [
                {"type": "object", "required": ["id"], "properties": {"n": {"type": "integer"}}},
                {"type": "null"},
            ],
            {"n": "x"},
            {".id": "is required", ".n": "is not of type integer"},
        ),
        (
            [{"type": "object", "required": [name]} for name in ("a", "b")],
            {},
            {"": "matches none of anyOf"},
        ),
    ],
)
def test_what_matches_no_choice_is_told_by_those_that_it_is_near_to(choices, value, told):
    """As of an annotation with `| None`: the types, or what is wrong with the only one of its."""
    found = mismatches({"anyOf": choices}, value, "x")
    assert {one["field"]: one["message"] for one in found} == {
        f"x{place}": message for place, message in told.items()
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
    gc.disable()  # what it finalised at the end of the stack would fail, and be told
    try:
        mismatches({"properties": {"a": {"$ref": "#"}}}, value, "payload")
    finally:
        gc.enable()


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


@pytest.mark.parametrize("mock", [Mock(), MagicMock(), AsyncMock(), NonCallableMock(spec=Path)])
def test_a_mock_matches_what_it_stands_in_for(tracer, mock):
    """A test gives one where the program has a model; any other object is none."""
    t = tracer()
    with t.instance(), t.span("step", {"mock": mock, "all": [mock], "other": object()}):
        pass
    payload = t.one()["payload"]
    model = {"type": "object", "required": ["id"]}
    for schema in (
        model,
        {"type": "string"},
        {"enum": ["a"]},
        {"anyOf": [model, {"type": "null"}]},
    ):
        assert mismatches(schema, payload["mock"], "x") == []
        assert mismatches({"items": schema}, payload["all"], "x") == []
        assert mismatches(schema, payload["other"], "x") != []


TEXT, NUMBER, INTEGER = {"type": "string"}, {"type": "number"}, {"type": "integer"}
RECORD = {"type": "object", "properties": {"size": TEXT}, "required": ["size"]}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (TEXT, "x" * 50_000),
        ({"type": "array", "items": TEXT}, ["d" * 3_000] * 5),
        ({"type": "array", "items": TEXT}, ["d"] * 20_000),
        ({"type": "array", "items": RECORD}, [{"size": "d"}] * 20_000),
        ({"enum": ["x" * 50_000]}, "x" * 50_000),
        ({"type": "object", "additionalProperties": TEXT}, {f"k{n}": "v" for n in range(20_000)}),
        ({**RECORD, "additionalProperties": False}, {"size": "x" * 20_000}),
        (NUMBER, math.nan),
        (NUMBER, -math.inf),
        (NUMBER, 2**70),
        (INTEGER, -(2**70)),
        (INTEGER, 2**2_000),
        (INTEGER, 2**9_000),
    ],
)
def test_what_was_cut_or_written_otherwise_is_no_mismatch(schema, value):
    """The agent's own value matched, and the library has put something in its place."""
    schema = {"type": "object", "properties": {"value": schema}, "additionalProperties": False}
    recorded = json.loads(serialise({"value": snapshot(value)[0]}, 1_000))
    assert mismatches(schema, recorded, "payload") == []


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (INTEGER, "[redacted]"),
        ({"enum": [1, 2]}, "[redacted]"),
        ({"const": {"a": ["b"]}}, {"a": ["x [redacted]"]}),
        ({"type": "array", "items": {"type": "boolean"}}, ["[redacted]"]),
        ({"anyOf": [INTEGER, {"type": "null"}]}, "[redacted]"),
        ({"type": "object", "required": ["a"]}, {"prefactor.redacted": "[redacted]"}),
        ({"type": "object", "required": ["a"]}, {"a-[redacted]": 1}),
        ({"type": "object", "required": ["a"]}, {"prefactor.reason": "reduce raised", "count": 1}),
        ({"type": "object", "additionalProperties": False}, {"prefactor.payload": {}}),
    ],
)
def test_what_was_taken_out_is_no_mismatch(schema, value):
    """Nobody can tell any more whether it matched."""
    assert mismatches(schema, value, "payload") == []


@pytest.mark.parametrize(
    ("schema", "value", "field"),
    [
        ({"type": "array", "items": TEXT}, [1, *["d" * 3_000] * 5], "payload.value[0]"),
        ({"type": "array", "items": TEXT}, [*["d"] * 999, 1], "payload.value[999]"),
        (
            {"type": "object", "properties": {"n": INTEGER}, "required": ["n"]},
            {"n": "one", "long": "x" * 5_000},
            "payload.value.n",
        ),
        (INTEGER, "12", "payload.value"),
        (INTEGER, "nan", "payload.value"),
        ({"type": "boolean"}, 2**70, "payload.value"),
    ],
)
def test_the_rest_of_what_was_cut_is_checked(schema, value, field):
    """What is known of it has to match."""
    schema = {"type": "object", "properties": {"value": schema}}
    recorded = json.loads(serialise({"value": snapshot(value)[0]}, 1_000))
    assert [one["field"] for one in mismatches(schema, recorded, "payload")] == [field]
