"""What the marks of cut values say, read back from what was written."""

import json
from typing import Any

import pytest

from prefactor_trace._capture import Cut, holds_cut, read_cut, serialise, snapshot
from prefactor_trace._capture.values import MAX_NODES
from prefactor_trace._substitutes import is_whole_binary, stands_for


def written(value: Any, limit: int = 1000) -> Any:
    """Return a value as it is recorded where there is room for `limit` bytes."""
    return json.loads(serialise({"value": snapshot(value)[0]}, limit))["value"]


@pytest.mark.parametrize("size", [500, 3 * MAX_NODES])
def test_a_list_knows_how_many_it_had(size: int):
    """Also where two bounds have cut it, one after the other."""
    value = written(list(range(size)))
    cut = read_cut(value)
    assert cut is not None
    assert cut == Cut([one for one in value if type(one) is int], size, gap=cut.gap)
    assert cut.kept[: cut.gap] == list(range(cut.gap))
    assert cut.missing == size - len(value) + 1


@pytest.mark.parametrize("size", [500, 3 * MAX_NODES])
def test_a_mapping_knows_how_many_keys_it_had(size: int):
    """And is returned without the marks."""
    cut = read_cut(written({f"key{n}": n for n in range(size)}))
    assert cut is not None
    assert cut.size == size
    assert cut.kept == {f"key{n}": n for n in range(len(cut.kept))}


def test_a_text_knows_how_long_it_was():
    """With its beginning and its end."""
    cut = read_cut(written("<" + "x" * 20_000 + ">"))
    assert cut is not None
    assert (cut.size, cut.kept[0], cut.tail[-1]) == (20_002, "<", ">")


def test_what_is_left_out_has_a_type_and_a_reason():
    """Of a circle, and of what lies too deep, nothing is kept."""
    circle: dict[str, Any] = {}
    circle["self"] = circle
    assert read_cut(written(circle)["self"]) == Cut(None, type="builtins.dict", bound="cycle")
    assert read_cut({"prefactor.truncated": True, "type": "Big", "size": 9}) == Cut(
        None, type="Big"
    )


@pytest.mark.parametrize(
    "value",
    [None, 1, "text", [], {}, [{"size": 1}], {"head": "a", "tail": "b", "size": 2}, [None], [[1]]],
)
def test_a_whole_value_was_not_cut(value: Any):
    """Whatever it looks like."""
    assert read_cut(value) is None
    assert not holds_cut({"value": [value]})


@pytest.mark.parametrize(
    "value", ["x" * 20_000, ["v" * 40] * 9000, {f"key{n}": "v" * 40 for n in range(900)}]
)
def test_what_is_cut_again_keeps_its_first_size(value: Any):
    """As when a request with it was too large for the service."""
    once = {"value": written(value, 5000)}
    twice = json.loads(serialise(once, 800))["value"]
    assert len(str(twice)) < len(str(once["value"]))
    first, second = read_cut(once["value"]), read_cut(twice)
    assert first is not None
    assert second is not None
    assert first.size == second.size == len(value)
    assert second.tail == first.tail[-len(second.tail) :]
    assert holds_cut([{"deep": twice}])


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 2**2000, -(2**2000), 2**9000])
def test_a_large_integer_is_known_by_its_text(value: int):
    """And other texts are none."""
    assert stands_for(snapshot(value)[0], ["integer"])
    assert not stands_for(snapshot(value)[0], ["boolean"])


@pytest.mark.parametrize("text", ["", "-", "12", "0xyz", "int of many bits", "int of ", "9" * 18])
def test_other_texts_are_no_integers(text: str):
    """Whoever declares an integer and records these is told."""
    assert not stands_for(text, ["integer", "number"])


@pytest.mark.parametrize("value", [b"", b"abc", bytearray(64)])
def test_a_short_binary_value_is_known_to_be_whole(value: bytes):
    """A longer one is not, nor what only looks like one."""
    note = snapshot(value)[0]
    assert is_whole_binary(note)
    assert not is_whole_binary(note | {"length": 65})
    assert not is_whole_binary(note | {"type": "file"})
    assert not is_whole_binary(note | {"head": "zz" * len(value)}) or not value
