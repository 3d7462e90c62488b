"""What a line of the tree tells of payload and result."""

from prefactor_trace._capture import snapshot
from prefactor_trace.cli.facts import facts
from prefactor_trace.cli.terminal import Screen, columns_of

from .records import span

WIDE = Screen(width=120)


def test_what_was_left_out_names_its_type() -> None:
    """A circle is neither three keys nor empty."""
    circle: dict[str, object] = {}
    circle["self"] = circle
    value = snapshot(circle)[0]
    assert facts(span("a", payload=value), WIDE, 100) == '{"self": dict left out}'


def test_facts_tell_what_went_in_and_out() -> None:
    """Payload and result are cut to the columns; long lists are counted, controls are JSON's."""
    one = span(payload={"query": "spans\n\x1b[31m", "k": 5}, result={"result": list(range(40))})
    assert facts(one, WIDE, 100) == '{"query": "spans\\n\\u001b[31m", "k": 5} → 40 items'
    for columns in range(100):
        assert columns_of(facts(one, WIDE, columns)) <= columns
    assert facts(span(result={"result": None}), WIDE, 50) == ""
    assert facts(span(result={"tokens": 42}), WIDE, 50) == '→ {"tokens": 42}'


def test_what_came_out_has_the_room_that_what_went_in_leaves() -> None:
    """A short payload stays whole, and the line is filled to its end."""
    one = span(payload={"k": 5}, result={"result": "x" * 60})
    line = facts(one, WIDE, 50)
    assert line.startswith('{"k": 5} → "xxx')
    assert columns_of(line) == 50


def test_a_short_list_is_shown_a_longer_one_counted() -> None:
    """Up to half of what a text may have."""
    assert facts(span(result={"result": ["x" * 26]}), WIDE, 100) == f'→ ["{"x" * 26}"]'
    assert facts(span(result={"result": ["x" * 27]}), WIDE, 100) == "→ 1 item"
