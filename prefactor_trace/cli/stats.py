"""``prefactor-trace stats``: what the spans of each type have in common."""

import argparse
from collections.abc import Iterator, Sequence
from typing import TextIO

from prefactor_trace.cli import columns
from prefactor_trace.cli.amounts import duration
from prefactor_trace.cli.database import database_path, open_existing
from prefactor_trace.cli.ending import DONE
from prefactor_trace.cli.progress import Progress
from prefactor_trace.cli.runs import ago, find
from prefactor_trace.cli.terminal import Screen, one_line, write, write_json
from prefactor_trace.server._statistics import TypeStatistics, read_statistics

_TITLES = ("TYPE", "SPANS", "FAILED", "OPEN", "P50", "P95", "TOKENS", "IN", "OUT")
_LONGEST_NAME = 48


def stats(arguments: argparse.Namespace, out: TextIO) -> int:
    """Print a line for each type of span."""
    path = database_path(arguments.db)
    since = ago(arguments.since)
    with open_existing(path) as store:
        run = find(arguments.id, store).id if arguments.id else None
        with Progress("reading spans") as progress, store.reading() as db:
            found = read_statistics(
                db, instance_id=run, agent=arguments.agent, since=since, progress=progress.at
            )
    if arguments.json:
        write_json(out, [one.as_json() for one in found])
    elif not found:
        is_narrowed = run or arguments.agent or since is not None
        write(out, f"no such spans in {path}" if is_narrowed else f"no spans in {path}")
    else:
        for line in table(found, Screen.of(out)):
            write(out, line)
    return DONE


def table(found: Sequence[TypeStatistics], screen: Screen) -> Iterator[str]:
    """Yield the lines of a table of types; without the columns of tokens where there are none."""
    shown = _TITLES if any(one.tokens for one in found) else _TITLES[:6]
    yield from columns.lines(
        shown,
        [_cells(one, screen)[: len(shown)] for one in found],
        screen,
        right=shown[1:],
        give_way=["TYPE"],
        colour=lambda title, row: "red" if title == "FAILED" and row[2] != "0" else "",
    )


def _cells(one: TypeStatistics, screen: Screen) -> tuple[str, ...]:
    tokens = ["", "", ""]
    if one.tokens is not None:
        numbers = one.tokens.total, one.tokens.input, one.tokens.output
        tokens = ["-" if number is None else str(number) for number in numbers]
    return (
        screen.cut(one_line(one.schema_name), screen.at_most(_LONGEST_NAME)),
        str(one.count),
        str(one.failed),
        str(one.open),
        _took(one.percentile(0.5)),
        _took(one.percentile(0.95)),
        *tokens,
    )


def _took(seconds: float | None) -> str:
    return "-" if seconds is None else duration(seconds)
