"""Search in names, payloads and results: SQLite's FTS5, brought up to date when it is asked.

Agents that record do not pay for it. Where SQLite was built without FTS5, the text is looked
through instead.
"""

from __future__ import annotations

import re
import sqlite3

from prefactor_trace.server._reading import find_ids
from prefactor_trace.server._reading import find_spans as find_ids_of_spans
from prefactor_trace.server._rows import IN_START_ORDER
from prefactor_trace.server.store import Store

MOST = 500
"""Runs that are found at most."""

SEARCH_TABLES = ("span_search", "span_search_state")
"""What is made when somebody first searches."""

MOST_SPANS = 10_000
"""Spans of a run that are found at most."""

_SHORTEST_ID = 8  # fewer characters are a word
_ROWS_AT_ONCE = 5_000  # of one transaction, so that an agent that writes waits a moment only
_WORD = re.compile(r"\w+")
_TABLES = """
CREATE VIRTUAL TABLE IF NOT EXISTS span_search USING fts5(
    schema_name, payload, result_payload, content='agent_spans', content_rowid='number'
);
CREATE TABLE IF NOT EXISTS span_search_state (
    number INTEGER PRIMARY KEY, is_open INTEGER NOT NULL
);
"""
_RUNS = (
    "SELECT agent_instance_id FROM span_search JOIN agent_spans "
    "ON agent_spans.number = span_search.rowid WHERE span_search MATCH ? "
    "GROUP BY agent_instance_id ORDER BY max(agent_spans.number) DESC LIMIT ?"
)
_RUNS_WITHOUT = (
    "SELECT agent_instance_id FROM agent_spans WHERE {wanted} "
    "GROUP BY agent_instance_id ORDER BY max(number) DESC LIMIT ?"
)
_IN_ORDER = f"AND agent_instance_id = ? {IN_START_ORDER} LIMIT ?"
# A join would ask the index once for each span of the run.
_SPANS = (
    "SELECT id FROM agent_spans "  # noqa: S608
    f"WHERE number IN (SELECT rowid FROM span_search WHERE span_search MATCH ?) {_IN_ORDER}"
)
_SPANS_WITHOUT = f"SELECT id FROM agent_spans WHERE {{wanted}} {_IN_ORDER}"  # noqa: S608
_NEW = """SELECT number, status IN ('pending', 'active') FROM agent_spans
WHERE number > (SELECT coalesce(max(number), 0) FROM span_search_state) ORDER BY number LIMIT ?"""
_ENDED = """SELECT span_search_state.number FROM span_search_state
JOIN agent_spans USING (number) WHERE is_open AND status NOT IN ('pending', 'active')"""


def find_runs(store: Store, text: str) -> list[str]:
    """Return the ids of the runs that a text finds, the newest first.

    Those that hold all its words, or beginnings of them, in one span, those of agents with the text
    in their name, and where it is an id, or the beginning of one, the run that has it or has a span
    that does.
    """
    found = [row[0] for row in _find(store, text, _RUNS, _RUNS_WITHOUT, MOST)]
    wanted = text.strip()
    with store.reading() as db:
        found += (
            row[0]
            for row in db.execute(
                "SELECT id FROM agent_instances WHERE agent_id IN "
                "(SELECT id FROM agents WHERE instr(lower(name), lower(?))) "
                "ORDER BY number DESC LIMIT ?",
                (wanted, MOST),
            )
            if wanted
        )
        if len(wanted) >= _SHORTEST_ID:
            found += [*find_ids(db, wanted), *find_ids_of_spans(db, wanted).values()]
    return list(dict.fromkeys(found))


def find_spans(store: Store, instance_id: str, text: str) -> list[str]:
    """Return the ids of the spans of a run that hold all words, or beginnings of them, by start."""
    rows = _find(store, text, _SPANS, _SPANS_WITHOUT, instance_id, MOST_SPANS)
    return [row[0] for row in rows]


def _find(
    store: Store, text: str, statement: str, without: str, *values: object
) -> list[tuple[str]]:
    """Return the rows of a statement that is given words, or of the one that needs no FTS5."""
    words = _WORD.findall(text)[:16]
    if not words:
        return []
    try:
        _catch_up(store)
        query = " ".join(f'"{word}"*' for word in words)
        with store.reading() as db:
            return db.execute(statement, (query, *values)).fetchall()
    except sqlite3.OperationalError as error:
        # The table is gone again where old runs are deleted right now.
        if "fts5" not in str(error) and "no such table: span_search" not in str(error):
            raise
    wanted = " AND ".join(
        "instr(lower(schema_name || ' ' || payload || ' ' || coalesce(result_payload, '')), ?)"
        for _ in words
    )
    with store.reading() as db:
        lowered = [word.lower() for word in words]
        return db.execute(without.replace("{wanted}", wanted), (*lowered, *values)).fetchall()


def _catch_up(store: Store) -> None:
    while True:
        with store.writing() as transaction:
            db = transaction.db
            # Not `executescript`, which would end the transaction.
            for statement in _TABLES.split(";"):
                db.execute(statement)
            # What was open when it was taken in has a result now.
            for (number,) in db.execute(_ENDED).fetchall():
                _remove(db, number)
                _add(db, number)
                db.execute("UPDATE span_search_state SET is_open = 0 WHERE number = ?", (number,))
            rows = db.execute(_NEW, (_ROWS_AT_ONCE,)).fetchall()
            if not rows:
                return
            db.executemany("INSERT INTO span_search_state VALUES (?, ?)", rows)
            db.execute(
                "INSERT INTO span_search (rowid, schema_name, payload, result_payload) "
                "SELECT number, schema_name, payload, result_payload FROM agent_spans "
                "WHERE number BETWEEN ? AND ?",
                (rows[0][0], rows[-1][0]),
            )
            # Only the last number and what is open have to be known.
            db.execute(
                "DELETE FROM span_search_state WHERE NOT is_open AND number < ?", (rows[-1][0],)
            )


def _remove(db: sqlite3.Connection, number: int) -> None:
    # FTS5 is told what it had taken in: of an open span, no result.
    db.execute(
        "INSERT INTO span_search (span_search, rowid, schema_name, payload, result_payload) "
        "SELECT 'delete', number, schema_name, payload, NULL FROM agent_spans WHERE number = ?",
        (number,),
    )


def _add(db: sqlite3.Connection, number: int) -> None:
    db.execute(
        "INSERT INTO span_search (rowid, schema_name, payload, result_payload) "
        "SELECT number, schema_name, payload, result_payload FROM agent_spans WHERE number = ?",
        (number,),
    )
