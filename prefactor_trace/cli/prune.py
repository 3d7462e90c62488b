"""``prefactor-trace prune``: delete old runs."""

import argparse
import sqlite3
from datetime import datetime, timezone
from typing import TextIO

from prefactor_trace.cli.codes import DONE
from prefactor_trace.cli.complaint import CommandError
from prefactor_trace.cli.database import database_path, open_existing
from prefactor_trace.cli.progress import Progress
from prefactor_trace.cli.terminal import write, write_json
from prefactor_trace.server import Store
from prefactor_trace.server._prune import delete_runs, find_old, give_space_back, size_of
from prefactor_trace.server._timestamps import spell


def prune(arguments: argparse.Namespace, out: TextIO) -> int:
    """Delete the runs that are older than an age, and say how much that was."""
    path = database_path(arguments.db)
    before = spell(datetime.now(timezone.utc) - arguments.older_than)
    with open_existing(path) as store, store.reading() as db:
        runs = find_old(db, before, agent=arguments.agent, open=arguments.open)
    spans = sum(run.spans for run in runs)
    size = size_of(path)
    if not arguments.dry_run:
        with Store(path) as store, Progress("deleting runs", len(runs)) as progress:
            delete_runs(store, runs, progress.at)
        try:
            give_space_back(path)
        except sqlite3.Error as error:
            raise CommandError(
                f"{_counted(len(runs), spans)} are deleted, but their space is not given back: "
                f"{error}; new runs will use it, and the next prune tries again"
            ) from None
    given_back = max(size - size_of(path), 0)
    if arguments.json:
        found = {"instances": [run.id for run in runs], "spans": spans}
        write_json(out, {**found, "bytes": given_back, "dry_run": arguments.dry_run})
    elif arguments.dry_run:
        write(out, f"{_counted(len(runs), spans)} would be deleted")
        for run in runs:
            write(out, run.id)
    else:
        write(out, f"{_counted(len(runs), spans)} deleted, {_size(given_back)} given back")
    return DONE


def _counted(runs: int, spans: int) -> str:
    return f"{runs} run{'' if runs == 1 else 's'} with {spans} span{'' if spans == 1 else 's'}"


def _size(count: int) -> str:
    if count < 1024:
        return f"{count} bytes"
    if count < 2**20:
        return f"{count / 2**10:.1f} KiB"
    return f"{count / 2**20:,.1f} MiB"
