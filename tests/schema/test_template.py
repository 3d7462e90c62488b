"""A template that names a field which there cannot be is reported where it is declared."""

from typing import Any

import pydantic
import pytest

from prefactor_trace import Tracer
from prefactor_trace.exceptions import UsageError


class Call(pydantic.BaseModel):
    model: str


class Answer(pydantic.BaseModel):
    text: str
    tokens: int


OPEN: dict[str, Any] = {"type": "object"}


@pytest.fixture
def tracer_off() -> Tracer:
    """What is wrong is wrong also while tracing is off."""
    return Tracer(enabled=False)


@pytest.mark.parametrize(
    ("params", "result", "template"),
    [
        (Call, Answer, "{{ model }}: {{ tokens }} tokens"),
        (Call, Answer, "{% if text == 'a' %}{{ model | default: 'm' }}{% endif %}"),
        (Call, Answer, "{{ modle | upcase }} is for the service to understand"),
        (Call, None, "{{ tokens }}"),
        (None, Answer, "{{ model }}"),
        (Call, OPEN, "{{ tokens }}"),
        (Call, dict[str, int], "{{ tokens }}"),
        (Call, list[int], "{{ result[0] }}"),
        (Call, Answer | None, "{{ result }}{{ text }}"),
    ],
)
def test_a_template_over_known_fields_is_taken(tracer_off: Tracer, params, result, template):
    """So is one of which nothing is known."""
    tracer_off.declare("llm_call", params=params, result=result, template=template)


def test_a_template_that_names_another_field_is_refused(tracer_off: Tracer):
    """The nearest field is named."""
    with pytest.raises(
        UsageError,
        match="template of the span type 'llm_call' names 'modle', which its schemas lack;"
        " did you mean 'model'",
    ):
        tracer_off.declare("llm_call", params=Call, result=Answer, template="{{ modle }}")
    with pytest.raises(UsageError, match=r"quality schema 'good' names 'skore'.*mean 'score'"):
        tracer_off.declare_quality(
            "good",
            {"type": "object", "properties": {"score": {"type": "number"}}},
            template="{{ skore }}",
        )


def test_a_decorated_function_is_looked_at(tracer_off: Tracer):
    """Its arguments and its annotations are all that there is."""

    @tracer_off.span("a", template="{{ query }}: {{ result }}")
    def search(query: str) -> list[str]: ...  # type: ignore[empty-body]

    @tracer_off.span("b", template="{{ query }}: {{ found }}")
    def untyped(query): ...

    @tracer_off.span("c", template="{{ anything }}")
    def takes_any(**options: int) -> int: ...  # type: ignore[empty-body]

    with pytest.raises(UsageError, match=r"names 'qery'.*did you mean 'query'"):

        @tracer_off.span("d", template="{{ qery }}")
        def wrong(query: str) -> int: ...  # type: ignore[empty-body]
