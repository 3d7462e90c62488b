"""The spool: what is on disk, for how long, and what happens when the disk gives trouble."""

import errno
import json
import os
import shutil
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from prefactor_trace import _guard
from prefactor_trace._pipeline import spool as spool_module
from prefactor_trace._pipeline.orphans import find_orphans
from prefactor_trace._pipeline.spool import Spool

TARGET = "https://example.com"


def item(number: int) -> tuple[str, bytes]:
    """Return an item's key and JSON."""
    key = f"key-{number:08d}"
    return key, json.dumps({"_type": "x", "idempotency_key": key}, separators=(",", ":")).encode()


def left_behind(folder: Path) -> list[str]:
    """Return the keys that dead processes left, without taking them."""
    keys = []
    for orphan in find_orphans(folder, TARGET):
        keys += [leftover.key for leftover in orphan.read()]
        orphan.close()
    return keys


def abandon(spool: Spool) -> None:
    """Let go of files and lock without any clean-up, as the death of the process does."""
    spool.forget()


@pytest.fixture
def make(tmp_path: Path) -> Callable[[], Spool]:
    """Return a maker of spools in one folder."""
    return lambda: Spool(tmp_path / "spool", TARGET, 1 << 30)


def test_keeps_what_is_not_settled(tmp_path: Path, make: Callable[[], Spool]) -> None:
    """After the death of the process, the items that were not struck off are there, in order."""
    spool = make()
    spool.add([item(n) for n in range(5)])
    spool.settle([item(1)[0], item(3)[0]])
    abandon(spool)
    assert left_behind(tmp_path / "spool") == [item(n)[0] for n in (0, 2, 4)]


def test_leaves_nothing_when_all_is_settled(tmp_path: Path, make: Callable[[], Spool]) -> None:
    """A process whose items all arrived leaves no file and no folder."""
    spool = make()
    spool.add([item(1), item(2)])
    spool.settle([item(1)[0], item(2)[0]])
    spool.close()
    assert list((tmp_path / "spool").iterdir()) == []


def test_takes_items_again_after_all_were_settled(
    tmp_path: Path, make: Callable[[], Spool]
) -> None:
    """A segment that was deleted since it was settled does not swallow what comes next."""
    spool = make()
    spool.add([item(1)])
    spool.settle([item(1)[0]])
    assert spool.size == 0
    spool.add([item(2)])
    abandon(spool)
    assert left_behind(tmp_path / "spool") == [item(2)[0]]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_is_private(tmp_path: Path, make: Callable[[], Spool]) -> None:
    """Only the owner can read what is spooled."""
    spool = make()
    spool.add([item(1)])
    made = list((tmp_path / "spool").rglob("*"))
    assert {path.is_dir() for path in made} == {True, False}
    for path in made:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path
    spool.close()


def test_a_living_process_keeps_its_items(tmp_path: Path, make: Callable[[], Spool]) -> None:
    """Nobody takes the items of a process that is still there."""
    spool = make()
    spool.add([item(1)])
    assert left_behind(tmp_path / "spool") == []
    spool.close()


def test_an_orphan_is_taken_once(tmp_path: Path, make: Callable[[], Spool]) -> None:
    """While one process sends what a dead one left, no other does."""
    spool = make()
    spool.add([item(1)])
    abandon(spool)
    (first,) = find_orphans(tmp_path / "spool", TARGET)
    assert list(find_orphans(tmp_path / "spool", TARGET)) == []
    first.settle([item(1)[0]])
    assert first.read() == []
    first.remove()
    assert list((tmp_path / "spool").iterdir()) == []


def test_items_for_elsewhere_stay(tmp_path: Path, make: Callable[[], Spool]) -> None:
    """What was recorded for one service is not sent to another."""
    spool = make()
    spool.add([item(1)])
    abandon(spool)
    assert list(find_orphans(tmp_path / "spool", "https://other.example")) == []
    (orphan,) = find_orphans(tmp_path / "spool", None)
    assert orphan.target == TARGET
    orphan.close()


