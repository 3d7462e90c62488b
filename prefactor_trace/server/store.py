"""The store of the embedded Prefactor: one SQLite file, shared by threads and processes."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prefactor_trace._pfid import PfidSource, partition_of
from prefactor_trace.models import AgentSpan
from prefactor_trace.server import _instances, _reading
from prefactor_trace.server._connection import SharedConnection
from prefactor_trace.server._reading import InstanceSummary
from prefactor_trace.server._refusal import Refusal
from prefactor_trace.server._schemas import DeclaredSchemas
from prefactor_trace.server._timestamps import Clock, utc_now
from prefactor_trace.server._transaction import Transaction


class Store(SharedConnection):
    """Everything that the embedded Prefactor keeps.

    One store may be used from any thread, and one file from several processes at once. After a fork
    parent and child go on, each with a connection of its own.

    Args:
        path: The database, which is made when missing, readable by its owner alone.
        read_only: Change nothing, not even make the file; a write-protected one will do.
        clock: Gives the time in UTC, for tests.
        ids: Makes PFIDs, for tests.

    Raises:
        DatabaseError: The file cannot be used; the message says why.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        read_only: bool = False,
        clock: Clock = utc_now,
        ids: Callable[[], str] | None = None,
    ) -> None:
        super().__init__(Path(path), read_only=read_only)
        self._clock = clock
        self._ids = ids
        self._schemas: dict[str, DeclaredSchemas] = {}
        self.account_id = ""
        self._new_id = ids or PfidSource()
        with self.reading():
            pass

    def _look_at(self, connection: sqlite3.Connection) -> None:
        account_id = self._find_account(connection)
        if account_id != self.account_id:
            self.account_id = account_id
            self._new_id = self._ids or PfidSource(partition_of(account_id))

    def _find_account(self, connection: sqlite3.Connection) -> str:
        row = connection.execute("SELECT id FROM account").fetchone()
        if row is None and not self._read_only:
            # Only one of several processes that make the database together names the account.
            connection.execute(
                "INSERT INTO account SELECT ? WHERE NOT EXISTS (SELECT 1 FROM account)",
                (self._new_id(),),
            )
            row = connection.execute("SELECT id FROM account").fetchone()
        return "" if row is None else str(row[0])

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give a connection to read from, which sees one state of the database throughout."""
        with self._begun("BEGIN") as connection:
            try:
                yield connection
            finally:
                connection.execute("ROLLBACK")

    @contextmanager
    def writing(
        self, session: str | None = None, *, is_brief: bool = False
    ) -> Iterator[Transaction]:
        """Give a transaction, which is kept when the block ends and undone when it raises.

        Args:
            session: What groups the instances that are registered in it.
            is_brief: Whether answers on spans leave the spans out.
        """
        with self._begun("BEGIN IMMEDIATE") as connection:
            try:
                yield Transaction(
                    connection,
                    account_id=self.account_id,
                    new_id=self._new_id,
                    clock=self._clock,
                    schemas=self._schemas,
                    session=session,
                    is_brief=is_brief,
                )
                connection.execute("COMMIT")
            except BaseException:
                # A full disk has made SQLite roll back on its own.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def new_ids(self, count: int) -> list[str]:
        """Return new PFIDs of the account's partition."""
        with self._lock:
            return [self._new_id() for _ in range(count)]

    def list_instances(
        self,
        *,
        limit: int = 50,
        offset: int = 0,
        session: str | None = None,
        status: str | None = None,
        agent: str | None = None,
        since: str | None = None,
        failed: bool = False,
        silent: str | None = None,
    ) -> list[InstanceSummary]:
        """Return instances, the newest first.

        Args:
            limit: How many at most.
            offset: How many to leave out at the beginning.
            session: What groups those that one command started.
            status: Only those that stand there.
            agent: Only those of agents with this name or id.
            since: Only those registered then, in ISO 8601 in UTC, or later.
            failed: Only those that failed, or of which a span did.
            silent: Only those that are not over, and of which nothing was heard since then, in
                ISO 8601 in UTC.
        """
        with self.reading() as db:
            return _reading.read_instances(
                db,
                limit=limit,
                offset=offset,
                agent=agent,
                since=since,
                failed=failed,
                silent=silent,
                session=session,
                status=status,
            )

    def find_instances(self, prefix: str) -> list[str]:
        """Return the ids of instances that start with `prefix`, at most a handful."""
        with self.reading() as db:
            return _reading.find_ids(db, prefix)

    def find_spans(self, prefix: str) -> dict[str, str]:
        """Return a few of the spans whose ids start with `prefix`: id to that of the instance."""
        with self.reading() as db:
            return _reading.find_spans(db, prefix)

    def get_instance(self, id: str) -> InstanceSummary | None:
        """Return an instance, `None` when it is not there."""
        with self.reading() as db:
            return _reading.read_instance(db, id)

    def list_spans(self, instance_id: str) -> list[AgentSpan]:
        """Return the spans of an instance in the order of their start."""
        with self.reading() as db:
            return _reading.read_spans(db, self.account_id, instance_id)

    def read_declarations(self, instance_id: str) -> dict[str, Any]:
        """Return the `agent_version` and `agent_schema_version` that a run registered with.

        Raises:
            LookupError: There is no such instance.
        """
        with self.reading() as db:
            row = db.execute(
                "SELECT agent_versions.content, agent_schema_versions.content FROM agent_instances "
                "JOIN agent_versions ON agent_versions.id = agent_version_id "
                "JOIN agent_schema_versions ON agent_schema_versions.id = agent_schema_version_id "
                "WHERE agent_instances.id = ?",
                (instance_id,),
            ).fetchone()
        if row is None:
            raise LookupError(instance_id)
        return {"agent_version": json.loads(row[0]), "agent_schema_version": json.loads(row[1])}

    def terminate(
        self, instance_id: str, reason: str | None = None, *, at: str | None = None
    ) -> None:
        """End a run as the platform does: its spans' answers tell the agent to stop.

        Args:
            instance_id: Id of the run.
            reason: What the agent is told.
            at: When it ended, in ISO 8601; now when missing.

        Raises:
            LookupError: There is no such instance.
            ValueError: It has ended already.
        """
        try:
            with self.writing() as transaction:
                transaction.begin_item()
                _instances.terminate(transaction, instance_id, reason, at)
        except Refusal as refusal:
            kind = LookupError if refusal.status == 404 else ValueError
            raise kind(str(refusal)) from None

    def _resume_in_child(self) -> None:
        super()._resume_in_child()
        if isinstance(self._new_id, PfidSource):
            self._new_id.reset()
