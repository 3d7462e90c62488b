"""Tests of what a schema version declares."""

from prefactor_trace.server._schemas import DeclaredType, read_declared


def test_span_schemas_take_their_results_from_beside():
    """A result schema belongs to the type of its name; alone it declares nothing."""
    declared = read_declared(
        {"span_schemas": {"a": {"x": 1}}, "span_result_schemas": {"a": {"y": 1}, "b": {}}}
    )
    assert declared.spans == {"a": DeclaredType({"x": 1}, {"y": 1})}


def test_span_type_schemas_say_more():
    """The full declaration of a name wins, and takes a result schema that it lacks from beside."""
    declared = read_declared(
        {
            "span_schemas": {"a": {"x": 1}},
            "span_result_schemas": {"a": {"y": 1}},
            "span_type_schemas": [
                {"name": "a", "params_schema": {"x": 2}, "title": "A", "template": "t"}
            ],
        }
    )
    assert declared.spans == {"a": DeclaredType({"x": 2}, {"y": 1}, "A", "t")}


def test_quality_schemas_are_apart():
    """A kind of quality record is no type of span; nothing declared is nothing."""
    declared = read_declared({"quality_schemas": [{"name": "q", "schema": {"z": 1}}]})
    assert declared.qualities == {"q": DeclaredType({"z": 1})}
    assert declared.spans == {}
    assert read_declared({"span_schemas": None, "quality_schemas": None}) == ({}, {})
