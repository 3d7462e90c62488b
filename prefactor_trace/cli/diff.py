"""``prefactor-trace diff A B``: what differs between two runs."""

import argparse
from collections.abc import Iterator, Sequence
from typing import TextIO

from prefactor_trace.cli.amounts import between
from prefactor_trace.cli.database import database_path, open_existing
from prefactor_trace.cli.ending import DIFFERENT, DONE
from prefactor_trace.cli.runs import as_json, find
from prefactor_trace.cli.terminal import Screen, columns_of, one_line, write, write_json
from prefactor_trace.cli.tree import header
from prefactor_trace.models import AgentSpan
from prefactor_trace.server import InstanceSummary
from prefactor_trace.server._compare import Aligned, compare

_TIMING = frozenset({"slower", "faster"})
_COLOURS = {"-": "red", "+": "green", "~": "yellow", " ": ""}


def diff(arguments: argparse.Namespace, out: TextIO) -> int:
    """Print the spans of two runs side by side; what is alike is counted."""
    with open_existing(database_path(arguments.db)) as store:
        runs = find(arguments.a, store), find(arguments.b, store)
        spans = [store.list_spans(run.id) for run in runs]
    rows = compare(*spans)
    if arguments.json:
        left, right = map(as_json, runs)
        write_json(out, {"left": left, "right": right, "spans": [row.as_json() for row in rows]})
    else:
        for line in lines(runs, rows, Screen.of(out), all=arguments.all):
            write(out, line)
    # No two runs take the same time: that alone is no difference.
    differ = any(set(row.marks) - _TIMING for row in rows)
    return DIFFERENT if differ and arguments.exit_code else DONE


def lines(
    runs: tuple[InstanceSummary, InstanceSummary],
    rows: Sequence[Aligned],
    screen: Screen,
    *,
    all: bool = False,
) -> Iterator[str]:
    """Yield the lines of a comparison; of what is alike only a count, unless all is shown."""
    inner = Screen(screen.width - 2, screen.colour, screen.unicode)
    for sign, run in zip("-+", runs, strict=True):
        yield f"{screen.paint(sign, _COLOURS[sign])} {header(run, inner)}"
    shown = set(range(len(rows))) if all else _leading_to_differences(rows)
    alike = 0
    for at, row in enumerate(rows):
        if at in shown:
            yield from _skipped(alike, screen)
            alike = 0
            yield _line(row, screen)
        else:
            alike += 1
    yield from _skipped(alike, screen)
    yield _summary(rows)


def _leading_to_differences(rows: Sequence[Aligned]) -> set[int]:
    """Return the rows with a difference, and those that they hang under."""
    shown = set()
    wanted = -1  # the level of the parents that are still to be shown
    for at in range(len(rows) - 1, -1, -1):
        if rows[at].marks or rows[at].level <= wanted:
            shown.add(at)
            wanted = rows[at].level - 1
        # What stands at this level or above it is no longer a parent of what was shown.
        wanted = min(wanted, rows[at].level)
    return shown


def _skipped(alike: int, screen: Screen) -> Iterator[str]:
    if alike:
        spans = "span is" if alike == 1 else "spans are"
        yield screen.paint(f"  {screen.ellipsis} {alike} {spans} alike", "dim")


def _line(row: Aligned, screen: Screen) -> str:
    sign = "+" if row.left is None else "-" if row.right is None else "~" if row.marks else " "
    took = _took(row, screen)
    said = ", ".join(_said(row, screen))
    beginning = f"{sign} {'  ' * min(row.level, screen.width // 4)}"
    room = screen.width - columns_of(beginning) - columns_of(took) - (2 if took else 0)
    name = screen.cut(one_line(row.name), max(room, 8))
    said = screen.cut(said, max(room - columns_of(name) - 2, 0))
    parts = [
        screen.paint(beginning + name, _COLOURS[sign] or "bold"),
        screen.paint(said, "yellow"),
        took,
    ]
    return "  ".join(part for part in parts if part)


def _said(row: Aligned, screen: Screen) -> Iterator[str]:
    """Yield what differs in a pair: the status, how long it took, the places of the payload."""
    if row.left is None or row.right is None:
        return
    if "status" in row.marks:
        yield f"{row.left.status} {screen.arrow} {row.right.status}"
    yield from (mark for mark in row.marks if mark in _TIMING)
    yield from map(one_line, row.paths)


def _took(row: Aligned, screen: Screen) -> str:
    left, right = _duration(row.left), _duration(row.right)
    if not (left and right) or left == right:
        return left or right
    return f"{left} {screen.arrow} {right}"


def _duration(span: AgentSpan | None) -> str:
    return "" if span is None else between(span.started_at, span.finished_at)


def _summary(rows: Sequence[Aligned]) -> str:
    marks = [mark for row in rows for mark in row.marks]
    counted = [
        (marks.count("added"), "added"),
        (marks.count("removed"), "removed"),
        (marks.count("status"), "with another status"),
        (sum(bool({"payload", "result_payload"} & set(row.marks)) for row in rows), "different"),
        (marks.count("slower"), "slower"),
        (marks.count("faster"), "faster"),
    ]
    told = ", ".join(f"{count} {what}" for count, what in counted if count)
    return told or "no differences"
