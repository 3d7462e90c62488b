"""Search in names, payloads and results: SQLite's FTS5, brought up to date when it is asked.

Agents that record do not pay for it. Where SQLite was built without FTS5, the text is looked
through instead.
"""

from __future__ import annotations

import re
import sqlite3

from prefactor_trace.server.store import Store

MOST = 500
"""Runs that are found at most."""

SEARCH_TABLES = ("span_search", "span_search_state")
"""What is made when somebody first searches."""

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
_NEW = """SELECT number, status IN ('pending', 'active') FROM agent_spans
WHERE number > (SELECT coalesce(max(number), 0) FROM span_search_state) ORDER BY number LIMIT ?"""
_ENDED = """SELECT span_search_state.number FROM span_search_state
JOIN agent_spans USING (number) WHERE is_open AND status NOT IN ('pending', 'active')"""


def find_runs(store: Store, text: str) -> list[str]:
    """Return the ids of the runs that hold all the words of a text in one span, the newest first.

    Args:
        store: Where they are.
        text: Words; the beginning of one is enough.
    """
    words = _WORD.findall(text)[:16]
    if not words:
        return []
    try:
        _catch_up(store)
        return _look_up(store, words)
    except sqlite3.OperationalError as error:
        # The table is gone again where old runs are deleted right now.
        if "fts5" not in str(error) and "no such table: span_search" not in str(error):
            raise
        return _look_through(store, words)


def _look_up(store: Store, words: list[str]) -> list[str]:
    query = " ".join(f'"{word}"*' for word in words)
    with store.reading() as db:
        rows = db.execute(
            "SELECT agent_instance_id FROM span_search JOIN agent_spans "
            "ON agent_spans.number = span_search.rowid WHERE span_search MATCH ? "
            "GROUP BY agent_instance_id ORDER BY max(agent_spans.number) DESC LIMIT ?",
            (query, MOST),
        )
        return [row[0] for row in rows]


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


def _look_through(store: Store, words: list[str]) -> list[str]:
    wanted = " AND ".join(
        "instr(lower(schema_name || ' ' || payload || ' ' || coalesce(result_payload, '')), ?)"
        for _ in words
    )
    with store.reading() as db:
        rows = db.execute(
            f"SELECT agent_instance_id FROM agent_spans WHERE {wanted} "  # noqa: S608
            "GROUP BY agent_instance_id ORDER BY max(number) DESC LIMIT ?",
            (*(word.lower() for word in words), MOST),
        )
        return [row[0] for row in rows]
