"""A function's signature becomes the schemas of its spans."""

import collections
import dataclasses
import datetime
import decimal
import enum
import functools
import pathlib
import subprocess
import sys
import types
import uuid
from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import Annotated, Any, Literal, NamedTuple, NoReturn, TypedDict

import pydantic
import pytest
from pydantic import Field

from prefactor_trace._schema import Function
from prefactor_trace.server._json_schema import mismatches


class Hit(pydantic.BaseModel):
    url: str
    score: float = 0.5


class Colour(enum.Enum):
    RED = "red"


class Point(NamedTuple):
    x: int


class Options(TypedDict, total=False):
    depth: int


@dataclasses.dataclass
class Place:
    name: str
    near: "list[Place]" = dataclasses.field(default_factory=list)


def params_of(function: Any, **known: Any) -> dict[str, Any]:
    """Return the schema of a function's payload."""
    return Function(function, **known).schemas().params


def result_of(function: Any, **known: Any) -> Any:
    """Return the schema of a function's result."""
    return Function(function, **known).schemas().result


def test_arguments_become_properties():
    """Those without a default are required; the docstring's first line says what it is."""

    def search(query: str, k: int = 5, *, deep: bool) -> list[str]:
        """Search the index.

        For long.
        """
        return []

    found = Function(search).schemas()
    assert found.params == {
        "type": "object",
        "properties": {
            "query": {"type": "string"},
            "k": {"type": "integer"},
            "deep": {"type": "boolean"},
        },
        "required": ["query", "deep"],
    }
    assert found.result == {
        "type": "object",
        "properties": {"result": {"type": "array", "items": {"type": "string"}}},
    }
    assert found.description == "Search the index."


def test_descriptions_and_bounds_are_kept():
    """What `Annotated` and `Field` say is of use to a reader."""

    def search(k: Annotated[int, Field(description="How many.", ge=1)]) -> None: ...

    assert params_of(search)["properties"]["k"] == {
        "type": "integer",
        "description": "How many.",
        "minimum": 1,
    }


def test_a_default_is_not_told():
    """It may be a secret; that it may be missing, or `None`, is told."""

    def login(password: str = "hunter2", user: str = None, hit: Hit = Hit(url="u")): ...  # noqa: B008, RUF013

    told = params_of(login)
    assert "hunter2" not in str(told)
    assert "0.5" not in str(told)
    assert "required" not in told
    assert told["properties"]["user"] == {"anyOf": [{"type": "string"}, {"type": "null"}]}


def test_what_is_no_annotation_or_cannot_be_resolved_allows_everything():
    """One part that is not known costs the others nothing."""

    def run(a, b: "Missing", c: int, d: "1/0" = 0, *rest: "Missing") -> "Missing": ...  # type: ignore[name-defined] # noqa: F821

    found = Function(run).schemas()
    assert found.params == {
        "type": "object",
        "properties": {
            "a": {},
            "b": {},
            "c": {"type": "integer"},
            "d": {},
            "rest": {"type": "array"},
        },
        "required": ["a", "b", "c"],
    }
    assert found.result is None


class Opaque:
    pass


@pytest.mark.parametrize(
    "annotation",
    [
        Opaque,
        list[Opaque],
        types.ModuleType,
        type,
        bytes,
        "not a type at all",
        7,
        Ellipsis,
        NoReturn,
        collections.Counter,
        complex,
    ],
    ids=str,
)
def test_no_annotation_breaks_a_function(annotation: Any):
    """Whatever stands there, the other argument is known, and any value is allowed."""

    def run(a, b): ...

    run.__annotations__ = {"a": annotation, "b": int, "return": annotation}
    found = Function(run).schemas()
    assert found.params["properties"]["b"] == {"type": "integer"}


VALUES = {
    "model": (Hit, Hit(url="u")),
    "enum": (Colour, Colour.RED),
    "date": (datetime.datetime, datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)),
    "duration": (datetime.timedelta, datetime.timedelta(hours=1)),
    "decimal": (decimal.Decimal, decimal.Decimal("1.5")),
    "path": (pathlib.Path, pathlib.Path("a")),
    "uuid": (uuid.UUID, uuid.UUID(int=1)),
    "bytes": (bytes, b"abc"),
    "named tuple": (Point, Point(1)),
    "dataclass": (Place, Place("a", [Place("b")])),
    "set": (set[int], {1}),
    "tuple": (tuple[int, str], (1, "a")),
    "literal": (Literal["a", 1], 1),
    "union": (int | None, None),
    "typed dict": (Options, {"depth": 1}),
    "mapping": (dict[str, list[int]], {"a": [1]}),
    "object": (Opaque, Opaque()),
    "any": (Any, object()),
}


@pytest.mark.parametrize(("annotation", "value"), VALUES.values(), ids=VALUES)
def test_what_is_recorded_conforms(tracer, annotation: Any, value: Any):
    """Payload and result of a function that keeps its own annotations match its schemas."""
    t = tracer()

    def run(value, *more, **named):
        return value

    run.__annotations__ = dict.fromkeys(("value", "more", "named", "return"), annotation)
    traced = t.span("step")(run)
    with t.instance():
        traced(value, value, extra=value)
    schemas = Function(run).schemas()
    (created,) = t.items("create")
    assert mismatches(schemas.params, created["details"]["payload"], "payload") == []
    assert mismatches(schemas.result or {}, created["details"]["result_payload"], "result") == []


