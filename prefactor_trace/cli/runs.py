"""``prefactor-trace ls``: the runs that a database holds, and how one is named."""

import argparse
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from typing import Any, TextIO

from prefactor_trace.cli import columns
from prefactor_trace.cli.amounts import between, silence
from prefactor_trace.cli.database import database_path, open_existing
from prefactor_trace.cli.ending import DONE, CommandError
from prefactor_trace.cli.terminal import UNLIMITED, Screen, one_line, write, write_json
from prefactor_trace.cli.tree import STATUS_COLOURS
from prefactor_trace.server import InstanceSummary, Store
from prefactor_trace.server._timestamps import spell

_SHORTEST_ID = 10
_LONGEST_CELL = 32
_TITLES = ("ID", "AGENT", "VERSION", "STATUS", "STARTED", "TOOK", "SPANS", "FAILED")
_STATUS = _TITLES.index("STATUS")


def ls(arguments: argparse.Namespace, out: TextIO) -> int:
    """Print the newest runs, one on a line."""
    path = database_path(arguments.db)
    with open_existing(path) as store:
        instances = store.list_instances(
            limit=arguments.limit,
            status=arguments.status,
            agent=arguments.agent,
            since=ago(arguments.since),
            failed=arguments.failed,
            silent=ago(arguments.silent),
        )
    if arguments.json:
        write_json(out, [as_json(instance) for instance in instances])
    elif not instances:
        write(out, f"no run in {path} matches" if _is_narrowed(arguments) else f"no runs in {path}")
    else:
        for line in table(instances, Screen.of(out)):
            write(out, line)
    return DONE


def _is_narrowed(arguments: argparse.Namespace) -> bool:
    return any(
        getattr(arguments, name) not in (None, False)
        for name in ("status", "agent", "since", "failed", "silent")
    )


def ago(age: timedelta | None) -> str | None:
    """Return the moment that is as long ago as an age, in its stored spelling."""
    return None if age is None else spell(datetime.now(timezone.utc) - age)


def find(prefix: str, store: Store) -> InstanceSummary:
    """Return the instance whose id begins with `prefix`.

    Raises:
        CommandError: There is none, or more than one.
    """
    # Ids are ASCII; what is not even text, as an argument may be, SQLite would not take.
    found = store.find_instances(prefix.lower()) if prefix and prefix.isascii() else []
    instance = store.get_instance(found[0]) if len(found) == 1 else None
    if instance is not None:
        return instance
    if found:
        raise CommandError(f"{prefix!r} is the beginning of several ids: {', '.join(found)}")
    newest = [instance.id for instance in store.list_instances(limit=5)]
    there_are = f"the newest are {', '.join(newest)}" if newest else "there are no runs yet"
    raise CommandError(f"no run has an id that begins with {prefix!r}; {there_are}")


def table(instances: Sequence[InstanceSummary], screen: Screen) -> Iterator[str]:
    """Yield the lines of a table of runs, its titles first."""
    ids = [instance.id for instance in instances]
    short = shortest_unique(ids) if screen.width < UNLIMITED else max(map(len, ids), default=0)
    yield from columns.lines(
        _TITLES,
        [_cells(instance, short, screen) for instance in instances],
        screen,
        right=("TOOK", "SPANS", "FAILED"),
        give_way=("AGENT", "VERSION"),
        colour=lambda title, row: STATUS_COLOURS.get(row[_STATUS], "") if title == "STATUS" else "",
    )


def shortest_unique(ids: Sequence[str]) -> int:
    """Return how many characters tell all of `ids` apart, ten at least."""
    length = _SHORTEST_ID
    for one, other in itertools.pairwise(sorted(ids)):
        while one[:length] == other[:length] and length < len(one):
            length += 1
    return length


def _cells(instance: InstanceSummary, length: int, screen: Screen) -> tuple[str, ...]:
    longest = screen.at_most(_LONGEST_CELL)
    started = instance.started_at
    took = between(started, instance.finished_at)
    silent = silence(instance.heard_at)
    if not took and (silent or instance.status == "active"):
        took = f"silent {silent}" if silent else "open"
    return (
        instance.id[:length],
        screen.cut(one_line(instance.agent_name), longest),
        screen.cut(one_line(instance.agent_version or "-"), longest),
        instance.status,
        _told(started.astimezone(), screen) if started else "-",
        took or "-",
        str(instance.span_counts.total),
        str(instance.span_counts.failed),
    )


def _told(moment: datetime, screen: Screen) -> str:
    """Return a moment to the minute, on a terminal without the year where it is this one."""
    # With it, five columns of 80 are left for the name of the agent.
    is_clear = screen.width < UNLIMITED and moment.year == datetime.now(moment.tzinfo).year
    return f"{moment:%m-%d %H:%M}" if is_clear else f"{moment:%Y-%m-%d %H:%M}"


def as_json(instance: InstanceSummary) -> dict[str, Any]:
    """Return an instance as plain JSON types, moments as ISO 8601."""
    fields = {**asdict(instance), "span_counts": instance.span_counts.model_dump()}
    return {
        name: value.isoformat() if hasattr(value, "isoformat") else value
        for name, value in fields.items()
    }
