"""The text of a tree, read; and where it cannot be, the place."""

import pytest

from prefactor_trace.testing import PatternError, T
from prefactor_trace.testing.pattern import parse


def test_every_part_of_a_line_is_read():
    """Nesting is by indentation, comments are left out."""
    nodes = parse(
        """
        agent:run (any order)            # the root
          llm_call {model: "gpt-*", n: -1.5, "x y": [1, true, null], deep: {a: ...}} x2
          tool_call {tool: 'it\\'s # no comment'} -> failed
          ?cache x1..3
          fetch x2..
          ...
        end
        """
    )
    root, end = nodes
    assert (root.schema_name, root.any_order, end) == ("agent:run", True, T("end", children=[]))
    call, tool, cache, fetch, rest = root.children
    assert call.payload == {"model": "gpt-*", "n": -1.5, "x y": [1, True, None], "deep": {"a": ...}}
    assert call.bounds == (2, 2)
    assert (tool.payload, tool.status) == ({"tool": "it's # no comment"}, "failed")
    assert (cache.optional, cache.bounds) == (True, (0, 3))
    assert fetch.bounds[0] == 2
    assert fetch.bounds[1] > 1000
    assert rest is ...


@pytest.mark.parametrize(
    ("line", "told", "at"),
    [
        ("a {x 1}", "expected a colon behind the key", 5),
        ("a {x: 1 y: 2}", "expected a comma or }", 8),
        ("a {x: }", "expected a value", 6),
        ("a {1: 2}", "expected a key", 3),
        ('a {x: "y}', "expected a value", 6),
        ("a -> done", "a status is one of complete, failed", 5),
        ("a wrong", "expected {payload}, x2, -> status or (any order)", 2),
        ("\ta", "indent with spaces", 0),
        ("a {x: 1", "expected a comma or }", 7),
        ('"a\\x" x2', "a name in quotes is written as in JSON", 0),
    ],
)
def test_what_cannot_be_read_is_pointed_at(line, told, at):
    """With the line and a mark below it."""
    with pytest.raises(PatternError) as caught:
        parse(f"first\n{line}")
    head, shown, mark = str(caught.value).splitlines()
    assert head.startswith(f"line 2 of the tree: {told}")
    assert shown == f"    {line}"
    assert mark.index("^") - 4 == at


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "a\n    b\n  c",
            "line 3 of the tree: indented by 2, and the lines that it stands beside by 4",
        ),
        ("  a\nb", "line 2 of the tree: indented by 0, and the lines that it stands beside by 2"),
        ("a\n  ...\n    b", "line 3 of the tree: indented by 4, and the lines that it stands"),
        (
            "a\n  b\nc\n   d\n  ...",
            "line 5 of the tree: indented by 2, and the lines that it stands",
        ),
    ],
)
def test_siblings_stand_in_one_column(text, told):
    """Else it is not clear what a span is in."""
    with pytest.raises(PatternError) as caught:
        parse(text)
    assert str(caught.value).startswith(told)


@pytest.mark.parametrize(
    "name",
    ["web search", "...", "?a", "#a", "a{b", 'a"b', "it's", "a\\b", "a\u2028b\nc", "ß", "a-b"],
)
def test_any_name_can_be_written(name):
    """In quotes where it would be something else; a comment may follow it."""
    line = f"{T(name, optional=True)} x2   # a comment"
    assert parse(line) == [T(name, optional=True, times=2, children=[])]


def test_an_empty_tree_is_refused():
    """Nothing could ever fail it."""
    with pytest.raises(PatternError, match="at least one span"):
        parse("  # only a comment\n")


def test_a_node_is_shown_as_its_line():
    """As messages name what was expected."""
    assert str(T("a", {"x": 1}, status="failed", times=(1, 3), optional=True)) == (
        '?a {"x": 1} x1..3 -> failed'
    )
    assert str(T("a", lambda payload: True, times=2)) == "a {...} x2"
