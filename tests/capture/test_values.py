"""Plain copies of values: any value in, plain JSON out, and none of the agent's code run."""

import dataclasses
import datetime
import enum
import gc
import json
import math
import pathlib
import sys
import types
import uuid
from collections import OrderedDict, UserDict, UserList, defaultdict, deque
from decimal import Decimal
from typing import Any, NamedTuple

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefactor_trace._capture import snapshot, to_json


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Point(NamedTuple):
    x: int
    y: int


@dataclasses.dataclass
class Document:
    title: str
    tags: list[str]


@dataclasses.dataclass(slots=True)
class Slotted:
    title: str


class Query(pydantic.BaseModel, extra="allow"):
    text: str
    secret: pydantic.SecretStr = pydantic.SecretStr("hidden")


class Text(str):
    __slots__ = ()

    def __str__(self) -> str:
        raise AssertionError("the library ran code of the agent's")

    __len__ = __format__ = __repr__ = __str__


class Listing(list):
    def __iter__(self):
        raise AssertionError("the library ran code of the agent's")

    __len__ = __getitem__ = __iter__


class WithProperty:
    @property
    def __class__(self):
        raise AssertionError("the library ran code of the agent's")


ZONE = datetime.timezone(datetime.timedelta(hours=2))
NAMED = [
    (None, None),
    (True, True),
    (1.5, 1.5),
    (math.nan, "nan"),
    (-math.inf, "-inf"),
    (1 << 62, 1 << 62),
    (-(1 << 63), -(1 << 63)),
    (1 << 63, "9223372036854775808"),
    (-(1 << 63) - 1, "-9223372036854775809"),
    (10**308, "1" + "0" * 308),
    (1 << 1024, hex(1 << 1024)),
    ((1 << 4096) - 1, hex((1 << 4096) - 1)),
    (1 << 4096, "int of 4097 bits"),
    (1 << 100_000, "int of 100001 bits"),
    (2 + 1j, "(2+1j)"),
    (b"\x00\xff", {"type": "bytes", "length": 2, "head": "00ff"}),
    (bytearray(b"a" * 100), {"type": "bytearray", "length": 100, "head": "61" * 64}),
    (datetime.datetime(2024, 1, 2, 3, 4, 5, 6, ZONE), "2024-01-02T03:04:05.000006+02:00"),
    (datetime.date(2024, 1, 2), "2024-01-02"),
    (datetime.time(3, 4), "03:04:00"),
    (datetime.timedelta(minutes=1), 60.0),
    (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (Decimal("1.10"), "1.10"),
    (pathlib.PurePosixPath("/a/b"), "/a/b"),
    (pathlib.Path("a"), "a"),
    (Colour.RED, "red"),
    (Level.HIGH, 3),
    (Point(1, 2), {"x": 1, "y": 2}),
    (Document("a", ["b"]), {"title": "a", "tags": ["b"]}),
    (Slotted("a"), {"title": "a"}),
    (
        Query(text="a", more=[1]),
        {"text": "a", "secret": "[redacted]", "more": [1]},
    ),
    ({1, 2}, [1, 2]),
    (frozenset({"a"}), ["a"]),
    (deque([1]), [1]),
    (OrderedDict(a=1), {"a": 1}),
    (defaultdict(list, a=[1]), {"a": [1]}),
    (types.MappingProxyType({"a": 1}), {"a": 1}),
    (Text("text"), "text"),
    (Listing([1, 2]), [1, 2]),
    (Document, {"type": "type", "name": f"{__name__}.Document"}),
    (json.dumps, {"type": "function", "name": "json.dumps"}),
    ([].append, {"type": "function", "name": "list.append"}),
    (ValueError("a"), {"type": "builtins.ValueError"}),
    (object(), {"type": "builtins.object"}),
    (WithProperty(), {"type": f"{__name__}.WithProperty"}),
    ({1: "a", None: "b", 2.5: "c", Colour.RED: "d", (1, 2): "e"}, None),
]


@pytest.mark.parametrize(("value", "plain"), NAMED, ids=lambda value: type.__call__(type, value))
def test_each_kind_of_value_has_its_plain_form(value: Any, plain: Any):
    """At the top, in a dict and in a list alike."""
    if type(value) is dict and plain is None:
        plain = {"1": "a", "None": "b", "2.5": "c", "red": "d", "[1, 2]": "e"}
    assert snapshot(value)[0] == plain
    assert snapshot({"key": value, "other": "text"})[0] == {"key": plain, "other": "text"}
    assert snapshot([value])[0] == [plain]
    assert strict(to_json(snapshot({"key": value})[0])) == {"key": plain}


def strict(data: bytes) -> Any:
    """Read JSON as a strict reader does."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(data.decode("utf-8"), parse_constant=refuse)


def test_what_nobody_has_loaded_is_not_looked_for(monkeypatch: pytest.MonkeyPatch):
    """There can be no object of a class whose module is not there."""
    for module in ("uuid", "decimal", "pathlib", "pydantic", "pydantic.main"):
        monkeypatch.delitem(sys.modules, module)
    assert snapshot([object()])[0] == [{"type": "builtins.object"}]


@pytest.mark.parametrize("module", ["pydantic", "pydantic.main"])
def test_what_another_thread_is_in_the_midst_of_importing_is_no_fault(
    module: str, monkeypatch: pytest.MonkeyPatch
):
    """The background thread imports pydantic while the agent records: no name is there yet."""
    monkeypatch.delitem(sys.modules, "pydantic.main")
    monkeypatch.setitem(sys.modules, module, types.ModuleType(module))
    assert snapshot([object()])[0] == [{"type": "builtins.object"}]


def test_a_mapping_with_a_number_for_its_last_key_is_copied_once():
    """Were each copied a second time for that key, every level would double the time."""
    value: dict[Any, Any] = {}
    for _ in range(12):
        value = {"inner": value, 1: 2}
    copy, size = snapshot(value)
    assert size < 5_000
    assert copy["inner"]["inner"]["1"] == 2


def test_a_copy_is_apart_from_its_source():
    """No container is shared, however deep."""
    source = {"a": [{"b": [1]}], "c": {"d": {}}}
    copy = snapshot(source)[0]
    source["a"][0]["b"].append(2)
    source["c"]["d"]["e"] = 1
    source["f"] = 1
    assert copy == {"a": [{"b": [1]}], "c": {"d": {}}}


def test_the_size_grows_with_text_and_items():
    """The buffer is bounded by it."""
    assert snapshot({"a": "x" * 1000})[1] >= 1000
    assert snapshot({"a": ["x" * 1000]})[1] >= 1000
    assert snapshot({"a": {"b": "x" * 1000}})[1] >= 1000
    assert snapshot([1] * 1000)[1] >= 1000
    assert snapshot(dict.fromkeys(map(str, range(1000)), 1))[1] >= 1000
    assert snapshot({"a": "x"})[1] < 1000


@pytest.mark.expects_fault
def test_a_value_that_cannot_be_read_costs_no_other():
    """Its type stands in its place."""

    class Zone(datetime.tzinfo):
        def utcoffset(self, moment):
            raise OSError("no zones here")

    moment = datetime.datetime(2024, 1, 1, tzinfo=Zone())
    assert snapshot({"at": moment, "n": [1]})[0] == {"at": {"type": "datetime.datetime"}, "n": [1]}


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=1 << 63, max_value=1 << 5000)
    | st.floats()
    | st.text(st.characters(exclude_categories=()))
    | st.sampled_from(["\ud800", "\0", "a\0\udfff"])
    | st.binary()
    | st.decimals(allow_nan=False)
    | st.datetimes()
    | st.uuids()
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(scalars.filter(lambda key: key == key), inner)
        | st.builds(Document, inner, st.lists(inner))
    ),
    max_leaves=30,
)


@given(values)
def test_whatever_comes_leaves_as_strict_json(value: Any):
    """No NaN, no lone surrogate, no NUL, no type that JSON has not."""
    data = to_json(snapshot({"value": value})[0])
    strict(data)
    assert b"\\u0000" not in data


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (UserDict({"a": UserDict({"b": 1})}), {"a": {"b": 1}}),
        (UserList([1, UserList([2])]), [1, [2]]),
        ({"a": 1}.keys(), ["a"]),
        ({"a": 1}.values(), [1]),
        ({"a": 1}.items(), [["a", 1]]),
        (range(1, 10, 2), "range(1, 10, 2)"),
    ],
)
def test_more_of_the_standard_library(value, plain):
    """Containers that hold a built-in one, views of a dict, and a range without its numbers."""
    assert snapshot(value)[0] == plain
    assert snapshot({"value": value})[0] == {"value": plain}


def test_a_container_that_holds_itself():
    """Is cut where it begins again, whichever kind it is."""
    cyclic = UserDict()
    cyclic["me"] = cyclic
    assert snapshot(cyclic)[0]["me"]["prefactor.truncated"] is True


@pytest.mark.parametrize(
    ("keyed", "copied"),
    [
        ({1: "a", "1": "b"}, {"1": "a", "1 (str)": "b"}),
        ({"1": "a", 1: "b"}, {"1": "a", "1 (int)": "b"}),
        ({None: 1, "None": 2}, {"None": 1, "None (str)": 2}),
    ],
)
def test_keys_that_would_become_one_are_kept_apart(keyed, copied):
    """JSON has but texts, and no item is lost by that."""
    assert snapshot(keyed)[0] == copied


def test_a_view_of_a_mapping_of_the_agents_runs_none_of_its_code():
    """What cannot be read without is shown by its class."""

    class Odd(UserDict):
        def _refuse(self, *_: object) -> Any:
            raise AssertionError("it was asked")

        items = keys = copy = __len__ = __iter__ = __getitem__ = _refuse  # type: ignore[assignment]

    assert snapshot(types.MappingProxyType({"a": 1}))[0] == {"a": 1}
    assert "type" in snapshot(types.MappingProxyType(Odd()))[0]


@pytest.mark.parametrize("kind", [dict, defaultdict])
def test_a_mapping_that_is_changed_while_it_is_copied_is_copied_whole(kind):
    """By whatever the garbage collector runs, or lets have a turn."""
    mapping = kind()
    mapping.update({str(number): number for number in range(3_000)})

    def change(phase: str, info: dict[str, int]) -> None:
        del phase, info
        mapping[len(mapping)] = 0

    threshold = gc.get_threshold()
    gc.callbacks.append(change)
    try:
        gc.set_threshold(1)
        copied, _size = snapshot({"one": mapping})
    finally:
        gc.set_threshold(*threshold)
        gc.callbacks.remove(change)
    assert copied["one"]["2999"] == 2_999


def test_no_moment_of_pandas_is_no_moment(monkeypatch):
    """Its class is made of `datetime`, and its fields are those of one long ago."""

    class NaTType(datetime.datetime):
        pass

    missing = NaTType(1, 1, 1)
    monkeypatch.setitem(sys.modules, "pandas", types.SimpleNamespace(NaT=missing))
    assert snapshot({"at": missing})[0] == {"at": "NaT"}
