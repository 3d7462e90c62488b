"""What an action works with: one write transaction of the store, and what was read in it."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from prefactor_trace._pfid import is_pfid
from prefactor_trace.server import _json
from prefactor_trace.server._rows import SPAN_COLUMNS, SpanRow
from prefactor_trace.server._schemas import DeclaredSchemas, read_declared
from prefactor_trace.server._timestamps import Clock, spell

_MAX_CACHED_SCHEMAS = 64
_INSERT_SPAN = (
    f"INSERT INTO agent_spans ({SPAN_COLUMNS}) "  # noqa: S608
    f"VALUES ({', '.join('?' * len(SpanRow._fields))}) ON CONFLICT (id) DO NOTHING"
)


class Run(NamedTuple):
    """What an action on a span needs to know of its instance."""

    agent_id: str
    schema_version_id: str
    status: str
    termination_reason: str | None


class Transaction:
    """One write transaction of the store.

    What was read in it holds until its end, since nobody else writes meanwhile: many items of a
    bulk request ask for the same few records.

    Attributes:
        new_id: Makes a PFID of the account's partition.
        session: What groups the instances that are registered in it, if anything.
        is_brief: Whether answers on spans leave the spans out, which nobody looks at.
        now: Timestamp of the item that is carried out.
    """

    def __init__(
        self,
        db: sqlite3.Connection,
        *,
        account_id: str,
        new_id: Callable[[], str],
        clock: Clock,
        schemas: dict[str, DeclaredSchemas],
        session: str | None = None,
        is_brief: bool = False,
    ) -> None:
        self.db = db
        self.account_id = account_id
        self.new_id = new_id
        self.session = session
        self.is_brief = is_brief
        self.now = ""
        self._clock = clock
        self._schemas = schemas
        self._runs: dict[str, Run] = {}
        self._run_of_span: dict[str, str] = {}

    def begin_item(self) -> None:
        """Let the time go on, for the next item."""
        self.now = spell(self._clock())

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Undo what was written in the block where it raises.

        For an item that may be refused after it has written; others look first, and then write.
        """
        self.db.execute("SAVEPOINT item")
        try:
            yield
        except BaseException:
            if self.db.in_transaction:  # on a full disk SQLite has undone all of it by itself
                self.db.execute("ROLLBACK TO item")
                self.db.execute("RELEASE item")
            raise
        self.db.execute("RELEASE item")

    def update(self, table: str, id: str, changes: Mapping[str, Any]) -> None:
        """Change some columns of a record."""
        columns = ", ".join(f"{column} = ?" for column in changes)
        self.db.execute(
            f"UPDATE {table} SET {columns} WHERE id = ?",  # noqa: S608
            (*changes.values(), id),
        )
        if table == "agent_instances":
            self._runs.pop(id, None)

    def find_run(self, instance_id: str) -> Run | None:
        """Return what is to be known of an instance, `None` when it is not there."""
        run = self._runs.get(instance_id)
        if run is None:
            row = self.db.execute(
                "SELECT agent_id, agent_schema_version_id, status, termination_reason "
                "FROM agent_instances WHERE id = ?",
                (instance_id,),
            ).fetchone()
            if row is None:
                return None
            run = self._runs[instance_id] = Run(*row)
        return run

    def run_of_span(self, span_id: str) -> str | None:
        """Return the id of the instance that a span belongs to, `None` when it is not there."""
        instance_id = self._run_of_span.get(span_id)
        if instance_id is None and is_pfid(span_id):
            row = self.db.execute(
                "SELECT agent_instance_id FROM agent_spans WHERE id = ?", (span_id,)
            ).fetchone()
            if row is not None:
                instance_id = self._run_of_span[span_id] = row[0]
        return instance_id

    def insert_span(self, span: SpanRow) -> bool:
        """Put a new span in; return whether its id was free."""
        is_new = self.db.execute(_INSERT_SPAN, span).rowcount == 1
        if is_new:
            self._run_of_span[span.id] = span.agent_instance_id
        return is_new

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
