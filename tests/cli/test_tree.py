"""The printed tree, from spans alone."""

import json
from datetime import timedelta

import pytest

from prefactor_trace._capture import read_cut, serialise
from prefactor_trace._notes import SCHEMA_NAME_KEY
from prefactor_trace.cli.terminal import Screen, columns_of
from prefactor_trace.cli.tree import (
    header,
    rows,
    span_line,
    span_lines,
)
from prefactor_trace.models import AgentInstanceSpanCounts
from prefactor_trace.server import InstanceSummary

from .records import START, span

WIDE = Screen(width=120)


def test_children_stand_under_their_parent_by_start() -> None:
    """Branches show who is whose child, siblings in the order of their start."""
    spans = [
        span("late", id="c", parent="a", at=2),
        span("early", id="b", parent="a", at=1),
        span("inner", id="d", parent="b", at=1.5),
        span("root", id="a"),
        span("second", id="e", at=3),
    ]
    names = [line.split("  100")[0] for line in span_lines(spans, WIDE)]
    assert names == ["├─ root", "│  ├─ early", "│  │  └─ inner", "│  └─ late", "└─ second"]


def test_branches_in_ascii() -> None:
    """A screen without box characters gets a tree of plain ones."""
    spans = [span("root", id="a"), span("one", parent="a"), span("end", at=1)]
    lines = list(span_lines(spans, Screen(unicode=False)))
    assert [line[:6] for line in lines] == ["|- roo", "|  `- ", "`- end"]
    assert all(line.isascii() for line in lines)


def test_orphans_and_circles_are_shown_once() -> None:
    """A span whose parent is missing, is itself, or is below it, is marked and not lost."""
    spans = [
        span("orphan", id="a", parent="gone"),
        span("own", id="b", parent="b"),
        span("ring", id="c", parent="d"),
        span("ring", id="d", parent="c"),
        span("fine", id="e"),
    ]
    shown = list(rows(spans))
    assert sorted(row.span.id for row in shown) == ["a", "b", "c", "d", "e"]
    assert {row.span.id for row in shown if row.orphan} == {"a", "b", "c"}
    assert "orphan (parent missing)" in "\n".join(span_lines(spans, WIDE))


def test_schema_mismatch_is_marked() -> None:
    """A span whose payload or result differs from its schema says so after its name."""
    noted = {"valid": False, "errors": [{"field": "payload.q", "message": "is required"}]}
    fine, odd = span("fine"), span("odd").model_copy(update={"schema_validation": noted})
    lines = list(span_lines([fine, odd], WIDE))
    assert [line.split("  100")[0][3:] for line in lines] == ["fine", "odd (schema mismatch)"]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (["x" * 200] * 500, " of 500 items"),
        ({f"key{n}": "x" * 200 for n in range(300)}, " of 300 keys"),
        ("y" * 50_000, 'y…" of 50000 characters'),
    ],
)
def test_what_was_truncated_is_told_with_its_size(value: object, told: str) -> None:
    """The mark in a list or mapping is no item of it; the span is marked, the others are not."""
    payload = json.loads(serialise({"value": value}, 2000))
    cut, fine = span("cut", payload=payload), span("fine", payload={"value": [1, 2]}, at=1)
    first, second = span_lines([cut, fine], WIDE)
    assert first.startswith("├─ cut (truncated) {")
    assert told in first
    kept = read_cut(payload["value"])
    assert kept is not None
    assert f"{len(kept.kept)} of " in first or isinstance(value, str)
    assert second.startswith('└─ fine {"value": [1, 2]}')
    result = span("cut", result={"result": payload["value"]})
    assert "cut (truncated) → " in next(span_lines([result], WIDE))


def test_a_truncated_message_of_an_error_is_text() -> None:
    """Its first line is shown, without the mark."""
    result = json.loads(serialise({"error_type": "E", "message": "no luck\n" * 9000}, 2000))
    (line,) = span_lines([span("a", status="failed", result=result)], WIDE)
    assert "FAILED E: no luck  " in line


def test_deep_and_wide_trees_fit() -> None:
    """Nesting deeper than the interpreter's stack keeps each line within the screen."""
    deep = [
        span(f"level {at}", id=str(at), parent=str(at - 1) if at else None, at=at)
        for at in range(5000)
    ]
    lines = list(span_lines(deep, Screen(width=80)))
    assert len(lines) == 5000
    assert max(map(columns_of, lines)) <= 80
    assert "level 4999" in lines[-1]


