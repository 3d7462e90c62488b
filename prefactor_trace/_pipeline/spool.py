"""The spool: items on disk until they are settled, so that no death of the process loses them.

A folder holds one folder a process, which is locked while its process lives. In it are segment
files of lines: ``+`` and an item's JSON when it is made, ``-`` and its key when it is settled. A
segment of which everything is settled is deleted. Whoever gets the lock of a folder whose process
has died may send what is left in it.

A line is written with one system call: what was written survives the death of the process (not that
of the machine, for which every line would have to wait for the disk).
"""

from __future__ import annotations

import errno
import json
import logging
import os
from contextlib import suppress
from pathlib import Path

from prefactor_trace import _guard
from prefactor_trace._pfid import PfidSource
from prefactor_trace._pipeline.folder_lock import BINARY, FolderLock
from prefactor_trace._pipeline.orphans import TARGET_FILE

SEGMENT_BYTES = 8 << 20


class Spool:
    """Items of one process on disk.

    Any trouble with the disk switches the spool off with one log line; the items are still in
    memory.

    Args:
        folder: The spool folder, shared by processes.
        target: Where the items are to go; what is left behind is sent nowhere else.
        max_bytes: Bytes of all segments; beyond them nothing more is written.
    """

    def __init__(self, folder: Path, target: str, max_bytes: int) -> None:
        self.folder = folder
        self._target = target
        self._max_bytes = max_bytes
        self._own: Path | None = None
        self._lock: FolderLock | None = None
        self._segments: dict[int, set[str]] = {}  # number to the keys that are not settled
        self._where: dict[str, int] = {}  # key to the number of its segment
        self._unwritten: set[str] = set()  # keys of what could not be written
        self._sizes: dict[int, int] = {}
        self._others = 0  # bytes of other processes, when last looked at
        self._file = -1  # descriptor of the segment that is written to
        self._number = 0  # of that segment
        self._broken = False

    @property
    def size(self) -> int:
        """Bytes that the segments of all processes take; of the others, when last looked at."""
        return self._others + sum(self._sizes.values())

    def measure(self) -> int:
        """Return `size` with a look at the others now; from any thread."""
        return self._measure_others() + sum(self._sizes.copy().values())

    @property
    def missing(self) -> int:
        """How many items that are not settled are in memory only."""
        return len(self._unwritten)

    def add(self, items: list[tuple[str, bytes]]) -> None:
        """Write down items, given as key and JSON, before they are sent."""
        if not items:
            return
        keys = [key for key, _ in items]
        if self._write_down(b"".join([b"+%b\n" % body for _, body in items])):
            self._segments[self._number].update(keys)
            self._where.update(dict.fromkeys(keys, self._number))
            self._unwritten.difference_update(keys)
        else:
            self._unwritten.update(keys)

    def _write_down(self, lines: bytes) -> bool:
        """Write lines where there is room; say whether it could be done."""
        if self._broken:
            return False
        if self.size + len(lines) > self._max_bytes:
            self._say_full()
            return False
        try:
            self._open_segment()
            self._write(lines)
        except OSError as error:
            self._give_up(error)
            return False
        return True

    def settle(self, keys: list[str]) -> None:
        """Strike items off; a segment without any other is deleted."""
        self._unwritten.difference_update(keys)
        if self._broken:
            return
        numbers = {key: self._where.pop(key) for key in keys if key in self._where}
        for key, number in numbers.items():
            self._segments[number].discard(key)
        try:
            # A segment with nothing left in it goes; only those in others have to be struck off.
            left = [key for key, number in numbers.items() if self._segments[number]]
            if left:
                self._open_segment()
                self._write(b"".join([b"-%b\n" % key.encode() for key in left]))
            for number in set(numbers.values()) if self._where else list(self._segments):
                if not self._segments[number]:
                    self._drop_segment(number)
        except OSError as error:
            self._give_up(error)

    def let_go(self, keys: list[str]) -> None:
        """Have items left to another process, where they are written, and else to nobody."""
        self._unwritten.difference_update(keys)

    def close(self) -> None:
        """Let go of the folder; it is deleted when everything in it is settled."""
        self._close_file()
        if self._lock is not None and not self._where and not self._broken:
            self._lock.remove()
        unwritten = self._unwritten  # at exit they are still to be told of
        self.forget()
        self._unwritten = unwritten

    def forget(self) -> None:
        """Let go of the folder as it is: a forked child leaves it to its parent."""
        self._close_file()
        if self._lock is not None:
            self._lock.release()
        self._own = self._lock = None
        self._segments.clear()
        self._where.clear()
        self._unwritten = set()
        self._sizes.clear()
        self._broken = False

    def _open_segment(self) -> None:
        if self._own is None:
            self._own, self._lock = _make_own_folder(self.folder, self._target)
        if self._file >= 0 and not os.fstat(self._file).st_nlink:
            # What is written into a file without a name survives nobody.
            raise FileNotFoundError(errno.ENOENT, "the folder has vanished")
        if self._file >= 0 and self._sizes[self._number] < SEGMENT_BYTES:
            return
        self._close_file()
        self._number += 1
        self._others = self._measure_others()
        path = self._own / f"{self._number:08d}.jsonl"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | BINARY, 0o600)
        self._segments[self._number] = set()
        self._sizes[self._number] = 0

    def _measure_others(self) -> int:
        total = 0
        for path in self.folder.glob("*/*.jsonl"):
            if path.parent != self._own:
                with suppress(OSError):  # its process may delete it now
                    total += path.stat().st_size
        return total

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            written = os.write(self._file, view)
            view = view[written:]
            self._sizes[self._number] += written

    def _drop_segment(self, number: int) -> None:
        if number == self._number:
            self._close_file()
        del self._segments[number], self._sizes[number]
        if self._own is not None:
            (self._own / f"{number:08d}.jsonl").unlink(missing_ok=True)

    def _close_file(self) -> None:
        if self._file >= 0:
            with suppress(OSError):
                os.close(self._file)
            self._file = -1

    def _give_up(self, error: OSError) -> None:
        self._broken = True
        self._close_file()
        _guard.log_seldom(
            logging.WARNING,
            "spool broken",
            "prefactor_trace: the spool in %s cannot be used (%s); what is recorded is kept in"
            " memory only",
            self.folder,
            error.strerror or error,
        )

    def _say_full(self) -> None:
        _guard.log_seldom(
            logging.WARNING,
            "spool full",
            "prefactor_trace: the spool in %s is full (spool_max_bytes=%d); what comes now is kept"
            " in memory only",
            self.folder,
            self._max_bytes,
        )


def _make_own_folder(folder: Path, target: str) -> tuple[Path, FolderLock]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    own = folder / PfidSource()()
    own.mkdir(mode=0o700)
    lock = FolderLock.take(own)
    if lock is None:
        raise OSError(f"{own} cannot be locked")
    descriptor = os.open(own / TARGET_FILE, os.O_WRONLY | os.O_CREAT | BINARY, 0o600)
    try:
        os.write(descriptor, json.dumps({"target": target}).encode())
    finally:
        os.close(descriptor)
    return own, lock
