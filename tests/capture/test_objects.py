"""What is recorded of objects that are neither plain nor containers."""

import functools
import json
from typing import Any

import pytest

import prefactor_trace as prefactor
from prefactor_trace._capture import snapshot


class Traced:
    @prefactor.span("step")
    def _method(self): ...

    @classmethod
    @prefactor.instance("agent")
    @prefactor.span("step")
    def _of_class(cls): ...


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (prefactor.span("step")(json.dumps), {"type": "function", "name": "json.dumps"}),
        (Traced._method, {"type": "function", "name": f"{__name__}.Traced._method"}),
        (Traced()._method, {"type": "function", "name": f"{__name__}.Traced._method"}),
        (Traced._of_class, {"type": "function", "name": f"{__name__}.Traced._of_class"}),
        (prefactor.span("step")(functools.partial(print)), {"type": "functools.partial"}),
    ],
)
def test_a_decorated_function_is_shown_as_the_function_that_it_is(value: Any, plain: Any):
    """Tools are handed to agents as arguments; that they are traced is no matter there."""
    assert snapshot({"tools": [value]})[0] == {"tools": [plain]}


class Unhashable(type):
    """A metaclass that may not be asked for anything."""

    def __eq__(cls, other: object) -> bool:
        raise AssertionError("it was compared")

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize("wrap", [lambda one: one, lambda one: [one], lambda one: {"a": one}])
def test_classes_are_told_apart_without_their_help(wrap):
    """A metaclass says how its classes compare, and whether they can be looked up."""
    one = Unhashable("Odd", (), {"__module__": "odd"})()
    assert snapshot(wrap(one))[0] == wrap({"type": "odd.Odd"})
