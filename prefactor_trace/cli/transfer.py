"""``prefactor-trace export`` and ``import``: runs as files."""

import argparse
import contextlib
import io
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import TextIO

from prefactor_trace.cli.amounts import counted
from prefactor_trace.cli.database import database_path, open_existing, user_path
from prefactor_trace.cli.ending import DONE, MISUNDERSTOOD, CommandError
from prefactor_trace.cli.progress import Progress
from prefactor_trace.cli.runs import find
from prefactor_trace.cli.terminal import write, write_json
from prefactor_trace.server import Store
from prefactor_trace.server._export import export_runs
from prefactor_trace.server._import import import_lines


def export(arguments: argparse.Namespace, out: TextIO) -> int:
    """Write runs in a format: those that are named, else all of them, the oldest first."""
    with open_existing(database_path(arguments.db)) as store:
        if arguments.ids:
            runs = [find(prefix, store).id for prefix in arguments.ids]
        else:
            with store.reading() as db:
                rows = db.execute("SELECT id FROM agent_instances ORDER BY number")
                runs = [row[0] for row in rows]
        if arguments.output is None:
            _use_utf8(out)
            _write(arguments.format, runs, store, out)
        else:
            path = user_path(arguments.output)
            with path.open("w", encoding="utf-8") as file:
                _write(arguments.format, runs, store, file)
            write(out, f"{counted(len(runs), 'run')} written to {path}")
    return DONE


def _write(name: str, runs: list[str], store: Store, stream: TextIO) -> None:
    with Progress("exporting", len(runs)) as progress:
        stream.writelines(export_runs(store, _noted(runs, progress), name))


def _noted(runs: list[str], progress: Progress) -> Iterator[str]:
    for number, run in enumerate(runs, 1):
        yield run
        progress.at(number)


def import_(arguments: argparse.Namespace, out: TextIO) -> int:
    """Put the runs of a file into the database."""
    try:
        # First the file: without one, no database is made.
        with _opened(arguments.file) as lines, Store(database_path(arguments.db)) as store:
            done = import_lines(store, lines)
    except UnicodeDecodeError:
        raise CommandError(f"{arguments.file} is no text in UTF-8") from None
    except ValueError as error:
        raise CommandError(f"{arguments.file}: {error}") from None
    if arguments.json:
        write_json(out, done._asdict())
    else:
        what = f"{counted(done.runs, 'run')} with {counted(done.spans, 'span')}"
        write(out, f"{what} imported, {done.known} known already")
    return DONE


def _opened(name: str) -> AbstractContextManager[TextIO]:
    if name != "-":
        return user_path(name).open(encoding="utf-8")
    if sys.stdin is None:  # as a shell's `<&-` leaves a process
        raise CommandError("there is no standard input", MISUNDERSTOOD)
    _use_utf8(sys.stdin)
    return contextlib.nullcontext(sys.stdin)


def _use_utf8(stream: TextIO) -> None:
    """Read or write UTF-8, as files of runs are, whatever the language of the machine."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding="utf-8", errors="strict")
