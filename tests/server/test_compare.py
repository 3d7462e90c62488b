"""Two runs side by side: what goes together, and what is said of each pair."""

import json
from typing import Any

import pytest
from cli.records import span
from hypothesis import given
from hypothesis import strategies as st

from prefactor_trace._notes import SCHEMA_NAME_KEY
from prefactor_trace.models import AgentSpan
from prefactor_trace.server._compare import MOST_PATHS, compare


def shown(left: list[AgentSpan], right: list[AgentSpan]) -> list[str]:
    """Return a line for each pair: its depth, its name, its marks."""
    return [" ".join([f"{'.' * one.level}{one.name}", *one.marks]) for one in compare(left, right)]


def test_the_same_run_has_no_differences() -> None:
    """Two runs of the same steps are pairs without marks, in the order of the tree."""

    def run(ids: str) -> list[AgentSpan]:
        return [
            span("root", id=ids[0]),
            span("tool", id=ids[1], parent=ids[0], at=1, payload={"q": [1, {"a": None}]}),
            span("answer", id=ids[2], parent=ids[0], at=2),
        ]

    assert shown(run("abc"), run("xyz")) == ["root", ".tool", ".answer"]
    assert shown(run("abc"), run("abc")) == ["root", ".tool", ".answer"]


def test_added_and_removed_take_along_what_is_below() -> None:
    """What hangs under a span without a partner has none either."""
    left = [span("a", id="a"), span("old", id="b", at=1), span("in", parent="b", at=2)]
    right = [span("a", id="k"), span("new", id="l", at=1), span("in", parent="l", at=2)]
    assert shown(left, right) == ["a", "old removed", ".in removed", "new added", ".in added"]


def test_the_same_payload_is_the_better_partner() -> None:
    """Of several steps of a name, those go together that were given the same."""
    left = [span("find", at=at, payload={"q": at}) for at in (1, 2, 3)]
    right = [span("find", at=at, payload={"q": at}) for at in (1, 3)]
    assert shown(left, right) == ["find", "find removed", "find"]


def test_the_same_name_is_a_partner_all_the_same() -> None:
    """A step that was given something else is that step, and its payload is what differs."""
    left = [span("plan"), span("find", at=1, payload={"q": "a"}), span("say", at=2)]
    right = [span("plan"), span("find", at=1, payload={"q": "b"}), span("say", at=2)]
    assert shown(left, right) == ["plan", "find payload", "say"]


@pytest.mark.parametrize(
    ("took", "takes", "marks"),
    [
        (0.1, 0.1, ()),
        (0.1, 0.13, ("slower",)),
        (0.1, 0.11, ()),
        (0.13, 0.1, ("faster",)),
        (0.0001, 0.0009, ()),
        (0.0, 0.01, ("slower",)),
        (None, 5.0, ()),
        (1.0, None, ()),
    ],
)
def test_slower_is_more_than_chance(
    took: float | None, takes: float | None, marks: tuple[str, ...]
) -> None:
    """A span is slower when it took a fifth longer and at least a millisecond."""
    (pair,) = compare([span(took=took)], [span(took=takes)])
    assert pair.marks == marks


@pytest.mark.parametrize(
    ("one", "other", "paths"),
    [
        ({"a": 1}, {"a": 1}, ()),
        ({"a": 1}, {"a": 2}, ("payload.a",)),
        ({"a": 1}, {"a": True}, ("payload.a",)),
        ({"a": 1}, {"a": 1.0}, ("payload.a",)),
        ({"a": None}, {}, ("payload.a",)),
        ({}, {"b": {}}, ("payload.b",)),
        ({"a": {}}, {"a": []}, ("payload.a",)),
        ({"a": [1, 2]}, {"a": [1, 3, 4]}, ("payload.a[1]", "payload.a[2]")),
        ({"a": {"b": 1}, "c": 2}, {"c": 2, "a": {"b": 2}}, ("payload.a.b",)),
        ({"a": [[1]], "b": 1}, {"a": [[1]], "b": 2}, ("payload.b",)),
    ],
)
def test_the_places_that_differ_are_named(
    one: dict[str, Any], other: dict[str, Any], paths: tuple[str, ...]
) -> None:
    """Every place is named by its way from the payload; the order of keys is of no account."""
    (pair,) = compare([span(payload=one)], [span(payload=other)])
    assert pair.paths == paths
    assert ("payload" in pair.marks) == bool(paths)


