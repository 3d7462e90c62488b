"""Deleting old runs, and giving their space on the disk back."""

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from prefactor_trace.server._agents import of_agent
from prefactor_trace.server._database import is_busy, open_database, patiently
from prefactor_trace.server._reading import silent_since
from prefactor_trace.server._search import SEARCH_TABLES
from prefactor_trace.server.store import Store

_KEYS_AT_ONCE = 20_000  # of one transaction, so that an agent that writes waits a moment only
_LONGEST_HEAD = 2_000
# Stored answers begin so. A quote within a value is escaped, so no agent can write one of these.
_OF_INSTANCE = re.compile(r'\{"status":"success","details":\{"type":"agent_instance","id":"(\w+)"')
_OF_SPAN = re.compile(r'"agent_instance_id":"(\w+)"')
# Of a span that has ended, only its id is stored.
_OF_GONE_SPANS = """DELETE FROM idempotency_keys WHERE key > ? AND key <= ?
AND answer NOT LIKE '{%' AND NOT EXISTS (SELECT 1 FROM agent_spans WHERE id = answer)"""

_ENDED = "finished_at IS NOT NULL AND finished_at < :before"
_UNUSED_SCHEMAS = """DELETE FROM agent_schema_versions
WHERE id NOT IN (SELECT agent_schema_version_id FROM agent_instances)"""
_UNUSED_VERSIONS = """DELETE FROM agent_versions
WHERE id NOT IN (SELECT agent_version_id FROM agent_instances)
AND id NOT IN (
    SELECT current_version_id FROM agent_deployments WHERE current_version_id IS NOT NULL
)"""


class OldRun(NamedTuple):
    """A run that has been over, or without any news, for long."""

    id: str
    spans: int


def find_old(
    db: sqlite3.Connection, before: str, *, agent: str | None = None, open: bool = False
) -> list[OldRun]:
    """Return the runs that ended before a moment, the oldest first.

    Args:
        db: Connection that is read from.
        before: The moment, in its stored spelling.
        agent: Only runs of agents with this name or id.
        open: Also runs that have not ended, where nothing was heard of them since.
    """
    wanted = f"({_ENDED} OR {silent_since(':before')})" if open else _ENDED
    if agent is not None:
        wanted += f" AND {of_agent(':agent')}"
    rows = db.execute(
        "SELECT id, (SELECT count(*) FROM agent_spans "  # noqa: S608
        f"WHERE agent_instance_id = agent_instances.id) FROM agent_instances WHERE {wanted} "
        "ORDER BY number",
        {"before": before, "agent": agent},
    )
    return [OldRun(*row) for row in rows]


def delete_runs(store: Store, runs: Sequence[OldRun], progress: Callable[[int], None]) -> None:
    """Delete runs with all that belongs to them alone.

    Each run goes as a whole or not at all: whatever ends this early, the rest can be deleted later.
    """
    for number, run in enumerate(runs, 1):
        with store.writing() as transaction:
            # Numbers of rows are used again: what the search knows of them would be wrong. It is
            # made anew by whoever searches, which may be between two of these runs.
            for table in SEARCH_TABLES:
                transaction.db.execute(f"DROP TABLE IF EXISTS {table}")
            transaction.db.execute("DELETE FROM agent_spans WHERE agent_instance_id = ?", (run.id,))
            transaction.db.execute("DELETE FROM agent_instances WHERE id = ?", (run.id,))
        progress(number)
    _delete_keys(store)
    with store.writing() as transaction:
        # Versions of which no run is left, but for those that are an agent's current one.
        transaction.db.execute(_UNUSED_SCHEMAS)
        transaction.db.execute(_UNUSED_VERSIONS)


def _delete_keys(store: Store) -> None:
    """Delete the answers to requests about runs that are not there any more."""
    is_there: dict[str, bool] = {}
    last = ""
    while True:
        with store.writing() as transaction:
            db = transaction.db
            rows = db.execute(
                "SELECT key, substr(answer, 1, ?) FROM idempotency_keys WHERE key > ? "
                "ORDER BY key LIMIT ?",
                (_LONGEST_HEAD, last, _KEYS_AT_ONCE),
            ).fetchall()
            if not rows:
                return
            db.execute(_OF_GONE_SPANS, (last, rows[-1][0]))
            last = rows[-1][0]
            db.executemany("DELETE FROM idempotency_keys WHERE key = ?", _gone(db, rows, is_there))


def _gone(
    db: sqlite3.Connection, rows: Sequence[tuple[str, str]], is_there: dict[str, bool]
) -> Iterator[tuple[str]]:
    """Yield the keys of stored answers whose run is not there."""
    for key, head in rows:
        found = _OF_INSTANCE.match(head) or _OF_SPAN.search(head)
        if found is None:
            continue
        run = found[1]
        if run not in is_there:
            known = db.execute("SELECT 1 FROM agent_instances WHERE id = ?", (run,))
            is_there[run] = known.fetchone() is not None
        if not is_there[run]:
            yield (key,)


def give_space_back(path: Path) -> None:
    """Make the file as small as what is in it.

    Raises:
        DatabaseError: Other processes have kept the database busy.
        sqlite3.Error: There is no room for the copy that this takes.
    """
    for _ in patiently(path):
        if _is_compacted(path):
            return


def _is_compacted(path: Path) -> bool:
    """Make the file smaller, unless others are in the way for the moment."""
    try:
        connection = open_database(path)
        try:
            (free,) = connection.execute("PRAGMA freelist_count").fetchone()
            if free:
                connection.execute("VACUUM")
            # Until then the smaller database is in the log, beside the larger file.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            connection.close()
    except sqlite3.OperationalError as error:
        if not is_busy(error):
            raise
        return False
    return True


def size_of(path: Path) -> int:
    """Return the bytes of a database on the disk, its log included."""
    files = (path, Path(f"{path}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())
