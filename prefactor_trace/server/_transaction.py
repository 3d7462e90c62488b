"""What an action works with: one write transaction, and a savepoint for each item in it."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from prefactor_trace.server import _json
from prefactor_trace.server._fields import check_pfid
from prefactor_trace.server._refusal import invalid_field
from prefactor_trace.server._schemas import DeclaredSchemas, read_declared
from prefactor_trace.server._timestamps import Clock, spell

_MAX_CACHED_SCHEMAS = 64


class Transaction:
    """One write transaction of the store.

    Attributes:
        db: Connection that the transaction is open on.
        account_id: PFID of the account.
        new_id: Makes a PFID of the account's partition.
        session: What groups the instances that are registered in it, if anything.
        now: Timestamp of the item that is carried out.
    """

    __slots__ = ("_clock", "_schemas", "account_id", "db", "new_id", "now", "session")

    def __init__(
        self,
        db: sqlite3.Connection,
        *,
        account_id: str,
        new_id: Callable[[], str],
        clock: Clock,
        schemas: dict[str, DeclaredSchemas],
        session: str | None = None,
    ) -> None:
        self.db = db
        self.account_id = account_id
        self.new_id = new_id
        self.session = session
        self.now = ""
        self._clock = clock
        self._schemas = schemas

    @contextmanager
    def item(self) -> Iterator[None]:
        """Carry out one item: all of its changes are kept, or none when it raises."""
        self.now = spell(self._clock())
        self.db.execute("SAVEPOINT item")
        try:
            yield
        except BaseException:
            if self.db.in_transaction:  # on a full disk SQLite has undone all of it by itself
                self.db.execute("ROLLBACK TO item")
                self.db.execute("RELEASE item")
            raise
        self.db.execute("RELEASE item")

    def choose_id(self, table: str, wanted: str | None) -> str:
        """Return the id of a new record: the one that is wanted, a new one where none is.

        Raises:
            Refusal: It is no PFID, or another record of the table has it.
        """
        if wanted is None:
            return self.new_id()
        check_pfid("id", wanted)
        taken = self.db.execute(f"SELECT 1 FROM {table} WHERE id = ?", (wanted,))  # noqa: S608
        if taken.fetchone():
            raise invalid_field("id", "has already been taken")
        return wanted

    def update(self, table: str, id: str, changes: Mapping[str, Any]) -> None:
        """Change some columns of a record."""
        columns = ", ".join(f"{column} = ?" for column in changes)
        self.db.execute(
            f"UPDATE {table} SET {columns} WHERE id = ?",  # noqa: S608
            (*changes.values(), id),
        )

    def declared(self, schema_version_id: str) -> DeclaredSchemas:
        """Return what a schema version declares."""
        declared = self._schemas.get(schema_version_id)
        if declared is None:
            (content,) = self.db.execute(
                "SELECT content FROM agent_schema_versions WHERE id = ?", (schema_version_id,)
            ).fetchone()
            declared = read_declared(_json.read(content))
            # A schema version never changes, so what is kept is never stale.
            if len(self._schemas) >= _MAX_CACHED_SCHEMAS:
                self._schemas.clear()
            self._schemas[schema_version_id] = declared
        return declared
