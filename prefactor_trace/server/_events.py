"""Server-sent events: a line to every open page when something in the database has changed."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from prefactor_trace.server._database import open_to_read

LOOK_EVERY = 0.25
"""Seconds between two looks at the database, which cost microseconds each."""

_BEAT_EVERY = 15.0  # seconds of silence after which a page, or a proxy, would give up


def events(path: Path, closing: threading.Event) -> Iterator[bytes]:
    """Yield events for as long as a page listens: one at once, one with each change.

    An event tells only that there is news: what a page shows it asks for itself, also after it was
    cut off.
    """
    yield b"retry: 1000\n\n"
    connection = open_to_read(path)
    try:
        seen, number, silent = -1, 0, 0.0
        while True:
            version = _version(connection)
            if version != seen:
                seen, number, silent = version, number + 1, 0.0
                yield b"id: %d\nevent: change\ndata: {}\n\n" % number
            elif silent >= _BEAT_EVERY:
                silent = 0.0
                yield b": still here\n\n"
            if closing.wait(LOOK_EVERY):
                return
            silent += LOOK_EVERY
    finally:
        connection.close()


def _version(connection: sqlite3.Connection) -> int:
    """Return a number that changes when anybody else has changed the database."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])