def test_a_long_list_of_differences_is_cut() -> None:
    """Payloads that have nothing in common do not fill the page."""
    one, other = ({f"k{at}": side for at in range(1000)} for side in (1, 2))
    (pair,) = compare([span(payload=one)], [span(payload=other, result={"x": 1})])
    assert len(pair.paths) == MOST_PATHS
    assert pair.marks == ("payload", "result_payload")


@pytest.mark.parametrize(
    ("left", "right", "change"),
    [
        (1, 2, ("1", "2")),
        ("Oslo", "Rome", ("Oslo", "Rome")),
        (1, "1", ("1", '"1"')),
        (None, {}, ("null", "{}")),
        ([1], [1, "x"], (None, "x")),
        (
            "same " * 20 + "old",
            "same " * 20 + "new",
            ("…same same same old", "…same same same new"),
        ),
    ],
)
def test_what_was_and_what_is_are_told(left: object, right: object, change: object) -> None:
    """In a few words, of texts what is not alike."""
    (pair,) = compare([span(payload={"n": left})], [span(payload={"n": right})])
    assert pair.changes == (change,)


def test_status_and_result_are_compared() -> None:
    """A step that failed this time is marked, and so is what came out."""
    (pair,) = compare([span(result={"n": 1})], [span(status="failed", result={"message": "no"})])
    assert pair.marks == ("status", "result_payload")
    assert pair.paths == ("result_payload.n", "result_payload.message")


def test_an_undeclared_type_goes_by_its_own_name() -> None:
    """Types that were declared late share one schema name, and are told apart all the same."""
    left = [
        span("undeclared", payload={SCHEMA_NAME_KEY: name}, at=at) for at, name in enumerate("ab")
    ]
    right = [span("undeclared", payload={SCHEMA_NAME_KEY: "b"})]
    assert shown(left, right) == ["a removed", "b"]


def test_how_the_name_of_a_type_travelled_is_no_difference() -> None:
    """The first run of a process has types in it that the second one declares when it registers."""
    payload = {"city": "Oslo"}
    first = [span("undeclared", payload={SCHEMA_NAME_KEY: "search", **payload})]
    (pair,) = compare(first, [span("search", payload=payload)])
    assert (pair.name, pair.marks, pair.paths) == ("search", (), ())
    both = [*first, span("undeclared", payload={SCHEMA_NAME_KEY: "search"}, at=1)]
    pairs = compare(both, [span("search", payload=payload)])
    assert [pair.marks for pair in pairs] == [(), ("removed",)]


def test_a_deep_run_needs_no_deep_stack() -> None:
    """A nesting of thousands of levels is compared as any other."""
    deep = [span(id=str(at), parent=str(at - 1) if at else None) for at in range(3000)]
    assert compare(deep, deep)[-1].level == 2999


PARENTS = st.lists(st.integers(0, 7), max_size=8)


@given(PARENTS, PARENTS)
def test_every_span_is_there_once(left: list[int], right: list[int]) -> None:
    """Whatever hangs under whatever, circles too, each span of both runs is in one row."""

    def run(side: str, parents: list[int]) -> list[AgentSpan]:
        return [
            span("ab"[at % 2], id=f"{side}{at}", parent=f"{side}{parent}")
            for at, parent in enumerate(parents)
        ]

    rows = compare(run("l", left), run("r", right))
    assert sorted(row.left.id for row in rows if row.left) == [f"l{at}" for at in range(len(left))]
    assert sorted(row.right.id for row in rows if row.right) == [
        f"r{at}" for at in range(len(right))
    ]


def test_a_pair_is_plain_json() -> None:
    """The page gets ids, statuses and seconds; the spans themselves it has."""
    left = span("tool", payload={"a": 1})
    (pair,) = compare([left], [])
    assert json.loads(json.dumps(pair.as_json())) == {
        "level": 0,
        "schema_name": "tool",
        "left": {"id": left.id, "status": "complete", "seconds": 0.1},
        "right": None,
        "marks": ["removed"],
        "paths": [],
        "changes": [],
    }
