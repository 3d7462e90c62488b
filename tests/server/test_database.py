"""Tests of opening a database, and of the one line that says why it cannot be opened."""

import os
import sqlite3
import stat
import sys
from pathlib import Path

import pytest

from prefactor_trace.exceptions import DatabaseError, PrefactorError
from prefactor_trace.server import Store, _database
from prefactor_trace.server._database import APPLICATION_ID, SCHEMA_VERSION


def refusal(path):
    """Return the one line that opening a database fails with."""
    with pytest.raises(DatabaseError) as caught:
        Store(path)
    assert isinstance(caught.value, PrefactorError)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value) or str(path.parent) in str(caught.value)
    return str(caught.value)


def test_folders_and_file_are_made(tmp_path):
    """Missing folders are made, and the database is in the write-ahead log's mode and ours."""
    path = tmp_path / "a" / "b" / "local.db"
    with Store(path) as store, store.reading() as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert db.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_nobody_else_may_read_the_file(tmp_path):
    """The database and its log are the owner's alone, whatever the umask says."""
    previous = os.umask(0)
    try:
        with Store(tmp_path / "new" / "local.db") as store:
            made = [store.path, Path(f"{store.path}-wal")]
            assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o600}
            assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700
    finally:
        os.umask(previous)


def test_an_empty_file_becomes_a_database(tmp_path):
    """A file that was only touched is taken."""
    path = tmp_path / "empty.db"
    path.touch()
    with Store(path) as store:
        assert store.list_instances() == []


def test_a_path_may_be_text(tmp_path):
    """A path given as text is the same as a `Path`."""
    with Store(str(tmp_path / "text.db")) as store:
        assert store.path == tmp_path / "text.db"


def test_a_file_that_is_no_database(tmp_path):
    """Another kind of file is refused and left as it is."""
    path = tmp_path / "notes.txt"
    path.write_text("notes " * 500)
    assert "is not a database" in refusal(path)
    assert path.read_text() == "notes " * 500


def test_a_database_of_another_program(tmp_path):
    """Another program's database is refused and left as it is."""
    path = tmp_path / "other.db"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE theirs (x)")
    db.commit()
    db.close()
    before = path.read_bytes()
    assert "another program" in refusal(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_database_of_a_newer_version(tmp_path):
    """A newer version's database is refused with both versions."""
    path = tmp_path / "newer.db"
    Store(path).close()
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    db.close()
    told = refusal(path)
    assert "newer prefactor_trace" in told
    assert str(SCHEMA_VERSION + 1) in told


def test_a_folder_is_no_database(tmp_path):
    """A folder in the database's place is named as such."""
    assert "is a folder" in refusal(tmp_path)


def test_a_folder_that_cannot_be_made(tmp_path):
    """A file where a folder should be is told by its path."""
    (tmp_path / "file").touch()
    assert "cannot make the folder" in refusal(tmp_path / "file" / "local.db")


def test_a_database_that_is_read_only(tmp_path, monkeypatch):
    """A database that cannot be made, since nothing can be written, is refused."""
    path = tmp_path / "local.db"
    path.touch()
    connect = sqlite3.connect

    def connect_read_only(path, **options):
        return connect(f"file:{path}?mode=ro", **{**options, "uri": True})

    # A mode of the file would not keep out a test that root runs.
    monkeypatch.setattr(sqlite3, "connect", connect_read_only)
    assert "is read-only" in refusal(path)


@pytest.fixture
def locked(tmp_path):
    """A database of ours in which another connection is writing."""
    path = tmp_path / "local.db"
    Store(path).close()
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    yield path
    writer.close()


@pytest.mark.parametrize("read_only", [False, True])
def test_opening_and_reading_wait_for_nobody(locked, monkeypatch, read_only):
    """A database that is there is opened and read while another process writes."""
    monkeypatch.setattr(_database, "BUSY_SECONDS", 0.1)
    with Store(locked, read_only=read_only) as store:
        assert store.list_instances() == []


def test_writing_to_a_locked_database_ends(locked, monkeypatch):
    """A writer that waited in vain is told what it waited for."""
    monkeypatch.setattr(_database, "BUSY_SECONDS", 0.1)
    with (
        Store(locked) as store,
        pytest.raises(DatabaseError, match=r"local\.db has been locked"),
        store.writing(),
    ):
        pass


def test_reading_changes_nothing(tmp_path):
    """A store to read from refuses to write, and makes no file."""
    path = tmp_path / "odd ?#%41 name.db"
    with pytest.raises(DatabaseError, match="there is no database"):
        Store(path, read_only=True)
    assert list(tmp_path.iterdir()) == []
    path.touch()
    with pytest.raises(DatabaseError, match="is empty"):
        Store(path, read_only=True)
    Store(path).close()
    with (
        Store(path, read_only=True) as store,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
        store.writing() as transaction,
    ):
        transaction.db.execute("DELETE FROM account")


@pytest.mark.parametrize("left_log", [False, True])
def test_reading_from_a_write_protected_folder(tmp_path, monkeypatch, left_log):
    """Where no log can be made the database alone is read; one with a log says what it needs."""
    path = tmp_path / "local.db"
    Store(path).close()
    if left_log:
        Path(f"{path}-wal").write_bytes(b"changes")
    connect = sqlite3.connect

    def connect_in_protected_folder(where, **options):
        # The folder's mode would not keep out a test that root runs.
        return connect(where if "immutable" in where else tmp_path / "no" / "way.db", **options)

    monkeypatch.setattr(sqlite3, "connect", connect_in_protected_folder)
    if left_log:
        with pytest.raises(DatabaseError, match="its folder must be writable"):
            Store(path, read_only=True)
    else:
        with Store(path, read_only=True) as store:
            assert store.list_instances() == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes anywhere")
def test_a_file_without_the_right_to_write(tmp_path):
    """A file that its mode protects is refused when it is opened."""
    path = tmp_path / "local.db"
    Store(path).close()
    path.chmod(0o400)
    assert "cannot write" in refusal(path)


def test_a_file_without_the_right_to_read(tmp_path, monkeypatch):
    """A file that its mode hides is named as such."""
    path = tmp_path / "local.db"
    Store(path).close()
    # Its mode would not keep out a test that root runs.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(DatabaseError, match="cannot read"):
        Store(path, read_only=True)


def test_a_half_made_database_is_ours_to_finish(tmp_path):
    """A process that died before its tables were made leaves nothing that stops the next one."""
    path = tmp_path / "local.db"
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode = WAL")
    db.close()
    with Store(path) as store:
        assert store.list_instances() == []
