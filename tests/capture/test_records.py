"""Objects with fields: what reads those of a class is found out once."""

import dataclasses
import gc
import weakref
from typing import Any

import pydantic

from prefactor_trace._capture import snapshot
from prefactor_trace._capture.records import _readers, known_reader, reader_of


class Model(pydantic.BaseModel):
    """A model that takes more than it names."""

    model_config = pydantic.ConfigDict(extra="allow")
    a: int


@dataclasses.dataclass
class Point:
    """One with a dict."""

    x: int
    y: int = 0


@dataclasses.dataclass
class Slotted:
    """One with slots."""

    __slots__ = ("a", "b")
    a: int
    b: int


def test_an_object_is_read_alike_each_time():
    """Whether its class was met before or not; and what is not stored is left out."""
    point, slotted = Point(1, 2), Slotted(1, 2)
    point.other = 3  # type: ignore[attr-defined]
    for _ in range(2):
        assert snapshot(Model(a=1, b=[2]))[0] == {"a": 1, "b": [2]}  # type: ignore[call-arg]
        assert snapshot(point)[0] == {"x": 1, "y": 2}
        assert snapshot(slotted)[0] == {"a": 1, "b": 2}
    del point.x, slotted.b
    assert snapshot([point, slotted])[0] == [{"y": 2}, {"a": 1}]


def test_what_is_read_is_a_copy():
    """What the agent changes later does not change it, and reading does not change the object."""
    model = Model(a=1, b={"c": [1]})  # type: ignore[call-arg]
    copy, _ = snapshot(model)
    copy["a"], copy["d"] = 5, 6
    assert model.a == 1
    model.b["c"].append(2)  # type: ignore[attr-defined]
    assert copy["b"] == {"c": [1]}
    assert model.model_dump() == {"a": 1, "b": {"c": [1, 2]}}


def test_a_class_is_let_go_with_its_reader():
    """A program that makes classes again and again does not grow; another may get its place."""

    @dataclasses.dataclass
    class Passing:
        a: int

    assert reader_of(Passing) is not None
    assert known_reader(Passing) is not None
    key, gone = id(Passing), weakref.ref(Passing)
    del Passing
    gc.collect()
    assert gone() is None
    assert key not in _readers


def test_looking_for_a_class_runs_none_of_its_code():
    """Nor does reading an object of it."""
    ran: list[str] = []

    class Meta(type):
        def __hash__(cls) -> int:
            ran.append("hash")
            return 1

        def __eq__(cls, other: object) -> bool:
            ran.append("eq")
            return cls is other

    @dataclasses.dataclass
    class Odd(metaclass=Meta):
        a: int

        def __getattribute__(self, name: str) -> Any:
            ran.append(name)

    odd = Odd(1)
    ran.clear()
    assert [snapshot(odd)[0] for _ in range(2)] == [{"a": 1}] * 2
    assert ran == []
