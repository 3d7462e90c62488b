"""The tree of a run: which span hangs under which."""

import pytest
from cli.records import span

from prefactor_trace._notes import SCHEMA_NAME_KEY
from prefactor_trace.server._tree import children_of, name_text, schema_name


def test_children_are_in_the_order_of_their_start() -> None:
    """Each parent has its children by their start, whatever the order that they came in."""
    spans = [
        span("late", id="c", parent="a", at=2),
        span("early", id="b", parent="a", at=1),
        span("root", id="a"),
    ]
    children = children_of(spans)
    assert {parent: [one.id for one in ones] for parent, ones in children.items()} == {
        None: ["a"],
        "a": ["b", "c"],
    }


@pytest.mark.parametrize(
    ("parents", "top"),
    [
        ({"a": "gone"}, ["a"]),
        ({"a": "a"}, ["a"]),
        ({"a": "b", "b": "a"}, ["a"]),
        ({"a": "b", "b": "c", "c": "a", "d": None}, ["d", "a"]),
        ({"d": "a", "a": "b", "b": "a", "e": "d"}, ["d", "a"]),
        ({}, []),
    ],
)
def test_what_has_no_way_to_the_top_hangs_there(
    parents: dict[str, str | None], top: list[str]
) -> None:
    """A span whose parent is missing, or that is its own ancestor; and nowhere else."""
    children = children_of([span(id=one, parent=above) for one, above in parents.items()])
    assert sorted(one.id for ones in children.values() for one in ones) == sorted(parents)
    assert [one.id for one in children.get(None, ())] == top


@pytest.mark.parametrize(
    ("payload", "name"),
    [({}, "step"), ({SCHEMA_NAME_KEY: "tool"}, "tool"), ({SCHEMA_NAME_KEY: 5}, "step")],
)
def test_the_name_of_an_undeclared_type_is_in_the_payload(
    payload: dict[str, object], name: str
) -> None:
    """A type that was declared too late is shown by the name that the agent gave it."""
    assert schema_name(span("step", payload=payload)) == name


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("tool_call", "tool_call"),
        ("Agent.<locals>.run", "Agent.<locals>.run"),
        ("web search", '"web search"'),
        ("...", '"..."'),
        ('a"b', '"a\\"b"'),
        ("a*", '"a*"'),
        ("a\x1b", '"a\\u001b"'),
    ],
)
def test_a_name_that_could_be_misread_stands_in_quotes(name: str, text: str) -> None:
    """In the text of a tree."""
    assert name_text(name) == text
