"""The printed tree of a run: one line for the instance, one for each span."""

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from prefactor_trace._capture import holds_cut
from prefactor_trace._substitutes import text_of
from prefactor_trace.cli.amounts import between, counted, silence
from prefactor_trace.cli.facts import facts, json_text
from prefactor_trace.cli.terminal import Screen, columns_of, one_line
from prefactor_trace.models import AgentSpan
from prefactor_trace.server import InstanceSummary
from prefactor_trace.server._cancelled import shown
from prefactor_trace.server._tree import children_of, schema_name

STATUS_COLOURS = {
    "complete": "green",
    "failed": "red",
    "terminated": "red",
    "cancelled": "yellow",
    "active": "yellow",
    "pending": "yellow",
}
_LONGEST_NAME, _SHORTEST_NAME = 60, 16
_SHORTEST_ID = 10


def header(instance: InstanceSummary, screen: Screen) -> str:
    """Return the line of an instance: agent, version, status, duration, spans, id."""
    counts = instance.span_counts
    took = between(instance.started_at, instance.finished_at)
    if instance.finished_at is None:
        took = "open" if instance.status == "active" else ""
        silent = silence(instance.heard_at)
        took = f"silent for {silent}" if silent else took
    status = instance.status
    if instance.termination_reason:
        status += f" ({one_line(instance.termination_reason)})"
    failed = f", {counts.failed} failed" if counts.failed else ""
    spans = counted(counts.total, "span") + failed
    room = screen.width - sum(columns_of(part) + 2 for part in (status, took, spans) if part)
    name = " ".join(part for part in (instance.agent_name, instance.agent_version) if part)
    longest = min(max(room - _SHORTEST_ID - 2, _SHORTEST_NAME), screen.at_most(_LONGEST_NAME))
    name = screen.cut(one_line(name), longest)
    # Where the whole id does not fit, its beginning does as well.
    shown_id = instance.id[: max(room - columns_of(name) - 2, _SHORTEST_ID)]
    parts = (
        screen.paint(name, "bold"),
        screen.paint(status, STATUS_COLOURS.get(instance.status, "bold")),
        took,
        spans,
        screen.paint(shown_id, "dim"),
    )
    return "  ".join(part for part in parts if part)


def quality_lines(instance: InstanceSummary, screen: Screen) -> Iterator[str]:
    """Yield a line for each judgement of a run."""
    for name, payload in instance.quality_payloads.items():
        line = screen.cut(f"quality {one_line(name)} {json_text(payload)}", screen.width - 2)
        yield f"  {line}"


class Row(NamedTuple):
    """A span and where it hangs.

    Attributes:
        last: For each level down to the span, whether it is the last of its siblings.
        span: The span.
        orphan: Whether its parent is not among the spans.
    """

    last: tuple[bool, ...]
    span: AgentSpan
    orphan: bool


def rows(spans: Sequence[AgentSpan]) -> Iterator[Row]:
    """Yield every span once, parents before children, siblings by their start.

    A span whose parent is missing hangs under the root, and so does one of a circle of parents.
    """
    children = children_of(spans)
    # A list, not recursion: an agent may nest deeper than the interpreter's stack.
    waiting = _level(children.get(None, ()), ())
    while waiting:
        row = waiting.pop()
        yield row
        waiting += _level(children.get(row.span.id, ()), row.last)


def _level(spans: Sequence[AgentSpan], above: tuple[bool, ...]) -> list[Row]:
    """Return the rows of siblings, the first at the end, where it is popped from."""
    return [
        Row((*above, at == len(spans) - 1), span, not above and span.parent_span_id is not None)
        for at, span in reversed(list(enumerate(spans)))
    ]


def span_lines(
    spans: Sequence[AgentSpan], screen: Screen, limit: int | None = None
) -> Iterator[str]:
    """Yield the lines of an instance's spans; those beyond a limit are counted in one line."""
    seen = [shown(span) for span in spans]
    yield from (span_line(row, screen) for row in itertools.islice(rows(seen), limit))
    if limit is not None and len(spans) > limit:
        yield f"{screen.ellipsis} {counted(len(spans) - limit, 'more span')}"


def span_line(row: Row, screen: Screen, *, is_whole: bool = False) -> str:
    """Return the line of one span: branches, name, facts, status or error, duration.

    Args:
        row: The span and where it hangs.
        screen: Where the line will be shown.
        is_whole: Whether the facts stand below it.
    """
    span = row.span
    took = between(span.started_at, span.finished_at)
    if span.finished_at is None and span.status == "active":
        took = "open"
    branches = _branches(row.last, screen)
    name = one_line(schema_name(span)) + _marks(row)
    room = screen.width - columns_of(branches) - columns_of(took) - 2
    name = screen.cut(name, max(room, 8))
    room -= columns_of(name) + 1
    trouble = screen.cut(_trouble(span), max(room - 1, 0))
    room -= columns_of(trouble) + 2 if trouble else 0
    known = "" if is_whole else facts(span, screen, room)
    parts = [
        screen.paint(branches, "dim") + screen.paint(name, "bold"),
        f" {screen.paint(known, 'dim')}" if known else "",
        f"  {screen.paint(trouble, STATUS_COLOURS[span.status])}" if trouble else "",
        f"  {screen.paint(took, 'yellow') if took == 'open' else took}" if took else "",
    ]
    return "".join(parts)


def _marks(row: Row) -> str:
    """Return what is odd about a span, for after its name."""
    mismatch = row.span.schema_validation is not None
    truncated = holds_cut(row.span.payload) or holds_cut(row.span.result_payload)
    odd = (
        row.orphan and "parent missing",
        mismatch and "schema mismatch",
        truncated and "truncated",
    )
    return "".join(f" ({mark})" for mark in odd if mark)


def _trouble(span: AgentSpan) -> str:
    """Return what went wrong in one line, or nothing."""
    if span.status in ("complete", "active"):
        return ""
    if span.status != "failed":
        return span.status
    result = span.result_payload or {}
    kind, message = (text_of(result.get(name)) for name in ("error_type", "message"))
    # A message of many lines says what it is in the first that is not empty.
    first = next((line.strip() for line in message.splitlines() if line.strip()), "")
    what = ": ".join(part for part in (kind, first) if part)
    return one_line(f"FAILED {what}".rstrip())


def _branches(last: tuple[bool, ...], screen: Screen) -> str:
    fork, end = ("├─ ", "└─ ") if screen.unicode else ("|- ", "`- ")
    inner = below(last[:-1], screen)
    if len(inner) > screen.width // 2:
        # So deep that no room would be left for the span itself.
        inner = f"{screen.ellipsis} level {len(last)} "
    return inner + (end if last[-1] else fork)


def below(last: tuple[bool, ...], screen: Screen) -> str:
    """Return the branches that go on below a span."""
    bar = "│  " if screen.unicode else "|  "
    return "".join("   " if done else bar for done in last)
