"""The lock on a folder: held by one, let go by death, and worth nothing on what was deleted."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from prefactor_trace._pipeline import folder_lock
from prefactor_trace._pipeline.folder_lock import LOCK_FILE, FolderLock

HOLD = """
import sys
from pathlib import Path
from prefactor_trace._pipeline.folder_lock import FolderLock
lock = FolderLock.take(Path(sys.argv[1]))
print("free" if lock is None else "held", flush=True)
sys.stdin.read()
"""


def hold(folder: Path) -> "subprocess.Popen[str]":
    """Start a process that tries to hold the folder's lock until it is killed."""
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_is_taken_once(tmp_path: Path) -> None:
    """A second taker gets nothing until the first lets go."""
    first = FolderLock.take(tmp_path)
    assert first is not None
    assert FolderLock.take(tmp_path) is None
    first.release()
    second = FolderLock.take(tmp_path)
    assert second is not None
    second.release()


def test_the_death_of_the_process_lets_go(tmp_path: Path) -> None:
    """A process that is killed keeps its folder as long as it lives, and no longer."""
    with hold(tmp_path) as process:
        assert process.stdout.readline() == "held\n"
        assert FolderLock.take(tmp_path) is None
        process.kill()
    lock = FolderLock.take(tmp_path)
    assert lock is not None
    lock.release()


def test_other_folders_stay_free(tmp_path: Path) -> None:
    """Each process has a folder of its own, and a lock of its own."""
    locks = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        locks.append(FolderLock.take(tmp_path / name))
    assert None not in locks
    for lock in locks:
        lock.release()


def test_a_folder_that_is_gone_cannot_be_taken(tmp_path: Path) -> None:
    """Another process has cleaned up between finding the folder and taking it."""
    assert FolderLock.take(tmp_path / "gone") is None
    assert not (tmp_path / "gone").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be deleted there")
@pytest.mark.parametrize("is_made_again", [False, True])
def test_a_folder_deleted_meanwhile_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_made_again: bool
) -> None:
    """A lock on a file that is deleted, or is another by now, would keep nobody out."""
    folder = tmp_path / "folder"
    folder.mkdir()
    lock_file = folder_lock._lock_file

    def delete_then_lock(descriptor: int) -> bool:
        shutil.rmtree(folder)
        if is_made_again:
            folder.mkdir()
            (folder / LOCK_FILE).touch()
        return lock_file(descriptor)

    monkeypatch.setattr(folder_lock, "_lock_file", delete_then_lock)
    assert FolderLock.take(folder) is None
    assert folder.exists() == is_made_again


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be deleted there")
def test_the_lock_file_is_deleted_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as anything else is in the folder, others find it taken."""
    folder = tmp_path / "folder"
    folder.mkdir()
    lock = FolderLock.take(folder)
    assert lock is not None
    for name in ("00000001.jsonl", "target.json"):
        (folder / name).touch()
    deleted, unlink = [], Path.unlink

    def note(path: Path) -> None:
        deleted.append(path.name)
        unlink(path)

    monkeypatch.setattr(Path, "unlink", note)
    lock.remove()
    assert sorted(deleted[:-1]) == ["00000001.jsonl", "target.json"]
    assert deleted[-1] == LOCK_FILE
    assert not folder.exists()


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody delete a lock file that is open, as Windows does."""
    unlink = Path.unlink

    def refuse(path: Path) -> None:
        if path.name == LOCK_FILE:
            free = FolderLock.take(path.parent)
            if free is None:
                raise PermissionError(13, "it is being used by another process")
            free.release()
        unlink(path)

    monkeypatch.setattr(Path, "unlink", refuse)


@pytest.mark.usefixtures("windows")
def test_a_lock_file_that_is_open_is_closed_to_be_deleted(tmp_path: Path) -> None:
    """Where open files cannot be deleted, the folder goes all the same."""
    folder = tmp_path / "folder"
    folder.mkdir()
    lock = FolderLock.take(folder)
    assert lock is not None
    (folder / "target.json").touch()
    lock.remove()
    assert not folder.exists()


@pytest.mark.usefixtures("windows")
def test_a_folder_that_another_has_taken_meanwhile_is_his(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As soon as the lock file is closed, another may have it; nothing is raised."""
    lock = FolderLock.take(tmp_path)
    assert lock is not None
    release, taken = lock.release, []

    def hand_over() -> None:
        release()
        taken.append(FolderLock.take(tmp_path))

    monkeypatch.setattr(lock, "release", hand_over)
    lock.remove()
    assert taken[0] is not None
    assert (tmp_path / LOCK_FILE).exists()
    taken[0].release()


def test_is_let_go_once(tmp_path: Path) -> None:
    """The descriptor's number may be another file's by the second time."""
    lock = FolderLock.take(tmp_path)
    assert lock is not None
    lock.release()
    with (tmp_path / "file").open("w") as file:
        lock.release()
        file.write("here")
    assert (tmp_path / "file").read_text() == "here"
