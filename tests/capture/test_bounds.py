"""A copy is bounded, and says what was left out."""

from collections import Counter, OrderedDict
from typing import Any

import pytest

from prefactor_trace._capture import snapshot, to_json
from prefactor_trace._capture.bounds import MAX_DEPTH, MAX_NODES


def test_cycles_end():
    """A container inside of itself is named; one that stands twice side by side is copied twice."""
    loop: dict[str, Any] = {"n": 1}
    loop["self"] = loop
    items: list[Any] = []
    items.append(items)
    shared = [1]
    assert snapshot(loop)[0]["self"]["bound"] == "cycle"
    assert snapshot(items)[0][0]["bound"] == "cycle"
    assert snapshot([shared, shared])[0] == [[1], [1]]


def test_depth_is_bounded():
    """What lies deeper is named by its type."""
    value: Any = "core"
    for _ in range(5_000):
        value = [value]
    copy, depth = snapshot(value)[0], 0
    while isinstance(copy, list):
        copy, depth = copy[0], depth + 1
    assert depth == MAX_DEPTH
    assert copy == {"prefactor.truncated": True, "type": "builtins.list", "bound": "depth"}


@pytest.mark.parametrize(
    "value",
    [
        list(range(50_000)),
        dict.fromkeys(map(str, range(50_000)), 1),
        {"a": [[n] for n in range(50_000)]},
        {"a": {n: {"b": n} for n in range(20_000)}},
        {"a": [[n] for n in range(9_000)]},
        {"a": [[n] * 40 if n < 240 else n for n in range(9_000)]},
        {"a": {str(n): [n, {"n": n}] for n in range(9_000)}},
    ],
    ids=["list", "dict", "lists", "dicts", "fewer lists", "lists, then numbers", "fewer dicts"],
)
def test_the_number_of_nodes_is_bounded(value: Any):
    """What is left out is marked, with the size of the whole."""
    copy, size = snapshot(value)

    def count(node: Any) -> int:
        inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        return 1 + sum(count(item) for item in inner)

    assert MAX_NODES - 100 <= count(copy) <= MAX_NODES + 100
    assert size < 100 * MAX_NODES
    assert b"prefactor.truncated" in to_json(copy)
    length = len(value["a"]) if "a" in value else len(value)
    assert f'"prefactor.size":{length}'.encode() in to_json(copy)


def test_what_is_nested_in_what_is_nested_has_the_same_bound():
    """Though each of them had room for its numbers when it was begun."""
    value: Any = []
    for _ in range(40):
        value = [value, *range(9_000)]
    copy, _ = snapshot(value)
    total = 0
    while copy:
        total += len(copy)
        copy = copy[0] if isinstance(copy[0], list) else []
    assert total <= MAX_NODES + 100


@pytest.mark.parametrize("kind", [dict, OrderedDict, Counter])
def test_a_large_mapping_says_how_large_it_is(kind):
    """Of which no more is taken than is kept."""
    copied, _ = snapshot(kind(dict.fromkeys(range(20_000), 1)))
    assert copied.pop("prefactor.size") == 20_000
    assert copied.pop("prefactor.truncated") is True
    assert len(copied) < 10_000
