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
    root, end = nodes.children
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
    assert parse(line).children == [T(name, optional=True, times=2, children=[])]


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


def test_results_are_written_behind_an_arrow():
    """Alone, beside a status, and as a message writes them."""
    first, second, third = parse(
        """
        a {x: 1} -> {steps: ["s*", ...], n: 2}
        b -> {tokens: 3} -> failed x2
        c -> failed -> {tokens: 3}
        """
    ).children
    assert first.payload == {"x": 1}
    assert first.result_payload == {"steps": ["s*", ...], "n": 2}
    for node in (second, third):
        assert (node.result_payload, node.status) == ({"tokens": 3}, "failed")
    assert str(second) == 'b x2 -> {"tokens": 3} -> failed'


def test_a_first_line_is_about_the_spans_at_the_top():
    """Whether they may come in any order; elsewhere it stands behind a name."""
    assert parse("\n# comment\n(any order)\na\nb").any_order
    assert not parse("a (any order)\n  b").any_order
    with pytest.raises(PatternError):
        parse("a\n(any order)")


@pytest.mark.parametrize(
    ("line", "told", "at"),
    [
        ("a → failed", "write -> for the arrow", 2),
        ("  └─ a", "this is a report: nest spans by indentation, as captrace.tree()", 2),
        ("captured: 4 spans, 1 instance", "this is a report", 0),
        ('a {"x": 1}    0.1 ms  ✓  a.py:1', "this is a report", 14),
        ('plan(question="x")', "a payload stands in braces: plan {key: value}", 4),
        ("  (any order)", "(any order) stands behind the name of the span around them, or", 2),
        ("a -> 3", "behind -> stands one of complete, failed", 2),
    ],
)
def test_what_was_copied_from_elsewhere_says_how_it_is_written(line, told, at):
    """Rather than all that may stand there."""
    with pytest.raises(PatternError) as caught:
        parse(f"first\n{line}")
    head, _, mark = str(caught.value).splitlines()
    assert head.startswith(f"line 2 of the tree: {told}")
    assert mark.index("^") - 4 == at


def test_an_open_range_is_shown_as_it_is_written():
    """Not with the number that stands for many."""
    assert str(parse("plan x2..").children[0]) == "plan x2.."


@pytest.mark.parametrize(
    ("nodes", "error", "told"),
    [
        (
            ["plan"],
            TypeError,
            r"a node of a tree is T\(...\) or ..., got \"plan\": write T\(\"plan",
        ),
        ([T("a", children=["b"])], TypeError, r"got \"b\": write T"),
        ([T(3)], TypeError, r"T\(\) takes the name of a span type, got 3"),
        (None, TypeError, "a tree is a text, or T nodes in a list, got None"),
        ([T("a", times="many")], TypeError, r"times of T\(\"a\"\) is a number, or the least and"),
        ([T("a", times=(3, 1))], TypeError, "times of T"),
        ([T("a", status="done")], ValueError, r"status of T\(\"a\"\) is one of complete, fail"),
    ],
)
def test_nodes_that_are_none_are_refused(trace, agent, nodes, error, told):
    """With what they are instead."""
    agent("a")
    with pytest.raises(error, match=told):
        trace.assert_tree(nodes)


def test_a_payload_goes_into_a_mapping():
    """Not into arguments of its own."""
    with pytest.raises(TypeError, match=r"mapping: T\(\"tool_call\", \{\"city\": \.\.\.\}\)"):
        T("tool_call", city="Rom")
    node = T("a", {"x": 1}, times=2)
    assert node._replace(times=3) == T("a", {"x": 1}, times=3)
    assert repr(node).startswith("T(schema_name='a', payload={'x': 1}")