def test_limit_counts_the_rest() -> None:
    """Beyond the limit, one line says how many spans are not shown."""
    lines = list(span_lines([span(at=at) for at in range(10)], WIDE, limit=3))
    assert len(lines) == 4
    assert "7 more spans" in lines[-1]
    assert len(list(span_lines([span(), span()], WIDE, limit=2))) == 2


def test_failure_shows_first_line_of_its_error() -> None:
    """A failed span names the kind of error and the first line of its message, in red."""
    failed = span(
        "search",
        status="failed",
        payload={"query": "q" * 200},
        result={
            "error_type": "TimeoutError",
            "message": "\n index busy\nand more",
            "stacktrace": "T",
        },
    )
    (line,) = span_lines([failed], Screen(width=80, colour=True))
    assert "\x1b[31mFAILED TimeoutError: index busy\x1b[0m" in line
    assert "and more" not in line
    assert "stacktrace" not in line


@pytest.mark.parametrize("result", [None, {}, {"message": 7}, {"error_type": None}, {"other": 1}])
def test_failure_of_any_shape(result: dict[str, object] | None) -> None:
    """An error that says little or strange things still shows that the span failed."""
    (line,) = span_lines([span(status="failed", result=result)], WIDE)
    assert "FAILED" in line


def test_status_of_what_did_not_end_well() -> None:
    """A span still going on is open; one given up says so."""
    assert span_line(next(rows([span(status="active", took=None)])), WIDE).endswith("  open")
    for status in ("pending", "cancelled", "terminated"):
        assert status in span_line(next(rows([span(status=status)])), WIDE)


def test_undeclared_type_goes_by_its_own_name() -> None:
    """A type that was not declared shows the name in its payload, and not as a fact."""
    one = span("undeclared", payload={SCHEMA_NAME_KEY: "tool_call", "city": "Oslo"})
    line = span_line(next(rows([one])), WIDE)
    assert line.startswith('└─ tool_call {"city": "Oslo"}')
    odd = span("undeclared", payload={SCHEMA_NAME_KEY: 5})
    assert "undeclared" in span_line(next(rows([odd])), WIDE)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_lines_keep_to_the_width(width: int) -> None:
    """No line is wider than the screen, whatever was recorded; the duration is always there."""
    spans = [
        span("name " * 30, payload={"k": "漢" * 90}, result={"result": "r" * 500}),
        span("x", status="failed", result={"error_type": "E" * 90, "message": "m" * 300}),
    ]
    for line in span_lines(spans, Screen(width=width)):
        assert columns_of(line) <= width
        assert line.endswith("100 ms")


def summary(**changes: object) -> InstanceSummary:
    """Return a run of an agent."""
    counts = AgentInstanceSpanCounts(
        total=23, active=0, complete=22, failed=1, cancelled=0, finished=23
    )
    fields = {
        "id": "0" * 32,
        "agent_id": "a",
        "agent_name": "docs-agent",
        "agent_version": "0.1.0",
        "environment_id": "e",
        "status": "complete",
        "purpose": "live",
        "external_identifier": None,
        "inserted_at": START,
        "started_at": START,
        "finished_at": START + timedelta(seconds=0.412),
        "termination_reason": None,
        "span_counts": counts,
        "session": None,
        "quality_payloads": {},
        **changes,
    }
    return InstanceSummary(**fields)


def test_header_tells_the_run() -> None:
    """The first line has agent, version, status, duration, counts and the id."""
    whole = f"docs-agent 0.1.0  complete  412 ms  23 spans, 1 failed  {'0' * 32}"
    assert header(summary(), WIDE) == whole
    narrow = header(summary(), Screen(width=80))
    assert narrow == whole[:80]
    long = header(summary(agent_name="日本語" * 20), Screen(width=80))
    assert f"…  complete  412 ms  23 spans, 1 failed  {'0' * 10}" in long
    assert columns_of(long) == 80


def test_header_of_what_did_not_end_well() -> None:
    """A run still going on is open; one that the platform ended says why."""
    assert "active  open" in header(summary(status="active", finished_at=None), WIDE)
    pending = summary(status="pending", started_at=None, finished_at=None, agent_version=None)
    assert header(pending, WIDE).startswith("docs-agent  pending  23 spans")
    ended = summary(status="terminated", termination_reason="over budget")
    assert "terminated (over budget)" in header(ended, WIDE)