@pytest.mark.parametrize("cut", [1, 5, 30])
def test_a_torn_last_line_is_passed_over(
    tmp_path: Path, make: Callable[[], Spool], cut: int
) -> None:
    """A line of which only a part was written does not spoil those before it."""
    spool = make()
    spool.add([item(1), item(2)])
    abandon(spool)
    (segment,) = (tmp_path / "spool").glob("*/*.jsonl")
    segment.write_bytes(segment.read_bytes()[:-cut])
    expected = [item(1)[0], item(2)[0]] if cut == 1 else [item(1)[0]]
    assert left_behind(tmp_path / "spool") == expected


def test_segments_go_as_they_are_settled(
    tmp_path: Path, make: Callable[[], Spool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full segment whose items are settled gives its room back while others stay."""
    monkeypatch.setattr(spool_module, "SEGMENT_BYTES", 200)
    spool = make()
    for number in range(20):
        spool.add([item(number)])
    before = len(list((tmp_path / "spool").glob("*/*.jsonl")))
    spool.settle([item(number)[0] for number in range(15)])
    after = len(list((tmp_path / "spool").glob("*/*.jsonl")))
    assert after < before
    abandon(spool)
    assert left_behind(tmp_path / "spool") == [item(number)[0] for number in range(15, 20)]


def test_is_bounded(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Beyond its size it takes nothing more and says so in one line."""
    spool = Spool(tmp_path / "spool", TARGET, 200)
    for number in range(20):
        spool.add([item(number)])
    assert spool.size <= 200
    assert len([record for record in caplog.records if "is full" in record.message]) == 1
    abandon(spool)
    assert left_behind(tmp_path / "spool")[0] == item(0)[0]


def test_knows_how_many_items_it_could_not_write(tmp_path: Path) -> None:
    """Until they are settled, or written all the same."""
    size = len(item(0)[1]) + 2
    spool = Spool(tmp_path / "spool", TARGET, 2 * size)
    spool.add([item(0), item(1)])
    assert spool.missing == 0
    spool.add([item(2), item(3)])
    assert spool.missing == 2
    spool.settle([item(0)[0], item(1)[0], item(2)[0]])
    assert spool.missing == 1
    spool.add([item(3)])
    assert spool.missing == 0
    spool.add([item(4), item(5)])
    assert spool.missing == 2
    spool.let_go([item(4)[0], item(5)[0]])
    assert spool.missing == 0


def test_counts_what_others_left_towards_the_bound(tmp_path: Path) -> None:
    """The bound is that of the folder, not of one process."""
    first = Spool(tmp_path / "spool", TARGET, 1 << 20)
    first.add([item(1), item(2)])
    abandon(first)
    second = Spool(tmp_path / "spool", TARGET, 1 << 20)
    second.add([item(3)])
    assert second.size > 2 * len(item(1)[1])
    second.close()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_trouble_with_the_disk_is_one_line(
    make: Callable[[], Spool],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    number: int,
) -> None:
    """A full or broken disk raises nothing; the spool is off from then on."""
    spool = make()
    spool.add([item(0)])

    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "write", refuse)
    spool.add([item(1)])
    spool.add([item(2)])
    spool.settle([item(1)[0]])
    monkeypatch.undo()
    spool.close()
    (record,) = [record for record in caplog.records if record.name == _guard.logger.name]
    assert os.strerror(number) in record.message


def test_a_folder_that_cannot_be_made_is_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file where the folder should be raises nothing."""
    (tmp_path / "file").write_text("")
    spool = Spool(tmp_path / "file" / "spool", TARGET, 1 << 20)
    spool.add([item(1)])
    assert len(caplog.records) == 1
    spool.close()


@pytest.mark.skipif(sys.platform == "win32", reason="an open folder cannot be deleted there")
def test_a_folder_that_vanishes_is_one_line(
    tmp_path: Path, make: Callable[[], Spool], caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody who cleans up takes the spool away, and is told of it once."""
    spool = make()
    spool.add([item(1)])
    shutil.rmtree(tmp_path / "spool")
    for number in range(2, 5):
        spool.add([item(number)])
    (record,) = caplog.records
    assert "the folder has vanished" in record.getMessage()
    spool.close()
