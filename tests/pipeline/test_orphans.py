"""What dead processes left: which of it is still to send, in which order, and for whom."""

import json
import time
from pathlib import Path

import pytest

from prefactor_trace._pfid import PfidSource, is_pfid, timestamp_of
from prefactor_trace._pipeline.folder_lock import LOCK_FILE, FolderLock
from prefactor_trace._pipeline.orphans import TARGET_FILE, count_elsewhere, find_orphans

TARGET = "https://example.com"
new_id = PfidSource()


def item(name: str) -> bytes:
    """Return the line of an item."""
    return b"+" + json.dumps({"_type": "x", "idempotency_key": f"key-{name:0>8}"}).encode().replace(
        b": ", b":"
    )


def strike(name: str) -> bytes:
    """Return the line that strikes an item off."""
    return f"-key-{name:0>8}".encode()


def others(spool: Path) -> list[Path]:
    """Return the folders of processes that are there."""
    return [path for path in spool.iterdir() if is_pfid(path.name)]


def leave(spool: Path, target: object = TARGET, **segments: list[bytes]) -> Path:
    """Write what a process that has died left: segments by the last letters of their names."""
    folder = spool / new_id()
    while any(timestamp_of(folder.name) == timestamp_of(other.name) for other in others(spool)):
        folder = spool / new_id()  # of the next millisecond: only then does it sort behind them
    folder.mkdir(parents=True)
    (folder / TARGET_FILE).write_text(json.dumps({"target": target}))
    for name, lines in segments.items():
        (folder / f"{name.strip('_'):0>8}.jsonl").write_bytes(b"".join(b"%b\n" % x for x in lines))
    return folder


def names(spool: Path, target: str | None = TARGET) -> list[str]:
    """Return the names of all that is left, as it is found."""
    found = []
    for orphan in find_orphans(spool, target):
        found += [leftover.key.removeprefix("key-").lstrip("0") for leftover in orphan.read()]
        orphan.close()
    return found


def test_reads_in_the_order_of_recording(tmp_path: Path) -> None:
    """The process that began first comes first, then segment by segment and line by line."""
    leave(tmp_path, _2=[item("c"), item("d")], _1=[item("b"), item("a")])
    leave(tmp_path, _1=[item("e")])
    assert names(tmp_path) == ["b", "a", "c", "d", "e"]


def test_a_strike_may_stand_in_a_later_segment(tmp_path: Path) -> None:
    """An item is settled wherever that is written, and one that was never there does no harm."""
    leave(tmp_path, _1=[item("a"), item("b")], _2=[strike("a"), item("c"), strike("zz")])
    assert names(tmp_path) == ["b", "c"]


def test_what_was_sent_since_stays_settled(tmp_path: Path) -> None:
    """The next process to look does not send again what the one before it has sent."""
    leave(tmp_path, _1=[item("a"), item("b")], _2=[item("c"), item("d")])
    for _ in range(2):
        (orphan,) = find_orphans(tmp_path, TARGET)
        first = orphan.read()[0]
        orphan.settle([first.key])
        orphan.close()
    assert names(tmp_path) == ["c", "d"]


@pytest.mark.parametrize(
    "torn",
    [
        item("x")[:-1],
        item("x")[:12],
        b"+",
        b"-",
        b"-key-",
        b"",
        b"\x00" * 16,
        b"\xff\xfe",
        b"-\xff",
        b'+{"idempotency_key":"short"}',
        item("x")[1:],
    ],
)
def test_a_torn_line_spoils_no_other(tmp_path: Path, torn: bytes) -> None:
    """What cannot be read is passed over, before and after what can."""
    leave(tmp_path, _1=[item("a"), torn, item("b"), torn])
    assert names(tmp_path) == ["a", "b"]


def test_the_body_is_what_was_written(tmp_path: Path) -> None:
    """An item is sent byte by byte as it was recorded."""
    leave(tmp_path, _1=[item("a")])
    (orphan,) = find_orphans(tmp_path, TARGET)
    (leftover,) = orphan.read()
    orphan.close()
    assert leftover == ("key-0000000a", item("a")[1:])


def test_the_living_and_strangers_are_left_alone(tmp_path: Path) -> None:
    """Neither a folder that is taken, nor one for another place, nor any other file is found."""
    alive = leave(tmp_path, _1=[item("a")])
    leave(tmp_path, "https://other.example", _1=[item("b")])
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "00000001.jsonl").write_bytes(item("c") + b"\n")
    lock = FolderLock.take(alive)
    assert lock is not None
    assert names(tmp_path) == []
    assert names(tmp_path, None) == ["b"]
    lock.release()
    assert names(tmp_path) == ["a"]


def test_counts_those_who_spool_for_elsewhere(tmp_path: Path) -> None:
    """Dead or alive; not those whose place cannot be read, nor where there is no spool."""
    leave(tmp_path)
    lock = FolderLock.take(leave(tmp_path, "https://other.example"))
    leave(tmp_path, "https://third.example")
    leave(tmp_path, 7)
    (leave(tmp_path) / TARGET_FILE).write_bytes(b'{"target": "https://ot')
    (leave(tmp_path) / TARGET_FILE).unlink()
    assert count_elsewhere(tmp_path, TARGET) == 2
    assert count_elsewhere(tmp_path, "https://third.example") == 2
    assert count_elsewhere(tmp_path / "none", TARGET) == 0
    assert lock is not None
    lock.release()


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the folders that are made now be an hour old."""
    now = time.time() + 3600
    monkeypatch.setattr("prefactor_trace._pipeline.orphans.time.time", lambda: now)


@pytest.mark.usefixtures("later")
def test_what_is_empty_is_swept_away(tmp_path: Path) -> None:
    """A folder with only a lock, of no living process; whatever place it was for."""
    folders = [tmp_path / new_id() for _ in range(3)]
    for folder in folders:
        folder.mkdir()
    for folder in folders[1:]:
        (folder / LOCK_FILE).touch()
    alive = FolderLock.take(folders[2])
    waiting = leave(tmp_path, "https://other.example", _1=[item("a")])
    assert list(find_orphans(tmp_path, TARGET)) == []
    assert sorted(others(tmp_path)) == sorted([folders[2], waiting])
    assert alive is not None
    alive.release()
    assert names(tmp_path, None) == ["a"]
    assert others(tmp_path) == [waiting]


def test_what_was_made_just_now_is_not_swept_away(tmp_path: Path) -> None:
    """Its process is about to lock it."""
    (tmp_path / new_id()).mkdir()
    assert list(find_orphans(tmp_path, TARGET)) == []
    assert len(others(tmp_path)) == 1
