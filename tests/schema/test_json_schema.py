"""JSON schemas of types: whole by themselves, as a snapshot records their values."""

import enum
from typing import Any

import pydantic

from prefactor_trace._schema.json_schema import as_result, schema_of, schemas_of


class Leaf(pydantic.BaseModel):
    size: int = 1


class Tree(pydantic.BaseModel):
    leaves: list[Leaf]
    branches: list["Tree"]


def test_a_model_stands_where_it_is_needed():
    """Its own definition is not referred to, unless by itself."""
    assert schema_of(Leaf) == {
        "properties": {"size": {"title": "Size", "type": "integer"}},
        "title": "Leaf",
        "type": "object",
    }
    tree = schema_of(Tree)
    assert tree["$ref"] == "#/$defs/Tree"
    assert tree["$defs"].keys() == {"Leaf", "Tree"}


def test_flags_may_stand_together():
    """Which is none of the members."""

    class Access(enum.IntFlag):
        READ = 1
        WRITE = 2

    class Mode(enum.IntEnum):
        FAST = 1
        SLOW = 2

    assert schema_of(Access) == {"title": "Access", "type": "integer"}
    assert schema_of(Mode)["enum"] == [1, 2]


def test_a_type_that_cannot_be_described_costs_the_others_nothing():
    """It allows everything."""

    class Unknown(pydantic.BaseModel):
        part: "Missing"  # type: ignore[name-defined]  # noqa: F821

    schemas, definitions = schemas_of({"a": Unknown, "b": Leaf, "c": object()}, by_alias=False)
    assert schemas == {"a": {}, "b": {"$ref": "#/$defs/Leaf"}, "c": {}}
    assert definitions.keys() == {"Leaf"}


def test_two_models_of_one_name_are_told_apart():
    """Each has a definition of its own."""

    def make(annotation: Any) -> Any:
        return pydantic.create_model("Same", value=(annotation, ...))

    schemas, definitions = schemas_of({"a": make(int), "b": make(str)}, by_alias=False)
    assert schemas["a"] != schemas["b"]
    assert len(definitions) == 2


def test_what_is_no_mapping_is_a_result():
    """As it is recorded; a definition is looked at, and one in a circle allows everything."""
    wrapped = {"type": "object", "properties": {"result": {"const": 1}}}
    assert as_result({"const": 1}, {}) == wrapped
    assert "result" in as_result({"$ref": "#/$defs/A"}, {"A": {"const": 1}})["properties"]
    assert as_result({"$ref": "#/$defs/A"}, {"A": {"type": "object"}}) == {"$ref": "#/$defs/A"}
    assert as_result({"$ref": "#/$defs/A"}, {"A": {"$ref": "#/$defs/A"}}) == {}
    assert as_result({"anyOf": [{"type": "object"}, {}]}, {}) == {}
