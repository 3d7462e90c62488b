"""``prefactor-trace prune``: delete old runs."""

import argparse
import sqlite3
from datetime import datetime, timezone
from typing import TextIO

from prefactor_trace.cli.amounts import counted, size
from prefactor_trace.cli.database import database_path, open_existing
from prefactor_trace.cli.ending import DONE, CommandError
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
    what = f"{counted(len(runs), 'run')} with {counted(spans, 'span')}"
    size_before = size_of(path)
    if not arguments.dry_run:
        with Store(path) as store, Progress("deleting runs", len(runs)) as progress:
            delete_runs(store, runs, progress.at)
        try:
            give_space_back(path)
        except sqlite3.Error as error:
            raise CommandError(
                f"{what} are deleted, but their space is not given back: {error};"
                " new runs will use it, and the next prune tries again"
            ) from None
    given_back = max(size_before - size_of(path), 0)
    if arguments.json:
        found = {"instances": [run.id for run in runs], "spans": spans}
        write_json(out, {**found, "bytes": given_back, "dry_run": arguments.dry_run})
    elif arguments.dry_run:
        write(out, f"{what} would be deleted")
        for run in runs:
            write(out, run.id)
    else:
        write(out, f"{what} deleted, {size(given_back)} given back")
    return DONE
