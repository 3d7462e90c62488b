"""The trees of everything that one command started."""

from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from prefactor_trace.cli.terminal import Screen, write
from prefactor_trace.cli.tree import header, quality_lines, span_lines
from prefactor_trace.server import InstanceSummary, Store

_MOST_INSTANCES = 20
_MOST_SPANS = 200  # of one instance; `show` has no limit


def print_session(session: str, database: Path, stream: TextIO) -> int:
    """Print the tree of each instance of a session; return how many there are.

    Raises:
        DatabaseError: The database cannot be used.
    """
    # What a program did is one line a step also in a log, where its own output is.
    screen = Screen.of(stream, pipe_width=Screen().width)
    with Store(database, read_only=True) as store:
        newest = store.list_instances(limit=_MOST_INSTANCES + 1, session=session)
        instances = newest[:_MOST_INSTANCES][::-1]
        for instance in instances:
            for line in instance_lines(instance, store, screen, _MOST_SPANS):
                write(stream, line)
        if len(newest) > len(instances):
            write(stream, f"{screen.ellipsis} and older ones: prefactor-trace ls")
    return len(instances)


def instance_lines(
    instance: InstanceSummary, store: Store, screen: Screen, limit: int | None = None
) -> Iterator[str]:
    """Yield the lines of one instance: its own, then its spans'."""
    yield header(instance, screen)
    yield from quality_lines(instance, screen)
    yield from span_lines(store.list_spans(instance.id), screen, limit)
    if limit is not None and instance.span_counts.total > limit:
        yield f"  all of them: prefactor-trace show {instance.id}"
