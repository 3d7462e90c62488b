"""What processes that have died left in a spool folder."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from prefactor_trace._pfid import is_pfid, timestamp_of
from prefactor_trace._pipeline.folder_lock import BINARY, LOCK_FILE, FolderLock

TARGET_FILE = "target.json"
_LATE_STRIKES = "99999999.jsonl"  # read after every segment
_NEW_SECONDS = 60.0
_KEY = re.compile(rb'"idempotency_key":"([^"\\]{8,64})"')


class Leftover(NamedTuple):
    """An item that a process left behind.

    Attributes:
        key: Its idempotency key.
        body: Its JSON.
    """

    key: str
    body: bytes


class Orphan:
    """What a process that has died left behind; locked until it is closed.

    Args:
        folder: The folder of that process.
        lock: The lock on it.

    Attributes:
        folder: The folder of that process.
        target: Where its items were to go, ``None`` where that cannot be read.
    """

    def __init__(self, folder: Path, lock: FolderLock) -> None:
        self.folder = folder
        self.target = _read_target(folder)
        self._lock = lock

    def read(self) -> list[Leftover]:
        """Return what is not settled, in order; a line that was torn is passed over."""
        left: dict[str, Leftover] = {}
        for path in sorted(self.folder.glob("*.jsonl")):
            for line in path.read_bytes().split(b"\n"):
                if line[:1] == b"-":
                    left.pop(line[1:].decode("ascii", "replace"), None)
                elif line[:1] == b"+" and (item := _read_item(line[1:])) is not None:
                    left[item.key] = item
        return list(left.values())

    def settle(self, keys: list[str]) -> None:
        """Strike off items that were sent."""
        path = self.folder / _LATE_STRIKES
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | BINARY, 0o600)
        try:
            os.write(descriptor, b"".join([b"-%b\n" % key.encode() for key in keys]))
        finally:
            os.close(descriptor)

    def remove(self) -> None:
        """Delete the folder, when everything in it is settled."""
        self._lock.remove()

    def close(self) -> None:
        """Leave the folder for another to take."""
        self._lock.release()


def find_orphans(folder: Path, target: str | None) -> Iterator[Orphan]:
    """Give what dead processes left in a spool folder, each locked, for `target` or for any.

    Folders in which nothing is left are deleted.
    """
    for path in _folders_of_processes(folder):
        is_bare = _is_bare(path)
        if not is_bare and target is not None and _read_target(path) != target:
            continue
        lock = FolderLock.take(path)
        if lock is None:
            continue
        if is_bare:
            lock.remove()
        else:
            yield Orphan(path, lock)


def count_elsewhere(folder: Path, target: str) -> int:
    """Return how many processes, dead or alive, spool for another place than `target`."""
    targets = map(_read_target, _folders_of_processes(folder))
    return sum(found not in (target, None) for found in targets)


def count_waiting(folder: Path) -> int:
    """Return how many items of all processes, dead or alive, wait in a spool folder.

    Nothing is locked or changed, so what a living process settles meanwhile may still be counted.
    """
    return sum(map(_count_waiting_of, _folders_of_processes(folder)))


def _folders_of_processes(folder: Path) -> list[Path]:
    """Return the folders in a spool folder, in the order in which their processes made them."""
    try:
        return sorted(path for path in folder.iterdir() if is_pfid(path.name))
    except OSError:
        return []


def _count_waiting_of(owner: Path) -> int:
    keys: set[bytes] = set()
    for path in sorted(owner.glob("*.jsonl")):
        # A segment may be settled, and deleted, by its process now.
        with suppress(OSError), path.open("rb") as file:
            for line in file:
                if line[:1] == b"-":
                    keys.discard(line[1:].rstrip(b"\n"))
                elif line[:1] == b"+" and line.endswith(b"}\n") and (key := _KEY.search(line)):
                    keys.add(key[1])
    return len(keys)


def _is_bare(folder: Path) -> bool:
    """Return whether a folder holds nothing but a lock, as one whose deletion was cut off."""
    # A process that begins makes its folder, then locks it: until then it must not be taken.
    if time.time() - timestamp_of(folder.name) / 1000 < _NEW_SECONDS:
        return False
    try:
        return all(path.name == LOCK_FILE for path in folder.iterdir())
    except OSError:
        return False


def _read_target(folder: Path) -> str | None:
    try:
        content = json.loads((folder / TARGET_FILE).read_bytes())
    except (OSError, ValueError):
        return None
    target = content.get("target") if isinstance(content, dict) else None
    return target if isinstance(target, str) else None


def _read_item(line: bytes) -> Leftover | None:
    key = _KEY.search(line)
    if key is None:
        return None
    try:
        json.loads(line)
    except ValueError:
        return None
    return Leftover(key[1].decode(), line)
