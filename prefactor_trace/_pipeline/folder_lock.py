"""A lock on a folder, which the system lets go when the process that holds it dies."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

LOCK_FILE = "lock"
BINARY = getattr(os, "O_BINARY", 0)  # Windows would turn line ends

if sys.platform == "win32":
    import msvcrt

    def _lock_file(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock_file(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


class FolderLock:
    """A folder that is taken; made by `take`."""

    def __init__(self, folder: Path, descriptor: int) -> None:
        self._folder = folder
        self._descriptor = descriptor

    @classmethod
    def take(cls, folder: Path) -> FolderLock | None:
        """Return the lock, or ``None`` where another process has it."""
        try:
            descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | BINARY, 0o600)
        except OSError:
            return None
        if _lock_file(descriptor):
            # Its owner may have deleted the folder between our opening and locking the file.
            with suppress(OSError):
                if (folder / LOCK_FILE).stat().st_ino == os.fstat(descriptor).st_ino:
                    return cls(folder, descriptor)
        os.close(descriptor)
        return None

    def release(self) -> None:
        """Let go of the lock. In a forked child the parent goes on holding it."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            with suppress(OSError):
                os.close(descriptor)

    def remove(self) -> None:
        """Delete the folder with its files, as far as that can be done, and let go of it."""
        lock_file = self._folder / LOCK_FILE
        with suppress(OSError):
            # The lock file last: as long as it is there, the folder is found to be taken.
            for path in self._folder.iterdir():
                if path != lock_file:
                    path.unlink()
            try:
                lock_file.unlink()
            except PermissionError:  # Windows deletes no file that is open
                self.release()
                lock_file.unlink()
            self._folder.rmdir()
        self.release()
