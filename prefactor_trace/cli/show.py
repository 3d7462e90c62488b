"""``prefactor-trace show``: the tree of one run, or one span of it and all that it holds."""

import argparse
from collections.abc import Iterator, Sequence
from typing import TextIO

from prefactor_trace.cli.database import database_path, open_existing
from prefactor_trace.cli.ending import DONE, CommandError
from prefactor_trace.cli.runs import as_json, find
from prefactor_trace.cli.terminal import Screen, write, write_json
from prefactor_trace.cli.tree import Row, below, header, quality_lines, rows, span_line
from prefactor_trace.cli.whole import whole
from prefactor_trace.models import AgentSpan
from prefactor_trace.server import Store
from prefactor_trace.server._cancelled import shown


def show(arguments: argparse.Namespace, out: TextIO) -> int:
    """Print the tree of one run, the newest where none is named, or of one span."""
    path = database_path(arguments.db)
    with open_existing(path) as store:
        span_id = None
        if arguments.id is not None:
            span_id, instance_id = _find_span(arguments.id, store) or (None, arguments.id)
            instance = find(instance_id, store)
        elif newest := store.list_instances(limit=1):
            (instance,) = newest
        else:
            raise CommandError(f"no runs in {path}")
        spans = [shown(span) for span in store.list_spans(instance.id)]
    if arguments.json:
        told = [span for span in spans if span_id in (None, span.id)]
        dumped = [span.model_dump(mode="json") for span in told]
        write_json(out, {"instance": as_json(instance), "spans": dumped})
        return DONE
    screen = Screen.of(out)
    write(out, header(instance, screen))
    for line in quality_lines(instance, screen):
        write(out, line)
    for line in _lines(spans, span_id, screen, is_full=arguments.full):
        write(out, line)
    return DONE


def _find_span(prefix: str, store: Store) -> tuple[str, str] | None:
    """Return the span that is meant and its run, by their ids; ``None`` where none is.

    What a run's id begins with, too, means the run.

    Raises:
        CommandError: Several spans may be meant.
    """
    prefix = prefix.lower()
    if not prefix.isascii() or not prefix.isalnum() or store.find_instances(prefix):
        return None
    found = store.find_spans(prefix)
    if len(found) > 1:
        raise CommandError(f"{prefix!r} is the beginning of several spans: {', '.join(found)}")
    return next(iter(found.items()), None)


def _lines(
    spans: Sequence[AgentSpan], span_id: str | None, screen: Screen, *, is_full: bool
) -> Iterator[str]:
    """Yield the lines of spans, and of those that are shown whole what they hold.

    Args:
        spans: All of a run.
        span_id: The only one that is shown whole, with those above it and right below it.
        screen: Where the lines will be shown.
        is_full: Whether each one is shown whole.
    """
    for row in rows(spans if span_id is None else _around(spans, span_id)):
        is_whole = is_full or row.span.id == span_id
        yield span_line(row, screen, is_whole=is_whole)
        if is_whole:
            yield from _held(row, screen)


def _held(row: Row, screen: Screen) -> Iterator[str]:
    branches = screen.paint(below(row.last, screen), "dim")
    for line in whole(row.span, screen):
        yield f"{branches}  {line}"


def _around(spans: Sequence[AgentSpan], span_id: str) -> list[AgentSpan]:
    """Return a span, those above it and those right below it."""
    by_id = {span.id: span for span in spans}
    wanted = {span.id for span in spans if span.parent_span_id == span_id}
    above: str | None = span_id
    while above in by_id and above not in wanted:
        wanted.add(above)
        above = by_id[above].parent_span_id
    return [span for span in spans if span.id in wanted]
