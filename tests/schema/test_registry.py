"""Span types and quality schemas, and the version that they make together."""

import datetime
import subprocess
import sys
from typing import Any

import pydantic
import pytest

from prefactor_trace._notes import UNDECLARED
from prefactor_trace._schema import (
    Function,
    Guessed,
    QualityType,
    Registry,
    Risk,
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
    assert search["result_schema"]["properties"] == {
        "result": {"type": "array", "items": {"type": "string"}}
    }
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
    version, names = registry.version()
    assert (names, version.quality_schemas or []) == ({UNDECLARED}, [])
    with pytest.raises(UsageError, match="declare takes a name"):
        registry.declare(name, SpanType())
    with pytest.raises(UsageError, match="declare_quality takes a name"):
        registry.declare_quality(name, QualityType())


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


def test_a_type_without_a_schema_is_any_object(caplog: pytest.LogCaptureFixture):
    """Not every type of Python can be said in JSON; a line says so."""
    registry = Registry()
    registry.declare("step", SpanType(params=type("Opaque", (), {})))
    assert span_type(registry, "step")["params_schema"] == {"type": "object"}
    assert "no JSON schema can be made of" in caplog.text


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


def test_the_same_name_declared_twice_is_refused_with_both_places():
    """Unless both say the same; a declaration that is run again may say something else."""
    registry = Registry()
    registry.declare("step", SpanType({"type": "object"}))
    registry.declare("step", SpanType({"type": "object"}))
    with pytest.raises(
        UsageError, match=r"declared twice .* at .*test_registry\.py:\d+ and at .*py"
    ):
        registry.declare("step", SpanType(int))
    registry.declare_quality("good", QualityType())
    with pytest.raises(UsageError, match="the quality schema 'good' is declared twice"):
        registry.declare_quality("good", QualityType(int))
    for kind in (int, str):
        registry.declare("other", SpanType(kind))
    assert span_type(registry, "other")["params_schema"] == {"type": "string"}


def test_functions_of_one_type_are_each_described():
    """A payload is that of one of them, and their models may have one name."""

    def model(annotation: Any) -> Any:
        return pydantic.create_model("Arguments", value=(annotation, ...))

    registry = Registry()
    for name, annotation in (("b", int), ("a", str), ("c", str)):

        def tool(arguments): ...

        tool.__qualname__, tool.__doc__ = name, f"Does {name}."
        tool.__annotations__ = {"arguments": model(annotation), "return": annotation}
        registry.note("tool_call", None, Function(tool))
    found = span_type(registry, "tool_call")
    params: Any = found["params_schema"]
    assert [part["description"] for part in params["anyOf"]] == ["Does a.", "Does b.", "Does c."]
    kinds = [
        params["$defs"][part["properties"]["arguments"]["$ref"].removeprefix("#/$defs/")]
        for part in params["anyOf"]
    ]
    assert [kind["properties"]["value"]["type"] for kind in kinds] == [
        "string",
        "integer",
        "string",
    ]
    assert len(found["result_schema"]["anyOf"]) == 2  # type: ignore[arg-type, index]
    assert "description" not in found


def test_a_function_decorated_again_takes_the_place_of_the_first():
    """As in a notebook, whose cell is run again."""
    registry = Registry()
    for annotation in (int, str):

        def tool(value): ...

        tool.__annotations__ = {"value": annotation}
        registry.note("tool", None, Function(tool))
    assert span_type(registry, "tool")["params_schema"]["properties"] == {  # type: ignore[index]
        "value": {"type": "string"}
    }


def test_what_is_declared_goes_before_what_is_inferred():
    """In whichever order; a part that is not declared is still inferred."""

    def tool(value: int) -> int: ...  # type: ignore[empty-body]

    for first in (True, False):
        registry = Registry()
        if first:
            registry.declare("tool", SpanType({"type": "object", "title": "Own"}))
        registry.note("tool", None, Function(tool))
        if not first:
            registry.declare("tool", SpanType({"type": "object", "title": "Own"}))
        found = span_type(registry, "tool")
        assert found["params_schema"] == {"type": "object", "title": "Own"}
        assert "result" in found["result_schema"]["properties"]  # type: ignore[index]


def test_a_block_may_say_its_types():
    """Where nobody has said them yet."""
    registry = Registry()
    registry.note("llm_call", SpanOptions(params=Query, result=int))
    registry.note("llm_call", SpanOptions(params=int))
    found = span_type(registry, "llm_call")
    assert "text" in found["params_schema"]["properties"]  # type: ignore[index]
    with pytest.raises(UsageError, match="params of 'llm_call' must be"):
        registry.note("llm_call", SpanOptions(params=7))


def test_a_version_is_made_once():
    """Until something else is declared; each default of risk has a version of its own."""
    registry = Registry()
    registry.note("step", SpanOptions(title="Step"))
    first = registry.version()
    registry.note("step", SpanOptions(title="Step"))
    assert registry.version() is first
    risky = registry.version(Risk.pay().model)
    assert risky is not first
    assert risky[0].span_type_schemas[0].data_risk == Risk.pay().model  # type: ignore[index]
    assert registry.version() is first
    registry.note("other")
    assert registry.version() is not first


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


def test_options_are_looked_through_once(monkeypatch):
    """A block in a loop says the same each time; what changes the registry has it noted again."""
    registry, noted = Registry(), []
    note = registry.note
    monkeypatch.setattr(registry, "note", lambda *said: (noted.append(said), note(*said))[1])
    first = registry.options("step", {"title": "A step"})
    assert first == SpanOptions(title="A step")
    assert registry.options("step", {"title": "A step"}) is first
    assert len(noted) == 1
    registry.declare("other", SpanType())
    registry.options("step", {"title": "A step"})
    assert len(noted) == 2


def test_options_that_only_seem_the_same_are_looked_through():
    """What equals a switch is none, what cannot be hashed is taken, and times are not kept."""
    registry = Registry()
    registry.options("step", {"sensitive": True})
    with pytest.raises(UsageError, match="sensitive must be True or False"):
        registry.options("step", {"sensitive": 1})
    schema = {"type": "object"}
    assert registry.options("step", {"params": schema}).params == schema
    now = datetime.datetime.now(datetime.timezone.utc)
    assert registry.options("late", {"started_at": now}).started_at
    assert not any("late" in key for key in registry._options)


def test_options_do_not_pile_up():
    """As those of blocks whose title is made up for each."""
    registry = Registry()
    for number in range(1_200):
        registry.options("step", {"title": f"Step {number}"})
    assert len(registry._options) <= 1_000


def test_options_of_a_type_without_a_name_yet_are_not_noted():
    """A decorator without a name takes that of the function."""
    registry = Registry()
    assert registry.options(None, {"title": "T"}) == SpanOptions(title="T")
    assert registry.options("step", {"title": None}) is None
    assert not registry._options


def test_made_up_names_do_not_pile_up(caplog: pytest.LogCaptureFixture):
    """Beyond a thousand they are not registered, which one line says; declared ones are."""
    registry = Registry()
    for number in range(1_200):
        registry.note_used(f"tool:{number}")
    assert len(registry.version()[1]) == 1_000
    assert "'tool:999' is not registered any more" in caplog.text
    assert len(caplog.records) == 1
    registry.declare("search", SpanType())
    registry.note("decorated", function=Function(lambda: None, None))
    assert {"search", "decorated", "tool:0"} < registry.version()[1]
