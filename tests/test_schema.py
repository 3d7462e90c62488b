"""Span types and quality schemas, and the version that they make together."""

import subprocess
import sys
from typing import Any

import pydantic
import pytest

from prefactor_trace._schema import (
    UNDECLARED,
    Guessed,
    QualityType,
    Registry,
    SpanOptions,
    SpanType,
)
from prefactor_trace.exceptions import UsageError
from prefactor_trace.models import DataRisk


class Query(pydantic.BaseModel):
    text: str


def span_type(registry: Registry, name: str) -> dict[str, object]:
    """Return a span type as it is registered."""
    version, _ = registry.version()
    assert version.span_type_schemas is not None
    (found,) = [one for one in version.span_type_schemas if one.name == name]
    return found.model_dump(by_alias=True, exclude_none=True)


def test_what_is_declared_is_registered():
    """JSON schemas, models and types alike."""
    registry = Registry()
    registry.declare("search", SpanType(Query, list[str], "Search", "Finds.", "{{ text }}"))
    registry.declare("raw", SpanType({"type": "object", "required": ["a"]}))
    search = span_type(registry, "search")
    assert search["params_schema"]["properties"] == {"text": {"title": "Text", "type": "string"}}
    assert search["result_schema"] == {"type": "array", "items": {"type": "string"}}
    assert (search["title"], search["template"]) == ("Search", "{{ text }}")
    assert span_type(registry, "raw")["params_schema"] == {"type": "object", "required": ["a"]}
    assert registry.version()[1] == {"search", "raw", UNDECLARED}


def test_a_declared_schema_is_copied_and_plain():
    """What the caller changes later, or what JSON has not, does not reach the wire."""
    registry, schema = Registry(), {"enum": {1}, "const": float("nan"), "title": "\ud800"}
    registry.declare("step", SpanType(schema))
    schema["more"] = 1
    assert span_type(registry, "step")["params_schema"] == {
        "enum": [1],
        "const": "nan",
        "title": "?",
    }


def test_the_first_word_on_a_type_stays():
    """Using a type adds what nobody has said of it, and takes nothing away."""
    registry = Registry()
    registry.declare("step", SpanType(title="Declared"))
    registry.note("step", SpanOptions(title="Noted", template="{{ n }}"))
    registry.note_used("step")
    found = span_type(registry, "step")
    assert (found["title"], found["template"]) == ("Declared", "{{ n }}")


@pytest.mark.parametrize("name", ["a\ud800", "a\0"])
def test_a_name_that_cannot_be_written_costs_no_instance(name: str):
    """It is refused where it is declared, and left out where it is used."""
    registry = Registry()
    registry.note_used(name)
    registry.note_quality(name)
    assert registry.version()[1] == {UNDECLARED}
    with pytest.raises(UsageError, match="declare takes a name"):
        registry.declare(name, SpanType())


@pytest.mark.parametrize("name", ["a\ud800", "a\0"])
def test_a_span_with_such_a_name_arrives(tracer, name: str):
    """As an undeclared one."""
    t = tracer()
    with t.instance(), t.span(name):
        pass
    assert t.items("create")[0]["details"]["schema_name"] == UNDECLARED


@pytest.mark.parametrize("wrong", [7, "text", ["a"]])
def test_a_schema_that_is_none_is_refused(wrong: object):
    """The line names the type and the part."""
    with pytest.raises(UsageError, match="params of 'step' must be a JSON schema"):
        Registry().declare("step", SpanType(params=wrong))
    with pytest.raises(UsageError, match="schema of 'good' must be a JSON schema"):
        Registry().declare_quality("good", QualityType(wrong))


@pytest.mark.expects_fault
def test_a_type_without_a_schema_is_any_object():
    """Not every type of Python can be said in JSON."""
    registry = Registry()
    registry.declare("step", SpanType(params=type("Opaque", (), {})))
    assert span_type(registry, "step")["params_schema"] == {"type": "object"}


def test_a_risk_is_read_from_a_mapping():
    """A wrong part is named in one line."""
    registry = Registry()
    registry.note(
        "step",
        SpanOptions(risk=DataRisk.model_validate({name: {} for name in DataRisk.model_fields})),
    )
    registry.note("other", SpanOptions(risk={}))
    assert span_type(registry, "step")["data_risk"] == span_type(registry, "other")["data_risk"]
    for wrong in (7, {next(iter(DataRisk.model_fields)): 7}):
        with pytest.raises(UsageError, match=r"risk.*$") as caught:
            registry.note("third", SpanOptions(risk=wrong))
        assert "\n" not in str(caught.value)


PROGRAM = """
from prefactor_trace._schema import Registry, SpanType, QualityType
registry = Registry()
for name in {"a", "b", "c", "d"}:
    registry.declare(name, SpanType({"z": 1, "a": {"y": 1, "b": 2}}, int, title=name))
    registry.declare_quality(name, QualityType())
print(registry.version()[0].external_identifier)
"""


def test_the_version_is_the_same_in_every_process():
    """It comes from the content alone, whatever the order and the seed of hashes."""
    command = [sys.executable, "-c", PROGRAM]
    found = {
        subprocess.run(
            command, env={"PYTHONHASHSEED": seed}, check=True, capture_output=True
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(found) == 1
    assert found.pop().startswith(b"sha256:")


def test_the_version_changes_with_the_content():
    """Each part of a declaration counts, and declaring the same again does not."""
    seen = []
    for declared in (
        SpanType(),
        SpanType(params=int),
        SpanType(result=int),
        SpanType(title="a"),
        SpanType(description="a"),
        SpanType(template="a"),
    ):
        registry = Registry()
        registry.declare("step", declared)
        seen.append(registry.version()[0].external_identifier)
        registry.declare("step", declared)
        assert registry.version()[0].external_identifier == seen[-1]
    registry.note_quality("good")
    seen.append(registry.version()[0].external_identifier)
    assert len(set(seen)) == 7


@pytest.mark.parametrize("name", ["title", "description", "template"])
@pytest.mark.parametrize("value", [5, b"text", "\ud800"], ids=["number", "bytes", "surrogate"])
def test_a_text_that_is_none_is_refused_where_it_is_given(name: str, value: Any) -> None:
    """A title that is no text raises at once; later it would cost every run its registration."""
    registry = Registry()
    with pytest.raises(UsageError, match=f"{name} must be text"):
        registry.declare("step", SpanType(**{name: value}))
    with pytest.raises(UsageError, match=f"{name} must be text"):
        registry.declare_quality("score", QualityType(**{name: value}))
    with pytest.raises(UsageError, match=f"{name} must be text"):
        registry.note("step", SpanOptions(**{name: value}))
    registry.version()


@pytest.mark.parametrize("name", ["sensitive", "capture_input", "capture_output"])
def test_a_switch_that_is_none_is_refused(name: str) -> None:
    """``capture_input="no"`` would mean yes."""
    options: Any = {name: "no"}
    with pytest.raises(UsageError, match=f"{name} must be True or False"):
        Registry().note("step", SpanOptions(**options))


def test_types_of_another_process_are_known_until_found_otherwise():
    """Each is tried until the service refuses it."""
    guessed = Guessed()
    assert "tool_call" in guessed
    less = guessed - {"tool_call"}
    assert "tool_call" not in less
    assert "llm_call" in less
    assert "tool_call" in guessed
