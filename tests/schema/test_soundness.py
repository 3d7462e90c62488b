"""A JSON schema that says what none can."""

from typing import Any

import pytest

from prefactor_trace import Tracer
from prefactor_trace._schema.soundness import schema_fault
from prefactor_trace.exceptions import UsageError


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": ["string", "null"], "unknown": {"type": "nothing"}, "enum": [{"type": "x"}]},
        {"properties": {"type": {"type": "string"}, "required": True, "items": False}},
        {"items": [{"type": "string"}], "prefixItems": [True], "additionalProperties": False},
        {"default": {"type": "x"}, "const": {"required": 1}, "examples": [{"items": 1}]},
        {"$ref": "#/$defs/a", "$defs": {"a": {"required": ["b"]}}, "format": "int"},
        {"type": {"prefactor.truncated": True, "type": "dict", "bound": "depth"}},
        None,
        str,
    ],
)
def test_what_may_be_right_is_taken(schema):
    """Words that are not known, data, what was cut, and what is no JSON schema at all."""
    assert schema_fault(schema) is None


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"type": "objekt"}, "type is 'objekt', which is no JSON type; did you mean 'object'?"),
        (
            {"type": ["string", "int"]},
            "type is 'int', which is no JSON type; did you mean 'integer",
        ),
        ({"type": "any"}, "type is 'any', which is no JSON type; known are array, boolean"),
        ({"type": None}, "type is None, and must be the name of a JSON type"),
        ({"properties": {"a": {"type": "str"}}}, "properties.a.type is 'str', which is no JSON"),
        ({"properties": ["a"]}, "properties is ['a'], and must be a mapping of names to schemas"),
        ({"properties": {"a": "string"}}, "properties.a is 'string', and must be a schema such as"),
        ({"required": True}, "required is True, and must be a list of names such as ['query']"),
        ({"required": ["a", 1]}, "required is ['a', 1], and must be a list of names"),
        ({"required": "a"}, "required is 'a', and must be a list of names"),
        ({"items": "string"}, "items is 'string', and must be a schema such as"),
        ({"items": [{"type": "x"}]}, "items[0].type is 'x', which is no JSON type"),
        ({"items": {"items": {"required": "a"}}}, "items.items.required is 'a'"),
        ({"anyOf": [{}, {"type": "x"}]}, "anyOf[1].type is 'x'"),
        ({"$defs": {"A": {"type": "x"}}}, "$defs.A.type is 'x'"),
        ({"additionalProperties": {"type": "x"}}, "additionalProperties.type is 'x'"),
        ({"properties": ["a" * 99]}, "properties is ['" + "a" * 58 + "…, and must be"),
    ],
)
def test_what_is_surely_wrong_is_told_with_its_place(schema, told):
    """And what would be right."""
    assert (schema_fault(schema) or "").startswith(told)


WRONG: dict[str, Any] = {"type": "objekt"}


def test_it_is_refused_where_it_is_declared():
    """By hand, of a function and of a quality schema; also while tracing is off."""
    tracer = Tracer(enabled=False)
    with pytest.raises(UsageError, match="params of the span type 'x' is no JSON schema: type is"):
        tracer.declare("x", params=WRONG)
    with pytest.raises(UsageError, match="result of the span type 'x' is no JSON schema: type is"):
        tracer.declare("x", result=WRONG)
    with pytest.raises(UsageError, match="schema of the quality schema 'x' is no JSON schema"):
        tracer.declare_quality("x", WRONG)
    with pytest.raises(UsageError, match=r"template of the span type 'x' has '\{\{ a'"):
        tracer.declare("x", template="{{ a")
    with pytest.raises(UsageError, match=r"template of the quality schema 'x' has '\{% if a %\}'"):
        tracer.declare_quality("x", template="{% if a %}")
    with pytest.raises(UsageError, match="params of the span type 'x' is no JSON schema"):
        tracer.span("x", params=WRONG)(lambda: None)
    with pytest.raises(UsageError, match="'}}'"):
        tracer.span("x", template="{{ a")(lambda: None)


def test_a_block_goes_on_and_a_line_is_logged(tracer, caplog):
    """What stands in the agent's calls is never an error there."""
    own = tracer()
    with own.instance(), own.span("x", params=WRONG, template="{{ a"):
        pass
    assert own.flush().delivered == 1
    said = [line for line in caplog.messages if "span type 'x'" in line]
    assert len(said) == 2
    assert "params of the span type 'x' is no JSON schema: type is 'objekt'" in said[1]
