"""A connection to the database that threads share, and that no fork copies."""

import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from prefactor_trace import _forks
from prefactor_trace.exceptions import DatabaseError
from prefactor_trace.server._database import is_busy, open_database, open_to_read, patiently

if TYPE_CHECKING:
    from typing_extensions import Self

_all: "weakref.WeakSet[SharedConnection]" = weakref.WeakSet()
_paused: "list[SharedConnection]" = []
_opening = threading.RLock()  # held while a connection is made, which a fork waits for


class SharedConnection:
    """A connection to a database, opened when it is needed and not at all during a fork."""

    def __init__(self, path: Path, *, read_only: bool) -> None:
        self.path = path
        self._read_only = read_only
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._closed = False
        _all.add(self)  # before it is opened, or a fork would not know of it

    def _look_at(self, connection: sqlite3.Connection) -> None:
        """Read what has to be known before a new connection is used; for who inherits from this."""

    def close(self) -> None:
        """Close the database; doing so again is harmless."""
        with self._lock:
            self._closed = True
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _begun(self, statement: str) -> Iterator[sqlite3.Connection]:
        """Give the connection in a new transaction, to one thread at a time."""
        # Between the tries the lock is free: a fork, which takes it, must not hold up the agent
        # for as long as another process holds the database.
        for _ in patiently(self.path):
            with self._lock:
                connection = self._try_to_begin(statement)
                if connection is not None:
                    yield connection
                    return

    def _try_to_begin(self, statement: str) -> sqlite3.Connection | None:
        if self._closed:
            raise DatabaseError(f"the store of {self.path} is closed")
        try:
            connection = self._connection or self._connect()
            connection.execute(statement)
            # A transaction that was not begun to write begins only when it reads.
            connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        except sqlite3.OperationalError as error:
            if self._connection is not None and self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            if not is_busy(error):
                raise
            return None
        return connection

    def _connect(self) -> sqlite3.Connection:
        with _opening:
            connection = (open_to_read if self._read_only else open_database)(self.path)
            try:
                self._look_at(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
            return connection

    def _pause(self) -> None:
        self._lock.acquire()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _resume_in_child(self) -> None:
        self._lock = threading.RLock()


# SQLite counts the locks of a process in memory, which a fork copies, while the locks themselves
# stay with the parent: a child that goes on, even with a new connection, could lose what it writes.
# So no connection is open, and no thread inside one, at the moment of a fork.


def _every() -> "list[SharedConnection]":
    while True:
        with suppress(RuntimeError):  # another thread has made one meanwhile
            return list(_all)


def _rest() -> None:
    while True:
        for one in [one for one in _every() if one not in _paused]:
            one._pause()
            _paused.append(one)
        _opening.acquire()  # until after the fork
        if all(one in _paused or one._connection is None for one in _every()):
            return
        _opening.release()  # one was made and opened meanwhile


def _go_on() -> None:
    while _paused:
        _paused.pop()._lock.release()
    with suppress(RuntimeError):  # where it was interrupted before it was taken
        _opening.release()


def _go_on_in_child() -> None:
    global _opening  # noqa: PLW0603
    _opening = threading.RLock()
    _paused.clear()
    for one in _every():
        one._resume_in_child()


_forks.add(_forks.Rest(_rest, _go_on, _go_on_in_child))