@pytest.mark.parametrize(("annotation", "value"), VALUES.values(), ids=VALUES)
def test_what_is_kept_apart_conforms(tracer, annotation: Any, value: Any):
    """As it does where a keyword has the name of the tuple."""
    t = tracer()

    def run(*more, **named): ...

    run.__annotations__ = dict.fromkeys(("more", "named"), annotation)
    with t.instance():
        t.span("step")(run)(value, more=value)
    (created,) = t.items("create")
    payload = created["details"]["payload"]
    assert payload.keys() >= {"more", "named"}
    assert mismatches(Function(run).schemas().params, payload, "payload") == []


def test_a_model_goes_by_the_names_that_are_recorded():
    """A snapshot has the fields of a model, not their aliases."""

    class Wire(pydantic.BaseModel):
        url: str = Field(alias="URL")

    def fetch(wire: Wire) -> Wire: ...  # type: ignore[empty-body]

    fetch.__annotations__ = {"wire": Wire, "return": Wire}
    assert list(result_of(fetch)["properties"]) == ["url"]


def test_a_recursive_type_refers_to_itself():
    """And is defined beside what refers to it."""

    def go(place: Place) -> Place: ...  # type: ignore[empty-body]

    params = params_of(go)
    assert params["properties"]["place"] == {"$ref": "#/$defs/Place"}
    assert params["$defs"].keys() == {"Place"}


def test_a_result_that_may_be_a_mapping_or_not_has_both_shapes():
    """`None` is recorded as a result, a model as it is."""

    def find() -> Hit | None: ...

    assert [sorted(part) for part in result_of(find)["anyOf"]] == [
        ["$ref"],
        ["properties", "type"],
    ]


def stream() -> Iterator[int]:
    """Give numbers."""
    raise NotImplementedError


def stream_later() -> AsyncIterator[int]:
    """Give numbers."""
    raise NotImplementedError


def answer_later() -> Awaitable[int]:
    """Give a number."""
    raise NotImplementedError


@pytest.mark.parametrize(
    ("function", "schema"),
    [
        (stream, {"type": "array", "items": {"type": "integer"}}),
        (stream_later, {"type": "array", "items": {"type": "integer"}}),
        (answer_later, {"type": "integer"}),
    ],
)
def test_what_comes_later_is_described(function: Any, schema: Any):
    """The items of a stream, and what is awaited."""
    assert result_of(function)["properties"]["result"] == schema


def test_the_object_of_a_method_is_no_argument():
    """Whatever it is called, no call has to record it."""

    class Tool:
        def call(self, query: str): ...
        def other(this, query: str): ...
        @classmethod
        def of(cls, query: str): ...
        @staticmethod
        def plain(query: str): ...

    for name in ("call", "other", "of", "plain"):
        assert params_of(vars(Tool)[name])["required"] == ["query"]
    assert params_of(Tool.call)["properties"] == {"query": {"type": "string"}}


def test_further_named_arguments_have_their_type():
    """`**options: int` allows any name with a number."""

    def run(**options: int): ...

    assert params_of(run) == {"type": "object", "additionalProperties": {"type": "integer"}}


def test_what_is_not_recorded_is_not_required():
    """Ignored arguments, and all where none is captured."""

    def login(user: str, password: str) -> str: ...  # type: ignore[empty-body]

    assert params_of(login, ignored=("password",))["required"] == ["user"]
    assert params_of(login, records_input=False) == {"type": "object"}
    assert result_of(login, records_output=False) is None


@pytest.mark.parametrize("function", [functools.partial(int, base=2), len, Opaque(), dict.get])
def test_what_is_no_plain_function_is_described_too(function: Any):
    """As far as it says something of itself."""
    assert params_of(function)["type"] == "object"


def test_annotations_are_looked_at_late():
    """A type that is defined below the function is known when the instance registers."""
    names: dict[str, Any] = {}
    source = "def f(later: 'Later') -> 'Later': ..."
    exec(source, names)
    inferred = Function(names["f"])
    assert Function(names["f"]).schemas().result is None
    names["Later"] = Hit
    assert inferred.schemas().params["properties"]["later"] == {"$ref": "#/$defs/Hit"}


def test_decorating_loads_no_pydantic():
    """What a program does not register costs it nothing at import."""
    program = (
        "import sys, prefactor_trace as p\n"
        "@p.span('x')\ndef f(a: int) -> str: ...\n"
        "print('pydantic' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_a_setting_decides_what_is_recorded(tracer):
    """Where the function does not say: what is not recorded is not described."""
    t = tracer(capture_inputs=False, capture_outputs=False)

    @t.span("quiet")
    def quiet(query: str) -> str:
        return query

    @t.span("said", capture_input=True, capture_output=True)
    def said(query: str) -> str:
        return query

    with t.instance():
        quiet("a")
        said("a")
    types = t.items("register")[0]["agent_schema_version"]["span_type_schemas"]
    found = {one["name"]: one for one in types}
    assert found["quiet"]["params_schema"] == {"type": "object"}
    assert "result_schema" not in found["quiet"]
    assert found["said"]["params_schema"]["required"] == ["query"]
