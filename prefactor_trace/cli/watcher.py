"""Tells that a process was killed, which only another one can: it has to be there before."""

import contextlib
import mmap
import os
import select
import signal
from collections.abc import Callable

_PIDFD = 3  # the number that it has in the process that waits
_MOST_FILES = 1 << 16  # where the bound is none, each number would take a call
_FROM_TERMINAL = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")  # meant for the process that is watched


def watch(tell: Callable[[], None]) -> Callable[[], None]:
    """Have `tell` called in another process when this one dies and has not said that it ends.

    As after SIGKILL, for want of memory, in a crash of the interpreter, or by `os._exit`. Only
    where the death of a process can be waited for by others than its parent: on Linux.

    Returns:
        What says that this process ends. Whatever becomes of it then is no surprise.
    """
    pidfd_open: Callable[[int], int] | None = getattr(os, "pidfd_open", None)
    if pidfd_open is None or os.getpid() == 1:  # with the first process of a container all end
        return lambda: None
    try:
        # Shared, and no file descriptor, which the program might close.
        ends = mmap.mmap(-1, 1)
        process = pidfd_open(os.getpid())
        child = os.fork()
    except OSError:
        return lambda: None
    if child == 0:
        _leave_a_watcher(process, ends, tell)
    with contextlib.suppress(ChildProcessError):  # where SIGCHLD is ignored
        os.waitpid(child, 0)
    os.close(process)
    return lambda: ends.__setitem__(0, 1)


def _leave_a_watcher(process: int, ends: mmap.mmap, tell: Callable[[], None]) -> None:
    """Be the parent of the watcher, and end: the program must not find a child it did not make."""
    try:
        # Before there is a watcher: once this process has ended, it may be sent any of them.
        for name in _FROM_TERMINAL:
            signal.signal(getattr(signal, name), signal.SIG_IGN)
        if os.fork() == 0:
            _wait(process)
            with contextlib.suppress(Exception):  # the terminal may be gone, too
                if not ends[0]:
                    tell()
    finally:
        os._exit(0)


def _wait(process: int) -> None:
    """Wait until the process ends, and hold nothing meanwhile whose end others may wait for."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    if process != _PIDFD:
        os.dup2(process, _PIDFD)
    bound = os.sysconf("SC_OPEN_MAX")
    os.closerange(_PIDFD + 1, min(bound, _MOST_FILES) if bound > 0 else _MOST_FILES)
    poll = select.poll()
    poll.register(_PIDFD, select.POLLIN)
    poll.poll()
