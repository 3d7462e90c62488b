"""The file behind the embedded service: opening it, and saying clearly why it cannot be opened."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prefactor_trace.exceptions import DatabaseError
from prefactor_trace.server._cancelled import add_functions

APPLICATION_ID = 0x50464154  # "PFAT", so that a database of another program is never written to
SCHEMA_VERSION = 1
BUSY_SECONDS = 30.0
_OWN_BUSY_SECONDS = 0.02  # that SQLite waits by itself, at what cannot be tried again as a whole
_LONGEST_PAUSE = 0.05

_TABLES = """
CREATE TABLE account (id TEXT PRIMARY KEY);
CREATE TABLE agents (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, is_named_by_version INTEGER NOT NULL,
    inserted_at TEXT NOT NULL
);
CREATE UNIQUE INDEX agents_named_by_version ON agents (name) WHERE is_named_by_version;
CREATE TABLE environments (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE agent_versions (
    id TEXT PRIMARY KEY, agent_id TEXT NOT NULL, digest BLOB NOT NULL, content TEXT NOT NULL,
    external_identifier TEXT, UNIQUE (agent_id, digest)
);
CREATE TABLE agent_schema_versions (
    id TEXT PRIMARY KEY, agent_id TEXT NOT NULL, digest BLOB NOT NULL, content TEXT NOT NULL,
    external_identifier TEXT, UNIQUE (agent_id, digest)
);
CREATE TABLE agent_deployments (
    id TEXT PRIMARY KEY, agent_id TEXT NOT NULL, environment_id TEXT NOT NULL,
    current_version_id TEXT, UNIQUE (agent_id, environment_id)
);
CREATE TABLE agent_instances (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, agent_id TEXT NOT NULL,
    agent_version_id TEXT NOT NULL, agent_schema_version_id TEXT NOT NULL,
    environment_id TEXT NOT NULL, agent_deployment_id TEXT NOT NULL, status TEXT NOT NULL,
    purpose TEXT NOT NULL, external_identifier TEXT, termination_reason TEXT,
    quality_payloads TEXT NOT NULL DEFAULT '{}', quality_summaries TEXT NOT NULL DEFAULT '{}',
    session TEXT, inserted_at TEXT NOT NULL, updated_at TEXT NOT NULL, started_at TEXT,
    finished_at TEXT, UNIQUE (agent_id, external_identifier)
);
CREATE INDEX agent_instances_session ON agent_instances (session) WHERE session IS NOT NULL;
CREATE TABLE agent_spans (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, agent_instance_id TEXT NOT NULL,
    parent_span_id TEXT, schema_name TEXT NOT NULL, schema_title TEXT, status TEXT NOT NULL,
    payload TEXT NOT NULL, result_payload TEXT, summary TEXT, schema_validation TEXT,
    started_at TEXT, finished_at TEXT, inserted_at TEXT NOT NULL, updated_at TEXT NOT NULL
);
CREATE INDEX agent_spans_in_order
    ON agent_spans (agent_instance_id, coalesce(started_at, inserted_at), number);
CREATE INDEX agent_spans_status ON agent_spans (agent_instance_id, status);
CREATE TABLE idempotency_keys (
    key TEXT PRIMARY KEY, digest BLOB NOT NULL, answer TEXT NOT NULL
) WITHOUT ROWID;
"""


def patiently(path: Path) -> Iterator[None]:
    """Yield for each try to get at a database that others hold, with a pause in between.

    SQLite's own way of waiting cannot be broken off, and would hold up a fork of the process.

    Raises:
        DatabaseError: They have not let go of it for `BUSY_SECONDS`.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    pause = 0.001
    while time.monotonic() < deadline:
        yield
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
    raise DatabaseError(
        f"the database {path} has been locked by another process for {BUSY_SECONDS:g} seconds"
    )


def is_busy(error: sqlite3.Error) -> bool:
    """Return whether another connection is in the way, for the moment."""
    return "locked" in str(error)


def open_database(path: Path) -> sqlite3.Connection:
    """Return a connection to the database at `path`, which is made when missing.

    Nothing is written to one that is there: that would have to wait for its writers.

    Raises:
        DatabaseError: It cannot be opened, is not ours, or cannot be written to.
        sqlite3.OperationalError: It is busy.
    """
    _make_file(path)
    connection = _connect(path)
    with _explained(connection, path):
        version = _look(connection, path)
        # Readers and one writer do not wait for each other in the write-ahead log.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        if version == 0:
            _make_tables(connection, path)
    return connection


def open_to_read(path: Path) -> sqlite3.Connection:
    """Return a connection that only reads, also from what is write-protected.

    Raises:
        DatabaseError: It cannot be opened, is not ours, or holds nothing.
        sqlite3.OperationalError: It is busy.
    """
    _refuse_folder(path)
    if not path.exists():
        raise DatabaseError(f"there is no database at {path}")
    if not os.access(path, os.R_OK):
        raise DatabaseError(f"cannot read the database {path}: permission denied")
    try:
        return _open_to_read(path, "mode=rw")
    except DatabaseError as error:
        # The log of a database needs a file beside it, which a write-protected folder does not
        # take. Without a log the database is all there is, and nobody else can be changing it.
        if not isinstance(error.__cause__, sqlite3.OperationalError) or _has_log(path):
            raise
        return _open_to_read(path, "immutable=1")


def _open_to_read(path: Path, how: str) -> sqlite3.Connection:
    connection = _connect(path, how)
    with _explained(connection, path):
        if _look(connection, path) == 0:
            raise DatabaseError(f"{path} is empty: nothing was recorded into it")
        connection.execute("PRAGMA query_only = ON")
    return connection


def _has_log(path: Path) -> bool:
    log = Path(f"{path}-wal")
    return log.exists() and log.stat().st_size > 0


def _connect(path: Path, how: str | None = None) -> sqlite3.Connection:
    where: Path | str = path if how is None else f"{path.absolute().as_uri()}?{how}"
    try:
        connection = sqlite3.connect(
            where,
            uri=how is not None,
            timeout=_OWN_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
    except sqlite3.Error as error:
        raise DatabaseError(_reason(path, error)) from error
    add_functions(connection)
    return connection


@contextmanager
def _explained(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Close the connection when the block fails, and say why it did."""
    try:
        yield
    except BaseException as error:
        connection.close()
        if isinstance(error, sqlite3.Error) and not is_busy(error):
            raise DatabaseError(_reason(path, error)) from error
        raise


def _look(connection: sqlite3.Connection, path: Path) -> int:
    """Return the schema version of a database, 0 for one that is empty."""
    # In one transaction, since another process may be making the tables at this moment.
    connection.execute("BEGIN")
    version = _check_owner(connection, path)
    connection.execute("COMMIT")
    return version


def _make_tables(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    # Another process may have made them while this one waited for its turn.
    if _check_owner(connection, path) == 0:
        for statement in _TABLES.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")


def _make_file(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        told = error.strerror or str(error)
        raise DatabaseError(f"cannot make the folder {path.parent}: {told}") from error
    _refuse_folder(path)
    try:
        # Traces hold what the agent saw: nobody else may read them. SQLite would use the umask.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        told = error.strerror or str(error)
        raise DatabaseError(f"cannot write to the database {path}: {told}") from error


def _refuse_folder(path: Path) -> None:
    if path.is_dir():
        raise DatabaseError(f"{path} is a folder; a database is a file")


def _check_owner(connection: sqlite3.Connection, path: Path) -> int:
    """Return the schema version of a database that is ours, 0 for one that is empty."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application == 0 and version == 0 and tables == 0:
        return 0
    if application != APPLICATION_ID:
        raise DatabaseError(f"{path} is a database of another program; choose another file")
    if version > SCHEMA_VERSION:
        raise DatabaseError(
            f"{path} was made by a newer prefactor_trace (schema {version}, this one knows "
            f"{SCHEMA_VERSION}); upgrade, or choose another file"
        )
    return int(version)


def _reason(path: Path, error: sqlite3.Error) -> str:
    told = str(error)
    if "not a database" in told or "malformed" in told:
        return f"{path} is not a database ({told}); choose another file"
    if "readonly" in told:
        return f"the database {path} is read-only; it must be writable, and so must its folder"
    if "unable to open" in told:
        return f"cannot open the database {path}: its folder must be writable ({told})"
    return f"cannot use the database {path}: {told}"
